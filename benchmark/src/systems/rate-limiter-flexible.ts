/**
 * rate-limiter-flexible, with its store in memory: a window that starts with its first request, and a promise each.
 */
import { Effect } from "effect"
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible"
import { clientIds } from "../clientIds.ts"
import type { Implementation, Implementations } from "../Implementation.ts"

const ratelimit: Implementation = ({ n, width }) => {
  const clients = clientIds(n / width)
  const limiter = new RateLimiterMemory({ points: width / 2, duration: 3_600 })
  const run = Effect.promise(async () => {
    let allowed = 0
    for (let i = 0; i < width; i++) {
      for (const client of clients) {
        try {
          await limiter.consume(client)
          allowed++
        } catch (refused) {
          if (!(refused instanceof RateLimiterRes)) throw refused
        }
      }
    }
    return allowed
  })
  return Effect.succeed({ run })
}

export const implementations: Implementations<"ratelimit"> = { ratelimit }
