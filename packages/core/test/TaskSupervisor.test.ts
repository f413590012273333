/** Tasks under a supervisor. What they share with other tasks is proved there, and here what the supervisor adds. */
import * as DynamicSupervisor from "@effect-otp/core/DynamicSupervisor"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import { CallError, ChildNotFound, MaxChildren } from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Task from "@effect-otp/core/Task"
import * as TaskSupervisor from "@effect-otp/core/TaskSupervisor"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import type * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { arrived, asProcess, downOf, inNode } from "./utils/process.ts"
import { reasons } from "./utils/reasons.ts"
import { defectOf } from "./utils/server.ts"
import { assertClean, meanwhile, pidOf, plain, type Trapping, trapping } from "./utils/task.ts"

const boo = ExitReason.custom("boo")

const silent = Effect.provide(Logger.layer([]))

const supervisor = Effect.orDie(TaskSupervisor.make().start)

const infoOf = (pid: Process.Pid<never, unknown>) => Effect.map(Process.info(pid), Option.getOrThrow)

/** Fails the test unless there was no room. */
const noRoom = Effect.fnUntraced(function*<A, E, R>(start: Effect.Effect<A, E, R>, max: number) {
  const error = yield* Effect.flip(start)
  assert(error instanceof MaxChildren, String(error))
  assert.strictEqual(error.max, max)
})

const starts = [["async", TaskSupervisor.async], ["asyncNoLink", TaskSupervisor.asyncNoLink]] as const

describe("a task that is waited for", () => {
  it.effect.each(starts)(
    "%s gives a task: await, yield and shutdown work on it",
    ([, start]) =>
      asProcess((self: Process.Self<never>) =>
        Effect.gen(function*() {
          const tasks = yield* supervisor
          assert.strictEqual(yield* Task.await(yield* start(tasks, Effect.succeed(1))), 1)
          const failing = yield* start(tasks, Effect.fail("no"))
          assert.deepStrictEqual(plain(yield* Task.yield(failing)), ["failed", "no"])
          const slow = yield* start(tasks, Effect.never)
          assert.deepStrictEqual(yield* TaskSupervisor.children(tasks), [pidOf(slow)])
          assert.deepStrictEqual(plain(yield* Task.shutdown(slow)), "nothing")
          assert.deepStrictEqual(yield* TaskSupervisor.children(tasks), [])
          yield* assertClean(self)
        })
      )
  )

  it.effect("async is linked to the caller: a crash ends it", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const tasks = yield* supervisor
        const owner = yield* Process.spawn(() =>
          Effect.andThen(TaskSupervisor.async(tasks, Process.exit(boo)), Effect.never)
        )
        assert.deepStrictEqual(yield* downOf(self, owner), boo)
        assert.isTrue(yield* Process.isAlive(tasks.pid))
      }).pipe(silent)
    ))

  it.effect("async is linked to the caller: its end ends the task, and the supervisor goes on", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const tasks = yield* supervisor
        const owner = yield* Process.spawn(() =>
          Effect.andThen(TaskSupervisor.async(tasks, Effect.never), Effect.never)
        )
        yield* settle
        const [task] = yield* TaskSupervisor.children(tasks)
        yield* Process.exit(owner, boo)
        assert.deepStrictEqual(yield* downOf(self, task as Process.Pid<never>), boo)
        assert.deepStrictEqual(yield* TaskSupervisor.children(tasks), [])
      }).pipe(silent)
    ))

  it.effect("TK-041 asyncNoLink: a crash is what yield gives, and harms nobody", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const tasks = yield* supervisor
        const task = yield* TaskSupervisor.asyncNoLink(tasks, Process.exit(boo))
        assert.deepStrictEqual((yield* infoOf(self.pid)).links, [])
        assert.deepStrictEqual(plain(yield* Task.yield(task)), ["exit", boo])
        yield* assertClean(self)
      }).pipe(silent)
    ))

  it.effect("TK-041 asyncNoLink: a crash is a Down, and no Exit, of an owner who wants messages", () =>
    asProcess((self: Process.Self<Task.Reply<never, never> | Process.Down | Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const tasks = yield* supervisor
        const task = yield* TaskSupervisor.asyncNoLink(tasks, Process.exit(boo), { reply: "message" })
        const messages = yield* arrived(self)
        assert.deepStrictEqual(messages.map(({ _tag }) => _tag), ["Down"])
        const [down] = messages
        assert(Process.isDown(down))
        assert.deepStrictEqual([down.ref, down.reason], [task.ref, boo])
      }).pipe(silent)
    ))

  it.effect("TK-041 asyncNoLink: the task runs on when its owner has ended", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const tasks = yield* supervisor
        const gate = yield* Deferred.make<void>()
        const done = yield* Deferred.make<string>()
        const work = Effect.andThen(Deferred.await(gate), Deferred.succeed(done, "done"))
        const owner = yield* Process.spawn(() => Effect.andThen(TaskSupervisor.asyncNoLink(tasks, work), Effect.never))
        yield* settle
        yield* Process.exit(owner, ExitReason.kill)
        yield* settle
        assert.strictEqual((yield* TaskSupervisor.children(tasks)).length, 1)
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* Deferred.await(done), "done")
        yield* settle
        assert.deepStrictEqual(yield* TaskSupervisor.children(tasks), [])
      })
    ))

  it.effect("PR-022 the first caller is who has asked, and the first ancestor the supervisor", () =>
    asProcess((self: Process.Self<unknown>) =>
      Effect.gen(function*() {
        const tasks = yield* supervisor
        const tell = Effect.flatMap(Process.self, (pid) =>
          Effect.flatMap(infoOf(pid), ({ ancestors, callers }) =>
            Process.send(self.pid, [callers, ancestors[0]])))
        yield* Task.await(yield* TaskSupervisor.async(tasks, tell))
        yield* Task.await(yield* TaskSupervisor.asyncNoLink(tasks, tell))
        yield* Process.awaitExit(yield* TaskSupervisor.startChild(tasks, tell))
        const nested = Effect.flatMap(TaskSupervisor.async(tasks, tell), (task) =>
          Task.await(task))
        const outer = yield* TaskSupervisor.async(tasks, nested)
        yield* Task.await(outer)
        yield* TaskSupervisor.asyncStream(tasks, [1], () => tell).pipe(Stream.runDrain)
        const [me, above] = [`${self.pid}`, `TaskSupervisor ${tasks.pid}`]
        assert.deepStrictEqual(yield* arrived(self), [
          [[me], above],
          [[me], above],
          [[me], above],
          [[`${outer.pid}`, me], above],
          [[me], above]
        ])
      })
    ))

  it.effect("the task has the services of its owner, and its own process", () =>
    asProcess(() =>
      Effect.gen(function*() {
        class Word extends Context.Service<Word, string>()("test/Word") {}
        const tasks = yield* supervisor
        const work = Effect.all([Word, Process.self])
        const task = yield* Effect.provideService(TaskSupervisor.async(tasks, work), Word, "hello")
        assert.deepStrictEqual(yield* Task.await(task), ["hello", pidOf(task)])
      })
    ))

  it.effect.each(
    [
      ["effect: expected an Effect or a body, got 1", 1, {}],
      [`reply: expected "message", got "mail"`, Effect.void, { reply: "mail" }],
      ["shutdown: expected a duration of zero or more, got -1", Effect.void, { shutdown: -1 }],
      [`option: .* got "restart"`, Effect.void, { restart: "permanent" }]
    ] as ReadonlyArray<readonly [string, unknown, object]>
  )("refused: %s", ([message, work, options]) =>
    asProcess(() =>
      Effect.gen(function*() {
        const tasks = yield* supervisor
        for (const [, start] of starts) {
          const error = yield* defectOf(start(tasks, work as Effect.Effect<void>, options))
          assert.match(error.message, new RegExp(message))
        }
        assert.deepStrictEqual(yield* TaskSupervisor.children(tasks), [])
      })
    ))

  it.effect("without a supervisor nothing is started: NoProcess", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const tasks = yield* supervisor
        yield* DynamicSupervisor.stop(tasks)
        for (const [, start] of starts) {
          const error = yield* Effect.flip(start(tasks, Effect.die("it ran")))
          assert(error instanceof CallError)
          assert.strictEqual(error.reason._tag, "NoProcess")
        }
        yield* assertClean(self)
      })
    ))
})

describe("the supervisor", () => {
  it.effect("TK-043 at maxChildren nothing more is started, and the caller is told", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const tasks = yield* TaskSupervisor.make({ maxChildren: 1 }).start
        const task = yield* TaskSupervisor.async(tasks, Effect.never)
        for (const [, start] of starts) yield* noRoom(start(tasks, Effect.die("it ran")), 1)
        yield* noRoom(TaskSupervisor.startChild(tasks, Effect.die("it ran")), 1)
        yield* Task.shutdown(task)
        assert.strictEqual(yield* Task.await(yield* TaskSupervisor.async(tasks, Effect.succeed(1))), 1)
        yield* assertClean(self)
      })
    ))

  it.effect("TK-044 children are pids; terminateChild ends one, and then it is not found", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const tasks = yield* supervisor
        const first = yield* TaskSupervisor.startChild(tasks, Effect.never)
        const second = yield* TaskSupervisor.startChild(tasks, Effect.never)
        assert.deepStrictEqual(yield* TaskSupervisor.children(tasks), [first, second])
        yield* TaskSupervisor.terminateChild(tasks, first)
        assert.deepStrictEqual(yield* Process.awaitExit(first), ExitReason.shutdown())
        assert.deepStrictEqual(yield* TaskSupervisor.children(tasks), [second])
        assert.deepStrictEqual(
          yield* Effect.flip(TaskSupervisor.terminateChild(tasks, first)),
          new ChildNotFound({ id: first.toString() })
        )
      })
    ))

  const stubborn = (self: Process.Self<Process.Exit>) =>
    Effect.andThen(Process.trapExit(true), Effect.forever(self.receive))

  it.effect.each(
    [
      ["brutalKill", 0],
      ["1 second", 1000],
      [undefined, 5000]
    ] as const
  )(
    "TK-045 a task with shutdown %s has that time when the supervisor stops",
    ([shutdown, time]) =>
      asProcess(() =>
        Effect.gen(function*() {
          const tasks = yield* supervisor
          const pids = [
            yield* TaskSupervisor.startChild(tasks, stubborn, { shutdown }),
            pidOf(yield* TaskSupervisor.asyncNoLink(tasks, stubborn, { shutdown }))
          ]
          yield* settle
          const stop = Effect.andThen(DynamicSupervisor.stop(tasks), Clock.currentTimeMillis)
          const fiber = yield* Effect.forkChild(stop)
          yield* settle
          if (time > 0) {
            yield* TestClock.adjust(time - 1)
            assert.isUndefined(fiber.pollUnsafe())
            yield* TestClock.adjust(1)
          }
          assert.strictEqual(yield* Fiber.join(fiber), time)
          for (const pid of pids) assert.deepStrictEqual(yield* Process.awaitExit(pid), ExitReason.killed)
        }).pipe(silent)
      )
  )

  it.effect("TK-045 an owner who is linked to its task and traps exits sees that it was killed", () =>
    asProcess(trapping((self) =>
      Effect.gen(function*() {
        const tasks = yield* supervisor
        const task = yield* TaskSupervisor.async(tasks, stubborn, { shutdown: "brutalKill" })
        yield* settle
        yield* DynamicSupervisor.stop(tasks)
        assert.deepStrictEqual(
          (yield* arrived(self)).map(({ pid, reason }) => [pid, reason]),
          [[pidOf(task), ExitReason.killed]]
        )
        assert.deepStrictEqual(plain(yield* Task.yield(task)), ["exit", ExitReason.killed])
      }).pipe(silent)
    )))

  const restarts = [undefined, "temporary", "transient", "permanent"] as const
  it.effect.each(restarts.flatMap((restart) =>
    reasons.map(([name, reason, isClean]) => {
      const times = restart === "permanent" || (restart === "transient" && !isClean) ? 2 : 1
      return [restart, name, times, reason] as const
    })
  ))(
    "startChild with restart %s of a task that ends %s: it runs %i times",
    ([restart, , times, reason]) =>
      asProcess(() =>
        Effect.gen(function*() {
          const tasks = yield* supervisor
          let begun = 0
          const work = Effect.suspend(() => ++begun === 1 ? Process.exit(reason) : Effect.never)
          const pid = yield* TaskSupervisor.startChild(tasks, work, { restart })
          yield* settle
          assert.strictEqual(begun, times)
          const left = yield* TaskSupervisor.children(tasks)
          assert.strictEqual(left.length, times - 1)
          assert.notInclude(left, pid)
        }).pipe(silent)
      )
  )

  it.effect("a task whose backoff is not over is no child that runs", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const tasks = yield* TaskSupervisor.make({ backoff: Schedule.spaced("1 second") }).start
        yield* TaskSupervisor.startChild(tasks, Process.exit(boo), { restart: "permanent" })
        yield* settle
        assert.deepStrictEqual(yield* TaskSupervisor.children(tasks), [])
        assert.strictEqual((yield* DynamicSupervisor.countChildren(tasks)).specs, 1)
      }).pipe(silent)
    ))

  it.effect("startChild links nobody: neither end reaches the other", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const tasks = yield* supervisor
        yield* TaskSupervisor.startChild(tasks, Process.exit(boo))
        yield* settle
        yield* assertClean(self)
      }).pipe(silent)
    ))

  it.effect("is a service in a tree", () =>
    Effect.gen(function*() {
      class Tasks extends TaskSupervisor.Service<Tasks>()("test/Tasks") {
        static readonly supervisor = this.implement({ maxChildren: 1 })
      }
      assert.strictEqual(TaskSupervisor.make().child().id, "TaskSupervisor")
      const done = yield* Deferred.make<number>()
      yield* Effect.gen(function*() {
        yield* TaskSupervisor.startChild(yield* Tasks, Deferred.succeed(done, 1))
        assert.strictEqual(yield* Deferred.await(done), 1)
      }).pipe(Effect.provide(Tasks.supervisor.layer))
    }).pipe(inNode))

  class Fetcher extends GenServer.Service<Fetcher>()("test/Fetcher", [
    GenServer.call("fetch", { payload: { n: Schema.Finite }, success: Schema.Finite, error: Schema.String })
  ]) {}

  it.effect("a server answers its callers by tasks that may crash, and lives", () =>
    Effect.gen(function*() {
      const tasks = yield* supervisor
      type State = ReadonlyMap<Process.MonitorRef, GenServer.From<number, string>>
      const server = Fetcher.implement({
        init: (): State => new Map(),
        handlers: {
          fetch: (waiting, { n }, from) =>
            TaskSupervisor.asyncNoLink(tasks, n < 0 ? Process.exit(boo) : Effect.succeed(n * 2), { reply: "message" })
              .pipe(
                Effect.orDie,
                Effect.map((task) => Step.noReply(new Map([...waiting, [task.ref, from]])))
              )
        },
        info: (waiting, message: Task.Reply<number, never> | Process.Down) => {
          const from = waiting.get(message.ref)
          if (from === undefined) return Step.noReply(waiting)
          const left = new Map([...waiting].filter(([ref]) => ref !== message.ref))
          const answer = Task.isReply(message) && message.result._tag === "Success"
            ? GenServer.reply(from, message.result.success)
            : GenServer.fail(from, "it crashed")
          return Effect.as(answer, Step.noReply<State>(left))
        }
      })
      const fetcher = yield* server.start()
      assert.strictEqual(yield* fetcher.fetch({ n: 2 }), 4)
      assert.strictEqual(yield* Effect.flip(fetcher.fetch({ n: -1 })), "it crashed")
      assert.strictEqual(yield* fetcher.fetch({ n: 3 }), 6)
    }).pipe(silent, inNode))
})

describe("streams", () => {
  const items = <E, R>(stream: Stream.Stream<Result.Result<unknown, unknown>, E, R>) =>
    Effect.map(Stream.runCollect(stream), (all) => all.map((result) => plain(Option.some(result))))

  const streams = [
    ["asyncStream", TaskSupervisor.asyncStream],
    ["asyncStreamNoLink", TaskSupervisor.asyncStreamNoLink]
  ] as const

  /** The number itself after as many seconds; a negative one crashes. */
  const work = (n: number) => n < 0 ? Process.exit(boo) : Effect.as(Effect.sleep(n * 1000), n)

  it.effect.each(streams)(
    "TK-046 %s: in order, so many at once, each under the supervisor",
    ([, stream]) =>
      asProcess((self: Process.Self<never>) =>
        Effect.gen(function*() {
          const tasks = yield* supervisor
          let most = 0
          const counted = (n: number) =>
            Effect.andThen(
              Effect.map(Effect.orDie(TaskSupervisor.children(tasks)), ({ length }) => most = Math.max(most, length)),
              work(n)
            )
          const fiber = yield* Effect.forkChild(items(stream(tasks, [3, 1, 2], counted, { maxConcurrency: 2 })))
          for (let i = 0; i < 6; i++) {
            yield* settle
            yield* TestClock.adjust("1 second")
          }
          assert.deepStrictEqual(yield* Fiber.join(fiber), [["ok", 3], ["ok", 1], ["ok", 2]])
          assert.strictEqual(most, 2)
          assert.deepStrictEqual(yield* TaskSupervisor.children(tasks), [])
          yield* assertClean(self)
        })
      )
  )

  it.effect.each(streams)(
    "TK-046 %s: an item that takes too long is killed",
    ([, stream]) =>
      asProcess((self: Process.Self<never>) =>
        Effect.gen(function*() {
          const tasks = yield* supervisor
          const slow = stream(tasks, [0, 9], work, { timeout: "1 second", onTimeout: "killTask" })
          assert.deepStrictEqual(yield* meanwhile(items(slow), "1 second"), [["ok", 0], "Timeout"])
          assert.deepStrictEqual(yield* TaskSupervisor.children(tasks), [])
          yield* assertClean(self)
        }).pipe(silent)
      )
  )

  it.effect.each(streams)(
    "TK-046 %s without room: MaxChildren, and what runs is ended",
    ([, stream]) =>
      asProcess((self: Process.Self<never>) =>
        Effect.gen(function*() {
          const tasks = yield* TaskSupervisor.make({ maxChildren: 2 }).start
          yield* noRoom(items(stream(tasks, [9, 9, 9], work, { maxConcurrency: 3 })), 2)
          assert.deepStrictEqual(yield* TaskSupervisor.children(tasks), [])
          yield* assertClean(self)
          const fitting = stream(tasks, [0, 0, 0, 0], work, { maxConcurrency: 2 })
          assert.strictEqual((yield* items(fitting)).length, 4)
        }).pipe(silent)
      )
  )

  it.effect.each(streams)(
    "TK-046 %s: a bad shutdown is a defect, and each task has a good one",
    ([, stream]) =>
      asProcess((self: Process.Self<never>) =>
        Effect.gen(function*() {
          const tasks = yield* supervisor
          const error = yield* defectOf(items(stream(tasks, [], work, { shutdown: -1 })))
          assert.match(error.message, /shutdown: expected a duration of zero or more, got -1/)
          const other = yield* defectOf(items(stream(tasks, [1], work, { colour: "red" } as object)))
          assert.match(other.message, /option: .* got "colour"/)
          const fiber = yield* Effect.forkChild(items(stream(tasks, [9], work, { shutdown: "brutalKill" })))
          yield* settle
          const [pid] = yield* TaskSupervisor.children(tasks)
          if (stream === TaskSupervisor.asyncStreamNoLink) {
            yield* DynamicSupervisor.stop(tasks)
            assert.deepStrictEqual(yield* Process.awaitExit(pid!), ExitReason.killed)
            assert.deepStrictEqual(yield* Fiber.join(fiber), [["exit", ExitReason.killed]])
          } else yield* Fiber.interrupt(fiber)
          yield* assertClean(self)
        }).pipe(silent)
      )
  )

  it.effect("TK-046 asyncStream: a crash ends the owner, and one that traps exits has it as an item", () =>
    asProcess(trapping((self: Trapping) =>
      Effect.gen(function*() {
        const tasks = yield* supervisor
        assert.deepStrictEqual(
          yield* items(TaskSupervisor.asyncStream(tasks, [0, -1, 0], work)),
          [["ok", 0], ["exit", boo], ["ok", 0]]
        )
        assert.deepStrictEqual(yield* arrived(self), [])
        const owner = yield* Process.spawn(() => Stream.runDrain(TaskSupervisor.asyncStream(tasks, [-1], work)))
        assert.deepStrictEqual(yield* Process.awaitExit(owner), boo)
        yield* assertClean(self)
      }).pipe(silent)
    )))

  it.effect("TK-047 asyncStreamNoLink: crashes are items, also of an owner who does not trap exits", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const tasks = yield* supervisor
        assert.deepStrictEqual(
          yield* items(TaskSupervisor.asyncStreamNoLink(tasks, [0, -1, 0], work)),
          [["ok", 0], ["exit", boo], ["ok", 0]]
        )
        yield* assertClean(self)
      }).pipe(silent)
    ))

  it.effect("TK-047 asyncStreamNoLink: its tasks are killed when the stream ends early", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const tasks = yield* supervisor
        const stream = TaskSupervisor.asyncStreamNoLink(tasks, [0, 9, 9], work).pipe(Stream.take(1))
        assert.deepStrictEqual(yield* items(stream), [["ok", 0]])
        assert.deepStrictEqual(yield* TaskSupervisor.children(tasks), [])
        yield* assertClean(self)
      }).pipe(silent)
    ))
})
