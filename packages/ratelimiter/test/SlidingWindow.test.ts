import { Policy, SlidingWindow } from "@effect-otp/ratelimiter"
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { cases } from "../../../test-scale.ts"
import * as Oracle from "./utils/slidingWindowOracle.ts"

const policyOf = (limit: number, window: number) => Policy.makeUnsafe({ limit, window: `${window} micros` })

/** Whole numbers, small enough to meet: requests at one instant and at exactly one window's distance are common. */
const whole = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

const limits = whole(1, 6)
const windows = whole(1, 40)
const gaps = Arbitrary.array(whole(0, 25), { maxLength: 80 })
const anyGaps = Arbitrary.array(whole(-25, 40), { maxLength: 80 })
const inputs = { limit: limits, window: windows, gaps }
const options = { timeout: 120_000, arbitrary: { runs: cases, size: 80 } }

const toTimes = (gaps: ReadonlyArray<number>): ReadonlyArray<number> => {
  let now = 0
  return gaps.map((gap) => now += gap)
}

describe("SlidingWindow", () => {
  it("allows the limit, then refuses until the first request is a window old", () => {
    const policy = policyOf(2, 10)
    const state = SlidingWindow.initial()
    const step = (now: number) => SlidingWindow.step(policy, state, now)
    assert.deepStrictEqual(step(0), { allowed: true, remaining: 1, retryAfter: 0, resetAfter: 10 })
    assert.deepStrictEqual(step(4), { allowed: true, remaining: 0, retryAfter: 0, resetAfter: 10 })
    assert.deepStrictEqual(step(5), { allowed: false, remaining: 0, retryAfter: 5, resetAfter: 9 })
    assert.isFalse(step(9).allowed)
    assert.isTrue(step(10).allowed, "a request exactly one window old does not count")
    assert.isFalse(step(13).allowed)
    assert.isTrue(step(14).allowed)
  })

  it("lets no burst through where a fixed window would start over", () => {
    const policy = policyOf(5, 60)
    const state = SlidingWindow.initial()
    const burst = (now: number) => Array.from({ length: 5 }, () => SlidingWindow.step(policy, state, now).allowed)
    assert.deepStrictEqual(burst(59), [true, true, true, true, true])
    assert.deepStrictEqual(burst(61), [false, false, false, false, false])
    assert.deepStrictEqual(burst(119), [true, true, true, true, true])
  })

  it("a refused request does not count", () => {
    const policy = policyOf(1, 10)
    const state = SlidingWindow.initial()
    const answers = [0, 1, 2, 9, 10].map((now) => SlidingWindow.step(policy, state, now).allowed)
    assert.deepStrictEqual(answers, [true, false, false, false, true])
  })

  it("a clock that goes backwards forgives nothing", () => {
    const policy = policyOf(1, 10)
    const state = SlidingWindow.initial()
    assert.isTrue(SlidingWindow.step(policy, state, 100).allowed)
    assert.deepStrictEqual(SlidingWindow.step(policy, state, 0), {
      allowed: false,
      remaining: 0,
      retryAfter: 110,
      resetAfter: 110
    })
    assert.isTrue(SlidingWindow.look(policy, state, 110).allowed)
    assert.isFalse(SlidingWindow.step(policy, state, 50).allowed, "nor does looking ahead")
    assert.isTrue(SlidingWindow.step(policy, state, 110).allowed)
  })

  it("remembers at most `limit` times, and no more than it must", () => {
    const policy = policyOf(100, 1_000)
    const state = SlidingWindow.initial()
    assert.strictEqual(state.times.length, 0)
    SlidingWindow.step(policy, state, 0)
    assert.strictEqual(state.times.length, 1)
    for (let i = 1; i < 5; i++) SlidingWindow.step(policy, state, i)
    assert.strictEqual(state.times.length, 8)
    for (let i = 5; i < 500; i++) SlidingWindow.step(policy, state, i)
    assert.strictEqual(state.times.length, 100)
    assert.strictEqual(state.size, 100)
  })

  it.prop("decides as the brute-force oracle does", inputs, ({ limit, window, gaps }) => {
    const policy = policyOf(limit, window)
    const state = SlidingWindow.initial()
    const oracle = Oracle.make()
    for (const now of toTimes(gaps)) {
      const looked = SlidingWindow.look(policy, state, now)
      assert.strictEqual(looked.remaining, Oracle.remaining(oracle, limit, window, now))
      assert.strictEqual(looked.retryAfter, Oracle.nextAllowed(oracle, limit, window, now) - now)
      assert.strictEqual(looked.resetAfter, Oracle.nextFresh(oracle, limit, window, now) - now)

      const answer = SlidingWindow.step(policy, state, now)
      assert.strictEqual(answer.allowed, looked.allowed, "looking tells what asking decides")
      assert.strictEqual(answer.allowed, Oracle.step(oracle, limit, window, now))
      assert.strictEqual(answer.remaining, Oracle.remaining(oracle, limit, window, now))
      assert.strictEqual(answer.retryAfter, answer.allowed ? 0 : Oracle.nextAllowed(oracle, limit, window, now) - now)
      assert.strictEqual(answer.resetAfter, Oracle.nextFresh(oracle, limit, window, now) - now)
      assert.isAtMost(state.times.length, limit)
    }
  }, options)

  it.prop(
    "decides as the oracle does when the clock goes backwards",
    { ...inputs, gaps: anyGaps, looks: anyGaps },
    ({ limit, window, gaps, looks }) => {
      const policy = policyOf(limit, window)
      const state = SlidingWindow.initial()
      const oracle = Oracle.make()
      toTimes(gaps).forEach((now, i) => {
        if (i < looks.length) SlidingWindow.look(policy, state, now + looks[i])
        assert.strictEqual(SlidingWindow.step(policy, state, now).allowed, Oracle.step(oracle, limit, window, now))
      })
    },
    options
  )

  it.prop("never allows more than the limit in any window", inputs, ({ limit, window, gaps }) => {
    const policy = policyOf(limit, window)
    const state = SlidingWindow.initial()
    const allowed = toTimes(gaps).filter((now) => SlidingWindow.step(policy, state, now).allowed)
    assert.isAtMost(Oracle.most(allowed, window), limit)
  }, options)

  it.prop("allows as much as it can: a refusal means that the window is full", inputs, ({ limit, window, gaps }) => {
    const policy = policyOf(limit, window)
    const state = SlidingWindow.initial()
    const allowed: Array<number> = []
    for (const now of toTimes(gaps)) {
      if (SlidingWindow.step(policy, state, now).allowed) allowed.push(now)
      else assert.strictEqual(allowed.filter((time) => now - time < window).length, limit)
    }
  }, options)

  it.prop("retryAfter is exact: refused one before, allowed then", inputs, ({ limit, window, gaps }) => {
    const policy = policyOf(limit, window)
    const state = SlidingWindow.initial()
    for (const now of toTimes(gaps)) {
      const { allowed, retryAfter } = SlidingWindow.step(policy, state, now)
      if (allowed) continue
      assert.isFalse(SlidingWindow.step(policy, structuredClone(state), now + retryAfter - 1).allowed)
      assert.isTrue(SlidingWindow.step(policy, structuredClone(state), now + retryAfter).allowed)
    }
  }, options)

  it.prop(
    "after idleAfter it decides as a fresh state does, and not before",
    { ...inputs, gaps: anyGaps },
    ({ limit, window, gaps }) => {
      const policy = policyOf(limit, window)
      const state = SlidingWindow.initial()
      for (const now of toTimes(gaps)) {
        SlidingWindow.step(policy, state, now)
        const idle = now + SlidingWindow.idleAfter(policy, state, now)
        const fresh = SlidingWindow.look(policy, SlidingWindow.initial(), idle)
        assert.deepStrictEqual(SlidingWindow.look(policy, state, idle), fresh)
        assert.notDeepEqual(SlidingWindow.look(policy, state, idle - 1), fresh)
      }
    },
    options
  )

  it.prop("is exact far from zero, where a monotonic clock may be", { limit: limits, gaps }, ({ limit, gaps }) => {
    const year = 365 * 24 * 3600 * 1e6
    const origin = 100 * year + 1
    const window = 7 * 24 * 3600 * 1e6 + 1
    const policy = Policy.makeUnsafe({ limit, window: `${window} micros` })
    const near = SlidingWindow.initial()
    const far = SlidingWindow.initial()
    for (const now of toTimes(gaps.map((gap) => gap * 1e11 + gap))) {
      assert.deepStrictEqual(SlidingWindow.step(policy, far, origin + now), SlidingWindow.step(policy, near, now))
    }
  }, options)
})
