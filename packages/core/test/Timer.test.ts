import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { makeClock } from "./utils/clock.ts"
import { arrived, asProcess, downOf, idle, inNode, queued } from "./utils/process.ts"

const bad = ExitReason.custom("bad")

describe("sendAfter", () => {
  it.effect("TM-001 the message comes once, when the delay is over and not before", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        yield* Process.sendAfter(self.pid, "tick", "1 second")
        yield* TestClock.adjust(999)
        assert.deepStrictEqual(yield* arrived(self), [])
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(yield* arrived(self), ["tick"])
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(yield* arrived(self), [])
      })
    ))

  it.effect("a delay of zero sends soon, and never before sendAfter has returned", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const timer = yield* Process.sendAfter(self.pid, "tick", 0)
        assert.deepStrictEqual(yield* queued(self), [])
        assert.deepStrictEqual(yield* Process.readTimer(timer), Option.some(0))
        assert.deepStrictEqual(yield* arrived(self), ["tick"])
        assert.deepStrictEqual(yield* Process.readTimer(timer), Option.none())
      })
    ))

  it.effect("TM-009 timers that are due together send in the order in which they were set", () =>
    asProcess((self: Process.Self<number>) =>
      Effect.gen(function*() {
        yield* Process.sendAfter(self.pid, 1, 20)
        yield* Process.sendAfter(self.pid, 0, 10)
        yield* Process.sendAfter(self.pid, 2, 20)
        yield* TestClock.adjust(10)
        yield* Process.sendAfter(self.pid, 3, 10)
        yield* TestClock.adjust(10)
        assert.deepStrictEqual(yield* arrived(self), [0, 1, 2, 3])
      })
    ))

  it.effect("TM-011 a timer outlives the process that set it", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const creator = yield* Process.spawn(() => Process.sendAfter(self.pid, "orphan", 100))
        assert.deepStrictEqual(yield* downOf(self, creator), ExitReason.normal)
        yield* TestClock.adjust(100)
        assert.deepStrictEqual(yield* arrived(self), ["orphan"])
      })
    ))

  it.effect("TM-012 a timer ends with the process that it is aimed at", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        for (const reason of [bad, ExitReason.kill]) {
          const [target] = yield* Process.spawnMonitor((own: Process.Self<string>) => own.receive)
          const timer = yield* Process.sendAfter(target, "late", 100)
          yield* Process.exit(target, reason)
          yield* self.receive
          assert.deepStrictEqual(yield* Process.readTimer(timer), Option.none())
          assert.deepStrictEqual(yield* Process.cancelTimer(timer), Option.none())
          const never = yield* Process.sendAfter(target, "never", 100)
          assert.deepStrictEqual(yield* Process.readTimer(never), Option.none())
        }
        yield* TestClock.adjust(100)
      })
    ))

  it.effect("a name is looked up when the time has come", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const first = yield* idle
        yield* Process.register("role", first)
        yield* Process.sendAfter("role", "tick", 100)
        yield* Process.sendAfter("nobody", "tick", 100)
        yield* Process.unregister("role")
        yield* Process.register("role", self.pid)
        yield* TestClock.adjust(100)
        assert.deepStrictEqual(yield* arrived(self), ["tick"])
      })
    ))

  it.effect("TM-015 a negative delay, and what is none, is a defect that names it and the value", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const crash = (effect: Effect.Effect<unknown>) =>
          Effect.flatMap(Process.spawn(() => effect), (pid) => Effect.map(downOf(self, pid), ExitReason.format))
        for (const [delay, shown] of [[-1, "-1"], [NaN, "NaN"], [-1n, "-1n"], [-Infinity, "-Infinity"]] as const) {
          const message = `Crashed: TypeError: delay: expected a duration of zero or more, got ${shown}`
          assert.strictEqual(yield* crash(Process.sendAfter("me", "tick", delay)), message)
        }
        for (const delay of ["soon", null, undefined]) {
          assert.match(
            yield* crash(Process.sendAfter("me", "tick", delay as never)),
            /^Crashed: TypeError: delay: expected a duration, got /
          )
        }
        for (const interval of [0, -1, NaN]) {
          assert.match(
            yield* crash(Process.sendInterval("me", "tick", interval)),
            /^Crashed: TypeError: interval: expected a duration of (more than zero|zero or more), got /
          )
        }
      })
    ))

  it.effect("what is no target is refused when the timer is set, not when its time has come", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const child = yield* Process.spawn(() => Process.sendAfter(42 as never, "tick" as never, 100))
        assert.strictEqual(
          ExitReason.format(yield* downOf(self, child)),
          "Crashed: TypeError: target: expected a pid, a name or a via, got 42"
        )
      })
    ))

  it.effect("an endless delay never sends, and leaves nothing with its target", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const timer = yield* Process.sendAfter(self.pid, "never", Infinity)
        assert.deepStrictEqual(yield* Process.readTimer(timer), Option.none())
        yield* TestClock.adjust("1000 days")
        assert.deepStrictEqual(yield* arrived(self), [])
        assert.deepStrictEqual(yield* Process.cancelTimer(timer), Option.none())
      })
    ))

  it.effect("TM-018 a delay of more than 2^31 milliseconds works", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        yield* Process.sendAfter(self.pid, "tick", 2 ** 40)
        yield* TestClock.adjust(2 ** 40 - 1)
        assert.deepStrictEqual(yield* arrived(self), [])
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(yield* arrived(self), ["tick"])
      })
    ))

  it.live("TM-018 it works on the clock of the system, too, whose timers end at 2^31", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        yield* Effect.acquireRelease(
          Effect.sync(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })),
          () => Effect.sync(() => vi.useRealTimers())
        )
        const timer = yield* Process.sendAfter(self.pid, "tick", 2 ** 33)
        yield* Effect.sync(() => vi.advanceTimersByTime(2 ** 33 - 1))
        assert.deepStrictEqual(yield* arrived(self), [])
        assert.deepStrictEqual(yield* Process.readTimer(timer), Option.some(1))
        yield* Effect.sync(() => vi.advanceTimersByTime(1))
        assert.deepStrictEqual(yield* arrived(self), ["tick"])
      }).pipe(Effect.scoped)
    ))

  it.effect("a timer is exact to the millisecond, also on a test clock that shows the date of today", () =>
    asProcess((self: Process.Self<number>) =>
      Effect.gen(function*() {
        yield* TestClock.setTime(1_700_000_000_123)
        for (let millis = 1; millis <= 200; millis++) {
          const timer = yield* Process.sendAfter(self.pid, millis, millis)
          assert.deepStrictEqual(yield* Process.readTimer(timer), Option.some(millis))
          yield* TestClock.adjust(millis - 1)
          assert.deepStrictEqual(yield* queued(self), [])
          yield* TestClock.adjust(1)
          assert.deepStrictEqual(yield* queued(self), [millis])
        }
      })
    ))

  it.effect("TM-017 a clock that wakes too early does not make a timer send too early", () =>
    Effect.gen(function*() {
      const clock = makeClock()
      yield* asProcess((self: Process.Self<string>) =>
        Effect.gen(function*() {
          yield* Process.sendAfter(self.pid, "tick", 100)
          assert.deepStrictEqual(clock.sleeps(), [100])
          clock.now = 99
          clock.wake()
          assert.deepStrictEqual(yield* arrived(self), [])
          assert.deepStrictEqual(clock.sleeps(), [1])
          clock.now = 100.5
          clock.wake()
          assert.deepStrictEqual(yield* arrived(self), ["tick"])
          assert.deepStrictEqual(clock.sleeps(), [])
        })
      ).pipe(Effect.provideService(Clock.Clock, clock))
    }))

  it.effect("a timer runs on the clock of the fiber that set it", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const clock = makeClock()
        yield* Process.sendAfter(self.pid, "own clock", 100).pipe(Effect.provideService(Clock.Clock, clock))
        yield* Process.sendAfter(self.pid, "clock of the test", 200)
        yield* TestClock.adjust(200)
        assert.deepStrictEqual(yield* arrived(self), ["clock of the test"])
        clock.now = 100
        clock.wake()
        assert.deepStrictEqual(yield* arrived(self), ["own clock"])
      })
    ))
})

describe("sendInterval", () => {
  it.effect("TM-019 it sends again and again, and stops when its receiver ends", () =>
    asProcess((self: Process.Self<number | Process.Down>) =>
      Effect.gen(function*() {
        const receiver = yield* Process.spawn((own: Process.Self<number>) =>
          Effect.forever(Effect.flatMap(own.receive, (n) => Process.send(self.pid, n)))
        )
        const timer = yield* Process.sendInterval(receiver, 1, "1 second")
        yield* TestClock.adjust(999)
        assert.deepStrictEqual(yield* arrived(self), [])
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(yield* arrived(self), [1])
        yield* TestClock.adjust("3 seconds")
        assert.deepStrictEqual(yield* arrived(self), [1, 1, 1])
        yield* Process.monitor(receiver)
        yield* Process.exit(receiver, bad)
        assert.isTrue(Process.isDown(yield* self.receive))
        assert.deepStrictEqual(yield* Process.readTimer(timer), Option.none())
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(yield* arrived(self), [])
      })
    ))

  it.effect("it can be read and cancelled", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const timer = yield* Process.sendInterval(self.pid, "tick", 100)
        yield* TestClock.adjust(250)
        assert.deepStrictEqual(yield* arrived(self), ["tick", "tick"])
        assert.deepStrictEqual(yield* Process.readTimer(timer), Option.some(50))
        assert.deepStrictEqual(yield* Process.cancelTimer(timer), Option.some(50))
        yield* TestClock.adjust(1000)
        assert.deepStrictEqual(yield* arrived(self), [])
      })
    ))
})

describe("cancelTimer and readTimer", () => {
  it.effect("TM-003 cancelTimer gives what was left, and nothing once the timer has fired or was cancelled", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const timer = yield* Process.sendAfter(self.pid, "never", 100)
        yield* TestClock.adjust(40)
        assert.deepStrictEqual(yield* Process.cancelTimer(timer), Option.some(60))
        assert.deepStrictEqual(yield* Process.cancelTimer(timer), Option.none())
        yield* TestClock.adjust(100)
        assert.deepStrictEqual(yield* arrived(self), [])
        const fired = yield* Process.sendAfter(self.pid, "tick", 10)
        yield* TestClock.adjust(10)
        assert.deepStrictEqual(yield* Process.cancelTimer(fired), Option.none())
      })
    ))

  it.effect("TM-004 a message that was sent already stays when its timer is cancelled", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const timer = yield* Process.sendAfter(self.pid, "tick", 10)
        yield* TestClock.adjust(10)
        yield* settle
        assert.deepStrictEqual(yield* Process.cancelTimer(timer), Option.none())
        assert.deepStrictEqual(yield* queued(self), ["tick"])
      })
    ))

  it.effect("TM-005 readTimer gives what is left, and leaves the timer alone", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const timer = yield* Process.sendAfter(self.pid, "tick", 100)
        assert.deepStrictEqual(yield* Process.readTimer(timer), Option.some(100))
        yield* TestClock.adjust(99)
        assert.deepStrictEqual(yield* Process.readTimer(timer), Option.some(1))
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(yield* Process.readTimer(timer), Option.none())
        assert.deepStrictEqual(yield* arrived(self), ["tick"])
      })
    ))

  it.effect("TM-014 any process may cancel, and so may code that is none", () =>
    inNode(Effect.gen(function*() {
      const got = yield* Deferred.make<string>()
      const pid = yield* Process.spawn((own: Process.Self<string>) =>
        Effect.flatMap(own.receive, (m) => Deferred.succeed(got, m))
      )
      const [first, second] = yield* Effect.all([
        Process.sendAfter(pid, "first", 100),
        Process.sendAfter(pid, "second", 100),
        Process.sendAfter(pid, "third", 100)
      ])
      assert.deepStrictEqual(yield* Process.cancelTimer(first), Option.some(100))
      yield* Effect.flatMap(Process.spawn(() => Process.cancelTimer(second)), Process.awaitExit)
      yield* TestClock.adjust(100)
      assert.strictEqual(yield* Deferred.await(got), "third")
    })))
})
