/**
 * The types of a state machine's callbacks: what each state takes and gives, and what an implementation has to handle.
 *
 * @internal
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Rpc from "effect/rpc/Rpc"
import type * as Action from "../Action.ts"
import type { CallError } from "../OtpError.ts"
import type * as Transition from "../Transition.ts"
import type { Declared, From, Ignore, InitStop, OrEffect, ResultOf, SignalsOf } from "./callbacks.ts"
import type { Accepted, Protocol } from "./protocol.ts"

/**
 * The events of a machine beside its requests.
 *
 * **Details**
 *
 * - `internal`: its own events with their payloads, for `Action.nextEvent`.
 * - `timeout`: its named timeouts with their contents, for `Action.timeout`.
 * - `stateTimeout`, `eventTimeout`: the contents of those. Where no content is declared, or `void`, it is the time.
 * - `info`: the messages that it takes: signals, and its own.
 *
 * @category models
 * @since 0.1.0
 */
export interface Events {
  readonly internal?: object
  readonly timeout?: object
  readonly stateTimeout?: unknown
  readonly eventTimeout?: unknown
  readonly info?: unknown
}

type Of<E, K extends string, Otherwise> = E extends { readonly [_ in K]: infer A } ? A : Otherwise
type Content<A> = unknown extends A ? A : [void] extends [A] ? Duration.Input : A
type Internal<E> = Of<E, "internal", {}>
type Named<E> = Of<E, "timeout", {}>
type UnnamedContent<E, K extends string> = Content<Of<E, K, void>>
export type InfoOf<E> = Of<E, "info", never>
export type NameOf<A> = keyof A & string
type Values<A> = A[keyof A]

/** The names that a state gives to what is no request. No request can be named like one.
 *
 * @category utility types
 * @since 0.1.0
 */
export type ReservedName = "enter" | "stateTimeout" | "eventTimeout" | "timeout" | "info" | "otherwise"

// ----------------------------------------------------------------------------
// events
// ----------------------------------------------------------------------------

type RequestEvent<R> = R extends
  Rpc.Rpc<infer Tag, infer Payload, infer Success, infer Error, infer _Middleware, infer _Requires>
  ? Success extends Accepted ? { readonly _tag: "Cast"; readonly name: Tag; readonly payload: Payload["Type"] }
  : {
    readonly _tag: "Call"
    readonly name: Tag
    readonly payload: Payload["Type"]
    readonly from: From<Success["Type"], Error["Type"]>
  }
  : never

/** An event as a catch-all gets it.
 *
 * @category models
 * @since 0.1.0
 */
export type Event<P extends Protocol, E> =
  | RequestEvent<P[number]>
  | Values<
    {
      readonly [K in NameOf<Internal<E>>]: {
        readonly _tag: "Internal"
        readonly name: K
        readonly payload: Internal<E>[K]
      }
    }
  >
  | Values<
    {
      readonly [K in NameOf<Named<E>>]: {
        readonly _tag: "Timeout"
        readonly name: K
        readonly content: Content<Named<E>[K]>
      }
    }
  >
  | { readonly _tag: "StateTimeout"; readonly content: UnnamedContent<E, "stateTimeout"> }
  | { readonly _tag: "EventTimeout"; readonly content: UnnamedContent<E, "eventTimeout"> }
  | { readonly _tag: "Info"; readonly message: InfoOf<E> }

/** An event that nobody has sent: a call may be without its caller.
 *
 * @category models
 * @since 0.1.0
 */
export type Given<V> = V extends { readonly _tag: "Call"; readonly from: infer F }
  ? Omit<V, "from"> & { readonly from?: F }
  : V

/** A state with its data.
 *
 * @category models
 * @since 0.1.0
 */
export type Current<States> = Values<
  { readonly [S in NameOf<States>]: { readonly state: S; readonly data: States[S] } }
>

// ----------------------------------------------------------------------------
// transitions
// ----------------------------------------------------------------------------

type InsertedCast<R> = R extends
  Rpc.Rpc<infer Tag, infer Payload, infer Success, infer _Error, infer _Middleware, infer _Requires>
  ? Success extends Accepted ? Action.NextEvent<Tag, Payload["Type"]> : never
  : never

export type TimeoutOf<E> =
  | Action.StateTimeout<UnnamedContent<E, "stateTimeout">>
  | Action.EventTimeout<UnnamedContent<E, "eventTimeout">>
  | Values<{ readonly [K in NameOf<Named<E>>]: Action.Timeout<K, Content<Named<E>[K]>> }>

/** What an enter call may do. */
type EnterAction<E> = Action.Reply | Action.Hibernate | TimeoutOf<E>

type AnyAction<P extends Protocol, E> =
  | EnterAction<E>
  | Action.Postpone
  | InsertedCast<P[number]>
  | Values<{ readonly [K in NameOf<Internal<E>>]: Action.NextEvent<K, Internal<E>[K]> }>

type NextOf<States, A> = Values<{ readonly [S in NameOf<States>]: Transition.Next<S, States[S], A> }>

type KeepOf<Data, A> =
  | Transition.Keep<Data, A>
  | Transition.KeepAndData<A>
  | Transition.Repeat<Data, A>
  | Transition.RepeatAndData<A>
  | Transition.Stop<Data>

type Result<States, P extends Protocol, E, S extends keyof States, Error = never> = OrEffect<
  NextOf<States, AnyAction<P, E>> | KeepOf<States[S], AnyAction<P, E>>,
  Error | CallError
>

/** What a catch-all for all states gives: it keeps data as it is, or names the state. */
type AnyResult<States, P extends Protocol, E> = OrEffect<
  | NextOf<States, AnyAction<P, E>>
  | Transition.KeepAndData<AnyAction<P, E>>
  | Transition.RepeatAndData<AnyAction<P, E>>
  | Transition.Stop<States[keyof States]>,
  ErrorOf<P[number]> | CallError
>

type ErrorOf<R> = R extends
  Rpc.Rpc<infer _Tag, infer _Payload, infer _Success, infer Error, infer _Middleware, infer _Requires> ? Error["Type"]
  : never

/** What `init` gives, or an Effect of it. */
export type InitResult<States, P extends Protocol, E> =
  | NextOf<States, Exclude<AnyAction<P, E>, Action.Postpone>>
  | Ignore
  | InitStop

// ----------------------------------------------------------------------------
// callbacks
// ----------------------------------------------------------------------------

type Handler<R, States, P extends Protocol, E, S extends keyof States> = R extends
  Rpc.Rpc<infer _Tag, infer Payload, infer Success, infer Error, infer _Middleware, infer _Requires>
  ? Success extends Accepted ? (data: States[S], payload: Payload["Type"]) => Result<States, P, E, S>
  : (
    data: States[S],
    payload: Payload["Type"],
    from: From<Success["Type"], Error["Type"]>
  ) => Result<States, P, E, S, Error["Type"]>
  : never

type Table<States, P extends Protocol, E, S extends keyof States> =
  & { readonly [R in P[number] as R["_tag"]]?: Handler<R, States, P, E, S> }
  & {
    readonly [K in NameOf<Internal<E>>]?: (data: States[S], payload: Internal<E>[K]) => Result<States, P, E, S>
  }
  & {
    readonly enter?: (
      data: States[S],
      previous: NameOf<States>
    ) => OrEffect<KeepOf<States[S], EnterAction<E>>, CallError>
    readonly stateTimeout?: (
      data: States[S],
      content: UnnamedContent<E, "stateTimeout">
    ) => Result<States, P, E, S>
    readonly eventTimeout?: (
      data: States[S],
      content: UnnamedContent<E, "eventTimeout">
    ) => Result<States, P, E, S>
    readonly timeout?: {
      readonly [K in NameOf<Named<E>>]?: (data: States[S], content: Content<Named<E>[K]>) => Result<States, P, E, S>
    }
    readonly info?: (data: States[S], message: InfoOf<E>) => Result<States, P, E, S>
    readonly otherwise?: (data: States[S], event: Event<P, E>) => Result<States, P, E, S, ErrorOf<P[number]>>
  }

/** The callbacks of all states. */
export type Tables<States, P extends Protocol, E> = { readonly [S in NameOf<States>]: Table<States, P, E, S> }

/** A catch-all for all states. */
export type Otherwise<States, P extends Protocol, E> = (
  current: Current<States>,
  event: Event<P, E>
) => AnyResult<States, P, E>

/** What all callbacks of all states give. */
export type TableResults<Handled> = Values<{ readonly [S in keyof Handled]: StateResults<Handled[S]> }>
type StateResults<T> = ResultOf<Values<T> | (T extends { readonly timeout?: infer Named } ? Values<Named> : never)>

// ----------------------------------------------------------------------------
// checks, as in `callbacks.ts`: `unknown`, or a sentence for a type
// ----------------------------------------------------------------------------

type Tags<P extends Protocol> = P[number]["_tag"]

/** Names that are not taken twice, by requests and by internal events. */
export type CheckNames<P extends Protocol, E> = [Tags<P> & (ReservedName | NameOf<Internal<E>>)] extends [never]
  ? [ReservedName & NameOf<Internal<E>>] extends [never] ? unknown
  : `an internal event cannot be named "${ReservedName & NameOf<Internal<E>>}"`
  : `a request cannot be named "${
    & Tags<P>
    & (ReservedName | NameOf<Internal<E>>)}": a state has this name for something else`

/** No option is unknown, which the type of all options would hide. */
export type CheckOptions<O, Known extends string> = {
  readonly [K in Exclude<keyof O, Known>]: `there is no option "${K & string}"`
}

/** Each state handles each event, and nothing that is none. */
export type CheckHandled<Handled, States, P extends Protocol, E, O, Initial> = {
  readonly states:
    & {
      readonly [S in keyof Handled]:
        & {
          readonly [
            K in Exclude<keyof Handled[S], Tags<P> | NameOf<Internal<E>> | ReservedName>
          ]: `no event is named "${K & string}"`
        }
        & ExtraTimeouts<Handled[S], E>
    }
    & { readonly [S in Exclude<keyof Handled, keyof States>]: `there is no state "${S & string}"` }
    & ("otherwise" extends keyof O ? unknown : {
      readonly [S in keyof Handled]: "otherwise" extends keyof Handled[S] ? unknown
        :
          & Lacks<S, Exclude<Required<P, E> | Sets<Handled, S, Initial>, keyof Handled[S]>>
          & LacksTimeout<Handled[S], E, S>
    })
}

type Required<P extends Protocol, E> =
  | Tags<P>
  | NameOf<Internal<E>>
  | ([InfoOf<E>] extends [never] ? never : "info")

type Lacks<S, K> = { readonly [_ in K & string]: `the state "${S & string}" does not handle "${_}"` }

type LacksTimeout<T, E, S> = [NameOf<Named<E>>] extends [never] ? unknown
  : { readonly timeout: Lacks<S, Exclude<NameOf<Named<E>>, keyof NonNullable<Of<T, "timeout", {}>>>> }

type ExtraTimeouts<T, E> = T extends { readonly timeout: infer N }
  ? { readonly timeout: { readonly [K in Exclude<keyof N, NameOf<Named<E>>>]: `no timeout is named "${K & string}"` } }
  : unknown

/** The timeouts without a name that some callback sets for the state `S`. */
type Sets<Handled, S, Initial> =
  | SetFor<"stateTimeout", "StateTimeout", Handled, S, Initial>
  | SetFor<"eventTimeout", "EventTimeout", Handled, S, Initial>

type SetFor<Key, Tag, Handled, S, Initial> = S extends
  | Values<{ readonly [From in keyof Handled]: Targets<Plain<StateResults<Handled[From]>>, From, Tag> }>
  | Targets<Plain<Initial>, never, Tag> ? Key
  : never

type Plain<A> = A extends Effect.Effect<infer B, infer _E, infer _R> ? B : A

/** The states for which transitions out of `From` set a timeout. */
type Targets<A, From, Tag> = A extends Transition.Next<infer S, infer _D, infer B> ?
  SetsOne<B, Tag> extends true ? S : never
  : A extends { readonly actions: ReadonlyArray<infer B> } ? SetsOne<B, Tag> extends true ? From : never
  : never

type SetsOne<A, Tag> = true extends
  (A extends { readonly _tag: Tag; readonly content: infer C } ? [C] extends [never] ? false
    : true
    : false) ? true
  : false

/** Signals that callbacks want are among the messages of the machine. */
export type CheckInfo<R, M> = [SignalsOf<R>] extends [Declared<M>] ? unknown
  : {
    readonly states:
      "a callback wants signals: the type of `info` must have Process.Down, Process.Exit, Process.CancelTimer or Task.Reply"
  }
