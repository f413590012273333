/**
 * Waiting for the end of a process, without a process to receive a Down.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as ExitReason from "../ExitReason.ts"
import { timersOf } from "./current.ts"
import * as FewSet from "./fewSet.ts"
import { later } from "./later.ts"
import { requestStop, sendExit } from "./lifecycle.ts"
import { alive, ended, type Entry, type Watcher } from "./processTable.ts"
import type { Wait } from "./tap.ts"
import type { Timer } from "./timers.ts"

/** Its name is free, and its links and monitors are told. */
export const awaitEnded = (entry: Entry): Effect.Effect<ExitReason.ExitReason> =>
  Effect.callback((resume) => {
    if (entry.status === ended) return resume(Effect.succeed(entry.reason!))
    const watcher: Watcher = {
      ended: (reason) => later(entry.runQueue, () => resume(Effect.succeed(reason)))
    }
    entry.watchers = FewSet.add<Watcher>(entry.watchers, watcher)
    entry.table.tap?.({ _tag: "Waits", wait: waits("the end", entry, "watchers", watcher) })
    return Effect.sync(() => {
      entry.watchers = FewSet.remove<Watcher>(entry.watchers, watcher)
    })
  })

const waits = (what: string, of: Entry, among: "watchers" | "closeWatchers", watcher: Watcher): Wait<Entry> => ({
  what,
  of,
  isOver: () => !FewSet.has<Watcher>(of[among], watcher)
})

/** Nothing of it runs any more; after a kill this can be later than its end. Answers whether it came to that in time. */
export const awaitClosed = (entry: Entry, millis: number): Effect.Effect<boolean> =>
  Effect.withFiber((fiber) => {
    return Effect.callback<boolean>((resume) => {
      if (entry.closed) return resume(Effect.succeed(true))
      const watcher: Watcher = {
        ended: () => {
          cancel()
          later(entry.runQueue, () => resume(Effect.succeed(true)))
        }
      }
      const stop = () => {
        entry.closeWatchers = FewSet.remove<Watcher>(entry.closeWatchers, watcher)
        cancel()
      }
      const cancel = after(fiber, millis, () => {
        stop()
        resume(Effect.succeed(false))
      })
      entry.closeWatchers = FewSet.add<Watcher>(entry.closeWatchers, watcher)
      entry.table.tap?.({ _tag: "Waits", wait: waits("the last finalizer", entry, "closeWatchers", watcher) })
      return Effect.sync(stop)
    })
  })

/**
 * For who has ended a process and would now wait: if nothing of it runs any more its end is told here, rather than in its
 * next turn. Only in a shared drain, since any other scheduler must decide the order itself. Answers whether it is closed.
 */
export const concludeNow = (entry: Entry): boolean => {
  // Its place in the queue remains, and finds a process that is closed.
  if (entry.status !== alive && entry.scheduled && entry.runQueue.isShared) entry.run()
  return entry.closed
}

/** Ends a process and waits until nothing of it runs: an ordered stop, and a kill when its time is over. */
export const endWithin = Effect.fnUntraced(function*(entry: Entry, millis: number) {
  const { outside } = entry.table
  if (entry.status === alive) requestStop(entry, outside, ExitReason.shutdown())
  if (yield* awaitClosed(entry, millis)) return
  sendExit(entry, outside, ExitReason.kill, "exit")
  yield* awaitClosed(entry, millis)
})

/** Runs `f` once after so many milliseconds on the clock of the fiber, and gives what cancels it. */
export const after = (fiber: Parameters<typeof timersOf>[0], millis: number, f: () => void): () => void => {
  if (millis === Infinity) return () => {}
  const timers = timersOf(fiber)
  const timer: Timer = { deadline: 0, sequence: 0, index: -1, fire: f }
  timers.start(timer, millis)
  return () => timers.cancel(timer)
}
