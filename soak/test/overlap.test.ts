/**
 * What the soak has found: a root that is killed leaves a core that takes its time to stop. The next one waits for it, and with
 * a name it would not even start before.
 */
import { ExitReason, Node, Process, Supervisor } from "@effect-otp/core"
import * as JobService from "@effect-otp/examples/job-service/JobService"
import { memory } from "@effect-otp/examples/job-service/Store"
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, References, Schedule } from "effect"
import { everybody } from "../src/Census.ts"
import * as Simulation from "../src/Simulation.ts"
import * as Witness from "../src/Witness.ts"

/** Whether two have worked on one job, when the root is killed while it is worked on. */
const overlaps = (name: string | undefined) =>
  Effect.gen(function*() {
    const witness = Witness.make(10)
    const work = ({ id }: { readonly id: string }) =>
      Witness.working(witness, id, Effect.as(Effect.sleep("500 millis"), "done"))
    const tree = Supervisor.make({
      backoff: Schedule.spaced("100 millis"),
      intensity: { maxRestarts: 100, within: "5 seconds" },
      children: [JobService.make({ name, store: yield* memory, work }).child({ id: "job service" })]
    })
    yield* Effect.gen(function*() {
      yield* JobService.submit({ id: "a", customer: "Ann", what: "work" })
      yield* Effect.sleep("100 millis")
      const root = (yield* everybody).find(({ label }) => label === "job service")!
      yield* Process.exit(root.pid, ExitReason.kill)
      assert.strictEqual((yield* JobService.collect("a"))._tag, "Done")
    }).pipe(Effect.provide(tree.layer))
    return Deferred.isDoneUnsafe(witness.violated)
  }).pipe(
    Effect.provide(Node.layer()),
    Effect.provideService(References.MinimumLogLevel, "None"),
    (program) => Simulation.run(program, "1 minute")
  )

it.live.each([undefined, "jobs"])(
  "no two work on one job when the root is killed, with the name %s",
  (name) =>
    Effect.gen(function*() {
      assert.isFalse(yield* overlaps(name))
    })
)
