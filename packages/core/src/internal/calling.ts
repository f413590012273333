/**
 * A call, written once for every behaviour: the effect that sends a request and waits for its answer.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as OtpError from "../OtpError.ts"
import { type Address, locate, locateNow, showAddress } from "./address.ts"
import * as AtOnce from "./atOnce.ts"
import { circle, waits } from "./circle.ts"
import { entryOf, tableOf } from "./current.ts"
import * as Deadline from "./deadline.ts"
import { deliverNow, takesNow } from "./lifecycle.ts"
import { alive, describe, type Entry, type ProcessTable, runQueueOf } from "./processTable.ts"
import { notSent, type Operation, Request } from "./request.ts"
import { ServerState } from "./serverState.ts"
import type { Telemetry } from "./telemetry.ts"
import { made, wanted } from "./where.ts"

export const speaks = (entry: Entry, protocol: object): boolean =>
  entry.state instanceof ServerState && entry.state.definition.protocol === protocol

// A call to a process that speaks another protocol would never be answered: it is refused at the door.
export const checkProtocol = (entry: Entry, address: Address, protocol: object, tag: string): void => {
  if (speaks(entry, protocol)) return
  const definition = entry.state instanceof ServerState ? entry.state.definition : undefined
  const what = definition === undefined ? "is no server" : `has the protocol of ${definition.name}`
  throw new TypeError(`${tag} is no request to ${showAddress(address)}: ${describe(entry)} ${what}`)
}

export interface Call extends Effect.Effect<unknown, unknown> {
  readonly address: Address
  readonly protocol: object
  readonly operation: Operation
  /** As the caller gives it: what is to be made of it is made when the request is sent. */
  readonly payload: unknown
}

/** Sends a request and waits for its answer. */
export const call: {
  (address: Address, protocol: object, operation: Operation, payload: unknown): Effect.Effect<unknown, unknown>
} = (address, protocol, operation, payload) =>
  wanted === 0 ? new Call(address, protocol, operation, payload) : made(new Call(address, protocol, operation, payload))

export const Call: {
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
    // What refuses a payload throws, which only an effect that is evaluated may do.
    if (operation.construct !== undefined) return AtOnce.notNow
    const entry = locateNow(address)
    const caller = entryOf(fiber)
    if (entry === undefined || !takesNow(entry, entry.runQueue) || !speaks(entry, this.protocol)) return AtOnce.notNow
    if ((entry.state as ServerState).telemetry !== undefined) return AtOnce.notNow
    if (entry.bounds?.isOpen === false) return AtOnce.notNow
    // A server that calls another may close a circle, which takes a look.
    if (caller !== undefined && waits(caller, fiber)) return AtOnce.notNow
    const request = new Request(operation, this.payload, address, entry.runQueue, fiber, caller, -1)
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
    const payload = payloadOf(this, fiber)
    const entry = locate(tableOf(fiber), address)
    if (entry === undefined || entry.status !== alive) {
      return Exit.fail(OtpError.callNoProcess(showAddress(address), operation.tag))
    }
    checkProtocol(entry, address, this.protocol, operation.tag)
    const { telemetry } = entry.state as ServerState
    return telemetry === undefined
      ? send(this, payload, fiber, entry, undefined)
      : sendObserved(this, payload, fiber, entry, telemetry)
  }
})

// By itself: a call that nobody observes would pay for the variables that the closures hold.
const sendObserved = (
  call: Call,
  payload: unknown,
  fiber: Fiber.Fiber<unknown, unknown>,
  entry: Entry,
  telemetry: Telemetry
): Effect.Effect<unknown, unknown> =>
  telemetry.call(
    call.operation.tag,
    (span) => send(call, payload, fiber, entry, (request) => telemetry.sent(request, span))
  )

/** Sends the request of a call, and waits for its answer unless it is there already. */
const send = (
  { address, operation }: Call,
  payload: unknown,
  fiber: Fiber.Fiber<unknown, unknown>,
  entry: Entry,
  sending: ((request: Request) => void) | undefined
): Effect.Effect<unknown, unknown> => {
  const caller = entryOf(fiber)
  const calling = caller !== undefined && waits(caller, fiber) ? caller : undefined
  if (calling !== undefined) {
    const chain = circle(calling, entry)
    if (chain !== undefined) {
      return Exit.fail(OtpError.callCallingSelf(showAddress(address), operation.tag, chain))
    }
  }
  const queue = runQueueOf(tableOf(fiber), fiber.cache.scheduler)
  const turn = calling === undefined ? -1 : (calling.state as ServerState).turn
  const request = new Request(operation, payload, address, queue, fiber, caller, turn)
  if (calling !== undefined) {
    const outer = Deadline.spent(calling, fiber)
    if (outer !== undefined) return Exit.fail(notSent(request, outer))
  }
  sending?.(request)
  if (!takesNow(entry, queue) || entry.bounds?.isOpen === false) return wait(fiber, request, entry)
  deliverNow(entry, request)
  return request.exit ?? wait(fiber, request, undefined)
}

export const payloadOf = ({ operation, payload }: Call, fiber: Fiber.Fiber<unknown, unknown>): unknown =>
  operation.construct === undefined ? payload : operation.construct(payload, fiber)

/** Suspends the caller until its request is done; delivers it first, unless it has been taken already. */
export const wait = (
  fiber: Fiber.Fiber<unknown, unknown>,
  request: Request,
  receiver: Entry | undefined
): Effect.Effect<unknown, unknown> => {
  const own = Deadline.timeoutOf(fiber, request.operation)
  // The fiber may yield before it suspends, so that only here is it known what has happened meanwhile.
  return Effect.callback((resume) => {
    if (request.exit === undefined && receiver !== undefined) request.post(receiver)
    // Answered, refused, or dropped.
    if (request.exit !== undefined) return resume(request.exit)
    request.resume = resume
    Deadline.limit(request, fiber, own, request.callerTurn < 0 ? undefined : Deadline.outerOf(request.caller, fiber))
    if (tableOf(fiber).tap !== undefined) tellOfWait(tableOf(fiber), request, receiver)
    // Who is interrupted takes back a request that is still queued: the server skips what is done.
    return Effect.sync(() => request.giveUp())
  })
}

// By itself: a call would pay for the variables that its closure holds.
const tellOfWait = (table: ProcessTable, request: Request, receiver: Entry | undefined): void =>
  table.tap?.({
    _tag: "Waits",
    wait: {
      what: `the answer to ${request}`,
      of: receiver ?? locate(table, request.address),
      isOver: () => request.isDone
    }
  })
