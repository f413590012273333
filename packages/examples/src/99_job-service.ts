/**
 * A job service: the size of thing that people build of it.
 *
 * Four customers submit jobs, no more of them than a limit allows. Workers do them, and crash now and then. What was
 * acknowledged is in a journal before anybody hears of it, so that no crash loses it, and each job finishes once. Ctrl-C stops
 * it in order: the customers go, whoever is busy may finish, and what is left is kept for the next start.
 *
 * Who owns what, and what goes with whom, is drawn in `job-service/JobService.ts`. On top of that tree is the program:
 *
 * ```text
 * app                one_for_one, ends when all customers are done
 * ├─ job service     must be there before anybody comes
 * ├─ ann … eve       significant and transient: started again after a crash, done when they have all their results
 * └─ door            the last, and so the first to stop: it says so
 * ```
 *
 * Run it: npx -y pnpm@12 jobs, or npx -y pnpm@12 exec node packages/examples/src/99_job-service.ts [--help]
 */
import { Application, ChildSpec, Supervisor } from "@effect-otp/core"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Clock, Console, Effect, FileSystem, Logger, Option } from "effect"
import { CliConfig, Command, Flag, GlobalFlag } from "effect/cli"
import { customer } from "./job-service/Customer.ts"
import * as JobService from "./job-service/JobService.ts"
import * as Line from "./job-service/Line.ts"
import * as Store from "./job-service/Store.ts"
import * as Work from "./job-service/Work.ts"

const chores = ["invoice", "letter", "backup", "picture", "report"]

const door = ChildSpec.worker({
  id: "door",
  run: () =>
    Effect.acquireRelease(Console.log("open"), () => Console.log("closing: who is busy may finish")).pipe(
      Effect.andThen(Effect.never)
    )
})

/** The whole program, over a store. Each customer has so many jobs. */
export const app = (options: JobService.Options, jobs: number) => {
  const of = (name: string, jobs: number) => customer(name, Array.from({ length: jobs }, (_, i) => chores[i % 5]!))
  return Supervisor.make({
    label: "app",
    autoShutdown: "allSignificant",
    children: [
      JobService.make(options).child({ id: "job service" }),
      of("ann", jobs),
      of("bob", jobs),
      of("cid", jobs),
      // Who wants twice as much waits for itself, and for nobody else.
      of("eve", 2 * jobs),
      door
    ]
  })
}

const jobs = Command.make(
  "jobs",
  {
    directory: Flag.String("directory").pipe(
      Flag.withDescription("Where the journal is kept, and found again. Default: a temporary directory"),
      Flag.optional
    ),
    jobs: Flag.Int("jobs").pipe(Flag.withDescription("How many jobs a customer has"), Flag.withDefault(8)),
    workers: Flag.Int("workers").pipe(Flag.withDescription("How many work on them"), Flag.withDefault(4)),
    crashRate: Flag.Finite("crash-rate").pipe(
      Flag.withDescription("How often a worker crashes, from 0 to 1"),
      Flag.withDefault(0.15)
    ),
    seed: Flag.Int("seed").pipe(Flag.withDescription("With the same seed the same jobs crash"), Flag.withDefault(1))
  },
  Effect.fnUntraced(function*({ crashRate, directory: given, jobs, seed, workers }) {
    const fs = yield* FileSystem.FileSystem
    const directory = Option.isSome(given) ? given.value : yield* fs.makeTempDirectory({ prefix: "jobs-" })
    const store = yield* Store.file(directory)
    const start = yield* Clock.currentTimeMillis

    const tree = app({
      store,
      workers,
      limit: { limit: 4, window: "1 second" },
      work: Work.simulated({ seed, crashRate, failRate: 0.1, duration: "400 millis" }),
      print: (news) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          const line = Line.ofNews(news, now - start)
          return line === undefined ? Effect.void : Console.log(line)
        })
    }, jobs)

    // Before and after the tree nobody writes.
    const inStore = Effect.map(store.open, ({ entries }) => Line.ofJournal(entries))
    yield* Console.log(`${(yield* inStore).kept} jobs from the last time`)

    const sum = Effect.gen(function*() {
      const { kept, text } = yield* inStore
      if (kept > 0) yield* Console.log(`to finish them: npx -y pnpm@12 jobs --directory ${directory}`)
      else if (Option.isNone(given)) yield* Effect.orDie(fs.remove(directory, { recursive: true }))
      yield* Console.log(text)
    })

    // Without a logger, so that the reports of the crashes do not come between.
    yield* Effect.ensuring(Effect.provide(Application.run(tree), Logger.layer([])), sum)
  })
).pipe(
  Command.withDescription("A job service that loses nothing")
)

if (import.meta.main) {
  jobs.pipe(
    Command.run({ version: "0.1.0" }),
    Effect.provide([NodeServices.layer, CliConfig.layer({ builtIns: [GlobalFlag.Help] })]),
    NodeRuntime.runMain
  )
}
