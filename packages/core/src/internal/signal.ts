/**
 * What a signal does to the process that receives it, as a pure table, and the messages that signals become.
 *
 * @internal
 */
import type * as Option from "effect/Option"
import type * as Result from "effect/Result"
import type * as ExitReason from "../ExitReason.ts"
import type { Pid } from "../Pid.ts"

/** How an exit signal came about: by `Process.exit(pid, reason)`, or because a linked process ended. */
export type Origin = "exit" | "link"

/**
 * What the receiver does: nothing, a message in its mailbox, an end at once, or an end with this reason. The end at once is
 * no reason: `Killed`, with which it is told to links, is for them a reason like any other.
 */
export type Outcome = "ignore" | "message" | "kill" | ExitReason.ExitReason

/**
 * `Kill` is the untrappable signal only when it is sent; a process that merely ended with `Kill` tells its links a plain,
 * trappable reason. `Normal` ends nobody but oneself.
 */
export const onExitSignal = (
  reason: ExitReason.ExitReason,
  origin: Origin,
  trapsExit: boolean,
  toItself: boolean
): Outcome => {
  if (origin === "exit" && reason._tag === "Kill") return "kill"
  if (trapsExit) return "message"
  if (reason._tag === "Normal" && !(origin === "exit" && toItself)) return "ignore"
  return reason
}

const TypeId = "~@effect-otp/core/Process/Signal"

/**
 * A monitored process has ended. Mirrors Erlang's `'DOWN'` message.
 *
 * **Details**
 *
 * `ref` is what `Process.monitor` gave, `target` the pid or the name that was monitored. `reason` is `NoProcess` when
 * nobody was there to be monitored. `Tag` is the `tag` that the monitor was given, if it was given one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Down<out Tag extends string = "Down"> {
  readonly [TypeId]: "Down"
  readonly _tag: Tag
  readonly ref: MonitorRef
  readonly target: Pid<never, unknown> | string
  readonly reason: ExitReason.ExitReason
}

/**
 * An exit signal, in a process that traps exits. Mirrors Erlang's `'EXIT'` message.
 *
 * **Details**
 *
 * `pid` is the linked process that ended, or whoever sent the signal with `Process.exit`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Exit {
  readonly [TypeId]: "Exit"
  readonly _tag: "Exit"
  readonly pid: Pid<never, unknown>
  readonly reason: ExitReason.ExitReason
}

/**
 * What became of a timer that was cancelled with `async`. Mirrors Erlang's `cancel_timer` message.
 *
 * **Details**
 *
 * `ref` is the timer, `left` the milliseconds that were left, or nothing if it had fired or was stopped before.
 *
 * @category models
 * @since 0.1.0
 */
export interface CancelTimer {
  readonly [TypeId]: "CancelTimer"
  readonly _tag: "CancelTimer"
  readonly ref: TimerRef
  readonly left: Option.Option<number>
}

/**
 * The answer of a task that was asked to send it. Mirrors the `{ref, result}` that `Task.async` of Elixir sends.
 *
 * **Details**
 *
 * `ref` is that of the task, and `result` what its effect succeeded or failed with. The `Down` of the task follows, with the
 * same `ref`, unless `Process.demonitor(ref, { flush: true })` is there before it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reply<out A = unknown, out E = never> {
  readonly [TypeId]: "Reply"
  readonly _tag: "Reply"
  readonly ref: MonitorRef
  readonly result: Result.Result<A, E>
}

/** What the runtime puts into a mailbox, and a sender never may. */
export type Signal = Down<string> | Exit | CancelTimer | Reply<unknown, unknown>

export const TimerRefTypeId = "~@effect-otp/core/Timer"

/**
 * A message that is on its way.
 *
 * @category models
 * @since 0.1.0
 */
export interface TimerRef {
  readonly [TimerRefTypeId]: typeof TimerRefTypeId
}

export const MonitorRefTypeId = "~@effect-otp/core/Process/MonitorRef"

/**
 * Identifies one monitor: `Process.monitor` gives it, and the `Down` carries it.
 *
 * @category models
 * @since 0.1.0
 */
export interface MonitorRef {
  readonly [MonitorRefTypeId]: typeof MonitorRefTypeId
}

// The brand is on the prototype, so that a signal prints as what it says and nothing else.
class DownMessage implements Down<string> {
  declare readonly [TypeId]: "Down"
  readonly _tag: string
  readonly ref: MonitorRef
  readonly target: Down["target"]
  readonly reason: ExitReason.ExitReason

  constructor(tag: string, ref: MonitorRef, target: Down["target"], reason: ExitReason.ExitReason) {
    this._tag = tag
    this.ref = ref
    this.target = target
    this.reason = reason
  }
}

class ExitMessage implements Exit {
  declare readonly [TypeId]: "Exit"
  readonly _tag = "Exit"
  readonly pid: Pid<never, unknown>
  readonly reason: ExitReason.ExitReason

  constructor(pid: Pid<never, unknown>, reason: ExitReason.ExitReason) {
    this.pid = pid
    this.reason = reason
  }
}

class CancelTimerMessage implements CancelTimer {
  declare readonly [TypeId]: "CancelTimer"
  readonly _tag = "CancelTimer"
  readonly ref: TimerRef
  readonly left: Option.Option<number>

  constructor(ref: TimerRef, left: Option.Option<number>) {
    this.ref = ref
    this.left = left
  }
}

class ReplyMessage implements Reply<unknown, unknown> {
  declare readonly [TypeId]: "Reply"
  readonly _tag = "Reply"
  readonly ref: MonitorRef
  readonly result: Result.Result<unknown, unknown>

  constructor(ref: MonitorRef, result: Result.Result<unknown, unknown>) {
    this.ref = ref
    this.result = result
  }
}

Object.defineProperty(DownMessage.prototype, TypeId, { value: "Down" })
Object.defineProperty(ExitMessage.prototype, TypeId, { value: "Exit" })
Object.defineProperty(CancelTimerMessage.prototype, TypeId, { value: "CancelTimer" })
Object.defineProperty(ReplyMessage.prototype, TypeId, { value: "Reply" })

export const down = (
  tag: string,
  ref: MonitorRef,
  target: Down["target"],
  reason: ExitReason.ExitReason
): Down<string> => new DownMessage(tag, ref, target, reason)

export const exit = (pid: Pid<never, unknown>, reason: ExitReason.ExitReason): Exit => new ExitMessage(pid, reason)

/** Of a type that is known, its own `Down`; of any other, one with any tag. */
export type DownIn<T> = unknown extends T ? T & Down<string> : Extract<T, Down<string>>

export const isDown = <T>(u: T): u is DownIn<T> => u instanceof DownMessage

export const isExit = (u: unknown): u is Exit => u instanceof ExitMessage

export const cancelTimer = (ref: TimerRef, left: Option.Option<number>): CancelTimer =>
  new CancelTimerMessage(ref, left)

export const isCancelTimer = (u: unknown): u is CancelTimer => u instanceof CancelTimerMessage

/** Of a type that is known, its own `Reply`; of any other, one of anything. */
export type ReplyIn<T> = unknown extends T ? T & Reply<unknown, unknown> : Extract<T, Reply<unknown, unknown>>

export const reply = (ref: MonitorRef, result: Result.Result<unknown, unknown>): Reply<unknown, unknown> =>
  new ReplyMessage(ref, result)

export const isReply = <T>(u: T): u is ReplyIn<T> => u instanceof ReplyMessage
