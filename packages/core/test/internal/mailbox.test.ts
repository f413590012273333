import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as scale from "../../../../test-scale.ts"
import * as Mailbox from "../../src/internal/mailbox.ts"

const steps = Schema.Array(Schema.Struct({
  what: Schema.Literals(["push", "push", "push", "shift", "remove", "removeWhere", "clear"]),
  /** Which node to remove, or which residue. */
  which: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))
})).check(Schema.isMaxLength(60))

const node = (message: unknown): Mailbox.MailNode => ({ kind: Mailbox.user, message, next: undefined })

const messages = (head: Mailbox.MailNode | undefined): ReadonlyArray<unknown> => {
  const all: Array<unknown> = []
  for (let node = head; node !== undefined; node = node.next) all.push(node.message)
  return all
}

/** The node at an index, with the one before it. */
const at = (mailbox: Mailbox.Mailbox, index: number) => {
  let previous: Mailbox.MailNode | undefined
  let node = mailbox.head!
  for (let i = 0; i < index; i++) {
    previous = node
    node = node.next!
  }
  return [previous, node] as const
}

describe("Mailbox", () => {
  it.prop("keeps order as an array does, whatever is taken out of the middle", { steps }, ({ steps }) => {
    const mailbox: Mailbox.Mailbox = { head: undefined, tail: undefined, length: 0 }
    let model: Array<number> = []
    let pushed = 0
    for (const { what, which } of steps) {
      if (what === "push") {
        model.push(pushed)
        Mailbox.push(mailbox, node(pushed++))
      } else if (what === "shift") {
        assert.strictEqual(Mailbox.shift(mailbox)?.message, model.shift())
      } else if (what === "remove" && model.length > 0) {
        const index = which % model.length
        const [previous, removed] = at(mailbox, index)
        Mailbox.remove(mailbox, previous, removed)
        assert.strictEqual(removed.message, model.splice(index, 1)[0])
        assert.isUndefined(removed.next)
      } else if (what === "removeWhere") {
        // Neighbours match together.
        const matches = (message: number) => (message >> 1) % 3 === which % 3
        Mailbox.removeWhere(mailbox, (node) => matches(node.message as number))
        model = model.filter((message) => !matches(message))
      } else if (what === "clear") {
        assert.deepStrictEqual(messages(Mailbox.clear(mailbox)), model)
        model = []
      }
      assert.deepStrictEqual(messages(mailbox.head), model)
      assert.strictEqual(mailbox.length, model.length)
      assert.strictEqual(mailbox.tail?.message, model.at(-1))
      assert.isUndefined(mailbox.tail?.next)
    }
  }, { arbitrary: { runs: scale.cases } })
})
