/**
 * The little Markdown that a report needs, laid out as the formatter of the repository wants it.
 */
import * as Format from "./Format.ts"

/** A table whose first column is text, and whose others are numbers. */
export const table = (header: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const [first, ...rest] = Format.columns([header, ...rows])
  const line = (cells: ReadonlyArray<string>) => `| ${cells.join(" | ")} |`
  const rule = first!.map((cell, column) => column === 0 ? "-".repeat(cell.length) : `${"-".repeat(cell.length - 1)}:`)
  return [first!, rule, ...rest].map(line).join("\n")
}

/** The same with text in both of its columns. */
export const pairs = (header: readonly [string, string], rows: ReadonlyArray<readonly [string, string]>): string => {
  const all = [header, ...rows]
  const [left, right] = [0, 1].map((column) => Math.max(...all.map((row) => row[column]!.length))) as [number, number]
  const line = ([a, b]: readonly [string, string]) => `| ${a.padEnd(left)} | ${b.padEnd(right)} |`
  return [line(header), `| ${"-".repeat(left)} | ${"-".repeat(right)} |`, ...rows.map(line)].join("\n")
}

export const list = (items: ReadonlyArray<string>): string => items.map((item) => `- ${item}`).join("\n")

export const document = (blocks: ReadonlyArray<string>): string =>
  `${blocks.filter((block) => block !== "").join("\n\n")}\n`
