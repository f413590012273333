/**
 * A comparison for the eye, and for a program.
 */
import { type Comparison, type Measured, measured, missing } from "./Comparison.ts"
import * as Format from "./Format.ts"

const optional = (value: number | undefined, format: (value: number) => string): string =>
  value === undefined ? "" : format(value)

const cells = ({ heapBytesPerProcess, nsPerOp, relative, system }: Measured): ReadonlyArray<string> => [
  system.name,
  Format.nanos(nsPerOp.median),
  Format.nanos(nsPerOp.min),
  Format.nanos(nsPerOp.max),
  optional(relative, Format.ratio),
  optional(heapBytesPerProcess, Format.bytes)
]

export const table = (comparison: Comparison): string => {
  const { n, workload } = comparison
  const header = ["", "median", "min", "max", "× beam", workload.heap ? "heap each" : ""]
  const rows = Format.columns([header, ...measured(comparison).map(cells)])
  const reasons = missing(comparison).map(({ reason, system }) => `  – ${system.name}: ${reason.why}`)
  return [
    `${workload.name}: ${workload.title} (${Format.count(n)}, per ${workload.unit})`,
    ...rows.map((row) => `  ${row.join("   ")}`.trimEnd()),
    ...reasons,
    ""
  ].join("\n")
}

/** One JSON object a line. */
export const json = (comparison: Comparison): ReadonlyArray<string> =>
  measured(comparison).map(({ heapBytesPerProcess, nsPerOp, system }) =>
    JSON.stringify({
      workload: comparison.workload.name,
      system: system.name,
      n: comparison.n,
      nsPerOp,
      heapBytesPerProcess
    })
  )
