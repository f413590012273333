/**
 * How often each fault was injected, hit and survived, and how long it took to recover. Bounded, however many there are.
 */
import { faults } from "./Fault.ts"

/** How often each value was seen. Values are rounded, so that there are few of them. */
export type Histogram = Map<number, number>

export interface Line {
  readonly fault: string
  injected: number
  hit: number
  survived: number
  readonly recoveries: Histogram
}

export type Tally = Map<string, Line>

export const make = (): Tally =>
  new Map(faults.map(({ name }) => [name, { fault: name, injected: 0, hit: 0, survived: 0, recoveries: new Map() }]))

const step = 10

export const add = (histogram: Histogram, value: number): void => {
  const rounded = Math.round(value / step) * step
  histogram.set(rounded, (histogram.get(rounded) ?? 0) + 1)
}

export const merge = (histograms: Iterable<Histogram>): Histogram => {
  const merged: Histogram = new Map()
  for (const histogram of histograms) {
    for (const [value, count] of histogram) merged.set(value, (merged.get(value) ?? 0) + count)
  }
  return merged
}

export const median = (histogram: Histogram): number => {
  let left = Array.from(histogram.values()).reduce((sum, count) => sum + count, 0) / 2
  for (const [value, count] of [...histogram].sort(([a], [b]) => a - b)) {
    left -= count
    if (left <= 0) return value
  }
  return 0
}

export const max = (histogram: Histogram): number => Math.max(0, ...histogram.keys())
