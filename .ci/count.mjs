/**
 * Prints how many tests of a run passed, failed and were skipped, from the JSON report at the first argument. The second
 * is the exit code of the run: one that failed counts as a failure at least, also if no test did (a file that does not
 * load, an error outside of any test, no report at all). Runs on any Node, since it has to work when nothing else does.
 */
import { existsSync, readFileSync } from "node:fs"

const [report, code] = process.argv.slice(2)
const read = () => {
  if (!existsSync(report)) return { passed: 0, failed: 0, skipped: 0 }
  const { numFailedTests, numPassedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    readFileSync(report, "utf8")
  )
  const broken = testResults.filter(({ assertionResults, status }) =>
    status === "failed" && !assertionResults.some(({ status }) => status === "failed")
  )
  return {
    passed: numPassedTests,
    failed: numFailedTests + broken.length,
    skipped: numPendingTests + numTodoTests
  }
}

const { failed, passed, skipped } = read()
console.log(passed, code === "0" ? failed : Math.max(failed, 1), skipped)
