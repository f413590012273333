/** Trees as Layers: services that outlive their processes, and a scope that stops what it started. */
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as OtpError from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { probed } from "./utils/tree.ts"

const bad = ExitReason.custom("bad")

class Counter extends GenServer.Service<Counter>()("test/layer/Counter", [
  GenServer.call("next", { success: Schema.Finite }),
  GenServer.call("process", { success: Schema.Any }),
  GenServer.cast("end")
]) {
  static readonly server = this.implement({
    init: (first: number) => first,
    handlers: {
      next: (n) => Step.reply(n, n + 1),
      process: (n) => Effect.map(Process.self, (pid) => Step.reply(pid, n)),
      end: (n) => Step.stop(bad, n)
    }
  })
}

/** Begins where the Counter is. */
class Double extends GenServer.Service<Double>()("test/layer/Double", [
  GenServer.call("next", { success: Schema.Finite })
]) {
  static readonly server = this.implement({
    init: () => Effect.flatMap(Counter, (counter) => Effect.orDie(counter.next())),
    handlers: { next: (n) => Step.reply(2 * n, n + 1) }
  })
}

describe("services", () => {
  it.effect("a service stays valid across restarts, and always reaches the current incarnation", () =>
    probed(function*() {
      const tree = Supervisor.make({ children: [Counter.server.child(1)] })
      yield* Effect.provide(
        Effect.gen(function*() {
          const counter = yield* Counter
          const first = yield* counter.process()
          assert.deepStrictEqual([yield* counter.next(), yield* counter.next()], [1, 2])
          yield* counter.end()
          yield* settle
          assert.strictEqual(yield* counter.next(), 1)
          assert.notStrictEqual(yield* counter.process(), first)
        }),
        tree.layer
      )
    }))

  it.effect("while its child is down, and when its tree has given up, calls fail with NoProcess", () =>
    probed(function*() {
      const tree = Supervisor.make({
        intensity: { maxRestarts: 0, within: "5 seconds" },
        children: [Counter.server.child(1)]
      })
      yield* Effect.provide(
        Effect.gen(function*() {
          const counter = yield* Counter
          yield* counter.end()
          yield* settle
          const error = yield* Effect.flip(counter.next())
          assert.instanceOf(error.reason, OtpError.NoProcess)
        }),
        tree.layer
      )
    }))

  it.effect("a later child uses the service of an earlier one, also across a branch, and the tree provides both", () =>
    probed(function*() {
      const inner = Supervisor.make({ children: [Double.server.child()] }).child({ id: "inner" })
      const tree = Supervisor.make({ children: [Counter.server.child(20), inner] })
      yield* Effect.provide(
        Effect.gen(function*() {
          assert.strictEqual(yield* (yield* Double).next(), 40)
          assert.strictEqual(yield* (yield* Counter).next(), 21)
        }),
        tree.layer
      )
    }))

  it.effect("a child's requirements come from the layers below the tree", () =>
    probed(function*(probe) {
      class Word extends Context.Service<Word, string>()("test/layer/Word") {}
      const says = ChildSpec.worker({
        id: "a",
        run: () => Effect.andThen(Effect.flatMap(Word, probe.report), Effect.never)
      })
      const tree = Supervisor.make({ children: [says] })
      yield* Layer.build(Layer.provide(tree.layer, Layer.succeed(Word, "hello")))
      yield* probe.sees("hello")
    }))

  it.effect("two trees with the same service live side by side", () =>
    probed(function*() {
      const at = (n: number) => Supervisor.make({ children: [Counter.server.child(n)] }).layer
      const next = Effect.flatMap(Counter, (counter) => counter.next())
      const one = yield* Layer.build(at(1))
      const two = yield* Layer.build(at(100))
      assert.deepStrictEqual([
        yield* Effect.provide(next, one),
        yield* Effect.provide(next, two),
        yield* Effect.provide(next, one),
        yield* Effect.provide(next, two)
      ], [1, 100, 2, 101])
    }))

  it.effect("one tree started twice has two sets of processes", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ children: [probe.child("a")] })
      const [one, two] = [yield* tree.start, yield* tree.start]
      yield* probe.sees("start a", "start a")
      assert.notStrictEqual(one.pid, two.pid)
      yield* Supervisor.stop(one)
      yield* probe.sees("stop a")
      assert.isTrue(yield* Process.isAlive(two.pid))
    }))
})

describe("the scope", () => {
  it.effect("closing a layer stops the tree in reverse order, and waits", () =>
    probed(function*(probe) {
      const gate = yield* Deferred.make<void>()
      const tree = Supervisor.make({
        children: [probe.child("a"), probe.slow("b", Deferred.await(gate)), probe.child("c")]
      })
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(tree.layer, scope)
      yield* probe.sees("start a", "start b", "start c")
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* probe.sees("stop c")
      assert.isUndefined(closing.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      yield* probe.sees("stop b", "stop a")
      yield* Fiber.join(closing)
      assert.deepStrictEqual(yield* Process.list, [])
    }))

  it.effect("closing the layer of a tree that gave up is no failure", () =>
    probed(function*(probe) {
      const intensity = { maxRestarts: 0, within: "5 seconds" } as const
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Layer.build(Supervisor.make({ intensity, children: [probe.child("a")] }).layer)
        yield* probe.end("a", bad)
        yield* probe.sees("start a", "stop a")
      }))
    }))

  it.effect("startScoped ends with its scope, startLink with the process that is linked", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ children: [probe.child("a")] })
      yield* Effect.scoped(Effect.andThen(tree.startScoped, probe.sees("start a")))
      yield* probe.sees("stop a")
      const owner = yield* Process.spawn(() => Effect.andThen(tree.startLink, Effect.never))
      yield* probe.sees("start a")
      yield* Process.exit(owner, bad)
      yield* probe.sees("stop a")
    }))

  it.effect("children are interruptible even when the layer is built where nothing may be interrupted", () =>
    probed(function*(probe) {
      const children = [probe.worker("a"), ChildSpec.layer({ id: "b", layer: Layer.effectDiscard(probe.report("b")) })]
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Effect.uninterruptible(Layer.build(Supervisor.make({ children }).layer))
        yield* probe.sees("start a", "b")
      }))
      yield* probe.sees("stop a")
    }))
})

describe("launch", () => {
  it.effect("fails with GaveUp, with everything stopped", () =>
    probed(function*(probe) {
      const intensity = { maxRestarts: 0, within: "5 seconds" } as const
      const tree = Supervisor.make({ intensity, children: [probe.child("a"), probe.child("b")] })
      const running = yield* Effect.forkChild(Effect.flip(Supervisor.launch(tree)))
      yield* probe.sees("start a", "start b")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a", "stop b")
      const error = yield* Fiber.join(running)
      assert(error._tag === "GaveUp")
      assert.deepStrictEqual(error.reason, ExitReason.shutdown())
    }))

  it.effect("interrupting it stops the tree in order, and waits", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ children: [probe.child("a"), probe.child("b")] })
      const running = yield* Effect.forkChild(Supervisor.launch(tree))
      yield* probe.sees("start a", "start b")
      yield* Fiber.interrupt(running)
      yield* probe.sees("stop b", "stop a")
      assert.deepStrictEqual(yield* Process.list, [])
    }))

  it.effect("fails with the StartError of a tree that does not start", () =>
    probed(function*(probe) {
      probe.refuse("a", 1)
      const error = yield* Effect.flip(Supervisor.launch(Supervisor.make({ children: [probe.child("a")] })))
      assert.strictEqual(error._tag, "StartError")
    }))
})

describe("ChildSpec", () => {
  it.effect("worker: its scope is its own and closes with each incarnation", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ children: [probe.worker("a")] })
      yield* tree.startScoped
      yield* probe.sees("start a")
      yield* probe.end("a", ExitReason.normal)
      yield* probe.sees("stop a", "start a")
    }))

  it.effect("layer: it has started when the Layer is built, and each incarnation builds it afresh", () =>
    probed(function*(probe) {
      const layer = Layer.effectDiscard(Effect.acquireRelease(
        Effect.flatMap(Process.self, (pid) => Effect.sync(() => probe.started("a", pid as never))),
        () => probe.report("stop a")
      ))
      const tree = Supervisor.make({ children: [ChildSpec.layer({ id: "a", layer }), probe.child("b")] })
      const ref = yield* tree.start
      yield* probe.sees("start a", "start b")
      yield* Process.exit(probe.pid("a"), ExitReason.kill)
      yield* probe.sees("stop a", "start a")
      yield* Supervisor.stop(ref)
      yield* probe.sees("stop b", "stop a")
    }))

  it.effect("layer: what building fails with names the child", () =>
    probed(function*(probe) {
      const layer = Layer.effectDiscard(Effect.fail("no port"))
      const tree = Supervisor.make({ children: [probe.child("a"), ChildSpec.layer({ id: "b", layer })] })
      const error = yield* Effect.flip(tree.start)
      assert.deepStrictEqual(error.childPath, ["b"])
      assert.deepStrictEqual(error.reason, new OtpError.InitFailed({ error: "no port" }))
      yield* probe.sees("start a", "stop a")
    }))

  it.effect("make: a start that forgot the link is supervised all the same", () =>
    probed(function*(probe) {
      const start = Process.spawn((self: Process.Self<"end">) =>
        Effect.andThen(Effect.sync(() => probe.started("a", self.pid as never)), self.receive)
      )
      yield* Supervisor.make({ children: [ChildSpec.make({ id: "a", start })] }).start
      yield* probe.sees("start a")
      yield* Process.send(probe.pid("a") as Process.Pid<never>, "end" as never)
      yield* probe.sees("start a")
    }))

  it.effect.each(
    [["linked", Process.spawnLink(() => Process.exit(bad))], [
      "not linked",
      Process.spawn(() => Process.exit(bad))
    ]] as const
  )(
    "SV-008 make: a process (%s) that has crashed when its start returns is restarted, once each time",
    ([, spawn]) =>
      probed(function*(probe) {
        const start = Effect.tap(spawn, (pid) => Effect.andThen(probe.report("start a"), Process.awaitExit(pid)))
        const ref = yield* Supervisor.make({ children: [ChildSpec.make({ id: "a", start })] }).start
        yield* probe.sees("start a", "start a", "start a", "start a")
        assert.isFalse(yield* Process.isAlive(ref.pid))
      })
  )
})
