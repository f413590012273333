/**
 * What the heap holds once garbage is collected, and whether it grows.
 */
import { Effect } from "effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

const collectGarbage: () => void = (() => {
  setFlagsFromString("--expose-gc")
  return runInNewContext("gc") as () => void
})()

/** In bytes. Twice, because finalizers free more. */
export const used: Effect.Effect<number> = Effect.sync(() => {
  collectGarbage()
  collectGarbage()
  return process.memoryUsage().heapUsed
})

export const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

/** The medians of the tenths of the run; nothing of a run that is too short to have some samples in each. */
export const tenths = (samples: ReadonlyArray<number>): ReadonlyArray<number> =>
  samples.length < 30
    ? []
    : Array.from({ length: 10 }, (_, i) =>
      median(samples.slice(Math.floor(i * samples.length / 10), Math.floor((i + 1) * samples.length / 10))))

/** By how much of it the last tenth is larger than the second. The first is for warming up. */
export const growth = (tenths: ReadonlyArray<number>): number | undefined =>
  tenths.length === 0 ? undefined : tenths[9]! / tenths[1]! - 1

export const atMost = 0.05
