import * as Agent from "@effect-otp/core/Agent"
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as DynamicSupervisor from "@effect-otp/core/DynamicSupervisor"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Node from "@effect-otp/core/Node"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as Task from "@effect-otp/core/Task"
import { Interleaving, LeakGuard, settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"

/** The line in this file that has called. */
const line = (): number => Number(/LeakGuard\.test\.ts:(\d+)/.exec(new Error().stack!.split("\n")[2]!)![1])

class Mute extends GenServer.Service<Mute>()("leaks/Mute", [
  GenServer.call("ask", { success: Schema.String })
]) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: { ask: (n) => Step.noReply(n) }
  })
}

/** What is left of a program, each as its kind and the line that has made it. */
const leftOf = <A, E>(program: Effect.Effect<A, E, Scope.Scope>) =>
  Effect.map(Effect.flip(LeakGuard.guard(program)), (error) => {
    if (!(error instanceof LeakGuard.Leaked)) throw error
    return error.leaks.map(({ kind, what, where }) => {
      assert.match(where ?? "", /\/test\/testing\/LeakGuard\.test\.ts:\d+:\d+$/, what)
      return [kind, Number(/:(\d+):\d+$/.exec(where!)![1])]
    })
  })

const idle = () => Effect.never

describe("a guard tells", () => {
  it.effect("a process, and where it was spawned", () =>
    Effect.gen(function*() {
      let at = 0
      const left = yield* leftOf(Effect.gen(function*() {
        at = line() + 1
        yield* Process.spawn(idle)
      }))
      assert.deepStrictEqual(left, [["process", at]])
    }))

  it.effect("its name, its links, its monitors", () =>
    Effect.gen(function*() {
      let at = 0
      const left = yield* leftOf(Effect.gen(function*() {
        at = line() + 1
        yield* Process.spawn((self: Process.Self<Process.Down>) =>
          Effect.gen(function*() {
            yield* Process.register("cache", self.pid)
            const other = yield* Process.spawnLink(idle)
            yield* Process.monitor(other)
            yield* self.receive
          })
        )
        yield* settle
      }))
      assert.deepStrictEqual(left, [
        ["process", at],
        ["process", at + 3],
        ["name", at + 2],
        ["link", at + 3],
        ["monitor", at + 4]
      ])
    }))

  it.effect("a timer that is set once, and one that is set again and again", () =>
    Effect.gen(function*() {
      let at = 0
      const left = yield* leftOf(Effect.gen(function*() {
        at = line() + 1
        yield* Process.sendAfter("nobody", "late", "1 hour")
        const timer = yield* Process.sendInterval("nobody", "tick", "1 hour")
        yield* Process.cancelTimer(yield* Process.sendAfter("nobody", "never", "1 hour"))
        return timer
      }))
      assert.deepStrictEqual(left, [["timer", at], ["timer", at + 1]])
    }))

  it.effect("an interval that has fired by the line that has set it", () =>
    Effect.gen(function*() {
      let at = 0
      const leaking = Effect.gen(function*() {
        at = line() + 1
        yield* Process.sendInterval("nobody", "tick", "1 second")
        yield* Effect.sleep("3 seconds")
      })
      const { exit } = yield* Interleaving.run(leftOf(leaking), { time: "auto", seed: 3 })
      assert.deepStrictEqual(exit, Exit.succeed([["timer", at]]))
    }))

  it.effect("who waits for an end, for an answer, for a task, and for room", () =>
    Effect.gen(function*() {
      let at = 0
      const left = yield* leftOf(Effect.gen(function*() {
        at = line() + 1
        const mute = yield* Mute.server.start()
        const full = yield* Process.spawn(idle, { mailbox: { capacity: 1 } })
        yield* Process.send(full as Process.Pid<string>, "first")
        yield* Effect.forkDetach(Process.awaitExit(mute.pid))
        yield* Effect.forkDetach(mute.ask())
        yield* Effect.forkDetach(Process.send(full as Process.Pid<string>, "second"))
        yield* Process.spawn(() => Effect.flatMap(Task.async(Effect.never), (task) => Task.await(task)))
        yield* settle
      }))
      assert.sameDeepMembers(left, [
        ["process", at],
        ["process", at + 1],
        ["process", at + 6],
        ["process", at + 6],
        ["link", at + 6],
        ["monitor", at + 6],
        ["waiter", at + 3],
        ["waiter", at + 4],
        ["waiter", at + 5],
        ["waiter", at + 6]
      ])
    }))

  it.effect("servers, agents and trees by the line that has started them", () =>
    Effect.gen(function*() {
      const child = ChildSpec.worker({ id: "child", run: idle })
      const tree = Supervisor.make({ children: [] })
      const pool = DynamicSupervisor.make()
      let at = 0
      const left = yield* leftOf(Effect.gen(function*() {
        at = line() + 1
        yield* Mute.server.start()
        yield* Agent.start(() => 0)
        yield* tree.start
        const ref = yield* pool.start
        yield* DynamicSupervisor.startChild(ref, child)
      }))
      // A child that its supervisor has started by itself is known by the line that has started that.
      assert.deepStrictEqual(left.filter(([kind]) => kind === "process"), [
        ["process", at],
        ["process", at + 1],
        ["process", at + 2],
        ["process", at + 3],
        ["process", at + 3]
      ])
    }))

  it.effect("all of it in words, with the file and the line", () =>
    Effect.gen(function*() {
      let at = 0
      const error = yield* Effect.flip(LeakGuard.guard(Effect.gen(function*() {
        at = line() + 1
        const pid = yield* Process.spawn(idle, { label: "poller" })
        yield* Process.sendAfter(pid, "wake up" as never, "1 hour")
      })))
      assert.strictEqual(
        (error as Error).message.replaceAll(/\/.*\/test\//g, "test/"),
        [
          "2 things are left over at the end of the program:",
          "  - the process poller #PID<0.1.0>",
          `      made at test/testing/LeakGuard.test.ts:${at}:36`,
          "  - the timer that sends \"wake up\" to #PID<0.1.0>",
          `      made at test/testing/LeakGuard.test.ts:${at + 1}:24`
        ].join("\n")
      )
    }))

  it.live("under the default scheduler, too", () =>
    Effect.gen(function*() {
      let at = 0
      const left = yield* leftOf(Effect.gen(function*() {
        at = line() + 1
        yield* Process.spawn(idle)
        const mute = yield* Mute.server.start()
        yield* Effect.forkDetach(mute.ask())
        yield* settle
      }))
      assert.deepStrictEqual(left, [["process", at], ["process", at + 1], ["waiter", at + 2]])
    }))
})

describe("a guard says nothing", () => {
  it.effect("of what has ended, was cancelled, or ends with the scope of the program", () =>
    LeakGuard.guard(Effect.gen(function*() {
      yield* Process.spawnScoped(idle)
      yield* Mute.server.startScoped({ name: "mute" })
      const boss = yield* Process.spawn((self: Process.Self<Process.Down>) =>
        Effect.gen(function*() {
          const [, ref] = yield* Process.spawnMonitor(() => Effect.void)
          yield* Process.sendAfter(self.pid, "late" as never, "1 hour")
          assert.strictEqual((yield* self.receive).ref, ref)
        })
      )
      yield* Process.awaitExit(boss)
      yield* Effect.scoped(Supervisor.make({ children: [ChildSpec.worker({ id: "child", run: idle })] }).startScoped)
    })))

  it.effect("of what ends by itself as soon as it may", () =>
    LeakGuard.guard(Process.spawn(() => Effect.forEach([1, 2, 3], () => Effect.yieldNow))))

  it.effect("about a program that fails, which fails as it did", () =>
    Effect.gen(function*() {
      const failing = Effect.andThen(Process.spawn(idle), Effect.fail("its own"))
      assert.strictEqual(yield* Effect.flip(LeakGuard.guard(failing)), "its own")
    }))

  it.effect("in any order", () =>
    Interleaving.explore(
      LeakGuard.guard(Effect.gen(function*() {
        const mute = yield* Mute.server.startScoped()
        const asking = yield* Effect.forkChild(Effect.exit(mute.ask()))
        yield* GenServer.stop(mute.pid)
        assert.isTrue(Exit.isFailure(yield* Fiber.join(asking)))
      })),
      { runs: 100 }
    ))
})

describe("check", () => {
  it.effect("looks at what the program has made, in the Node where it is", () =>
    Effect.gen(function*() {
      const before = yield* Process.spawn(idle)
      yield* LeakGuard.check(Process.isAlive(before))
      const error = yield* Effect.flip(LeakGuard.check(Process.spawn(idle, { label: "new" })))
      assert.deepStrictEqual((error as LeakGuard.Leaked).leaks.map(({ what }) => what), ["the process new #PID<0.2.0>"])
    }).pipe(Effect.provide(Node.layer({ shutdown: 0 }))))

  it.effect("sees the links and the monitors that a process is left with", () =>
    Effect.gen(function*() {
      const other = yield* Process.spawn(idle)
      const test = yield* Process.spawn((self: Process.Self<Process.Down>) =>
        Effect.gen(function*() {
          const error = yield* Effect.flip(
            LeakGuard.check(Effect.andThen(Process.link(other), Effect.asVoid(Process.monitor(other))))
          )
          const { leaks } = error as LeakGuard.Leaked
          assert.deepStrictEqual(leaks.map(({ what }) => what), [
            `the link between ${self.pid} and ${other}`,
            `the monitor of ${other} that ${self.pid} has`
          ])
        })
      )
      assert.deepStrictEqual((yield* Process.awaitExit(test))._tag, "Normal")
    }).pipe(Effect.provide(Node.layer({ shutdown: 0 }))))
})

describe("the layer", () => {
  it.effect("dies when it closes, if something is left in its Node", () =>
    Effect.gen(function*() {
      const use = (program: Effect.Effect<unknown>) =>
        Effect.gen(function*() {
          const scope = yield* Scope.make()
          const context = yield* Layer.buildWithScope(LeakGuard.layer, scope)
          yield* Effect.provideContext(program, context)
          return yield* Effect.exit(Scope.close(scope, Exit.void))
        })
      assert.deepStrictEqual(yield* use(Process.spawn(() => Effect.void)), Exit.void)
      const exit = yield* use(Process.spawn(idle))
      assert.instanceOf(Cause.squash((exit as Exit.Failure<never, never>).cause), LeakGuard.Leaked)
    }))
})
