/**
 * What a state machine does beside going to its next state: answers, timeouts, events of its own.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import type { From } from "./internal/callbacks.ts"
import * as Input from "./internal/input.ts"

const TypeId = "~@effect-otp/core/Action"

/**
 * Answers a call.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reply {
  readonly [TypeId]: typeof TypeId
  readonly _tag: "Reply"
  readonly from: From<never, never>
  readonly exit: Exit.Exit<unknown, unknown>
}

/**
 * Keeps the event until the state changes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Postpone {
  readonly [TypeId]: typeof TypeId
  readonly _tag: "Postpone"
}

/**
 * Inserts an event before those that are queued.
 *
 * @category models
 * @since 0.1.0
 */
export interface NextEvent<out Name extends string, out Payload> {
  readonly [TypeId]: typeof TypeId
  readonly _tag: "NextEvent"
  readonly name: Name
  readonly content: Payload
}

/**
 * Starts, updates or cancels the state timeout.
 *
 * @category models
 * @since 0.1.0
 */
export interface StateTimeout<out Content> extends Timed<Content> {
  readonly _tag: "StateTimeout"
}

/**
 * Starts, updates or cancels the event timeout.
 *
 * @category models
 * @since 0.1.0
 */
export interface EventTimeout<out Content> extends Timed<Content> {
  readonly _tag: "EventTimeout"
}

/**
 * Starts, updates or cancels a timeout that has a name.
 *
 * @category models
 * @since 0.1.0
 */
export interface Timeout<out Name extends string, out Content> extends Timed<Content> {
  readonly _tag: "Timeout"
  readonly name: Name
}

/**
 * What all timeouts have: in how many milliseconds they fire, or at which point in monotonic time if `abs`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Timed<out Content> {
  readonly [TypeId]: typeof TypeId
  readonly time: number | "cancel" | "update"
  readonly content: Content
  readonly abs: boolean
}

/**
 * Accepted for those who come from OTP.
 *
 * @category models
 * @since 0.1.0
 */
export interface Hibernate {
  readonly [TypeId]: typeof TypeId
  readonly _tag: "Hibernate"
}

/**
 * Any action.
 *
 * @category models
 * @since 0.1.0
 */
export type Any =
  | Reply
  | Postpone
  | NextEvent<string, unknown>
  | StateTimeout<unknown>
  | EventTimeout<unknown>
  | Timeout<string, unknown>
  | Hibernate

/** @internal */
export class ActionImpl {
  declare readonly [TypeId]: typeof TypeId
  readonly _tag: "Postpone" | "NextEvent" | "Hibernate"
  readonly name: string | undefined
  readonly content: unknown

  constructor(tag: ActionImpl["_tag"], name?: string, content?: unknown) {
    this._tag = tag
    this.name = name
    this.content = content
  }
}

/** @internal */
export class ReplyImpl {
  declare readonly [TypeId]: typeof TypeId
  readonly _tag = "Reply"
  readonly from: From<never, never>
  readonly exit: Exit.Exit<unknown, unknown>

  constructor(from: From<never, never>, exit: Exit.Exit<unknown, unknown>) {
    this.from = from
    this.exit = exit
  }
}

/** @internal */
export class TimeoutImpl {
  declare readonly [TypeId]: typeof TypeId
  readonly _tag: "StateTimeout" | "EventTimeout" | "Timeout"
  readonly name: string | undefined
  readonly time: number | "cancel" | "update"
  readonly content: unknown
  readonly abs: boolean

  constructor(
    tag: TimeoutImpl["_tag"],
    name: string | undefined,
    time: TimeoutImpl["time"],
    content: unknown,
    abs: boolean
  ) {
    this._tag = tag
    this.name = name
    this.time = time
    this.content = content
    this.abs = abs
  }
}

// ----------------------------------------------------------------------------
// answers
// ----------------------------------------------------------------------------

/**
 * Answers a call with `value`: the one that is being handled, or one that was received earlier. Mirrors
 * `{reply, From, Reply}`.
 *
 * **Details**
 *
 * Actions are done in the order of their list, and an answer goes out as it comes: before the enter call of the next
 * state, and before `terminate` of a machine that stops. The first answer to a call counts.
 *
 * @see {@link fail}
 * @category answers
 * @since 0.1.0
 */
export const reply = <A, E>(from: From<A, E>, value: NoInfer<A>): Reply =>
  new ReplyImpl(from, Exit.succeed(value)) as never

/**
 * Answers a call with the error that it declares.
 *
 * @see {@link reply}
 * @category answers
 * @since 0.1.0
 */
export const fail = <A, E>(from: From<A, E>, error: NoInfer<E>): Reply => new ReplyImpl(from, Exit.fail(error)) as never

// ----------------------------------------------------------------------------
// events
// ----------------------------------------------------------------------------

/**
 * Keeps the event that is being handled until the state changes. Mirrors `postpone`.
 *
 * **Details**
 *
 * A change of state retries all postponed events in the order of their arrival, before what has come later. Going to the
 * same state, or repeating it, is no change. An event may be postponed again and again; a postponed call whose caller has
 * given up is forgotten.
 *
 * @category events
 * @since 0.1.0
 */
export const postpone: Postpone = new ActionImpl("Postpone") as never

/**
 * Inserts an event before all that are queued: one of the machine's own `internal` events, or one of its casts. Mirrors
 * `{next_event, internal, Content}`.
 *
 * **Details**
 *
 * Several are inserted in the order of their list, before those that were inserted earlier and have not been handled yet.
 *
 * @category events
 * @since 0.1.0
 */
export const nextEvent = <const Name extends string, const Payload = undefined>(
  name: Name,
  payload?: Payload
): NextEvent<Name, NoInfer<Payload>> => new ActionImpl("NextEvent", name, payload) as never

/**
 * Accepted for those who come from OTP; there is nothing to free here.
 *
 * @category events
 * @since 0.1.0
 */
export const hibernate: Hibernate = new ActionImpl("Hibernate") as never

// ----------------------------------------------------------------------------
// timeouts
// ----------------------------------------------------------------------------

/**
 * A time limit for the state that the machine goes to, or stays in. Mirrors `{state_timeout, Time, Content}`.
 *
 * **Details**
 *
 * A change of state cancels it, going to the same state does not. Setting it again starts it anew. `"cancel"` stops it,
 * as `"Infinity"` does; `"update"` gives it another content and leaves the clock alone, or fires at once if it does not run.
 * With `0` it comes after the events that the machine has inserted or retries, and before any message that waits.
 *
 * The content is what the callback gets: the time as it was given, if nothing else is. With `abs: true` the time is a point
 * in monotonic time, as `Process.monotonicTime` reads it. Of the same timeouts in one list the last counts.
 *
 * **Example**
 *
 * ```ts
 * import { Action, Transition } from "@effect-otp/core"
 *
 * const open = (now: number) => Transition.next("Open", { since: now }, [Action.stateTimeout("10 seconds", "close")])
 *
 * open(0).actions[0].time // => 10_000
 * ```
 *
 * @see {@link eventTimeout} for one that any event cancels
 * @see {@link timeout} for one that nothing cancels
 * @category timeouts
 * @since 0.1.0
 */
export const stateTimeout: SetTimeout<"StateTimeout"> = (time: Time, ...rest: Rest) =>
  make("StateTimeout", undefined, time, rest) as never

/**
 * A time limit for the next event, whichever it is: any event cancels it, also an inserted or a retried one. Mirrors
 * `{timeout, Time, Content}` and a bare time.
 *
 * **Details**
 *
 * With `0` it comes before any message that waits, unless there is an event that the machine has inserted or retries. All
 * else is as with {@link stateTimeout}.
 *
 * @category timeouts
 * @since 0.1.0
 */
export const eventTimeout: SetTimeout<"EventTimeout"> = (time: Time, ...rest: Rest) =>
  make("EventTimeout", undefined, time, rest) as never

/**
 * A timeout with a name, which neither events nor changes of state cancel. Mirrors `{{timeout, Name}, Time, Content}`.
 *
 * **Details**
 *
 * Those of different names run side by side. All else is as with {@link stateTimeout}.
 *
 * @category timeouts
 * @since 0.1.0
 */
export const timeout: {
  <const Name extends string>(name: Name, time: "cancel"): Timeout<Name, never>
  <const Name extends string, const Content>(
    name: Name,
    time: "update",
    content: Content
  ): Timeout<Name, NoInfer<Content>>
  <const Name extends string>(name: Name, time: Duration.Input): Timeout<Name, Duration.Input>
  <const Name extends string, const Content>(
    name: Name,
    time: Duration.Input,
    content: Content,
    options?: TimeoutOptions
  ): Timeout<Name, NoInfer<Content>>
} = (name: string, time: Time, ...rest: Rest) => make("Timeout", Input.nonEmpty("name", name), time, rest) as never

/**
 * How a timeout counts.
 *
 * @category models
 * @since 0.1.0
 */
export interface TimeoutOptions {
  /** The time is a point in monotonic time, in milliseconds. Default: false. */
  readonly abs?: boolean | undefined
}

/**
 * How a timeout without a name is set.
 *
 * @category models
 * @since 0.1.0
 */
export interface SetTimeout<Tag extends "StateTimeout" | "EventTimeout"> {
  /** Stops it. */
  (time: "cancel"): Unnamed<never>[Tag]
  /** Gives it another content. */
  <const Content>(time: "update", content: Content): Unnamed<NoInfer<Content>>[Tag]
  /** Starts it, with the time itself as its content. */
  (time: Duration.Input): Unnamed<Duration.Input>[Tag]
  /** Starts it. */
  <const Content>(
    time: Duration.Input,
    content: Content,
    options?: TimeoutOptions
  ): Unnamed<NoInfer<Content>>[Tag]
}

interface Unnamed<Content> {
  readonly StateTimeout: StateTimeout<Content>
  readonly EventTimeout: EventTimeout<Content>
}

type Time = Duration.Input | "cancel" | "update"
type Rest = readonly [content?: unknown, options?: TimeoutOptions | undefined]

const make = (tag: TimeoutImpl["_tag"], name: string | undefined, time: Time, rest: Rest): TimeoutImpl => {
  const abs = rest[1]?.abs === true
  return new TimeoutImpl(tag, name, timeOf(time, abs), rest.length === 0 ? time : rest[0], abs)
}

const timeOf = (time: Time, abs: boolean): TimeoutImpl["time"] => {
  if (time === "cancel" || time === "update") return time
  if (!abs) return Input.millis("time", time)
  return Input.check(
    "time",
    "a point in time in milliseconds",
    typeof time === "number" && !Number.isNaN(time),
    time
  ) as number
}
