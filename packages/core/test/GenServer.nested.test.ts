/** Under Effect's default scheduler a call to a server that waits runs in the turn of its caller. Nothing else may change. */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import { inNode } from "./utils/process.ts"
import { ask, callFails, tell, told } from "./utils/server.ts"

describe("a call to a server that waits", () => {
  it.live("comes after the casts of the same sender", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const seen: Array<number> = []
      for (let i = 0; i < 10; i++) {
        yield* tell(server, (state) => {
          seen.push(i)
          return Step.noReply(state)
        })
      }
      yield* ask(server, (state) => Step.reply(seen.push(10), state))
      assert.deepStrictEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    }).pipe(inNode))

  it.live("waits when the handler does, and so does the next caller", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const seen: Array<string> = []
      const slow = yield* Effect.forkChild(
        ask(server, (state) => Effect.as(Effect.yieldNow, Step.reply(seen.push("slow"), state))),
        { startImmediately: true }
      )
      yield* ask(server, (state) => Step.reply(seen.push("quick"), state))
      yield* Fiber.join(slow)
      assert.deepStrictEqual(seen, ["slow", "quick"])
    }).pipe(inNode))

  it.live("tells the caller of a crash", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      yield* callFails(ask(server, () => Effect.die("crash")), "ServerExited")
      yield* callFails(ask(server, (state) => Step.reply(1, state)), "NoProcess")
    }).pipe(inNode, Effect.provide(Logger.layer([]))))

  it.live("does not outlive a caller that the handler ends", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const after: Array<string> = []
      const caller = yield* Process.spawn((self: Process.Self<never>) =>
        Effect.gen(function*() {
          yield* ask(server, (state) =>
            Effect.as(Process.exit(self.pid, ExitReason.custom("ended")), Step.reply(1, state)))
          after.push("went on")
        })
      )
      assert.deepStrictEqual(yield* Process.awaitExit(caller), ExitReason.custom("ended"))
      assert.deepStrictEqual(after, [])
      assert.strictEqual(
        yield* ask(server, (state) =>
          Step.reply(2, state)),
        2
      )
    }).pipe(inNode))

  it.live("is refused in a circle", () =>
    Effect.gen(function*() {
      const [a, b] = [yield* told().start(), yield* told().start()]
      const back = ask(a, (state) => Step.reply(1, state))
      const circle = ask(a, (state) =>
        Effect.map(ask(b, (s) => Effect.as(back, Step.reply(1, s))), () => Step.reply(1, state)))
      yield* callFails(circle, "ServerExited")
    }).pipe(inNode, Effect.provide(Logger.layer([]))))

  it.live("lets the event loop turn, however many follow each other", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const busy = yield* Effect.forkChild(Effect.forever(ask(server, (state) => Step.reply(1, state))))
      yield* Effect.sleep("10 millis")
      yield* Fiber.interrupt(busy)
      yield* GenServer.stop(server)
    }).pipe(inNode))
})

describe("a call to a server that is ending", () => {
  for (const reason of [ExitReason.kill, ExitReason.shutdown(), ExitReason.custom("ended")]) {
    it.live(`fails with NoProcess at once: ${ExitReason.format(reason)}`, () =>
      Effect.gen(function*() {
        const server = yield* told().start()
        yield* ask(server, (state) => Step.reply(1, state))
        const order: Array<string> = []
        yield* Effect.forkChild(
          Effect.map(Process.awaitExit(server.pid), () => order.push("its end is told")),
          { startImmediately: true }
        )
        yield* Process.exit(server.pid, reason)
        const call = ask(server, (state) => Step.reply(1, state))
        yield* callFails(
          Effect.gen(function*() {
            return yield* call
          }),
          "NoProcess"
        )
        order.push("the call has failed")
        yield* Process.awaitExit(server.pid)
        assert.strictEqual(order[0], "the call has failed")
      }).pipe(inNode), 2_000)
  }
})
