/**
 * What holds of supervisors: never two incarnations of one child, none that is left, and no request without an answer.
 */
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as DynamicSupervisor from "@effect-otp/core/DynamicSupervisor"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect-otp/core/testing/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { orders } from "../../../../test-scale.ts"

const runs = { runs: orders }

/** Counts the incarnations of a child that are there at the same time, from its first step to its last finalizer. */
const counting = (id: string, options: { readonly restart?: "permanent" | "temporary" | "transient" } = {}) => {
  const seen = { now: 0, most: 0, started: 0, pid: undefined as Process.Pid<"crash"> | undefined }
  const enter = Effect.sync(() => {
    seen.now++
    seen.started++
    seen.most = Math.max(seen.most, seen.now)
  })
  const leave = Effect.gen(function*() {
    yield* Effect.yieldNow
    seen.now--
  })
  const spec = ChildSpec.worker({
    id,
    ...options,
    run: (self: Process.Self<"crash">) =>
      Effect.acquireUseRelease(
        enter,
        () => {
          seen.pid = self.pid
          return Effect.flatMap(self.receive, () => Process.exit(ExitReason.custom("crash")))
        },
        () => leave
      )
  })
  return { seen, spec }
}

const crash = ({ seen }: ReturnType<typeof counting>) => Effect.suspend(() => Process.send(seen.pid!, "crash"))

describe("restarts", () => {
  it.interleave(
    "there are never two incarnations of one child",
    runs,
    Effect.gen(function*() {
      const child = counting("child")
      const tree = yield* Supervisor.make({ children: [child.spec] }).start
      yield* settle
      yield* crash(child)
      yield* Process.exit(child.seen.pid!, ExitReason.custom("from outside"))
      yield* settle
      assert.deepStrictEqual([child.seen.most, child.seen.now], [1, 1])
      // The second exit may have met the first incarnation, which was ending already, or the one after it.
      assert.include([2, 3], child.seen.started)
      yield* Supervisor.stop(tree)
      assert.strictEqual(child.seen.now, 0)
    })
  )

  it.interleave(
    "a child that is killed is started again when it has released what it had",
    runs,
    Effect.gen(function*() {
      const child = counting("child")
      const tree = yield* Supervisor.make({ children: [child.spec] }).start
      yield* settle
      yield* Process.exit(child.seen.pid!, ExitReason.kill)
      yield* settle
      assert.deepStrictEqual([child.seen.started, child.seen.now, child.seen.most], [2, 1, 1])
      yield* Supervisor.stop(tree)
    })
  )

  for (const strategy of ["one_for_all", "rest_for_one"] as const) {
    it.interleave(
      `${strategy} brings all back when two crash at once, and none twice`,
      runs,
      Effect.gen(function*() {
        const [a, b, c] = [counting("a"), counting("b"), counting("c")] as const
        const tree = yield* Supervisor.make({
          strategy,
          intensity: { maxRestarts: 10, within: "1 minute" },
          children: [a, b, c].map(({ spec }) => spec)
        })
          .start
        yield* settle
        yield* Effect.all([crash(a), crash(c)], { concurrency: "unbounded" })
        yield* settle
        assert.deepStrictEqual([a, b, c].map(({ seen }) => [seen.now, seen.most]), [[1, 1], [1, 1], [1, 1]])
        const { active, specs } = yield* Supervisor.countChildren(tree)
        assert.deepStrictEqual([active, specs], [3, 3])
      })
    )
  }

  it.interleave(
    "a stop that meets a crash ends everything",
    runs,
    Effect.gen(function*() {
      const [a, b] = [counting("a"), counting("b")] as const
      const tree = yield* Supervisor.make({ strategy: "one_for_all", children: [a.spec, b.spec] }).start
      yield* settle
      const crashing = yield* Effect.forkChild(crash(a))
      yield* Effect.exit(Supervisor.stop(tree))
      yield* Fiber.join(crashing)
      assert.deepStrictEqual([a.seen.now, b.seen.now], [0, 0])
      assert.deepStrictEqual(yield* Process.list, [])
    })
  )

  it.interleave(
    "a supervisor that gives up leaves nobody",
    runs,
    Effect.gen(function*() {
      const [a, b] = [counting("a"), counting("b")] as const
      const tree = yield* Supervisor.make({
        intensity: { maxRestarts: 0, within: "1 minute" },
        children: [a.spec, b.spec]
      }).start
      yield* settle
      yield* Effect.all([crash(a), crash(b)], { concurrency: "unbounded" })
      assert.strictEqual((yield* Process.awaitExit(tree.pid))._tag, "Shutdown")
      assert.deepStrictEqual(yield* Process.list, [])
      assert.deepStrictEqual([a.seen.now, b.seen.now], [0, 0])
    })
  )

  it.interleave(
    "as many crashes as the limit allows are survived, and one more is not, whenever they come",
    runs,
    Effect.gen(function*() {
      const [a, b] = [counting("a"), counting("b")] as const
      const tree = yield* Supervisor.make({
        intensity: { maxRestarts: 2, within: "1 minute" },
        children: [a.spec, b.spec]
      }).start
      yield* settle
      yield* Effect.all([crash(a), crash(b)], { concurrency: "unbounded" })
      yield* settle
      assert.deepStrictEqual([a.seen.now, a.seen.started, b.seen.now, b.seen.started], [1, 2, 1, 2])
      yield* crash(b)
      yield* settle
      assert.isFalse(yield* Process.isAlive(tree.pid))
    })
  )
})

describe("children", () => {
  it.interleave(
    "a child that is terminated stays down, although it crashes meanwhile",
    runs,
    Effect.gen(function*() {
      const child = counting("child")
      const tree = yield* Supervisor.make({ children: [child.spec] }).start
      yield* settle
      const crashing = yield* Effect.forkChild(crash(child))
      yield* Supervisor.terminateChild(tree, "child")
      const { started } = child.seen
      yield* Fiber.join(crashing)
      yield* settle
      assert.deepStrictEqual([child.seen.now, child.seen.started], [0, started])
      assert.deepStrictEqual((yield* Supervisor.countChildren(tree)).active, 0)
      yield* Supervisor.restartChild(tree, "child")
      yield* settle
      assert.deepStrictEqual([child.seen.now, child.seen.most], [1, 1])
    })
  )

  it.interleave(
    "children are stopped one after the other, the last one first",
    runs,
    Effect.gen(function*() {
      const stopped: Array<string> = []
      const child = (id: string) =>
        ChildSpec.worker({
          id,
          run: () =>
            Effect.onExit(Effect.never, () => Effect.andThen(Effect.yieldNow, Effect.sync(() => stopped.push(id))))
        })
      const tree = yield* Supervisor.make({ children: [child("a"), child("b"), child("c")] }).start
      yield* settle
      yield* Supervisor.stop(tree)
      assert.deepStrictEqual(stopped, ["c", "b", "a"])
    })
  )

  it.interleave(
    "of two that add a child of one id one succeeds",
    runs,
    Effect.gen(function*() {
      const child = counting("child")
      const tree = yield* Supervisor.make({ children: [] }).start
      const adding = Effect.result(Supervisor.startChild(tree, child.spec))
      const results = yield* Effect.all([adding, adding], { concurrency: "unbounded" })
      yield* settle
      assert.deepStrictEqual(results.map(({ _tag }) => _tag).sort(), ["Failure", "Success"])
      assert.strictEqual(child.seen.now, 1)
    })
  )

  it.interleave(
    "a dynamic child is started and counted, or refused, when its supervisor stops",
    runs,
    Effect.gen(function*() {
      const child = counting("child", { restart: "temporary" })
      const sup = yield* DynamicSupervisor.make().start
      const adding = yield* Effect.forkChild(Effect.result(DynamicSupervisor.startChild(sup, child.spec)))
      const more = yield* Effect.forkChild(Effect.result(DynamicSupervisor.startChild(sup, child.spec)))
      yield* Effect.exit(DynamicSupervisor.stop(sup))
      yield* Fiber.join(adding)
      yield* Fiber.join(more)
      yield* settle
      assert.strictEqual(child.seen.now, 0)
      assert.deepStrictEqual(yield* Process.list, [])
    })
  )
})
