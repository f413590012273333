/**
 * Finds the TypeScript fences of the documentation and turns each into a module that can be compiled and run. Lines stay
 * where they are: line 3 of a module is the third line of its fence.
 *
 * - `expression // => value`, or a `const` or `return` with such a comment, asserts the value: another expression, compared
 *   as Effect compares (`Equal`) or by structure. What is no expression (`#PID<0.12.0>`) is compared with what is printed,
 *   and a promise by what it resolves to.
 * - `// prints: text` says that the console shows this line, in the order of these comments.
 * - A fence opened with `ts no-run` is compiled and not run.
 */
import {
  type Expression,
  type ExpressionStatement,
  parseSync,
  type ReturnStatement,
  type VariableDeclaration,
  Visitor
} from "oxc-parser"

/** A TypeScript fence, and where it was found. */
export interface Fence {
  readonly file: string
  /** The line that opens it. */
  readonly line: number
  readonly run: boolean
  readonly source: string
}

/** The fences of a Markdown text, or of the doc comments of a TypeScript file. */
export const extract = (file: string, text: string): ReadonlyArray<Fence> => {
  const fences: Array<Fence> = []
  const lines = file.endsWith(".md") ? text.split("\n") : docLines(text)
  for (let at = 0; at < lines.length; at++) {
    const opening = /^(\s*)(`{3,}|~{3,})\s*(\S*)\s*(.*?)\s*$/.exec(lines[at]!)
    if (opening === null) continue
    const [indent, marker, language, meta] = opening.slice(1) as [string, string, string, string]
    const end = lines.findIndex((line, index) => index > at && line.trim() === marker)
    if (end === -1) throw new Error(`${file}:${at + 1} this fence is never closed`)
    if (language === "ts" || language === "typescript") {
      if (meta !== "" && meta !== "no-run") throw new Error(`${file}:${at + 1} a fence may say no-run, not "${meta}"`)
      const source = lines.slice(at + 1, end).map((line) => line.startsWith(indent) ? line.slice(indent.length) : line)
      fences.push({ file, line: at + 1, run: meta !== "no-run", source: source.join("\n") })
    }
    at = end
  }
  return fences
}

/** The text of the doc comments of a source file, line by line; whatever is not in one is an empty line. */
const docLines = (text: string): ReadonlyArray<string> => {
  let inside = false
  return text.split("\n").map((line) => {
    const within = inside && !line.includes("*/")
    inside = within || (!inside && /^\s*\/\*\*(?!.*\*\/)/.test(line))
    return within ? line.replace(/^\s*\* ?/, "") : ""
  })
}

/** A fence as a module. */
export interface Module {
  readonly code: string
  /** The lines that it promises to print. */
  readonly prints: ReadonlyArray<string>
  /** The assertions that cannot be understood. */
  readonly problems: ReadonlyArray<string>
}

/** Turns the comments of a fence into assertions. */
export const toModule = (fence: Fence): Module => {
  // What does not parse is left for the compiler to complain about.
  const { comments, program } = parseSync("fence.ts", fence.source, { lang: "ts" })
  const statements: Array<Assertable> = []
  const collect = (node: Assertable) => void statements.push(node)
  new Visitor({ ExpressionStatement: collect, ReturnStatement: collect, VariableDeclaration: collect }).visit(program)

  const prints: Array<string> = []
  const problems: Array<string> = []
  const insertions: Array<{ readonly at: number; readonly text: string }> = []
  for (const comment of comments) {
    const [, kind, text] = /^ *(=>|prints:) *(.*?) *$/.exec(comment.value) ?? []
    if (comment.type !== "Line" || text === undefined) continue
    if (kind === "prints:") {
      prints.push(text)
      continue
    }
    const where = `${fence.file}:${fence.line + fence.source.slice(0, comment.start).split("\n").length}`
    const statement = statements.find(({ end }) =>
      end <= comment.start && /^[ \t]*$/.test(fence.source.slice(end, comment.start))
    )
    const value = statement === undefined ? undefined : valueOf(statement)
    if (statement === undefined || value === undefined) {
      problems.push(`${where} "// =>" follows an expression, a return, or a const of one name`)
      continue
    }
    const [open, close] = isExpression(text) ?
      ["__is(", `, (${text}), ${JSON.stringify(where)})`] as const :
      ["__prints(", `, ${JSON.stringify(text)}, ${JSON.stringify(where)})`] as const
    if (typeof value === "string") {
      insertions.push({ at: statement.end, text: `; ${open}${value}${close}` })
    } else {
      insertions.push({ at: value.start, text: open }, { at: value.end, text: close })
    }
  }

  let code = fence.source
  for (const { at, text } of insertions.sort((a, b) => b.at - a.at)) code = code.slice(0, at) + text + code.slice(at)
  return {
    code:
      `${code}\nimport { is as __is, pending as __pending, prints as __prints } from "../test/utils/assertions.ts"\n` +
      "await Promise.all(__pending)\n",
    prints,
    problems
  }
}

type Assertable = ExpressionStatement | ReturnStatement | VariableDeclaration

/** What a statement asserts about: the expression in it, or the name that it declares. */
const valueOf = (statement: Assertable): Expression | string | undefined => {
  if (statement.type === "ExpressionStatement") return statement.expression
  if (statement.type === "ReturnStatement") return statement.argument ?? undefined
  const [declaration, another] = statement.declarations
  return statement.kind === "const" && declaration?.id.type === "Identifier" && another === undefined ?
    declaration.id.name :
    undefined
}

const isExpression = (text: string): boolean => parseSync("value.ts", `(${text})`, { lang: "ts" }).errors.length === 0
