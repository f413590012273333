/**
 * The one queue of a process: messages and signals in the order of their arrival.
 *
 * A linked list rather than a ring, because a selective receive takes from the middle, and because an idle process then
 * costs three fields. What kind of thing a node is stands beside the message, so that no user message can pretend.
 *
 * @internal
 */

import type { ExitReason } from "../ExitReason.ts"

export type Kind = typeof user | typeof signal | typeof call | typeof cast | typeof system | typeof timeout

/** A message that somebody sent. */
export const user = 0
/** A Down, or an Exit that was trapped. */
export const signal = 1
/** A request that waits for its answer. */
export const call = 2
/** A request without an answer. */
export const cast = 3
/** A request to the behaviour itself, such as stop. */
export const system = 4
/** The return timeout of a server. */
export const timeout = 5

export interface MailNode {
  readonly kind: Kind
  readonly message: unknown
  next: MailNode | undefined
  /** Called when the process ends with the node still in its mailbox: a request tells its caller. */
  readonly dropped?: (reason: ExitReason) => void
  /** Called when a bounded mailbox has no room for it: a request tells its caller. */
  readonly overloaded?: () => void
}

/** What users have sent, rather than the runtime: this is what a bound is for. */
export const isUsers = ({ kind }: MailNode): boolean => kind === user || kind === call || kind === cast

/** Counts the messages of users in a mailbox that has a bound. */
export interface Count {
  queued: number
  removed(): void
}

export interface Mailbox {
  head: MailNode | undefined
  tail: MailNode | undefined
  length: number
  readonly bounds?: Count | undefined
}

export const push = (self: Mailbox, node: MailNode): void => {
  if (self.tail === undefined) self.head = node
  else self.tail.next = node
  self.tail = node
  self.length++
  if (self.bounds !== undefined && isUsers(node)) self.bounds.queued++
}

export const shift = (self: Mailbox): MailNode | undefined => {
  const node = self.head
  if (node === undefined) return undefined
  self.head = node.next
  if (self.head === undefined) self.tail = undefined
  node.next = undefined
  self.length--
  if (self.bounds !== undefined && isUsers(node)) self.bounds.removed()
  return node
}

/** Takes `node` out of the middle; `previous` is the node before it, or undefined when it is the oldest. */
export const remove = (self: Mailbox, previous: MailNode | undefined, node: MailNode): void => {
  if (previous === undefined) self.head = node.next
  else previous.next = node.next
  if (self.tail === node) self.tail = previous
  node.next = undefined
  self.length--
  if (self.bounds !== undefined && isUsers(node)) self.bounds.removed()
}

/** Takes the oldest node that matches. */
export const removeOldest = (self: Mailbox, matches: (node: MailNode) => boolean): MailNode | undefined => {
  let previous: MailNode | undefined
  let node = self.head
  while (node !== undefined && !matches(node)) {
    previous = node
    node = node.next
  }
  if (node !== undefined) remove(self, previous, node)
  return node
}

/** Takes every node that matches, and keeps the rest in order. */
export const removeWhere = (self: Mailbox, matches: (node: MailNode) => boolean): void => {
  let previous: MailNode | undefined
  let node = self.head
  while (node !== undefined) {
    const next = node.next
    if (matches(node)) remove(self, previous, node)
    else previous = node
    node = next
  }
}

export const clear = (self: Mailbox): MailNode | undefined => {
  const head = self.head
  self.head = self.tail = undefined
  self.length = 0
  return head
}
