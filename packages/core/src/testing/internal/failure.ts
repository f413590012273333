/**
 * Expectations that do not hold, as a person reads them.
 *
 * @internal
 */
import { format } from "effect/Formatter"
import * as ExitReason from "../../ExitReason.ts"
import { cut, present } from "../../internal/present.ts"
import { alive, describe, ended, type Entry, type ProcessTable } from "../../internal/processTable.ts"

/** Any value in part of a line. */
export const show = (value: unknown): string => cut(format(present(value)), 200)

/** What a test runner reports as an assertion that does not hold. */
export class ExpectationFailed extends Error {
  override readonly name = "AssertionError"
  readonly expected: unknown
  readonly received: ReadonlyArray<unknown>

  constructor(message: string, expected: unknown, received: ReadonlyArray<unknown>, site: Error) {
    super(message)
    this.expected = expected
    this.received = received
    // Of the line of the test that expects, which is no longer on the stack when it turns out that it waits in vain.
    const frames = site.stack?.split("\n    at ").slice(2) ?? []
    this.stack = [`${this.name}: ${message}`, ...frames].join("\n    at ")
  }
}

const maxShown = 10

/** The last of some lines under one heading. */
export const under = (heading: string, lines: ReadonlyArray<string>, none: string): ReadonlyArray<string> => {
  const left = lines.length - maxShown
  const shown = left > 0 ? [`… ${left} before`, ...lines.slice(left)] : lines.length === 0 ? [none] : lines
  return shown.map((line, i) => `  ${(i === 0 ? heading : "").padEnd(9)} ${line}`)
}

/** The processes that are alive. */
export const living = (table: ProcessTable): ReadonlyArray<Entry> => {
  const entries: Array<Entry> = []
  for (let entry = table.first; entry !== undefined; entry = entry.next) entries.push(entry)
  return entries
}

const whatItDoes = (entry: Entry): string => {
  if (entry.status === ended) return `has ended: ${ExitReason.format(entry.reason!)}`
  const queued = entry.length === 0 ? "" : `, with ${entry.length} in its mailbox`
  return `${entry.status !== alive ? "is ending" : entry.waiting ? "waits for a message" : "is busy"}${queued}`
}

// Those that explain a missing message come first.
const rank = (entry: Entry): number => {
  if (entry.status === ended) return ExitReason.isAbnormal(entry.reason!) ? 0 : 3
  return entry.status !== alive || !entry.waiting || entry.length > 0 ? 1 : 2
}

/** A process by what it is called, or else by what it is; of one that has ended nobody knows that any more. */
export const who = (entry: Entry): string =>
  entry.name !== undefined || entry.label !== undefined || entry.status === ended
    ? describe(entry)
    : [entry.behaviour.initialCall?.(entry) ?? [], entry].flat().join(" ")

/** What processes do now, each with what it is called. */
export const doings = (entries: ReadonlyMap<Entry, string>): ReadonlyArray<string> => {
  const sorted = [...entries].sort(([a], [b]) => rank(a) - rank(b))
  const all = sorted.map(([entry, name]) => `${name} ${whatItDoes(entry)}`)
  return all.length <= maxShown ? all : [...all.slice(0, maxShown), `… and ${all.length - maxShown} more`]
}
