/**
 * What a stranger can send to a server that is served over HTTP: nothing that does not fit the Schema reaches a handler,
 * and whoever comes next is served.
 */
import * as GenServer from "@effect-otp/core/GenServer"
import * as GenServerRpc from "@effect-otp/core/GenServerRpc"
import * as Step from "@effect-otp/core/Step"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import * as Schema from "effect/Schema"

const calls: Array<unknown> = []

class Notes extends GenServer.Service<Notes>()("test/Notes", [
  GenServer.call("add", { payload: { text: Schema.String.check(Schema.isMaxLength(10)) }, success: Schema.Finite }),
  GenServer.call("tags", {
    payload: { tags: Schema.Record(Schema.String, Schema.Finite) },
    success: Schema.Array(Schema.String)
  }),
  GenServer.cast("clear")
]) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: {
      add: (count, payload) => {
        calls.push(payload)
        return Step.reply(count + 1, count + 1)
      },
      tags: (count, { tags }) => {
        calls.push(tags)
        return Step.reply(Object.keys(tags), count)
      },
      clear: () => {
        calls.push("clear")
        return Step.noReply(0)
      }
    }
  })
}

const makeApp = (serialization: Layer.Layer<RpcSerialization.RpcSerialization>) => {
  const app = RpcServer.layerHttp({ group: GenServerRpc.group(Notes), path: "/rpc", protocol: "http" }).pipe(
    Layer.provide(GenServerRpc.layer(Notes)),
    Layer.provide([Notes.server.layer(), serialization]),
    Layer.provide(Logger.layer([]))
  )
  const { dispose, handler } = HttpRouter.toWebHandler(app, { disableLogger: true })
  const post = (body: string) =>
    Effect.promise(async () => {
      const response = await handler(new Request("http://localhost/rpc", { method: "POST", body }))
      return { status: response.status, text: await response.text() }
    })
  return { dispose: Effect.promise(dispose), post }
}

const request = (fields: object): string =>
  JSON.stringify({ _tag: "Request", id: "1", tag: "test/Notes.add", payload: { text: "ok" }, headers: [], ...fields })

const good = request({})

/** Each is refused: the answer to it is no success, and no handler runs. */
const refused: Record<string, string> = {
  "nothing": "",
  "no JSON": "{",
  "binary": "\u0000\u0001\u0002\ufffd",
  "a number": "1",
  "null": "null",
  "an empty list": "[]",
  "a list of null": "[null]",
  "a deep list": "[".repeat(5_000) + "]".repeat(5_000),
  "no message": "{}",
  "an unknown message": "{\"_tag\":\"Drop\"}",
  "a message named __proto__": "{\"_tag\":\"__proto__\"}",
  "no request": "{\"_tag\":\"Request\"}",
  "no id": request({ id: undefined }),
  "an id of null": request({ id: null }),
  "an id that is an object": request({ id: {} }),
  "no headers": request({ headers: undefined, payload: {} }),
  "headers of a wrong type": request({ headers: 7 }),
  "headers of wrong types": request({ headers: [[1], null, { a: 1 }] }),
  "no tag": request({ tag: undefined }),
  "a tag that is no string": request({ tag: 1 }),
  "an unknown request": request({ tag: "test/Notes.drop" }),
  "a request without its prefix": request({ tag: "add" }),
  "a request named __proto__": request({ tag: "__proto__" }),
  "a request named constructor": request({ tag: "constructor" }),
  "a request of the runtime": request({ tag: "test/Notes.pid" }),
  "no payload": request({ payload: undefined }),
  "a payload of null": request({ payload: null }),
  "a payload of a wrong type": request({ payload: "text" }),
  "a field of a wrong type": request({ payload: { text: 1 } }),
  "a field that is too long": request({ payload: { text: "x".repeat(1_000_000) } }),
  "a field in the prototype": "{\"_tag\":\"Request\",\"id\":\"1\",\"tag\":\"test/Notes.add\",\"headers\":[]," +
    "\"payload\":{\"__proto__\":{\"text\":\"ok\"}}}",
  "a value of a wrong type": request({ tag: "test/Notes.tags", payload: { tags: { a: "b" } } }),
  "an interrupt of nothing": "{\"_tag\":\"Interrupt\",\"requestId\":\"7\"}",
  "an interrupt of nobody": "{\"_tag\":\"Interrupt\"}",
  "an ack of nothing": "{\"_tag\":\"Ack\",\"requestId\":\"7\"}"
}

describe.each(
  [
    ["json", RpcSerialization.layerJson, ""],
    ["ndjson", RpcSerialization.layerNdjson, "\n"]
  ] as const
)("bad input as %s", (_, serialization, end) => {
  // A web handler starts with its first request.
  const started = Effect.suspend(() => {
    const app = makeApp(serialization)
    return Effect.as(Effect.tap(app.post(good + end), () => Effect.sync(() => calls.length = 0)), app)
  })

  it.effect.each(Object.entries(refused))("%s", ([, body]) =>
    Effect.gen(function*() {
      const { dispose, post } = yield* started
      const answer = yield* post(body + end)
      assert.notInclude(answer.text, "\"Success\"")
      assert.deepStrictEqual(calls, [])
      const next = yield* post(good + end)
      assert.include(next.text, "\"Success\"")
      assert.deepStrictEqual(calls, [{ text: "ok" }])
      yield* dispose
    }))

  it.effect("one bad request among good ones harms only itself", () =>
    Effect.gen(function*() {
      const { dispose, post } = yield* started
      const bodies = [request({ id: "1" }), request({ id: "2", payload: {} }), request({ id: "3" })]
      const { text } = yield* post(end === "" ? `[${bodies.join()}]` : bodies.join(end) + end)
      const answers: ReadonlyArray<any> = end === ""
        ? JSON.parse(text)
        : text.trim().split(end).map((l) => JSON.parse(l))
      assert.deepStrictEqual(
        answers.map((answer) => [answer.requestId, answer.exit._tag]).sort(),
        [["1", "Success"], ["2", "Failure"], ["3", "Success"]]
      )
      assert.lengthOf(calls, 2)
      yield* dispose
    }))

  it.effect("keys of a record pollute no prototype", () =>
    Effect.gen(function*() {
      const { dispose, post } = yield* started
      const tags = "{\"__proto__\":1,\"constructor\":2,\"toString\":3,\"a\":4}"
      yield* post(
        `{"_tag":"Request","id":"1","tag":"test/Notes.tags","headers":[],"payload":{"tags":${tags},"__proto__":{"x":1}}}` +
          end
      )
      const [seen] = calls as ReadonlyArray<object>
      assert.deepStrictEqual(Object.keys(seen!).sort(), ["__proto__", "a", "constructor", "toString"])
      assert.strictEqual(Object.getPrototypeOf(seen), Object.prototype)
      assert.notProperty({}, "x")
      yield* dispose
    }))
})
