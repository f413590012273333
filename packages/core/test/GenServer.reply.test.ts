import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { inNode } from "./utils/process.ts"
import { ask, callFails, Refused, told } from "./utils/server.ts"

const reply = (value: unknown) => (state: unknown) => Step.reply(value, state)

describe("a reply", () => {
  /** A server that has left a call open, the call, and whom to answer. */
  const open = Effect.gen(function*() {
    const server = yield* told().start()
    const asked = yield* Deferred.make<GenServer.From<unknown, Refused>>()
    const call = yield* Effect.forkChild(
      ask(server, (state, from) => Effect.as(Deferred.succeed(asked, from), Step.noReply(state)))
    )
    return { server, call, from: yield* Deferred.await(asked) }
  })

  it.effect("GS-027 RP-001 completes a call that was left open, from another process", () =>
    Effect.gen(function*() {
      const { call, from, server } = yield* open
      assert.strictEqual(yield* ask(server, reply("meanwhile")), "meanwhile")
      yield* Process.spawn(() => GenServer.reply(from, "later"))
      assert.strictEqual(yield* Fiber.join(call), "later")
    }).pipe(inNode))

  it.effect("RP-002 succeeds also when the caller is gone, or the server", () =>
    Effect.gen(function*() {
      const first = yield* open
      yield* Fiber.interrupt(first.call)
      yield* GenServer.reply(first.from, "nobody")
      const second = yield* open
      yield* GenServer.stop(second.server)
      yield* GenServer.reply(second.from, "too late")
      assert.deepStrictEqual(
        (yield* callFails(Fiber.join(second.call), "ServerExited")).reason.reason,
        ExitReason.normal
      )
    }).pipe(inNode))

  it.effect("RP-003 counts once: the second is dropped", () =>
    Effect.gen(function*() {
      const { call, from } = yield* open
      yield* GenServer.reply(from, "first")
      yield* GenServer.reply(from, "second")
      yield* GenServer.fail(from, new Refused())
      assert.strictEqual(yield* Fiber.join(call), "first")
    }).pipe(inNode))

  it.effect("RP-003 a Step.reply after a reply is dropped", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const twice = ask(server, (state, from) => Effect.as(GenServer.reply(from, "first"), Step.reply("second", state)))
      assert.strictEqual(yield* twice, "first")
      assert.strictEqual(yield* ask(server, reply("next")), "next")
    }).pipe(inNode))

  it.effect("RP-004 from within the handler is seen before the handler ends", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const gate = yield* Deferred.make<void>()
      const early = ask(server, (_, from) =>
        GenServer.reply(from, "early").pipe(
          Effect.andThen(Deferred.await(gate)),
          Effect.as(Step.noReply("ended"))
        ))
      assert.strictEqual(yield* early, "early")
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* ask(server, (state) => Step.reply(state, state)), "ended")
    }).pipe(inNode))

  it.effect("a late failure is the error that the call declares", () =>
    Effect.gen(function*() {
      const { call, from } = yield* open
      yield* GenServer.fail(from, new Refused())
      assert.deepStrictEqual(yield* Effect.flip(Fiber.join(call)), new Refused())
    }).pipe(inNode))

  it.effect("an open call is told when its server ends", () =>
    Effect.gen(function*() {
      const { call, server } = yield* open
      yield* Process.exit(server.pid, ExitReason.custom("R"))
      assert.deepStrictEqual((yield* callFails(Fiber.join(call), "ServerExited")).reason.reason, ExitReason.custom("R"))
    }).pipe(inNode))
})
