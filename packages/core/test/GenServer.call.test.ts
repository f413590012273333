import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { CallError } from "../src/OtpError.ts"
import { asProcess, inNode, queued } from "./utils/process.ts"
import { ask, callFails, defectOf, type Ref, Refused, tell, Told, told } from "./utils/server.ts"

const reply = (value: unknown) => (state: unknown) => Step.reply(value, state)

/** A server whose handler waits, and what lets it go on. */
const held = Effect.fnUntraced(function*(server: Ref) {
  const gate = yield* Deferred.make<void>()
  yield* tell(server, (state) => Effect.as(Deferred.await(gate), Step.noReply(state)))
  yield* settle
  return Deferred.succeed(gate, undefined)
})

describe("a call", () => {
  it.effect("GS-015 returns the reply", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      assert.strictEqual(yield* ask(server, reply("hello")), "hello")
      assert.strictEqual(yield* ask(server, () => Effect.succeed(Step.reply("Effect", 1))), "Effect")
      assert.strictEqual(yield* ask(server, (n) => Effect.as(Effect.yieldNow, Step.reply(n, n))), 1)
    }).pipe(inNode))

  it.effect("GS-016 times out after 5 seconds by default", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const call = yield* Effect.forkChild(ask(server, () => Effect.never))
      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(call.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const error = yield* callFails(Fiber.join(call), "Timeout")
      assert.strictEqual(error.reason.after, 5000)
      assert.strictEqual(error.server, `${server.pid}`)
      assert.strictEqual(error.request, "ask")
    }).pipe(inNode))

  it.effect("times out after CallTimeout, in whatever scope it is set", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const never = ask(server, () => Effect.never)
      const call = yield* Effect.forkChild(Effect.provideService(never, GenServer.CallTimeout, "30 millis"))
      yield* TestClock.adjust("30 millis")
      assert.strictEqual((yield* callFails(Fiber.join(call), "Timeout")).reason.after, 30)
    }).pipe(inNode))

  it.effect("holds a timer while it waits, and none when it is answered", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const gate = yield* Deferred.make<void>()
      let sleeping = 0
      const base = yield* Clock.Clock
      const clock = Object.assign(Object.create(base), {
        sleep: (duration: Duration.Duration) =>
          Effect.suspend(() => {
            sleeping++
            return Effect.onExit(base.sleep(duration), () => Effect.sync(() => sleeping--))
          })
      })
      yield* Effect.gen(function*() {
        yield* ask(server, (state) => Effect.as(Effect.yieldNow, Step.reply(1, state)))
        yield* settle
        assert.strictEqual(sleeping, 0)
        const call = yield* Effect.forkChild(
          ask(server, (state) => Effect.as(Deferred.await(gate), Step.reply(1, state)))
        )
        yield* settle
        assert.strictEqual(sleeping, 1)
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(call)
        yield* settle
        assert.strictEqual(sleeping, 0)
      }).pipe(Effect.provideService(Clock.Clock, clock))
    }).pipe(inNode))

  it.effect("with a CallTimeout that is none dies, and says which value it was", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const call = Effect.provideService(ask(server, reply(1)), GenServer.CallTimeout, -1)
      assert.strictEqual((yield* defectOf(call)).message, "CallTimeout: expected a duration of zero or more, got -1")
      assert.strictEqual(yield* ask(server, reply(1)), 1)
    }).pipe(inNode))

  it.effect("GS-017 that timed out in its handler runs to its end", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const call = yield* Effect.forkChild(
        ask(server, () => Effect.as(Effect.sleep("6 seconds"), Step.reply(1, "ran")))
      )
      yield* TestClock.adjust("5 seconds")
      yield* callFails(Fiber.join(call), "Timeout")
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* ask(server, (state) => Step.reply(state, state)), "ran")
    }).pipe(inNode))

  it.effect("GS-017 that timed out in the mailbox never runs", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const release = yield* held(server)
      const call = yield* Effect.forkChild(ask(server, () => Step.reply(1, "ran")))
      yield* TestClock.adjust("5 seconds")
      yield* callFails(Fiber.join(call), "Timeout")
      yield* release
      assert.strictEqual(yield* ask(server, (state) => Step.reply(state, state)), 0)
    }).pipe(inNode))

  it.effect("whose caller is interrupted is taken back while it is queued, and runs to its end once it has begun", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const gate = yield* Deferred.make<void>()
      const begun = yield* Effect.forkChild(
        ask(server, () => Effect.as(Deferred.await(gate), Step.reply(1, ["begun"])))
      )
      const waiting = yield* Effect.forkChild(ask(server, (state) => Step.reply(1, [...state, "queued"])))
      yield* settle
      yield* Fiber.interrupt(begun)
      yield* Fiber.interrupt(waiting)
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual(yield* ask(server, (state) => Step.reply(state, state)), ["begun"])
    }).pipe(inNode))

  it.effect("GS-018 a reply after the timeout is dropped, and the caller's mailbox stays clean", () =>
    asProcess((self: Process.Self<unknown>) =>
      Effect.gen(function*() {
        const server = yield* told().start()
        let late: GenServer.From<unknown, Refused>
        const call = yield* Effect.forkChild(ask(server, (state, from) => {
          late = from
          return Step.noReply(state)
        }))
        yield* TestClock.adjust("5 seconds")
        yield* callFails(Fiber.join(call), "Timeout")
        yield* GenServer.reply(late!, "late")
        yield* settle
        assert.deepStrictEqual(yield* queued(self), [])
      })
    ))

  it.effect("GS-019 NM-018 to a dead pid or a missing name fails with NoProcess at once", () =>
    Effect.gen(function*() {
      const server = yield* told().start({ name: "server" })
      yield* GenServer.stop(server)
      const dead = yield* callFails(ask(server, reply(1)), "NoProcess")
      assert.strictEqual(
        dead.message,
        `call ask to ${server.pid}: no process is there: it has ended, was never ` +
          "started, or has another name; the request was not delivered"
      )
      const missing = yield* callFails(Told.at("server").ask(reply(1)), "NoProcess")
      assert.deepStrictEqual([missing.server, missing.request], ["server", "ask"])
    }).pipe(inNode))

  it.effect("GS-078 with an infinite timeout never times out", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const never = ask(server, () => Effect.never)
      const call = yield* Effect.forkChild(Effect.provideService(never, GenServer.CallTimeout, "Infinity"))
      yield* TestClock.adjust("3650 days")
      assert.isUndefined(call.pollUnsafe())
    }).pipe(inNode))

  it.effect("GS-021 GS-023 fails with the reason of a server that crashes in its handler", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const boom = new Error("boom")
      const error = yield* callFails(ask(server, () => Effect.die(boom)), "ServerExited")
      assert.deepStrictEqual(error.reason.reason, ExitReason.crashed(Cause.die(boom)))
      assert.include(error.message, "the server ended before it answered (Crashed: Error: boom)")
      const thrown = yield* callFails(
        ask(yield* told().start(), () => {
          throw boom
        }),
        "ServerExited"
      )
      assert.deepStrictEqual(thrown.reason.reason, ExitReason.crashed(Cause.die(boom)))
    }).pipe(inNode))

  it.effect("GS-023 fails with the bare reason with which its handler exits", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const error = yield* callFails(ask(server, () => Process.exit(ExitReason.custom("boom"))), "ServerExited")
      assert.deepStrictEqual(error.reason.reason, ExitReason.custom("boom"))
    }).pipe(inNode))

  it.effect("GS-021 fails with the reason of a server that is ended by a signal", () =>
    Effect.gen(function*() {
      for (
        const [sent, seen] of [[ExitReason.kill, ExitReason.killed], [ExitReason.shutdown(), ExitReason.shutdown()]]
      ) {
        const server = yield* told().start()
        const call = yield* Effect.forkChild(ask(server, () => Effect.never))
        yield* settle
        yield* Process.exit(server.pid, sent)
        assert.deepStrictEqual((yield* callFails(Fiber.join(call), "ServerExited")).reason.reason, seen)
      }
    }).pipe(inNode))

  it.effect("GS-021 GS-022 GS-029 a stop without a reply fails the call with its reason, Normal included", () =>
    Effect.gen(function*() {
      for (const reason of [ExitReason.normal, ExitReason.custom("R")]) {
        const server = yield* told().start()
        const error = yield* callFails(ask(server, (state) => Step.stop(reason, state)), "ServerExited")
        assert.deepStrictEqual(error.reason.reason, reason)
      }
    }).pipe(inNode))

  it.effect("GS-075 queued callers are told the reason when the server ends, and their requests never run", () =>
    Effect.gen(function*() {
      let ran = false
      const server = yield* told().start()
      yield* held(server)
      const call = yield* Effect.forkChild(ask(server, (state) => {
        ran = true
        return Step.reply(1, state)
      }))
      yield* settle
      yield* Process.exit(server.pid, ExitReason.custom("R"))
      const error = yield* callFails(Fiber.join(call), "ServerExited")
      assert.deepStrictEqual(error.reason.reason, ExitReason.custom("R"))
      assert.isFalse(ran)
    }).pipe(inNode))

  it.effect("a declared failure is the answer, and keeps the state", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      for (const refuse of [() => Effect.fail(new Refused()), () => Effect.andThen(Effect.yieldNow, new Refused())]) {
        assert.deepStrictEqual(yield* Effect.flip(ask(server, refuse)), new Refused())
      }
      assert.strictEqual(yield* ask(server, (state) => Step.reply(state, state)), 0)
      assert.deepStrictEqual(yield* Effect.flip(ask(server, () => Step.fail(new Refused(), "new"))), new Refused())
      assert.strictEqual(yield* ask(server, (state) => Step.reply(state, state)), "new")
    }).pipe(inNode))

  it.effect("a CallError that the request does not declare is a crash", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const error = yield* callFails(ask(server, () => Told.at("nobody").ask(reply(1))), "ServerExited")
      const reason = error.reason.reason as ExitReason.Crashed
      assert.strictEqual((Cause.squash(reason.cause) as CallError).reason._tag, "NoProcess")
      assert.isFalse(yield* Process.isAlive(server.pid))
    }).pipe(inNode))

  class Front extends GenServer.Service<Front>()("test/Front", [
    GenServer.call("get", { success: Schema.Unknown, error: Schema.instanceOf(CallError) })
  ]) {
    static readonly server = this.implement({
      init: () => 0,
      handlers: {
        get: (state) =>
          Effect.map(
            Told.at("nobody").ask(reply(1)).pipe(Effect.catchTag("Refused", Effect.die)),
            (a) => Step.reply(a, state)
          )
      }
    })
  }

  it.effect("a CallError that the request declares is its answer", () =>
    Effect.gen(function*() {
      const front = yield* Front.server.start()
      assert.strictEqual((yield* callFails(front.get(), "NoProcess")).server, "nobody")
      assert.isTrue(yield* Process.isAlive(front.pid))
    }).pipe(inNode))

  it.effect("a handler that interrupts itself crashes its server", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const error = yield* callFails(ask(server, () => Effect.interrupt), "ServerExited")
      const reason = error.reason.reason as ExitReason.Crashed
      assert.isTrue(Cause.hasInterruptsOnly(reason.cause))
    }).pipe(inNode))
})

describe("a call that would wait for itself", () => {
  it.effect("GS-020 fails with CallingSelf, by whatever the server is addressed", () =>
    Effect.gen(function*() {
      const server: Ref = yield* told().start({ name: "server" })
      for (const client of [server, Told.at("server"), Told.at(server.pid)]) {
        const inner = yield* ask(server, (state) =>
          Effect.map(Effect.flip(client.ask(reply(1))), (error) => Step.reply(error, state)))
        const { reason } = inner as CallError
        assert.strictEqual(reason._tag, "CallingSelf")
        assert.deepStrictEqual((reason as any).chain, [`server ${server.pid}`, `server ${server.pid}`])
        assert.include((inner as CallError).message, `(server ${server.pid} -> server ${server.pid})`)
      }
    }).pipe(inNode))

  it.effect("GS-072 fails at once with the chain of names in a circle A, B, C, A", () =>
    Effect.gen(function*() {
      const next = (client: { readonly ask: Ref["ask"] }, order: any) => (state: unknown) =>
        Effect.matchEager(client.ask(order), {
          onFailure: (error) => Step.reply(error, state),
          onSuccess: (value) => Step.reply(value, state)
        })
      const [a, b, c] = [
        yield* told().start({ name: "A" }),
        yield* told().start({ name: "B" }),
        yield* told().start({ label: "C" })
      ]
      const error = (yield* ask(a, next(b, next(c, next(Told.at("A"), reply(1)))))) as CallError
      assert.strictEqual(error.reason._tag, "CallingSelf")
      assert.deepStrictEqual((error.reason as any).chain, [`A ${a.pid}`, `B ${b.pid}`, `C ${c.pid}`, `A ${a.pid}`])
      // Nobody is left waiting, and a line is no circle.
      assert.strictEqual(yield* ask(a, next(b, next(c, reply("free")))), "free")
      assert.strictEqual(yield* ask(c, next(b, next(a, reply("free")))), "free")
    }).pipe(inNode))

  it.effect("is not one from a fiber that an earlier callback left in the background", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const go = yield* Deferred.make<void>()
      const answer = yield* Deferred.make<unknown, unknown>()
      yield* ask(server, (state) =>
        Effect.andThen(Deferred.await(go), ask(server, reply("answered"))).pipe(
          Deferred.into(answer),
          Effect.forkScoped,
          Effect.as(Step.reply(1, state))
        ))
      const release = yield* held(server)
      yield* Deferred.succeed(go, undefined)
      yield* settle
      yield* release
      assert.strictEqual(yield* Deferred.await(answer), "answered")
    }).pipe(inNode))

  it.effect("is not one if the handler that made the first call has not waited for it, whatever runs now", () =>
    Effect.gen(function*() {
      const [a, b] = [yield* told().start(), yield* told().start()]
      const answer = yield* Deferred.make<unknown, unknown>()
      const back = (gate: Effect.Effect<void>) => (state: unknown) =>
        Effect.andThen(gate, Effect.orDie(ask(a, reply("answered")))).pipe(
          Effect.map((value) => Step.reply(value, state))
        )
      const background = (gate: Effect.Effect<void>) =>
        ask(a, (state) =>
          ask(b, back(gate)).pipe(
            Deferred.into(answer),
            Effect.forkScoped({ startImmediately: true }),
            Effect.as(Step.reply(1, state))
          ))
      yield* background(Effect.void)
      assert.strictEqual(yield* Deferred.await(answer), "answered")
      const go = yield* Deferred.make<void>()
      yield* background(Deferred.await(go))
      const release = yield* held(a)
      yield* Deferred.succeed(go, undefined)
      yield* settle
      yield* release
      assert.strictEqual(yield* ask(b, reply("alive")), "alive")
    }).pipe(inNode))

  it.effect("is one from a fiber that the handler waits for", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const error = yield* ask(server, (state) =>
        Effect.all([Effect.flip(ask(server, reply(1))), Effect.yieldNow], { concurrency: 2 }).pipe(
          Effect.map(([error]) =>
            Step.reply(error, state)
          )
        ))
      assert.strictEqual((error as CallError).reason._tag, "CallingSelf")
    }).pipe(inNode))
})

it.effect("a handler sees the context in which its server was started, and the Scope of its server", () =>
  Effect.gen(function*() {
    const Answer = Context.Reference("test/Answer", { defaultValue: () => 0 })
    const server = yield* Effect.provideService(told().start(), Answer, 42)
    const outer = yield* Scope.make()
    const order: any = (state: unknown) =>
      Effect.gen(function*() {
        return Step.reply([yield* Answer, (yield* Scope.Scope) === outer], state)
      })
    assert.deepStrictEqual(yield* Effect.provideService(ask(server, order), Scope.Scope, outer), [42, false])
  }).pipe(inNode))
