/**
 * What an owner does with its tasks: wait for them, end them, give them up.
 *
 * All that waits takes nothing, and all that takes does it at once when the wait is over. So who is interrupted has taken all
 * that he was given, or nothing.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as ExitReason from "../ExitReason.ts"
import { taskExited, taskTimeout } from "../OtpError.ts"
import { unlink } from "./lifecycle.ts"
import { ended } from "./processTable.ts"
import { endTask } from "./taskEnd.ts"
import { type Answer, shutdownOutcome } from "./taskOutcome.ts"
import { type Slot, waitFor } from "./taskSlot.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

const always = () => true

export const await_ = (fiber: AnyFiber, slot: Slot, millis: number): Effect.Effect<unknown, unknown> =>
  Effect.flatMap(waitFor(fiber, [slot], millis, always), () => {
    if (slot.isSettled) return slot.take()
    slot.giveUp()
    return Exit.fail(taskTimeout(slot.shown, millis, false))
  })

export const awaitMany = (
  fiber: AnyFiber,
  slots: ReadonlyArray<Slot>,
  millis: number
): Effect.Effect<ReadonlyArray<unknown>, unknown> => {
  const unique = new Set(slots)
  let left = unique.size
  let failed: Slot | undefined
  const isEnough = (slot: Slot) => {
    if (!slot.hasSucceeded) failed ??= slot
    return --left === 0 || failed !== undefined
  }
  return Effect.flatMap(waitFor(fiber, unique, millis, isEnough), () => {
    const pending = [...unique].filter((slot) => !slot.isSettled)
    if (failed === undefined && pending.length === 0) {
      const answers = new Map(Array.from(unique, (slot) => [slot, slot.take()]))
      return Effect.all(slots.map((slot) => answers.get(slot)!))
    }
    const answer = failed?.take() ?? Exit.fail(taskTimeout(pending.map(({ shown }) => shown).join(", "), millis, false))
    unique.forEach((slot) => slot.giveUp())
    return answer as Exit.Exit<never, unknown>
  })
}

export const yield_ = (fiber: AnyFiber, slot: Slot, millis: number): Effect.Effect<Option.Option<Answer>> =>
  Effect.map(
    waitFor(fiber, [slot], millis, always),
    () => slot.isSettled ? Option.some(slot.take()) : Option.none()
  )

interface YieldMany {
  readonly timeout: number
  readonly onTimeout: "nothing" | "ignore" | "killTask"
  readonly limit: number
}

export const yieldMany = (
  fiber: AnyFiber,
  slots: ReadonlyArray<Slot>,
  { limit, onTimeout, timeout }: YieldMany
): Effect.Effect<ReadonlyArray<Option.Option<Answer>>> => {
  const unique = new Set(slots)
  const most = Math.min(limit, unique.size)
  const chosen = new Set<Slot>()
  const isEnough = (slot: Slot) => {
    if (chosen.size < most) chosen.add(slot)
    return chosen.size === most
  }
  return Effect.flatMap(waitFor(fiber, unique, timeout, isEnough), () => {
    const action = chosen.size === most ? "nothing" : onTimeout
    const outcome = (slot: Slot): Effect.Effect<Option.Option<Answer>> => {
      if (chosen.delete(slot)) return Effect.succeedSome(slot.take())
      if (action === "nothing" || slot.taken) return Effect.succeedNone
      return action === "killTask" ? end(slot, "brutalKill") : Effect.succeed(ignore(slot))
    }
    // All that are killed are killed at once, however long the finalizers of one of them take.
    return Effect.forEach(slots, outcome, { concurrency: action === "killTask" ? "unbounded" : 1 })
  })
}

export const end = (slot: Slot, timeout: number | "brutalKill"): Effect.Effect<Option.Option<Answer>> =>
  Effect.suspend(() => {
    const { shown, target, watcher } = slot
    // One that is completed has no process to end.
    if (target === watcher) return Effect.succeed(ignore(slot))
    if (slot.taken && target.status === ended) {
      return Effect.succeedSome(Exit.fail(taskExited(shown, ExitReason.noProcess)))
    }
    return Effect.map(endTask(watcher, target, timeout), (how) => {
      const { answer } = slot
      return shutdownOutcome(shown, slot.giveUp() ? answer : undefined, target.reason!, how)
    })
  })

/** The owner does not care for a task any more, which runs on by itself. Gives what is there. */
export const ignore = (slot: Slot): Option.Option<Answer> => {
  const answer = slot.isSettled && !slot.taken ? Option.some(slot.take()) : Option.none()
  slot.giveUp()
  unlink(slot.watcher, slot.target)
  return answer
}
