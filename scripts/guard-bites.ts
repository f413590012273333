/**
 * The guard of the speed (`pnpm bench:guard`) must fail when a call costs twice as much. This doubles the work of a call in
 * a copy of the repository, by `benchmark/guard/double-call.patch`, and succeeds only if the guard fails there for that
 * reason: not because the patch or the copy is broken.
 *
 * A patch that no longer applies is made anew: let `call` in `packages/core/src/internal/gen.ts` run two `Call`s, write
 * `git diff -U1` of it to the patch, and undo the change.
 */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import * as path from "node:path"
import { applyPatch, inCopy } from "./copy.ts"

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

const main = (root: string): ReadonlyArray<string> =>
  inCopy(root, (to) => {
    const refused = applyPatch(to, path.join(root, "benchmark/guard/double-call.patch"))
    if (refused !== undefined) return [`the patch does not apply: ${refused}`]
    const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"))
    const [, ...args] = scripts["bench:guard"].split(" ")
    const guard = spawnSync(process.execPath, args, { cwd: to, encoding: "utf8", timeout: 120_000 })
    process.stdout.write(guard.stdout)
    process.stderr.write(guard.stderr)
    return problems(guard.status, guard.stdout)
  })

if (import.meta.main) {
  const found = main(path.resolve(import.meta.dirname, ".."))
  for (const problem of found) console.error(problem)
  process.exitCode = found.length === 0 ? 0 : 1
}
