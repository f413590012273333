/** Effect's combinators, data structures and scopes around processes and calls. */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
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
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { arrived, asProcess, idle, inNode } from "./utils/process.ts"
import { ask, callFails, defectOf, Told, told } from "./utils/server.ts"
import { probed } from "./utils/tree.ts"

const bad = ExitReason.custom("bad")

const hangs = (runs: Array<string>, name: string) => () => {
  runs.push(name)
  return Effect.never
}

describe("timeout", () => {
  it.effect("around awaitExit leaves the process alone", () =>
    Effect.gen(function*() {
      const pid = yield* idle
      const waiting = yield* Effect.forkChild(Effect.timeoutOption(Process.awaitExit(pid), "1 second"))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(waiting), Option.none())
      assert.isTrue(yield* Process.isAlive(pid))
    }).pipe(inNode))

  it.effect("around a call takes back a request that is queued, and not one that has begun", () =>
    Effect.gen(function*() {
      const runs: Array<string> = []
      const gate = yield* Deferred.make<void>()
      const server = yield* told().start()
      const order = (name: string) => (state: unknown) => {
        runs.push(name)
        return Effect.as(Deferred.await(gate), Step.reply(name, state))
      }
      const impatient = (name: string) => Effect.timeoutOption(ask(server, order(name)), "1 second")
      const calls = yield* Effect.forkChild(
        Effect.all([impatient("begun"), impatient("queued")], { concurrency: "unbounded" })
      )
      yield* settle
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(calls), [Option.none(), Option.none()])
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* ask(server, order("next")), "next")
      assert.deepStrictEqual(runs, ["begun", "next"])
    }).pipe(inNode))

  it.effect("around a start takes the server back", () =>
    Effect.gen(function*() {
      const starting = yield* Effect.forkChild(
        Effect.timeoutOption(told({ init: () => Effect.never }).start({ name: "server" }), "1 second")
      )
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(starting), Option.none())
      assert.deepStrictEqual(yield* Process.list, [])
      assert.deepStrictEqual(yield* Process.registered, [])
    }).pipe(inNode))

  it.effect("around a receive is a defect that names the way to do it; `after` is that way", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        yield* TestClock.adjust(0)
        assert.match((yield* defectOf(Effect.timeout(self.receive, "1 second"))).message, /main fiber/)
        const waiting = yield* Effect.exit(self.receiveMatch(() => true, { after: 0 }))
        assert.isTrue(Exit.isFailure(waiting))
      })
    ))

  it.effect("in a body ends what it limits, and not the process", () =>
    asProcess((self: Process.Self<unknown>) =>
      Effect.gen(function*() {
        const pid = yield* Process.spawn((own: Process.Self<string>) =>
          Effect.gen(function*() {
            yield* Process.send(self.pid, yield* Effect.timeoutOption(Effect.never, "1 second"))
            yield* Process.send(self.pid, yield* own.receive)
          })
        )
        yield* TestClock.adjust("1 second")
        yield* Process.send(pid, "still here")
        assert.deepStrictEqual(yield* arrived(self), [Option.none(), "still here"])
      })
    ))
})

describe("race", () => {
  it.effect("of two ends gives the first, and the other process lives", () =>
    Effect.gen(function*() {
      const [a, b] = [yield* idle, yield* idle]
      const racing = yield* Effect.forkChild(Effect.race(Process.awaitExit(a), Process.awaitExit(b)))
      yield* settle
      yield* Process.exit(b, bad)
      assert.deepStrictEqual(yield* Fiber.join(racing), bad)
      assert.isTrue(yield* Process.isAlive(a))
    }).pipe(inNode))

  it.effect("of two calls gives the first answer; the request that lost does not run if it is queued", () =>
    Effect.gen(function*() {
      const runs: Array<string> = []
      const [busy, free] = [yield* told().start(), yield* told().start()]
      const gate = yield* Deferred.make<void>()
      yield* Effect.forkChild(ask(busy, (state) => Effect.as(Deferred.await(gate), Step.reply("done", state))))
      yield* settle
      const order = (name: string) => (state: unknown) => {
        runs.push(name)
        return Step.reply(name, state)
      }
      assert.strictEqual(yield* Effect.race(ask(busy, order("busy")), ask(free, order("free"))), "free")
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* ask(busy, order("next")), "next")
      assert.deepStrictEqual(runs, ["free", "next"])
    }).pipe(inNode))
})

describe("retry", () => {
  it.effect("of a call that found nobody reaches the next incarnation, and runs once", () =>
    Effect.gen(function*() {
      const runs: Array<string> = []
      const call = ask(Told.at("server"), (state) => {
        runs.push("run")
        return Step.reply("answer", state)
      })
      yield* callFails(call, "NoProcess")
      const calling = yield* Effect.forkChild(Effect.retry(call, Schedule.spaced("1 second")))
      yield* TestClock.adjust("3 seconds")
      yield* told().start({ name: "server" })
      assert.deepStrictEqual(runs, [])
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(calling), "answer")
      assert.deepStrictEqual(runs, ["run"])
    }).pipe(inNode))

  it.effect("of a start that fails starts afresh each time, and leaves nothing of those that failed", () =>
    Effect.gen(function*() {
      let starts = 0
      const init = () => ++starts < 3 ? Effect.fail("not yet") : Effect.succeed(starts)
      const server = yield* Effect.retry(told({ init }).start({ name: "server" }), { times: 5 })
      assert.strictEqual(yield* ask(server, (n) => Step.reply(n, n)), 3)
      assert.deepStrictEqual(yield* Process.list, [server.pid])
    }).pipe(inNode))

  it.effect("in a body does not see Process.exit, nor the signal that ends the process", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const tries = (end: Effect.Effect<never, never, Process.Current>) => () =>
          Process.send(self.pid, "try").pipe(Effect.andThen(end), Effect.sandbox, Effect.retry({ times: 3 }))
        yield* Process.spawnMonitor(tries(Process.exit(bad)))
        const [pid] = yield* Process.spawnMonitor(tries(Effect.never))
        yield* settle
        yield* Process.exit(pid, bad)
        const seen = yield* arrived(self)
        assert.deepStrictEqual(seen.filter((m) => m === "try"), ["try", "try"])
        assert.deepStrictEqual(seen.filter(Process.isDown).map((down) => down.reason), [bad, bad])
      })
    ))
})

describe("streams, queues and hubs", () => {
  it.effect("a mailbox can be read as a Stream, in the main fiber", () =>
    asProcess((self: Process.Self<number | ReadonlyArray<number>>) =>
      Effect.gen(function*() {
        const pid = yield* Process.spawn((own: Process.Self<number>) =>
          Stream.fromEffectRepeat(own.receive).pipe(
            Stream.takeUntil((n) => n === 3),
            Stream.map((n) => n * 10),
            Stream.runCollect,
            Effect.flatMap((seen) => Process.send(self.pid, seen))
          )
        )
        for (const n of [1, 2, 3, 4]) yield* Process.send(pid, n)
        assert.deepStrictEqual(yield* self.receive, [10, 20, 30])
      })
    ))

  it.effect("what a Stream runs in fibers of its own may send, and not receive", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        yield* Process.spawnMonitor((own: Process.Self<string>) =>
          Stream.make("a").pipe(
            Stream.mapEffect((text) => Effect.andThen(Process.send(self.pid, text), own.receive), { concurrency: 2 }),
            Stream.runDrain
          )
        )
        const [sent, down] = yield* arrived(self)
        assert.strictEqual(sent, "a")
        assert.match(ExitReason.format((down as Process.Down).reason), /main fiber/)
      })
    ))

  it.effect("a process that ends while it waits for a Queue takes nothing from it", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const queue = yield* Queue.bounded<string>(1)
        const taker = (name: string) =>
          Process.spawn(() => Effect.flatMap(Queue.take(queue), (item) => Process.send(self.pid, `${name} ${item}`)))
        for (const reason of [bad, ExitReason.kill]) {
          const first = yield* taker("first")
          yield* settle
          yield* taker("second")
          yield* settle
          yield* Process.exit(first, reason)
          yield* Queue.offer(queue, "item")
          assert.deepStrictEqual(yield* arrived(self), ["second item"])
        }
      })
    ))

  it.effect("a subscription to a PubSub ends with its process: publishers do not wait for it", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const hub = yield* PubSub.bounded<string>(1)
        const pid = yield* Process.spawn(() =>
          Effect.scoped(Effect.gen(function*() {
            const subscription = yield* PubSub.subscribe(hub)
            yield* Process.send(self.pid, yield* PubSub.take(subscription))
            return yield* Effect.never
          }))
        )
        yield* settle
        yield* PubSub.publish(hub, "one")
        assert.strictEqual(yield* self.receive, "one")
        yield* PubSub.publish(hub, "full")
        const publishing = yield* Effect.forkChild(PubSub.publish(hub, "waits"))
        yield* settle
        assert.isUndefined(publishing.pollUnsafe())
        yield* Process.exit(pid, ExitReason.kill)
        yield* settle
        assert.isDefined(publishing.pollUnsafe())
        yield* PubSub.publish(hub, "nobody")
      })
    ))
})

describe("running from outside", () => {
  it.live("an AbortSignal that interrupts runPromise ends its own fiber, and no process that it has spawned", () =>
    Effect.gen(function*() {
      const context = yield* Effect.context<never>()
      const controller = new AbortController()
      const spawned = yield* Deferred.make<Process.Pid<string>>()
      const received: Array<string> = []
      const program = Effect.gen(function*() {
        const pid = yield* Process.spawn((own: Process.Self<string>) =>
          Effect.map(own.receive, (text) => received.push(text))
        )
        yield* Deferred.succeed(spawned, pid)
        return yield* Effect.never
      })
      const promise = Effect.runPromiseWith(context)(program, { signal: controller.signal })
      const pid = yield* Deferred.await(spawned)
      controller.abort()
      assert.isTrue(Exit.isFailure(yield* Effect.exit(Effect.tryPromise(() => promise))))
      assert.isTrue(yield* Process.isAlive(pid))
      yield* Process.send(pid, "hello")
      assert.deepStrictEqual(yield* Process.awaitExit(pid), ExitReason.normal)
      assert.deepStrictEqual(received, ["hello"])
    }).pipe(inNode))

  it.effect("interrupting a caller ends its call, and neither the server nor what it does", () =>
    Effect.gen(function*() {
      const runs: Array<string> = []
      const server = yield* told().start()
      const calling = yield* Effect.forkChild(ask(server, hangs(runs, "begun")))
      yield* settle
      yield* Fiber.interrupt(calling)
      assert.deepStrictEqual(runs, ["begun"])
      assert.isTrue(yield* Process.isAlive(server.pid))
    }).pipe(inNode))
})

describe("scopes", () => {
  const closings = {
    success: Exit.void,
    failure: Exit.fail("no"),
    interruption: Exit.interrupt(1)
  }
  for (const [how, exit] of Object.entries(closings)) {
    it.effect(`a process of spawnScoped ends Shutdown, released, when its Scope closes with ${how}`, () =>
      asProcess((self: Process.Self<string | Process.Down>) =>
        Effect.gen(function*() {
          const scope = yield* Scope.make()
          const pid = yield* Scope.provide(
            Process.spawnScoped(() =>
              Effect.ensuring(Effect.never, Effect.andThen(Effect.yieldNow, Process.send(self.pid, "released")))
            ),
            scope
          )
          yield* Process.monitor(pid)
          yield* settle
          yield* Scope.close(scope, exit)
          const [released, down] = yield* arrived(self)
          assert.strictEqual(released, "released")
          assert.deepStrictEqual((down as Process.Down).reason, ExitReason.shutdown())
        })
      ))
  }

  it.effect("one that refuses to end is killed after 5 seconds, and its Scope closes", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const pid = yield* Scope.provide(
        Process.spawnScoped((own: Process.Self<Process.Exit>) =>
          Effect.andThen(Process.trapExit(true), Effect.forever(own.receive))
        ),
        scope
      )
      yield* settle
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* TestClock.adjust(4999)
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(closing)
      assert.deepStrictEqual(yield* Process.awaitExit(pid), ExitReason.killed)
    }).pipe(inNode))

  it.effect("one that has ended before does not keep its Scope from closing", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const pid = yield* Scope.provide(Process.spawnScoped(() => Effect.die("boom")), scope)
      assert.strictEqual((yield* Process.awaitExit(pid))._tag, "Crashed")
      yield* Scope.close(scope, Exit.void)
    }).pipe(inNode))
})

describe("layers", () => {
  class Database extends Context.Service<Database, string>()("test/combinators/Database") {}

  it.effect("tear down from the top: what uses a tree, then its children in reverse, then what they use", () =>
    probed(function*(probe) {
      const resource = (name: string) =>
        Effect.acquireRelease(probe.report(`open ${name}`), () => probe.report(`close ${name}`))
      const database = Layer.effect(Database, Effect.as(resource("database"), "database"))
      class Cache extends GenServer.Service<Cache>()("test/combinators/Cache", []) {
        static readonly server = this.implement({
          init: () => Effect.flatMap(Database, (used) => Effect.as(resource(`cache of the ${used}`), 0)),
          handlers: {}
        })
      }
      const tree = Supervisor.make({ children: [probe.child("a"), Cache.server.child(), probe.child("b")] }).layer
      const web = Layer.effectDiscard(Effect.andThen(Cache, resource("web")))
      const app = web.pipe(Layer.provide(tree), Layer.provide(database))
      yield* Effect.scoped(Effect.andThen(
        Layer.build(app),
        probe.sees("open database", "start a", "open cache of the database", "start b", "open web")
      ))
      yield* probe.sees("close web", "stop b", "close cache of the database", "stop a", "close database")
      assert.deepStrictEqual(yield* Process.list, [])
    }))
})
