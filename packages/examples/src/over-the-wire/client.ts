/** Asks a stock of which it knows the protocol and the address, which it is given. */
import * as GenServerRpc from "@effect-otp/core/GenServerRpc"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Schedule } from "effect"
import { FetchHttpClient } from "effect/http"
import { RpcClient, RpcSerialization } from "effect/rpc"
import { Socket } from "effect/socket"
import { Stock } from "./Stock.ts"

/** Written against the service: whether it is a local one is not its business. */
const shopping = Effect.gen(function*() {
  const stock = yield* Stock
  yield* stock.add({ count: 2 })
  yield* Console.log(`took 4, left: ${yield* stock.take({ count: 4 })}`)

  const notEnough = yield* Effect.flip(stock.take({ count: 4 }))
  yield* Console.log(`took 4: ${notEnough._tag}`)

  const crashed = yield* Effect.flip(stock.drop())
  yield* Console.log(`dropped it: ${crashed.reason._tag}`)

  // While it is being restarted nobody is there, and nothing is delivered: it may be asked again.
  const left = yield* stock.take({ count: 1 }).pipe(
    Effect.retry({
      while: (error) => error._tag === "CallError" && error.reason._tag === "NoProcess",
      schedule: Schedule.spaced("10 millis"),
      times: 100
    })
  )
  yield* Console.log(`took 1, left: ${left}`)
})

const overHttp = (url: string) =>
  GenServerRpc.layerClient(Stock).pipe(
    Layer.provide(RpcClient.layerProtocolHttp({ url: `${url}/http` })),
    Layer.provide([FetchHttpClient.layer, RpcSerialization.layerNdjson])
  )

const overSocket = (url: string) =>
  GenServerRpc.layerClient(Stock).pipe(
    Layer.provide(RpcClient.layerProtocolSocket()),
    Layer.provide([Socket.layerWebSocket(`${url.replace("http", "ws")}/socket`), RpcSerialization.layerNdjson]),
    Layer.provide(Socket.layerWebSocketConstructorGlobal)
  )

/** What no typed client would send. */
const forged = Effect.fnUntraced(function*(url: string, payload: string) {
  const body = `{"_tag":"Request","id":"1","tag":"examples/Stock.take","headers":[],"payload":${payload}}\n`
  const answer = yield* Effect.promise(() =>
    fetch(`${url}/http`, { method: "POST", body }).then((response) => response.json())
  )
  const [{ defect }] = answer.exit.cause
  yield* Console.log(`sent ${payload}: ${defect.replaceAll(/\s+/g, " ")}`)
})

const main = Effect.gen(function*() {
  const url = process.argv[2]!
  yield* Console.log("HTTP")
  yield* Effect.provide(shopping, overHttp(url))
  yield* Console.log("WebSocket")
  yield* Effect.provide(shopping, overSocket(url))
  yield* Console.log("forged")
  yield* forged(url, "{\"count\":\"all\"}")
  yield* forged(url, "{\"__proto__\":{\"count\":1}}")
})

NodeRuntime.runMain(main)
