import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestConsole } from "effect/testing"
import { Counter, program } from "../src/30_counter.ts"

it.effect("from 0, incremented three times, the counter prints 3", () =>
  Effect.gen(function*() {
    assert.strictEqual(yield* program, 3)
    assert.deepStrictEqual(yield* TestConsole.logLines, [3])
  }))

it.effect("a decrement takes one away", () =>
  Effect.gen(function*() {
    const counter = yield* Counter
    yield* counter.decrement()
    assert.strictEqual(yield* counter.value(), 9)
  }).pipe(Effect.provide(Counter.server.layer(10))))
