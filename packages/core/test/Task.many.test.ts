import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import * as Task from "@effect-otp/core/Task"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as scale from "../../../test-scale.ts"
import { arrived, asProcess } from "./utils/process.ts"
import { after, assertClean, meanwhile, pidOf, plain, reasonOf, trapping } from "./utils/task.ts"

const infoOf = (pid: Process.Pid<never, unknown>) => Effect.map(Process.info(pid), Option.getOrThrow)

const boo = ExitReason.custom("boo")

describe("yieldMany", () => {
  const tasks = Effect.all([
    Task.async(after("2 seconds", 1)),
    Task.async(Effect.succeed(2)),
    Task.async(Effect.fail("no"))
  ])

  it.effect.each(["nothing", "ignore", "killTask"] as const)(
    "TK-015 each in its place, nothing for who has not answered, with onTimeout %s",
    (onTimeout) =>
      asProcess((self: Process.Self<never>) =>
        Effect.gen(function*() {
          const three = yield* tasks
          const [slow] = three
          const given = yield* meanwhile(Task.yieldMany(three, { timeout: "1 second", onTimeout }), "1 second")
          assert.deepStrictEqual(given.map(([task]) => task), [...three])
          assert.deepStrictEqual(given.map(([, outcome]) => plain(outcome)), ["nothing", ["ok", 2], ["failed", "no"]])
          const { links, monitors } = yield* infoOf(self.pid)
          const left = onTimeout === "nothing" ? [pidOf(slow)] : []
          assert.deepStrictEqual([links, monitors], [left, left])
          assert.strictEqual(yield* Process.isAlive(pidOf(slow)), onTimeout !== "killTask")
          yield* TestClock.adjust("1 second")
          const later = plain(yield* Task.yield(slow))
          assert.deepStrictEqual(later, onTimeout === "nothing" ? ["ok", 1] : "AlreadyTaken")
          yield* settle
          yield* assertClean(self)
        })
      )
  )

  it.effect("TK-015 with a limit it waits for so many, and onTimeout does nothing", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const three = yield* Effect.all([
          Task.async(after("3 seconds", 1)),
          Task.async(after("1 second", 2)),
          Task.async(after("2 seconds", 3))
        ])
        const given = yield* meanwhile(Task.yieldMany(three, { limit: 1, onTimeout: "killTask" }), "1 second")
        assert.deepStrictEqual(given.map(([, outcome]) => plain(outcome)), ["nothing", ["ok", 2], "nothing"])
        yield* TestClock.adjust("2 seconds")
        yield* settle
        const rest = yield* Task.yieldMany([three[0], three[2]], { limit: 1, timeout: 0 })
        assert.deepStrictEqual(rest.map(([, outcome]) => plain(outcome)), [["ok", 1], "nothing"])
        assert.deepStrictEqual(plain(yield* Task.yield(three[2])), ["ok", 3])
      })
    ))

  it.effect("TK-015 none is none, a task twice gives its answer once, and the default is 5 seconds", () =>
    asProcess(() =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* Task.yieldMany([]), [])
        const task = yield* Task.async(Effect.succeed(1))
        const twice = yield* Task.yieldMany([task, task])
        assert.deepStrictEqual(twice.map(([, outcome]) => plain(outcome)), [["ok", 1], "nothing"])
        const slow = yield* Task.async(after("6 seconds", 1))
        const given = yield* meanwhile(Task.yieldMany([slow]), "5 seconds")
        assert.deepStrictEqual(given.map(([, outcome]) => plain(outcome)), ["nothing"])
        yield* Task.shutdown(slow)
      })
    ))
})

describe("awaitMany", () => {
  it.effect("TK-024 the values in the order of the tasks, whatever the mailbox has in it", () =>
    asProcess((self: Process.Self<unknown>) =>
      Effect.gen(function*() {
        yield* Process.send(self.pid, { _tag: "Down" })
        const tasks = [yield* Task.async(after("1 second", 1)), yield* Task.async(Effect.succeed(3))] as const
        assert.deepStrictEqual(yield* meanwhile(Task.awaitMany([...tasks, tasks[0]]), "1 second"), [1, 3, 1])
        assert.deepStrictEqual(yield* arrived(self), [{ _tag: "Down" }])
        yield* assertClean(self)
      })
    ))

  it.effect("TK-024 one deadline for all, and the error names those that are late", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const tasks = [
          yield* Task.async(after("4 seconds", 1), { label: "a" }),
          yield* Task.async(after("6 seconds", 2), { label: "b" }),
          yield* Task.async(after("6 seconds", 3), { label: "c" })
        ]
        const error = yield* meanwhile(Effect.flip(Task.awaitMany(tasks)), "5 seconds")
        assert.strictEqual(reasonOf(error), "Timeout")
        assert.strictEqual(error.task, `b ${tasks[1]!.pid}, c ${tasks[2]!.pid}`)
        assert.deepStrictEqual((yield* infoOf(self.pid)).monitors, [])
        yield* TestClock.adjust("1 second")
        yield* settle
        yield* assertClean(self)
      })
    ))

  it.effect("TK-024 it fails as soon as one does, and gives the others up", () =>
    asProcess(trapping((self) =>
      Effect.gen(function*() {
        const ends = [[Effect.fail("no"), "no"], [Process.exit(boo), ["exit", boo]]] as const
        for (const [effect, expected] of ends) {
          const slow = yield* Task.async(Effect.never)
          const done = yield* Task.async(Effect.succeed(1))
          const bad = yield* Task.async(effect as Effect.Effect<never, string, Process.Current>)
          const error = yield* Effect.flip(Task.awaitMany([slow, done, bad]))
          assert.deepStrictEqual(typeof error === "string" ? error : reasonOf(error), expected)
          assert.deepStrictEqual((yield* infoOf(self.pid)).monitors, [])
          assert.isTrue(yield* Process.isAlive(pidOf(slow)))
          for (const task of [slow, done, bad]) assert.strictEqual(plain(yield* Task.yield(task)), "AlreadyTaken")
          yield* Task.shutdown(slow)
        }
        yield* arrived(self)
        yield* assertClean(self)
      })
    )))

  it.effect("one that is interrupted has taken nothing", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const tasks = [yield* Task.async(Effect.succeed(1)), yield* Task.async(after("1 second", 2))]
        const waiting = yield* Effect.forkChild(Task.awaitMany(tasks))
        yield* settle
        yield* Fiber.interrupt(waiting)
        assert.deepStrictEqual(yield* meanwhile(Task.awaitMany(tasks), "1 second"), [1, 2])
      })
    ))

  it.effect("TK-025 of none it is none", () =>
    asProcess(() => Effect.map(Task.awaitMany([]), (values) => assert.deepStrictEqual(values, []))))

  const delays = Schema.Array(Schema.Struct({
    delay: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })),
    fails: Schema.Boolean
  })).check(Schema.isMaxLength(6))

  it.effect.prop(
    "it is what waiting for one after the other is, or the first failure in time",
    [delays],
    ([items]) =>
      asProcess((self: Process.Self<never>) =>
        Effect.gen(function*() {
          const tasks = yield* Effect.forEach(
            items,
            ({ delay, fails }, i) =>
              Task.async(Effect.andThen(Effect.sleep(delay), fails ? Effect.fail(i) : Effect.succeed(i)))
          )
          const waiting = yield* Effect.forkChild(Effect.result(Task.awaitMany(tasks, { timeout: "1 second" })))
          yield* settle
          for (let i = 0; i < 10; i++) {
            yield* TestClock.adjust(1)
            yield* settle
          }
          const result = yield* Fiber.join(waiting)
          const failing = items.filter(({ fails }) => fails).map(({ delay }) => delay)
          if (failing.length === 0) return assert.deepStrictEqual(result, Result.succeed(items.map((_, i) => i)))
          assert.isTrue(Result.isFailure(result) && typeof result.failure === "number")
          const i = (result as { readonly failure: number }).failure
          assert.deepStrictEqual(items[i], { delay: Math.min(...failing), fails: true })
          yield* assertClean(self)
        })
      ),
    { arbitrary: { runs: scale.cases } }
  )
})
