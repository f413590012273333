/**
 * A process that keeps a value, and runs functions on it, one after the other.
 *
 * An Agent is a GenServer without a protocol: whoever uses it says what to do with its value. A `Ref` does that, too, and
 * costs less; an Agent has an owner, a place in a tree, and ends with a reason that others can see.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { format } from "effect/Formatter"
import * as Scope from "effect/Scope"
import type * as Types from "effect/Types"
import type { ExitReason } from "./ExitReason.ts"
import type * as GenServer from "./GenServer.ts"
import { type Address, AddressTypeId } from "./internal/address.ts"
import type { InitArgs, ServicesOf } from "./internal/callbacks.ts"
import { Current, CurrentTable } from "./internal/current.ts"
import * as Gen from "./internal/gen.ts"
import * as Input from "./internal/input.ts"
import type { Entry } from "./internal/processTable.ts"
import type { Operation } from "./internal/request.ts"
import type { Definition } from "./internal/serverState.ts"
import { makeStarts } from "./internal/starting.ts"
import { made } from "./internal/where.ts"
import type { AnyTarget } from "./Name.ts"
import type { CallError, StartError } from "./OtpError.ts"
import type { Pid } from "./Pid.ts"
import type * as Process from "./Process.ts"
import * as Step from "./Step.ts"

const TypeId = "~@effect-otp/core/Agent"

// ----------------------------------------------------------------------------
// models
// ----------------------------------------------------------------------------

/**
 * A way to reach an agent that keeps an `S`.
 *
 * @see {@link Ref} for one that was started
 * @category models
 * @since 0.1.0
 */
export interface Agent<in out S> extends Any {
  readonly [TypeId]: Types.Invariant<S>
}

/**
 * A way to reach an agent, whatever it keeps.
 *
 * @category models
 * @since 0.1.0
 */
export interface Any {
  readonly [TypeId]: unknown
}

/**
 * A running agent: the way to reach it, and the pid of this incarnation. It understands no messages but requests.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ref<in out S> extends Agent<S> {
  readonly pid: Pid<never>
}

/**
 * How long to wait for the answer of an agent. Default: `GenServer.CallTimeout`, which is 5 seconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly timeout?: Duration.Input | undefined
}

/** What a function that gives `B` gives in the end: it may give an Effect of its value. */
type ValueOf<B> = B extends Effect.Effect<infer A, infer _E, infer _R> ? A : B

/** A value, or an Effect of one. */
type OrEffect<A, E = unknown> = A | Effect.Effect<A, E, unknown>

/** What a function needs from whoever hands it to the agent; the process and its Scope are the agent's. */
type Needs<B> = NeedsOf<ServicesOf<B>>
type NeedsOf<R> = R extends Process.Current | Scope.Scope ? never
  // Also in a process that does: it is the agent's mailbox that they would come to.
  : R extends Process.Receives<infer _S> ? "an agent receives no signals: let a process of your own do that"
  : R

// ----------------------------------------------------------------------------
// starting
// ----------------------------------------------------------------------------

/**
 * Starts an agent with the value that `init` gives, and waits until it has. Mirrors `Agent.start/2`.
 *
 * **When to use**
 *
 * Use it for a value with an owner that others may address, watch or stop. For a value that fibers merely share a `Ref` is
 * enough; where computing the next value is an Effect, a `SynchronizedRef`. For requests that deserve a name take a
 * GenServer, and to find an agent by a name, or to keep it in a tree, a {@link Service}.
 *
 * **Details**
 *
 * `init` gives a value or an Effect of one, and runs in the agent's process; a `Scope` that it asks for closes when the
 * agent ends. What is itself an Effect, such as an `Exit`, is run, and cannot be kept. Options: `name`, `label`, and
 * `timeout` for `init` (default: none). Fails with `StartError`: `InitFailed` with the error of `init`, `Crashed` if it
 * dies, `AlreadyStarted` if the name is taken, `Timeout`.
 *
 * **Example**
 *
 * ```ts
 * import { Agent } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const agent = yield* Agent.start(() => new Map<string, number>())
 *   yield* Agent.update(agent, (map) => new Map(map).set("a", 1))
 *   const size = yield* Agent.get(agent, (map) => map.size)
 *   yield* Agent.stop(agent)
 *   return size
 * })
 *
 * Effect.runPromise(program) // => 1
 * ```
 *
 * @see {@link startLink}, {@link startScoped}
 * @category constructors
 * @since 0.1.0
 */
export const start = <I>(
  init: () => I,
  options?: GenServer.StartOptions
): Effect.Effect<Ref<ValueOf<I>>, StartError<Effect.Error<I>>, Needs<I>> => startPlain("start", init, options) as never

/**
 * Starts an agent that is linked to the calling process. Mirrors `Agent.start_link/2`.
 *
 * @see {@link start}
 * @category constructors
 * @since 0.1.0
 */
export const startLink = <I>(
  init: () => I,
  options?: GenServer.StartOptions
): Effect.Effect<Ref<ValueOf<I>>, StartError<Effect.Error<I>>, Needs<I> | Process.Current> =>
  startPlain("startLink", init, options) as never

/**
 * Starts an agent that is stopped, with the reason `Shutdown`, when the Scope closes.
 *
 * @see {@link start}
 * @category constructors
 * @since 0.1.0
 */
export const startScoped = <I>(
  init: () => I,
  options?: GenServer.StartOptions
): Effect.Effect<Ref<ValueOf<I>>, StartError<Effect.Error<I>>, Needs<I> | Scope.Scope> =>
  startPlain("startScoped", init, options) as never

/**
 * A service that is an agent: the key under which a tree provides it, and the way to implement it.
 *
 * **Details**
 *
 * - `implement` takes `init`, with one argument or none, and gives what a GenServer has: `start`, `startLink`,
 *   `startMonitor`, `startScoped`, `child` and `layer`.
 * - `at` reaches an agent of this service that was found elsewhere: by its pid, its name or a via.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServiceClass<in out Self, in out Id extends string, in out S>
  extends Context.ServiceClass<Self, Id, Agent<S>>
{
  readonly at: (target: AnyTarget) => Agent<S>
  readonly implement: <Args extends InitArgs, I extends OrEffect<S>>(
    init: (...args: Args) => I
  ) => GenServer.Server<Self, Args, never, Effect.Error<I>, Needs<I>>
}

/**
 * Declares an agent that is a service: a tree keeps it running, and `yield*` gives the way to reach it.
 *
 * **When to use**
 *
 * Use it for an agent that lives as long as the application, or is found by a name. A service that has to hide how its
 * value looks is a GenServer.
 *
 * **Details**
 *
 * What the layer provides always reaches the current incarnation, and one that was restarted begins with what `init`
 * gives. While there is none, `get` and its kin fail with `CallError` and `NoProcess`. As a child its id is the key,
 * unless it is given another, and it is `permanent`. Mirrors `use Agent`.
 *
 * **Example**
 *
 * ```ts
 * import { Agent } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * class Hits extends Agent.Service<Hits, number>()("docs/Hits") {
 *   static readonly server = this.implement((first: number) => first)
 * }
 *
 * const program = Effect.gen(function*() {
 *   const hits = yield* Hits
 *   yield* Agent.update(hits, (n) => n + 1)
 *   return yield* Agent.get(hits, (n) => n)
 * })
 *
 * Effect.runPromise(Effect.provide(program, Hits.server.layer(41))) // => 42
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const Service = <Self, S>() => <const Id extends string>(key: Id): ServiceClass<Self, Id, S> => {
  const protocol = { key }
  const statics = {
    at: (target: AnyTarget) => makeHandle(protocol, target),
    implement: (init: (...args: ReadonlyArray<unknown>) => unknown) =>
      makeAgent(key, protocol, functionOf("init", init))
  }
  return Object.assign(Context.Service<Self, Agent<S>>()(key), statics) as unknown as ServiceClass<Self, Id, S>
}

// ----------------------------------------------------------------------------
// using
// ----------------------------------------------------------------------------

/**
 * Gives what `f` makes of the value, which stays as it is. Mirrors `Agent.get/3`.
 *
 * **Details**
 *
 * `f` runs in the agent's process, after whatever was asked before, and everybody else waits for it: heavy work belongs
 * outside. It gives a value or an Effect of one. That runs with the services of the caller; its process and `Scope` are
 * the agent's.
 *
 * If it fails, the caller gets that error, and the value stays. If it dies, the agent ends, and the caller gets
 * `CallError` with `ServerExited`. The other reasons: `Timeout` after 5 seconds, or `timeout` (an `f` that had begun runs
 * on, one still queued never runs), `NoProcess` (it did not run) and `CallingSelf`, at once, from within a function of this
 * agent (it did not run).
 *
 * **Example**
 *
 * ```ts
 * import { Agent } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const agent = yield* Agent.start(() => [1, 2, 3])
 *   const failed = Agent.get(agent, (list) => Effect.fail(`only ${list.length}`))
 *   return [yield* Agent.get(agent, (list) => list[0]), yield* Effect.flip(failed)]
 * })
 *
 * Effect.runPromise(program) // => [1, "only 3"]
 * ```
 *
 * @see {@link getAndUpdate}
 * @category operations
 * @since 0.1.0
 */
export const get = <S, B>(
  agent: Agent<S>,
  f: (state: S) => B,
  options?: Options
): Effect.Effect<ValueOf<B>, Effect.Error<B> | CallError, Needs<B>> => ask(agent, "get", f, options) as never

/**
 * Changes the value, and gives an answer: `f` makes the pair of both. Mirrors `Agent.get_and_update/3`.
 *
 * **Details**
 *
 * As {@link get}, with the same errors: an `f` that fails changes nothing. What is no pair ends the agent.
 *
 * **Example**
 *
 * ```ts
 * import { Agent } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const ids = yield* Agent.start(() => 1)
 *   const next = Agent.getAndUpdate(ids, (id) => [`job-${id}`, id + 1])
 *   return [yield* next, yield* next]
 * })
 *
 * Effect.runPromise(program) // => ["job-1", "job-2"]
 * ```
 *
 * @see {@link update} without an answer
 * @category operations
 * @since 0.1.0
 */
export const getAndUpdate = <S, B extends OrEffect<readonly [answer: unknown, state: S]>>(
  agent: Agent<S>,
  f: (state: S) => B,
  options?: Options
): Effect.Effect<AnswerOf<ValueOf<B>>, Effect.Error<B> | CallError, Needs<B>> =>
  ask(agent, "getAndUpdate", f, options) as never

type AnswerOf<Pair> = Pair extends readonly [infer A, unknown] ? A : never

/**
 * Replaces the value by what `f` makes of it, and waits until that is done. Mirrors `Agent.update/3`.
 *
 * **Details**
 *
 * As {@link get}, with the same errors: an `f` that fails changes nothing.
 *
 * @see {@link cast} without waiting
 * @category operations
 * @since 0.1.0
 */
export const update = <S, B extends OrEffect<S>>(
  agent: Agent<S>,
  f: (state: S) => B,
  options?: Options
): Effect.Effect<void, Effect.Error<B> | CallError, Needs<B>> => ask(agent, "update", f, options) as never

/**
 * Replaces the value by what `f` makes of it, without waiting: nobody is told whether it has run. Mirrors `Agent.cast/2`.
 *
 * **Details**
 *
 * To an agent that is not there nothing happens. The next request of the same caller comes after it. Nobody could be told
 * of a typed failure, so `f` must not have one; if it dies, the agent ends.
 *
 * @see {@link update}
 * @category operations
 * @since 0.1.0
 */
export const cast = <S, B extends OrEffect<S, never>>(
  agent: Agent<S>,
  f: (state: S) => B
): Effect.Effect<void, never, Needs<B>> =>
  Effect.withFiber((fiber) => {
    const { [AddressTypeId]: address, protocol } = handleOf(agent)
    return Gen.cast(address, protocol, "cast", work(f, fiber.context))
  }) as never

/**
 * Asks an agent to stop, and waits until it has ended and its name is free. Mirrors `Agent.stop/3`.
 *
 * **Details**
 *
 * It takes its turn: what was asked before is done first. The reason is `Normal` by default, and there is no time limit
 * unless `timeout` is given. Fails with `CallError`: `NoProcess` if nobody is there, `Timeout` (it stops later),
 * `ServerExited` if it ends with another reason, and `CallingSelf` from within. One that a tree keeps is started again, as
 * its `restart` says.
 *
 * @category operations
 * @since 0.1.0
 */
export const stop = <S>(
  agent: Agent<S>,
  options?: { readonly reason?: ExitReason | undefined; readonly timeout?: Duration.Input | undefined }
): Effect.Effect<void, CallError> => made(Effect.suspend(() => Gen.stop(handleOf(agent)[AddressTypeId], options)))

// ----------------------------------------------------------------------------
// at runtime
// ----------------------------------------------------------------------------

interface Handle {
  readonly [TypeId]: typeof TypeId
  readonly [AddressTypeId]: Address
  readonly protocol: object
}

const makeHandle = (protocol: object, address: Address): Handle => ({
  [TypeId]: TypeId,
  [AddressTypeId]: address,
  protocol
})

const isHandle = (agent: unknown): agent is Handle => typeof agent === "object" && agent !== null && TypeId in agent

const handleOf = (agent: unknown): Handle => Input.check<unknown>("agent", "an Agent", isHandle(agent), agent) as Handle

type Fn = (state?: unknown) => unknown

const functionOf = (what: string, f: unknown): Fn => Input.check(what, "a function", typeof f === "function", f) as Fn

/**
 * The function as the agent runs it. An Effect of it has the services of its caller, who gave them to it, but not the
 * process and the Scope, nor the Node: these are the agent's, or a call of its own from within would not be seen.
 */
const work = (f: unknown, caller: Context.Context<never>): Fn => {
  const run = functionOf("f", f)
  return (state) => {
    const result = run(state)
    if (!Effect.isEffect(result)) return result
    // What it needs is in there: the type of the request has seen to it.
    return Effect.updateContext(result as Effect.Effect<unknown, unknown>, withCaller(caller))
  }
}

const withCaller =
  (caller: Context.Context<never>) => (own: Context.Context<Current | Scope.Scope>): Context.Context<never> =>
    Context.merge(own, caller).pipe(
      Context.add(Current, Context.get(own, Current)),
      Context.add(Scope.Scope, Context.get(own, Scope.Scope)),
      Context.add(CurrentTable, Context.get(own, CurrentTable))
    )

// Whoever hands in a function knows from its type how it can fail: each failure is an answer, also that of another call.
const operation = (tag: string): { readonly ofFunction: Operation; readonly ofWork: Operation } => {
  const ofWork = { tag, declares: () => true }
  return { ofWork, ofFunction: { ...ofWork, construct: (f, caller) => work(f, caller.context) } }
}

const operations = {
  get: operation("get"),
  getAndUpdate: operation("getAndUpdate"),
  update: operation("update")
}

// Without a timeout it is the request itself and not what makes it, so that `GenServer.sendRequest` knows it.
const ask = (
  agent: unknown,
  tag: keyof typeof operations,
  f: unknown,
  options: Options | undefined
): Effect.Effect<unknown, unknown> => {
  if (!isHandle(agent)) return Effect.sync(() => handleOf(agent))
  const { [AddressTypeId]: address, protocol } = agent
  const { ofFunction, ofWork } = operations[tag]
  const timeout = options?.timeout
  if (timeout === undefined) return Gen.call(address, protocol, ofFunction, f)
  // The time is that of the request, and not of the calls that the function makes.
  return Effect.withFiber((fiber) =>
    Effect.provideService(
      Gen.call(address, protocol, ofWork, work(f, fiber.context)),
      Gen.CallTimeout,
      Input.millis("timeout", timeout)
    )
  )
}

/** Runs a function, and makes a step of its value. */
const run = (f: unknown, state: unknown, toStep: (value: unknown) => object): object => {
  const result = (f as Fn)(state)
  return Effect.isEffect(result) ? Effect.map(result, toStep) : toStep(result)
}

const handlers = (name: string): Definition["handlers"] => ({
  get: (state, f) => run(f, state, (value) => Step.reply(value, state)),
  getAndUpdate: (state, f) =>
    run(f, state, (pair) => {
      if (Array.isArray(pair) && pair.length === 2) return Step.reply(pair[0], pair[1])
      throw new TypeError(`${name}: the function of getAndUpdate must give [answer, state]; it gave ${format(pair)}`)
    }),
  update: (state, f) => run(f, state, (next) => Step.reply(undefined, next)),
  cast: (state, f) => run(f, state, (next) => Step.noReply(next))
})

const makeAgent = (name: string, protocol: object, init: (...args: ReadonlyArray<unknown>) => unknown) =>
  makeStarts({
    key: name,
    definition: { name, protocol, init: (args) => init(...args), handlers: handlers(name) },
    parameters: init.length,
    makeClient: (place) => makeHandle(protocol, place),
    makeRef: (pid: Entry) => ({ ...makeHandle(protocol, pid), pid })
  })

// One kind of agent for all that are no service: its argument is what `init` is to run.
const plain = makeAgent("Agent", { key: "Agent" }, (init) => (init as Fn)())

const startPlain = (
  how: "start" | "startLink" | "startScoped",
  init: unknown,
  options: GenServer.StartOptions | undefined
): Effect.Effect<unknown, unknown, unknown> => made(Effect.suspend(() => plain[how](functionOf("init", init), options)))
