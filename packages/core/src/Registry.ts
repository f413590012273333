/**
 * Keys that processes hold, each with a value: to find a process by what it is for, and to tell all that are interested.
 *
 * A name is a string, and a process has one; a key of a registry is of any type, and a process holds as many as it likes.
 * What it holds goes when it ends.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Filter from "effect/Filter"
import type * as Layer from "effect/Layer"
import * as MutableHashMap from "effect/MutableHashMap"
import * as Option from "effect/Option"
import type * as Predicate from "effect/Predicate"
import * as Queue from "effect/Queue"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type * as Types from "effect/Types"
import type * as GenServer from "./GenServer.ts"
import { withEntry } from "./internal/current.ts"
import * as Running from "./internal/registry.ts"
import * as Effects from "./internal/registryEffects.ts"
import * as Runtime from "./internal/registryService.ts"
import * as Table from "./internal/registryTable.ts"
import { entryOfPid } from "./internal/resolve.ts"
import { makeStarts } from "./internal/starting.ts"
import * as Name from "./Name.ts"
import type { RegistrationError, StartError } from "./OtpError.ts"
import type { Pid } from "./Pid.ts"
import type * as Process from "./Process.ts"

// ----------------------------------------------------------------------------
// models
// ----------------------------------------------------------------------------

/**
 * What is in a registry: the type of its keys, of the values that come with them (nothing by default), of the messages that
 * whoever registers takes (none by default), and of its metadata.
 *
 * @category models
 * @since 0.1.0
 */
export interface Shape {
  readonly key: unknown
  readonly value?: unknown
  readonly message?: unknown
  readonly meta?: object
}

/**
 * Whether a key has one holder, or any number.
 *
 * @category models
 * @since 0.1.0
 */
export type Keys = "unique" | "duplicate"

/**
 * The value that comes with a key.
 *
 * @category utility types
 * @since 0.1.0
 */
export type ValueOf<S extends Shape> = S extends { readonly value: infer V } ? V : undefined

/**
 * The messages that whoever registers takes.
 *
 * @category utility types
 * @since 0.1.0
 */
export type MessageOf<S extends Shape> = S extends { readonly message: infer M } ? M : never

/**
 * The metadata of a registry.
 *
 * @category utility types
 * @since 0.1.0
 */
export type MetaOf<S extends Shape> = S extends { readonly meta: infer M extends object } ? M : {}

/**
 * A way to reach a registry.
 *
 * @see {@link Service}
 * @category models
 * @since 0.1.0
 */
export interface Registry<in out S extends Shape, out K extends Keys = Keys> {
  readonly [Runtime.TypeId]: { readonly shape: Types.Invariant<S>; readonly keys: K }
}

/**
 * A way to reach a registry, whatever is in it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Any {
  readonly [Runtime.TypeId]: unknown
}

/**
 * A key, who holds it, and the value that this process has given.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry<out S extends Shape, out V = ValueOf<S>> {
  readonly key: S["key"]
  readonly pid: Pid<MessageOf<S>>
  readonly value: V
}

/**
 * At most one where keys are unique, and all of them where they are not.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Found<K extends Keys, A> = K extends "unique" ? Option.Option<A> : ReadonlyArray<A>

/**
 * What a listener is told: a process has registered, or has unregistered. Nobody is told when it ends.
 *
 * @category models
 * @since 0.1.0
 */
export type Event<S extends Shape> =
  | {
    readonly _tag: "Registered"
    readonly registry: string
    readonly key: S["key"]
    readonly pid: Pid<MessageOf<S>>
    readonly value: ValueOf<S>
  }
  | {
    readonly _tag: "Unregistered"
    readonly registry: string
    readonly key: S["key"]
    readonly pid: Pid<MessageOf<S>>
  }

/**
 * What a registry is.
 *
 * **Details**
 *
 * - `keys`: whether a key has one holder or any number.
 * - `listeners`: names of processes that get an {@link Event} when a process registers or unregisters. One that is not
 *   there is not told.
 * - `meta`: what `getMeta` finds from the start. Default: nothing.
 * - `partitions`: in how many groups, by process, a `dispatch` sees the entries of a key. Default: 1.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<S extends Shape, K extends Keys> {
  readonly keys: K
  readonly listeners?: ReadonlyArray<Name.Registrable<Event<S>, unknown>> | undefined
  readonly meta?: Partial<MetaOf<S>> | undefined
  readonly partitions?: number | undefined
}

/** A value, which may be left out where there is none. */
type Value<S extends Shape> = undefined extends ValueOf<S> ? [value?: ValueOf<S>] : [value: ValueOf<S>]

/**
 * A service that is a registry: the key under which a tree provides it, and the ways to start it.
 *
 * **Details**
 *
 * `start`, `startLink`, `startMonitor`, `startScoped` and `child` are those of a GenServer without an argument; `layer` is a
 * supervisor with this one child.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServiceClass<in out Self, in out Id extends string, in out S extends Shape, out K extends Keys>
  extends Context.ServiceClass<Self, Id, Registry<S, K>>, Omit<GenServer.Server<Self, [], never, never, never>, "layer">
{
  readonly layer: Layer.Layer<Self, StartError>
}

/**
 * Declares a registry that is a service: a tree keeps it, and `yield*` gives the way to reach it. Mirrors Elixir's
 * `Registry`.
 *
 * **When to use**
 *
 * Use it to find one of many processes by what it is for: the session of a user, the room of a chat. For one server that
 * everybody uses its service is enough. For processes that somebody else puts into groups there is `ProcessGroup`.
 *
 * **Details**
 *
 * Keys are compared as `Equal.equals` does, so that `["room", 1]` is one key however often it is written; they must not
 * change. Reading is reading a map, without a request to the process of the registry. While that does not run,
 * reading and registering are defects.
 *
 * Whoever registers is linked to the registry, as in Elixir: put it before the children that use it. Its key is free, and
 * its entry gone, when its end is told.
 *
 * **Example**
 *
 * ```ts
 * import { Process, Registry } from "@effect-otp/core"
 * import { Effect, Option, Stream } from "effect"
 *
 * class Rooms extends Registry.Service<Rooms, { key: string; value: number; message: string }>()("docs/Rooms", {
 *   keys: "unique"
 * }) {}
 *
 * const program = Effect.gen(function*() {
 *   const rooms = yield* Rooms
 *   const room = yield* Process.spawn((self: Process.Self<string>) =>
 *     Effect.andThen(Registry.register(rooms, "lobby", 2), self.receive)
 *   )
 *   yield* Registry.watch(rooms, "lobby").pipe(Stream.filter(Option.isSome), Stream.take(1), Stream.runDrain)
 *   yield* Process.send(Registry.via(rooms, "lobby"), "close")
 *   yield* Process.awaitExit(room)
 *   return yield* Registry.lookup(rooms, "lobby")
 * })
 *
 * Effect.runPromise(Effect.provide(program, Rooms.layer)) // => Option.none()
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const Service =
  <Self, S extends Shape>() =>
  <const Id extends string, const K extends Keys>(key: Id, options: Options<S, K>): ServiceClass<Self, Id, S, K> => {
    const config = Runtime.configOf(key, options)
    const starts = makeStarts({
      key,
      definition: Runtime.define(config),
      parameters: 0,
      makeClient: (place) => Runtime.makeHandle(config, place),
      makeRef: (pid) => ({ ...Runtime.makeHandle(config, pid), pid })
    })
    const statics = { ...starts, layer: starts.layer() }
    return Object.assign(Context.Service<Self, Registry<S, K>>()(key), statics) as unknown as ServiceClass<
      Self,
      Id,
      S,
      K
    >
  }

// ----------------------------------------------------------------------------
// registering
// ----------------------------------------------------------------------------

/**
 * Registers the calling process under a key. Mirrors `Registry.register/3`.
 *
 * **Details**
 *
 * Fails with `RegistrationError` and `NameTaken` if the key is unique and has a holder, also if that is the caller, and then
 * changes nothing. Where keys are not unique a process may hold one several times. A process that is about to end
 * registers in vain.
 *
 * It links the caller to the registry, until it holds nothing there any more.
 *
 * **Example**
 *
 * ```ts
 * import { Process, Registry } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * class Jobs extends Registry.Service<Jobs, { key: number }>()("docs/Jobs", { keys: "unique" }) {}
 *
 * const seen: Array<string> = []
 *
 * const program = Effect.gen(function*() {
 *   const jobs = yield* Jobs
 *   const worker = yield* Process.spawn(() =>
 *     Effect.gen(function*() {
 *       yield* Registry.register(jobs, 42)
 *       const error = yield* Effect.flip(Registry.register(jobs, 42))
 *       seen.push(error.reason._tag)
 *     })
 *   )
 *   yield* Process.awaitExit(worker)
 * })
 *
 * await Effect.runPromise(Effect.provide(program, Jobs.layer))
 *
 * seen // => ["NameTaken"]
 * ```
 *
 * @see {@link via} to register a server by its option `name`
 * @category registering
 * @since 0.1.0
 */
export const register = <S extends Shape, K extends Keys>(
  registry: Registry<S, K>,
  key: S["key"],
  ...value: Value<S>
): Effect.Effect<void, K extends "unique" ? RegistrationError : never, Process.Current> =>
  // Where keys are not unique there is no holder to be in the way, and no error.
  Effects.register(registry, key, value[0]) as never

/**
 * Takes a key from the calling process: all that it holds of it. Mirrors `Registry.unregister/2`.
 *
 * **Details**
 *
 * Of a key that it does not hold nothing happens.
 *
 * @category registering
 * @since 0.1.0
 */
export const unregister = <S extends Shape>(
  registry: Registry<S>,
  key: S["key"]
): Effect.Effect<void, never, Process.Current> =>
  withEntry((self) => Effect.sync(() => Running.unregister(Runtime.runningOf(registry), self, key)))

/**
 * Takes those entries of a key from the calling process whose value matches. Mirrors `Registry.unregister_match/4`.
 *
 * **Details**
 *
 * `pick` is a predicate or an Effect `Filter` of the value. Listeners are told when nothing of the key is left to the caller.
 *
 * @category registering
 * @since 0.1.0
 */
export const unregisterMatch = <S extends Shape>(
  registry: Registry<S>,
  key: S["key"],
  pick: Pick<ValueOf<S>>
): Effect.Effect<void, never, Process.Current> =>
  withEntry((self) =>
    Effect.sync(() => Running.unregister(Runtime.runningOf(registry), self, key, Runtime.matches(pick)))
  )

/**
 * Replaces the value that the calling process has given a unique key. Mirrors `Registry.update_value/3`.
 *
 * **Details**
 *
 * Gives the new value and the one before, or nothing if the caller does not hold the key. Nobody comes between: `f` is a
 * plain function. A registry whose keys are not unique is a defect.
 *
 * **Example**
 *
 * ```ts
 * import { Process, Registry } from "@effect-otp/core"
 * import { Effect, Option } from "effect"
 *
 * class Rooms extends Registry.Service<Rooms, { key: string; value: number }>()("docs/Rooms", { keys: "unique" }) {}
 *
 * const seen: Array<unknown> = []
 *
 * const room = Effect.gen(function*() {
 *   const rooms = yield* Rooms
 *   yield* Registry.register(rooms, "lobby", 2)
 *   seen.push(yield* Registry.updateValue(rooms, "lobby", (guests) => guests + 1))
 * })
 *
 * const program = Effect.flatMap(Process.spawn(() => room), Process.awaitExit)
 *
 * await Effect.runPromise(Effect.provide(program, Rooms.layer))
 *
 * seen // => [Option.some([3, 2])]
 * ```
 *
 * @category registering
 * @since 0.1.0
 */
export const updateValue = <S extends Shape>(
  registry: Registry<S, "unique">,
  key: S["key"],
  f: (value: ValueOf<S>) => ValueOf<S>
): Effect.Effect<Option.Option<readonly [value: ValueOf<S>, previous: ValueOf<S>]>, never, Process.Current> =>
  withEntry((self) =>
    Effect.sync(() => {
      const running = Runtime.uniqueOf(registry, "updateValue")
      return Option.fromUndefinedOr(
        Running.update(running, self, key, Runtime.functionOf("f", f) as Running.Update) as never
      )
    })
  )

// ----------------------------------------------------------------------------
// reading
// ----------------------------------------------------------------------------

/**
 * Who holds a key: an `Option` of the entry where keys are unique, and all entries where they are not, oldest first. Mirrors
 * `Registry.lookup/2`.
 *
 * **Example**
 *
 * ```ts
 * import { Process, Registry } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * class Topics extends Registry.Service<Topics, { key: string; value: number }>()("docs/Topics", {
 *   keys: "duplicate"
 * }) {}
 *
 * const seen: Array<number> = []
 *
 * const reader = Effect.gen(function*() {
 *   const topics = yield* Topics
 *   yield* Registry.register(topics, "news", 1)
 *   yield* Registry.register(topics, "news", 2)
 *   for (const { value } of yield* Registry.lookup(topics, "news")) seen.push(value)
 * })
 *
 * const program = Effect.flatMap(Process.spawn(() => reader), Process.awaitExit)
 *
 * await Effect.runPromise(Effect.provide(program, Topics.layer))
 *
 * seen // => [1, 2]
 * ```
 *
 * @see {@link via} to address whoever holds a key
 * @category reading
 * @since 0.1.0
 */
export const lookup = <S extends Shape, K extends Keys>(
  registry: Registry<S, K>,
  key: S["key"]
): Effect.Effect<Found<K, Entry<S>>> => Effects.lookup(registry, key) as Effect.Effect<Found<K, Entry<S>>>

/**
 * The keys that a process holds, in no order that is specified; one that it holds several times is there as often. Mirrors
 * `Registry.keys/2`.
 *
 * @category reading
 * @since 0.1.0
 */
export const keys = <S extends Shape>(
  registry: Registry<S>,
  pid: Pid<never, unknown>
): Effect.Effect<ReadonlyArray<S["key"]>> =>
  Effect.sync(() => Table.ofPid(Runtime.runningOf(registry).holders, entryOfPid(pid)).map(({ key }) => key))

/**
 * The values that a process has given a key. Mirrors `Registry.values/3`.
 *
 * @category reading
 * @since 0.1.0
 */
export const values = <S extends Shape>(
  registry: Registry<S>,
  key: S["key"],
  pid: Pid<never, unknown>
): Effect.Effect<ReadonlyArray<ValueOf<S>>> =>
  Effect.sync(() =>
    Table.ofBoth(Runtime.runningOf(registry).holders, key, entryOfPid(pid)).map(({ value }) => value as ValueOf<S>)
  )

/**
 * What to look for: a predicate, or an Effect `Filter`.
 *
 * @category models
 * @since 0.1.0
 */
export type Pick<A> = Predicate.Predicate<A> | Filter.Filter<A, unknown, unknown>

/**
 * The entries of a key whose value matches. Mirrors `Registry.match/4`.
 *
 * **Details**
 *
 * `pick` is a predicate, a refinement or an Effect `Filter` of the value, in the place of a match spec. What a `Filter`
 * passes is the `value` of the entry that is given.
 *
 * @see {@link select} over all keys, {@link countMatch}
 * @category reading
 * @since 0.1.0
 */
export const match: {
  <S extends Shape, V extends ValueOf<S>>(
    registry: Registry<S>,
    key: S["key"],
    pick: Predicate.Refinement<ValueOf<S>, V>
  ): Effect.Effect<ReadonlyArray<Entry<S, V>>>
  <S extends Shape, Pass>(
    registry: Registry<S>,
    key: S["key"],
    pick: Filter.Filter<ValueOf<S>, Pass, unknown>
  ): Effect.Effect<ReadonlyArray<Entry<S, Pass>>>
  <S extends Shape>(
    registry: Registry<S>,
    key: S["key"],
    pick: Predicate.Predicate<ValueOf<S>>
  ): Effect.Effect<ReadonlyArray<Entry<S>>>
} = (registry: unknown, key: unknown, pick: unknown): Effect.Effect<never> =>
  Effect.sync(() => {
    const found: Array<unknown> = []
    for (const item of Table.ofKey(Runtime.runningOf(registry).holders, key)) {
      const passed = Runtime.pass(pick, item.value)
      if (Option.isSome(passed)) found.push(passed.value === item.value ? item : { ...item, value: passed.value })
    }
    return found as never
  })

/**
 * The entries of all keys that match. Mirrors `Registry.select/2`.
 *
 * **Details**
 *
 * `pick` is a predicate, a refinement or an Effect `Filter` of the entry, in the place of a match spec: what a `Filter`
 * passes is what is given. It looks at every entry.
 *
 * **Example**
 *
 * ```ts
 * import { Process, Registry } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * class Rooms extends Registry.Service<Rooms, { key: string; value: number }>()("docs/Rooms", { keys: "unique" }) {}
 *
 * const seen: Array<string> = []
 *
 * const building = Effect.gen(function*() {
 *   const rooms = yield* Rooms
 *   yield* Registry.register(rooms, "lobby", 3)
 *   yield* Registry.register(rooms, "cellar", 0)
 *   for (const { key } of yield* Registry.select(rooms, ({ value }) => value > 0)) seen.push(key)
 * })
 *
 * const program = Effect.flatMap(Process.spawn(() => building), Process.awaitExit)
 *
 * await Effect.runPromise(Effect.provide(program, Rooms.layer))
 *
 * seen // => ["lobby"]
 * ```
 *
 * @see {@link match} for one key, {@link countSelect}
 * @category reading
 * @since 0.1.0
 */
export const select: {
  <S extends Shape, E extends Entry<S>>(
    registry: Registry<S>,
    pick: Predicate.Refinement<Entry<S>, E>
  ): Effect.Effect<ReadonlyArray<E>>
  <S extends Shape, Pass>(
    registry: Registry<S>,
    pick: Filter.Filter<Entry<S>, Pass, unknown>
  ): Effect.Effect<ReadonlyArray<Pass>>
  <S extends Shape>(
    registry: Registry<S>,
    pick: Predicate.Predicate<Entry<S>>
  ): Effect.Effect<ReadonlyArray<Entry<S>>>
} = (registry: unknown, pick: unknown): Effect.Effect<never> =>
  Effect.sync(() =>
    Table.toArray(Runtime.runningOf(registry).holders).flatMap((item) =>
      Option.toArray(Runtime.pass(pick, item))
    ) as never
  )

/**
 * How many entries there are. Mirrors `Registry.count/1`.
 *
 * @category reading
 * @since 0.1.0
 */
export const count = <S extends Shape>(registry: Registry<S>): Effect.Effect<number> =>
  Effect.sync(() => Runtime.runningOf(registry).holders.size)

/**
 * How many entries {@link match} would give. Mirrors `Registry.count_match/4`.
 *
 * @category reading
 * @since 0.1.0
 */
export const countMatch = <S extends Shape>(
  registry: Registry<S>,
  key: S["key"],
  pick: Pick<ValueOf<S>>
): Effect.Effect<number> =>
  Effect.sync(() => {
    const matching = Runtime.matches(pick)
    return Table.ofKey(Runtime.runningOf(registry).holders, key).filter(({ value }) => matching(value)).length
  })

/**
 * How many entries {@link select} would give. Mirrors `Registry.count_select/2`.
 *
 * @category reading
 * @since 0.1.0
 */
export const countSelect = <S extends Shape>(registry: Registry<S>, pick: Pick<Entry<S>>): Effect.Effect<number> =>
  Effect.sync(() => Table.toArray(Runtime.runningOf(registry).holders).filter(Runtime.matches(pick)).length)

/**
 * Who holds a key now, and each time that this changes: an `Option` of the pid where keys are unique, and all pids where
 * they are not, oldest first.
 *
 * **When to use**
 *
 * Use it to wait until somebody is there, or to follow who takes over. Elixir has nothing like it: a listener with monitors.
 *
 * **Details**
 *
 * The first element is what holds now. A consumer that is slow gets the latest, not all that was between. The stream ends
 * when this incarnation of the registry does.
 *
 * **Example**
 *
 * ```ts
 * import { Process, Registry } from "@effect-otp/core"
 * import { Effect, Option, Stream } from "effect"
 *
 * class Leaders extends Registry.Service<Leaders, { key: string }>()("docs/Leaders", { keys: "unique" }) {}
 *
 * const program = Effect.gen(function*() {
 *   const leaders = yield* Leaders
 *   yield* Process.spawn(() => Effect.andThen(Registry.register(leaders, "eu"), Effect.never))
 *   const found = Registry.watch(leaders, "eu").pipe(Stream.filter(Option.isSome), Stream.runHead)
 *   return Option.isSome(yield* found)
 * })
 *
 * Effect.runPromise(Effect.provide(program, Leaders.layer)) // => true
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const watch = <S extends Shape, K extends Keys>(
  registry: Registry<S, K>,
  key: S["key"]
): Stream.Stream<Found<K, Pid<MessageOf<S>>>> =>
  Stream.callback<Found<K, Pid<MessageOf<S>>>>((queue) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const running = Runtime.runningOf(registry)
        const changed = () => {
          const pids = Table.ofKey(running.holders, key).map(({ pid }) => pid)
          Queue.offerUnsafe(queue, (running.unique ? Option.fromUndefinedOr(pids[0]) : pids) as never)
        }
        changed()
        return Running.subscribe(running, key, { changed, ended: () => Queue.endUnsafe(queue) })
      }),
      (unsubscribe) => Effect.sync(unsubscribe)
    ), { bufferSize: 1, strategy: "sliding" }).pipe(Stream.changes)

// ----------------------------------------------------------------------------
// using
// ----------------------------------------------------------------------------

/**
 * Gives `f` the entries of a key, if it has any. Mirrors `Registry.dispatch/4`.
 *
 * **Details**
 *
 * `f` runs in the caller, and what it fails with, or dies of, is the caller's. With several `partitions` it is called once
 * for each that has entries, one after the other, or with `parallel` all at once, each in a fiber of its own.
 *
 * **Example**
 *
 * ```ts
 * import { Process, Registry } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * class Topics extends Registry.Service<Topics, { key: string; message: string }>()("docs/Topics", {
 *   keys: "duplicate"
 * }) {}
 *
 * const publish = Effect.fnUntraced(function*(topic: string, message: string) {
 *   const topics = yield* Topics
 *   yield* Registry.dispatch(topics, topic, Effect.forEach(({ pid }) => Process.send(pid, message)))
 * })
 *
 * Effect.runPromise(Effect.provide(publish("news", "nobody is there"), Topics.layer)) // => undefined
 * ```
 *
 * @category using
 * @since 0.1.0
 */
export const dispatch = <S extends Shape, E = never, R = never>(
  registry: Registry<S>,
  key: S["key"],
  f: (entries: ReadonlyArray<Entry<S>>) => Effect.Effect<unknown, E, R>,
  options?: { readonly parallel?: boolean | undefined }
): Effect.Effect<void, E, R> =>
  Effect.suspend(() => {
    Runtime.functionOf("f", f)
    const groups = Running.dispatched(Runtime.runningOf(registry), key) as ReadonlyArray<ReadonlyArray<Entry<S>>>
    const concurrency = options?.parallel === true ? "unbounded" : 1
    return Effect.forEach(groups, f, { concurrency, discard: true })
  })

/**
 * Addresses whoever holds a unique key, and is a name to register under it. Mirrors `{:via, Registry, {registry, key, value}}`.
 *
 * **When to use**
 *
 * Use it wherever a name is taken: in the option `name` of a server, in `Counter.at(via)`, for `Process.send`,
 * `GenServer.stop` and `Sys`.
 *
 * **Details**
 *
 * A server that is started under it registers before `init`, with `value`, or `undefined` without one. If the key is taken
 * the start fails with `AlreadyStarted`. To a key that nobody holds a send is a defect, a cast does nothing, and a call
 * fails with `NoProcess`. A registry whose keys are not unique is a TypeError.
 *
 * **Example**
 *
 * ```ts
 * import { Agent, Registry } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * class Carts extends Registry.Service<Carts, { key: string }>()("docs/Carts", { keys: "unique" }) {}
 *
 * class Cart extends Agent.Service<Cart, ReadonlyArray<string>>()("docs/Cart") {
 *   static readonly server = this.implement(() => [])
 * }
 *
 * const program = Effect.gen(function*() {
 *   const name = Registry.via(yield* Carts, "alice")
 *   yield* Cart.server.start({ name })
 *   yield* Agent.update(Cart.at(name), (items) => [...items, "tea"])
 *   return yield* Agent.get(Cart.at(name), (items) => items)
 * })
 *
 * Effect.runPromise(Effect.provide(program, Carts.layer)) // => ["tea"]
 * ```
 *
 * @category using
 * @since 0.1.0
 */
export const via = <S extends Shape>(
  registry: Registry<S, "unique">,
  key: S["key"],
  value?: ValueOf<S>
): Name.Via<MessageOf<S>> => {
  const handle = Runtime.handleOf(registry)
  return Name.via(Runtime.resolver, { handle: Runtime.uniqueOnly(handle, "via"), key, value })
}

/**
 * Runs an effect while nobody else runs one under the same lock of this registry. Mirrors `Registry.lock/3`.
 *
 * **When to use**
 *
 * Use it to look a key up and start what is missing as one step.
 *
 * **Details**
 *
 * Locks have nothing to do with the keys that are registered, and are compared as those. Who waits is served in order, and
 * whoever is interrupted or ends gives up the lock, or its place. An effect that takes its own lock again waits for ever.
 *
 * **Example**
 *
 * ```ts
 * import { Registry } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * class Carts extends Registry.Service<Carts, { key: string }>()("docs/Carts", { keys: "unique" }) {}
 *
 * const seen: Array<string> = []
 *
 * const slow = (name: string) =>
 *   Effect.gen(function*() {
 *     seen.push(`${name} begins`)
 *     yield* Effect.yieldNow
 *     seen.push(`${name} ends`)
 *   })
 *
 * const program = Effect.gen(function*() {
 *   const carts = yield* Carts
 *   yield* Effect.forEach(["a", "b"], (name) => Registry.lock(carts, "alice", slow(name)), { concurrency: 2 })
 *   return seen
 * })
 *
 * Effect.runPromise(Effect.provide(program, Carts.layer)) // => ["a begins", "a ends", "b begins", "b ends"]
 * ```
 *
 * @category using
 * @since 0.1.0
 */
export const lock = <S extends Shape, A, E, R>(
  registry: Registry<S>,
  key: unknown,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const { locks } = Runtime.runningOf(registry)
      const found = MutableHashMap.get(locks, key)
      const taken = Option.getOrElse(found, () => ({ semaphore: Semaphore.makeUnsafe(1), users: 0 }))
      taken.users++
      MutableHashMap.set(locks, key, taken)
      return { locks, taken }
    }),
    ({ taken }) => taken.semaphore.withPermit(effect),
    ({ locks, taken }) =>
      Effect.sync(() => {
        if (--taken.users === 0) MutableHashMap.remove(locks, key)
      })
  )

// ----------------------------------------------------------------------------
// metadata
// ----------------------------------------------------------------------------

/**
 * Keeps something with the registry itself, as long as it runs. Mirrors `Registry.put_meta/3`.
 *
 * @category metadata
 * @since 0.1.0
 */
export const putMeta = <S extends Shape, Key extends keyof MetaOf<S>>(
  registry: Registry<S>,
  key: Key,
  value: MetaOf<S>[Key]
): Effect.Effect<void> => Effect.sync(() => void Runtime.runningOf(registry).metadata.set(key, value))

/**
 * What is kept with the registry itself. Mirrors `Registry.meta/2`.
 *
 * @category metadata
 * @since 0.1.0
 */
export const getMeta = <S extends Shape, Key extends keyof MetaOf<S>>(
  registry: Registry<S>,
  key: Key
): Effect.Effect<Option.Option<MetaOf<S>[Key]>> =>
  Effect.sync(() => {
    const { metadata } = Runtime.runningOf(registry)
    return metadata.has(key) ? Option.some(metadata.get(key) as MetaOf<S>[Key]) : Option.none()
  })

/**
 * Forgets what is kept with the registry itself. Mirrors `Registry.delete_meta/2`.
 *
 * @category metadata
 * @since 0.1.0
 */
export const deleteMeta = <S extends Shape>(registry: Registry<S>, key: keyof MetaOf<S>): Effect.Effect<void> =>
  Effect.sync(() => void Runtime.runningOf(registry).metadata.delete(key))
