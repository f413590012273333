/**
 * Messages that are sent later, on Effect's Clock.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { format } from "effect/Formatter"
import * as Option from "effect/Option"
import type * as Types from "effect/Types"
import { type Destination, isActive, isAlias, ownerOf } from "./internal/alias.ts"
import { type Current, entryOf, type Receives, tableOf, timersOf } from "./internal/current.ts"
import * as FewSet from "./internal/fewSet.ts"
import * as Input from "./internal/input.ts"
import { deliverSignal } from "./internal/lifecycle.ts"
import { ended, type Entry, type ProcessTable, type Watcher } from "./internal/processTable.ts"
import { resolve } from "./internal/resolve.ts"
import { guard } from "./internal/resolver.ts"
import { deliverTo } from "./internal/sending.ts"
import * as Signal from "./internal/signal.ts"
import { monotonic } from "./internal/time.ts"
import * as Timers from "./internal/timers.ts"
import { made } from "./internal/where.ts"
import { isVia } from "./Name.ts"
import { isPid } from "./Pid.ts"

export type { CancelTimer, TimerRef } from "./internal/signal.ts"

/**
 * How the ticks of an interval follow each other.
 *
 * @category models
 * @since 0.1.0
 */
export interface IntervalOptions {
  /**
   * `fixedRate`, the default: the n-th message is due n intervals after the start, so nothing adds up. `fixedDelay`: each
   * is due one interval after the one before was sent.
   */
  readonly mode?: "fixedRate" | "fixedDelay" | undefined
}

class MessageTimer implements Timers.Timer, Signal.TimerRef, Watcher {
  declare readonly [Signal.TimerRefTypeId]: typeof Signal.TimerRefTypeId
  deadline = 0
  sequence = 0
  index = -1
  readonly timers: Timers.Timers
  readonly table: ProcessTable
  readonly target: Destination<never, unknown>
  readonly message: unknown
  readonly interval: Interval | undefined

  constructor(
    timers: Timers.Timers,
    table: ProcessTable,
    target: Destination<never, unknown>,
    message: unknown,
    interval: Interval | undefined
  ) {
    this.timers = timers
    this.table = table
    this.target = target
    this.message = message
    this.interval = interval
  }

  fire(): void {
    deliverTo(this.table, this.target, this.message)
    if (this.interval === undefined || isOver(this.target)) unwatch(this)
    else this.timers.startAt(this, nextDeadline(this.interval, this.timers.now()))
  }

  ended(): void {
    this.timers.cancel(this)
  }
}

interface Interval {
  readonly every: number
  /** When a fixed rate began; a fixed delay counts from its last message. */
  readonly begun: number | undefined
  /** The tick that comes next. */
  tick: number
}

const nextDeadline = (interval: Interval, now: number): number => {
  if (interval.begun === undefined) return now + interval.every
  interval.tick = Timers.nextTick(interval.begun, interval.every, interval.tick, now)
  return interval.begun + interval.tick * interval.every
}

// A timer ends with the pid it is aimed at, or with that of an alias; a name is looked up when the time has come.
const aimedAt = (target: Destination<never, unknown>): Entry | undefined =>
  isPid(target) ? target as Entry : isAlias(target) ? ownerOf(target) : undefined

const isOver = (target: Destination<never, unknown>): boolean => isAlias(target) && !isActive(target)

const watch = (timer: MessageTimer): boolean => {
  const entry = aimedAt(timer.target)
  if (entry === undefined) return true
  if (entry.status === ended || isOver(timer.target)) return false
  entry.watchers = FewSet.add<Watcher>(entry.watchers, timer)
  return true
}

const unwatch = (timer: MessageTimer): void => {
  const entry = aimedAt(timer.target)
  if (entry !== undefined) entry.watchers = FewSet.remove<Watcher>(entry.watchers, timer)
}

/** When a timer fires first, and how it goes on. */
interface Plan {
  readonly deadline: number
  readonly interval?: Interval
}

const start = (
  target: Destination<never, unknown>,
  message: unknown,
  plan: (now: number) => Plan
): Effect.Effect<Signal.TimerRef> =>
  Effect.withFiber((fiber) => {
    const timers = timersOf(fiber)
    const table = tableOf(fiber)
    // What is no target is refused now, not when the time has come.
    if (!isAlias(target)) resolve(table, target)
    const aim = !isAlias(target) && isVia(target) ? guard(fiber.context, target) : target
    const { deadline, interval } = plan(timers.now())
    const timer = new MessageTimer(timers, table, aim, message, interval)
    if (deadline !== Infinity && watch(timer)) timers.startAt(timer, deadline)
    return Effect.succeed(timer)
  })

const timerOf = (ref: Signal.TimerRef): MessageTimer => {
  if (ref instanceof MessageTimer) return ref
  throw new TypeError(`ref: expected what Process.sendAfter or sendInterval gave, got ${format(ref)}`)
}

/**
 * Sends a message once, after a delay. Mirrors Erlang's `erlang:send_after/3,4`.
 *
 * **When to use**
 *
 * Use it for a reminder that must arrive like any other message. To wait inside a body, `Effect.sleep` is simpler.
 *
 * **Details**
 *
 * The delay is counted on the Clock of the calling fiber, never less than asked for, and may be longer than 2^31 ms. With
 * `abs: true` it is a point in monotonic time instead, as {@link monotonicTime} reads it; one that has passed sends at once.
 *
 * The timer outlives the process that set it and ends with the pid it is aimed at; a name is looked up when the time has
 * come. A negative delay, and what is none, is a defect.
 *
 * **Example**
 *
 * ```ts
 * import { Process } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const pid = yield* Process.spawn((self: Process.Self<"tick">) => self.receive)
 *   yield* Process.sendAfter(pid, "tick", "10 millis")
 *   return yield* Process.awaitExit(pid)
 * })
 *
 * Effect.runPromise(program).then((reason) => reason._tag) // => "Normal"
 * ```
 *
 * @see {@link cancelTimer}
 * @category timers
 * @since 0.1.0
 */
export const sendAfter: {
  /** Sends a message once, after a delay. */
  <M, E = never>(
    target: Destination<M, E>,
    message: Types.NoInfer<M>,
    delay: Duration.Input,
    options?: { readonly abs?: false | undefined }
  ): Effect.Effect<Signal.TimerRef>
  /** Sends a message once, at a point in monotonic time. */
  <M, E = never>(
    target: Destination<M, E>,
    message: Types.NoInfer<M>,
    time: number,
    options: { readonly abs: true }
  ): Effect.Effect<Signal.TimerRef>
} = (
  target: Destination<never, unknown>,
  message: unknown,
  when: Duration.Input,
  options?: { readonly abs?: boolean | undefined }
) =>
  made(Effect.suspend(() => {
    if (options?.abs === true) {
      const time = Number(when)
      Input.check("time", "a point in time in milliseconds", typeof when === "number" && !Number.isNaN(time), when)
      return start(target, message, () => ({ deadline: time }))
    }
    const delay = Input.millis("delay", when)
    return start(target, message, (now) => ({ deadline: now + delay }))
  }))

/**
 * Sends a message again and again, the first time after one interval. Mirrors Erlang's `timer:send_interval/3`.
 *
 * **When to use**
 *
 * Use it for a tick that goes on until somebody cancels it. A process whose work may take longer than the interval, and
 * that should rest in between, sends itself the next one with {@link sendAfter} when it is done.
 *
 * **Details**
 *
 * By default it runs at a fixed rate: the n-th message is due n intervals after the start, however late the one before it
 * was. Ticks that a busy thread has missed are not made up for: one is sent late, and the next when it is due. With the
 * mode `fixedDelay` each is due one interval after the one before was sent. Ticks do not wait for their receiver.
 *
 * An interval of less than a millisecond is a defect. Everything else is as with {@link sendAfter}; one that is aimed at a
 * name goes on when its holder has ended, and reaches the next.
 *
 * **Example**
 *
 * ```ts
 * import { Process } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const threeTicks = (self: Process.Self<"tick">) =>
 *   Effect.gen(function*() {
 *     const timer = yield* Process.sendInterval(self.pid, "tick", "10 millis")
 *     for (let i = 0; i < 3; i++) yield* self.receive
 *     yield* Process.cancelTimer(timer)
 *   })
 *
 * Effect.runPromise(Effect.flatMap(Process.spawn(threeTicks), Process.awaitExit)).then((reason) => reason._tag) // => "Normal"
 * ```
 *
 * @see {@link cancelTimer}
 * @category timers
 * @since 0.1.0
 */
export const sendInterval = <M, E = never>(
  target: Destination<M, E>,
  message: Types.NoInfer<M>,
  interval: Duration.Input,
  options?: IntervalOptions
): Effect.Effect<Signal.TimerRef> =>
  made(Effect.suspend(() => {
    const every = Input.millis("interval", interval)
    // One that is shorter than what the clock resolves would be due again as soon as it has fired, for ever.
    Input.check("interval", "a duration of 1 millisecond or more", every >= 1, interval)
    const mode = Input.oneOf("mode", ["fixedRate", "fixedDelay"], options?.mode ?? "fixedRate")
    return start(target, message, (now) => ({
      deadline: now + every,
      interval: { every, begun: mode === "fixedRate" ? now : undefined, tick: 1 }
    }))
  }))

/**
 * Stops a timer, and gives the milliseconds that were left, or nothing if it had fired or was stopped before.
 *
 * **Details**
 *
 * Mirrors Erlang's `erlang:cancel_timer/1,2`. A message that has been sent already stays where it is. Anybody who has the
 * reference may cancel.
 *
 * With `async: true` the answer comes as a `Process.CancelTimer` message, which the mailbox of the caller must declare; the
 * timer is stopped all the same when this returns. With `info: false` there is no answer at all.
 *
 * @see {@link readTimer}
 * @category timers
 * @since 0.1.0
 */
export const cancelTimer: {
  /** Stops a timer, and gives the milliseconds that were left. */
  (
    ref: Signal.TimerRef,
    options?: { readonly async?: false | undefined; readonly info?: true | undefined }
  ): Effect.Effect<Option.Option<number>>
  /** Stops a timer, and sends the caller a `Process.CancelTimer`. */
  (
    ref: Signal.TimerRef,
    options: { readonly async: true; readonly info?: true | undefined }
  ): Effect.Effect<void, never, Current | Receives<Signal.CancelTimer>>
  /** Stops a timer, and tells nothing. */
  (
    ref: Signal.TimerRef,
    options: { readonly async?: boolean | undefined; readonly info: false }
  ): Effect.Effect<void>
} =
  ((ref: Signal.TimerRef, options?: { readonly async?: boolean; readonly info?: boolean }) =>
    Effect.withFiber((fiber) => {
      const timer = timerOf(ref)
      const left = remaining(timer)
      if (timer.timers.cancel(timer)) unwatch(timer)
      if (options?.info === false) return Effect.void
      if (options?.async !== true) return Effect.succeed(left)
      deliverSignal(entryOf(fiber)!, Signal.cancelTimer(timer, left))
      return Effect.void
    })) as never

/**
 * The milliseconds until a timer fires, or nothing if it has fired or was stopped. Mirrors Erlang's `erlang:read_timer/1`.
 *
 * @see {@link cancelTimer}
 * @category timers
 * @since 0.1.0
 */
export const readTimer = (ref: Signal.TimerRef): Effect.Effect<Option.Option<number>> =>
  Effect.sync(() => remaining(timerOf(ref)))

/**
 * The monotonic time of the Clock, in milliseconds from a point that means nothing. Mirrors `erlang:monotonic_time/1`.
 *
 * **When to use**
 *
 * Use it for the time of a {@link sendAfter} with `abs: true`, and to measure how long something takes: it goes on evenly
 * when somebody sets the clock of the machine.
 *
 * @category timers
 * @since 0.1.0
 */
export const monotonicTime: Effect.Effect<number> = Effect.withFiber((fiber) =>
  Effect.succeed(monotonic(fiber.getRef(Clock.Clock))())
)

/**
 * Tells whether a message is a `CancelTimer`. No user message passes for one.
 *
 * @category guards
 * @since 0.1.0
 */
export const isCancelTimer: (u: unknown) => u is Signal.CancelTimer = Signal.isCancelTimer

const remaining = (timer: MessageTimer): Option.Option<number> =>
  timer.index < 0 ? Option.none() : Option.some(Math.max(Math.ceil(timer.deadline - timer.timers.now()), 0))
