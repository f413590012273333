/**
 * What a Node tells while somebody listens, which only tests do: `ProcessTable.tap`. Where nobody listens it is one look at a
 * field. Each event is told in the code that causes it, when it has happened; a listener must do nothing to the processes.
 *
 * @internal
 */
import type { ExitReason } from "../ExitReason.ts"
import type { MailNode } from "./mailbox.ts"
import type { Origin } from "./signal.ts"

/** Somebody waits, with a fiber: for what, and whether that is over. */
export interface Wait<Process> {
  readonly what: string
  /** The process that can end the wait, if one can. */
  readonly of: Process | undefined
  readonly isOver: () => boolean
}

export type TimerEvent =
  | { readonly _tag: "TimerSet"; readonly timer: object; readonly millis: number }
  | { readonly _tag: "TimerCancelled"; readonly timer: object }
  /** What is told from here until `TimerFired` is what the timer does. */
  | { readonly _tag: "TimerFires"; readonly timer: object }
  | { readonly _tag: "TimerFired"; readonly timer: object }

/** A request has come to its end: an answer, or what happens instead of one. */
export interface Settled {
  readonly _tag: "Settled"
  readonly request: MailNode
}

export type Event<Process> =
  | TimerEvent
  | Settled
  | { readonly _tag: "Spawned"; readonly process: Process; readonly by: Process | undefined }
  /** What is told from here until `TurnEnded` is what the process does, unless it is told in another fiber. */
  | { readonly _tag: "TurnBegins"; readonly process: Process }
  | { readonly _tag: "TurnEnded"; readonly process: Process }
  | { readonly _tag: "Delivered"; readonly process: Process; readonly node: MailNode; readonly taken: boolean }
  | {
    readonly _tag: "ExitSent"
    readonly process: Process
    readonly sender: Process
    readonly reason: ExitReason
    readonly origin: Origin
  }
  | { readonly _tag: "Ended"; readonly process: Process; readonly reason: ExitReason }
  /** Nothing of it runs any more. */
  | { readonly _tag: "Closed"; readonly process: Process }
  | { readonly _tag: "Named"; readonly process: Process; readonly name: string }
  | { readonly _tag: "Unnamed"; readonly process: Process; readonly name: string }
  | { readonly _tag: "Linked"; readonly process: Process; readonly other: Process }
  | { readonly _tag: "Unlinked"; readonly process: Process; readonly other: Process }
  | { readonly _tag: "Monitored"; readonly process: Process; readonly target: Process; readonly monitor: object }
  | { readonly _tag: "Demonitored"; readonly monitor: object }
  | { readonly _tag: "Waits"; readonly wait: Wait<Process> }

/** Where events are told, if anywhere. */
export interface Tapped<E> {
  readonly tap: ((event: E) => void) | undefined
}

/** Nobody listens, nor ever will. */
export const silent: { readonly tap: undefined } = { tap: undefined }
