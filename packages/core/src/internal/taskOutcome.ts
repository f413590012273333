/**
 * What the end of a task means to its owner, as pure functions.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { ExitReason } from "../ExitReason.ts"
import { taskExited } from "../OtpError.ts"

/** What the effect of a task gave: its value, or its typed failure. */
export type Answer = Exit.Exit<unknown, unknown>

/**
 * The answer in what the effect of a task failed with. A typed failure is one; so are several that came together. With a
 * defect among them it is a crash, and a failure that is nothing but an interruption is an end without an answer.
 */
export const answerIn = (cause: Cause.Cause<unknown>): Answer | undefined => {
  if (Cause.hasDies(cause)) return undefined
  const failures = cause.reasons.filter(Cause.isFailReason)
  return failures.length === 0 ? undefined : Exit.failCause(Cause.fromReasons(failures))
}

export const resultOf = (answer: Answer): Result.Result<unknown, unknown> =>
  answer._tag === "Success" ? Result.succeed(answer.value) : Result.fail(Cause.squash(answer.cause))

/** What a task gives that has settled. An answer counts, however the task has ended after it. */
export const settledWith = (task: string, answer: Answer | undefined, reason: ExitReason): Answer =>
  answer ?? Exit.fail(taskExited(task, reason))

/** How a task was ended by its owner: told to, told to and then killed when its time was over, or killed at once. */
export type How = "shutdown" | "timeoutKill" | "brutalKill"

/** What ending a task gives: what it has to tell, or nothing if it ended because it was told to. */
export const shutdownOutcome = (
  task: string,
  answer: Answer | undefined,
  reason: ExitReason,
  how: How
): Option.Option<Answer> =>
  answer === undefined && isOurs(reason, how) ? Option.none() : Option.some(settledWith(task, answer, reason))

// One that had to be killed because it overstayed tells so: `Killed` is what was asked for only by a brutal kill.
const isOurs = (reason: ExitReason, how: How): boolean =>
  how === "brutalKill" ? reason._tag === "Killed" : reason._tag === "Shutdown" && reason.term === undefined
