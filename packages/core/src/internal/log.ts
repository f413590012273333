/**
 * Log entries of a process that cost nothing as long as their level is off: the message is made when it is sure to be read.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"
import { MinimumLogLevel } from "effect/References"
import type { Entry } from "./processTable.ts"

/** Logs with the loggers, annotations and level that the process was started with. */
export const log = (
  entry: Pick<Entry, "context">,
  level: LogLevel.Severity,
  message: () => ReadonlyArray<unknown>
): void => {
  if (LogLevel.isGreaterThan(Context.get(entry.context, MinimumLogLevel), level)) return
  Effect.runForkWith(entry.context)(Effect.logWithLevel(level)(...message()))
}
