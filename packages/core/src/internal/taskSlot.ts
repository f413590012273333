/**
 * The place where a task leaves its answer for its owner, and the monitor that tells of its end.
 *
 * An answer goes to the slot and to whoever waits there, never through a mailbox that has to be scanned. It stays until it is
 * taken, so who is interrupted while it waits has lost nothing.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as ExitReason from "../ExitReason.ts"
import { taskAlreadyTaken } from "../OtpError.ts"
import { timersOf } from "./current.ts"
import * as FewSet from "./fewSet.ts"
import * as Input from "./input.ts"
import { later } from "./later.ts"
import { deliverSignal, demonitor, flush, flushExit, Monitor, watch } from "./lifecycle.ts"
import * as Mailbox from "./mailbox.ts"
import { alive, describe, ended, type Entry, type Origin } from "./processTable.ts"
import type { Body } from "./self.ts"
import * as Signal from "./signal.ts"
import type { Wait } from "./tap.ts"
import { type Answer, answerIn, resultOf, settledWith } from "./taskOutcome.ts"
import { type Start, startTask } from "./taskProcess.ts"
import type { Timer } from "./timers.ts"

/** Who waits for tasks, and is told of each of them once: when it has answered, or ended. */
interface Waiter {
  settled(slot: Slot): void
}

export class Slot extends Monitor {
  readonly shown: string
  /** The answer and the `Down` come into the mailbox of the owner, too. */
  readonly byMessage: boolean
  /** No `Exit` of the task is left in the mailbox of an owner who traps exits. */
  readonly quiet: boolean
  answer: Answer | undefined = undefined
  /** With which reason the process has ended. */
  reason: ExitReason.ExitReason | undefined = undefined
  /** The answer was taken or given up: whatever comes is dropped. */
  taken = false
  waiters: FewSet.FewSet<Waiter> = undefined

  constructor(owner: Entry, target: Entry | undefined, byMessage: boolean, quiet: boolean) {
    super(owner, target ?? owner, target ?? owner, "Down")
    this.shown = target === undefined ? "completed" : describe(target)
    this.byMessage = byMessage
    this.quiet = quiet
  }

  get isSettled(): boolean {
    return this.taken || this.answer !== undefined || this.reason !== undefined
  }

  get hasSucceeded(): boolean {
    return !this.taken && this.answer?._tag === "Success"
  }

  answered(answer: Answer): void {
    // What a process says that was told to end is no answer any more: its end is what counts.
    if (this.target.status !== alive) return
    this.answer = answer
    if (this.byMessage && !this.taken) deliverSignal(this.watcher, Signal.reply(this, resultOf(answer)))
    this.tell()
  }

  override ended(reason: ExitReason.ExitReason): void {
    this.reason = reason
    if (this.byMessage) super.ended(reason)
    else this.watcher.monitors = FewSet.remove(this.watcher.monitors, this)
    // Links were told just before, in the same turn: nobody has seen it.
    if (this.quiet) flushExit(this.watcher, this.target)
    this.tell()
  }

  tell(): void {
    const { waiters } = this
    this.waiters = undefined
    FewSet.forEach(waiters, (waiter) => waiter.settled(this))
  }

  /** Takes the answer, or the reason of the end. */
  take(): Answer {
    const { answer, reason, shown } = this
    return this.giveUp() ? settledWith(shown, answer, reason!) : Exit.fail(taskAlreadyTaken(shown))
  }

  /** Nothing comes any more, and what is in the mailbox is taken out. Tells whether there was something to give up. */
  giveUp(): boolean {
    if (this.taken) return false
    this.taken = true
    demonitor(this)
    return !this.byMessage || this.flush()
  }

  /** Takes what came by message out of the mailbox. What the owner has received already it must not be given again. */
  private flush(): boolean {
    const isIt = this.answer === undefined ? Signal.isDown : Signal.isReply
    const found = Mailbox.removeOldest(
      this.watcher,
      ({ kind, message }) => kind === Mailbox.signal && isIt(message) && message.ref === this
    )
    flush(this)
    return found !== undefined || (this.answer === undefined && this.reason === undefined)
  }
}

/** What a task does: an effect, or a body that makes one of its own mailbox. */
export type Work = Effect.Effect<unknown, unknown> | Body

/** How a task is started that answers. */
export interface Options extends Start {
  readonly byMessage: boolean
  readonly quiet: boolean
}

export const checkWork = (work: Work, what = "effect"): Work =>
  Input.check(what, "an Effect or a body", typeof work === "function" || Effect.isEffect(work), work)

/** Starts a task that answers to its owner. */
export const startSlot = (
  origin: Origin,
  owner: Entry,
  options: Options,
  work: Work
): Slot => {
  let slot!: Slot
  // The body does not run before the next turn, and the slot is watched until then.
  const entry = startTask(origin, options, (entry) => {
    slot = new Slot(owner, entry, options.byMessage, options.quiet)
    return answering(slot, work)
  })
  // A process that was killed, and whose finalizers still run, is told nothing: the link ends the task for its reason.
  if (owner.status === ended) slot.ended(owner.reason!)
  return watch(slot, entry)
}

const answering = (slot: Slot, work: Work): Body => (self) =>
  Effect.matchCauseEffect(typeof work === "function" ? Effect.suspend(() => work(self)) : work, {
    onSuccess: (value) => Effect.sync(() => slot.answered(Exit.succeed(value))),
    onFailure: (cause) => {
      const answer = answerIn(cause)
      return answer === undefined ? Effect.failCause(cause) : Effect.sync(() => slot.answered(answer))
    }
  })

/** A task without a process, which has answered before it began. */
export const completedSlot = (owner: Entry, answer: Answer): Slot => {
  const slot = new Slot(owner, undefined, false, false)
  slot.answer = answer
  return slot
}

const answerOf = (pending: ReadonlyArray<Slot>, waiter: Waiter): Wait<Entry> => ({
  what: "the answer of a task",
  of: pending[0].target,
  isOver: () => !pending.some(({ waiters }) => FewSet.has<Waiter>(waiters, waiter))
})

/**
 * Waits until `isEnough` says so of a task that has settled, or the time is over. It is asked once of each. Nothing is taken,
 * and if it is interrupted nobody is told any more.
 */
export const waitFor = (
  fiber: Fiber.Fiber<unknown, unknown>,
  slots: Iterable<Slot>,
  millis: number,
  isEnough: (slot: Slot) => boolean
): Effect.Effect<void> => {
  return Effect.callback<void>((resume) => {
    // Only here is it looked who has settled: before it comes here the fiber may yield, and nobody would tell it of what
    // has settled meanwhile.
    const pending: Array<Slot> = []
    let enough = false
    for (const slot of slots) {
      if (!slot.isSettled) pending.push(slot)
      else if (isEnough(slot)) enough = true
    }
    if (enough || pending.length === 0 || millis === 0) return resume(Effect.void)
    const timers = timersOf(fiber)
    const stop = () => {
      for (const slot of pending) slot.waiters = FewSet.remove<Waiter>(slot.waiters, waiter)
      timers.cancel(timer)
    }
    const goOn = () => {
      stop()
      later(pending[0].watcher.runQueue, () => resume(Effect.void))
    }
    const waiter: Waiter = {
      settled: (slot) => {
        if (isEnough(slot)) goOn()
      }
    }
    const timer: Timer = { deadline: 0, sequence: 0, index: -1, fire: goOn }
    for (const slot of pending) slot.waiters = FewSet.add<Waiter>(slot.waiters, waiter)
    if (millis !== Infinity) timers.start(timer, millis)
    pending[0].watcher.table.tap?.({ _tag: "Waits", wait: answerOf(pending, waiter) })
    return Effect.sync(stop)
  })
}
