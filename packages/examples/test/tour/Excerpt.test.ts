import { assert, describe, it } from "@effect/vitest"
import { excerpt } from "../../src/tour/Excerpt.ts"

const source = `/** A file. */
import { Effect } from "effect"

const one = 1

/** Two. */
export const two = (n: number) =>
(m: number) => {
  // a comment inside

  return n + m
}

const twofold = 22

if (import.meta.main) two(1)(2)
`

describe("Excerpt", () => {
  it("a declaration is shown whole, without export and without the comment above it", () => {
    assert.deepStrictEqual(excerpt(source, ["const two"]), [
      "const two = (n: number) =>",
      "(m: number) => {",
      "  // a comment inside",
      "",
      "  return n + m",
      "}"
    ])
  })

  it("several are shown in the order asked for, an empty line between them", () => {
    assert.deepStrictEqual(excerpt(source, ["const twofold", "const one"]), ["const twofold = 22", "", "const one = 1"])
  })

  it("the last declaration of a file ends before the call that runs it", () => {
    assert.deepStrictEqual(excerpt("const a = [\n  1\n]\n", ["const a"]), ["const a = [", "  1", "]"])
  })

  it("a name that is not there is an error that says so", () => {
    assert.throws(() => excerpt(source, ["const three"]), /no top-level declaration begins with "const three"/)
  })
})
