import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as scale from "../../../../test-scale.ts"
import { plan, type Strategy } from "../../src/internal/restartPlan.ts"

/** Child by child: is it touched by the failure of the one at `failed`? */
const touched = (strategy: Strategy, index: number, failed: number): boolean => {
  if (index === failed) return true
  if (strategy === "one_for_all") return true
  return strategy === "rest_for_one" && index > failed
}

const inputs = {
  strategy: Schema.Literals(["one_for_one", "one_for_all", "rest_for_one"]),
  size: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 50 })),
  at: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 49 }))
}

describe("restartPlan", () => {
  it.prop("stops and starts exactly those that are touched, in reverse order and in order", inputs, (input) => {
    const failed = input.at % input.size
    const children = Array.from({ length: input.size }, (_, index) => index)
    const expected = children.filter((index) => touched(input.strategy, index, failed))
    const { start, stop } = plan(input.strategy, children.values(), failed)
    assert.deepStrictEqual(start, expected)
    assert.deepStrictEqual(stop, expected.filter((index) => index !== failed).reverse())
  }, { arbitrary: { runs: scale.cases } })

  it("one_for_one does not look at the other children", () => {
    const children = { [Symbol.iterator]: () => assert.fail("it looked") }
    assert.deepStrictEqual(plan("one_for_one", children, "a"), { stop: [], start: ["a"] })
  })
})
