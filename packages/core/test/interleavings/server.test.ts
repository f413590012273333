/**
 * What holds of servers: every call comes to an end, and what a server has acquired is released, whoever takes the next step.
 */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import type { CallError } from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect-otp/core/testing/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { orders } from "../../../../test-scale.ts"

const runs = { runs: orders }

class Counter extends GenServer.Service<Counter>()("interleavings/Counter", [
  GenServer.call("next", { success: Schema.Finite }),
  GenServer.call("slow", { payload: { millis: Schema.Finite }, success: Schema.String }),
  GenServer.cast("crash")
]) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: {
      next: (count) => Effect.succeed(Step.reply(count + 1, count + 1)),
      slow: (count, { millis }) => Effect.as(Effect.sleep(millis), Step.reply(`after ${millis}`, count)),
      crash: () => Effect.die(new Error("crash"))
    }
  })
}

/** The answer of a call, or why there is none. */
const outcome = <A, E>(call: Effect.Effect<A, E | CallError>) =>
  Effect.map(Effect.exit(call), (exit) => {
    if (Exit.isSuccess(exit)) return exit.value
    const reason = exit.cause.reasons[0]!
    assert.strictEqual(reason._tag, "Fail")
    return (reason as { readonly error: CallError }).error.reason._tag
  })

describe("calls", () => {
  it.interleave(
    "every caller gets its own answer",
    runs,
    Effect.gen(function*() {
      const counter = yield* Counter.server.start()
      const answers = yield* Effect.forEach([1, 2, 3, 4], () => counter.next(), { concurrency: "unbounded" })
      assert.sameMembers(answers, [1, 2, 3, 4])
    })
  )

  it.interleave(
    "a call that meets a stop is answered, or fails, and does not hang",
    runs,
    Effect.gen(function*() {
      const counter = yield* Counter.server.start()
      const calls = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(outcome(counter.next())))
      const stopping = yield* Effect.forkChild(GenServer.stop(counter.pid))
      const outcomes = yield* Effect.forEach(calls, (fiber) => Fiber.join(fiber))
      yield* Fiber.join(stopping)
      const answers = outcomes.filter((answer) => typeof answer === "number")
      assert.sameMembers(answers, answers.map((_, index) => index + 1))
      for (const answer of outcomes) assert.include(["number", "string"], typeof answer)
      for (const answer of outcomes.filter((answer) => typeof answer === "string")) {
        assert.include(["NoProcess", "ServerExited"], answer)
      }
    })
  )

  it.interleave(
    "a call that meets a crash is answered, or fails with it",
    runs,
    Effect.gen(function*() {
      const counter = yield* Counter.server.start()
      const calls = yield* Effect.forEach([1, 2], () => Effect.forkChild(outcome(counter.next())))
      yield* counter.crash()
      const outcomes = yield* Effect.forEach(calls, (fiber) => Fiber.join(fiber))
      for (const answer of outcomes) assert.include([1, 2, "NoProcess", "ServerExited"], answer)
      assert.strictEqual((yield* Process.awaitExit(counter.pid))._tag, "Crashed")
    })
  )

  it.interleave(
    "an answer that comes with the timeout is taken once, or dropped",
    { ...runs, time: "auto" },
    Effect.gen(
      function*() {
        const counter = yield* Counter.server.start()
        const slow = Effect.provideService(counter.slow({ millis: 100 }), GenServer.CallTimeout, 100)
        assert.include(["after 100", "Timeout"], yield* outcome(slow))
        // Whatever became of that one, the next gets its own.
        assert.strictEqual(yield* counter.next(), 1)
        assert.strictEqual(yield* counter.slow({ millis: 1 }), "after 1")
      }
    )
  )

  it.interleave(
    "a call that is interrupted before it is handled does not run",
    runs,
    Effect.gen(function*() {
      const counter = yield* Counter.server.start()
      const busy = yield* Effect.forkChild(counter.slow({ millis: 10 }))
      yield* settle
      const call = yield* Effect.forkChild(counter.next())
      yield* settle
      yield* Fiber.interrupt(call)
      yield* TestClock.adjust(10)
      yield* Fiber.join(busy)
      assert.strictEqual(yield* counter.next(), 1)
    })
  )

  it.interleave(
    "what one client sends a full mailbox arrives in order",
    runs,
    Effect.gen(function*() {
      const seen: Array<string> = []
      const sink = yield* Process.spawn((self: Process.Self<string>) =>
        Effect.gen(function*() {
          for (let left = 6; left > 0; left--) seen.push(yield* self.receive)
        }), { mailbox: { capacity: 1 } })
      const client = (name: string) =>
        Process.spawn(() => Effect.forEach([1, 2, 3], (n) => Process.send(sink, `${name}${n}`)))
      yield* client("a")
      yield* client("b")
      yield* Process.awaitExit(sink)
      for (const name of ["a", "b"]) {
        assert.deepStrictEqual(seen.filter((text) => text.startsWith(name)), [1, 2, 3].map((n) => `${name}${n}`))
      }
    })
  )
})

describe("starts", () => {
  class Owner extends GenServer.Service<Owner>()("interleavings/Owner", []) {
    static held = 0
    static readonly server = this.implement({
      init: () =>
        Effect.gen(function*() {
          yield* Effect.acquireRelease(Effect.sync(() => Owner.held++), () => Effect.sync(() => Owner.held--))
          yield* Effect.yieldNow
          return 0
        }),
      handlers: {}
    })
  }

  it.interleave(
    "of two starters of one name one starts it, and the other is told so",
    runs,
    Effect.gen(function*() {
      Owner.held = 0
      const start = Effect.result(Owner.server.start({ name: "single" }))
      const results = yield* Effect.all([start, start], { concurrency: "unbounded" })
      const started = results.filter((result) => result._tag === "Success")
      const refused = results.filter((result) => result._tag === "Failure")
      assert.strictEqual(started.length, 1)
      assert.deepStrictEqual(
        refused.map(({ failure: { reason } }) => reason._tag === "AlreadyStarted" ? reason.pid : reason),
        [started[0]!.success.pid]
      )
      assert.strictEqual(Owner.held, 1)
    })
  )

  it.interleave(
    "a start that is interrupted leaves neither process nor name nor resource",
    runs,
    Effect.gen(function*() {
      Owner.held = 0
      const starting = yield* Effect.forkChild(Owner.server.start({ name: "interrupted" }))
      yield* Effect.yieldNow
      yield* Effect.yieldNow
      yield* Fiber.interrupt(starting)
      if (Exit.isSuccess(starting.pollUnsafe()!)) return yield* GenServer.stop("interrupted")
      assert.deepStrictEqual(yield* Process.whereis("interrupted"), Option.none())
      assert.deepStrictEqual(yield* Process.list, [])
      assert.strictEqual(Owner.held, 0)
    })
  )

  it.interleave(
    "a server that is stopped has released everything when its stop returns",
    runs,
    Effect.gen(function*() {
      Owner.held = 0
      const owner = yield* Owner.server.start({ name: "stopped" })
      const killing = yield* Effect.forkChild(Process.exit(owner.pid, ExitReason.shutdown()))
      yield* Effect.exit(GenServer.stop(owner.pid))
      yield* Fiber.join(killing)
      assert.strictEqual((yield* Process.awaitExit(owner.pid))._tag === "Killed", false)
      assert.strictEqual(Owner.held, 0)
      assert.deepStrictEqual(yield* Process.whereis("stopped"), Option.none())
    })
  )

  it.interleave(
    "a server with a Scope ends with it, whatever else ends it",
    runs,
    Effect.gen(function*() {
      Owner.held = 0
      const pid = yield* Effect.scoped(Effect.gen(function*() {
        const { pid } = yield* Owner.server.startScoped()
        yield* Effect.forkChild(Process.exit(pid, ExitReason.custom("other")))
        yield* Effect.yieldNow
        return pid
      }))
      assert.isFalse(yield* Process.isAlive(pid))
      assert.strictEqual(Owner.held, 0)
    })
  )
})
