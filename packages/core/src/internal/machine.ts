/**
 * What a state machine does next, decided from what it is: pure, and knowing neither processes nor clocks.
 *
 * A machine is a value. `next` says which callback comes now, and `apply` what the transition of that callback makes of the
 * machine. Timeouts are part of the value, too: whoever runs it sees to it that those timers run which stand there.
 *
 * @internal
 */
import { format } from "effect/Formatter"
import { ActionImpl, type Any as Action, ReplyImpl, TimeoutImpl } from "../Action.ts"
import type { ExitReason } from "../ExitReason.ts"
import type { TransitionImpl } from "../Transition.ts"

/** What a callback can be run for. */
export type Event =
  | { readonly _tag: "Call"; readonly name: string; readonly payload: unknown; readonly from: unknown }
  | { readonly _tag: "Cast" | "Internal"; readonly name: string; readonly payload: unknown }
  | { readonly _tag: "Info"; readonly message: unknown }
  | { readonly _tag: "StateTimeout" | "EventTimeout"; readonly content: unknown }
  | { readonly _tag: "Timeout"; readonly name: string; readonly content: unknown }

/** The state is entered, from this one. It is no event: it cancels nothing, and cannot be postponed. */
export interface Enter {
  readonly _tag: "Enter"
  readonly previous: string
}

/** Events, the next one first. Sharing makes it cheap to put many before others. */
export type List = { readonly head: Event; readonly tail: List } | undefined

/** A timeout that runs. What restarts it makes another one of it, and an update keeps its `timer`. */
export interface Running {
  readonly timeout: TimeoutImpl
  readonly timer: object
}

export interface Machine {
  readonly state: string
  readonly data: unknown
  /**
   * The enter call of a transition is due. Until it is done, timeouts are collected, and the machine counts as what it was
   * before: a crash in an enter call finds that.
   */
  readonly entering: Entering | undefined
  /** Inserted and retried events, which come before any message. */
  readonly queued: List
  /** The newest first. */
  readonly postponed: List
  /** Those that run, in the order of their start. One without a delay is an event that waits behind `queued`. */
  readonly timeouts: ReadonlyArray<Running>
}

interface Entering {
  readonly state: string
  readonly data: unknown
  readonly wanted: ReadonlyArray<TimeoutImpl>
}

/** What has become of a machine. The replies go out in any case, also when it stops or crashes. */
export interface Decided {
  readonly machine: Machine
  readonly replies: ReadonlyArray<ReplyImpl>
  readonly stop?: ExitReason
  readonly crash?: Error
}

const noReplies: ReadonlyArray<ReplyImpl> = []
export const noneRunning: ReadonlyArray<Running> = []

export const make = (
  state: string,
  data: unknown,
  postponed: Iterable<Event> = [],
  timeouts: ReadonlyArray<TimeoutImpl> = []
): Machine => {
  let list: List
  for (const head of postponed) list = { head, tail: list }
  return {
    state,
    data,
    entering: undefined,
    queued: undefined,
    postponed: list,
    timeouts: started(noneRunning, timeouts)
  }
}

export const toArray = (list: List): Array<Event> => {
  const events: Array<Event> = []
  for (let rest = list; rest !== undefined; rest = rest.tail) events.push(rest.head)
  return events
}

/** Puts events, the newest of which is first, in their order before others. */
const before = (newestFirst: List, list: List): List => {
  for (let rest = newestFirst; rest !== undefined; rest = rest.tail) list = { head: rest.head, tail: list }
  return list
}

// ----------------------------------------------------------------------------
// what comes next
// ----------------------------------------------------------------------------

/** What has to be done before a message may be taken. */
export const next = (machine: Machine): Event | Enter | undefined => {
  if (machine.entering !== undefined) return { _tag: "Enter", previous: machine.entering.state }
  if (machine.queued !== undefined) return machine.queued.head
  const due = machine.timeouts.find(isDue)
  return due === undefined ? undefined : eventOf(due.timeout)
}

/** Whether a timeout is an event rather than a timer. */
export const isDue = ({ timeout }: Running): boolean => timeout.time === 0 && !timeout.abs

export const eventOf = ({ _tag, content, name }: TimeoutImpl): Event =>
  _tag === "Timeout" ? { _tag, name: name!, content } : { _tag, content }

/**
 * The machine while an event is handled: the event is in no queue, a timeout that has fired runs no more, and any event
 * cancels the event timeout.
 */
export const taken = (machine: Machine, event: Event | Enter): Machine => {
  if (event._tag === "Enter") return machine
  // A timeout that was postponed may be running again by now, and goes on.
  const retried = machine.queued?.head === event
  const queued = retried ? machine.queued!.tail : machine.queued
  const timeouts = without(
    machine.timeouts,
    (timeout) => timeout._tag === "EventTimeout" || (!retried && isOf(timeout, event))
  )
  if (queued === machine.queued && timeouts === machine.timeouts) return machine
  return { ...machine, queued, timeouts }
}

const isOf = (timeout: TimeoutImpl, event: Event | TimeoutImpl): boolean =>
  timeout._tag === event._tag && timeout.name === ("name" in event ? event.name : undefined)

const without = (
  timeouts: ReadonlyArray<Running>,
  leaves: (timeout: TimeoutImpl) => boolean
): ReadonlyArray<Running> =>
  timeouts.some(({ timeout }) => leaves(timeout)) ? timeouts.filter(({ timeout }) => !leaves(timeout)) : timeouts

// ----------------------------------------------------------------------------
// what a transition makes of it
// ----------------------------------------------------------------------------

/** What a machine has to know of its callbacks. */
export interface Rules {
  readonly states: { readonly [state: string]: object }
  readonly enters: (state: string) => boolean
  /** The event that an inserted one is, or nothing if there is no such event. */
  readonly inserted: (name: string, payload: unknown) => Event | undefined
}

/** The first state of a machine, which is entered from itself. */
export const initial = (rules: Rules, transition: TransitionImpl): Decided => {
  const machine = make(transition.state!, transition.data)
  return follow(rules, machine, undefined, machine, true, transition.actions)
}

/** What a transition makes of the machine that {@link taken} the event, which is nothing when `init` gives it. */
export const apply = (
  rules: Rules,
  machine: Machine,
  event: Event | Enter,
  transition: TransitionImpl
): Decided => {
  const { _tag } = transition
  const data = transition.keepsData ? machine.data : transition.data
  if (_tag === "Stop") return stopped({ ...machine, data, entering: undefined }, transition)
  const state = _tag === "Next" ? transition.state! : machine.state
  const changes = state !== machine.state
  if (changes && event._tag === "Enter") {
    return bad(machine, noReplies, `the enter call of "${machine.state}" goes to "${state}"; it has to stay`)
  }
  const enters = changes || _tag === "Repeat" || _tag === "RepeatAndData"
  return follow(rules, machine, event, { ...machine, state, data }, enters, transition.actions)
}

const stopped = (machine: Machine, { actions, reason }: TransitionImpl): Decided => {
  const replies = actions.filter((action): action is Action & ReplyImpl => action instanceof ReplyImpl)
  return replies.length === actions.length
    ? { machine, replies, stop: reason! }
    : bad(machine, replies, "stopAndReply takes replies, and nothing else")
}

const follow = (
  rules: Rules,
  machine: Machine,
  event: Event | Enter | undefined,
  target: Machine,
  enters: boolean,
  actions: ReadonlyArray<Action>
): Decided => {
  const { state } = target
  if (!Object.hasOwn(rules.states, state)) return bad(machine, noReplies, `there is no state ${format(state)}`)
  if (!Array.isArray(actions)) return bad(machine, noReplies, `actions: expected an array, got ${format(actions)}`)
  const replies: Array<ReplyImpl> = []
  const wanted: Array<TimeoutImpl> = machine.entering === undefined ? [] : [...machine.entering.wanted]
  let inserted: List
  let postpones = false
  for (const action of actions as ReadonlyArray<unknown>) {
    if (action instanceof ReplyImpl) replies.push(action)
    else if (action instanceof TimeoutImpl) wanted.push(action)
    else if (!(action instanceof ActionImpl)) return bad(machine, replies, `no action: ${format(action)}`)
    else if (action._tag === "Hibernate") continue
    else if (event?._tag === "Enter") return bad(machine, replies, `no action for an enter call: ${action._tag}`)
    else if (action._tag === "Postpone") postpones = event !== undefined
    else {
      const head = rules.inserted(action.name!, action.content)
      if (head === undefined) return bad(machine, replies, `nextEvent: no event is named ${format(action.name)}`)
      inserted = { head, tail: inserted }
    }
  }
  let { postponed, queued, timeouts } = machine
  if (postpones) postponed = { head: event as Event, tail: postponed }
  if (state !== machine.state) {
    queued = before(postponed, queued)
    postponed = undefined
    timeouts = without(timeouts, ({ _tag }) => _tag === "StateTimeout")
  }
  queued = before(inserted, queued)
  if (enters && rules.enters(state)) {
    const from = machine.entering ?? machine
    const entering = { state: from.state, data: from.data, wanted }
    return { machine: { ...target, entering, queued, postponed, timeouts }, replies }
  }
  return {
    machine: { ...target, entering: undefined, queued, postponed, timeouts: started(timeouts, wanted) },
    replies
  }
}

const bad = (machine: Machine, replies: ReadonlyArray<ReplyImpl>, message: string): Decided => ({
  machine,
  replies,
  crash: new TypeError(message)
})

/** Starts, updates and cancels timeouts. Of those that are the same the last counts, as if the others were not there. */
const started = (running: ReadonlyArray<Running>, wanted: ReadonlyArray<TimeoutImpl>): ReadonlyArray<Running> => {
  wanted.forEach((timeout, i) => {
    if (wanted.some((later, j) => j > i && isOf(later, timeout))) return
    const old = running.find((old) => isOf(old.timeout, timeout))
    if (timeout.time === "update" && old !== undefined) {
      const updated = { timer: old.timer, timeout: withTime(timeout, old.timeout) }
      running = running.map((other) => other === old ? updated : other)
      return
    }
    running = without(running, (other) => isOf(other, timeout))
    if (timeout.time === "cancel" || timeout.time === Infinity) return
    const begins = timeout.time === "update" ? withTime(timeout, { time: 0, abs: false }) : timeout
    running = [...running, { timeout: begins, timer: {} }]
  })
  return running
}

const withTime = (
  { _tag, content, name }: TimeoutImpl,
  { abs, time }: Pick<TimeoutImpl, "time" | "abs">
): TimeoutImpl => new TimeoutImpl(_tag, name, time, content, abs)

/** The state and data that are shown: in an enter call those from before the transition. */
export const current = (machine: Machine): { readonly state: string; readonly data: unknown } => {
  const { data, state } = machine.entering ?? machine
  return { state, data }
}
