/**
 * Which Node and which process an effect runs in.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Types from "effect/Types"
import type { Pid } from "../Pid.ts"
import * as ProcessTable from "./processTable.ts"
import type { Signal } from "./signal.ts"
import type { Timers } from "./timers.ts"

export const CurrentTable: Context.Reference<ProcessTable.ProcessTable> = Context.Reference("@effect-otp/core/Node", {
  defaultValue: () => ProcessTable.make("default")
})

/**
 * Being inside a process. `Process.spawn`, servers and supervised children provide it to their own code, and to nobody
 * else: what only a process can do requires it.
 *
 * @category services
 * @since 0.1.0
 */
export class Current extends Context.Service<Current, Pid<never>>()("@effect-otp/core/Process/Current") {}

/**
 * Being inside a process whose mailbox declares the signal `S`. A requirement only: nothing is stored under it. A body
 * that declares the signal in its own `Process.Self` provides it.
 *
 * @category services
 * @since 0.1.0
 */
export interface Receives<out S extends Signal> {
  readonly "~@effect-otp/core/Process/Receives": Types.Covariant<S>
}

export const entryOf = (fiber: Fiber.Fiber<unknown, unknown>): ProcessTable.Entry | undefined =>
  Context.getOrUndefined(fiber.context, Current) as ProcessTable.Entry | undefined

export const tableOf = (fiber: Fiber.Fiber<unknown, unknown>): ProcessTable.ProcessTable => fiber.getRef(CurrentTable)

export const timersOf = (fiber: Fiber.Fiber<unknown, unknown>): Timers =>
  ProcessTable.timersOf(tableOf(fiber), fiber.getRef(Clock.Clock), fiber.cache.scheduler)

/** Runs `f` with the process that the effect runs in. The types have seen to it that there is one. */
export const withEntry = <A, E, R>(
  f: (entry: ProcessTable.Entry, fiber: Fiber.Fiber<unknown, unknown>) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | Current> => Effect.withFiber((fiber) => f(entryOf(fiber)!, fiber))
