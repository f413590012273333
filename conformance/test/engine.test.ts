/** The engine itself: scenarios that can be had again, runs that can be compared, and differences made small. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { by, exit, outside, send, spawn, take } from "../src/Build.ts"
import * as Compare from "../src/Compare.ts"
import * as Generator from "../src/Generator.ts"
import * as Interpreter from "../src/Interpreter.ts"
import * as Report from "../src/Report.ts"
import type * as Scenario from "../src/Scenario.ts"
import { shrink } from "../src/Shrink.ts"
import * as Trace from "../src/Trace.ts"

const some = (seed: number) => Array.from({ length: 50 }, (_, i) => Generator.scenario(seed, i))

describe("random scenarios", () => {
  it("are the same ones for the same seed, and others for another", () => {
    assert.deepStrictEqual(some(3), some(3))
    assert.notDeepEqual(some(3), some(4))
  })

  it.live("are run alike each time", () =>
    Effect.forEach(some(5), (scenario) =>
      Effect.gen(function*() {
        const [first, second] = [yield* Interpreter.run(scenario, "test"), yield* Interpreter.run(scenario, "test")]
        assert.deepStrictEqual(first, second)
      })), 60_000)
})

describe("a difference", () => {
  const kills = (scenario: Scenario.Scenario): boolean =>
    scenario.some((step) =>
      !("advance" in step) && step.some((part) => part.do.some((each) => each.do === "exit" && each.reason === "kill"))
    )

  it.effect("is shown by the smallest scenario that has it", () =>
    Effect.gen(function*() {
      const large = some(1).filter(kills)
      assert.isAbove(large.length, 5)
      for (const scenario of large) {
        const smallest = yield* shrink(scenario, (each) => Effect.succeed(kills(each)))
        assert.deepStrictEqual(
          smallest.map((step) => "advance" in step ? step : step.map((part) => part.do.map((each) => each.do))),
          [[["exit"]]]
        )
      }
    }))

  it.effect("is looked for no longer than it was said", () =>
    Effect.gen(function*() {
      let asked = 0
      const scenario = some(1).find((each) => each.length > 5)!
      yield* shrink(scenario, () => Effect.sync(() => ++asked < 0), 7)
      assert.strictEqual(asked, 7)
    }))

  const scenario: Scenario.Scenario = [
    outside(spawn("p1"), spawn("p2")),
    by("p1", send("p2", "m")),
    by("p2", take),
    outside(exit("p1", "x"))
  ]

  it.live("is found in one line, and printed beside what the BEAM did", () =>
    Effect.gen(function*() {
      const [own] = yield* Compare.ours(scenario)
      assert.isUndefined(Compare.firstDifference([own!], [own!]))
      const other = own!.with(3, own![3]!.map((line) => line.replace("ended: x", "ended: killed")))
      assert.isFalse(Trace.isEqual(own!, other))
      assert.strictEqual(Compare.firstDifference([own!], [other]), own)
      assert.match(Report.sideBySide(scenario, other, own!), /p1 ended: killed +\| +p1 ended: x/)
    }))

  it.live("is nothing that is not ordered on the BEAM", () =>
    Effect.gen(function*() {
      // Who is told first of the end of two.
      const both: Scenario.Scenario = [
        outside(spawn("p1"), spawn("p2")),
        by("p1", { do: "link", to: "p2" }),
        outside(exit("p1", "x"))
      ]
      const raw = yield* Interpreter.run(both, "test")
      const ends = raw[2]!.filter(([what]) => what === "ended")
      const turned = raw.with(2, [...raw[2]!.filter(([what]) => what !== "ended"), ...ends.toReversed()])
      assert.strictEqual(ends.length, 2)
      assert.isTrue(Trace.isEqual(Trace.normalize(raw), Trace.normalize(turned)))
    }))
})
