/**
 * Sending a message.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { AnyTarget } from "../Name.ts"
import * as AtOnce from "./atOnce.ts"
import { tableOf } from "./current.ts"
import { deliverMessage } from "./lifecycle.ts"
import { Entry } from "./processTable.ts"
import { resolve, show } from "./resolve.ts"

interface Send extends Effect.Effect<void> {
  readonly target: AnyTarget
  readonly message: unknown
}

const Send: { new(target: AnyTarget, message: unknown): Send } = function(
  this: { target: AnyTarget; message: unknown },
  target: AnyTarget,
  message: unknown
) {
  this.target = target
  this.message = message
} as never
Send.prototype = AtOnce.Prototype<Send>({
  label: "Process.send",
  now() {
    const { target } = this
    if (!(target instanceof Entry)) return AtOnce.notNow
    deliverMessage(target, this.message)
    return undefined
  },
  evaluate(fiber) {
    const { target } = this
    const entry = resolve(tableOf(fiber), target)
    if (entry === undefined) {
      return Effect.die(new Error(`cannot send to ${show(target)}: no process is registered under this name`))
    }
    deliverMessage(entry, this.message)
    return Effect.void
  }
})

export const send = (target: AnyTarget, message: unknown): Effect.Effect<void> => new Send(target, message)
