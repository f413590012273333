/** This library does in every scenario that was recorded what the BEAM did in it. */
import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import * as path from "node:path"
import * as Compare from "../src/Compare.ts"
import { differences } from "../src/Differences.ts"
import * as Features from "../src/Features.ts"
import { operations } from "../src/Operations.ts"
import { races } from "../src/Races.ts"
import * as Recordings from "../src/Recordings.ts"
import * as Report from "../src/Report.ts"

const recorded = Recordings.read(Recordings.recordings)
const regressions = Recordings.read(Recordings.regressions)
const random = recorded.filter(({ name }) => name === undefined)
const byHand = recorded.filter(({ name }) => name !== undefined)

const agrees = Effect.fnUntraced(function*({ name, scenario, traces }: Recordings.Recording) {
  const difference = Compare.firstDifference(yield* Compare.ours(scenario), traces)
  if (difference === undefined) return
  const shown = Report.sideBySide(scenario, Report.closest(traces, difference), difference)
  assert.fail(`${name ?? "a random scenario"}\n${shown}\n\n${Recordings.line(name ?? "", scenario)}`)
})

describe("what the BEAM did", () => {
  it.live.each(Arr.chunksOf(random, 250).map((some, i) => [250 * i + 1, some] as const))(
    "in random scenarios is what the library does, from number %d on",
    ([, some]) => Effect.forEach(some, agrees),
    120_000
  )

  it.live.each([...byHand, ...regressions].map((each) => [each.name!, each] as const))(
    "is what the library does: %s",
    ([, each]) => agrees(each)
  )
})

describe("the recordings", () => {
  it("are some thousands of scenarios, and every one that was written by hand as it is now", () => {
    assert.isAtLeast(random.length, 1000)
    const named = new Map(byHand.map(({ name, scenario }) => [name, scenario]))
    for (const [kind, all] of [["operation", operations], ["race", races]] as const) {
      for (const [name, scenario] of Object.entries(all)) {
        assert.deepStrictEqual(named.get(`${kind}: ${name}`), scenario, `record ${name} again`)
      }
    }
  })

  it.each(Features.all)("have %s in at least a tenth of the random scenarios", (feature) => {
    const having = random.filter(({ traces }) => Features.of(traces[0]!).includes(feature))
    assert.isAtLeast(having.length, random.length / 10)
  })

  it("have races in which the BEAM did more than one thing", () => {
    const several = byHand.filter(({ name, traces }) => name!.startsWith("race: ") && traces.length > 1)
    assert.isAtLeast(several.length, 3)
  })
})

describe("the differences that are meant", () => {
  const semantics = readFileSync(path.join(import.meta.dirname, "../../docs/semantics.md"), "utf8").replace(/\s+/g, " ")

  it.each(differences)("%o stands in docs/semantics.md", ({ says }) => {
    assert.include(semantics, says)
  })

  it("are all that a recording needed", () => {
    const known = differences.filter(({ handling }) => handling === "held off").map(({ id }) => id)
    const needed = new Set(recorded.flatMap(({ differences }) => differences))
    assert.deepStrictEqual([...needed].filter((id) => !known.includes(id)), [])
  })
})
