/**
 * What is told when a process crashes: one structured entry for Effect's logger.
 *
 * Only the crash of the process itself is reported. Who ends by a signal, normally or in order has nothing to tell.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import * as ExitReason from "../ExitReason.ts"
import { log } from "./log.ts"
import { ancestorsOf, describe, type Entry } from "./processTable.ts"

/** What a server adds. */
export interface CrashDetails {
  readonly server: string
  readonly lastMessage: unknown
  readonly state: unknown
}

export const reportCrash = (entry: Entry, reason: ExitReason.ExitReason, details?: () => CrashDetails): void =>
  log(entry, "Error", () => {
    const added = details?.()
    const report = {
      pid: entry.toString(),
      ...(entry.name === undefined ? {} : { name: entry.name.toString() }),
      ...(entry.label === undefined ? {} : { label: entry.label }),
      ...added,
      reason: reason._tag === "Crashed" ? "Crashed" : ExitReason.format(reason),
      mailboxLength: entry.length,
      ancestors: ancestorsOf(entry)
    }
    const title = `${added?.server ?? "process"} ${describe(entry)} crashed`
    return reason._tag === "Crashed" ? [title, report, reason.cause] : [title, report]
  })

/**
 * A defect in a finalizer of a process that is ending, which changes nothing of its reason any more. A typed failure is no
 * finalizer's, and the rest of a cause that a signal has made is the interruption.
 */
export const reportFinalizer = (entry: Entry, exit: Exit.Exit<unknown, unknown>): void => {
  if (exit._tag === "Success" || !Cause.hasDies(exit.cause)) return
  log(entry, "Error", () => [
    `process ${describe(entry)} crashed while it ended (${ExitReason.format(entry.reason!)})`,
    { pid: entry.toString(), reason: ExitReason.format(entry.reason!), ancestors: ancestorsOf(entry) },
    exit.cause
  ])
}

/** A message that a server does not take is dropped, with a warning. */
export const reportUnexpected = (entry: Entry, server: string, message: unknown): void =>
  log(entry, "Warn", () => [`${server} ${describe(entry)} got a message that it has no info callback for`, message])
