/** Concurrent requests to a server have the effect of some order, whoever makes them and whenever they give up. */
import * as GenServer from "@effect-otp/core/GenServer"
import * as Step from "@effect-otp/core/Step"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as scale from "../../../../test-scale.ts"
import * as Clients from "./Clients.ts"
import { explain, show } from "./Linearizability.ts"
import * as Store from "./Store.ts"

const options = { arbitrary: { runs: scale.programs, size: 100, maxShrinks: 2_000 }, timeout: 300_000 }

const check = Effect.fnUntraced(function*(program: Clients.Program, advance: (millis: number) => Effect.Effect<void>) {
  const history = yield* Clients.run(program, advance)
  if (explain(Store.store, history) === undefined) {
    assert.fail(["no order explains this:", ...show(history, Store.show)].join("\n  "))
  }
})

describe("concurrent requests", () => {
  it.effect.prop(
    "are served in some order under the scheduler of a test",
    { program: Clients.arbitrary },
    ({ program }) => check(program, TestClock.adjust),
    options
  )

  it.live.prop(
    "are served in some order under the scheduler of an application",
    { program: Clients.arbitrary },
    ({ program }) =>
      // By hand: its layer would bring a scheduler along.
      Effect.flatMap(
        TestClock.make(),
        (clock) => Effect.provideService(check(program, clock.adjust), Clock.Clock, clock)
      ).pipe(Effect.scoped),
    options
  )
})

// ----------------------------------------------------------------------------
// servers that are broken on purpose
// ----------------------------------------------------------------------------

const base = { how: "call", atOnce: true } as const

/** Three clients who all use the number and the queue, and whose requests take a while. */
const busy: Clients.Program = {
  requests: [0, 1, 2].flatMap((which) =>
    (["add", "push", "read", "add", "pop", "write", "read"] as const).map((what) => ({ ...base, what, which, n: 1 }))
  )
}

/** Changes what a sound server makes of a request. */
const broken: Record<string, () => Clients.Handle> = {
  // What another request has changed meanwhile is overwritten.
  "that handles two requests at once": () => {
    let state = Store.store.initial
    return (_, { input, millis }, from) => {
      const [answer, next] = Store.apply(state, input)
      const work = Effect.andThen(
        Effect.sleep(millis),
        Effect.suspend(() => {
          state = next
          return from === undefined ? Effect.void : GenServer.reply(from, answer)
        })
      )
      return Effect.as(Effect.forkDetach(work), Step.noReply(state))
    }
  },
  "that loses one of many requests": () => {
    let count = 0
    return (state, payload, from) => {
      const lost = ++count % 5 === 0
      const [answer, next] = Store.apply(state, payload.input)
      return from === undefined ? Step.noReply(lost ? state : next) : Step.reply(answer, lost ? state : next)
    }
  },
  "that does one of many requests twice": () => {
    let count = 0
    return (state, { input }, from) => {
      const [answer, next] = Store.apply(state, input)
      const last = ++count % 5 === 0 ? Store.apply(next, input)[1] : next
      return from === undefined ? Step.noReply(last) : Step.reply(answer, last)
    }
  },
  "that answers from the state before": () => {
    let before = Store.store.initial
    return (state, { input }, from) => {
      const [, next] = Store.apply(state, input)
      const [answer] = Store.apply(before, input)
      before = state
      return from === undefined ? Step.noReply(next) : Step.reply(answer, next)
    }
  }
}

/** A client whose casts have to be done before its next call is. */
const casts: Clients.Program = {
  requests: [0, 1].flatMap((which) =>
    (["push", "add", "read", "push", "add", "read"] as const).map((what) => ({
      ...base,
      how: what === "read" ? "call" as const : "cast" as const,
      what,
      which,
      n: 1
    }))
  )
}

/** Casts are done when the next one comes. */
const lateCasts = (): Clients.Handle => {
  let late: Store.Input | undefined
  return (state, { input }, from) => {
    const [answer, next] = Store.apply(state, input)
    if (from !== undefined) return Step.reply(answer, next)
    const held = late
    late = input
    return Step.noReply(held === undefined ? state : Store.apply(state, held)[1])
  }
}

describe("a server", () => {
  const explanation = (program: Clients.Program, handle: Clients.Handle) =>
    Effect.map(Clients.run(program, TestClock.adjust, handle), (history) => explain(Store.store, history))

  it.effect("that is sound is explained", () =>
    Effect.gen(function*() {
      assert.isDefined(yield* explanation(busy, Clients.sound))
      assert.isDefined(yield* explanation(casts, Clients.sound))
    }))

  it.effect.each(Object.entries(broken))("%s is noticed", ([_, handle]) =>
    Effect.gen(function*() {
      assert.isUndefined(yield* explanation(busy, handle()))
    }))

  it.effect("that does casts late is noticed", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* explanation(casts, lateCasts()))
    }))
})
