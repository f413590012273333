/**
 * How long a call waits: as long as it is told to, and no longer than the call has left in whose handler it is made.
 *
 * What is left is worked out where a nested call has to wait or would come too late; any other call pays nothing for it.
 *
 * @internal
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Fiber from "effect/Fiber"
import { waits } from "./circle.ts"
import { entryOf, timersOf } from "./current.ts"
import * as Input from "./input.ts"
import type { Entry } from "./processTable.ts"
import { InheritedLimit, type Operation, type Request, TimeLimit } from "./request.ts"
import { ServerState } from "./serverState.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

/** How long a call waits for its answer. */
export const CallTimeout = Context.Reference<Duration.Input>("@effect-otp/core/GenServer/CallTimeout", {
  defaultValue: () => "5 seconds"
})

/** Whether a call waits no longer than the call has left in whose handler it is made. */
export const InheritDeadline = Context.Reference<boolean>("@effect-otp/core/GenServer/InheritDeadline", {
  defaultValue: () => true
})

const defaultTimeout = 5000

/** How long a call of this fiber waits by itself, in milliseconds. */
export const timeoutOf = (fiber: AnyFiber, operation: Pick<Operation, "timeout">): number => {
  const timeout = Context.getOrUndefined(fiber.context, CallTimeout)
  return timeout === undefined ? operation.timeout ?? defaultTimeout : Input.millis("CallTimeout", timeout)
}

/** The server in whose callback a fiber runs, if that waits for it. */
export const callingServer = (fiber: AnyFiber): Entry | undefined => {
  const caller = entryOf(fiber)
  return caller !== undefined && waits(caller, fiber) ? caller : undefined
}

/**
 * The call in whose handler another one is made: the server waits for it, and has not answered. What a server does after
 * its answer, in `terminate` or for a cast is not done for a caller.
 */
export const outerOf = (calling: Entry | undefined, fiber: AnyFiber): Request | undefined => {
  if (calling === undefined || !(calling.state instanceof ServerState)) return undefined
  const { current, phase } = calling.state
  if (current === undefined || current.isAnswered || phase !== "running") return undefined
  return Context.getOrUndefined(fiber.context, InheritDeadline) === false ? undefined : current
}

/** The call whose time is over, if that is what a call that its handler makes now would be given. */
export const spent = (calling: Entry, fiber: AnyFiber): Request | undefined => {
  const limit = (calling.state as ServerState).current?.limit
  return limit === undefined || limit.left() > 0 ? undefined : outerOf(calling, fiber)
}

/** How much a call has left for what its handler does. */
export const leftOf = (outer: Request | undefined): number => {
  if (outer === undefined) return Infinity
  limitOuter(outer)
  return outer.limit === undefined ? Infinity : outer.limit.left()
}

/**
 * Begins the time of a request: `own` milliseconds, or what is left of `outer`. The limit of that one is set first, even if
 * its caller has not come to wait yet: of two that end together, the outer one is told first.
 */
export const limit = (request: Request, fiber: AnyFiber, own: number, outer: Request | undefined): void => {
  if (request.limit !== undefined) return
  // Known from here on, also if it is without end: it is not worked out again by each call of a long chain.
  request.fiber = undefined
  const rest = leftOf(outer)
  if (own === Infinity && rest === Infinity) return
  const timers = timersOf(fiber)
  if (own <= rest) {
    request.limit = new TimeLimit(request, timers, own, timers.now() + own)
  } else {
    // The very same point in time, not one that is worked out again.
    const { deadline, timers: theirs } = outer!.limit!
    const until = theirs === timers ? deadline : timers.now() + rest
    request.limit = new InheritedLimit(request, timers, rest, until, outer!)
  }
}

/** Begins the time of a call that is answered, or not, in the turn of its caller, who has not come to wait for it. */
const limitOuter = (request: Request): void => {
  const { fiber } = request
  if (request.limit !== undefined || fiber === undefined) return
  let own: number
  try {
    own = timeoutOf(fiber, request.operation)
  } catch {
    // The defect of that caller, who is told of it as soon as it waits.
    return
  }
  limit(request, fiber, own, request.callerTurn < 0 ? undefined : outerOf(request.caller, fiber))
}
