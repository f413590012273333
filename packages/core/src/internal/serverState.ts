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
  /** What `init` is given. */
  readonly args: ReadonlyArray<unknown>
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

/** What few servers have, or not for long. */
class Rare {
  context: Context.Context<never> | undefined = undefined
  scope: Scope.Closeable | undefined = undefined
  deferred: Set<Request> | undefined = undefined
  continueWith: Continue | undefined = undefined
  timeout: number | undefined = undefined
  timer: Timer | undefined = undefined
  ending: Ending | undefined = undefined
  system: System | undefined = undefined
  telemetry: Telemetry | undefined = undefined
  skipped = 0
}

export class ServerState {
  /** Replaced by a change of code. */
  definition: Definition
  /** The id of the process that started it with a link or a monitor; its exit stops a server that traps exits. */
  readonly parent: number | undefined
  starter: Starter | undefined

  phase: "new" | "init" | "running" | "stopping" | "closing" | "closed" = "new"
  state: unknown = undefined
  /** A callback has begun and not ended. */
  busy = false
  /** Its code is on the stack: it looks for itself whether it has been ended. */
  running = false
  /** How many callbacks have begun. */
  turn = 0
  /** The call whose handler runs. */
  current: Request | undefined = undefined
  lastMessage: unknown = undefined
  rare: Rare | undefined = undefined

  constructor(definition: Definition, parent: Entry | undefined) {
    this.definition = definition
    this.parent = parent?.id
  }

  /** Made when the first callback gives an Effect: a server whose handlers give plain steps needs neither this nor a scope. */
  get context(): Context.Context<never> | undefined {
    return this.rare?.context
  }

  set context(context: Context.Context<never> | undefined) {
    if (context !== this.context) (this.rare ??= new Rare()).context = context
  }

  get scope(): Scope.Closeable | undefined {
    return this.rare?.scope
  }

  set scope(scope: Scope.Closeable | undefined) {
    if (scope !== this.scope) (this.rare ??= new Rare()).scope = scope
  }

  /** Calls whose handlers left the answer for later. */
  get deferred(): Set<Request> | undefined {
    return this.rare?.deferred
  }

  set deferred(deferred: Set<Request> | undefined) {
    if (deferred !== this.deferred) (this.rare ??= new Rare()).deferred = deferred
  }

  /** The term for `continue`, which comes before any message. */
  get continueWith(): Continue | undefined {
    return this.rare?.continueWith
  }

  set continueWith(continueWith: Continue | undefined) {
    if (continueWith !== this.continueWith) (this.rare ??= new Rare()).continueWith = continueWith
  }

  /** How long to wait for the next message before `info` is told, and the timer while it waits. */
  get timeout(): number | undefined {
    return this.rare?.timeout
  }

  set timeout(timeout: number | undefined) {
    if (timeout !== this.timeout) (this.rare ??= new Rare()).timeout = timeout
  }

  get timer(): Timer | undefined {
    return this.rare?.timer
  }

  set timer(timer: Timer | undefined) {
    if (timer !== this.timer) (this.rare ??= new Rare()).timer = timer
  }

  get ending(): Ending | undefined {
    return this.rare?.ending
  }

  set ending(ending: Ending | undefined) {
    if (ending !== this.ending) (this.rare ??= new Rare()).ending = ending
  }

  /** What system requests have changed: it is suspended, or its events are told. */
  get system(): System | undefined {
    return this.rare?.system
  }

  set system(system: System | undefined) {
    if (system !== this.system) (this.rare ??= new Rare()).system = system
  }

  /** What it tells tracers and metrics, if it was started where that is wanted. */
  get telemetry(): Telemetry | undefined {
    return this.rare?.telemetry
  }

  set telemetry(telemetry: Telemetry | undefined) {
    if (telemetry !== this.telemetry) (this.rare ??= new Rare()).telemetry = telemetry
  }

  /** How many requests were not handled because nobody waited for them any more. */
  get skipped(): number {
    return this.rare?.skipped ?? 0
  }

  set skipped(skipped: number) {
    if (skipped !== this.skipped) (this.rare ??= new Rare()).skipped = skipped
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
