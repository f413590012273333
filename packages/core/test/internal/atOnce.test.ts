import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"
import * as AtOnce from "../../src/internal/atOnce.ts"

interface Count extends Effect.Effect<string> {
  atOnce: number
  evaluated: number
  readonly answer: unknown
}

const prototype = AtOnce.Prototype<Count>({
  label: "Count",
  now() {
    if (this.answer !== AtOnce.notNow) this.atOnce++
    return this.answer
  },
  evaluate() {
    this.evaluated++
    return Effect.succeed("evaluated")
  }
})

const make = (answer: unknown): Count => Object.assign(Object.create(prototype), { answer, atOnce: 0, evaluated: 0 })

const repeat = Effect.fnUntraced(function*(effect: Count, times: number) {
  const answers = new Set<string>()
  for (let i = 0; i < times; i++) answers.add(yield* effect)
  return [...answers].toSorted()
})

describe("what is done at once", () => {
  it.live("is evaluated as rarely as fairness allows", () =>
    Effect.gen(function*() {
      const effect = make("at once")
      yield* repeat(effect, 1_000)
      assert.isAtLeast(effect.atOnce, 400)
      assert.strictEqual(effect.atOnce + effect.evaluated, 1_000)
    }))

  it.live("lets others run in the end", () =>
    Effect.gen(function*() {
      let others = 0
      yield* Effect.forkChild(Effect.forever(Effect.sync(() => others++)))
      const effect = make("at once")
      yield* repeat(effect, 20_000)
      assert.isAtLeast(others, 2)
    }))

  it.live("may give undefined", () =>
    Effect.gen(function*() {
      const effect = make(undefined)
      assert.deepStrictEqual((yield* repeat(effect, 16)).at(-1), undefined)
    }))

  it.live("is evaluated where it cannot be done at once", () =>
    Effect.gen(function*() {
      const effect = make(AtOnce.notNow)
      assert.deepStrictEqual(yield* repeat(effect, 20), ["evaluated"])
      assert.strictEqual(effect.evaluated, 20)
    }))

  it.live("is evaluated outside of a generator", () =>
    Effect.gen(function*() {
      const effect = make("at once")
      assert.strictEqual(yield* Effect.map(effect, (answer) => answer), "evaluated")
      assert.strictEqual(yield* Effect.flatMap(effect, Effect.succeed), "evaluated")
    }))

  it.effect("is evaluated under a scheduler that is not the default one", () =>
    Effect.gen(function*() {
      const effect = make("at once")
      yield* repeat(effect, 20)
      assert.deepStrictEqual([effect.atOnce, effect.evaluated], [0, 20])
    }).pipe(Effect.provideService(Scheduler.Scheduler, new Scheduler.MixedScheduler())))

  it.live("does nothing when it is iterated outside of a fiber", () =>
    Effect.promise(() =>
      Promise.resolve().then(() => {
        const effect = make("at once")
        assert.deepStrictEqual([...effect as never as Iterable<unknown>], [effect])
        assert.strictEqual(effect.atOnce, 0)
      })
    ))
})
