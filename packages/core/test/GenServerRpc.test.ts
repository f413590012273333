import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as GenServerRpc from "@effect-otp/core/GenServerRpc"
import * as OtpError from "@effect-otp/core/OtpError"
import type * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { RpcClientDefect } from "effect/rpc/RpcClientError"
import * as RpcTest from "effect/rpc/RpcTest"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as TestClock from "effect/testing/TestClock"
import { inNode } from "./utils/process.ts"
import { callFails, defectOf, logged } from "./utils/server.ts"
import { connect, remote } from "./utils/wire.ts"

class NotEnough extends Schema.TaggedError<NotEnough>()("NotEnough", { left: Schema.Finite }) {}

class Stock extends GenServer.Service<Stock>()("test/Stock", [
  GenServer.cast("increment"),
  GenServer.cast("add", { payload: { by: Schema.Finite.check(Schema.isGreaterThan(0)) } }),
  GenServer.call("value", { success: Schema.Finite }),
  GenServer.call("take", { payload: { n: Schema.Finite }, success: Schema.Finite, error: NotEnough }),
  GenServer.call("at", { payload: { day: Schema.Date }, success: Schema.DateTimeUtcFromDate }),
  GenServer.call("crash")
]) {
  static readonly server = this.implement({
    init: (initial: number) => initial,
    handlers: {
      increment: (count) => Step.noReply(count + 1),
      add: (count, { by }) => Step.noReply(count + by),
      value: (count) => Step.reply(count, count),
      take: (count, { n }) => n > count ? Effect.fail(new NotEnough({ left: count })) : Step.reply(n, count - n),
      at: (count, { day }) => Step.reply(Schema.decodeSync(Schema.DateTimeUtcFromDate)(day), count),
      crash: () => Effect.die(new Error("the password is 1234"))
    }
  })
}

/** A server that can be held up, and notes what has run. */
class Slow extends GenServer.Service<Slow>()("test/Slow", [
  GenServer.call("hold"),
  GenServer.call("run", { payload: { what: Schema.String } }),
  GenServer.cast("tell", { payload: { what: Schema.String } })
]) {}

const slow = (mailbox?: Process.Mailbox & { readonly policy?: "suspend" }) => {
  const ran: Array<string> = []
  const gate = Deferred.makeUnsafe<void>()
  const server = Slow.implement({
    init: () => 0,
    handlers: {
      hold: (state) => Effect.as(Deferred.await(gate), Step.reply(undefined, state)),
      run: (state, { what }) => Step.reply(void ran.push(what), state),
      tell: (state, { what }) => {
        ran.push(what)
        return Step.noReply(state)
      }
    },
    ...(mailbox === undefined ? {} : { mailbox })
  })
  return { ran, release: Deferred.succeed(gate, undefined), server }
}

const patient = Effect.provideService(GenServer.CallTimeout, "Infinity")

const lostConnection = new Socket.SocketReadError({ cause: new Error("reset by peer") })

describe("a service over a wire", () => {
  const program = Effect.gen(function*() {
    const stock = yield* Stock
    yield* stock.increment()
    yield* stock.add({ by: 3 })
    const taken = yield* stock.take({ n: 2 })
    const error = yield* Effect.flip(stock.take({ n: 5 }))
    const at = yield* stock.at({ day: new Date(0) })
    const refused = yield* defectOf(stock.add({ by: -1 }))
    return [taken, error, at, refused.message, yield* stock.value()]
  })

  it.effect("is the same to the code that is written against it", () =>
    Effect.gen(function*() {
      const { all } = yield* remote(Stock, Stock.server.layer(0))
      const there = yield* Effect.provide(program, all)
      assert.deepStrictEqual(there, yield* Effect.provide(program, Stock.server.layer(0)))
      assert.deepStrictEqual(there.slice(0, 2), [2, new NotEnough({ left: 2 })])
    }).pipe(inNode))

  it.effect("refuses a payload in the caller, and sends nothing", () =>
    Effect.gen(function*() {
      const wire = yield* remote(Stock, Stock.server.layer(0))
      const error = yield* defectOf(Stock.use((stock) => stock.add({ by: -1 }))).pipe(Effect.provide(wire.all))
      assert.match(error.message, /^test\/Stock\.add: the payload was refused/)
      assert.deepStrictEqual(wire.texts, [])
    }).pipe(inNode))

  it.effect("reaches whoever runs after a crash, and the crash is told without its cause", () =>
    Effect.gen(function*() {
      const { all, texts } = yield* remote(Stock, Stock.server.layer(7))
      yield* Effect.gen(function*() {
        const stock = yield* Stock
        yield* stock.increment()
        const error = yield* callFails(stock.crash(), "ServerExited")
        assert.strictEqual(error.reason.reason._tag, "Crashed")
        assert.strictEqual(error.server, "test/Stock")
        assert.strictEqual(error.request, "crash")
        yield* settle
        assert.strictEqual(yield* stock.value(), 7)
      }).pipe(Effect.provide(all))
      assert.notInclude(texts.join(), "1234")
      assert.notInclude(texts.join(), ".ts:")
    }).pipe(inNode, (test) => logged(() => test)))

  it.effect("a call finds nobody when the server has gone: NoProcess", () =>
    Effect.gen(function*() {
      const ref = yield* Stock.server.start(0)
      const { all } = yield* remote(Stock, Layer.succeed(Stock, Stock.at(ref.pid)))
      yield* Effect.gen(function*() {
        const stock = yield* Stock
        yield* stock.increment()
        yield* GenServer.stop(ref)
        yield* callFails(stock.value(), "NoProcess")
        yield* stock.increment()
      }).pipe(Effect.provide(all))
    }).pipe(inNode))

  it.effect("two services with the same requests are served at one place", () =>
    Effect.gen(function*() {
      class Other extends GenServer.Service<Other>()("test/Other", [
        GenServer.call("value", { success: Schema.String })
      ]) {
        static readonly server = this.implement({
          init: () => 0,
          handlers: { value: (state) => Step.reply("other", state) }
        })
      }
      const wire = yield* connect(
        GenServerRpc.group(Stock).merge(GenServerRpc.group(Other)),
        Layer.mergeAll(GenServerRpc.layer(Stock), GenServerRpc.layer(Other)).pipe(
          Layer.provide([Stock.server.layer(1), Other.server.layer()])
        )
      )
      const values = Effect.gen(function*() {
        return [yield* (yield* Stock).value(), yield* (yield* Other).value()]
      })
      const clients = Layer.merge(GenServerRpc.layerClient(Stock), GenServerRpc.layerClient(Other))
      const all = Layer.merge(Layer.provide(clients, wire.protocol), wire.served)
      assert.deepStrictEqual(yield* Effect.provide(values, all), [1, "other"])
    }).pipe(inNode))

  it.effect("a CallError is one, even if its call declares that it fails with anything", () =>
    Effect.gen(function*() {
      class Vague extends GenServer.Service<Vague>()("test/Vague", [
        GenServer.call("fail", { error: Schema.Unknown }),
        GenServer.call("crash", { error: Schema.Unknown })
      ]) {
        static readonly server = this.implement({
          init: () => 0,
          handlers: { fail: () => Effect.fail({ why: "so" }), crash: () => Effect.die("a bug") }
        })
      }
      const { all } = yield* remote(Vague, Vague.server.layer())
      yield* Effect.gen(function*() {
        const vague = yield* Vague
        assert.deepStrictEqual(yield* Effect.flip(vague.fail()), { why: "so" })
        assert.instanceOf(yield* Effect.flip(vague.crash()), OtpError.CallError)
      }).pipe(Effect.provide(all))
    }).pipe(inNode, (test) => logged(() => test)))

  it.effect("requests of one client keep their order", () =>
    Effect.gen(function*() {
      const { ran, server } = slow()
      const { all } = yield* remote(Slow, server.layer())
      yield* Effect.gen(function*() {
        const client = yield* Slow
        const order = Array.from({ length: 100 }, (_, n) => `${n}`)
        yield* Effect.forEach(
          order,
          (what) => Effect.forkChild(Number(what) % 3 === 0 ? client.run({ what }) : client.tell({ what }))
        )
        yield* settle
        assert.deepStrictEqual(ran, order)
      }).pipe(Effect.provide(all))
    }).pipe(inNode))

  it.effect("is served to Effect's own client, with the errors in its types", () =>
    Effect.gen(function*() {
      const client = yield* RpcTest.makeClient(GenServerRpc.group(Stock))
      yield* client["test/Stock.add"]({ by: 2 })
      assert.strictEqual(yield* client["test/Stock.take"]({ n: 1 }), 1)
      const error = yield* Effect.flip(client["test/Stock.take"]({ n: 5 }))
      assert.deepStrictEqual(error, new NotEnough({ left: 1 }))
    }).pipe(Effect.provide(Layer.provide(GenServerRpc.layer(Stock), Stock.server.layer(0))), inNode))

  it.effect("what the Schemas need is asked of the layers, once", () =>
    Effect.gen(function*() {
      class Unit extends Context.Service<Unit, number>()("test/Unit") {}
      const Length = Schema.Finite.pipe(
        Schema.decodeTo(Schema.Finite, {
          decode: SchemaGetter.transformEffect((n: number) => Effect.map(Unit, (unit) => n * unit)),
          encode: SchemaGetter.transformEffect((n: number) => Effect.map(Unit, (unit) => n / unit))
        })
      )
      class Ruler extends GenServer.Service<Ruler>()("test/Ruler", [
        GenServer.call("double", { payload: { length: Length }, success: Length })
      ]) {
        static readonly server = this.implement({
          init: () => 0,
          handlers: { double: (state, { length }) => Step.reply(2 * length, state) }
        })
      }
      const wire = yield* connect(
        GenServerRpc.group(Ruler),
        Layer.provide(GenServerRpc.layer(Ruler), Ruler.server.layer())
      )
      const here = Layer.provide(GenServerRpc.layerClient(Ruler), [wire.protocol, Layer.succeed(Unit, 100)])
      const there = Layer.provide(wire.served, Layer.succeed(Unit, 10))
      const doubled = Ruler.use((ruler) => ruler.double({ length: 300 })).pipe(
        Effect.provide(Layer.merge(here, there))
      )
      assert.strictEqual(yield* doubled, 600)
      assert.include(wire.texts[0], "\"payload\":{\"length\":3}")
    }).pipe(inNode))
})

describe("a cast over a wire", () => {
  it.effect("is answered when the mailbox has taken it, not when it has run", () =>
    Effect.gen(function*() {
      const { ran, server } = slow()
      const { all } = yield* remote(Slow, server.layer())
      yield* Effect.gen(function*() {
        const client = yield* Slow
        const held = yield* Effect.forkChild(patient(client.hold()))
        yield* settle
        yield* client.tell({ what: "cast" })
        assert.deepStrictEqual(ran, [])
        assert.isUndefined(held.pollUnsafe())
      }).pipe(Effect.provide(all))
    }).pipe(inNode))

  it.effect("waits for room as it does here, and is taken back by an interruption", () =>
    Effect.gen(function*() {
      const { ran, release, server } = slow({ capacity: 1, policy: "suspend" })
      const { all } = yield* remote(Slow, server.layer())
      yield* Effect.gen(function*() {
        const client = yield* Slow
        yield* Effect.forkChild(patient(client.hold()))
        yield* settle
        yield* client.tell({ what: "first" })
        const second = yield* Effect.forkChild(client.tell({ what: "second" }))
        const third = yield* Effect.forkChild(client.tell({ what: "third" }))
        yield* settle
        assert.isUndefined(second.pollUnsafe())
        yield* Fiber.interrupt(second)
        yield* release
        yield* Fiber.join(third)
        yield* settle
        assert.deepStrictEqual(ran, ["first", "third"])
      }).pipe(Effect.provide(all))
    }).pipe(inNode))

  it.effect("fails with the MailboxFull that it declares", () =>
    Effect.gen(function*() {
      class Full extends GenServer.Service<Full>()("test/Full", [
        GenServer.call("hold"),
        GenServer.cast("tell", { error: OtpError.MailboxFull })
      ]) {
        static readonly server = this.implement({
          init: () => 0,
          handlers: { hold: () => Effect.never, tell: (state) => Step.noReply(state) },
          mailbox: { capacity: 1, policy: "fail" }
        })
      }
      const { all } = yield* remote(Full, Full.server.layer())
      yield* Effect.gen(function*() {
        const full = yield* Full
        yield* Effect.forkChild(patient(full.hold()))
        yield* settle
        yield* full.tell()
        const error = yield* Effect.flip(full.tell())
        assert.instanceOf(error, OtpError.MailboxFull)
        assert.deepStrictEqual([error.target, error.capacity], ["test/Full", 1])
        const overloaded = yield* callFails(full.hold(), "Overloaded")
        assert.strictEqual(overloaded.server, "test/Full")
      }).pipe(Effect.provide(all))
    }).pipe(inNode))

  it.effect("does not fail when it is lost", () =>
    Effect.gen(function*() {
      const { ran, server } = slow()
      const { all, cut } = yield* remote(Slow, server.layer())
      yield* Effect.gen(function*() {
        const client = yield* Slow
        yield* client.tell({ what: "before" })
        yield* cut(lostConnection)
        yield* client.tell({ what: "after" })
        yield* settle
        assert.deepStrictEqual(ran, ["before"])
      }).pipe(Effect.provide(all))
    }).pipe(inNode))
})

describe("a queued request of a remote caller never runs", () => {
  interface Given {
    readonly call: Fiber.Fiber<unknown, unknown>
    readonly cut: Effect.Effect<void>
  }

  /** A call waits behind another until `giveUp`; answers with how it ended when the server has gone on. */
  const behind = Effect.fnUntraced(function*(
    timeout: Duration.Input,
    giveUp: (given: Given) => Effect.Effect<unknown>
  ) {
    const { ran, release, server } = slow()
    const ref = yield* server.start()
    const wire = yield* remote(Slow, Layer.succeed(Slow, ref))
    return yield* Effect.gen(function*() {
      const client = yield* Slow
      const held = yield* Effect.forkChild(patient(ref.hold()))
      yield* settle
      const call = yield* Effect.forkChild(
        Effect.provideService(client.run({ what: "queued" }), GenServer.CallTimeout, timeout)
      )
      yield* settle
      assert.include(wire.texts.at(-1), "test/Slow.run")
      yield* giveUp({ call, cut: wire.cut(lostConnection) })
      yield* settle
      yield* release
      yield* Fiber.join(held)
      yield* ref.run({ what: "after" })
      assert.deepStrictEqual(ran, ["after"])
      return Fiber.join(call)
    }).pipe(Effect.provide(wire.all))
  })

  it.effect("who is interrupted, and stays interrupted", () =>
    Effect.gen(function*() {
      const call = yield* behind("Infinity", ({ call }) => Fiber.interrupt(call))
      const exit = yield* Effect.exit(call)
      assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
    }).pipe(inNode))

  it.effect("whose time is over", () =>
    Effect.gen(function*() {
      const call = yield* behind("2 seconds", () => TestClock.adjust("2 seconds"))
      assert.strictEqual((yield* callFails(call, "Timeout")).reason.after, 2000)
    }).pipe(inNode))

  it.effect("whose connection is lost", () =>
    Effect.gen(function*() {
      const call = yield* behind("Infinity", ({ cut }) => cut)
      yield* callFails(call, "ServerExited")
    }).pipe(inNode))

  it.effect("who is more patient than the server, which has a limit of its own", () =>
    Effect.gen(function*() {
      const call = yield* behind("1 minute", () => TestClock.adjust("5 seconds"))
      assert.strictEqual((yield* callFails(call, "Timeout")).reason.after, 5000)
    }).pipe(inNode))
})

describe("the time limit of a server", () => {
  it.effect("is the CallTimeout that its layer is given", () =>
    Effect.gen(function*() {
      const { server } = slow()
      const longer = Layer.succeed(GenServer.CallTimeout, "1 minute")
      const wire = yield* connect(
        GenServerRpc.group(Slow),
        Layer.provide(GenServerRpc.layer(Slow), [server.layer(), longer])
      ).pipe(
        // What the transport has of its own does not count.
        Effect.provideService(GenServer.CallTimeout, "1 second")
      )
      const client = Layer.provide(GenServerRpc.layerClient(Slow), wire.protocol)
      yield* Effect.gen(function*() {
        const call = yield* Effect.forkChild(patient(Slow.use((client) => client.hold())))
        yield* TestClock.adjust("59 seconds")
        assert.isUndefined(call.pollUnsafe())
        yield* TestClock.adjust("1 seconds")
        assert.strictEqual((yield* callFails(Fiber.join(call), "Timeout")).reason.after, 60_000)
      }).pipe(Effect.provide(Layer.merge(client, wire.served)))
    }).pipe(inNode))
})

describe("a lost connection", () => {
  it.effect("ends calls with NoConnection, and says what the transport said", () =>
    Effect.gen(function*() {
      const { server } = slow()
      const { all, cut } = yield* remote(Slow, server.layer())
      yield* Effect.gen(function*() {
        const client = yield* Slow
        const call = yield* Effect.forkChild(client.hold())
        yield* settle
        yield* cut(lostConnection)
        for (const lost of [Fiber.join(call), client.hold()]) {
          const error = yield* callFails(lost, "ServerExited")
          assert.strictEqual(error.reason.reason, ExitReason.noConnection)
          assert.deepStrictEqual([error.server, error.request], ["test/Slow", "hold"])
          assert.include(Cause.pretty(Cause.fail(error)), "SocketReadError")
        }
      }).pipe(Effect.provide(all))
    }).pipe(inNode))

  it.effect("that could not be opened has delivered nothing: NoProcess", () =>
    Effect.gen(function*() {
      const { server } = slow()
      const { all, cut } = yield* remote(Slow, server.layer())
      yield* Effect.gen(function*() {
        yield* cut(new Socket.SocketOpenError({ kind: "Unknown", cause: new Error("refused") }))
        yield* callFails(Slow.use((client) => client.hold()), "NoProcess")
      }).pipe(Effect.provide(all))
    }).pipe(inNode))

  it.effect("an answer that makes no sense leaves open whether the request has run", () =>
    Effect.gen(function*() {
      const { server } = slow()
      const { all, cut } = yield* remote(Slow, server.layer())
      yield* Effect.gen(function*() {
        yield* cut(new RpcClientDefect({ message: "no JSON", cause: "<html>" }))
        const error = yield* callFails(Slow.use((client) => client.hold()), "ServerExited")
        assert.strictEqual(error.reason.reason, ExitReason.noConnection)
      }).pipe(Effect.provide(all))
    }).pipe(inNode))

  it.effect("the server that listens is shut down, and its callers are not interrupted", () =>
    Effect.gen(function*() {
      const { server } = slow()
      const wire = yield* remote(Slow, server.layer())
      const serving = yield* Scope.make()
      yield* Layer.buildWithScope(wire.served, serving)
      yield* Effect.gen(function*() {
        const client = yield* Slow
        const call = yield* Effect.forkChild(client.hold())
        yield* settle
        yield* Scope.close(serving, Exit.void)
        const error = yield* callFails(Fiber.join(call), "ServerExited")
        assert.strictEqual(error.reason.reason, ExitReason.noConnection)
      }).pipe(Effect.provide(wire.layer))
    }).pipe(inNode))
})
