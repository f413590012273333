import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as scale from "../../../../test-scale.ts"
import * as RestartIntensity from "../../src/internal/restartIntensity.ts"

const from = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** What OTP does: all restarts in a list, those too old dropped, the rest counted. */
const oracle = (maxRestarts: number, withinMillis: number) => {
  let restarts: ReadonlyArray<number> = []
  return (now: number): boolean => {
    restarts = [now, ...restarts].filter((time) => time >= now - withinMillis)
    return restarts.length <= maxRestarts
  }
}

const inputs = {
  maxRestarts: from(0, 6),
  withinMillis: from(1, 50),
  gaps: Schema.Array(from(0, 30)).check(Schema.isMaxLength(100))
}

describe("restartIntensity", () => {
  it.prop(
    "decides as OTP's list of restarts does, up to the restart that is one too many",
    inputs,
    ({ gaps, maxRestarts, withinMillis }) => {
      const history = RestartIntensity.make()
      const expected = oracle(maxRestarts, withinMillis)
      let now = 1_000_000
      for (const gap of gaps) {
        now += gap
        const allowed = expected(now)
        assert.strictEqual(RestartIntensity.record(history, { maxRestarts, withinMillis }, now), allowed)
        if (!allowed) break
      }
    },
    { arbitrary: { runs: scale.cases } }
  )

  it.prop("counts the restarts that are within the window", inputs, ({ gaps, maxRestarts, withinMillis }) => {
    const history = RestartIntensity.make()
    const intensity = { maxRestarts, withinMillis }
    let now = 0
    for (const gap of gaps) {
      RestartIntensity.record(history, intensity, now += gap)
      const within = history.times.filter((time) => now - time <= withinMillis)
      assert.strictEqual(RestartIntensity.countWithin(history, intensity, now), within.length)
    }
  }, { arbitrary: { runs: scale.cases } })

  it.prop("keeps no more times than there may be restarts", inputs, ({ gaps, maxRestarts, withinMillis }) => {
    const history = RestartIntensity.make()
    let now = 0
    for (const gap of gaps) RestartIntensity.record(history, { maxRestarts, withinMillis }, now += gap)
    assert.isAtMost(history.times.length, maxRestarts)
  }, { arbitrary: { runs: scale.cases } })

  it("SV-040 a restart exactly so long ago still counts, one millisecond more and it does not", () => {
    const intensity = { maxRestarts: 1, withinMillis: 10 }
    const history = RestartIntensity.make()
    assert.isTrue(RestartIntensity.record(history, intensity, 0))
    assert.isFalse(RestartIntensity.record(history, intensity, 10))
    assert.isTrue(RestartIntensity.record(history, intensity, 11))
  })

  it("SV-038 an intensity of 0 allows none", () => {
    assert.isFalse(RestartIntensity.record(RestartIntensity.make(), { maxRestarts: 0, withinMillis: 10 }, 0))
  })
})
