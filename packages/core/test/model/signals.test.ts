/** Whatever processes do to one another, it comes out as the model of OTP's rules says. */
import { describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import * as scale from "../../../../test-scale.ts"
import { makeClock } from "../utils/clock.ts"
import * as Interpreter from "./Interpreter.ts"
import * as Program from "./Program.ts"

const silent = Effect.provide(Logger.layer([]))

/** The same programs again: `EFFECT_OTP_SEED=<seed> pnpm test signals`. */
const seed = process.env.EFFECT_OTP_SEED

const options = { arbitrary: { runs: scale.programs, size: 400, maxShrinks: 5_000, seed }, timeout: 300_000 }

describe("random programs", () => {
  it.effect.prop(
    "do what the model does under the scheduler of a test",
    { program: Program.arbitrary },
    ({ program }) => silent(Interpreter.run(program, TestClock.adjust)),
    options
  )

  it.live.prop(
    "do what the model does under the scheduler of an application",
    { program: Program.arbitrary },
    ({ program }) => {
      const clock = makeClock()
      const advance = (millis: number) =>
        Effect.sync(() => {
          clock.now += millis
          clock.wake()
        })
      return silent(Interpreter.run(program, advance)).pipe(Effect.provideService(Clock.Clock, clock))
    },
    options
  )
})
