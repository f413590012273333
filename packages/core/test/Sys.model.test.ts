import * as Step from "@effect-otp/core/Step"
import * as Sys from "@effect-otp/core/Sys"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as scale from "../../../test-scale.ts"
import { inNode } from "./utils/process.ts"
import { ask, tell, told } from "./utils/server.ts"

const Op = Schema.Literals([
  "call",
  "slowCall",
  "cast",
  "slowCast",
  "giveUp",
  "suspend",
  "resume",
  "replaceState",
  "getState",
  "getStatus",
  "log",
  "noDebug",
  "settle"
])

type State = ReadonlyArray<number>

/** What a server has done that handles all in order, and leaves what is no system request while it is suspended. */
class Model {
  suspended = false
  done: Array<number> = []
  waiting: Array<number | "given up"> = []
  skipped = 0
  listening = false

  send(what: number | "given up"): void {
    if (this.suspended) this.waiting.push(what)
    else if (what === "given up") this.skipped++
    else this.done.push(what)
  }

  resume(): void {
    this.suspended = false
    for (const what of this.waiting.splice(0)) this.send(what)
  }
}

const run = Effect.fnUntraced(function*(ops: ReadonlyArray<typeof Op.Type>) {
  const server = yield* told({ init: () => [] }).start()
  const model = new Model()
  const calls: Array<Fiber.Fiber<unknown, unknown>> = []
  const order = (n: number, slow: boolean) => (state: State) => {
    const step = Step.reply(n, [...state, n])
    return slow ? Effect.as(Effect.yieldNow, step) : step
  }
  const silently = (n: number, slow: boolean) => (state: State) => {
    const step = Step.noReply([...state, n])
    return slow ? Effect.as(Effect.yieldNow, step) : step
  }
  const calling = (n: number, slow: boolean) =>
    Effect.forkChild(ask(server, order(n, slow)), { startImmediately: true })

  const steps: { readonly [_ in typeof Op.Type]: (n: number) => Effect.Effect<unknown, unknown> } = {
    call: Effect.fnUntraced(function*(n) {
      calls.push(yield* calling(n, false))
      model.send(n)
    }),
    slowCall: Effect.fnUntraced(function*(n) {
      calls.push(yield* calling(n, true))
      model.send(n)
    }),
    cast: Effect.fnUntraced(function*(n) {
      yield* tell(server, silently(n, false))
      model.send(n)
    }),
    slowCast: Effect.fnUntraced(function*(n) {
      yield* tell(server, silently(n, true))
      model.send(n)
    }),
    // Behind what keeps the server busy, so that its handler cannot have begun.
    giveUp: Effect.fnUntraced(function*(n) {
      yield* tell(server, silently(n, true))
      model.send(n)
      const call = yield* calling(-1, false)
      call.interruptUnsafe()
      model.send("given up")
    }),
    suspend: Effect.fnUntraced(function*() {
      yield* Sys.suspend(server)
      model.suspended = true
    }),
    resume: Effect.fnUntraced(function*() {
      yield* Sys.resume(server)
      model.resume()
    }),
    replaceState: Effect.fnUntraced(function*(n) {
      const state = yield* Sys.replaceState(server, (state: State) => [...state, n])
      model.done.push(n)
      assert.deepStrictEqual(state, model.done)
    }),
    getState: Effect.fnUntraced(function*() {
      assert.deepStrictEqual(yield* Sys.getState(server), model.done)
    }),
    getStatus: Effect.fnUntraced(function*() {
      const { mailboxLength, skipped, state, status } = yield* Sys.getStatus(server)
      assert.deepStrictEqual({ mailboxLength, skipped, state, status }, {
        mailboxLength: model.waiting.length,
        skipped: model.skipped,
        state: model.done,
        status: model.suspended ? "suspended" : "running"
      })
    }),
    log: Effect.fnUntraced(function*() {
      yield* Sys.statistics(server, true)
      model.listening = true
    }),
    noDebug: Effect.fnUntraced(function*() {
      yield* Sys.noDebug(server)
      model.listening = false
    }),
    settle: () => settle
  }

  for (const [n, op] of ops.entries()) yield* steps[op](n)
  assert.strictEqual(Option.isSome(yield* Sys.getStatistics(server)), model.listening)
  yield* steps.resume(-1)
  yield* steps.getStatus(-1)
  for (const call of calls) assert.include(model.done, (yield* Fiber.join(call)) as number)
  yield* steps.getState(-1)
})

describe("a server that is suspended, asked and told in any order", () => {
  const options = { arbitrary: { runs: scale.cases } }
  const ops = Schema.Array(Op)

  it.effect.prop(
    "loses nothing, keeps the order, and answers everything",
    [ops],
    ([ops]) => inNode(run(ops)),
    options
  )

  it.live.prop(
    "so it does under the default scheduler",
    [ops],
    ([ops]) => inNode(run(ops)),
    options
  )
})
