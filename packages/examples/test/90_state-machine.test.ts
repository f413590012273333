import { settle } from "@effect-otp/core/testing"
import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock, TestConsole } from "effect/testing"
import { Door, program } from "../src/90_state-machine.ts"

it.effect("three wrong codes jam the door; repaired, it opens for who has waited, and closes by itself", () =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(program)
    yield* settle
    yield* TestClock.adjust("1100 millis")
    yield* Fiber.join(fiber)
    assert.deepStrictEqual(yield* TestConsole.logLines, [
      "0000: wrong",
      "1111: wrong",
      "2222: jammed",
      "somebody repairs it",
      "1234: welcome",
      "anything: guest 2",
      "anything: wrong"
    ])
  }))

it("the third wrong code jams it, and repaired it takes those that were postponed: decided without a process", () => {
  const code = (code: string) => ({ _tag: "Call", name: "tryCode", payload: { code } }) as const
  const { transition } = Door.machine
  const jammed = transition({ state: "Locked", data: { tries: 2 } }, code("0000"))
  assert.strictEqual(jammed.snapshot.state, "Jammed")
  const waits = transition(jammed.snapshot, code("1234"))
  assert.deepStrictEqual([waits.snapshot.postponed.length, waits.replies.length], [1, 0])
  const open = transition(waits.snapshot, { _tag: "Cast", name: "repair", payload: undefined })
  assert.deepStrictEqual([open.snapshot.state, open.snapshot.timeouts.length, open.replies.length], ["Open", 1, 1])
})
