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
import type { System } from "./serverSystem.ts"
import type { Telemetry } from "./telemetry.ts"
import type { Timer } from "./timers.ts"

/** The callbacks of a server. Each gives its result, or an Effect of it. */
export interface Definition {
  /** What a person calls this kind of server. */
  readonly name: string
  /** Which requests it understands: those of a client with the same protocol. */
  readonly protocol: object
  readonly init: (args: ReadonlyArray<unknown>, entry: Entry) => unknown
  readonly handlers: { readonly [tag: string]: (state: unknown, payload: unknown, from: Request) => unknown }
  readonly info?: ((state: unknown, message: unknown) => unknown) | undefined
  readonly continue?: ((state: unknown, term: unknown) => unknown) | undefined
  readonly terminate?: ((state: unknown, reason: unknown) => unknown) | undefined
  readonly formatStatus?: ((state: unknown) => unknown) | undefined
  /** What others are shown of the state, where it is kept in a form of its own. Pure. */
  readonly shown?: ((state: unknown) => unknown) | undefined
  /** The state when others have replaced what they were shown; without it they cannot. Pure. */
  readonly replace?: ((state: unknown, shown: unknown) => unknown) | undefined
  /** What a report says the server was doing, where it has callbacks of its own kind. */
  readonly during?: ((state: unknown) => string | undefined) | undefined
  readonly trapExit?: boolean | undefined
  readonly mailbox?: Limits | undefined
  readonly isSupervisor?: boolean | undefined
}

const DefinitionTypeId = "~@effect-otp/core/GenServer/definition"

/** Has what users hold as an implementation know its definition. */
export const implementation = <A extends object>(definition: Definition, server: A): A =>
  Object.defineProperty(server, DefinitionTypeId, { value: definition })

/** The definition of an implementation, if it is one. */
export const definitionOf = (server: object): Definition | undefined =>
  (server as { readonly [DefinitionTypeId]?: Definition })[DefinitionTypeId]

/** Who waits for a server to start. */
export interface Starter {
  started(): void
  /** Why it did not start, when that is more than the reason with which the process ended. */
  failure: InitFailed<unknown> | Ignored | StartTimeout | undefined
}

/** How a server ends. Made when it does, so that one that runs does not hold it. */
export class Ending {
  /** What is left to do when `terminate` has run: the answer of a step that replies and stops. */
  afterTerminate: (() => void) | undefined = undefined
  crash: Cause.Cause<unknown> | undefined = undefined
  /** One of its own callbacks ended it by `Process.exit`. */
  exits = false
  /** It ends of itself, and not by a signal. */
  endsItself = false
  /** Its end is reported: it ended abnormally, and of itself. */
  reports = false
}

export const endingOf = (server: ServerState): Ending => server.ending ??= new Ending()

export class ServerState {
  /** Replaced by a change of code. */
  definition: Definition
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

  ending: Ending | undefined = undefined
  /** What system requests have changed: it is suspended, or its events are told. */
  system: System | undefined = undefined
  /** What it tells tracers and metrics, if it was started where that is wanted. */
  telemetry: Telemetry | undefined = undefined
  /** How many requests were not handled because nobody waited for them any more. */
  skipped = 0

  constructor(definition: Definition, args: ReadonlyArray<unknown>, parent: Entry | undefined) {
    this.definition = definition
    this.args = args
    this.parent = parent?.id
  }
}

/** The state as events show it. */
export const shownState = ({ definition, state }: ServerState): unknown => {
  if (definition.shown === undefined) return state
  try {
    return definition.shown(state)
  } catch {
    return "shown crashed"
  }
}

/** The state as reports show it. */
export const formatState = (definition: Definition, state: unknown): unknown => {
  const format = definition.formatStatus ?? definition.shown
  if (format === undefined) return state
  try {
    return format(state)
  } catch {
    return "formatStatus crashed"
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
