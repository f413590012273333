/**
 * What holds of tasks and of registries, whoever takes the next step.
 */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import * as ProcessGroup from "@effect-otp/core/ProcessGroup"
import * as Registry from "@effect-otp/core/Registry"
import * as Task from "@effect-otp/core/Task"
import * as TaskSupervisor from "@effect-otp/core/TaskSupervisor"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect-otp/core/testing/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { orders } from "../../../../test-scale.ts"

const runs = { runs: orders }

/** Runs a body as a process, and fails with what it crashed of. */
const asProcess = <M, R>(body: Process.Body<M, void, unknown, R>) =>
  Effect.gen(function*() {
    const reason = yield* Process.awaitExit(yield* Process.spawn(body))
    if (reason._tag === "Crashed") return yield* Effect.orDie(Effect.failCause(reason.cause))
    assert.deepStrictEqual(reason, ExitReason.normal)
  })

describe("tasks", () => {
  // The seed with which it once waited for ever: the task answered between the look at it and the wait.
  it.interleave(
    "an await misses no answer that comes as it begins",
    { ...runs, seed: 1710855236 },
    asProcess(() =>
      Effect.gen(function*() {
        const tasks = yield* Effect.forEach(["a", "b"], (word) => Task.async(Effect.succeed(word)))
        assert.strictEqual(yield* Task.await(tasks[0]!), "a")
        assert.deepStrictEqual(yield* Task.awaitMany(tasks.slice(1)), ["b"])
      })
    )
  )

  it.interleave(
    "an await that meets an answer, a crash and a kill gets one of them",
    runs,
    asProcess(() =>
      Effect.gen(function*() {
        const tasks = yield* TaskSupervisor.make().start
        const task = yield* TaskSupervisor.asyncNoLink(tasks, Effect.succeed("answer"))
        const ending = yield* Effect.forkChild(Process.exit(task.pid!, ExitReason.kill))
        const exit = yield* Effect.exit(Task.await(task))
        yield* Fiber.join(ending)
        if (Exit.isSuccess(exit)) assert.strictEqual(exit.value, "answer")
        yield* settle
        assert.isFalse(yield* Process.isAlive(task.pid!))
      })
    )
  )

  it.interleave(
    "a shutdown that meets the answer gives the answer, or nothing",
    runs,
    asProcess(() =>
      Effect.gen(function*() {
        const task = yield* Task.async(Effect.as(Effect.yieldNow, "answer"))
        const answer = yield* Task.shutdown(task)
        if (Option.isSome(answer)) assert.deepStrictEqual(answer.value, Result.succeed("answer"))
        assert.isFalse(yield* Process.isAlive(task.pid!))
      })
    )
  )

  it.interleave(
    "an answer by message comes before the Down, and none comes after a demonitor with flush",
    runs,
    asProcess((
      self: Process.Self<Task.Reply<string> | Process.Down>
    ) =>
      Effect.gen(function*() {
        const task = yield* Task.async(Effect.succeed("answer"), { reply: "message" })
        const first = yield* self.receive
        assert.isTrue(Task.isReply(first))
        assert.strictEqual(first.ref, task.ref)
        yield* Process.demonitor(task.ref, { flush: true })
        yield* settle
        assert.isTrue(Exit.isFailure(yield* Effect.exit(self.receiveMatch(() => true, { after: 0 }))))
      })
    )
  )

  it.interleave(
    "tasks end with their owner, whenever that ends",
    runs,
    Effect.gen(function*() {
      const owner = yield* Process.spawn(() =>
        Effect.gen(function*() {
          yield* Effect.forEach([1, 2, 3], () => Task.async(Effect.never))
          yield* Effect.never
        })
      )
      yield* Effect.yieldNow
      yield* Process.exit(owner, ExitReason.shutdown())
      yield* settle
      assert.deepStrictEqual(yield* Process.list, [])
    })
  )
})

class Rooms extends Registry.Service<Rooms, { readonly key: string }>()("interleavings/Rooms", { keys: "unique" }) {}

describe("registries", () => {
  it.interleave(
    "a key is free when the Down of its holder arrives",
    runs,
    Effect.gen(function*() {
      const rooms = yield* Rooms
      const holder = yield* Process.spawn((self: Process.Self<"go">) =>
        Effect.andThen(Registry.register(rooms, "lobby"), self.receive)
      )
      yield* asProcess((self: Process.Self<Process.Down>) =>
        Effect.gen(function*() {
          yield* Process.monitor(holder)
          yield* Process.send(holder, "go")
          yield* self.receive
          assert.deepStrictEqual(yield* Registry.lookup(rooms, "lobby"), Option.none())
          yield* Registry.register(rooms, "lobby")
        })
      )
    }).pipe(Effect.provide(Rooms.layer))
  )

  it.interleave(
    "of two that want a key one holds it, and a killed one holds none",
    runs,
    Effect.gen(function*() {
      const rooms = yield* Rooms
      const wanting = () => Effect.andThen(Effect.exit(Registry.register(rooms, "lobby")), Effect.never)
      const [first, second] = yield* Effect.all([Process.spawn(wanting), Process.spawn(wanting)])
      const killing = yield* Effect.forkChild(Process.exit(first, ExitReason.kill))
      yield* settle
      yield* Fiber.join(killing)
      assert.isAtMost(yield* Registry.count(rooms), 1)
      assert.notDeepEqual(Option.map(yield* Registry.lookup(rooms, "lobby"), ({ pid }) => pid), Option.some(first))
      yield* Process.exit(second, ExitReason.kill)
      yield* settle
      assert.strictEqual(yield* Registry.count(rooms), 0)
    }).pipe(Effect.provide(Rooms.layer))
  )

  it.interleave(
    "a group has no member that has ended",
    runs,
    Effect.gen(function*() {
      const group = ProcessGroup.make<never>("workers")
      const joining = () =>
        Effect.andThen(Effect.flatMap(Process.self, (self) => ProcessGroup.join(group, self)), Effect.yieldNow)
      const pids = yield* Effect.forEach([1, 2, 3], () => Process.spawn(joining))
      yield* Process.exit(pids[0]!, ExitReason.kill)
      yield* Effect.forEach(pids, Process.awaitExit)
      assert.deepStrictEqual(yield* ProcessGroup.members(group), [])
    })
  )
})
