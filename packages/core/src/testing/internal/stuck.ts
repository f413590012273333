/**
 * Why a run does not come to its end: who waits for what.
 *
 * @internal
 */
import * as Data from "effect/Data"
import { tableOf } from "../../internal/current.ts"
import { alive, type Entry, type ProcessTable } from "../../internal/processTable.ts"
import type { Actor } from "./actors.ts"
import { actorOf } from "./actors.ts"
import type { Recorder } from "./recorder.ts"
import type { VirtualTime } from "./virtualTime.ts"

/**
 * Nothing can run any more, and the program has not ended.
 *
 * **Details**
 *
 * `waiting` says of everybody who waits for what, a line each. Where nothing but the time can go on, it says that, too: let
 * the program move the clock with `TestClock.adjust`, or give the option `time: "auto"`.
 *
 * @category errors
 * @since 0.1.0
 */
export class Deadlock extends Data.TaggedError("Deadlock")<{
  readonly waiting: ReadonlyArray<string>
}> {
  override get message(): string {
    return ["nothing can run any more, and the program has not ended", ...this.waiting].join("\n  - ")
  }
}

/**
 * A run took more steps than it may: most likely something goes on for ever.
 *
 * @category errors
 * @since 0.1.0
 */
export class TooManySteps extends Data.TaggedError("TooManySteps")<{
  readonly steps: number
}> {
  override get message(): string {
    return `the program has not ended after ${this.steps} steps; if it needs more, give the option maxSteps`
  }
}

/** Everybody who waits, with what is known of it; without a recorder that is little. */
export const reasonsOf = (
  table: ProcessTable,
  recorder: Recorder | undefined,
  time: VirtualTime
): ReadonlyArray<string> => {
  if (recorder === undefined) return []
  const reasons: Array<string> = []
  const known = new Set<Actor>()
  const titles = new Set<string>()
  const say = (actor: Actor, what: string) => {
    const title = recorder.titleOf(actor)
    known.add(actor)
    titles.add(title)
    reasons.push(`${title} ${what}`)
  }
  for (const { actor, wait } of recorder.waiting) {
    if (!wait.isOver()) {
      say(actor, `waits for ${wait.what}${wait.of === undefined ? "" : ` of ${recorder.titleOf(wait.of)}`}`)
    }
  }
  for (const { at, fiber } of time.sleepers) {
    // The timers of the Node sleep in a fiber that knows of no Node.
    const isTimer = fiber === undefined || tableOf(fiber) !== table
    if (at === Infinity) say(actorOf(fiber), "sleeps for ever")
    else if (isTimer) reasons.push(`a timer is set for ${at} ms, ${unmoved(time)}`)
    else say(actorOf(fiber), `sleeps until the clock shows ${at} ms, ${unmoved(time)}`)
  }
  for (let entry = table.first; entry !== undefined; entry = entry.next) {
    const what = known.has(entry) ? undefined : doing(entry)
    if (what !== undefined) say(entry, what)
  }
  if (!titles.has("test")) reasons.unshift("test waits for something that nobody does")
  return reasons
}

const unmoved = ({ now }: VirtualTime): string => `and nobody moves the clock, which shows ${now}`

/** What keeps a process that is not known to wait for anybody. A server that has nothing to do is left out. */
const doing = (entry: Entry): string | undefined => {
  if (entry.status !== alive) return "is ending, and has a finalizer that does not"
  if (entry.behaviour.isBusy !== undefined) {
    return entry.behaviour.isBusy(entry) ? "is within a callback that does not end" : undefined
  }
  return entry.waiting ? "waits for a message" : "waits for something that nobody does"
}
