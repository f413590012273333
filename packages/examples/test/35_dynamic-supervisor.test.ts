import { settle } from "@effect-otp/core/testing"
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Logger } from "effect"
import { TestClock } from "effect/testing"
import { program } from "../src/35_dynamic-supervisor.ts"

it.effect("sessions come, crash and go, each by itself, and there is room for two", () =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(program)
    yield* settle
    yield* TestClock.adjust("10 millis")
    assert.deepStrictEqual(yield* Fiber.join(fiber), [
      "Ann has tea",
      "Bob has milk",
      "Cid has to wait: MaxChildren",
      "Bob begins anew with sugar",
      "and Ann still has tea,cake",
      "Ann has left: 1 is here"
    ])
  }).pipe(Effect.provide(Logger.layer([]))))
