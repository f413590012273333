/**
 * What a process with a body keeps, and what its body is given: the runtime form of `Process.Self`.
 *
 * It is the receive of the next message, too, and the owner of its fiber: one object, because most processes do nothing
 * but wait.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as ExitReason from "../ExitReason.ts"
import type { ReceiveTimeout } from "../OtpError.ts"
import * as AtOnce from "./atOnce.ts"
import { type CrashDetails, reportCrash, reportFinalizer } from "./crashReport.ts"
import { Current } from "./current.ts"
import * as Input from "./input.ts"
import { conclude, wake } from "./lifecycle.ts"
import * as Mailbox from "./mailbox.ts"
import { type Owner, processFiber } from "./processFiber.ts"
import { alive, type Entry } from "./processTable.ts"
import { type Options, type Pick, receiveMatch } from "./receiveMatch.ts"
import { found, type Receiver, type Receiving, waitFor, wrongFiber } from "./receiving.ts"

export type Body = (self: Self) => Effect.Effect<unknown, unknown>

/** What is no body is refused before anything is started: its process would wait for its first turn for ever. */
export const checkBody = (body: Body): Body => Input.check("body", "a function", typeof body === "function", body)

const NextMessage: { new(): Effect.Effect<unknown> } = function() {} as never
NextMessage.prototype = Effectable.Prototype<Self>({
  label: "Receive",
  evaluate(fiber) {
    const { pid } = this
    if (fiber !== pid.fiber) return wrongFiber(pid)
    if (pid.status !== alive) return Effect.interrupt
    const node = Mailbox.shift(pid)
    return node === undefined ? waitFor(this, this) : found(fiber, node.message)
  }
})

export class Self extends NextMessage implements Receiver, Receiving, Owner {
  readonly pid: Entry
  pending: Receiver["pending"]
  declare resume: Receiver["resume"]
  /** Where its iterator is: at the start, at the step that waits, or at the end, with the message. */
  done: boolean | undefined = undefined
  message: unknown = undefined

  constructor(pid: Entry, body: Body) {
    super()
    this.pid = pid
    this.pending = body
    if (processFiber === undefined) this.resume = undefined
  }

  get isOutdated(): boolean {
    return this.pid.tail !== undefined
  }

  /**
   * The iterator of the receive, and what each of its steps gives, as `atOnce.ts` says. The main fiber is at one place of
   * its code at a time, so that one for all of its receives will do; a process that waits would hold another object, and
   * one that does not would make one for each message.
   */
  override [Symbol.iterator](): never {
    const { pid } = this
    const fiber = Fiber.getCurrent()
    if (fiber !== pid.fiber) return new AtOnce.Evaluation(this) as never
    if (pid.head !== undefined && pid.status === alive && AtOnce.mayBeNow(fiber)) {
      this.done = true
      this.message = Mailbox.shift(pid)!.message
    } else this.done = undefined
    // What `yield*` takes for an iterator of the receive is one, at runtime.
    return this as never
  }

  next(answer: unknown): this {
    if (this.done === undefined) this.done = false
    else if (!this.done) {
      this.done = true
      this.message = answer
    }
    return this
  }

  get value(): unknown {
    if (!this.done) return this
    // Read once, and held no longer: a process may never receive again.
    const { message } = this
    this.message = undefined
    return message
  }

  /** What the report of its crash adds. */
  get details(): (() => CrashDetails) | undefined {
    return undefined
  }

  get receive(): Effect.Effect<unknown> {
    return this
  }

  receiveMatch(pick: Pick, options?: Options): Effect.Effect<unknown, ReceiveTimeout> {
    return receiveMatch(this, pick, options)
  }

  provide(): Context.Context<never> {
    return Context.add(this.pid.context, Current, this.pid)
  }

  exited(exit: Exit.Exit<unknown, unknown>): void {
    const { pid } = this
    if (pid.status !== alive) {
      reportFinalizer(pid, exit)
      return wake(pid)
    }
    const reason = pid.reason = ExitReason.fromExit(exit)
    if (ExitReason.isAbnormal(reason)) reportCrash(pid, reason, this.details)
    conclude(pid)
  }
}
