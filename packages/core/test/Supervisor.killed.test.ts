/** A supervisor that is killed: it runs no more code of its own, and leaves nothing behind all the same. */
import * as DynamicSupervisor from "@effect-otp/core/DynamicSupervisor"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { leftovers } from "./utils/leftovers.ts"
import { probed, started } from "./utils/tree.ts"

const bad = ExitReason.custom("bad")
const backoff = Schedule.spaced("1 hour")

const kill = (pid: Process.Pid<never>) => Effect.andThen(Process.exit(pid, ExitReason.kill), settle)

describe("a backoff that is not over", () => {
  it.effect("goes with a supervisor", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ backoff, children: [probe.child("a"), probe.child("b")] })
      const ref = yield* started(probe, tree, "start a", "start b")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      yield* kill(ref.pid)
      yield* probe.sees("stop b")
      assert.deepStrictEqual(yield* leftovers([ref.pid, probe.pid("a"), probe.pid("b")]), [])
    }))

  it.effect("goes with a dynamic supervisor", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make({ backoff }).start
      yield* DynamicSupervisor.startChild(ref, probe.child("a"))
      yield* probe.end("a", bad)
      yield* probe.sees("start a", "stop a")
      yield* kill(ref.pid)
      assert.deepStrictEqual(yield* leftovers([ref.pid, probe.pid("a")]), [])
    }))
})
