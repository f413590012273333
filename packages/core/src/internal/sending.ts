/**
 * Sending a message.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { AnyName } from "../Name.ts"
import { type Destination, isAlias, sendThrough } from "./alias.ts"
import * as AtOnce from "./atOnce.ts"
import { tableOf } from "./current.ts"
import { deliverMessage } from "./lifecycle.ts"
import { Entry, type ProcessTable } from "./processTable.ts"
import { resolve, show } from "./resolve.ts"

type AnyDestination = Destination<never, unknown>

interface Send extends Effect.Effect<void> {
  readonly target: AnyDestination
  readonly message: unknown
}

const Send: { new(target: AnyDestination, message: unknown): Send } = function(
  this: { target: AnyDestination; message: unknown },
  target: AnyDestination,
  message: unknown
) {
  this.target = target
  this.message = message
} as never
Send.prototype = AtOnce.Prototype<Send>({
  label: "Process.send",
  now() {
    const { target } = this
    if (target instanceof Entry) deliverMessage(target, this.message)
    else if (isAlias(target)) sendThrough(target, this.message)
    else return AtOnce.notNow
    return undefined
  },
  evaluate(fiber) {
    const { target } = this
    if (deliverTo(tableOf(fiber), target, this.message)) return Effect.void
    return Effect.die(new Error(`cannot send to ${show(target as AnyName)}: no process is registered under this name`))
  }
})

export const send = (target: AnyDestination, message: unknown): Effect.Effect<void> => new Send(target, message)

/** Delivers to whatever is addressed; false if that is a name which nobody holds. */
export const deliverTo = (table: ProcessTable, target: AnyDestination, message: unknown): boolean => {
  if (isAlias(target)) {
    sendThrough(target, message)
    return true
  }
  const entry = resolve(table, target)
  if (entry !== undefined) deliverMessage(entry, message)
  return entry !== undefined
}
