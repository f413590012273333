/**
 * A state machine on the loop of a server: each callback is a step, and what comes before any message continues it.
 *
 * @internal
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { format } from "effect/Formatter"
import * as Step from "../Step.ts"
import * as Transition from "../Transition.ts"
import { reportUnexpected } from "./crashReport.ts"
import * as FewSet from "./fewSet.ts"
import { deliver } from "./lifecycle.ts"
import * as Machine from "./machine.ts"
import type { ReservedName } from "./machineTypes.ts"
import * as Mailbox from "./mailbox.ts"
import { alive, type Entry, type Watcher } from "./processTable.ts"
import { completeOnce, Request } from "./request.ts"
import { answer } from "./serverLoop.ts"
import { type Definition, InitImpl, InitTypeId, type ServerState } from "./serverState.ts"
import { answered, tell } from "./serverSystem.ts"
import { serverTimers } from "./serverTimeout.ts"
import type { Timer, Timers } from "./timers.ts"

type Callback = (data: unknown, content: unknown, from?: unknown) => unknown

/** The callbacks of one state: by the names of requests and internal events, and by those of the other events. */
export interface Table {
  readonly [name: string]: Callback | { readonly [name: string]: Callback } | undefined
}

export interface Callbacks {
  readonly init: (...args: ReadonlyArray<unknown>) => unknown
  readonly states: { readonly [state: string]: Table }
  readonly otherwise?: ((current: unknown, event: unknown) => unknown) | undefined
  readonly terminate?: ((current: unknown, reason: unknown) => unknown) | undefined
  readonly formatStatus?: ((status: unknown) => unknown) | undefined
}

/** The callbacks of a machine, and what is known of its protocol. */
export interface Behaviour extends Machine.Rules {
  readonly name: string
  readonly callbacks: Callbacks
}

/** What a state names beside requests and internal events. */
export const reserved: ReadonlyArray<ReservedName> = [
  "enter",
  "stateTimeout",
  "eventTimeout",
  "timeout",
  "info",
  "otherwise"
]

const own = (table: Table, name: string): Table[string] => Object.hasOwn(table, name) ? table[name] : undefined

export const makeBehaviour = (
  name: string,
  callbacks: Callbacks,
  kindOf: (name: string) => "Call" | "Cast" | undefined
): Behaviour => {
  const tables = Object.values(callbacks.states)
  const handles = callbacks.otherwise !== undefined || tables.some((table) => own(table, "otherwise") !== undefined)
  return {
    name,
    callbacks,
    states: callbacks.states,
    enters: (state) => callbacks.states[state].enter !== undefined,
    inserted: (name, payload) => {
      const kind = kindOf(name)
      if (kind === "Call" || (reserved as ReadonlyArray<string>).includes(name)) return undefined
      const known = kind === "Cast" || handles || tables.some((table) => own(table, name) !== undefined)
      return known ? { _tag: kind ?? "Internal", name, payload } : undefined
    }
  }
}

// ----------------------------------------------------------------------------
// callbacks
// ----------------------------------------------------------------------------

/** What the callback for an event gives, or nothing if there is no callback. */
export const call = (
  { callbacks }: Behaviour,
  machine: Machine.Machine,
  event: Machine.Event | Machine.Enter
): unknown => {
  const { data, state } = machine
  const table = callbacks.states[state]
  if (event._tag === "Enter") return (table.enter as Callback)(data, event.previous)
  const callback = callbackOf(table, event)
  if (callback !== undefined) return callback(data, contentOf(event), event._tag === "Call" ? event.from : undefined)
  if (table.otherwise !== undefined) return (table.otherwise as Callback)(data, event)
  return callbacks.otherwise?.({ state, data }, event)
}

const callbackOf = (table: Table, event: Machine.Event): Callback | undefined => {
  switch (event._tag) {
    case "Call":
    case "Cast":
    case "Internal":
      return own(table, event.name) as Callback | undefined
    case "Info":
      return table.info as Callback | undefined
    case "StateTimeout":
      return table.stateTimeout as Callback | undefined
    case "EventTimeout":
      return table.eventTimeout as Callback | undefined
    case "Timeout":
      return table.timeout === undefined ? undefined : own(table.timeout as Table, event.name) as Callback | undefined
  }
}

const contentOf = (event: Machine.Event): unknown =>
  "content" in event ? event.content : event._tag === "Info" ? event.message : event.payload

const kept = Transition.keepAndData() as unknown as Transition.TransitionImpl

/** What a callback has given, which has to be a transition. A message that nobody takes is dropped. */
export const decide = (
  behaviour: Behaviour,
  machine: Machine.Machine,
  event: Machine.Event | Machine.Enter,
  result: unknown
): Machine.Decided => {
  const transition = result === undefined && event._tag === "Info" ? kept : result
  if (transition instanceof Transition.TransitionImpl) return Machine.apply(behaviour, machine, event, transition)
  const crash = new TypeError(
    result === undefined ?
      `"${machine.state}" does not handle ${show(event)}`
      : `"${machine.state}" must give a Transition for ${show(event)}, or an Effect of one; it gave ${format(result)}`
  )
  return { machine, replies: [], crash }
}

const show = (event: Machine.Event | Machine.Enter): string =>
  event._tag === "Enter" ? "its enter call" : "name" in event ? `${event._tag} "${event.name}"` : event._tag

/** The error of a crash, with the machine that it is of. */
export const crashOf = (behaviour: Behaviour, crash: Error): Error => {
  crash.message = `${behaviour.name}: ${crash.message}`
  return crash
}

// ----------------------------------------------------------------------------
// a machine that runs
// ----------------------------------------------------------------------------

/** What an incarnation has beside its machine: its process, and the timers that run for it. */
class Host implements Watcher {
  readonly entry: Entry
  /** The event that is handled, or was handled last. */
  event: Machine.Event | Machine.Enter | undefined = undefined
  readonly timers = new Map<object, Timer>()
  /** Kept, because a process that has ended no longer knows its clock. */
  clock: Timers | undefined = undefined

  constructor(entry: Entry) {
    this.entry = entry
  }

  get server(): ServerState {
    return this.entry.state as ServerState
  }

  /** Starts and stops timers, until those run that the machine has. */
  run(timeouts: ReadonlyArray<Machine.Running>): void {
    const clock = this.clock ??= serverTimers(this.entry)
    for (const [token, timer] of this.timers) {
      if (timeouts.some(({ timer }) => timer === token)) continue
      clock.cancel(timer)
      this.timers.delete(token)
    }
    if (this.entry.status !== alive) return
    for (const running of timeouts) {
      const { timeout, timer: token } = running
      if (Machine.isDue(running) || this.timers.has(token)) continue
      const message = new Fired(timeout.name ?? timeout._tag, token)
      const fire = () => deliver(this.entry, { kind: Mailbox.timeout, message, next: undefined })
      const timer: Timer = { deadline: 0, sequence: 0, index: -1, fire }
      this.entry.watchers = FewSet.add<Watcher>(this.entry.watchers, this)
      this.timers.set(token, timer)
      if (timeout.abs) clock.startAt(timer, timeout.time as number)
      else clock.start(timer, timeout.time as number)
    }
  }

  ended(): void {
    this.run([])
  }
}

/** A timer has fired. By the time of its turn the timeout may have been cancelled, or have got another content. */
class Fired {
  readonly timeout: string
  readonly #timer: object

  constructor(timeout: string, timer: object) {
    this.timeout = timeout
    this.#timer = timer
  }

  eventOf(machine: Machine.Machine): Machine.Event | undefined {
    const running = machine.timeouts.find(({ timer }) => timer === this.#timer)
    return running === undefined ? undefined : Machine.eventOf(running.timeout)
  }
}

/** The state of the server. */
class Live {
  readonly host: Host
  readonly machine: Machine.Machine

  constructor(host: Host, machine: Machine.Machine) {
    this.host = host
    this.machine = machine
  }
}

/** The part of a server's definition that a machine gives. */
export const define = (
  behaviour: Behaviour,
  protocol: ReadonlyArray<{ readonly _tag: string }>,
  kindOf: (name: string) => "Call" | "Cast" | undefined
): Pick<
  Definition,
  | "name"
  | "protocol"
  | "init"
  | "handlers"
  | "info"
  | "continue"
  | "terminate"
  | "formatStatus"
  | "shown"
  | "replace"
  | "during"
> => {
  const { callbacks, name } = behaviour
  const currentOf = (live: unknown) => Machine.current((live as Live).machine)
  return {
    name,
    protocol,
    init: (args, entry) => {
      const host = new Host(entry)
      const result = callbacks.init(...args)
      return Effect.isEffect(result)
        ? Effect.map(result as Effect.Effect<unknown>, (result) => initialised(behaviour, host, result))
        : initialised(behaviour, host, result)
    },
    handlers: Object.fromEntries(protocol.map(({ _tag }) => [
      _tag,
      kindOf(_tag) === "Cast"
        ? (live, payload) => step(behaviour, live as Live, { _tag: "Cast", name: _tag, payload })
        : (live, payload, from) => step(behaviour, live as Live, { _tag: "Call", name: _tag, payload, from })
    ])),
    info: (live, message) => {
      if (!(message instanceof Fired)) return step(behaviour, live as Live, { _tag: "Info", message })
      const event = message.eventOf((live as Live).machine)
      return event === undefined ? Step.noReply(live) : step(behaviour, live as Live, event)
    },
    continue: (live) => step(behaviour, live as Live, Machine.next((live as Live).machine)!),
    terminate: callbacks.terminate && ((live, reason) => callbacks.terminate!(currentOf(live), reason)),
    formatStatus: (live) => {
      const { machine } = live as Live
      const status = {
        ...Machine.current(machine),
        postponed: Machine.toArray(machine.postponed).reverse().map(describe),
        queued: Machine.toArray(machine.queued).map(describe)
      }
      return callbacks.formatStatus === undefined ? status : callbacks.formatStatus(status)
    },
    shown: (live) => shownOf((live as Live).machine),
    during: (live) => {
      const { event } = (live as Live).host
      return event && duringOf(event)
    },
    // It is no transition: timeouts go on, and what is postponed waits for the next one.
    replace: (live, shown) => {
      const { host, machine } = live as Live
      if (!isPair(shown)) throw new TypeError(`${name}: expected [state, data], got ${format(shown)}`)
      const [state, data] = shown
      if (!Object.hasOwn(behaviour.states, state)) throw new TypeError(`${name}: there is no state ${format(state)}`)
      return new Live(host, { ...machine, state, data })
    }
  }
}

/** A state with its data, as others see them. */
type Pair = readonly [state: string, data: unknown]

const shownOf = (machine: Machine.Machine): Pair => {
  const { data, state } = Machine.current(machine)
  return [state, data]
}

const isPair = (shown: unknown): shown is Pair =>
  Array.isArray(shown) && shown.length === 2 && typeof shown[0] === "string"

/** What a machine does, by the name of its callback. */
const duringOf = (event: Machine.Event | Machine.Enter): string => {
  const kind = `${event._tag[0].toLowerCase()}${event._tag.slice(1)}`
  return "name" in event ? `${kind} ${event.name}` : kind
}

const initialised = (behaviour: Behaviour, host: Host, result: unknown): unknown => {
  if (result instanceof InitImpl && result[InitTypeId] !== "Init") return result
  if (!(result instanceof Transition.TransitionImpl) || result._tag !== "Next") {
    throw new TypeError(
      `${behaviour.name}: init must give Transition.next, or an Effect of it; it gave ${format(result)}`
    )
  }
  const { crash, machine, replies } = Machine.initial(behaviour, result)
  if (crash !== undefined) throw crashOf(behaviour, crash)
  const live = settle(host, Machine.noneRunning, machine, replies)
  return new InitImpl("Init", live, followUp(machine), undefined)
}

/** Handles one event. What it brings about comes before any message, each by a step of its own. */
const step = (behaviour: Behaviour, { host, machine }: Live, event: Machine.Event | Machine.Enter): unknown => {
  const taken = Machine.taken(machine, event)
  const decided = (decided: Machine.Decided): Step.Cast<Live, unknown> => {
    const live = settle(host, machine.timeouts, decided.machine, decided.replies)
    if (decided.crash !== undefined) throw crashOf(behaviour, decided.crash)
    if (decided.stop !== undefined) return Step.stop(decided.stop, live)
    return Step.noReply(live, followUp(decided.machine))
  }
  const keep = () => decided(Machine.apply(behaviour, taken, event, kept))
  if (event._tag === "Call") {
    const request = event.from as Request
    if (gaveUp(request)) return keep()
    // A retried one comes by `continue`. What is done for it has its time, and closes its circles, all the same.
    host.server.current = request
  }
  host.event = event
  const result = call(behaviour, taken, event)
  if (Effect.isEffect(result)) {
    return Effect.matchCauseEffect(result as Effect.Effect<unknown, unknown>, {
      onSuccess: (result) => Effect.sync(() => decided(decide(behaviour, taken, event, result))),
      onFailure: (cause) => failed(host.entry, machine, cause, event, keep)
    })
  }
  if (result === undefined && event._tag === "Info") reportUnexpected(host.entry, behaviour.name, event.message)
  return decided(decide(behaviour, taken, event, result))
}

/** A typed failure is the answer of a call, and keeps everything as it is. */
const failed = (
  entry: Entry,
  machine: Machine.Machine,
  cause: Cause.Cause<unknown>,
  event: Machine.Event | Machine.Enter,
  keep: () => Step.Cast<Live, unknown>
): Effect.Effect<unknown, unknown> => {
  const request = event._tag === "Call" ? event.from as Request : undefined
  const error = answer(cause, request)
  if (error === undefined) return Effect.failCause(cause)
  return Effect.sync(() => {
    reply(entry, machine, request!, error)
    return keep()
  })
}

/** Nobody waits for this call any more: a postponed one may have found its end in the meantime. */
const gaveUp = ({ isAnswered, isDone }: Request): boolean => isDone && !isAnswered

/** Answers a call, and tells those who listen: the server tells them of its steps, and none of these answers. */
const reply = (entry: Entry, machine: Machine.Machine, request: Request, exit: Exit.Exit<unknown, unknown>): void => {
  completeOnce(entry, request, exit)
  const { system } = entry.state as ServerState
  if (system !== undefined && system.listeners.length > 0) tell(system, answered(request, exit, shownOf(machine)))
}

/** Does what was decided. */
const settle = (
  host: Host,
  timeouts: ReadonlyArray<Machine.Running>,
  machine: Machine.Machine,
  replies: Machine.Decided["replies"]
): Live => {
  for (const { exit, from } of replies) reply(host.entry, machine, from as unknown as Request, exit)
  if (machine.timeouts !== timeouts) host.run(machine.timeouts)
  return new Live(host, machine)
}

/** What a report shows if the next callback crashes. */
const followUp = (machine: Machine.Machine): { readonly continue: unknown } | undefined => {
  const next = Machine.next(machine)
  return next && { continue: describe(next) }
}

const describe = (event: Machine.Event | Machine.Enter): unknown => {
  switch (event._tag) {
    case "Call": {
      const caller = event.from instanceof Request ? event.from.caller?.toString() : undefined
      return { call: event.name, payload: event.payload, caller }
    }
    case "Cast":
      return { cast: event.name, payload: event.payload }
    case "Internal":
      return { internal: event.name, payload: event.payload }
    case "Info":
      return event.message
    default:
      return event
  }
}
