import * as Action from "@effect-otp/core/Action"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import * as Sys from "@effect-otp/core/Sys"
import { settle } from "@effect-otp/core/testing"
import * as Transition from "@effect-otp/core/Transition"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { ask, type Callbacks, go, Machine, machine, type Payload, stay, tell, timersSet } from "./utils/machine.ts"
import { inNode } from "./utils/process.ts"
import { callFails, defectOf, logged, Refused } from "./utils/server.ts"

const started = Effect.fnUntraced(function*(callbacks: Callbacks = {}) {
  const seen: Array<unknown> = []
  return { seen, ref: yield* machine(seen, callbacks).start() }
})

const passes = (seconds: number) => Effect.andThen(settle, TestClock.adjust(`${seconds} seconds`))

const begin = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })

const replies = (value: unknown): Payload["in"] => (_, from) => Transition.keepAndData([Action.reply(from, value)])

describe("the event timeout", () => {
  it.effect("SM-029 is not cancelled by a system request, and does not begin anew", () =>
    Effect.gen(function*() {
      const { ref, seen } = yield* started()
      yield* tell(ref, stay(Action.eventTimeout("2 seconds", "late")), "set")
      yield* passes(1)
      yield* Sys.getState(ref)
      yield* Sys.replaceState(ref, ([state, data]: Pair) => [state, data + 1] as const)
      yield* Sys.suspend(ref)
      yield* Sys.resume(ref)
      assert.deepStrictEqual(seen, ["A set"])
      yield* passes(1)
      yield* settle
      assert.deepStrictEqual(seen, ["A set", ["A", "eventTimeout", "late"]])
    }).pipe(inNode))

  it.effect("SM-029 of zero is handled before a system request that waits", () =>
    Effect.gen(function*() {
      const { ref, seen } = yield* started()
      const asked = yield* begin(Effect.all([
        tell(ref, stay(Action.eventTimeout(0, "now")), "set"),
        Sys.replaceState(ref, (pair) => (seen.push("system"), pair))
      ], { concurrency: "unbounded" }))
      yield* Fiber.join(asked)
      assert.deepStrictEqual(seen, ["A set", ["A", "eventTimeout", "now"], "system"])
    }).pipe(inNode))
})

type Pair = readonly [state: string, data: number]

describe("getState and replaceState", () => {
  it.effect("SM-042 SY-017 show the state with its data, and take and give the pair", () =>
    Effect.gen(function*() {
      const { ref } = yield* started()
      assert.deepStrictEqual(yield* Sys.getState(ref), ["A", 0])
      yield* tell(ref, () => Transition.next("B", 7))
      assert.deepStrictEqual(yield* Sys.getState(ref), ["B", 7])
      const taken: Array<unknown> = []
      const given = yield* Sys.replaceState(ref, (pair: Pair): Pair => {
        taken.push(pair)
        return ["C", 8]
      })
      assert.deepStrictEqual([taken, given], [[["B", 7]], ["C", 8]])
      const where = (state: string): Payload["in"] => (data, from) =>
        Transition.keepAndData([Action.reply(from, [state, data])])
      assert.deepStrictEqual(yield* ask(ref, { B: where("B") as never, C: where("C") as never }), ["C", 8])
    }).pipe(inNode))

  it.effect("SM-042 replacing is no transition: nothing is entered or retried, and timeouts go on", () =>
    Effect.gen(function*() {
      const { ref, seen } = yield* started({ enter: () => Transition.keepAndData() })
      yield* tell(ref, { A: stay(Action.stateTimeout("1 second", 1), Action.postpone), B: stay() }, "postponed")
      yield* Sys.replaceState(ref, () => ["B", 5] as const)
      yield* settle
      assert.deepStrictEqual(seen, ["enter(A, A)", "A postponed"])
      yield* passes(1)
      yield* settle
      assert.deepStrictEqual(seen.slice(2), [["B", "stateTimeout", 1]])
      yield* tell(ref, go("C"), "go")
      yield* settle
      assert.deepStrictEqual(seen.slice(3), ["B go", "enter(B, C)", "C postponed"])
    }).pipe(inNode))

  it.effect.each<readonly [replace: () => unknown, message: string]>(
    [
      [() => ["nowhere", 0], "there is no state \"nowhere\""],
      [() => ["toString", 0], "there is no state \"toString\""],
      [() => ({ state: "B", data: 0 }), "expected [state, data], got {\"state\":\"B\",\"data\":0}"],
      [() => ["B"], "expected [state, data], got [\"B\"]"],
      [() => [["B"], 0], "expected [state, data], got [[\"B\"],0]"],
      [() => "AB", "expected [state, data], got \"AB\""]
    ]
  )(
    "SM-042 what is no state with its data is refused, and nothing has changed: %#",
    ([replace, message]) =>
      Effect.gen(function*() {
        const { ref } = yield* started()
        const error = yield* Effect.flip(Sys.replaceState(ref, replace as never))
        assert.strictEqual(error._tag, "CallbackFailed")
        const { cause } = error as { readonly cause: Cause.Cause<unknown> }
        assert.strictEqual((Cause.squash(cause) as Error).message, `test/Machine: ${message}`)
        assert.deepStrictEqual(yield* Sys.getState(ref), ["A", 0])
      }).pipe(inNode)
  )

  it.effect("getStatus shows state, data, and what is postponed", () =>
    Effect.gen(function*() {
      const { ref } = yield* started()
      const payload: Payload = { name: "postponed", in: stay(Action.postpone) }
      yield* ref.tell(payload)
      yield* Sys.suspend(ref)
      assert.deepInclude(yield* Sys.getStatus(ref), {
        server: "test/Machine",
        status: "suspended",
        state: { state: "A", data: 0, postponed: [{ cast: "tell", payload }], queued: [] }
      })
    }).pipe(inNode))
})

describe("a suspended machine", () => {
  it.effect("SM-043 handles no calls, casts or messages, and all of them in order when it goes on", () =>
    Effect.gen(function*() {
      const { ref, seen } = yield* started()
      yield* Sys.suspend(ref)
      const call = yield* begin(ask(ref, replies("answer"), "call"))
      yield* tell(ref, stay(), "cast")
      yield* Process.send(ref.pid, "message")
      yield* passes(3600)
      assert.deepStrictEqual([seen, call.pollUnsafe()], [[], undefined])
      assert.deepStrictEqual(yield* Sys.getState(ref), ["A", 0])
      yield* Sys.resume(ref)
      assert.strictEqual(yield* Fiber.join(call), "answer")
      yield* settle
      assert.deepStrictEqual(seen, ["A call", "A cast", ["A", "info", "message"]])
    }).pipe(inNode))

  it.effect("SM-043 has its timeouts run on, and handles them when it goes on, in the order of the mailbox", () =>
    Effect.gen(function*() {
      const { ref, seen } = yield* started()
      yield* tell(ref, stay(Action.stateTimeout("1 second", "s"), Action.timeout("one", "3 seconds", 1)), "set")
      yield* Sys.suspend(ref)
      yield* passes(2)
      yield* tell(ref, stay(), "cast")
      yield* passes(2)
      assert.deepStrictEqual(seen, ["A set"])
      yield* Sys.resume(ref)
      yield* settle
      assert.deepStrictEqual(seen, ["A set", ["A", "stateTimeout", "s"], "A cast", ["A", "one", 1]])
    }).pipe(inNode))

  it.effect("SM-043 a state timeout that has fired meanwhile is cancelled by a change of state before its turn", () =>
    Effect.gen(function*() {
      const { ref, seen } = yield* started()
      yield* tell(ref, stay(Action.stateTimeout("1 second")), "set")
      yield* Sys.suspend(ref)
      yield* tell(ref, go("B"), "go")
      yield* passes(5)
      yield* Sys.resume(ref)
      yield* settle
      assert.deepStrictEqual(seen, ["A set", "A go"])
      assert.isTrue(yield* Process.isAlive(ref.pid))
    }).pipe(inNode))

  it.effect("is suspended when all that an event has brought about is done", () =>
    Effect.gen(function*() {
      const { ref, seen } = yield* started({ enter: () => Transition.keepAndData() })
      yield* settle
      const asked = yield* begin(Effect.all([
        tell(ref, go("B", Action.nextEvent("own", { name: "inserted", in: stay(Action.timeout("one", 0, 1)) })), "go"),
        Sys.suspend(ref),
        tell(ref, stay(), "queued")
      ], { concurrency: "unbounded" }))
      yield* Fiber.join(asked)
      yield* settle
      assert.deepStrictEqual(seen, ["enter(A, A)", "A go", "enter(A, B)", "B inserted", ["B", "one", 1]])
    }).pipe(inNode))
})

describe("changeCode", () => {
  it.effect("GS-076 gives the state with its data to the migration, and the new callbacks what that gives", () =>
    Effect.gen(function*() {
      const { ref, seen } = yield* started()
      yield* tell(ref, stay(Action.stateTimeout("1 second", "kept")), "set")
      yield* Sys.suspend(ref)
      const second: Array<unknown> = []
      const other = machine(second, { terminate: (current) => void second.push(current) })
      const wrong = yield* Effect.flip(Sys.changeCode(ref, other, () => ["nowhere", 0]))
      assert.strictEqual(wrong._tag, "CallbackFailed")
      yield* Sys.changeCode(ref, other, ([state, data]: Pair) => [state === "A" ? "B" : state, data + 1])
      yield* Sys.resume(ref)
      yield* passes(1)
      yield* settle
      yield* Sys.terminate(ref, ExitReason.shutdown())
      assert.deepStrictEqual(yield* Process.awaitExit(ref.pid), ExitReason.shutdown())
      assert.deepStrictEqual([seen, second], [["A set"], [["B", "stateTimeout", "kept"], { state: "B", data: 1 }]])
    }).pipe(inNode))

  it.effect("to another machine is a defect", () =>
    Effect.gen(function*() {
      const { ref } = yield* started()
      yield* Sys.suspend(ref)
      const error = yield* defectOf(Sys.changeCode(ref, { start: () => Effect.void }, (pair) => pair))
      assert.match(error.message, /^implementation: expected what implement has given/)
    }).pipe(inNode))
})

describe("terminate", () => {
  it.effect("SY-014 ends a machine with the reason after its terminate, with what it had postponed, and its timers", () =>
    Effect.gen(function*() {
      for (const suspended of [false, true]) {
        const ended: Array<unknown> = []
        const { ref, seen } = yield* started({ terminate: (...given) => void ended.push(given) })
        yield* tell(
          ref,
          () => Transition.next("B", 3, [Action.stateTimeout("1 second"), Action.timeout("one", "1 day")])
        )
        const postponed = yield* begin(callFails(ask(ref, stay(Action.postpone)), "ServerExited"))
        if (suspended) yield* Sys.suspend(ref)
        const reason = ExitReason.shutdown("over")
        yield* Sys.terminate(ref, reason)
        assert.deepStrictEqual(yield* Process.awaitExit(ref.pid), reason)
        assert.deepStrictEqual((yield* Fiber.join(postponed)).reason.reason, reason)
        assert.deepStrictEqual(ended, [[{ state: "B", data: 3 }, reason]])
        assert.strictEqual(yield* timersSet, 0)
        yield* passes(5)
        assert.deepStrictEqual(seen, ["A tell", "B ask"])
      }
    }).pipe(inNode))
})

describe("events", () => {
  const told = (payload: Payload): Sys.Event => ({
    _tag: "In",
    message: { _tag: "Cast", request: "tell", payload }
  })
  const asked = (payload: Payload): Sys.Event => ({
    _tag: "In",
    message: { _tag: "Call", request: "ask", payload, from: undefined }
  })
  const out = (reply: Exit.Exit<unknown, unknown>, state: string, data: number): Sys.Event => ({
    _tag: "Out",
    request: "ask",
    reply,
    to: undefined,
    state: [state, data]
  })
  const now = (state: string, data: number): Sys.Event => ({ _tag: "State", state: [state, data] })

  it.effect("each message, each reply, and the state with its data behind them", () =>
    Effect.gen(function*() {
      const { ref } = yield* started()
      const events: Array<Sys.Event> = []
      yield* Sys.install(ref, (event) => events.push(event))
      const some = Effect.sync(() => events.splice(0))
      const goes: Payload = { name: "go", in: () => Transition.next("B", 1) }
      yield* ref.tell(goes)
      yield* settle
      assert.deepStrictEqual(yield* some, [told(goes), now("B", 1)])
      const answers: Payload = { name: "ask", in: (_, from) => Transition.next("C", 2, [Action.reply(from, "yes")]) }
      assert.strictEqual(yield* ref.ask(answers), "yes")
      assert.deepStrictEqual(yield* some, [asked(answers), out(Exit.succeed("yes"), "C", 2), now("C", 2)])
      const refuses: Payload = { name: "ask", in: () => Effect.fail(new Refused()) }
      yield* Effect.flip(ref.ask(refuses))
      assert.deepStrictEqual(yield* some, [asked(refuses), out(Exit.fail(new Refused()), "C", 2), now("C", 2)])
      const last: Payload = {
        name: "ask",
        in: (_, from) => Transition.stopAndReply(ExitReason.normal, [Action.reply(from, "bye")])
      }
      assert.strictEqual(yield* ref.ask(last), "bye")
      assert.deepStrictEqual(yield* some, [asked(last), out(Exit.succeed("bye"), "C", 2)])
    }).pipe(inNode))

  it.effect("inserted events continue, and a timeout is a message", () =>
    Effect.gen(function*() {
      const { ref } = yield* started()
      yield* Sys.log(ref, true)
      const own: Payload = { name: "inserted", in: stay() }
      const sets: Payload = { name: "set", in: stay(Action.nextEvent("own", own), Action.timeout("one", "1 second")) }
      yield* ref.tell(sets)
      yield* passes(1)
      yield* settle
      const log = yield* Sys.getLog(ref)
      assert.deepStrictEqual(log.slice(0, 4), [
        told(sets),
        now("A", 0),
        { _tag: "Continue", term: { internal: "own", payload: own } },
        now("A", 0)
      ])
      const [fired, after, ...rest] = log.slice(4) as [any, ...Array<unknown>]
      assert.deepStrictEqual([fired._tag, fired.message.message.timeout, after, rest], ["In", "one", now("A", 0), []])
    }).pipe(inNode))

  it.effect("statistics count messages and replies", () =>
    Effect.gen(function*() {
      const { ref } = yield* started()
      yield* Sys.statistics(ref, true)
      yield* ask(ref, replies(1))
      yield* tell(ref, go("B"))
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual(
        yield* Sys.getStatistics(ref),
        Option.some({ elapsed: Duration.seconds(3), messagesIn: 2, messagesOut: 1, skipped: 0 })
      )
    }).pipe(inNode))

  it.effect("trace logs each of them, until it is turned off", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const { ref } = yield* started()
        yield* Sys.trace(ref, true)
        yield* ask(ref, replies("yes"))
        yield* Sys.trace(ref, false)
        yield* ask(ref, replies("no"))
        const title = `test/Machine ${ref.pid}`
        assert.deepStrictEqual(lines.map(({ level, message, report }) => [level, ...message, report.event._tag]), [
          ["Info", title, "In"],
          ["Info", title, "Out"],
          ["Info", title, "State"]
        ])
      })
    ).pipe(inNode))

  it.effect("a machine of a tree is reached by its client", () =>
    Effect.gen(function*() {
      const client = yield* Machine
      yield* tell(client, go("B"))
      assert.deepStrictEqual(yield* Sys.getState(client), ["B", 0])
    }).pipe(Effect.provide(machine([]).layer()), inNode))
})
