import { Decision } from "@effect-otp/ratelimiter"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Duration, Effect, Exit, Schema } from "effect"
import { allowed, rateLimited, usage } from "../src/Decision.ts"

const verdict = { allowed: false, remaining: 0, retryAfter: 30_000_000, resetAfter: 59_000_001 }
const refusal = rateLimited("client-42", 10, verdict)

describe("RateLimited", () => {
  it("captures no stack", () => {
    assert.isUndefined(refusal.stack)
  })

  it("is an error, and of its class", () => {
    assert.instanceOf(refusal, Error)
    assert.instanceOf(refusal, Decision.RateLimited)
    assert.strictEqual(refusal.name, "RateLimited")
    assert.strictEqual(`${refusal}`, `RateLimited: ${refusal.message}`)
  })

  it("says who, how many, and when to come back", () => {
    assert.strictEqual(
      refusal.message,
      "client \"client-42\" has used its limit of 10 requests; retry after 30s"
    )
    assert.strictEqual(
      rateLimited("a\"b", 1, { ...verdict, retryAfter: 1 }).message,
      "client \"a\\\"b\" has used its limit of 1 request; retry after 1ms"
    )
  })

  it.effect("is caught by its tag, and can be yielded", () =>
    Effect.gen(function*() {
      const failed: Effect.Effect<never, Decision.RateLimited> = Effect.fail(refusal)
      const caught = yield* Effect.catchTag(failed, "RateLimited", (error) => Effect.succeed(error.clientId))
      assert.strictEqual(caught, "client-42")

      const yielded = yield* Effect.flip(Effect.gen(function*() {
        return yield* refusal
      }))
      assert.strictEqual(yielded, refusal)
    }))

  it("equals one made with new, field by field", () => {
    const made = new Decision.RateLimited({ clientId: "client-42", limit: 10, retryAfter: Duration.seconds(30) })
    assert.strictEqual(made.message, refusal.message)
    assert.strictEqual(made.name, refusal.name)
    assert.deepStrictEqual({ ...refusal }, { ...made })
    assert.isString(made.stack)
  })

  it("is readable when nobody catches it", () => {
    assert.include(Cause.pretty(Cause.fail(refusal)), `RateLimited: ${refusal.message}`)
  })

  it.effect("crosses a wire through its schema", () =>
    Effect.gen(function*() {
      const schema = Schema.toCodecJson(Decision.RateLimited)
      const encoded = yield* Schema.encodeEffect(schema)(refusal)
      assert.deepStrictEqual(
        JSON.parse(JSON.stringify(encoded)),
        { _tag: "RateLimited", clientId: "client-42", limit: 10, retryAfter: 30_000 }
      )
      const decoded = yield* Schema.decodeUnknownEffect(schema)(encoded)
      assert.instanceOf(decoded, Decision.RateLimited)
      assert.strictEqual(decoded.message, refusal.message)
      assert.isTrue(
        Exit.isSuccess(yield* Effect.exit(Schema.decodeUnknownEffect(Schema.toType(Decision.RateLimited))(refusal)))
      )
    }))
})

describe("Allowed and Usage", () => {
  it.effect("cross a wire through their schemas", () =>
    Effect.gen(function*() {
      const answer = allowed("client-42", 10, { ...verdict, allowed: true, remaining: 3 })
      assert.deepStrictEqual(yield* Schema.encodeEffect(Decision.Allowed)(answer), {
        _tag: "Allowed",
        clientId: "client-42",
        limit: 10,
        remaining: 3,
        resetAfter: 59_001
      })
      const standing = usage("client-42", 10, verdict)
      assert.deepStrictEqual(yield* Schema.encodeEffect(Decision.Usage)(standing), {
        _tag: "Usage",
        clientId: "client-42",
        limit: 10,
        remaining: 0,
        retryAfter: 30_000,
        resetAfter: 59_001
      })
    }))

  it("times are rounded up to whole milliseconds, never down", () => {
    const of = (retryAfter: number) => Duration.toMillis(rateLimited("a", 1, { ...verdict, retryAfter }).retryAfter)
    assert.deepStrictEqual([of(1), of(999), of(1_000), of(1_001)], [1, 1, 1, 2])
  })
})
