/**
 * What holds of processes, their names, links and monitors, whoever takes the next step.
 */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect-otp/core/testing/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { orders } from "../../../../test-scale.ts"

const runs = { runs: orders }

/** Waits for processes, and fails with what one of them crashed of. */
const finished = Effect.fnUntraced(function*(...pids: ReadonlyArray<Process.Pid<never, unknown>>) {
  for (const pid of pids) {
    const reason = yield* Process.awaitExit(pid)
    if (reason._tag === "Crashed") return yield* Effect.orDie(Effect.failCause(reason.cause))
    assert.deepStrictEqual(reason, ExitReason.normal)
  }
})

describe("names", () => {
  it.interleave(
    "a name is free for the next when the Down of its holder arrives",
    runs,
    Effect.gen(function*() {
      const holder = yield* Process.spawn((self: Process.Self<"go">) =>
        Effect.andThen(Process.register("the", self.pid), self.receive)
      )
      const heir = yield* Process.spawn((self: Process.Self<Process.Down>) =>
        Effect.gen(function*() {
          yield* Process.monitor(holder)
          yield* Process.send(holder, "go")
          yield* self.receive
          assert.deepStrictEqual(yield* Process.whereis("the"), Option.none())
          yield* Process.register("the", self.pid)
        })
      )
      yield* finished(heir)
    })
  )

  it.interleave(
    "of those who want one name one gets it, and the others are told who",
    runs,
    Effect.gen(function*() {
      const outcomes: Array<unknown> = []
      const wanting = (self: Process.Self<"end">) =>
        Effect.gen(function*() {
          const exit = yield* Effect.result(Process.register("one", self.pid))
          outcomes.push(exit._tag === "Success" ? self.pid : exit.failure.reason)
          yield* self.receive
        })
      const pids = yield* Effect.forEach([1, 2, 3], () => Process.spawn(wanting))
      yield* settle
      const winner = Option.getOrThrow(yield* Process.whereis("one"))
      const refused = { _tag: "NameTaken", holder: winner }
      assert.sameDeepMembers(outcomes, [winner, refused, refused])
      yield* Effect.forEach(pids, (pid) => Process.send(pid, "end"))
      yield* finished(...pids)
    })
  )

  it.interleave(
    "whoever is found by name is alive, or was until just now",
    runs,
    Effect.gen(function*() {
      const holder = yield* Process.spawn((self: Process.Self<"go">) =>
        Effect.andThen(Process.register("found", self.pid), self.receive)
      )
      const looking = yield* Process.spawn(() =>
        Effect.gen(function*() {
          const ended = yield* Effect.forkChild(Process.awaitExit(holder))
          for (let looks = 0; looks < 4; looks++) {
            const found = yield* Process.whereis("found")
            // Its name goes before anybody hears of its end.
            if (ended.pollUnsafe() !== undefined) assert.deepStrictEqual(yield* Process.whereis("found"), Option.none())
            else if (Option.isSome(found)) assert.strictEqual(found.value, holder)
          }
        })
      )
      yield* Process.send(holder, "go")
      yield* finished(looking)
    })
  )
})

describe("links", () => {
  it.interleave(
    "two that are linked and exit at the same time both end, for a reason of one of them",
    runs,
    Effect.gen(
      function*() {
        const reasons = [ExitReason.custom("left"), ExitReason.custom("right")]
        const pids: Array<Process.Pid<"go">> = []
        const body = (own: ExitReason.ExitReason) => (self: Process.Self<"go">) =>
          Effect.andThen(self.receive, Process.exit(own))
        pids.push(yield* Process.spawn(body(reasons[0]!)))
        pids.push(
          yield* Process.spawn((self: Process.Self<"go">) =>
            Effect.andThen(Process.link(pids[0]!), body(reasons[1]!)(self))
          )
        )
        for (const pid of pids) yield* Process.send(pid, "go")
        for (const pid of pids) {
          const ended = yield* Process.awaitExit(pid)
          // Who links too late, to one that has ended, ends of that.
          assert.include(["Custom", "NoProcess", "Crashed"], ended._tag)
        }
      }
    )
  )

  it.interleave(
    "who has unlinked is not ended by the other",
    runs,
    Effect.gen(function*() {
      const survivor = yield* Process.spawn(() =>
        Effect.gen(function*() {
          const other = yield* Process.spawnLink(() => Effect.never)
          yield* Process.unlink(other)
          yield* Process.exit(other, ExitReason.custom("gone"))
          assert.deepStrictEqual(yield* Process.awaitExit(other), ExitReason.custom("gone"))
        })
      )
      yield* finished(survivor)
    })
  )

  it.interleave(
    "a linked child does not outlive its parent, whenever that is killed",
    runs,
    Effect.gen(function*() {
      const parent = yield* Process.spawn(() =>
        Effect.gen(function*() {
          yield* Process.spawnLink(() => Effect.never)
          yield* Process.spawnLink(() => Effect.never)
          yield* Effect.never
        })
      )
      yield* Effect.yieldNow
      yield* Process.exit(parent, ExitReason.kill)
      yield* settle
      assert.deepStrictEqual(yield* Process.list, [])
    })
  )

  it.interleave(
    "one that traps exits hears of each linked process once",
    runs,
    Effect.gen(function*() {
      const watcher = yield* Process.spawn((self: Process.Self<Process.Exit>) =>
        Effect.gen(function*() {
          yield* Process.trapExit(true)
          const children = yield* Effect.forEach(
            [1, 2, 3],
            (n) => Process.spawnLink(() => n === 2 ? Process.exit(ExitReason.shutdown()) : Effect.void)
          )
          const heard = [yield* self.receive, yield* self.receive, yield* self.receive]
          assert.sameMembers(heard.map(({ pid }) => pid as unknown), children)
          yield* settle
          assert.isTrue(Exit.isFailure(yield* Effect.exit(self.receiveMatch(() => true, { after: 0 }))))
        })
      )
      yield* finished(watcher)
    })
  )
})

describe("monitors", () => {
  it.interleave(
    "spawnMonitor tells the real reason, exactly once",
    runs,
    Effect.gen(function*() {
      const boss = yield* Process.spawn((self: Process.Self<Process.Down>) =>
        Effect.gen(function*() {
          const [pid, ref] = yield* Process.spawnMonitor(() => Process.exit(ExitReason.custom("real")))
          const down = yield* self.receive
          assert.strictEqual(down.ref, ref)
          assert.strictEqual(down.target, pid)
          assert.deepStrictEqual(down.reason, ExitReason.custom("real"))
          yield* settle
          assert.isTrue(Exit.isFailure(yield* Effect.exit(self.receiveMatch(() => true, { after: 0 }))))
        })
      )
      yield* finished(boss)
    })
  )

  it.interleave(
    "after demonitor with flush no Down arrives any more",
    runs,
    Effect.gen(function*() {
      const boss = yield* Process.spawn((self: Process.Self<Process.Down>) =>
        Effect.gen(function*() {
          const [pid, ref] = yield* Process.spawnMonitor(() => Effect.void)
          yield* Effect.yieldNow
          yield* Process.demonitor(ref, { flush: true })
          yield* Process.awaitExit(pid)
          yield* settle
          assert.isTrue(Exit.isFailure(yield* Effect.exit(self.receiveMatch(() => true, { after: 0 }))))
        })
      )
      yield* finished(boss)
    })
  )
})

describe("ends", () => {
  it.interleave(
    "what a killed process has acquired is released, or was never acquired",
    runs,
    Effect.gen(function*() {
      let held = 0
      const resource = Effect.acquireRelease(Effect.sync(() => held++), () => Effect.sync(() => held--))
      const pid = yield* Process.spawn(() => Effect.scoped(Effect.andThen(resource, Effect.never)))
      yield* Effect.yieldNow
      yield* Process.exit(pid, ExitReason.kill)
      assert.include(["Killed"], (yield* Process.awaitExit(pid))._tag)
      yield* settle
      assert.strictEqual(held, 0)
    })
  )

  it.interleave(
    "the first of two reasons counts, for all who ask",
    runs,
    Effect.gen(function*() {
      const pid = yield* Process.spawn(() => Effect.never)
      const asking = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(Process.awaitExit(pid)))
      yield* Process.spawn(() => Process.exit(pid, ExitReason.custom("first")))
      yield* Process.spawn(() => Process.exit(pid, ExitReason.custom("second")))
      const reasons = yield* Effect.forEach(asking, (fiber) => Fiber.join(fiber))
      assert.strictEqual(reasons[0]!._tag, "Custom")
      assert.deepStrictEqual(reasons, [reasons[0]!, reasons[0]!, reasons[0]!])
    })
  )

  it.interleave(
    "a receive that gives up loses no message",
    { ...runs, time: "auto" },
    Effect.gen(function*() {
      const seen: Array<number> = []
      const pid = yield* Process.spawn((self: Process.Self<number>) =>
        Effect.gen(function*() {
          while (seen.length < 3) {
            const message = yield* Effect.option(self.receiveMatch(() => true, { after: 1 }))
            if (Option.isSome(message)) seen.push(message.value)
          }
        })
      )
      yield* Process.spawn(() =>
        Effect.forEach([1, 2, 3], (n) => Effect.andThen(Effect.sleep(1), Process.send(pid, n)))
      )
      yield* finished(pid)
      assert.deepStrictEqual(seen, [1, 2, 3])
    })
  )
})
