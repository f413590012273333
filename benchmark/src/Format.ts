/**
 * Numbers as people read them: three digits, and the unit that fits.
 */
const digits = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(value < 0.1 ? 2 : 3)

export const count = (value: number): string => value.toLocaleString("en")

export const nanos = (value: number): string => {
  if (value < 1e3) return `${digits(value)} ns`
  if (value < 1e6) return `${digits(value / 1e3)} µs`
  return `${digits(value / 1e6)} ms`
}

export const bytes = (value: number): string => `${count(Math.round(value))} B`

export const ratio = (value: number): string => `${digits(value)} ×`

/** Pads every cell to the width of its column; the first column to the left, the others to the right. */
export const columns = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<ReadonlyArray<string>> => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row.map((cell, column) => column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))
  )
}
