/** What a report says of figures, tried on figures that are made up. */
import { assert, describe, it } from "@effect/vitest"
import type { Comparison } from "../src/Comparison.ts"
import { median, spread } from "../src/Statistics.ts"
import { systems } from "../src/System.ts"
import * as Target from "../src/Target.ts"
import { type Name, workloads } from "../src/Workload.ts"

describe("report", () => {
  /** Nanoseconds for each in some systems, `beam` being among them, and the heap of each. */
  const comparison = (name: Name, n: number, ns: Record<string, number>, heap?: number): Comparison => ({
    workload: workloads.find((workload) => workload.name === name)!,
    n,
    rows: Object.entries(ns).map(([system, nanos]) => ({
      _tag: "Measured",
      system: systems.find(({ name }) => name === system)!,
      nsPerOp: spread([nanos]),
      relative: ns.beam! / nanos,
      heapBytesPerProcess: heap
    }))
  })

  it("takes the middle of what was measured", () => {
    assert.strictEqual(median([3, 1, 2]), 2)
    assert.deepStrictEqual(spread([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4 })
  })

  it("says of each target whether it is met, and nothing of what was not run", () => {
    const call = comparison("call", 200_000, { beam: 2_000, "effect-otp": 500, "effect-otp-public": 501 })
    assert.deepStrictEqual(Target.reached([call]).rows, [
      ["call", "4.00 ×", "4 ×", "met", "3.99 ×", "4 ×", "not met", "8 ×"]
    ])
    const idle = comparison("idle", 100_000, { beam: 500, "effect-otp": 1_000 }, 900)
    assert.deepStrictEqual(Target.reached([idle]).rows, [
      ["idle, 100,000", "0.500 ×", "0.6 ×", "not met", "–", "0.3 ×", "–", "1 ×"],
      ["idle, 1,000,000", "–", "2 ×", "–", "–", "1 ×", "–", "3 ×"],
      ["idle, heap each", "900 B", "under 900 B", "not met", "–", "under 1,300 B", "–", "under 600 B"]
    ])
  })

  it("has a target for every workload, and for none twice", () => {
    const key = ({ measure, n, workload }: Target.Target) => `${workload} ${measure} ${n}`
    assert.strictEqual(new Set(Target.targets.map(key)).size, Target.targets.length)
    assert.sameMembers([...new Set(Target.targets.map(({ workload }) => workload))], workloads.map(({ name }) => name))
  })

  it("compares with the others where something is promised, and shows the ratio where nothing is", () => {
    const spawn = comparison("spawn", 200_000, { "effect-otp": 130, effect: 100, nact: 389 })
    const idle = comparison("idle", 100_000, { "effect-otp": 100, nact: 200 })
    const ratelimit = comparison("ratelimit", 200_000, {
      "effect-otp": 100,
      "effect-persistence": 300,
      "rate-limiter-flexible": 99
    })
    assert.deepStrictEqual(Target.compared([spawn, idle, ratelimit]).rows, [
      ["spawn", "0.769 ×, met", "2.99 ×, not met", "–", "–"],
      ["idle", "–", "2.00 ×", "–", "–"],
      ["ratelimit", "–", "–", "3.00 ×, met", "0.990 ×, not met"]
    ])
  })

  it("picks the size that stands for a workload, or else the largest", () => {
    const [small, main, large] = [1_000, 200_000, 1_000_000].map((n) => comparison("call", n, { beam: 1 }))
    assert.strictEqual(Target.pick([small!, main!, large!], { workload: "call" }), main)
    assert.strictEqual(Target.pick([small!, large!], { workload: "call" }), large)
    assert.strictEqual(Target.pick([small!, large!], { workload: "call", n: 200_000 }), undefined)
  })
})
