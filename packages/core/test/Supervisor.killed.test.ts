/** A supervisor that is killed: it handles nothing more, and leaves nothing behind all the same. */
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as DynamicSupervisor from "@effect-otp/core/DynamicSupervisor"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import { inconsistencies, leftovers } from "./utils/leftovers.ts"
import { probed, type Refused, started } from "./utils/tree.ts"

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

describe("whoever has started it with a link", () => {
  it.effect("is killed: it ends with Killed, when its children have stopped in reverse order", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({
        name: "tree",
        children: [probe.child("a"), probe.slow("b", Effect.sleep(1000)), probe.child("c")]
      })
      const owner = yield* Process.spawn(() => Effect.andThen(tree.startLink, Effect.never))
      yield* probe.sees("start a", "start b", "start c")
      const pid = Option.getOrThrow(yield* Process.whereis("tree"))
      yield* Process.exit(owner, ExitReason.kill)
      yield* probe.sees("stop c")
      yield* TestClock.adjust(1000)
      yield* probe.sees("stop b", "stop a")
      assert.deepStrictEqual(yield* Process.awaitExit(pid), ExitReason.killed)
      assert.deepStrictEqual(yield* leftovers([owner, pid]), [])
    }))
})

describe("its children", () => {
  const nested = (...children: ReadonlyArray<ChildSpec.ChildSpec<never, Refused, never>>) => {
    const inner = Supervisor.make({ name: "inner", children })
    return Supervisor.make({ children: [inner.child({ id: "inner" })] })
  }
  const pidOf = Effect.map(Process.whereis("inner"), Option.getOrThrow)

  it.effect("are gone, with all that they hold, before the branch is started again", () =>
    probed(function*(probe) {
      const slow = (id: string, millis: number) => probe.slow(id, Effect.sleep(millis))
      yield* started(probe, nested(slow("a", 1000), slow("b", 3000), probe.child("c")), "start a", "start b", "start c")
      yield* Process.exit("inner", ExitReason.kill)
      yield* probe.sees("stop c")
      yield* TestClock.adjust(1000)
      yield* probe.sees("stop a")
      yield* TestClock.adjust(1999)
      yield* probe.sees()
      yield* TestClock.adjust(1)
      yield* probe.sees("stop b", "start a", "start b", "start c")
      assert.deepStrictEqual(probe.log, [`Warn child inner ended (Killed), restarting it`])
    }))

  it.effect("are gone down to the last level, whose supervisor stops in order", () =>
    probed(function*(probe) {
      const low = Supervisor.make({ children: [probe.child("x"), probe.slow("y", Effect.sleep(1000))] })
      yield* started(probe, nested(probe.child("a"), low.child({ id: "low" })), "start a", "start x", "start y")
      yield* Process.exit("inner", ExitReason.kill)
      yield* probe.sees("stop a")
      yield* TestClock.adjust(1000)
      yield* probe.sees("stop y", "stop x", "start a", "start x", "start y")
    }))

  it.effect("have the time that they have at any stop, each its own, and are killed then", () =>
    probed(function*(probe) {
      const children = [
        probe.stubborn("a", { shutdown: "2 seconds" }),
        probe.stubborn("b", { shutdown: "1 second" }),
        probe.stubborn("c", { shutdown: "brutalKill" })
      ]
      yield* started(probe, nested(...children), "start a", "start b", "start c")
      yield* Process.exit("inner", ExitReason.kill)
      yield* probe.sees("stop c")
      yield* TestClock.adjust(1000)
      yield* probe.sees("stop b")
      yield* TestClock.adjust(999)
      yield* probe.sees()
      yield* TestClock.adjust(1)
      yield* probe.sees("stop a", "start a", "start b", "start c")
      const late = probe.log.filter((line) => line.includes("did not shut down in time: killed"))
      assert.strictEqual(late.length, 2)
    }))

  it.effect("are waited for no longer than they may take; what still runs then leaks", () =>
    probed(function*(probe) {
      const gate = yield* Deferred.make<void>()
      const leaks = probe.slow("a", Deferred.await(gate), { shutdown: "1 second" })
      yield* started(probe, nested(leaks), "start a")
      yield* Process.exit(probe.pid("a"), ExitReason.kill)
      yield* Process.exit("inner", ExitReason.kill)
      yield* TestClock.adjust(999)
      yield* probe.sees()
      yield* TestClock.adjust(1)
      yield* probe.sees("start a")
      assert.match(probe.log.at(-1)!, /^Error child a .* it leaks$/)
      yield* Deferred.succeed(gate, undefined)
      yield* probe.sees("stop a")
    }))

  it.effect("of which a temporary one was killed before: also that has released what it held", () =>
    probed(function*(probe) {
      const slow = probe.slow("b", Effect.sleep(1000), { restart: "temporary" })
      yield* started(probe, nested(probe.child("a"), slow), "start a", "start b")
      yield* kill(probe.pid("b"))
      yield* kill(yield* pidOf)
      yield* probe.sees("stop a")
      yield* TestClock.adjust(1000)
      yield* probe.sees("stop b", "start a", "start b")
    }))

  it.effect("of which one is being stopped: it has the time that is left, and is killed then", () =>
    probed(function*(probe) {
      const tree = nested(probe.child("a"), probe.stubborn("b", { shutdown: "1 second" }))
      yield* started(probe, tree, "start a", "start b")
      const b = probe.pid("b")
      const stopping = yield* Effect.forkChild(Effect.flip(Supervisor.terminateChild("inner", "b")))
      yield* probe.sees()
      yield* TestClock.adjust(600)
      yield* kill(yield* pidOf)
      assert.strictEqual((yield* Fiber.join(stopping))._tag, "CallError")
      yield* probe.sees("stop a")
      yield* TestClock.adjust(399)
      yield* probe.sees()
      yield* TestClock.adjust(1)
      yield* probe.sees("stop b", "start a", "start b")
      assert.deepStrictEqual(yield* Process.awaitExit(b), ExitReason.killed)
    }))

  it.effect("of which one is being stopped, and is no child of a dynamic supervisor any more: the same", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make().start
      yield* DynamicSupervisor.startChild(ref, probe.stubborn("a", { shutdown: "1 second" }))
      yield* probe.sees("start a")
      const stopping = yield* Effect.forkChild(Effect.flip(DynamicSupervisor.terminateChild(ref, probe.pid("a"))))
      yield* TestClock.adjust(600)
      yield* kill(ref.pid)
      assert.strictEqual((yield* Fiber.join(stopping))._tag, "CallError")
      yield* TestClock.adjust(399)
      yield* probe.sees()
      yield* TestClock.adjust(1)
      yield* probe.sees("stop a")
      assert.deepStrictEqual(yield* leftovers([ref.pid, probe.pid("a")]), [])
    }))

  it.effect("that it is starting are taken back", () =>
    probed(function*(probe) {
      const hangs = ChildSpec.make({
        id: "b",
        start: Effect.onInterrupt(
          Effect.andThen(probe.report("starting b"), Effect.never),
          () => probe.report("given up")
        )
      })
      const ref = yield* started(probe, Supervisor.make({ name: "inner", children: [probe.child("a")] }), "start a")
      const adding = yield* Effect.forkChild(Effect.flip(Supervisor.startChild("inner", hangs)))
      yield* probe.sees("starting b")
      yield* kill(ref.pid)
      yield* probe.sees("stop a", "given up")
      assert.strictEqual((yield* Fiber.join(adding))._tag, "CallError")
      assert.deepStrictEqual(yield* leftovers([ref.pid, probe.pid("a")]), [])
    }))

  it.effect("of a dynamic supervisor are gone, too, when something is started in its place", () =>
    probed(function*(probe) {
      const jobs = DynamicSupervisor.make({ name: "jobs" }).child()
      yield* started(
        probe,
        Supervisor.make({ children: [jobs, probe.child("z")], strategy: "rest_for_one" }),
        "start z"
      )
      const target = { pid: Option.getOrThrow(yield* Process.whereis("jobs")) }
      const Jobs = DynamicSupervisor.Service<never>()("test/Jobs").at(target.pid)
      yield* DynamicSupervisor.startChild(Jobs, probe.slow("a", Effect.sleep(1000)))
      yield* DynamicSupervisor.startChild(Jobs, probe.stubborn("b", { shutdown: "2 seconds" }))
      yield* probe.sees("start a", "start b")
      yield* kill(target.pid)
      yield* probe.sees("stop z")
      yield* TestClock.adjust(1000)
      yield* probe.sees("stop a")
      yield* TestClock.adjust(1000)
      yield* probe.sees("stop b", "start z")
      assert.deepStrictEqual(yield* inconsistencies([target.pid, probe.pid("a"), probe.pid("b")]), [])
    }))
})
