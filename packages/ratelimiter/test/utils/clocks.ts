import { type Clock, Effect } from "effect"

/** A clock whose hands a test moves: `wall` as a person does, who sets it, and `monotonic` as time itself. In milliseconds. */
export interface Hands {
  wall: number
  monotonic: number
}

export const make = (hands: Hands): Clock.Clock => {
  const nanos = (millis: number) => BigInt(Math.round(millis * 1e6))
  return {
    currentTimeMillisUnsafe: () => hands.wall,
    currentTimeMillis: Effect.sync(() => hands.wall),
    currentTimeNanosUnsafe: () => nanos(hands.wall),
    currentTimeNanos: Effect.sync(() => nanos(hands.wall)),
    monotonicTimeNanosUnsafe: () => nanos(hands.monotonic),
    monotonicTimeNanos: Effect.sync(() => nanos(hands.monotonic)),
    sleep: () => Effect.never
  }
}
