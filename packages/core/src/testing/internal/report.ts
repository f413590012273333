/**
 * What somebody reads whose program fails in one of many orders. Pure.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import type { Deviation } from "./choices.ts"

export interface Found {
  readonly seed: number
  readonly run: number
  readonly runs: number
  readonly cause: Cause.Cause<unknown>
  readonly schedule: ReadonlyArray<Deviation>
  readonly diagram: string
}

export const report = ({ cause, diagram, run, runs, schedule, seed }: Found): string => {
  const where = run === 0 ? "in the order in which everything was woken" : `in run ${run} of ${runs} (seed ${seed})`
  return [
    `fails ${where}${run === 0 ? "" : `; ${deviations(schedule.length)}`}`,
    indented(reasonOf(cause)),
    diagram,
    run === 0
      ? "it fails in this order every time, so an ordinary test shows it, too"
      : `to see it again: the option { seed: ${seed} }, or the environment variable EFFECT_OTP_SEED=${seed}`
  ].join("\n\n")
}

const deviations = (count: number): string =>
  count === 0
    ? "it needs no other order, only the random numbers of that seed"
    : count === 1
    ? "what it takes is one step out of order, marked !"
    : `what it takes are ${count} steps out of order, marked !`

const reasonOf = (cause: Cause.Cause<unknown>): string =>
  Cause.prettyErrors(cause).map((error) => `${error.name}: ${error.message}`).join("\n")

const indented = (text: string): string => text.split("\n").map((line) => `  ${line}`).join("\n")
