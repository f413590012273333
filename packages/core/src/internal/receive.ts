/**
 * Taking messages from the own mailbox, in order or selectively.
 *
 * A receive that waits is woken with itself and takes when it runs: were the message handed over with the wake-up, an
 * interruption in between would lose it.
 *
 * @internal
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import { type ReceiveTimeout, receiveTimeout } from "../OtpError.ts"
import { entryOf, timersOf } from "./current.ts"
import * as Input from "./input.ts"
import * as Mailbox from "./mailbox.ts"
import type { Entry } from "./processTable.ts"
import { alive } from "./processTable.ts"
import type { Timer, Timers } from "./timers.ts"

/** What a process with a body keeps, and what its body is given: the runtime form of `Process.Self`. */
export class Self {
  readonly pid: Entry
  /** The body, until it begins. */
  body: ((self: Self) => Effect.Effect<unknown, unknown>) | undefined
  /** The receive that waits, with which it is woken, and what it has seen of the mailbox. */
  receiving: Effect.Effect<unknown, unknown> | undefined = undefined
  seen: Mailbox.MailNode | undefined = undefined
  resume: ((effect: Effect.Effect<unknown, unknown>) => void) | undefined = undefined

  constructor(pid: Entry, body: Self["body"]) {
    this.pid = pid
    this.body = body
  }

  get receive(): Effect.Effect<unknown> {
    return new Receive(this)
  }

  receiveMatch(
    pick: Pick,
    options?: { readonly after?: Duration.Input | undefined }
  ): Effect.Effect<unknown, ReceiveTimeout> {
    return Effect.suspend(() => {
      if (options?.after === undefined) return new ReceiveMatch(this, pick, Infinity)
      const match = new ReceiveMatch(this, pick, Input.millis("after", options.after))
      return Effect.onInterrupt(match, () => Effect.sync(() => stopTimer(match)))
    })
  }
}

type Pick = (message: unknown) => boolean | Result.Result<unknown, unknown>

// ----------------------------------------------------------------------------
// waiting
// ----------------------------------------------------------------------------

/** Resumes the receive that waits, if one does. */
export const resume = (self: Self): void => {
  const { receiving, resume } = self
  if (resume === undefined) return
  self.resume = undefined
  self.receiving = undefined
  self.pid.waiting = false
  resume(receiving!)
}

// One effect for all: what waits is read from the fiber, so that a process that waits holds nothing of its own. No
// finalizer takes the wake-up back when the receive is interrupted: a wake-up that comes late resumes nothing.
const wait: Effect.Effect<unknown, unknown> = Effect.callback((resume) => {
  const entry = entryOf(Fiber.getCurrent()!)!
  const self = entry.state as Self
  // The fiber may have yielded since it looked into the mailbox, and nobody wakes who does not wait.
  if (entry.tail !== self.seen) return resume(self.receiving!)
  self.resume = resume
  entry.waiting = true
})

const waitFor = <A, E>(
  self: Self,
  receiving: Effect.Effect<A, E>,
  seen: Mailbox.MailNode | undefined
): Effect.Effect<A, E> => {
  self.receiving = receiving
  self.seen = seen
  return wait as Effect.Effect<A, E>
}

// ----------------------------------------------------------------------------
// the next message
// ----------------------------------------------------------------------------

interface Receive extends Effect.Effect<unknown> {
  readonly self: Self
}

const Receive: { new(self: Self): Receive } = function(this: { self: Self }, self: Self) {
  this.self = self
} as never
Receive.prototype = Effectable.Prototype<Receive>({
  label: "Receive",
  evaluate(fiber) {
    const entry = this.self.pid
    if (fiber !== entry.fiber) return wrongFiber(entry)
    if (entry.status !== alive) return Effect.interrupt
    const node = Mailbox.shift(entry)
    return node === undefined ? waitFor<unknown, never>(this.self, this, undefined) : Exit.succeed(node.message)
  }
})

const wrongFiber = (entry: Entry): Effect.Effect<never> =>
  Effect.die(
    new Error(
      `only the main fiber of ${entry} may receive: receive in the body itself, with { after } to limit the time ` +
        "(Effect.timeout, Effect.race and fork run their effect in another fiber)"
    )
  )

// ----------------------------------------------------------------------------
// the oldest message that matches
// ----------------------------------------------------------------------------

interface ReceiveMatch extends Effect.Effect<unknown, ReceiveTimeout>, Timer {
  readonly self: Self
  readonly pick: Pick
  readonly after: number
  /** What was looked at and left: only what came later has to be looked at again. */
  seen: Mailbox.MailNode | undefined
  expired: boolean
  timers: Timers | undefined
}

const ReceiveMatch: { new(self: Self, pick: Pick, after: number): ReceiveMatch } = function(
  this: { -readonly [K in Exclude<keyof ReceiveMatch, keyof Effect.Effect<unknown>>]: ReceiveMatch[K] },
  self: Self,
  pick: Pick,
  after: number
) {
  this.self = self
  this.pick = pick
  this.after = after
  this.seen = undefined
  this.expired = false
  this.timers = undefined
  this.deadline = 0
  this.sequence = 0
  this.index = -1
  this.fire = () => expire(this.self, this as never)
} as never
ReceiveMatch.prototype = Effectable.Prototype<ReceiveMatch>({
  label: "ReceiveMatch",
  evaluate(fiber) {
    const entry = this.self.pid
    if (fiber !== entry.fiber) return wrongFiber(entry)
    if (entry.status !== alive) return Effect.interrupt
    // What was seen may have been flushed by another fiber of the process: then it leads nowhere.
    let previous = this.seen?.next === undefined && this.seen !== entry.tail ? undefined : this.seen
    let node = previous === undefined ? entry.head : previous.next
    while (node !== undefined) {
      const picked = look(this, node.message)
      if (picked === true || (picked !== false && Result.isSuccess(picked))) {
        Mailbox.remove(entry, previous, node)
        stopTimer(this)
        return Exit.succeed(picked === true ? node.message : picked.success)
      }
      previous = node
      node = node.next
    }
    this.seen = previous
    // A match that was there before the timeout was handled has won above.
    if (this.after === 0 || this.expired) return Exit.fail(receiveTimeout(this.after))
    if (this.after !== Infinity && this.timers === undefined) {
      this.timers = timersOf(fiber)
      this.timers.start(this, this.after)
    }
    return waitFor<unknown, ReceiveTimeout>(this.self, this, previous)
  }
})

// A predicate that throws ends the receive, and its timer must not outlive it.
const look = (self: ReceiveMatch, message: unknown): ReturnType<Pick> => {
  try {
    return self.pick(message)
  } catch (defect) {
    stopTimer(self)
    throw defect
  }
}

const expire = (self: Self, match: ReceiveMatch): void => {
  match.expired = true
  self.seen = lookAgain
  if (self.receiving === match) resume(self)
}

// Seen by nobody: a fiber that has yielded between setting its timer and waiting looks again instead of waiting.
const lookAgain: Mailbox.MailNode = { kind: Mailbox.user, message: undefined, next: undefined }

const stopTimer = (match: ReceiveMatch): void => {
  match.timers?.cancel(match)
}
