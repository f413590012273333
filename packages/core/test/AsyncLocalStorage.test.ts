/** Node's AsyncLocalStorage: a process has what its spawner had, whoever wakes it, as a fiber has what its parent had. */
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AsyncLocalStorage } from "node:async_hooks"
import { inNode } from "./utils/process.ts"

const storage = new AsyncLocalStorage<string>()

/** Runs one effect to its end in an async context of its own. */
const within = <A, E>(value: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.context<never>().pipe(
    Effect.flatMap((context) =>
      Effect.promise(() => storage.run(value, () => Effect.runPromiseWith(context)(Effect.exit(effect))))
    ),
    Effect.flatten
  )

/** Tells what it sees each time it is asked: before and after it has waited for something else. */
const observer = (ask: (seen: string | undefined) => void) => (self: Process.Self<Process.Pid<"told">>) =>
  Effect.gen(function*() {
    while (true) {
      const from = yield* self.receive
      ask(storage.getStore())
      yield* Effect.yieldNow
      ask(storage.getStore())
      yield* Process.send(from, "told")
    }
  })

const asked = (pid: Process.Pid<Process.Pid<"told">>) =>
  Effect.flatMap(
    Process.spawn((self: Process.Self<"told">) => Effect.andThen(Process.send(pid, self.pid), self.receive)),
    Process.awaitExit
  )

for (const [scheduler, test] of [["the default scheduler", it.live], ["a scheduler of the test", it.effect]] as const) {
  describe(`a process, under ${scheduler}`, () => {
    test("has what its spawner had, whoever wakes it", () =>
      Effect.gen(function*() {
        const seen: Array<string | undefined> = []
        const inA = yield* within("a", Process.spawn(observer((value) => seen.push(value))))
        const inNone = yield* Process.spawn(observer((value) => seen.push(value)))
        yield* Effect.forEach([inA, inNone, inA, inNone], (pid) => within("b", asked(pid)))
        const [one, none] = ["a", storage.getStore()]
        assert.deepStrictEqual(seen, [one, one, none, none, one, one, none, none])
      }).pipe(inNode))
  })
}

describe("a process that enters a context of its own", () => {
  it.live("has it after a wait for something else", () =>
    Effect.gen(function*() {
      const seen: Array<string | undefined> = []
      const latch = yield* Deferred.make<void>()
      const pid = yield* Process.spawn((self: Process.Self<"enter">) =>
        Effect.gen(function*() {
          yield* self.receive
          storage.enterWith("entered")
          // Resumed by somebody who has nothing there.
          yield* Deferred.await(latch)
          seen.push(storage.getStore())
        })
      )
      yield* settle
      yield* Process.send(pid, "enter")
      yield* settle
      yield* Deferred.succeed(latch, undefined)
      yield* Process.awaitExit(pid)
      assert.deepStrictEqual(seen, ["entered"])
    }).pipe(inNode))
})

class Seer extends GenServer.Service<Seer>()("AsyncLocalStorage/Seer", [
  GenServer.call("atInit", { success: Schema.UndefinedOr(Schema.String) })
]) {
  static readonly server = this.implement({
    init: () => storage.getStore(),
    handlers: { atInit: (seen) => Step.reply(seen, seen) }
  })
}

describe("a server", () => {
  it.live("has in init what its starter had", () =>
    Effect.gen(function*() {
      const server = yield* within("a", Seer.server.start())
      assert.strictEqual(yield* server.atInit(), "a")
    }).pipe(inNode))
})
