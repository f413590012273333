import { assert, describe, it } from "@effect/vitest"
import * as Mailbox from "../../src/internal/mailbox.ts"
import { listen, setSuspended, shiftUrgent, System } from "../../src/internal/serverSystem.ts"

const node = (kind: Mailbox.Kind): Mailbox.MailNode => ({ kind, message: undefined, next: undefined })

describe("shiftUrgent", () => {
  it("takes what is urgent from the middle, and looks at each of the others once", () => {
    const mailbox: Mailbox.Mailbox = { head: undefined, tail: undefined, length: 0 }
    const system = new System()
    let looks = 0
    const isUrgent = ({ kind }: Mailbox.MailNode) => {
      looks++
      return kind === Mailbox.system
    }
    for (let i = 0; i < 1000; i++) {
      Mailbox.push(mailbox, node(Mailbox.cast))
      assert.isUndefined(shiftUrgent(mailbox, system, isUrgent))
      const request = node(Mailbox.system)
      Mailbox.push(mailbox, request)
      assert.strictEqual(shiftUrgent(mailbox, system, isUrgent), request)
    }
    assert.strictEqual(looks, 2000)
    assert.strictEqual(mailbox.length, 1000)
  })

  it("looks at all of it again when what it has seen was taken away", () => {
    const mailbox: Mailbox.Mailbox = { head: undefined, tail: undefined, length: 0 }
    const system = new System()
    const [first, second, request] = [node(Mailbox.cast), node(Mailbox.cast), node(Mailbox.system)]
    const next = () => shiftUrgent(mailbox, system, ({ kind }) => kind === Mailbox.system)
    Mailbox.push(mailbox, first)
    assert.isUndefined(next())
    Mailbox.removeWhere(mailbox, () => true)
    Mailbox.push(mailbox, request)
    Mailbox.push(mailbox, second)
    assert.strictEqual(next(), request)
    assert.isUndefined(next())
    assert.strictEqual(mailbox.head, second)
    assert.strictEqual(mailbox.tail, second)
  })
})

describe("a server that goes on", () => {
  it("holds nothing for having been suspended", () => {
    const server: { system: System | undefined } = { system: undefined }
    setSuspended(server, true)
    assert.isTrue(server.system?.suspended)
    setSuspended(server, false)
    assert.isUndefined(server.system)
  })

  it("does not hold what it has seen", () => {
    const system = new System()
    const mailbox: Mailbox.Mailbox = { head: undefined, tail: undefined, length: 0 }
    listen({ system }, { key: "listener", tell: () => {} })
    Mailbox.push(mailbox, node(Mailbox.cast))
    shiftUrgent(mailbox, system, () => false)
    assert.strictEqual(system.seen, mailbox.head)
    setSuspended({ system }, false)
    assert.isUndefined(system.seen)
  })
})
