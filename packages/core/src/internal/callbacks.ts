/**
 * The types of a server's callbacks: what they take and give, and the rules that an implementation has to keep.
 *
 * @internal
 */
import type * as Effect from "effect/Effect"
import type * as Rpc from "effect/rpc/Rpc"
import type * as Scope from "effect/Scope"
import type { ExitReason } from "../ExitReason.ts"
import type { CallError, MailboxFull } from "../OtpError.ts"
import type * as Step from "../Step.ts"
import type * as Current from "./current.ts"
import type { Accepted, Protocol } from "./protocol.ts"
import type { InitTypeId } from "./serverState.ts"
import type * as Signal from "./signal.ts"

/**
 * Who waits for the answer of a call: an `A`, or the error `E` that the call declares.
 *
 * @category models
 * @since 0.1.0
 */
export interface From<in A, in E = never> {
  readonly "~@effect-otp/core/GenServer/From": { readonly _A: (_: A) => void; readonly _E: (_: E) => void }
}

/**
 * The message that `info` gets when the `timeout` of a step has passed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Timeout {
  readonly "~@effect-otp/core/GenServer/Timeout": "Timeout"
  readonly _tag: "Timeout"
}

/**
 * Messages that only the runtime sends. */
type Internal = Signal.Signal | Timeout

/**
 * What others may send to a server with this `info`: nothing if it has none, which leaves `F` at its constraint. */
export type MessageOf<F> = unknown extends Effect.Services<ResultOf<F>> ? never : Exclude<Taken<F>, Internal>

/**
 * A step, or an Effect of one that may fail with `E`. */
export type OrEffect<A, E> = A | Effect.Effect<A, E, unknown>

/**
 * What `info`, `continue` and the handler of a cast give. Servers call servers, so their Effects may fail with it. */
type CastResult<S, T> = OrEffect<Step.Cast<S, T>, CallError>

/**
 * `info` or `continue`: `Message` is what it declares, and `unknown` as long as it declares nothing. */
export type Callback<S, T, Message = unknown> = { callback(state: S, message: Message): CastResult<S, T> }["callback"]

/**
 * What `info` or `continue` declares to take. */
export type Taken<F> = F extends (state: never, message: infer M) => unknown ? M : never

/**
 * The handler of one request.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Handler<R, S, T = never> = R extends
  Rpc.Rpc<infer _Tag, infer Payload, infer Success, infer Error, infer _Middleware, infer _Requires>
  ? Success extends Accepted ? (state: S, payload: Payload["Type"]) => CastResult<S, T>
  : (
    state: S,
    payload: Payload["Type"],
    from: From<Success["Type"], Error["Type"]>
  ) => OrEffect<Step.Call<Success["Type"], Error["Type"], S, T>, Error["Type"] | CallError>
  : never

/** A handler for each request, over the state `S` and the continue terms `T`.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Handlers<P extends Protocol, S, T = never> = { readonly [R in P[number] as R["_tag"]]: Handler<R, S, T> }

/** A state with what is to follow, from `init`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Init<out S, out T = never> {
  readonly [InitTypeId]: "Init"
  readonly state: S
  readonly options: Step.Options<T>
}

/** Do not start, and do not call it a failure.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ignore {
  readonly [InitTypeId]: "Ignore"
}

/** Do not start, for this reason.
 *
 * @category models
 * @since 0.1.0
 */
export interface InitStop {
  readonly [InitTypeId]: "Stop"
  readonly reason: ExitReason
}

/** What an `init` that gives `I` gives in the end. */
type InitValue<I> = I extends Effect.Effect<infer A, infer _E, infer _R> ? A : I

/** The state that an `init` that gives `I` starts with.
 *
 * @category utility types
 * @since 0.1.0
 */
export type StateOf<I> = InitState<InitValue<I>>
type InitState<V> = V extends Init<infer S, infer _T> ? S : V extends Ignore | InitStop ? never : V

/** The argument of `init`: none, or one. Options follow it in `start`, so it cannot be an optional one.
 *
 * @category utility types
 * @since 0.1.0
 */
export type InitArgs = [] | [arg: unknown]

/** What a callback gives. */
export type ResultOf<F> = F extends (...args: never) => infer A ? A : never

/** What all callbacks give that go on with a state. */
export type Results<Initial, Handled, Info, Continue> = Initial | ResultOf<Handled[keyof Handled] | Info | Continue>

/** The continue terms of what callbacks give. */
export type TermsOf<A> = A extends Effect.Effect<infer B, infer _E, infer _R> ? StepTerms<B> : StepTerms<A>
type StepTerms<A> = A extends { readonly options: Step.Options<infer T> } ? unknown extends T ? never : T : never

/** The signals that `R` wants to receive. */
export type SignalsOf<R> = R extends Current.Receives<infer S> ? S : never

/** The signals that an `info` for the messages `M` takes. */
export type Declared<M> =
  | Extract<M, Signal.Down<string> | Signal.Reply<unknown, unknown>>
  | (Signal.Down<string> extends M ? Signal.Down<string> : never)
  | (Signal.Down extends M ? Signal.Down : never)
  | (Signal.Exit extends M ? Signal.Exit : never)
  | (Signal.CancelTimer extends M ? Signal.CancelTimer : never)
  | (Signal.Reply<unknown, unknown> extends M ? Signal.Reply<unknown, unknown> : never)

/** What callbacks may require freely: their process, its scope, and to receive the signals that `info` takes. */
export type Provided<M> = Scope.Scope | Current.Current | ReceivesEach<Declared<M>>
type ReceivesEach<S> = S extends Signal.Signal ? Current.Receives<S> : never

/** The requirements in what callbacks give. */
export type ServicesOf<A> = A extends Effect.Effect<infer _A, infer _E, infer R> ? unknown extends R ? never : R : never

// A `Check…` is `unknown`, or it gives the option to change a sentence for a type. The compiler looks first at what is
// not context-sensitive, so they must hold while `info` and `continue` are still at their constraint.

/** Handlers only for the requests of the protocol. */
export type CheckHandlers<H, P extends Protocol> = {
  readonly handlers: { readonly [K in Exclude<keyof H, P[number]["_tag"]>]: `no request is named "${K & string}"` }
}

/**
 * An `init` whose state is known: neither `unknown` nor `any`, nor from the call of a generic function in this place
 * (`Effect.fn(...)`), at which the compiler looks too late.
 */
export type CheckInit<Initial> = unknown extends StateOf<Initial>
  ? { readonly init: "the state is not known: annotate it, or define `init` before the server" }
  : unknown

/** An `info` or `continue` for any state of the server: `Callback` alone, a method, would take one for a part of it. */
export type CheckState<Key extends string, F, S> = F extends (state: S, message: never) => unknown ? unknown
  : { readonly [K in Key]: "the state of the server is not always what this takes" }

/** A `continue` that takes the terms of all callbacks. */
export type CheckTerms<U, T> = [U] extends [never] ? unknown
  : [U] extends [T] ? { readonly continue: unknown }
  : { readonly continue: "a callback continues with a term that `continue` does not take" }

/** An `info` that takes the signals which any callback wants to receive. */
export type CheckSignals<R, M> = [SignalsOf<R>] extends [never] ? unknown
  : [SignalsOf<R>] extends [Declared<M>] ? { readonly info: unknown }
  : {
    readonly info:
      "a callback wants signals: `info` must take Process.Down, Process.Exit, Process.CancelTimer or Task.Reply"
  }

/**
 * The policy of a mailbox that was not given one. It is part of the constraint of the type parameter, which is what the
 * compiler takes then; a default would have it point at the wrong callback when another option is refused.
 */
export interface NoPolicy {
  readonly "~@effect-otp/core/GenServer/NoPolicy": never
}

/** The option `mailbox`: a `Process.Mailbox`. */
export interface Bound<out M> {
  readonly capacity: number
  readonly policy?: M | undefined
}

/** What sending a message to a server can fail with. */
export type FullOf<M> = NoPolicy extends M ? never : "fail" extends M ? MailboxFull : never

/** A mailbox that refuses nothing, or a protocol whose casts all declare that they may be refused. */
export type CheckMailbox<M, P extends Protocol> = [FullOf<M>] extends [never] ? unknown
  : [Infallible<P[number]>] extends [never] ? unknown
  : {
    readonly mailbox: `with the policy "fail", the cast "${Infallible<
      P[number]
    >}" has to declare { error: OtpError.MailboxFull }`
  }

/** The casts that do not declare that they can fail. */
type Infallible<R> = R extends
  Rpc.Rpc<infer Tag, infer _Payload, infer Success, infer Error, infer _Middleware, infer _Requires>
  ? Success extends Accepted ? MailboxFull extends Error["Type"] ? never : Tag : never
  : never
