/**
 * A tour of two steps, of which the first claims something untrue and the second dies. Run by `tour/Tour.test.ts`.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Effect } from "effect"
import * as Claim from "../../src/tour/Claim.ts"
import * as Step from "../../src/tour/Step.ts"
import * as Theme from "../../src/tour/Theme.ts"
import * as Tour from "../../src/tour/Tour.ts"

const step = { about: "It does not matter.", file: "30_counter.ts", show: ["const program"] }

const steps = [
  Step.make({
    ...step,
    title: "Arithmetic",
    program: Effect.succeed(4),
    claims: (sum) => [Claim.equal("two and two make five", sum, 5)]
  }),
  Step.make({ ...step, title: "A bug", program: Effect.die(new Error("a bug")), claims: () => [] })
]

NodeRuntime.runMain(Tour.run({ theme: Theme.make(false), width: 80 }, steps, "Node"))
