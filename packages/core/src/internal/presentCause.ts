/**
 * A Cause and an exit reason as they may be logged.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import { isRedactable } from "effect/Redactable"
import * as ExitReason from "../ExitReason.ts"
import { cut, present } from "./present.ts"

const maxReasons = 10
const maxLinks = 10
const maxMessage = 1000
const maxStack = 8192

/**
 * The same reasons where they can be printed as they are, so that a logger finds the very error that was thrown. Whatever is too
 * long, no error, or throws when it is looked at, is replaced by a view of it.
 */
export const presentCause = (cause: Cause.Cause<unknown>): Cause.Cause<unknown> =>
  Cause.fromReasons(cause.reasons.slice(0, maxReasons).map(presentReasonOfCause))

const presentReasonOfCause = (reason: Cause.Reason<unknown>): Cause.Reason<unknown> => {
  if (reason._tag === "Interrupt") return reason
  const error = reason._tag === "Fail" ? reason.error : reason.defect
  const shown = presentError(error, maxLinks)
  if (shown === error) return reason
  return reason._tag === "Fail" ? Cause.makeFailReason(shown) : Cause.makeDieReason(shown)
}

/** The error itself, or what stands for it. What Effect prints of one is its message, its stack, and those of its cause. */
const presentError = (error: unknown, links: number): unknown => {
  if (typeof error === "string") return cut(error, maxMessage)
  try {
    if (!(error instanceof Error) || isRedactable(error)) return present(error)
    const { cause, message, name, stack = "" } = error
    const shown = cause === undefined || links > 0 ? presentError(cause, links - 1) : "…"
    const properties = Object.values(Object.getOwnPropertyDescriptors(error))
    if (
      shown === cause && message.length <= maxMessage && stack.length <= maxStack &&
      properties.every(({ enumerable, get }) => !enumerable || get === undefined)
    ) return error
    const copy = new Error(cut(String(message), maxMessage), { cause: shown })
    copy.name = String(name)
    const frames = stack.search(/\n\s+at /)
    copy.stack = `${copy.name}: ${copy.message}${frames < 0 ? "" : cut(stack.slice(frames), maxStack)}`
    return copy
  } catch {
    return "[threw]"
  }
}

const maxReason = 300

/** An exit reason in one short line. */
export const presentReason = (reason: ExitReason.ExitReason): string => {
  try {
    return cut(ExitReason.format(plain(reason)).replace(/\s*\n\s*/g, " "), maxReason)
  } catch {
    return reason._tag
  }
}

const plain = (reason: ExitReason.ExitReason): ExitReason.ExitReason =>
  reason._tag === "Crashed"
    ? ExitReason.crashed(presentCause(reason.cause))
    : "term" in reason
    ? { ...reason, term: present(reason.term) }
    : reason
