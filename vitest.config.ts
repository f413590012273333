import { defineConfig } from "vitest/config"
import { full } from "./test-scale.ts"
import projects from "./vitest.workspace.ts"

/** Where `.ci/run` wants the results as JSON, beside those on the terminal. */
const report = process.env.EFFECT_OTP_REPORT

export default defineConfig({
  // The modules written out of the documentation must not start the next run of `vitest --watch`.
  server: { watch: { ignored: ["**/.fences/**"] } },
  test: {
    projects,
    setupFiles: [`${import.meta.dirname}/vitest.setup.ts`],
    passWithNoTests: true,
    // For tests that hang, and not for those that two busy cores make slow.
    testTimeout: full ? 900_000 : 30_000,
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]]
  }
})
