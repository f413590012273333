import { Node, Registry } from "@effect-otp/core"
import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { TestConsole } from "effect/testing"
import { cartOf, Carts, program } from "../src/95_registry.ts"

const inNode = Effect.provide(Node.layer({ shutdown: 0 }))

it.effect("two customers have a cart each, and who has paid has none", () =>
  Effect.gen(function*() {
    yield* program
    assert.deepStrictEqual(yield* TestConsole.logLines, [
      "2 carts",
      "alice has tea and tea",
      "alice pays for 2",
      "left: bob"
    ])
  }).pipe(inNode))

it.effect("a hundred at once get one cart, and after checkout the next one is another", () =>
  Effect.gen(function*() {
    const carts = yield* Carts
    yield* Effect.replicateEffect(Effect.flatMap(cartOf("eve"), (cart) => cart.add({ item: "tea" })), 100, {
      concurrency: "unbounded"
    })
    const first = Option.getOrThrow(yield* Registry.lookup(carts, "eve")).pid
    const cart = yield* cartOf("eve")
    assert.strictEqual((yield* cart.items()).length, 100)
    assert.strictEqual(yield* cart.checkout(), 100)
    yield* cartOf("eve")
    assert.notStrictEqual(Option.getOrThrow(yield* Registry.lookup(carts, "eve")).pid, first)
  }).pipe(Effect.provide(Carts.layer), inNode))
