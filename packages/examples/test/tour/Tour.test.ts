import { Process } from "@effect-otp/core"
import { assert, describe, it } from "@effect/vitest"
import { Console, Deferred, Effect } from "effect"
import { TestConsole } from "effect/testing"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Claim from "../../src/tour/Claim.ts"
import * as Screen from "../../src/tour/Screen.ts"
import * as Step from "../../src/tour/Step.ts"
import * as Theme from "../../src/tour/Theme.ts"
import * as Tour from "../../src/tour/Tour.ts"

const screen: Screen.Screen = { theme: Theme.make(false), width: 80 }

const step = { title: "A step", about: "It does not matter.", file: "30_counter.ts", show: ["const program"] }

const printed = Effect.map(TestConsole.logLines, (lines) => lines.join("\n"))

describe("Tour", () => {
  it.effect("a step shows its code, its output and its claims, in this order", () =>
    Effect.gen(function*() {
      const hello = Step.make({
        ...step,
        program: Effect.as(Console.log("hello\nworld"), 42),
        claims: (result, lines) => [
          Claim.equal("it ends with 42", result, 42),
          Claim.equal("it greets", lines, ["hello", "world"])
        ]
      })
      yield* Tour.run(screen, [hello], "Node")
      const text = yield* printed
      const places = ["A step", "│ const program", "› hello", "› world", "✓ it ends with 42", "✓ it greets", "3 of 3 ✓"]
        .map((words) => text.indexOf(words))
      assert.isTrue(places.every((place) => place >= 0), text)
      assert.deepStrictEqual(places, [...places].sort((a, b) => a - b))
    }))

  it.effect("what a step logs becomes one line, and is not among what it printed", () =>
    Effect.gen(function*() {
      const loud = Step.make({
        ...step,
        program: Effect.logWarning("careful\nnow"),
        claims: (_, lines) => [Claim.equal("nothing is printed", lines, [])]
      })
      yield* Tour.run(screen, [loud], "Node")
      const text = yield* printed
      assert.include(text, "· careful\n")
      assert.notInclude(text, "now")
    }))

  it.effect("a claim that does not hold is marked, explained, and fails the tour at its end", () =>
    Effect.gen(function*() {
      const wrong = Step.make({
        ...step,
        program: Effect.succeed(4),
        claims: (sum) => [Claim.equal("sum", sum, 5), Claim.that("fine", true)]
      })
      const error = yield* Effect.flip(Tour.run(screen, [wrong], "Node"))
      const text = yield* printed
      assert.strictEqual(error._tag, "ClaimsFailed")
      assert.include(text, "✗ sum\n")
      assert.include(text, "expected 5, got 4")
      assert.include(text, "✓ fine")
      assert.include(text, "2 of 3 ✗")
      assert.include(text, "Read on")
    }))

  it.effect("a process that is left behind is a claim that does not hold, and is ended", () =>
    Effect.gen(function*() {
      const started = yield* Deferred.make<void>()
      const ended = yield* Deferred.make<void>()
      const idler = () =>
        Effect.acquireUseRelease(
          Deferred.succeed(started, undefined),
          () => Effect.never,
          () => Deferred.succeed(ended, undefined)
        )
      const program = Effect.andThen(Process.spawn(idler), Deferred.await(started))
      const leaking = Step.make({ ...step, program, claims: () => [] })
      yield* Effect.flip(Tour.run(screen, [leaking], "Node"))
      yield* Deferred.await(ended)
      assert.include(yield* printed, "✗ No process is left behind.")
    }))

  it.effect("a program that dies is a claim that does not hold, and the next step runs", () =>
    Effect.gen(function*() {
      const dying = Step.make({ ...step, program: Effect.die(new Error("a bug")), claims: () => [] })
      const fine = Step.make({ ...step, program: Effect.void, claims: () => [Claim.that("fine", true)] })
      yield* Effect.flip(Tour.run(screen, [dying, fine], "Node"))
      const text = yield* printed
      assert.include(text, "✗ The program ran to its end.")
      assert.include(text, "a bug")
      assert.include(text, "✓ fine")
    }))

  it("a tour with a claim that does not hold ends with exit code 1", () => {
    const file = fileURLToPath(new URL("../utils/failing-tour.ts", import.meta.url))
    const { status, stderr, stdout } = spawnSync(process.execPath, [file], { encoding: "utf8" })
    assert.strictEqual(status, 1, stderr)
    assert.include(stdout, "✗ two and two make five")
    assert.include(stdout, "✗ The program ran to its end.")
    assert.strictEqual(stderr, "")
  }, 60_000)

  it("with colour there are escape codes, without there are none", () => {
    const outcome: Screen.Outcome = {
      step: Step.make({ ...step, program: Effect.void, claims: () => [] }),
      claims: [],
      millis: 1
    }
    // oxlint-disable-next-line eslint/no-control-regex
    const escapes = /\u001b/
    assert.notMatch(Screen.summary(screen, [outcome]).join("\n"), escapes)
    assert.match(Screen.summary({ ...screen, theme: Theme.make(true) }, [outcome]).join("\n"), escapes)
  })

  it("text is wrapped between words and fills no more than the width", () => {
    assert.deepStrictEqual(Screen.wrap("one two three", 7), ["one two", "three"])
    assert.deepStrictEqual(Screen.wrap("unbreakable", 3), ["unbreakable"])
    assert.deepStrictEqual(Screen.wrap("", 10), [])
  })
})
