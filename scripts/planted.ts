/**
 * Whoever is to find bugs must find some: `test/planted` has patches of the sources of core, each a bug as it might be made
 * by mistake, and `planted.data.ts` says which engines have to find it. In a copy of the repository each is applied by itself
 * and the tests that are promised run: without any patch all of them pass, and with it each fails in the words of its engine,
 * not because nothing compiles or nothing ends any more.
 *
 * A patch that no longer applies is made anew: plant the bug in `packages/core/src` with as little as possible, write
 * `git diff -U1 packages/core/src` to the patch, and undo the change. `pnpm planted <bug>…` tries only these.
 */
import { existsSync, globSync } from "node:fs"
import * as path from "node:path"
import { applyPatch, inCopy } from "./copy.ts"
import { type EngineName, engines, type Planted, planted, type Test } from "./planted.data.ts"
import { type Result, runTests, verdict } from "./testRun.ts"

const names = Object.keys(engines) as ReadonlyArray<EngineName>

type Promised = readonly [engine: EngineName, test: Test]

/** What a bug promises of the engines that are there. */
export const promises = (
  { caughtBy }: Planted,
  isThere: (engine: EngineName) => boolean
): ReadonlyArray<Promised> =>
  names.flatMap((engine) => {
    const test = caughtBy[engine]
    return test === undefined || !isThere(engine) ? [] : [[engine, test] as const]
  })

/** What is wrong with the table, a line each: `patches` are the names of all that can be planted. */
export const problems = (
  table: ReadonlyArray<Planted>,
  patches: ReadonlyArray<string>,
  isThere: (engine: EngineName) => boolean
): ReadonlyArray<string> => {
  const bugs = table.map(({ bug }) => bug)
  return [
    ...bugs.filter((bug) => !patches.includes(bug)).map((bug) => `there is no test/planted/${bug}.patch`),
    ...patches.filter((patch) => !bugs.includes(patch)).map((patch) => `nobody is to find test/planted/${patch}.patch`),
    ...bugs.filter((bug, i) => bugs.indexOf(bug) !== i).map((bug) => `${bug} stands in the table twice`),
    ...table.filter((each) => promises(each, isThere).length === 0).map(({ bug }) => `${bug} is found by no engine`),
    ...names.filter((engine) => isThere(engine) && !table.some(({ caughtBy }) => caughtBy[engine] !== undefined))
      .map((engine) => `${engine} is to find nothing`)
  ]
}

/** A pattern that is exactly these names of tests, or ends with one of them. */
export const exactly = (tests: ReadonlyArray<string>): string =>
  tests.map((test) => `${test.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}$`).join("|")

/** Why a test proves nothing without a patch; nothing if it passes. */
export const unsound = (test: string, results: ReadonlyArray<Result>): string | undefined => {
  const own = results.filter(({ name }) => name.endsWith(test))
  if (own.length === 0) return `there is no test "${test}"`
  const failed = own.find(({ errors }) => errors.length > 0)
  return failed === undefined ? undefined : `fails without the patch, too: ${failed.name}: ${failed.errors[0]}`
}

/** What an engine says of a bug, as a line. */
export const line = (engine: EngineName, found: ReturnType<typeof verdict>): string =>
  "problem" in found ? `not caught by ${engine}: ${found.problem}` : `caught by ${engine}: "${found.noticedBy}"`

const main = (root: string, chosen: ReadonlyArray<string>): boolean => {
  const isThere = (engine: EngineName) => existsSync(path.join(root, engines[engine].tests))
  const patches = globSync("test/planted/*.patch", { cwd: root }).map((file) => path.basename(file, ".patch")).sort()
  const unknown = chosen.filter((bug) => !planted.some((each) => each.bug === bug))
  const wrong = [...problems(planted, patches, isThere), ...unknown.map((bug) => `there is no bug ${bug}`)]
  for (const problem of wrong) console.log(`FAIL ${problem}`)
  for (const engine of names) {
    if (!isThere(engine)) console.log(`${engine} is not asked: there is no ${engines[engine].tests}`)
  }
  const table = chosen.length === 0 ? planted : planted.filter(({ bug }) => chosen.includes(bug))

  return inCopy(root, (to) => {
    const run = (asked: ReadonlyArray<Promised>) =>
      runTests(root, to, {
        projects: [...new Set(asked.map(([engine]) => engines[engine].project))],
        files: [...new Set(asked.map(([engine, [file]]) => path.posix.join(engines[engine].tests, file)))],
        pattern: exactly(asked.map(([, [, name]]) => name)),
        // The storm, the orders and the random programs are the same in each run.
        env: { EFFECT_OTP_SEED: "1" },
        testTimeout: 60_000,
        timeout: 180_000
      })

    // Engine by engine: one that takes any test of its directory must not be judged by those of another.
    const asked = table.flatMap((each) => promises(each, isThere))
    const before = new Map(
      names.map((engine) => [engine, asked.filter(([of]) => of === engine)] as const)
        .filter(([, own]) => own.length > 0)
        .map(([engine, own]) => [engine, run(own) ?? []] as const)
    )
    const linesOf = (each: Planted): ReadonlyArray<string> => {
      const patch = path.join(root, `test/planted/${each.bug}.patch`)
      const refused = applyPatch(to, patch)
      if (refused !== undefined) return [`not caught: the patch does not apply\n${refused}`]
      const said = promises(each, isThere).map(([engine, test]) => {
        const reason = unsound(test[1], before.get(engine)!)
        if (reason !== undefined) return line(engine, { problem: reason })
        return line(engine, verdict(run([[engine, test]]), engines[engine].says))
      })
      const stays = applyPatch(to, patch, "--reverse")
      if (stays !== undefined) throw new Error(`${patch} cannot be taken back: ${stays}`)
      return said
    }
    let ok = wrong.length === 0
    for (const each of table) {
      for (const said of linesOf(each)) {
        if (said.startsWith("not")) ok = false
        console.log(`${said.startsWith("not") ? "FAIL" : "ok  "} ${each.bug}: ${said}`)
      }
    }
    return ok
  })
}

if (import.meta.main) {
  process.exitCode = main(path.resolve(import.meta.dirname, ".."), process.argv.slice(2)) ? 0 : 1
}
