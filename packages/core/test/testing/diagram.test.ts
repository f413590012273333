import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { draw } from "../../src/testing/internal/diagram.ts"
import { shrink } from "../../src/testing/internal/shrink.ts"
import type { Step, Trace } from "../../src/testing/internal/trace.ts"

const step = (kind: Step["kind"], from: number | undefined, to: number | undefined, text: string): Step => ({
  kind,
  from,
  to,
  text
})

const trace: Trace = {
  lifelines: [
    { title: "test", pid: "" },
    { title: "till", pid: "#PID<0.1.0>" },
    { title: "first", pid: "#PID<0.2.0>" },
    { title: "unused", pid: "#PID<0.3.0>" }
  ],
  steps: [
    step("spawn", 0, 1, "spawn"),
    step("name", undefined, 1, "is named till"),
    step("spawn", 0, 2, "spawn"),
    step("call", 2, 1, "call read"),
    step("deviation", undefined, 0, "test runs before first #PID<0.2.0>"),
    step("reply", 1, 2, "reply 0"),
    step("time", undefined, undefined, "5000 ms pass"),
    step("exit", 0, 2, "exit Shutdown"),
    step("end", undefined, 2, "ends Shutdown"),
    step("down", 2, 0, "Down Shutdown")
  ]
}

const lines = (text: string) => text.split("\n")

describe("a diagram", () => {
  it("has a lifeline for each that took part, from its start to its end, and an arrow for each step", () => {
    assert.deepStrictEqual(lines(draw(trace, 120)), [
      "         test             till             first",
      "                         <0.1.0>          <0.2.0>",
      "           ├───────────────▶┬                          spawn",
      "           │                ●                          is named till",
      "           ├────────────────┼───────────────▶┬         spawn",
      "           │                │◀───────────────┤         call read",
      "!          !                │                │         ! test runs before first #PID<0.2.0>",
      "           │                ├╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌▶│         reply 0",
      "   ········│················│················│········ 5000 ms pass",
      "           ├────────────────┼───────────────▶│         exit Shutdown",
      "           │                │                ╳         ends Shutdown",
      "           │◀╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌┼╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌┤         Down Shutdown"
    ])
  })

  it("is never wider than it may be, whatever is said", () => {
    const long = step("message", 1, 2, "x".repeat(500) + "\n" + "y".repeat(500))
    for (const width of [60, 80, 120]) {
      const drawn = lines(draw({ ...trace, steps: [...trace.steps, long] }, width))
      assert.isAtMost(Math.max(...drawn.map((line) => line.length)), width)
      assert.isTrue(drawn.at(-1)!.endsWith("…"))
    }
  })

  it("says in words what has too many lifelines to be drawn", () => {
    assert.deepStrictEqual(lines(draw(trace, 55)).slice(3, 6), [
      "   first <0.2.0> → till <0.1.0>: call read",
      "!  test runs before first #PID<0.2.0>",
      "   till <0.1.0> → first <0.2.0>: reply 0"
    ])
  })

  it("shows the end of a long run", () => {
    const sends = Array.from({ length: 500 }, (_, n) => step("message", 1, 2, `message ${n}`))
    const drawn = lines(draw({ ...trace, steps: [...trace.steps, ...sends] }, 120))
    assert.strictEqual(drawn[2], "   … 390 steps before")
    assert.strictEqual(drawn.length, 2 + 1 + 120)
    assert.isTrue(drawn.at(-1)!.endsWith("message 499"))
  })
})

describe("shrink", () => {
  const needing = (needed: ReadonlyArray<number>) => (items: ReadonlyArray<number>) =>
    Effect.succeed(needed.every((item) => items.includes(item)))

  it.effect("leaves what is needed, in its order, and nothing else", () =>
    Effect.gen(function*() {
      const items = Array.from({ length: 100 }, (_, n) => n)
      for (const needed of [[], [0], [99], [3, 4, 5], [0, 50, 99], [7, 31, 32, 64, 90]]) {
        assert.deepStrictEqual(yield* shrink(items, needing(needed), 1000), needed)
      }
    }))

  it.effect("gives what it has when it has tried often enough", () =>
    Effect.gen(function*() {
      let tries = 0
      const left = yield* shrink(
        Array.from({ length: 100 }, (_, n) => n),
        (items) =>
          Effect.suspend(() => {
            tries++
            return needing([3, 50, 77])(items)
          }),
        10
      )
      assert.isAtMost(tries, 11)
      assert.includeMembers([...left], [3, 50, 77])
    }))
})
