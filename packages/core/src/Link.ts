/**
 * Links: two processes that share their fate.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as ExitReason from "./ExitReason.ts"
import { type Current, type Receives, withEntry } from "./internal/current.ts"
import * as Input from "./internal/input.ts"
import * as lifecycle from "./internal/lifecycle.ts"
import { ended } from "./internal/processTable.ts"
import { entryOfPid } from "./internal/resolve.ts"
import type { Exit } from "./internal/signal.ts"
import { made } from "./internal/where.ts"
import * as OtpError from "./OtpError.ts"
import type { Pid } from "./Pid.ts"

/**
 * Links the calling process with another: when either ends abnormally, so does the other, unless it traps exits.
 *
 * **When to use**
 *
 * Use it where neither side makes sense without the other. To be told of an end without sharing it, monitor. To start and
 * link in one step, without a gap in which the child may end, use `Process.spawnLink`.
 *
 * **Details**
 *
 * Mirrors Erlang's `link/1`. Linking twice is one link, and linking oneself does nothing. A `Normal` end takes nobody along.
 *
 * A process that has ended cannot be linked: a caller that traps exits gets an `Exit` message with `NoProcess`, any other
 * fails with `NoProcess`. A process that is ending can; its real reason then arrives when it has ended.
 *
 * @see {@link unlink}
 * @category links
 * @since 0.1.0
 */
export const link = (pid: Pid<never, unknown>): Effect.Effect<void, OtpError.NoProcess, Current> =>
  made(withEntry((self) => {
    const other = entryOfPid(pid)
    if (other.status !== ended) {
      lifecycle.link(self, other)
      return Effect.void
    }
    if (!self.trapsExit) return Effect.fail(new OtpError.NoProcess())
    lifecycle.sendExit(self, other, ExitReason.noProcess, "link")
    return Effect.void
  }))

/**
 * Takes a link away. From then on no exit comes through it; an `Exit` message that is in the mailbox already stays.
 *
 * **Details**
 *
 * Mirrors Erlang's `unlink/1`. Without a link it does nothing.
 *
 * @see {@link link}
 * @category links
 * @since 0.1.0
 */
export const unlink = (pid: Pid<never, unknown>): Effect.Effect<void, never, Current> =>
  withEntry((self) => Effect.sync(() => lifecycle.unlink(self, entryOfPid(pid))))

/**
 * Says whether exit signals become `Process.Exit` messages in the mailbox of the calling process, and gives what it was
 * before.
 *
 * **When to use**
 *
 * Trap exits to outlive what you are linked to and to decide yourself. Supervisors do it for you; to watch one process
 * without being linked to it, monitor it.
 *
 * **Details**
 *
 * Mirrors `process_flag(trap_exit, …)`. Whether a signal is trapped is decided when it arrives: trapping later saves
 * nobody, and an `Exit` that is queued stays when trapping ends. `ExitReason.kill` cannot be trapped.
 *
 * @category links
 * @since 0.1.0
 */
export const trapExit = (trap: boolean): Effect.Effect<boolean, never, Current | Receives<Exit>> =>
  withEntry((self) =>
    Effect.sync(() => {
      const before = self.trapsExit
      self.trapsExit = Input.check("trap", "true or false", typeof trap === "boolean", trap)
      return before
    })
  )
