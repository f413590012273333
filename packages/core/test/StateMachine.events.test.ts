import * as Action from "@effect-otp/core/Action"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import { settle } from "@effect-otp/core/testing"
import * as Transition from "@effect-otp/core/Transition"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { ask, go, hold, machine, stay, tell } from "./utils/machine.ts"
import { inNode } from "./utils/process.ts"
import { callFails, logged, messageOf } from "./utils/server.ts"

const own = (name: string, todo: any = stay()) => Action.nextEvent("own", { name, in: todo })

describe("events", () => {
  it.effect("SM-004 each kind has its callback: call, cast, info, the timeouts, internal, enter", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const ref = yield* machine(seen, { enter: () => Transition.keepAndData() }).start()
      yield* ask(ref, (_, from) => Transition.keepAndData([Action.reply(from, 1)]), "call")
      yield* tell(
        ref,
        stay(
          own("internal"),
          Action.stateTimeout("2 seconds", "s"),
          Action.timeout("one", "3 seconds", "n"),
          Action.eventTimeout("1 second", "e")
        ),
        "cast"
      )
      yield* settle
      yield* tell(ref, stay(Action.eventTimeout("1 second", "e")), "cast")
      yield* settle
      yield* TestClock.adjust("3 seconds")
      yield* Process.send(ref.pid, "hello")
      yield* settle
      assert.deepStrictEqual(seen, [
        "enter(A, A)",
        "A call",
        "A cast",
        "A internal",
        "A cast",
        ["A", "eventTimeout", "e"],
        ["A", "stateTimeout", "s"],
        ["A", "one", "n"],
        ["A", "info", "hello"]
      ])
    }).pipe(inNode))

  it.effect("SM-009 next events come before queued messages, in the listed order", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const ref = yield* machine(seen).start()
      const release = yield* hold(ref, stay(own("a"), own("b")))
      yield* tell(ref, stay(), "queued")
      yield* release
      yield* settle
      assert.deepStrictEqual(seen, ["A hold", "A a", "A b", "A queued"])
    }).pipe(inNode))

  it.effect("SM-010 those that one callback inserts come before those inserted earlier", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const ref = yield* machine(seen).start()
      yield* tell(ref, stay(own("a", stay(own("a1"))), own("b")), "first")
      yield* settle
      assert.deepStrictEqual(seen, ["A first", "A a", "A a1", "A b"])
    }).pipe(inNode))

  it.effect("a cast of the protocol can be inserted, a call and what is no event cannot", () =>
    logged(() =>
      Effect.gen(function*() {
        const seen: Array<unknown> = []
        const ref = yield* machine(seen).start()
        yield* tell(ref, stay(Action.nextEvent("tell", { name: "inserted", in: stay() })), "first")
        yield* settle
        assert.deepStrictEqual(seen, ["A first", "A inserted"])
        for (const name of ["ask", "nothing", "constructor", "enter"]) {
          const other = yield* machine([]).start()
          yield* tell(other, stay(Action.nextEvent(name)))
          const reason = yield* Process.awaitExit(other.pid)
          assert.include(messageOf(reason), `nextEvent: no event is named "${name}"`)
        }
      })
    ).pipe(inNode))
})

describe("postpone", () => {
  it.effect("SM-011 keeps events until the state changes, and retries them in order before later ones", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const ref = yield* machine(seen).start()
      const later = { A: stay(Action.postpone), B: stay() }
      yield* tell(ref, later, "1")
      yield* tell(ref, later, "2")
      yield* settle
      const release = yield* hold(ref, go("B", own("inserted")))
      yield* tell(ref, later, "later")
      yield* release
      yield* settle
      assert.deepStrictEqual(seen, ["A 1", "A 2", "A hold", "B inserted", "B 1", "B 2", "B later"])
    }).pipe(inNode))

  it.effect("SM-012 going to the same state, keeping or repeating it retries nothing", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const ref = yield* machine(seen, { enter: () => Transition.keepAndData() }).start()
      yield* tell(ref, stay(Action.postpone), "postponed")
      yield* tell(ref, go("A"), "same")
      yield* tell(ref, () => Transition.keep(1), "keep")
      yield* tell(ref, () => Transition.repeat(2), "repeat")
      yield* tell(ref, () => Transition.repeatAndData(), "repeat")
      yield* settle
      const expected = [
        "enter(A, A)",
        "A postponed",
        "A same",
        "A keep",
        "A repeat",
        "enter(A, A)",
        "A repeat",
        "enter(A, A)"
      ]
      assert.deepStrictEqual(seen, expected)
      yield* tell(ref, go("B"), "change")
      yield* settle
      assert.deepStrictEqual(seen, [...expected, "A change", "enter(A, B)", "B postponed"])
    }).pipe(inNode))

  it.effect("SM-016 an event may be postponed again, and is retried at each change", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const ref = yield* machine(seen).start()
      yield* tell(ref, { A: stay(Action.postpone), B: stay(Action.postpone), C: stay() }, "1")
      yield* tell(ref, go("B"), "to B")
      yield* tell(ref, go("C"), "to C")
      yield* settle
      assert.deepStrictEqual(seen, ["A 1", "A to B", "B 1", "B to C", "C 1"])
    }).pipe(inNode))

  it.effect("a message and a timeout can be postponed as well", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      let postpones = true
      const ref = yield* machine(seen, {
        answers: () => Transition.keepAndData(postpones ? [Action.postpone] : [])
      }).start()
      yield* Process.send(ref.pid, "hello")
      yield* tell(ref, stay(Action.stateTimeout(0, "late")))
      yield* settle
      postpones = false
      yield* tell(ref, go("B"))
      yield* settle
      assert.deepStrictEqual(seen.slice(-2), [["B", "info", "hello"], ["B", "stateTimeout", "late"]])
    }).pipe(inNode))

  it.effect("a postponed call is answered after the change", () =>
    Effect.gen(function*() {
      const ref = yield* machine([]).start()
      const call = yield* Effect.forkChild(
        ask(ref, { A: stay(Action.postpone), B: (_, from) => Transition.keepAndData([Action.reply(from, "open")]) }),
        { startImmediately: true }
      )
      yield* settle
      yield* tell(ref, go("B"))
      assert.strictEqual(yield* Fiber.join(call), "open")
    }).pipe(inNode))

  it.effect("a postponed call whose caller has given up is forgotten, and one that was answered is retried", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const ref = yield* machine(seen).start()
      const gone = yield* Effect.forkChild(ask(ref, stay(Action.postpone), "gone"), { startImmediately: true })
      yield* settle
      yield* Fiber.interrupt(gone)
      const answer = yield* ask(ref, {
        A: (_, from) => Transition.keepAndData([Action.reply(from, "queued"), Action.postpone])
      }, "answered")
      assert.strictEqual(answer, "queued")
      yield* tell(ref, go("B"), "change")
      yield* settle
      assert.deepStrictEqual(seen, ["A gone", "A answered", "A change", "B answered"])
    }).pipe(inNode))

  it.effect("SM-048 with a stop has no effect: a caller hears that the machine has ended", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const ref = yield* machine(seen).start()
      const call = yield* Effect.forkChild(Effect.flip(ask(ref, stay(Action.postpone))), { startImmediately: true })
      yield* settle
      yield* tell(ref, () => Transition.stop(), "stop")
      const error = yield* Fiber.join(call)
      assert.strictEqual(error._tag === "CallError" && error.reason._tag, "ServerExited")
      assert.deepStrictEqual(seen, ["A ask", "A stop"])
    }).pipe(inNode))

  it.effect("SM-049 what is postponed is in the report of a crash", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const ref = yield* machine([]).start()
        const payload = { name: "first", in: stay(Action.postpone) }
        yield* tell(ref, payload.in, payload.name)
        const call = yield* Effect.forkChild(Effect.exit(ask(ref, payload.in, "second")), { startImmediately: true })
        yield* settle
        yield* Effect.exit(ask(ref, () => Effect.die("boom")))
        yield* Fiber.await(call)
        const { state } = lines[0].report
        assert.deepStrictEqual([state.state, state.data, state.queued], ["A", 0, []])
        assert.deepStrictEqual(
          state.postponed.map(({ call, cast, payload }: any) => [call, cast, payload.name]),
          [[undefined, "tell", "first"], ["ask", undefined, "second"]]
        )
      })
    ).pipe(inNode))
})

describe("enter calls", () => {
  const keeps = () => Transition.keepAndData()

  it.effect("SM-031 come at the start with the state itself, and on every change with the one before", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const ref = yield* machine(seen, { enter: keeps }).start()
      yield* tell(ref, go("B", own("inserted")), "change")
      yield* settle
      assert.deepStrictEqual(seen, ["enter(A, A)", "A change", "enter(A, B)", "B inserted"])
    }).pipe(inNode))

  it.effect("SM-031 the first comes when start has answered, and before any message", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const ref = yield* machine(seen, { enter: keeps }).start()
      yield* tell(ref, stay(), "first")
      yield* settle
      assert.deepStrictEqual(seen, ["enter(A, A)", "A first"])
    }).pipe(inNode))

  it.effect("SM-032 going to the same state gives none, repeating gives one with the state itself", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const ref = yield* machine(seen, { enter: keeps }).start()
      yield* tell(ref, go("A"), "same")
      yield* tell(ref, () => Transition.repeatAndData(), "repeat")
      yield* settle
      assert.deepStrictEqual(seen, ["enter(A, A)", "A same", "A repeat", "enter(A, A)"])
    }).pipe(inNode))

  it.effect.each(
    [
      ["to another state", () => Transition.next("C", 0), `the enter call of "B" goes to "C"; it has to stay`],
      ["to postpone", () => Transition.keepAndData([Action.postpone]), "no action for an enter call: Postpone"],
      ["to insert", () => Transition.keepAndData([own("x")]), "no action for an enter call: NextEvent"]
    ] as const
  )(
    "SM-017 SM-033 one that wants %s crashes the machine",
    ([_, enter, message]) =>
      logged(() =>
        Effect.gen(function*() {
          const ended: Array<unknown> = []
          const ref = yield* machine([], {
            enter: (state) => state === "B" ? enter() : keeps(),
            terminate: (current) => void ended.push(current)
          }).start()
          yield* tell(ref, () => Transition.next("B", 1))
          assert.strictEqual(messageOf(yield* Process.awaitExit(ref.pid)), `test/Machine: ${message}`)
          // As in OTP, the transition has not come about.
          assert.deepStrictEqual(ended, [{ state: "A", data: 0 }])
        })
      ).pipe(inNode)
  )

  it.effect("SM-033 one may answer, set timeouts, change the data and stop", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      let from: any
      const ended: Array<unknown> = []
      const ref = yield* machine(seen, {
        enter: (state) => {
          if (state === "B") {
            return Transition.keep(7, [Action.reply(from, "entered"), Action.stateTimeout("1 second", 1)])
          }
          return state === "C" ? Transition.stop(ExitReason.shutdown("C"), 8) : keeps()
        },
        terminate: (current) => void ended.push(current)
      }).start()
      const call = ask(ref, (_, caller) => {
        from = caller
        return Transition.next("B", 0)
      })
      assert.strictEqual(yield* call, "entered")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(seen.slice(-1), [["B", "stateTimeout", 1]])
      assert.strictEqual(yield* ask(ref, (n, from) => Transition.keepAndData([Action.reply(from, n)])), 7)
      yield* tell(ref, go("C"))
      assert.deepStrictEqual(yield* Process.awaitExit(ref.pid), ExitReason.shutdown("C"))
      assert.deepStrictEqual(ended, [{ state: "C", data: 8 }])
    }).pipe(inNode))

  it.effect("SM-034 one that repeats is repeated, with the same state before", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const ref = yield* machine(seen, {
        enter: (state, _, n) => state === "B" && n < 2 ? Transition.repeat(n + 1) : keeps()
      }).start()
      yield* tell(ref, go("B"), "change")
      yield* settle
      assert.deepStrictEqual(seen, ["enter(A, A)", "A change", "enter(A, B)", "enter(A, B)", "enter(A, B)"])
    }).pipe(inNode))

  it.effect("SM-035 without them repeating is keeping", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const ref = yield* machine(seen).start()
      yield* tell(ref, stay(Action.postpone, Action.stateTimeout("1 second", 1)), "1")
      yield* tell(ref, () => Transition.repeat(5), "repeat")
      const n = yield* ask(ref, (n, from) => Transition.keepAndData([Action.reply(from, n)]), "ask")
      assert.strictEqual(n, 5)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(seen, ["A 1", "A repeat", "A ask", ["A", "stateTimeout", 1]])
    }).pipe(inNode))

  it.effect("one that gives an Effect that crashes leaves the state from before the transition", () =>
    logged(() =>
      Effect.gen(function*() {
        const ended: Array<unknown> = []
        const ref = yield* machine([], {
          enter: (state) => state === "B" ? Effect.die(new Error("boom")) : keeps(),
          terminate: (current) => void ended.push(current)
        }).start()
        yield* callFails(ask(ref, () => Transition.next("B", 1)), "ServerExited")
        assert.deepStrictEqual(ended, [{ state: "A", data: 0 }])
      })
    ).pipe(inNode))
})
