/**
 * A job service in a process of its own, with its journal on disk, behind HTTP and WebSocket. It says where it listens.
 *
 * Arguments: the directory of the journal, the port or 0.
 */
import { GenServer, Step, Supervisor } from "@effect-otp/core"
import * as GenServerRpc from "@effect-otp/core/GenServerRpc"
import * as JobService from "@effect-otp/examples/job-service/JobService"
import * as Store from "@effect-otp/examples/job-service/Store"
import { NodeFileSystem, NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { ByteSize, Console, Effect, Layer, Logger } from "effect"
import { HttpIncomingMessage, HttpRouter, HttpServer } from "effect/http"
import { RpcSerialization, RpcServer } from "effect/rpc"
import { Desk, Refused, type Status } from "./Desk.ts"
import { guardedServer } from "./guarded.ts"

const [directory = "", port = "0"] = process.argv.slice(2)

const atOnce = 20

/** How many questions of each customer wait for their answers. */
type State = Map<string, number>

/**
 * Who asks waits in a fiber, and each customer has only so many of these: the desk itself never waits, and nobody can take the
 * places of the others.
 */
const answer = <A, E, R>(
  state: State,
  customer: string,
  from: GenServer.From<A, Refused>,
  ask: Effect.Effect<A, E & { readonly _tag: string }, R>
) => {
  const asking = state.get(customer) ?? 0
  if (asking >= atOnce) return Effect.fail(new Refused({ why: "too many at once" }))
  state.set(customer, asking + 1)
  const answered = Effect.matchEffect(ask, {
    onSuccess: (value) => GenServer.reply(from, value),
    onFailure: (error) => GenServer.fail(from, new Refused({ why: error._tag }))
  })
  const leave = Effect.sync(() => {
    const left = state.get(customer)! - 1
    if (left === 0) state.delete(customer)
    else state.set(customer, left)
  })
  return Effect.as(Effect.forkScoped(Effect.ensuring(answered, leave)), Step.noReply(state))
}

const status = Effect.map(JobService.status, ({ accepted, done, gaveUp, running, waiting }): Status => {
  const { heapUsed, rss } = process.memoryUsage()
  return { accepted, done, gaveUp, waiting, running, rss, heap: heapUsed }
})

const unknown = (ids: ReadonlyArray<string>) =>
  Effect.filter(ids, (id) => Effect.map(JobService.history(id), (entries) => entries.length === 0))

const desk = Desk.implement({
  init: (): State => new Map(),
  handlers: {
    submit: (state, { customer, id }, from) =>
      answer(state, customer, from, JobService.submit({ id, customer, what: "work" })),
    status: (state, _, from) => answer(state, "", from, status),
    unknown: (state, { ids }, from) => answer(state, "", from, unknown(ids)),
    eat: () => {
      const eaten: Array<ReadonlyArray<number>> = []
      while (true) eaten.push(Array.from({ length: 100_000 }, (_, i) => i + 0.5))
    }
  },
  mailbox: { capacity: 1_000, policy: "dropNewest" }
})

const tree = (store: Store.Store) =>
  Supervisor.make({
    label: "desk and service",
    children: [
      JobService.make({
        name: "jobs",
        store,
        work: () => Effect.as(Effect.sleep("5 millis"), "done"),
        limit: { limit: 100, window: "1 second" },
        capacity: 1_000,
        // None is forgotten while somebody may still ask for it.
        remember: 100_000,
        grace: "1 second"
      }).child({ id: "job service" }),
      desk.child()
    ]
  })

const group = GenServerRpc.group(Desk)

const routes = Layer.mergeAll(
  RpcServer.layerHttp({ group, path: "/http", protocol: "http" }),
  RpcServer.layerHttp({ group, path: "/socket", protocol: "websocket" })
).pipe(
  Layer.provide(GenServerRpc.layer(Desk)),
  Layer.provide([
    Layer.unwrap(Effect.map(Store.file(directory), (store) => tree(store).layer)).pipe(
      Layer.provide(NodeFileSystem.layer)
    ),
    RpcSerialization.layerNdjson
  ])
)

const server = Layer.effectDiscard(HttpServer.addressFormattedWith((address) => Console.log(address))).pipe(
  Layer.provideMerge(HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true })),
  Layer.provide(Layer.succeed(HttpIncomingMessage.MaxBodySize, ByteSize.kibibytes(64))),
  Layer.provide(
    NodeHttpServer.layer(guardedServer, { host: "127.0.0.1", port: Number(port), websocket: { maxPayload: 64 * 1024 } })
  ),
  Layer.provide(Logger.layer([]))
)

NodeRuntime.runMain(Layer.launch(server))
