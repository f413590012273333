import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import * as Simulation from "../src/Simulation.ts"

describe("Simulation", () => {
  it.live("a week passes while nothing can run", () =>
    Effect.gen(function*() {
      const began = performance.now()
      const at = yield* Simulation.run(
        Effect.andThen(Effect.sleep("7 days"), Clock.currentTimeMillis),
        "8 days"
      )
      assert.strictEqual(at, 7 * 24 * 60 * 60 * 1000)
      assert.isBelow(performance.now() - began, 1_000)
    }))

  it.live("time stands still while anything can run, and who sleeps wakes in the order of time, then of age", () =>
    Effect.gen(function*() {
      const woken: Array<string> = []
      const sleeper = (name: string, millis: number) =>
        Effect.flatMap(
          Effect.andThen(Effect.sleep(millis), Clock.currentTimeMillis),
          (now) => Effect.sync(() => woken.push(`${name} at ${now}`))
        )
      const busy = Effect.gen(function*() {
        yield* Effect.sleep(5)
        for (let i = 0; i < 10_000; i++) yield* Effect.yieldNow
        woken.push(`busy until ${yield* Clock.currentTimeMillis}`)
      })
      yield* Simulation.run(
        Effect.all([busy, sleeper("c", 10), sleeper("a", 3), sleeper("d", 10), sleeper("b", 6)], {
          concurrency: "unbounded"
        }),
        "1 second"
      )
      assert.deepStrictEqual(woken, ["a at 3", "busy until 5", "b at 6", "c at 10", "d at 10"])
    }))

  it.live("an interrupted sleep is over at once", () =>
    Effect.gen(function*() {
      const at = yield* Simulation.run(
        Effect.gen(function*() {
          const fiber = yield* Effect.forkChild(Effect.sleep("1 hour"), { startImmediately: true })
          yield* Effect.sleep("1 second")
          yield* Fiber.interrupt(fiber)
          return yield* Clock.currentTimeMillis
        }),
        "1 day"
      )
      assert.strictEqual(at, 1_000)
    }))

  it.live("what has no end is ended, and time does not go on without it", () =>
    Effect.gen(function*() {
      let ticks = 0
      const clock = Effect.forever(Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => ticks++)))
      const error = yield* Effect.flip(
        Simulation.run(Effect.andThen(Effect.forkDetach(clock), Effect.never), "1 minute")
      )
      assert.strictEqual(error.message, "it has not come to its end within 1m")
      const before = ticks
      yield* Effect.sleep("20 millis")
      assert.strictEqual(ticks, before)
    }))
})
