/**
 * Waiting on whatever Clock there is. A `TestClock` stands still until somebody moves it: here it is moved as far as it takes
 * and no further, since it goes from one sleeper to the next and can be stopped in between.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import type { TestClock } from "effect/testing/TestClock"
import { settle } from "../settle.ts"

const isTestClock = (clock: Clock.Clock): clock is TestClock => hasProperty(clock, "adjust")

/** That much time goes by, with all that happens in it. */
export const passing = (millis: number): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    const clock = fiber.getRef(Clock.Clock)
    return isTestClock(clock) ? moving(clock, millis) : Effect.sleep(millis)
  })

// In steps, before each of which whoever is about to sleep does so: they would sleep too long if the clock had moved. Under a
// scheduler that is not its own a TestClock would run past them. Later steps are longer, or a minute would take too many.
const moving = Effect.fnUntraced(function*(clock: TestClock, millis: number) {
  for (let passed = 0; passed < millis;) {
    yield* settle
    const step = Math.min(Math.max(1, Math.floor(passed / 4)), millis - passed)
    yield* clock.adjust(step)
    passed += step
  }
  yield* settle
})

const patience = 600_000

/** Runs an effect, and moves a `TestClock` until it has ended. What does not end within ten minutes of its time is a defect. */
export const throughTime = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    if (!isTestClock(fiber.getRef(Clock.Clock))) return effect
    const late = Effect.die(new Error("it has not ended within ten minutes on the TestClock"))
    return Effect.raceFirst(effect, Effect.andThen(passing(patience), late))
  })
