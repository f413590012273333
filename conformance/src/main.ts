/**
 * Compares this library with the BEAM: `npx -y pnpm@12 conformance --help`.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import * as Beam from "./Beam.ts"
import * as Compare from "./Compare.ts"
import * as Generator from "./Generator.ts"
import { operations } from "./Operations.ts"
import { races } from "./Races.ts"
import * as Recordings from "./Recordings.ts"
import * as Report from "./Report.ts"
import type { Scenario } from "./Scenario.ts"
import { shrink } from "./Shrink.ts"

const flags = {
  count: Flag.Int("count").pipe(Flag.withDescription("How many scenarios (default: 1000)"), Flag.withDefault(1000)),
  seed: Flag.Int("seed").pipe(Flag.withDescription("Which ones (default: 1)"), Flag.withDefault(1)),
  from: Flag.Int("from").pipe(Flag.withDescription("The number of the first one (default: 0)"), Flag.withDefault(0)),
  record: Flag.Boolean("record").pipe(
    Flag.withDescription("Write what the BEAM does to the recordings that the tests compare with"),
    Flag.withDefault(false)
  )
}

/** Scenarios under comparison at the same time: the BEAM waits most of the time. */
const concurrency = 16

/** What shows a difference quickly; whether it is one is asked again with all runs. */
const quickly = 12

/** Makes a scenario that differs small, and prints both sides of it. */
const explain = Effect.fnUntraced(function*(beams: Compare.Beams, title: string, found: Compare.Comparison) {
  const differs = (scenario: Scenario) =>
    Effect.map(Compare.compare(beams, scenario, quickly), ({ difference }) => difference !== undefined)
  const smallest = yield* Compare.compare(beams, yield* shrink(found.scenario, differs))
  const { beam, difference, scenario } = smallest.difference === undefined ? found : smallest
  yield* Console.log(
    `\n${title}\n${Report.sideBySide(scenario, Report.closest(beam.traces, difference!), difference!)}`
  )
  yield* Console.log(
    `\nTo keep it as a test, add this to regressions.jsonl and record:\n${Recordings.line(title, scenario)}\n`
  )
})

const finish = Effect.fnUntraced(function*(beams: Compare.Beams, found: ReadonlyArray<Named & Compare.Comparison>) {
  yield* Console.log(Report.table(Report.count(found)))
  const different = found.filter(({ difference }) => difference !== undefined)
  for (const each of different) yield* explain(beams, each.name, each)
  yield* Console.log(
    different.length === 0 ? "No difference that is not meant." : `${different.length} scenarios differ.`
  )
  if (different.length > 0) process.exitCode = 1
})

interface Named {
  readonly name: string
}

const random = (seed: number, from: number, count: number): ReadonlyArray<Named & { readonly scenario: Scenario }> =>
  Array.from({ length: count }, (_, i) => ({
    name: `seed ${seed}, number ${from + i}`,
    scenario: Generator.scenario(seed, from + i)
  }))

const named = (all: Readonly<Record<string, Scenario>>, kind: string) =>
  Object.entries(all).map(([name, scenario]) => ({ name: `${kind}: ${name}`, scenario }))

/** Compares, and says now and then how far it has come. */
const each = <A extends Named & { readonly scenario: Scenario }>(
  all: ReadonlyArray<A>,
  compare: (scenario: Scenario) => Effect.Effect<Compare.Comparison, Beam.BeamFailed>
) => {
  let done = 0
  return Effect.forEach(all, (one) =>
    Effect.tap(
      Effect.map(compare(one.scenario), (comparison) => ({ ...one, ...comparison })),
      () => Effect.suspend(() => ++done % 500 === 0 ? Console.error(`${done} of ${all.length}`) : Effect.void)
    ), { concurrency })
}

/** Random ones are run until the BEAM has done what the library does, and those by hand, which race on purpose, as often as a race. */
const record = Effect.fnUntraced(function*(beams: Compare.Beams, chosen: ReturnType<typeof random>) {
  const byHand = [...named(operations, "operation"), ...named(races, "race")]
  const kept = Recordings.read(Recordings.regressions).map(({ name = "", scenario }) => ({ name, scenario }))
  const some = yield* each(chosen, (scenario) => Compare.compare(beams, scenario))
  const all = yield* each([...byHand, ...kept], (scenario) => Compare.record(beams, scenario))
  const lines = (found: typeof all, isNamed: boolean) =>
    found.map(({ beam, name, scenario }) => Recordings.make(scenario, beam, isNamed ? name : undefined))
  yield* finish(beams, [...some, ...all])
  const hand = all.slice(0, byHand.length)
  yield* Effect.sync(() => Recordings.write(Recordings.recordings, [...lines(hand, true), ...lines(some, false)]))
  yield* Effect.sync(() => Recordings.write(Recordings.regressions, lines(all.slice(byHand.length), true)))
})

const conformance = Command.make(
  "conformance",
  flags,
  Effect.fnUntraced(function*({ count, from, record: isRecord, seed }) {
    const beams: Compare.Beams = { one: yield* Beam.start("one"), all: yield* Beam.start("all") }
    const chosen = random(seed, from, count)
    if (isRecord) yield* record(beams, chosen)
    else yield* finish(beams, yield* each(chosen, (scenario) => Compare.compare(beams, scenario)))
  }, Effect.scoped)
).pipe(
  Command.withDescription("Runs random scenarios on this library and on the BEAM, and compares what is seen")
)

conformance.pipe(
  Command.run({ version: "0.1.0" }),
  Effect.catchTag("NoElixir", ({ message }) =>
    Effect.andThen(
      Console.error(message),
      Effect.sync(() => {
        process.exitCode = 1
      })
    )),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain
)
