/**
 * Sending a message, and waiting until there is room for it.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { type MailboxFull, mailboxFull } from "../OtpError.ts"
import { type Destination, isAlias, sendThrough } from "./alias.ts"
import * as AtOnce from "./atOnce.ts"
import type { Bounds } from "./bounds.ts"
import { entryOf, tableOf } from "./current.ts"
import { later } from "./later.ts"
import { deliverMessage, deliverUntold } from "./lifecycle.ts"
import * as Mailbox from "./mailbox.ts"
import { describe, Entry, type ProcessTable } from "./processTable.ts"
import { resolve, show } from "./resolve.ts"
import { made, wanted } from "./where.ts"

type AnyDestination = Destination<never, unknown>

interface Send extends Effect.Effect<void, MailboxFull> {
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
    if (target instanceof Entry) {
      if (target.bounds !== undefined) return AtOnce.notNow
      deliverMessage(target, this.message)
    } else if (isAlias(target)) sendThrough(target, this.message)
    else return AtOnce.notNow
    return undefined
  },
  evaluate(fiber) {
    const { target } = this
    if (isAlias(target)) {
      sendThrough(target, this.message)
      return Effect.void
    }
    const entry = resolve(tableOf(fiber), target)
    if (entry === undefined) {
      return Effect.die(new Error(`cannot send to ${show(target)}: no process is registered under this name`))
    }
    const { bounds } = entry
    if (bounds !== undefined) {
      const node: Mailbox.MailNode = { kind: Mailbox.user, message: this.message, next: undefined }
      return sendBounded(fiber, entry, bounds, node, () => show(target))
    }
    deliverMessage(entry, this.message)
    return Effect.void
  }
})

export const send = (target: AnyDestination, message: unknown): Effect.Effect<void, MailboxFull> =>
  wanted === 0 ? new Send(target, message) : made(new Send(target, message))

/** Delivers to whatever is addressed, if there is somebody, and room. */
export const deliverTo = (table: ProcessTable, target: AnyDestination, message: unknown): void => {
  if (isAlias(target)) return sendThrough(target, message)
  const entry = resolve(table, target)
  if (entry !== undefined) deliverUntold(entry, message)
}

/** Delivers a message or a cast by the policy of a bounded mailbox. */
export const sendBounded = (
  fiber: Fiber.Fiber<unknown, unknown>,
  entry: Entry,
  bounds: Bounds,
  node: Mailbox.MailNode,
  shown: () => string
): Effect.Effect<void, MailboxFull> => {
  switch (bounds.offer(entry, node, true)) {
    case "refuse":
      return Exit.fail(mailboxFull(shown(), bounds.capacity))
    case "wait":
      return waitsForItself(fiber, entry) ? Effect.die(fullOfItself(entry, bounds.capacity)) : awaitRoom(entry, node)
    default:
      return Effect.void
  }
}

const awaitRoom = (entry: Entry, node: Mailbox.MailNode): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const { bounds } = entry
    // The fiber may have yielded since there was no room: it may have ended, and somebody may have been taken.
    if (bounds === undefined || bounds.offer(entry, node, true) !== "wait") return resume(Effect.void)
    const sender = bounds.suspend(node, (letIn) => {
      if (letIn) resume(Effect.void)
      // What ends the process is not interrupted by those who waited for it.
      else later(entry.runQueue, () => resume(Effect.void))
    })
    entry.table.tap?.({ _tag: "Waits", wait: { what: "room in the mailbox", of: entry, isOver: () => !sender.waits } })
    return Effect.sync(() => bounds.withdraw(sender))
  })

// The fiber that would have to end its turn first. Another one of the same process may wait. A callback of a server has no
// fiber that is known until it has to wait.
const waitsForItself = (fiber: Fiber.Fiber<unknown, unknown>, entry: Entry): boolean =>
  entryOf(fiber) === entry &&
  (entry.fiber === undefined ? entry.behaviour.isBusy?.(entry) === true : entry.fiber === fiber)

const fullOfItself = (entry: Entry, capacity: number): Error => {
  const why =
    `its mailbox is full (capacity ${capacity}), and with the policy "suspend" it would wait for itself for ever`
  return new Error(`${describe(entry)} cannot send to itself: ${why}`)
}
