/**
 * Looks into a running server, whatever it is: its state, its events, and a pause in which nothing moves.
 *
 * Mirrors Erlang's `sys`. Every server and every supervisor answers, between two of its callbacks. What is asked here is
 * always admitted, also by a full mailbox and while the server is suspended, and takes its turn in the order of the mailbox.
 *
 * **When to use**
 *
 * Use it to find out what a live system does, and in tests: `Sys.getState` answers when all that was sent before has been
 * handled. What a program needs to know in its normal course is a request of the server's own protocol.
 *
 * **Details**
 *
 * Whatever reaches a server will do as a target: a pid, a name, a via, or a client. All wait at most for `timeout`, by default
 * for `GenServer.CallTimeout`, and fail with
 *
 * - `CallError`: `NoProcess`, `Timeout` (a request that is still queued then is never done), `ServerExited`, `CallingSelf`
 * - `NotAServer`, where the process has a body of its own (`Process.spawn`)
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Agent from "./Agent.ts"
import type { ExitReason } from "./ExitReason.ts"
import { type Address, addressOf } from "./internal/address.ts"
import * as Input from "./internal/input.ts"
import { log as logEntry } from "./internal/log.ts"
import { describe, type Entry } from "./internal/processTable.ts"
import { stop } from "./internal/serverEnd.ts"
import { type Definition, definitionOf, formatState, type ServerState } from "./internal/serverState.ts"
import {
  Counts,
  type Event,
  forget,
  listen,
  listenerOf,
  Log,
  loggedBy,
  setSuspended,
  unlisten
} from "./internal/serverSystem.ts"
import { type Failure, type Options, systemCall } from "./internal/systemCall.ts"
import { monotonic } from "./internal/time.ts"
import { type AnyTarget, isName, isVia } from "./Name.ts"
import { CallbackFailed, NotSuspended } from "./OtpError.ts"
import { isPid, type Pid } from "./Pid.ts"
import type * as Registry from "./Registry.ts"

export type { Event, Message } from "./internal/serverSystem.ts"
export type { Failure, Options } from "./internal/systemCall.ts"

/**
 * Whatever reaches a server: a pid, a name or a via, what `start` has given, or a client (`yield* Counter`).
 *
 * @category models
 * @since 0.1.0
 */
export type Target =
  | AnyTarget
  | { readonly pid: Pid<never, unknown> }
  | Agent.Any
  | Registry.Any
  | { readonly [request: string]: (...args: never) => Effect.Effect<unknown, unknown> }

// ----------------------------------------------------------------------------
// state
// ----------------------------------------------------------------------------

/**
 * The state of a server, also of one that is suspended. Mirrors `sys:get_state/2`.
 *
 * **Details**
 *
 * Its type is what you say it is: nobody checks it. It is the state itself, not a copy, and must not be changed. A supervisor
 * shows a `Supervisor.Snapshot`, a state machine `[state, data]`. Fails with {@link Failure}, and with `CallbackFailed` where
 * the state of a behaviour cannot be shown.
 *
 * **Example** (A state without a request for it)
 *
 * ```ts
 * import { GenServer, Step, Sys } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * class Counter extends GenServer.Service<Counter>()("docs/Counter", [GenServer.cast("increment")]) {
 *   static readonly server = this.implement({
 *     init: (initial: number) => initial,
 *     handlers: { increment: (count) => Step.noReply(count + 1) }
 *   })
 * }
 *
 * const program = Effect.gen(function*() {
 *   const counter = yield* Counter
 *   yield* counter.increment()
 *   const before = yield* Sys.getState<number>(counter)
 *   const after = yield* Sys.replaceState(counter, (count: number) => count * 10)
 *   return [before, after]
 * }).pipe(Effect.provide(Counter.server.layer(1)))
 *
 * Effect.runPromise(program) // => [2, 20]
 * ```
 *
 * @see {@link replaceState}, {@link getStatus}
 * @category state
 * @since 0.1.0
 */
export const getState = <S = unknown>(target: Target, options?: Options): Effect.Effect<S, Failure | CallbackFailed> =>
  request(target, "getState", options, (_, server) => attempt(server, "getState", () => shown(server) as S))

/**
 * Replaces the state of a server by what `f` makes of it, and gives the new one. Mirrors `sys:replace_state/3`.
 *
 * **When to use**
 *
 * Use it to repair a live server, and in tests that need a state which is hard to reach.
 *
 * **Details**
 *
 * `f` is pure and runs in the server. If it throws, the state stays as it was, the server goes on, and this fails with
 * `CallbackFailed`; so it does for a supervisor, whose state cannot be replaced. Otherwise it fails with {@link Failure}; after
 * a `Timeout` the state is not replaced if the request was still queued.
 *
 * Of a state machine it takes and gives `[state, data]`, and is no transition: there is no enter call, timeouts go on, and
 * postponed events wait for the next change of state.
 *
 * @see {@link changeCode}
 * @category state
 * @since 0.1.0
 */
export const replaceState = <S>(
  target: Target,
  f: (state: S) => S,
  options?: Options
): Effect.Effect<S, Failure | CallbackFailed> =>
  request(target, "replaceState", options, (_, server) =>
    attempt(server, "replaceState", () => {
      server.state = replaced(server.definition, server.state, f(shown(server) as S))
      return shown(server) as S
    }))

const shown = ({ definition, state }: ServerState): unknown =>
  definition.shown === undefined ? state : definition.shown(state)

/** The state when what is shown of it has become `next`. */
const replaced = ({ name, replace, shown }: Definition, state: unknown, next: unknown): unknown => {
  if (replace !== undefined) return replace(state, next)
  if (shown === undefined) return next
  throw new TypeError(`${name}: what it shows of its state is a copy, which cannot replace it`)
}

const attempt = <A>(server: ServerState, request: string, f: () => A): Exit.Exit<A, CallbackFailed> => {
  try {
    return Exit.succeed(f())
  } catch (defect) {
    return Exit.fail(new CallbackFailed({ server: server.definition.name, request, cause: Cause.die(defect) }))
  }
}

/**
 * What is known of a server from inside.
 *
 * @category models
 * @since 0.1.0
 */
export interface Status {
  readonly pid: Pid<never, unknown>
  readonly name: string | undefined
  readonly label: string | undefined
  /** Which kind of server it is: the key of its service. */
  readonly server: string
  readonly status: "running" | "suspended"
  readonly mailboxLength: number
  /** How many requests it did not run, because nobody waited for them any more. */
  readonly skipped: number
  /** The events that {@link log} keeps, oldest first. */
  readonly log: ReadonlyArray<Event>
  /** As `formatStatus` gives it. */
  readonly state: unknown
}

/**
 * The status of a server, with its state by `formatStatus`. Mirrors `sys:get_status/2`.
 *
 * **Details**
 *
 * Fails with {@link Failure}. A `formatStatus` that throws does no harm: the state then says so.
 *
 * @see {@link getState} for the state as it is
 * @category state
 * @since 0.1.0
 */
export const getStatus = (target: Target, options?: Options): Effect.Effect<Status, Failure> =>
  request(target, "getStatus", options, (entry, server) =>
    Exit.succeed({
      pid: entry,
      name: entry.name?.toString(),
      label: entry.label,
      server: server.definition.name,
      status: server.system?.suspended === true ? "suspended" : "running",
      mailboxLength: entry.length,
      skipped: server.skipped,
      log: loggedBy(server.system) ?? [],
      state: formatState(server.definition, server.state)
    }))

// ----------------------------------------------------------------------------
// suspend
// ----------------------------------------------------------------------------

/**
 * Suspends a server: what it is sent stays in its mailbox, in order, until {@link resume}. Mirrors `sys:suspend/2`.
 *
 * **Details**
 *
 * Only the requests of this module, `GenServer.stop`, exit signals and the exit of the process that has started it reach it
 * meanwhile; the exits of a supervisor's children wait. Calls time out, and one that was given up never runs. The timeout of a
 * step does not pass; those of a state machine do, and come when it goes on. Suspending twice is the same as once. Fails with
 * {@link Failure}.
 *
 * **Example** (Calls wait)
 *
 * ```ts
 * import { GenServer, Step, Sys } from "@effect-otp/core"
 * import { Effect, Fiber, Schema } from "effect"
 *
 * class Echo extends GenServer.Service<Echo>()("docs/Echo", [
 *   GenServer.call("echo", { payload: Schema.String, success: Schema.String })
 * ]) {
 *   static readonly server = this.implement({
 *     init: () => 0,
 *     handlers: { echo: (count, text) => Step.reply(text, count + 1) }
 *   })
 * }
 *
 * const program = Effect.gen(function*() {
 *   const echo = yield* Echo
 *   yield* Sys.suspend(echo)
 *   const hello = yield* Effect.forkChild(echo.echo("hello"), { startImmediately: true })
 *   const { mailboxLength, status } = yield* Sys.getStatus(echo)
 *   yield* Sys.resume(echo)
 *   return [status, mailboxLength, yield* Fiber.join(hello)]
 * }).pipe(Effect.provide(Echo.server.layer()))
 *
 * Effect.runPromise(program) // => ["suspended", 1, "hello"]
 * ```
 *
 * @category suspending
 * @since 0.1.0
 */
export const suspend = (target: Target, options?: Options): Effect.Effect<void, Failure> =>
  request(target, "suspend", options, (_, server) => setSuspended(server, true))

/**
 * Lets a server go on that was suspended, with the messages that have come meanwhile. Mirrors `sys:resume/2`. To one that is
 * not suspended it does nothing. Fails with {@link Failure}.
 *
 * @see {@link suspend}
 * @category suspending
 * @since 0.1.0
 */
export const resume = (target: Target, options?: Options): Effect.Effect<void, Failure> =>
  request(target, "resume", options, (_, server) => setSuspended(server, false))

/**
 * The implementation of a server, as `implement` gives it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Implementation<out R> {
  readonly start: (...args: never) => Effect.Effect<unknown, unknown, R>
}

/**
 * Gives a suspended server another implementation of its service, and the state that belongs to it. Mirrors
 * `sys:change_code/5`.
 *
 * **Details**
 *
 * `migrate` is pure, takes the state as {@link getState} gives it, and gives that of `implementation`, whose callbacks handle
 * everything from then on. Services that they require and the server does not have come from whoever asks. The mailbox, the
 * policy of its bound and whether it traps exits stay as they are; a restart by a supervisor begins with what the supervisor
 * was given. Fails with {@link Failure}; with `NotSuspended`, or `CallbackFailed` if `migrate` throws, and then nothing has
 * changed. An implementation of another service is a defect.
 *
 * **Example** (A counter begins to count in steps of ten)
 *
 * ```ts
 * import { GenServer, Step, Sys } from "@effect-otp/core"
 * import { Effect, Schema } from "effect"
 *
 * class Counter extends GenServer.Service<Counter>()("docs/Counter", [
 *   GenServer.call("next", { success: Schema.Finite })
 * ]) {
 *   static readonly server = this.implement({
 *     init: () => 0,
 *     handlers: { next: (count) => Step.reply(count + 1, count + 1) }
 *   })
 *   static readonly second = this.implement({
 *     init: () => ({ count: 0, step: 10 }),
 *     handlers: { next: ({ count, step }) => Step.reply(count + step, { count: count + step, step }) }
 *   })
 * }
 *
 * const program = Effect.gen(function*() {
 *   const counter = yield* Counter
 *   yield* counter.next()
 *   yield* Sys.suspend(counter)
 *   yield* Sys.changeCode(counter, Counter.second, (count: number) => ({ count, step: 10 }))
 *   yield* Sys.resume(counter)
 *   return yield* counter.next()
 * }).pipe(Effect.provide(Counter.server.layer()))
 *
 * Effect.runPromise(program) // => 11
 * ```
 *
 * @category suspending
 * @since 0.1.0
 */
export const changeCode = <S, R>(
  target: Target,
  implementation: Implementation<R>,
  migrate: (state: S) => unknown,
  options?: Options
): Effect.Effect<void, Failure | CallbackFailed | NotSuspended, R> =>
  Effect.contextWith((context: Context.Context<R>) => {
    const definition = definitionOf(implementation)!
    Input.check("implementation", "what implement has given", definition !== undefined, implementation)
    return request<void, CallbackFailed | NotSuspended>(target, "changeCode", options, (entry, server) => {
      if (server.definition.protocol !== definition.protocol) {
        return Exit.die(
          new TypeError(`implementation: ${definition.name} is not an implementation of ${server.definition.name}`)
        )
      }
      if (server.system?.suspended !== true) {
        return Exit.fail(new NotSuspended({ target: describe(entry), request: "changeCode" }))
      }
      return attempt(server, "changeCode", () => {
        server.state = replaced(definition, server.state, migrate(shown(server) as S))
        adopt(entry, server, definition, context)
      })
    })
  })

// Its own services go first: the process, the scope, and what it was started with.
const adopt = (
  entry: Entry,
  server: ServerState,
  definition: Definition,
  context: Context.Context<never>
): void => {
  server.definition = definition
  entry.context = Context.merge(context, entry.context)
  if (server.context !== undefined) server.context = Context.merge(context, server.context)
}

/**
 * Ends a server with `reason`, after `terminate`, and answers at once. Mirrors `sys:terminate/3`. Fails with {@link Failure}.
 *
 * @see `GenServer.stop`, which waits until the server has ended
 * @category suspending
 * @since 0.1.0
 */
export const terminate = (target: Target, reason: ExitReason, options?: Options): Effect.Effect<void, Failure> =>
  Effect.suspend(() => {
    Input.exitReason("reason", reason)
    return request(target, "terminate", options, (entry, server) => {
      stop(entry, server, reason)
      return Exit.void
    })
  })

// ----------------------------------------------------------------------------
// events
// ----------------------------------------------------------------------------

/**
 * Has `listener` called with each event of a server, until it gives `"done"`. Mirrors `sys:install/3`.
 *
 * **Details**
 *
 * It runs in the server, which waits for it: it must be quick, and must not throw. One that throws is removed, with a warning,
 * and harms nothing. The same function is installed once. Events are made only while somebody listens.
 *
 * Fails with {@link Failure}.
 *
 * **Example** (The next thing it does)
 *
 * ```ts
 * import { GenServer, Step, Sys } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * class Counter extends GenServer.Service<Counter>()("docs/Counter", [GenServer.cast("increment")]) {
 *   static readonly server = this.implement({
 *     init: () => 0,
 *     handlers: { increment: (count) => Step.noReply(count + 1) }
 *   })
 * }
 *
 * const program = Effect.gen(function*() {
 *   const counter = yield* Counter
 *   const states: Array<unknown> = []
 *   yield* Sys.install(counter, (event) => event._tag === "State" && states.push(event.state))
 *   yield* counter.increment()
 *   yield* counter.increment()
 *   yield* Sys.noDebug(counter)
 *   return states
 * }).pipe(Effect.provide(Counter.server.layer()))
 *
 * Effect.runPromise(program) // => [1, 2]
 * ```
 *
 * @see {@link remove}, {@link noDebug}
 * @category events
 * @since 0.1.0
 */
export const install = (
  target: Target,
  listener: (event: Event) => unknown,
  options?: Options
): Effect.Effect<void, Failure> =>
  request(target, "install", options, (entry, server) =>
    listen(server, {
      key: listener,
      tell: listener,
      failed: (defect) =>
        logEntry(entry, "Warn", () => ({
          title: `what Sys.install gave to ${describe(entry)} has thrown, and is removed`,
          cause: Cause.die(defect)
        }))
    }))

/**
 * Removes what {@link install} has installed. Mirrors `sys:remove/2`. Fails with {@link Failure}.
 *
 * @category events
 * @since 0.1.0
 */
export const remove = (
  target: Target,
  listener: (event: Event) => unknown,
  options?: Options
): Effect.Effect<void, Failure> => request(target, "remove", options, (_, server) => unlisten(server, listener))

/**
 * Writes each event of a server to Effect's logger, or no longer. Mirrors `sys:trace/2`. Fails with {@link Failure}.
 *
 * **Details**
 *
 * They are logged at the level Info, with the loggers and annotations that the server was started with.
 *
 * @category events
 * @since 0.1.0
 */
export const trace = (target: Target, on: boolean, options?: Options): Effect.Effect<void, Failure> =>
  request(target, "trace", options, (entry, server) => {
    if (!on) return unlisten(server, "trace")
    const { name } = server.definition
    return listen(server, {
      key: "trace",
      tell: (event) => logEntry(entry, "Info", () => ({ title: `${name} ${describe(entry)}`, details: { event } }))
    })
  })

/**
 * Keeps the last events of a server, or no longer. Mirrors `sys:log/2`.
 *
 * **Details**
 *
 * `true` keeps ten, `{ last }` as many as it says. While a log is kept, asking for another number changes nothing. The events
 * are part of {@link getStatus} and of the report if the server crashes. Fails with {@link Failure}.
 *
 * @see {@link getLog}
 * @category events
 * @since 0.1.0
 */
export const log = (
  target: Target,
  on: boolean | { readonly last: number },
  options?: Options
): Effect.Effect<void, Failure> =>
  Effect.suspend(() => {
    const last = typeof on === "boolean" ? 10 : Input.count("last", on.last)
    Input.check("last", "one or more", last > 0, last)
    return request(
      target,
      "log",
      options,
      (_, server) => on === false ? unlisten(server, Log.key) : listen(server, new Log(last))
    )
  })

/**
 * The events that {@link log} has kept, oldest first; none if it keeps none. Mirrors `sys:log(Name, get)`. Fails with
 * {@link Failure}.
 *
 * @category events
 * @since 0.1.0
 */
export const getLog = (target: Target, options?: Options): Effect.Effect<ReadonlyArray<Event>, Failure> =>
  request(target, "getLog", options, (_, server) => Exit.succeed(loggedBy(server.system) ?? []))

/**
 * Counts the messages of a server from now on, or no longer. Mirrors `sys:statistics/2`. Fails with {@link Failure}.
 *
 * @see {@link getStatistics}
 * @category events
 * @since 0.1.0
 */
export const statistics = (target: Target, on: boolean, options?: Options): Effect.Effect<void, Failure> =>
  request(
    target,
    "statistics",
    options,
    (entry, server) => on ? listen(server, new Counts(now(entry))) : unlisten(server, Counts.key)
  )

/**
 * What has been counted of a server.
 *
 * @category models
 * @since 0.1.0
 */
export interface Statistics {
  /** For how long they have been counted. */
  readonly elapsed: Duration.Duration
  /** Messages that it has taken, requests of this module not among them. */
  readonly messagesIn: number
  /** Answers of its steps. */
  readonly messagesOut: number
  /** Requests that it did not run, because nobody waited for them any more: since it was started. */
  readonly skipped: number
}

/**
 * What has been counted since {@link statistics} was turned on; nothing if it is off. Mirrors `sys:statistics(Name, get)`. Fails
 * with {@link Failure}.
 *
 * @category events
 * @since 0.1.0
 */
export const getStatistics = (target: Target, options?: Options): Effect.Effect<Option.Option<Statistics>, Failure> =>
  request(target, "getStatistics", options, (entry, server) => {
    const counts = listenerOf(server.system, Counts.key)
    if (!(counts instanceof Counts)) return Exit.succeed(Option.none<Statistics>())
    const { messagesIn, messagesOut, since } = counts
    const elapsed = Duration.millis(now(entry) - since)
    return Exit.succeed(Option.some({ elapsed, messagesIn, messagesOut, skipped: server.skipped }))
  })

/**
 * Removes all that listens to the events of a server: log, statistics, trace, and what was installed. Mirrors
 * `sys:no_debug/2`. Fails with {@link Failure}.
 *
 * @category events
 * @since 0.1.0
 */
export const noDebug = (target: Target, options?: Options): Effect.Effect<void, Failure> =>
  request(target, "noDebug", options, (_, server) => forget(server))

// ----------------------------------------------------------------------------
// internals
// ----------------------------------------------------------------------------

const request = <A, E = never>(
  target: Target,
  tag: string,
  options: Options | undefined,
  perform: Parameters<typeof systemCall<A, E>>[3]
): Effect.Effect<A, E | Failure> => systemCall(() => addressOfTarget(target), tag, options, perform)

const addressOfTarget = (target: Target): Address => {
  if (isAnyTarget(target)) return target
  const client = (target ?? {}) as { readonly pid?: Pid<never, unknown> }
  const address = client.pid ?? addressOf(client)
  return Input.check("target", "a pid, a name, a via or a client", address !== undefined, address ?? target) as Address
}

const isAnyTarget = (target: Target): target is AnyTarget =>
  typeof target === "string" || isPid(target) || isName(target as AnyTarget) || isVia(target as AnyTarget)

const now = (entry: Entry): number => monotonic(Context.get(entry.context, Clock.Clock))()
