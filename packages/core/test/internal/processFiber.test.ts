import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { load, processFiber } from "../../src/internal/processFiber.ts"

const internals = Object.getPrototypeOf(Effect.runFork(Effect.void)) as Record<string, unknown>

/** What is used of an Effect in which something that is not public has changed. */
const loadWith = (name: string, value: unknown) => {
  const original = Object.getOwnPropertyDescriptor(internals, name)!
  Object.defineProperty(internals, name, { ...original, value })
  try {
    return load()
  } finally {
    Object.defineProperty(internals, name, original)
  }
}

const publicApiOnly = process.env["EFFECT_OTP_PUBLIC_API"] === "1"

describe("processFiber", () => {
  it("works with this version of Effect, and is not used where only its public API shall be", () => {
    assert.strictEqual(processFiber === undefined, publicApiOnly)
  })

  const original = internals as Record<string, (...args: ReadonlyArray<unknown>) => unknown>
  const { succeedWith, yieldWith } = original

  const changes: ReadonlyArray<readonly [what: string, name: string, value: unknown]> = [
    ["succeedWith is gone", "succeedWith", undefined],
    ["succeedWith loses the value", "succeedWith", function(this: unknown) {
      return succeedWith!.call(this, undefined)
    }],
    ["what a fiber has yielded with is not what it was given", "yieldWith", function(this: unknown, value: unknown) {
      return yieldWith!.call(this, typeof value === "function" ? () => value() : value)
    }]
  ]
  for (const [what, name, value] of changes) {
    it(`falls back when ${what}`, () => assert.strictEqual(loadWith(name, value), undefined))
  }

  it("is there again when all is as it was", () => {
    assert.strictEqual(load() === undefined, publicApiOnly)
  })
})
