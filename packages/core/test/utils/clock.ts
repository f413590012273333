import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/**
 * A clock that is moved by hand, and wakes those who sleep only when it is told to. Its time of day is nonsense: what
 * waits has to go by the monotonic time.
 */
export const makeClock = () => {
  const sleeping = new Map<() => void, number>()
  return {
    now: 0,
    /** How long those who sleep wanted to. */
    sleeps: () => [...sleeping.values()],
    wake: () => [...sleeping.keys()].forEach((resume) => resume()),
    currentTimeMillisUnsafe: () => Math.random() * 1e12,
    currentTimeMillis: Effect.succeed(0),
    currentTimeNanosUnsafe: () => 0n,
    currentTimeNanos: Effect.succeed(0n),
    monotonicTimeNanosUnsafe() {
      return BigInt(this.now * 1_000_000)
    },
    monotonicTimeNanos: Effect.succeed(0n),
    sleep: (duration: Duration.Duration) =>
      Effect.callback<void>((resume) => {
        const wake = () => {
          sleeping.delete(wake)
          resume(Effect.void)
        }
        sleeping.set(wake, Duration.toMillis(duration))
        return Effect.sync(() => sleeping.delete(wake))
      })
  }
}
