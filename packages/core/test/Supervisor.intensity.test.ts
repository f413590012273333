/** Too many restarts, restarts that fail, and what the supervisor above makes of it. */
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { probed, started } from "./utils/tree.ts"

const bad = ExitReason.custom("bad")
const intensity = (maxRestarts: number) => ({ maxRestarts, within: "5 seconds" }) as const

describe("intensity", () => {
  it.effect("SV-037 one restart too many stops all children in reverse order, then the supervisor with Shutdown", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({
        intensity: intensity(0),
        children: [probe.child("a"), probe.child("b"), probe.child("c")]
      })
      const ref = yield* started(probe, tree, "start a", "start b", "start c")
      yield* probe.end("b", bad)
      yield* probe.sees("stop b", "stop c", "stop a")
      assert.deepStrictEqual(yield* Process.awaitExit(ref.pid), ExitReason.shutdown())
    }))

  it.effect.each([0, 1, 2, 5])(
    "SV-038 an intensity of %i allows so many restarts and not one more",
    (allowed) =>
      probed(function*(probe) {
        const ref = yield* started(
          probe,
          Supervisor.make({ intensity: intensity(allowed), children: [probe.child("a")] }),
          "start a"
        )
        for (let i = 0; i < allowed; i++) {
          yield* probe.end("a", bad)
          yield* probe.sees("stop a", "start a")
        }
        yield* probe.end("a", bad)
        yield* probe.sees("stop a")
        assert.isFalse(yield* Process.isAlive(ref.pid))
      })
  )

  it.effect("SV-039 the window slides over the single restarts: those that are old drop out one by one", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ intensity: intensity(2), children: [probe.child("a")] })
      const ref = yield* started(probe, tree, "start a")
      for (let i = 0; i < 10; i++) {
        yield* probe.end("a", bad)
        yield* probe.sees("stop a", "start a")
        yield* TestClock.adjust("2501 millis")
      }
      assert.isTrue(yield* Process.isAlive(ref.pid))
    }))

  it.effect("SV-039 those that are not old count, one by one", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ intensity: intensity(2), children: [probe.child("a")] })
      const ref = yield* started(probe, tree, "start a")
      for (const millis of [0, 4000, 1001]) {
        yield* TestClock.adjust(millis)
        yield* probe.end("a", bad)
        assert.deepStrictEqual(yield* probe.seen, ["stop a", "start a"])
      }
      // The one at 0 ms is old by now, those at 4000 and 5001 ms are not.
      yield* probe.end("a", bad)
      assert.deepStrictEqual(yield* probe.seen, ["stop a"])
      assert.isFalse(yield* Process.isAlive(ref.pid))
    }))

  it.effect.each([[5000, false], [5001, true]] as const)(
    "SV-040 the bound is inclusive: a restart after %i ms is allowed: %s",
    ([millis, allowed]) =>
      probed(function*(probe) {
        const tree = Supervisor.make({ intensity: intensity(1), children: [probe.child("a")] })
        const ref = yield* started(probe, tree, "start a")
        yield* probe.end("a", bad)
        yield* probe.sees("stop a", "start a")
        yield* TestClock.adjust(millis)
        yield* probe.end("a", bad)
        yield* probe.sees("stop a", ...allowed ? ["start a"] : [])
        assert.strictEqual(yield* Process.isAlive(ref.pid), allowed)
      })
  )

  it.effect("SV-044 the child that was one too many is not started again", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ strategy: "one_for_all", intensity: intensity(1), children: [probe.child("a")] })
      yield* started(probe, tree, "start a")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a", "start a")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
    }))

  it.effect("giving up is one line at error, restarts are at warning", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ intensity: intensity(1), children: [probe.worker("a")] })
      yield* started(probe, tree, "start a")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a", "start a")
      assert.deepStrictEqual(probe.log, ["Warn child a ended (\"bad\"), restarting it"])
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      assert.deepStrictEqual(probe.log.slice(1).filter((line) => line.startsWith("Error")), [
        "Error giving up: child a ended (\"bad\"), and the limit is 1 restarts within 5000 ms"
      ])
    }))
})

describe("escalation", () => {
  const branch = (probe: Parameters<Parameters<typeof probed>[0]>[0], restart: "permanent" | "transient") =>
    Supervisor.make({
      strategy: "rest_for_one",
      children: [
        probe.child("before"),
        Supervisor.make({ intensity: intensity(1), children: ["a", "b", "c"].map((id) => probe.child(id)) }).child({
          id: "inner",
          restart
        }),
        probe.child("after")
      ]
    })
  const all = ["start before", "start a", "start b", "start c", "start after"]

  it.effect("SV-107 a supervisor that gave up is restarted by the one above, with its whole branch", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, branch(probe, "permanent"), ...all)
      yield* probe.end("b", bad)
      yield* probe.sees("stop b", "start b")
      yield* probe.end("b", bad)
      yield* probe.sees(
        "stop b",
        "stop c",
        "stop a",
        "stop after",
        "start a",
        "start b",
        "start c",
        "start after"
      )
      assert.isTrue(yield* Process.isAlive(ref.pid))
      // Its count has begun anew.
      yield* probe.end("a", bad)
      yield* probe.sees("stop a", "start a")
    }))

  it.effect("SV-107 a transient supervisor that gave up stays down", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, branch(probe, "transient"), ...all)
      yield* probe.end("b", bad)
      yield* probe.end("a", bad)
      yield* probe.sees("stop b", "stop a", "start b", "stop c", "stop b")
      assert.deepStrictEqual(
        (yield* Supervisor.whichChildren(ref)).map(({ child, id }) => [id, child]),
        [["after", probe.pid("after")], ["inner", undefined], ["before", probe.pid("before")]]
      )
    }))

  it.effect("one child that keeps failing brings down level after level, and nothing is left", () =>
    probed(function*(probe) {
      const limit = intensity(1)
      const inner = Supervisor.make({ intensity: limit, children: [probe.child("a")] })
      const middle = Supervisor.make({ intensity: limit, children: [inner.child({ id: "inner" })] })
      const outer = Supervisor.make({ intensity: limit, children: [probe.child("z"), middle.child({ id: "middle" })] })
      const ref = yield* started(probe, outer, "start z", "start a")
      for (let i = 0; i < 7; i++) {
        yield* probe.end("a", bad)
        yield* probe.sees("stop a", "start a")
      }
      yield* probe.end("a", bad)
      yield* probe.sees("stop a", "stop z")
      assert.isFalse(yield* Process.isAlive(ref.pid))
      assert.deepStrictEqual(yield* Process.list, [])
    }))
})

describe("a restart that fails", () => {
  it.effect("SV-045 it counts and is retried at once, until the limit is reached", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ intensity: intensity(3), children: [probe.child("z"), probe.child("a")] })
      const ref = yield* started(probe, tree, "start z", "start a")
      probe.refuse("a", Infinity)
      yield* probe.end("a", bad)
      assert.deepStrictEqual(yield* probe.seen, ["stop a", "fail a", "fail a", "fail a", "stop z"])
      assert.isFalse(yield* Process.isAlive(ref.pid))
    }))

  it.effect("SV-045 it is retried until it succeeds", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ intensity: intensity(3), children: [probe.child("z"), probe.child("a")] })
      const ref = yield* started(probe, tree, "start z", "start a")
      probe.refuse("a", 2)
      yield* probe.end("a", bad)
      yield* probe.sees("stop a", "fail a", "fail a", "start a")
      assert.strictEqual((yield* Supervisor.whichChildren(ref))[0]?.child, probe.pid("a"))
      yield* probe.end("a", bad)
      yield* probe.sees("stop a", "stop z")
      assert.isFalse(yield* Process.isAlive(ref.pid))
    }))

  it.effect("SV-049 one_for_all: those already started stop again, and the whole set is retried", () =>
    probed(function*(probe) {
      const children = ["z", "m", "o"].map((id) => probe.child(id))
      yield* started(
        probe,
        Supervisor.make({ strategy: "one_for_all", intensity: intensity(3), children }),
        "start z",
        "start m",
        "start o"
      )
      probe.refuse("o", 1)
      yield* probe.end("z", bad)
      yield* probe.sees(
        "stop z",
        "stop o",
        "stop m",
        "start z",
        "start m",
        "fail o",
        "stop m",
        "stop z",
        "start z",
        "start m",
        "start o"
      )
    }))

  it.effect("SV-049 one_for_all: those already started are up until the retry, and stay up if there is none", () =>
    probed(function*(probe) {
      const gate = yield* Deferred.make<never, "refused">()
      let starts = 0
      const failing = ChildSpec.make({
        id: "o",
        start: Effect.suspend(() => starts++ === 0 ? Process.spawnLink(() => Effect.never) : Deferred.await(gate))
      })
      const tree = Supervisor.make({
        strategy: "one_for_all",
        intensity: intensity(3),
        children: [probe.child("z"), failing]
      })
      const ref = yield* started(probe, tree, "start z")
      yield* probe.end("z", bad)
      yield* probe.sees("stop z", "start z")
      const terminating = yield* Effect.forkChild(Supervisor.terminateChild(ref, "o"), { startImmediately: true })
      yield* Deferred.fail(gate, "refused")
      yield* Fiber.join(terminating)
      yield* probe.sees()
      const children = yield* Supervisor.whichChildren(ref)
      assert.deepStrictEqual(children.map(({ child, id }) => [id, child]), [["o", undefined], ["z", probe.pid("z")]])
    }))

  it.effect("SV-050 rest_for_one: the retry begins at the child that failed, those started before it stay", () =>
    probed(function*(probe) {
      const children = ["y", "z", "m", "o", "p"].map((id) => probe.child(id))
      yield* started(
        probe,
        Supervisor.make({ strategy: "rest_for_one", intensity: intensity(3), children }),
        "start y",
        "start z",
        "start m",
        "start o",
        "start p"
      )
      probe.refuse("o", 2)
      yield* probe.end("z", bad)
      yield* probe.sees(
        "stop z",
        "stop p",
        "stop o",
        "stop m",
        "start z",
        "start m",
        "fail o",
        "fail o",
        "start o",
        "start p"
      )
    }))

  it.effect("SV-050 rest_for_one: a death before the child that is retried restarts the tail once", () =>
    probed(function*(probe) {
      const children = ["a", "b", "c"].map((id) => probe.child(id))
      const ref = yield* started(
        probe,
        Supervisor.make({ strategy: "rest_for_one", intensity: intensity(3), children }),
        "start a",
        "start b",
        "start c"
      )
      probe.refuse("b", 2)
      const a = probe.pid("a")
      // Both exits are in the mailbox before the supervisor looks; the retry of b comes behind the exit of a.
      yield* Process.exit(probe.pid("b"), ExitReason.kill)
      yield* Process.exit(a, ExitReason.kill)
      yield* probe.sees(
        "stop b",
        "stop a",
        "stop c",
        "fail b",
        "start a",
        "fail b",
        "start b",
        "start c"
      )
      assert.isTrue(yield* Process.isAlive(ref.pid))
      yield* probe.end("a", bad)
      yield* probe.sees("stop a", "stop c", "stop b")
    }))

  it.effect("a death of another child is handled between two retries", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ intensity: intensity(1000), children: [probe.child("a"), probe.child("b")] })
      yield* started(probe, tree, "start a", "start b")
      probe.refuse("a", 1000)
      yield* Process.exit(probe.pid("a"), ExitReason.kill)
      yield* Process.exit(probe.pid("b"), ExitReason.kill)
      const events = yield* probe.seen
      assert.isBelow(events.indexOf("start b"), 10)
      assert.strictEqual(events.filter((event) => event === "fail a").length, 999)
    }))
})
