/**
 * The rows of OTP's catalogue that are most likely to be got wrong (`traps` in `otpRows.data.ts`) must have tests that
 * notice it. For each there is a patch, `test/traps/<ID>.patch`, that breaks exactly this meaning in the sources of core. In
 * a copy of the repository each is applied by itself, and the tests whose names carry the ID run: without any patch all of
 * them pass, and with it at least one fails by its assertion, not because nothing compiles or nothing ends any more.
 *
 * A patch that no longer applies is made anew: break the meaning in `packages/core/src` with as little as possible, write
 * `git diff -U1 packages/core/src` to the patch, and undo the change.
 */
import { existsSync, globSync, readFileSync } from "node:fs"
import * as path from "node:path"
import { applyPatch, inCopy } from "./copy.ts"
import { traps } from "./otpRows.data.ts"
import { namedByTests, plan } from "./rows.ts"
import { type Result, runTests, verdict } from "./testRun.ts"

/** Why the tests of a row do not hold without its patch; nothing if they do. */
export const unsound = (id: string, results: ReadonlyArray<Result>): string | undefined => {
  const own = results.filter(({ name }) => name.includes(id))
  if (own.length === 0) return "no test has this ID"
  const failed = own.find(({ errors }) => errors.length > 0)
  return failed === undefined ? undefined : `fails without the patch, too: ${failed.name}: ${failed.errors[0]}`
}

const howToRenew = (id: string): string =>
  `break this meaning in packages/core/src, git diff -U1 packages/core/src > test/traps/${id}.patch, and undo the change`

const main = (root: string): boolean => {
  const ids = traps.filter((id) => plan.finished.some((area) => id.startsWith(area)))
  // Not those of the pure tables in `test/internal`: what has to notice is what another process sees.
  const files = new Map(
    globSync("packages/core/test/*.test.ts", { cwd: root }).map((file) =>
      [file, namedByTests(file, readFileSync(path.join(root, file), "utf8"))] as const
    )
  )
  const filesOf = (wanted: ReadonlyArray<string>) =>
    [...files].filter(([, named]) => wanted.some((id) => named.includes(id))).map(([file]) => file)

  return inCopy(root, (to) => {
    const run = (wanted: ReadonlyArray<string>): ReadonlyArray<Result> | undefined =>
      runTests(root, to, {
        projects: ["core"],
        files: filesOf(wanted),
        pattern: wanted.join("|"),
        testTimeout: 5_000,
        timeout: 60_000
      })

    const before = run(ids) ?? []
    const problemOf = (id: string): string | { readonly noticedBy: string } => {
      const patch = path.join(root, `test/traps/${id}.patch`)
      if (!existsSync(patch)) return `there is no test/traps/${id}.patch: ${howToRenew(id)}`
      const reason = unsound(id, before)
      if (reason !== undefined) return reason
      const refused = applyPatch(to, patch)
      if (refused !== undefined) return `the patch does not apply: ${howToRenew(id)}\n${refused}`
      const found = verdict(run([id]))
      const stays = applyPatch(to, patch, "--reverse")
      if (stays !== undefined) throw new Error(`${patch} cannot be taken back: ${stays}`)
      return "problem" in found ? found.problem : found
    }
    let ok = true
    for (const id of ids) {
      const found = problemOf(id)
      if (typeof found === "string") ok = false
      console.log(typeof found === "string" ? `FAIL ${id}: ${found}` : `ok   ${id}: noticed by "${found.noticedBy}"`)
    }
    return ok
  })
}

if (import.meta.main) process.exitCode = main(path.resolve(import.meta.dirname, "..")) ? 0 : 1
