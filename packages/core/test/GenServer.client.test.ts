import * as GenServer from "@effect-otp/core/GenServer"
import * as Step from "@effect-otp/core/Step"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { inNode } from "./utils/process.ts"

class Counter extends GenServer.Service<Counter>()("test/Client/Counter", [
  GenServer.cast("add", { payload: Schema.Finite }),
  GenServer.call("value", { success: Schema.Finite })
]) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: {
      add: (count, by) => Step.noReply(count + by),
      value: (count) => Step.reply(count, count)
    }
  })
}

const named = Effect.as(Counter.server.start({ name: "counter" }), Counter.at("counter"))

describe.each([["of an incarnation", Counter.server.start()], ["at a name", named]])("a client %s", (_, start) => {
  const client: Effect.Effect<Counter["Service"], unknown> = start

  it.effect("has methods that can be taken off it", () =>
    Effect.gen(function*() {
      const { add, value } = yield* client
      yield* add(2)
      yield* add(3)
      assert.strictEqual(yield* value(), 5)
    }).pipe(inNode))

  it.effect("can be copied with one method replaced, before and after its methods were used", () =>
    Effect.gen(function*() {
      const counter = yield* client
      for (const n of [1, 2]) {
        const double = { ...counter, value: () => Effect.map(counter.value(), (count) => count * 2) }
        yield* double.add(1)
        assert.deepStrictEqual([yield* double.value(), yield* counter.value()], [n * 2, n])
      }
    }).pipe(inNode))

  it.effect("has the same method each time, and another one than another client", () =>
    Effect.gen(function*() {
      const counter = yield* client
      assert.strictEqual(counter.value, counter.value)
      assert.strictEqual({ ...counter }.value, counter.value)
      assert.notStrictEqual(counter.value, (yield* Counter.server.start()).value)
    }).pipe(inNode))

  it.effect("shows its requests to who looks", () =>
    Effect.gen(function*() {
      const names = Object.keys(yield* client)
      assert.deepStrictEqual(names.filter((name) => name !== "pid"), ["add", "value"])
    }).pipe(inNode))
})

it.effect("the client of an incarnation holds its pid, and a copy of it too", () =>
  Effect.gen(function*() {
    const counter = yield* Counter.server.start()
    assert.strictEqual({ ...counter }.pid, counter.pid)
    yield* GenServer.stop({ ...counter })
  }).pipe(inNode))
