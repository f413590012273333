/**
 * Time that only goes forward: someone who sets the clock of the machine must neither fire a timer nor hold one back.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"

const defaultClock = Context.get(Context.empty(), Clock.Clock)

/** Reads the monotonic time of a clock in milliseconds. */
export const monotonic = (clock: Clock.Clock): () => number =>
  // The same time, without the BigInt: every call with a timeout reads it. Nanoseconds are cut off before they become a
  // number: on a test clock that shows a date of today they do not fit, and a timer would be late by a fraction.
  clock === defaultClock ? () => performance.now() : () => Number(clock.monotonicTimeNanosUnsafe() / 1_000n) / 1_000
