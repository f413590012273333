/**
 * How a server ends: from within by `stop`, which runs `terminate`, or from outside by a signal. Both close the scope, tell
 * those who wait for an answer, and report what has crashed.
 *
 * @internal
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as ExitReason from "../ExitReason.ts"
import { type CrashDetails, reportCrash, reportFinalizer } from "./crashReport.ts"
import { conclude, unbound, wake } from "./lifecycle.ts"
import { ended, ending, type Entry } from "./processTable.ts"
import { Cast, Request } from "./request.ts"
import { runEffect } from "./serverEffect.ts"
import { Continue, endingOf, formatState, type ServerState } from "./serverState.ts"
import { loggedBy } from "./serverSystem.ts"
import { stopTimeout } from "./serverTimeout.ts"

export const crash = (entry: Entry, server: ServerState, cause: Cause.Cause<unknown>): false => {
  endingOf(server).crash = cause
  stop(entry, server, ExitReason.crashed(cause))
  return false
}

/** Ends the server from within: `terminate`, then the scope, then links and monitors. */
export const stop = (entry: Entry, server: ServerState, reason: ExitReason.ExitReason): void => {
  entry.status = ending
  entry.reason = reason
  unbound(entry)
  server.phase = "stopping"
  server.busy = true
  const how = endingOf(server)
  how.endsItself = true
  how.reports = ExitReason.isAbnormal(reason)
  server.telemetry?.end(how.crash === undefined ? server.current?.exit ?? Exit.void : Exit.failCause(how.crash))
  const terminate = server.definition.terminate
  if (terminate === undefined) return closeScope(entry, server)
  let result: unknown
  try {
    result = terminate(server.state, reason)
  } catch (defect) {
    return terminated(entry, server, Exit.die(defect))
  }
  runEffect(entry, server, result, (exit) => {
    terminated(entry, server, exit)
    return false
  })
}

const terminated = (entry: Entry, server: ServerState, exit: Exit.Exit<unknown, unknown>): void => {
  if (entry.status === ended) reportFinalizer(entry, exit)
  else if (exit._tag === "Failure") {
    const how = endingOf(server)
    how.crash = exit.cause
    how.reports = true
    server.lastMessage = new Terminating(server.lastMessage)
    entry.reason = ExitReason.crashed(exit.cause)
  }
  closeScope(entry, server)
}

/**
 * Ends the server by a signal: what runs is interrupted, `terminate` is not called, the scope closes. A callback that
 * exits is interrupted, too, but that is no signal: `terminate` is called.
 */
export const end = (entry: Entry, server: ServerState): void => {
  // After a kill nobody waits for what still runs, and nobody is answered.
  if (entry.status === ended) dropRequests(server, entry.reason!)
  // It ends itself, and only a kill cuts that short; this is a turn that it was given before.
  else if (server.phase === "stopping") return
  if (entry.fiber !== undefined && server.phase !== "closing") return entry.fiber.interruptUnsafe()
  // `terminate` and the scope take their own way to the end.
  if (server.phase !== "new" && server.phase !== "init" && server.phase !== "running") return
  if (server.ending?.exits === true && entry.status === ending) {
    if (server.phase === "running") return stop(entry, server, entry.reason!)
    server.ending.reports = ExitReason.isAbnormal(entry.reason!)
  }
  closeScope(entry, server)
}

export const closeScope = (entry: Entry, server: ServerState): void => {
  server.phase = "closing"
  stopTimeout(entry, server)
  // Who has not ended by itself was ended by a signal.
  server.telemetry?.end(Exit.interrupt())
  const crash = server.ending?.crash
  const exit = crash === undefined ? Exit.void : Exit.failCause(crash)
  const finalizers = server.scope === undefined ? undefined : Scope.closeUnsafe(server.scope, exit)
  if (finalizers === undefined) return finishServer(entry, server)
  Effect.runForkWith(server.context!)(Effect.uninterruptible(finalizers)).addObserver((exit) => {
    reportFinalizer(entry, exit)
    finishServer(entry, server)
  })
}

const finishServer = (entry: Entry, server: ServerState): void => {
  server.phase = "closed"
  // Who ends it by a signal goes on before anybody is told; who ends by itself has its own turn.
  if (server.ending?.endsItself === true) concludeServer(entry, server)
  else wake(entry)
}

export const concludeServer = (entry: Entry, server: ServerState): void => {
  const reason = entry.reason!
  server.ending?.afterTerminate?.()
  if (server.ending?.crash !== undefined) server.telemetry?.crashed()
  if (server.ending?.reports === true) reportCrash(entry, reason, () => detailsOf(server))
  conclude(entry)
  dropRequests(server, reason)
}

const dropRequests = (server: ServerState, reason: ExitReason.ExitReason): void => {
  server.deferred?.forEach((request) => request.dropped(reason))
  server.current?.dropped(reason)
}

const detailsOf = (server: ServerState): CrashDetails => {
  const { lastMessage } = server
  const starting = server.starter !== undefined
  return {
    during: starting ? "init" : duringOf(server, lastMessage),
    ...describeMessage(lastMessage),
    state: starting ? undefined : formatState(server.definition, server.state),
    log: loggedBy(server.system),
    requestTag: (node) => node instanceof Request || node instanceof Cast ? tagOf(node) : undefined
  }
}

// Who asks a server to stop with an abnormal reason does so between callbacks: it was in none then.
const duringOf = ({ current, definition, ending, state }: ServerState, lastMessage: unknown): string | undefined => {
  if (lastMessage instanceof Terminating) return "terminate"
  if (current !== undefined) return tagOf(current)
  if (ending?.crash === undefined) return undefined
  if (definition.during !== undefined) return definition.during(state)
  if (lastMessage instanceof Cast) return tagOf(lastMessage)
  return lastMessage instanceof Continue ? "continue" : "info"
}

const tagOf = (message: Request | Cast): string =>
  message instanceof Request ? `call ${message.operation.tag}` : `cast ${message.tag}`

/** Stands for the last message from when `terminate` has crashed. */
class Terminating {
  readonly lastMessage: unknown

  constructor(lastMessage: unknown) {
    this.lastMessage = lastMessage
  }
}

const describeMessage = (message: unknown): Pick<CrashDetails, "lastMessage" | "client"> => {
  if (message instanceof Terminating) return describeMessage(message.lastMessage)
  if (message instanceof Request) {
    return { lastMessage: { call: message.operation.tag, payload: message.message }, client: message.caller }
  }
  const lastMessage = message instanceof Cast ? { cast: message.tag, payload: message.message } : message
  return { lastMessage, client: undefined }
}
