/**
 * What a supervisor tells of its children, and of itself: starts at debug, restarts at warning, and as errors whatever
 * stays down and should not.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import type { Any as AnySpec } from "../ChildSpec.ts"
import type * as ExitReason from "../ExitReason.ts"
import type * as OtpError from "../OtpError.ts"
import { log, type LogEntry } from "./log.ts"
import { cut } from "./present.ts"
import { presentReason } from "./presentCause.ts"
import { describe, type Entry } from "./processTable.ts"
import * as RestartIntensity from "./restartIntensity.ts"

/** A child, as far as a report tells of it. */
export interface Reported {
  readonly spec: AnySpec
  /** Its present incarnation, and the one before. */
  readonly pid: Entry | undefined
  readonly last: Entry | undefined
  readonly reason: ExitReason.ExitReason
}

/** How often the supervisor has restarted children lately, and how often it may. */
export interface Restarts {
  readonly history: RestartIntensity.History
  readonly tree: { readonly intensity: RestartIntensity.Intensity }
  readonly timers: { now(): number }
}

/** The child as its supervisor knows it: what OTP calls the offender. */
const detailsOf = (
  supervisor: Entry,
  { last, pid, spec }: Reported,
  more?: LogEntry["details"]
): NonNullable<LogEntry["details"]> => ({
  supervisor: describe(supervisor),
  child: spec.id,
  childPid: pid ?? last,
  ...more,
  restart: spec.restart,
  shutdown: spec.shutdown === "brutalKill" ? spec.shutdown : Duration.format(Duration.fromInputUnsafe(spec.shutdown)),
  type: spec.type
})

const ended = (child: Reported, reason: string): string => `child ${child.spec.id} ended (${reason})`

export const reportStarted = (supervisor: Entry, child: Reported): void =>
  log(supervisor, "Debug", () => ({
    title: `started child ${child.spec.id} as ${child.pid}`,
    details: detailsOf(supervisor, child)
  }))

/** It ended abnormally, and is not restarted. */
export const reportEnded = (supervisor: Entry, child: Reported): void =>
  log(supervisor, "Error", () => {
    const reason = presentReason(child.reason)
    return { title: ended(child, reason), details: detailsOf(supervisor, child, { reason }) }
  })

export const reportRestart = (supervisor: Entry, child: Reported, delay: number, restarts: Restarts): void =>
  log(supervisor, "Warn", () => {
    const reason = presentReason(child.reason)
    return {
      title: `${ended(child, reason)}, restarting it${delay === 0 ? "" : ` in ${delay} ms`}`,
      details: detailsOf(supervisor, child, { reason, ...countsOf(restarts) })
    }
  })

export const reportGaveUp = (supervisor: Entry, child: Reported, why: string, restarts: Restarts): void =>
  log(supervisor, "Error", () => {
    const reason = presentReason(child.reason)
    return {
      title: `giving up: ${ended(child, reason)}, and ${why}`,
      details: detailsOf(supervisor, child, { reason, ...countsOf(restarts) })
    }
  })

const countsOf = ({ history, timers, tree: { intensity } }: Restarts) => ({
  restarts: RestartIntensity.countWithin(history, intensity, timers.now()),
  maxRestarts: intensity.maxRestarts,
  within: Duration.format(Duration.millis(intensity.withinMillis))
})

/** What failed is shown where it failed: the supervisors above tell of it in one line. */
export const reportNotStarted = (
  supervisor: Entry,
  child: Reported,
  { childPath, reason }: OtpError.StartError<unknown>,
  again: boolean
): void =>
  log(supervisor, "Error", () => {
    const why = cut(reason.message, maxReason)
    return {
      title: `child ${child.spec.id} did not start${again ? " again" : ""}: ${why}`,
      details: detailsOf(supervisor, child, { reason: reason._tag, childPath }),
      cause: reason._tag === "InitFailed" && childPath.length === 1 ? Cause.fail(reason.error) : undefined
    }
  })

const maxReason = 300

/** An incarnation that was to be stopped would not, or has left something behind. */
export const reportStop = (supervisor: Entry, child: Reported, entry: Entry, what: string): void =>
  log(supervisor, "Error", () => ({
    title: `child ${child.spec.id} ${describe(entry)} ${what}`,
    details: { ...detailsOf(supervisor, child), childPid: entry }
  }))

/** It was told to shut down, and ended in a way of its own. */
export const reportNotShutDown = (supervisor: Entry, child: Reported, entry: Entry): void =>
  log(supervisor, "Error", () => {
    const reason = presentReason(entry.reason!)
    return {
      title: `child ${child.spec.id} ended with ${reason} when it was told to shut down`,
      details: detailsOf(supervisor, child, { reason })
    }
  })

/** It takes exits and requests, and nothing else. */
export const reportStranger = (supervisor: Entry, message: unknown): void =>
  log(supervisor, "Error", () => ({
    title: "a supervisor got a message that it does not understand",
    details: { supervisor: describe(supervisor), message }
  }))
