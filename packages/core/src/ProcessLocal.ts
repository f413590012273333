/**
 * Values that belong to one process: its process dictionary, with typed keys.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import { format } from "effect/Formatter"
import * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import type * as Types from "effect/Types"
import { type Current, withEntry } from "./internal/current.ts"
import { dictionaries, none, TypeId, type Values, valuesOf } from "./internal/dictionary.ts"
import * as Input from "./internal/input.ts"

/**
 * A key of the process dictionary, whatever is kept under it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Key {
  readonly [TypeId]: unknown
  readonly name: string
  toString(): string
}

/**
 * A key under which each process keeps a value of type `A` of its own. `Get` is what a `get` gives: an Option of it, or the
 * value itself where the key has a default.
 *
 * @see {@link make}
 * @category models
 * @since 0.1.0
 */
export interface ProcessLocal<in out A, out Get = Option.Option<A>> extends Key {
  readonly [TypeId]: { readonly _A: Types.Invariant<A>; readonly _Get: () => Get }
}

const Prototype = {
  [TypeId]: { _A: (_: unknown) => _, _Get: () => undefined },
  toString(this: Key): string {
    return `ProcessLocal(${this.name})`
  }
}

/**
 * Makes a key of the process dictionary.
 *
 * **When to use**
 *
 * Use it for what every function of a process may need and none should pass on: a request id for the log, a cache of its
 * own, how deep it is in something. What its behaviour depends on is state, and belongs into the state of the server or the
 * loop of the body, where it can be seen. What children should have, too, is a `Context.Reference`, which they inherit.
 *
 * **Details**
 *
 * The key is the value itself: two keys with one name are two keys. The name is for people. Each process has its own
 * values; they are not inherited, nobody else can reach them, and they are gone when the process has ended. Fibers that a
 * process forks are part of it. Mirrors Erlang's process dictionary.
 *
 * **Example**
 *
 * ```ts
 * import { Process, ProcessLocal } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const Seen = ProcessLocal.make("seen", { defaultValue: () => 0 })
 *
 * const count = Effect.flatMap(ProcessLocal.get(Seen), (seen) => ProcessLocal.put(Seen, seen + 1))
 *
 * const body = () => Effect.gen(function*() {
 *   yield* count
 *   yield* count
 *   return yield* Effect.log(`seen ${yield* ProcessLocal.get(Seen)}`)
 * })
 *
 * Effect.runPromise(Effect.flatMap(Process.spawn(body), Process.awaitExit)).then((reason) => reason._tag) // => "Normal"
 * ```
 *
 * @see {@link get} {@link put}
 * @category constructors
 * @since 0.1.0
 */
export const make: {
  /** Makes a key of which a process has a value when it has put one. */
  <A>(name: string): ProcessLocal<A>
  /** Makes a key of which every process has a value. */
  <A>(name: string, options: { readonly defaultValue: () => A }): ProcessLocal<A, A>
} = (name: string, options?: { readonly defaultValue: () => unknown }) =>
  Object.assign(Object.create(Prototype), { name: Input.nonEmpty("name", name), defaultValue: options?.defaultValue })

const withKey = <A, B>(
  key: ProcessLocal<A, unknown>,
  f: (values: Values, state: object | undefined) => B
): Effect.Effect<B, never, Current> =>
  withEntry(({ state }) =>
    Effect.sync(() => {
      if (!hasProperty(key, TypeId)) {
        throw new TypeError(`key: expected what ProcessLocal.make gave, got ${format(key)}`)
      }
      return f(valuesOf(state), state as object | undefined)
    })
  )

const read = <A>(values: Values, key: ProcessLocal<A, unknown>): Option.Option<A> =>
  values.has(key) ? Option.some(values.get(key) as A) : Option.none()

/**
 * The value that the calling process keeps under a key: that of the key's default if it has put none.
 *
 * **Details**
 *
 * Mirrors `erlang:get/1`. Of a key without a default it gives an Option. A default is made anew by each `get`, until a
 * value is put.
 *
 * @see {@link put}
 * @category operations
 * @since 0.1.0
 */
export const get = <A, Get>(key: ProcessLocal<A, Get>): Effect.Effect<Get, never, Current> =>
  withKey(key, (values) => {
    const value = read(values, key)
    const { defaultValue } = key as { readonly defaultValue?: () => A }
    return (defaultValue === undefined ? value : Option.getOrElse(value, defaultValue)) as Get
  })

/**
 * Keeps a value under a key, and gives the one that was kept there before, if there was one. Mirrors `erlang:put/2`.
 *
 * @see {@link get}
 * @category operations
 * @since 0.1.0
 */
export const put = <A>(
  key: ProcessLocal<A, unknown>,
  value: Types.NoInfer<A>
): Effect.Effect<Option.Option<A>, never, Current> =>
  withKey(key, (values, state) => {
    const before = read(values, key)
    if (values !== none) values.set(key, value)
    // A fiber that has outlived its process has nowhere to put it.
    else if (state !== undefined) dictionaries.set(state, new Map([[key, value]]))
    return before
  })

const delete_ = <A>(key: ProcessLocal<A, unknown>): Effect.Effect<Option.Option<A>, never, Current> =>
  withKey(key, (values) => {
    const before = read(values, key)
    values.delete(key)
    return before
  })

export {
  /**
   * Takes the value under a key away, and gives it, if there was one. Mirrors `erlang:erase/1`, Elixir's `Process.delete`.
   *
   * @see {@link put}
   * @category operations
   * @since 0.1.0
   */
  delete_ as delete
}

/**
 * The keys of which the calling process has put a value. Mirrors `erlang:get_keys/0`.
 *
 * @category operations
 * @since 0.1.0
 */
export const keys: Effect.Effect<ReadonlyArray<Key>, never, Current> = withEntry(({ state }) =>
  Effect.sync(() => [...valuesOf(state).keys()])
)

/**
 * The keys under which the calling process keeps this value. Mirrors `erlang:get_keys/1`.
 *
 * **Details**
 *
 * Values are compared as `Equal.equals` does: plain data by what it holds. Defaults are not put, and not found.
 *
 * @category operations
 * @since 0.1.0
 */
export const getKeys = (value: unknown): Effect.Effect<ReadonlyArray<Key>, never, Current> =>
  withEntry(({ state }) =>
    Effect.sync(() => [...valuesOf(state)].filter(([, kept]) => Equal.equals(kept, value)).map(([key]) => key))
  )
