/**
 * Starting a child again: whether, when, and what is told of it. What the restart itself is, is up to the kind of supervisor.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Backoff } from "../ChildSpec.ts"
import * as ExitReason from "../ExitReason.ts"
import * as OtpError from "../OtpError.ts"
import * as Step from "../Step.ts"
import type { Child, Parent, StartFailure } from "./childRuntime.ts"
import * as FewSet from "./fewSet.ts"
import { deliver } from "./lifecycle.ts"
import * as Mailbox from "./mailbox.ts"
import { describe, ended, type Entry, type Watcher } from "./processTable.ts"
import * as RestartIntensity from "./restartIntensity.ts"
import { reportGaveUp, reportNotStarted, reportRestart } from "./supervisorReport.ts"
import type { Timer, Timers } from "./timers.ts"

/** A supervisor, as far as its restarts go. */
export interface Restarting extends Parent {
  readonly tree: { readonly intensity: RestartIntensity.Intensity; readonly backoff: Backoff | undefined }
  readonly timers: Timers
  readonly history: RestartIntensity.History
}

/** What becomes of the supervisor itself when it has handled an exit. */
export type Next<S> = Step.Cast<S, never>

/** How a kind of supervisor starts a child again, and whoever goes with it. */
export type Restart<S, C extends Child> = (state: S, child: C) => Next<S> | Effect.Effect<Next<S>>

/**
 * What a supervisor sends to itself when a child is due to be started again. Until then it is a timer, which the supervisor
 * holds as a watcher of its own: one that is killed runs no code to take it back.
 */
export class TryRestart implements Timer, Watcher {
  readonly supervisor: Entry
  readonly timers: Timers
  readonly child: Child
  /** It has failed to start, and this is one more restart; not so when a backoff is over. */
  readonly counts: boolean
  /** When it is due, by the clock of the supervisor. */
  readonly at: number
  deadline = 0
  sequence = 0
  index = -1

  constructor({ self, timers }: Restarting, child: Child, counts: boolean, delay: number) {
    this.supervisor = self
    this.timers = timers
    this.child = child
    this.counts = counts
    this.at = timers.now() + delay
  }

  start(delay: number): void {
    const { supervisor } = this
    if (supervisor.status === ended) return
    supervisor.watchers = FewSet.add<Watcher>(supervisor.watchers, this)
    this.timers.start(this, delay)
  }

  fire(): void {
    this.unwatch()
    this.deliver()
  }

  cancel(): void {
    if (this.timers.cancel(this)) this.unwatch()
  }

  ended(): void {
    this.timers.cancel(this)
  }

  deliver(): void {
    deliver(this.supervisor, { kind: Mailbox.user, message: this, next: undefined })
  }

  unwatch(): void {
    this.supervisor.watchers = FewSet.remove<Watcher>(this.supervisor.watchers, this)
  }
}

// Nearly every restart is of one child and without a backoff: no more than its start is an Effect then.
export const onRestart = <S extends Restarting, C extends Child>(
  state: S,
  child: C,
  restart: Restart<S, C>
): Next<S> | Effect.Effect<Next<S>> => {
  const now = state.timers.now()
  if (!RestartIntensity.record(state.history, state.tree.intensity, now)) {
    const { maxRestarts, withinMillis } = state.tree.intensity
    return giveUp(state, child, `the limit is ${maxRestarts} restarts within ${withinMillis} ms`)
  }
  const schedule = backoffOf(state, child)
  return schedule === undefined
    ? restartAfter(state, child, 0, restart)
    : Effect.flatMap(nextDelay(state, child, schedule, now), (delay) => {
      const next = delay === undefined
        ? giveUp(state, child, "its backoff is over")
        : restartAfter(state, child, delay, restart)
      return Effect.isEffect(next) ? next : Effect.succeed(next)
    })
}

export const backoffOf = ({ tree }: Restarting, { spec }: Child): Backoff | undefined => spec.backoff ?? tree.backoff

const restartAfter = <S extends Restarting, C extends Child>(
  state: S,
  child: C,
  delay: number,
  restart: Restart<S, C>
): Next<S> | Effect.Effect<Next<S>> => {
  reportRestart(state.self, child, delay, state)
  if (delay === 0) return restart(state, child)
  tryAgain(state, child, delay, false)
  return Step.noReply(state)
}

const giveUp = <S extends Restarting>(state: S, child: Child, why: string): Next<S> => {
  reportGaveUp(state.self, child, why, state)
  givenUp.set(state.self, { id: child.spec.id, reason: child.reason, why })
  return Step.stop(ExitReason.shutdown(), state)
}

// Its exit reason is `Shutdown`, as in OTP, and says nothing of this.
export const givenUp = new WeakMap<Entry, OtpError.GaveUp["child"] & {}>()

/** Whether a supervisor has given up, rather than been stopped. */
export const hasGivenUp = (supervisor: Entry): boolean => givenUp.has(supervisor)

/** That a supervisor has ended, with all that is known about it. */
export const gaveUp = (supervisor: Entry, reason: ExitReason.ExitReason): OtpError.GaveUp => {
  const child = givenUp.get(supervisor)
  const error = { supervisor: describe(supervisor), reason, ...(child && { child }) }
  return new OtpError.GaveUp(
    child?.reason._tag === "Crashed" ? { ...error, cause: Cause.squash(child.reason.cause) } : error
  )
}

/** Steps the backoff of a child, from its beginning when the child has been up for longer than the intensity looks back. */
const nextDelay = Effect.fnUntraced(function*(state: Restarting, child: Child, schedule: Backoff, now: number) {
  if (child.backoff === undefined || now - child.startedAt > state.tree.intensity.withinMillis) {
    const step = yield* Schedule.toStep(schedule)
    child.backoff = (now, reason) =>
      Effect.match(step(now, reason), {
        onFailure: () => undefined,
        onSuccess: ([, delay]) => Duration.toMillis(delay)
      })
  }
  return yield* child.backoff(now, child.reason)
})

/** Sends the supervisor a reminder, now or later: until then other messages have their turn. */
export const tryAgain = (state: Restarting, child: Child, delay: number, counts: boolean): void => {
  const message = new TryRestart(state, child, counts, delay)
  child.restarting = message
  if (delay > 0) message.start(delay)
  else message.deliver()
}

/** A reminder has come. The child may have been terminated, or restarted with its group, in the meantime. */
export const onTryRestart = <S extends Restarting, C extends Child>(
  state: S,
  message: TryRestart,
  restart: Restart<S, C>
): Next<S> | Effect.Effect<Next<S>> => {
  if (message.child.restarting !== message) return Step.noReply(state)
  // Each kind of supervisor reminds itself of children of its own kind.
  const child = message.child as C
  return message.counts ? onRestart(state, child, restart) : restart(state, child)
}

export const startedAgain = (state: Restarting, child: Child, error: StartFailure): boolean => {
  child.startedAt = state.timers.now()
  if (error !== undefined) reportNotStarted(state.self, child, error, true)
  else child.restarts++
  return error === undefined
}
