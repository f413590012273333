/**
 * Timers of one Clock: a heap ordered by deadline and then by age, and a single sleeping fiber for the earliest.
 *
 * Starting and cancelling a timer is what every call with a timeout does, so neither touches the sleeper unless it must.
 *
 * @internal
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import { silent, type Tapped, type TimerEvent } from "./tap.ts"
import { monotonic } from "./time.ts"

/** A timer that can be put into {@link Timers}; `index` is its place in the heap, or -1. */
export interface Timer {
  deadline: number
  sequence: number
  index: number
  fire(): void
}

export interface Timers {
  now(): number
  start(timer: Timer, millis: number): void
  /** At a point in monotonic time; one that has passed fires in the next turn. */
  startAt(timer: Timer, deadline: number): void
  cancel(timer: Timer): boolean
  /** How many are set. */
  size(): number
}

/**
 * Which tick of a fixed rate comes next, when the `tick`-th has been sent at `now`. Tick n is due at `begun + n * every`, so
 * nothing adds up. Ticks that have passed by meanwhile are left out: whoever was late would otherwise get all of them at once.
 */
export const nextTick = (begun: number, every: number, tick: number, now: number): number =>
  Math.max(tick, Math.floor((now - begun) / every)) + 1

// Time is read in whole microseconds. A deadline is a sum, and the time that it names may be read as a little less: less than
// this is left over by the rounding, and a sleep so short may end at once, for ever.
const nothing = 0.0005

const before = (a: Timer, b: Timer): boolean =>
  a.deadline < b.deadline || (a.deadline === b.deadline && a.sequence < b.sequence)

export const make = (
  clock: Clock.Clock,
  scheduler: Scheduler.Scheduler,
  tapped: Tapped<TimerEvent> = silent
): Timers => {
  const context = Context.make(Scheduler.Scheduler, scheduler)
  const now = monotonic(clock)
  const heap: Array<Timer> = []
  let sequence = 0
  let sleeper: Fiber.Fiber<void> | undefined
  let wakesAt = Infinity
  let idleCheck: Fiber.Fiber<void> | undefined

  const place = (timer: Timer, index: number) => {
    heap[index] = timer
    timer.index = index
  }

  const siftUp = (timer: Timer, from: number) => {
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!before(timer, heap[parent])) break
      place(heap[parent], index)
      index = parent
    }
    place(timer, index)
  }

  const siftDown = (timer: Timer, from: number) => {
    let index = from
    const half = heap.length >> 1
    while (index < half) {
      let child = 2 * index + 1
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++
      if (!before(heap[child], timer)) break
      place(heap[child], index)
      index = child
    }
    place(timer, index)
  }

  const removeAt = (index: number) => {
    heap[index].index = -1
    const last = heap.pop()!
    if (index === heap.length) return
    if (index > 0 && before(last, heap[(index - 1) >> 1])) siftUp(last, index)
    else siftDown(last, index)
  }

  const stopSleeper = () => {
    const fiber = sleeper
    sleeper = undefined
    wakesAt = Infinity
    fiber?.interruptUnsafe()
  }

  const sleepFor = (deadline: number) => {
    stopSleeper()
    wakesAt = deadline
    const millis = deadline - now()
    // A clock may end a sleep of zero at once, and nothing may fire inside `start`.
    const sleep = millis > nothing ? clock.sleep(Duration.millis(millis)) : Effect.yieldNow
    const fiber = Effect.runForkWith(context)(sleep)
    sleeper = fiber
    fiber.addObserver((exit) => {
      if (sleeper !== fiber || exit._tag === "Failure") return
      sleeper = undefined
      wakesAt = Infinity
      expire()
    })
  }

  const expire = () => {
    while (heap.length > 0) {
      // Read again each time: what fires may take long, and Node's timers may wake up to 1 ms early.
      if (heap[0].deadline - now() > nothing) return sleepFor(heap[0].deadline)
      const timer = heap[0]
      removeAt(0)
      tapped.tap?.({ _tag: "TimerFires", timer })
      timer.fire()
      tapped.tap?.({ _tag: "TimerFired", timer })
    }
  }

  // A sleeper without a timer would hold the process open until it wakes. It is not stopped at once: the next call of a
  // caller that calls in a row would only start another.
  const stopWhenIdle = () => {
    if (idleCheck !== undefined || sleeper === undefined) return
    idleCheck = Effect.runForkWith(context)(Effect.yieldNow)
    idleCheck.addObserver(() => {
      idleCheck = undefined
      if (heap.length === 0) stopSleeper()
    })
  }

  const startAt = (timer: Timer, deadline: number) => {
    timer.deadline = deadline
    timer.sequence = sequence++
    siftUp(timer, heap.length)
    tapped.tap?.({ _tag: "TimerSet", timer, millis: deadline - now() })
    if (deadline < wakesAt) sleepFor(deadline)
  }

  return {
    now,
    size: () => heap.length,
    // Whole milliseconds, as of every timer of OTP: a clock that shows microseconds would never come to a fraction of one.
    start: (timer, millis) => startAt(timer, now() + Math.ceil(millis)),
    startAt,
    cancel: (timer) => {
      if (timer.index < 0) return false
      removeAt(timer.index)
      tapped.tap?.({ _tag: "TimerCancelled", timer })
      if (heap.length === 0) stopWhenIdle()
      return true
    }
  }
}
