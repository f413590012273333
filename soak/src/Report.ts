/**
 * What a run has shown, as data, as text for a terminal and as Markdown. Pure.
 */
import * as Format from "@effect-otp/benchmark/Format"
import * as Markdown from "@effect-otp/benchmark/Markdown"
import { Duration } from "effect"
import * as Heap from "./Heap.ts"
import { invariants } from "./Invariant.ts"
import type { Injected, Result } from "./Soak.ts"
import * as Tally from "./Tally.ts"

export interface Report {
  readonly mode: "simulated" | "real"
  readonly seed: number
  /** How long it was to be, from one fault to the next, and how long it was with its calms: by its own clock, in milliseconds. */
  readonly duration: number
  readonly every: number
  readonly lasted: number
  /** How long it took by the clock of the machine, and how much of that it had a processor. */
  readonly took: number
  readonly cpu: number
  readonly faults: ReadonlyArray<Row>
  readonly jobs: Result["counts"]
  /** How often everything was looked at. */
  readonly checks: number
  /** In bytes, garbage collected: the medians of the tenths of the run, and by how much of it the last is larger than the second. */
  readonly heap: { readonly tenths: ReadonlyArray<number>; readonly growth: number | undefined }
  readonly violation: Violation | undefined
}

export interface Row {
  readonly fault: string
  readonly injected: number
  readonly hit: number
  readonly survived: number
  /** In milliseconds, until the service answered again. */
  readonly median: number
  readonly max: number
}

export interface Violation {
  readonly invariant: keyof typeof invariants
  readonly what: string
  /** In milliseconds since the beginning. */
  readonly at: number
  readonly last: ReadonlyArray<Injected>
}

const rowOf = ({ fault, hit, injected, recoveries, survived }: Tally.Line): Row => ({
  fault,
  injected,
  hit,
  survived,
  median: Tally.median(recoveries),
  max: Tally.max(recoveries)
})

const allOf = (tally: Tally.Tally): Row => {
  const lines = [...tally.values()]
  const sum = (count: (line: Tally.Line) => number) => lines.reduce((total, line) => total + count(line), 0)
  return rowOf({
    fault: "all",
    injected: sum(({ injected }) => injected),
    hit: sum(({ hit }) => hit),
    survived: sum(({ survived }) => survived),
    recoveries: Tally.merge(lines.map(({ recoveries }) => recoveries))
  })
}

export const make = (
  result: Result,
  given: Pick<Report, "mode" | "seed" | "duration" | "every" | "took" | "cpu">
): Report => {
  const tenths = Heap.tenths(result.heap)
  const growth = Heap.growth(tenths)
  const grown = growth !== undefined && growth > Heap.atMost
  const violation: Violation | undefined = result.violation
    ? {
      invariant: result.violation.violated.invariant,
      what: result.violation.violated.what,
      at: result.violation.at,
      last: result.violation.last
    }
    : grown
    ? { invariant: "heap", what: `it has grown by ${percent(growth)}`, at: result.millis, last: [] }
    : undefined
  return {
    ...given,
    lasted: result.millis,
    faults: [...Array.from(result.tally.values(), rowOf), allOf(result.tally)],
    jobs: result.counts,
    checks: result.calms,
    heap: { tenths, growth },
    violation
  }
}

// ----------------------------------------------------------------------------
// as text
// ----------------------------------------------------------------------------

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

export const period = (millis: number): string => Duration.format(Duration.millis(Math.round(millis / 1000) * 1000))

const millis = (value: number): string => `${Format.count(value)} ms`

const header = ["fault", "injected", "hit", "survived", "median", "max"]

const cells = ({ fault, hit, injected, max, median, survived }: Row): ReadonlyArray<string> => [
  fault,
  Format.count(injected),
  Format.count(hit),
  Format.count(survived),
  millis(median),
  millis(max)
]

const rows = ({ faults }: Report) => faults.filter(({ injected }) => injected > 0).map(cells)

const count = (value: number, what: string) => `${Format.count(value)} ${what}`

const facts = ({ checks, cpu, every, heap, jobs, lasted, mode, seed, took }: Report): ReadonlyArray<string> => [
  `${mode === "simulated" ? "simulated" : "real"} time: ${period(lasted)}, a fault every ${
    Duration.format(Duration.millis(every))
  }, seed ${seed}; it took ${period(took)}, ${period(cpu)} of a processor`,
  `jobs: ${
    [
      count(jobs.accepted, "accepted"),
      count(jobs.done, "done"),
      count(jobs.gaveUp, "given up after five tries"),
      count(jobs.collected, "collected")
    ].join(", ")
  }`,
  `customers: ${
    [
      count(jobs.acknowledged, "acknowledged"),
      count(jobs.refused, "refused"),
      count(jobs.unanswered, "answered by an error"),
      count(jobs.abandoned, "have given up")
    ].join(", ")
  }`,
  `everything was looked at ${count(checks, "times")}`,
  heap.growth === undefined
    ? "heap: the run was too short to say"
    : `heap, median of each tenth: ${heap.tenths.map(megabytes).join(", ")}; from the second to the last ${
      percent(heap.growth)
    }`
]

/** How to see it again. */
export const replay = ({ duration, every, seed }: Report): string =>
  `npx -y pnpm@12 soak --simulated "${duration} millis" --every "${every} millis" --seed ${seed}`

const verdict = (report: Report): ReadonlyArray<string> => {
  const { mode, violation } = report
  if (violation === undefined) return ["nothing was lost, and every invariant held"]
  return [
    `VIOLATED after ${Duration.format(Duration.millis(Math.round(violation.at)))}: ${invariants[violation.invariant]}`,
    violation.what,
    ...violation.last.map(({ at, fault }) => `${Duration.format(Duration.millis(Math.round(at)))}: ${fault}`),
    ...(mode === "simulated" ? [`again: ${replay(report)}`] : [])
  ]
}

export const text = (report: Report): string =>
  [
    ...Format.columns([header, ...rows(report)]).map((row) => row.join("   ")),
    "",
    ...facts(report),
    ...verdict(report)
  ].join("\n")

export const markdown = (report: Report): string =>
  Markdown.document([
    "# Soak",
    Markdown.list(facts(report)),
    Markdown.table(header, rows(report)),
    Markdown.list(verdict(report))
  ])
