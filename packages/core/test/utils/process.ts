/**
 * Tests that are processes themselves: what they assert is what another process sees, by message.
 */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Node from "@effect-otp/core/Node"
import * as Process from "@effect-otp/core/Process"
import { settle } from "@effect-otp/core/testing"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"

/** Runs an effect in a Node of its own; whatever is left in it is killed at once when it has ended. */
export const inNode = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provide(effect, Node.layer({ shutdown: 0 }))

/** Runs a test as a process, in a Node of its own. A failed assertion crashes it, and fails the test. */
export const asProcess = <M, A, E, R>(
  body: Process.Body<M, A, E, R>
): Effect.Effect<void, never, Exclude<R, Process.Provided<M>>> =>
  Effect.gen(function*() {
    const reason = yield* Process.awaitExit(yield* Process.spawn(body))
    if (reason._tag === "Crashed") return yield* Effect.orDie(Effect.failCause(reason.cause))
    if (reason._tag !== "Normal") assert.fail(`the process of the test ended with ${ExitReason.format(reason)}`)
  }).pipe(inNode)

/** Lets everything run, and empties the mailbox: what has arrived, in order. */
export const arrived = <M>(self: Process.Self<M>): Effect.Effect<ReadonlyArray<M>> =>
  Effect.andThen(settle, queued(self))

/** Empties the mailbox of what is in it now, in order. */
export const queued = Effect.fnUntraced(function*<M>(self: Process.Self<M>) {
  const messages: Array<M> = []
  const next = Effect.option(self.receiveMatch(() => true, { after: 0 }))
  for (let message = yield* next; message._tag === "Some"; message = yield* next) messages.push(message.value)
  return messages as ReadonlyArray<M>
})

/** A signal as a value to compare: `Down` or `Exit`, of whom, and why. */
export const signal = (
  message: Process.Down | Process.Exit
): readonly ["Down" | "Exit", unknown, ExitReason.ExitReason] =>
  message._tag === "Down"
    ? ["Down", message.target, message.reason]
    : ["Exit", message.pid, message.reason]

/** A process that does nothing until it is ended. */
export const idle = Process.spawn(() => Effect.never)

/** A process that is linked to the caller and does nothing until it is ended. */
export const idleLinked = Process.spawnLink(() => Effect.never)

/** Monitors a process and waits for its end: the reason that the `Down` carries. */
export const downOf = Effect.fnUntraced(function*<M>(self: Process.Self<M | Process.Down>, pid: Process.Pid<never>) {
  const ref = yield* Process.monitor(pid)
  const down = yield* self.receiveMatch((m): m is Process.Down & M => Process.isDown(m) && m.ref === ref)
  return down.reason
})
