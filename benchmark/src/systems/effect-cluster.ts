/**
 * Effect's cluster on one machine, in memory: an entity for each process, made at its first message.
 *
 * The layers are those of `TestRunner`, without its limits on entities and mailboxes.
 */
import { Array, Effect, Layer, Schema } from "effect"
import { Entity, MessageStorage, RunnerHealth, Runners, RunnerStorage, Sharding, ShardingConfig } from "effect/cluster"
import { Rpc } from "effect/rpc"
import { clientIds } from "../clientIds.ts"
import { cannot, type Implementation, type Implementations } from "../Implementation.ts"
import * as SlidingWindow from "../SlidingWindow.ts"

const cluster = Sharding.layer.pipe(
  Layer.provideMerge(Runners.layerNoop),
  Layer.provideMerge(MessageStorage.layerMemory),
  Layer.provide([RunnerStorage.layerMemory, RunnerHealth.layerNoop]),
  Layer.provide(ShardingConfig.layer({ entityMailboxCapacity: "unbounded", maxResidentEntities: "unbounded" }))
)

const Counter = Entity.make("Counter", [Rpc.make("add"), Rpc.make("next", { success: Schema.Finite })])

const counters = Counter.toLayer(Effect.sync(() => {
  let count = 0
  return Counter.of({
    add: () => Effect.sync(() => void count++),
    next: () => Effect.sync(() => ++count)
  })
}))

/** Gives a client for any entity, once the cluster runs. */
const startCounters = Effect.gen(function*() {
  const context = yield* Layer.build(Layer.provideMerge(counters, cluster))
  const client = yield* Effect.provideContext(Counter.client, context)
  // The shards are assigned by then.
  yield* client("first").next()
  return client
})

const idle: Implementation = Effect.fnUntraced(function*({ n }) {
  const client = yield* startCounters
  const entities = Array.makeBy(n, (i) => client(`${i}`))
  const run = Effect.gen(function*() {
    for (const entity of entities) yield* entity.next()
    return n
  })
  const verify = Effect.gen(function*() {
    let sum = 0
    for (const entity of entities) sum += (yield* entity.next()) - 1
    return sum
  })
  return { run, verify }
})

const call: Implementation = Effect.fnUntraced(function*({ n }) {
  const counter = (yield* startCounters)("counter")
  const run = Effect.gen(function*() {
    let last = 0
    for (let i = 0; i < n; i++) last = yield* counter.next()
    return last
  })
  return { run }
})

const callMany: Implementation = Effect.fnUntraced(function*({ n, width }) {
  const counter = (yield* startCounters)("counter")
  const caller = Effect.gen(function*() {
    let last = 0
    for (let i = 0; i < n / width; i++) last = yield* counter.next()
    return last
  })
  const run = Effect.map(
    Effect.all(Array.replicate(caller, width), { concurrency: "unbounded" }),
    (lasts) => Math.max(...lasts)
  )
  return { run }
})

const cast: Implementation = Effect.fnUntraced(function*({ n }) {
  const counter = (yield* startCounters)("counter")
  const run = Effect.gen(function*() {
    for (let i = 0; i < n; i++) yield* counter.add(undefined, { discard: true })
    return (yield* counter.next()) - 1
  })
  return { run }
})

class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", {}) {}

const Limiter = Entity.make("Limiter", [Rpc.make("check", { payload: { client: Schema.String }, error: RateLimited })])

const ratelimit: Implementation = Effect.fnUntraced(function*({ n, width }) {
  const clients = clientIds(n / width)
  const limiters = Limiter.toLayer(Effect.sync(() => {
    const window = SlidingWindow.make(width / 2)
    return Limiter.of({
      check: ({ payload: { client } }) =>
        Effect.suspend(() => SlidingWindow.check(window, client) ? Effect.void : Effect.fail(new RateLimited()))
    })
  }))
  const context = yield* Layer.build(Layer.provideMerge(limiters, cluster))
  const limiter = (yield* Effect.provideContext(Limiter.client, context))("limiter")
  const run = Effect.gen(function*() {
    let allowed = 0
    for (let i = 0; i < width; i++) {
      for (const client of clients) {
        allowed += yield* limiter.check({ client }).pipe(
          Effect.as(1),
          Effect.catchTag("RateLimited", () => Effect.succeed(0))
        )
      }
    }
    return allowed
  })
  return { run }
})

const notMessaging = cannot("an entity answers requests; it neither receives nor sends plain messages")
const notSupervised = cannot("starts an entity again with a delay, not at once, and has no supervisors")

export const implementations: Implementations = {
  spawn: cannot("an entity lives until it has been idle for a while"),
  idle: notMessaging,
  "idle-server": idle,
  pingpong: notMessaging,
  call,
  "call-many": callMany,
  cast,
  fanin: notMessaging,
  ring: notMessaging,
  restart: notSupervised,
  "restart-fresh": notSupervised,
  selective: notMessaging,
  ratelimit,
  registry: cannot("has no registry: an entity is addressed by its id, and no value comes with it"),
  tree: notSupervised
}
