/**
 * Finds the links of a Markdown text that lead nowhere, and the numbers of guarantees (`7.1`) that mean another one than
 * their link.
 */
import * as path from "node:path"

/** The text of a file of the repository, nothing if it is a directory, and `undefined` if it is not there. */
export type Read = (file: string) => string | undefined

/** What a reader could not follow in `file`, a line each. */
export const brokenLinks = (file: string, read: Read): ReadonlyArray<string> =>
  withoutCode(read(file) ?? "").split("\n").flatMap((text, index) =>
    [...text.matchAll(/\[([^\][]*)\]\(([^()\s]+)\)/g)].flatMap(([, label, address]) => {
      if (/^[a-z]+:/.test(address!)) return []
      const problem = problemOf(file, label!, address!, read)
      return problem === undefined ? [] : [`${file}:${index + 1} [${label}](${address}): ${problem}`]
    })
  )

const problemOf = (file: string, label: string, address: string, read: Read): string | undefined => {
  const [name, anchor] = address.split("#") as [string, string | undefined]
  const text = read(name === "" ? file : path.join(path.dirname(file), name))
  if (text === undefined) return "there is no such file"
  if (anchor === undefined) return undefined
  if (!anchorsOf(text).has(anchor)) return "there is no such heading"
  const [number, section] = /^(\d+)(?:\.\d+)?$/.exec(label) ?? []
  if (number === undefined) return undefined
  if (!anchor.startsWith(`${section}-`)) return "the number is of another section"
  return number === section || text.includes(`\n- **${number}** `) ? undefined : "there is no such number"
}

/** The anchors of the headings, as GitHub makes them. */
const anchorsOf = (text: string): ReadonlySet<string> =>
  new Set(
    [...withoutCode(text).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
      heading!.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(/\s/g, "-")
    )
  )

/** Fences become empty lines, so that lines keep their numbers. */
const withoutCode = (text: string): string =>
  text.replaceAll(/^(`{3,})[^\n]*\n[\s\S]*?^\1$/gm, (fence) => fence.replaceAll(/[^\n]/g, ""))
