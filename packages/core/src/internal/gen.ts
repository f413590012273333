/**
 * What every behaviour shares: calling, casting and stopping. A call is written once, here.
 *
 * @internal
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as ExitReason from "../ExitReason.ts"
import * as OtpError from "../OtpError.ts"
import { type Address, locate, locateNow, showAddress } from "./address.ts"
import * as AtOnce from "./atOnce.ts"
import { entryOf, tableOf, timersOf } from "./current.ts"
import * as Input from "./input.ts"
import { deliver, deliverNow, requestStop, takesNow } from "./lifecycle.ts"
import { alive, describe, ended, type Entry, runQueueOf } from "./processTable.ts"
import { Cast, type Operation, Request, TimeLimit } from "./request.ts"
import { sendBounded } from "./sending.ts"
import { ServerState } from "./serverState.ts"
import { awaitEnded } from "./wait.ts"

// ----------------------------------------------------------------------------
// addressing
// ----------------------------------------------------------------------------

const speaks = (entry: Entry, protocol: object): boolean =>
  entry.state instanceof ServerState && entry.state.definition.protocol === protocol

// A call to a process that speaks another protocol would never be answered: it is refused at the door.
const checkProtocol = (entry: Entry, address: Address, protocol: object, tag: string): void => {
  if (speaks(entry, protocol)) return
  const definition = entry.state instanceof ServerState ? entry.state.definition : undefined
  const what = definition === undefined ? "is no server" : `has the protocol of ${definition.name}`
  throw new TypeError(`${tag} is no request to ${showAddress(address)}: ${describe(entry)} ${what}`)
}

// ----------------------------------------------------------------------------
// call and cast
// ----------------------------------------------------------------------------

/** How long a call waits for its answer. */
export const CallTimeout = Context.Reference<Duration.Input>("@effect-otp/core/GenServer/CallTimeout", {
  defaultValue: () => "5 seconds"
})

interface Call extends Effect.Effect<unknown, unknown> {
  readonly address: Address
  readonly protocol: object
  readonly operation: Operation
  readonly payload: unknown
}

/** Sends a request and waits for its answer. */
export const call: {
  (address: Address, protocol: object, operation: Operation, payload: unknown): Effect.Effect<unknown, unknown>
} = (address, protocol, operation, payload) => new Call(address, protocol, operation, payload)

const Call: {
  new(address: Address, protocol: object, operation: Operation, payload: unknown): Call
} = function(
  this: { -readonly [K in "address" | "protocol" | "operation" | "payload"]: Call[K] },
  address: Address,
  protocol: object,
  operation: Operation,
  payload: unknown
) {
  this.address = address
  this.protocol = protocol
  this.operation = operation
  this.payload = payload
} as never
Call.prototype = AtOnce.Prototype<Call>({
  label: "GenServer.call",
  now(fiber) {
    // A handler may take long, and its caller must yield in time.
    if (!AtOnce.isCounted) return AtOnce.notNow
    const { address, operation } = this
    const entry = locateNow(address)
    const caller = entryOf(fiber)
    if (entry === undefined || !takesNow(entry, entry.runQueue) || !speaks(entry, this.protocol)) return AtOnce.notNow
    if (entry.bounds?.isOpen === false) return AtOnce.notNow
    // A server that calls another may close a circle, which takes a look.
    if (caller !== undefined && waits(caller, fiber)) return AtOnce.notNow
    const request = new Request(operation, this.payload, address, entry.runQueue, caller, -1)
    deliverNow(entry, request)
    const { exit } = request
    if (exit === undefined) return new AtOnce.Then(wait(fiber, request, undefined))
    // A handler that has ended its caller: evaluating anything stops it.
    if (exit._tag === "Failure" || (caller !== undefined && caller.status !== alive)) {
      return new AtOnce.Then(Effect.suspend(() => exit))
    }
    return exit.value
  },
  evaluate(fiber) {
    const { address, operation } = this
    const table = tableOf(fiber)
    const entry = locate(table, address)
    if (entry === undefined || entry.status !== alive) {
      return Exit.fail(OtpError.callNoProcess(showAddress(address), operation.tag))
    }
    checkProtocol(entry, address, this.protocol, operation.tag)
    const caller = entryOf(fiber)
    const calling = caller !== undefined && waits(caller, fiber) ? caller : undefined
    if (calling !== undefined) {
      const chain = circle(calling, entry)
      if (chain !== undefined) {
        return Exit.fail(OtpError.callCallingSelf(showAddress(address), operation.tag, chain))
      }
    }
    const queue = runQueueOf(table, fiber.cache.scheduler)
    const turn = calling === undefined ? -1 : (calling.state as ServerState).turn
    const request = new Request(operation, this.payload, address, queue, caller, turn)
    if (!takesNow(entry, queue) || entry.bounds?.isOpen === false) return wait(fiber, request, entry)
    deliverNow(entry, request)
    return request.exit ?? wait(fiber, request, undefined)
  }
})

/** Suspends the caller until its request is done; delivers it first, unless it has been taken already. */
export const wait = (
  fiber: Fiber.Fiber<unknown, unknown>,
  request: Request,
  receiver: Entry | undefined
): Effect.Effect<unknown, unknown> => {
  const after = timeoutOf(fiber)
  // The fiber may yield before it suspends, so that only here is it known what has happened meanwhile.
  return Effect.callback((resume) => {
    if (request.exit !== undefined) return resume(request.exit)
    if (receiver !== undefined) {
      if (receiver.bounds !== undefined) request.offer(receiver, receiver.bounds)
      else if (!deliver(receiver, request)) {
        return resume(Exit.fail(OtpError.callNoProcess(showAddress(request.address), request.operation.tag)))
      }
      // Refused, or dropped.
      if (request.exit !== undefined) return resume(request.exit)
    }
    request.resume = resume
    if (after !== Infinity) request.limit = new TimeLimit(request, timersOf(fiber), after)
    // Who is interrupted takes back a request that is still queued: the server skips what is done.
    return Effect.sync(() => request.giveUp())
  })
}

/**
 * Whether a server waits for what this fiber waits for: it does if the fiber belongs to the callback that runs, and not if
 * an earlier callback left it in the background.
 */
export const waits = (caller: Entry, fiber: Fiber.Fiber<unknown, unknown>): boolean =>
  caller.state instanceof ServerState && caller.state.busy &&
  (caller.fiber === undefined || fiber.id >= caller.fiber.id)

const defaultTimeout = 5000

const timeoutOf = (fiber: Fiber.Fiber<unknown, unknown>): number => {
  const timeout = Context.getOrUndefined(fiber.context, CallTimeout)
  return timeout === undefined ? defaultTimeout : Input.millis("CallTimeout", timeout)
}

// A longer circle is left to the timeout: a chain of n servers that call each other must not cost n * n.
const longestCircle = 100

/** The circle that a call from `caller` to `target` would close, if it would. */
export const circle = (caller: Entry, target: Entry): ReadonlyArray<string> | undefined => {
  let entry: Entry | undefined = caller
  for (let left = longestCircle; left > 0 && entry !== undefined; left--) {
    if (entry === target) return chainOf(caller, target)
    entry = callerOf(entry)
  }
  return undefined
}

/**
 * Which server waits for this one, as far as can be told from the call that it is handling. A caller that has gone on to
 * another turn since then does not wait.
 */
const callerOf = (entry: Entry): Entry | undefined => {
  const request = (entry.state as ServerState).current
  const waiting = request?.caller
  if (waiting === undefined || request!.isDone || !(waiting.state instanceof ServerState)) return undefined
  return waiting.state.busy && waiting.state.turn === request!.callerTurn ? waiting : undefined
}

const chainOf = (caller: Entry, target: Entry): ReadonlyArray<string> => {
  const chain = [describe(target)]
  for (let entry = caller; entry !== target; entry = callerOf(entry)!) chain.unshift(describe(entry))
  return [describe(target), ...chain]
}

/** Sends a request without an answer; to nobody, nothing happens. */
export const cast: {
  (address: Address, protocol: object, tag: string, payload: unknown): Effect.Effect<void, OtpError.MailboxFull>
} = (address, protocol, tag, payload) => new SendCast(address, protocol, tag, payload)

interface SendCast extends Effect.Effect<void, OtpError.MailboxFull> {
  readonly address: Address
  readonly protocol: object
  readonly tag: string
  readonly payload: unknown
}

const SendCast: { new(address: Address, protocol: object, tag: string, payload: unknown): SendCast } = function(
  this: { -readonly [K in "address" | "protocol" | "tag" | "payload"]: SendCast[K] },
  address: Address,
  protocol: object,
  tag: string,
  payload: unknown
) {
  this.address = address
  this.protocol = protocol
  this.tag = tag
  this.payload = payload
} as never
SendCast.prototype = AtOnce.Prototype<SendCast>({
  label: "GenServer.cast",
  now() {
    const entry = locateNow(this.address)
    if (entry === undefined || entry.bounds !== undefined || !speaks(entry, this.protocol)) return AtOnce.notNow
    deliver(entry, new Cast(this.tag, this.payload))
    return undefined
  },
  evaluate(fiber) {
    const entry = locate(tableOf(fiber), this.address)
    if (entry === undefined || entry.status !== alive) return Effect.void
    checkProtocol(entry, this.address, this.protocol, this.tag)
    const request = new Cast(this.tag, this.payload)
    if (entry.bounds !== undefined) {
      return sendBounded(fiber, entry, entry.bounds, request, () => showAddress(this.address))
    }
    deliver(entry, request)
    return Effect.void
  }
})

// ----------------------------------------------------------------------------
// stop
// ----------------------------------------------------------------------------

/** Asks a process to stop and waits until it has; fails if it ends for another reason. */
export const stop = (
  address: Address,
  options: { readonly reason?: ExitReason.ExitReason | undefined; readonly timeout?: Duration.Input | undefined } = {}
): Effect.Effect<void, OtpError.CallError> =>
  Effect.withFiber((fiber) => {
    const shown = showAddress(address)
    const table = tableOf(fiber)
    const entry = locate(table, address)
    const reason = Input.exitReason("reason", options.reason ?? ExitReason.normal)
    const timeout = options.timeout === undefined ? Infinity : Input.millis("timeout", options.timeout)
    const self = entryOf(fiber)
    if (entry === undefined || entry.status === ended) return Effect.fail(OtpError.callNoProcess(shown, "stop"))
    if (entry === self) {
      return Effect.fail(OtpError.callCallingSelf(shown, "stop", [describe(entry), describe(entry)]))
    }
    requestStop(entry, self ?? table.outside, reason)
    const ending = Effect.flatMap(awaitEnded(entry), (actual) =>
      Equal.equals(actual, reason)
        ? Effect.void
        : Effect.fail(OtpError.callServerExited(shown, "stop", actual)))
    return timeout === Infinity
      ? ending
      : Effect.timeoutOrElse(ending, {
        duration: timeout,
        orElse: () => Effect.fail(OtpError.callTimeout(shown, "stop", timeout))
      })
  })
