/** Significant children, whose end can be the end of their supervisor. */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { assert, describe, it } from "@effect/vitest"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import { type Order, probed, started } from "./utils/tree.ts"

const transient = { restart: "transient", significant: true } as const
const temporary = { restart: "temporary", significant: true } as const
const starts = ["start a", "start b", "start c"]

describe("autoShutdown", () => {
  it.effect("SV-086 anySignificant: the first that ends by itself stops the others in reverse, with Shutdown", () =>
    probed(function*(probe) {
      const children = [probe.child("a"), probe.child("b", transient), probe.child("c", transient)]
      const ref = yield* started(probe, Supervisor.make({ autoShutdown: "anySignificant", children }), ...starts)
      yield* probe.end("b", ExitReason.normal)
      yield* probe.sees("stop b", "stop c", "stop a")
      assert.deepStrictEqual(yield* Process.awaitExit(ref.pid), ExitReason.shutdown())
    }))

  it.effect("SV-086 the end of a child that is not significant changes nothing", () =>
    probed(function*(probe) {
      const children = [probe.child("a", { restart: "transient" }), probe.child("b", transient), probe.child("c")]
      const ref = yield* started(probe, Supervisor.make({ autoShutdown: "anySignificant", children }), ...starts)
      yield* probe.end("a", ExitReason.normal)
      yield* probe.sees("stop a")
      assert.isTrue(yield* Process.isAlive(ref.pid))
    }))

  it.effect("SV-087 a significant transient child that crashes is restarted", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ autoShutdown: "anySignificant", children: [probe.child("a", transient)] })
      const ref = yield* started(probe, tree, "start a")
      yield* probe.end("a", "crash")
      assert.deepStrictEqual(yield* probe.seen, ["stop a", "start a"])
      assert.isTrue(yield* Process.isAlive(ref.pid))
    }))

  const orders: ReadonlyArray<Order> = [
    ExitReason.normal,
    ExitReason.shutdown(),
    ExitReason.killed,
    ExitReason.custom("bad"),
    "crash"
  ]
  for (const order of orders) {
    const reason = order === "crash" ? "a crash" : ExitReason.format(order)
    it.effect(`SV-087 a significant temporary child ends it for any reason: ${reason}`, () =>
      probed(function*(probe) {
        const children = [probe.child("a"), probe.child("b", temporary), probe.child("c")]
        const ref = yield* started(probe, Supervisor.make({ autoShutdown: "anySignificant", children }), ...starts)
        yield* probe.end("b", order)
        yield* probe.sees("stop b", "stop c", "stop a")
        assert.deepStrictEqual(yield* Process.awaitExit(ref.pid), ExitReason.shutdown())
      }))
  }

  it.effect("SV-088 allSignificant: only the end of the last one", () =>
    probed(function*(probe) {
      const children = [probe.child("a", temporary), probe.child("b", transient), probe.child("c")]
      const ref = yield* started(probe, Supervisor.make({ autoShutdown: "allSignificant", children }), ...starts)
      yield* probe.end("a", "crash")
      yield* probe.sees("stop a")
      assert.isTrue(yield* Process.isAlive(ref.pid))
      yield* probe.end("b", "crash")
      yield* probe.sees("stop b", "start b")
      yield* probe.end("b", ExitReason.shutdown())
      yield* probe.sees("stop b", "stop c")
      assert.deepStrictEqual(yield* Process.awaitExit(ref.pid), ExitReason.shutdown())
    }))

  it.effect("SV-088 allSignificant: one that waits for its restart is not gone", () =>
    probed(function*(probe) {
      const children = [
        probe.child("a", { ...transient, backoff: Schedule.spaced("1 second") }),
        probe.child("b", temporary)
      ]
      const tree = Supervisor.make({ autoShutdown: "allSignificant", children })
      const ref = yield* started(probe, tree, "start a", "start b")
      yield* probe.end("a", "crash")
      yield* probe.end("b", ExitReason.normal)
      yield* probe.sees("stop a", "stop b")
      assert.isTrue(yield* Process.isAlive(ref.pid))
      yield* TestClock.adjust("1 second")
      yield* probe.sees("start a")
    }))

  it.effect("SV-089 terminateChild of a significant child does not end it", () =>
    probed(function*(probe) {
      const children = [probe.child("a", transient), probe.child("b", temporary), probe.child("c")]
      const ref = yield* started(probe, Supervisor.make({ autoShutdown: "anySignificant", children }), ...starts)
      yield* Supervisor.terminateChild(ref, "a")
      yield* Supervisor.terminateChild(ref, "b")
      yield* probe.sees("stop a", "stop b")
      assert.isTrue(yield* Process.isAlive(ref.pid))
    }))

  it.effect.each(["rest_for_one", "one_for_all"] as const)(
    "SV-089 %s: nor does stopping one because of a sibling",
    (strategy) =>
      probed(function*(probe) {
        const children = [probe.child("a"), probe.child("b", transient), probe.child("c", temporary)]
        const tree = Supervisor.make({ strategy, autoShutdown: "anySignificant", children })
        const ref = yield* started(probe, tree, ...starts)
        yield* probe.end("a", "crash")
        yield* probe.sees("stop a", "stop c", "stop b", "start a", "start b")
        assert.isTrue(yield* Process.isAlive(ref.pid))
      })
  )
})
