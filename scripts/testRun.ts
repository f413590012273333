/**
 * Some of the tests, run in a copy of the repository, and what its report says of them.
 */
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync, rmSync } from "node:fs"
import * as path from "node:path"

/** One test of a run. */
export interface Result {
  readonly name: string
  /** How it failed, the first line of each error; nothing if it passed. */
  readonly errors: ReadonlyArray<string>
}

/** What the JSON report of a run says of the tests that ran, or nothing if a file could not even be loaded. */
export const readReport = (report: string): ReadonlyArray<Result> | undefined => {
  const { testResults } = JSON.parse(report) as {
    readonly testResults: ReadonlyArray<{
      readonly assertionResults: ReadonlyArray<{
        readonly fullName: string
        readonly status: string
        readonly failureMessages: ReadonlyArray<string>
      }>
    }>
  }
  if (testResults.length === 0 || testResults.some((file) => file.assertionResults.length === 0)) return undefined
  return testResults.flatMap((file) => file.assertionResults)
    .filter(({ status }) => status === "passed" || status === "failed")
    .map(({ failureMessages, fullName, status }) => ({
      name: fullName,
      errors: status === "passed" ? [] : failureMessages.map((message) => message.split("\n")[0]!)
    }))
}

/** Which tests: those of these files whose names match. */
export interface Wanted {
  readonly projects: ReadonlyArray<string>
  readonly files: ReadonlyArray<string>
  readonly pattern: string
  readonly testTimeout: number
  /** How long all of them may take, in milliseconds. */
  readonly timeout: number
  readonly env?: Readonly<Record<string, string>>
}

/** Runs tests of the copy `to` of `root`; nothing, if they do not load, or do not end. */
export const runTests = (root: string, to: string, wanted: Wanted): ReadonlyArray<Result> | undefined => {
  const report = path.join(to, ".report.json")
  rmSync(report, { force: true })
  spawnSync(process.execPath, [
    path.join(root, "node_modules/vitest/vitest.mjs"),
    "run",
    ...wanted.projects.map((project) => `--project=${project}`),
    "--reporter=json",
    `--outputFile=${report}`,
    `--testNamePattern=${wanted.pattern}`,
    `--fsModuleCachePath=${path.join(to, ".cache")}`,
    "--cache=false",
    `--testTimeout=${wanted.testTimeout}`,
    ...wanted.files
  ], { cwd: to, env: { ...process.env, ...wanted.env }, stdio: "ignore", timeout: wanted.timeout })
  return existsSync(report) ? readReport(readFileSync(report, "utf8")) : undefined
}

/** How the error of an assertion begins. */
const assertion = /^AssertionError/

/** The test that notices the patch by its assertion, or why there is none. */
export const verdict = (
  results: ReadonlyArray<Result> | undefined,
  asserts: RegExp = assertion
): { readonly noticedBy: string } | { readonly problem: string } => {
  if (results === undefined) return { problem: "with the patch the tests do not load, or do not end" }
  const failed = results.filter(({ errors }) => errors.length > 0)
  const asserting = failed.find(({ errors }) => errors.some((error) => asserts.test(error)))
  if (asserting !== undefined) return { noticedBy: asserting.name }
  return {
    problem: failed.length === 0
      ? "no test notices the patch"
      : `no test notices the patch by an assertion: ${failed[0]!.name}: ${failed[0]!.errors[0]}`
  }
}
