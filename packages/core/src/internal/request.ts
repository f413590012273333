/**
 * Requests to a server: a call is its own place in the mailbox, its own deadline and its own answer.
 *
 * @internal
 */
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { ExitReason } from "../ExitReason.ts"
import { type CallError, callNoProcess, callOverloaded, callServerExited, callTimeout } from "../OtpError.ts"
import { type Address, showAddress } from "./address.ts"
import type { Bounds } from "./bounds.ts"
import { deliver } from "./lifecycle.ts"
import { log } from "./log.ts"
import * as Mailbox from "./mailbox.ts"
import type { Entry } from "./processTable.ts"
import type { Runnable, RunQueue } from "./runQueue.ts"
import type { Timer, Timers } from "./timers.ts"

/** One request of a protocol, as the runtime needs it. */
export interface Operation {
  readonly tag: string
  /** Whether an error is one that the request declares. */
  readonly declares: (error: unknown) => boolean
  /** How long its calls wait where no `CallTimeout` is provided, in milliseconds: 5000 by default. */
  readonly timeout?: number | undefined
  /** Makes the payload of what the caller gives, in the caller; it throws what is to be the caller's defect. */
  readonly construct?: (input: unknown, caller: AnyFiber) => unknown
}

/** It waits in the mailbox. */
const queued = 0
/** Its handler has begun. */
const begun = 1
/** Its server has answered. */
const answered = 2
/** Nobody waits for an answer any more, or none can come. */
const over = 3

export class Request implements Mailbox.MailNode, Runnable {
  declare readonly kind: typeof Mailbox.call | typeof Mailbox.system
  readonly operation: Operation
  readonly message: unknown
  next: Mailbox.MailNode | undefined = undefined

  readonly address: Address
  readonly runQueue: RunQueue
  /** The process that waits, and in which of its turns it began to: what finds a circle of calls. */
  caller: Entry | undefined
  callerTurn: number
  /** Who waits and knows how long, until that has been worked out. */
  fiber: AnyFiber | undefined

  status: typeof queued | typeof begun | typeof answered | typeof over = queued
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
    fiber: AnyFiber | undefined,
    caller: Entry | undefined,
    callerTurn: number
  ) {
    this.operation = operation
    this.message = payload
    this.address = address
    this.runQueue = runQueue
    this.fiber = fiber
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
    return this.status >= answered
  }

  /** Its server has answered: what it does now is not done for the caller. */
  get isAnswered(): boolean {
    return this.status === answered
  }

  /** The answer of the server. The first one counts, and any later one is dropped. */
  complete(exit: Exit.Exit<unknown, unknown>): void {
    if (this.status < answered) this.settle(answered, exit)
  }

  /** What happens instead of an answer. */
  fail(error: CallError): void {
    if (this.status < answered) this.settle(over, Exit.fail(error))
  }

  settle(status: typeof answered | typeof over, exit: Exit.Exit<unknown, unknown>): void {
    this.release(status)
    this.exit = exit
    this.runQueue.tapped.tap?.({ _tag: "Settled", request: this })
    // Who has not begun to wait finds the answer here.
    if (this.resume !== undefined) this.runQueue.schedule(this)
  }

  /** Nobody waits any more. */
  giveUp(): void {
    if (this.status < answered) this.release(over)
  }

  release(status: typeof answered | typeof over): void {
    this.status = status
    this.fiber = undefined
    if (this.limit !== undefined) this.limit.timers.cancel(this.limit)
    this.onDone?.(this)
  }

  run(): void {
    this.resume!(this.exit!)
  }

  dropped(reason: ExitReason): void {
    this.fail(callServerExited(this.shown, this.operation.tag, reason))
  }

  overloaded(): void {
    this.fail(callOverloaded(this.shown, this.operation.tag))
  }

  /** Nobody is there to take it. */
  undelivered(): void {
    this.fail(callNoProcess(this.shown, this.operation.tag))
  }

  /** Who was asked, as a person would name it. */
  get shown(): string {
    return showAddress(this.address)
  }

  /** Puts it into the mailbox, or does with it what the bound of that asks for. */
  post(entry: Entry): void {
    if (entry.bounds !== undefined) this.offer(entry, entry.bounds)
    else if (!deliver(entry, this)) this.undelivered()
  }

  /** Delivers it by the policy of a bounded mailbox. */
  offer(entry: Entry, bounds: Bounds): void {
    const decision = bounds.offer(entry, this, true)
    if (decision === "refuse") return this.overloaded()
    if (decision !== "wait") return
    const sender = bounds.suspend(this, (letIn) => {
      this.onDone = undefined
      if (!letIn) this.undelivered()
    })
    // Nobody waits for it any more: it must not hold a place among those who do.
    this.onDone = () => bounds.withdraw(sender)
  }

  toString(): string {
    return `${this.operation.tag} to ${this.shown}`
  }
}
// Each request would have it as a field of its own.
Object.defineProperty(Request.prototype, "kind", { value: Mailbox.call })

type AnyFiber = Fiber.Fiber<unknown, unknown>

/** How long the caller of a request waits. */
export class TimeLimit implements Timer {
  readonly request: Request
  readonly timers: Timers
  readonly after: number
  deadline = 0
  sequence = 0
  index = -1

  constructor(request: Request, timers: Timers, after: number, deadline: number) {
    this.request = request
    this.timers = timers
    this.after = after
    timers.startAt(this, deadline)
  }

  /** How much of it is left. */
  left(): number {
    return Math.max(0, this.deadline - this.timers.now())
  }

  fire(): void {
    this.request.fail(timedOut(this.request, this.after, undefined))
  }
}

/** What another call has left, if that is less than the caller would wait by itself. */
export class InheritedLimit extends TimeLimit {
  readonly outer: Request

  constructor(request: Request, timers: Timers, after: number, deadline: number, outer: Request) {
    super(request, timers, after, deadline)
    this.outer = outer
  }

  override fire(): void {
    this.request.fail(timedOut(this.request, this.after, this.outer))
  }
}

/** No answer came within `after` milliseconds, which may be what was left of the time of another call. */
export const timedOut = (request: Request, after: number, outer: Request | undefined): CallError =>
  outer === undefined
    ? callTimeout(request.shown, request.operation.tag, after)
    // Who reads it wants no fractions, and 0 says that the request was not even sent.
    : callTimeout(request.shown, request.operation.tag, Math.max(1, Math.ceil(after)), namesOf(outer))

/** Nothing was left of the time of another call. */
export const notSent = (request: Request, outer: Request): CallError =>
  callTimeout(request.shown, request.operation.tag, 0, namesOf(outer))

export const namesOf = ({ operation, shown }: Request) => ({ server: shown, request: operation.tag })

/**
 * Answers a call, and warns of an answer that comes on top of another one. That the caller has gone is no mistake of who
 * answers.
 */
export const completeOnce = (
  by: Pick<Entry, "context">,
  request: Request,
  exit: Exit.Exit<unknown, unknown>
): void => {
  if (request.isAnswered) warnOfSecond(by, request)
  else request.complete(exit)
}

// By itself, since what a closure captures is allocated by each call of the function that it is in.
const warnOfSecond = (by: Pick<Entry, "context">, request: Request): void => {
  const why = "a call is answered once, by the step of its handler or by GenServer.reply"
  log(by, "Warn", () => ({ title: `the call ${request} was answered twice, and the second answer is dropped: ${why}` }))
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
