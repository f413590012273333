import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Sys from "@effect-otp/core/Sys"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { asProcess, inNode } from "./utils/process.ts"
import { ask, callFails, defectOf, logged, type Ref, Refused, tell, told } from "./utils/server.ts"

const increment = (n: number) => Step.noReply(n + 1)
const value = (n: number) => Step.reply(n, n)
const crash = () => Effect.die("boom")

const cast = (payload: unknown): Sys.Event => ({ _tag: "In", message: { _tag: "Cast", request: "tell", payload } })
const info = (message: unknown): Sys.Event => ({ _tag: "In", message: { _tag: "Info", message } })
const call = (payload: unknown, from?: Process.Pid<never>): Sys.Event => ({
  _tag: "In",
  message: { _tag: "Call", request: "ask", payload, from }
})
const state = (state: unknown): Sys.Event => ({ _tag: "State", state })
const out = (reply: Exit.Exit<unknown, unknown>, state: unknown, to?: Process.Pid<never>): Sys.Event => ({
  _tag: "Out",
  request: "ask",
  reply,
  to,
  state
})

const counting = (server: Ref, times: number) => Effect.replicateEffect(tell(server, increment), times)

const statesOf = (events: ReadonlyArray<Sys.Event>) =>
  events.flatMap((event) => event._tag === "State" ? [event.state] : [])

describe("install", () => {
  it.effect("SY-012 has each event told, until it says done", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const server = yield* told({ info: increment }).start()
        const events: Array<Sys.Event> = []
        yield* Sys.install(server, (event) => events.push(event) === 6 ? "done" : undefined)
        yield* ask(server, value)
        yield* tell(server, increment)
        yield* Process.send(server.pid, "message")
        yield* counting(server, 3)
        yield* settle
        assert.deepStrictEqual(events, [
          call(value, self.pid),
          out(Exit.succeed(0), 0, self.pid),
          cast(increment),
          state(1),
          info("message"),
          state(2)
        ])
      })
    ))

  it.effect("SY-012 is removed when it throws, with a warning, and nothing else is harmed", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const server = yield* told().start()
        const events: Array<Sys.Event> = []
        const boom = new Error("boom")
        let thrown = 0
        yield* Sys.install(server, () => {
          thrown++
          throw boom
        })
        yield* Sys.install(server, (event) => events.push(event))
        assert.strictEqual(yield* ask(server, value), 0)
        assert.strictEqual(yield* ask(server, value), 0)
        assert.strictEqual(thrown, 1)
        assert.lengthOf(events, 4)
        assert.deepStrictEqual(lines.map(({ cause, level, message }) => [level, message, cause]), [
          ["Warn", [`what Sys.install gave to ${server.pid} has thrown, and is removed`], Cause.die(boom)]
        ])
      })
    ).pipe(inNode))

  it.effect("is done once for one function, and undone by remove", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      let heard = 0
      const listener = () => {
        heard++
      }
      yield* Sys.remove(server, listener)
      yield* Sys.install(server, listener)
      yield* Sys.install(server, listener)
      yield* tell(server, increment)
      yield* Sys.remove(server, () => {})
      yield* tell(server, increment)
      yield* Sys.remove(server, listener)
      yield* tell(server, increment)
      yield* Sys.getState(server)
      assert.strictEqual(heard, 4)
    }).pipe(inNode))

  it.effect("is told of errors, of continue, of timeouts, and of an answer after terminate", () =>
    Effect.gen(function*() {
      const server = yield* told({
        info: (n) => Step.noReply(n),
        continue: (n, term) => Step.noReply(n + term)
      }).start()
      const events: Array<Sys.Event> = []
      yield* Sys.install(server, (event) => events.push(event))
      const told_ = Effect.sync(() => events.splice(0))
      const fails = () => Effect.fail(new Refused())
      yield* Effect.flip(ask(server, fails))
      assert.deepStrictEqual(yield* told_, [call(fails), out(Exit.fail(new Refused()), 0)])
      const failsOn = (n: number) => Step.fail(new Refused(), n + 1)
      yield* Effect.flip(ask(server, failsOn))
      assert.deepStrictEqual(yield* told_, [call(failsOn), out(Exit.fail(new Refused()), 1)])
      const later = (n: number, from: GenServer.From<unknown>) =>
        Effect.as(GenServer.reply(from, "later"), Step.noReply(n))
      yield* ask(server, later)
      yield* settle
      assert.deepStrictEqual(yield* told_, [call(later), state(1)])
      const goesOn = (n: number) => Step.noReply(n, { continue: 10 })
      yield* tell(server, goesOn)
      yield* settle
      assert.deepStrictEqual(yield* told_, [cast(goesOn), state(1), { _tag: "Continue", term: 10 }, state(11)])
      const waits = (n: number) => Step.noReply(n, { timeout: "1 second" })
      yield* tell(server, waits)
      yield* TestClock.adjust("1 second")
      yield* settle
      const [first, second, third, fourth] = yield* told_
      assert.deepStrictEqual([first, second, fourth], [cast(waits), state(11), state(11)])
      assert.deepInclude(third, { _tag: "In" })
      const ends = (n: number) => Step.replyAndStop("bye", ExitReason.normal, n)
      assert.strictEqual(yield* ask(server, ends), "bye")
      assert.deepStrictEqual(yield* told_, [call(ends), out(Exit.succeed("bye"), 11)])
    }).pipe(inNode))

  it.effect("hears nothing of system requests, nor of a request that is skipped", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const events: Array<Sys.Event> = []
      yield* Sys.install(server, (event) => events.push(event))
      yield* Sys.suspend(server)
      const call = yield* Effect.forkChild(callFails(ask(server, value), "Timeout"), { startImmediately: true })
      yield* TestClock.adjust("5 seconds")
      yield* Sys.resume(server)
      yield* Sys.getState(server)
      assert.strictEqual(call.pollUnsafe()?._tag, "Success")
      assert.deepStrictEqual(events, [])
    }).pipe(inNode))

  it.effect("that ends the server with a signal: the message is not handled, and its caller is told", () =>
    logged(() =>
      Effect.gen(function*() {
        const context = yield* Effect.context()
        const bad = ExitReason.custom("bad")
        const runs: Array<unknown> = []
        for (const reason of [bad, ExitReason.kill]) {
          for (const request of ["ask", "tell"] as const) {
            const server = yield* told().start()
            yield* Sys.install(server, () => Effect.runSyncWith(context)(Process.exit(server.pid, reason)))
            const order = (n: number) => {
              runs.push(request)
              return Step.reply(n, n)
            }
            if (request === "tell") yield* tell(server, order)
            else yield* callFails(ask(server, order), "ServerExited")
            yield* settle
            assert.isFalse(yield* Process.isAlive(server.pid))
          }
        }
        assert.deepStrictEqual(runs, [])
      })
    ).pipe(inNode))

  it.effect("that ends the server with a signal before it continues: it does not", () =>
    Effect.gen(function*() {
      const context = yield* Effect.context()
      const server = yield* told({ continue: () => assert.fail("it continued") }).start()
      const bad = ExitReason.custom("bad")
      yield* Sys.install(server, ({ _tag }) =>
        _tag === "Continue" && Effect.runSyncWith(context)(Process.exit(server.pid, bad)))
      yield* tell(server, (n) =>
        Step.noReply(n, { continue: 1 }))
      assert.deepStrictEqual(yield* Process.awaitExit(server.pid), bad)
    }).pipe(inNode))

  it.effect("is shown the state as it is shown, and survives when that cannot be shown", () =>
    Effect.gen(function*() {
      const shown = (n: number) => n === 2 ? assert.fail("not shown") : `shown ${n}`
      const server = yield* told({ shown } as never).start()
      yield* Sys.log(server, true)
      yield* counting(server, 3)
      assert.deepStrictEqual(statesOf(yield* Sys.getLog(server)), ["shown 1", "shown crashed", "shown 3"])
    }).pipe(inNode))
})

describe("log", () => {
  it.effect("SY-010 keeps the last ten events, in order", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      assert.deepStrictEqual(yield* Sys.getLog(server), [])
      yield* Sys.log(server, true)
      assert.deepStrictEqual(yield* Sys.getLog(server), [])
      yield* counting(server, 7)
      const log = yield* Sys.getLog(server)
      assert.deepStrictEqual(log, [3, 4, 5, 6, 7].flatMap((n) => [cast(increment), state(n)]))
      assert.deepStrictEqual((yield* Sys.getStatus(server)).log, log)
    }).pipe(inNode))

  it.effect("SY-010 keeps as many as it is told to, and another number changes nothing while it is on", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      yield* Sys.log(server, { last: 2 })
      yield* Sys.log(server, { last: 5 })
      yield* Sys.log(server, true)
      yield* counting(server, 3)
      assert.deepStrictEqual(yield* Sys.getLog(server), [cast(increment), state(3)])
      yield* Sys.log(server, false)
      assert.deepStrictEqual(yield* Sys.getLog(server), [])
      yield* Sys.log(server, { last: 3 })
      yield* counting(server, 3)
      assert.deepStrictEqual(yield* Sys.getLog(server), [state(5), cast(increment), state(6)])
    }).pipe(inNode))

  it.effect("gives what was kept then, and not what comes later", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      yield* Sys.log(server, true)
      const before = yield* Sys.getLog(server)
      yield* counting(server, 1)
      yield* Sys.getState(server)
      assert.deepStrictEqual(before, [])
    }).pipe(inNode))

  it.effect("of a number that makes no sense is a defect", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      for (const last of [0, -1, 1.5, NaN]) {
        assert.match((yield* defectOf(Sys.log(server, { last }))).message, /^last: expected /)
      }
    }).pipe(inNode))

  it.effect("LG-015 is part of the report when the server crashes", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const server = yield* told().start()
        yield* Sys.log(server, { last: 3 })
        yield* tell(server, increment)
        yield* tell(server, crash)
        const silent = yield* told().start()
        yield* tell(silent, crash)
        yield* settle
        const [report, other] = lines.map(({ report }) => report)
        const payload = (name: string) => `[Function: ${name}]`
        assert.deepStrictEqual(report.log, [cast(payload("increment")), state(1), cast(payload("crash"))])
        assert.notProperty(other, "log")
      })
    ).pipe(inNode))
})

describe("statistics", () => {
  it.effect("counts what comes in and what is answered, and for how long", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      assert.deepStrictEqual(yield* Sys.getStatistics(server), Option.none())
      yield* counting(server, 1)
      yield* Sys.statistics(server, true)
      yield* counting(server, 2)
      yield* ask(server, value)
      yield* TestClock.adjust("3 seconds")
      yield* Sys.statistics(server, true)
      assert.deepStrictEqual(
        yield* Sys.getStatistics(server),
        Option.some({ elapsed: Duration.seconds(3), messagesIn: 3, messagesOut: 1, skipped: 0 })
      )
      yield* Sys.statistics(server, false)
      assert.deepStrictEqual(yield* Sys.getStatistics(server), Option.none())
    }).pipe(inNode))
})

describe("trace", () => {
  it.effect("logs each event, until it is turned off", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const server = yield* told().start({ name: "server" })
        yield* Sys.trace(server, true)
        yield* tell(server, increment)
        yield* Sys.trace(server, false)
        yield* tell(server, increment)
        yield* Sys.getState(server)
        const title = `test/Told server ${server.pid}`
        assert.deepStrictEqual(lines.map(({ level, message, report }) => [level, ...message, report.event]), [
          ["Info", title, cast("[Function: increment]")],
          ["Info", title, state(1)]
        ])
      })
    ).pipe(inNode))
})

describe("noDebug", () => {
  it.effect("SY-018 removes everything that listens, and leaves a suspended server suspended", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const server = yield* told().start()
        let heard = 0
        yield* Sys.log(server, true)
        yield* Sys.statistics(server, true)
        yield* Sys.trace(server, true)
        yield* Sys.install(server, () => heard++)
        yield* Sys.suspend(server)
        yield* Sys.noDebug(server)
        yield* tell(server, increment)
        assert.strictEqual((yield* Sys.getStatus(server)).status, "suspended")
        yield* Sys.resume(server)
        assert.strictEqual(yield* Sys.getState(server), 1)
        assert.deepStrictEqual(
          [heard, lines, yield* Sys.getLog(server), yield* Sys.getStatistics(server)],
          [0, [], [], Option.none()]
        )
      })
    ).pipe(inNode))
})
