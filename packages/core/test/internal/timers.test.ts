import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as scale from "../../../../test-scale.ts"
import * as Timers from "../../src/internal/timers.ts"
import { makeClock } from "../utils/clock.ts"

const make = Effect.map(
  Effect.all([Clock.Clock, Scheduler.Scheduler]),
  ([clock, scheduler]) => Timers.make(clock, scheduler)
)

const timer = (fire: () => void): Timers.Timer => ({ deadline: 0, sequence: 0, index: -1, fire })

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

const steps = Schema.Array(Schema.Struct({
  what: Schema.Literals(["start", "start", "start", "cancel", "adjust"]),
  /** A delay, which timer, or how far to move the clock. */
  n: upTo(40)
})).check(Schema.isMaxLength(80))

interface Expected {
  readonly id: number
  readonly due: number
  readonly timer: Timers.Timer
}

describe("Timers", () => {
  it.effect.prop(
    "fire in the order of their deadlines, then of their age, and never when cancelled",
    { steps },
    (input) =>
      Effect.gen(function*() {
        const timers = yield* make
        const fired: Array<number> = []
        const expectedToFire: Array<number> = []
        let pending: ReadonlyArray<Expected> = []
        let now = 0
        let ids = 0
        const move = Effect.fnUntraced(function*(by: number) {
          now += by
          const due = pending.filter((each) => each.due <= now)
          pending = pending.filter((each) => each.due > now)
          expectedToFire.push(...due.sort((a, b) => a.due - b.due || a.id - b.id).map((each) => each.id))
          yield* TestClock.adjust(by)
        })
        for (const { n, what } of input.steps) {
          if (what === "start") {
            const id = ids++
            // Zero is for tests of its own: it fires in the next turn, without time passing.
            const delay = n + 1
            const started = timer(() => fired.push(id))
            timers.start(started, delay)
            pending = [...pending, { id, due: now + delay, timer: started }]
          } else if (what === "cancel" && pending.length > 0) {
            const cancelled = pending[n % pending.length]!
            assert.isTrue(timers.cancel(cancelled.timer))
            assert.isFalse(timers.cancel(cancelled.timer))
            pending = pending.filter((each) => each !== cancelled)
          } else if (what === "adjust") {
            yield* move(n)
          }
          assert.deepStrictEqual(fired, expectedToFire)
          assert.isTrue(pending.every((each) => each.timer.index >= 0))
        }
        yield* move(1000)
        assert.deepStrictEqual(fired, expectedToFire)
      }),
    { arbitrary: { runs: scale.cases } }
  )

  it.effect("a delay that a number cannot add without a rest ends all the same, and so do those after it", () =>
    Effect.gen(function*() {
      const timers = yield* make
      const fired: Array<number> = []
      // Added up it is more than 102.317, by less than the clock can show.
      assert.isAbove(2.317 + 100, 102.317)
      yield* TestClock.setTime(2.317)
      timers.start(timer(() => fired.push(timers.now())), 100)
      yield* TestClock.adjust("1 second")
      timers.start(timer(() => fired.push(timers.now())), 100)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(fired, [102.317, 1102.317])
    }))

  it.effect.prop(
    "fire in their time on a clock that stands at a fraction of a millisecond",
    { start: upTo(1_000_000), waits: Schema.Array(upTo(1_000_000)).check(Schema.isMaxLength(20)), delay: upTo(5000) },
    ({ delay, start, waits }) =>
      Effect.gen(function*() {
        yield* TestClock.adjust(start)
        const timers = yield* make
        for (const wait of waits) {
          yield* TestClock.adjust(wait / 999)
          let fired = 0
          timers.start(timer(() => fired++), delay + 1)
          yield* TestClock.adjust(delay)
          assert.strictEqual(fired, 0)
          // The test clock itself adds fractions, and may be short of the end by one that nothing shows.
          yield* TestClock.adjust(1.001)
          assert.strictEqual(fired, 1)
        }
      }),
    { arbitrary: { runs: scale.cases } }
  )

  it.effect.prop(
    "fire in order whatever is cancelled out of their middle",
    {
      input: Schema.Array(Schema.Struct({ delay: upTo(100), cancel: Schema.Boolean })).check(
        Schema.isBetweenLength(20, 80)
      )
    },
    ({ input }) =>
      Effect.gen(function*() {
        const timers = yield* make
        const fired: Array<number> = []
        const all = input.map(({ cancel, delay }, id) => {
          const started = timer(() => fired.push(id))
          timers.start(started, delay + 1)
          return { id, delay, cancel, started }
        })
        for (const { cancel, started } of all) if (cancel) timers.cancel(started)
        yield* TestClock.adjust(101)
        const expected = all.filter(({ cancel }) => !cancel).sort((a, b) => a.delay - b.delay || a.id - b.id)
        assert.deepStrictEqual(fired, expected.map(({ id }) => id))
      }),
    { arbitrary: { runs: scale.cases } }
  )

  it.effect("the last timer of the heap takes the place of one in another branch, and goes up from there", () =>
    Effect.gen(function*() {
      const timers = yield* make
      const fired: Array<number> = []
      const all = [11, 13, 4, 17, 18, 15, 2].map((delay) => {
        const started = timer(() => fired.push(delay))
        timers.start(started, delay)
        return started
      })
      timers.cancel(all[3]!)
      yield* TestClock.adjust(20)
      assert.deepStrictEqual(fired, [2, 4, 11, 13, 15, 18])
    }))

  it.effect("what fires may start and cancel timers", () =>
    Effect.gen(function*() {
      const timers = yield* make
      const fired: Array<string> = []
      const victim = timer(() => fired.push("victim"))
      const next = timer(() => fired.push("next"))
      timers.start(
        timer(() => {
          fired.push("first")
          assert.isTrue(timers.cancel(victim))
          timers.start(next, 5)
        }),
        10
      )
      timers.start(victim, 10)
      yield* TestClock.adjust(14)
      assert.deepStrictEqual(fired, ["first"])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(fired, ["first", "next"])
    }))

  it.effect("nothing fires inside of start, also with no time to wait", () =>
    Effect.gen(function*() {
      const timers = yield* make
      let fired = false
      timers.start(timer(() => (fired = true)), 0)
      assert.isFalse(fired)
      yield* settle
      assert.isTrue(fired)
    }))

  it.effect("a clock that stands at a fraction of a millisecond has them fire when they are due, and not before", () =>
    Effect.gen(function*() {
      const timers = yield* make
      const fired: Array<number> = []
      for (let i = 0; i < 1_000; i++) {
        yield* TestClock.adjust(`${17 + i / 7} millis`)
        timers.start(timer(() => fired.push(i)), 5_000)
        yield* TestClock.adjust("4999 millis")
        assert.strictEqual(fired.length, i)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(fired.length, i + 1)
      }
    }))

  it.effect("one sleeper serves them all, woken for the earliest, and none is left when all are cancelled", () =>
    Effect.gen(function*() {
      const clock = makeClock()
      const timers = Timers.make(clock, yield* Scheduler.Scheduler)
      const [late, early] = [timer(() => {}), timer(() => {})]
      timers.start(late, 100)
      timers.start(timer(() => {}), 200)
      assert.deepStrictEqual(clock.sleeps(), [100])
      timers.start(early, 50)
      assert.deepStrictEqual(clock.sleeps(), [50])
      clock.now = 50
      clock.wake()
      assert.deepStrictEqual(clock.sleeps(), [50])
      clock.now = 100
      clock.wake()
      assert.deepStrictEqual(clock.sleeps(), [100])
      clock.now = 200
      clock.wake()
      assert.deepStrictEqual(clock.sleeps(), [])
      timers.start(late, 100)
      timers.cancel(late)
      // Who calls in a row uses it again and again.
      timers.start(late, 100)
      timers.cancel(late)
      assert.deepStrictEqual(clock.sleeps(), [100])
      yield* settle
      assert.deepStrictEqual(clock.sleeps(), [])
    }))
})

describe("nextTick", () => {
  const input = {
    begun: upTo(1000),
    every: Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 50 })),
    lateness: Schema.Array(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 200 }))).check(
      Schema.isMaxLength(20)
    )
  }

  it.effect.prop(
    "no tick twice, none early, each after the first the first of those that are still to come",
    input,
    ({ begun, every, lateness }) =>
      Effect.sync(() => {
        let tick = 1
        for (const late of lateness) {
          const now = begun + tick * every + late
          const next = Timers.nextTick(begun, every, tick, now)
          assert.isAbove(next, tick)
          assert.isAtLeast(begun + next * every, now - 1e-6)
          if (late < every - 1e-6) assert.strictEqual(next, tick + 1)
          if (next > tick + 1) assert.isAtMost(begun + (next - 1) * every, now + 1e-6)
          tick = next
        }
      })
  )
})
