import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import * as Task from "@effect-otp/core/Task"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { shutdownOutcome } from "../src/internal/taskOutcome.ts"
import { arrived, asProcess } from "./utils/process.ts"
import { defectOf, logged } from "./utils/server.ts"
import { assertClean, meanwhile, pidOf, plain, trapping } from "./utils/task.ts"

const boo = ExitReason.custom("boo")
const shutdown = ExitReason.shutdown()
const why = ExitReason.shutdown("why")

/** Traps exits, and does not care. */
const stubborn = (self: Process.Self<Process.Exit>) =>
  Effect.andThen(Process.trapExit(true), Effect.forever(self.receive))

/** Traps exits, and answers when it is told to end. */
const polite = (self: Process.Self<Process.Exit>) =>
  Effect.andThen(Process.trapExit(true), Effect.as(self.receive, "good bye"))

describe("shutdown", () => {
  it.effect("TK-016 it takes the link away, tells the task to shut down and waits for it", () =>
    asProcess(trapping((self) =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const seen: Array<string> = []
        const release = Effect.map(Deferred.await(gate), () => seen.push("released"))
        const task = yield* Task.async(Effect.ensuring(Effect.never, release))
        yield* settle
        const ending = yield* Effect.forkChild(Task.shutdown(task))
        yield* settle
        yield* TestClock.adjust(4999)
        assert.deepStrictEqual([seen, ending.pollUnsafe()], [[], undefined])
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(plain(yield* Fiber.join(ending)), "nothing")
        assert.deepStrictEqual(seen, ["released"])
        assert.deepStrictEqual(yield* Process.awaitExit(pidOf(task)), shutdown)
        yield* assertClean(self)
      })
    )))

  it.effect("TK-016 the default is 5 seconds, and then a kill", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const task = yield* Task.async(stubborn)
        yield* settle
        const ending = yield* Effect.forkChild(Task.shutdown(task))
        yield* settle
        yield* TestClock.adjust(4999)
        assert.isTrue(yield* Process.isAlive(pidOf(task)))
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(plain(yield* Fiber.join(ending)), ["exit", ExitReason.killed])
        yield* assertClean(self)
      })
    ))

  it.effect("TK-017 of a task that has answered it gives the answer, ended or not", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        for (const timeout of ["5 seconds", "brutalKill"] as const) {
          const done = yield* Task.async(Effect.succeed(1))
          const failed = yield* Task.async(Effect.fail("no"))
          yield* settle
          assert.deepStrictEqual(plain(yield* Task.shutdown(done, timeout)), ["ok", 1])
          assert.deepStrictEqual(plain(yield* Task.shutdown(failed, timeout)), ["failed", "no"])
        }
        const task = yield* Task.async(polite)
        yield* settle
        assert.deepStrictEqual(plain(yield* Task.shutdown(task)), ["ok", "good bye"])
        yield* assertClean(self)
      })
    ))

  // What the task ended with by itself before, how it is ended, and what comes of it: as Elixir answers.
  it.effect.each(
    [
      [shutdown, "5 seconds", "nothing"],
      [why, "5 seconds", ["exit", why]],
      [boo, "5 seconds", ["exit", boo]],
      [ExitReason.normal, "5 seconds", ["exit", ExitReason.normal]],
      [ExitReason.killed, "5 seconds", ["exit", ExitReason.killed]],
      [shutdown, "brutalKill", ["exit", shutdown]],
      [ExitReason.killed, "brutalKill", "nothing"],
      [boo, "brutalKill", ["exit", boo]]
    ] as const
  )(
    "TK-016 TK-018 it has ended with %o, and %s gives %o",
    ([reason, timeout, expected]) =>
      asProcess(trapping((self) =>
        Effect.gen(function*() {
          const task = yield* Task.async(Process.exit(reason))
          yield* settle
          assert.deepStrictEqual(plain(yield* Task.shutdown(task, timeout)), expected)
          yield* arrived(self)
          yield* assertClean(self)
        })
      ))
  )

  it.effect.each([["5 seconds", shutdown], ["brutalKill", ExitReason.killed]] as const)(
    "TK-017 TK-018 one that ends because it was told to gives nothing with %s",
    ([timeout, reason]) =>
      asProcess((self: Process.Self<never>) =>
        Effect.gen(function*() {
          const task = yield* Task.async(Effect.never)
          yield* settle
          assert.strictEqual(plain(yield* Task.shutdown(task, timeout)), "nothing")
          assert.deepStrictEqual(yield* Process.awaitExit(pidOf(task)), reason)
          const unborn = yield* Task.async(Effect.never)
          assert.strictEqual(plain(yield* Task.shutdown(unborn, timeout)), "nothing")
          yield* assertClean(self)
        })
      )
  )

  it("TK-018 the whole table", () => {
    const reasons = [ExitReason.normal, shutdown, why, ExitReason.killed, ExitReason.noProcess, boo]
    for (const reason of reasons) {
      const exit = ["exit", reason]
      const of = (how: "shutdown" | "timeoutKill" | "brutalKill") => {
        const outcome = shutdownOutcome("t", undefined, reason, how)
        return outcome._tag === "None" ? "nothing" : exit
      }
      assert.deepStrictEqual(of("shutdown"), reason === shutdown ? "nothing" : exit)
      assert.deepStrictEqual(of("timeoutKill"), reason === shutdown ? "nothing" : exit)
      assert.deepStrictEqual(of("brutalKill"), reason._tag === "Killed" ? "nothing" : exit)
    }
  })

  it.effect("TK-019 a task that traps exits and overstays is killed", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const task = yield* Task.async(stubborn)
        yield* settle
        const outcome = yield* meanwhile(Task.shutdown(task, "1 second"), "1 second")
        assert.deepStrictEqual(plain(outcome), ["exit", ExitReason.killed])
        const second = yield* Task.async(stubborn)
        yield* settle
        assert.strictEqual(plain(yield* Task.shutdown(second, "brutalKill")), "nothing")
        yield* assertClean(self)
      })
    ))

  it.effect("TK-020 of a task whose answer was taken, and that has ended, it gives NoProcess", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const task = yield* Task.async(Effect.succeed(1))
        yield* Task.await(task)
        yield* settle
        for (const timeout of ["5 seconds", "brutalKill"] as const) {
          assert.deepStrictEqual(plain(yield* Task.shutdown(task, timeout)), ["exit", ExitReason.noProcess])
        }
        yield* assertClean(self)
      })
    ))

  it.effect("a task that was given up and runs on is ended, and gives nothing", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const late = yield* Task.async(Effect.never)
        yield* meanwhile(Effect.flip(Task.await(late, { timeout: "1 second" })), "1 second")
        const ignored = yield* Task.async(Effect.never)
        yield* Task.ignore(ignored)
        for (const task of [late, ignored]) {
          assert.isTrue(yield* Process.isAlive(pidOf(task)))
          assert.strictEqual(plain(yield* Task.shutdown(task)), "nothing")
          assert.isFalse(yield* Process.isAlive(pidOf(task)))
        }
        yield* assertClean(self)
      })
    ))

  it.effect("TK-021 no Exit reaches an owner that traps exits, but that of a task that had ended stays", () =>
    asProcess(trapping((self) =>
      Effect.gen(function*() {
        const running = yield* Task.async(Effect.never)
        const done = yield* Task.async(Effect.void)
        yield* settle
        yield* Task.shutdown(running)
        yield* Task.shutdown(yield* Task.async(Effect.never), "brutalKill")
        yield* Task.shutdown(done)
        const exits = yield* arrived(self)
        assert.deepStrictEqual(exits.map(({ pid, reason }) => [pid, reason]), [[pidOf(done), ExitReason.normal]])
      })
    )))

  it.effect("whoever is interrupted while the task takes its time kills it", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const task = yield* Task.async(stubborn)
        yield* settle
        const ending = yield* Effect.forkChild(Task.shutdown(task))
        yield* settle
        yield* Fiber.interrupt(ending)
        assert.deepStrictEqual(yield* Process.awaitExit(pidOf(task)), ExitReason.killed)
        yield* assertClean(self)
      })
    ))

  it.effect("a kill waits for finalizers, 5 seconds at most, and then reports the leak", () =>
    logged((lines) =>
      asProcess((self: Process.Self<never>) =>
        Effect.gen(function*() {
          const gate = yield* Deferred.make<void>()
          const task = yield* Task.async(Effect.ensuring(Effect.never, Deferred.await(gate)), { label: "leaking" })
          yield* settle
          const outcome = yield* meanwhile(Task.shutdown(task, "brutalKill"), "5 seconds")
          assert.strictEqual(plain(outcome), "nothing")
          const message = `task leaking ${task.pid} was killed, and its finalizers still run: it leaks`
          assert.deepStrictEqual(lines.map(({ message }) => message), [[message]])
          yield* Deferred.succeed(gate, undefined)
          yield* settle
          yield* assertClean(self)
        })
      )
    ))

  it.effect("a time that is none is refused, and harms nothing", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const task = yield* Task.async(Effect.never)
        const defect = yield* defectOf(Task.shutdown(task, -1))
        assert.strictEqual(defect.message, "timeout: expected a duration of zero or more, got -1")
        assert.isTrue(yield* Process.isAlive(pidOf(task)))
        yield* Task.shutdown(task)
      })
    ))
})
