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
import type * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import { type ReceiveTimeout, receiveTimeout } from "../OtpError.ts"
import { timersOf } from "./current.ts"
import * as Input from "./input.ts"
import * as Mailbox from "./mailbox.ts"
import type { Entry } from "./processTable.ts"
import { alive } from "./processTable.ts"
import type { Timer } from "./timers.ts"

/** What a receive that waits leaves with its process. */
export interface Waiting {
  resume: (() => void) | undefined
}

/** What a body is given: the runtime form of `Process.Self`. */
export class Self {
  readonly pid: Entry
  readonly receive: Effect.Effect<unknown>

  constructor(entry: Entry) {
    this.pid = entry
    this.receive = new Receive(entry)
  }

  receiveMatch(
    pick: Pick,
    options?: { readonly after?: Duration.Input | undefined }
  ): Effect.Effect<unknown, ReceiveTimeout> {
    return Effect.suspend(() =>
      new ReceiveMatch(this.pid, pick, options?.after === undefined ? Infinity : Input.millis("after", options.after))
    )
  }
}

type Pick = (message: unknown) => boolean | Result.Result<unknown, unknown>

// ----------------------------------------------------------------------------
// the next message
// ----------------------------------------------------------------------------

interface Receive extends Effect.Effect<unknown> {
  readonly entry: Entry
  readonly wait: Effect.Effect<unknown>
}

const Receive: { new(entry: Entry): Receive } = function(this: { entry: Entry; wait: unknown }, entry: Entry) {
  this.entry = entry
  this.wait = Effect.callback((resume) => waitFor(entry, () => resume(this as never)))
} as never
Receive.prototype = Effectable.Prototype<Receive>({
  label: "Receive",
  evaluate(fiber) {
    const entry = this.entry
    if (fiber !== entry.fiber) return wrongFiber(entry)
    if (entry.status !== alive) return Effect.interrupt
    const node = Mailbox.shift(entry)
    return node === undefined ? this.wait : Exit.succeed(node.message)
  }
})

// No finalizer takes the wake-up back when the receive is interrupted: a wake-up that comes late resumes nothing.
const waitFor = (entry: Entry, resume: () => void): void => {
  ;(entry.state as Waiting).resume = resume
  entry.waiting = true
}

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

interface ReceiveMatch extends Effect.Effect<unknown, ReceiveTimeout> {
  readonly entry: Entry
  readonly pick: Pick
  readonly after: number
  /** What was looked at and left: only what came later has to be looked at again. */
  seen: Mailbox.MailNode | undefined
  timer: Timer | undefined
  expired: boolean
}

const ReceiveMatch: { new(entry: Entry, pick: Pick, after: number): ReceiveMatch } = function(
  this: { -readonly [K in "entry" | "pick" | "after" | "seen" | "timer" | "expired"]: ReceiveMatch[K] },
  entry: Entry,
  pick: Pick,
  after: number
) {
  this.entry = entry
  this.pick = pick
  this.after = after
  this.seen = undefined
  this.timer = undefined
  this.expired = false
} as never
ReceiveMatch.prototype = Effectable.Prototype<ReceiveMatch>({
  label: "ReceiveMatch",
  evaluate(fiber) {
    const entry = this.entry
    if (fiber !== entry.fiber) return wrongFiber(entry)
    if (entry.status !== alive) return Effect.interrupt
    // What was seen may have been flushed by another fiber of the process: then it leads nowhere.
    let previous = this.seen?.next === undefined && this.seen !== entry.tail ? undefined : this.seen
    let node = previous === undefined ? entry.head : previous.next
    while (node !== undefined) {
      const picked = look(this, node.message, fiber)
      if (picked === true || (picked !== false && Result.isSuccess(picked))) {
        Mailbox.remove(entry, previous, node)
        stopTimer(this, fiber)
        return Exit.succeed(picked === true ? node.message : picked.success)
      }
      previous = node
      node = node.next
    }
    this.seen = previous
    // A match that was there before the timeout was handled has won above.
    if (this.after === 0 || this.expired) return Exit.fail(receiveTimeout(this.after))
    return Effect.callback((resume) => {
      waitFor(entry, () => resume(this))
      if (this.after === Infinity) return
      if (this.timer === undefined) {
        this.timer = { deadline: 0, sequence: 0, index: -1, fire: () => expire(this) }
        timersOf(fiber).start(this.timer, this.after)
      }
      return Effect.sync(() => stopTimer(this, fiber))
    })
  }
})

// A predicate that throws ends the receive, and its timer must not outlive it.
const look = (self: ReceiveMatch, message: unknown, fiber: Fiber.Fiber<unknown, unknown>): ReturnType<Pick> => {
  try {
    return self.pick(message)
  } catch (defect) {
    stopTimer(self, fiber)
    throw defect
  }
}

const expire = (self: ReceiveMatch): void => {
  self.expired = true
  const state = self.entry.state as Waiting | undefined
  const resume = state?.resume
  if (resume === undefined) return
  state!.resume = undefined
  self.entry.waiting = false
  resume()
}

const stopTimer = (self: ReceiveMatch, fiber: Fiber.Fiber<unknown, unknown>): void => {
  if (self.timer !== undefined) timersOf(fiber).cancel(self.timer)
}
