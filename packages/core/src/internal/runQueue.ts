/**
 * Who may run next. One queue per Node and Scheduler.
 *
 * Under Effect's default scheduler all processes that are woken share one drain, which is what makes a message cheap: one
 * `setImmediate` for a burst instead of one each. A drain is bounded by a count and by time, and then lets the event loop
 * turn, so that I/O and timers are served however busy the processes are. Under any other scheduler (`TestClock`'s) every
 * wake-up is a task of its own, because that scheduler must see and order them, and one that chooses who is next gets a
 * lane for each.
 *
 * @internal
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"
import { neutral } from "./asyncContext.ts"
import { type Settled, silent, type Tapped } from "./tap.ts"

/** Something that takes a turn when it is its time. It must never throw. */
export interface Runnable {
  run(): void
}

export interface RunQueue {
  schedule(runnable: Runnable): void
  /** Somebody waits for a turn. */
  isBusy(): boolean
  /** All who are woken share one drain. */
  readonly isShared: boolean
  /** Where is told what becomes of the requests of those who wait here. */
  readonly tapped: Tapped<Settled>
}

/** Of who never takes a turn. */
export const none: RunQueue = { schedule: () => {}, isBusy: () => false, isShared: false, tapped: silent }

const LanesId = "~@effect-otp/core/Lanes"

/**
 * A scheduler that chooses who is next. What is scheduled in one lane keeps its order, so who may run in any order gets a
 * lane each: nothing says which of two processes that were woken takes its turn first.
 */
export interface LaneScheduler extends Scheduler.Scheduler {
  readonly [LanesId]: typeof LanesId
  laneOf(runnable: Runnable): Scheduler.SchedulerDispatcher
  /** Waits until nothing can run without time passing. */
  readonly quiet: Effect.Effect<void>
}

export const laneScheduler = (scheduler: Omit<LaneScheduler, typeof LanesId>): LaneScheduler => ({
  ...scheduler,
  [LanesId]: LanesId
})

export const hasLanes = (scheduler: Scheduler.Scheduler): scheduler is LaneScheduler => LanesId in scheduler

const maxTurnsPerDrain = 4096
const maxMillisPerDrain = 8
// The clock is read once in so many turns: a read costs as much as a cheap turn. Where turns take longer it is read more
// often, or a few of them would take far more than the time of a drain.
const turnsPerClockRead = 64
const millisPerClockRead = 0.5

const defaultScheduler = Context.get(Context.empty(), Scheduler.Scheduler)

export const make = (scheduler: Scheduler.Scheduler, tapped: Tapped<Settled> = silent): RunQueue =>
  scheduler === defaultScheduler ? makeDrain(scheduler, tapped) : makeDirect(scheduler, tapped)

const makeDirect = (scheduler: Scheduler.Scheduler, tapped: Tapped<Settled>): RunQueue => {
  const laneOf = lanesOf(scheduler)
  let waiting = 0
  return {
    schedule: (runnable) => {
      waiting++
      const turn = () => {
        waiting--
        runnable.run()
      }
      laneOf(runnable).scheduleTask(neutral(turn), 0)
    },
    isBusy: () => waiting > 0,
    isShared: false,
    tapped
  }
}

const lanesOf = (scheduler: Scheduler.Scheduler): LaneScheduler["laneOf"] => {
  if (hasLanes(scheduler)) return (runnable) => scheduler.laneOf(runnable)
  const dispatcher = scheduler.makeDispatcher()
  return () => dispatcher
}

const makeDrain = (scheduler: Scheduler.Scheduler, tapped: Tapped<Settled>): RunQueue => {
  const dispatcher = scheduler.makeDispatcher()
  let queue: Array<Runnable | undefined> = []
  let next = 0
  let running = false
  let batch = 1

  const drain: () => void = neutral(() => {
    let readAt = performance.now()
    const stopAt = readAt + maxMillisPerDrain
    let turns = 0
    let untilRead = batch
    while (next < queue.length) {
      const runnable = queue[next]!
      // Cleared at once: a queue that is never empty must not keep what has run.
      queue[next++] = undefined
      runnable.run()
      if (++turns >= maxTurnsPerDrain) break
      if (--untilRead === 0) {
        const now = performance.now()
        batch = now - readAt < millisPerClockRead ? Math.min(batch * 2, turnsPerClockRead) : 1
        if (now >= stopAt) break
        untilRead = batch
        readAt = now
      }
    }
    if (next === queue.length) {
      queue = []
      next = 0
      running = false
    } else {
      if (next > 1024 && next * 2 > queue.length) {
        queue = queue.slice(next)
        next = 0
      }
      dispatcher.scheduleTask(drain, 0)
    }
  })

  return {
    schedule: (runnable) => {
      queue.push(runnable)
      if (!running) {
        running = true
        dispatcher.scheduleTask(drain, 0)
      }
    },
    isBusy: () => running,
    isShared: true,
    tapped
  }
}
