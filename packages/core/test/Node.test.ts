import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Node from "@effect-otp/core/Node"
import * as Process from "@effect-otp/core/Process"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { arrived, asProcess, inNode } from "./utils/process.ts"

/** A Node that is closed by hand, and what runs in it. */
const open = Effect.fnUntraced(function*(options?: Node.Options) {
  const scope = yield* Scope.make()
  const context = yield* Layer.buildWithScope(Node.layer(options), scope)
  return {
    run: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provideContext(effect, context),
    close: Scope.close(scope, Exit.void)
  }
})

describe("layer", () => {
  it.effect("two Nodes have processes and names of their own", () =>
    Effect.gen(function*() {
      const [a, b] = [yield* open(), yield* open()]
      const spawn = Effect.tap(Process.spawn(() => Effect.never), (pid) => Process.register("role", pid))
      const [inA, inB] = [yield* a.run(spawn), yield* b.run(spawn)]
      assert.deepStrictEqual(yield* a.run(Process.whereis("role")), Option.some(inA))
      assert.deepStrictEqual(yield* b.run(Process.whereis("role")), Option.some(inB))
      assert.deepStrictEqual(yield* a.run(Process.list), [inA])
      yield* a.close
      assert.deepStrictEqual(yield* b.run(Process.list), [inB])
      assert.isTrue(yield* Process.isAlive(inB))
      yield* b.close
    }))

  it.effect("a process can address one of another Node by its pid", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const other = yield* open()
        yield* other.run(Process.spawn(() => Process.send(self.pid, "hello")))
        assert.strictEqual(yield* self.receive, "hello")
        yield* other.close
      })
    ))

  it.effect("it has a name", () =>
    Effect.gen(function*() {
      const { run } = yield* open({ name: "mine" })
      assert.strictEqual((yield* run(Node.Node)).name, "mine")
      assert.strictEqual((yield* Node.Node).name, "default")
    }))

  it.effect("a shutdown that is no duration is refused", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Effect.scoped(Layer.build(Node.layer({ shutdown: -1 }))))
      assert.match(String(exit), /shutdown: expected a duration of zero or more, got -1/)
    }))
})

describe("closing", () => {
  it.effect("it ends processes in reverse order of their start, each when the one after it has ended", () =>
    Effect.gen(function*() {
      const node = yield* open()
      const ended: Array<string> = []
      const spawn = (name: string) =>
        Process.spawn(() =>
          Effect.onInterrupt(Effect.never, () =>
            Effect.sync(() => ended.push(`${name} begins`)).pipe(
              Effect.andThen(Effect.yieldNow),
              Effect.andThen(Effect.sync(() => ended.push(`${name} ends`)))
            ))
        )
      const pids = yield* node.run(Effect.forEach(["a", "b", "c"], spawn))
      yield* settle
      yield* node.close
      assert.deepStrictEqual(ended, ["c begins", "c ends", "b begins", "b ends", "a begins", "a ends"])
      for (const pid of pids) assert.deepStrictEqual(yield* Process.awaitExit(pid), ExitReason.shutdown())
      assert.deepStrictEqual(yield* node.run(Process.list), [])
    }))

  it.effect("a process that does not end in time is killed after 5 seconds", () =>
    Effect.gen(function*() {
      const node = yield* open()
      const [before, stubborn, after] = yield* node.run(Effect.all([
        Process.spawn(() => Effect.never),
        Process.spawn((own: Process.Self<Process.Exit>) =>
          Effect.andThen(Process.trapExit(true), Effect.forever(own.receive))
        ),
        Process.spawn(() => Effect.never)
      ]))
      yield* settle
      const closing = yield* Effect.forkChild(node.close)
      yield* settle
      assert.deepStrictEqual(yield* node.run(Process.list), [before, stubborn])
      yield* TestClock.adjust(4999)
      assert.isTrue(yield* Process.isAlive(stubborn))
      yield* TestClock.adjust(1)
      yield* Fiber.join(closing)
      assert.deepStrictEqual(yield* Process.awaitExit(stubborn), ExitReason.killed)
      assert.deepStrictEqual(yield* Process.awaitExit(before), ExitReason.shutdown())
      assert.deepStrictEqual(yield* Process.awaitExit(after), ExitReason.shutdown())
    }))

  it.effect("it waits for finalizers, also those of a killed process, but not for ever", () =>
    Effect.gen(function*() {
      // The first sleep on a test clock that was never moved forks a warning, which a finalizer would not survive.
      yield* TestClock.adjust(0)
      const node = yield* open({ shutdown: "1 second" })
      const released: Array<string> = []
      const sleeper = (name: string, millis: number) =>
        Process.spawn(() =>
          Effect.ensuring(Effect.never, Effect.andThen(Effect.sleep(millis), Effect.sync(() => released.push(name))))
        )
      yield* node.run(Effect.all([sleeper("in time", 500), sleeper("killed", 1500), sleeper("never", 1e6)]))
      yield* settle
      const closing = yield* Effect.forkChild(node.close)
      yield* settle
      yield* TestClock.adjust(2000)
      assert.deepStrictEqual(released, [])
      yield* TestClock.adjust(1500)
      assert.deepStrictEqual(released, ["killed"])
      yield* TestClock.adjust(500)
      assert.deepStrictEqual(released, ["killed", "in time"])
      yield* Fiber.join(closing)
    }))

  it.effect("a shutdown of zero kills at once who does not end at once", () =>
    Effect.gen(function*() {
      const stubborn = yield* inNode(Effect.tap(
        Process.spawn((own: Process.Self<Process.Exit>) =>
          Effect.andThen(Process.trapExit(true), Effect.forever(own.receive))
        ),
        () => settle
      ))
      assert.deepStrictEqual(yield* Process.awaitExit(stubborn), ExitReason.killed)
    }))

  it.effect("those outside of the Node who watch a process of it are told", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const node = yield* open()
        const pid = yield* node.run(Process.spawn(() => Effect.never))
        yield* Process.monitor(pid)
        yield* node.close
        assert.deepStrictEqual((yield* arrived(self)).map((down) => down.reason), [ExitReason.shutdown()])
      })
    ))
})

describe("the default Node", () => {
  it.effect("nothing has to be provided", () =>
    Effect.gen(function*() {
      const pid = yield* Process.spawn((own: Process.Self<string>) => own.receive)
      yield* Process.send(pid, "hello")
      assert.deepStrictEqual(yield* Process.awaitExit(pid), ExitReason.normal)
    }))
})
