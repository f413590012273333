import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { makeClock } from "./utils/clock.ts"
import { arrived, asProcess, downOf, idle, inNode, queued } from "./utils/process.ts"
import { defectOf } from "./utils/server.ts"

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
        for (const interval of [0, -1, NaN, "10 micros"] as const) {
          assert.match(
            yield* crash(Process.sendInterval("me", "tick", interval)),
            /^Crashed: TypeError: interval: expected a duration of (1 millisecond or more|zero or more), got /
          )
        }
        assert.strictEqual(
          yield* crash(Process.sendInterval("me", "tick", 100, { mode: "often" as never })),
          "Crashed: TypeError: mode: expected \"fixedRate\" or \"fixedDelay\", got \"often\""
        )
        for (const [time, shown] of [[NaN, "NaN"], ["soon", "\"soon\""], [undefined, "undefined"]] as const) {
          assert.strictEqual(
            yield* crash(Process.sendAfter("me", "tick", time as number, { abs: true })),
            `Crashed: TypeError: time: expected a point in time in milliseconds, got ${shown}`
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

describe("sendAfter with an absolute time", () => {
  it.effect("TM-016 it goes by the monotonic time, and one that has passed sends at once", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        yield* TestClock.adjust(5000)
        assert.strictEqual(yield* Process.monotonicTime, 5000)
        const timer = yield* Process.sendAfter(self.pid, "later", 5100, { abs: true })
        yield* Process.sendAfter(self.pid, "past", 4000, { abs: true })
        yield* Process.sendAfter(self.pid, "long ago", -1, { abs: true })
        yield* Process.sendAfter(self.pid, "now", 5000, { abs: true })
        assert.deepStrictEqual(yield* queued(self), [], "before sendAfter has returned")
        assert.deepStrictEqual(yield* arrived(self), ["long ago", "past", "now"])
        assert.deepStrictEqual(yield* Process.readTimer(timer), Option.some(100))
        yield* TestClock.adjust(99)
        assert.deepStrictEqual(yield* arrived(self), [])
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(yield* arrived(self), ["later"])
      })
    ))

  it.effect("the time of day does not matter to it", () =>
    Effect.gen(function*() {
      const clock = makeClock()
      yield* asProcess((self: Process.Self<string>) =>
        Effect.gen(function*() {
          clock.now = 70
          const time = (yield* Process.monotonicTime) + 30
          assert.strictEqual(time, 100)
          yield* Process.sendAfter(self.pid, "tick", time, { abs: true })
          assert.deepStrictEqual(clock.sleeps(), [30])
          clock.now = 100
          clock.wake()
          assert.deepStrictEqual(yield* arrived(self), ["tick"])
        })
      ).pipe(Effect.provideService(Clock.Clock, clock))
    }))

  it.effect("it falls in with delays: what is due together is sent in the order in which it was set", () =>
    asProcess((self: Process.Self<number>) =>
      Effect.gen(function*() {
        yield* Process.sendAfter(self.pid, 1, 100, { abs: true })
        yield* Process.sendAfter(self.pid, 2, 100)
        yield* Process.sendAfter(self.pid, 3, 100, { abs: true })
        yield* Process.sendAfter(self.pid, 4, 100, { abs: false })
        yield* Process.sendAfter(self.pid, 5, Infinity, { abs: true })
        yield* TestClock.adjust(100)
        assert.deepStrictEqual(yield* arrived(self), [1, 2, 3, 4])
      })
    ))
})

describe("sendInterval", () => {
  /** A process on a clock that is moved by hand, which tells how many ticks have come when it shows `now`. */
  const onClock = (
    mode: "fixedRate" | "fixedDelay" | undefined,
    body: (ticks: (now: number) => Effect.Effect<number>, due: () => ReadonlyArray<number>) => Effect.Effect<void>
  ) =>
    Effect.suspend(() => {
      const clock = makeClock()
      return asProcess((self: Process.Self<"tick">) => {
        const ticks = (now: number) =>
          Effect.suspend(() => {
            clock.now = now
            clock.wake()
            return Effect.map(arrived(self), (messages) => messages.length)
          })
        const start = Process.sendInterval(self.pid, "tick", 100, mode === undefined ? {} : { mode })
        return Effect.andThen(start, body(ticks, () => clock.sleeps().map((millis) => clock.now + millis)))
      }).pipe(Effect.provideService(Clock.Clock, clock))
    })

  it.effect("TM-019 at a fixed rate a message that is late does not make the next one late", () =>
    onClock(undefined, (ticks, due) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(due(), [100])
        for (let n = 1; n <= 50; n++) {
          assert.strictEqual(yield* ticks(n * 100 + 37), 1)
          assert.deepStrictEqual(due(), [(n + 1) * 100])
        }
      })))

  it.effect("at a fixed rate ticks that were missed are not made up for, and the next comes when it is due", () =>
    onClock("fixedRate", (ticks, due) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* ticks(530), 1)
        assert.deepStrictEqual(due(), [600])
        assert.strictEqual(yield* ticks(600), 1)
        assert.strictEqual(yield* ticks(900), 1)
        assert.deepStrictEqual(due(), [1000])
      })))

  it.effect("with a fixed delay the next message is due one interval after the last was sent", () =>
    onClock("fixedDelay", (ticks, due) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* ticks(137), 1)
        assert.deepStrictEqual(due(), [237])
        assert.strictEqual(yield* ticks(530), 1)
        assert.deepStrictEqual(due(), [630])
      })))

  it.effect("one that is aimed at a name outlives its holder, and reaches the next", () =>
    asProcess((self: Process.Self<"tick">) =>
      Effect.gen(function*() {
        const first = yield* idle
        yield* Process.register("role", first)
        const timer = yield* Process.sendInterval("role", "tick", 100)
        yield* Process.exit(first, ExitReason.kill)
        yield* TestClock.adjust(100)
        yield* Process.register("role", self.pid)
        yield* TestClock.adjust(200)
        assert.deepStrictEqual(yield* arrived(self), ["tick", "tick"])
        yield* Process.cancelTimer(timer)
      })
    ))
})

describe("sleeping", () => {
  it.live("PR-023 a sleep of zero lets others have their turn", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        yield* Process.spawn(() => Process.send(self.pid, "another"))
        assert.deepStrictEqual(yield* queued(self), [])
        yield* Effect.sleep(0)
        assert.deepStrictEqual(yield* queued(self), ["another"])
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

  it.effect("TM-006 with async the caller goes on, and what was left comes as a message", () =>
    asProcess((self: Process.Self<"tick" | Process.CancelTimer>) =>
      Effect.gen(function*() {
        const timer = yield* Process.sendAfter(self.pid, "tick", 100)
        yield* TestClock.adjust(40)
        yield* Process.send(self.pid, "tick")
        assert.isUndefined(yield* Process.cancelTimer(timer, { async: true }))
        assert.deepStrictEqual(yield* Process.readTimer(timer), Option.none())
        assert.isUndefined(yield* Process.cancelTimer(timer, { async: true }))
        const [tick, first, second, ...others] = yield* arrived(self)
        assert.deepStrictEqual([tick, others], ["tick", []])
        for (const [message, left] of [[first, Option.some(60)], [second, Option.none()]] as const) {
          if (!Process.isCancelTimer(message)) return assert.fail(`it is ${String(message)}`)
          assert.strictEqual(message.ref, timer)
          assert.deepStrictEqual(message.left, left)
        }
        assert.isFalse(Process.isCancelTimer({ ...first as Process.CancelTimer }), "no user message passes for one")
        yield* TestClock.adjust(100)
        assert.deepStrictEqual(yield* arrived(self), [])
      })
    ))

  it.effect("TM-006 a server gets the message by info, and another process than the caller nothing", () =>
    asProcess((self: Process.Self<"never">) =>
      Effect.gen(function*() {
        const told: Array<Process.CancelTimer> = []
        const server = yield* Cancelling.server.start((message) => told.push(message))
        const timer = yield* Process.sendAfter(self.pid, "never", 100)
        yield* server.cancel({ timer })
        assert.deepStrictEqual(yield* arrived(self), [])
        assert.deepStrictEqual(told.map(({ left, ref }) => [ref, left]), [[timer, Option.some(100)]])
      })
    ))

  it.effect("TM-007 without info it gives nothing, and the timer is stopped all the same", () =>
    asProcess((self: Process.Self<"tick">) =>
      Effect.gen(function*() {
        for (const options of [{ info: false }, { info: false, async: true }, { info: false, async: false }] as const) {
          const timer = yield* Process.sendAfter(self.pid, "tick", 100)
          assert.isUndefined(yield* Process.cancelTimer(timer, options))
          assert.deepStrictEqual(yield* Process.readTimer(timer), Option.none())
          assert.isUndefined(yield* Process.cancelTimer(timer, options))
          yield* TestClock.adjust(100)
          assert.deepStrictEqual(yield* arrived(self), [])
        }
      })
    ))

  it.effect("what is no timer is refused, and named", () =>
    Effect.gen(function*() {
      for (const verb of [Process.cancelTimer, Process.readTimer]) {
        assert.strictEqual(
          (yield* defectOf(verb(42 as never))).message,
          "ref: expected what Process.sendAfter or sendInterval gave, got 42"
        )
      }
    }))
})

class Cancelling extends GenServer.Service<Cancelling>()("test/Cancelling", [
  GenServer.call("cancel", { payload: { timer: Schema.declare((_): _ is Process.TimerRef => true) } })
]) {
  static readonly server = this.implement({
    init: (tell: (message: Process.CancelTimer) => void) => tell,
    handlers: {
      cancel: (tell, { timer }) => Effect.as(Process.cancelTimer(timer, { async: true }), Step.reply(undefined, tell))
    },
    info: (tell, message: Process.CancelTimer) => {
      tell(message)
      return Step.noReply(tell)
    }
  })
}
