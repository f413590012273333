/**
 * Supervisors whose children come and go: one for each session, connection or job, started when it is needed.
 *
 * The children of a `Supervisor` are known before it starts, and have an order. Those of a dynamic supervisor are started on
 * request, have none, and are stopped all at once. It starts ten thousand of them as easily as ten.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Types from "effect/Types"
import * as ChildSpec from "./ChildSpec.ts"
import type { ExitReason } from "./ExitReason.ts"
import { type Address, addressOf, AddressTypeId } from "./internal/address.ts"
import type { Ignore } from "./internal/callbacks.ts"
import { instantiate } from "./internal/childInstance.ts"
import * as Loop from "./internal/dynamicLoop.ts"
import * as Gen from "./internal/gen.ts"
import * as Input from "./internal/input.ts"
import type { Entry } from "./internal/processTable.ts"
import type { Operation } from "./internal/request.ts"
import { nameOf } from "./internal/resolve.ts"
import { intensityOf } from "./internal/restartIntensity.ts"
import { InitImpl } from "./internal/serverState.ts"
import { makeStarts } from "./internal/starting.ts"
import { made } from "./internal/where.ts"
import type { AnyName, AnyTarget } from "./Name.ts"
import type { CallError, ChildNotFound, MaxChildren, StartError } from "./OtpError.ts"
import { isPid, type Pid } from "./Pid.ts"
import type * as Process from "./Process.ts"
import type { ChildCounts, Intensity } from "./Supervisor.ts"

const TypeId = "~@effect-otp/core/DynamicSupervisor"

export type { Snapshot } from "./internal/dynamicLoop.ts"

// ----------------------------------------------------------------------------
// models
// ----------------------------------------------------------------------------

/**
 * A way to reach a dynamic supervisor, which hands `Extra` to those of its specs that are functions.
 *
 * @see {@link Ref} for one that was started
 * @category models
 * @since 0.1.0
 */
export interface DynamicSupervisor<out Extra extends ReadonlyArray<unknown> = []> {
  readonly [TypeId]: Types.Covariant<Extra>
}

/**
 * Any dynamic supervisor.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Any = DynamicSupervisor<ReadonlyArray<unknown>>

/**
 * A running dynamic supervisor: the way to reach it, and the pid of this incarnation.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ref<out Extra extends ReadonlyArray<unknown> = []> extends DynamicSupervisor<Extra> {
  readonly pid: Pid<never>
}

/**
 * What a dynamic supervisor keeps to.
 *
 * **Details**
 *
 * - `strategy`: only `one_for_one`, the default. Children do not know of each other.
 * - `intensity`: one restart more than `maxRestarts`, of whichever children, in any period of `within`, and it stops all of
 *   them and gives up. Default: 3 within 5 seconds.
 * - `maxChildren`: how many there may be, those that are being restarted included. Default: `Infinity`.
 * - `backoff`: how long to wait before a restart, as any `Schedule`. Default: not at all, as in OTP.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settings {
  readonly strategy?: "one_for_one" | undefined
  readonly intensity?: Intensity | undefined
  readonly maxChildren?: number | undefined
  readonly backoff?: ChildSpec.Backoff | undefined
}

/**
 * How a dynamic supervisor is made.
 *
 * **Details**
 *
 * - `name`, `label`: its own name, and what reports call it.
 * - `extraArguments`: what specs that are functions are called with.
 * - `init`: settings that are known only when it starts, as an Effect of them. They come before the others. It may give
 *   `GenServer.ignore`, and what it fails with becomes a `StartError`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<out Extra extends ReadonlyArray<unknown> = [], out E = never, out R = never> extends Settings {
  readonly name?: AnyName | undefined
  readonly label?: string | undefined
  readonly extraArguments?: Extra | undefined
  readonly init?: Effect.Effect<Settings | Ignore, E, R> | undefined
}

/**
 * How a dynamic supervisor is a child of another supervisor. `id` is by default the name it was given, else the key of the
 * service, else `"DynamicSupervisor"`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChildOptions<Provide extends boolean = boolean> extends Omit<ChildSpec.Options, "id"> {
  readonly id?: string | undefined
  /** `false` keeps the service from those who use the tree. Default: true. */
  readonly provide?: Provide
}

/**
 * The description of a dynamic supervisor: what it provides, what it hands to specs, what its start can fail with and what
 * it needs.
 *
 * **Details**
 *
 * - `layer` starts it under a supervisor of its own, and stops both when its scope closes.
 * - `start`, `startLink` and `startScoped` start one more each time: alone, linked to the calling process, or ended with
 *   the Scope.
 * - `child` makes it the child of a tree.
 *
 * @category models
 * @since 0.1.0
 */
export interface Definition<in Provides, out Extra extends ReadonlyArray<unknown>, out E, out R> {
  readonly layer: Layer.Layer<Provides, StartError<E>, R>
  readonly start: Effect.Effect<Ref<Extra>, StartError<E>, R>
  readonly startLink: Effect.Effect<Ref<Extra>, StartError<E>, R | Process.Current>
  readonly startScoped: Effect.Effect<Ref<Extra>, StartError<E>, R | Scope.Scope>
  readonly child: <const Provide extends boolean = true>(
    options?: ChildOptions<Provide>
  ) => ChildSpec.ChildSpec<[Provide] extends [true] ? Provides : never, E, R>
}

// The process and its Scope are the supervisor's own.
type Needs<R> = Exclude<R, Process.Current | Scope.Scope>

// ----------------------------------------------------------------------------
// constructors
// ----------------------------------------------------------------------------

/**
 * Describes a supervisor of children that are started on request.
 *
 * **When to use**
 *
 * Use it for processes whose number is not known before: a process per user, per connection, per job. For those that are
 * always there use a `Supervisor`; to find this one in the whole application, a {@link Service}.
 *
 * **Details**
 *
 * Mirrors `DynamicSupervisor.start_link/1`. A bad option is a defect that names it; of what `init` gives, the start fails
 * with `StartError` and `Crashed`.
 *
 * **Example**
 *
 * ```ts
 * import { ChildSpec, DynamicSupervisor } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const jobs = yield* DynamicSupervisor.make({ maxChildren: 1 }).startScoped
 *   const job = ChildSpec.worker({ id: "job", run: () => Effect.never, restart: "temporary" })
 *   const pid = yield* DynamicSupervisor.startChild(jobs, job)
 *   const error = yield* Effect.flip(DynamicSupervisor.startChild(jobs, job))
 *   yield* DynamicSupervisor.terminateChild(jobs, pid)
 *   const { active } = yield* DynamicSupervisor.countChildren(jobs)
 *   return [error._tag, active]
 * })
 *
 * Effect.runPromise(Effect.scoped(program)) // => ["MaxChildren", 0]
 * ```
 *
 * @see {@link startChild}
 * @category constructors
 * @since 0.1.0
 */
// The union with `[]` has the compiler infer a tuple.
export const make = <Extra extends ReadonlyArray<unknown> | [] = [], E = never, R = never>(
  options: Options<Extra, E, R> = {}
): Definition<never, Extra, E, Needs<R>> => define("DynamicSupervisor", false, options)

/**
 * A service that is a dynamic supervisor: the key under which a tree provides it, and the way to implement it.
 *
 * **Details**
 *
 * `implement` takes what {@link make} takes. `at` reaches one of this service that was found elsewhere: by its pid, its name
 * or a via.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServiceClass<in out Self, in out Id extends string, in out Extra extends ReadonlyArray<unknown>>
  extends Context.ServiceClass<Self, Id, DynamicSupervisor<Extra>>
{
  readonly at: (target: AnyTarget) => DynamicSupervisor<Extra>
  readonly implement: <E = never, R = never>(
    ...args: Extra extends readonly [] ? [options?: Options<Extra, E, R>]
      : [options: Options<Extra, E, R> & { readonly extraArguments: Extra }]
  ) => Definition<Self, Extra, E, Needs<R>>
}

/**
 * Declares a dynamic supervisor that is a service: a tree keeps it running, and `yield*` gives the way to reach it.
 *
 * **Details**
 *
 * What the layer provides always reaches the incarnation that runs now. One that was restarted has no children: whoever
 * needs them starts them again. Mirrors `use DynamicSupervisor`. A second type parameter is that of `extraArguments`.
 *
 * **Example**
 *
 * ```ts
 * import { DynamicSupervisor, GenServer, Step } from "@effect-otp/core"
 * import { Effect, Schema } from "effect"
 *
 * class Session extends GenServer.Service<Session>()("docs/Session", [
 *   GenServer.call("greet", { success: Schema.String })
 * ]) {
 *   static readonly server = this.implement({
 *     init: (user: string) => user,
 *     handlers: { greet: (user) => Step.reply(`hello ${user}`, user) }
 *   })
 * }
 *
 * class Sessions extends DynamicSupervisor.Service<Sessions>()("docs/Sessions") {
 *   static readonly supervisor = this.implement({ maxChildren: 100 })
 * }
 *
 * const program = Effect.gen(function*() {
 *   const sessions = yield* Sessions
 *   const [ann] = yield* DynamicSupervisor.startService(sessions, Session, Session.server.child("Ann"))
 *   return yield* ann.greet()
 * })
 *
 * Effect.runPromise(Effect.provide(program, Sessions.supervisor.layer)) // => "hello Ann"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const Service =
  <Self, Extra extends ReadonlyArray<unknown> = []>() =>
  <const Id extends string>(key: Id): ServiceClass<Self, Id, Extra> => {
    const statics = {
      at: (target: AnyTarget) => makeHandle(target),
      implement: (options: Options<Extra, unknown, unknown> = {}) => define(key, true, options)
    }
    return Object.assign(Context.Service<Self, DynamicSupervisor<Extra>>()(key), statics) as never
  }

// ----------------------------------------------------------------------------
// children
// ----------------------------------------------------------------------------

/**
 * A spec, or a function of the `extraArguments` that gives one.
 *
 * @category models
 * @since 0.1.0
 */
export type Spec<Extra extends ReadonlyArray<unknown>, Provides, E, R> =
  | ChildSpec.ChildSpec<Provides, E, R>
  | ((...extra: [...Extra]) => ChildSpec.ChildSpec<Provides, E, R>)

/**
 * Starts a child, waits until it has started, and gives its pid.
 *
 * **When to use**
 *
 * Use it for any child. Of a server, {@link startService} gives the client, too.
 *
 * **Details**
 *
 * Mirrors `DynamicSupervisor.start_child/2`. One child starts after the other, and whoever asks waits for its turn. The id of
 * the spec is only what reports call it: any number of children may have the same. A spec that is a function is called by
 * the supervisor with its `extraArguments`, once. The child has the services of whoever asks, also when it is restarted.
 *
 * It fails with `MaxChildren` if there is no room, and with `StartError` if the child does not start: its `reason` is
 * `InitFailed`, `Crashed`, …, or `Ignored` if it chose not to. Then nothing is left of it. What is no spec, one with a bad
 * field, and a significant child are defects of the caller, before anybody is asked. `CallError` has `NoProcess` if there is
 * no supervisor.
 *
 * @see {@link make} for an example
 * @category children
 * @since 0.1.0
 */
export const startChild = <Extra extends ReadonlyArray<unknown>, E, R>(
  ref: DynamicSupervisor<Extra>,
  spec: Spec<Extra, never, E, R>
): Effect.Effect<Pid<never, unknown>, StartError<E> | MaxChildren | CallError, R> =>
  made(
    Effect.contextWith((context: Context.Context<R>) =>
      ask(ref, Loop.operations.startChild, { asked: askedFor(spec), context }) as never
    )
  )

const askedFor = (spec: unknown): Loop.StartRequest["asked"] =>
  typeof spec === "function" ? (extra) => instantiated(spec(...extra)) : instantiated(spec)

// In the caller, whose defect a bad spec is: the supervisor must not crash over it.
const instantiated = (given: unknown): Loop.Asked => {
  const spec = ChildSpec.checked("spec", given as ChildSpec.Any)
  const { significant } = spec
  Input.check("significant", "false under a supervisor that does not shut down by itself", !significant, significant)
  return { spec, instance: instantiate(spec) }
}

/**
 * Starts a child that is a server, and gives its client and its pid.
 *
 * **Details**
 *
 * The client reaches the incarnation that runs now, also when the child was restarted; the pid is that of the first one. The
 * spec must provide the service. It fails as {@link startChild} does.
 *
 * @see {@link Service} for an example
 * @category children
 * @since 0.1.0
 */
export const startService = <Extra extends ReadonlyArray<unknown>, Self, Client, E, R>(
  ref: DynamicSupervisor<Extra>,
  service: Context.Key<Self, Client>,
  spec: Spec<Extra, Self, E, R>
): Effect.Effect<
  readonly [client: Client, pid: Pid<never, unknown>],
  StartError<E> | MaxChildren | CallError,
  R
> =>
  Effect.contextWith((context: Context.Context<R>) => {
    const asked = askedFor(spec)
    let provided = typeof asked === "function" ? Context.empty() : asked.instance.context
    const request: Loop.StartRequest = {
      context,
      asked: typeof asked !== "function" ? asked : (extra) => {
        const called = asked(extra)
        provided = called.instance.context
        return called
      }
    }
    return Effect.map(
      ask(ref, Loop.operations.startChild, request),
      (pid) => [Context.getUnsafe(provided, service), pid]
    ) as never
  })

/**
 * Stops a child, by its shutdown rules, and removes it, whatever its `restart`. It counts as no restart.
 *
 * **Details**
 *
 * Mirrors `DynamicSupervisor.terminate_child/2`. One that is being restarted has the pid that it had. Of any other pid it
 * fails with `ChildNotFound`: also of one that the child had before it was restarted. What is no pid is a defect.
 *
 * @category children
 * @since 0.1.0
 */
export const terminateChild = (
  ref: Any,
  pid: Pid<never, unknown>
): Effect.Effect<void, ChildNotFound | CallError> =>
  Effect.suspend(() =>
    ask(ref, Loop.operations.terminateChild, Input.check("pid", "a pid", isPid(pid), pid)) as Effect.Effect<
      void,
      ChildNotFound | CallError
    >
  )

/**
 * One child of a running dynamic supervisor: its pid, or `"restarting"` while it is about to be started again. It has no id.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChildInfo {
  readonly type: "worker" | "supervisor"
  readonly child: Pid<never, unknown> | "restarting"
}

/**
 * The children of a dynamic supervisor, in no order. Mirrors `DynamicSupervisor.which_children/1`.
 *
 * @category children
 * @since 0.1.0
 */
export const whichChildren = (ref: Any): Effect.Effect<ReadonlyArray<ChildInfo>, CallError> =>
  ask(ref, Loop.operations.whichChildren, undefined) as ReturnType<typeof whichChildren>

/**
 * Counts the children of a dynamic supervisor: all of them, those that run, and by type. Mirrors
 * `DynamicSupervisor.count_children/1`.
 *
 * @category children
 * @since 0.1.0
 */
export const countChildren = (ref: Any): Effect.Effect<ChildCounts, CallError> =>
  ask(ref, Loop.operations.countChildren, undefined) as ReturnType<typeof countChildren>

/**
 * Stops a dynamic supervisor and waits until it has ended. Mirrors `DynamicSupervisor.stop/3`.
 *
 * **Details**
 *
 * All children are told to shut down, and then waited for, each within its own shutdown time; who overstays is killed. The
 * reason is `Normal` by default, and there is no time limit unless `timeout` is given. Fails with `CallError`: `NoProcess` if
 * nobody is there, `Timeout` (it stops later), or `ServerExited` if it ends with another reason.
 *
 * @category running
 * @since 0.1.0
 */
export const stop = (
  ref: Any,
  options?: { readonly reason?: ExitReason | undefined; readonly timeout?: Duration.Input | undefined }
): Effect.Effect<void, CallError> => Effect.suspend(() => Gen.stop(addressIn(ref), options))

// ----------------------------------------------------------------------------
// at runtime
// ----------------------------------------------------------------------------

const makeHandle = (address: Address) => ({ [TypeId]: TypeId, [AddressTypeId]: address })

const addressIn = (ref: unknown): Address => {
  const isHandle = typeof ref === "object" && ref !== null && TypeId in ref
  return addressOf(Input.check("ref", "a dynamic supervisor", isHandle, ref as object))!
}

const ask = (ref: unknown, operation: Operation, payload: unknown): Effect.Effect<unknown, unknown> =>
  Gen.call(addressIn(ref), Loop.protocol, operation, payload)

const settingNames = ["strategy", "intensity", "maxChildren", "backoff"] as const

const optionNames = [...settingNames, "name", "label", "extraArguments", "init"] as const

const settingsOf = ({ backoff, intensity, maxChildren = Infinity, strategy }: Settings) => {
  Input.oneOf("strategy", ["one_for_one"], strategy ?? "one_for_one")
  return {
    intensity: intensityOf(intensity),
    maxChildren: maxChildren === Infinity ? maxChildren : Input.count("maxChildren", maxChildren),
    backoff: ChildSpec.checkBackoff(backoff)
  }
}

/** @internal */
export const define = (
  key: string,
  isService: boolean,
  given: Options<ReadonlyArray<unknown>, unknown, unknown>
): never => {
  const options = Input.options<typeof given>(optionNames, given)
  const { extraArguments = [], init, label = key, name } = options
  Input.check("init", "an Effect", init === undefined || Effect.isEffect(init), init)
  Input.check("extraArguments", "an array", Array.isArray(extraArguments), extraArguments)
  const settings = { ...settingsOf(options), extraArguments }
  const late = (given: unknown) =>
    given instanceof InitImpl ? given : {
      ...settingsOf({ ...options, ...Input.options<Settings>(settingNames, given as Settings) }),
      extraArguments
    }
  const starts = makeStarts({
    key,
    definition: Loop.define(
      key,
      // What it needs is provided where it is started.
      init === undefined ? settings : Effect.map(init, late) as Effect.Effect<Loop.Settings | InitImpl>
    ),
    parameters: 0,
    type: "supervisor",
    makeClient: makeHandle,
    makeRef: (pid: Entry) => ({ ...makeHandle(pid), pid })
  })
  const own = { name, label, provide: isService }
  const id = name === undefined ? key : nameOf(name).toString()
  return {
    layer: starts.layer(own),
    // Made when they are asked for, which is where it is started.
    get start() {
      return made(Effect.suspend(() => starts.start(own)))
    },
    get startLink() {
      return made(Effect.suspend(() => starts.startLink(own)))
    },
    get startScoped() {
      return made(Effect.suspend(() => starts.startScoped(own)))
    },
    child: (options: ChildOptions = {}) => starts.child({ id, ...own, ...options })
  } as never
}
