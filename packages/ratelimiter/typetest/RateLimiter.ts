/** What a limiter answers, what it needs, and what is refused before it runs. */
import type { ChildSpec } from "@effect-otp/core/ChildSpec"
import type { CallError } from "@effect-otp/core/OtpError"
import * as Supervisor from "@effect-otp/core/Supervisor"
import type { Allowed, RateLimited, Usage } from "@effect-otp/ratelimiter/Decision"
import * as Policy from "@effect-otp/ratelimiter/Policy"
import * as RateLimiter from "@effect-otp/ratelimiter/RateLimiter"
import * as SlidingWindow from "@effect-otp/ratelimiter/SlidingWindow"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Result from "effect/Result"
import { typeOf } from "../../core/typetest/utils.ts"

type Limiter = RateLimiter.RateLimiter

// --- the operations: exactly these errors, and nothing needed but the limiter

typeOf(RateLimiter.check("ada")).is<Effect.Effect<Allowed, RateLimited | CallError, Limiter>>()
typeOf(RateLimiter.peek("ada")).is<Effect.Effect<Usage, CallError, Limiter>>()
typeOf(RateLimiter.reset("ada")).is<Effect.Effect<void, CallError, Limiter>>()
typeOf(RateLimiter.size).is<Effect.Effect<number, CallError, Limiter>>()
// @ts-expect-error a client is a string
RateLimiter.check(42)
// @ts-expect-error which client
RateLimiter.check()

// --- a refusal is caught by its tag, and then it is gone from the errors

const caught = Effect.catchTag(RateLimiter.check("ada"), "RateLimited", (error) => {
  typeOf(error).is<RateLimited>()
  typeOf(error.clientId).is<string>()
  typeOf(error.limit).is<number>()
  typeOf(error.retryAfter).is<Duration.Duration>()
  return Effect.succeed("429" as const)
})
typeOf(caught).is<Effect.Effect<Allowed | "429", CallError, Limiter>>()
Effect.map(RateLimiter.check("ada"), (answer) => {
  typeOf(answer._tag).is<"Allowed">()
  typeOf(answer.remaining).is<number>()
  typeOf(answer.resetAfter).is<Duration.Duration>()
  // @ts-expect-error an answer is not for changing
  answer.remaining = 0
})

// --- a limiter needs nothing, and cannot fail to start

typeOf(RateLimiter.layer({ limit: 10, window: "1 minute" })).is<Layer.Layer<Limiter>>()
typeOf(RateLimiter.layer({ limit: 10, window: 500 }, { name: "limiter" })).is<Layer.Layer<Limiter>>()
typeOf(RateLimiter.child({ limit: 10, window: "1 minute" })).is<ChildSpec<Limiter, never, never>>()
typeOf(RateLimiter.child({ limit: 10, window: "1 minute" }, { id: "a", provide: false })).is<
  ChildSpec<never, never, never>
>()
typeOf(Effect.provide(caught, RateLimiter.layer({ limit: 10, window: "1 minute" }))).is<
  Effect.Effect<Allowed | "429", CallError>
>()
// @ts-expect-error a limit is a number
RateLimiter.layer({ limit: "10", window: "1 minute" })
// @ts-expect-error a window has a unit
RateLimiter.layer({ limit: 10, window: "1" })
// @ts-expect-error no window
RateLimiter.layer({ limit: 10 })
// @ts-expect-error no such option
RateLimiter.layer({ limit: 10, window: "1 minute", burst: 5 })
Supervisor.make({
  children: [
    RateLimiter.child({ limit: 10, window: "1 minute" }),
    // @ts-expect-error a second limiter of one tree says `provide: false`
    RateLimiter.child({ limit: 10, window: "1 minute" }, { id: "b" })
  ]
})

// --- a policy is checked once: what the algorithm takes cannot be had without

typeOf(Policy.make({ limit: 10, window: "1 minute" })).is<Result.Result<Policy.Policy, Policy.InvalidPolicy>>()
typeOf(Policy.makeUnsafe({ limit: 10, window: "1 minute" })).is<Policy.Policy>()
// @ts-expect-error options are not a policy
SlidingWindow.step({ limit: 10, window: "1 minute" }, SlidingWindow.initial(), 0)
