/**
 * Messages that are sent later, on Effect's Clock.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Types from "effect/Types"
import { type Destination, isActive, isAlias, ownerOf } from "./internal/alias.ts"
import { tableOf, timersOf } from "./internal/current.ts"
import * as FewSet from "./internal/fewSet.ts"
import * as Input from "./internal/input.ts"
import { ended, type Entry, type ProcessTable, type Watcher } from "./internal/processTable.ts"
import { resolve } from "./internal/resolve.ts"
import { guard } from "./internal/resolver.ts"
import { deliverTo } from "./internal/sending.ts"
import type * as Timers from "./internal/timers.ts"
import { isVia } from "./Name.ts"
import { isPid } from "./Pid.ts"

const TypeId = "~@effect-otp/core/Timer"

/**
 * A message that is on its way.
 *
 * @category models
 * @since 0.1.0
 */
export interface TimerRef {
  readonly [TypeId]: typeof TypeId
}

class MessageTimer implements Timers.Timer, TimerRef, Watcher {
  declare readonly [TypeId]: typeof TypeId
  deadline = 0
  sequence = 0
  index = -1
  readonly timers: Timers.Timers
  readonly table: ProcessTable
  readonly target: Destination<never, unknown>
  readonly message: unknown
  readonly every: number | undefined

  constructor(
    timers: Timers.Timers,
    table: ProcessTable,
    target: Destination<never, unknown>,
    message: unknown,
    every: number | undefined
  ) {
    this.timers = timers
    this.table = table
    this.target = target
    this.message = message
    this.every = every
  }

  fire(): void {
    deliverTo(this.table, this.target, this.message)
    if (this.every !== undefined && !isOver(this.target)) this.timers.start(this, this.every)
    else unwatch(this)
  }

  ended(): void {
    this.timers.cancel(this)
  }
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

const start = (
  target: Destination<never, unknown>,
  message: unknown,
  millis: number,
  every: number | undefined
): Effect.Effect<TimerRef> =>
  Effect.withFiber((fiber) => {
    const timers = timersOf(fiber)
    const table = tableOf(fiber)
    // What is no target is refused now, not when the time has come.
    if (!isAlias(target)) resolve(table, target)
    const aim = !isAlias(target) && isVia(target) ? guard(fiber.context, target) : target
    const timer = new MessageTimer(timers, table, aim, message, every)
    if (millis !== Infinity && watch(timer)) timers.start(timer, millis)
    return Effect.succeed(timer)
  })

/**
 * Sends a message once, after a delay. Mirrors Erlang's `erlang:send_after/3`.
 *
 * **When to use**
 *
 * Use it for a reminder that must arrive like any other message. To wait inside a body, `Effect.sleep` is simpler.
 *
 * **Details**
 *
 * The delay is counted on the Clock of the calling fiber, never less than asked for, and may be longer than 2^31 ms. The
 * timer outlives the process that set it and ends with the pid it is aimed at; a name is looked up when the time has come.
 * A negative delay is a defect.
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
export const sendAfter = <M, E = never>(
  target: Destination<M, E>,
  message: Types.NoInfer<M>,
  delay: Duration.Input
): Effect.Effect<TimerRef> => Effect.suspend(() => start(target, message, Input.millis("delay", delay), undefined))

/**
 * Sends a message again and again, the first time after one interval. Mirrors Erlang's `timer:send_interval/3`.
 *
 * **Details**
 *
 * An interval of zero is a defect. Everything else is as with {@link sendAfter}.
 *
 * @see {@link cancelTimer}
 * @category timers
 * @since 0.1.0
 */
export const sendInterval = <M, E = never>(
  target: Destination<M, E>,
  message: Types.NoInfer<M>,
  interval: Duration.Input
): Effect.Effect<TimerRef> =>
  Effect.suspend(() => {
    const every = Input.positiveMillis("interval", interval)
    return start(target, message, every, every)
  })

/**
 * Stops a timer, and gives the milliseconds that were left, or nothing if it had fired or was stopped before.
 *
 * **Details**
 *
 * Mirrors Erlang's `erlang:cancel_timer/1`. A message that has been sent already stays where it is. Anybody who has the
 * reference may cancel.
 *
 * @see {@link readTimer}
 * @category timers
 * @since 0.1.0
 */
export const cancelTimer = (ref: TimerRef): Effect.Effect<Option.Option<number>> =>
  Effect.sync(() => {
    const timer = ref as MessageTimer
    const left = remaining(timer)
    if (timer.timers.cancel(timer)) unwatch(timer)
    return left
  })

/**
 * The milliseconds until a timer fires, or nothing if it has fired or was stopped. Mirrors Erlang's `erlang:read_timer/1`.
 *
 * @see {@link cancelTimer}
 * @category timers
 * @since 0.1.0
 */
export const readTimer = (ref: TimerRef): Effect.Effect<Option.Option<number>> =>
  Effect.sync(() => remaining(ref as MessageTimer))

const remaining = (timer: MessageTimer): Option.Option<number> =>
  timer.index < 0 ? Option.none() : Option.some(Math.max(Math.ceil(timer.deadline - timer.timers.now()), 0))
