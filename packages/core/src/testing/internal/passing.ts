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
    if (!isTestClock(clock)) return Effect.sleep(millis)
    // Whoever is about to sleep does so before the clock is moved, or would sleep for longer.
    return settle.pipe(Effect.andThen(clock.adjust(millis)), Effect.andThen(settle))
  })

// Longer than any default of this library, and still soon over where a ticking timer makes every second of it an event.
const patience = 600_000

/** Runs an effect, and moves a `TestClock` until it has ended. What does not end within ten minutes of its time is a defect. */
export const throughTime = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    if (!isTestClock(fiber.getRef(Clock.Clock))) return effect
    const late = Effect.die(new Error("it has not ended within ten minutes on the TestClock"))
    return Effect.raceFirst(effect, Effect.andThen(passing(patience), late))
  })
