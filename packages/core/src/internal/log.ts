/**
 * Log entries of a process that cost nothing as long as their level is off: an entry is made when it is sure to be read.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"
import { CurrentLogAnnotations, MinimumLogLevel } from "effect/References"
import { present } from "./present.ts"
import { presentCause } from "./presentCause.ts"
import type { Entry } from "./processTable.ts"

export interface LogEntry {
  /** What has happened, in one line. */
  readonly title: string
  /**
   * Logged as annotations, which every logger shows in its best form: a line each, `key=value`, a JSON object, the
   * attributes of an event. What is undefined is left out, and what is not plain data is presented.
   */
  readonly details?: { readonly [key: string]: unknown }
  readonly cause?: Cause.Cause<unknown> | undefined
}

/**
 * Logs with the loggers, annotations and level that the process was started with.
 *
 * In a fiber of its own that ends before this returns: what is Redacted finds the context of the process, the process is
 * as it was when the entry was asked for, and a logger that throws hurts nobody.
 */
export const log = (entry: Pick<Entry, "context">, level: LogLevel.Severity, make: () => LogEntry): void => {
  const { context } = entry
  if (LogLevel.isGreaterThan(Context.get(context, MinimumLogLevel), level)) return
  Effect.runSyncExitWith(context)(Effect.suspend(() => {
    const { cause = Cause.empty, details = {}, title } = make()
    const shown: Record<string, unknown> = {}
    for (const key of Object.keys(details)) if (details[key] !== undefined) shown[key] = present(details[key])
    const logged = Effect.logWithLevel(level)(title, presentCause(cause))
    // Its own come first and win, and those of the program stay.
    const inherited = Context.get(context, CurrentLogAnnotations)
    return Effect.provideService(logged, CurrentLogAnnotations, { ...shown, ...inherited, ...shown })
  }))
}
