/**
 * Why a process ended, or is told to end.
 *
 * Three families decide what others do about it. `Normal` is a finished job. `Shutdown` is an ordered end. Everything else
 * is abnormal: it takes linked processes along, is reported, and makes a supervisor restart a `transient` child.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import { format as formatValue } from "effect/Formatter"

/**
 * The reason with which a process ends.
 *
 * **Details**
 *
 * | here | in Erlang | who gives it |
 * | --- | --- | --- |
 * | `Normal` | `normal` | a body that succeeded |
 * | `Shutdown { term? }` | `shutdown`, `{shutdown, Term}` | a supervisor, or an interruption from outside |
 * | `Kill` | `kill` | `Process.exit(pid, ExitReason.kill)`: it cannot be trapped |
 * | `Killed` | `killed` | what others see of a process that was ended by `Kill` |
 * | `NoProcess` | `noproc` | a link to, or a monitor of, a process that had ended before |
 * | `NoConnection` | `noconnection` | a process whose node cannot be reached |
 * | `Crashed { cause }` | `{Error, Stack}` | a body that failed or died, with its whole Cause |
 * | `Custom { term }` | any other term | your own code |
 *
 * @category models
 * @since 0.1.0
 */
export type ExitReason =
  | Normal
  | Shutdown
  | Kill
  | Killed
  | NoProcess
  | NoConnection
  | Crashed
  | Custom

/**
 * The job is done.
 *
 * @category models
 * @since 0.1.0
 */
export interface Normal {
  readonly _tag: "Normal"
}

/**
 * An ordered end, with an optional term that says more.
 *
 * @category models
 * @since 0.1.0
 */
export interface Shutdown {
  readonly _tag: "Shutdown"
  readonly term?: unknown
}

/**
 * The order to end at once, which cannot be trapped when it is sent with `Process.exit(pid, ExitReason.kill)`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Kill {
  readonly _tag: "Kill"
}

/**
 * Ended by `Kill`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Killed {
  readonly _tag: "Killed"
}

/**
 * There was no such process any more.
 *
 * @category models
 * @since 0.1.0
 */
export interface NoProcess {
  readonly _tag: "NoProcess"
}

/**
 * The node of the process cannot be reached.
 *
 * @category models
 * @since 0.1.0
 */
export interface NoConnection {
  readonly _tag: "NoConnection"
}

/**
 * The body failed or died.
 *
 * @category models
 * @since 0.1.0
 */
export interface Crashed {
  readonly _tag: "Crashed"
  readonly cause: Cause.Cause<unknown>
}

/**
 * A reason of the application's own.
 *
 * @category models
 * @since 0.1.0
 */
export interface Custom {
  readonly _tag: "Custom"
  readonly term: unknown
}

/**
 * The job is done.
 *
 * @category constructors
 * @since 0.1.0
 */
export const normal: Normal = { _tag: "Normal" }

/**
 * The order to end at once. Sent with `Process.exit` it cannot be trapped, and others see {@link killed}.
 *
 * @category constructors
 * @since 0.1.0
 */
export const kill: Kill = { _tag: "Kill" }

/**
 * Ended by {@link kill}.
 *
 * @category constructors
 * @since 0.1.0
 */
export const killed: Killed = { _tag: "Killed" }

/**
 * There was no such process any more.
 *
 * @category constructors
 * @since 0.1.0
 */
export const noProcess: NoProcess = { _tag: "NoProcess" }

/**
 * The node of the process cannot be reached.
 *
 * @category constructors
 * @since 0.1.0
 */
export const noConnection: NoConnection = { _tag: "NoConnection" }

const plainShutdown: Shutdown = { _tag: "Shutdown" }

/**
 * An ordered end: no report, and no restart of a `transient` child. With a term it says more, as `{shutdown, Term}` does.
 *
 * @category constructors
 * @since 0.1.0
 */
export const shutdown = (term?: unknown): Shutdown => term === undefined ? plainShutdown : { _tag: "Shutdown", term }

/**
 * The body failed or died with this Cause.
 *
 * @category constructors
 * @since 0.1.0
 */
export const crashed = (cause: Cause.Cause<unknown>): Crashed => ({ _tag: "Crashed", cause })

/**
 * A reason of the application's own. It is abnormal; for a clean end that carries a term use {@link shutdown}.
 *
 * @category constructors
 * @since 0.1.0
 */
export const custom = (term: unknown): Custom => ({ _tag: "Custom", term })

const is =
  <Tag extends ExitReason["_tag"]>(tag: Tag) => (self: ExitReason): self is Extract<ExitReason, { _tag: Tag }> =>
    self._tag === tag

/**
 * @category guards
 * @since 0.1.0
 */
export const isNormal: (self: ExitReason) => self is Normal = is("Normal")

/**
 * @category guards
 * @since 0.1.0
 */
export const isShutdown: (self: ExitReason) => self is Shutdown = is("Shutdown")

/**
 * @category guards
 * @since 0.1.0
 */
export const isKill: (self: ExitReason) => self is Kill = is("Kill")

/**
 * @category guards
 * @since 0.1.0
 */
export const isKilled: (self: ExitReason) => self is Killed = is("Killed")

/**
 * @category guards
 * @since 0.1.0
 */
export const isNoProcess: (self: ExitReason) => self is NoProcess = is("NoProcess")

/**
 * @category guards
 * @since 0.1.0
 */
export const isNoConnection: (self: ExitReason) => self is NoConnection = is("NoConnection")

/**
 * @category guards
 * @since 0.1.0
 */
export const isCrashed: (self: ExitReason) => self is Crashed = is("Crashed")

/**
 * @category guards
 * @since 0.1.0
 */
export const isCustom: (self: ExitReason) => self is Custom = is("Custom")

/**
 * Tells whether a reason is neither `Normal` nor `Shutdown`: what OTP reports, and what restarts a `transient` child.
 *
 * **Example**
 *
 * ```ts
 * import { ExitReason } from "@effect-otp/core"
 *
 * ExitReason.isAbnormal(ExitReason.shutdown("deploy")) // => false
 * ExitReason.isAbnormal(ExitReason.killed) // => true
 * ```
 *
 * @category predicates
 * @since 0.1.0
 */
export const isAbnormal = (self: ExitReason): boolean => self._tag !== "Normal" && self._tag !== "Shutdown"

/**
 * What the Exit of a process body means as a reason: success is `Normal`, an interruption `Shutdown`, and a failure or a
 * defect `Crashed` with the whole Cause.
 *
 * @category converting
 * @since 0.1.0
 */
export const fromExit = (exit: Exit.Exit<unknown, unknown>): ExitReason =>
  exit._tag === "Success" ? normal : Cause.hasInterruptsOnly(exit.cause) ? plainShutdown : crashed(exit.cause)

/**
 * A reason in one line, for messages and logs.
 *
 * @category formatting
 * @since 0.1.0
 */
export const format = (self: ExitReason): string => {
  switch (self._tag) {
    case "Crashed": {
      const error = Cause.squash(self.cause)
      return `Crashed: ${error instanceof Error ? `${error.name}: ${error.message}` : formatValue(error)}`
    }
    case "Custom":
      return formatValue(self.term)
    case "Shutdown":
      return self.term === undefined ? "Shutdown" : `Shutdown: ${formatValue(self.term)}`
    default:
      return self._tag
  }
}
