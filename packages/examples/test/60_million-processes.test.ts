import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { processes } from "../../../test-scale.ts"
import { millionProcesses } from "../src/60_million-processes.ts"

it.effect("all processes are alive at once, each answers, and none is left", () =>
  Effect.gen(function*() {
    const reports: Array<string> = []
    const result = yield* millionProcesses(processes, (what, done, total) =>
      Effect.sync(() => {
        reports.push(`${what} ${done} of ${total}`)
      }))
    assert.strictEqual(result.alive, processes)
    assert.isTrue(result.answersAddUp)
    assert.strictEqual(result.left, 0)
    assert.strictEqual(reports.length, 200)
    assert.strictEqual(reports[99], `spawned ${processes} of ${processes}`)
    assert.strictEqual(reports[199], `answered ${processes} of ${processes}`)
  }), 120_000)
