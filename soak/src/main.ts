/**
 * Runs the soak: `npx -y pnpm@12 soak --help`. Ends with exit code 1 if an invariant did not hold.
 */
import * as JobService from "@effect-otp/examples/job-service/JobService"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Duration, Effect, FileSystem, Option } from "effect"
import { Command, Flag } from "effect/cli"
import * as Processes from "./processes/Processes.ts"
import * as ProcessesReport from "./processes/Report.ts"
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

const toggle = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))

const flags = {
  simulated: duration("simulated", "How long, in simulated time: \"7 days\" (default: \"1 day\")").pipe(Flag.optional),
  real: duration("real", "How long, on the clock of the machine: \"2 minutes\"").pipe(Flag.optional),
  processes: toggle("processes", "A process of its own that is killed, stopped, starved of memory and flooded"),
  rounds: Flag.Int("rounds").pipe(
    Flag.withDescription("How often there is each mishap of a process"),
    Flag.filter((rounds) => rounds > 0, (rounds) => `one or more; not ${rounds}`),
    Flag.withDefault(3)
  ),
  every: duration("every", "How long from one fault to the next").pipe(Flag.withDefault(Duration.seconds(1))),
  seed: Flag.Int("seed").pipe(Flag.withDescription("What chance begins with"), Flag.withDefault(7)),
  json: toggle("json", "One JSON object instead of a table"),
  report: Flag.String("report").pipe(
    Flag.withDescription("Write the report to this file, as Markdown"),
    Flag.withMetavar("file"),
    Flag.optional
  )
}

/** A report in all of its forms. */
interface Told {
  readonly data: unknown
  readonly text: string
  readonly markdown: string
  readonly holds: boolean
}

const inOneProcess = (
  run: (options: Run.Options) => ReturnType<typeof Run.simulated>,
  options: Omit<Run.Options, "service" | "onProgress">,
  show: Progress.Show
) =>
  run({
    ...options,
    service: JobService,
    onProgress: ({ calms, faults, finished, injected }) =>
      show({ done: injected, total: faults, what: `${injected} faults, ${finished} jobs, ${calms} checks` })
  }).pipe(Effect.map((report): Told => ({
    data: report,
    text: Report.text(report),
    markdown: Report.markdown(report),
    holds: report.violation === undefined
  })))

const ofProcesses = (options: Pick<Processes.Options, "seed" | "rounds">, show: Progress.Show) =>
  Processes.run({ ...options, onProgress: (done, total, what) => show({ done, total, what }) }).pipe(
    Effect.map((result): Told => ({
      data: result,
      text: ProcessesReport.text(result),
      markdown: ProcessesReport.markdown(result),
      holds: true
    })),
    Effect.catchTag("Failed", ({ message }) => {
      const text = `VIOLATED: ${message}`
      return Effect.succeed<Told>({ data: { violation: message }, text, markdown: `${text}\n`, holds: false })
    })
  )

const soak = Command.make(
  "soak",
  flags,
  Effect.fnUntraced(function*({ every, json, processes, real, report: file, rounds, seed, simulated }) {
    const show = yield* Progress.make
    const told = processes
      ? yield* ofProcesses({ seed, rounds }, show)
      : Option.isSome(real)
      ? yield* inOneProcess(Run.real, { duration: real.value, every, seed }, show)
      : yield* inOneProcess(
        Run.simulated,
        { duration: Option.getOrElse(simulated, () => Duration.days(1)), every, seed },
        show
      )
    yield* Console.log(json ? JSON.stringify(told.data) : told.text)
    if (Option.isSome(file)) {
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(file.value, told.markdown)
    }
    if (!told.holds) yield* Effect.sync(() => (process.exitCode = 1))
  }, Effect.scoped)
).pipe(
  Command.withDescription("The job service of the examples under random faults, for simulated days or real minutes")
)

soak.pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
