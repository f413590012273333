/**
 * The RateLimiter of Effect itself, with its store in memory: a window that starts with its first request.
 */
import { Effect, Layer } from "effect"
import { RateLimiter } from "effect/persistence"
import { clientIds } from "../clientIds.ts"
import type { Implementation, Implementations } from "../Implementation.ts"

const countAllowed = { onSuccess: () => 1, onFailure: () => 0 }

const ratelimit: Implementation = Effect.fnUntraced(function*({ n, width }) {
  const clients = clientIds(n / width)
  const context = yield* Layer.build(Layer.provide(RateLimiter.layer, RateLimiter.layerStoreMemory))
  const run = Effect.gen(function*() {
    const limiter = yield* RateLimiter.RateLimiter
    let allowed = 0
    for (let i = 0; i < width; i++) {
      for (const key of clients) {
        const consumed = limiter.consume({ key, limit: width / 2, window: "1 hour", onExceeded: "fail" })
        allowed += yield* Effect.match(consumed, countAllowed)
      }
    }
    return allowed
  })
  return { run: Effect.provideContext(run, context) }
})

export const implementations: Implementations<"ratelimit"> = { ratelimit }
