/**
 * Who decides at each point where a run could go on in more than one way.
 *
 * Every decision has a default, its first option: whoever has waited longest runs next, and goes on until it has to wait. A
 * run is described by where it deviates from that, and replayed by the same deviations. So what shrinks a run takes
 * deviations away.
 *
 * @internal
 */
import * as Random from "./random.ts"

/**
 * Of the decisions who runs next, the one with the number `at` was for the place `choice` rather than the first; or of the
 * decisions whether what runs goes on, that one was for `"stop"`. Each kind is counted from 0 by itself: a run that stops less
 * often still meets the same choices.
 */
export interface Deviation {
  readonly at: number
  readonly choice: number | "stop"
}

export interface Choices {
  /** Chooses who of those who can run runs next: by place, the one that has waited longest first. */
  next(ranks: ReadonlyArray<{ readonly rank: number }>): number
  /** Whether what runs is to stop here, and let others run. */
  yields(): boolean
  /** How much it is liked, from 0 to 1, by a run that prefers some to others. */
  rank(): number
  /** What was decided otherwise than by default, so far. */
  readonly deviations: ReadonlyArray<Deviation>
}

/** Decides as `otherwise` says, and notes where that is not the default. */
const make = (otherwise: Otherwise): Choices => {
  const deviations: Array<Deviation> = []
  let nexts = 0
  let stops = 0
  return {
    next: (ranks) => {
      const at = nexts++
      const choice = otherwise.next(ranks, at)
      if (choice !== 0) deviations.push({ at, choice })
      return choice
    },
    yields: () => {
      const at = stops++
      const stop = otherwise.yields(at)
      if (stop) deviations.push({ at, choice: "stop" })
      return stop
    },
    rank: otherwise.rank,
    deviations
  }
}

interface Otherwise {
  next(ranks: ReadonlyArray<{ readonly rank: number }>, at: number): number
  yields(at: number): boolean
  rank(): number
}

const noRank = () => 0

/** The default everywhere but at these points. */
export const replaying = (deviations: ReadonlyArray<Deviation>): Choices => {
  const choices = new Map<number, number>()
  const stops = new Set<number>()
  for (const { at, choice } of deviations) {
    if (choice === "stop") stops.add(at)
    else choices.set(at, choice)
  }
  return make({
    // In a run that has become shorter there may be less to choose from.
    next: (ranks, at) => Math.min(choices.get(at) ?? 0, ranks.length - 1),
    yields: (at) => stops.has(at),
    rank: noRank
  })
}

// How often a run departs from the default order, and how often it stops what runs. No single pair finds everything: what
// stops at every step never lets a process get far ahead of another.
const switchRates = [1, 1, 0.5, 0.2]
const yieldRates = [0, 0.03, 0.1, 0.3, 0.6]
const preferring = 0.3

/** What follows from a seed: the manner of the run first, and then each decision. */
export const seeded = (seed: number): Choices => {
  const draw = Random.make(seed)
  const oneOf = (rates: ReadonlyArray<number>) => rates[Math.floor(draw() * rates.length)]!
  const switchRate = oneOf(switchRates)
  const yieldRate = oneOf(yieldRates)
  const yields = () => yieldRate > 0 && draw() < yieldRate
  if (draw() >= preferring) {
    return make({
      next: (ranks) => draw() < switchRate ? Math.floor(draw() * ranks.length) : 0,
      yields,
      rank: noRank
    })
  }
  // Some are always let before others, as on a machine where one of them is slow.
  return make({ next: indexOfHighest, yields, rank: draw })
}

const indexOfHighest = (ranks: ReadonlyArray<{ readonly rank: number }>): number => {
  let highest = 0
  for (let index = 1; index < ranks.length; index++) {
    if (ranks[index]!.rank > ranks[highest]!.rank) highest = index
  }
  return highest
}
