import { Policy, SlidingWindow } from "@effect-otp/ratelimiter"
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { cases } from "../../../../test-scale.ts"
import * as Clients from "../../src/internal/clients.ts"

const makeClients = (limit: number, window: number) =>
  Clients.make(SlidingWindow, Policy.makeUnsafe({ limit, window: `${window} micros` }))

/** Who is remembered, oldest first, read in both directions. */
const remembered = (clients: Clients.Clients<SlidingWindow.State>): ReadonlyArray<string> => {
  const forward: Array<string> = []
  for (let client = clients.oldest; client; client = client.newer) forward.push(client.id)
  const backward: Array<string> = []
  for (let client = clients.newest; client; client = client.older) backward.unshift(client.id)
  assert.deepStrictEqual(forward, backward)
  assert.sameMembers([...clients.byId.keys()], forward)
  return forward
}

const whole = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

describe("clients", () => {
  it("are kept in order of their last allowed request", () => {
    const clients = makeClients(2, 100)
    Clients.check(clients, "a", 0)
    Clients.check(clients, "b", 1)
    Clients.check(clients, "c", 2)
    assert.deepStrictEqual(remembered(clients), ["a", "b", "c"])
    Clients.check(clients, "b", 3)
    assert.deepStrictEqual(remembered(clients), ["a", "c", "b"])
    Clients.check(clients, "b", 4)
    Clients.check(clients, "a", 5)
    assert.deepStrictEqual(remembered(clients), ["c", "b", "a"], "a refusal moves nobody")
  })

  it("are forgotten when a window has passed, and not before", () => {
    const clients = makeClients(2, 100)
    Clients.check(clients, "a", 0)
    Clients.check(clients, "b", 10)
    assert.strictEqual(Clients.nextIdleAfter(clients, 10), 90)
    Clients.forgetIdle(clients, 99, 10)
    assert.deepStrictEqual(remembered(clients), ["a", "b"])
    Clients.forgetIdle(clients, 100, 10)
    assert.deepStrictEqual(remembered(clients), ["b"])
    Clients.forgetIdle(clients, 110, 10)
    assert.deepStrictEqual(remembered(clients), [])
    assert.isUndefined(Clients.nextIdleAfter(clients, 110))
  })

  it("are forgotten a bounded number at a time, two with every check", () => {
    const clients = makeClients(1, 100)
    for (let i = 0; i < 10; i++) Clients.check(clients, `${i}`, i)
    Clients.check(clients, "x", 200)
    assert.deepStrictEqual(remembered(clients), ["2", "3", "4", "5", "6", "7", "8", "9", "x"])
    Clients.forgetIdle(clients, 200, 5)
    assert.deepStrictEqual(remembered(clients), ["7", "8", "9", "x"])
  })

  it("may have any id", () => {
    const ids = ["__proto__", "constructor", "toString", "hasOwnProperty", "", " ", "\0", "💥", "\ud800"]
    const clients = makeClients(1, 100)
    for (const id of ids) assert.isTrue(Clients.check(clients, id, 0).allowed, id)
    for (const id of ids) assert.isFalse(Clients.check(clients, id, 1).allowed, id)
    assert.strictEqual(Clients.size(clients), ids.length)
    assert.isTrue(Clients.look(clients, "valueOf", 1).allowed)
  })

  it("are not added by a look", () => {
    const clients = makeClients(3, 100)
    assert.strictEqual(Clients.look(clients, "a", 0).remaining, 3)
    assert.strictEqual(Clients.size(clients), 0)
  })

  it("can be forgotten by name, wherever they stand", () => {
    for (const id of ["a", "b", "c"]) {
      const clients = makeClients(1, 100)
      for (const client of ["a", "b", "c"]) Clients.check(clients, client, 0)
      Clients.forget(clients, id)
      assert.deepStrictEqual(remembered(clients), ["a", "b", "c"].filter((other) => other !== id))
      assert.isTrue(Clients.check(clients, id, 1).allowed)
    }
    const clients = makeClients(1, 100)
    Clients.forget(clients, "nobody")
    assert.strictEqual(Clients.size(clients), 0)
  })

  it("share one time, so that a clock that went backwards forgives no forgotten client", () => {
    const clients = makeClients(1, 100)
    Clients.check(clients, "a", 0)
    Clients.forgetIdle(clients, 100, 10)
    Clients.check(clients, "a", 50)
    Clients.forgetIdle(clients, 150, 10)
    assert.deepStrictEqual(remembered(clients), ["a"])
    assert.isFalse(Clients.check(clients, "a", 150).allowed)
    assert.isTrue(Clients.check(clients, "a", 200).allowed)
  })

  it.prop("decide one by one as if each had its own state, and whoever is idle comes first", {
    limit: whole(1, 4),
    window: whole(1, 60),
    requests: Arbitrary.array(Arbitrary.all([whole(0, 9), whole(0, 20), whole(0, 9)]), { maxLength: 120 })
  }, ({ limit, requests, window }) => {
    const clients = makeClients(limit, window)
    const alone = new Map<number, SlidingWindow.State>()
    let now = 0
    for (const [client, gap, action] of requests) {
      now += gap
      if (!alone.has(client)) alone.set(client, SlidingWindow.initial())
      if (action === 0) {
        Clients.forget(clients, `${client}`)
        alone.delete(client)
      } else {
        const state = alone.get(client)!
        assert.deepStrictEqual(
          Clients.look(clients, `${client}`, now),
          SlidingWindow.look(clients.policy, state, now)
        )
        assert.deepStrictEqual(
          Clients.check(clients, `${client}`, now),
          SlidingWindow.step(clients.policy, state, now)
        )
      }
      const idle = remembered(clients).map((id) =>
        SlidingWindow.idleAfter(clients.policy, clients.byId.get(id)!.state, now)
      )
      assert.deepStrictEqual(idle, idle.toSorted((a, b) => a - b))
    }
    Clients.forgetIdle(clients, now + window, Infinity)
    assert.strictEqual(Clients.size(clients), 0)
  }, { timeout: 120_000, arbitrary: { runs: cases, size: 120 } })
})
