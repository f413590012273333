/**
 * What system requests change about a server: it is suspended, or others are told what it does.
 *
 * A server of which nobody has asked for either has none of this, and pays a look at one field for each message.
 *
 * @internal
 */
import * as Exit from "effect/Exit"
import type { Pid } from "../Pid.ts"
import * as Mailbox from "./mailbox.ts"
import { Cast, Request } from "./request.ts"

/**
 * What a server takes from its mailbox: a call, a cast, or any other message.
 *
 * @category models
 * @since 0.1.0
 */
export type Message =
  | {
    readonly _tag: "Call"
    readonly request: string
    readonly payload: unknown
    /** The process that waits for the answer, if it is one. */
    readonly from: Pid<never, unknown> | undefined
  }
  | { readonly _tag: "Cast"; readonly request: string; readonly payload: unknown }
  | { readonly _tag: "Info"; readonly message: unknown }

/**
 * What a server does, as it is told to those who have asked.
 *
 * **Details**
 *
 * - `In`: it takes a message, and is about to handle it.
 * - `Out`: a step has answered a call, and this is the state now. The answer of `GenServer.reply` is none of these; the
 *   replies of a state machine are, each of them, and a `State` comes behind them.
 * - `State`: it has handled a message without answering, and this is the state now.
 * - `Continue`: the callback `continue` is about to get this term.
 *
 * @category models
 * @since 0.1.0
 */
export type Event =
  | { readonly _tag: "In"; readonly message: Message }
  | {
    readonly _tag: "Out"
    readonly request: string
    /** The value, or the error that the call declares. */
    readonly reply: Exit.Exit<unknown, unknown>
    readonly to: Pid<never, unknown> | undefined
    readonly state: unknown
  }
  | { readonly _tag: "State"; readonly state: unknown }
  | { readonly _tag: "Continue"; readonly term: unknown }

/** Somebody who is told of events, by a key of which there is one. */
export interface Listener {
  readonly key: unknown
  /** `"done"`: it wants no more. */
  readonly tell: (event: Event) => unknown
  /** What it threw, for which it is removed. */
  readonly failed?: ((defect: unknown) => void) | undefined
}

export class System {
  suspended = false
  /** How far the mailbox has been looked through while it is suspended: only what came later has to be looked at. */
  seen: Mailbox.MailNode | undefined = undefined
  /** Replaced, and never changed: a listener may be removed while all of them are told. */
  listeners: ReadonlyArray<Listener> = []
}

/** Who may have a System. One that is not suspended and is not listened to is as fast as if nobody had asked. */
interface Holder {
  system: System | undefined
}

const update = (holder: Holder, change: (system: System) => void): Exit.Exit<void> => {
  const system = holder.system ?? new System()
  change(system)
  holder.system = system.suspended || system.listeners.length > 0 ? system : undefined
  return Exit.void
}

// ----------------------------------------------------------------------------
// suspended
// ----------------------------------------------------------------------------

export const setSuspended = (holder: Holder, suspended: boolean): Exit.Exit<void> =>
  update(holder, (system) => {
    system.suspended = suspended
    // It is about to be handled, and must not be held any longer.
    if (!suspended) system.seen = undefined
  })

/** Takes the oldest node that is handled also by a server that is suspended, and leaves the others in their order. */
export const shiftUrgent = (
  mailbox: Mailbox.Mailbox,
  system: System,
  isUrgent: (node: Mailbox.MailNode) => boolean
): Mailbox.MailNode | undefined => {
  // What was seen may have been dropped or flushed meanwhile: then it leads nowhere.
  let previous = system.seen?.next === undefined && system.seen !== mailbox.tail ? undefined : system.seen
  let node = previous === undefined ? mailbox.head : previous.next
  while (node !== undefined && !isUrgent(node)) {
    previous = node
    node = node.next
  }
  system.seen = previous
  if (node !== undefined) Mailbox.remove(mailbox, previous, node)
  return node
}

// ----------------------------------------------------------------------------
// events
// ----------------------------------------------------------------------------

/** Has a listener told, unless there is one of its key. */
export const listen = (holder: Holder, listener: Listener): Exit.Exit<void> =>
  update(holder, (system) => {
    if (listenerOf(system, listener.key) === undefined) system.listeners = [...system.listeners, listener]
  })

export const unlisten = (holder: Holder, key: unknown): Exit.Exit<void> =>
  update(holder, (system) => {
    system.listeners = system.listeners.filter((listener) => listener.key !== key)
  })

export const forget = (holder: Holder): Exit.Exit<void> =>
  update(holder, (system) => {
    system.listeners = []
  })

export const listenerOf = (system: System | undefined, key: unknown): Listener | undefined =>
  system?.listeners.find((listener) => listener.key === key)

export const tell = (system: System, event: Event): void => {
  for (const listener of system.listeners) {
    try {
      if (listener.tell(event) !== "done") continue
    } catch (defect) {
      listener.failed?.(defect)
    }
    system.listeners = system.listeners.filter((other) => other !== listener)
  }
}

export const received = (node: Mailbox.MailNode): Event => ({ _tag: "In", message: messageOf(node) })

const messageOf = (node: Mailbox.MailNode): Message => {
  if (node instanceof Request) {
    return { _tag: "Call", request: node.operation.tag, payload: node.message, from: node.caller }
  }
  return node instanceof Cast
    ? { _tag: "Cast", request: node.tag, payload: node.message }
    : { _tag: "Info", message: node.message }
}

export const answered = (request: Request, reply: Exit.Exit<unknown, unknown>, state: unknown): Event => ({
  _tag: "Out",
  request: request.operation.tag,
  reply,
  to: request.caller,
  state
})

// ----------------------------------------------------------------------------
// listeners that come with it
// ----------------------------------------------------------------------------

/** Keeps the last events. */
export class Log implements Listener {
  static readonly key = "log"
  readonly key = Log.key
  readonly last: number
  readonly events: Array<Event> = []

  constructor(last: number) {
    this.last = last
  }

  readonly tell = (event: Event): void => {
    if (this.events.length === this.last) this.events.shift()
    this.events.push(event)
  }
}

/** Counts messages. */
export class Counts implements Listener {
  static readonly key = "statistics"
  readonly key = Counts.key
  readonly since: number
  messagesIn = 0
  messagesOut = 0

  constructor(since: number) {
    this.since = since
  }

  readonly tell = ({ _tag }: Event): void => {
    if (_tag === "In") this.messagesIn++
    else if (_tag === "Out") this.messagesOut++
  }
}

/** The events that are kept, oldest first; nothing if none are. */
export const loggedBy = (system: System | undefined): ReadonlyArray<Event> | undefined => {
  const log = listenerOf(system, Log.key)
  return log instanceof Log ? [...log.events] : undefined
}
