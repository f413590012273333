/**
 * Every TypeScript example in print is compiled and executed: the fences of the README files, of `docs/` and of the doc
 * comments, one test each, named by where it stands. They are written out to `.fences/`, inside the repository, so that
 * they import the packages as a reader does.
 */
import { assert, beforeAll, describe, it, vi } from "@effect/vitest"
import { execFile } from "node:child_process"
import { globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { extract, type Fence, toModule } from "./utils/fences.ts"
import { brokenLinks } from "./utils/links.ts"

const root = path.resolve(import.meta.dirname, "..")
const directory = path.join(root, ".fences")

const files = globSync(["README.md", "packages/*/README.md", "docs/**/*.md", "packages/*/src/**/*.ts"], { cwd: root })
const fences = files.sort().flatMap((file) => extract(file, readFileSync(path.join(root, file), "utf8")))

const nameOf = (fence: Fence) => `${fence.file}:${fence.line}`
const moduleOf = (fence: Fence) => `${fence.file.replaceAll("/", "__")}__${fence.line}.ts`

/** What the compiler says, by module. */
const complaints = new Map<string, Array<{ readonly line: number; readonly message: string }>>()

beforeAll(async () => {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory)
  for (const fence of fences) writeFileSync(path.join(directory, moduleOf(fence)), toModule(fence).code)
  const output = await new Promise<string>((resolve) =>
    execFile(
      path.join(root, "node_modules/.bin/tsc"),
      ["-p", "tsconfig.fences.json", "--pretty", "false"],
      { cwd: root },
      (error, stdout, stderr) => resolve(error === null ? "" : `${stdout}${stderr}` || error.message)
    )
  )
  const diagnostics = [...output.matchAll(/^(?:\.fences\/)?([^(\n]+)\((\d+),\d+\): error (.*(?:\n .*)*)/gm)]
  if (output !== "" && diagnostics.length === 0) throw new Error(output)
  for (const [, module, line, message] of diagnostics as Array<RegExpExecArray & [string, string, string, string]>) {
    complaints.set(module, [...complaints.get(module) ?? [], { line: Number(line), message }])
  }
}, 120_000)

describe("fences", () => {
  for (const fence of fences) {
    it(nameOf(fence), { timeout: 20_000 }, async () => {
      const { prints, problems } = toModule(fence)
      const said = (complaints.get(moduleOf(fence)) ?? []).map(({ line, message }) =>
        `${fence.file}:${fence.line + line} ${message}`
      )
      if (problems.length + said.length > 0) assert.fail([...problems, ...said].join("\n"))
      if (!fence.run) return

      const shown: Array<string> = []
      const log = vi.spyOn(console, "log").mockImplementation((...line) => void shown.push(line.join(" ")))
      // Each fence starts with a Node of its own, as in a program of its own.
      vi.resetModules()
      try {
        await import(/* @vite-ignore */ path.join(directory, moduleOf(fence)))
      } finally {
        log.mockRestore()
      }
      let from = 0
      for (const expected of prints) {
        const at = shown.indexOf(expected, from)
        if (at === -1) assert.fail(`${nameOf(fence)} does not print ${expected}\nit prints:\n${shown.join("\n")}`)
        from = at + 1
      }
    })
  }
})

it.each(globSync(["*.md", ".patterns/*.md", "packages/*/README.md", "docs/**/*.md"], { cwd: root }).sort())(
  "every link of %s leads to what it means",
  (file) => {
    const read = (file: string) => {
      const stat = statSync(path.join(root, file), { throwIfNoEntry: false })
      return stat?.isFile() ? readFileSync(path.join(root, file), "utf8") : stat && ""
    }
    assert.deepStrictEqual(brokenLinks(file, read), [])
  }
)

it("README.md is at most 120 lines", () => {
  const lines = readFileSync(path.join(root, "README.md"), "utf8").trimEnd().split("\n").length
  assert.isAtMost(lines, 120)
})
