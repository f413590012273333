import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Task from "@effect-otp/core/Task"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { arrived, asProcess, inNode } from "./utils/process.ts"
import { after, assertClean, meanwhile, pidOf, plain } from "./utils/task.ts"

const boo = ExitReason.custom("boo")

describe("by message", () => {
  type Owner = Process.Self<Task.Reply<number, string> | Process.Down>

  it.effect("TK-004 the answer comes into the mailbox, and then the Down with Normal", () =>
    asProcess((self: Owner) =>
      Effect.gen(function*() {
        const task = yield* Task.async(Effect.succeed(1), { reply: "message" })
        const [reply, down, ...more] = yield* arrived(self)
        assert.isTrue(Task.isReply(reply) && reply.ref === task.ref)
        assert.deepStrictEqual(Task.isReply(reply) && reply.result, Result.succeed(1))
        assert.isTrue(Process.isDown(down) && down.ref === task.ref)
        assert.deepStrictEqual(Process.isDown(down) && [down.target, down.reason], [pidOf(task), ExitReason.normal])
        assert.deepStrictEqual(more, [])
        assert.strictEqual(plain(yield* Task.yield(task)), "AlreadyTaken")
        yield* assertClean(self)
      })
    ))

  it.effect("TK-004 a failure comes as a result, and a Reply that a user made passes for none", () =>
    asProcess((self: Owner) =>
      Effect.gen(function*() {
        const task = yield* Task.async(Effect.fail("no"), { reply: "message" })
        const [reply] = yield* arrived(self)
        assert.deepStrictEqual(Task.isReply(reply) && reply.result, Result.fail("no"))
        assert.isFalse(Task.isReply({ _tag: "Reply", ref: task.ref, result: Result.succeed(1) }))
      })
    ))

  it.effect.each(["await", "yield", "shutdown", "ignore", "awaitMany", "yieldMany"] as const)(
    "TK-004 %s takes both out of the mailbox and leaves the rest in order",
    (verb) =>
      asProcess((self: Process.Self<string | Task.Reply<number> | Process.Down>) =>
        Effect.gen(function*() {
          yield* Process.send(self.pid, "before")
          const task = yield* Task.async(Effect.succeed(1), { reply: "message" })
          yield* settle
          yield* Process.send(self.pid, "after")
          const verbs = {
            await: Task.await(task),
            yield: Task.yield(task),
            shutdown: Task.shutdown(task),
            ignore: Task.ignore(task),
            awaitMany: Task.awaitMany([task]),
            yieldMany: Effect.map(Task.yieldMany([task]), ([[, outcome]]) => outcome)
          }
          assert.include(JSON.stringify(yield* verbs[verb]), "1")
          assert.deepStrictEqual(yield* arrived(self), ["before", "after"])
          yield* assertClean(self)
        })
      )
  )

  it.effect("TK-004 whoever waits first gets the answer, and no message comes", () =>
    asProcess((self: Owner) =>
      Effect.gen(function*() {
        const task = yield* Task.async(after("1 second", 1), { reply: "message" })
        assert.strictEqual(yield* meanwhile(Task.await(task), "1 second"), 1)
        assert.deepStrictEqual(yield* arrived(self), [])
      })
    ))

  it.effect("a crash is a Down alone, in an owner that traps exits", () =>
    asProcess((self: Process.Self<Task.Reply<number> | Process.Down | Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const task = yield* Task.async(Process.exit(boo), { reply: "message" })
        const messages = yield* arrived(self)
        assert.sameMembers(messages.map(({ _tag }) => _tag), ["Exit", "Down"])
        assert.isTrue(messages.every((message) => "reason" in message && message.reason === boo))
        assert.deepStrictEqual(plain(yield* Task.shutdown(task)), ["exit", boo])
      })
    ))

  it.effect("who has received the Reply is not given the answer again, and the Down goes with it", () =>
    asProcess((self: Owner) =>
      Effect.gen(function*() {
        const task = yield* Task.async(Effect.succeed(1), { reply: "message" })
        yield* settle
        assert.isTrue(Task.isReply(yield* self.receive))
        assert.strictEqual(plain(yield* Task.yield(task)), "AlreadyTaken")
        yield* assertClean(self)
      })
    ))

  it.effect("demonitor with flush after the Reply leaves no Down, as in OTP", () =>
    asProcess((self: Owner) =>
      Effect.gen(function*() {
        const task = yield* Task.async(Effect.succeed(1), { reply: "message" })
        assert.isTrue(Task.isReply(yield* self.receive))
        yield* Process.demonitor(task.ref, { flush: true })
        assert.deepStrictEqual(yield* arrived(self), [])
        yield* assertClean(self)
      })
    ))

  class Loader extends GenServer.Service<Loader>()("test/Loader", [
    GenServer.cast("load", { payload: { n: Schema.Finite } }),
    GenServer.call("loaded", { success: Schema.Unknown })
  ]) {
    static readonly server = this.implement({
      init: (): ReadonlyArray<string> => [],
      handlers: {
        load: (seen, { n }) =>
          Effect.as(
            Task.async(n < 0 ? Effect.fail("negative") : Effect.succeed(n), { reply: "message" }),
            Step.noReply(seen)
          ),
        loaded: (seen) => Step.reply(seen, seen)
      },
      info: (seen, message: Task.Reply<number, string> | Process.Down) =>
        Step.noReply([
          ...seen,
          Task.isReply(message) ? `${Result.merge(message.result)}` : message.reason._tag
        ])
    })
  }

  it.effect("TK-004 a server gets it in info", () =>
    inNode(Effect.gen(function*() {
      const loader = yield* Loader.server.start()
      yield* loader.load({ n: 1 })
      yield* settle
      yield* loader.load({ n: -1 })
      yield* settle
      assert.deepStrictEqual(yield* loader.loaded(), ["1", "Normal", "negative", "Normal"])
      yield* assertClean(loader)
    })))
})
