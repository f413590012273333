/**
 * The timeout of a step: how long a server waits for its next message before `info` is told.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Scheduler from "effect/Scheduler"
import { deliver } from "./lifecycle.ts"
import * as Mailbox from "./mailbox.ts"
import { type Entry, timersOf } from "./processTable.ts"
import { type ServerState, timeoutMessage } from "./serverState.ts"
import type { Timers } from "./timers.ts"

/** Waits for the next message, and for as long as the last step said. */
export const wait = (entry: Entry, server: ServerState): void => {
  entry.waiting = true
  const after = server.timeout
  if (after === undefined || after === Infinity || server.timer !== undefined) return
  // No time passes for who is suspended. When it goes on, the whole time begins anew.
  if (server.system?.suspended === true) return
  const fire = () => {
    server.timer = undefined
    // A message that came in the same instant was first.
    if (entry.length === 0) deliver(entry, { kind: Mailbox.timeout, message: timeoutMessage, next: undefined })
  }
  if (after === 0) return fire()
  server.timer = { deadline: 0, sequence: 0, index: -1, fire }
  serverTimers(entry).start(server.timer, after)
}

export const stopTimeout = (entry: Entry, server: ServerState): void => {
  server.timeout = undefined
  restartTimeout(entry, server)
}

/** Lets the whole time begin anew with the next wait. */
export const restartTimeout = (entry: Entry, server: ServerState): void => {
  if (server.timer === undefined) return
  serverTimers(entry).cancel(server.timer)
  server.timer = undefined
}

/** The timers of the clock that a server was started with. */
export const serverTimers = (entry: Entry): Timers =>
  timersOf(
    entry.table,
    Context.get(entry.context, Clock.Clock),
    Context.get(entry.context, Scheduler.Scheduler)
  )
