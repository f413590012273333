/** State machines over a wire, and calls over a wire in the handlers of others. */
import * as Action from "@effect-otp/core/Action"
import * as GenServer from "@effect-otp/core/GenServer"
import * as GenServerRpc from "@effect-otp/core/GenServerRpc"
import * as OtpError from "@effect-otp/core/OtpError"
import * as StateMachine from "@effect-otp/core/StateMachine"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import * as Transition from "@effect-otp/core/Transition"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { inNode } from "./utils/process.ts"
import { ask, callFails, told } from "./utils/server.ts"
import { connect, remote } from "./utils/wire.ts"

class Locked extends Schema.TaggedError<Locked>()("Locked", { tries: Schema.Finite }) {}

type States = { Shut: { readonly tries: number }; Open: void }

class Door extends StateMachine.Service<Door, States>()("test/Door", [
  GenServer.call("unlock", { payload: { code: Schema.String }, success: Schema.Finite, error: Locked }),
  GenServer.call("whenOpen", { success: Schema.String }),
  GenServer.cast("close")
]) {
  static readonly machine = this.implement({
    init: () => Transition.next("Shut", { tries: 0 }),
    states: {
      Shut: {
        unlock: ({ tries }, { code }, from) =>
          code === "1234"
            ? Transition.next("Open", undefined, [Action.reply(from, tries)])
            : Transition.keep({ tries: tries + 1 }, [Action.fail(from, new Locked({ tries: tries + 1 }))]),
        whenOpen: () => Transition.keepAndData([Action.postpone]),
        close: () => Transition.keepAndData()
      },
      Open: {
        unlock: (_, __, from) => Transition.keepAndData([Action.reply(from, 0)]),
        whenOpen: (_, __, from) => Transition.keepAndData([Action.reply(from, "open")]),
        close: () => Transition.next("Shut", { tries: 0 })
      }
    }
  })
}

it.effect("a state machine is served, with its errors and its postponed calls", () =>
  Effect.gen(function*() {
    const { all } = yield* remote(Door, Door.machine.layer())
    yield* Effect.gen(function*() {
      const door = yield* Door
      const error = yield* Effect.flip(door.unlock({ code: "0000" }))
      assert.deepStrictEqual([error._tag, error instanceof Locked && error.tries], ["Locked", 1])
      const waiting = yield* Effect.forkChild(door.whenOpen())
      yield* settle
      assert.strictEqual(yield* door.unlock({ code: "1234" }), 1)
      assert.strictEqual(yield* Fiber.join(waiting), "open")
      yield* door.close()
      assert.strictEqual((yield* Effect.flip(door.unlock({ code: "" })))._tag, "Locked")
    }).pipe(Effect.provide(all))
  }).pipe(inNode))

it.effect("a call to a state machine waits without limit over a wire, too, unless one of both sides sets one", () =>
  Effect.gen(function*() {
    const limit = Layer.succeed(GenServer.CallTimeout, "2 minutes")
    const wire = yield* connect(
      GenServerRpc.group(Door),
      Layer.provide(GenServerRpc.layer(Door), [Door.machine.layer(), limit])
    )
    const { all } = yield* remote(Door, Door.machine.layer())
    const waits = Effect.gen(function*() {
      const door = yield* Door
      const ofServer = yield* Effect.forkChild(Effect.flip(door.whenOpen()))
      const impatient = Effect.provideService(door.whenOpen(), GenServer.CallTimeout, "1 minute")
      const ofCaller = yield* Effect.forkChild(Effect.flip(impatient))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* callFails(Effect.flip(Fiber.join(ofCaller)), "Timeout")).reason.after, 60_000)
      return ofServer
    })
    yield* Effect.gen(function*() {
      const limited = yield* waits
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* callFails(Effect.flip(Fiber.join(limited)), "Timeout")).reason.after, 120_000)
    }).pipe(Effect.provide(Layer.merge(Layer.provide(GenServerRpc.layerClient(Door), wire.protocol), wire.served)))
    yield* Effect.gen(function*() {
      const unlimited = yield* waits
      yield* TestClock.adjust("1 hour")
      assert.isUndefined(unlimited.pollUnsafe())
    }).pipe(Effect.provide(all))
  }).pipe(inNode))

it.effect("a call over a wire in the handler of another one has no more time than that has left, and says whose it was", () =>
  Effect.gen(function*() {
    const { all, texts } = yield* remote(Door, Door.machine.layer())
    yield* Effect.gen(function*() {
      const door = yield* Door
      const server = yield* told().start()
      const nested = (first: Effect.Effect<unknown>) =>
        Effect.gen(function*() {
          let inner: any
          const does = Effect.tapError(Effect.andThen(first, door.whenOpen()), (error) =>
            Effect.sync(() => inner = error))
          const call = ask(server, (n) =>
            Effect.map(does, (a) => Step.reply(a, n)))
          const fiber = yield* Effect.forkChild(
            Effect.flip(Effect.provideService(call, GenServer.CallTimeout, "1 second")),
            { startImmediately: true }
          )
          yield* settle
          yield* TestClock.adjust("1 second")
          yield* callFails(Effect.flip(Fiber.join(fiber)), "Timeout")
          yield* settle
          return inner
        })
      const error = yield* nested(Effect.sleep("400 millis"))
      const outer = { server: server.pid.toString(), request: "ask" }
      assert.deepStrictEqual(error, OtpError.callTimeout("test/Door", "whenOpen", 600, outer))
      assert.isTrue(texts.some((text) => text.includes("whenOpen")))
    }).pipe(Effect.provide(all))
  }).pipe(inNode))

it("the call whose time it was crosses the wire", () => {
  const outer = { server: "a", request: "b" }
  const error = OtpError.callTimeout("test/Door", "whenOpen", 600, outer)
  const sent = JSON.parse(JSON.stringify(Schema.encodeSync(GenServerRpc.CallError)(error)))
  assert.deepStrictEqual(Schema.decodeSync(GenServerRpc.CallError)(sent).message, error.message)
})
