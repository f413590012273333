/**
 * How a process may be addressed other than by its pid: by a local name, or through a resolver.
 *
 * @since 0.1.0
 */
import { hasProperty } from "effect/Predicate"
import type { Pid } from "./Pid.ts"

const TypeId = "~@effect-otp/core/Name"
const ViaTypeId = "~@effect-otp/core/Name/Via"

/**
 * A local name that knows which messages its holder takes. A plain string does wherever a name is taken; this adds the
 * type.
 *
 * @see {@link make}
 * @category models
 * @since 0.1.0
 */
export interface Name<in M, out E = never> {
  readonly [TypeId]: { readonly _M: (_: M) => void; readonly _E: () => E }
  readonly name: string
}

/**
 * Makes a typed name.
 *
 * **When to use**
 *
 * Declare it once beside the process that will hold it, and send to it from anywhere. Inside one tree a service needs no
 * name at all.
 *
 * **Example**
 *
 * ```ts
 * import { Name, Process } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const Log = Name.make<string>("log")
 *
 * const program = Effect.gen(function*() {
 *   const pid = yield* Process.spawn((self: Process.Self<string>) => self.receive)
 *   yield* Process.register(Log, pid)
 *   yield* Process.send(Log, "started")
 *   return yield* Process.awaitExit(pid)
 * })
 *
 * Effect.runPromise(program).then((reason) => reason._tag) // => "Normal"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <M, E = never>(name: string): Name<M, E> => ({ [TypeId]: variance, name })

const variance = { _M: (_: unknown) => {}, _E: (): never => undefined as never }

/**
 * Where names of another kind are kept: the port that a registry implements. Mirrors the callbacks of Elixir's `:via`.
 *
 * **Details**
 *
 * All four are synchronous, and `register` is a test-and-set: it answers `false` when another process holds the key. What
 * they throw is the defect of whoever asked; where nobody has, at the end of a process and when a timer fires, it is
 * reported.
 *
 * @category models
 * @since 0.1.0
 */
export interface Resolver<in K> {
  readonly register: (key: K, pid: Pid<never, unknown>) => boolean
  readonly unregister: (key: K) => void
  readonly whereis: (key: K) => Pid<never, unknown> | undefined
  readonly format: (key: K) => string
}

/**
 * A key in the keeping of a resolver.
 *
 * @see {@link via}
 * @category models
 * @since 0.1.0
 */
export interface Via<in M, out E = never> {
  readonly [ViaTypeId]: { readonly _M: (_: M) => void; readonly _E: () => E }
  readonly register: (pid: Pid<never, unknown>) => boolean
  readonly unregister: () => void
  readonly whereis: () => Pid<never, unknown> | undefined
  readonly toString: () => string
}

/**
 * Addresses the process that `resolver` finds under `key`. Mirrors Elixir's `{:via, module, term}`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const via = <M, K = string, E = never>(resolver: Resolver<K>, key: K): Via<M, E> => ({
  [ViaTypeId]: variance,
  register: (pid) => resolver.register(key, pid),
  unregister: () => resolver.unregister(key),
  whereis: () => resolver.whereis(key),
  // Reports and messages show it, also where nobody could catch what it throws.
  toString: () => {
    try {
      return resolver.format(key)
    } catch {
      return "via ?"
    }
  }
})

/**
 * What a name option takes: a string, a typed name or a via.
 *
 * @category models
 * @since 0.1.0
 */
export type Registrable<M, E = never> = string | Name<M, E> | Via<M, E>

/**
 * Whatever a message can be aimed at. A plain string leaves the type of the message open.
 *
 * @category models
 * @since 0.1.0
 */
export type Target<M, E = never> = Pid<M, E> | Registrable<M, E>

/**
 * Any target, whatever its process takes.
 *
 * @category models
 * @since 0.1.0
 */
export type AnyTarget = Target<never, unknown>

/**
 * Any name, whatever its holder takes.
 *
 * @category models
 * @since 0.1.0
 */
export type AnyName = Registrable<never, unknown>

/** @internal */
export const isVia = (u: AnyTarget): u is Via<never, unknown> => hasProperty(u, ViaTypeId)

/** @internal */
export const isName = (u: AnyTarget): u is Name<never, unknown> => hasProperty(u, TypeId)
