import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as Sys from "@effect-otp/core/Sys"
import { Chaos, Probe, settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { inNode } from "../utils/process.ts"
import { callFails, defectOf } from "../utils/server.ts"

const test = <A>(body: () => Generator<Effect.Effect<any, unknown, Scope.Scope>, A, never>) =>
  inNode(Effect.scoped(Effect.gen(body))).pipe(Effect.provide(Logger.layer([]))) as Effect.Effect<A, unknown>

class Counter extends GenServer.Service<Counter>()("test/Counter", [
  GenServer.cast("increment"),
  GenServer.call("value", { success: Schema.Finite })
]) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: {
      increment: (count) => Step.noReply(count + 1),
      value: (count) => Step.reply(count, count)
    }
  })
}

const worker = (id: string) => ChildSpec.worker({ id, run: () => Effect.never })

const often = { maxRestarts: 1000, within: "1 second" } as const

const tree = Supervisor.make({
  intensity: often,
  children: [
    worker("a"),
    Counter.server.child({ id: "counter" }),
    Supervisor.make({ intensity: often, children: [worker("b"), worker("c")] }).child({ id: "pool" })
  ]
})

const all: Chaos.Options = { faults: { kill: 1, crash: 1, exit: 1, suspend: 1 } }

/** What is done to the tree within a minute. */
const minute = (options: Chaos.Options) =>
  test(function*() {
    const chaos = yield* Chaos.run(Chaos.make(options), yield* tree.startScoped)
    yield* TestClock.adjust("1 minute")
    return yield* chaos.faults
  })

/** As much of it as is the same in another Node. */
const shown = (faults: ReadonlyArray<Chaos.Fault>) => faults.map(({ at, kind, victim }) => `${at} ${kind} ${victim}`)

describe("run", () => {
  it.effect("does the same for the same seed, and something else for another", () =>
    Effect.gen(function*() {
      const [one, again, other] = yield* Effect.all([
        minute({ ...all, seed: 1 }),
        minute({ ...all, seed: 1 }),
        minute({ ...all, seed: 2 })
      ])
      assert.strictEqual(one.length, 60)
      assert.deepStrictEqual(shown(one), shown(again))
      assert.notDeepEqual(shown(one), shown(other))
      assert.deepStrictEqual(one.map(({ at }) => at), Array.from({ length: 60 }, (_, i) => 1000 * (i + 1)))
    }))

  it.effect("so it does where the Schedule goes by chance, too", () =>
    Effect.gen(function*() {
      const every = Schedule.spaced("1 second").pipe(Schedule.jittered)
      const [one, again] = yield* Effect.all([minute({ every, seed: 1 }), minute({ every, seed: 1 })])
      assert.isAbove(one.length, 40)
      assert.deepStrictEqual(shown(one), shown(again))
    }))

  it.effect("hits all below the supervisor that are none, with all kinds of faults", () =>
    Effect.gen(function*() {
      const { kinds, victims } = Chaos.count(yield* minute({ ...all, seed: 1 }))
      assert.sameMembers(Object.keys(kinds), ["kill", "crash", "exit", "suspend"])
      assert.sameMembers(Object.keys(victims), ["a", "counter", "pool/b", "pool/c"])
      assert.strictEqual(Object.values(kinds).reduce((sum, n) => sum + n, 0), 60)
      assert.strictEqual(Object.values(victims).reduce((sum, n) => sum + n, 0), 60)
    }))

  it.effect("goes by the weights", () =>
    Effect.gen(function*() {
      const { kinds } = Chaos.count(yield* minute({ faults: { kill: 9, exit: 1 }, seed: 1 }))
      assert.isAbove(kinds.kill!, 45)
      assert.isAtLeast(kinds.exit!, 1)
      assert.deepStrictEqual(yield* minute({ faults: { kill: 0 } }), [])
    }))

  it.effect("hits only whom it may", () =>
    Effect.gen(function*() {
      const hits = ({ label, path, type }: Chaos.Victim) => type === "supervisor" || path[0] === "pool" && label === "b"
      const { victims } = Chaos.count(yield* minute({ hits, seed: 1 }))
      assert.sameMembers(Object.keys(victims), ["pool", "pool/b"])
    }))

  const does = (kind: Chaos.ProcessKind, reason: ExitReason.ExitReason) =>
    test(function*() {
      const probe = yield* Probe.make()
      const { pid } = yield* Counter.server.start()
      yield* probe.watch(pid)
      yield* Chaos.run(Chaos.make({ faults: { [kind]: 1 }, hits: (victim) => victim.pid === pid }))
      yield* TestClock.adjust(999)
      yield* probe.expectNone()
      yield* TestClock.adjust(1)
      yield* probe.expectDown(pid, reason)
    })

  it.effect("kills", () => does("kill", ExitReason.killed))
  it.effect("crashes", () => does("crash", ExitReason.custom("chaos")))
  it.effect("ends in order", () => does("exit", ExitReason.shutdown("chaos")))

  it.effect("suspends a server for a while, and nothing that is none", () =>
    test(function*() {
      yield* Process.spawn(() => Effect.never)
      const counter = yield* Counter.server.start()
      const status = Effect.map(Sys.getStatus(counter), ({ status }) => status)
      const chaos = yield* Chaos.run(Chaos.make({ faults: { suspend: 1 }, suspendFor: "3 seconds", max: 2 }))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* status, "suspended")
      const value = yield* Effect.forkChild(counter.value())
      yield* TestClock.adjust("2 seconds")
      assert.isUndefined(value.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(value), 0)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(shown(yield* chaos.faults), [
        "1000 suspend test/Counter #PID<0.2.0>",
        "4000 suspend test/Counter #PID<0.2.0>"
      ])
      assert.strictEqual(yield* status, "running")
    }))

  it.effect("ends with its scope, and what stands still goes on", () =>
    test(function*() {
      const counter = yield* Counter.server.start()
      const scope = yield* Scope.make()
      const chaos = yield* Scope.provide(Chaos.run(Chaos.make({ faults: { suspend: 1 }, suspendFor: "1 hour" })), scope)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Sys.getStatus(counter)).status, "suspended")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Sys.getStatus(counter)).status, "running")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* chaos.faults).length, 1)
      yield* chaos.await
    }))

  it.effect("is over after so many faults, when the Schedule ends, and when the supervisor is gone", () =>
    test(function*() {
      const ref = yield* tree.start
      const over = (options: Chaos.Options) =>
        Effect.gen(function*() {
          const chaos = yield* Chaos.run(Chaos.make(options), ref)
          const began = yield* Clock.currentTimeMillis
          const fiber = yield* Effect.forkChild(chaos.await)
          yield* TestClock.adjust("1 minute")
          assert.isDefined(fiber.pollUnsafe())
          return [(yield* chaos.faults).length, began]
        })
      assert.deepStrictEqual(yield* over({ max: 3 }), [3, 0])
      assert.deepStrictEqual(yield* over({ every: Schedule.recurs(4) }), [4, 60_000])
      yield* Supervisor.stop(ref)
      assert.deepStrictEqual(yield* over({}), [0, 120_000])
    }))

  it.effect("hits all of the Node but supervisors, and not who runs it", () =>
    test(function*() {
      const probe = yield* Probe.make<unknown>({ name: "probe" })
      const named = yield* Process.spawn(() => Effect.never, { label: "other" })
      yield* tree.startScoped
      yield* Process.spawn(() =>
        Effect.scoped(Effect.gen(function*() {
          const chaos = yield* Chaos.run(
            Chaos.make({ seed: 1, every: "1 milli", hits: ({ name, type }) => type === "worker" && name !== "probe" })
          )
          yield* Effect.sleep("1 second")
          yield* Process.send(probe.pid, yield* chaos.faults)
        })), { label: "runner" })
      const faults = (yield* probe.expectMessage(Array.isArray, { within: "1 minute" })) as ReadonlyArray<Chaos.Fault>
      assert.isFalse(yield* Process.isAlive(named))
      const { victims } = Chaos.count(faults)
      assert.sameMembers(Object.keys(victims).filter((victim) => !victim.startsWith("test/Counter")), [
        "other",
        "a",
        "b",
        "c"
      ])
    }))

  it.effect("refuses what cannot be", () =>
    test(function*() {
      assert.throws(() => Chaos.make({ every: 0 }), /every: expected a duration of more than zero/)
      assert.throws(() => Chaos.make({ max: -1 }), /max/)
      assert.throws(() => Chaos.make({ faults: { kill: -1 } }), /faults\.kill: expected a number of zero or more/)
      assert.throws(() => Chaos.make({ faults: { drop: 1 } as never }), /option/)
      const pid = yield* Process.spawn(() => Effect.never)
      assert.match(String(yield* defectOf(Chaos.run(Chaos.make(), pid))), /NotAServer/)
      const chaos = yield* Chaos.run(Chaos.make({
        hits: () => {
          throw new Error("no")
        }
      }))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* defectOf(chaos.await)).message, "no")
    }))
})

describe("proxy", () => {
  const numbers = Array.from({ length: 200 }, (_, n) => n)

  /** What arrives of 200 numbers within a second, and what was done to them. */
  const through = (options: Chaos.MessageOptions) =>
    test(function*() {
      const probe = yield* Probe.make<number>({ label: "target" })
      const proxy = yield* Chaos.proxy(probe.pid, options)
      for (const n of numbers) yield* Process.send(proxy.pid, n)
      yield* settle
      const atOnce = yield* probe.messages
      yield* TestClock.adjust("1 second")
      return { atOnce, messages: yield* probe.messages, faults: yield* proxy.faults }
    })

  it.effect("passes on what it gets", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* through({}), { atOnce: numbers, messages: numbers, faults: [] })
    }))

  it.effect("drops, delays and duplicates, each as often as it says and by its seed", () =>
    Effect.gen(function*() {
      const options = { seed: 1, drop: 0.25, delay: 0.25, duplicate: 0.25 }
      const [one, again, other] = yield* Effect.all([
        through(options),
        through(options),
        through({ ...options, seed: 2 })
      ])
      const { kinds, victims } = Chaos.count(one.faults)
      for (const kind of ["drop", "delay", "duplicate"] as const) assert.closeTo(kinds[kind]!, 50, 15)
      assert.match(Object.keys(victims).join(), /^target #PID/)
      assert.strictEqual(one.messages.length, 200 - kinds.drop! + kinds.duplicate!)
      assert.strictEqual(one.atOnce.length, one.messages.length - kinds.delay!)
      assert.deepStrictEqual(one.messages, again.messages)
      assert.notDeepEqual(one.messages, other.messages)
      assert.deepStrictEqual((yield* through({ drop: 1 })).messages, [])
    }))

  it.effect("delays no longer than it says", () =>
    test(function*() {
      const probe = yield* Probe.make<number>()
      const proxy = yield* Chaos.proxy(probe.pid, { seed: 1, delay: 1, delayUpTo: 50 })
      for (const n of numbers) yield* Process.send(proxy.pid, n)
      yield* probe.expectNone()
      yield* TestClock.adjust(50)
      const messages = yield* probe.messages
      assert.notDeepEqual(messages, numbers)
      assert.deepStrictEqual(messages.toSorted((a, b) => a - b), numbers)
    }))

  it.effect("ends with its scope, and refuses what is no share", () =>
    test(function*() {
      const probe = yield* Probe.make<number>()
      const { pid } = yield* Effect.scoped(Chaos.proxy(probe.pid))
      assert.isFalse(yield* Process.isAlive(pid))
      assert.match(
        (yield* defectOf(Chaos.proxy(probe.pid, { drop: 2 }))).message,
        /drop: expected a share between 0 and 1/
      )
      assert.match((yield* defectOf(Chaos.proxy(probe.pid, { drop: 0.7, delay: 0.7 }))).message, /shares of one whole/)
    }))
})

describe("client", () => {
  it.effect("loses calls, which then time out, and casts", () =>
    test(function*() {
      const counter = yield* Counter.server.start()
      const { client: losing, faults } = yield* Chaos.client(Counter, counter, { drop: 1 })
      yield* losing.increment()
      const call = yield* Effect.forkChild(callFails(losing.value(), "Timeout"))
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(call)
      assert.strictEqual(yield* counter.value(), 0)
      assert.deepStrictEqual(shown(yield* faults), [
        "0 drop test/Counter.increment",
        "0 drop test/Counter.value"
      ])
    }))

  it.effect("delays and duplicates", () =>
    test(function*() {
      const counter = yield* Counter.server.start()
      const { client: late } = yield* Chaos.client(Counter, counter, { delay: 1, delayUpTo: 100, seed: 1 })
      yield* late.increment()
      yield* settle
      assert.strictEqual(yield* counter.value(), 0)
      yield* TestClock.adjust(100)
      assert.strictEqual(yield* counter.value(), 1)
      const { client: twice } = yield* Chaos.client(Counter, counter, { duplicate: 1 })
      yield* twice.increment()
      assert.strictEqual(yield* twice.value(), 3)
    }))

  it.effect("is a client like the one it stands for", () =>
    test(function*() {
      const counter = yield* Counter.server.start()
      const { client: same } = yield* Chaos.client(Counter, counter)
      assert.strictEqual(same.pid, counter.pid)
      yield* same.increment()
      assert.strictEqual(yield* Sys.getState(same), 1)
      const { client: found, faults } = yield* Chaos.client(Counter, Counter.at(counter.pid))
      assert.strictEqual(yield* Sys.getState(found), 1)
      assert.deepStrictEqual(yield* faults, [])
    }))
})
