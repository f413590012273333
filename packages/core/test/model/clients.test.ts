/** Concurrent requests to a server have the effect of some order, whoever makes them and whenever they give up. */
import * as GenServer from "@effect-otp/core/GenServer"
import * as Step from "@effect-otp/core/Step"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as scale from "../../../../test-scale.ts"
import { type Handle, shop, sound } from "./Shop.ts"
import * as Store from "./Store.ts"

const served = shop(sound, { looks: true }).checkConcurrent({
  clients: 5,
  maxLength: 24,
  impatient: true,
  runs: scale.programs
})

describe("concurrent requests", () => {
  it.effect("are served in some order under the scheduler of a test", () => served, 300_000)

  it.live("are served in some order under the scheduler of an application", () =>
    // By hand: its layer would bring a scheduler along.
    Effect.flatMap(TestClock.make(), (clock) => Effect.provideService(served, Clock.Clock, clock)).pipe(
      Effect.scoped
    ), 300_000)
})

// ----------------------------------------------------------------------------
// servers that are broken on purpose
// ----------------------------------------------------------------------------

/** Changes what a sound server makes of a request. */
const broken: Record<string, () => Handle> = {
  // What another request has changed meanwhile is overwritten.
  "that handles two requests at once": () => {
    let state = Store.initial
    return (_, input, millis, from) => {
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
    return (state, input, _, from) => {
      const lost = ++count % 5 === 0
      const [answer, next] = Store.apply(state, input)
      return from === undefined ? Step.noReply(lost ? state : next) : Step.reply(answer, lost ? state : next)
    }
  },
  "that does one of many requests twice": () => {
    let count = 0
    return (state, input, _, from) => {
      const [answer, next] = Store.apply(state, input)
      const last = ++count % 5 === 0 ? Store.apply(next, input)[1] : next
      return from === undefined ? Step.noReply(last) : Step.reply(answer, last)
    }
  },
  "that answers from the state before": () => {
    let before = Store.initial
    return (state, input, _, from) => {
      const [, next] = Store.apply(state, input)
      const [answer] = Store.apply(before, input)
      before = state
      return from === undefined ? Step.noReply(next) : Step.reply(answer, next)
    }
  },
  // They are done when the next one comes.
  "that does casts late": () => {
    let late: Store.Input | undefined
    return (state, input, _, from) => {
      const [answer, next] = Store.apply(state, input)
      if (from !== undefined) return Step.reply(answer, next)
      const held = late
      late = input
      return Step.noReply(held === undefined ? state : Store.apply(state, held)[1])
    }
  }
}

describe("a server", () => {
  it.effect.each(Object.entries(broken))(
    "%s is noticed, by its answers alone",
    ([_, handle]) =>
      Effect.gen(function*() {
        const options = { runs: 300, impatient: true, seed: 1 }
        const failed = yield* Effect.flip(shop(handle, { looks: false }).checkConcurrent(options))
        assert.strictEqual(failed._tag, "ModelFailed")
        assert.isAtMost((failed as { readonly program: ReadonlyArray<unknown> }).program.length, 6, failed.message)
      }),
    60_000
  )
})
