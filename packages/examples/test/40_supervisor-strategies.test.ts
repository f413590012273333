import { assert, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { program } from "../src/40_supervisor-strategies.ts"

it.effect("each strategy restarts whom it should, and what is beyond the intensity restarts the branch", () =>
  Effect.gen(function*() {
    const { escalation, oneForAll, oneForOne, restForOne } = yield* program
    const stop = "c stops, b stops, a stops"
    assert.deepStrictEqual(oneForOne, { restart: "b stops, b starts", stop })
    assert.deepStrictEqual(restForOne, { restart: "b stops, c stops, b starts, c starts", stop })
    assert.deepStrictEqual(oneForAll, { restart: "b stops, c stops, a stops, a starts, b starts, c starts", stop })
    assert.deepStrictEqual(escalation, [
      "b stops, b starts",
      "b stops, b starts",
      "b stops, c stops, a stops, a starts, b starts, c starts"
    ])
  }).pipe(Effect.provide(Logger.layer([]))))
