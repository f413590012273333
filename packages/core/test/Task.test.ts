import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import type { TaskError } from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Task from "@effect-otp/core/Task"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { arrived, asProcess, downOf, inNode, queued } from "./utils/process.ts"
import { defectOf, logged } from "./utils/server.ts"
import { after, assertClean, meanwhile, pidOf, plain, reasonOf, trapping } from "./utils/task.ts"

const infoOf = (pid: Process.Pid<never, unknown>) => Effect.map(Process.info(pid), Option.getOrThrow)

const boo = ExitReason.custom("boo")
const bug = new Error("a bug")
const crash = Effect.die(bug)

describe("async", () => {
  it.effect("TK-001 it links and monitors, and the task knows its owner, its pid and its reference", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const task = yield* Task.async(Effect.never, { label: "work" })
        assert.isTrue(Task.isTask(task))
        assert.strictEqual(task.owner, self.pid)
        const own = yield* infoOf(self.pid)
        assert.deepStrictEqual([own.links, own.monitors], [[pidOf(task)], [pidOf(task)]])
        const info = yield* infoOf(pidOf(task))
        assert.deepStrictEqual([info.links, info.monitoredBy], [[self.pid], [self.pid]])
        assert.deepStrictEqual([info.label, info.initialCall], ["work", "Task"])
        assert.strictEqual(`${task}`, `#Task<work ${task.pid}>`)
        assert.isTrue(yield* Process.demonitor(task.ref, { info: true }))
        yield* Task.shutdown(task)
      })
    ))

  it.effect("it begins after async has given the task", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const seen: Array<string> = []
        const task = yield* Task.async(Effect.sync(() => seen.push("task")))
        seen.push("owner")
        yield* Task.await(task)
        assert.deepStrictEqual(seen, ["owner", "task"])
      })
    ))

  it.effect("a body has a mailbox of its own", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const given = yield* Deferred.make<Process.Pid<number>>()
        const task = yield* Task.async((self: Process.Self<number>) =>
          Effect.andThen(Deferred.succeed(given, self.pid), self.receive)
        )
        yield* Process.send(yield* Deferred.await(given), 7)
        assert.strictEqual(yield* Task.await(task), 7)
      })
    ))

  it.effect("TK-010 the task ends with its owner, for the same reason", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const given = yield* Deferred.make<Process.Pid<never>>()
        const owner = yield* Process.spawn(() =>
          Effect.flatMap(Task.async(Effect.never), (task) =>
            Effect.andThen(Deferred.succeed(given, pidOf(task)), Effect.never))
        )
        const task = yield* Deferred.await(given)
        yield* Process.exit(owner, boo)
        assert.deepStrictEqual(yield* downOf(self, owner), boo)
        assert.deepStrictEqual(yield* Process.awaitExit(task), boo)
      })
    ))

  it.effect("what is no work is refused, and an option that nobody knows", () =>
    asProcess(() =>
      Effect.gen(function*() {
        for (
          const [effect, message] of [
            [Task.async(42 as never), "effect: expected an Effect or a body, got 42"],
            [Task.start("x" as never), "effect: expected an Effect or a body, got \"x\""],
            [Task.async(Effect.void, { name: "x" } as never), "option: expected \"label\" or \"reply\", got \"name\""],
            [Task.async(Effect.void, { reply: "mail" } as never), "reply: expected \"message\", got \"mail\""],
            [Task.await(42 as never), "task: expected what Task.async gave, got 42"],
            [Task.awaitMany(42 as never), "tasks: expected an array of tasks, got 42"],
            [Task.yieldMany([], { limit: 0 }), "limit: expected a whole number of one or more, got 0"]
          ] as const
        ) {
          assert.strictEqual((yield* defectOf(effect as Effect.Effect<unknown>)).message, message)
        }
      })
    ))
})

describe("await", () => {
  it.effect("TK-002 it gives the value, and neither monitor nor message is left", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* Task.await(yield* Task.async(Effect.succeed(3))), 3)
        const early = yield* Task.async(Effect.succeed(4))
        yield* settle
        assert.strictEqual(yield* Task.await(early), 4)
        yield* settle
        yield* assertClean(self)
      })
    ))

  it.effect("a typed failure is the answer: the task ends Normal and the owner lives", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const task = yield* Task.async(Effect.fail("no"))
        const ref = yield* Process.monitor(pidOf(task))
        assert.strictEqual(yield* Effect.flip(Task.await(task)), "no")
        const [down] = yield* arrived(self)
        assert.deepStrictEqual([down!.ref, down!.reason], [ref, ExitReason.normal])
        yield* assertClean(self)
      })
    ))

  it.effect("failures that come together are one answer, with all of them", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const both = Cause.fromReasons([Cause.makeFailReason(1), Cause.makeFailReason(2)])
        const first = yield* Task.async(Effect.failCause(both))
        assert.deepStrictEqual(yield* Effect.flip(Effect.sandbox(Task.await(first))), both)
        const second = yield* Task.async(Effect.failCause(both))
        assert.deepStrictEqual(plain(yield* Task.yield(second)), ["failed", 1])
      })
    ))

  it.effect("a failure with a defect beside it is a crash", () =>
    asProcess(trapping((self) =>
      Effect.gen(function*() {
        const both = Cause.fromReasons([Cause.makeFailReason(1), Cause.makeDieReason(bug)])
        const error = yield* Effect.flip(Task.await(yield* Task.async(Effect.failCause(both))))
        assert.strictEqual(typeof error === "number" ? error : error.reason._tag, "Exited")
        assert.strictEqual((yield* arrived(self))[0]?.reason._tag, "Crashed")
      })
    )))

  it.effect("TK-005 without an answer in 5 seconds it fails with Timeout, and the task lives as long as its owner", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const told = yield* Deferred.make<readonly [Process.Pid<never>, TaskError]>()
        const owner = yield* Process.spawn(() =>
          Effect.gen(function*() {
            const task = yield* Task.async(Effect.never, { label: "slow" })
            const error = yield* Effect.flip(Task.await(task))
            yield* Deferred.succeed(told, [pidOf(task), error])
            return yield* Effect.never
          })
        )
        yield* settle
        yield* TestClock.adjust(4999)
        assert.isFalse(yield* Deferred.isDone(told))
        yield* TestClock.adjust(1)
        const [task, error] = yield* Deferred.await(told)
        assert.deepInclude(error.reason, { _tag: "Timeout", after: 5000, killed: false })
        assert.strictEqual(
          error.message,
          `task slow ${task}: no answer within 5000 ms; it still runs and its late answer will be dropped: ` +
            "end it with Task.shutdown, allow it more time with { timeout }, or ask with Task.yield, which can be repeated"
        )
        assert.isTrue(yield* Process.isAlive(task))
        yield* Process.exit(owner, boo)
        assert.deepStrictEqual(yield* downOf(self, task), boo)
      })
    ))

  it.effect("TK-006 what comes after the timeout is dropped, and nothing is left", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const task = yield* Task.async(after("2 seconds", 1))
        const error = yield* meanwhile(Effect.flip(Task.await(task, { timeout: "1 second" })), "1 second")
        assert.strictEqual(reasonOf(error), "Timeout")
        assert.deepStrictEqual((yield* infoOf(self.pid)).monitors, [])
        yield* TestClock.adjust("1 second")
        yield* settle
        assert.isFalse(yield* Process.isAlive(pidOf(task)))
        assert.strictEqual(reasonOf(yield* Effect.flip(Task.await(task))), "AlreadyTaken")
        yield* assertClean(self)
      })
    ))

  it.effect.each<readonly [string, Effect.Effect<never, never, Process.Current>, ExitReason.ExitReason]>([
    ["a defect", crash, ExitReason.crashed(Cause.die(bug))],
    ["an exit", Process.exit(boo), boo],
    ["an exit with Normal", Process.exit(ExitReason.normal), ExitReason.normal],
    ["an exit with Shutdown", Process.exit(ExitReason.shutdown("why")), ExitReason.shutdown("why")],
    ["its own interruption", Effect.interrupt, ExitReason.shutdown()]
  ])(
    "TK-007 it fails with Exited and the reason after %s",
    ([, effect, reason]) =>
      asProcess(trapping((self) =>
        Effect.gen(function*() {
          const task = yield* Task.async(effect)
          const error = yield* Effect.flip(Task.await(task))
          assert.strictEqual(error.task, `${task.pid}`)
          assert.deepStrictEqual(error.reason._tag === "Exited" && strip(error.reason.reason), strip(reason))
          const exits = yield* arrived(self)
          assert.deepStrictEqual(exits.map(({ pid, reason }) => [pid, strip(reason)]), [[task.pid, strip(reason)]])
          yield* assertClean(self)
        })
      ))
  )

  it.effect("TK-007 a crash ends an owner that does not trap exits, before it can catch anything", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        let caught = false
        const owner = yield* Process.spawn(() =>
          Effect.flatMap(Task.async(crash), Task.await).pipe(Effect.catch(() => Effect.sync(() => caught = true)))
        )
        assert.deepStrictEqual(strip(yield* downOf(self, owner)), strip(ExitReason.crashed(Cause.die(bug))))
        yield* settle
        assert.isFalse(caught)
      })
    ))

  it.effect("TK-011 there is one await for a task: another fails at once", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const task = yield* Task.async(Effect.succeed(1))
        yield* Task.await(task)
        const error = yield* Effect.flip(Task.await(task))
        assert.strictEqual(reasonOf(error), "AlreadyTaken")
        assert.include(error.message, "its answer was taken or given up before")
        assert.strictEqual(plain(yield* Task.yield(task)), "AlreadyTaken")
        yield* assertClean(self)
      })
    ))

  it.effect("whoever is interrupted while waiting harms nothing, and may await again", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<number>()
        const task = yield* Task.async(Deferred.await(gate))
        const waiting = yield* Effect.forkChild(Task.await(task))
        yield* settle
        yield* Fiber.interrupt(waiting)
        assert.isTrue(yield* Process.isAlive(pidOf(task)))
        const again = yield* Effect.forkChild(Task.await(task))
        yield* settle
        yield* Deferred.succeed(gate, 5)
        assert.strictEqual(yield* Fiber.join(again), 5)
        yield* settle
        yield* assertClean(self)
      })
    ))

  it.effect("an answer that has woken somebody who is interrupted before he goes on is not lost", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<number>()
        const task = yield* Task.async(Deferred.await(gate))
        const waiting = yield* Effect.forkChild(Task.await(task))
        yield* settle
        yield* Deferred.succeed(gate, 5)
        while (yield* Process.isAlive(pidOf(task))) yield* Effect.yieldNow
        waiting.interruptUnsafe()
        yield* Fiber.await(waiting)
        const answer = yield* Task.yield(task, { timeout: 0 })
        const given = waiting.pollUnsafe()
        assert.isTrue(
          Option.isSome(answer) && given?._tag === "Failure"
            ? Result.isSuccess(answer.value)
            : given?._tag === "Success"
        )
      })
    ))

  it.effect("it works in a handler of a server, whose mailbox has other things in it", () =>
    inNode(Effect.gen(function*() {
      const server = yield* Adder.server.start()
      const both = yield* Effect.all([server.add({ n: 1 }), server.add({ n: 10 })], { concurrency: "unbounded" })
      assert.deepStrictEqual(both, [1, 11])
      yield* settle
      yield* assertClean(server)
    })))

  it.effect("TK-012 only the owner may wait or end: for anybody else it is a defect that names both", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const task = yield* Task.async(Effect.never)
        const verbs = {
          await: Task.await(task),
          awaitMany: Task.awaitMany([task]),
          yield: Task.yield(task),
          yieldMany: Task.yieldMany([task]),
          shutdown: Task.shutdown(task),
          ignore: Task.ignore(task)
        }
        const message = (verb: string, who: string) =>
          `Task.${verb}: only the owner of a task may do this; ${task} belongs to ${self.pid}, and it was called by ${who}`
        for (const [verb, effect] of Object.entries(verbs)) {
          const stranger = yield* Process.spawn(() =>
            Effect.flatMap(defectOf(effect as Effect.Effect<unknown>), (error) => Process.send(self.pid, error.message))
          )
          assert.strictEqual(yield* self.receive, message(verb, `${stranger}`))
          const outside = Effect.runPromise(defectOf(effect as Effect.Effect<unknown>))
          assert.strictEqual(
            (yield* Effect.promise(() => outside)).message,
            message(verb, "code outside of any process")
          )
        }
        assert.isTrue(yield* Process.isAlive(pidOf(task)))
        yield* Task.shutdown(task)
      })
    ))

  it.effect("in the finalizer of a process that was killed a task ends before it begins, and nobody hangs", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const told = yield* Deferred.make<unknown>()
        const owner = yield* Process.spawn(() =>
          Effect.ensuring(
            Effect.never,
            Task.async(Effect.succeed(1)).pipe(
              Effect.flatMap((task) => Task.await(task, { timeout: "Infinity" })),
              Effect.exit,
              Effect.flatMap((exit) => Deferred.succeed(told, exit._tag))
            )
          )
        )
        yield* settle
        yield* Process.exit(owner, ExitReason.kill)
        assert.strictEqual(yield* Deferred.await(told), "Failure")
      })
    ))
})

class Adder extends GenServer.Service<Adder>()("test/Adder", [
  GenServer.call("add", { payload: { n: Schema.Finite }, success: Schema.Finite })
]) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: {
      add: (sum, { n }) =>
        Task.async(Effect.as(Effect.yieldNow, sum + n)).pipe(
          Effect.flatMap(Task.await),
          Effect.map((sum) => Step.reply(sum, sum)),
          Effect.catchTag("TaskError", Effect.die)
        )
    }
  })
}

/** A reason without the annotations of its Cause. */
const strip = (reason: ExitReason.ExitReason): unknown =>
  reason._tag === "Crashed" ? ["Crashed", Cause.squash(reason.cause)] : reason

describe("yield", () => {
  it.effect("TK-013 nothing while there is none, and it can be asked again", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const task = yield* Task.async(after("6 seconds", 1))
        assert.strictEqual(plain(yield* Task.yield(task, { timeout: 0 })), "nothing")
        assert.strictEqual(plain(yield* meanwhile(Task.yield(task), "5 seconds")), "nothing")
        assert.deepStrictEqual(plain(yield* meanwhile(Task.yield(task), "1 second")), ["ok", 1])
        yield* settle
        yield* assertClean(self)
      })
    ))

  it.effect("TK-013 a value, a failure, and the reason of an end without an answer", () =>
    asProcess(trapping((self) =>
      Effect.gen(function*() {
        const outcomes = [
          plain(yield* Task.yield(yield* Task.async(Effect.succeed(1)))),
          plain(yield* Task.yield(yield* Task.async(Effect.fail("no")))),
          plain(yield* Task.yield(yield* Task.async(Process.exit(boo)))),
          plain(yield* Task.yield(yield* Task.async(Process.exit(ExitReason.normal))))
        ]
        assert.deepStrictEqual(outcomes, [["ok", 1], ["failed", "no"], ["exit", boo], ["exit", ExitReason.normal]])
        yield* arrived(self)
        yield* assertClean(self)
      })
    )))

  it.effect("of a task that was killed, its finalizers still running, the reason comes at once", () =>
    asProcess(trapping(() =>
      Effect.gen(function*() {
        const task = yield* Task.async(Effect.ensuring(Effect.never, Effect.sleep("1 minute")))
        yield* settle
        yield* Process.exit(pidOf(task), ExitReason.kill)
        assert.deepStrictEqual(plain(yield* Task.yield(task, { timeout: 0 })), ["exit", ExitReason.killed])
      })
    )))

  it.effect.each(["exit", "kill"] as const)(
    "a task that has got an %s gives no answer, even if it comes to one",
    (how) =>
      asProcess(trapping((self) =>
        Effect.gen(function*() {
          const reason = how === "exit" ? boo : ExitReason.kill
          const context = yield* Effect.context<never>()
          const task = yield* Task.async((own: Process.Self<never>) =>
            Effect.uninterruptible(Effect.sync(() => {
              Effect.runSyncWith(context)(Process.exit(own.pid, reason))
              return 1
            }))
          )
          assert.deepStrictEqual(plain(yield* Task.yield(task)), ["exit", how === "exit" ? boo : ExitReason.killed])
          yield* settle
          assert.strictEqual(plain(yield* Task.yield(task)), "AlreadyTaken")
          assert.strictEqual((yield* arrived(self)).length, 1)
        })
      ))
  )
})

describe("completed", () => {
  it.effect("TK-023 a task without a pid, which is awaited at once", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const make = Task.completed(1)
        const task = yield* make
        assert.strictEqual(task.pid, undefined)
        assert.strictEqual(task.owner, self.pid)
        assert.strictEqual(yield* Task.await(task), 1)
        assert.strictEqual(reasonOf(yield* Effect.flip(Task.await(task))), "AlreadyTaken")
        assert.deepStrictEqual(plain(yield* Task.yield(yield* make, { timeout: 0 })), ["ok", 1])
        assert.deepStrictEqual(plain(yield* Task.shutdown(yield* make)), ["ok", 1])
        assert.deepStrictEqual(plain(yield* Task.ignore(yield* make)), ["ok", 1])
        assert.deepStrictEqual(yield* Task.awaitMany([yield* make, yield* Task.async(Effect.succeed("b"))]), [1, "b"])
        yield* settle
        yield* assertClean(self)
      })
    ))
})

describe("ignore", () => {
  it.effect("TK-022 the task runs on, unlinked, and what it says is dropped", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const task = yield* Task.async(after("1 second", 1))
        assert.strictEqual(plain(yield* Task.ignore(task)), "nothing")
        yield* assertCleanButTimers(self)
        assert.isTrue(yield* Process.isAlive(pidOf(task)))
        yield* TestClock.adjust("1 second")
        yield* settle
        assert.isFalse(yield* Process.isAlive(pidOf(task)))
        assert.strictEqual(plain(yield* Task.ignore(task)), "nothing")
        yield* assertClean(self)
        const crashing = yield* Task.async(Effect.andThen(Effect.sleep("1 second"), Process.exit(boo)))
        yield* Task.ignore(crashing)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* Process.awaitExit(pidOf(crashing)), boo)
      })
    ))

  it.effect("TK-022 what is there already is given", () =>
    asProcess(trapping((self) =>
      Effect.gen(function*() {
        const done = yield* Task.async(Effect.succeed(1))
        const exited = yield* Task.async(Process.exit(boo))
        yield* settle
        assert.deepStrictEqual(plain(yield* Task.ignore(done)), ["ok", 1])
        assert.deepStrictEqual(plain(yield* Task.ignore(exited)), ["exit", boo])
        yield* queued(self)
        yield* assertClean(self)
      })
    )))

  const assertCleanButTimers = (self: { readonly pid: Process.Pid<never> }) =>
    Effect.map(infoOf(self.pid), ({ links, monitors }) => assert.deepStrictEqual([links, monitors], [[], []]))
})

describe("callers and reports", () => {
  it.effect("PR-022 a task has the chain of those who asked, nearest first, and what it spawns has none", () =>
    asProcess((self: Process.Self<unknown>) =>
      Effect.gen(function*() {
        const callers = Effect.flatMap(Process.self, (pid) => Effect.map(infoOf(pid), (info) => info.callers))
        const tell = (who: string) => Effect.flatMap(callers, (list) => Process.send(self.pid, [who, list]))
        assert.deepStrictEqual(yield* callers, [])
        const task = yield* Task.async(
          Effect.gen(function*() {
            yield* tell("task")
            yield* Task.await(yield* Task.async(tell("inner"), { label: "inner" }))
            yield* Process.awaitExit(yield* Process.spawn(() => tell("spawned")))
            yield* Process.awaitExit(yield* Task.start(tell("started")))
            yield* Fiber.join(yield* Effect.forkChild(tell("fiber")))
          }),
          { label: "outer" }
        )
        yield* Task.await(task)
        const [me, outer] = [`${self.pid}`, `outer ${task.pid}`]
        assert.deepStrictEqual(yield* arrived(self), [
          ["task", [me]],
          ["inner", [outer, me]],
          ["spawned", []],
          ["started", [outer, me]],
          ["fiber", [me]]
        ])
      })
    ))

  it.effect("PR-022 tasks that start each other for ever do not keep all that came before", () =>
    asProcess((self: Process.Self<ReadonlyArray<string>>) =>
      Effect.gen(function*() {
        const next = (left: number): Effect.Effect<unknown> =>
          left > 0
            ? Task.start(Effect.suspend(() => next(left - 1)))
            : Task.start((own) => Effect.flatMap(infoOf(own.pid), ({ callers }) => Process.send(self.pid, callers)))
        yield* next(100)
        assert.isBelow((yield* self.receive).length, 34)
      })
    ))

  it.effect("LG-018 TK-048 the report of a crash names the task, its label and its starter", () =>
    logged((lines) =>
      asProcess(trapping((self) =>
        Effect.gen(function*() {
          const task = yield* Task.async(crash, { label: "import" })
          yield* Task.yield(task)
          assert.strictEqual(lines.length, 1)
          const { cause, level, message, report } = lines[0]!
          assert.strictEqual(level, "Error")
          assert.strictEqual(message[0], `Task import ${task.pid} crashed: Error: a bug`)
          assert.deepInclude(report, {
            pid: `${task.pid}`,
            label: "import",
            initialCall: "Task",
            starter: `${self.pid}`
          })
          assert.strictEqual(Cause.squash(cause), bug)
        })
      ))
    ))

  it.effect("LG-018 TK-048 nobody started one that code outside of any process has", () =>
    logged((lines) =>
      inNode(Effect.gen(function*() {
        const pid = yield* Task.start(crash)
        yield* Process.awaitExit(pid)
        assert.strictEqual(lines[0]!.message[0], `Task ${pid} crashed: Error: a bug`)
        assert.notProperty(lines[0]!.report, "starter")
      }))
    ))

  it.effect("an answer, an order to end and a Normal exit are not reported", () =>
    logged((lines) =>
      asProcess(trapping(() =>
        Effect.gen(function*() {
          yield* Task.yield(yield* Task.async(Effect.fail("no")))
          yield* Task.shutdown(yield* Task.async(Effect.never))
          yield* Task.shutdown(yield* Task.async(Effect.never), "brutalKill")
          yield* Task.yield(yield* Task.async(Process.exit(ExitReason.normal)))
          assert.deepStrictEqual(lines, [])
        })
      ))
    ))
})

describe("start", () => {
  it.effect("TK-026 start gives a pid, is not linked, and answers nobody", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const pid = yield* Task.start(Effect.never, { label: "alone" })
        const info = yield* infoOf(pid)
        assert.deepStrictEqual([info.label, info.links, info.monitoredBy], ["alone", [], []])
        yield* Process.exit(pid, boo)
        assert.deepStrictEqual(yield* Process.awaitExit(yield* Task.start(Effect.succeed(1))), ExitReason.normal)
        yield* settle
        yield* assertClean(self)
      })
    ))

  it.effect("TK-026 startLink is linked", () =>
    asProcess(trapping((self) =>
      Effect.gen(function*() {
        const pid = yield* Task.startLink(Effect.never)
        assert.deepStrictEqual((yield* infoOf(pid)).links, [self.pid])
        yield* Process.exit(pid, boo)
        const [exit] = yield* arrived(self)
        assert.deepStrictEqual([exit!.pid, exit!.reason], [pid, boo])
      })
    )))

  it.effect("a failure that nobody waits for is a crash", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const pid = yield* Task.start(Effect.fail("no"))
        assert.deepStrictEqual(strip(yield* Process.awaitExit(pid)), ["Crashed", "no"])
      })
    ))
})
