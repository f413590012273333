/**
 * Cuts the lines worth showing out of an example by the names of its declarations, so that what the tour prints is what
 * it runs, and the examples need no marks for it.
 */

/** A line that begins something new at the top level of a formatted file. */
const begins = /^(?:\/\*\*|\/\/|export |import |const |let |class |interface |type |function |if )/

const withoutExport = (line: string): string => line.replace(/^export /, "")

/** The top-level declaration that begins with `opening`, such as `const pinger` or `class Counter`. */
const declaration = (lines: ReadonlyArray<string>, opening: string): ReadonlyArray<string> => {
  const start = lines.findIndex((line) => withoutExport(line).startsWith(`${opening} `))
  if (start < 0) throw new Error(`no top-level declaration begins with "${opening}"`)
  let end = start + 1
  while (end < lines.length && !begins.test(lines[end]!)) end++
  while (lines[end - 1] === "") end--
  return [withoutExport(lines[start]!), ...lines.slice(start + 1, end)]
}

/** The declarations of `source` that begin with `openings`, in that order, with an empty line between them. */
export const excerpt = (source: string, openings: ReadonlyArray<string>): ReadonlyArray<string> => {
  const lines = source.split("\n")
  return openings.flatMap((opening, i) => [...i === 0 ? [] : [""], ...declaration(lines, opening)])
}
