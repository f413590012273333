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
import type * as Mailbox from "./mailbox.ts"
import { processFiber } from "./processFiber.ts"
import type { Entry } from "./processTable.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>
type AnyEffect = Effect.Effect<unknown, unknown>

/** What a process keeps whose main fiber receives. */
export interface Receiver {
  readonly pid: Entry
  /** The receive that waits, with which it is woken, and what it has seen of the mailbox. */
  receiving: AnyEffect | undefined
  seen: Mailbox.MailNode | undefined
  resume: ((fiber: AnyFiber, effect: AnyEffect) => void) | undefined
}

// One effect for all: what waits is read from the fiber, so that a process that waits holds nothing of its own. No
// finalizer takes the wake-up back when the receive is interrupted: a wake-up that comes late resumes nothing.
const wait: Effect.Effect<never> = Effect.callback((resume) => {
  const entry = entryOf(Fiber.getCurrent()!)!
  const self = entry.state as Receiver
  // The fiber may have yielded since it looked into the mailbox, and nobody wakes who does not wait.
  if (entry.tail !== self.seen) return resume(self.receiving as Effect.Effect<never>)
  self.resume = (_, effect) => resume(effect as Effect.Effect<never>)
  entry.waiting = true
})

/** Suspends the main fiber until there is more in the mailbox than was seen, and then evaluates `receiving` again. */
export const waitFor = (
  self: Receiver,
  receiving: AnyEffect,
  seen: Mailbox.MailNode | undefined
): Effect.Effect<never> => {
  self.receiving = receiving
  self.seen = seen
  if (processFiber === undefined) return wait
  self.resume = processFiber.resume
  self.pid.waiting = true
  return processFiber.wait(self.pid.fiber!)
}

/** Resumes the receive that waits, if one does. */
export const resume = (self: Receiver): void => {
  const { pid, receiving, resume } = self
  if (resume === undefined) return
  self.resume = undefined
  self.receiving = undefined
  pid.waiting = false
  resume(pid.fiber!, receiving!)
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
