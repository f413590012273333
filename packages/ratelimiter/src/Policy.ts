/**
 * What a rate limiter promises, as data: at most `limit` requests in any `window`, per client.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import { format } from "effect/Formatter"
import * as Result from "effect/Result"

/**
 * A policy whose numbers have been checked. `windowMicros` is the window in whole microseconds, the unit in which the
 * algorithms count; a finer window is rounded up, so that it never lets more through.
 *
 * @see {@link make}
 * @category models
 * @since 0.1.0
 */
export interface Policy {
  readonly limit: number
  readonly window: Duration.Duration
  readonly windowMicros: number
}

/**
 * What a policy is made from: how many requests (a whole number, at least 1) in how long (positive and finite; a bare
 * number is milliseconds).
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly limit: number
  readonly window: Duration.Input
}

/**
 * A policy was refused: `field` holds a `value` that no limiter can keep.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidPolicy extends Data.TaggedError("InvalidPolicy")<{
  readonly field: keyof Options
  readonly value: unknown
}> {
  override get message(): string {
    return `RateLimiter: ${this.field} must be ${expected[this.field]}, got ${format(this.value)}`
  }
}

/**
 * Checks the numbers of a policy.
 *
 * **When to use**
 *
 * For numbers that come from configuration, where a bad one is an error to handle. For numbers written in the source,
 * `RateLimiter.layer` takes them as they are, and throws at a bad one.
 *
 * **Details**
 *
 * Refused with {@link InvalidPolicy}, which names the field and the value: a `limit` of zero, negative, fractional or not
 * a number; a `window` that is zero, negative, infinite or unreadable.
 *
 * **Example** (A limit from outside)
 *
 * ```ts
 * import { Policy } from "@effect-otp/ratelimiter"
 * import { Result } from "effect"
 *
 * Result.isSuccess(Policy.make({ limit: 10, window: "1 minute" })) // => true
 * Result.mapError(Policy.make({ limit: 0.5, window: "1 minute" }), (error) => error.field) // => Result.fail("limit")
 * ```
 *
 * @see {@link makeUnsafe} for numbers written in the source
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): Result.Result<Policy, InvalidPolicy> => {
  const { limit, window: input } = options
  if (!Number.isSafeInteger(limit) || limit < 1) {
    return Result.fail(new InvalidPolicy({ field: "limit", value: limit }))
  }
  const window = Duration.fromInput(input)
  if (window._tag === "None" || !Duration.isFinite(window.value) || !Duration.isPositive(window.value)) {
    return Result.fail(new InvalidPolicy({ field: "window", value: input }))
  }
  return Result.succeed({ limit, window: window.value, windowMicros: wholeMicros(window.value) })
}

/**
 * Checks the numbers of a policy, and throws {@link InvalidPolicy} at a bad one.
 *
 * **When to use**
 *
 * For numbers written in the source, where a bad one is a bug and the stack should lead to the line that has it.
 *
 * **Example**
 *
 * ```ts
 * import { Policy } from "@effect-otp/ratelimiter"
 *
 * Policy.makeUnsafe({ limit: 10, window: "1 second" }).windowMicros // => 1000000
 * ```
 *
 * @see {@link make} for numbers from configuration
 * @category constructors
 * @since 0.1.0
 */
export const makeUnsafe = (options: Options): Policy => Result.getOrThrow(make(options))

// ----------------------------------------------------------------------------
// internals
// ----------------------------------------------------------------------------

const expected: Record<keyof Options, string> = {
  limit: "a whole number of at least 1",
  window: "a positive, finite duration"
}

const wholeMicros = (duration: Duration.Duration): number =>
  Number((Duration.toNanosUnsafe(duration) + BigInt(999)) / BigInt(1000))
