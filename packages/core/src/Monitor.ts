/**
 * Monitors: being told when another process ends.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { format } from "effect/Formatter"
import { type Current, type Receives, tableOf, withEntry } from "./internal/current.ts"
import * as lifecycle from "./internal/lifecycle.ts"
import { resolve } from "./internal/resolve.ts"
import type { Down, MonitorRef } from "./internal/signal.ts"
import { type AnyTarget, isName, isVia } from "./Name.ts"

/**
 * Watches another process: a `Process.Down` message arrives when it has ended, for whatever reason.
 *
 * **When to use**
 *
 * Use it to learn of an end without sharing it. It goes one way only, and several monitors of one process are several
 * messages. Outside a process, wait with `Process.awaitExit`.
 *
 * **Details**
 *
 * Mirrors Erlang's `monitor/2`. It never fails: a process that has ended, or a name that nobody holds, gives a `Down` with
 * `NoProcess` at once. The `Down` comes after every message that the process sent before it ended, and after its name is
 * free. The mailbox of the caller must declare `Process.Down`.
 *
 * **Example**
 *
 * ```ts
 * import { Process } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const watcher = (self: Process.Self<Process.Down>) =>
 *   Effect.gen(function*() {
 *     const child = yield* Process.spawn(() => Effect.void)
 *     yield* Process.monitor(child)
 *     const down = yield* self.receive
 *     return yield* Effect.log(`${down.target} ended: ${down.reason._tag}`)
 *   })
 *
 * Effect.runPromise(Effect.flatMap(Process.spawn(watcher), Process.awaitExit)).then((reason) => reason._tag) // => "Normal"
 * ```
 *
 * @see {@link demonitor}
 * @category monitors
 * @since 0.1.0
 */
export const monitor = (target: AnyTarget): Effect.Effect<MonitorRef, never, Current | Receives<Down>> =>
  withEntry((self, fiber) =>
    Effect.sync(() => {
      const shown = typeof target === "string"
        ? target
        : isName(target)
        ? target.name
        : isVia(target)
        ? `${target}`
        : target
      return lifecycle.monitor(self, resolve(tableOf(fiber), target), shown)
    })
  )

/**
 * Ends a monitor: no `Down` comes from it any more. Gives whether it was still active.
 *
 * **Details**
 *
 * Mirrors Erlang's `demonitor/2`. A `Down` that is in the mailbox already stays there, unless `flush` is true.
 *
 * @see {@link monitor}
 * @category monitors
 * @since 0.1.0
 */
export const demonitor = (
  ref: MonitorRef,
  options?: { readonly flush?: boolean | undefined }
): Effect.Effect<boolean, never, Current> =>
  Effect.sync(() => {
    if (!(ref instanceof lifecycle.Monitor)) {
      throw new TypeError(`ref: expected what Process.monitor gave, got ${format(ref)}`)
    }
    const active = lifecycle.demonitor(ref)
    if (options?.flush === true) lifecycle.flush(ref)
    return active
  })
