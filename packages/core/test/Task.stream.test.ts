import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Task from "@effect-otp/core/Task"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as scale from "../../../test-scale.ts"
import { arrived, asProcess, downOf, inNode } from "./utils/process.ts"
import { defectOf } from "./utils/server.ts"
import { assertClean, plain, reasonOf, trapping } from "./utils/task.ts"

const boo = ExitReason.custom("boo")

/** An item as a value to compare. */
const item = (result: Result.Result<unknown, unknown>) => plain(Option.some(result))

const items = <E, R>(stream: Stream.Stream<Result.Result<unknown, unknown>, E, R>) =>
  Effect.map(Stream.runCollect(stream), (all) => all.map(item))

/** So many tasks run, and so many have begun. */
const counting = () => {
  const count = { running: 0, most: 0, begun: 0, ended: 0 }
  const count_ = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        count.begun++
        count.most = Math.max(count.most, ++count.running)
      }),
      () => effect,
      () =>
        Effect.sync(() => {
          count.running--
          count.ended++
        })
    )
  return [count, count_] as const
}

/** Seconds, and then the number itself. */
const seconds = (n: number) => Effect.as(Effect.sleep(n * 1000), n)

const pass = Effect.fnUntraced(function*<A, E>(fiber: Fiber.Fiber<A, E>, time: number) {
  yield* settle
  for (let i = 0; i < time; i++) {
    yield* TestClock.adjust("1 second")
    yield* settle
  }
  return yield* Fiber.join(fiber)
})

describe("order", () => {
  it.effect("TK-028 results come in the order of the items, even if later ones are done first", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(items(Task.asyncStream([4, 3, 2, 1], seconds)))
        assert.deepStrictEqual(yield* pass(fiber, 4), [["ok", 4], ["ok", 3], ["ok", 2], ["ok", 1]])
        yield* assertClean(self)
      })
    ))

  it.effect("TK-029 unordered they come as they are done", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(items(Task.asyncStream([4, 3, 1, 2], seconds, { ordered: false })))
        assert.deepStrictEqual(yield* pass(fiber, 4), [["ok", 1], ["ok", 2], ["ok", 3], ["ok", 4]])
        yield* assertClean(self)
      })
    ))

  it.effect("of nothing it is nothing", () =>
    asProcess(() =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* items(Task.asyncStream([], seconds)), [])
        assert.deepStrictEqual(yield* items(Task.asyncStream(Stream.empty, seconds, { maxConcurrency: 1 })), [])
      })
    ))
})

describe("so many at once", () => {
  it.effect.each(
    [
      [1, true, 1],
      [2, true, 2],
      [3, false, 3],
      [undefined, true, 8],
      [undefined, false, 8],
      [100, true, 20]
    ] as const
  )(
    "TK-030 with maxConcurrency %s and ordered %s never more than %s",
    ([maxConcurrency, ordered, most]) =>
      asProcess((self: Process.Self<never>) =>
        Effect.gen(function*() {
          const [count, counted] = counting()
          const inputs = Array.from({ length: 20 }, (_, i) => i)
          const stream = Task.asyncStream(inputs, (i) => counted(seconds(1 + i % 3)), { maxConcurrency, ordered })
          const results = yield* pass(yield* Effect.forkChild(items(stream)), 60)
          assert.strictEqual(results.length, 20)
          assert.deepStrictEqual(count, { running: 0, most, begun: 20, ended: 20 })
          yield* assertClean(self)
        })
      )
  )

  it.effect("TK-030 the next one begins when nothing of the one before runs any more", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const pids: Array<Process.Pid<never>> = []
        const work = (i: number) =>
          Effect.gen(function*() {
            for (const pid of pids) assert.isFalse(yield* Process.isAlive(pid))
            pids.push(yield* Process.self)
            return i
          })
        const stream = Task.asyncStream([1, 2, 3], work, { maxConcurrency: 1 })
        assert.deepStrictEqual(yield* items(stream), [["ok", 1], ["ok", 2], ["ok", 3]])
      })
    ))

  it.effect("TK-030 an item is asked for when a task is free for it, and a slow consumer holds it back", () =>
    asProcess(() =>
      Effect.gen(function*() {
        let asked = 0
        const inputs = {
          *[Symbol.iterator]() {
            while (true) yield ++asked
          }
        }
        const gate = yield* Deferred.make<void>()
        for (const ordered of [true, false]) {
          asked = 0
          const stream = Task.asyncStream(inputs, Effect.succeed, { maxConcurrency: 3, ordered })
          const fiber = yield* Effect.forkChild(Stream.runForEach(stream, () => Deferred.await(gate)))
          yield* settle
          // One is with the consumer, three have begun, and one may be asked for.
          assert.isAtLeast(asked, 3)
          assert.isAtMost(asked, 5)
          yield* Fiber.interrupt(fiber)
        }
      })
    ))

  it.effect("TK-036 nothing runs before the stream is run, and each run has its own tasks", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const [count, counted] = counting()
        let asked = 0
        const inputs = {
          *[Symbol.iterator]() {
            asked++
            yield 1
          }
        }
        const stream = Task.asyncStream(inputs, (i) => counted(Effect.succeed(i)))
        yield* settle
        assert.deepStrictEqual([asked, count.begun], [0, 0])
        yield* Stream.runDrain(stream)
        yield* Stream.runDrain(stream)
        assert.deepStrictEqual([asked, count.begun], [2, 2])
      })
    ))

  it.effect("the items may be a Stream, which may wait, and fail", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const queue = yield* Queue.unbounded<number, string>()
        const seen: Array<unknown> = []
        const stream = Task.asyncStream(Stream.fromQueue(queue), (n) => Effect.succeed(n * 2))
        const fiber = yield* Effect.forkChild(
          Effect.flip(Stream.runForEach(stream, (result) => Effect.sync(() => seen.push(item(result)))))
        )
        yield* Queue.offer(queue, 1)
        yield* settle
        assert.deepStrictEqual(seen, [["ok", 2]])
        yield* Queue.fail(queue, "closed")
        assert.strictEqual(yield* Fiber.join(fiber), "closed")
        yield* assertClean(self)
      })
    ))
})

describe("options", () => {
  it.effect.each(
    [
      [{ maxConcurrency: 0 }, "maxConcurrency: expected a whole number of one or more, got 0"],
      [{ maxConcurrency: 1.5 }, "maxConcurrency: expected a whole number of one or more, got 1.5"],
      [{ onTimeout: "explode" }, "onTimeout: expected \"exit\" or \"killTask\", got \"explode\""],
      [{ timeout: -1 }, "timeout: expected a duration of zero or more, got -1"],
      [{ ordered: 3 }, "ordered: expected true or false, got 3"],
      [{ zipInputOnExit: "yes" }, "zipInputOnExit: expected true or false, got \"yes\""]
    ] as const
  )("TK-031 %o is refused", ([options, message]) =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const [count, counted] = counting()
        const stream = Task.asyncStream([1], (i) => counted(Effect.succeed(i)), options as never)
        assert.strictEqual((yield* defectOf(Stream.runDrain(stream))).message, message)
        assert.strictEqual(count.begun, 0)
        yield* assertClean(self)
      })
    ))
})

describe("timeout", () => {
  it.effect("TK-032 an item that takes longer than 5 seconds fails the stream, and the others are killed", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const [count, counted] = counting()
        const seen: Array<unknown> = []
        const stream = Task.asyncStream([1, 6, 7], (n) => counted(seconds(n)), { label: "slow" })
        const run = Stream.runForEach(stream, (result) => Effect.sync(() => seen.push(item(result))))
        const fiber = yield* Effect.forkChild(Effect.flip(run))
        const error = yield* pass(fiber, 5)
        assert.deepInclude(error.reason, { _tag: "Timeout", after: 5000, killed: true })
        assert.match(error.message, /^task slow #PID<0\.\d+\.0>: no answer within 5000 ms; it was killed, and may have/)
        assert.deepStrictEqual([seen, count.running], [[["ok", 1]], 0])
        yield* assertClean(self)
      })
    ))

  it.effect("TK-032 with killTask only the item fails", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const options = { timeout: "2 seconds", onTimeout: "killTask" } as const
        const fiber = yield* Effect.forkChild(items(Task.asyncStream([1, 4, 1], seconds, options)))
        assert.deepStrictEqual(yield* pass(fiber, 2), [["ok", 1], "Timeout", ["ok", 1]])
        yield* assertClean(self)
      })
    ))

  it.effect("TK-034 zipInputOnExit gives the item beside what ended it, and leaves failures as they are", () =>
    asProcess(trapping((self) =>
      Effect.gen(function*() {
        const options = { timeout: "2 seconds", onTimeout: "killTask", zipInputOnExit: true } as const
        const work = (n: number) => n === 2 ? Process.exit(boo) : n === 3 ? Effect.fail("no") : seconds(n)
        const stream = Task.asyncStream([1, 2, 3, 4], work, options)
        const fiber = yield* Effect.forkChild(Stream.runCollect(stream))
        const results = yield* pass(fiber, 2)
        const shown = results.map(Result.match({
          onSuccess: (value) => value,
          onFailure: (failure) => typeof failure === "string" ? failure : [failure[0], reasonOf(failure[1])]
        }))
        assert.deepStrictEqual(shown, [1, [2, ["exit", boo]], "no", [4, "Timeout"]])
        yield* assertClean(self)
      })
    )))
})

describe("crashes", () => {
  it.effect("TK-033 a crash ends an owner that does not trap exits", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const [count, counted] = counting()
        const owner = yield* Process.spawn(() =>
          items(Task.asyncStream([1, 2, 3], (n) => counted(n === 2 ? Process.exit(boo) : Effect.never)))
        )
        assert.deepStrictEqual(yield* downOf(self, owner), boo)
        yield* settle
        assert.deepStrictEqual([count.begun, count.running], [3, 0])
      })
    ))

  it.effect("TK-033 one that traps exits sees items, and no Exit at any time", () =>
    asProcess(trapping((self) =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const work = (n: number) => n === 1 ? Effect.as(Deferred.await(gate), n) : Process.exit(boo)
        const fiber = yield* Effect.forkChild(items(Task.asyncStream([1, 2], work)))
        assert.deepStrictEqual(yield* arrived(self), [])
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual(yield* Fiber.join(fiber), [["ok", 1], ["exit", boo]])
        assert.deepStrictEqual(yield* arrived(self), [])
        yield* assertClean(self)
      })
    )))

  it.effect("a typed failure is an item, and a function that throws a crash of the task", () =>
    asProcess(trapping((self) =>
      Effect.gen(function*() {
        const throws = () => {
          throw new Error("a bug")
        }
        const work = (n: number) => n === 1 ? Effect.fail("no") : throws()
        const [first, second] = yield* Stream.runCollect(Task.asyncStream([1, 2], work))
        assert.deepStrictEqual(item(first!), ["failed", "no"])
        const failure = Result.isFailure(second!) && second.failure
        assert.include(
          failure && typeof failure !== "string" ? failure.message : "",
          "it ended before it answered (Crashed: Error: a bug)"
        )
        yield* assertClean(self)
      })
    )))

  it.effect("TK-038 what looks like a Down, a Reply or an Exit in the mailbox is left alone", () =>
    asProcess((self: Process.Self<unknown>) =>
      Effect.gen(function*() {
        const fakes = ["Down", "Reply", "Exit"].map((_tag) => ({ _tag, ref: 1, reason: boo }))
        for (const fake of fakes) yield* Process.send(self.pid, fake)
        assert.deepStrictEqual(yield* items(Task.asyncStream([1], Effect.succeed)), [["ok", 1]])
        assert.deepStrictEqual(yield* arrived(self), fakes)
      })
    ))
})

describe("the end", () => {
  it.effect.each([true, false])(
    "TK-035 halting early kills what runs and waits for it (ordered %s)",
    (ordered) =>
      asProcess(trapping((self) =>
        Effect.gen(function*() {
          const [count, counted] = counting()
          const gate = yield* Deferred.make<void>()
          const ending: Array<number> = []
          const release = (n: number) => Effect.andThen(Effect.sync(() => ending.push(n)), Deferred.await(gate))
          const work = (n: number) => counted(n === 1 ? Effect.succeed(1) : Effect.ensuring(Effect.never, release(n)))
          const stream = Stream.take(Task.asyncStream([1, 2, 3, 4], work, { ordered }), 1)
          const fiber = yield* Effect.forkChild(items(stream))
          yield* settle
          // All of them at once, however long the finalizers of one of them take.
          assert.deepStrictEqual([ending.toSorted(), count.running, fiber.pollUnsafe()], [[2, 3, 4], 3, undefined])
          yield* Deferred.succeed(gate, undefined)
          yield* settle
          assert.strictEqual(count.running, 0)
          assert.deepStrictEqual(yield* Fiber.join(fiber), [["ok", 1]])
          assert.deepStrictEqual(yield* arrived(self), [])
          yield* assertClean(self)
        })
      ))
  )

  it.effect("TK-035 interrupting the consumer does so, too", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const [count, counted] = counting()
        const stream = Task.asyncStream([1, 2, 3], () => counted(Effect.never))
        const fiber = yield* Effect.forkChild(Stream.runDrain(stream))
        yield* settle
        assert.strictEqual(count.running, 3)
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(count.running, 0)
        yield* assertClean(self)
      })
    ))

  it.effect("TK-010 its tasks end with the process that runs it", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const [count, counted] = counting()
        const owner = yield* Process.spawn(() => Stream.runDrain(Task.asyncStream([1, 2], () => counted(Effect.never))))
        yield* settle
        assert.strictEqual(count.running, 2)
        yield* Process.exit(owner, ExitReason.kill)
        yield* settle
        assert.strictEqual(count.running, 0)
      })
    ))

  class Sums extends GenServer.Service<Sums>()("test/Sums", [
    GenServer.call("sum", { payload: { of: Schema.Array(Schema.Finite) }, success: Schema.Finite })
  ]) {
    static readonly server = this.implement({
      init: () => 0,
      trapExit: true,
      handlers: {
        sum: (calls, { of }) =>
          Task.asyncStream(of, (n) => n < 0 ? Process.exit(boo) : Effect.succeed(n)).pipe(
            Stream.runFold(() => 0, (sum, result) => sum + Result.getOrElse(result, () => 0)),
            Effect.orDie,
            Effect.map((sum) => Step.reply(sum, calls + 1))
          )
      },
      info: (calls, exit: Process.Exit) => Step.stop(exit.reason, calls)
    })
  }

  it.effect("a server runs one in a handler, and none of its exits reaches info", () =>
    inNode(Effect.gen(function*() {
      const server = yield* Sums.server.start()
      assert.strictEqual(yield* server.sum({ of: [1, 2, -1, 3] }), 6)
      assert.strictEqual(yield* server.sum({ of: [4] }), 4)
      yield* settle
      yield* assertClean(server)
    })))
})

describe("any items", () => {
  const Work = Schema.Struct({
    delay: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 })),
    kind: Schema.Literals(["succeed", "fail", "exit"])
  })
  const works = Schema.Array(Work).check(Schema.isMaxLength(12))
  const maxConcurrency = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 }))

  it.effect.prop(
    "TK-028 TK-029 TK-030 are worked on as a plain map does, in order or as they are done, and never too many at once",
    { works, maxConcurrency, ordered: Schema.Boolean },
    ({ maxConcurrency, ordered, works }) =>
      asProcess(trapping((self) =>
        Effect.gen(function*() {
          const [count, counted] = counting()
          const entries = [...works.entries()]
          const end = (i: number, kind: "succeed" | "fail" | "exit") =>
            kind === "succeed"
              ? Effect.succeed(i)
              : kind === "fail"
              ? Effect.fail(i)
              : Process.exit(ExitReason.custom(i))
          const expected = entries.map(([i, { kind }]) =>
            kind === "succeed" ? ["ok", i] : kind === "fail" ? ["failed", i] : ["exit", ExitReason.custom(i)]
          )
          const stream = Task.asyncStream(
            entries,
            ([i, { delay, kind }]) => counted(Effect.andThen(Effect.sleep(delay * 100), end(i, kind))),
            { maxConcurrency, ordered }
          )
          const results = yield* pass(yield* Effect.forkChild(items(stream)), 8)
          if (ordered) assert.deepStrictEqual(results, expected)
          else assert.sameDeepMembers([...results], expected)
          assert.isAtMost(count.most, maxConcurrency)
          assert.strictEqual(count.running, 0)
          yield* assertClean(self)
        })
      )),
    { arbitrary: { runs: scale.cases } }
  )
})
