/**
 * What `it.interleave` shows of a failure, in a run of vitest of its own, and what `docs/testing.md` says that it shows.
 */
import { InterleavingFailed } from "@effect-otp/core/testing/Interleaving"
import * as Interleaving from "@effect-otp/core/testing/Interleaving"
import { assert, describe, it } from "@effect-otp/core/testing/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import * as path from "node:path"
import { sessions } from "../fixtures/race.ts"

const root = path.resolve(import.meta.dirname, "../../../..")

/** Runs the fixture and gives what vitest prints, which fails. */
const runFixture = (env: Record<string, string>) =>
  Effect.callback<string>((resume) => {
    const vitest = path.join(root, "node_modules/vitest/vitest.mjs")
    const config = path.join(import.meta.dirname, "../fixtures/race.config.ts")
    execFile(
      process.execPath,
      [vitest, "run", "--config", config],
      { cwd: root, env: { ...process.env, NO_COLOR: "1", EFFECT_OTP_REPORT: undefined, ...env } },
      (_, stdout, stderr) => resume(Effect.succeed(stdout + stderr))
    )
  })

describe("it.interleave", () => {
  it.live(
    "prints the seed, the smallest schedule and the diagram, at the line that failed, and how to come back to it",
    () =>
      Effect.gen(function*() {
        const printed = yield* runFixture({})
        const failed = yield* Effect.flip(Interleaving.explore(sessions))
        for (const line of failed.message.split("\n")) assert.include(printed, line)
        assert.match(printed, /race\.spec\.ts:4:/)
        assert.match(printed, /Tests +1 failed \| 1 skipped/)
        assert.notInclude(printed, "/src/")
      }),
    60_000
  )

  it.live("takes the seed of the environment for its own", () =>
    Effect.gen(function*() {
      const failed = yield* Effect.flip(Interleaving.explore(sessions))
      const printed = yield* runFixture({ EFFECT_OTP_SEED: String(failed.seed) })
      assert.include(printed, `in run 1 of 500 (seed ${failed.seed})`)
    }), 60_000)

  it.effect("shows in docs/testing.md what it prints", () =>
    Effect.gen(function*() {
      const failed = yield* Effect.flip(Interleaving.explore(sessions))
      assert.instanceOf(failed, InterleavingFailed)
      assert.include(readFileSync(path.join(root, "docs/testing.md"), "utf8"), failed.message)
    }))

  let runs = 0
  it.interleave("takes options of its own and of vitest", { runs: 3, timeout: 5000 }, Effect.sync(() => runs++))
  it("and has run once in order and three times out of it", () => assert.strictEqual(runs, 4))

  it.interleave.runIf(true)("runs where it is asked to", { runs: 1 }, Effect.void)

  it("is still what it is in @effect/vitest", () => {
    assert.isFunction(it.effect)
    assert.isFunction(it.live)
    assert.isFunction(it.skip)
  })
})
