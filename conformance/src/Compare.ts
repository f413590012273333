/**
 * Whether this library does in a scenario what the BEAM does.
 *
 * Where the BEAM does the same each time, so must the library. Where what happens is open, since two things happen at once,
 * the library must do one of the things that the BEAM does: then it is asked again, in other orders, until it has done so or
 * was asked often enough.
 */
import * as Effect from "effect/Effect"
import type { Beam, BeamFailed, Schedulers } from "./Beam.ts"
import * as Interpreter from "./Interpreter.ts"
import type { Scenario } from "./Scenario.ts"
import * as Trace from "./Trace.ts"

/** How often a race is run on one scheduler, and how often on all. */
export const runsOfRace = 50

const schedulings = ["test", "application"] as const

/** What the library did, under each kind of scheduling; two that are equal are one. */
export const ours = (scenario: Scenario): Effect.Effect<ReadonlyArray<Trace.Trace>> =>
  Effect.map(
    Effect.forEach(schedulings, (scheduling) => Interpreter.run(scenario, scheduling)),
    (raw) => distinct(raw.map(Trace.normalize))
  )

const distinct = (traces: ReadonlyArray<Trace.Trace>): ReadonlyArray<Trace.Trace> =>
  traces.filter((trace, i) => traces.findIndex((other) => Trace.isEqual(trace, other)) === i)

/** What the BEAM did. */
export interface Seen {
  readonly traces: ReadonlyArray<Trace.Trace>
  /** Which of the intended differences were needed. */
  readonly differences: ReadonlySet<string>
}

export type Beams = Readonly<Record<Schedulers, Beam>>

/** How many runs of one scenario are under way at once. */
const together = 10

/**
 * Runs a scenario on the BEAM: once as it comes, and then in other orders, on one scheduler and on all in turn, as long as more
 * is wanted.
 */
const see = Effect.fnUntraced(function*(
  beams: Beams,
  scenario: Scenario,
  runs: number,
  isEnough: (traces: ReadonlyArray<Trace.Trace>, runs: number) => boolean
): Effect.fn.Return<Seen, BeamFailed> {
  const differences = new Set<string>()
  let traces: ReadonlyArray<Trace.Trace> = []
  const add = (raw: Trace.Raw): void => {
    for (const id of Trace.differences(raw)) differences.add(id)
    traces = distinct([...traces, Trace.normalize(raw)])
  }
  add(yield* beams.one.run(scenario))
  const shuffle = (seed: number) =>
    Effect.map(beams[seed % 2 === 0 ? "one" : "all"].shuffle(scenario, seed), (raw) => raw && add(raw))
  for (let n = 1; n < runs && !isEnough(traces, n); n += together) {
    const seeds = Array.from({ length: Math.min(together, runs - n) }, (_, i) => n + i)
    yield* Effect.forEach(seeds, shuffle, { concurrency: together })
  }
  return { traces, differences }
})

const includes = (traces: ReadonlyArray<Trace.Trace>, trace: Trace.Trace): boolean =>
  traces.some((other) => Trace.isEqual(other, trace))

/** What both did, in one scenario. */
export interface Comparison {
  readonly scenario: Scenario
  readonly ours: ReadonlyArray<Trace.Trace>
  readonly beam: Seen
  /** What the library did and the BEAM did not, whatever was tried; nothing, if they agree. */
  readonly difference: Trace.Trace | undefined
}

/** Of what the library did, the first that the BEAM did not do. */
export const firstDifference = (
  ours: ReadonlyArray<Trace.Trace>,
  beam: ReadonlyArray<Trace.Trace>
): Trace.Trace | undefined => ours.find((trace) => !includes(beam, trace))

/** Asks the BEAM as often as `runs` says, unless it has done what the library does before. */
export const compare = Effect.fnUntraced(function*(
  beams: Beams,
  scenario: Scenario,
  runs: number = 2 * runsOfRace
): Effect.fn.Return<Comparison, BeamFailed> {
  const own = yield* ours(scenario)
  const beam = yield* see(beams, scenario, runs, (traces) => firstDifference(own, traces) === undefined)
  return { scenario, ours: own, beam, difference: firstDifference(own, beam.traces) }
})

/** All that the BEAM does in a scenario. */
export const record = Effect.fnUntraced(function*(
  beams: Beams,
  scenario: Scenario
): Effect.fn.Return<Comparison, BeamFailed> {
  const own = yield* ours(scenario)
  const beam = yield* see(beams, scenario, 2 * runsOfRace, () => false)
  return { scenario, ours: own, beam, difference: firstDifference(own, beam.traces) }
})
