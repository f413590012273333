/** A tree as a whole program. Signals and exit codes are tested in `packages/examples`, with processes of Node. */
import * as Application from "@effect-otp/core/Application"
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as OtpError from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { probed } from "./utils/tree.ts"

const bad = ExitReason.custom("bad")
const intensity = { maxRestarts: 0, within: "5 seconds" } as const

describe("run", () => {
  it.effect("starts in order, and stops in reverse when it is interrupted, with all else in its Node", () =>
    probed(function*(probe) {
      const spawner = ChildSpec.worker({
        id: "spawner",
        run: () =>
          Effect.andThen(
            Process.spawn(() =>
              Effect.acquireRelease(probe.report("start free"), () => probe.report("stop free"))
                .pipe(Effect.andThen(Effect.never), Effect.scoped)
            ),
            Effect.never
          )
      })
      const tree = Supervisor.make({ children: [probe.child("a"), probe.child("b"), spawner] })
      const running = yield* Effect.forkChild(Application.run(tree))
      yield* probe.sees("start a", "start b", "start free")
      // It has a Node of its own.
      assert.deepStrictEqual(yield* Process.list, [])
      yield* Fiber.interrupt(running)
      yield* probe.sees("stop b", "stop a", "stop free")
      assert(Cause.hasInterruptsOnly((yield* Effect.flip(Effect.sandbox(Fiber.join(running)))) as Cause.Cause<never>))
    }))

  it.effect("fails with GaveUp, which has the child and its last error", () =>
    probed(function*(probe) {
      const error = new Error("the disk is full")
      const crashing = ChildSpec.worker({ id: "b", run: () => Effect.die(error) })
      const tree = Supervisor.make({ label: "app", intensity, children: [probe.child("a"), crashing] })
      const gaveUp = yield* Effect.flip(Application.run(tree))
      assert(gaveUp._tag === "GaveUp")
      assert.deepStrictEqual([gaveUp.child?.id, gaveUp.child?.reason._tag], ["b", "Crashed"])
      assert.strictEqual(gaveUp.cause, error)
      assert.match(
        gaveUp.message,
        /^the supervisor app #PID\S+ gave up: child b ended \(.*disk is full.*\), and the limit is 0 restarts within 5000 ms$/
      )
      yield* probe.sees("start a", "stop a")
    }))

  it.effect("a significant child that is done is no failure, one that fails is", () =>
    probed(function*(probe) {
      const options = { restart: "temporary", significant: true } as const
      const tree = Supervisor.make({
        autoShutdown: "anySignificant",
        children: [probe.child("a"), probe.worker("job", options)]
      })
      const done = yield* Effect.forkChild(Application.run(tree))
      yield* probe.sees("start a", "start job")
      yield* probe.end("job", ExitReason.normal)
      assert.isUndefined(yield* Fiber.join(done))
      yield* probe.sees("stop job", "stop a")

      const failing = yield* Effect.forkChild(Effect.flip(Application.run(tree)))
      yield* probe.sees("start a", "start job")
      yield* probe.end("job", bad)
      const error = yield* Fiber.join(failing)
      assert(error._tag === "GaveUp")
      assert.deepStrictEqual(error.child, { id: "job", reason: bad, why: "it is significant" })
      yield* probe.sees("stop job", "stop a")
    }))

  it.effect("one that is stopped from within has ended as it should, one that is killed has not", () =>
    probed(function*(probe) {
      const stopping = ChildSpec.worker({ id: "b", run: () => Effect.forkDetach(Supervisor.stop("root")) })
      const tree = Supervisor.make({ name: "root", children: [probe.child("a"), stopping] })
      assert.isUndefined(yield* Application.run(tree))
      yield* probe.sees("start a", "stop a")

      const killing = ChildSpec.worker({ id: "b", run: () => Process.exit("root", ExitReason.kill) })
      const error = yield* Effect.flip(Application.run(Supervisor.make({ name: "root", children: [killing] })))
      assert(error._tag === "GaveUp")
      assert.deepStrictEqual([error.reason, error.child], [ExitReason.killed, undefined])
    }))

  it.effect("one that does not start says why, and nothing is left", () =>
    probed(function*(probe) {
      probe.refuse("b", 1)
      const error = yield* Effect.flip(
        Application.run(Supervisor.make({ children: [probe.child("a"), probe.child("b")] }))
      )
      assert(error._tag === "StartError")
      assert.deepStrictEqual(error.childPath, ["b"])
      yield* probe.sees("start a", "fail b", "stop a")
    }))

  it.effect("with `shutdown` a tree that takes longer is killed", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({
        children: [probe.worker("a"), probe.stubborn("b", { shutdown: "1 hour" })]
      })
      const running = yield* Effect.forkChild(Application.run(tree, { shutdown: "10 seconds" }))
      yield* probe.sees("start a", "start b")
      const stopping = yield* Effect.forkChild(Fiber.interrupt(running))
      yield* TestClock.adjust("9999 millis")
      yield* probe.sees()
      yield* TestClock.adjust(1)
      yield* settle
      // What took no notice of its link is ended with the Node.
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(stopping)
      yield* probe.sees("stop a", "stop b")
      assert.include(probe.log, "Error the tree did not stop in time: killed")
    }))

  it("a bad option is refused by its name", () => {
    const tree = Supervisor.make({ children: [] })
    assert.throws(
      () => Application.run(tree, { shutdown: -1 }),
      /shutdown: expected a duration of zero or more, got -1/
    )
  })
})

describe("launch", () => {
  it.effect("GaveUp has the child, too, and none if it was ended from outside", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ name: "root", intensity, children: [probe.worker("a")] })
      const launched = yield* Effect.forkChild(Effect.flip(Supervisor.launch(tree)))
      yield* probe.sees("start a")
      yield* probe.end("a", bad)
      const error = yield* Fiber.join(launched)
      assert(error._tag === "GaveUp")
      assert.deepStrictEqual(error.child, { id: "a", reason: bad, why: "the limit is 0 restarts within 5000 ms" })
      yield* probe.sees("stop a")
      const stopped = yield* Effect.forkChild(Effect.flip(Supervisor.launch(tree)))
      yield* probe.sees("start a")
      yield* Supervisor.stop("root")
      const outside = yield* Fiber.join(stopped)
      assert.instanceOf(outside, OtpError.GaveUp)
      assert.match(outside.message, /^the supervisor #PID\S+ gave up \(Normal\)$/)
    }))
})
