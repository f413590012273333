/**
 * Requests to a server: a call is its own place in the mailbox, its own deadline and its own answer.
 *
 * @internal
 */
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { ExitReason } from "../ExitReason.ts"
import { type CallError, callNoProcess, callOverloaded, callServerExited, callTimeout } from "../OtpError.ts"
import { type Address, showAddress } from "./address.ts"
import type { Bounds } from "./bounds.ts"
import * as Mailbox from "./mailbox.ts"
import type { Entry } from "./processTable.ts"
import type { Runnable, RunQueue } from "./runQueue.ts"
import type { Timer, Timers } from "./timers.ts"

/** One request of a protocol, as the runtime needs it. */
export interface Operation {
  readonly tag: string
  /** Whether an error is one that the request declares. */
  readonly declares: (error: unknown) => boolean
}

/** It waits in the mailbox. */
const queued = 0
/** Its handler has begun. */
const begun = 1
/** It is answered, or nobody waits for an answer any more. */
const done = 2

export class Request implements Mailbox.MailNode, Runnable {
  readonly kind: typeof Mailbox.call | typeof Mailbox.system = Mailbox.call
  readonly operation: Operation
  readonly message: unknown
  next: Mailbox.MailNode | undefined = undefined

  readonly address: Address
  readonly runQueue: RunQueue
  /** The process that waits, and in which of its turns it began to: what finds a circle of calls. */
  readonly caller: Entry | undefined
  readonly callerTurn: number

  status: typeof queued | typeof begun | typeof done = queued
  exit: Exit.Exit<unknown, unknown> | undefined = undefined
  resume: ((exit: Effect.Effect<unknown, unknown>) => void) | undefined = undefined
  /** Told when a request is done that waits for room in a mailbox, or whose handler left the answer for later. */
  onDone: ((request: Request) => void) | undefined = undefined

  /** Made when the caller has to wait. */
  limit: TimeLimit | undefined = undefined

  constructor(
    operation: Operation,
    payload: unknown,
    address: Address,
    runQueue: RunQueue,
    caller: Entry | undefined,
    callerTurn: number
  ) {
    this.operation = operation
    this.message = payload
    this.address = address
    this.runQueue = runQueue
    this.caller = caller
    this.callerTurn = callerTurn
  }

  /** Takes the request for its handler; false if nobody waits for it any more, and then it must not run. */
  begin(): boolean {
    if (this.status !== queued) return false
    this.status = begun
    return true
  }

  get isDone(): boolean {
    return this.status === done
  }

  /** The first answer counts, and any later one is dropped. */
  complete(exit: Exit.Exit<unknown, unknown>): void {
    if (this.status === done) return
    this.giveUp()
    this.exit = exit
    // Who has not begun to wait finds the answer here.
    if (this.resume !== undefined) this.runQueue.schedule(this)
  }

  /** Nobody waits any more. */
  giveUp(): void {
    this.status = done
    if (this.limit !== undefined) this.limit.timers.cancel(this.limit)
    this.onDone?.(this)
  }

  fail(error: CallError): void {
    this.complete(Exit.fail(error))
  }

  run(): void {
    this.resume!(this.exit!)
  }

  dropped(reason: ExitReason): void {
    this.fail(callServerExited(showAddress(this.address), this.operation.tag, reason))
  }

  overloaded(): void {
    this.fail(callOverloaded(showAddress(this.address), this.operation.tag))
  }

  /** Delivers it by the policy of a bounded mailbox. */
  offer(entry: Entry, bounds: Bounds): void {
    const decision = bounds.offer(entry, this, true)
    if (decision === "refuse") return this.overloaded()
    if (decision !== "wait") return
    const sender = bounds.suspend(this, (letIn) => {
      this.onDone = undefined
      if (!letIn) this.fail(callNoProcess(showAddress(this.address), this.operation.tag))
    })
    // Nobody waits for it any more: it must not hold a place among those who do.
    this.onDone = () => bounds.withdraw(sender)
  }
}

/** How long the caller of a request waits. */
export class TimeLimit implements Timer {
  readonly request: Request
  readonly timers: Timers
  readonly after: number
  deadline = 0
  sequence = 0
  index = -1

  constructor(request: Request, timers: Timers, after: number) {
    this.request = request
    this.timers = timers
    this.after = after
    timers.start(this, after)
  }

  fire(): void {
    const { address, operation } = this.request
    this.request.fail(callTimeout(showAddress(address), operation.tag, this.after))
  }
}

/** A request without an answer. */
export class Cast implements Mailbox.MailNode {
  readonly kind = Mailbox.cast
  readonly tag: string
  readonly message: unknown
  next: Mailbox.MailNode | undefined = undefined

  constructor(tag: string, payload: unknown) {
    this.tag = tag
    this.message = payload
  }
}
