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
import type * as Exit from "effect/Exit"
import * as ExitReason from "../ExitReason.ts"
import type { ReceiveTimeout } from "../OtpError.ts"
import * as AtOnce from "./atOnce.ts"
import { type CrashDetails, reportCrash, reportFinalizer } from "./crashReport.ts"
import { Current } from "./current.ts"
import * as Input from "./input.ts"
import { conclude, wake } from "./lifecycle.ts"
import * as Mailbox from "./mailbox.ts"
import type { Owner } from "./processFiber.ts"
import { alive, type Entry } from "./processTable.ts"
import { type Options, type Pick, receiveMatch } from "./receiveMatch.ts"
import { found, type Receiver, waitFor, wrongFiber } from "./receiving.ts"

export type Body = (self: Self) => Effect.Effect<unknown, unknown>

/** What is no body is refused before anything is started: its process would wait for its first turn for ever. */
export const checkBody = (body: Body): Body => Input.check("body", "a function", typeof body === "function", body)

const NextMessage: { new(): Effect.Effect<unknown> } = function() {} as never
NextMessage.prototype = AtOnce.Prototype<Self>({
  label: "Receive",
  now(fiber) {
    const { pid } = this
    if (pid.head === undefined || pid.status !== alive || fiber !== pid.fiber) return AtOnce.notNow
    return Mailbox.shift(pid)!.message
  },
  evaluate(fiber) {
    const { pid } = this
    if (fiber !== pid.fiber) return wrongFiber(pid)
    if (pid.status !== alive) return Effect.interrupt
    const node = Mailbox.shift(pid)
    return node === undefined ? waitFor(this, this, undefined) : found(fiber, node.message)
  }
})

export class Self extends NextMessage implements Receiver, Owner {
  readonly pid: Entry
  /** Until it begins. */
  body: Body | undefined
  receiving: Receiver["receiving"] = undefined
  seen: Receiver["seen"] = undefined
  resume: Receiver["resume"] = undefined

  constructor(pid: Entry, body: Body) {
    super()
    this.pid = pid
    this.body = body
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

  provide(context: Context.Context<never>): Context.Context<never> {
    return Context.add(context, Current, this.pid)
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
