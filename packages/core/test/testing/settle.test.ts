import * as Process from "@effect-otp/core/Process"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { inNode } from "../utils/process.ts"

/** Sends a number on, one less each time, until it is zero. */
const countdown = Effect.fnUntraced(function*(from: number, seen: Array<number>) {
  const a = yield* Process.spawn((self: Process.Self<number | { readonly other: Process.Pid<number> }>) =>
    Effect.gen(function*() {
      const { other } = yield* self.receiveMatch((m) => typeof m === "object")
      while (true) {
        const n = yield* self.receiveMatch((m) => typeof m === "number")
        seen.push(n)
        if (n > 0) yield* Process.send(other, n - 1)
      }
    })
  )
  const b = yield* Process.spawn((self: Process.Self<number>) =>
    Effect.forever(Effect.flatMap(self.receive, (n) => Process.send(a, n)))
  )
  yield* Process.send(a, { other: b })
  yield* Process.send(a, from)
})

const runsEverything = inNode(Effect.gen(function*() {
  const seen: Array<number> = []
  yield* countdown(1000, seen)
  yield* settle
  assert.strictEqual(seen.length, 1001)
  const steps: Array<string> = []
  yield* Process.spawn(() =>
    Effect.gen(function*() {
      for (let i = 0; i < 20; i++) yield* Effect.yieldNow
      yield* Fiber.join(yield* Effect.forkChild(Effect.sync(() => steps.push("forked"))))
      yield* Effect.promise(() => Promise.resolve())
      steps.push("done")
    })
  )
  yield* settle
  assert.deepStrictEqual(steps, ["forked", "done"])
}))

describe("settle", () => {
  it.effect("runs everything that can run, under the scheduler of TestClock", () => runsEverything)

  it.live("and under the default one", () => runsEverything)

  it.effect("it moves no clock", () =>
    inNode(Effect.gen(function*() {
      const seen: Array<string> = []
      yield* Process.spawn(() => Effect.andThen(Effect.sleep(1), Effect.sync(() => seen.push("slept"))))
      yield* settle
      assert.deepStrictEqual(seen, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(seen, ["slept"])
    })))

  it.effect("it does nothing in a Node without processes", () => inNode(settle))
})
