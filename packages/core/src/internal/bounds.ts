/**
 * The bound of a mailbox: how much is in it, what was dropped, and who waits to be let in.
 *
 * A process whose mailbox has no bound has none of this. The mailbox itself counts what goes in and out.
 *
 * @internal
 */
import * as Admission from "./admission.ts"
import * as Input from "./input.ts"
import * as Mailbox from "./mailbox.ts"
import type { Runnable, RunQueue } from "./runQueue.ts"

export interface Limits {
  readonly capacity: number
  readonly policy: Admission.Policy
}

/** The option `mailbox`, checked at the door. */
export const limitsOf = (
  options: { readonly capacity: number; readonly policy?: Admission.Policy | undefined } | undefined
): Limits | undefined => {
  if (options === undefined) return undefined
  const { capacity, policy = "suspend" } = Input.check(
    "mailbox",
    "an object with a capacity",
    typeof options === "object" && options !== null,
    options
  )
  const isCapacity = Number.isSafeInteger(capacity) && capacity > 0
  return {
    capacity: Input.check("mailbox.capacity", "a whole number of one or more", isCapacity, capacity),
    policy: Input.oneOf("mailbox.policy", Admission.policies, policy)
  }
}

/** A sender that waits, with its message: told when that was let in, or when it never will be. */
export interface Suspended {
  readonly node: Mailbox.MailNode
  readonly done: (letIn: boolean) => void
  before: Suspended | undefined
  after: Suspended | undefined
  waits: boolean
}

// As many as a server takes in one turn.
const letInPerTurn = 64

export class Bounds implements Mailbox.Count, Admission.Load, Runnable {
  readonly capacity: number
  readonly policy: Admission.Policy
  readonly runQueue: RunQueue
  readonly deliver: (node: Mailbox.MailNode) => void
  queued = 0
  dropped = 0
  /** How many senders wait, the one that has waited longest first. */
  suspended = 0
  first: Suspended | undefined = undefined
  last: Suspended | undefined = undefined
  scheduled = false

  constructor(limits: Limits, runQueue: RunQueue, deliver: (node: Mailbox.MailNode) => void) {
    this.capacity = limits.capacity
    this.policy = limits.policy
    this.runQueue = runQueue
    this.deliver = deliver
  }

  get senderWaits(): boolean {
    return this.first !== undefined
  }

  /** What comes now is accepted. */
  get isOpen(): boolean {
    return this.first === undefined && this.queued < this.capacity
  }

  removed(): void {
    this.queued--
    if (this.first !== undefined) this.schedule()
  }

  /** Puts a message into the mailbox or drops one, and says so. To wait and to be refused is up to the sender. */
  offer(mailbox: Mailbox.Mailbox, node: Mailbox.MailNode, canBeTold: boolean): Admission.Decision {
    const decision = Admission.admit(this.policy, this, canBeTold)
    switch (decision) {
      case "accept":
        this.deliver(node)
        break
      case "dropNewest":
        this.drop(node)
        break
      case "dropOldest":
        this.drop(Mailbox.removeOldest(mailbox, Mailbox.isUsers)!)
        this.deliver(node)
        break
    }
    return decision
  }

  drop(node: Mailbox.MailNode): void {
    this.dropped++
    node.overloaded?.()
  }

  suspend(node: Mailbox.MailNode, done: Suspended["done"]): Suspended {
    const sender: Suspended = { node, done, before: this.last, after: undefined, waits: true }
    if (this.last === undefined) this.first = sender
    else this.last.after = sender
    this.last = sender
    this.suspended++
    return sender
  }

  withdraw(sender: Suspended): void {
    if (!sender.waits) return
    sender.waits = false
    const { after, before } = sender
    if (before === undefined) this.first = after
    else before.after = after
    if (after === undefined) this.last = before
    else after.before = before
    sender.before = sender.after = undefined
    this.suspended--
  }

  /** The process takes nothing any more: nobody is let in. */
  release(): void {
    for (let sender = this.first; sender !== undefined; sender = this.first) {
      this.withdraw(sender)
      sender.done(false)
    }
  }

  schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    this.runQueue.schedule(this)
  }

  // A message is put into the mailbox in the very moment in which its sender goes on. Were that done when there is room,
  // a sender that is interrupted before it goes on would have sent it.
  run(): void {
    this.scheduled = false
    for (let left = this.runQueue.isShared ? letInPerTurn : 1; left > 0; left--) {
      const sender = this.first
      if (sender === undefined || this.queued >= this.capacity) return
      this.withdraw(sender)
      this.deliver(sender.node)
      sender.done(true)
    }
    if (this.first !== undefined && this.queued < this.capacity) this.schedule()
  }
}
