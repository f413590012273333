/**
 * What a server callback answers: the reply, the next state, and what comes next.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type { ExitReason } from "./ExitReason.ts"
import * as Input from "./internal/input.ts"

const TypeId = "~@effect-otp/core/Step"

/**
 * What follows a step.
 *
 * **Details**
 *
 * - `timeout`: when no message comes within this time, `info` gets a `GenServer.Timeout`. Any message in time cancels it,
 *   and it has to be given again. With `0` it comes at once, unless a message is waiting.
 * - `continue`: the callback `continue` gets this term before any message, also one that is waiting.
 * - `hibernate`: accepted for those who come from OTP; there is nothing to free here.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<out Term = never> {
  readonly timeout?: Duration.Input
  readonly continue?: Term
  readonly hibernate?: boolean
}

/**
 * Answers the call with `value` and goes on with `state`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reply<out A, out State, out Term = never> {
  readonly [TypeId]: typeof TypeId
  readonly _tag: "Reply"
  readonly value: A
  readonly state: State
  readonly options: Options<Term>
}

/**
 * Goes on with `state`; a call is answered later.
 *
 * @category models
 * @since 0.1.0
 */
export interface NoReply<out State, out Term = never> {
  readonly [TypeId]: typeof TypeId
  readonly _tag: "NoReply"
  readonly state: State
  readonly options: Options<Term>
}

/**
 * Answers the call with its declared error and goes on with `state`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fail<out E, out State, out Term = never> {
  readonly [TypeId]: typeof TypeId
  readonly _tag: "Fail"
  readonly error: E
  readonly state: State
  readonly options: Options<Term>
}

/**
 * Ends the server.
 *
 * @category models
 * @since 0.1.0
 */
export interface Stop<out State> {
  readonly [TypeId]: typeof TypeId
  readonly _tag: "Stop"
  readonly reason: ExitReason
  readonly state: State
}

/**
 * Ends the server, and answers the call with `value` after `terminate`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReplyAndStop<out A, out State> {
  readonly [TypeId]: typeof TypeId
  readonly _tag: "ReplyAndStop"
  readonly value: A
  readonly reason: ExitReason
  readonly state: State
}

/**
 * The steps of a callback that has nobody to answer: a cast, `info` and `continue`.
 *
 * @category models
 * @since 0.1.0
 */
export type Cast<State, Term = never> = NoReply<State, Term> | Stop<State>

/**
 * The steps of a call that answers with an `A` or fails with an `E`.
 *
 * @category models
 * @since 0.1.0
 */
export type Call<A, E, State, Term = never> =
  | Reply<A, State, Term>
  | NoReply<State, Term>
  | Fail<E, State, Term>
  | Stop<State>
  | ReplyAndStop<A, State>

/** @internal */
export class StepImpl {
  declare readonly [TypeId]: typeof TypeId
  readonly _tag: "Reply" | "NoReply" | "Fail" | "Stop" | "ReplyAndStop"
  /** The value, the error or nothing. */
  readonly value: unknown
  readonly state: unknown
  readonly options: Options<unknown> | undefined
  readonly reason: ExitReason | undefined

  constructor(
    tag: StepImpl["_tag"],
    value: unknown,
    state: unknown,
    options: Options<unknown> | undefined,
    reason: ExitReason | undefined
  ) {
    this._tag = tag
    this.value = value
    this.state = state
    this.options = options
    this.reason = reason
  }

  get error(): unknown {
    return this.value
  }
}

// `NoInfer<Term>`: a step without `continue` has no terms, whatever the place it stands in would accept.

/**
 * Answers the call with `value` and goes on with `state`. Mirrors `{reply, Reply, NewState}`.
 *
 * **Example**
 *
 * ```ts
 * import { Step } from "@effect-otp/core"
 *
 * const pop = (stack: ReadonlyArray<number>) => Step.reply(stack[0], stack.slice(1))
 *
 * pop([1, 2]).state // => [2]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const reply = <A, State, const Term = never>(
  value: A,
  state: State,
  options?: Options<Term>
): Reply<A, State, NoInfer<Term>> => new StepImpl("Reply", value, state, options, undefined) as never

/**
 * Goes on with `state`. Mirrors `{noreply, NewState}`: a call that gets it is answered later with `GenServer.reply`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const noReply = <State, const Term = never>(
  state: State,
  options?: Options<Term>
): NoReply<State, NoInfer<Term>> => new StepImpl("NoReply", undefined, state, options, undefined) as never

/**
 * Answers the call with its declared error and goes on with `state`. To keep the state, fail the handler itself with
 * `Effect.fail`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fail = <E, State, const Term = never>(
  error: E,
  state: State,
  options?: Options<Term>
): Fail<E, State, NoInfer<Term>> => new StepImpl("Fail", error, state, options, undefined) as never

/**
 * Ends the server with `reason`, after `terminate`. Mirrors `{stop, Reason, NewState}`: a call that gets it fails with
 * `ServerExited`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const stop = <State>(reason: ExitReason, state: State): Stop<State> =>
  new StepImpl("Stop", undefined, state, undefined, Input.exitReason("reason", reason)) as never

/**
 * Ends the server with `reason` and answers the call with `value`, after `terminate`. Mirrors
 * `{stop, Reason, Reply, NewState}`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const replyAndStop = <A, State>(value: A, reason: ExitReason, state: State): ReplyAndStop<A, State> =>
  new StepImpl("ReplyAndStop", value, state, undefined, Input.exitReason("reason", reason)) as never
