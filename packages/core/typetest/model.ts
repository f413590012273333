/** What a model is asked for, by the protocol of its server, and what its checks give. */
import * as GenServer from "@effect-otp/core/GenServer"
import type { StartError } from "@effect-otp/core/OtpError"
import * as Step from "@effect-otp/core/Step"
import { model, type ModelFailed } from "@effect-otp/core/testing"
import * as Arbitrary from "effect/Arbitrary"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { same } from "./utils.ts"

class NotEnough extends Schema.TaggedError<NotEnough>()("NotEnough", { n: Schema.Finite }) {}
class Db extends Context.Service<Db, { readonly url: string }>()("Db") {}

class Counter extends GenServer.Service<Counter>()("typetest/Counter", [
  GenServer.cast("increment"),
  GenServer.cast("add", { payload: { by: Schema.Finite } }),
  GenServer.call("value", { success: Schema.Finite }),
  GenServer.call("take", { payload: { n: Schema.Finite }, success: Schema.Finite, error: NotEnough })
]) {
  static readonly server = this.implement({
    init: (initial: number) => Effect.as(Db, initial),
    handlers: {
      increment: (count) => Step.noReply(count + 1),
      add: (count, { by }) => Step.noReply(count + by),
      value: (count) => Step.reply(count, count),
      take: (count, { n }) => n > count ? Effect.fail(new NotEnough({ n })) : Step.reply(n, count - n)
    }
  })
}

const up = (n: number): readonly [answer: undefined, state: number] => [undefined, n + 1]
const value = (n: number): readonly [answer: number, state: number] => [n, n]
const requests = { increment: up, add: up, value }

export const inferred = model(Counter, {
  start: Counter.server.start(0),
  initial: 0,
  requests: {
    increment: (n) => {
      same<typeof n, number>()
      return [undefined, n + 1]
    },
    add: (n, payload) => {
      same<typeof payload, { readonly by: number }>()
      return [undefined, n + payload.by]
    },
    value: (n) => [n, n],
    take: (n, { n: by }) => by > n ? [Result.fail(new NotEnough({ n })), n] : [by, n - by]
  },
  payloads: {
    add: Schema.Struct({ by: Schema.Int }),
    take: Arbitrary.Constant({ n: 1 })
  },
  restarted: (state) => {
    same<typeof state, number>()
    return 0
  },
  stateOf: (state: { readonly count: number }) => state.count
})
const checked = inferred.check({ runs: 10, seed: "x" })
same<typeof checked, Effect.Effect<void, ModelFailed | StartError<never>, Db>>()
const concurrent = inferred.checkConcurrent({ clients: 2, impatient: true })
same<typeof concurrent, Effect.Effect<void, ModelFailed | StartError<never>, Db>>()

const take = (n: number): readonly [number, number] => [n, n]

// a Layer, and a client that needs a Scope
const layered = model(Counter, { start: Counter.server.layer(0), initial: 0, requests: { ...requests, take } })
same<Effect.Services<ReturnType<typeof layered.check>>, Db>()
const scoped = model(Counter, { start: Counter.server.startScoped(0), initial: 0, requests: { ...requests, take } })
same<Effect.Services<ReturnType<typeof scoped.check>>, Db>()
export const stillScoped: Exclude<Effect.Services<ReturnType<typeof scoped.check>>, Scope.Scope> = null as never as Db

const start = Counter.server.start(0)

// @ts-expect-error a request is missing
model(Counter, { start, initial: 0, requests })
// @ts-expect-error one that the protocol does not have
model(Counter, { start, initial: 0, requests: { ...requests, take, other: (n: number) => [n, n] } })
// @ts-expect-error another answer
model(Counter, { start, initial: 0, requests: { ...requests, take: (n) => ["one", n] } })
// @ts-expect-error another state
model(Counter, { start, initial: 0, requests: { ...requests, take: () => [1, "none"] } })
// @ts-expect-error an error that it does not declare
model(Counter, { start, initial: 0, requests: { ...requests, take: (n) => [Result.fail("no"), n] } })
// @ts-expect-error another payload
model(Counter, { start, initial: 0, requests: { ...requests, take }, payloads: { take: Arbitrary.Constant({ m: 1 }) } })
// @ts-expect-error another server
model(Counter, { start: Effect.succeed({}), initial: 0, requests: { ...requests, take } })
