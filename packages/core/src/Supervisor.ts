/**
 * Supervisors: processes that start others in order, start them again when they fail, and stop them in reverse.
 *
 * A tree is described with `Supervisor.make` and used as a Layer: it provides the services of its children, and a service
 * stays valid while the process behind it comes and goes. What must not fail together goes under different supervisors.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { format } from "effect/Formatter"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Types from "effect/Types"
import * as ChildSpec from "./ChildSpec.ts"
import * as ExitReason from "./ExitReason.ts"
import { type Address, addressOf } from "./internal/address.ts"
import {
  type Instantiable,
  instantiate,
  InstantiateTypeId,
  isInstantiable,
  withServices
} from "./internal/childInstance.ts"
import * as Gen from "./internal/gen.ts"
import * as Input from "./internal/input.ts"
import type { Entry } from "./internal/processTable.ts"
import type { Operation } from "./internal/request.ts"
import { nameOf, show } from "./internal/resolve.ts"
import type { AutoShutdown } from "./internal/restartDecision.ts"
import { gaveUp } from "./internal/restarting.ts"
import { intensityOf } from "./internal/restartIntensity.ts"
import type { Strategy } from "./internal/restartPlan.ts"
import * as Start from "./internal/serverStart.ts"
import * as Loop from "./internal/supervisorLoop.ts"
import { describePlan, walk, type WalkOptions } from "./internal/supervisorWalk.ts"
import { awaitEnded } from "./internal/wait.ts"
import { made } from "./internal/where.ts"
import type { AnyName, AnyTarget } from "./Name.ts"
import * as OtpError from "./OtpError.ts"
import type { Pid } from "./Pid.ts"
import type * as Process from "./Process.ts"
import * as SupervisorTree from "./SupervisorTree.ts"

const TypeId = "~@effect-otp/core/Supervisor"
const RefTypeId = "~@effect-otp/core/Supervisor/Ref"

export type { AutoShutdown } from "./internal/restartDecision.ts"
export type { Strategy } from "./internal/restartPlan.ts"
export type { Snapshot } from "./internal/supervisorLoop.ts"

// ----------------------------------------------------------------------------
// models
// ----------------------------------------------------------------------------

/**
 * How many restarts are too many.
 *
 * @category models
 * @since 0.1.0
 */
export interface Intensity {
  /** How many restarts are allowed within the period; 0 allows none. */
  readonly maxRestarts: number
  readonly within: Duration.Input
}

/**
 * A running supervisor.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ref {
  readonly [RefTypeId]: typeof RefTypeId
  readonly pid: Pid<never>
}

/**
 * Whatever reaches a supervisor: what starting it has given, its pid, its name or a via.
 *
 * @category models
 * @since 0.1.0
 */
export type Target = Ref | AnyTarget

/**
 * What a tree can say about itself as a child of another one.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChildOptions<Provide extends boolean | undefined> extends ChildSpec.Options {
  /** `false` keeps the services of the tree to itself. Default: true. */
  readonly provide?: Provide | undefined
}

/**
 * The description of a tree: what it provides, what its start can fail with, and what it needs from outside.
 *
 * **Details**
 *
 * - `layer` starts the tree with the Layer and stops it, in reverse order, when its scope closes.
 * - `start`, `startLink` and `startScoped` start one more tree each time: alone, linked to the calling process, or ended
 *   with the Scope.
 * - `child` makes it the child of another tree.
 *
 * @category models
 * @since 0.1.0
 */
export interface Supervisor<in Provides, out E, out R> {
  readonly [TypeId]: {
    readonly _Provides: Types.Contravariant<Provides>
    readonly _E: Types.Covariant<E>
    readonly _R: Types.Covariant<R>
  }
  readonly layer: Layer.Layer<Provides, OtpError.StartError<E>, R>
  readonly start: Effect.Effect<Ref, OtpError.StartError<E>, R>
  readonly startLink: Effect.Effect<Ref, OtpError.StartError<E>, R | Process.Current>
  readonly startScoped: Effect.Effect<Ref, OtpError.StartError<E>, R | Scope.Scope>
  readonly child: <const Provide extends boolean | undefined = undefined>(
    options: ChildOptions<Provide>
  ) => ChildSpec.ChildSpec<ChildSpec.Provided<Provides, Provide>, E, R>
}

/**
 * The children of a tree, in order.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Children = ReadonlyArray<ChildSpec.Any>

/**
 * What a tree of these children provides; an array of unknown length: what its elements may.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Provides<C extends Children, Out = never> = [C] extends
  [readonly [infer Head, ...infer Tail extends Children]] ? Provides<Tail, Out | ChildSpec.SurelyProvides<Head>>
  : Out | ChildSpec.Provides<C[number]>

/**
 * What a tree of these children needs: what each needs and no child before it provides.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Services<C extends Children, Before = never, Out = never> = [C] extends
  [readonly [infer Head, ...infer Tail extends Children]]
  ? Services<Tail, Before | ChildSpec.SurelyProvides<Head>, Out | Without<ChildSpec.Services<Head>, Before>>
  : Out | Without<ChildSpec.Services<C[number]>, Before>

// `Exclude`, which does not defer in generic code when there is nothing to exclude.
type Without<R, Before> = [Before] extends [never] ? R : Exclude<R, Before>

// For each child `unknown`, or the complaint: intersected with the children, it puts the error where it belongs.
type Unique<C extends Children, Before = never, Out extends ReadonlyArray<unknown> = readonly []> = [C] extends
  [readonly [infer Head, ...infer Tail extends Children]] ? Unique<
    Tail,
    Before | ChildSpec.SurelyProvides<Head>,
    readonly [...Out, IsNew<ChildSpec.SurelyProvides<Head>, Before>]
  >
  // Where nothing is provided yet there is nothing to complain about, and `[...many, child]` must stay a tuple.
  : [Before] extends [never] ? unknown
  : readonly [...Out, ...ReadonlyArray<IsNew<ChildSpec.Provides<C[number]>, Before>>]

// `unknown` if no child before provides any of these services, else the complaint.
type IsNew<Services, Before> = [Before] extends [never] ? unknown
  : [Extract<Services, Before>] extends [never] ? unknown
  : DuplicateService<KeyOf<Extract<Services, Before>>>

// What a compile error prints at a child that provides what one before it does.
type DuplicateService<Key extends string> =
  `a child before this one provides ${Key} too: say \`provide: false\` on all but one`

// The key by which users know a service.
type KeyOf<Service> = Service extends { readonly key: infer Key extends string } ? Key
  : "a service without a key"

/**
 * How a tree is made.
 *
 * **Details**
 *
 * - `strategy`: who is restarted with a child that failed. `one_for_one` (default): nobody else; `rest_for_one`: those
 *   started after it; `one_for_all`: everybody.
 * - `intensity`: one restart more than `maxRestarts` in any period of `within`, and the supervisor stops its children and
 *   gives up. Default: 3 within 5 seconds.
 * - `backoff`: how long to wait before a restart, as any `Schedule`. Default: not at all, as in OTP.
 * - `autoShutdown`: whether the end of significant children ends the supervisor. Default: `never`.
 * - `name`, `label`: the supervisor's own name, and what reports call it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<C extends Children> {
  readonly strategy?: Strategy | undefined
  readonly intensity?: Intensity | undefined
  readonly backoff?: ChildSpec.Backoff | undefined
  readonly autoShutdown?: AutoShutdown | undefined
  readonly name?: AnyName | undefined
  readonly label?: string | undefined
  readonly children: C & Unique<C>
}

// ----------------------------------------------------------------------------
// make
// ----------------------------------------------------------------------------

/**
 * Describes a tree of processes.
 *
 * **When to use**
 *
 * Use it for whatever must be there as long as the application is, and come back when it fails. For something that lives
 * as long as one request, a Scope is simpler.
 *
 * **Details**
 *
 * Mirrors `Supervisor.init/2`. Children start in order, each when the one before it has started, and may use the services
 * of those before them; they stop in reverse order, each within its shutdown time. If one does not start, those before it
 * are stopped, and the start fails with a `StartError` that names it. A bad option is a defect that names it.
 *
 * **Example**
 *
 * ```ts
 * import { GenServer, Step, Supervisor } from "@effect-otp/core"
 * import { Effect, Schema } from "effect"
 *
 * class Counter extends GenServer.Service<Counter>()("docs/Counter", [
 *   GenServer.call("next", { success: Schema.Finite })
 * ]) {
 *   static readonly server = this.implement({
 *     init: (first: number) => first,
 *     handlers: { next: (count) => Step.reply(count, count + 1) }
 *   })
 * }
 *
 * const tree = Supervisor.make({ strategy: "one_for_one", children: [Counter.server.child(41)] })
 *
 * const program = Effect.gen(function*() {
 *   const counter = yield* Counter
 *   yield* counter.next()
 *   return yield* counter.next()
 * })
 *
 * Effect.runPromise(Effect.provide(program, tree.layer)) // => 42
 * ```
 *
 * @see {@link launch} to run a tree until it gives up
 * @category constructors
 * @since 0.1.0
 */
export const make = <const C extends Children>(
  options: Options<C>
): Supervisor<Provides<C>, ChildSpec.Error<C[number]>, Services<C>> =>
  new Impl(options) as unknown as Supervisor<Provides<C>, ChildSpec.Error<C[number]>, Services<C>>

class Impl {
  readonly [TypeId] = TypeId
  readonly options: Options<Children>
  readonly settings: Omit<Loop.Tree, "children">
  readonly layer: Layer.Layer<never, OtpError.StartError<unknown>>

  constructor(options: Options<Children>) {
    this.options = Input.object("options", options)
    Input.check("children", "an array", Array.isArray(options.children), options.children)
    for (const spec of options.children) {
      ChildSpec.checked("children", spec)
      const counts = !spec.significant || (options.autoShutdown ?? "never") !== "never"
      Input.check(`significant of ${spec.id}`, "false where autoShutdown is never", counts, true)
    }
    this.settings = {
      strategy: Input.oneOf(
        "strategy",
        ["one_for_one", "one_for_all", "rest_for_one"],
        options.strategy ?? "one_for_one"
      ),
      intensity: intensityOf(options.intensity),
      autoShutdown: Input.oneOf(
        "autoShutdown",
        ["never", "anySignificant", "allSignificant"],
        options.autoShutdown ?? "never"
      ),
      backoff: ChildSpec.checkBackoff(options.backoff)
    }
    if (options.name !== undefined) nameOf(options.name)
    this.layer = Layer.effectContext(Effect.suspend(() => {
      const placed = place(this)
      return Effect.as(startScoped(this, placed), placed.context)
    }))
  }

  // Made when they are asked for, which is where the tree is started.
  get start(): Effect.Effect<Ref, OtpError.StartError<unknown>> {
    return made(Effect.suspend(() => start(this, place(this), false)))
  }

  get startLink(): Effect.Effect<Ref, OtpError.StartError<unknown>> {
    return made(Effect.suspend(() => start(this, place(this), true)))
  }

  get startScoped(): Effect.Effect<Ref, OtpError.StartError<unknown>, Scope.Scope> {
    return made(Effect.suspend(() => startScoped(this, place(this))))
  }

  child(options: ChildOptions<boolean | undefined>): ChildSpec.Any {
    const spec = { restart: undefined, shutdown: undefined, ...options, type: "supervisor" as const }
    return ChildSpec.fromInstance(spec, () => {
      const placed = place(this)
      return {
        context: options.provide === false ? Context.empty() : placed.context,
        start: start(this, placed, true, options.id)
      }
    }, { tree: this.options })
  }
}

/** The children of one tree in their places, each with the services of those before it. */
interface Placed {
  readonly context: Context.Context<never>
  readonly children: Loop.Tree["children"]
}

const place = (self: Impl): Placed => {
  let context = Context.empty()
  const children = self.options.children.map((spec) => {
    const instance = instantiate(spec)
    const before = context
    for (const key of instance.context.mapUnsafe.keys()) {
      if (before.mapUnsafe.has(key)) {
        throw new TypeError(`children: ${format(spec.id)} provides ${key}, which a child before it provides, too`)
      }
    }
    context = Context.merge(before, instance.context)
    return { spec, instance: before.mapUnsafe.size === 0 ? instance : withServices(instance, before) }
  })
  return { context, children }
}

const start = (
  self: Impl,
  placed: Placed,
  linked: boolean,
  label?: string
): Effect.Effect<Ref, OtpError.StartError<unknown>> => {
  const twice = duplicateId(self.options.children)
  if (twice !== undefined) {
    return Effect.fail(new OtpError.StartError({ childPath: [twice], reason: new OtpError.DuplicateId({ id: twice }) }))
  }
  const tree: Loop.Tree = { ...self.settings, children: placed.children }
  return Start.start(Loop.definition, [tree], {
    name: self.options.name,
    label: self.options.label ?? label,
    linked
  }).pipe(
    Effect.mapBoth({ onSuccess: makeRef, onFailure: unwrap })
  )
}

const duplicateId = (children: Children): string | undefined => {
  const ids = new Set<string>()
  for (const { id } of children) {
    if (ids.has(id)) return id
    ids.add(id)
  }
  return undefined
}

// A supervisor whose child did not start ends with `{shutdown, {failed_to_start_child, …}}`; the child's error is the answer.
const unwrap = (error: OtpError.StartError<unknown>): OtpError.StartError<unknown> => {
  const term = error.reason._tag === "Stopped" && error.reason.reason._tag === "Shutdown"
    ? error.reason.reason.term
    : undefined
  return term instanceof OtpError.StartError ? term : error
}

const startScoped = (self: Impl, placed: Placed): Effect.Effect<Ref, OtpError.StartError<unknown>, Scope.Scope> =>
  Effect.acquireRelease(
    start(self, placed, false),
    (ref) => Effect.ignore(stop(ref, { reason: ExitReason.shutdown() })),
    { interruptible: true }
  )

const makeRef = (entry: Entry): Ref => ({ [RefTypeId]: RefTypeId, pid: entry })

// ----------------------------------------------------------------------------
// running
// ----------------------------------------------------------------------------

/**
 * Runs a tree until it gives up, and then fails with `GaveUp`. Interrupting it stops the tree in order.
 *
 * **When to use**
 *
 * Use it as the last line of an application whose tree is all there is to run.
 *
 * @category running
 * @since 0.1.0
 */
export const launch = <Provides, E, R>(
  tree: Supervisor<Provides, E, R>
): Effect.Effect<never, OtpError.StartError<E> | OtpError.GaveUp, R> =>
  Effect.scoped(
    Effect.flatMap(checkTree(tree).startScoped, ({ pid }) =>
      Effect.flatMap(awaitEnded(pid as Pid<never> as Entry), (reason) =>
        Effect.fail(gaveUp(pid as Pid<never> as Entry, reason))))
  ) as Effect.Effect<never, OtpError.StartError<E> | OtpError.GaveUp, R>

/** @internal */
export const checkTree = <Tree>(tree: Tree): Tree => Input.check("tree", "a Supervisor", tree instanceof Impl, tree)

const isRef = (target: Target): target is Ref => typeof target === "object" && target !== null && RefTypeId in target

const addressIn = (target: Target): Address =>
  isRef(target) ? target.pid : (typeof target === "object" && target !== null && addressOf(target)) || target

/**
 * Stops a tree, children in reverse order, and waits until it has ended. Mirrors `Supervisor.stop/3`.
 *
 * **Details**
 *
 * The reason is `Normal` by default, and there is no time limit unless `timeout` is given. Fails with `CallError`:
 * `NoProcess` if it has ended before, `Timeout`, or `ServerExited` if it ends with another reason.
 *
 * @category running
 * @since 0.1.0
 */
export const stop = (
  target: Target,
  options?: { readonly reason?: ExitReason.ExitReason | undefined; readonly timeout?: Duration.Input | undefined }
): Effect.Effect<void, OtpError.CallError> => Effect.suspend(() => Gen.stop(addressIn(target), options))

// ----------------------------------------------------------------------------
// children of a running supervisor
// ----------------------------------------------------------------------------

// A supervisor may be busy stopping a child for as long as that child is allowed: like OTP, these wait without limit.
const ask = (target: Target, operation: Operation, payload: unknown): Effect.Effect<unknown, unknown> =>
  Effect.suspend(() =>
    Effect.provideService(
      Gen.call(addressIn(target), Loop.protocol, operation, payload),
      Gen.CallTimeout,
      Duration.infinity
    )
  )

/**
 * Adds a child to a running supervisor and starts it; gives its pid, or `undefined` if it chose not to start.
 *
 * **Details**
 *
 * Mirrors `supervisor:start_child/2`. The child is the last in order. Fails with `StartError`: `AlreadyStarted` if a child
 * of this id runs, `DuplicateId` if one is there and stopped, and otherwise as its start fails; the spec is then not kept.
 *
 * @see {@link terminateChild}
 * @category children
 * @since 0.1.0
 */
export const startChild = <E, R>(
  target: Target,
  spec: ChildSpec.ChildSpec<never, E, R>
): Effect.Effect<Pid<never, unknown> | undefined, OtpError.StartError<E> | OtpError.CallError, R> =>
  made(Effect.contextWith((context: Context.Context<R>) => {
    // In the caller, whose defect a bad spec is: the supervisor must not crash over it.
    const instance = instantiate(ChildSpec.checked("spec", spec))
    const request: Loop.StartRequest = { spec, instance, context: context as Context.Context<never> }
    return ask(target, Loop.operations.startChild, request) as Effect.Effect<
      Pid<never, unknown> | undefined,
      OtpError.StartError<E> | OtpError.CallError
    >
  }))

/**
 * Stops a child, by its shutdown rules, and keeps its spec unless it is `temporary`. It counts as no restart, and stopping
 * a child that is stopped already is no failure. Mirrors `supervisor:terminate_child/2`.
 *
 * @see {@link restartChild}, {@link deleteChild}
 * @category children
 * @since 0.1.0
 */
export const terminateChild = (
  target: Target,
  id: string
): Effect.Effect<void, OtpError.ChildNotFound | OtpError.CallError> =>
  ask(target, Loop.operations.terminateChild, id) as Effect.Effect<void, OtpError.ChildNotFound | OtpError.CallError>

/**
 * Starts a stopped child again, in its old place. Mirrors `supervisor:restart_child/2`.
 *
 * **Details**
 *
 * Fails with `ChildNotFound`, with `ChildRunning` or `ChildRestarting` if it is not stopped, and with `StartError` if it
 * does not start; its spec is kept. The supervisor does not know the type of its child's error.
 *
 * @see {@link terminateChild}
 * @category children
 * @since 0.1.0
 */
export const restartChild = (
  target: Target,
  id: string
): Effect.Effect<
  Pid<never, unknown> | undefined,
  | OtpError.ChildNotFound
  | OtpError.ChildRunning
  | OtpError.ChildRestarting
  | OtpError.StartError<unknown>
  | OtpError.CallError
> => ask(target, Loop.operations.restartChild, id) as ReturnType<typeof restartChild>

/**
 * Removes the spec of a stopped child. Mirrors `supervisor:delete_child/2`.
 *
 * @see {@link terminateChild}
 * @category children
 * @since 0.1.0
 */
export const deleteChild = (
  target: Target,
  id: string
): Effect.Effect<
  void,
  OtpError.ChildNotFound | OtpError.ChildRunning | OtpError.ChildRestarting | OtpError.CallError
> => ask(target, Loop.operations.deleteChild, id) as ReturnType<typeof deleteChild>

/**
 * One child of a running supervisor: its pid, `"restarting"` while it is about to be started again, or `undefined`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChildInfo {
  readonly id: string
  readonly type: "worker" | "supervisor"
  readonly child: Pid<never, unknown> | "restarting" | undefined
  /** How long until it is started again, while it is `"restarting"`: what is left of its backoff, zero without one. */
  readonly restartsIn?: Duration.Duration
}

/**
 * The children of a supervisor, the last started first. Mirrors `supervisor:which_children/1`.
 *
 * **Details**
 *
 * Beyond OTP, a child that waits for its backoff tells how long: `restartsIn`. It holds up nobody meanwhile, and
 * {@link terminateChild} ends the wait. Fails with `CallError` if the supervisor has ended.
 *
 * **Example**
 *
 * ```ts
 * import { ChildSpec, Supervisor } from "@effect-otp/core"
 * import { Duration, Effect, Schedule } from "effect"
 *
 * const backoff = Schedule.exponential("1 minute").pipe(Schedule.jittered)
 * const failing = ChildSpec.worker({ id: "failing", backoff, run: () => Effect.die("no") })
 *
 * const program = Effect.gen(function*() {
 *   const ref = yield* Supervisor.make({ children: [failing] }).start
 *   yield* Effect.yieldNow
 *   const [info] = yield* Supervisor.whichChildren(ref)
 *   yield* Supervisor.stop(ref)
 *   return [info.child, Duration.isGreaterThan(info.restartsIn ?? Duration.zero, Duration.seconds(30))]
 * })
 *
 * Effect.runPromise(program) // => ["restarting", true]
 * ```
 *
 * @see {@link tree} for all the levels below, too
 * @category children
 * @since 0.1.0
 */
export const whichChildren = (target: Target): Effect.Effect<ReadonlyArray<ChildInfo>, OtpError.CallError> =>
  ask(target, Loop.operations.whichChildren, undefined) as ReturnType<typeof whichChildren>

/**
 * How many children a supervisor has: specs, those that run, and specs by type.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChildCounts {
  readonly specs: number
  readonly active: number
  readonly supervisors: number
  readonly workers: number
}

/**
 * Counts the children of a supervisor. Mirrors `supervisor:count_children/1`.
 *
 * @category children
 * @since 0.1.0
 */
export const countChildren = (target: Target): Effect.Effect<ChildCounts, OtpError.CallError> =>
  ask(target, Loop.operations.countChildren, undefined) as ReturnType<typeof countChildren>

/**
 * The spec of a child, as data. Mirrors `supervisor:get_childspec/2`.
 *
 * **Details**
 *
 * The spec of a `temporary` child has everything but its start, which is not kept. Fails with `ChildNotFound`.
 *
 * @category children
 * @since 0.1.0
 */
export const getChildSpec = (
  target: Target,
  id: string
): Effect.Effect<ChildSpec.Any, OtpError.ChildNotFound | OtpError.CallError> =>
  ask(target, Loop.operations.getChildSpec, id) as ReturnType<typeof getChildSpec>

/**
 * The same child with other options: another `id`, `restart`, `shutdown`, `significant` or `backoff`. Mirrors Elixir's
 * `Supervisor.child_spec/2`.
 *
 * **When to use**
 *
 * Use it to have a child that somebody else describes twice in a tree, or by other rules. Of two that provide the same
 * service one has to say `provide: false` where it is described.
 *
 * **Example**
 *
 * ```ts
 * import { ChildSpec, Supervisor } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const poller = ChildSpec.worker({ id: "poller", run: () => Effect.never })
 * const once = Supervisor.childSpec(poller, { id: "once", restart: "temporary" })
 *
 * once.id // => "once"
 * once.shutdown // => "5 seconds"
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const childSpec = <Provides, E, R>(
  spec: ChildSpec.ChildSpec<Provides, E, R>,
  overrides: { readonly [K in keyof ChildSpec.Options]?: ChildSpec.Options[K] | undefined }
): ChildSpec.ChildSpec<Provides, E, R> => {
  const { [InstantiateTypeId]: instantiate } = Input.check("spec", "a ChildSpec", isInstantiable(spec), spec) as
    & typeof spec
    & Instantiable
  Input.options(["id", "restart", "shutdown", "significant", "backoff"], overrides)
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined))
  return ChildSpec.fromInstance({ ...spec, ...given }, instantiate, ChildSpec.describedOf(spec))
}

// ----------------------------------------------------------------------------
// whole trees
// ----------------------------------------------------------------------------

/**
 * A running tree as it is now: supervisors and their children down to the last, as data.
 *
 * **When to use**
 *
 * Use it to see what a live system does, in a console, a health check or a test. `SupervisorTree.format` makes it text.
 *
 * **Details**
 *
 * Every supervisor is asked between two of its callbacks, and waited for at most for `timeout`, by default 5 seconds: one
 * below the first that does not answer, since it waits for a child to start or to stop, shows as `busy`, without its
 * children. It is no snapshot of one moment: each is asked by itself. Fails with `CallError` if the first
 * supervisor has ended or does not answer, and with `NotAServer` if there is no server at all.
 *
 * **Example**
 *
 * ```ts
 * import { ChildSpec, Supervisor, SupervisorTree } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const worker = ChildSpec.worker({ id: "a", run: () => Effect.never })
 * const pool = Supervisor.make({ name: "pool", children: [worker] })
 * const app = Supervisor.make({ label: "app", children: [pool.child({ id: "pool" })] })
 *
 * const program = Effect.gen(function*() {
 *   const ref = yield* app.start
 *   yield* Supervisor.terminateChild("pool", "a")
 *   const text = SupervisorTree.format(yield* Supervisor.tree(ref))
 *   return text.replaceAll(/ #PID\S+/g, "").split("\n")
 * })
 *
 * Effect.runPromise(program) // => ["app running, mailbox 0", "└─ pool running, mailbox 0", "   └─ a stopped"]
 * ```
 *
 * @see {@link audit} before it runs
 * @category whole trees
 * @since 0.1.0
 */
export const tree = (
  target: Target,
  options?: WalkOptions
): Effect.Effect<SupervisorTree.Tree, OtpError.CallError | OtpError.NotAServer> =>
  Effect.suspend(() => walk(addressIn(target), options))

/**
 * What is doubtful about a tree, found before it runs.
 *
 * **When to use**
 *
 * Use it in a test of your application: `assert.deepStrictEqual(Supervisor.audit(app), [])`.
 *
 * **Details**
 *
 * See `SupervisorTree.Finding` for what is found. `ignore` leaves out some of it. `shutdown` says how much time the whole
 * tree has, such as a container that is killed half a minute after it was told to stop; it has no limit by default.
 *
 * **Example**
 *
 * ```ts
 * import { ChildSpec, Supervisor } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const worker = (id: string) => ChildSpec.worker({ id, shutdown: "20 seconds", run: () => Effect.never })
 * const app = Supervisor.make({ children: [worker("a"), worker("b")] })
 *
 * const findings = Supervisor.audit(app, { shutdown: "30 seconds", ignore: ["UnboundedMailbox", "NoBackoff"] })
 *
 * findings.map(({ message }) => message) // => ["root has 30s to stop, and its children may take 40s"]
 * ```
 *
 * @see {@link tree} for a tree that runs
 * @category whole trees
 * @since 0.1.0
 */
export const audit = <Provides, E, R>(
  tree: Supervisor<Provides, E, R>,
  options?: SupervisorTree.AuditOptions
): ReadonlyArray<SupervisorTree.Finding> => SupervisorTree.audit(plan(tree), options)

/**
 * A tree as it is described, before it runs, as data.
 *
 * @see {@link audit}
 * @category whole trees
 * @since 0.1.0
 */
export const plan = <Provides, E, R>(tree: Supervisor<Provides, E, R>): SupervisorTree.Plan => {
  const { options } = checkTree(tree) as unknown as Impl
  return describePlan(options.label ?? (options.name === undefined ? "root" : show(options.name)), options)
}
