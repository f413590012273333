import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as scale from "../../../../test-scale.ts"
import * as FewSet from "../../src/internal/fewSet.ts"

const values = Array.from({ length: 5 }, (_, id) => ({ id }))

const steps = Schema.Array(Schema.Struct({
  what: Schema.Literals(["add", "add", "remove"]),
  which: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: values.length - 1 }))
}))

describe("FewSet", () => {
  it.prop("holds what a Set would hold", { steps }, ({ steps }) => {
    const model = new Set<{ readonly id: number }>()
    let actual: FewSet.FewSet<{ readonly id: number }>
    for (const { what, which } of steps) {
      const value = values[which]!
      if (what === "add") model.add(value)
      else model.delete(value)
      actual = what === "add" ? FewSet.add(actual, value) : FewSet.remove(actual, value)

      assert.sameMembers(FewSet.toArray(actual), [...model])
      for (const each of values) assert.strictEqual(FewSet.has(actual, each), model.has(each))
      const visited: Array<{ readonly id: number }> = []
      FewSet.forEach(actual, (each) => visited.push(each))
      assert.sameMembers(visited, [...model])
      if (model.size === 0) assert.isUndefined(actual)
    }
  }, { arbitrary: { runs: scale.cases } })

  it("costs no Set until it has two members", () => {
    const one = FewSet.add(undefined, values[0]!)
    assert.strictEqual(one, values[0])
    assert.strictEqual(FewSet.add(one, values[0]!), values[0])
    assert.instanceOf(FewSet.add(one, values[1]!), Set)
  })
})
