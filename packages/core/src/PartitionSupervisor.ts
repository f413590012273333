/**
 * Many copies of one child behind a key: each key has its partition, and always the same.
 *
 * One process does one thing after the other. Where it is a bottleneck, since it waits for something in its handlers, or
 * where a failure should not take the state of all keys along, several share the keys among them.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Types from "effect/Types"
import * as ChildSpec from "./ChildSpec.ts"
import type * as ExitReason from "./ExitReason.ts"
import { AddressTypeId, locate } from "./internal/address.ts"
import { instantiate, isInstantiable } from "./internal/childInstance.ts"
import { tableOf } from "./internal/current.ts"
import * as Input from "./internal/input.ts"
import { Routes } from "./internal/partitions.ts"
import { alive, type Entry } from "./internal/processTable.ts"
import { show } from "./internal/resolve.ts"
import * as Name from "./Name.ts"
import * as OtpError from "./OtpError.ts"
import type { Pid } from "./Pid.ts"
import type * as Process from "./Process.ts"
import * as Supervisor from "./Supervisor.ts"

const TypeId = "~@effect-otp/core/PartitionSupervisor"
const PartitionsTypeId = "~@effect-otp/core/PartitionSupervisor/Partitions"

// ----------------------------------------------------------------------------
// models
// ----------------------------------------------------------------------------

/**
 * A way to reach running partitions: what a tree provides, and what {@link via} takes.
 *
 * @see {@link Ref} for those that were started
 * @category models
 * @since 0.1.0
 */
export interface Partitions {
  readonly [PartitionsTypeId]: unknown
}

/**
 * Partitions that were started: the way to reach them, and the pid of their supervisor.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ref extends Partitions, Supervisor.Ref {}

/**
 * Whatever reaches the supervisor of partitions.
 *
 * @category models
 * @since 0.1.0
 */
export type Target = Partitions | Name.AnyTarget

/**
 * How partitions are made.
 *
 * **Details**
 *
 * - `partitions`: how many, one or more.
 * - `child`: the spec of each, or a function that gives it, such as `Cache.server.child`. Its id is not used. What it
 *   provides is not provided: there is one in every partition.
 * - `args`: what the function is called with.
 * - `withArguments`: makes of `args` and the number of a partition the arguments of that one. Default: the same for all.
 * - `strategy`, `intensity`, `backoff`, `name`, `label`: as of any supervisor. One for all partitions together: with more
 *   of them the default intensity of 3 restarts within 5 seconds is used up sooner.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<Args extends ReadonlyArray<unknown>, Spec extends ChildSpec.Any> {
  readonly partitions: number
  readonly child: Spec | ((...args: Args) => Spec)
  readonly args?: Args | undefined
  readonly withArguments?: ((args: NoInfer<Args>, partition: number) => NoInfer<Args>) | undefined
  readonly strategy?: Supervisor.Strategy | undefined
  readonly intensity?: Supervisor.Intensity | undefined
  readonly backoff?: ChildSpec.Backoff | undefined
  readonly name?: Name.AnyName | undefined
  readonly label?: string | undefined
}

// A function with parameters needs arguments.
type NeedsArgs<Args extends ReadonlyArray<unknown>> = [] extends Args ? unknown : { readonly args: Args }

/**
 * The description of partitions that provide `Provides`, may fail to start with `E` and need `R`.
 *
 * **Details**
 *
 * - `start`, `startLink`, `startScoped` start them each time anew: alone, linked to the calling process, or ended with the
 *   Scope. `layer` starts them with the Layer.
 * - `child` makes them the child of a tree. Its id is the key of the service or the `name`, unless it is given another.
 *
 * @category models
 * @since 0.1.0
 */
export interface PartitionSupervisor<in Provides, out E, out R> {
  readonly [TypeId]: {
    readonly _Provides: Types.Contravariant<Provides>
    readonly _E: Types.Covariant<E>
    readonly _R: Types.Covariant<R>
  }
  readonly start: Effect.Effect<Ref, OtpError.StartError<E>, R>
  readonly startLink: Effect.Effect<Ref, OtpError.StartError<E>, R | Process.Current>
  readonly startScoped: Effect.Effect<Ref, OtpError.StartError<E>, R | Scope.Scope>
  readonly layer: Layer.Layer<Provides, OtpError.StartError<E>, R>
  readonly child: <const Provide extends boolean | undefined = undefined>(
    options?: Partial<Supervisor.ChildOptions<Provide>>
  ) => ChildSpec.ChildSpec<ChildSpec.Provided<Provides, Provide>, E, R>
}

// ----------------------------------------------------------------------------
// making
// ----------------------------------------------------------------------------

/**
 * Describes partitions. Mirrors Elixir's `PartitionSupervisor`.
 *
 * **When to use**
 *
 * Use it where one server has too much to do because its handlers wait, or holds the state of too many: every key goes to
 * one of several. For work without a state `Task.asyncStream` is enough, and for a process per key `DynamicSupervisor`.
 *
 * **Details**
 *
 * There is no default for `partitions`: how many are good depends on what they wait for, not on how many processors there
 * are. A bad option is a defect that names it. Two with a `name` for each child do not start.
 *
 * **Example**
 *
 * ```ts
 * import { GenServer, PartitionSupervisor, Step } from "@effect-otp/core"
 * import { Effect, Schema } from "effect"
 *
 * class Hits extends GenServer.Service<Hits>()("docs/Hits", [GenServer.call("hit", { success: Schema.Finite })]) {
 *   static readonly server = this.implement({
 *     init: (first: number) => first,
 *     handlers: { hit: (count) => Step.reply(count + 1, count + 1) }
 *   })
 * }
 *
 * const program = Effect.gen(function*() {
 *   const hits = yield* PartitionSupervisor.make({
 *     partitions: 4,
 *     child: Hits.server.child,
 *     args: [0],
 *     withArguments: ([first], partition) => [first + partition * 100]
 *   }).start
 *   const hitsOf = (key: unknown) => Hits.at(PartitionSupervisor.via(hits, key))
 *   return [yield* hitsOf(1).hit(), yield* hitsOf(5).hit(), yield* hitsOf(2).hit()]
 * })
 *
 * Effect.runPromise(program) // => [101, 102, 201]
 * ```
 *
 * @see {@link Service} for partitions that a tree provides
 * @category constructors
 * @since 0.1.0
 */
export const make = <
  Spec extends ChildSpec.Any,
  Args extends ReadonlyArray<unknown> | [] = []
>(
  options: Options<Args, Spec> & NeedsArgs<NoInfer<Args>>
): PartitionSupervisor<never, ChildSpec.Error<Spec>, ChildSpec.Services<Spec>> =>
  new Impl(options as AnyOptions, undefined) as never

/**
 * A service that is partitions: the key under which a tree provides them, and the way to implement them.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServiceClass<in out Self, in out Id extends string>
  extends Context.ServiceClass<Self, Id, Partitions>
{
  readonly implement: <Spec extends ChildSpec.Any, Args extends ReadonlyArray<unknown> | [] = []>(
    options: Options<Args, Spec> & NeedsArgs<NoInfer<Args>>
  ) => PartitionSupervisor<Self, ChildSpec.Error<Spec>, ChildSpec.Services<Spec>>
}

/**
 * Declares partitions as a service: a tree keeps them running, and `yield*` gives the way to reach them.
 *
 * **Details**
 *
 * It stays valid while partitions and their supervisor come and go.
 *
 * **Example**
 *
 * ```ts
 * import { Agent, PartitionSupervisor, Supervisor } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * class Words extends Agent.Service<Words, ReadonlyArray<string>>()("docs/Words") {
 *   static readonly server = this.implement(() => [])
 * }
 *
 * class AllWords extends PartitionSupervisor.Service<AllWords>()("docs/AllWords") {
 *   static readonly server = this.implement({ partitions: 4, child: Words.server.child() })
 * }
 *
 * const program = Effect.gen(function*() {
 *   const words = Words.at(PartitionSupervisor.via(yield* AllWords, "user-7"))
 *   yield* Agent.update(words, (list) => [...list, "hello"])
 *   return yield* Agent.get(words, (list) => list)
 * })
 *
 * const tree = Supervisor.make({ children: [AllWords.server.child()] })
 *
 * Effect.runPromise(Effect.provide(program, tree.layer)) // => ["hello"]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const Service = <Self>() => <const Id extends string>(key: Id): ServiceClass<Self, Id> => {
  const statics = { implement: (options: AnyOptions) => new Impl(options, Input.nonEmpty("key", key)) }
  return Object.assign(Context.Service<Self, Partitions>()(key), statics) as unknown as ServiceClass<Self, Id>
}

// ----------------------------------------------------------------------------
// using
// ----------------------------------------------------------------------------

/**
 * The partition of a key, as a name: for `at` of a service, `Process.send`, `Process.whereis`, and whatever takes a name.
 *
 * **Details**
 *
 * Mirrors `{:via, PartitionSupervisor, {name, key}}`. A whole number is its own hash, so that keys in a row go round in
 * turn: 5 of 4 partitions is the one with number 1, as is -5. Any other key goes by `Hash.hash`, which is stable for
 * strings, numbers and values that are equal by their fields. Where the partition is down nobody is found; with zero
 * partitions looking for one is a defect.
 *
 * **Example**
 *
 * ```ts
 * import { ChildSpec, PartitionSupervisor, Process } from "@effect-otp/core"
 * import { Deferred, Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const got = yield* Deferred.make<string>()
 *   const run = (self: Process.Self<string>) =>
 *     Effect.flatMap(self.receive, (message) => Deferred.succeed(got, message))
 *   const ref = yield* PartitionSupervisor.make({
 *     partitions: 2,
 *     child: ChildSpec.worker({ id: "mailbox", run })
 *   }).start
 *   yield* Process.send(PartitionSupervisor.via<string>(ref, "user-7"), "hello")
 *   return yield* Deferred.await(got)
 * })
 *
 * Effect.runPromise(program) // => "hello"
 * ```
 *
 * @category routing
 * @since 0.1.0
 */
export const via = <M, E = never>(partitions: Partitions, key: unknown): Name.Via<M, E> =>
  Name.via<M, unknown, E>(routesOf(partitions), key)

/**
 * How many partitions take part. Mirrors `PartitionSupervisor.partitions/1`.
 *
 * **Details**
 *
 * Fails with `CallError` and `NoProcess` if they do not run.
 *
 * @see {@link resize}
 * @category partitions
 * @since 0.1.0
 */
export const partitions = (target: Target): Effect.Effect<number, OtpError.CallError> =>
  Effect.map(running(target, "partitions"), ({ count }) => count)

/**
 * Changes how many partitions take part, from zero to as many as there were at the start; gives how many they were before.
 * Mirrors `PartitionSupervisor.resize!/2`.
 *
 * **Details**
 *
 * Keys go to other partitions afterwards, and the state of a partition that is stopped is lost. Those that are not needed
 * take no more keys and are then stopped by their shutdown rules; those that are needed start before they take keys.
 * Their specs stay, and a restart of the supervisor brings back all of them. A number that is too high is a defect. Fails
 * with `CallError`, and with `StartError` if one does not start: then nothing changes for the keys.
 *
 * **Example**
 *
 * ```ts
 * import { ChildSpec, PartitionSupervisor } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const child = ChildSpec.worker({ id: "worker", run: () => Effect.never })
 *   const ref = yield* PartitionSupervisor.make({ partitions: 4, child }).start
 *   const before = yield* PartitionSupervisor.resize(ref, 3)
 *   const { active, specs } = yield* PartitionSupervisor.countChildren(ref)
 *   return { before, active, specs }
 * })
 *
 * Effect.runPromise(program) // => { before: 4, active: 3, specs: 4 }
 * ```
 *
 * @category partitions
 * @since 0.1.0
 */
export const resize = (
  target: Target,
  partitions: number
): Effect.Effect<number, OtpError.CallError | OtpError.StartError<unknown>> =>
  Effect.flatMap(running(target, "resize"), (routes) => {
    const expected = `a whole number from 0 to ${routes.max}`
    const fits = Number.isInteger(partitions) && partitions >= 0 && partitions <= routes.max
    return routes.resizing.withPermit(resizeTo(routes, Input.check("partitions", expected, fits, partitions)))
  })

const resizeTo = Effect.fnUntraced(function*(routes: Routes, partitions: number) {
  const before = routes.count
  const supervisor = inSupervisor(toHandle(routes))
  for (let partition = 0; partition < partitions; partition++) {
    yield* Supervisor.restartChild(supervisor, `${partition}`).pipe(
      Effect.catchTag(["ChildRunning", "ChildRestarting"], () => Effect.void),
      // It is one of its children for as long as it runs.
      Effect.catchTag("ChildNotFound", Effect.die)
    )
  }
  // Whoever looks for a partition from now on finds none of those that are about to stop.
  routes.count = partitions
  for (let partition = routes.max - 1; partition >= partitions; partition--) {
    yield* Effect.catchTag(Supervisor.terminateChild(supervisor, `${partition}`), "ChildNotFound", Effect.die)
  }
  return before
})

/**
 * One partition: its number, and who runs there.
 *
 * @category models
 * @since 0.1.0
 */
export interface PartitionInfo extends Omit<Supervisor.ChildInfo, "id"> {
  readonly id: number
}

/**
 * All partitions, the last first, also those that a resize has stopped. Mirrors `PartitionSupervisor.which_children/1`.
 *
 * @category partitions
 * @since 0.1.0
 */
export const whichChildren = (target: Target): Effect.Effect<ReadonlyArray<PartitionInfo>, OtpError.CallError> =>
  Effect.map(
    Supervisor.whichChildren(inSupervisor(target)),
    (children) => children.map((child) => ({ ...child, id: Number(child.id) }))
  )

/**
 * Counts the partitions: specs, those that run, and specs by type. Mirrors `PartitionSupervisor.count_children/1`.
 *
 * @category partitions
 * @since 0.1.0
 */
export const countChildren = (target: Target): Effect.Effect<Supervisor.ChildCounts, OtpError.CallError> =>
  Supervisor.countChildren(inSupervisor(target))

/**
 * Stops all partitions, the last first, and waits until they and their supervisor have ended. Mirrors
 * `PartitionSupervisor.stop/3`.
 *
 * @see `Supervisor.stop` for the options and errors
 * @category partitions
 * @since 0.1.0
 */
export const stop = (
  target: Target,
  options?: { readonly reason?: ExitReason.ExitReason | undefined; readonly timeout?: Duration.Input | undefined }
): Effect.Effect<void, OtpError.CallError> => Supervisor.stop(inSupervisor(target), options)

// ----------------------------------------------------------------------------
// at runtime
// ----------------------------------------------------------------------------

type AnyOptions = Options<ReadonlyArray<unknown>, ChildSpec.Any>

interface Handle extends Partitions {
  readonly [PartitionsTypeId]: Routes
  /** Has it reach the supervisor that is there now. */
  readonly [AddressTypeId]: Routes
}

const toHandle = (routes: Routes): Handle => ({ [PartitionsTypeId]: routes, [AddressTypeId]: routes })

const isHandle = (target: unknown): target is Handle =>
  typeof target === "object" && target !== null && PartitionsTypeId in target

// A supervisor is reached by whatever has an address, also where its type does not say so.
const inSupervisor = (target: Target): Supervisor.Target => target as Supervisor.Target

const routesOf = (partitions: unknown): Routes =>
  Input.check("partitions", "what a PartitionSupervisor is reached by", isHandle(partitions), partitions as Handle)[
    PartitionsTypeId
  ]

/** Of those that were started, by their supervisor: it may be found by a name. */
const started = new WeakMap<Entry, Routes>()

const running = (target: Target, request: string): Effect.Effect<Routes, OtpError.CallError> =>
  Effect.withFiber((fiber) => {
    const address = isHandle(target) ? target[AddressTypeId] : target as Name.AnyTarget
    const entry = locate(tableOf(fiber), address)
    const routes = entry?.status === alive ? started.get(entry) : undefined
    const shown = address instanceof Routes ? address.shown : show(address)
    return routes === undefined ? Effect.fail(OtpError.callNoProcess(shown, request)) : Effect.succeed(routes)
  })

class Impl {
  readonly [TypeId] = TypeId
  readonly options: AnyOptions
  readonly key: string | undefined
  readonly specs: ReadonlyArray<ChildSpec.Any>
  readonly start: Effect.Effect<Ref, OtpError.StartError<unknown>>
  readonly startLink: Effect.Effect<Ref, OtpError.StartError<unknown>>
  readonly startScoped: Effect.Effect<Ref, OtpError.StartError<unknown>, Scope.Scope>
  readonly layer: Layer.Layer<never, OtpError.StartError<unknown>>

  constructor(options: AnyOptions, key: string | undefined) {
    this.options = options
    this.key = key
    this.specs = specsOf(options)
    // What is wrong with the supervisor shows here, too, and not when it is started.
    treeOf(this, new Routes("", 0))
    const placed = <E, R>(
      start: (tree: Supervisor.Supervisor<never, unknown, never>) => Effect.Effect<Supervisor.Ref, E, R>
    ) =>
      Effect.suspend(() => {
        const routes = routesFor(this)
        return Effect.map(start(treeOf(this, routes)), (ref): Ref => ({ ...ref, ...toHandle(begun(routes, ref)) }))
      })
    this.start = placed((tree) => tree.start)
    this.startLink = placed((tree) => tree.startLink as Effect.Effect<Supervisor.Ref, OtpError.StartError<unknown>>)
    this.startScoped = placed((tree) => tree.startScoped)
    this.layer = Layer.effectContext(Effect.map(this.startScoped, (ref) => contextOf(this, ref)))
  }

  child(options: Partial<Supervisor.ChildOptions<boolean | undefined>> = {}): ChildSpec.Any {
    const { key, options: { name } } = this
    const id = options.id ?? key ?? (name === undefined ? undefined : show(name))
    const outline = treeOf(this, new Routes("", 0)).child({ ...options, id: id as string })
    return ChildSpec.fromInstance(outline, () => {
      const routes = routesFor(this)
      const { start } = instantiate(treeOf(this, routes).child({ id: outline.id }))
      return {
        context: options.provide === false ? Context.empty() : contextOf(this, toHandle(routes)),
        start: Effect.suspend(() => {
          routes.count = routes.max
          return Effect.map(start, (ref) => {
            begun(routes, ref as Supervisor.Ref)
            return ref
          })
        })
      }
    }, ChildSpec.describedOf(outline))
  }
}

const contextOf = ({ key }: Impl, partitions: Partitions): Context.Context<never> =>
  key === undefined ? Context.empty() : Context.make(Context.Service<Partitions>(key), partitions) as never

const routesFor = ({ key, options: { label, name, partitions } }: Impl): Routes =>
  new Routes(key ?? label ?? (name === undefined ? "PartitionSupervisor" : show(name)), partitions)

const begun = (routes: Routes, { pid }: { readonly pid: Pid<never> }): Routes => {
  routes.pid = pid as Entry
  started.set(routes.pid, routes)
  return routes
}

/** Each partition, as it describes itself. */
const specsOf = (options: AnyOptions): ReadonlyArray<ChildSpec.Any> => {
  const { args = [], child, partitions, withArguments } = Input.check(
    "options",
    "an object",
    typeof options === "object" && options !== null,
    options
  )
  // Like a DynamicSupervisor, they are there until they are stopped.
  const { autoShutdown = "never" } = options as { readonly autoShutdown?: "never" }
  Input.oneOf("autoShutdown", ["never"], autoShutdown)
  const isNumber = Number.isSafeInteger(partitions) && partitions > 0
  Input.check("partitions", "a whole number of one or more", isNumber, partitions)
  Input.check("args", "an array", Array.isArray(args), args)
  if (withArguments !== undefined) {
    Input.check("withArguments", "a function", typeof withArguments === "function", withArguments)
    Input.check("child", "a function of arguments, since there is withArguments", typeof child === "function", child)
  }
  return Array.from({ length: partitions }, (_, partition) => {
    const own = withArguments === undefined ? args : withArguments(args, partition)
    Input.check("withArguments", "to give an array of arguments", Array.isArray(own), own)
    const spec = typeof child === "function" ? child(...own) : child
    return Input.check("child", "a ChildSpec, or a function that gives one", isInstantiable(spec), spec)
  })
}

const treeOf = (
  { key, options: { backoff, intensity, label, name, strategy }, specs }: Impl,
  routes: Routes
): Supervisor.Supervisor<never, unknown, never> =>
  Supervisor.make({
    backoff,
    intensity,
    name,
    strategy,
    label: label ?? key,
    children: specs.map((spec, partition) =>
      ChildSpec.fromInstance<never, unknown, never>(
        { ...spec, id: `${partition}` },
        () => routes.routed(partition, instantiate(spec)),
        ChildSpec.describedOf(spec)
      )
    )
  })
