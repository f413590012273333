/**
 * How an owner ends a task, and waits until nothing of it runs.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as ExitReason from "../ExitReason.ts"
import { sendExit, unlink } from "./lifecycle.ts"
import { log } from "./log.ts"
import { describe, type Entry } from "./processTable.ts"
import type { How } from "./taskOutcome.ts"
import { awaitClosed } from "./wait.ts"

/** How long the finalizers of a task that was killed may take. */
const releaseMillis = 5000

/**
 * Ends a task, and gives how. The link goes first: its end is not the business of its owner, who may trap exits. Whoever is
 * interrupted while he waits for an ordered end kills it, since nobody else would.
 */
export const endTask = (owner: Entry, task: Entry, millis: number | "brutalKill"): Effect.Effect<How> =>
  Effect.suspend(() => {
    if (millis === "brutalKill") return Effect.as(killTask(owner, task), "brutalKill")
    unlink(owner, task)
    sendExit(task, owner, ExitReason.shutdown(), "exit")
    return awaitClosed(task, millis).pipe(
      Effect.onInterrupt(() => killTask(owner, task)),
      Effect.flatMap((closed) =>
        closed ? Effect.succeed<How>("shutdown") : Effect.as(killTask(owner, task), "timeoutKill")
      )
    )
  })

/** Kills a task, to which the owner is linked no more. */
export const sendKill = (owner: Entry, task: Entry): void => {
  unlink(owner, task)
  sendExit(task, owner, ExitReason.kill, "exit")
}

const killTask = (owner: Entry, task: Entry): Effect.Effect<void> =>
  Effect.suspend(() => {
    sendKill(owner, task)
    return Effect.map(awaitClosed(task, releaseMillis), (closed) => {
      if (closed) return
      log(
        owner,
        "Error",
        () => ({ title: `task ${describe(task)} was killed, and its finalizers still run: it leaks` })
      )
    })
  })
