import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Name from "@effect-otp/core/Name"
import * as Node from "@effect-otp/core/Node"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
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
import { ask, callFails, defectOf, told } from "./utils/server.ts"
import { probed } from "./utils/tree.ts"

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

describe("a pid of another Node", () => {
  const stubborn = (own: Process.Self<string | Process.Exit>) =>
    Effect.andThen(Process.trapExit(true), Effect.forever(own.receive))

  it.effect("messages, timers and questions reach it as if it were here", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const other = yield* open({ name: "other" })
        const pid = yield* other.run(Process.spawn(
          (own: Process.Self<string>) => Effect.forever(Effect.flatMap(own.receive, (m) => Process.send(self.pid, m))),
          { label: "echo" }
        ))
        yield* Process.send(pid, "sent")
        const cancelled = yield* Process.sendAfter(pid, "cancelled", 100)
        yield* Process.sendAfter(pid, "later", 100)
        assert.deepStrictEqual(yield* Process.cancelTimer(cancelled), Option.some(100))
        yield* TestClock.adjust(100)
        assert.deepStrictEqual(yield* arrived(self), ["sent", "later"])
        assert.isTrue(yield* Process.isAlive(pid))
        assert.strictEqual(Option.getOrThrow(yield* Process.info(pid)).label, "echo")
        assert.deepStrictEqual(yield* Process.list, [self.pid], "it is not one of this Node")
        const timer = yield* Process.sendAfter(pid, "never", 100)
        yield* other.close
        assert.isFalse(yield* Process.isAlive(pid))
        assert.deepStrictEqual(yield* Process.awaitExit(pid), ExitReason.shutdown())
        assert.deepStrictEqual(yield* Process.readTimer(timer), Option.none())
      })
    ))

  it.effect("exit signals, links and monitors go across, both ways", () =>
    asProcess((self: Process.Self<string | Process.Exit | Process.Down>) =>
      Effect.gen(function*() {
        const other = yield* open({ name: "other" })
        yield* Process.trapExit(true)
        const reason = ExitReason.custom("reason")
        const [signalled, linked, killed, watcher] = yield* other.run(Effect.all([
          Process.spawn(() => Effect.never),
          Process.spawn(() => Effect.never),
          Process.spawn(stubborn),
          Process.spawn((own: Process.Self<Process.Down>) =>
            Effect.gen(function*() {
              yield* Process.monitor(self.pid)
              yield* Effect.orDie(Process.link(self.pid))
              return yield* own.receive
            })
          )
        ]))
        yield* settle
        yield* Process.monitor(signalled)
        yield* Process.link(linked)
        yield* Process.monitor(killed)
        yield* Process.exit(signalled, reason)
        yield* Process.exit(linked, reason)
        yield* Process.exit(killed, ExitReason.kill)
        const told = (yield* arrived(self)) as ReadonlyArray<Process.Exit | Process.Down>
        assert.sameDeepMembers(
          told.map((each) => [each._tag, each._tag === "Exit" ? each.pid : each.target, each.reason]),
          [
            ["Down", signalled, reason],
            ["Exit", linked, reason],
            ["Down", killed, ExitReason.killed]
          ]
        )
        assert.isTrue(yield* Process.isAlive(watcher))
        // A link that is taken away from here is gone there, too.
        yield* Process.unlink(watcher)
        yield* other.run(Process.exit(watcher, reason))
        assert.deepStrictEqual(yield* arrived(self), [])
        yield* other.close
      })
    ))

  it.effect("a name of this Node is refused to it, and that of its own goes with it", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const other = yield* open({ name: "other" })
        const pid = yield* other.run(Process.spawn(() => Effect.never))
        assert.strictEqual(
          (yield* defectOf(Process.register("role", pid))).message,
          `pid: expected a process of the Node "node", got ${pid} of the Node "other"`
        )
        assert.deepStrictEqual(yield* Process.whereis("role"), Option.none())
        assert.deepStrictEqual(yield* other.run(Process.registered), [])
        yield* other.run(Process.register("role", pid))
        yield* Process.register("role", self.pid)
        assert.strictEqual(Option.getOrThrow(yield* Process.info(pid)).name, "role")
        yield* other.close
        assert.deepStrictEqual(yield* Process.whereis("role"), Option.some(self.pid))
      })
    ))

  it.effect("a via takes it, since a resolver knows no Nodes", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const held = new Map<string, Process.Pid<never, unknown>>()
        const via = Name.via<string>({
          register: (key, pid) => held.size < held.set(key, pid).size,
          unregister: (key) => held.delete(key),
          whereis: (key) => held.get(key),
          format: (key) => `map/${key}`
        }, "key")
        const other = yield* open({ name: "other" })
        const pid = yield* other.run(
          Process.spawn((own: Process.Self<string>) => Effect.flatMap(own.receive, (m) => Process.send(self.pid, m)))
        )
        yield* Process.register(via, pid)
        yield* Process.send(via, "hello")
        assert.deepStrictEqual(yield* arrived(self), ["hello"])
        assert.strictEqual(held.size, 0)
        yield* other.close
      })
    ))

  it.effect("a server there is called and stopped from here, and answers when its time is up on the clock of the caller", () =>
    inNode(Effect.gen(function*() {
      const other = yield* open({ name: "other" })
      const server = yield* other.run(told().start())
      assert.strictEqual(yield* ask(server, (state) => Step.reply("reply", state)), "reply")
      const call = yield* Effect.forkChild(callFails(ask(server, (state) => Step.noReply(state)), "Timeout"))
      yield* settle
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(call)
      yield* GenServer.stop(server)
      assert.deepStrictEqual(yield* Process.awaitExit(server.pid), ExitReason.normal)
      yield* other.close
    })))
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

describe("what starts while a Node closes", () => {
  /** A process that starts another one when it ends, as often as it is told. */
  const restless = (ended: Array<number>, times: number, n = 0): Effect.Effect<Process.Pid<never>> =>
    Process.spawn(() =>
      Effect.ensuring(
        Effect.never,
        Effect.andThen(
          Effect.sync(() => ended.push(n)),
          Effect.suspend(() => n < times ? restless(ended, times, n + 1) : Effect.void)
        )
      )
    )

  it.effect("a process that starts the next one whenever it ends does not keep it from closing", () =>
    Effect.gen(function*() {
      const node = yield* open()
      const ended: Array<number> = []
      yield* node.run(restless(ended, Infinity))
      yield* settle
      yield* node.close
      yield* settle
      assert.deepStrictEqual(ended, [0, 1])
      assert.deepStrictEqual(yield* node.run(Process.list), [])
    }))

  it.effect("a finalizer may still use a helper, which is ended after all that were there", () =>
    Effect.gen(function*() {
      const node = yield* open()
      const seen: Array<string> = []
      const say = (what: string) => Effect.sync(() => seen.push(what))
      const says = (what: string) => Effect.ensuring(Effect.never, say(what))
      yield* node.run(Process.spawn(() => says("first")))
      yield* node.run(Process.spawn(() =>
        Effect.ensuring(
          Effect.never,
          Effect.gen(function*() {
            yield* Process.spawn(() => says("helper that stays"))
            const helper = yield* Process.spawn((own: Process.Self<string>) => Effect.flatMap(own.receive, say))
            yield* Process.send(helper, "helped")
            yield* Process.awaitExit(helper)
            yield* say("second")
          })
        )
      ))
      yield* settle
      yield* node.close
      assert.deepStrictEqual(seen, ["helped", "second", "first", "helper that stays"])
    }))

  it.effect("nothing starts in a Node that has closed", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const node = yield* open()
        yield* node.close
        const pid = yield* node.run(Process.spawn(() => Process.send(self.pid, "runs")))
        yield* Process.monitor(pid)
        assert.deepStrictEqual((yield* arrived(self)).map((m) => (m as Process.Down).reason), [ExitReason.shutdown()])
        const server = yield* Effect.flip(node.run(told().start({ name: "server" })))
        assert.strictEqual(server.reason._tag, "Stopped")
        const tree = yield* Effect.flip(node.run(Supervisor.make({ children: [told().child({ id: "a" })] }).start))
        assert.strictEqual(tree.reason._tag, "Stopped")
        assert.deepStrictEqual(yield* node.run(Process.list), [])
      })
    ))
})

describe("supervisors", () => {
  it.effect("they end before the processes that stand alone, whoever is older, each tree in its own order", () =>
    probed(function*(probe) {
      const node = yield* open()
      const alone = (id: string) => Process.spawn(() => Effect.ensuring(Effect.never, probe.report(`stop ${id}`)))
      const tree = (...ids: ReadonlyArray<string>) =>
        Supervisor.make({ children: ids.map((id) => probe.child(id)) }).start
      yield* node.run(Effect.all([tree("a", "b"), alone("alone 1"), tree("c", "d"), alone("alone 2")]))
      yield* probe.sees("start a", "start b", "start c", "start d")
      yield* node.close
      yield* probe.sees("stop d", "stop c", "stop b", "stop a", "stop alone 2", "stop alone 1")
    }))
})

describe("the default Node", () => {
  it.effect("nothing has to be provided", () =>
    Effect.gen(function*() {
      const pid = yield* Process.spawn((own: Process.Self<string>) => own.receive)
      yield* Process.send(pid, "hello")
      assert.deepStrictEqual(yield* Process.awaitExit(pid), ExitReason.normal)
    }))
})
