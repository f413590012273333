import * as ExitReason from "@effect-otp/core/ExitReason"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import { decide, shutsDown } from "../../src/internal/restartDecision.ts"

const clean = [ExitReason.normal, ExitReason.shutdown(), ExitReason.shutdown("term")]
const dirty = [
  ExitReason.kill,
  ExitReason.killed,
  ExitReason.noProcess,
  ExitReason.noConnection,
  ExitReason.crashed(Cause.die("no")),
  ExitReason.custom("no"),
  // A term that only looks like a clean end.
  ExitReason.custom("normal"),
  ExitReason.custom(ExitReason.normal)
]

describe("restartDecision", () => {
  for (const reason of [...clean, ...dirty]) {
    const name = `${reason._tag} ${ExitReason.format(reason)}`
    it(`SV-030 permanent: restart after ${name}`, () => assert.strictEqual(decide("permanent", reason), "restart"))
    it(`SV-032 temporary: remove after ${name}`, () => assert.strictEqual(decide("temporary", reason), "remove"))
  }
  for (const reason of clean) {
    it(`SV-031 transient: keep after ${ExitReason.format(reason)}`, () =>
      assert.strictEqual(decide("transient", reason), "keep"))
  }
  for (const reason of dirty) {
    it(`SV-031 transient: restart after ${reason._tag} ${ExitReason.format(reason)}`, () =>
      assert.strictEqual(decide("transient", reason), "restart"))
  }

  it.each(
    [
      ["never", true, false, false],
      ["anySignificant", true, true, true],
      ["anySignificant", true, false, true],
      ["anySignificant", false, false, false],
      ["allSignificant", true, true, false],
      ["allSignificant", true, false, true],
      ["allSignificant", false, false, false]
    ] as const
  )(
    "%s: a child that is significant (%s) ends, others are left (%s): shut down is %s",
    (auto, significant, left, down) => {
      assert.strictEqual(shutsDown(auto, significant, () => left), down)
    }
  )
})
