/**
 * What a server is made of: its definition, and the record of one running incarnation.
 *
 * @internal
 */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type * as Scope from "effect/Scope"
import type { Ignored, InitFailed, StartTimeout } from "../OtpError.ts"
import type { Limits } from "./bounds.ts"
import type { Entry } from "./processTable.ts"
import type { Request } from "./request.ts"
import type { Timer } from "./timers.ts"

/** The callbacks of a server. Each gives its result, or an Effect of it. */
export interface Definition {
  /** What a person calls this kind of server. */
  readonly name: string
  /** Which requests it understands: those of a client with the same protocol. */
  readonly protocol: object
  readonly init: (args: ReadonlyArray<unknown>) => unknown
  readonly handlers: { readonly [tag: string]: (state: unknown, payload: unknown, from: Request) => unknown }
  readonly info?: ((state: unknown, message: unknown) => unknown) | undefined
  readonly continue?: ((state: unknown, term: unknown) => unknown) | undefined
  readonly terminate?: ((state: unknown, reason: unknown) => unknown) | undefined
  readonly formatStatus?: ((state: unknown) => unknown) | undefined
  readonly trapExit?: boolean | undefined
  readonly mailbox?: Limits | undefined
  readonly isSupervisor?: boolean | undefined
}

/** Who waits for a server to start. */
export interface Starter {
  started(): void
  /** Why it did not start, when that is more than the reason with which the process ended. */
  failure: InitFailed<unknown> | Ignored | StartTimeout | undefined
}

export class ServerState {
  readonly definition: Definition
  readonly args: ReadonlyArray<unknown>
  /** The id of the process that started it with a link; a parent's exit stops a server that traps exits. */
  readonly parent: number | undefined
  starter: Starter | undefined

  phase: "new" | "init" | "running" | "stopping" | "closing" | "closed" = "new"
  state: unknown = undefined
  /** Made when the first callback gives an Effect: a server whose handlers give plain steps needs neither. */
  context: Context.Context<never> | undefined = undefined
  scope: Scope.Closeable | undefined = undefined

  /** A callback has begun and not ended. */
  busy = false
  /** Its code is on the stack: it looks for itself whether it has been ended. */
  running = false
  /** How many callbacks have begun. */
  turn = 0
  /** The call whose handler runs. */
  current: Request | undefined = undefined
  /** Calls whose handlers left the answer for later. */
  deferred: Set<Request> | undefined = undefined
  lastMessage: unknown = undefined

  /** The term for `continue`, which comes before any message. */
  continueWith: Continue | undefined = undefined
  /** How long to wait for the next message before `info` is told, and the timer while it waits. */
  timeout: number | undefined = undefined
  timer: Timer | undefined = undefined

  /** What is left to do when `terminate` has run: the answer of a step that replies and stops. */
  afterTerminate: (() => void) | undefined = undefined
  crash: Cause.Cause<unknown> | undefined = undefined
  /** One of its own callbacks ended it by `Process.exit`. */
  exits = false
  /** It ends of itself, and not by a signal. */
  endsItself = false
  /** Its end is reported: it ended abnormally, and of itself. */
  reports = false

  constructor(definition: Definition, args: ReadonlyArray<unknown>, parent: Entry | undefined) {
    this.definition = definition
    this.args = args
    this.parent = parent?.id
  }
}

/** A term for `continue`, and what a report shows when that crashes. */
export class Continue {
  readonly continue: unknown

  constructor(term: unknown) {
    this.continue = term
  }
}

/** What `init` may give instead of a state. */
export const InitTypeId = "~@effect-otp/core/GenServer/Init"

export class InitImpl {
  readonly [InitTypeId]: "Init" | "Ignore" | "Stop"
  readonly state: unknown
  readonly options: unknown
  readonly reason: unknown

  constructor(kind: "Init" | "Ignore" | "Stop", state: unknown, options: unknown, reason: unknown) {
    this[InitTypeId] = kind
    this.state = state
    this.options = options
    this.reason = reason
  }
}

/** The message that `info` gets when the timeout of a step has passed. */
export class TimeoutMessage {
  readonly _tag = "Timeout"
}

export const timeoutMessage = new TimeoutMessage()
