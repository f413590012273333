import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { inNode } from "./utils/process.ts"
import { ask, type Callbacks, callFails, logged, messageOf, tell, told } from "./utils/server.ts"

/** A server that notes the messages of `info`, with `Timeout` by its name. */
const listening = (seen: Array<unknown>, callbacks: Callbacks = {}) =>
  told({
    info: (state, message) => {
      seen.push(message._tag ?? message)
      return Step.noReply(state)
    },
    ...callbacks
  })

/** Sends a message, of whatever type. */
const send = (server: { readonly pid: Process.Pid<unknown> }, message: unknown) => Process.send(server.pid, message)

const after = (timeout: Step.Options["timeout"] & {}) => (state: unknown) => Step.noReply(state, { timeout })

describe("info", () => {
  it.effect("GS-026 calls, casts and messages are handled one at a time, in the order of their arrival", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* listening(seen).start()
      const noting = (what: string) => (state: unknown) =>
        Effect.as(
          Effect.andThen(
            Effect.sync(() => seen.push(what)),
            Effect.andThen(Effect.yieldNow, Effect.sync(() => seen.push(what)))
          ),
          Step.reply(what, state)
        )
      const casting = (what: string) => (state: unknown) => Effect.map(noting(what)(state), () => Step.noReply(state))
      yield* tell(server, casting("cast 1"))
      yield* send(server, "message 1")
      const call = yield* Effect.forkChild(ask(server, noting("call 1")), { startImmediately: true })
      yield* tell(server, casting("cast 2"))
      yield* send(server, "message 2")
      yield* ask(server, noting("call 2"))
      assert.strictEqual(call.pollUnsafe()?._tag, "Success")
      assert.deepStrictEqual(seen, [
        "cast 1",
        "cast 1",
        "message 1",
        "call 1",
        "call 1",
        "cast 2",
        "cast 2",
        "message 2",
        "call 2",
        "call 2"
      ])
    }).pipe(inNode))

  it.effect("GS-031 gets every other message: the server's own, Down, and Exit when it traps exits", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* listening(seen, { trapExit: true }).start()
      yield* send(server, "hello")
      yield* send(server, 42)
      yield* tell(server, (state) =>
        Effect.gen(function*() {
          yield* Process.monitor("nobody")
          yield* Process.spawnLink(() => Effect.void)
          return Step.noReply(state)
        }))
      yield* settle
      assert.deepStrictEqual(seen, ["hello", 42, "Down", "Exit"])
    }).pipe(inNode))

  it.effect("GS-032 GS-034 LG-021 without one a message is dropped, with a warning", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const server = yield* told().start({ name: "server" })
        yield* send(server, "hello")
        assert.strictEqual(yield* ask(server, (n) => Step.reply(n, n)), 0)
        assert.deepStrictEqual(lines.map(({ level, message: [title], report }) => [level, title, report]), [
          ["Warn", `test/Told server ${server.pid} got a message that it has no info callback for`, {
            pid: `${server.pid}`,
            name: "server",
            message: "hello"
          }]
        ])
      })
    ).pipe(inNode))
})

describe("a timeout", () => {
  it.effect("GS-037 brings a Timeout to info when no message comes in time", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* listening(seen).start()
      yield* tell(server, after("1 second"))
      yield* TestClock.adjust("999 millis")
      assert.deepStrictEqual(seen, [])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(seen, ["Timeout"])
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(seen, ["Timeout"])
    }).pipe(inNode))

  it.effect("GS-037 comes from init, a reply, a failure, info and continue as well", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const timeout = { timeout: "1 second" } as const
      const server = yield* told({
        init: () => GenServer.init(0, timeout),
        info: (state, message) => {
          seen.push(message._tag ?? message)
          return message === "again" ? Step.noReply(state, timeout) : Step.noReply(state)
        },
        continue: (state) => Step.noReply(state, timeout)
      }).start()
      const passes = Effect.andThen(settle, TestClock.adjust("1 second"))
      yield* passes
      yield* ask(server, (state) => Step.reply(0, state, timeout))
      yield* passes
      yield* Effect.ignore(ask(server, (state) => Step.fail(null as never, state, timeout)))
      yield* passes
      yield* send(server, "again")
      yield* passes
      yield* tell(server, (state) => Step.noReply(state, { continue: "next" }))
      yield* passes
      assert.deepStrictEqual(seen, ["Timeout", "Timeout", "Timeout", "again", "Timeout", "Timeout"])
    }).pipe(inNode))

  it.effect("GS-038 is cancelled by any message in time, and is not set again by itself", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* listening(seen).start()
      const others = [
        send(server, "message"),
        tell(server, (s) => Step.noReply(s)),
        ask(server, (s) => Step.reply(s, s))
      ]
      for (const other of others) {
        yield* tell(server, after("1 second"))
        yield* TestClock.adjust("999 millis")
        yield* other
        yield* TestClock.adjust("1 day")
      }
      assert.deepStrictEqual(seen, ["message"])
    }).pipe(inNode))

  it.effect("GS-038 is cancelled by a message that comes in the same instant, but first", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* listening(seen).start()
      yield* Process.sendAfter(server.pid, "message", "1 second")
      yield* tell(server, after("1 second"))
      yield* settle
      yield* TestClock.adjust("1 second")
      yield* settle
      assert.deepStrictEqual(seen, ["message"])
    }).pipe(inNode))

  it.effect("GS-039 of zero loses to a message that is waiting, and is gone", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* listening(seen).start()
      const gate = yield* Deferred.make<void>()
      yield* tell(server, (state) => Effect.as(Deferred.await(gate), Step.noReply(state, { timeout: 0 })))
      yield* send(server, "queued")
      yield* Deferred.succeed(gate, undefined)
      yield* settle
      assert.deepStrictEqual(seen, ["queued"])
    }).pipe(inNode))

  it.effect("of zero comes at once when nothing is waiting", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* listening(seen).start()
      yield* tell(server, after(0))
      yield* settle
      assert.deepStrictEqual(seen, ["Timeout"])
    }).pipe(inNode))

  it.effect("GS-077 that is infinite never comes", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* listening(seen).start()
      yield* tell(server, after("Infinity"))
      yield* TestClock.adjust("3650 days")
      assert.deepStrictEqual(seen, [])
    }).pipe(inNode))

  it.effect("without an info is nothing to warn of", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const server = yield* told().start()
        yield* tell(server, after("1 second"))
        yield* TestClock.adjust("1 second")
        yield* ask(server, (n) => Step.reply(n, n))
        assert.deepStrictEqual(lines, [])
      })
    ).pipe(inNode))

  it.effect("a message that somebody made to look like one is not a Timeout of the server", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* listening(seen).start()
      yield* tell(server, after("1 second"))
      yield* send(server, { _tag: "Timeout" })
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(seen, ["Timeout"])
    }).pipe(inNode))

  it.effect("GS-067 hibernate is accepted, and changes nothing", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      yield* tell(server, () => Step.noReply("state", { hibernate: true }))
      assert.strictEqual(yield* ask(server, (state) => Step.reply(state, state)), "state")
    }).pipe(inNode))

  it.effect("PR-030 a server that hibernates wakes on any message, and on its timeout", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* listening(seen, { init: () => GenServer.init("asleep", { hibernate: true }) }).start()
      const sleeping = { hibernate: true } as const
      assert.strictEqual(yield* ask(server, (state) => Step.reply(state, "again", sleeping)), "asleep")
      yield* send(server, "message")
      yield* settle
      assert.deepStrictEqual(seen, ["message"])
      yield* tell(server, (state) => Step.noReply(state, { ...sleeping, timeout: "1 second" }))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(seen, ["message", "Timeout"])
      assert.deepInclude(Option.getOrThrow(yield* Process.info(server.pid)), { status: "waiting", mailboxLength: 0 })
      assert.strictEqual(yield* ask(server, (state) => Step.reply(state, state)), "again")
    }).pipe(inNode))
})

describe("continue", () => {
  const noting = (seen: Array<unknown>, callbacks: Callbacks = {}) =>
    listening(seen, {
      continue: (state, term) => {
        seen.push(term)
        return Step.noReply(state)
      },
      ...callbacks
    })

  it.effect("GS-042 comes before messages that are queued already", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* noting(seen).start()
      const gate = yield* Deferred.make<void>()
      yield* tell(server, (state) => Effect.as(Deferred.await(gate), Step.noReply(state, { continue: "continue" })))
      yield* send(server, "queued")
      yield* Deferred.succeed(gate, undefined)
      yield* settle
      assert.deepStrictEqual(seen, ["continue", "queued"])
    }).pipe(inNode))

  it.effect("GS-043 from init comes before a message that init sent to itself; they can be chained", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = noting(seen, {
        init: () =>
          Effect.flatMap(Process.self, (pid) => Process.send(pid as Process.Pid<unknown>, "early")).pipe(
            Effect.as(GenServer.init(0, { continue: 3 }))
          ),
        continue: (state, n: number) => {
          seen.push(n)
          return n === 0 ? Effect.succeed(Step.noReply(state)) : Step.noReply(state, { continue: n - 1 })
        }
      })
      yield* Effect.tap(server.start(), () => Effect.sync(() => seen.push("started")))
      yield* settle
      assert.deepStrictEqual(seen, ["started", 3, 2, 1, 0, "early"])
    }).pipe(inNode))

  it.effect("GS-044 comes after the reply", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const server = yield* told({ continue: () => Effect.as(Deferred.await(gate), Step.noReply("continued")) }).start()
      assert.strictEqual(yield* ask(server, (state) => Step.reply("reply", state, { continue: 1 })), "reply")
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* ask(server, (state) => Step.reply(state, state)), "continued")
    }).pipe(inNode))

  it.effect("takes any term, undefined included", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* noting(seen).start()
      yield* tell(server, (state) => Step.noReply(state, { continue: undefined }))
      yield* settle
      assert.deepStrictEqual(seen, [undefined])
    }).pipe(inNode))

  it.effect("that is missing is a clear crash", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      yield* tell(server, (state) => Step.noReply(state, { continue: 1 }))
      assert.strictEqual(
        messageOf(yield* Process.awaitExit(server.pid)),
        "test/Told: a step continues, and there is no continue callback"
      )
    }).pipe(inNode))
})

describe("GS-024 what is no step crashes the server, and says which callback gave what", () => {
  const must = (callback: string, gave: string) =>
    `test/Told: ${callback} must give a Step, or an Effect of one; it gave ${gave}`

  it.effect("from a call", () =>
    Effect.gen(function*() {
      for (const order of [() => {}, () => Effect.void]) {
        const error = yield* callFails(ask(yield* told().start(), order), "ServerExited")
        assert.strictEqual(
          messageOf(error.reason.reason),
          must("the handler of ask", "undefined. Return Step.reply(value, state) from every branch")
        )
      }
      const state = yield* callFails(ask(yield* told().start(), () => ({ count: 1 })), "ServerExited")
      assert.strictEqual(messageOf(state.reason.reason), must("the handler of ask", `{"count":1}`))
    }).pipe(inNode))

  it.effect("from a cast, info and continue", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      yield* tell(server, (state) => Step.reply(1, state))
      assert.strictEqual(
        messageOf(yield* Process.awaitExit(server.pid)),
        must("the handler of tell", "Reply, and there is nobody to answer")
      )
      const informed = yield* told({ info: () => 1 }).start()
      yield* send(informed, "hello")
      assert.strictEqual(messageOf(yield* Process.awaitExit(informed.pid)), must("info", "1"))
      const continued = yield* told({ continue: () => null }).start()
      yield* tell(continued, (state) => Step.noReply(state, { continue: 1 }))
      assert.strictEqual(messageOf(yield* Process.awaitExit(continued.pid)), must("continue", "null"))
    }).pipe(inNode))
})
