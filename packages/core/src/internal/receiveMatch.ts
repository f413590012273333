/**
 * The selective receive: the oldest message that matches, with the others left in their order.
 *
 * @internal
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import { type ReceiveTimeout, receiveTimeout } from "../OtpError.ts"
import { timersOf } from "./current.ts"
import * as Input from "./input.ts"
import * as Mailbox from "./mailbox.ts"
import { alive } from "./processTable.ts"
import { found, type Receiver, type Receiving, resume, waitFor, wrongFiber } from "./receiving.ts"
import type { Timer, Timers } from "./timers.ts"

export type Pick = (message: unknown) => boolean | Result.Result<unknown, unknown>

export interface Options {
  readonly after?: Duration.Input | undefined
}

export const receiveMatch = (
  self: Receiver,
  pick: Pick,
  options: Options | undefined
): Effect.Effect<unknown, ReceiveTimeout> =>
  Effect.suspend(() => {
    if (options?.after === undefined) return new ReceiveMatch(self, pick, Infinity)
    const match = new ReceiveMatch(self, pick, Input.millis("after", options.after))
    return Effect.onInterrupt(match, () => Effect.sync(() => stopTimer(match)))
  })

interface ReceiveMatch extends Effect.Effect<unknown, ReceiveTimeout>, Receiving, Timer {
  readonly self: Receiver
  readonly pick: Pick
  readonly after: number
  /** What was looked at and left: only what came later has to be looked at again. */
  seen: Mailbox.MailNode | undefined
  expired: boolean
  timers: Timers | undefined
}

const ReceiveMatch: { new(self: Receiver, pick: Pick, after: number): ReceiveMatch } = function(
  this: { -readonly [K in Exclude<keyof ReceiveMatch, keyof Effect.Effect<unknown>>]: ReceiveMatch[K] },
  self: Receiver,
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
} as never
ReceiveMatch.prototype = Object.assign(
  Effectable.Prototype<ReceiveMatch>({
    label: "ReceiveMatch",
    evaluate(fiber) {
      const entry = this.self.pid
      if (fiber !== entry.fiber) return wrongFiber(entry)
      if (entry.status !== alive) return Effect.interrupt
      // What was seen may have been flushed by another fiber of the process: then it leads nowhere.
      const seen = this.seen?.next === undefined && this.seen !== entry.tail ? undefined : this.seen
      const message = take(this, entry, seen)
      if (message !== none) return found(fiber, message)
      // A match that was there before the timeout was handled has won above.
      if (this.after === 0 || this.expired) return Exit.fail(receiveTimeout(this.after))
      if (this.after !== Infinity && this.timers === undefined) {
        this.timers = timersOf(fiber)
        this.timers.start(this, this.after)
      }
      return waitFor(this.self, this)
    }
  }),
  {
    fire(this: ReceiveMatch) {
      this.expired = true
      if (this.self.pending === this) resume(this.self)
    }
  }
)
// A fiber that has yielded between setting its timer and waiting looks again when the time is over, instead of waiting.
Object.defineProperty(ReceiveMatch.prototype, "isOutdated", {
  get(this: ReceiveMatch) {
    return this.expired || this.seen !== this.self.pid.tail
  }
})

const none = Symbol("no message matches")

/** Takes the oldest message that matches after what was seen, and notes how far it has looked if there is none. */
const take = (match: ReceiveMatch, mailbox: Mailbox.Mailbox, seen: Mailbox.MailNode | undefined): unknown => {
  const { pick } = match
  let previous = seen
  let node = previous === undefined ? mailbox.head : previous.next
  try {
    while (node !== undefined) {
      const picked = pick(node.message)
      if (picked !== false && (picked === true || Result.isSuccess(picked))) {
        Mailbox.remove(mailbox, previous, node)
        stopTimer(match)
        return picked === true ? node.message : picked.success
      }
      previous = node
      node = node.next
    }
  } catch (defect) {
    // A predicate that throws ends the receive, and its timer must not outlive it.
    stopTimer(match)
    throw defect
  }
  match.seen = previous
  return none
}

const stopTimer = (match: ReceiveMatch): void => {
  match.timers?.cancel(match)
}
