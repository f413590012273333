/**
 * The guided tour: `npx -y pnpm@12 tour`.
 *
 * Runs the examples beside this file as one program in the terminal and checks what they claim. Ends with exit code 1 if
 * a claim does not hold.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect } from "effect"
import { CliConfig, Command, Flag, GlobalFlag, TerminalCapabilities } from "effect/cli"
import { availableParallelism } from "node:os"
import * as ProgressBar from "./tour/ProgressBar.ts"
import { steps } from "./tour/steps.ts"
import * as Theme from "./tour/Theme.ts"
import * as Tour from "./tour/Tour.ts"

const tour = Command.make(
  "tour",
  {
    quick: Flag.Boolean("quick").pipe(
      Flag.withDescription("Spawn 100,000 processes instead of a million"),
      Flag.withDefault(false)
    ),
    noColor: Flag.Boolean("no-color").pipe(
      Flag.withDescription("Plain text, as when NO_COLOR is set or the output is not a terminal"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function*({ noColor, quick }) {
    const terminal = yield* TerminalCapabilities.TerminalCapabilities
    const colorful = terminal.canColor && !noColor
    const screen = {
      theme: Theme.make(colorful),
      width: Math.max(60, Math.min(92, (process.stdout.columns || 80) - 4))
    }
    const report = colorful && terminal.canAnimate ? yield* ProgressBar.make(screen.theme) : undefined
    const runtime = `Node ${process.versions.node}, ${availableParallelism()} cores`
    yield* Tour.run(screen, steps({ processes: quick ? 100_000 : 1_000_000, report }), runtime)
  }, Effect.scoped)
).pipe(
  Command.withDescription("A guided tour of effect-otp: the whole lesson, live in the terminal")
)

tour.pipe(
  Command.run({ version: "0.1.0" }),
  Effect.provide([NodeServices.layer, CliConfig.layer({ builtIns: [GlobalFlag.Help] })]),
  NodeRuntime.runMain
)
