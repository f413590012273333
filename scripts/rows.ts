/**
 * Which behaviours of OTP are proved here, row by row of the catalogue (`otpRows.data.ts`): a row that is the same as in
 * OTP by a test whose name begins with its ID, one that differs by such a test or by a line of `docs/semantics.md` that
 * ends with its ID in parentheses. In an area that is finished no row may be left; in the others they are counted.
 */
import { globSync, readFileSync } from "node:fs"
import * as path from "node:path"
import { parseSync, Visitor } from "oxc-parser"
import { type Area, areas, type Row, rows } from "./otpRows.data.ts"

export interface Plan {
  /** Areas of which no row may be left. */
  readonly finished: ReadonlyArray<Area>
  /** Rows that need what another area brings: they are left when that area is finished and they are not proved. */
  readonly elsewhere: Readonly<Record<string, Area>>
}

export const plan: Plan = {
  finished: [
    "PR",
    "EX",
    "LK",
    "MO",
    "AL",
    "RX",
    "TM",
    "NM",
    "GS",
    "RP",
    "TK",
    "AG",
    "SM",
    "SY",
    "LG",
    "SV",
    "PS",
    "RG",
    "PG",
    "DS"
  ],
  elsewhere: {}
}

const ids = (text: string): ReadonlyArray<string> => text.match(/[A-Z]{2}-\d{3}/g) ?? []

/** The IDs that the names of tests begin with. Names of a table of tests are strings like any other, hence: all strings. */
export const namedByTests = (file: string, source: string): ReadonlyArray<string> => {
  const named: Array<string> = []
  const add = (text: string | null) => {
    const beginning = /^[A-Z]{2}-\d{3}(?:(?:, | )[A-Z]{2}-\d{3})*(?![\w-])/.exec(text ?? "")
    if (beginning !== null) named.push(...ids(beginning[0]))
  }
  new Visitor({
    Literal: (node) => typeof node.value === "string" && add(node.value),
    TemplateLiteral: (node) => add(node.quasis[0]!.value.cooked)
  }).visit(parseSync(file, source).program)
  return named
}

/** The IDs that stand in parentheses. */
export const namedByLines = (markdown: string): ReadonlyArray<string> =>
  [...markdown.matchAll(/\(([A-Z]{2}-\d{3}(?:,\s+[A-Z]{2}-\d{3})*)\)/g)].flatMap(([, list]) => ids(list!))

/** Where an ID was found, such as the name of a file. */
export type Places = ReadonlyMap<string, string>

export interface Proofs {
  readonly tests: Places
  readonly lines: Places
}

export type Status = "test" | "line" | "elsewhere" | "left"

const areaOf = (id: string): Area => id.slice(0, 2) as Area

export const statusOf = (row: Row, proofs: Proofs, { elsewhere, finished }: Plan): Status => {
  if (proofs.tests.has(row.id)) return "test"
  if (row.ports !== "yes" && proofs.lines.has(row.id)) return "line"
  const other = elsewhere[row.id]
  return other === undefined || finished.includes(other) ? "left" : "elsewhere"
}

/** What is wrong, a line each: rows of finished areas that are left, plans for what is proved, and IDs that no row has. */
export const problems = (catalogue: ReadonlyArray<Row>, proofs: Proofs, plan: Plan): ReadonlyArray<string> => {
  const left = catalogue.filter((row) =>
    plan.finished.includes(areaOf(row.id)) && statusOf(row, proofs, plan) === "left"
  )
  const known = new Set(catalogue.map((row) => row.id))
  const stale = Object.keys(plan.elsewhere).filter((id) => proofs.tests.has(id))
  const unknown = [...proofs.tests, ...proofs.lines].filter(([id]) => !known.has(id))
  return [
    ...left.map((row) => {
      const needs = row.ports !== "yes"
        ? "needs a test, or a line of docs/semantics.md"
        : proofs.lines.has(row.id)
        ? "has a line of docs/semantics.md only, and needs a test"
        : "needs a test"
      return `left: ${row.id} (${row.ports}) ${needs}: ${row.behaviour}`
    }),
    ...stale.map((id) => `stale: ${id} is proved, and need not be planned as elsewhere any more`),
    ...unknown.map(([id, place]) => `unknown: ${id} in ${place} is no row of scripts/otpRows.data.ts`)
  ]
}

const header = ["", "rows", "same: test", "differs: test", "differs: line", "elsewhere", "left", "finished"]

/** The counts of each area, and of all of them. */
export const table = (catalogue: ReadonlyArray<Row>, proofs: Proofs, plan: Plan): ReadonlyArray<string> => {
  const counts = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
    const number = (keep: (row: Row, status: Status) => boolean) =>
      String(rows.filter((row) => keep(row, statusOf(row, proofs, plan))).length)
    return [
      String(rows.length),
      number((row, status) => status === "test" && row.ports === "yes"),
      number((row, status) => status === "test" && row.ports !== "yes"),
      number((_, status) => status === "line"),
      number((_, status) => status === "elsewhere"),
      number((_, status) => status === "left")
    ]
  }
  const lines = (Object.keys(areas) as ReadonlyArray<Area>).map((area) => [
    `${area} ${areas[area]}`,
    ...counts(catalogue.filter((row) => areaOf(row.id) === area)),
    plan.finished.includes(area) ? "yes" : ""
  ])
  const cells = [header, ...lines, ["all", ...counts(catalogue), ""]]
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
  return cells.map((row) =>
    row.map((cell, column) => column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)).join("  ")
      .trimEnd()
  )
}

const root = path.resolve(import.meta.dirname, "..")

const read = (pattern: string, named: (file: string, text: string) => ReadonlyArray<string>): Places => {
  const places = new Map<string, string>()
  for (const file of globSync(pattern, { cwd: root })) {
    for (const id of named(file, readFileSync(path.join(root, file), "utf8"))) places.set(id, file)
  }
  return places
}

if (import.meta.main) {
  const proofs: Proofs = {
    tests: read("packages/*/test/**/*.ts", namedByTests),
    lines: read("docs/semantics.md", (_, text) => namedByLines(text))
  }
  for (const line of table(rows, proofs, plan)) console.log(line)
  const found = problems(rows, proofs, plan)
  if (found.length > 0) console.error(`\n${found.join("\n")}`)
  process.exitCode = found.length === 0 ? 0 : 1
}
