/**
 * Runs the benchmarks: `npx -y pnpm@12 bench --help`.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Array, Console, Effect, Option, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import * as Beam from "./Beam.ts"
import { type Comparison, missing } from "./Comparison.ts"
import * as Report from "./Report.ts"
import * as Suite from "./Suite.ts"
import { type System, systems } from "./System.ts"
import * as Terminal from "./Terminal.ts"
import { type Workload, workloads } from "./Workload.ts"

/** A flag that picks some of `all` by their names, with commas between. */
const pick = <A extends { readonly name: string }>(flag: string, all: ReadonlyArray<A>) => {
  const known = all.map(({ name }) => name).join(", ")
  return Flag.String(flag).pipe(
    Flag.withDescription(`Only these, with commas between: ${known}`),
    Flag.withMetavar("names"),
    Flag.filterMap(
      (names) => Option.all(names.split(",").map((name) => Array.findFirst(all, (one) => one.name === name))),
      (names) => `some of ${known}; not ${names}`
    ),
    Flag.withDefault(all)
  )
}

const toggle = (flag: string, description: string) =>
  Flag.Boolean(flag).pipe(Flag.withDescription(description), Flag.withDefault(false))

const flags = {
  only: pick("only", workloads),
  systems: pick("systems", systems),
  quick: toggle("quick", "Small sizes, few rounds: for a first look"),
  rounds: Flag.Int("rounds").pipe(
    Flag.withDescription("How many samples of each system (default: 5, or 3 with --quick)"),
    Flag.optional
  ),
  json: toggle("json", "One JSON object a line, instead of tables"),
  report: toggle("report", "Write docs/benchmarks.md and its charts")
}

/** Leaves out what needs Erlang where there is none, and says so; also where a workload lacks Elixir. */
const available = Effect.fnUntraced(function*(chosen: ReadonlyArray<System>, workloads: ReadonlyArray<Workload>) {
  if (!chosen.some(({ beam }) => beam)) return chosen
  const tell = ({ message }: Beam.NotInstalled) => Console.error(message)
  const elixir = workloads.some(({ elixir }) => elixir) ? Beam.prepareElixir : Effect.void
  return yield* Beam.prepare.pipe(
    Effect.andThen(Effect.catchTag(elixir, "NotInstalled", tell)),
    Effect.as(chosen),
    Effect.catchTag("NotInstalled", (missing) => Effect.as(tell(missing), chosen.filter(({ beam }) => !beam)))
  )
})

/** Those that should have done the work, and have not. */
const faults = (comparisons: ReadonlyArray<Comparison>): ReadonlyArray<string> =>
  comparisons.flatMap((comparison) =>
    missing(comparison)
      .filter(({ reason }) => reason.kind === "fault")
      .map(({ reason, system }) => `${comparison.workload.name}: ${system.name} ${reason.why}`)
  )

const bench = Command.make(
  "bench",
  flags,
  Effect.fnUntraced(function*({ json, only, quick, report, rounds, systems }) {
    const options: Suite.Options = {
      systems: yield* available(systems, only),
      workloads: only,
      quick,
      rounds: Option.getOrElse(rounds, () => quick ? 3 : 5)
    }
    const print = (comparison: Comparison) =>
      json
        ? Effect.forEach(Terminal.json(comparison), (line) => Console.log(line), { discard: true })
        : Console.log(Terminal.table(comparison))
    const comparisons = yield* Suite.run(options).pipe(Stream.tap(print), Stream.runCollect)
    if (report) yield* Report.write(comparisons, options)
    const wrong = faults(comparisons)
    if (wrong.length > 0) return yield* Effect.die(new Error(`not done:\n${wrong.join("\n")}`))
  }, Effect.scoped)
).pipe(Command.withDescription("The same workloads for effect-otp, the BEAM and everything else one could pick"))

bench.pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
