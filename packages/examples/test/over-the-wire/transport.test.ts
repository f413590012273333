/**
 * What is different when a socket is between: requests of a client that is interrupted or gone, and bytes that no client
 * sends. Everything is on the loopback, at a port that the system chooses.
 */
import { GenServer, type OtpError, Step } from "@effect-otp/core"
import * as GenServerRpc from "@effect-otp/core/GenServerRpc"
import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import {
  ByteSize,
  Context,
  Deferred,
  type Duration,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  Queue,
  Schema,
  Scope
} from "effect"
import { FetchHttpClient, HttpIncomingMessage, HttpRouter, HttpServer } from "effect/http"
import { RpcClient, RpcSerialization, RpcServer } from "effect/rpc"
import { Socket } from "effect/socket"
import { createServer } from "node:http"
import type { Socket as Connection } from "node:net"

class Slow extends GenServer.Service<Slow>()("test/Slow", [
  GenServer.call("hold"),
  GenServer.call("run", { payload: { what: Schema.String } })
]) {}

type Client = GenServer.ClientOf<Slow>

/** Serves a `Slow` on the loopback. What it does is told, and so are the requests that reach it. */
const serve = Effect.gen(function*() {
  const ran: Array<string> = []
  const gate = yield* Deferred.make<void>()
  /** Told when a request has come to the door, and when it has left it without an answer. */
  const seen = yield* Queue.unbounded<"came" | "left">()
  const server = Slow.implement({
    init: () => 0,
    handlers: {
      hold: (state) => Effect.as(Deferred.await(gate), Step.reply(undefined, state)),
      run: (state, { what }) => Step.reply(void ran.push(what), state)
    }
  })
  const ref = yield* server.startScoped()
  const watched = (call: ReturnType<Client["run"]>): ReturnType<Client["run"]> =>
    Effect.onInterrupt(Effect.andThen(Queue.offer(seen, "came"), call), () => Queue.offer(seen, "left"))
  const service = { hold: ref.hold, run: (payload: { readonly what: string }) => watched(ref.run(payload)) }

  const sockets = new Set<Connection>()
  const listener = createServer().on("connection", (socket) => sockets.add(socket))
  /** Ends every connection, as a network does. */
  const cut = Effect.sync(() => sockets.forEach((socket) => socket.destroy()))

  const group = GenServerRpc.group(Slow)
  const routes = Layer.mergeAll(
    RpcServer.layerHttp({ group, path: "/http", protocol: "http" }),
    RpcServer.layerHttp({ group, path: "/socket" })
  ).pipe(
    Layer.provide(GenServerRpc.layer(Slow)),
    Layer.provide([Layer.succeed(Slow, service), RpcSerialization.layerNdjson])
  )
  const scope = yield* Scope.fork(yield* Effect.scope)
  const app = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provideMerge(NodeHttpServer.layer(() => listener, {
      host: "127.0.0.1",
      port: 0,
      websocket: { maxPayload: 1000 }
    })),
    Layer.provide([Layer.succeed(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(1000)), Logger.layer([])])
  )
  const context = yield* Layer.buildWithScope(app, scope)
  const url = HttpServer.formatAddress(Context.get(context, HttpServer.HttpServer).address)
  return { cut, gate, ran, ref, seen, close: Scope.close(scope, Exit.void), url }
})

const overHttp = (url: string) =>
  GenServerRpc.layerClient(Slow).pipe(
    Layer.provide(RpcClient.layerProtocolHttp({ url: `${url}/http` })),
    Layer.provide([FetchHttpClient.layer, RpcSerialization.layerNdjson])
  )

const overSocket = (url: string) =>
  GenServerRpc.layerClient(Slow).pipe(
    Layer.provide(RpcClient.layerProtocolSocket()),
    Layer.provide([Socket.layerWebSocket(`${url.replace("http", "ws")}/socket`), RpcSerialization.layerNdjson]),
    Layer.provide(Socket.layerWebSocketConstructorGlobal)
  )

const reasonOf = (error: OtpError.CallError) =>
  error.reason._tag === "ServerExited" ? error.reason.reason._tag : error.reason._tag

describe.each([["HTTP", overHttp], ["WebSocket", overSocket]] as const)("over %s", (_, connect) => {
  /** A request waits behind another until its client gives up; the server has been told when this is done. */
  const behind = Effect.fnUntraced(function*(
    giveUp: (call: Fiber.Fiber<void, OtpError.CallError>, scope: Scope.Closeable) => Effect.Effect<unknown>,
    timeout: Duration.Input = "Infinity"
  ) {
    const { gate, ran, ref, seen, url } = yield* serve
    const scope = yield* Scope.make()
    const client = Context.get(yield* Layer.buildWithScope(connect(url), scope), Slow)
    const held = yield* Effect.forkChild(ref.hold())
    const call = yield* Effect.forkChild(
      Effect.provideService(client.run({ what: "queued" }), GenServer.CallTimeout, timeout)
    )
    assert.strictEqual(yield* Queue.take(seen), "came")
    yield* giveUp(call, scope)
    assert.strictEqual(yield* Queue.take(seen), "left")
    yield* Deferred.succeed(gate, undefined)
    yield* Fiber.join(held)
    yield* ref.run({ what: "next" })
    assert.deepStrictEqual(ran, ["next"])
    yield* Scope.close(scope, Exit.void)
    return call
  })

  it.live("a queued request of an interrupted client never runs", () => behind((call) => Fiber.interrupt(call)))

  it.live("a queued request of a client that is gone never runs", () =>
    behind((call, scope) => Effect.andThen(Effect.forkChild(Fiber.await(call)), Scope.close(scope, Exit.void))))

  it.live("a queued request whose time is over never runs", () =>
    Effect.gen(function*() {
      const call = yield* behind((call) => Fiber.await(call), "200 millis")
      assert.strictEqual(reasonOf(yield* Effect.flip(Fiber.join(call))), "Timeout")
    }))

  it.live("a connection that is lost in the middle of a call leaves open whether it has run", () =>
    Effect.gen(function*() {
      const { cut, gate, ref, seen, url } = yield* serve
      yield* Effect.gen(function*() {
        const client = yield* Slow
        yield* Effect.forkChild(ref.hold())
        const call = yield* Effect.forkChild(client.run({ what: "queued" }))
        assert.strictEqual(yield* Queue.take(seen), "came")
        yield* cut
        assert.strictEqual(reasonOf(yield* Effect.flip(Fiber.join(call))), "NoConnection")
        assert.strictEqual(yield* Queue.take(seen), "left")
        yield* Deferred.succeed(gate, undefined)
      }).pipe(Effect.provide(connect(url)))
    }))

  it.live("where nobody listens, a call fails, and says why", () =>
    Effect.gen(function*() {
      const { close, url } = yield* serve
      yield* close
      const error = yield* Effect.flip(Slow.use((client) => client.hold())).pipe(Effect.provide(connect(url)))
      // Only a socket knows that nothing was delivered.
      assert.strictEqual(reasonOf(error), connect === overSocket ? "NoProcess" : "NoConnection")
      assert.instanceOf(error.cause, Error)
    }))
})

describe("bytes that no client sends", () => {
  const good =
    "{\"_tag\":\"Request\",\"id\":\"1\",\"tag\":\"test/Slow.run\",\"payload\":{\"what\":\"good\"},\"headers\":[]}\n"

  it.live("a body beyond MaxBodySize is not read to its end, and the next request is served", () =>
    Effect.gen(function*() {
      const { ran, url } = yield* serve
      const post = (body: string) =>
        Effect.promise(() =>
          fetch(`${url}/http`, { method: "POST", body }).then(
            async (response) => `${response.status} ${await response.text()}`,
            () => "cut"
          )
        )
      for (const body of [good.replace("good", "x".repeat(5_000_000)), "x".repeat(5_000_000)]) {
        assert.match(yield* post(body), /^(cut|[45]\d\d )/)
      }
      assert.deepStrictEqual(ran, [])
      assert.match(yield* post(good), /^200 .*Success/)
      assert.deepStrictEqual(ran, ["good"])
    }))

  /** Sends frames over a socket of their own, and gives what comes back until it is closed or a request is answered. */
  const send = (url: string, frames: ReadonlyArray<string | Uint8Array<ArrayBuffer>>) =>
    Effect.callback<string>((resume) => {
      const socket = new WebSocket(`${url.replace("http", "ws")}/socket`)
      let got = ""
      const done = (how: string) => {
        socket.close()
        resume(Effect.succeed(`${how} ${got}`))
      }
      socket.addEventListener("open", () => frames.forEach((frame) => socket.send(frame)))
      socket.addEventListener("message", ({ data }) => {
        got += data
        if (got.includes("\"Exit\"")) done("answered")
      })
      socket.addEventListener("close", () => done("closed"))
      return Effect.sync(() => socket.close())
    })

  it.live.each<readonly [string, string | Uint8Array<ArrayBuffer>]>([
    ["no JSON", "{\n"],
    ["null", "null\n"],
    ["a number", "7\n"],
    ["no message", "{}\n"],
    ["no headers", good.replace(",\"headers\":[]", "")],
    ["headers of a wrong type", good.replace("[]", "7")],
    ["no id", good.replace("\"id\":\"1\",", "")],
    ["a payload named __proto__", good.replace("{\"what\":\"good\"}", "{\"__proto__\":{\"what\":\"good\"}}")],
    ["bytes", new Uint8Array([0, 255, 254, 10])],
    ["a frame that is too long", "x".repeat(10_000)]
  ])("%s: reaches no handler, and others are served", ([, frame]) =>
    Effect.gen(function*() {
      const { ran, url } = yield* serve
      // Whoever was there before notices nothing.
      yield* Effect.gen(function*() {
        const client = yield* Slow
        yield* client.run({ what: "before" })
        // The good request behind it, on the same socket, is served or refused with the socket.
        const answer = yield* send(url, [frame, good.replace("\"good\"", "\"behind\"")])
        assert.match(answer, /^(answered|closed) /)
        yield* client.run({ what: "after" })
        assert.deepStrictEqual(ran.filter((what) => what !== "behind"), ["before", "after"])
      }).pipe(Effect.provide(overSocket(url)))
      assert.match(yield* send(url, [good]), /^answered .*Success/)
    }))
})
