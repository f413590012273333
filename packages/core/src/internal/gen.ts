/**
 * What every behaviour shares: calling, casting and stopping.
 *
 * @internal
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as ExitReason from "../ExitReason.ts"
import * as OtpError from "../OtpError.ts"
import { type Address, locate, locateNow, showAddress } from "./address.ts"
import * as AtOnce from "./atOnce.ts"
import { checkProtocol, speaks } from "./calling.ts"
import { entryOf, tableOf } from "./current.ts"
import * as Input from "./input.ts"
import { deliver, requestStop } from "./lifecycle.ts"
import { alive, describe, ended } from "./processTable.ts"
import { Cast } from "./request.ts"
import { sendBounded } from "./sending.ts"
import type { ServerState } from "./serverState.ts"
import { awaitEnded } from "./wait.ts"
import { made } from "./where.ts"

export { call } from "./calling.ts"
export { CallTimeout } from "./deadline.ts"

// ----------------------------------------------------------------------------
// cast
// ----------------------------------------------------------------------------

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
    if ((entry.state as ServerState).telemetry !== undefined) return AtOnce.notNow
    deliver(entry, new Cast(this.tag, this.payload))
    return undefined
  },
  evaluate(fiber) {
    const entry = locate(tableOf(fiber), this.address)
    if (entry === undefined || entry.status !== alive) return Effect.void
    checkProtocol(entry, this.address, this.protocol, this.tag)
    const request = new Cast(this.tag, this.payload)
    ;(entry.state as ServerState).telemetry?.cast(request, fiber)
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
  made(Effect.withFiber((fiber) => {
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
  }))
