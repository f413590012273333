/**
 * The report: docs/benchmarks.md, and a chart for each workload beside it.
 */
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as path from "node:path"
import * as Chart from "./Chart.ts"
import { type Comparison, measured, missing } from "./Comparison.ts"
import * as Format from "./Format.ts"
import * as Machine from "./Machine.ts"
import * as Markdown from "./Markdown.ts"
import type { Options } from "./Suite.ts"
import { isFor } from "./System.ts"
import * as Target from "./Target.ts"
import type { Workload } from "./Workload.ts"

const docs = path.join(import.meta.dirname, "..", "..", "docs")
const charts = "benchmarks"
/** Written by hand: why a number is not reached. */
const remarks = path.join(import.meta.dirname, "..", "remarks.md")

const limits = [
  "Each workload is one thing done over and over in one place. An application does many things, and mostly waits for " +
  "others: what is ten times as fast here may be no faster there.",
  "The BEAM preempts, isolates the heap of every process, collects garbage per process and uses all cores. Nothing " +
  "here measures that: a process that computes for a second blocks all others on Node, and none on the BEAM. `beam` has " +
  "one scheduler, as Node has one thread; `beam-all` has all.",
  "Messages are small. The BEAM copies them between heaps, Node shares them: large ones would favour Node.",
  "`effect` does by hand what the workload needs and no more: its calls have no time limit, its fibers no links, no " +
  "monitors and no exit reasons. `nact` and the BEAM have a time limit of 5 seconds, as `effect-otp` has by default.",
  "`xstate` runs the receiver within `send`, so nothing is ever queued between two actors.",
  "`effect/persistence` and `rate-limiter-flexible` count in fixed windows and are called as functions. The limiters of " +
  "the other systems are servers, and keep the time of every request (a sliding window).",
  "In `registry` each name has a process of its own, as a session or a room has that is started by its name. They have been " +
  "started before: the time is that of a message to each, of what it then does to register itself, and of a look-up. The " +
  "BEAM does it with the Registry of Elixir, `effect` with a HashMap in a Ref, where a finalizer takes the name back; there " +
  "nobody watches the processes.",
  "Heap is what the garbage collector leaves (`heapUsed` and `external` of Node, `erlang:memory(total)`). What the " +
  "operating system is asked for is more."
]

const rowOf = (workload: Workload, row: Comparison["rows"][number]): ReadonlyArray<string> => {
  const { system } = row
  if (row._tag === "Missing") return [system.name, "–", "–", "–", ...(workload.heap ? ["–"] : [])]
  const { heapBytesPerProcess, nsPerOp, relative } = row
  return [
    system.name,
    Format.nanos(nsPerOp.median),
    `${Format.nanos(nsPerOp.min)} – ${Format.nanos(nsPerOp.max)}`,
    relative === undefined ? "–" : Format.ratio(relative),
    ...(heapBytesPerProcess === undefined ? [] : [Format.bytes(heapBytesPerProcess)])
  ]
}

const comparisonBlocks = (comparison: Comparison): ReadonlyArray<string> => {
  const { n, rows, workload } = comparison
  const header = ["system", "median", "min – max", "relative to `beam`", ...(workload.heap ? ["heap each"] : [])]
  return [
    `${Format.count(n)}, each figure per ${workload.unit}:`,
    Markdown.table(header, rows.map((row) => rowOf(workload, row))),
    Markdown.list(missing(comparison).map(({ reason, system }) => `\`${system.name}\` ${reason.why}.`))
  ]
}

const image = (name: string, alt: string): string => `![${alt}](${charts}/${name}.svg)`

const mainOf = (comparisons: ReadonlyArray<Comparison>): Comparison =>
  Target.pick(comparisons, { workload: comparisons[0]!.workload.name })!

const byWorkload = (comparisons: ReadonlyArray<Comparison>): ReadonlyArray<ReadonlyArray<Comparison>> =>
  Object.values(Array.groupBy(comparisons, ({ workload }) => workload.name))

const section = (comparisons: ReadonlyArray<Comparison>): ReadonlyArray<string> => {
  const { workload } = comparisons[0]!
  const sizes = workload.heap ? comparisons : [mainOf(comparisons)]
  return [
    `## ${workload.name}`,
    `${workload.title}.`,
    image(workload.name, `Time per ${workload.unit} in each system`),
    ...sizes.flatMap(comparisonBlocks),
    ...(workload.heap ? [image(`${workload.name}-heap`, `Heap of each ${workload.unit}`)] : []),
    ...(comparisons.length > 1
      ? [
        "How the time of one changes with their number; a level line is linear growth:",
        image(`${workload.name}-growth`, `Time per ${workload.unit} over their number`)
      ]
      : [])
  ]
}

/** Operations per second relative to the BEAM: a workload a row, a system a column. */
const summary = (comparisons: ReadonlyArray<Comparison>, { systems }: Options): string => {
  const cell = (comparison: Comparison, name: string): string => {
    const relative = measured(comparison).find(({ system }) => system.name === name)?.relative
    return relative === undefined ? "–" : Format.ratio(relative)
  }
  const columns = systems.filter(({ only }) => only === undefined).map(({ name }) => name)
  return Markdown.table(
    ["workload", ...columns],
    byWorkload(comparisons).map(mainOf).map((comparison) => [
      comparison.workload.name,
      ...columns.map((name) => cell(comparison, name))
    ])
  )
}

const table = ({ header, rows }: Target.Table): string => rows.length === 0 ? "" : Markdown.table(header, rows)

/** What was aimed at, in numbers, and what there is to say about it. */
const targets = (comparisons: ReadonlyArray<Comparison>, notes: string): ReadonlyArray<string> => {
  const [reached, compared] = [table(Target.reached(comparisons)), table(Target.compared(comparisons))]
  return [
    "## What was aimed at",
    reached === "" ? "" : "Operations per second relative to `beam`, at least; heap of each, in bytes:",
    reached,
    compared === "" ?
      "" :
      "How many times as fast as the others `effect-otp` is. It should be faster than `effect` in every workload " +
      "but spawn, which may take 1.3 times as long, and three times as fast in call, pingpong and ring; three times as fast " +
      "as `nact`, but for idle processes and servers; three times as fast as `effect-persistence`, and not slower than " +
      "`rate-limiter-flexible`:",
    compared,
    ...(notes === "" ? [] : ["## Where a number is not reached", notes])
  ]
}

const document = (
  comparisons: ReadonlyArray<Comparison>,
  options: Options,
  machine: ReadonlyArray<readonly [string, string]>,
  notes: string
): string => {
  const { quick, rounds, systems, workloads } = options
  const shown = systems.filter((system) => workloads.some((workload) => isFor(system, workload)))
  return Markdown.document([
    "# Benchmarks",
    "The same workloads for this library, for the BEAM and for everything else one could pick instead. Each sample runs in " +
    "a process of its own: it warms up, then does the work once, and its time counts only if the work is proven to be " +
    `done. The systems take turns (rounds: ${rounds}); shown are the median, the fastest and the slowest. A curve ` +
    "has three rounds at most, and a system that has had 30 seconds is not asked again.",
    quick ? "**This was a quick run, of small sizes.**" : "",
    "Operations per second, relative to those of the BEAM on one scheduler in the same run (more is better):",
    summary(comparisons, options),
    ...targets(comparisons, notes),
    "## The systems",
    Markdown.list(shown.map(({ about, name }) => `\`${name}\`: ${about}`)),
    "## The machine",
    Markdown.pairs(["what", "which"], machine),
    "## How to repeat it",
    "`npx -y pnpm@12 bench` prints tables, `--json` one JSON object a line, and `--report` writes this page. `--quick` " +
    "takes minutes instead of an hour; `--only call,cast` and `--systems effect-otp,beam` pick what is run. Where Erlang " +
    "is missing, `apt-get install erlang-nox` adds it; without it there is nothing to be relative to. `registry` needs " +
    "`elixir`, too. Keep the machine quiet meanwhile.",
    "## What it does not show",
    Markdown.list(limits),
    ...byWorkload(comparisons).flatMap(section)
  ])
}

const chartsOf = (comparisons: ReadonlyArray<Comparison>): ReadonlyArray<readonly [string, Effect.Effect<string>]> => {
  const main = mainOf(comparisons)
  const { heap, name } = main.workload
  return [
    [name, Chart.cost(main)],
    ...(heap ? [[`${name}-heap`, Chart.heap(main)] as const] : []),
    ...(comparisons.length > 1 ? [[`${name}-growth`, Chart.growth(comparisons)] as const] : [])
  ]
}

export const write = Effect.fnUntraced(function*(comparisons: ReadonlyArray<Comparison>, options: Options) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.makeDirectory(path.join(docs, charts), { recursive: true })
  for (const [name, chart] of byWorkload(comparisons).flatMap(chartsOf)) {
    yield* fs.writeFileString(path.join(docs, charts, `${name}.svg`), yield* chart)
  }
  const notes = (yield* fs.exists(remarks)) ? (yield* fs.readFileString(remarks)).trim() : ""
  const text = document(comparisons, options, yield* Machine.describe, notes)
  yield* fs.writeFileString(path.join(docs, "benchmarks.md"), text)
})
