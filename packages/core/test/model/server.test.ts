/** Whatever is asked of a server, in whatever order, it comes out as the model says. */
import { describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import * as scale from "../../../../test-scale.ts"
import * as Interpreter from "./ServerInterpreter.ts"
import * as Program from "./ServerProgram.ts"

const silent = Effect.provide(Logger.layer([]))

const options = { arbitrary: { runs: scale.programs, size: 400, maxShrinks: 5_000 }, timeout: 300_000 }

describe("random requests", () => {
  it.effect.prop(
    "are served as the model does under the scheduler of a test",
    { program: Program.arbitrary },
    ({ program }) => silent(Interpreter.run(program, TestClock.adjust)),
    options
  )

  it.live.prop(
    "are served as the model does under the scheduler of an application",
    { program: Program.arbitrary },
    ({ program }) =>
      // By hand: its layer would bring a scheduler along.
      Effect.flatMap(TestClock.make(), (clock) =>
        silent(Interpreter.run(program, clock.adjust)).pipe(Effect.provideService(Clock.Clock, clock))).pipe(
          Effect.scoped
        ),
    options
  )
})
