/**
 * Runs the soak: `npx -y pnpm@12 soak --help`. Ends with exit code 1 if an invariant did not hold.
 */
import * as JobService from "@effect-otp/examples/job-service/JobService"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Duration, Effect, FileSystem, Option } from "effect"
import { Command, Flag } from "effect/cli"
import * as Progress from "./Progress.ts"
import * as Report from "./Report.ts"
import * as Run from "./Run.ts"

const duration = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.withMetavar("duration"),
    Flag.filterMap(
      // What a duration looks like is known to the compiler only of a literal; the parser looks at the text.
      (text) => Option.filter(Duration.fromInput(text as Duration.Input), Duration.isPositive),
      (text) => `a duration, such as "7 days"; not ${text}`
    )
  )

const flags = {
  simulated: duration("simulated", "How long, in simulated time: \"7 days\"").pipe(Flag.optional),
  real: duration("real", "How long, on the clock of the machine: \"2 minutes\"").pipe(Flag.optional),
  every: duration("every", "How long from one fault to the next").pipe(Flag.withDefault(Duration.seconds(1))),
  seed: Flag.Int("seed").pipe(Flag.withDescription("What chance begins with"), Flag.withDefault(7)),
  json: Flag.Boolean("json").pipe(Flag.withDescription("One JSON object instead of a table"), Flag.withDefault(false)),
  report: Flag.String("report").pipe(
    Flag.withDescription("Write the report to this file, as Markdown"),
    Flag.withMetavar("file"),
    Flag.optional
  )
}

const soak = Command.make(
  "soak",
  flags,
  Effect.fnUntraced(function*({ every, json, real, report: file, seed, simulated }) {
    const show = yield* Progress.make
    const onProgress: Run.Options["onProgress"] = ({ calms, faults, finished, injected }) =>
      show({ done: injected, total: faults, what: `${injected} faults, ${finished} jobs, ${calms} checks` })
    const run = Option.match(real, {
      onNone: () =>
        Run.simulated({
          service: JobService,
          duration: Option.getOrElse(simulated, () => Duration.days(1)),
          every,
          seed,
          onProgress
        }),
      onSome: (duration) => Run.real({ service: JobService, duration, every, seed, onProgress })
    })
    const report = yield* Effect.scoped(run)
    yield* Console.log(json ? JSON.stringify(report) : Report.text(report))
    if (Option.isSome(file)) {
      yield* (yield* FileSystem.FileSystem).writeFileString(file.value, Report.markdown(report))
    }
    if (report.violation !== undefined) yield* Effect.sync(() => (process.exitCode = 1))
  }, Effect.scoped)
).pipe(
  Command.withDescription("The job service of the examples under random faults, for simulated days or real minutes")
)

soak.pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
