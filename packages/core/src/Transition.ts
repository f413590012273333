/**
 * What a callback of a state machine answers: the next state, its data, and what to do on the way.
 *
 * @since 0.1.0
 */
import type * as Action from "./Action.ts"
import * as ExitReason from "./ExitReason.ts"
import * as Input from "./internal/input.ts"

const TypeId = "~@effect-otp/core/Transition"

/**
 * Goes to `state` with `data`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Next<out State extends string, out Data, out A = never> {
  readonly [TypeId]: typeof TypeId
  readonly _tag: "Next"
  readonly state: State
  readonly data: Data
  readonly actions: ReadonlyArray<A>
}

/**
 * Stays in the state, with other data.
 *
 * @category models
 * @since 0.1.0
 */
export interface Keep<out Data, out A = never> {
  readonly [TypeId]: typeof TypeId
  readonly _tag: "Keep"
  readonly data: Data
  readonly actions: ReadonlyArray<A>
}

/**
 * Stays in the state, with its data.
 *
 * @category models
 * @since 0.1.0
 */
export interface KeepAndData<out A = never> {
  readonly [TypeId]: typeof TypeId
  readonly _tag: "KeepAndData"
  readonly actions: ReadonlyArray<A>
}

/**
 * Enters the state again, with other data.
 *
 * @category models
 * @since 0.1.0
 */
export interface Repeat<out Data, out A = never> {
  readonly [TypeId]: typeof TypeId
  readonly _tag: "Repeat"
  readonly data: Data
  readonly actions: ReadonlyArray<A>
}

/**
 * Enters the state again, with its data.
 *
 * @category models
 * @since 0.1.0
 */
export interface RepeatAndData<out A = never> {
  readonly [TypeId]: typeof TypeId
  readonly _tag: "RepeatAndData"
  readonly actions: ReadonlyArray<A>
}

/**
 * Ends the machine.
 *
 * @category models
 * @since 0.1.0
 */
export interface Stop<out Data = never> {
  readonly [TypeId]: typeof TypeId
  readonly _tag: "Stop"
  readonly reason: ExitReason.ExitReason
  /** The last data, and whether it was given. */
  readonly data: Data | undefined
  readonly actions: ReadonlyArray<Action.Reply>
}

/** @internal */
export class TransitionImpl {
  declare readonly [TypeId]: typeof TypeId
  readonly _tag: "Next" | "Keep" | "KeepAndData" | "Repeat" | "RepeatAndData" | "Stop"
  readonly state: string | undefined
  readonly data: unknown
  readonly keepsData: boolean
  readonly actions: ReadonlyArray<Action.Any>
  readonly reason: ExitReason.ExitReason | undefined

  constructor(
    tag: TransitionImpl["_tag"],
    state: string | undefined,
    data: readonly [unknown?],
    actions: ReadonlyArray<Action.Any> = [],
    reason?: ExitReason.ExitReason
  ) {
    this._tag = tag
    this.state = state
    this.data = data[0]
    this.keepsData = data.length === 0
    this.actions = actions
    this.reason = reason
  }
}

// ----------------------------------------------------------------------------
// constructors
// ----------------------------------------------------------------------------

/**
 * Goes to `state` with `data`. Mirrors `{next_state, State, Data, Actions}`.
 *
 * **Details**
 *
 * If that is another state, its `enter` runs, the state timeout of the old one is cancelled, and postponed events are
 * retried. Going to the same state does none of this.
 *
 * **Example**
 *
 * ```ts
 * import { Action, Transition } from "@effect-otp/core"
 *
 * const push = (clicks: number) => Transition.next("On", { clicks: clicks + 1 }, [Action.stateTimeout("1 minute")])
 *
 * push(2).data // => { clicks: 3 }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const next = <const State extends string, Data, A extends Action.Any = never>(
  state: State,
  data: Data,
  actions?: ReadonlyArray<A>
): Next<State, Data, NoInfer<A>> => new TransitionImpl("Next", state, [data], actions) as never

/**
 * Stays in the state, with other data. Mirrors `{keep_state, Data, Actions}`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const keep = <Data, A extends Action.Any = never>(
  data: Data,
  actions?: ReadonlyArray<A>
): Keep<Data, NoInfer<A>> => new TransitionImpl("Keep", undefined, [data], actions) as never

/**
 * Stays in the state, with its data. Mirrors `{keep_state_and_data, Actions}`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const keepAndData = <A extends Action.Any = never>(actions?: ReadonlyArray<A>): KeepAndData<NoInfer<A>> =>
  new TransitionImpl("KeepAndData", undefined, [], actions) as never

/**
 * Stays in the state with other data, and runs its `enter` again. Mirrors `{repeat_state, Data, Actions}`.
 *
 * **Details**
 *
 * It is no change of state: the state timeout goes on, and postponed events stay postponed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const repeat = <Data, A extends Action.Any = never>(
  data: Data,
  actions?: ReadonlyArray<A>
): Repeat<Data, NoInfer<A>> => new TransitionImpl("Repeat", undefined, [data], actions) as never

/**
 * Stays in the state with its data, and runs its `enter` again. Mirrors `{repeat_state_and_data, Actions}`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const repeatAndData = <A extends Action.Any = never>(actions?: ReadonlyArray<A>): RepeatAndData<NoInfer<A>> =>
  new TransitionImpl("RepeatAndData", undefined, [], actions) as never

/**
 * Ends the machine with `reason`, `Normal` by default, after `terminate`. Mirrors `stop` and `{stop, Reason, Data}`.
 *
 * **Details**
 *
 * Calls that have no answer yet, postponed ones among them, fail with `ServerExited`. Without `data` it is as it was.
 *
 * @category constructors
 * @since 0.1.0
 */
export const stop = <Data = never>(
  reason: ExitReason.ExitReason = ExitReason.normal,
  ...data: readonly [data?: Data]
): Stop<Data> => new TransitionImpl("Stop", undefined, data, [], Input.exitReason("reason", reason)) as never

/**
 * Answers calls, and then ends the machine with `reason`. Mirrors `{stop_and_reply, Reason, Replies, Data}`.
 *
 * **Details**
 *
 * The answers go out in the order of their list, and before `terminate`, other than with `Step.replyAndStop`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const stopAndReply = <Data = never>(
  reason: ExitReason.ExitReason,
  replies: ReadonlyArray<Action.Reply>,
  ...data: readonly [data?: Data]
): Stop<Data> => new TransitionImpl("Stop", undefined, data, replies, Input.exitReason("reason", reason)) as never
