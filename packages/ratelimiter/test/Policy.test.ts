import { Policy } from "@effect-otp/ratelimiter"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Result } from "effect"

const badLimits: ReadonlyArray<readonly [value: unknown, shown: string]> = [
  [0, "0"],
  [-0, "0"],
  [-1, "-1"],
  [0.5, "0.5"],
  [10.000001, "10.000001"],
  [NaN, "NaN"],
  [Infinity, "Infinity"],
  [-Infinity, "-Infinity"],
  [Number.MAX_SAFE_INTEGER + 1, "9007199254740992"],
  ["10", "\"10\""],
  [undefined, "undefined"],
  [null, "null"],
  [10n, "10n"]
]

const badWindows: ReadonlyArray<readonly [value: unknown, shown: string]> = [
  [0, "0"],
  [-1, "-1"],
  [NaN, "NaN"],
  [Infinity, "Infinity"],
  [-Infinity, "-Infinity"],
  [0n, "0n"],
  ["0 seconds", "\"0 seconds\""],
  ["-1 minutes", "\"-1 minutes\""],
  ["Infinity", "\"Infinity\""],
  ["soon", "\"soon\""],
  ["", "\"\""],
  [{}, "{}"],
  [Duration.zero, "0 millis"],
  [Duration.infinity, "Infinity"],
  [Duration.seconds(-1), "-1000 millis"],
  [undefined, "undefined"],
  [null, "null"]
]

describe("Policy", () => {
  it("keeps the limit, and the window as a duration", () => {
    const policy = Policy.makeUnsafe({ limit: 10, window: "1 minute" })
    assert.strictEqual(policy.limit, 10)
    assert.strictEqual(Duration.toMillis(policy.window), 60_000)
    assert.strictEqual(policy.windowMicros, 60_000_000)
  })

  it.each<readonly [window: Duration.Input, micros: number]>([
    [1, 1_000],
    ["1 micros", 1],
    ["1500 nanos", 2],
    [1n, 1],
    ["52 weeks", 31_449_600_000_000],
    [Duration.millis(0.25), 250],
    [{ seconds: 1, milliseconds: 500 }, 1_500_000]
  ])("counts a window of %s as %d microseconds, never as less", (window, micros) => {
    assert.strictEqual(Policy.makeUnsafe({ limit: 1, window }).windowMicros, micros)
  })

  it.each(badLimits)("refuses a limit of %s, and says so", (limit, shown) => {
    assert.throws(
      () => Policy.makeUnsafe({ limit: limit as number, window: "1 minute" }),
      `RateLimiter: limit must be a whole number of at least 1, got ${shown}`
    )
  })

  it.each(badWindows)("refuses a window of %s, and says so", (window, shown) => {
    assert.throws(
      () => Policy.makeUnsafe({ limit: 10, window: window as Duration.Input }),
      `RateLimiter: window must be a positive, finite duration, got ${shown}`
    )
  })

  it("names the limit when both are bad", () => {
    const error = Result.getOrThrow(Result.flip(Policy.make({ limit: 0, window: 0 })))
    assert.deepStrictEqual([error._tag, error.field, error.value], ["InvalidPolicy", "limit", 0])
  })

  it.effect("make fails in the error channel, for numbers from configuration", () =>
    Effect.gen(function*() {
      const policy = yield* Effect.fromResult(Policy.make({ limit: 1, window: "1 second" }))
      assert.strictEqual(policy.limit, 1)
      const message = yield* Effect.catchTag(
        Effect.fromResult(Policy.make({ limit: -1, window: "1 second" })),
        "InvalidPolicy",
        (error) => Effect.succeed(`${error.field} ${error.value}`)
      )
      assert.strictEqual(message, "limit -1")
    }))
})
