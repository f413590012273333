import { assert, it } from "@effect/vitest"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"
import * as Table from "../../src/internal/registryTable.ts"

const pids = [{ name: "a" }, { name: "b" }, { name: "c" }].map((pid) => Equal.byReference(pid))

// Equal keys are other objects each time.
const keyOf = (n: number): unknown => n === 0 ? "plain" : n === 1 ? ["room", 1] : { room: n }

const Step = Schema.Struct({
  verb: Schema.Literals(["add", "replace", "remove"]),
  key: Schema.Literals([0, 1, 2]),
  pid: Schema.Literals([0, 1, 2]),
  value: Schema.Int
})

it.prop(
  "is what a list of its items says, whatever is added, replaced and removed",
  [Schema.Array(Step)],
  ([steps]) => {
    const table = Table.make<Table.Item, Table.Held>(() => ({ items: undefined }))
    const model: Array<Table.Item> = []
    for (const step of steps) {
      const [key, pid] = [keyOf(step.key), pids[step.pid]!]
      const item = { key, pid, value: step.value }
      const isHolder = () => model.some((item) => item.pid === pid)
      const held = table.byPid.get(pid)
      if (step.verb === "add") {
        const first = isHolder() ? undefined : { items: item }
        assert.deepStrictEqual(Table.add(table, item), first, "what it holds if it is the first")
        model.push(item)
      }
      const found = model.find((item) => Equal.equals(item.key, key) && item.pid === pid)
      if (step.verb === "replace" && found !== undefined) {
        Table.replace(table, found, item)
        assert.strictEqual(table.byPid.get(pid), held)
        model.splice(model.indexOf(found), 1)
        model.push(item)
      }
      if (step.verb === "remove" && found !== undefined) {
        model.splice(model.indexOf(found), 1)
        assert.strictEqual(Table.remove(table, found), isHolder() ? undefined : held, "what it held if it was the last")
      }
      const same = (actual: ReadonlyArray<Table.Item>, expected: ReadonlyArray<Table.Item>) => {
        assert.strictEqual(actual.length, expected.length)
        assert.isTrue(expected.every((item) => actual.includes(item)))
      }
      assert.strictEqual(table.size, model.length)
      same(Table.toArray(table), model)
      for (const n of [0, 1, 2]) {
        const ofKey = model.filter((item) => Equal.equals(item.key, keyOf(n)))
        assert.deepStrictEqual(Table.ofKey(table, keyOf(n)), ofKey, "oldest first")
        assert.strictEqual(Table.first(table, keyOf(n)), ofKey[0])
        for (const pid of pids) same(Table.ofBoth(table, keyOf(n), pid), ofKey.filter((item) => item.pid === pid))
      }
      for (const pid of pids) same(Table.ofPid(table, pid), model.filter((item) => item.pid === pid))
      const keys = [0, 1, 2].filter((n) => model.some((item) => Equal.equals(item.key, keyOf(n))))
      assert.strictEqual(Table.keys(table).length, keys.length)
      assert.strictEqual(table.byPid.size, new Set(model.map(({ pid }) => pid)).size)
    }
  }
)
