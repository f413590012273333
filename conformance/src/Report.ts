/**
 * What a run has found, in words.
 */
import type { Comparison } from "./Compare.ts"
import * as Features from "./Features.ts"
import * as Scenario from "./Scenario.ts"
import type { Trace } from "./Trace.ts"

const width = 72

/** Two columns, cut to lines; where they differ there is a mark between. */
const beside = (left: ReadonlyArray<string>, right: ReadonlyArray<string>): ReadonlyArray<string> => {
  const [a, b] = [left.flatMap(wrap), right.flatMap(wrap)]
  return Array.from(
    { length: Math.max(a.length, b.length) },
    (_, i) => `  ${(a[i] ?? "").padEnd(width)} ${a[i] === b[i] ? " " : "|"} ${b[i] ?? ""}`.trimEnd()
  )
}

const wrap = (line: string): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (let rest = line; rest !== ""; rest = rest.length > width ? `    ${rest.slice(width)}` : "") {
    lines.push(rest.slice(0, width))
  }
  return lines
}

/** Lines that both have, once each, and the others side by side. */
const aligned = (ours: ReadonlyArray<string>, beam: ReadonlyArray<string>): ReadonlyArray<string> => {
  const both = beam.filter((line) => ours.includes(line))
  const only = (lines: ReadonlyArray<string>) => lines.filter((line) => !both.includes(line))
  return [...beside(only(beam), only(ours)), ...beside(both, both)]
}

/** A scenario step by step with what was seen in each, up to the first step that differs: the BEAM at the left. */
export const sideBySide = (scenario: Scenario.Scenario, beam: Trace, ours: Trace): string => {
  const lines = [`  ${"the BEAM".padEnd(width)}   this library`]
  for (const [i, step] of scenario.entries()) {
    const [left, right] = [beam[i] ?? [], ours[i] ?? []]
    lines.push(...Scenario.showStep(step, i + 1), ...aligned(right, left))
    if (left.join("\n") !== right.join("\n")) break
  }
  return lines.join("\n")
}

/** Of all that the BEAM did, what is like the other trace for the longest. */
export const closest = (traces: ReadonlyArray<Trace>, to: Trace): Trace => {
  const agrees = (trace: Trace): number => {
    const at = trace.findIndex((lines, i) => lines.join("\n") !== to[i]?.join("\n"))
    return at === -1 ? trace.length : at
  }
  return traces.reduce((best, trace) => agrees(trace) > agrees(best) ? trace : best)
}

/** How many scenarios there were of each kind. */
export interface Counts {
  readonly scenarios: number
  /** In which the BEAM did not do the same each time, or the library did one of the things that it does now and then. */
  readonly races: number
  readonly features: Readonly<Record<Features.Feature, number>>
  readonly differences: Readonly<Record<string, number>>
}

export const count = (comparisons: ReadonlyArray<Pick<Comparison, "beam">>): Counts => {
  const features = Object.fromEntries(Features.all.map((feature) => [feature, 0])) as Record<Features.Feature, number>
  const differences: Record<string, number> = {}
  for (const { beam } of comparisons) {
    for (const feature of Features.of(beam.traces[0]!)) features[feature]++
    for (const id of beam.differences) differences[id] = (differences[id] ?? 0) + 1
  }
  const races = comparisons.filter(({ beam }) => beam.traces.length > 1).length
  return { scenarios: comparisons.length, races, features, differences }
}

const percent = (n: number, of: number): string => `${(100 * n / of).toFixed(1).padStart(5)} %`

export const table = ({ differences, features, races, scenarios }: Counts): string => {
  const row = (what: string, n: number) => `  ${what.padEnd(28)}${String(n).padStart(6)} ${percent(n, scenarios)}`
  return [
    `${scenarios} scenarios, of which had`,
    ...Features.all.map((feature) => row(feature, features[feature])),
    row("a race", races),
    ...Object.entries(differences).map(([id, n]) => row(`the difference ${id}`, n))
  ].join("\n")
}
