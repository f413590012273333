import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as scale from "../../../../test-scale.ts"
import { admit, type Decision, policies, type Policy } from "../../src/internal/admission.ts"

const load = Schema.Struct({
  capacity: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4 })),
  queued: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4 })),
  senderWaits: Schema.Boolean
})

describe("admission", () => {
  it.each<readonly [Policy, told: Decision, untold: Decision]>([
    ["suspend", "wait", "dropNewest"],
    ["fail", "refuse", "dropNewest"],
    ["dropNewest", "dropNewest", "dropNewest"],
    ["dropOldest", "dropOldest", "dropOldest"]
  ])("%s: a sender %s, a timer %s", (policy, told, untold) => {
    const full = { capacity: 2, queued: 2, senderWaits: false }
    assert.strictEqual(admit(policy, full, true), told)
    assert.strictEqual(admit(policy, full, false), untold)
  })

  it("nobody overtakes who waits, and a timer cannot wait", () => {
    const room = { capacity: 2, queued: 1, senderWaits: true }
    assert.strictEqual(admit("suspend", room, true), "wait")
    assert.strictEqual(admit("suspend", room, false), "accept")
  })

  it.prop(
    "accepts whenever there is room and nobody waits, and never when there is none",
    { policy: Schema.Literals(policies), load, canBeTold: Schema.Boolean },
    ({ canBeTold, load, policy }) => {
      const decision = admit(policy, load, canBeTold)
      if (load.queued >= load.capacity) assert.notStrictEqual(decision, "accept")
      else if (!load.senderWaits) assert.strictEqual(decision, "accept")
      // Nothing happens to a timer that somebody would have to be told of.
      if (!canBeTold) assert.notInclude(["wait", "refuse"], decision)
    },
    { arbitrary: { runs: scale.cases } }
  )
})
