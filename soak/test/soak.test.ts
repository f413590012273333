import * as JobService from "@effect-otp/examples/job-service/JobService"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import * as scale from "../../test-scale.ts"
import { faults } from "../src/Fault.ts"
import * as Heap from "../src/Heap.ts"
import * as Report from "../src/Report.ts"
import * as Run from "../src/Run.ts"

const options = { service: JobService, every: Duration.seconds(1), seed: 7 }

/** What is the same in every run: all but how long it took, and the heap. */
const same = ({ cpu: _, heap: __, took: ___, ...report }: Report.Report) => report

describe("soak", () => {
  it.live(
    "simulated, with a fault every second: nothing is lost, and every fault is survived",
    () =>
      Effect.gen(function*() {
        const report = yield* Run.simulated({ ...options, duration: Duration.minutes(scale.soakMinutes) })
        assert.isUndefined(report.violation)
        const all = report.faults.at(-1)!
        assert.strictEqual(all.injected, scale.soakMinutes * 60)
        assert.isAbove(all.hit, 0.8 * all.injected)
        assert.strictEqual(all.survived, all.hit)
        for (const { fault, hit, survived } of report.faults) {
          if (scale.full) assert.isAbove(hit, 0, fault)
          assert.strictEqual(survived, hit, fault)
        }
        const { accepted, acknowledged, collected, done, gaveUp } = report.jobs
        assert.strictEqual(accepted, done + gaveUp)
        assert.isAbove(acknowledged, 0)
        assert.isAbove(collected, 0)
        assert.strictEqual(report.checks, scale.soakMinutes + 1)
        if (scale.full) assert.isBelow(report.heap.growth!, Heap.atMost)
      }),
    1_800_000
  )

  it.live("the same seed gives the same report, another one another", () =>
    Effect.gen(function*() {
      const run = (seed: number) => Effect.map(Run.simulated({ ...options, seed, duration: Duration.minutes(5) }), same)
      const first = yield* run(1)
      assert.deepStrictEqual(yield* run(1), first)
      assert.notDeepEqual(yield* run(2), first)
    }), 60_000)

  it.live("on the clock of the machine", () =>
    Effect.gen(function*() {
      const report = yield* Run.real({
        ...options,
        every: Duration.millis(50),
        duration: Duration.seconds(scale.soakSeconds)
      })
      assert.isUndefined(report.violation)
      const all = report.faults.at(-1)!
      assert.strictEqual(all.injected, scale.soakSeconds * 20)
      assert.strictEqual(all.survived, all.hit)
    }), 300_000)
})

describe("the report", () => {
  const report: Report.Report = {
    mode: "simulated",
    seed: 3,
    duration: 60_000,
    every: 500,
    lasted: 65_250,
    took: 1_234,
    cpu: 1_000,
    faults: [
      { fault: faults[0]!.name, injected: 1_200, hit: 1_100, survived: 1_100, median: 50, max: 1_500 },
      { fault: "never", injected: 0, hit: 0, survived: 0, median: 0, max: 0 }
    ],
    jobs: {
      accepted: 9,
      done: 8,
      gaveUp: 1,
      acknowledged: 9,
      refused: 2,
      unanswered: 0,
      collected: 5,
      abandoned: 1
    },
    checks: 2,
    heap: { tenths: [], growth: undefined },
    violation: {
      invariant: "stored",
      what: "a-1 is lost",
      at: 12_500,
      last: [{ at: 12_000, fault: "kill queue" }]
    }
  }

  it("says what was violated, when, after what, and how to see it again", () => {
    assert.deepStrictEqual(Report.text(report).split("\n").slice(-4), [
      "VIOLATED after 12s 500ms: what was acknowledged is stored",
      "a-1 is lost",
      "12s: kill queue",
      "again: npx -y pnpm@12 soak --simulated \"60000 millis\" --every \"500 millis\" --seed 3"
    ])
  })

  it("has a line for each fault that was injected", () => {
    const { violation: _, ...well } = report
    const lines = Report.markdown({ ...well, violation: undefined }).split("\n")
    assert.include(lines, "| kill worker |    1,200 | 1,100 |    1,100 |  50 ms | 1,500 ms |")
    assert.isFalse(lines.some((line) => line.includes("never")))
    assert.include(lines, "- nothing was lost, and every invariant held")
  })

  it("takes the medians of the tenths, and compares the last with the second", () => {
    const samples = Array.from({ length: 100 }, (_, i) => 1_000 + Math.floor(i / 10))
    assert.deepStrictEqual(Heap.tenths(samples), Array.from({ length: 10 }, (_, i) => 1_000 + i))
    assert.strictEqual(Heap.growth(Heap.tenths(samples)), 1_009 / 1_001 - 1)
    assert.deepStrictEqual(Heap.tenths(samples.slice(0, 20)), [])
  })
})
