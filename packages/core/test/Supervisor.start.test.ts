/** Starting and stopping a tree: in order, in reverse order, and back again when a child does not start. */
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Name from "@effect-otp/core/Name"
import * as OtpError from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as scale from "../../../test-scale.ts"
import { probed, Refused, started } from "./utils/tree.ts"

describe("start and stop", () => {
  it.effect("SV-001 children start one after another, each when the one before it has started", () =>
    probed(function*(probe) {
      const gate = yield* Deferred.make<void>()
      const waits = ChildSpec.make({
        id: "b",
        start: Effect.gen(function*() {
          yield* probe.report("starting b")
          yield* Deferred.await(gate)
          return yield* Process.spawnLink(() => Effect.never)
        })
      })
      const starting = yield* Effect.forkChild(
        Supervisor.make({ children: [probe.child("a"), waits, probe.child("c")] }).start
      )
      yield* probe.sees("start a", "starting b")
      yield* Deferred.succeed(gate, undefined)
      yield* probe.sees("start c")
      yield* Fiber.join(starting)
    }))

  it.effect("SV-002 children stop one at a time in reverse order, each awaited, then the supervisor", () =>
    probed(function*(probe) {
      const gate = yield* Deferred.make<void>()
      const children = [probe.child("a"), probe.slow("b", Deferred.await(gate)), probe.child("c")]
      const ref = yield* started(probe, Supervisor.make({ children }), "start a", "start b", "start c")
      const stopping = yield* Effect.forkChild(Supervisor.stop(ref))
      yield* probe.sees("stop c")
      assert.isTrue(Option.isSome(yield* Process.info(ref.pid)))
      yield* Deferred.succeed(gate, undefined)
      yield* probe.sees("stop b", "stop a")
      yield* Fiber.join(stopping)
      assert.deepStrictEqual(yield* Process.awaitExit(ref.pid), ExitReason.normal)
    }))

  it.effect("SV-003 whichChildren lists the last started child first", () =>
    probed(function*(probe) {
      const ref = yield* Supervisor.make({ children: [probe.child("a"), probe.child("b"), probe.child("c")] }).start
      assert.deepStrictEqual((yield* Supervisor.whichChildren(ref)).map(({ id }) => id), ["c", "b", "a"])
    }))

  it.effect("SV-105 a supervisor takes a name, and a second one of it does not start", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ name: Name.make("tree"), children: [probe.child("a")] })
      const ref = yield* started(probe, tree, "start a")
      assert.deepStrictEqual(yield* Process.whereis("tree"), Option.some(ref.pid as Process.Pid<unknown>))
      const error = yield* Effect.flip(tree.start)
      assert.deepStrictEqual(error.reason, new OtpError.AlreadyStarted({ pid: ref.pid }))
      yield* probe.sees()
    }))

  it.effect("SV-106 a subtree stops in its place, from its last child to its first", () =>
    probed(function*(probe) {
      const inner = Supervisor.make({ children: [probe.child("x"), probe.child("y")] }).child({ id: "inner" })
      const tree = Supervisor.make({ children: [probe.child("a"), inner, probe.child("z")] })
      const ref = yield* started(probe, tree, "start a", "start x", "start y", "start z")
      yield* Supervisor.stop(ref)
      yield* probe.sees("stop z", "stop y", "stop x", "stop a")
    }))

  it.effect("SV-097 ten thousand children start, end and stop in linear time", () =>
    probed(function*(probe) {
      const children = Array.from({ length: 10_000 }, (_, i) => probe.worker(`${i}`, { restart: "temporary" }))
      const ref = yield* Supervisor.make({ children }).start
      assert.strictEqual((yield* probe.seen).length, 10_000)
      for (let i = 0; i < 5000; i++) yield* probe.end(`${i}`, ExitReason.normal)
      assert.strictEqual((yield* probe.seen).length, 5000)
      assert.strictEqual((yield* Supervisor.countChildren(ref)).active, 5000)
      yield* Supervisor.stop(ref)
      assert.deepStrictEqual(yield* probe.seen, Array.from({ length: 5000 }, (_, i) => `stop ${9999 - i}`))
    }))
})

describe("a child that does not start", () => {
  const size = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 50 }))
  const at = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 49 }))

  it.effect.prop(
    "SV-004 at any position: everything started is stopped in reverse order exactly once, and the start fails",
    { size, at, cut: at },
    (input) =>
      probed(function*(probe) {
        const ids = Array.from({ length: input.size }, (_, index) => `${index}`)
        const fails = input.at % input.size
        const from = input.cut % input.size
        // Those from here on are in a branch of their own.
        const inner = Supervisor.make({ children: ids.slice(from).map((id) => probe.child(id)) }).child({ id: "inner" })
        const tree = Supervisor.make({ children: [...ids.slice(0, from).map((id) => probe.child(id)), inner] })
        probe.refuse(`${fails}`, 1)
        const error = yield* Effect.flip(tree.start)
        const before = ids.slice(0, fails)
        yield* probe.sees(
          ...before.map((id) => `start ${id}`),
          `fail ${fails}`,
          ...before.toReversed().map((id) => `stop ${id}`)
        )
        assert.deepStrictEqual(error.childPath, fails < from ? [`${fails}`] : ["inner", `${fails}`])
        assert.deepStrictEqual(error.reason, new OtpError.InitFailed({ error: new Refused() }))
        assert.deepStrictEqual(yield* Process.list, [])
        return true
      }),
    { arbitrary: { runs: scale.cases } }
  )

  const failures: ReadonlyArray<
    readonly [string, Effect.Effect<Process.Pid<never>, unknown, Process.Current>, string]
  > = [
    ["fails", Effect.fail("no"), "InitFailed"],
    ["is a defect", Effect.die(new Error("no")), "Crashed"],
    ["fails with nothing", Effect.fail(undefined), "InitFailed"],
    ["interrupts itself", Effect.interrupt, "Crashed"],
    ["exits", Process.exit(ExitReason.custom("no")), "Stopped"],
    ["exits normally", Process.exit(ExitReason.normal), "Stopped"],
    ["exits in a fiber of its own", Effect.raceFirst(Process.exit(ExitReason.kill), Effect.never), "Stopped"],
    ["throws", Effect.suspend(() => Effect.die(new Error("no"))), "Crashed"]
  ]

  it.effect.each(failures)(
    "SV-004 a start that %s ends those before it, and names the child",
    ([, start, tag]) =>
      probed(function*(probe) {
        const tree = Supervisor.make({
          children: [probe.child("a"), ChildSpec.make({ id: "b", start }), probe.child("c")]
        })
        const error = yield* Effect.flip(tree.start)
        assert.deepStrictEqual([error._tag, error.childPath, error.reason._tag], ["StartError", ["b"], tag])
        yield* probe.sees("start a", "stop a")
      })
  )

  it.effect("SV-004 those before it stop in reverse order, and have when the start fails", () =>
    probed(function*(probe) {
      probe.refuse("c", 1)
      const error = yield* Effect.flip(
        Supervisor.make({ children: ["a", "b", "c"].map((id) => probe.child(id)) }).start
      )
      assert.deepStrictEqual(error.childPath, ["c"])
      assert.deepStrictEqual(yield* probe.seen, ["start a", "start b", "fail c", "stop b", "stop a"])
    }))

  it.effect("SV-004 the supervisor ends with Shutdown of the error, as whoever is linked to it sees", () =>
    probed(function*(probe) {
      probe.refuse("b", 1)
      const tree = Supervisor.make({ children: [probe.child("a"), probe.child("b")] })
      const reason = yield* Process.awaitExit(yield* Process.spawn(() => tree.startLink))
      assert(reason._tag === "Shutdown")
      assert.instanceOf(reason.term, OtpError.StartError)
      assert.deepStrictEqual((reason.term as OtpError.StartError<unknown>).childPath, ["b"])
      yield* probe.sees("start a", "fail b", "stop a")
    }))

  it.effect("a supervisor that is killed while a child starts says nothing of it, and its children end with it", () =>
    probed(function*(probe) {
      const hangs = ChildSpec.make({ id: "b", start: Effect.andThen(probe.report("starting b"), Effect.never) })
      const tree = Supervisor.make({ name: Name.make("tree"), children: [probe.child("a"), hangs] })
      const starting = yield* Effect.forkChild(Effect.flip(tree.start))
      yield* probe.sees("start a", "starting b")
      yield* Process.exit("tree", ExitReason.kill)
      yield* probe.sees("stop a")
      const error = yield* Fiber.join(starting)
      assert.deepStrictEqual(error.reason, new OtpError.Stopped({ reason: ExitReason.killed }))
      assert.deepStrictEqual(probe.log, [])
    }))

  it.effect("a start that is interrupted leaves nothing running", () =>
    probed(function*(probe) {
      const hangs = ChildSpec.make({ id: "b", start: Effect.andThen(probe.report("starting b"), Effect.never) })
      const tree = Supervisor.make({ children: [probe.child("a"), hangs] })
      const starting = yield* Effect.forkChild(Effect.scoped(Layer.build(tree.layer)))
      yield* probe.sees("start a", "starting b")
      yield* Fiber.interrupt(starting)
      yield* probe.sees("stop a")
      assert.deepStrictEqual(yield* Process.list, [])
    }))

  it.effect("a start that is interrupted while it stops what has started still kills who does not stop in time", () =>
    probed(function*(probe) {
      yield* TestClock.adjust(0)
      const gate = yield* Deferred.make<never, "refused">()
      const fails = ChildSpec.make({ id: "c", start: Deferred.await(gate) })
      const tree = Supervisor.make({
        children: [probe.child("a"), probe.stubborn("b", { shutdown: "2 seconds" }), fails]
      })
      const starting = yield* Effect.forkChild(tree.start)
      yield* probe.sees("start a", "start b")
      yield* Deferred.fail(gate, "refused")
      yield* settle
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(starting))
      yield* TestClock.adjust("2 seconds")
      yield* probe.sees("stop b", "stop a")
      yield* Fiber.join(interrupting)
      assert.deepStrictEqual(yield* Process.list, [])
    }))

  it.effect("a layer whose build is interrupted stops what has started in reverse order, each awaited", () =>
    probed(function*(probe) {
      // The first sleep on a test clock that was never moved forks a warning, which a finalizer would not survive.
      yield* TestClock.adjust(0)
      const slow = (id: string) => probe.slow(id, Effect.andThen(probe.report(`stopping ${id}`), Effect.sleep(1000)))
      const hangs = ChildSpec.make({
        id: "hangs",
        start: Effect.onInterrupt(
          Effect.andThen(probe.report("starting"), Effect.never),
          () => probe.report("start given up")
        )
      })
      const inner = Supervisor.make({ children: [slow("x"), slow("y"), hangs] }).child({ id: "inner" })
      const tree = Supervisor.make({ children: [slow("a"), slow("b"), inner] })
      const building = yield* Effect.forkChild(Effect.scoped(Layer.build(tree.layer)))
      yield* probe.sees("start a", "start b", "start x", "start y", "starting")
      const interrupting = yield* Effect.forkChild(Effect.andThen(Fiber.interrupt(building), probe.report("given up")))
      yield* probe.sees("start given up", "stopping y")
      for (const [id, next] of [["y", "x"], ["x", "b"], ["b", "a"]] as const) {
        yield* TestClock.adjust(1000)
        yield* probe.sees(`stop ${id}`, `stopping ${next}`)
      }
      yield* TestClock.adjust(1000)
      yield* probe.sees("stop a", "given up")
      yield* Fiber.join(interrupting)
      assert.deepStrictEqual(yield* Process.list, [])
      assert.deepStrictEqual(probe.log, [])
    }))

  it.effect("a layer whose build is interrupted when the last child has just started stops all in reverse order", () =>
    probed(function*(probe) {
      yield* TestClock.adjust(0)
      const slow = (id: string) => probe.slow(id, Effect.andThen(probe.report(`stopping ${id}`), Effect.yieldNow))
      const building: { fiber?: Fiber.Fiber<unknown, unknown> } = {}
      const last = ChildSpec.make({
        id: "last",
        start: Effect.andThen(
          Effect.forkDetach(Effect.suspend(() => Fiber.interrupt(building.fiber!))),
          Process.spawnLink(() => Effect.never)
        )
      })
      const tree = Supervisor.make({ children: [slow("a"), slow("b"), last] })
      building.fiber = yield* Effect.forkChild(Effect.scoped(Layer.build(tree.layer)))
      yield* probe.sees("start a", "start b", "stopping b", "stop b", "stopping a", "stop a")
      assert.deepStrictEqual(yield* Process.list, [])
      assert.deepStrictEqual(probe.log, [])
    }))

  it.effect("a start that never ends is given up after its timeout, and nothing is left", () =>
    probed(function*(probe) {
      class Slow extends GenServer.Service<Slow>()("test/Slow", []) {
        static readonly server = this.implement({ init: () => Effect.as(Effect.never, 0), handlers: {} })
      }
      const tree = Supervisor.make({ children: [probe.child("a"), Slow.server.child({ id: "slow", timeout: 0 })] })
      const error = yield* Effect.flip(tree.start)
      assert.deepStrictEqual([error.childPath, error.reason._tag], [["slow"], "Timeout"])
      yield* probe.sees("start a", "stop a")
      assert.deepStrictEqual(yield* Process.list, [])
    }))

  it.effect("a layer that does not start names the child's path and the cause, and leaves nothing running", () =>
    probed(function*(probe) {
      probe.refuse("y", 1)
      const inner = Supervisor.make({ children: [probe.child("x"), probe.child("y")] }).child({ id: "inner" })
      const tree = Supervisor.make({ children: [probe.child("a"), inner] })
      const error = yield* Effect.flip(Effect.scoped(Layer.build(tree.layer)))
      assert.deepStrictEqual(error.childPath, ["inner", "y"])
      assert.include(error.message, "inner/y did not start")
      yield* probe.sees("start a", "start x", "fail y", "stop x", "stop a")
      assert.deepStrictEqual(yield* Process.list, [])
    }))

  it.effect("SV-018 two equal ids refuse to start, and name the id", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ children: [probe.child("a"), probe.child("b"), probe.child("a")] })
      const error = yield* Effect.flip(tree.start)
      assert.deepStrictEqual(error.childPath, ["a"])
      assert.deepStrictEqual(error.reason, new OtpError.DuplicateId({ id: "a" }))
      yield* probe.sees()
    }))

  it.effect("SV-025 a temporary child that ignores is not kept, others are and stay down", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({
        children: [probe.ignoring("temporary", { restart: "temporary" }), probe.ignoring("permanent")]
      })
      const ref = yield* started(probe, tree, "ignore temporary", "ignore permanent")
      assert.deepStrictEqual(yield* Supervisor.whichChildren(ref), [
        { id: "permanent", type: "worker", child: undefined }
      ])
      assert.isUndefined(yield* Supervisor.startChild(ref, probe.ignoring("another", { restart: "temporary" })))
      assert.isUndefined(yield* Supervisor.startChild(ref, probe.ignoring("kept", { restart: "transient" })))
      assert.deepStrictEqual((yield* Supervisor.whichChildren(ref)).map(({ id }) => id), ["kept", "permanent"])
    }))

  it.effect("SV-100 a failed start leaves no exit behind that a supervisor would act on", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ intensity: { maxRestarts: 0, within: "5 seconds" }, children: [] })
      const ref = yield* tree.start
      probe.refuse("a", 1)
      yield* Effect.flip(Supervisor.startChild(ref, probe.child("a")))
      const dies = ChildSpec.make({
        id: "dies",
        start: Effect.andThen(Process.spawnLink(() => Process.exit(ExitReason.custom("bad"))), Effect.fail("no"))
      })
      yield* Effect.flip(Supervisor.startChild(ref, dies))
      yield* probe.sees("fail a")
      assert.isTrue(yield* Process.isAlive(ref.pid))
      assert.deepStrictEqual(yield* Supervisor.whichChildren(ref), [])
    }))
})
