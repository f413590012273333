/** The tools that guard the repository fail when they should: an example of each kind of mistake. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { problems } from "../scripts/circular.ts"
import * as GuardBites from "../scripts/guard-bites.ts"
import { type Row, rows, traps } from "../scripts/otpRows.data.ts"
import { engines, type Planted as Plant, type Test } from "../scripts/planted.data.ts"
import * as Planted from "../scripts/planted.ts"
import * as Rows from "../scripts/rows.ts"
import * as TestRun from "../scripts/testRun.ts"
import * as Traps from "../scripts/traps.ts"
import { is, pending, prints } from "./utils/assertions.ts"
import { extract, toModule } from "./utils/fences.ts"
import { brokenLinks } from "./utils/links.ts"

const moduleOf = (...lines: ReadonlyArray<string>) =>
  toModule({ file: "a.md", line: 1, run: true, source: lines.join("\n") })

describe("links", () => {
  const files: Record<string, string> = {
    "docs/a.md": "# A\n\n## 2. Here, `now` & there\n\n- **2.1** One.\n- **2.10** Ten.\n",
    "docs": ""
  }
  const problems = (text: string) => brokenLinks("b.md", (file) => file === "b.md" ? text : files[file])

  it("one that leads to a file, a directory, a heading or a number is fine, and so is what stands in a fence", () => {
    const good = [
      "[a](docs/a.md), [b](docs), [c](https://effect.website/#x), [d](#b)",
      "# B",
      "[2](docs/a.md#2-here-now--there) [2.10](docs/a.md#2-here-now--there)",
      "```md\n[x](x.md)\n# C\n```"
    ]
    assert.deepStrictEqual(problems(good.join("\n")), [])
  })

  it("one that leads nowhere is named with its line, and so is a number of something else", () => {
    const bad = [
      "```md\n# C\n```",
      "[x](x.md) [c](#c)",
      "[y](docs/a.md#2-here)",
      "[3.1](docs/a.md#2-here-now--there)",
      "[2.2](docs/a.md#2-here-now--there)"
    ]
    assert.deepStrictEqual(problems(bad.join("\n")), [
      "b.md:4 [x](x.md): there is no such file",
      "b.md:4 [c](#c): there is no such heading",
      "b.md:5 [y](docs/a.md#2-here): there is no such heading",
      "b.md:6 [3.1](docs/a.md#2-here-now--there): the number is of another section",
      "b.md:7 [2.2](docs/a.md#2-here-now--there): there is no such number"
    ])
  })
})

describe("fences", () => {
  it("finds the TypeScript fences of Markdown, nested ones too, and no others", () => {
    const text = ["```ts", "1", "```", "```elixir", "```", "- item", "  ~~~typescript no-run", "  2", "  ~~~"].join(
      "\n"
    )
    assert.deepStrictEqual(extract("a.md", text), [
      { file: "a.md", line: 1, run: true, source: "1" },
      { file: "a.md", line: 7, run: false, source: "2" }
    ])
  })

  it("finds the fences of doc comments, not those of strings", () => {
    const text = ["const a = `", "```ts", "```", "`", "/**", " * ```ts", " * 1", " *", " * 2", " * ```", " */"].join(
      "\n"
    )
    assert.deepStrictEqual(extract("a.ts", text), [{ file: "a.ts", line: 6, run: true, source: "1\n\n2" }])
  })

  it("refuses a fence that is never closed, and one with an unknown word", () => {
    assert.throws(() => extract("a.md", "```ts\n1"), "a.md:1 this fence is never closed")
    assert.throws(() => extract("a.md", "```ts norun\n```"), "a.md:1 a fence may say no-run, not \"norun\"")
  })

  it("turns a comment behind an expression, a const or a return into an assertion", () => {
    const [expression, constant, answer] = moduleOf(
      "f(1) // => 2",
      "const a = 1 // => 1",
      "const g = () => { return a // => #1",
      "}"
    ).code.split("\n")
    assert.strictEqual(expression, "__is(f(1), (2), \"a.md:2\") // => 2")
    assert.strictEqual(constant, "const a = 1; __is(a, (1), \"a.md:3\") // => 1")
    assert.strictEqual(answer, "const g = () => { return __prints(a, \"#1\", \"a.md:4\") // => #1")
  })

  it("compares a promise by what it resolves to", async () => {
    is(Promise.resolve(1), 2, "here")
    const failed = await pending.pop()!.catch((error) => error.message)
    assert.strictEqual(failed, "here is 1, not 2")
  })

  it("collects what is to be printed", () => {
    assert.deepStrictEqual(moduleOf("console.log(1) // prints: 1", "// prints: a b").prints, ["1", "a b"])
  })

  it("names a comment that asserts nothing", () => {
    assert.match(moduleOf("f(", "  1 // => 1", ")").problems.join(), /^a\.md:3 /)
    assert.match(moduleOf("let a = 1 // => 1").problems.join(), /^a\.md:2 /)
  })

  it("compares by structure, and tells instances and literals apart only by their fields", () => {
    class Point {
      readonly x = 1
    }
    is([new Point()], [{ x: 1 }], "here")
    assert.throws(() => is(new Point(), { x: 2 }, "here"), "here is Point { x: 1 }, not { x: 2 }")
    assert.throws(() => is(new Point(), {}, "here"))
    assert.throws(() => is(new Date(0), new Date(1), "here"))
    prints(Symbol("a"), "Symbol(a)", "here")
    assert.throws(() => prints(1, "2", "here"), "here is 1, not 2")
  })
})

describe("circular", () => {
  const root = mkdtempSync(path.join(tmpdir(), "effect-otp-"))
  const source = path.join(root, "packages/core/src")
  mkdirSync(source, { recursive: true })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  const check = (files: Record<string, string>, ...listed: ReadonlyArray<string>) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(source, name), text)
    return problems(root, { "packages/core/src": [["A", "B"], ["C", ...listed]] })
  }

  it("accepts imports of the same layer and of lower ones", async () => {
    const found = await check({
      "A.ts": "export type A = 1",
      "B.ts": "import type { A } from \"./A.ts\"\nexport type B = A",
      "C.ts": "export * from \"./A.ts\""
    })
    assert.deepStrictEqual(found, [])
  })

  it("names a cycle of types, an upward import, a file without a layer, and a layer without its file", async () => {
    const found = await check({
      "A.ts": "import type { B } from \"./B.ts\"\nexport type A = B",
      "B.ts": "export type B = import(\"./A.ts\").A | import(\"./C.ts\").C",
      "C.ts": "export type C = 1",
      "D.ts": "export type D = 1"
    }, "E")
    assert.deepStrictEqual(found, [
      "cycle: packages/core/src/A.ts -> packages/core/src/B.ts -> packages/core/src/A.ts",
      "missing: packages/core/src/E.ts is in scripts/layers.data.ts only",
      "upward: packages/core/src/B.ts (layer 0) imports packages/core/src/C.ts (layer 1)",
      "unknown: packages/core/src/D.ts has no layer yet, add it to scripts/layers.data.ts"
    ])
  })
})

describe("guard-bites", () => {
  const bytes = "FAIL bytes for a call: 900 (at most 600)"
  const time = "FAIL time of a call, in answers of bare Effect: 1.40 (at most 1)"

  it("accepts a guard for which both figures of a call have passed their limit", () => {
    assert.deepStrictEqual(GuardBites.problems(1, [bytes, time, "ok   bytes of a waiting server: 623"].join("\n")), [])
  })

  it("refuses one that does not fail, that fails for one figure only, and that crashes", () => {
    assert.deepStrictEqual(GuardBites.problems(0, [bytes, time].join("\n")), ["the guard ended with 0, not with 1"])
    assert.deepStrictEqual(GuardBites.problems(1, [bytes, time.replace("FAIL", "ok  ")].join("\n")), [
      "it does not say that \"time of a call, in answers of bare Effect\" has passed its limit"
    ])
    assert.strictEqual(GuardBites.problems(1, "").length, 2)
    assert.strictEqual(GuardBites.problems(null, "").length, 3)
  })
})

describe("rows", () => {
  const catalogue: ReadonlyArray<Row> = [
    { id: "EX-001", ports: "yes", behaviour: "same" },
    { id: "EX-002", ports: "adapted", behaviour: "differs" },
    { id: "EX-003", ports: "no", behaviour: "is not there" },
    { id: "TK-001", ports: "yes", behaviour: "of another area" }
  ]
  const proofs = (tests: ReadonlyArray<string>, lines: ReadonlyArray<string> = []): Rows.Proofs => ({
    tests: new Map(tests.map((id) => [id, "a.test.ts"])),
    lines: new Map(lines.map((id) => [id, "docs/semantics.md"]))
  })
  const plan: Rows.Plan = { finished: ["EX"], elsewhere: {} }

  it("takes the IDs that the name of a test begins with, wherever the name stands, and no others", () => {
    const source = [
      "it.effect(\"EX-001 a name\", () => {})",
      "it.effect.each([1])('EX-002, EX-003 a %s: as EX-004', () => {})",
      "describe(`EX-005 GS-006 ${what}`, () => {})",
      "const table = [[\"EX-007\", 1]] // \"EX-008\"",
      "assert.match(text, \"see EX-009\")",
      "it(\"EX-0101 is no ID\")"
    ].join("\n")
    assert.deepStrictEqual([...Rows.namedByTests("a.test.ts", source)].sort(), [
      "EX-001",
      "EX-002",
      "EX-003",
      "EX-005",
      "EX-007",
      "GS-006"
    ])
  })

  it("takes the IDs of a text that stand in parentheses", () => {
    assert.deepStrictEqual(
      Rows.namedByLines("- **1.1** It does not (EX-001, EX-002), nor\n (EX-003,\nEX-004), EX-005."),
      [
        "EX-001",
        "EX-002",
        "EX-003",
        "EX-004"
      ]
    )
  })

  it("is content when all rows of the finished areas are proved, each as its kind needs", () => {
    assert.deepStrictEqual(Rows.problems(catalogue, proofs(["EX-001", "EX-002"], ["EX-002", "EX-003"]), plan), [])
  })

  it("names a row that is left, one with only a line that needs a test, and an ID that no row has", () => {
    assert.deepStrictEqual(Rows.problems(catalogue, proofs(["EX-999"], ["EX-001", "EX-003"]), plan), [
      "left: EX-001 (yes) has a line of docs/semantics.md only, and needs a test: same",
      "left: EX-002 (adapted) needs a test, or a line of docs/semantics.md: differs",
      "unknown: EX-999 in a.test.ts is no row of scripts/otpRows.data.ts"
    ])
  })

  it("leaves a row to the area that proves it, until that one is finished", () => {
    const elsewhere: Rows.Plan["elsewhere"] = { "EX-001": "TK" }
    const some = proofs(["TK-001"], ["EX-002", "EX-003"])
    assert.deepStrictEqual(Rows.problems(catalogue, some, { finished: ["EX"], elsewhere }), [])
    assert.deepStrictEqual(Rows.problems(catalogue, some, { finished: ["EX", "TK"], elsewhere }), [
      "left: EX-001 (yes) needs a test: same"
    ])
  })

  it("names a row that is left to another area, and is proved", () => {
    const some = proofs(["EX-001", "EX-002"], ["EX-003"])
    assert.deepStrictEqual(Rows.problems(catalogue, some, { finished: ["EX"], elsewhere: { "EX-001": "TK" } }), [
      "stale: EX-001 is proved, and need not be planned as elsewhere any more"
    ])
  })

  it("counts each row once, in its area and in all", () => {
    const lines = Rows.table(catalogue, proofs(["EX-001", "EX-002"], ["EX-002", "EX-003"]), plan)
    const cells = (title: string) =>
      lines.find((line) => line.startsWith(title))!.slice(title.length).trim().split(/\s+/)
    assert.deepStrictEqual(cells("EX Exit semantics & reasons"), ["3", "1", "1", "1", "0", "0", "yes"])
    assert.deepStrictEqual(cells("TK Task & Task.Supervisor"), ["1", "0", "0", "0", "0", "1"])
    assert.deepStrictEqual(cells("all"), ["4", "1", "1", "1", "0", "1"])
  })

  it("has a catalogue in which an ID stands once, and in which every trap and every row of the plan is", () => {
    const ids = rows.map(({ id }) => id)
    assert.deepStrictEqual(ids.filter((id, index) => ids.indexOf(id) !== index), [])
    assert.deepStrictEqual([...traps, ...Object.keys(Rows.plan.elsewhere)].filter((id) => !ids.includes(id)), [])
  })
})

describe("traps", () => {
  const report = (...files: ReadonlyArray<ReadonlyArray<readonly [name: string, status: string, error?: string]>>) =>
    JSON.stringify({
      testResults: files.map((tests) => ({
        assertionResults: tests.map(([fullName, status, error]) => ({
          fullName,
          status,
          failureMessages: error === undefined ? [] : [`${error}\n    at a.ts`]
        }))
      }))
    })
  const asserted = "AssertionError: expected 1 to be 2"

  it("reads which tests ran and how each failed, and refuses a report of a file that does not load", () => {
    assert.deepStrictEqual(
      TestRun.readReport(report([["EX-001 a", "passed"], ["b", "skipped"]], [["EX-001 c", "failed", asserted]])),
      [{ name: "EX-001 a", errors: [] }, { name: "EX-001 c", errors: [asserted] }]
    )
    assert.isUndefined(TestRun.readReport(report([["EX-001 a", "passed"]], [])))
    assert.isUndefined(TestRun.readReport(report()))
  })

  it("accepts a patch that a test notices by its assertion", () => {
    const results = [{ name: "EX-001 a", errors: [] }, { name: "EX-001 b", errors: [asserted] }]
    assert.deepStrictEqual(TestRun.verdict(results), { noticedBy: "EX-001 b" })
  })

  it("refuses a patch that nobody notices, that only hangs or throws, and with which nothing loads", () => {
    const problem = (results: Parameters<typeof TestRun.verdict>[0]) => JSON.stringify(TestRun.verdict(results))
    assert.include(problem([{ name: "EX-001 a", errors: [] }]), "no test notices the patch\"")
    assert.include(problem([]), "no test notices the patch\"")
    assert.include(
      problem([{ name: "EX-001 a", errors: ["TestTimeoutError: 5 s"] }]),
      "by an assertion: EX-001 a: TestTime"
    )
    assert.include(problem(undefined), "do not load")
  })

  it("refuses a row without a test, and one whose tests fail without the patch", () => {
    const results = [{ name: "EX-001 a", errors: [] }, { name: "EX-002 b", errors: [asserted] }]
    assert.isUndefined(Traps.unsound("EX-001", results))
    assert.strictEqual(Traps.unsound("EX-002", results), `fails without the patch, too: EX-002 b: ${asserted}`)
    assert.strictEqual(Traps.unsound("EX-003", results), "no test has this ID")
  })
})

describe("planted", () => {
  const everywhere = () => true
  const test: Test = ["a.test.ts", "does"]
  const table: ReadonlyArray<Plant> = [
    { bug: "a", caughtBy: { conformance: test, interleavings: test, LeakGuard: test } },
    { bug: "b", caughtBy: { model: test, storm: test, soak: test } }
  ]

  it("asks only the engines that are there, and those that are promised", () => {
    assert.deepStrictEqual(Planted.promises(table[0]!, everywhere), [
      ["conformance", test],
      ["interleavings", test],
      ["LeakGuard", test]
    ])
    assert.deepStrictEqual(Planted.promises(table[0]!, (engine) => engine !== "conformance"), [
      ["interleavings", test],
      ["LeakGuard", test]
    ])
  })

  it("accepts a table in which each patch is found, and each engine finds something", () => {
    assert.deepStrictEqual(Planted.problems(table, ["a", "b"], everywhere), [])
  })

  it("names a bug without a patch, a patch without a bug, one that nobody finds, and an engine that finds nothing", () => {
    assert.deepStrictEqual(Planted.problems([...table, { bug: "a", caughtBy: {} }], ["a", "c"], everywhere), [
      "there is no test/planted/b.patch",
      "nobody is to find test/planted/c.patch",
      "a stands in the table twice",
      "a is found by no engine"
    ])
    assert.deepStrictEqual(Planted.problems([table[0]!], ["a"], (engine) => engine !== "storm"), [
      "model is to find nothing",
      "soak is to find nothing"
    ])
    const elsewhere: ReadonlyArray<Plant> = [{ bug: "a", caughtBy: { conformance: test } }]
    assert.include(
      Planted.problems(elsewhere, ["a"], (engine) => engine === "storm"),
      "a is found by no engine"
    )
  })

  it("asks for the tests that are named, and for no others", () => {
    const pattern = new RegExp(Planted.exactly(["a (b) does.", "c"]))
    for (const name of ["what a (b) does.", "c", "what c"]) assert.match(name, pattern)
    for (const name of ["a (b) does. more", "a (b) doest", "c, too"]) assert.notMatch(name, pattern)
  })

  it("refuses a test that is not there, and one that fails without the patch", () => {
    const results = [{ name: "x a", errors: [] }, { name: "x b", errors: ["AssertionError: 1"] }]
    assert.isUndefined(Planted.unsound("a", results))
    assert.strictEqual(Planted.unsound("b", results), "fails without the patch, too: x b: AssertionError: 1")
    assert.strictEqual(Planted.unsound("c", results), "there is no test \"c\"")
  })

  it("says who caught a bug, in the words of the engine and in no others", () => {
    const said = (error: string) =>
      Planted.line("LeakGuard", TestRun.verdict([{ name: "x", errors: [error] }], engines.LeakGuard.says))
    assert.strictEqual(said("Leaked: 1 thing is left over"), "caught by LeakGuard: \"x\"")
    assert.strictEqual(
      said("AssertionError: 1"),
      "not caught by LeakGuard: no test notices the patch by an assertion: x: AssertionError: 1"
    )
    assert.strictEqual(
      Planted.line("storm", TestRun.verdict(undefined, engines.storm.says)),
      "not caught by storm: with the patch the tests do not load, or do not end"
    )
  })
})
