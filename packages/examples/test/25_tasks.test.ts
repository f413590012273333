import { settle } from "@effect-otp/core/testing"
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Logger } from "effect"
import { TestClock, TestConsole } from "effect/testing"
import { program } from "../src/25_tasks.ts"

it.effect("an answer, a failure, a crash and a timeout are results, each in its place", () =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(program)
    for (let i = 0; i < 2; i++) {
      yield* settle
      yield* TestClock.adjust("50 millis")
    }
    assert.deepStrictEqual(yield* Fiber.join(fiber), [
      "sunny in Aachen",
      "sunny in Essen",
      "Dresden took too long",
      "sunny in Aachen",
      "failed: no such station",
      "ended: Crashed: Error: a bug",
      "Timeout",
      "sunny in Essen"
    ])
    assert.deepStrictEqual((yield* TestConsole.logLines).slice(-1), ["the owner ended: Normal"])
  }).pipe(Effect.provide(Logger.layer([]))))
