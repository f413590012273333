/**
 * A connection in memory between an RpcServer and an RpcClient: everything that crosses it is text, as on a socket, and it
 * can be cut.
 */
import type * as GenServer from "@effect-otp/core/GenServer"
import * as GenServerRpc from "@effect-otp/core/GenServerRpc"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Rpc from "effect/rpc/Rpc"
import * as RpcClient from "effect/rpc/RpcClient"
import { RpcClientError } from "effect/rpc/RpcClientError"
import type * as RpcGroup from "effect/rpc/RpcGroup"
import type { FromClientEncoded, FromServerEncoded } from "effect/rpc/RpcMessage"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"

const { codecFor } = RpcSerialization.json

const overTheWire = <A>(message: A): A => JSON.parse(JSON.stringify(message))

/** Serves a group to a client of it, in memory. */
export const connect = Effect.fnUntraced(function*<Rpcs extends Rpc.Any, E, R>(
  group: RpcGroup.RpcGroup<Rpcs>,
  handlers: Layer.Layer<Rpc.ToHandler<Rpcs>, E, R>
) {
  /** The text that has crossed, in order. */
  const texts: Array<string> = []
  let toServer!: (clientId: number, message: FromClientEncoded) => Effect.Effect<void>
  let toClient!: (clientId: number, message: FromServerEncoded) => Effect.Effect<void>
  let error: RpcClientError | undefined
  const clients = new Set<number>()
  const disconnects = yield* Queue.unbounded<number>()
  const context = yield* Effect.context<never>()

  const server = yield* RpcServer.Protocol.make((write) => {
    toServer = write
    return Effect.succeed({
      disconnects,
      send: (clientId, response) =>
        Effect.suspend(() => {
          texts.push(JSON.stringify(response))
          return toClient(clientId, overTheWire(response))
        }),
      end: () => Effect.void,
      clientIds: Effect.succeed(clients),
      initialMessage: Effect.succeedNone,
      supportsAck: true,
      supportsTransferables: false,
      supportsSpanPropagation: true,
      supportsNotifications: true,
      codecFor
    })
  })
  const client = yield* RpcClient.Protocol.make((write) => {
    toClient = write
    return Effect.succeed({
      send: (clientId, request) =>
        Effect.suspend(() => {
          if (error !== undefined) return Effect.fail(error)
          clients.add(clientId)
          texts.push(JSON.stringify(request))
          // Of the client's context nothing reaches the other side.
          return Effect.updateContext(toServer(clientId, overTheWire(request)), () => context)
        }),
      supportsAck: true,
      supportsTransferables: false,
      codecFor
    })
  })

  return {
    texts,
    served: RpcServer.layer(group).pipe(
      Layer.provide(Layer.succeed(RpcServer.Protocol, server)),
      Layer.provide(handlers)
    ),
    protocol: Layer.succeed(RpcClient.Protocol, client),
    /** Nothing crosses it any more: both sides are told, as a transport tells them. */
    cut: (reason: RpcClientError["reason"]) =>
      Effect.gen(function*() {
        error = new RpcClientError({ reason })
        for (const clientId of clients) {
          yield* Queue.offer(disconnects, clientId)
          yield* toClient(clientId, { _tag: "ClientProtocolError", error })
        }
      })
  }
})

/** What `connect` gives. */
export type Wire = Effect.Success<ReturnType<typeof connect>>

/** Serves a service in memory, and gives it back as a client sees it. */
export const remote = Effect.fnUntraced(function*<Self, const Id extends string, P extends GenServer.Protocol, E>(
  service: GenServerRpc.Service<Self, Id, P>,
  server: Layer.Layer<Self, E>
) {
  const wire = yield* connect(GenServerRpc.group(service), Layer.provide(GenServerRpc.layer(service), server))
  const layer = Layer.provideMerge(GenServerRpc.layerClient(service), wire.protocol)
  return { ...wire, layer, all: Layer.merge(layer, wire.served) }
})
