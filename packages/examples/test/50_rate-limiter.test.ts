import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestConsole } from "effect/testing"
import { program } from "../src/50_rate-limiter.ts"

it.effect("of 100 requests at once, 20 are allowed to one client and all 100 to five", () =>
  Effect.gen(function*() {
    assert.deepStrictEqual(yield* program, {
      oneClient: { allowed: 20, limited: 80 },
      fiveClients: { allowed: 100, limited: 0 }
    })
    assert.deepStrictEqual(yield* TestConsole.logLines, [
      "one client:   20 allowed, 80 RateLimited",
      "five clients: 100 allowed, 0 RateLimited"
    ])
  }))
