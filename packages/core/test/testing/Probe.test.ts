import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Name from "@effect-otp/core/Name"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { Probe } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { inNode } from "../utils/process.ts"
import { defectOf } from "../utils/server.ts"

const test = <A>(body: () => Generator<Effect.Effect<any, unknown, Scope.Scope>, A, never>) =>
  inNode(Effect.scoped(Effect.gen(body))) as Effect.Effect<A, unknown>

/** What a failed expectation says, line by line, pids left out. */
const complaint = (expectation: Effect.Effect<unknown>) =>
  Effect.map(defectOf(expectation), (error) => {
    assert.strictEqual(error.name, "AssertionError")
    return error.message.replaceAll(/#PID<0\.\d+\.0>/g, "#").split("\n")
  })

type Event = { readonly _tag: "Opened"; readonly id: number } | { readonly _tag: "Closed" }

const opened = (id: number): Event => ({ _tag: "Opened", id })
const closed: Event = { _tag: "Closed" }

const sendAll = <M>(probe: Probe.Probe<M>, ...messages: ReadonlyArray<M>) =>
  Effect.forEach(messages, (message) => Process.send(probe.pid, message), { discard: true })

/** Sends on whatever it gets, after so many milliseconds. */
const forwarder = <M>(to: Process.Pid<M>, millis: number) =>
  Process.spawn((self: Process.Self<M>) =>
    Effect.flatMap(self.receive, (message) => Effect.andThen(Effect.sleep(millis), Process.send(to, message)))
  )

describe("expectMessage", () => {
  it.effect("takes the oldest message that matches and leaves the others", () =>
    test(function*() {
      const probe = yield* Probe.make<Event>()
      yield* sendAll(probe, opened(1), closed, opened(2))
      assert.strictEqual(yield* probe.expectMessage(closed), closed)
      const second: { readonly id: number } = yield* probe.expectMessage(
        (event): event is Extract<Event, { readonly _tag: "Opened" }> => event._tag === "Opened"
      )
      assert.strictEqual(second.id, 1)
      assert.strictEqual(
        yield* probe.expectMessage((event) => event._tag === "Opened" ? Result.succeed(event.id) : Result.fail(event)),
        2
      )
      yield* probe.expectNone()
      assert.deepStrictEqual(yield* probe.messages, [opened(1), closed, opened(2)])
    }))

  it.effect("takes any message, and one that is equal", () =>
    test(function*() {
      const probe = yield* Probe.make()
      yield* sendAll(probe, { deep: [{ n: 1 }] }, "any")
      assert.deepStrictEqual(yield* probe.expectMessage({ deep: [{ n: 1 }] }), { deep: [{ n: 1 }] })
      assert.strictEqual(yield* probe.expectMessage(), "any")
    }))

  const waitsForOthers = test(function*() {
    const probe = yield* Probe.make<number>()
    yield* Process.send(yield* forwarder(yield* forwarder(probe.pid, 0), 0), 1)
    yield* probe.expectMessage(1)
  })

  it.effect("waits for what others have to do", () => waitsForOthers)

  it.live("and does so under the scheduler of an application", () => waitsForOthers)

  it.effect("fails when nothing is left to do, and no time has passed", () =>
    test(function*() {
      const probe = yield* Probe.make<number>({ label: "buyer" })
      yield* Process.send(yield* forwarder(probe.pid, 10), 1)
      yield* Process.send(probe.pid, 7)
      assert.deepStrictEqual(yield* complaint(probe.expectMessage(1)), [
        "buyer # expected 1, and nothing is left to do",
        "  received  7",
        "  others    # is busy"
      ])
      assert.strictEqual(yield* Clock.currentTimeMillis, 0)
    }))

  it.effect("moves the TestClock within its time, and no further than to the message", () =>
    test(function*() {
      const probe = yield* Probe.make<number>()
      yield* Process.send(yield* forwarder(probe.pid, 250), 1)
      yield* probe.expectMessage(1, { within: "1 minute" })
      assert.strictEqual(yield* Clock.currentTimeMillis, 250)
      const [first, ...rest] = yield* complaint(probe.expectMessage(2, { within: "1 minute" }))
      assert.strictEqual(first, "probe # expected 2, and 60000 ms are over")
      assert.deepStrictEqual(rest, ["  received  1 (taken)", "  others    # has ended: Normal"])
      assert.strictEqual(yield* Clock.currentTimeMillis, 60_250)
    }))

  it.live("moves a TestClock that is provided by hand past nobody who is about to sleep", () =>
    Effect.gen(function*() {
      const clock = yield* TestClock.make()
      yield* Effect.provideService(
        test(function*() {
          const probe = yield* Probe.make<number>()
          // It has to take some turns before it sleeps for the second time.
          const turns = Effect.forEach([1, 2, 3, 4, 5], () => Effect.yieldNow)
          const body = Effect.andThen(Effect.andThen(Effect.sleep(10), turns), Effect.sleep(10))
          yield* Process.spawn(() => Effect.andThen(body, Process.send(probe.pid, 1)))
          yield* probe.expectMessage(1, { within: "1 second" })
        }),
        Clock.Clock,
        clock
      )
      assert.isAtMost(clock.currentTimeMillisUnsafe(), 40)
    }))

  it.live("waits on a clock that goes by itself, and ends in time", () =>
    test(function*() {
      const probe = yield* Probe.make<number>()
      yield* Process.send(yield* forwarder(probe.pid, 5), 1)
      yield* probe.expectMessage(1, { within: "1 minute" })
      const [first] = yield* complaint(probe.expectMessage(2, { within: 5 }))
      assert.strictEqual(first, "probe # expected 2, and 5 ms are over")
    }))

  it.effect("takes nothing when it is interrupted, and no message twice", () =>
    test(function*() {
      const probe = yield* Probe.make<number>()
      const waiting = probe.expectMessage(1, { within: "1 minute" })
      yield* Fiber.interrupt(yield* Effect.forkChild(waiting, { startImmediately: true }))
      const both = yield* Effect.forkChild(Effect.all([waiting, waiting], { concurrency: 2 }), {
        startImmediately: true
      })
      yield* sendAll(probe, 1, 1)
      assert.deepStrictEqual(yield* Fiber.join(both), [1, 1])
      yield* probe.expectNone()
    }))

  it.effect("tells what the others do, those to blame first", () =>
    test(function*() {
      class Shop extends GenServer.Service<Shop>()("test/Shop", [GenServer.cast("sell")]) {
        static readonly server = this.implement({
          init: () => 1,
          handlers: { sell: (stock) => stock > 0 ? Step.noReply(stock - 1) : Effect.die(new Error("sold out")) }
        })
      }
      const probe = yield* Probe.make<string>({ name: "buyer" })
      yield* Process.spawn((self: Process.Self<void>) => self.receive, { label: "idle" })
      const shop = yield* Shop.server.start()
      yield* shop.sell()
      yield* shop.sell()
      assert.deepStrictEqual(yield* complaint(probe.expectMessage((_: string) => true)), [
        "buyer # expected a message for which the predicate holds, and nothing is left to do",
        "  received  nothing",
        "  others    test/Shop # has ended: Crashed: Error: sold out",
        "            idle # waits for a message"
      ])
    }))

  it.effect("says when the probe itself has ended", () =>
    test(function*() {
      const probe = yield* Probe.make<string>()
      yield* Process.exit(probe.pid, ExitReason.custom("oops"))
      assert.deepStrictEqual((yield* complaint(probe.expectMessage("x"))).slice(0, 2), [
        `probe # expected "x", and nothing is left to do`,
        `  it has ended itself: "oops"`
      ])
    }))

  it.effect("shows the last ten of many messages", () =>
    test(function*() {
      const probe = yield* Probe.make<number>()
      yield* sendAll(probe, ...Array.from({ length: 13 }, (_, i) => i))
      const lines = yield* complaint(probe.expectMessage(99))
      assert.deepStrictEqual(lines.slice(1, 4), ["  received  … 3 before", "            3", "            4"])
      assert.strictEqual(lines.length, 13)
    }))

  it.effect("has the stack of the line that expects", () =>
    test(function*() {
      const probe = yield* Probe.make<number>()
      const error = yield* defectOf(probe.expectMessage(1))
      assert.match(error.stack!.split("\n    at ")[1]!, /Probe\.test\.ts/)
    }))
})

describe("expectNext", () => {
  it.effect("wants the very next one", () =>
    test(function*() {
      const probe = yield* Probe.make<Event>()
      yield* sendAll(probe, opened(1), closed)
      assert.deepStrictEqual(yield* complaint(probe.expectNext(closed)), [
        `probe # expected {"_tag":"Closed"} next, got {"_tag":"Opened","id":1}`,
        `  received  {"_tag":"Opened","id":1}`,
        `            {"_tag":"Closed"}`,
        "  others    no other process is there"
      ])
      yield* probe.expectNext(Predicate.isTagged("Opened"))
      yield* probe.expectNext(closed)
      assert.strictEqual(
        (yield* complaint(probe.expectNext()))[0],
        "probe # expected a message next, and nothing is left to do"
      )
    }))

  it.effect("is not content with a signal", () =>
    test(function*() {
      const probe = yield* Probe.make<string>()
      const pid = yield* Process.spawn(() => Process.send(probe.pid, "last words"))
      yield* probe.watch(pid)
      yield* probe.expectNext("last words")
      assert.strictEqual(
        (yield* complaint(probe.expectNext()))[0],
        "probe # expected a message next, got Down of #: Normal"
      )
      yield* probe.expectDown(pid)
    }))
})

describe("expectNone", () => {
  it.effect("notices what is left, what comes, and what comes with time", () =>
    test(function*() {
      const probe = yield* Probe.make<number>()
      const slow = yield* forwarder(probe.pid, 250)
      yield* Process.send(slow, 1)
      yield* probe.expectNone()
      yield* probe.expectNone({ for: 249 })
      assert.strictEqual(yield* Clock.currentTimeMillis, 249)
      assert.deepStrictEqual(yield* complaint(probe.expectNone({ for: "1 minute" })), [
        "probe # expected nothing, got 1",
        "  received  1",
        "  others    # has ended: Normal"
      ])
      assert.strictEqual(yield* Clock.currentTimeMillis, 250)
      yield* probe.clear
      yield* probe.expectNone()
      assert.deepStrictEqual(yield* probe.messages, [])
      yield* Process.send(yield* forwarder(probe.pid, 0), 2)
      assert.strictEqual((yield* complaint(probe.expectNone()))[0], "probe # expected nothing, got 2")
    }))
})

describe("expectDown", () => {
  it.effect("takes the end of what is watched, and checks its reason", () =>
    test(function*() {
      const probe = yield* Probe.make()
      const pids = yield* Effect.forEach([1, 2, 3, 4], () => Process.spawn(() => Effect.never))
      for (const pid of pids) yield* probe.watch(pid)
      for (const pid of pids) yield* Process.exit(pid, ExitReason.custom({ n: 1 }))
      const reason = yield* probe.expectDown(pids[3]!)
      assert.deepStrictEqual(reason, ExitReason.custom({ n: 1 }))
      yield* probe.expectDown(pids[0]!, "Custom")
      yield* probe.expectDown(pids[1]!, ExitReason.custom({ n: 1 }))
      yield* probe.expectDown(pids[2]!, ExitReason.isAbnormal)
      yield* probe.expectNone()
    }))

  it.effect("says which reason it was instead", () =>
    test(function*() {
      const probe = yield* Probe.make()
      const pid = yield* Process.spawn(() => Effect.die(new Error("boom")))
      yield* probe.watch(pid)
      const lines = yield* complaint(probe.expectDown(pid, "Normal"))
      assert.deepStrictEqual(lines.slice(0, 2), [
        "probe # expected the Down of # with Normal, got Crashed: Error: boom",
        "  received  Down of #: Crashed: Error: boom (taken)"
      ])
      yield* probe.expectNone()
    }))

  it.effect("fails while the process is alive, and moves the TestClock within its time", () =>
    test(function*() {
      const probe = yield* Probe.make()
      const pid = yield* Process.spawn(() => Effect.sleep(100))
      assert.strictEqual(
        (yield* complaint(probe.expectDown(pid)))[0],
        "probe # expected the Down of #, and nothing is left to do"
      )
      yield* probe.expectDown(pid, "Normal", { within: "1 second" })
      assert.strictEqual(yield* Clock.currentTimeMillis, 100)
    }))

  it.effect("watches by name, each incarnation anew", () =>
    test(function*() {
      const probe = yield* Probe.make()
      const name = Name.make<never>("somebody")
      for (const reason of [ExitReason.shutdown(), ExitReason.custom(1)]) {
        const pid = yield* Process.spawn(() => Effect.never)
        yield* Process.register(name, pid)
        yield* probe.watch(name)
        yield* Process.exit(pid, reason)
        yield* probe.expectDown(name, reason)
      }
      yield* probe.expectDown("nobody", ExitReason.noProcess)
    }))
})

describe("expectExit", () => {
  it.effect("takes the exit of a linked process, and of whoever sent a signal", () =>
    test(function*() {
      const probe = yield* Probe.make()
      const pid = yield* Process.spawn(() => Effect.never)
      yield* probe.link(pid)
      yield* Process.exit(pid, ExitReason.custom("x"))
      yield* probe.expectExit(pid, ExitReason.custom("x"))
      const sender = yield* Process.spawn(() => Process.exit(probe.pid, ExitReason.shutdown()))
      yield* probe.expectExit(sender, "Shutdown")
      assert.strictEqual(
        (yield* complaint(probe.expectExit(sender)))[0],
        "probe # expected the Exit of #, and nothing is left to do"
      )
    }))

  it.effect("needs a probe that traps exits", () =>
    test(function*() {
      const probe = yield* Probe.make()
      const trapping = yield* Probe.make({ trapExit: true })
      assert.match((yield* complaint(probe.expectExit(trapping.pid)))[0]!, /an exit ends this probe/)
      yield* Process.exit(trapping.pid, ExitReason.shutdown("now"))
      yield* trapping.expectNext(() => true).pipe(complaint)
      const sender = yield* Process.spawn(() => Process.exit(trapping.pid, ExitReason.normal))
      yield* trapping.expectExit(sender, ExitReason.normal)
    }))
})

describe("a probe", () => {
  it.effect("ends with its scope", () =>
    inNode(Effect.gen(function*() {
      const { pid } = yield* Effect.scoped(Probe.make())
      assert.isFalse(yield* Process.isAlive(pid))
    })))

  it.effect("refuses what is no option", () =>
    test(function*() {
      assert.match((yield* defectOf(Probe.make({ labels: "x" } as never))).message, /labels/)
      const probe = yield* Probe.make()
      assert.match((yield* defectOf(probe.expectMessage(1, { within: -1 }))).message, /within/)
    }))

  it.effect("is watched and moved by hand, too", () =>
    test(function*() {
      const probe = yield* Probe.make<number>()
      yield* Process.send(yield* forwarder(probe.pid, 250), 1)
      const fiber = yield* Effect.forkChild(probe.expectMessage(1, { within: "Infinity" }))
      yield* TestClock.adjust(250)
      assert.strictEqual(yield* Fiber.join(fiber), 1)
    }))
})
