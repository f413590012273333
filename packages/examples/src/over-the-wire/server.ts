/** A supervised server behind HTTP and WebSocket. It says where it listens, and ends when it is told to. */
import { Step } from "@effect-otp/core"
import * as GenServerRpc from "@effect-otp/core/GenServerRpc"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { ByteSize, Console, Effect, Layer, Logger } from "effect"
import { HttpIncomingMessage, HttpRouter, HttpServer } from "effect/http"
import { RpcSerialization, RpcServer } from "effect/rpc"
import { createServer } from "node:http"
import { NotEnough, Stock } from "./Stock.ts"

const stock = Stock.implement({
  init: () => Effect.as(Console.log("the stock starts with 5"), 5),
  handlers: {
    add: (left, { count }) => Step.noReply(left + count),
    take: (left, { count }) =>
      count > left ? Effect.fail(new NotEnough({ left })) : Step.reply(left - count, left - count),
    drop: () => Effect.die(new Error("it fell off the shelf"))
  },
  // A stranger can fill it, and no more: who comes then is told `Overloaded`.
  mailbox: { capacity: 1000, policy: "dropNewest" }
})

const group = GenServerRpc.group(Stock)

const routes = Layer.mergeAll(
  RpcServer.layerHttp({ group, path: "/http", protocol: "http" }),
  RpcServer.layerHttp({ group, path: "/socket", protocol: "websocket" })
).pipe(
  Layer.provide(GenServerRpc.layer(Stock)),
  Layer.provide([stock.layer(), RpcSerialization.layerNdjson])
)

const listening = HttpServer.addressFormattedWith((address) => Console.log(address))

const server = Layer.effectDiscard(listening).pipe(
  Layer.provideMerge(HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true })),
  // What a stranger sends is read up to a limit: without one, memory is the limit.
  Layer.provide(Layer.succeed(HttpIncomingMessage.MaxBodySize, ByteSize.kibibytes(64))),
  // Nothing listens beyond this machine.
  Layer.provide(
    NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0, websocket: { maxPayload: 64 * 1024 } })
  ),
  Layer.provide(Logger.layer([]))
)

NodeRuntime.runMain(Layer.launch(server))
