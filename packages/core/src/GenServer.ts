/**
 * A process that keeps a state and answers requests, described by a protocol and used as a typed service.
 *
 * A GenServer handles one message after the other, so its state needs no lock. It has a mailbox, a place in a supervision
 * tree and a life of its own. Where none of that is wanted a `Ref` is the simpler thing.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Rpc from "effect/rpc/Rpc"
import type * as Scope from "effect/Scope"
import type * as ChildSpec from "./ChildSpec.ts"
import type * as ExitReason from "./ExitReason.ts"
import { limitsOf } from "./internal/bounds.ts"
import type {
  Bound,
  Callback,
  CheckHandlers,
  CheckInit,
  CheckMailbox,
  CheckSignals,
  CheckState,
  CheckTerms,
  From,
  FullOf,
  Handlers,
  Ignore,
  Init,
  InitArgs,
  InitStop,
  MessageOf,
  NoPolicy,
  Provided,
  Results,
  ServicesOf,
  StateOf,
  Taken,
  TermsOf
} from "./internal/callbacks.ts"
import * as Clients from "./internal/client.ts"
import { tableOf } from "./internal/current.ts"
import * as Deadline from "./internal/deadline.ts"
import * as Gen from "./internal/gen.ts"
import * as Input from "./internal/input.ts"
import { alive } from "./internal/processTable.ts"
import * as protocol_ from "./internal/protocol.ts"
import type { CheckProtocol, Client, Protocol, Ref } from "./internal/protocol.ts"
import { completeOnce, Request } from "./internal/request.ts"
import { resolve } from "./internal/resolve.ts"
import { type Definition, InitImpl } from "./internal/serverState.ts"
import { makeStarts } from "./internal/starting.ts"
import type { AnyName, AnyTarget } from "./Name.ts"
import type { CallError, StartError } from "./OtpError.ts"
import type { Pid } from "./Pid.ts"
import type * as Process from "./Process.ts"
import type * as Step from "./Step.ts"

export type {
  From,
  Handler,
  Handlers,
  Ignore,
  Init,
  InitArgs,
  InitStop,
  StateOf,
  Timeout
} from "./internal/callbacks.ts"
export type { Accepted, Cast, Client, ClientOf, Protocol, Ref, Request, ReservedName } from "./internal/protocol.ts"
export {
  abcast,
  checkResponse,
  multiCall,
  receiveResponse,
  type Replies,
  type RequestId,
  type ResponseOptions,
  sendRequest,
  waitResponse
} from "./internal/requestId.ts"

// ----------------------------------------------------------------------------
// protocol
// ----------------------------------------------------------------------------

/**
 * A request that is answered. It is `Rpc.make`: any Rpc that neither streams nor has middleware is a call.
 *
 * **Details**
 *
 * The caller waits for the reply of the handler, for the error that `error` declares, or for a `CallError`. Mirrors
 * `gen_server:call/2`.
 *
 * @see {@link cast} for a request that nobody waits for
 * @category protocol
 * @since 0.1.0
 */
export const call: typeof Rpc.make = Rpc.make

/**
 * A request that nobody waits for. It never fails, also when nobody is there to take it. Mirrors `gen_server:cast/2`.
 *
 * **Details**
 *
 * The server may bound its mailbox: then a cast for which there is no room waits or is dropped, by the policy. With the
 * policy `fail` it fails, and has to say so: `{ error: OtpError.MailboxFull }`.
 *
 * **When to use**
 *
 * Use it when the sender has no use for an answer and must not be slowed down by the server. Prefer a call when in doubt:
 * it tells the sender of trouble, and a caller that waits cannot flood the mailbox.
 *
 * @see {@link call}
 * @category protocol
 * @since 0.1.0
 */
export const cast: typeof protocol_.cast = protocol_.cast

/**
 * How long a call waits for its answer: 5 seconds, unless this reference says otherwise.
 *
 * **Details**
 *
 * A request that is still queued when the time is over never runs. One that has begun runs to its end, and its answer is
 * dropped. `"Infinity"` waits without limit.
 *
 * **Example**
 *
 * ```ts
 * import { GenServer } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const patient = Effect.provideService(GenServer.CallTimeout, "1 minute")
 *
 * Effect.runSync(patient(GenServer.CallTimeout)) // => "1 minute"
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const CallTimeout: Context.Reference<Duration.Input> = Deadline.CallTimeout

/**
 * Whether a call that a handler makes has no more time than the call that is handled has left: `true`, unless this
 * reference says otherwise.
 *
 * **When to use**
 *
 * Provide `false` to what has to be done even if its caller has given up: to a single call, or to the start of a server
 * for all that it does. `CallTimeout` alone does not lift the limit, since the shorter of both times counts.
 *
 * **Details**
 *
 * Beyond OTP, where each call has its own time. The nested call fails with `CallError` and `Timeout`, whose `outer` names
 * the call whose time it was; with nothing left it is not sent. It holds in the Effect of a handler, and in the fibers that
 * this waits for, until the call is answered. It does not hold for casts, in other callbacks, in fibers that an earlier
 * callback has left, and in processes that the handler starts.
 *
 * **Example**
 *
 * ```ts
 * import { GenServer } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const anyway = Effect.provideService(GenServer.InheritDeadline, false)
 *
 * Effect.runSync(anyway(GenServer.InheritDeadline)) // => false
 * ```
 *
 * @see {@link CallTimeout}
 * @category references
 * @since 0.1.0
 */
export const InheritDeadline: Context.Reference<boolean> = Deadline.InheritDeadline

// ----------------------------------------------------------------------------
// servers
// ----------------------------------------------------------------------------

/**
 * How a server is started.
 *
 * @category models
 * @since 0.1.0
 */
export interface StartOptions {
  /** The name to register, before `init` runs. Default: none. */
  readonly name?: AnyName | undefined
  /** What a person calls it, in reports and in `Process.info`. */
  readonly label?: string | undefined
  /** How long `init` may take before the process is killed. Default: without limit. */
  readonly timeout?: Duration.Input | undefined
}

/**
 * How a server is started and kept by a supervisor of its own.
 *
 * @category models
 * @since 0.1.0
 */
export interface LayerOptions extends StartOptions, Omit<ChildSpec.Options, "id" | "significant"> {}

/**
 * How a server is a child among others.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChildOptions<Provide extends boolean = boolean> extends StartOptions, Omit<ChildSpec.Options, "id"> {
  /** Default: the key of the service. */
  readonly id?: string | undefined
  /** `false` keeps the service from those who use the tree. Default: true. */
  readonly provide?: Provide
}

/**
 * An implementation of the service `Self`: `init` takes `Args` and fails with `E`, the callbacks require `R`, and sending a
 * message to its pid can fail with `Full`.
 *
 * **Details**
 *
 * - `start`, `startLink`, `startScoped` start one process and wait until `init` has ended: alone, linked to the calling
 *   process, or ended with the Scope. They give the client with the `pid` of this incarnation. One that is interrupted or
 *   times out kills what it has started, and waits for its finalizers, for 5 seconds at most.
 * - `startMonitor` starts one that the calling process monitors, in one step: however soon it ends, the `Down` tells its real
 *   reason. Of one that did not start there is no `Down`. Mirrors `gen_server:start_monitor/3`.
 * - `child` describes it for a supervisor; `layer` is a supervisor with this one child.
 *
 * @category models
 * @since 0.1.0
 */
export interface Server<in out Self, in out Args extends InitArgs, in out Message, out E, out R, out Full = never> {
  readonly start: (
    ...args: [...Args, options?: StartOptions]
  ) => Effect.Effect<Ref<Self, Message, Full>, StartError<E>, R>
  readonly startLink: (
    ...args: [...Args, options?: StartOptions]
  ) => Effect.Effect<Ref<Self, Message, Full>, StartError<E>, R | Process.Current>
  readonly startMonitor: (
    ...args: [...Args, options?: StartOptions]
  ) => Effect.Effect<
    readonly [ref: Ref<Self, Message, Full>, monitor: Process.MonitorRef],
    StartError<E>,
    R | Process.Current | Process.Receives<Process.Down>
  >
  readonly startScoped: (
    ...args: [...Args, options?: StartOptions]
  ) => Effect.Effect<Ref<Self, Message, Full>, StartError<E>, R | Scope.Scope>
  readonly child: <const Provide extends boolean = true>(
    ...args: [...Args, options?: ChildOptions<Provide>]
  ) => ChildSpec.ChildSpec<[Provide] extends [true] ? Self : never, E, R>
  readonly layer: (...args: [...Args, options?: LayerOptions]) => Layer.Layer<Self, StartError<E>, R>
}

/**
 * A service whose implementation is a server: the key of its client, its protocol, and the way to implement it.
 *
 * **Details**
 *
 * `at` gives a client for an instance that was found elsewhere: by its pid, its name or a via. `implement` takes the
 * callbacks, which mirror those of `gen_server`:
 *
 * - `init: (arg) => state`, or an Effect of it. `GenServer.init` adds what is to follow, `GenServer.ignore` and
 *   `GenServer.initStop` do not start.
 * - `handlers`: for each request `(state, payload, from) => Step`, or an Effect of one. A failure that the call declares
 *   is its answer and keeps the state; a defect ends the server.
 * - `info: (state, message)` for the messages it declares: signals, `GenServer.Timeout`, your own.
 * - `continue: (state, term)` after a step with `continue`, before any message.
 * - `terminate: (state, reason)` when the server ends itself, is told to stop, or traps exits and is shut down.
 * - `formatStatus: (state)` for reports, and `trapExit` as in `Process.trapExit`.
 * - `mailbox: { capacity, policy }` bounds the mailbox ({@link Process.Mailbox}). A call fails with `CallError` and
 *   `Overloaded` if the mailbox refuses or drops it. With the policy `fail` every cast has to declare that it can fail:
 *   `GenServer.cast("add", { error: OtpError.MailboxFull })`.
 *
 * A `Scope` that a callback asks for is the server's own and closes when this incarnation ends.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServiceClass<in out Self, in out Id extends string, in out P extends Protocol>
  extends Context.ServiceClass<Self, Id, Client<P>>
{
  readonly protocol: P
  readonly at: (target: AnyTarget) => Client<P>
  readonly implement: <
    Args extends InitArgs,
    Initial,
    Handled extends Handlers<P, StateOf<Initial>, Taken<Continue>>,
    Info extends Callback<StateOf<Initial>, Taken<Continue>>,
    Continue extends Callback<StateOf<Initial>, unknown>,
    Terminated extends void | Effect.Effect<void, never, unknown>,
    Policy extends Process.MailboxPolicy | NoPolicy
  >(
    options:
      & {
        readonly init: (...args: Args) => Initial
        readonly handlers: Handled
        readonly info?: Info
        readonly continue?: Continue
        readonly terminate?: (state: StateOf<Initial>, reason: ExitReason.ExitReason) => Terminated
        readonly formatStatus?: (state: StateOf<Initial>) => unknown
        readonly trapExit?: boolean
        readonly mailbox?: Bound<Policy>
      }
      & CheckInit<Initial>
      & CheckHandlers<Handled, P>
      & CheckState<"info", Info, StateOf<Initial>>
      & CheckState<"continue", Continue, StateOf<Initial>>
      & CheckTerms<TermsOf<Results<Initial, Handled, Info, Continue>>, Taken<Continue>>
      & CheckMailbox<Policy, P>
      & CheckSignals<ServicesOf<Results<Initial, Handled, Info, Continue> | Terminated>, Taken<Info>>
  ) => Server<
    Self,
    Args,
    MessageOf<Info>,
    Effect.Error<Initial>,
    Exclude<ServicesOf<Results<Initial, Handled, Info, Continue> | Terminated>, Provided<Taken<Info>>>,
    FullOf<Policy>
  >
}

/**
 * Declares a service by its protocol. The class is the key of its client, and `this.implement` makes it a server.
 *
 * **When to use**
 *
 * Use it for long-lived state with an owner: a counter, a cache, a connection, a session. For a value that fibers merely
 * share a `Ref` is enough, and for work without a state a function.
 *
 * **Details**
 *
 * Client methods are named after the requests. The client that a layer provides always reaches the current incarnation;
 * while there is none, calls fail with `CallError` and `NoProcess`. A payload whose Schema has defaults, checks or classes
 * is constructed in the caller; what that refuses is the caller's defect.
 *
 * **Example**
 *
 * ```ts
 * import { GenServer, Step } from "@effect-otp/core"
 * import { Effect, Schema } from "effect"
 *
 * class Counter extends GenServer.Service<Counter>()("docs/Counter", [
 *   GenServer.cast("increment"),
 *   GenServer.call("value", { success: Schema.Finite })
 * ]) {
 *   static readonly server = this.implement({
 *     init: (initial: number) => initial,
 *     handlers: {
 *       increment: (count) => Step.noReply(count + 1),
 *       value: (count) => Step.reply(count, count)
 *     }
 *   })
 * }
 *
 * const program = Effect.gen(function*() {
 *   const counter = yield* Counter
 *   yield* counter.increment()
 *   return yield* counter.value()
 * })
 *
 * Effect.runPromise(Effect.provide(program, Counter.server.layer(0))) // => 1
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const Service = <Self>() =>
<const Id extends string, const P extends Protocol>(
  key: Id,
  protocol: P & CheckProtocol<P>
): ServiceClass<Self, Id, P> => {
  protocol_.checkProtocol(key, protocol)
  const Base = Context.Service<Self, Client<P>>()(key)
  const clients = Clients.make(key, protocol)
  const statics = {
    protocol,
    at: (target: AnyTarget) => clients.at(target),
    implement: (callbacks: Callbacks) => makeServer(key, protocol, callbacks, clients)
  }
  return Object.assign(Base, statics) as unknown as ServiceClass<Self, Id, P>
}

type Callbacks = Omit<Definition, "name" | "protocol" | "init" | "mailbox"> & {
  readonly mailbox?: Process.Mailbox | undefined
  readonly init: (...args: Array<unknown>) => unknown
}

const makeServer = (key: string, protocol: Protocol, callbacks: Callbacks, clients: Clients.Clients) => {
  protocol_.checkHandlers(key, protocol, callbacks.handlers)
  const definition: Definition = {
    ...callbacks,
    name: key,
    protocol,
    mailbox: limitsOf(callbacks.mailbox),
    init: (args) => callbacks.init(...args)
  }
  return makeStarts({
    key,
    definition,
    parameters: callbacks.init.length,
    makeClient: clients.at,
    makeRef: clients.ref
  })
}

// ----------------------------------------------------------------------------
// init
// ----------------------------------------------------------------------------

/**
 * A first state with what is to follow it, from `init`. Mirrors `{ok, State, {continue, Term}}` and `{ok, State, Timeout}`.
 *
 * @category init
 * @since 0.1.0
 */
export const init = <S, const T = never>(state: S, options?: Step.Options<T>): Init<S, NoInfer<T>> =>
  new InitImpl("Init", state, options, undefined) as never

/**
 * From `init`: do not start, and do not call it a failure. A supervisor goes on without the child. Mirrors `ignore`.
 *
 * @category init
 * @since 0.1.0
 */
export const ignore: Ignore = new InitImpl("Ignore", undefined, undefined, undefined) as never

/**
 * From `init`: do not start; the process ends with `reason`, which takes a linked caller along if it is abnormal. Mirrors
 * `{stop, Reason}`. A typed failure of `init` is the gentler way: it hurts nobody.
 *
 * @category init
 * @since 0.1.0
 */
export const initStop = (reason: ExitReason.ExitReason): InitStop =>
  new InitImpl("Stop", undefined, undefined, Input.exitReason("reason", reason)) as never

// ----------------------------------------------------------------------------
// operations
// ----------------------------------------------------------------------------

/**
 * Answers a call that its handler left open with `Step.noReply`, from anywhere. Mirrors `gen_server:reply/2`.
 *
 * **Details**
 *
 * The first answer counts. A later one is dropped, with a warning, since one of the two was a mistake; one to a caller that has
 * gone is dropped without.
 *
 * @see {@link fail}
 * @category operations
 * @since 0.1.0
 */
export const reply = <A, E>(from: From<A, E>, value: NoInfer<A>): Effect.Effect<void> =>
  answer(from, Exit.succeed(value))

/**
 * Answers a call that its handler left open with the error that it declares.
 *
 * @see {@link reply}
 * @category operations
 * @since 0.1.0
 */
export const fail = <A, E>(from: From<A, E>, error: NoInfer<E>): Effect.Effect<void> => answer(from, Exit.fail(error))

const answer = (from: From<never, never>, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    // Its type lets nothing else in, but what is cast to it would be answered in vain.
    const request = Input.check<unknown>("from", "the From of a handler", from instanceof Request, from) as Request
    completeOnce(fiber, request, exit)
    return Effect.void
  })

/**
 * The pid of the server that a name, a via or a pid stands for, if there is one that is alive. Mirrors `GenServer.whereis/1`.
 *
 * **Details**
 *
 * A pid stands for itself. Between the answer and what you do with it the server may end: to call it, `at(name)` is enough,
 * which fails with `NoProcess` then.
 *
 * @category operations
 * @since 0.1.0
 */
export const whereis = (target: AnyTarget): Effect.Effect<Option.Option<Pid<never, unknown>>> =>
  Effect.withFiber((fiber) =>
    Effect.sync(() => {
      const entry = resolve(tableOf(fiber), target)
      return entry?.status === alive ? Option.some(entry) : Option.none()
    })
  )

/**
 * Asks a server to stop, and waits until it has ended and its name is free. Mirrors `gen_server:stop/3`.
 *
 * **Details**
 *
 * The request takes its turn in the mailbox, and `terminate` runs, whether the server traps exits or not. The reason is
 * `Normal` by default, and there is no time limit unless `timeout` is given. Fails with `CallError`: `NoProcess` if nobody
 * is there, `Timeout` (it stops later), `ServerExited` if it ends with another reason, and `CallingSelf` from within.
 *
 * @category operations
 * @since 0.1.0
 */
export const stop = (
  target: AnyTarget | { readonly pid: Pid<never, unknown> },
  options?: { readonly reason?: ExitReason.ExitReason | undefined; readonly timeout?: Duration.Input | undefined }
): Effect.Effect<void, CallError> =>
  Gen.stop(typeof target === "object" && "pid" in target ? target.pid : target, options)
