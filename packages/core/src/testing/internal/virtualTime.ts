/**
 * A clock for one run: time passes when nothing else can run, and then at once.
 *
 * It has the interface of Effect's `TestClock`, so `TestClock.adjust` works as ever. It is not that one because that watches
 * the clock of the machine, and orders who wakes at the same moment; here that is chosen like everything else.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { TestClock } from "effect/testing/TestClock"
import type { AnyFiber } from "./lanes.ts"

/** Who passes the time: the program by `TestClock.adjust`, or whoever sleeps, when there is nothing else to do. */
export type Time = "manual" | "auto"

interface Sleeper {
  readonly at: number
  readonly fiber: AnyFiber | undefined
  readonly wake: () => void
}

const liveClock = Context.get(Context.empty(), Clock.Clock)

export class VirtualTime {
  readonly time: Time
  readonly schedule: (task: () => void) => void
  /** Told how many milliseconds have passed. */
  readonly passed: (millis: number) => void
  now = 0
  wall = 0
  readonly sleepers: Array<Sleeper> = []
  /** Whoever has moved the clock waits here until it has come to that. */
  private readonly targets: Array<Sleeper> = []
  readonly clock: TestClock

  constructor(time: Time, schedule: (task: () => void) => void, passed: (millis: number) => void) {
    this.time = time
    this.schedule = schedule
    this.passed = passed
    const currentTimeMillisUnsafe = () => this.wall
    const currentTimeNanosUnsafe = () => nanos(this.wall)
    const monotonicTimeNanosUnsafe = () => nanos(this.now)
    this.clock = {
      currentTimeMillisUnsafe,
      currentTimeMillis: Effect.sync(currentTimeMillisUnsafe),
      currentTimeNanosUnsafe,
      currentTimeNanos: Effect.sync(currentTimeNanosUnsafe),
      monotonicTimeNanosUnsafe,
      monotonicTimeNanos: Effect.sync(monotonicTimeNanosUnsafe),
      sleep: (duration) => this.until(this.sleepers, Duration.toMillis(duration)),
      adjust: (duration) => this.until(this.targets, Duration.toMillis(Duration.fromInputUnsafe(duration)), true),
      setTime: (timestamp) =>
        Effect.suspend(() => {
          if (timestamp < this.wall) this.wall = timestamp
          return this.until(this.targets, timestamp - this.wall, true)
        }),
      withLive: (effect) => Effect.provideService(effect, Clock.Clock, liveClock)
    }
  }

  /** Lets time pass up to the next moment at which somebody goes on; false if there is none. */
  advance(): boolean {
    const target = earliest(this.targets)
    const sleeper = earliest(this.sleepers)
    if (target !== undefined && (sleeper === undefined || target.at < sleeper.at)) {
      return this.reach(target.at, this.targets)
    }
    if (sleeper === undefined || sleeper.at === Infinity) return false
    return target !== undefined || this.time === "auto" ? this.reach(sleeper.at, this.sleepers) : false
  }

  private until(among: Array<Sleeper>, millis: number, evenNow = false): Effect.Effect<void> {
    if (millis <= 0 && !evenNow) return Effect.void
    return Effect.callback<void>((resume) => {
      const sleeper: Sleeper = {
        at: this.now + Math.max(millis, 0),
        fiber: Fiber.getCurrent(),
        wake: () => resume(Effect.void)
      }
      among.push(sleeper)
      return Effect.sync(() => remove(among, sleeper))
    })
  }

  // All who wait for the same moment can go on then, in an order that is chosen.
  private reach(at: number, among: Array<Sleeper>): true {
    if (at > this.now) {
      this.passed(at - this.now)
      this.wall += at - this.now
      this.now = at
    }
    for (const sleeper of among.filter((sleeper) => sleeper.at <= at)) {
      remove(among, sleeper)
      this.schedule(sleeper.wake)
    }
    return true
  }
}

const nanos = (millis: number): bigint => BigInt(Math.round(millis * 1_000_000))

const earliest = (sleepers: ReadonlyArray<Sleeper>): Sleeper | undefined => {
  let first = sleepers[0]
  for (const sleeper of sleepers) {
    if (sleeper.at < first!.at) first = sleeper
  }
  return first
}

const remove = (among: Array<Sleeper>, sleeper: Sleeper): void => {
  const index = among.indexOf(sleeper)
  if (index >= 0) among.splice(index, 1)
}
