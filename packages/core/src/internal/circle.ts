/**
 * Who waits for whom, as far as can be told from the requests themselves: what finds servers that wait for each other.
 *
 * @internal
 */
import type * as Fiber from "effect/Fiber"
import * as Mailbox from "./mailbox.ts"
import { describe, type Entry } from "./processTable.ts"
import type { Request } from "./request.ts"
import { ServerState } from "./serverState.ts"

/**
 * Whether a server waits for what this fiber waits for: it does if the fiber belongs to the callback that runs, and not if
 * an earlier callback left it in the background.
 */
export const waits = (caller: Entry, fiber: Fiber.Fiber<unknown, unknown>): boolean =>
  caller.state instanceof ServerState && caller.state.busy &&
  (caller.fiber === undefined || fiber.id >= caller.fiber.id)

// A longer circle is left to the timeout: a chain of n servers that call each other must not cost n * n.
const longestCircle = 100

/** The circle that a call from `caller` to `target` would close, if it would: its names, from the target to itself. */
export const circle = (caller: Entry, target: Entry): ReadonlyArray<string> | undefined =>
  waitsFor(target, caller) ? [...path(target, caller), describe(target)] : undefined

/**
 * The circle that `caller` would close by waiting for a request that it has sent to `target` before: by now that one may
 * wait, through others, for a request that is in the mailbox of `caller`.
 */
export const circleOfSent = (caller: Entry, target: Entry): ReadonlyArray<string> | undefined => {
  const direct = circle(caller, target)
  if (direct !== undefined) return direct
  let node = caller.head
  for (let left = longestCircle; left > 0 && node !== undefined; left--) {
    const last = node.kind === Mailbox.call ? waitingFor(node as Request) : undefined
    if (last !== undefined && waitsFor(target, last)) {
      return [describe(caller), ...path(target, last), describe(caller)]
    }
    node = node.next
  }
  return undefined
}

/** Whether `first` waits for `last`, directly or through others, or is the same. */
const waitsFor = (first: Entry, last: Entry): boolean => {
  let entry: Entry | undefined = last
  for (let left = longestCircle; left > 0 && entry !== undefined; left--) {
    if (entry === first) return true
    entry = callerOf(entry)
  }
  return false
}

/** The names from `first` to `last`, of which each waits for the next. */
const path = (first: Entry, last: Entry): ReadonlyArray<string> => {
  const names = [describe(last)]
  for (let entry = last; entry !== first;) names.unshift(describe(entry = callerOf(entry)!))
  return names
}

/**
 * Which server waits for this one, as far as can be told from the call that it is handling. A caller that has gone on to
 * another turn since then does not wait.
 */
const callerOf = (entry: Entry): Entry | undefined => {
  const request = entry.state instanceof ServerState ? entry.state.current : undefined
  return request === undefined ? undefined : waitingFor(request)
}

/** The server whose callback waits for a request. */
const waitingFor = (request: Request): Entry | undefined => {
  const { caller, callerTurn } = request
  if (caller === undefined || request.isDone || !(caller.state instanceof ServerState)) return undefined
  return caller.state.busy && caller.state.turn === callerTurn ? caller : undefined
}
