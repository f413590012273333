/**
 * What chaos has done, and chance that is the same each time.
 *
 * @internal
 */
import type * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Pid } from "../../Pid.ts"

/**
 * What can be done to a process, and to a message on its way.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = "kill" | "crash" | "exit" | "suspend" | "drop" | "delay" | "duplicate"

/**
 * One thing that was done.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fault {
  readonly kind: Kind
  /** Where it stands in the tree, ids joined by a slash; outside a tree what it is called. Of a message the request, too. */
  readonly victim: string
  readonly pid: Pid<never, unknown> | undefined
  /** When, in milliseconds since the start. */
  readonly at: number
}

/** Chance of its own, the same for the same seed whoever else draws. */
export const chance = (seed: string | number | undefined): Effect.Effect<(typeof Random.Random)["Service"]> =>
  seed === undefined ? Random.Random : Random.withSeed(Random.Random, seed)

type Chance = Effect.Success<ReturnType<typeof chance>>

/** One of them, each as likely as its weight says; nothing where there is none. */
export const pick = <A>(random: Chance, weighted: ReadonlyArray<readonly [A, weight: number]>): A | undefined => {
  let left = random.nextDoubleUnsafe() * weighted.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [value, weight] of weighted) {
    left -= weight
    if (left < 0) return value
  }
  return undefined
}
