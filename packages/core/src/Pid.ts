/**
 * The identity of a process: where messages, signals, links and monitors are aimed.
 *
 * A pid is opaque. It is compared by identity, prints as `#PID<0.12.0>` and says in its type which messages the process
 * takes. A pid stays valid after its process has ended: sending to it then does nothing, monitoring it yields `NoProcess`.
 *
 * @since 0.1.0
 */
import { hasProperty } from "effect/Predicate"

/**
 * Marks a value as a pid.
 *
 * @category type IDs
 * @since 0.1.0
 */
export const TypeId: unique symbol = Symbol.for("@effect-otp/core/Pid")

/**
 * @category type IDs
 * @since 0.1.0
 */
export type TypeId = typeof TypeId

/**
 * The address of a process that takes messages of type `M`.
 *
 * **When to use**
 *
 * Keep a pid to talk to one incarnation of a process. To reach whoever holds a role now, keep a name or a service instead:
 * after a restart the pid is another one.
 *
 * **Details**
 *
 * It mirrors Erlang's `pid()`. `M` is contravariant, so a process that takes more may stand where less is asked. `E` is
 * what a send can fail with: `never`, unless the mailbox of the process refuses messages when it is full.
 *
 * @see {@link isPid} to tell a pid from other values
 * @category models
 * @since 0.1.0
 */
export interface Pid<in M, out E = never> {
  readonly [TypeId]: {
    readonly _M: (_: M) => void
    readonly _E: () => E
  }
  toString(): string
  toJSON(): unknown
}

/**
 * Tells whether a value is a pid, whatever messages its process takes. Mirrors Erlang's `is_pid/1`.
 *
 * @category guards
 * @since 0.1.0
 */
export const isPid = (u: unknown): u is Pid<never, unknown> => hasProperty(u, TypeId)
