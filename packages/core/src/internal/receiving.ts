/**
 * Waiting for a message.
 *
 * A receive that waits is woken with itself and takes when it runs: were the message handed over with the wake-up, an
 * interruption in between would lose it.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { entryOf } from "./current.ts"
import { processFiber } from "./processFiber.ts"
import type { Entry } from "./processTable.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>
type AnyEffect = Effect.Effect<unknown, unknown>

/** A receive that has not found its message. */
export interface Receiving {
  /** There is something that it has not seen: it must look again before it waits. */
  readonly isOutdated: boolean
}

/** What a process keeps whose main fiber receives. */
export interface Receiver {
  readonly pid: Entry
  /** With what its next turn begins: its body, as long as that has not begun, or the receive that waits. */
  pending: Body | (AnyEffect & Receiving) | undefined
  /** Resumes what waits, on Effect's public API: elsewhere it takes no room. */
  resume?: ((effect: AnyEffect) => void) | undefined
}

/** What a process runs. */
export type Body = (self: never) => AnyEffect

// One effect for all: what waits is read from the fiber, so that a process that waits holds nothing of its own. No
// finalizer takes the wake-up back when the receive is interrupted: a wake-up that comes late resumes nothing.
const wait: Effect.Effect<never> = Effect.callback((resume) => {
  const entry = entryOf(Fiber.getCurrent()!)!
  const self = entry.state as Receiver
  const receiving = self.pending as Effect.Effect<never> & Receiving
  // The fiber may have yielded since it looked into the mailbox, and nobody wakes who does not wait.
  if (receiving.isOutdated) return resume(receiving)
  self.resume = resume as (effect: AnyEffect) => void
  entry.waiting = true
})

/** Suspends the main fiber until there is more in the mailbox than was seen, and then evaluates `receiving` again. */
export const waitFor = (self: Receiver, receiving: AnyEffect & Receiving): Effect.Effect<never> => {
  self.pending = receiving
  if (processFiber === undefined) return wait
  self.pid.waiting = true
  return processFiber.wait(self.pid.fiber!)
}

/** Resumes the receive that waits, if one does. */
export const resume = (self: Receiver): void => {
  const { pid } = self
  if (!pid.waiting) return
  pid.waiting = false
  // It has begun, or it would not wait.
  const receiving = self.pending as AnyEffect & Receiving
  self.pending = undefined
  if (processFiber !== undefined) return processFiber.resume(pid.fiber!, receiving)
  const resume = self.resume!
  self.resume = undefined
  resume(receiving)
}

/** What a receive gives that has found its message. */
export const found: (fiber: AnyFiber, message: unknown) => Effect.Effect<never> = processFiber?.succeed ??
  ((_, message) => Exit.succeed(message as never))

export const wrongFiber = (entry: Entry): Effect.Effect<never> =>
  Effect.die(
    new Error(
      `only the main fiber of ${entry} may receive: receive in the body itself, with { after } to limit the time ` +
        "(Effect.timeout, Effect.race and fork run their effect in another fiber)"
    )
  )
