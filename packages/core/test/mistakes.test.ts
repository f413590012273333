/** What everybody gets wrong first: each message says what happened, where, and what to do. */
import * as GenServer from "@effect-otp/core/GenServer"
import type { CallError } from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { inNode } from "./utils/process.ts"
import { ask, callFails, defectOf, logged, messageOf, type Order, Refused, tell, Told, told } from "./utils/server.ts"

const reply = (value: unknown) => (state: unknown) => Step.reply(value, state)

describe("a server that calls itself", () => {
  it.effect("is told so at once", () =>
    Effect.gen(function*() {
      const server = yield* told().start({ name: "cache" })
      const error = (yield* ask(server, (state) =>
        Effect.map(Effect.flip(Told.at("cache").ask(reply(1))), (error) => Step.reply(error, state)))) as CallError
      assert.strictEqual(
        error.message,
        `call ask to cache: a server cannot call itself (cache ${server.pid} -> cache ${server.pid}): it answers when ` +
          "its handler has ended; use the state that the handler has, or send a cast"
      )
    }).pipe(inNode))

  it.effect("by way of others is told by which", () =>
    Effect.gen(function*() {
      const [a, b] = [yield* told().start({ name: "a" }), yield* told().start({ name: "b" })]
      const error = (yield* ask(a, (state) =>
        Effect.map(
          ask(b, (state) => Effect.map(Effect.flip(ask(a, reply(1))), (error) => Step.reply(error, state))),
          (error) => Step.reply(error, state)
        ))) as CallError
      assert.strictEqual(
        error.message,
        `call ask to ${a.pid}: the call would wait for itself (a ${a.pid} -> b ${b.pid} -> a ${a.pid}); ` +
          "answer one of them later with GenServer.reply, or send a cast instead"
      )
    }).pipe(inNode))
})

describe("a callback that gives no step", () => {
  /** The message of the defect with which a server ends that does this. */
  const crash = Effect.fnUntraced(function*(what: "ask" | "tell", order: Order) {
    const server = yield* told().start()
    yield* Effect.ignore(what === "ask" ? ask(server, order) : tell(server, order))
    return messageOf(yield* Process.awaitExit(server.pid))
  })

  it.effect("but nothing at all is shown what to return", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* crash("ask", () => {}),
        "test/Told: the handler of ask must give a Step, or an Effect of one; it gave undefined. " +
          "Return Step.reply(value, state) from every branch"
      )
      assert.strictEqual(
        yield* crash("tell", () => Effect.void),
        "test/Told: the handler of tell must give a Step, or an Effect of one; it gave undefined. " +
          "Return Step.noReply(state) from every branch"
      )
    }).pipe(inNode))

  it.effect("but a promise is shown how to await it", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* crash("ask", () => Promise.resolve(Step.reply(1, 1))),
        "test/Told: the handler of ask must give a Step, or an Effect of one; it gave Promise({}). " +
          "A promise is awaited by Effect.promise(() => …)"
      )
    }).pipe(inNode))

  it.effect("but the reply itself is shown what it gave", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* crash("ask", () => 42),
        "test/Told: the handler of ask must give a Step, or an Effect of one; it gave 42"
      )
    }).pipe(inNode))
})

describe("GS-010 an init that gives what cannot be a state", () => {
  const failure = Effect.fnUntraced(function*(init: () => unknown) {
    let terminated = false
    const server = told({ init, terminate: () => void (terminated = true) })
    const { reason } = yield* Effect.flip(server.start({ name: "server" }))
    assert.isTrue((yield* GenServer.whereis("server"))._tag === "None")
    assert.isFalse(terminated)
    return reason._tag === "Crashed" ? (Cause.squash(reason.cause) as Error).message : reason._tag
  })

  it.effect("fails the start: a step, a promise, an option that is none", () =>
    Effect.gen(function*() {
      const must = "test/Told: init must give the first state, GenServer.init(state, …), or an Effect of one; "
      assert.strictEqual(yield* failure(() => Step.noReply(0)), `${must}it gave the step NoReply`)
      assert.strictEqual(
        yield* failure(() => Promise.resolve(0)),
        `${must}it gave a promise. A promise is awaited by Effect.promise(() => …)`
      )
      assert.strictEqual(
        yield* failure(() => Effect.succeed(GenServer.init(0, { timeout: -5 }))),
        "timeout: expected a duration of zero or more, got -5"
      )
    }).pipe(inNode))
})

describe("a second answer", () => {
  const twice: ReadonlyArray<[string, Order]> = [
    [
      "GenServer.reply twice",
      (state, from) =>
        GenServer.reply(from, 1).pipe(Effect.andThen(GenServer.reply(from, 2)), Effect.as(Step.noReply(state)))
    ],
    [
      "GenServer.fail after it",
      (state, from) =>
        GenServer.reply(from, 1).pipe(
          Effect.andThen(GenServer.fail(from, new Refused())),
          Effect.as(Step.noReply(state))
        )
    ],
    ["a step that replies", (state, from) => Effect.as(GenServer.reply(from, 1), Step.reply(2, state))],
    ["a step that fails", (state, from) => Effect.as(GenServer.reply(from, 1), Step.fail(new Refused(), state))],
    ["a failure", (_, from) => Effect.andThen(GenServer.reply(from, 1), Effect.fail(new Refused()))]
  ]
  for (const [what, order] of twice) {
    it.effect(`RP-003 by ${what} is dropped, and the log says which`, () =>
      logged((lines) =>
        Effect.gen(function*() {
          const server = yield* told().start()
          assert.strictEqual(yield* Told.at(server.pid).ask(order), 1)
          yield* settle
          assert.deepStrictEqual(lines.map(({ level, message }) => [level, ...message]), [[
            "Warn",
            `the call ask to ${server.pid} was answered twice, and the second answer is dropped: ` +
            "a call is answered once, by the step of its handler or by GenServer.reply"
          ]])
          assert.strictEqual(yield* ask(server, reply("alive")), "alive")
        }).pipe(inNode)
      ))
  }

  it.effect("RP-002 is none if the caller has gone, or the server", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const server = yield* told().start()
        let from: GenServer.From<unknown, Refused>
        const open: Order = (state, asked) => {
          from = asked
          return Step.noReply(state)
        }
        yield* Effect.provideService(Effect.flip(ask(server, open)), GenServer.CallTimeout, 0)
        yield* GenServer.reply(from!, 1)
        const id = yield* GenServer.sendRequest(ask(server, open))
        yield* settle
        yield* GenServer.stop(server)
        yield* GenServer.reply(from!, 1)
        yield* callFails(GenServer.receiveResponse(id), "ServerExited")
        assert.deepStrictEqual(lines, [])
      }).pipe(inNode)
    ))

  it.effect("to what is no From is a defect", () =>
    Effect.gen(function*() {
      const defect = yield* defectOf(GenServer.reply("caller" as never, 1 as never))
      assert.strictEqual(defect.message, "from: expected the From of a handler, got \"caller\"")
    }))
})

describe("a call to a name that nobody holds", () => {
  it.effect("says which, and what it may be", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        (yield* callFails(Told.at("cahce").ask(reply(1)), "NoProcess")).message,
        "call ask to cahce: no process is there: it has ended, was never started, or has another name; " +
          "the request was not delivered"
      )
    }).pipe(inNode))
})

describe("a payload that breaks its Schema", () => {
  class Account extends GenServer.Service<Account>()("bank/Account", [
    GenServer.call("take", { payload: { amount: Schema.Finite.check(Schema.isGreaterThan(0)) } }),
    GenServer.cast("add", { payload: { amount: Schema.Finite.check(Schema.isGreaterThan(0)) } })
  ]) {
    static readonly server = this.implement({
      init: () => 0,
      handlers: { take: (n) => Step.reply(undefined, n), add: (n) => Step.noReply(n) }
    })
  }

  it.effect("says which field of which request, and what it has to be", () =>
    Effect.gen(function*() {
      const account = yield* Account.server.start()
      for (
        const [tag, request] of [["take", account.take({ amount: -1 })], ["add", account.add({ amount: -1 })]] as const
      ) {
        assert.strictEqual(
          (yield* defectOf(request)).message,
          `bank/Account.${tag}: the payload was refused: Expected a value greater than 0 at ["amount"]`
        )
      }
      assert.isTrue(yield* Process.isAlive(account.pid))
    }).pipe(inNode))
})

describe("a request to a server of another protocol", () => {
  it.effect("says which server that is", () =>
    Effect.gen(function*() {
      class Other extends GenServer.Service<Other>()("test/Other", [GenServer.call("get")]) {}
      const server = yield* told().start({ name: "told" })
      assert.strictEqual(
        (yield* defectOf(Other.at("told").get())).message,
        `get is no request to told: told ${server.pid} has the protocol of test/Told`
      )
    }).pipe(inNode))
})
