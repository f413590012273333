/** What the `// =>` comments of the documentation become; see `fences.ts`. */
import { assert } from "@effect/vitest"
import * as Equal from "effect/Equal"
import { inspect, isDeepStrictEqual } from "node:util"

/** The promises that were asserted about; whoever runs a fence waits for them. */
export const pending: Array<Promise<void>> = []

/** Fails unless the value, or what it is a promise of, is the expected one. */
export const is = <A>(actual: A, expected: unknown, where: string): A =>
  check(actual, (value) => {
    if (!matches(value, expected)) assert.fail(`${where} is ${inspect(value)}, not ${inspect(expected)}`)
  })

/** Fails unless the value, or what it is a promise of, prints as the expected text. */
export const prints = <A>(actual: A, expected: string, where: string): A =>
  check(actual, (value) => {
    if (String(value) !== expected && inspect(value) !== expected) {
      assert.fail(`${where} is ${inspect(value)}, not ${expected}`)
    }
  })

const check = <A>(actual: A, verify: (value: unknown) => void): A => {
  if (actual instanceof Promise) pending.push(actual.then(verify))
  else verify(actual)
  return actual
}

/** Equal for Effect, or the same structure, where a literal also stands for an instance of a class with such fields. */
const matches = (actual: unknown, expected: unknown): boolean => {
  if (Equal.equals(actual, expected) || isDeepStrictEqual(actual, expected)) return true
  if (Array.isArray(expected)) {
    return Array.isArray(actual) && actual.length === expected.length &&
      expected.every((item, index) => matches(actual[index], item))
  }
  if (!isObject(expected) || Object.getPrototypeOf(expected) !== Object.prototype || !isObject(actual)) return false
  const fields = new Set([...Object.keys(actual), ..."_tag" in actual ? ["_tag"] : []])
  return fields.size === Object.keys(expected).length &&
    [...fields].every((field) => field in expected && matches(actual[field], expected[field]))
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null
