/**
 * Waiting, in a test, until nothing is left to do at this moment.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { tableOf } from "../internal/current.ts"
import { runQueueOf } from "../internal/processTable.ts"
import { hasLanes } from "../internal/runQueue.ts"

// A fiber that is not waiting for a message may need some turns before it sends one: to fork, to yield, to be resumed.
const quietTurns = 64

/**
 * Runs everything that can run without time passing: processes that have messages or signals, what they wake, and so on,
 * until all of them wait.
 *
 * **When to use**
 *
 * Use it before a test looks at what must *not* have happened, such as a message that must not arrive. For what must
 * happen, wait for it: receive the message, monitor the process, or use `Process.awaitExit`.
 *
 * **Details**
 *
 * It goes on as long as a process of the Node waits for its turn, and until that has not been so for 64 turns of the
 * scheduler. It does not move a clock: sleeps, timers and timeouts stay where they are.
 *
 * **Gotchas**
 *
 * It does not wait for I/O or promises of the outside, and never returns while two processes keep each other busy.
 *
 * **Example**
 *
 * ```ts
 * import { Process } from "@effect-otp/core"
 * import { settle } from "@effect-otp/core/testing"
 * import { Effect } from "effect"
 *
 * const seen: Array<number> = []
 * const program = Effect.gen(function*() {
 *   const pid = yield* Process.spawn((self: Process.Self<number>) =>
 *     Effect.forever(Effect.map(self.receive, (n) => seen.push(n)))
 *   )
 *   yield* Process.send(pid, 1)
 *   yield* Process.send(pid, 2)
 *   yield* settle
 *   return seen
 * })
 *
 * Effect.runPromise(program) // => [1, 2]
 * ```
 *
 * @category testing
 * @since 0.1.0
 */
export const settle: Effect.Effect<void> = Effect.withFiber((fiber) => {
  const { scheduler } = fiber.cache
  if (hasLanes(scheduler)) return scheduler.quiet
  const queue = runQueueOf(tableOf(fiber), scheduler)
  return untilQuiet(() => queue.isBusy())
})

const untilQuiet = Effect.fnUntraced(function*(isBusy: () => boolean) {
  for (let quiet = 0; quiet < quietTurns; quiet++) {
    yield* Effect.yieldNow
    if (isBusy()) quiet = 0
  }
})
