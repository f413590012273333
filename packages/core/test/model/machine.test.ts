/** Whatever the callbacks of a state machine answer, what comes next is what gen_statem would do. */
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as StateMachine from "@effect-otp/core/StateMachine"
import { settle } from "@effect-otp/core/testing"
import * as Transition from "@effect-otp/core/Transition"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { readFileSync } from "node:fs"
import * as scale from "../../../../test-scale.ts"
import { timersOf } from "../../src/internal/current.ts"
import { inNode } from "../utils/process.ts"
import * as Machine from "./Machine.ts"

const messages = ["m0", "m1", "m2", "m3", "m4", "m5"] as const

class Running extends StateMachine.Service<Running, { A: number; B: number; C: number }>()(
  "test/Running",
  messages.map((name) => GenServer.cast(name))
) {}

const timersSet = Effect.withFiber((fiber) => Effect.sync(() => timersOf(fiber).size()))

/** Runs a program in a process, until no timer is set any more. Every other callback gives an Effect. */
const runInProcess = Effect.fnUntraced(function*(program: Machine.Program) {
  const seen: Array<string> = []
  const answer = (state: string, what: string, inEnter: boolean) => {
    const n = seen.length
    seen.push(`${state} ${what}`)
    const transition = Machine.transitionOf(Machine.answerOf(program, n, inEnter), n)
    return n % 2 === 0 ? transition : Effect.as(Effect.yieldNow, transition)
  }
  const table = (state: string) => ({
    ...(program.enters && {
      enter: (_data: number, previous: string) => answer(state, `enter ${previous}`, true)
    }),
    otherwise: (_data: number, event: unknown) => answer(state, Machine.nameOf(event as never), false)
  })
  const { start } = Running.implement({
    init: () =>
      Effect.gen(function*() {
        const self = Running.at(yield* Process.self)
        for (const name of messages.slice(0, program.messages)) yield* self[name]()
        return Transition.next("A", 0)
      }),
    states: { A: table("A"), B: table("B"), C: table("C") } as never
  })
  yield* start()
  yield* settle
  while ((yield* timersSet) > 0) {
    yield* TestClock.adjust("5 millis")
    yield* settle
  }
  return seen as ReadonlyArray<string>
}, inNode)

describe("random programs for a state machine", () => {
  it.prop(
    "do what the documentation of gen_statem says",
    { program: Machine.Program },
    ({ program }) => assert.deepStrictEqual(Machine.run(program), Machine.expected(program)),
    { arbitrary: { runs: scale.programs } }
  )

  it.effect.prop(
    "do the same in a process",
    { program: Machine.Program },
    ({ program }) =>
      Effect.map(runInProcess(program), (seen) => assert.deepStrictEqual(seen, Machine.expected(program))),
    { arbitrary: { runs: scale.programs }, timeout: 300_000 }
  )

  it("do what gen_statem did, when they ran on OTP 25", () => {
    const recorded = readFileSync(new URL("../fixtures/gen_statem.jsonl", import.meta.url), "utf8").trim().split("\n")
    assert.strictEqual(recorded.length, 60)
    for (const line of recorded) {
      const { program, seen } = JSON.parse(line) as { readonly program: Machine.Program; readonly seen: unknown }
      assert.deepStrictEqual(Machine.run(program), seen, line)
    }
  })
})
