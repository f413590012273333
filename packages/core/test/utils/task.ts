/** What tests of tasks share. */
import type { TaskError } from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import type * as Task from "@effect-otp/core/Task"
import { settle } from "@effect-otp/core/testing"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { timersOf } from "../../src/internal/current.ts"
import { inconsistencies } from "./leftovers.ts"

/** Nothing is left of tasks in their owner: no link, no monitor, no message, no timer. */
export const assertClean = (self: { readonly pid: Process.Pid<never, unknown> }) =>
  Effect.withFiber((fiber) =>
    Effect.map(Effect.all([Process.info(self.pid), inconsistencies([])]), ([info, complaints]) => {
      const { links, mailboxLength, monitors } = Option.getOrThrow(info)
      assert.deepStrictEqual(
        { links, monitors, mailboxLength, timers: timersOf(fiber).size(), complaints },
        { links: [], monitors: [], mailboxLength: 0, timers: 0, complaints: [] }
      )
    })
  )

/** An outcome as a value to compare: its value, its failure, or the reason of its `TaskError`. */
export const plain = (outcome: Option.Option<Result.Result<unknown, unknown>>): unknown =>
  Option.match(outcome, {
    onNone: () => "nothing",
    onSome: Result.match({
      onSuccess: (value) => ["ok", value],
      onFailure: (error) => isTaskError(error) ? reasonOf(error) : ["failed", error]
    })
  })

const isTaskError = (u: unknown): u is TaskError =>
  typeof u === "object" && u !== null && "_tag" in u && u._tag === "TaskError"

/** Why a task gave no answer, with the fields that tell of it. */
export const reasonOf = ({ reason }: TaskError): unknown =>
  reason._tag === "Exited" ? ["exit", reason.reason] : reason._tag

/** The pid of a task that has one. */
export const pidOf = (task: Task.Task<unknown, unknown>) => task.pid!

/** Runs an effect in a fiber of the process, lets time pass, and gives what it came to. */
export const meanwhile = Effect.fnUntraced(
  function*<A, E, R>(effect: Effect.Effect<A, E, R>, time: "1 second" | "5 seconds") {
    const fiber = yield* Effect.forkChild(effect)
    yield* settle
    yield* TestClock.adjust(time)
    return yield* Fiber.join(fiber)
  }
)

/** An owner that lives on when a task crashes. */
export type Trapping = Process.Self<Process.Exit>

export const trapping = <E, R>(body: (self: Trapping) => Effect.Effect<void, E, R>) => (self: Trapping) =>
  Effect.andThen(Process.trapExit(true), body(self))

/** After so long, a value. */
export const after = (time: `${number} second` | `${number} seconds`, value: number) =>
  Effect.as(Effect.sleep(time), value)
