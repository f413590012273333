/**
 * What a step of the tour promises, and whether it came true.
 */
import { isDeepStrictEqual } from "node:util"

export interface Claim {
  readonly label: string
  readonly holds: boolean
  /** Why it does not hold; not shown when it does. */
  readonly detail: string
}

/** A claim that holds if `condition` does. */
export const that = (label: string, condition: boolean, detail = "it is not so"): Claim => ({
  label,
  holds: condition,
  detail
})

/** A claim that holds if what happened equals what should have happened. */
export const equal = <A>(label: string, actual: A, expected: A): Claim =>
  that(label, isDeepStrictEqual(actual, expected), `expected ${format(expected)}, got ${format(actual)}`)

const format = (value: unknown): string => typeof value === "string" ? value : JSON.stringify(value) ?? String(value)
