/**
 * What a rate limiter answers: `Allowed` or `RateLimited` to a request, `Usage` to a question.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

/**
 * The request may go ahead, and has been counted: `remaining` more may follow at once, and if none does, the client has
 * its whole `limit` again after `resetAfter`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Allowed = Schema.TaggedStruct("Allowed", {
  clientId: Schema.String,
  limit: Schema.Int,
  remaining: Schema.Int,
  resetAfter: Schema.DurationFromMillis
})

/**
 * An answer of the schema {@link Allowed}: a plain object.
 *
 * @category models
 * @since 0.1.0
 */
export interface Allowed extends Schema.Schema.Type<typeof Allowed> {}

/**
 * The client has used its `limit`. The request has not been counted. A request made after exactly `retryAfter` is
 * allowed, unless another request of that client takes the place.
 *
 * **When to use**
 *
 * Catch it with `Effect.catchTag("RateLimited", …)`: answer 429 with a `Retry-After`, or sleep and try again.
 *
 * **Details**
 *
 * `retryAfter` is in whole milliseconds, rounded up. A refusal is an expected answer, so the limiter makes it without a
 * stack (`stack` is `undefined`); one that you make yourself, with `new`, has one.
 *
 * **Example**
 *
 * ```ts
 * import { RateLimiter } from "@effect-otp/ratelimiter"
 * import { Effect } from "effect"
 *
 * const program = RateLimiter.check("client-42").pipe(
 *   Effect.repeat({ times: 1 }),
 *   Effect.as("200"),
 *   Effect.catchTag("RateLimited", ({ clientId, limit }) => Effect.succeed(`429: ${clientId} has used its ${limit}`)),
 *   Effect.provide(RateLimiter.layer({ limit: 1, window: "1 day" }))
 * )
 *
 * Effect.runPromise(program) // => "429: client-42 has used its 1"
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class RateLimited extends Schema.TaggedError<RateLimited>("@effect-otp/ratelimiter/RateLimited")("RateLimited", {
  clientId: Schema.String,
  limit: Schema.Int,
  retryAfter: Schema.DurationFromMillis
}) {
  override get name(): string {
    return this._tag
  }
  override get message(): string {
    return `client ${JSON.stringify(this.clientId)} has used its limit of ${this.limit} ` +
      `${this.limit === 1 ? "request" : "requests"}; retry after ${Duration.format(this.retryAfter)}`
  }
}

/**
 * Where a client stands, without counting a request: `remaining` would be allowed at once (if none, one after
 * `retryAfter`), and without any request it has its whole `limit` again after `resetAfter`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Usage = Schema.TaggedStruct("Usage", {
  clientId: Schema.String,
  limit: Schema.Int,
  remaining: Schema.Int,
  retryAfter: Schema.DurationFromMillis,
  resetAfter: Schema.DurationFromMillis
})

/**
 * An answer of the schema {@link Usage}: a plain object.
 *
 * @category models
 * @since 0.1.0
 */
export interface Usage extends Schema.Schema.Type<typeof Usage> {}

/**
 * What an algorithm decided about a request. Times are microseconds from `now`: `retryAfter` until one more is allowed
 * (0 while `remaining` is not), `resetAfter` until the whole limit is there again.
 *
 * @category models
 * @since 0.1.0
 */
export interface Verdict {
  readonly allowed: boolean
  readonly remaining: number
  readonly retryAfter: number
  readonly resetAfter: number
}

// ----------------------------------------------------------------------------
// internals
// ----------------------------------------------------------------------------

// Rounded up: after a sleep of whole milliseconds, which is what timers can do, the request must be allowed.
const wholeMillis = (micros: number): number => Math.ceil(micros / 1000)

const fromMicros = (micros: number): Duration.Duration => Duration.millis(wholeMillis(micros))

// An answer mostly has the duration of the one before it: the whole window if allowed, and the same millisecond if
// refused. So the last one is given again, rather than a new one made each time.
const remembering = (): (micros: number) => Duration.Duration => {
  let millis = 0
  let last = Duration.millis(millis)
  return (micros) => {
    const next = wholeMillis(micros)
    if (next === millis) return last
    millis = next
    return last = Duration.millis(millis)
  }
}

const resetAfter = remembering()
const retryAfter = remembering()

/** @internal */
export const allowed = (clientId: string, limit: number, verdict: Verdict): Allowed => ({
  _tag: "Allowed",
  clientId,
  limit,
  remaining: verdict.remaining,
  resetAfter: resetAfter(verdict.resetAfter)
})

/** @internal */
export const rateLimited = (clientId: string, limit: number, verdict: Verdict): RateLimited =>
  new LightRateLimited(clientId, limit, retryAfter(verdict.retryAfter))

// Of the same prototype, but not by its constructor, which would capture a stack: 5 µs for what nobody reads, against 20 ns.
const LightRateLimited: {
  new(clientId: string, limit: number, retryAfter: Duration.Duration): RateLimited
} = function(
  this: { -readonly [K in "_tag" | "clientId" | "limit" | "retryAfter"]: RateLimited[K] },
  clientId: string,
  limit: number,
  retryAfter: Duration.Duration
) {
  this._tag = "RateLimited"
  this.clientId = clientId
  this.limit = limit
  this.retryAfter = retryAfter
} as never
LightRateLimited.prototype = RateLimited.prototype

/** @internal */
export const usage = (clientId: string, limit: number, verdict: Verdict): Usage => ({
  _tag: "Usage",
  clientId,
  limit,
  remaining: verdict.remaining,
  retryAfter: fromMicros(verdict.retryAfter),
  resetAfter: fromMicros(verdict.resetAfter)
})
