/** Restarts of a group: who goes along, where it comes back, and what counts as one restart. */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { probed, started } from "./utils/tree.ts"

const bad = ExitReason.custom("bad")
const once = { maxRestarts: 1, within: "5 seconds" } as const

const listed = (ref: Supervisor.Ref) =>
  Effect.map(Supervisor.whichChildren(ref), (children) => children.map(({ child, id }) => [id, child] as const))

describe("a group", () => {
  it.effect("SV-026 one_for_one: only the dead child restarts, its siblings keep their pids", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ children: [probe.child("a"), probe.child("b"), probe.child("c")] })
      const ref = yield* started(probe, tree, "start a", "start b", "start c")
      const [a, b, c] = [probe.pid("a"), probe.pid("b"), probe.pid("c")]
      yield* probe.end("b", bad)
      yield* probe.sees("stop b", "start b")
      assert.notStrictEqual(probe.pid("b"), b)
      assert.deepStrictEqual(yield* listed(ref), [["c", c], ["b", probe.pid("b")], ["a", a]])
    }))

  it.effect("SV-027 one_for_all: the others stop in reverse order, then all start in order", () =>
    probed(function*(probe) {
      const children = [probe.child("a"), probe.child("b"), probe.child("c")]
      yield* started(
        probe,
        Supervisor.make({ strategy: "one_for_all", children }),
        "start a",
        "start b",
        "start c"
      )
      yield* probe.end("b", bad)
      yield* probe.sees("stop b", "stop c", "stop a", "start a", "start b", "start c")
    }))

  it.effect("SV-028 rest_for_one: those started after it stop in reverse order, then it and those start", () =>
    probed(function*(probe) {
      const children = [probe.child("a"), probe.child("b"), probe.child("c")]
      yield* started(
        probe,
        Supervisor.make({ strategy: "rest_for_one", children }),
        "start a",
        "start b",
        "start c"
      )
      const a = probe.pid("a")
      yield* probe.end("b", bad)
      yield* probe.sees("stop b", "stop c", "start b", "start c")
      assert.strictEqual(probe.pid("a"), a)
    }))

  it.effect.each(["one_for_one", "rest_for_one", "one_for_all"] as const)(
    "SV-029 %s: a restarted child keeps its place in the order",
    (strategy) =>
      probed(function*(probe) {
        const children = [probe.child("a"), probe.child("b"), probe.child("c")]
        const ref = yield* started(probe, Supervisor.make({ strategy, children }), "start a", "start b", "start c")
        yield* probe.end("a", bad)
        yield* probe.seen
        assert.deepStrictEqual((yield* listed(ref)).map(([id]) => id), ["c", "b", "a"])
        yield* Supervisor.stop(ref)
        yield* probe.sees("stop c", "stop b", "stop a")
      })
  )

  it.effect("SV-033 a transient child that finished keeps its spec: starting its id again is a duplicate", () =>
    probed(function*(probe) {
      const child = probe.child("t", { restart: "transient" })
      const ref = yield* started(probe, Supervisor.make({ children: [child] }), "start t")
      yield* probe.end("t", ExitReason.normal)
      yield* probe.sees("stop t")
      assert.deepStrictEqual(yield* listed(ref), [["t", undefined]])
      const error = yield* Effect.flip(Supervisor.startChild(ref, child))
      assert(error._tag === "StartError")
      assert.deepStrictEqual([error.childPath, error.reason._tag], [["t"], "DuplicateId"])
    }))

  it.effect.each(["rest_for_one", "one_for_all"] as const)(
    "SV-034 %s: the end of a temporary child, or the clean one of a transient child, restarts nobody",
    (strategy) =>
      probed(function*(probe) {
        const children = [
          probe.child("temporary", { restart: "temporary" }),
          probe.child("transient", { restart: "transient" }),
          probe.child("last")
        ]
        yield* started(
          probe,
          Supervisor.make({ strategy, children }),
          "start temporary",
          "start transient",
          "start last"
        )
        yield* probe.end("temporary", "crash")
        yield* probe.sees("stop temporary")
        yield* probe.end("transient", ExitReason.shutdown())
        yield* probe.sees("stop transient")
      })
  )

  it.effect.each(["rest_for_one", "one_for_all"] as const)(
    "SV-036 %s: a group restart starts finished transient and terminated children, and drops temporary ones",
    (strategy) =>
      probed(function*(probe) {
        const children = [
          probe.child("a"),
          probe.child("transient", { restart: "transient" }),
          probe.child("temporary", { restart: "temporary" }),
          probe.child("terminated")
        ]
        const tree = Supervisor.make({ strategy, children })
        const ref = yield* started(probe, tree, "start a", "start transient", "start temporary", "start terminated")
        yield* probe.end("transient", ExitReason.normal)
        yield* Supervisor.terminateChild(ref, "terminated")
        yield* probe.sees("stop transient", "stop terminated")
        yield* probe.end("a", bad)
        const events = ["stop a", "stop temporary", "start a", "start transient", "start terminated"]
        assert.deepStrictEqual(yield* probe.seen, events)
        assert.deepStrictEqual((yield* listed(ref)).map(([id]) => id), ["terminated", "transient", "a"])
      })
  )

  it.effect.each(["rest_for_one", "one_for_all"] as const)(
    "SV-041 %s: a group restart counts once, however many children it touches",
    (strategy) =>
      probed(function*(probe) {
        const children = ["a", "b", "c", "d"].map((id) => probe.child(id))
        const ref = yield* Supervisor.make({ strategy, intensity: once, children }).start
        yield* probe.seen
        yield* probe.end("a", bad)
        assert.strictEqual((yield* probe.seen).filter((event) => event.startsWith("start")).length, 4)
        assert.isTrue(yield* Process.isAlive(ref.pid))
      })
  )
})

describe("two deaths at once", () => {
  const killBoth = (first: Process.Pid<never, unknown>, second: Process.Pid<never, unknown>) =>
    Effect.andThen(Process.exit(first, ExitReason.kill), Process.exit(second, ExitReason.kill))

  it.effect("SV-042 one_for_all: the second death is part of the first restart, which counts once", () =>
    probed(function*(probe) {
      const children = [probe.child("a"), probe.child("b"), probe.child("c")]
      const tree = Supervisor.make({ strategy: "one_for_all", intensity: once, children })
      const ref = yield* started(probe, tree, "start a", "start b", "start c")
      yield* killBoth(probe.pid("a"), probe.pid("c"))
      yield* probe.sees("stop a", "stop c", "stop b", "start a", "start b", "start c")
      assert.isTrue(yield* Process.isAlive(ref.pid))
      // One was counted: with one more it is over.
      yield* probe.end("a", bad)
      yield* probe.sees("stop a", "stop c", "stop b")
      assert.isFalse(yield* Process.isAlive(ref.pid))
    }))

  it.effect("SV-043 rest_for_one: in the order of arrival, and an earlier child restarts the tail again", () =>
    probed(function*(probe) {
      const children = [probe.child("a"), probe.child("b"), probe.child("c")]
      const ref = yield* started(
        probe,
        Supervisor.make({ strategy: "rest_for_one", intensity: { maxRestarts: 2, within: "5 seconds" }, children }),
        "start a",
        "start b",
        "start c"
      )
      yield* killBoth(probe.pid("c"), probe.pid("a"))
      yield* probe.sees("stop c", "stop a", "start c", "stop c", "stop b", "start a", "start b", "start c")
      assert.isTrue(yield* Process.isAlive(ref.pid))
    }))

  it.effect("SV-043 rest_for_one: a later child that died with an earlier one is not counted", () =>
    probed(function*(probe) {
      const children = [probe.child("a"), probe.child("b"), probe.child("c")]
      const tree = Supervisor.make({ strategy: "rest_for_one", intensity: once, children })
      const ref = yield* started(probe, tree, "start a", "start b", "start c")
      yield* killBoth(probe.pid("a"), probe.pid("c"))
      yield* probe.sees("stop a", "stop c", "stop b", "start a", "start b", "start c")
      assert.isTrue(yield* Process.isAlive(ref.pid))
    }))

  it.effect("one_for_one: each is restarted, and each counts", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ intensity: once, children: [probe.child("a"), probe.child("b")] })
      const ref = yield* started(probe, tree, "start a", "start b")
      yield* killBoth(probe.pid("a"), probe.pid("b"))
      yield* probe.sees("stop a", "stop b", "start a", "stop a")
      assert.isFalse(yield* Process.isAlive(ref.pid))
    }))
})
