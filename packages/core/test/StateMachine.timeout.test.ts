import * as Action from "@effect-otp/core/Action"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import { settle } from "@effect-otp/core/testing"
import * as Transition from "@effect-otp/core/Transition"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { go, hold, machine, stay, tell, timersSet } from "./utils/machine.ts"
import { inNode } from "./utils/process.ts"
import { defectOf } from "./utils/server.ts"

const own = (name: string, todo: any = stay()) => Action.nextEvent("own", { name, in: todo })

/** A machine, and what its timeouts were, each with its state. */
const timed = Effect.gen(function*() {
  const seen: Array<unknown> = []
  const ref = yield* machine(seen).start()
  return { ref, seen, fired: () => seen.filter((what) => typeof what !== "string") }
})

const passes = (seconds: number) => Effect.andThen(settle, TestClock.adjust(`${seconds} seconds`))

describe("the state timeout", () => {
  it.effect("SM-018 is cancelled by a change of state, and by nothing else", () =>
    Effect.gen(function*() {
      const { fired, ref } = yield* timed
      yield* tell(ref, stay(Action.stateTimeout("2 seconds", 1)))
      yield* tell(ref, go("B"))
      yield* passes(5)
      assert.deepStrictEqual(fired(), [])
      yield* tell(ref, stay(Action.stateTimeout("2 seconds", 2)))
      yield* tell(ref, go("B"))
      yield* tell(ref, () => Transition.repeatAndData())
      yield* passes(2)
      assert.deepStrictEqual(fired(), [["B", "stateTimeout", 2]])
      yield* passes(5)
      assert.strictEqual(fired().length, 1)
    }).pipe(inNode))

  it.effect("SM-019 set together with a transition belongs to the new state", () =>
    Effect.gen(function*() {
      const { fired, ref } = yield* timed
      yield* tell(ref, go("B", Action.stateTimeout("1 second", 1)))
      yield* passes(1)
      assert.deepStrictEqual(fired(), [["B", "stateTimeout", 1]])
    }).pipe(inNode))

  it.effect("SM-020 set again starts anew, with its new content", () =>
    Effect.gen(function*() {
      const { fired, ref } = yield* timed
      yield* tell(ref, stay(Action.stateTimeout("2 seconds", "a")))
      yield* passes(1)
      yield* tell(ref, stay(Action.stateTimeout("2 seconds", "b")))
      yield* passes(1)
      assert.deepStrictEqual(fired(), [])
      yield* passes(1)
      assert.deepStrictEqual(fired(), [["A", "stateTimeout", "b"]])
    }).pipe(inNode))

  it.effect("the very same action starts it anew, too", () =>
    Effect.gen(function*() {
      const { fired, ref } = yield* timed
      const action = Action.stateTimeout("2 seconds", "a")
      yield* tell(ref, stay(action))
      yield* passes(1)
      yield* tell(ref, stay(action))
      yield* passes(1)
      assert.deepStrictEqual(fired(), [])
    }).pipe(inNode))
})

describe("the event timeout", () => {
  it.effect.each(
    [
      ["a cast", (ref: any) => tell(ref, stay())],
      ["a message", (ref: any) => Process.send(ref.pid, "hello")]
    ] as const
  )("SM-021 is cancelled by %s", ([_, event]) =>
    Effect.gen(function*() {
      const { ref, seen } = yield* timed
      yield* tell(ref, stay(Action.eventTimeout("1 second", 1)))
      yield* event(ref)
      yield* passes(5)
      assert.isFalse(seen.some((what) => Array.isArray(what) && what[1] === "eventTimeout"))
      yield* tell(ref, stay(Action.eventTimeout("1 second", 2)))
      yield* passes(1)
      assert.deepStrictEqual(seen.at(-1), ["A", "eventTimeout", 2])
    }).pipe(inNode))

  it.effect("SM-021 is cancelled by an inserted event, by a retried one, and by another timeout", () =>
    Effect.gen(function*() {
      const { fired, ref } = yield* timed
      yield* tell(ref, stay(Action.eventTimeout("1 second"), own("inserted")))
      yield* passes(5)
      yield* tell(ref, { A: stay(Action.postpone), B: stay() })
      yield* tell(ref, go("B", Action.eventTimeout("1 second")))
      yield* passes(5)
      yield* tell(ref, stay(Action.eventTimeout("2 seconds"), Action.timeout("one", "1 second", 1)))
      yield* passes(5)
      assert.deepStrictEqual(fired(), [["B", "one", 1]])
    }).pipe(inNode))

  it.effect("SM-022 without a content has the time itself", () =>
    Effect.gen(function*() {
      const { fired, ref } = yield* timed
      yield* tell(ref, stay(Action.eventTimeout(5)))
      yield* passes(1)
      assert.deepStrictEqual(fired(), [["A", "eventTimeout", 5]])
    }).pipe(inNode))

  it.effect("SM-023 of zero fires before what waits in the mailbox", () =>
    Effect.gen(function*() {
      const { ref, seen } = yield* timed
      const release = yield* hold(ref, stay(Action.eventTimeout(0, "now")))
      yield* tell(ref, stay(), "queued")
      yield* release
      yield* settle
      assert.deepStrictEqual(seen, ["A hold", ["A", "eventTimeout", "now"], "A queued"])
    }).pipe(inNode))

  it.effect("SM-023 of zero is lost when an event was inserted", () =>
    Effect.gen(function*() {
      const { ref, seen } = yield* timed
      yield* tell(ref, stay(Action.eventTimeout(0), own("inserted")), "first")
      yield* passes(1)
      assert.deepStrictEqual(seen, ["A first", "A inserted"])
    }).pipe(inNode))
})

describe("timeouts", () => {
  it.effect("SM-024 of zero come after inserted and retried events and before messages, in the order of their start", () =>
    Effect.gen(function*() {
      const { ref, seen } = yield* timed
      yield* tell(ref, { A: stay(Action.postpone), B: stay() }, "retried")
      const release = yield* hold(
        ref,
        go(
          "B",
          Action.stateTimeout(0, "z"),
          own("i1", stay(Action.timeout("two", 0, "later"))),
          Action.timeout("one", 0, "g"),
          own("i2")
        )
      )
      yield* tell(ref, stay(), "queued")
      yield* release
      yield* settle
      assert.deepStrictEqual(seen, [
        "A retried",
        "A hold",
        "B i1",
        "B i2",
        "B retried",
        ["B", "stateTimeout", "z"],
        ["B", "one", "g"],
        ["B", "two", "later"],
        "B queued"
      ])
    }).pipe(inNode))

  it.effect("SM-025 with names survive events and changes of state, and run side by side", () =>
    Effect.gen(function*() {
      const { fired, ref } = yield* timed
      yield* tell(ref, stay(Action.timeout("one", "2 seconds", 1), Action.timeout("two", "1 second", 2)))
      yield* tell(ref, go("B"))
      yield* passes(2)
      assert.deepStrictEqual(fired(), [["B", "two", 2], ["B", "one", 1]])
    }).pipe(inNode))

  it.effect("SM-025 set again under the same name start anew", () =>
    Effect.gen(function*() {
      const { fired, ref } = yield* timed
      yield* tell(ref, stay(Action.timeout("one", "1 second", "g1")))
      yield* tell(ref, stay(Action.timeout("one", "2 seconds", "g2")))
      yield* passes(5)
      assert.deepStrictEqual(fired(), [["A", "one", "g2"]])
    }).pipe(inNode))

  it.effect("SM-008 of the same kind in one list the last counts", () =>
    Effect.gen(function*() {
      const { fired, ref } = yield* timed
      yield* tell(ref, stay(Action.stateTimeout("1 second", "a"), Action.stateTimeout("2 seconds", "b")))
      yield* passes(5)
      assert.deepStrictEqual(fired(), [["A", "stateTimeout", "b"]])
    }).pipe(inNode))

  it.effect("SM-026 are stopped by Infinity or cancel, and cancelling none is fine", () =>
    Effect.gen(function*() {
      const { fired, ref } = yield* timed
      yield* tell(
        ref,
        stay(Action.stateTimeout("cancel"), Action.eventTimeout("cancel"), Action.timeout("one", "cancel"))
      )
      yield* tell(
        ref,
        stay(Action.stateTimeout("1 second"), Action.timeout("one", "1 second"), Action.timeout("two", 0))
      )
      yield* settle
      yield* tell(ref, stay(Action.stateTimeout("Infinity"), Action.timeout("one", "cancel")))
      yield* passes(5)
      assert.deepStrictEqual(fired(), [["A", "two", 0]])
    }).pipe(inNode))

  it.effect("SM-026 that have fired while the machine was busy can still be cancelled", () =>
    Effect.gen(function*() {
      const { fired, ref } = yield* timed
      yield* tell(ref, stay(Action.stateTimeout("1 second")))
      yield* settle
      const release = yield* hold(ref, stay(Action.stateTimeout("cancel")))
      yield* TestClock.adjust("1 second")
      yield* release
      yield* passes(5)
      assert.deepStrictEqual(fired(), [])
      assert.isTrue(yield* Process.isAlive(ref.pid))
    }).pipe(inNode))

  it.effect("SM-027 an update changes the content, and leaves the clock alone", () =>
    Effect.gen(function*() {
      const { fired, ref } = yield* timed
      yield* tell(ref, stay(Action.timeout("one", "2 seconds", "g1")))
      yield* passes(1)
      yield* tell(ref, stay(Action.timeout("one", "update", "g3")))
      yield* passes(1)
      assert.deepStrictEqual(fired(), [["A", "one", "g3"]])
    }).pipe(inNode))

  it.effect("SM-027 an update of one that does not run fires at once, whatever stood before it in the list", () =>
    Effect.gen(function*() {
      const { ref, seen } = yield* timed
      const release = yield* hold(
        ref,
        stay(
          Action.timeout("one", "update", "now"),
          Action.stateTimeout("5 seconds", 1),
          Action.stateTimeout("update", 2)
        )
      )
      yield* tell(ref, stay(), "queued")
      yield* release
      yield* settle
      assert.deepStrictEqual(seen, ["A hold", ["A", "one", "now"], ["A", "stateTimeout", 2], "A queued"])
    }).pipe(inNode))

  it.effect("SM-028 with abs fire at a point in monotonic time", () =>
    Effect.gen(function*() {
      const { fired, ref } = yield* timed
      const now = yield* Process.monotonicTime
      yield* tell(ref, stay(Action.timeout("one", now + 2000, "at", { abs: true })))
      yield* passes(1)
      assert.deepStrictEqual(fired(), [])
      yield* passes(1)
      yield* tell(ref, stay(Action.stateTimeout(now, "past", { abs: true })))
      yield* settle
      yield* settle
      assert.deepStrictEqual(fired(), [["A", "one", "at"], ["A", "stateTimeout", "past"]])
    }).pipe(inNode))

  it.effect("SM-018 SM-033 an enter call may set one after the transition has, and then the last counts", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const ref = yield* machine(seen, {
        enter: (state) => Transition.keepAndData(state === "B" ? [Action.stateTimeout("2 seconds", "enter")] : [])
      }).start()
      yield* tell(ref, go("B", Action.stateTimeout("1 second", "transition")))
      yield* passes(5)
      assert.deepStrictEqual(seen.slice(-1), [["B", "stateTimeout", "enter"]])
    }).pipe(inNode))

  it.effect("from init run, and end with the machine", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const ref = yield* machine(seen, {
        init: () => Transition.next("A", 0, [Action.stateTimeout("1 second", 1), Action.timeout("one", "1 day")])
      }).start()
      yield* passes(1)
      assert.deepStrictEqual(seen, [["A", "stateTimeout", 1]])
      assert.strictEqual(yield* timersSet, 1)
      yield* tell(ref, () => Transition.stop())
      yield* Process.awaitExit(ref.pid)
      assert.strictEqual(yield* timersSet, 0)
      const killed = yield* machine([], { init: () => Transition.next("A", 0, [Action.timeout("one", "1 day")]) })
        .start()
      yield* Process.exit(killed.pid, ExitReason.kill)
      assert.strictEqual(yield* timersSet, 0)
    }).pipe(inNode))

  it.effect("a time that is none is refused by its field", () =>
    Effect.gen(function*() {
      for (const time of [-1, Number.NaN, "soon"]) {
        const error = yield* defectOf(Effect.sync(() => Action.stateTimeout(time as never)))
        assert.include(error.message, "time: expected a duration")
      }
      const error = yield* defectOf(Effect.sync(() => Action.timeout("", 1)))
      assert.include(error.message, "name: expected a string that is not empty")
    }))
})
