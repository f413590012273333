/**
 * Chance, from a seed: whoever asks in the same order gets the same answers.
 */
import { Effect, Random } from "effect"

export interface Chance {
  /** From 0, which it may be, to 1, which it never is. */
  readonly next: () => number
  readonly between: (min: number, max: number) => number
  /** One of some, or nothing of none. */
  readonly pick: <A>(all: ReadonlyArray<A>) => A | undefined
  /** A waiting time that is `mean` on average, as of things that happen independently of each other. */
  readonly wait: (mean: number) => number
}

export const make = (seed: string): Effect.Effect<Chance> =>
  Effect.map(Random.Random, (random): Chance => {
    const next = () => random.nextDoubleUnsafe()
    return {
      next,
      between: (min, max) => min + next() * (max - min),
      pick: (all) => all[Math.floor(next() * all.length)],
      wait: (mean) => -mean * Math.log(1 - next())
    }
  }).pipe(Random.withSeed(seed))
