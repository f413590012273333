/** The job service as a process of the operating system: ended, stopped, starved of memory and flooded from outside. */
import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as scale from "../../test-scale.ts"
import * as Processes from "../src/processes/Processes.ts"
import * as Report from "../src/processes/Report.ts"

it.live(
  "nothing that was acknowledged is lost, the service comes back, and others are answered in a flood",
  () =>
    Effect.gen(function*() {
      const result = yield* Processes.run({ seed: 7, rounds: scale.soakRounds })
      assert.deepStrictEqual(
        result.rows.map(({ mishap, times }) => [mishap, times]),
        Processes.mishaps.map(({ name }) => [name, scale.soakRounds])
      )
      assert.isAbove(result.acknowledged, 0)
      assert.isAtLeast(result.finished, result.acknowledged)
      assert.include(Report.markdown(result), "| SIGKILL ")
    }).pipe(Effect.provide(NodeServices.layer)),
  600_000
)
