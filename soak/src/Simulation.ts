/**
 * Time that passes as fast as the machine can: when nothing can run any more, it jumps to the next who sleeps.
 *
 * It is a clock and a scheduler that know each other. Turns are taken in the order in which they were asked for, and who
 * sleeps wakes in the order of time: whatever takes its chances from a seed does the same thing in every run. (A `TestClock`
 * does the same at a higher price: it does not know when nothing can run, and has to find out after each wake-up.)
 */
import { Clock, Duration, Effect, Scheduler, Schema } from "effect"

/** The simulated time has passed in which something should have come to its end. */
export class NoEnd extends Schema.TaggedError<NoEnd>()("NoEnd", { within: Schema.String }) {
  override get message() {
    return `it has not come to its end within ${this.within}`
  }
}

/** Runs an effect in simulated time, which begins at 0. It may take `atMost` of it. */
export const run = <A, E, R>(effect: Effect.Effect<A, E, R>, atMost: Duration.Input): Effect.Effect<A, E | NoEnd, R> =>
  Effect.suspend(() => {
    const { clock, schedule, stop } = make()
    return Effect.timeoutOrElse(effect, {
      duration: atMost,
      orElse: () => Effect.fail(new NoEnd({ within: Duration.format(Duration.fromInputUnsafe(atMost)) }))
    }).pipe(
      // What is left behind, asleep, must not keep time going.
      Effect.ensuring(Effect.sync(stop)),
      Effect.provideService(Clock.Clock, clock),
      Effect.provideService(Scheduler.Scheduler, new Scheduler.MixedScheduler("async", schedule))
    )
  })

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/** After this long the event loop has its turn, for signals and output. */
const millisPerBurst = 10
const turnsPerClockRead = 256

const make = () => {
  let now = 0
  /** The last is the first to wake. */
  const sleepers: Array<Sleeper> = []
  let turns: Array<() => void> = []
  let next = 0
  let running = false
  let stopped = false

  const jump = (): boolean => {
    const sleeper = stopped ? undefined : sleepers.pop()
    if (sleeper === undefined) return false
    now = sleeper.at
    sleeper.wake()
    return true
  }

  const burst = () => {
    const stopAt = performance.now() + millisPerBurst
    for (let taken = 1; next < turns.length || jump(); taken++) {
      // Who wakes may have nothing to do.
      turns[next]?.()
      next++
      if (next >= turns.length) {
        turns = []
        next = 0
      }
      if (taken % turnsPerClockRead === 0 && performance.now() >= stopAt) return setImmediate(burst)
    }
    running = false
    return undefined
  }

  const start = () => {
    if (running) return
    running = true
    setImmediate(burst)
  }

  const schedule = (turn: () => void) => {
    let task: (() => void) | undefined = turn
    turns.push(() => task?.())
    start()
    return () => {
      task = undefined
    }
  }

  const sleep = (duration: Duration.Duration): Effect.Effect<void> => {
    const millis = Duration.toMillis(duration)
    if (millis <= 0) return Effect.yieldNow
    if (millis === Infinity) return Effect.never
    return Effect.callback((resume) => {
      const sleeper = { at: now + millis, wake: () => resume(Effect.void) }
      insert(sleepers, sleeper)
      start()
      return Effect.sync(() => {
        const index = sleepers.indexOf(sleeper)
        if (index >= 0) sleepers.splice(index, 1)
      })
    })
  }

  const nanos = () => BigInt(Math.round(now * 1_000_000))
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: () => now,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep
  }
  return {
    clock,
    schedule,
    stop: () => {
      stopped = true
    }
  }
}

/** Before those that sleep for as long or less, so that of two that wake at once the first to sleep is the first. */
const insert = (sleepers: Array<Sleeper>, sleeper: Sleeper): void => {
  let low = 0
  let high = sleepers.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sleepers[middle]!.at > sleeper.at) low = middle + 1
    else high = middle
  }
  sleepers.splice(low, 0, sleeper)
}
