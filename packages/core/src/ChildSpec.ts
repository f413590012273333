/**
 * How a supervisor starts, restarts and stops one child, as plain data.
 *
 * Every behaviour describes itself (`Counter.server.child(0)`, `tree.child({ id })`); the constructors here make a child of
 * any Effect, of a process body and of a Layer.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import type * as Types from "effect/Types"
import type { ExitReason } from "./ExitReason.ts"
import { type Limits, limitsOf } from "./internal/bounds.ts"
import {
  type ChildInstance,
  type Instantiable,
  InstantiateTypeId,
  isInstantiable,
  type Started
} from "./internal/childInstance.ts"
import * as Input from "./internal/input.ts"
import type { Restart } from "./internal/restartDecision.ts"
import type { Body } from "./internal/self.ts"
import * as Start from "./internal/serverStart.ts"
import * as Spawn from "./internal/spawn.ts"
import { catchExit } from "./internal/startExit.ts"
import type * as Process from "./Process.ts"

const TypeId = "~@effect-otp/core/ChildSpec"

export type { Started } from "./internal/childInstance.ts"
export type { Restart } from "./internal/restartDecision.ts"

/**
 * How long a child may take to end before it is killed; `"brutalKill"` kills it at once.
 *
 * @category models
 * @since 0.1.0
 */
export type Shutdown = Duration.Input | "brutalKill"

/**
 * When to start a child again: any Schedule, fed with the reason of each end. It says how long to wait; when it is done,
 * the supervisor gives up.
 *
 * @category models
 * @since 0.1.0
 */
export type Backoff = Schedule.Schedule<unknown, ExitReason>

/**
 * The description of a child that provides the services `Provides`, may fail to start with `E` and needs `R`.
 *
 * **Details**
 *
 * Mirrors OTP's `child_spec()`. `Provides` is contravariant, as in `Layer`: what provides A and B will do where A is
 * wanted, never the reverse.
 *
 * @see {@link Options} for the fields
 * @category models
 * @since 0.1.0
 */
export interface ChildSpec<in Provides, out E, out R> {
  readonly [TypeId]: {
    readonly _Provides: Types.Contravariant<Provides>
    readonly _E: Types.Covariant<E>
    readonly _R: Types.Covariant<R>
  }
  readonly id: string
  readonly type: "worker" | "supervisor"
  readonly restart: Restart
  readonly shutdown: Shutdown
  readonly significant: boolean
  readonly backoff: Backoff | undefined
}

/**
 * Any spec.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Any = ChildSpec<never, unknown, unknown>

/**
 * The services a spec provides.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Provides<Spec> = Spec extends ChildSpec<infer P, infer _E, infer _R> ? P : never

/**
 * The services that a spec surely provides: of a choice of specs, only what each of them does.
 *
 * @category utility types
 * @since 0.1.0
 */
export type SurelyProvides<Spec> = [Spec] extends [ChildSpec<infer P, infer _E, infer _R>] ? P : never

/**
 * What the start of a spec can fail with.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Error<Spec> = Spec extends ChildSpec<infer _P, infer E, infer _R> ? E : never

/**
 * The services a spec needs.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Services<Spec> = Spec extends ChildSpec<infer _P, infer _E, infer R> ? R : never

/**
 * What a child provides that was asked to (the default), or not to. In doubt: nothing.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Provided<Services, Provide extends boolean | undefined> = false extends Provide ? never : Services

/**
 * What every kind of child can say about itself.
 *
 * **Details**
 *
 * - `id`: its name among its siblings, and in `StartError.childPath`.
 * - `restart`: `permanent` (default) starts it again whatever the reason, `transient` unless it ended `Normal` or
 *   `Shutdown`, `temporary` never.
 * - `shutdown`: 5 seconds by default, without limit for supervisors.
 * - `significant`: it counts for the `autoShutdown` of its supervisor; not for a permanent child. Default: false.
 * - `backoff`: how long to wait before it is started again, instead of the supervisor's.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly id: string
  readonly restart?: Restart | undefined
  readonly shutdown?: Shutdown | undefined
  readonly significant?: boolean | undefined
  readonly backoff?: Backoff | undefined
}

/**
 * What a kind of child tells of itself before it runs, for an audit.
 *
 * @internal
 */
export interface Described {
  /** Its mailbox; nothing, if it takes no messages or nobody knows. */
  readonly mailbox?: "bounded" | "unbounded"
  /** The tree that it is. */
  readonly tree?: { readonly children: ReadonlyArray<Any>; readonly backoff?: Backoff | undefined }
}

const DescribedTypeId = "~@effect-otp/core/ChildSpec/described"

/** @internal */
export const describedOf = (spec: Any): Described =>
  (spec as { readonly [DescribedTypeId]?: Described })[DescribedTypeId] ?? {}

/** @internal */
export const describeMailbox = (limits: Limits | undefined): Described => ({
  mailbox: limits === undefined ? "unbounded" : "bounded"
})

const types = ["worker", "supervisor"] as const
const restarts = ["permanent", "transient", "temporary"] as const

/** @internal */
export const checkShutdown = (shutdown: Shutdown): void => {
  if (shutdown !== "brutalKill") Input.millis("shutdown", shutdown)
}

/** @internal */
export const checkBackoff = (backoff: Backoff | undefined): Backoff | undefined =>
  Input.check("backoff", "a Schedule", backoff === undefined || Schedule.isSchedule(backoff), backoff)

const checkFields = ({ backoff, id, restart, shutdown, significant, type }: Omit<Any, typeof TypeId>): void => {
  Input.nonEmpty("id", id)
  Input.oneOf("type", types, type)
  Input.oneOf("restart", restarts, restart)
  checkShutdown(shutdown)
  Input.check("significant", "true or false", typeof significant === "boolean", significant)
  // A permanent child never ends for good, so nobody could wait for it.
  Input.check("significant", "false for a permanent child", !significant || restart !== "permanent", significant)
  checkBackoff(backoff)
}

/**
 * A spec as a supervisor takes it. The constructors have looked at its fields, but one that is spread to change some of them
 * has gone around these.
 *
 * @internal
 */
export const checked = (what: string, spec: Any): Any => {
  checkFields(Input.check(what, "a ChildSpec", isInstantiable(spec), spec))
  return spec
}

/** @internal */
export const fromInstance = <Provides, E, R>(
  options: Options & { readonly type?: "worker" | "supervisor" | undefined },
  instantiate: () => ChildInstance,
  described: Described = {}
): ChildSpec<Provides, E, R> => {
  const type = options.type ?? "worker"
  const spec: Omit<Any, typeof TypeId> & Instantiable & { readonly [DescribedTypeId]: Described } = {
    [InstantiateTypeId]: instantiate,
    [DescribedTypeId]: described,
    id: options.id,
    type,
    restart: options.restart ?? "permanent",
    shutdown: options.shutdown ?? (type === "supervisor" ? "Infinity" : "5 seconds"),
    significant: options.significant ?? false,
    backoff: options.backoff
  }
  checkFields(spec)
  return spec as unknown as ChildSpec<Provides, E, R>
}

/**
 * A child from any Effect that starts a process linked to its caller and gives its pid.
 *
 * **When to use**
 *
 * Use it for what the other constructors do not cover. The Effect runs in the supervisor's process, which waits for it.
 *
 * **Details**
 *
 * What it fails with becomes a `StartError` that names the child, and so does what it dies of, a `Process.exit` included:
 * the supervisor lives on. Mirrors a child spec with an MFA of your own.
 *
 * @see {@link worker} for a process from a body
 * @category constructors
 * @since 0.1.0
 */
export const make = <E, R>(
  options: Options & {
    readonly type?: "worker" | "supervisor" | undefined
    readonly start: Effect.Effect<Started, E, R> & Process.DeclaresSignals<never, R>
  }
): ChildSpec<never, E, Exclude<R, Process.Current>> => {
  const { start } = Input.object("options", options)
  return withStart(options, catchExit(Input.check("start", "an Effect", Effect.isEffect(start), start)))
}

const withStart = <E, R>(
  options: Options & { readonly type?: "worker" | "supervisor" | undefined },
  start: Effect.Effect<Started, unknown, unknown>
): ChildSpec<never, E, R> =>
  // What it needs is provided where the tree is started.
  fromInstance(options, () => ({ context: Context.empty(), start: start as ChildInstance["start"] }))

/**
 * A child from a process body: a polling loop, a consumer, a one-off job.
 *
 * **When to use**
 *
 * Use it for what runs by itself. For what answers requests use a GenServer's `child`.
 *
 * **Details**
 *
 * Starting it never fails; when the body ends, `restart` decides. A `Scope` that the body asks for is its own and closes
 * with each incarnation.
 *
 * **Example**
 *
 * ```ts
 * import { ChildSpec, Supervisor } from "@effect-otp/core"
 * import { Effect, Schedule } from "effect"
 *
 * const poll = Effect.logDebug("polling").pipe(Effect.repeat(Schedule.spaced("1 second")))
 *
 * const tree = Supervisor.make({
 *   children: [ChildSpec.worker({ id: "poller", run: () => poll })]
 * })
 *
 * const program = Effect.provide(Effect.succeed("polled"), tree.layer)
 *
 * Effect.runPromise(program) // => "polled"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const worker = <M = never, A = never, E = never, R = never>(
  options: Options & {
    readonly run: Process.Body<M, A, E, R>
    /** The bound of its mailbox. Default: none. */
    readonly mailbox?: Process.Mailbox | undefined
  }
): ChildSpec<never, never, Exclude<R, Process.Provided<M> | Scope.Scope>> => {
  const { id: label, mailbox, run } = Input.object("options", options)
  Input.check("run", "a function", typeof run === "function", run)
  const body = ((self: Process.Self<M>) => {
    const given = run(self)
    return Effect.scoped(Input.check("run", "a function that gives an Effect", Effect.isEffect(given), given))
  }) as unknown as Body
  const limits = limitsOf(mailbox)
  return fromInstance(options, () => ({
    context: Context.empty(),
    start: Spawn.spawn(body, label, true, limits),
    startNow: (origin) => Spawn.startBody(origin, body, label, true, limits)
  }), describeMailbox(limits))
}

/**
 * A child from a Layer that is kept running: an HTTP server, a consumer. It provides nothing to its siblings.
 *
 * **Details**
 *
 * Each incarnation builds the Layer afresh in its own process and scope, and the child has started when it is built. What
 * building fails with becomes a `StartError` that names the child.
 *
 * @category constructors
 * @since 0.1.0
 */
export const layer = <E, R>(
  options: Options & { readonly layer: Layer.Layer<never, E, R> & Process.DeclaresSignals<never, R> }
): ChildSpec<never, E, Exclude<R, Process.Current | Scope.Scope>> => {
  const { layer } = Input.object("options", options)
  Input.check("layer", "a Layer", Layer.isLayer(layer), layer)
  const definition = {
    name: "Layer",
    protocol: {},
    handlers: {},
    init: () => Effect.flatMap(Scope.Scope, (scope) => Layer.buildWithMemoMap(layer, Layer.makeMemoMapUnsafe(), scope))
  }
  const start = Start.start(definition, [], { label: options.id, linked: true })
  return withStart(options, start)
}
