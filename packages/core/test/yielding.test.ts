/** A fiber may yield between any two of its operations: what arrives in the meantime must not be missed. */
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"
import { inNode } from "./utils/process.ts"
import { ask, told } from "./utils/server.ts"

// Under 3 operations no fiber of Effect gets anywhere.
const yieldsAfter = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
const yielding = (ops: number) => Effect.provideService(Scheduler.MaxOpsBeforeYield, ops)
const rounds = 50

const pingPong = (receive: (self: Process.Self<number>) => Effect.Effect<number, unknown>) =>
  Effect.gen(function*() {
    const pong = yield* Process.spawn((self: Process.Self<Process.Pid<number>>) =>
      Effect.forEach(
        Array.from({ length: rounds }),
        (_, i) => Effect.flatMap(self.receive, (from) => Process.send(from, i))
      )
    )
    const ping = yield* Process.spawn((self: Process.Self<number>) =>
      Effect.forEach(
        Array.from({ length: rounds }),
        () => Effect.andThen(Process.send(pong, self.pid), receive(self))
      )
    )
    assert.strictEqual((yield* Process.awaitExit(ping))._tag, "Normal")
  })

describe.each([["the scheduler of a test", it.effect], ["the scheduler of an application", it.live]])("%s", (_, it) => {
  it("a message is received", () =>
    Effect.forEach(yieldsAfter, (ops) => yielding(ops)(pingPong((self) => self.receive))).pipe(inNode))

  it("a message is matched", () =>
    Effect.forEach(
      yieldsAfter,
      (ops) => yielding(ops)(pingPong((self) => self.receiveMatch((n) => n >= 0, { after: "1 hour" })))
    ).pipe(inNode))

  it("an answer reaches its caller", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      for (const ops of yieldsAfter) {
        const answers = Effect.forEach(Array.from({ length: rounds }), (_, i) =>
          ask(server, (state) =>
            i % 2 === 0 ? Step.reply(i, state) : Effect.as(Effect.yieldNow, Step.reply(i, state))))
        assert.strictEqual((yield* yielding(ops)(answers)).length, rounds)
      }
    }).pipe(inNode))

  it("a server starts, fails to start and stops", () =>
    Effect.forEach(yieldsAfter, (ops) =>
      yielding(ops)(Effect.gen(function*() {
        for (let i = 0; i < rounds; i++) {
          yield* GenServer.stop(yield* told().start())
          yield* Effect.flip(told({ init: () => GenServer.ignore }).start())
        }
      }))).pipe(inNode))

  it("a supervisor starts and stops its children", () => {
    const children = Array.from({ length: 5 }, (_, i) => told().child({ id: `${i}`, provide: false }))
    const run = Effect.scoped(Supervisor.make({ children }).startScoped)
    return Effect.forEach(yieldsAfter, (ops) => yielding(ops)(Effect.replicateEffect(run, 5))).pipe(inNode)
  })
})
