/** The BEAM itself, where it is there. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import * as Beam from "../src/Beam.ts"
import * as Compare from "../src/Compare.ts"
import * as Generator from "../src/Generator.ts"
import { operations } from "../src/Operations.ts"
import * as Report from "../src/Report.ts"
import type { Scenario } from "../src/Scenario.ts"

const noElixir = spawnSync("elixir", ["--version"], { stdio: "ignore" }).status !== 0
if (noElixir) console.log("skipped: there is no Elixir, so nothing can be asked of the BEAM (apt-get install elixir)")

const random = Array.from({ length: 40 }, (_, i): readonly [string, Scenario] => [
  `number ${i} of seed 11`,
  Generator.scenario(11, i)
])

describe.skipIf(noElixir)("the BEAM that is installed", () => {
  it.live("does what the library does, in each operation and in some random scenarios", () =>
    Effect.gen(function*() {
      const beams: Compare.Beams = { one: yield* Beam.start("one"), all: yield* Beam.start("all") }
      const check = Effect.fnUntraced(function*([name, scenario]: readonly [string, Scenario]) {
        const { beam, difference } = yield* Compare.compare(beams, scenario)
        if (difference === undefined) return
        assert.fail(`${name}\n${Report.sideBySide(scenario, Report.closest(beam.traces, difference), difference)}`)
      })
      yield* Effect.forEach([...Object.entries(operations), ...random], check, { concurrency: 16 })
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)), 300_000)
})
