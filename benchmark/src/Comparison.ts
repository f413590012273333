/**
 * All systems at one workload and size: interleaved, round after round, so that what the machine does to one it does to
 * all.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type NoSample, sample } from "./Measurement.ts"
import type { Sample } from "./Sample.ts"
import { median, type Spread, spread } from "./Statistics.ts"
import { baseline, type System } from "./System.ts"
import type { Workload } from "./Workload.ts"

export interface Measured {
  readonly _tag: "Measured"
  readonly system: System
  readonly nsPerOp: Spread
  /** Operations per second, relative to those of the BEAM in the same run. */
  readonly relative: number | undefined
  readonly heapBytesPerProcess: number | undefined
}

export interface Missing {
  readonly _tag: "Missing"
  readonly system: System
  readonly reason: NoSample
}

export interface Comparison {
  readonly workload: Workload
  readonly n: number
  readonly rows: ReadonlyArray<Measured | Missing>
}

/** What has become of one system so far. */
interface Entry {
  readonly system: System
  readonly samples: Array<Sample>
  reason: NoSample | undefined
  spentMillis: number
}

// The slow ones have told enough after fewer rounds.
const budgetMillis = 30_000

const wants = (entry: Entry): boolean =>
  entry.reason === undefined && (entry.samples.length === 0 || entry.spentMillis < budgetMillis)

const turn = Effect.fnUntraced(function*(entry: Entry, workload: Workload, n: number) {
  const start = performance.now()
  const result = yield* Effect.result(sample(entry.system, workload, n))
  entry.spentMillis += performance.now() - start
  if (Result.isSuccess(result)) entry.samples.push(result.success)
  else entry.reason = result.failure
})

const medianNs = (entry: Entry, n: number): number => median(entry.samples.map(({ nanos }) => nanos / n))

const row = (entry: Entry, workload: Workload, n: number, base: Entry | undefined): Measured | Missing => {
  const { reason, samples, system } = entry
  if (reason !== undefined) return { _tag: "Missing", system, reason }
  return {
    _tag: "Measured",
    system,
    nsPerOp: spread(samples.map(({ nanos }) => nanos / n)),
    relative: base === undefined ? undefined : medianNs(base, n) / medianNs(entry, n),
    heapBytesPerProcess: workload.heap ? median(samples.map(({ heapBytes }) => heapBytes / n)) : undefined
  }
}

/** `given` are the reasons for which a smaller size was not reached: a larger one is not tried. */
export const compare = Effect.fnUntraced(function*(
  systems: ReadonlyArray<System>,
  workload: Workload,
  n: number,
  rounds: number,
  given: ReadonlyMap<string, NoSample>
) {
  const entries = systems.map((system): Entry => ({
    system,
    samples: [],
    reason: given.get(system.name),
    spentMillis: 0
  }))
  for (let round = 0; round < rounds; round++) {
    for (const entry of entries) if (wants(entry)) yield* turn(entry, workload, n)
  }
  const base = entries.find(({ reason, system }) => system.name === baseline && reason === undefined)
  return { workload, n, rows: entries.map((entry) => row(entry, workload, n, base)) } satisfies Comparison
})

export const measured = ({ rows }: Comparison): ReadonlyArray<Measured> => rows.filter((row) => row._tag === "Measured")

export const missing = ({ rows }: Comparison): ReadonlyArray<Missing> => rows.filter((row) => row._tag === "Missing")
