import { assert, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { TestConsole } from "effect/testing"
import { program } from "../src/70_promise-server.ts"

// Real sockets, so the real clock.
it.live("a failure is a status, a bug fails one request, and the next one meets a fresh server", () =>
  Effect.gen(function*() {
    const [first, second, third, jammed, afterwards] = yield* program
    assert.strictEqual(first, "201 {\"ticket\":1}")
    assert.strictEqual(second, "201 {\"ticket\":2}")
    assert.strictEqual(third, "409 {\"error\":\"sold out\"}")
    assert.strictEqual(jammed, "500 {\"error\":\"out of order\"}")
    assert.strictEqual(afterwards, "201 {\"ticket\":1}")
  }).pipe(Effect.provide([TestConsole.layer, Logger.layer([])])))
