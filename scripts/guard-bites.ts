/**
 * The guard of the speed (`pnpm bench:guard`) must fail when a call costs twice as much. This doubles the work of a call in
 * a copy of the repository, by `benchmark/guard/double-call.patch`, and succeeds only if the guard fails there for that
 * reason: not because the patch or the copy is broken.
 *
 * A patch that no longer applies is made anew: let `call` in `packages/core/src/internal/gen.ts` run two `Call`s, write
 * `git diff -U1` of it to the patch, and undo the change.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"

/** The two figures of a call, each of which has to tell. */
const figures = ["bytes for a call", "time of a call, in answers of bare Effect"]

/** What is wrong with how the guard ended, a line each. */
export const problems = (code: number | null, output: string): ReadonlyArray<string> => {
  const silent = figures.filter((figure) => !output.split("\n").some((line) => line.startsWith(`FAIL ${figure}: `)))
  return [
    ...(code === 1 ? [] : [`the guard ended with ${code}, not with 1`]),
    ...silent.map((figure) => `it does not say that "${figure}" has passed its limit`)
  ]
}

/** All that the guard runs, and what it is run with. Links between packages are relative: they lead into the copy. */
const copy = (root: string, to: string): void => {
  const list = ["ls-files", "--cached", "--others", "--exclude-standard", "package.json", "packages/core", "benchmark"]
  const files = execFileSync("git", list, { cwd: root, encoding: "utf8" }).trim().split("\n")
  const links = ["benchmark/node_modules", "packages/core/node_modules", "packages/ratelimiter"]
  for (const file of [...files, ...links].filter((file) => existsSync(path.join(root, file)))) {
    cpSync(path.join(root, file), path.join(to, file), { recursive: true, verbatimSymlinks: true })
  }
  symlinkSync(path.join(root, "node_modules"), path.join(to, "node_modules"))
}

const main = (root: string, to: string): ReadonlyArray<string> => {
  copy(root, to)
  const patch = path.join(root, "benchmark/guard/double-call.patch")
  // Were the directory inside of a repository, git would look for the files in that one, find none, and be content.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: path.dirname(to) }
  const applied = spawnSync("git", ["apply", "--verbose", patch], { cwd: to, env, encoding: "utf8" })
  if (applied.status !== 0) return [`the patch does not apply: ${applied.stderr.trim()}`]
  const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"))
  const [, ...args] = scripts["bench:guard"].split(" ")
  const guard = spawnSync(process.execPath, args, { cwd: to, encoding: "utf8", timeout: 120_000 })
  process.stdout.write(guard.stdout)
  process.stderr.write(guard.stderr)
  return problems(guard.status, guard.stdout)
}

if (import.meta.main) {
  const to = mkdtempSync(path.join(tmpdir(), "effect-otp-guard-"))
  try {
    const found = main(path.resolve(import.meta.dirname, ".."), to)
    for (const problem of found) console.error(problem)
    process.exitCode = found.length === 0 ? 0 : 1
  } finally {
    rmSync(to, { recursive: true, force: true })
  }
}
