/**
 * One process per key: a cart for each customer, found by the customer's name.
 *
 * The registry is a child of the tree like any other. A cart is started under a key of it, and everybody reaches it by
 * that key, without holding a pid. Whoever comes first starts the cart; a lock lets nobody start a second one meanwhile. When
 * a cart ends its key is free at once.
 *
 * Run it: npx -y pnpm@12 exec node packages/examples/src/95_registry.ts
 */
import { ExitReason, GenServer, Process, Registry, Step } from "@effect-otp/core"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Option, Schema } from "effect"

export class Carts extends Registry.Service<Carts, { key: string }>()("examples/Carts", {
  keys: "unique"
}) {}

export class Cart extends GenServer.Service<Cart>()("examples/Cart", [
  GenServer.cast("add", { payload: { item: Schema.String } }),
  GenServer.call("items", { success: Schema.Array(Schema.String) }),
  GenServer.call("checkout", { success: Schema.Finite })
]) {
  static readonly server = this.implement({
    init: (): ReadonlyArray<string> => [],
    handlers: {
      add: (items, { item }) => Step.noReply([...items, item]),
      items: (items) => Step.reply(items, items),
      checkout: (items) => Step.replyAndStop(items.length, ExitReason.normal, items)
    }
  })
}

/** The cart of a customer: the one that is there, or a new one. */
export const cartOf = Effect.fnUntraced(function*(customer: string) {
  const carts = yield* Carts
  const name = Registry.via(carts, customer)
  const found = Effect.flatMap(
    Process.whereis(name),
    (pid) => Option.isSome(pid) ? Effect.void : Effect.asVoid(Cart.server.start({ name }))
  )
  yield* Registry.lock(carts, customer, found)
  return Cart.at(name)
})

export const program = Effect.gen(function*() {
  const carts = yield* Carts

  yield* Effect.forEach(
    ["alice", "bob", "alice"],
    (customer) => Effect.flatMap(cartOf(customer), (cart) => cart.add({ item: "tea" })),
    { concurrency: 3 }
  )
  yield* Console.log(`${yield* Registry.count(carts)} carts`)

  const alice = yield* cartOf("alice")
  yield* Console.log(`alice has ${(yield* alice.items()).join(" and ")}`)
  yield* Console.log(`alice pays for ${yield* alice.checkout()}`)

  const left = yield* Registry.select(carts, () => true)
  yield* Console.log(`left: ${left.map(({ key }) => key).join(", ")}`)
}).pipe(Effect.provide(Carts.layer))

if (import.meta.main) NodeRuntime.runMain(program)
