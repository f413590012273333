import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Sys from "@effect-otp/core/Sys"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { asProcess, downOf, inNode } from "./utils/process.ts"
import { ask, type Callbacks, callFails, defectOf, logged, tell, Told, told } from "./utils/server.ts"

/** A server that notes the messages of `info`, and says when it hears nothing for a second. */
const listening = (seen: Array<unknown>, callbacks: Callbacks = {}) =>
  told({
    info: (state, message) => {
      seen.push(message._tag ?? message)
      return Step.noReply(state)
    },
    ...callbacks
  })

const noting = (seen: Array<unknown>, what: unknown) => (state: unknown) => {
  seen.push(what)
  return Step.reply(what, state)
}

const casting = (seen: Array<unknown>, what: unknown) => (state: unknown) => {
  seen.push(what)
  return Step.noReply(state)
}

const send = (server: { readonly pid: Process.Pid<unknown> }, message: unknown) => Process.send(server.pid, message)

const infoOf = (server: { readonly pid: Process.Pid<unknown> }) =>
  Effect.map(Process.info(server.pid), Option.getOrThrow)

const aSecond = (state: unknown) => Step.noReply(state, { timeout: "1 second" })

describe("a suspended server", () => {
  it.effect("SY-003 leaves calls, casts and messages in its mailbox, and runs them in order when it goes on", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* listening(seen).start()
      yield* tell(server, casting(seen, "before"))
      yield* Sys.suspend(server)
      assert.deepStrictEqual(seen, ["before"])
      yield* tell(server, casting(seen, "cast"))
      const call = yield* Effect.forkChild(ask(server, noting(seen, "call")), { startImmediately: true })
      yield* send(server, "message")
      assert.strictEqual((yield* Sys.getStatus(server)).status, "suspended")
      yield* settle
      assert.deepStrictEqual(seen, ["before"])
      assert.strictEqual((yield* infoOf(server)).mailboxLength, 3)
      yield* Sys.resume(server)
      assert.strictEqual(yield* Fiber.join(call), "call")
      yield* settle
      assert.deepStrictEqual(seen, ["before", "cast", "call", "message"])
    }).pipe(inNode))

  it.effect("SY-003 is suspended and goes on in the order of the mailbox", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* told().start()
      const asked = yield* Effect.forkChild(
        Effect.all([
          tell(server, casting(seen, 1)),
          Sys.suspend(server),
          tell(server, casting(seen, 2)),
          Sys.install(server, () => seen.push("event")),
          Sys.resume(server)
        ], { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      yield* Fiber.join(asked)
      yield* settle
      assert.deepStrictEqual(seen, [1, "event", 2, "event"])
    }).pipe(inNode))

  it.effect("SY-003 stops when it is told to", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* told({ terminate: (_, reason) => void seen.push(reason) }).start()
      yield* Sys.suspend(server)
      const call = yield* Effect.forkChild(callFails(ask(server, noting(seen, "call")), "ServerExited"), {
        startImmediately: true
      })
      yield* GenServer.stop(server)
      yield* Fiber.join(call)
      assert.deepStrictEqual(seen, [ExitReason.normal])
    }).pipe(inNode))

  it.effect("SY-003 ends with the process that has started it, and leaves the exits of others for later", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      let server: { readonly pid: Process.Pid<unknown> } | undefined
      const parent = yield* Process.spawn(() =>
        Effect.gen(function*() {
          server = yield* listening(seen, {
            trapExit: true,
            terminate: (_, reason) => void seen.push(reason)
          }).startLink().pipe(Effect.orDie)
          yield* Effect.never
        })
      )
      yield* settle
      yield* tell(server as never, (state) => Effect.as(Process.spawnLink(() => Effect.never), Step.noReply(state)))
      yield* Sys.suspend(server!.pid)
      const { links } = yield* infoOf(server!)
      const child = links.find((pid) => pid !== parent)!
      yield* Process.exit(child as Process.Pid<never>, ExitReason.custom("child"))
      yield* settle
      assert.strictEqual((yield* infoOf(server!)).mailboxLength, 1)
      assert.deepStrictEqual(seen, [])
      yield* Process.exit(parent, ExitReason.custom("parent"))
      assert.deepStrictEqual(yield* Process.awaitExit(server!.pid), ExitReason.custom("parent"))
      assert.deepStrictEqual(seen, [ExitReason.custom("parent")])
    }).pipe(inNode))

  it.effect("SY-003 is ended by an exit signal that it does not trap, and by a kill", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        for (const reason of [ExitReason.custom("bad"), ExitReason.kill]) {
          const server = yield* told().start()
          yield* Sys.suspend(server)
          yield* Process.exit(server.pid, reason)
          assert.deepStrictEqual(
            yield* downOf(self, server.pid),
            reason._tag === "Kill" ? ExitReason.noProcess : ExitReason.custom("bad")
          )
        }
      })
    ))

  it.effect("SY-004 is suspended once however often it is told to, and goes on at once", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* told().start()
      assert.isUndefined(yield* Sys.resume(server))
      assert.isUndefined(yield* Sys.suspend(server))
      yield* tell(server, casting(seen, "cast"))
      assert.isUndefined(yield* Sys.suspend(server))
      yield* settle
      assert.deepStrictEqual(seen, [])
      assert.isUndefined(yield* Sys.resume(server))
      assert.isUndefined(yield* Sys.resume(server))
      assert.deepStrictEqual(seen, ["cast"])
      assert.strictEqual((yield* Sys.getStatus(server)).status, "running")
    }).pipe(inNode))

  it.effect("SY-005 lets calls time out, and those never run", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      yield* Sys.suspend(server)
      const call = yield* Effect.forkChild(callFails(ask(server, () => assert.fail("it ran")), "Timeout"), {
        startImmediately: true
      })
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* Fiber.join(call)).reason.after, 5000)
      yield* Sys.resume(server)
      assert.strictEqual(yield* ask(server, (n) => Step.reply(n, n)), 0)
      assert.strictEqual((yield* Sys.getStatus(server)).skipped, 1)
    }).pipe(inNode))

  it.effect("can be suspended again with messages in its mailbox", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* told().start()
      yield* Sys.suspend(server)
      yield* tell(server, casting(seen, 1))
      yield* Sys.getState(server)
      yield* Sys.resume(server)
      yield* Sys.suspend(server)
      yield* tell(server, casting(seen, 2))
      yield* Sys.getState(server)
      assert.deepStrictEqual(seen, [1])
      yield* Sys.resume(server)
      yield* settle
      assert.deepStrictEqual(seen, [1, 2])
    }).pipe(inNode))

  it.effect("drops the oldest message of a full mailbox also when it has been looked at", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* listening(seen, { mailbox: { capacity: 2, policy: "dropOldest" } }).start()
      yield* Sys.suspend(server)
      for (let i = 0; i < 5; i++) {
        yield* send(server, i)
        assert.strictEqual(yield* Sys.getState(server), 0)
      }
      assert.deepInclude((yield* infoOf(server)).mailbox, { queued: 2, dropped: 3 })
      yield* Sys.resume(server)
      yield* settle
      assert.deepStrictEqual(seen, [3, 4])
    }).pipe(inNode))

  it.effect("holds the senders of a full mailbox, and goes on with all of them", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* listening(seen, { mailbox: { capacity: 1, policy: "suspend" } }).start()
      yield* Sys.suspend(server)
      yield* send(server, 1)
      const waiting = yield* Effect.forkChild(send(server, 2), { startImmediately: true })
      yield* settle
      assert.deepInclude((yield* infoOf(server)).mailbox, { queued: 1, suspended: 1 })
      yield* Sys.resume(server)
      yield* Fiber.join(waiting)
      yield* settle
      assert.deepStrictEqual(seen, [1, 2])
    }).pipe(inNode))
})

describe("the timeout of a step", () => {
  it.effect("GS-040 begins anew with each system request, and is not lost", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* listening(seen).start()
      yield* tell(server, aSecond)
      yield* settle
      for (let i = 0; i < 3; i++) {
        yield* TestClock.adjust("900 millis")
        yield* Sys.getState(server)
      }
      assert.deepStrictEqual(seen, [])
      yield* TestClock.adjust("999 millis")
      yield* settle
      assert.deepStrictEqual(seen, [])
      yield* TestClock.adjust("1 millis")
      yield* settle
      assert.deepStrictEqual(seen, ["Timeout"])
    }).pipe(inNode))

  it.effect("GS-040 does not pass while the server is suspended, and begins anew when it goes on", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* listening(seen).start()
      yield* tell(server, aSecond)
      yield* TestClock.adjust("900 millis")
      yield* Sys.suspend(server)
      yield* TestClock.adjust("1 day")
      yield* Sys.getState(server)
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(seen, [])
      yield* Sys.resume(server)
      yield* TestClock.adjust("999 millis")
      yield* settle
      assert.deepStrictEqual(seen, [])
      yield* TestClock.adjust("1 millis")
      yield* settle
      assert.deepStrictEqual(seen, ["Timeout"])
    }).pipe(inNode))

  it.effect("GS-040 is cancelled by a message that comes while the server is suspended", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* listening(seen).start()
      yield* tell(server, aSecond)
      yield* Sys.suspend(server)
      yield* send(server, "message")
      yield* Sys.resume(server)
      yield* TestClock.adjust("1 day")
      yield* settle
      assert.deepStrictEqual(seen, ["message"])
    }).pipe(inNode))

  it.effect("GS-040 of zero comes behind the system requests that wait", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* listening(seen).start()
      yield* Sys.suspend(server)
      yield* tell(server, (state) => Step.noReply(state, { timeout: 0 }))
      const asked = yield* Effect.forkChild(
        Effect.all([Sys.resume(server), Sys.replaceState(server, () => seen.push("system"))], {
          concurrency: "unbounded"
        }),
        { startImmediately: true }
      )
      yield* Fiber.join(asked)
      yield* settle
      assert.deepStrictEqual(seen, ["system", "Timeout"])
    }).pipe(inNode))
})

describe("changeCode", () => {
  class Prefix extends Context.Service<Prefix, string>()("test/Prefix") {}

  const increment = (n: number) => Step.noReply(n + 1)

  it.effect("GS-076 SY-016 of a server that is not suspended fails, and changes nothing", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const error = yield* Effect.flip(Sys.changeCode(server, told(), () => assert.fail("it ran")))
      assert.deepInclude(error, { _tag: "NotSuspended", target: `${server.pid}`, request: "changeCode" })
      assert.strictEqual(
        error.message,
        `changeCode needs ${server.pid} to be suspended first, with Sys.suspend`
      )
      assert.strictEqual(yield* Sys.getState(server), 0)
    }).pipe(inNode))

  it.effect("GS-076 gives another implementation the state that it needs, and the messages that wait", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* listening(seen).start()
      yield* tell(server, increment)
      yield* Sys.suspend(server)
      yield* send(server, "queued")
      const second = told({
        info: (state, message) => {
          seen.push([state, message])
          return Step.noReply(state)
        },
        formatStatus: () => "formatted by the second"
      })
      yield* Sys.changeCode(server, second, (count: number) => ({ count }))
      assert.deepStrictEqual(seen, [])
      yield* Sys.resume(server)
      assert.deepStrictEqual(yield* ask(server, (state) => Step.reply(state, state)), { count: 1 })
      assert.deepStrictEqual(seen, [[{ count: 1 }, "queued"]])
      assert.strictEqual((yield* Sys.getStatus(server)).state, "formatted by the second")
    }).pipe(inNode))

  it.effect("GS-076 with what throws changes nothing", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      yield* Sys.suspend(server)
      const second = told({ formatStatus: () => "second" })
      const error = yield* Effect.flip(Sys.changeCode(server, second, () => assert.fail("boom")))
      assert.deepInclude(error, { _tag: "CallbackFailed", request: "changeCode" })
      assert.deepInclude(yield* Sys.getStatus(server), { state: 0, status: "suspended" })
    }).pipe(inNode))

  it.effect("the services of the new implementation come from whoever asks, and its own go first", () =>
    asProcess(Effect.fnUntraced(function*() {
      for (const begun of [false, true]) {
        const server = yield* told().start()
        // The context of its callbacks may have been made already, or not.
        if (begun) yield* tell(server, (state) => Effect.succeed(Step.noReply(state)).pipe(Effect.tap(Effect.yieldNow)))
        yield* Sys.suspend(server)
        const second = Told.implement({
          init: () => 0,
          handlers: {
            ask: (state: unknown) =>
              Effect.gen(function*() {
                const self = yield* Process.self
                return Step.reply([yield* Prefix, `${self}`], state as number)
              }),
            tell: (state) => Step.noReply(state)
          }
        })
        yield* Sys.changeCode(server, second, (state: number) => state).pipe(Effect.provideService(Prefix, "prefix"))
        yield* Sys.resume(server)
        assert.deepStrictEqual(yield* server.ask(undefined), ["prefix", `${server.pid}`])
      }
    })))

  it.effect("to an implementation of another service, or to none, is a defect", () =>
    Effect.gen(function*() {
      class Other extends GenServer.Service<Other>()("test/Other", [GenServer.cast("tell")]) {
        static readonly server = this.implement({ init: () => 0, handlers: { tell: (n) => Step.noReply(n) } })
      }
      const server = yield* told().start()
      yield* Sys.suspend(server)
      const other = yield* defectOf(Sys.changeCode(server, Other.server, (n: number) => n))
      assert.strictEqual(other.message, "implementation: test/Other is not an implementation of test/Told")
      const none = yield* defectOf(Sys.changeCode(server, { start: () => Effect.void }, (n: number) => n))
      assert.match(none.message, /^implementation: expected what implement has given, got /)
      assert.strictEqual(yield* Sys.getState(server), 0)
    }).pipe(inNode))

  it.effect("does not outlive the server: a restart begins with what the supervisor was given", () =>
    logged(() =>
      Effect.gen(function*() {
        const client = yield* Told
        yield* Sys.suspend(client)
        yield* Sys.changeCode(client, told({ formatStatus: () => "second" }), (n: number) => n)
        assert.strictEqual((yield* Sys.getStatus(client)).state, "second")
        yield* Sys.terminate(client, ExitReason.custom("bad"))
        yield* settle
        assert.deepInclude(yield* Sys.getStatus(client), { state: 0, status: "running" })
      }).pipe(Effect.provide(told().layer()))
    ).pipe(inNode))
})
