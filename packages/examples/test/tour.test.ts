import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { full } from "../../../test-scale.ts"
import { steps } from "../src/tour/steps.ts"
import * as Tour from "../src/tour/Tour.ts"

const tour = (...args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, [fileURLToPath(new URL("../src/tour.ts", import.meta.url)), ...args], {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined }
  })

const processes = full ? 1_000_000 : 100_000

// oxlint-disable-next-line eslint/no-control-regex
const escapes = /[\u001b\r]/

describe("tour", () => {
  it("every claim holds, in plain text", () => {
    const { status, stderr, stdout } = full ? tour("--no-color") : tour("--quick", "--no-color")
    assert.strictEqual(status, 0, stdout + stderr)
    assert.strictEqual(stderr, "")
    assert.notMatch(stdout, escapes)
    assert.notInclude(stdout, "✗")
    const all = steps({ processes })
    for (const [i, step] of all.entries()) {
      const from = stdout.indexOf(step.title)
      const to = i + 1 < all.length ? stdout.indexOf(all[i + 1]!.title) : stdout.indexOf("What was claimed")
      const shown = stdout.slice(from, to)
      assert.isAbove(from, 0, step.title)
      assert.include(shown, `packages/examples/src/${step.file}`)
      for (const line of Tour.codeOf(step)) assert.include(shown, line)
      assert.match(shown, /^ {2}› /m, `${step.title} prints nothing`)
      assert.isAtLeast(shown.match(/^ {2}✓ /gm)?.length ?? 0, 2, `${step.title} claims nothing`)
    }
    assert.match(stdout, new RegExp(`› ${processes.toLocaleString("en")} processes alive, [0-9,]+ bytes of heap each`))
  }, 120_000)

  it("--help tells the options and runs nothing", () => {
    const { status, stdout } = tour("--help")
    assert.strictEqual(status, 0)
    assert.include(stdout, "--quick")
    assert.include(stdout, "--no-color")
    assert.notInclude(stdout, "›")
  }, 60_000)

  it("an option that does not exist is refused", () => {
    const { status, stderr, stdout } = tour("--fast")
    assert.strictEqual(status, 1)
    assert.include(stdout + stderr, "--fast")
  }, 60_000)
})
