import * as GenServer from "@effect-otp/core/GenServer"
import * as Name from "@effect-otp/core/Name"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as scale from "../../../test-scale.ts"
import { inNode } from "./utils/process.ts"
import { ask, callFails, defectOf, tell, Told, told } from "./utils/server.ts"

class NotEnough extends Schema.TaggedError<NotEnough>()("NotEnough", {}) {}

class Counter extends GenServer.Service<Counter>()("test/Counter", [
  GenServer.cast("increment"),
  GenServer.cast("add", { payload: { by: Schema.Finite } }),
  GenServer.call("value", { success: Schema.Finite }),
  GenServer.call("take", { payload: { n: Schema.Finite }, success: Schema.Finite, error: NotEnough }),
  GenServer.call("crash")
]) {
  static readonly server = this.implement({
    init: (initial: number) => initial,
    handlers: {
      increment: (count) => Step.noReply(count + 1),
      add: (count, { by }) => Step.noReply(count + by),
      value: (count) => Step.reply(count, count),
      take: (count, { n }) => n > count ? Effect.fail(new NotEnough()) : Step.reply(n, count - n),
      crash: () => Effect.die(new Error("crash"))
    }
  })
}

const silent = Effect.provide(Logger.layer([]))

describe("the Counter of the lesson", () => {
  it.effect("gives 3", () =>
    Effect.gen(function*() {
      const counter = yield* Counter
      yield* counter.increment()
      yield* counter.increment()
      yield* counter.increment()
      assert.strictEqual(yield* counter.value(), 3)
    }).pipe(Effect.provide(Counter.server.layer(0)), inNode))

  it.effect.prop(
    "answers as a pure function of the same requests does",
    [Schema.Array(Schema.Union([
      Schema.Struct({ tag: Schema.Literal("add"), n: Schema.Int }),
      Schema.Struct({ tag: Schema.Literal("take"), n: Schema.Int }),
      Schema.Struct({ tag: Schema.Literals(["increment", "value"]), n: Schema.Int })
    ]))],
    ([requests]) =>
      Effect.gen(function*() {
        const counter = yield* Counter.server.start(0)
        let count = 0
        for (const { n, tag } of requests) {
          switch (tag) {
            case "increment":
              yield* counter.increment()
              count++
              break
            case "add":
              yield* counter.add({ by: n })
              count += n
              break
            case "value":
              assert.strictEqual(yield* counter.value(), count)
              break
            case "take": {
              const taken = yield* Effect.option(counter.take({ n }))
              assert.deepStrictEqual(taken, n > count ? Option.none() : Option.some(n))
              if (n <= count) count -= n
            }
          }
        }
        assert.strictEqual(yield* counter.value(), count)
      }).pipe(inNode),
    { arbitrary: { runs: scale.cases } }
  )
})

describe("a cast", () => {
  it.effect("GS-030 always succeeds: also to a dead server, to a name that nobody holds and to one that stops", () =>
    Effect.gen(function*() {
      const counter = yield* Counter.server.start(0)
      assert.isUndefined(yield* counter.increment())
      assert.strictEqual(yield* counter.value(), 1)
      yield* GenServer.stop(counter)
      assert.isUndefined(yield* counter.increment())
      assert.isUndefined(yield* Counter.at("nobody").add({ by: 1 }))
      const stopping = yield* told({ terminate: () => Effect.never }).start()
      yield* Effect.forkChild(GenServer.stop(stopping), { startImmediately: true })
      yield* settle
      assert.isUndefined(yield* tell(stopping, (state) => Step.noReply(state)))
    }).pipe(inNode))
})

describe("the client of a tree", () => {
  it.effect("reaches the current incarnation, and fails with NoProcess while there is none", () =>
    Effect.gen(function*() {
      const counter = yield* Counter
      yield* counter.increment()
      yield* callFails(counter.crash(), "ServerExited")
      yield* settle
      const down = yield* callFails(counter.value(), "NoProcess")
      assert.strictEqual(down.server, "test/Counter")
      assert.isUndefined(yield* counter.increment())
      yield* TestClock.adjust("1 second")
      yield* settle
      assert.strictEqual(yield* counter.value(), 10)
    }).pipe(Effect.provide(Counter.server.layer(10, { backoff: Schedule.spaced("1 second") })), silent, inNode))

  it.effect("fails with NoProcess after the tree has given up", () =>
    Effect.gen(function*() {
      const counter = yield* Counter
      for (let i = 0; i < 4; i++) {
        assert.strictEqual(yield* counter.value(), 0)
        yield* callFails(counter.crash(), "ServerExited")
        yield* settle
      }
      yield* callFails(counter.value(), "NoProcess")
      yield* TestClock.adjust("1 hour")
      yield* callFails(counter.value(), "NoProcess")
    }).pipe(Effect.provide(Counter.server.layer(0)), silent, inNode))

  it.effect("belongs to its place: two trees with the same service live side by side", () =>
    Effect.gen(function*() {
      const add = (by: number) =>
        Effect.flatMap(Counter, (counter) => Effect.andThen(counter.add({ by }), counter.value()))
      const one = Effect.provide(add(1), Layer.fresh(Counter.server.layer(0)))
      assert.deepStrictEqual(
        yield* Effect.provide(Effect.all([add(1), one, add(1)]), Counter.server.layer(10)),
        [11, 1, 12]
      )
    }).pipe(inNode))

  it.effect("registers a name only if it is given one", () =>
    Effect.gen(function*() {
      yield* Effect.provide(
        Effect.flatMap(Process.registered, (names) => Effect.sync(() => assert.deepStrictEqual(names, []))),
        Counter.server.layer(0)
      )
      yield* Effect.gen(function*() {
        assert.deepStrictEqual(yield* Process.registered, ["counter"])
        assert.strictEqual(yield* Counter.at("counter").value(), 7)
      }).pipe(Effect.provide(Counter.server.layer(7, { name: "counter" })))
      assert.deepStrictEqual(yield* Process.registered, [])
    }).pipe(inNode))

  it.effect("what a server has acquired is released before its next incarnation starts", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const acquire = (what: string) =>
        Effect.acquireRelease(
          Effect.sync(() => seen.push(`acquire ${what}`)),
          () => Effect.andThen(Effect.yieldNow, Effect.sync(() => seen.push(`release ${what}`)))
        )
      const server = told({ init: () => Effect.as(acquire("init"), 0) })
      yield* Effect.gen(function*() {
        const client = yield* Told
        yield* ask(client, (state) => Effect.as(acquire("handler"), Step.reply(1, state)))
        yield* Effect.exit(ask(client, () => Effect.die("crash")))
        yield* settle
        seen.push("restarted")
      }).pipe(Effect.provide(server.layer()))
      const once = ["acquire init", "acquire handler", "release handler", "release init"]
      assert.deepStrictEqual(seen, [...once, "acquire init", "restarted", "release init"])
    }).pipe(silent, inNode))

  it.effect("a server started with a tree sees the services before it", () =>
    Effect.gen(function*() {
      class Front
        extends GenServer.Service<Front>()("test/Front", [GenServer.call("value", { success: Schema.Finite })])
      {
        static readonly server = this.implement({
          init: () => 0,
          handlers: {
            value: (state) =>
              Effect.flatMap(Counter, (counter) => Effect.map(counter.value(), (n) => Step.reply(n, state)))
          }
        })
      }
      const tree = Supervisor.make({ children: [Counter.server.child(5), Front.server.child()] })
      const value = Effect.flatMap(Front, (front) => front.value())
      assert.strictEqual(yield* Effect.provide(value, tree.layer), 5)
    }).pipe(inNode))
})

describe("Service.at", () => {
  it.effect("finds a server by pid, string, typed name and via", () =>
    Effect.gen(function*() {
      const counter = yield* Counter.server.start(7, { name: Name.make("counter") })
      const via = Name.via<never>({
        register: () => false,
        unregister: () => {},
        whereis: () => counter.pid,
        format: (key) => key
      }, "key")
      for (const target of [counter.pid, "counter", Name.make<never>("counter"), via]) {
        assert.strictEqual(yield* Counter.at(target).value(), 7)
      }
    }).pipe(inNode))

  it.effect("a process that does not serve the protocol is a clear defect of the caller", () =>
    Effect.gen(function*() {
      const other = yield* told().start({ name: "other" })
      const body = yield* Process.spawn(() => Effect.never, { label: "body" })
      for (const request of ["value", "increment"] as const) {
        assert.strictEqual(
          (yield* defectOf<unknown, unknown, never>(Counter.at("other")[request]())).message,
          `${request} is no request to other: other ${other.pid} has the protocol of test/Told`
        )
        assert.strictEqual(
          (yield* defectOf<unknown, unknown, never>(Counter.at(body)[request]())).message,
          `${request} is no request to ${body}: body ${body} is no server`
        )
      }
      assert.isTrue(yield* Process.isAlive(body))
      assert.strictEqual(yield* ask(other, (n) => Step.reply(n, n)), 0)
    }).pipe(inNode))

  it("a protocol that breaks the rules is refused, also where no compiler looks", () => {
    for (const tag of ["pid", "then", "__proto__"]) {
      assert.throws(
        () => GenServer.Service<any>()("Bad", [GenServer.cast(tag)] as never),
        `Bad: a request cannot be named "${tag}": the name is reserved or taken`
      )
    }
    assert.throws(
      () => GenServer.Service<any>()("Bad", [GenServer.cast("a"), GenServer.call("a")] as never),
      `named "a"`
    )
  })
})

describe("Service.implement", () => {
  it("GS-033 refuses an implementation without a handler for each request, also where no compiler looks", () => {
    assert.throws(
      () => Told.implement({ init: () => 0, handlers: { tell: () => Step.noReply(0) } } as never),
      `test/Told: there is no handler for the request "ask"`
    )
  })
})

describe("a payload", () => {
  class Point extends Schema.Class<Point>("test/Point")({ x: Schema.Finite }) {}
  class Shapes extends GenServer.Service<Shapes>()("test/Shapes", [
    GenServer.call("echo", {
      payload: {
        n: Schema.Finite.pipe(Schema.withConstructorDefault(Effect.succeed(5))),
        s: Schema.optionalKey(Schema.String)
      },
      success: Schema.Unknown
    }),
    GenServer.call("word", {
      payload: { word: Schema.String.pipe(Schema.withConstructorDefault(Effect.succeed("default"))) },
      success: Schema.String
    }),
    GenServer.call("point", { payload: Point, success: Schema.Boolean }),
    GenServer.call("plain", { payload: { list: Schema.Array(Schema.String) }, success: Schema.Unknown }),
    GenServer.cast("cast", { payload: { n: Schema.Int } })
  ]) {
    static readonly server = this.implement({
      init: () => 0,
      handlers: {
        echo: (count, payload) => Step.reply(payload, count + 1),
        word: (count, { word }) => Step.reply(word, count + 1),
        point: (count, payload) => Step.reply(payload instanceof Point, count + 1),
        plain: (count, payload) => Step.reply([payload, count], count),
        cast: (count) => Step.noReply(count + 1)
      }
    })
  }

  it.effect("is constructed in the caller: defaults and classes", () =>
    Effect.gen(function*() {
      const shapes = yield* Shapes.server.start()
      assert.deepStrictEqual(yield* shapes.echo(), { n: 5 })
      assert.deepStrictEqual(yield* shapes.echo({ n: 1, s: "a" }), { n: 1, s: "a" })
      assert.strictEqual(yield* shapes.word(), "default")
      assert.isTrue(yield* shapes.point({ x: 1 }))
    }).pipe(inNode))

  it.effect("that has nothing to construct is passed as it is", () =>
    Effect.gen(function*() {
      const payload = { list: ["a"] }
      const [echoed] = (yield* (yield* Shapes.server.start()).plain(payload)) as [unknown]
      assert.strictEqual(echoed, payload)
    }).pipe(inNode))

  it.effect("that is refused is the caller's defect, which names request and field, and never reaches the server", () =>
    Effect.gen(function*() {
      const shapes = yield* Shapes.server.start()
      const refused = (request: Effect.Effect<unknown, unknown>) =>
        Effect.map(defectOf(request), ({ message }) => message)
      assert.strictEqual(
        yield* refused(shapes.echo({ n: NaN })),
        `test/Shapes.echo: the payload was refused: Expected a finite number at ["n"]`
      )
      assert.match(yield* refused(shapes.point({ x: Infinity })), /^test\/Shapes\.point: .* at \["x"\]$/)
      assert.match(
        yield* refused(shapes.cast({ n: 1.5 })),
        /^test\/Shapes\.cast: the payload was refused: .* at \["n"\]$/
      )
      assert.deepStrictEqual(yield* shapes.plain({ list: [] }), [{ list: [] }, 0])
    }).pipe(inNode))
})

describe("many servers", () => {
  it.effect("lose no message, and keep the order of each sender", () =>
    Effect.gen(function*() {
      const seen: Array<readonly [number, number]> = []
      const server = yield* told({
        info: (state, message) => Effect.as(Effect.sync(() => seen.push(message)), Step.noReply(state))
      }).start()
      const done = yield* Deferred.make<void>()
      const senders = 10
      const each = scale.messages / senders
      for (let sender = 0; sender < senders; sender++) {
        yield* Process.spawn(() =>
          Effect.gen(function*() {
            for (let i = 0; i < each; i++) yield* Process.send(server.pid, [sender, i])
            if (sender === senders - 1) yield* Deferred.succeed(done, undefined)
          })
        )
      }
      yield* Deferred.await(done)
      yield* settle
      assert.strictEqual(seen.length, scale.messages)
      const next = Array.from({ length: senders }, () => 0)
      for (const [sender, i] of seen) assert.strictEqual(i, next[sender]++)
    }).pipe(inNode), 60_000)
})
