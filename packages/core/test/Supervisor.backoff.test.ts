/** Waiting before a restart, by any Schedule. */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as Sys from "@effect-otp/core/Sys"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import { type Probe, probed, started } from "./utils/tree.ts"

const bad = ExitReason.custom("bad")
const intensity = { maxRestarts: 10, within: "5 seconds" } as const
const backoff = Schedule.exponential("100 millis")

/** Nothing happens until so many milliseconds have passed, and then this. */
const after = Effect.fnUntraced(function*(probe: Probe, millis: number, ...events: ReadonlyArray<string>) {
  yield* TestClock.adjust(millis - 1)
  yield* probe.sees()
  yield* TestClock.adjust(1)
  yield* probe.sees(...events)
})

const shown = (ref: Supervisor.Ref) =>
  Effect.map(Supervisor.whichChildren(ref), (children) => children.map(({ child }) => child).toReversed())

describe("backoff", () => {
  it.effect("a restart waits as long as the schedule says, each time anew, and shows restarting until then", () =>
    probed(function*(probe) {
      const ref = yield* started(
        probe,
        Supervisor.make({ intensity, backoff, children: [probe.child("a")] }),
        "start a"
      )
      for (const delay of [100, 200, 400]) {
        yield* probe.end("a", bad)
        yield* probe.sees("stop a")
        assert.deepStrictEqual(yield* shown(ref), ["restarting"])
        yield* after(probe, delay, "start a")
        assert.deepStrictEqual(yield* shown(ref), [probe.pid("a")])
      }
    }))

  it.effect("a child's own schedule takes precedence over its supervisor's", () =>
    probed(function*(probe) {
      const children = [probe.child("a", { backoff: Schedule.spaced("2 seconds") }), probe.child("b")]
      yield* started(probe, Supervisor.make({ intensity, backoff, children }), "start a", "start b")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      yield* after(probe, 2000, "start a")
      yield* probe.end("b", bad)
      yield* probe.sees("stop b")
      yield* after(probe, 100, "start b")
    }))

  it.effect("siblings are not held up: they run, fail and come back in the meantime", () =>
    probed(function*(probe) {
      const children = [probe.child("a", { backoff: Schedule.spaced("1 second") }), probe.child("b")]
      const ref = yield* started(probe, Supervisor.make({ intensity, children }), "start a", "start b")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      yield* probe.end("b", bad)
      yield* probe.sees("stop b", "start b")
      assert.deepStrictEqual(yield* shown(ref), ["restarting", probe.pid("b")])
      yield* after(probe, 1000, "start a")
    }))

  it.effect("a waiting restart counts once", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({
        intensity: { maxRestarts: 1, within: "1 hour" },
        backoff,
        children: [probe.child("a")]
      })
      const ref = yield* started(probe, tree, "start a")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      yield* after(probe, 100, "start a")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      assert.isFalse(yield* Process.isAlive(ref.pid))
    }))

  it.effect("a start that fails waits, too, and counts", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({
        intensity: { maxRestarts: 3, within: "1 hour" },
        backoff,
        children: [probe.child("z"), probe.child("a")]
      })
      const ref = yield* started(probe, tree, "start z", "start a")
      probe.refuse("a", Infinity)
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      yield* after(probe, 100, "fail a")
      yield* after(probe, 200, "fail a")
      yield* after(probe, 400, "fail a", "stop z")
      assert.isFalse(yield* Process.isAlive(ref.pid))
    }))

  it.effect("a child that waits can be terminated, and started again by hand", () =>
    probed(function*(probe) {
      const ref = yield* started(
        probe,
        Supervisor.make({ intensity, backoff, children: [probe.child("a")] }),
        "start a"
      )
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      yield* Supervisor.terminateChild(ref, "a")
      assert.deepStrictEqual(yield* shown(ref), [undefined])
      yield* TestClock.adjust("1 hour")
      yield* probe.sees()
      yield* Supervisor.restartChild(ref, "a")
      yield* probe.sees("start a")
    }))

  it.effect("a supervisor stops at once while a child waits", () =>
    probed(function*(probe) {
      const children = [probe.child("a"), probe.child("b")]
      const ref = yield* started(probe, Supervisor.make({ intensity, backoff, children }), "start a", "start b")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      yield* Supervisor.stop(ref)
      yield* probe.sees("stop b")
      yield* TestClock.adjust("1 hour")
      yield* probe.sees()
    }))

  it.effect("one_for_all: a child that waits comes back with the group when another one is due first", () =>
    probed(function*(probe) {
      const children = [
        probe.child("a", { backoff: Schedule.spaced("1 second") }),
        probe.child("b", { backoff: Schedule.spaced("100 millis") })
      ]
      const tree = Supervisor.make({ strategy: "one_for_all", intensity, children })
      yield* started(probe, tree, "start a", "start b")
      yield* probe.end("a", bad)
      yield* probe.end("b", bad)
      yield* probe.sees("stop a", "stop b")
      yield* after(probe, 100, "start a", "start b")
      yield* TestClock.adjust("1 hour")
      yield* probe.sees()
    }))

  it.effect("SV-049 one_for_all: when one fails to start, the others are down while it waits", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({
        strategy: "one_for_all",
        intensity,
        backoff,
        children: ["a", "b"].map((id) => probe.child(id))
      })
      yield* started(probe, tree, "start a", "start b")
      probe.refuse("b", 1)
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      yield* after(probe, 100, "stop b", "start a", "fail b", "stop a")
      yield* after(probe, 100, "start a", "start b")
    }))

  it.effect("the schedule begins anew when the child has been up for longer than the intensity looks back", () =>
    probed(function*(probe) {
      yield* started(probe, Supervisor.make({ intensity, backoff, children: [probe.child("a")] }), "start a")
      for (const [up, delay] of [[0, 100], [5000, 200], [5001, 100], [10, 200]] as const) {
        yield* TestClock.adjust(up)
        yield* probe.end("a", bad)
        yield* probe.sees("stop a")
        yield* after(probe, delay, "start a")
      }
    }))

  it.effect("a schedule that is done means giving up, and the report says so", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({
        intensity,
        children: [probe.child("z"), probe.worker("a", { backoff: Schedule.max([backoff, Schedule.recurs(1)]) })]
      })
      const ref = yield* started(probe, tree, "start z", "start a")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      yield* after(probe, 100, "start a")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a", "stop z")
      assert.deepStrictEqual(yield* Process.awaitExit(ref.pid), ExitReason.shutdown())
      assert.deepStrictEqual(probe.log.filter((line) => line.startsWith("Error")), [
        "Error giving up: child a ended (\"bad\"), and its backoff is over"
      ])
    }))

  it.effect("whichChildren and the state say how long until the restart", () =>
    probed(function*(probe) {
      const children = [probe.child("a", { backoff: Schedule.spaced("1 second") }), probe.child("b")]
      const ref = yield* started(probe, Supervisor.make({ intensity, children }), "start a", "start b")
      const waits = Effect.gen(function*() {
        const { children } = yield* Sys.getState<Supervisor.Snapshot>(ref)
        const listed = (yield* Supervisor.whichChildren(ref)).map(({ restartsIn }) => restartsIn).toReversed()
        assert.deepStrictEqual(children.map(({ restartsIn }) => restartsIn), listed)
        return listed
      })
      assert.deepStrictEqual(yield* waits, [undefined, undefined])
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      assert.deepStrictEqual(yield* waits, [Duration.seconds(1), undefined])
      yield* TestClock.adjust("300 millis")
      assert.deepStrictEqual(yield* waits, [Duration.millis(700), undefined])
      yield* Supervisor.terminateChild(ref, "a")
      assert.deepStrictEqual(yield* waits, [undefined, undefined])
    }))

  it.effect("with jitter and a cap, whatever the schedule gives is what is waited", () =>
    probed(function*(probe) {
      const delays: Array<Duration.Duration> = []
      const capped = Schedule.exponential("100 millis").pipe(
        Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, Duration.millis(300)))),
        Schedule.jittered,
        Schedule.modifyDelay(({ duration }) =>
          Effect.sync(() => {
            delays.push(duration)
            return duration
          })
        )
      )
      yield* started(probe, Supervisor.make({ intensity, backoff: capped, children: [probe.child("a")] }), "start a")
      for (const least of [80, 160, 240, 240]) {
        yield* probe.end("a", bad)
        yield* probe.sees("stop a")
        const delay = Duration.toMillis(delays.at(-1)!)
        assert.isAtLeast(delay, least)
        assert.isAtMost(delay, Math.min(least * 1.5, 360))
        yield* TestClock.adjust(Math.floor(delay))
        yield* probe.sees()
        yield* TestClock.adjust(1)
        yield* probe.sees("start a")
      }
    }))

  it.effect("giving up within a backoff is one event: one report, one end", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({
        intensity: { maxRestarts: 1, within: "1 hour" },
        backoff,
        children: [probe.worker("a"), probe.worker("b")]
      })
      const ref = yield* started(probe, tree, "start a", "start b")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      yield* probe.end("b", bad)
      yield* probe.sees("stop b")
      assert.deepStrictEqual(yield* Process.awaitExit(ref.pid), ExitReason.shutdown())
      yield* TestClock.adjust("1 hour")
      yield* probe.sees()
      assert.deepStrictEqual(probe.log.filter((line) => line.startsWith("Error")), [
        "Error giving up: child b ended (\"bad\"), and the limit is 1 restarts within 3600000 ms"
      ])
    }))

  it.effect("the schedule is told the reason of each end", () =>
    probed(function*(probe) {
      const reasons: Array<ExitReason.ExitReason> = []
      const told = Schedule.spaced("1 second").pipe(
        Schedule.setInputType<ExitReason.ExitReason>(),
        Schedule.tap(({ input }) => Effect.sync(() => reasons.push(input)))
      )
      const tree = Supervisor.make({ intensity, backoff: told, children: [probe.child("a")] })
      yield* started(probe, tree, "start a")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      assert.deepStrictEqual(reasons, [bad])
    }))
})
