/**
 * How a system that runs on Node does a workload: all that a file in `systems/` has to provide.
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Name, Size } from "./Workload.ts"

/** A workload that is ready to go. */
export interface Prepared {
  /** What is timed. It gives how much it has done, unless `verify` tells. */
  readonly run: Effect.Effect<number, unknown>
  /** Run when the time and the heap have been taken: how much is really there. */
  readonly verify?: Effect.Effect<number, unknown>
}

/** Makes all that is not to be timed. What it opens ends with the Scope. */
export type Implementation = (size: Size) => Effect.Effect<Prepared, unknown, Scope.Scope>

/** For each workload how it is done, or why it cannot be. */
export type Implementations<Names extends Name = Name> = { readonly [_ in Names]: Implementation | Cannot }

export interface Cannot {
  readonly cannot: string
}

export const cannot = (why: string): Cannot => ({ cannot: why })
