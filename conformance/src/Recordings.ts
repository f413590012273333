/**
 * What the BEAM did in some thousands of scenarios, so that whoever has no Elixir can compare with it, too.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { gunzipSync, gzipSync } from "node:zlib"
import type { Seen } from "./Compare.ts"
import type { Scenario } from "./Scenario.ts"
import type { Trace } from "./Trace.ts"

export interface Recording {
  /** Of one that was written by hand, or that has failed once. */
  readonly name?: string
  readonly scenario: Scenario
  readonly traces: ReadonlyArray<Trace>
  /** Which of the intended differences were needed. */
  readonly differences: ReadonlyArray<string>
}

const directory = path.join(import.meta.dirname, "..")

/** Random ones, and those written by hand. */
export const recordings = path.join(directory, "recordings.jsonl.gz")

/** Those that have failed once, as text: lines are added by hand. */
export const regressions = path.join(directory, "regressions.jsonl")

export const make = (scenario: Scenario, { differences, traces }: Seen, name?: string): Recording => ({
  ...(name === undefined ? {} : { name }),
  scenario,
  traces,
  differences: [...differences].sort()
})

/** A scenario to be recorded, as a line of the regressions. */
export const line = (name: string, scenario: Scenario): string =>
  JSON.stringify({ name, scenario, traces: [], differences: [] } satisfies Recording)

const isZipped = (file: string): boolean => file.endsWith(".gz")

export const read = (file: string): ReadonlyArray<Recording> => {
  if (!existsSync(file)) return []
  const content = readFileSync(file)
  const text = (isZipped(file) ? gunzipSync(content) : content).toString("utf8")
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Recording)
}

export const write = (file: string, all: ReadonlyArray<Recording>): void => {
  const text = all.map((each) => `${JSON.stringify(each)}\n`).join("")
  writeFileSync(file, isZipped(file) ? gzipSync(text, { level: 9 }) : text)
}
