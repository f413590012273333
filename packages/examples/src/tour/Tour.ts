/**
 * Runs steps one after the other and shows each: what it is about, its code, its live output, its claims; then the sum.
 */
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import { readFileSync } from "node:fs"
import * as Claim from "./Claim.ts"
import { excerpt } from "./Excerpt.ts"
import * as Screen from "./Screen.ts"
import * as Stage from "./Stage.ts"
import type { Step } from "./Step.ts"

/** Some claim did not hold. Each has been shown where it failed, so all that is left to tell is the exit code. */
export class ClaimsFailed extends Data.TaggedError("ClaimsFailed") {
  override readonly [Runtime.errorReported] = false
}

const printAll = (lines: ReadonlyArray<string>) => Console.log(lines.join("\n"))

/** The lines of its example that a step shows. */
export const codeOf = (step: Step): ReadonlyArray<string> =>
  excerpt(readFileSync(new URL(`../${step.file}`, import.meta.url), "utf8"), step.show)

/** A step that hangs must not hang the tour: it counts as one that failed. */
const patience = Duration.seconds(60)

/** Runs one step. A program that fails, dies or hangs is a claim that does not hold, so the tour goes on. */
export const perform = Effect.fnUntraced(function*(screen: Screen.Screen, step: Step) {
  const [elapsed, { exit, printed }] = yield* Effect.timed(
    Stage.play(screen.theme, Effect.timeout(step.run, patience))
  )
  const claims = Exit.isSuccess(exit)
    ? exit.value(printed)
    : [Claim.that("The program ran to its end.", false, Cause.pretty(exit.cause))]
  return { step, claims, millis: Duration.toMillis(elapsed) } satisfies Screen.Outcome
})

/** The whole tour; fails once all is shown if a claim did not hold. */
export const run = Effect.fnUntraced(function*(
  screen: Screen.Screen,
  steps: ReadonlyArray<Step>,
  runtime: string
) {
  yield* printAll(Screen.opening(screen, runtime))
  const outcomes: Array<Screen.Outcome> = []
  for (const [i, step] of steps.entries()) {
    yield* printAll(Screen.heading(screen, step, { number: i + 1, of: steps.length, code: codeOf(step) }))
    const outcome = yield* perform(screen, step)
    yield* printAll(Screen.verdict(screen, outcome))
    outcomes.push(outcome)
  }
  yield* printAll([...Screen.summary(screen, outcomes), ...Screen.closing(screen)])
  const held = outcomes.every(({ claims }) => claims.every(({ holds }) => holds))
  if (!held) return yield* new ClaimsFailed()
})
