/**
 * What callers hand in, checked at the door. A refused value is the caller's defect, and says which field it was.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import { format } from "effect/Formatter"
import type { ExitReason } from "../ExitReason.ts"

/** What a refused value is, for who is told of it and does not die of it. */
export const refusal = (what: string, expected: string, actual: unknown): TypeError =>
  new TypeError(`${what}: expected ${expected}, got ${format(actual)}`)

const refuse = (what: string, expected: string, actual: unknown): never => {
  throw refusal(what, expected, actual)
}

/** A time in milliseconds: zero or more, and possibly Infinity. */
export const millis = (what: string, input: Duration.Input): number => {
  // Duration turns a negative or a NaN number into zero; a caller who passes one has made a mistake.
  if (typeof input === "number" ? !(input >= 0) : typeof input === "bigint" && input < 0) {
    return refuse(what, "a duration of zero or more", input)
  }
  const duration = Duration.fromInput(input)
  if (duration._tag === "None") return refuse(what, "a duration", input)
  const value = Duration.toMillis(duration.value)
  return value >= 0 ? value : refuse(what, "a duration of zero or more", input)
}

/** A whole number of zero or more. */
export const count = (what: string, input: number): number =>
  Number.isSafeInteger(input) && input >= 0 ? input : refuse(what, "a whole number of zero or more", input)

const reasons: Record<ExitReason["_tag"], true> = {
  Normal: true,
  Shutdown: true,
  Kill: true,
  Killed: true,
  NoProcess: true,
  NoConnection: true,
  Crashed: true,
  Custom: true
}

/** Why a process ends. A term of the application's own goes into `ExitReason.custom`. */
export const exitReason = (what: string, input: ExitReason): ExitReason =>
  check(what, "an ExitReason", typeof input === "object" && input !== null && Object.hasOwn(reasons, input._tag), input)

/** One of a few words. */
export const oneOf = <const A extends string>(what: string, allowed: ReadonlyArray<A>, input: A): A =>
  allowed.includes(input) ? input : refuse(what, allowed.map((word) => format(word)).join(" or "), input)

/** A string that is not empty. */
export const nonEmpty = (what: string, input: string): string =>
  typeof input === "string" && input.length > 0 ? input : refuse(what, "a string that is not empty", input)

/** A time in milliseconds that is more than zero. */
export const positiveMillis = (what: string, input: Duration.Input): number => {
  const value = millis(what, input)
  return value > 0 ? value : refuse(what, "a duration of more than zero", input)
}

/** Anything, of which the caller knows whether it is what it should be. */
export const check = <A>(what: string, expected: string, holds: boolean, input: A): A =>
  holds ? input : refuse(what, expected, input)

/** An object, such as options. */
export const object = <A>(what: string, input: A): A =>
  check(what, "an object", typeof input === "object" && input !== null, input)

/** Options of which none is unknown. */
export const options = <A extends object>(known: ReadonlyArray<keyof A & string>, input: A): A => {
  object("options", input)
  for (const key of Object.keys(input)) oneOf("option", known, key as keyof A & string)
  return input
}
