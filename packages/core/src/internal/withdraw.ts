/**
 * Giving up the start of a server.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as ExitReason from "../ExitReason.ts"
import { beginEnding, requestStop, sendExit, unlink } from "./lifecycle.ts"
import { log } from "./log.ts"
import { describe, type Entry } from "./processTable.ts"
import type { ServerState } from "./serverState.ts"
import { awaitClosed } from "./wait.ts"

/** Kills what is started: nobody waits for it any more, and its end is not the parent's business. */
export const abandon = (entry: Entry, parent: Entry | undefined): void => {
  if (parent !== undefined) unlink(parent, entry)
  sendExit(entry, entry.table.outside, ExitReason.kill, "exit")
}

/**
 * Takes back a start whose starter is interrupted, and waits until nothing of it runs. A supervisor ends what it has
 * started in order, as a kill could not: that takes as long as its children are allowed to take.
 */
export const withdraw = (entry: Entry, server: ServerState, parent: Entry | undefined): Effect.Effect<void> => {
  if (!entry.isSupervisor) {
    abandon(entry, parent)
    return released(entry)
  }
  if (parent !== undefined) unlink(parent, entry)
  const { outside } = entry.table
  // A signal would be trapped, and wait in the mailbox until `init` has ended.
  if (server.phase === "running") requestStop(entry, outside, ExitReason.shutdown())
  else beginEnding(entry, ExitReason.shutdown())
  return Effect.asVoid(awaitClosed(entry, Infinity))
}

const releaseMillis = 5000

/** Nothing of a process that did not start runs any more; what takes too long is reported as leaked. */
export const released = (entry: Entry): Effect.Effect<void> =>
  Effect.map(awaitClosed(entry, releaseMillis), (closed) => {
    if (closed) return
    log(
      entry,
      "Error",
      () => ({ title: `${describe(entry)} did not start and was killed, and its finalizers still run: it leaks` })
    )
  })
