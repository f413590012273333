/**
 * What OTP says about links, monitors, exits, names and timers, as a pure function of a state and a command.
 *
 * Nothing in here knows the library. A process is a number, a reason is a string. Where OTP leaves an order open, namely
 * which of several processes that are ending has ended first, the model does not choose: it is told, and says whether that
 * may be.
 */

export type Id = number
export type Reason = string

/** Code that is no process. */
export const outside: Id = -1

export type Item =
  | { readonly _tag: "Message"; readonly from: string; readonly text: string }
  | { readonly _tag: "Down"; readonly from: string; readonly ref: number; readonly of: string; readonly reason: Reason }
  | { readonly _tag: "Exit"; readonly from: string; readonly reason: Reason }

export interface Process {
  readonly status: "alive" | "ending" | "ended"
  readonly reason: Reason | undefined
  /** It ends with this reason as soon as it has its turn, unless a signal comes first. */
  readonly doomed: Reason | undefined
  /** When a signal ends it, a finalizer waits until it is released. */
  readonly gated: boolean
  /** Before its first turn there is no finalizer. */
  readonly begun: boolean
  readonly trapsExit: boolean
  readonly links: ReadonlySet<Id>
  readonly name: string | undefined
  readonly mailbox: ReadonlyArray<Item>
  /** What it has taken out of its mailbox. */
  readonly seen: ReadonlyArray<Item>
}

export interface Monitor {
  readonly ref: number
  readonly watcher: Id
  readonly target: Id
  /** What was named when it was made. */
  readonly of: string
}

export type Target = Id | string

export interface Timer {
  readonly due: number
  readonly target: Target
  readonly text: string
}

export interface State {
  readonly processes: ReadonlyArray<Process>
  /** Those that are active. */
  readonly monitors: ReadonlyArray<Monitor>
  /** Who made which monitor, active or not. */
  readonly refs: ReadonlyArray<Id>
  /** By number; undefined when it has fired or was cancelled. */
  readonly timers: ReadonlyArray<Timer | undefined>
  /** Those who wait from outside for the end of a process: for whom, and what they were told. */
  readonly waiters: ReadonlyArray<{ readonly target: Id; readonly told: Reason | "interrupted" | undefined }>
  readonly now: number
  readonly messages: number
}

export const empty: State = { processes: [], monitors: [], refs: [], timers: [], waiters: [], now: 0, messages: 0 }

/** How a process that is spawned goes on: it lives, with or without a finalizer that waits, or ends in its first turn. */
export type Fate = "lives" | "gated" | "finishes" | "crashes"

export type Command =
  | { readonly _tag: "spawn"; readonly how: "spawn" | "spawnLink" | "spawnMonitor"; readonly fate: Fate }
  | { readonly _tag: "send"; readonly to: Target }
  | { readonly _tag: "link"; readonly to: Id }
  | { readonly _tag: "unlink"; readonly to: Id }
  | { readonly _tag: "monitor"; readonly to: Target }
  | { readonly _tag: "demonitor"; readonly ref: number; readonly flush: boolean }
  | { readonly _tag: "trapExit"; readonly on: boolean }
  | { readonly _tag: "exit"; readonly to: Id; readonly reason: Reason }
  | { readonly _tag: "exitSelf"; readonly reason: Reason }
  | { readonly _tag: "finish" }
  | { readonly _tag: "crash" }
  | { readonly _tag: "register"; readonly name: string; readonly to: Id }
  | { readonly _tag: "unregister"; readonly name: string }
  | { readonly _tag: "sendAfter"; readonly to: Target; readonly delay: number }
  | { readonly _tag: "cancelTimer"; readonly timer: number }
  | { readonly _tag: "take" }
  // from outside only
  | { readonly _tag: "awaitExit"; readonly to: Id }
  | { readonly _tag: "interrupt"; readonly waiter: number }
  | { readonly _tag: "release"; readonly to: Id }
  | { readonly _tag: "advance"; readonly millis: number }

/** The state after a command, and what the command gave; nothing if whoever gave it did not live to see it. */
export type Answer = readonly [State, string | undefined]

export const show = (target: Target): string =>
  target === outside ? "outside" : typeof target === "string" ? target : `P${target}`

export const isAlive = (state: State, id: Id): boolean => id === outside || state.processes[id]!.status === "alive"

export const holderOf = (state: State, name: string): Id | undefined => {
  const id = state.processes.findIndex((process) => process.name === name)
  return id < 0 ? undefined : id
}

const update = (state: State, id: Id, change: Partial<Process>): State => ({
  ...state,
  processes: state.processes.with(id, { ...state.processes[id]!, ...change })
})

const without = <A>(set: ReadonlySet<A>, value: A): ReadonlySet<A> => new Set([...set].filter((each) => each !== value))

const resolve = (state: State, target: Target): Id | undefined =>
  typeof target === "string" ? holderOf(state, target) : target

/** Who is not alive takes nothing. */
const deliver = (state: State, to: Id, item: Item): State =>
  isAlive(state, to) ? update(state, to, { mailbox: [...state.processes[to]!.mailbox, item] }) : state

// ----------------------------------------------------------------------------
// signals
// ----------------------------------------------------------------------------

const exitSignal = (state: State, from: Id, to: Id, reason: Reason, origin: "exit" | "link"): State => {
  const { status, trapsExit } = state.processes[to]!
  if (status === "ended") return state
  if (origin === "exit" && reason === "Kill") return end(state, to, "Killed")
  if (status === "ending") return state
  if (trapsExit) return deliver(state, to, { _tag: "Exit", from: show(from), reason })
  if (reason === "Normal" && !(origin === "exit" && from === to)) return state
  return update(state, to, { status: "ending", reason })
}

/** It has ended: the name is free, then links and monitors are told. */
const end = (state: State, id: Id, reason: Reason): State => {
  const { links } = state.processes[id]!
  let next = update(state, id, { status: "ended", reason, name: undefined, links: new Set(), mailbox: [] })
  const watching = next.monitors.filter((monitor) => monitor.target === id)
  next = {
    ...next,
    monitors: next.monitors.filter((monitor) => monitor.target !== id && monitor.watcher !== id),
    timers: next.timers.map((timer) => timer?.target === id ? undefined : timer),
    waiters: next.waiters.map((waiter) =>
      waiter.target === id && waiter.told === undefined ? { target: id, told: reason } : waiter
    )
  }
  for (const linked of links) {
    next = update(next, linked, { links: without(next.processes[linked]!.links, id) })
    next = exitSignal(next, id, linked, reason, "link")
  }
  for (const { of, ref, watcher } of watching) {
    next = deliver(next, watcher, { _tag: "Down", from: show(id), ref, of, reason })
  }
  return next
}

/** The reason with which it ends in its next turn, if it does. */
const nextReason = ({ begun, doomed, gated, reason, status }: Process, waits: boolean): Reason | undefined =>
  status === "ending" && !(gated && (begun || waits)) ? reason : status === "alive" ? doomed : undefined

/** Those that have to end now, each in its turn. */
export const ending = (state: State): ReadonlyArray<Id> =>
  state.processes.flatMap((process, id) => nextReason(process, true) === undefined ? [] : [id])

/** The end of a process that is ending. Nothing if it should not end. */
export const conclude = (state: State, id: Id): State | undefined => {
  const reason = nextReason(state.processes[id]!, false)
  return reason === undefined ? undefined : end(state, id, reason)
}

/** Everybody has had a turn. */
export const settled = (state: State): State => ({
  ...state,
  processes: state.processes.map((process) => process.begun ? process : { ...process, begun: true })
})

// ----------------------------------------------------------------------------
// commands
// ----------------------------------------------------------------------------

const newMonitor = (state: State, watcher: Id, to: Target): State => {
  const ref = state.refs.length
  const next = { ...state, refs: [...state.refs, watcher] }
  const of = show(to)
  const target = resolve(state, to)
  if (target === undefined || state.processes[target]!.status === "ended") {
    return deliver(next, watcher, { _tag: "Down", from: of, ref, of, reason: "NoProcess" })
  }
  return target === watcher ? next : { ...next, monitors: [...state.monitors, { ref, watcher, target, of }] }
}

const linkBoth = (state: State, a: Id, b: Id): State => {
  const linked = update(state, a, { links: new Set(state.processes[a]!.links).add(b) })
  return update(linked, b, { links: new Set(linked.processes[b]!.links).add(a) })
}

const spawn = (state: State, by: Id, { fate, how }: Extract<Command, { _tag: "spawn" }>): State => {
  const id = state.processes.length
  const next: State = {
    ...state,
    processes: [...state.processes, {
      status: "alive",
      reason: undefined,
      doomed: fate === "finishes" ? "Normal" : fate === "crashes" ? `Crashed: P${id}` : undefined,
      gated: fate === "gated",
      begun: false,
      trapsExit: false,
      links: new Set(),
      name: undefined,
      mailbox: [],
      seen: []
    }]
  }
  return how === "spawnLink" ? linkBoth(next, by, id) : how === "spawnMonitor" ? newMonitor(next, by, id) : next
}

const advance = (state: State, millis: number): State => {
  const now = state.now + millis
  const due = state.timers.flatMap((timer, number) =>
    timer !== undefined && timer.due <= now ? [{ timer, number }] : []
  )
  // Timers of one deadline fire in the order in which they were set.
  due.sort((a, b) => a.timer.due - b.timer.due || a.number - b.number)
  let next: State = {
    ...state,
    now,
    timers: state.timers.map((timer) => timer && timer.due <= now ? undefined : timer)
  }
  for (const { timer } of due) {
    const to = resolve(next, timer.target)
    if (to !== undefined) next = deliver(next, to, { _tag: "Message", from: "timer", text: timer.text })
  }
  return next
}

const perform = (state: State, by: Id, command: Command): Answer => {
  switch (command._tag) {
    case "spawn":
      return [spawn(state, by, command), `P${state.processes.length}`]
    case "send": {
      const to = resolve(state, command.to)
      const text = `m${state.messages}`
      const next = { ...state, messages: state.messages + 1 }
      if (to !== undefined) return [deliver(next, to, { _tag: "Message", from: show(by), text }), "sent"]
      const doomed = `Crashed: cannot send to ${command.to}: no process is registered under this name`
      return [update(next, by, { doomed }), undefined]
    }
    case "link": {
      if (command.to === by) return [state, "linked"]
      if (state.processes[command.to]!.status !== "ended") return [linkBoth(state, by, command.to), "linked"]
      if (!state.processes[by]!.trapsExit) return [state, "NoProcess"]
      return [exitSignal(state, command.to, by, "NoProcess", "link"), "linked"]
    }
    case "unlink": {
      const next = update(state, by, { links: without(state.processes[by]!.links, command.to) })
      return [update(next, command.to, { links: without(next.processes[command.to]!.links, by) }), "unlinked"]
    }
    case "monitor":
      return [newMonitor(state, by, command.to), `#${state.refs.length}`]
    case "demonitor": {
      const monitors = state.monitors.filter((monitor) => monitor.ref !== command.ref)
      const { mailbox } = state.processes[by]!
      const left = mailbox.filter((item) => !(item._tag === "Down" && item.ref === command.ref))
      const next = update({ ...state, monitors }, by, command.flush ? { mailbox: left } : {})
      return [next, String(monitors.length < state.monitors.length)]
    }
    case "trapExit":
      return [update(state, by, { trapsExit: command.on }), String(state.processes[by]!.trapsExit)]
    case "exit":
      return [exitSignal(state, by, command.to, command.reason, "exit"), "sent"]
    case "exitSelf":
      return [update(state, by, { status: "ending", reason: command.reason }), undefined]
    case "finish":
      return [update(state, by, { doomed: "Normal" }), undefined]
    case "crash":
      return [update(state, by, { doomed: `Crashed: P${by}` }), undefined]
    case "register": {
      const { name, status } = state.processes[command.to]!
      if (status !== "alive") return [state, "NotAlive"]
      if (name !== undefined) return [state, "AlreadyNamed"]
      if (holderOf(state, command.name) !== undefined) return [state, "NameTaken"]
      return [update(state, command.to, { name: command.name }), "registered"]
    }
    case "unregister": {
      const holder = holderOf(state, command.name)
      return holder === undefined
        ? [state, "NotRegistered"]
        : [update(state, holder, { name: undefined }), "unregistered"]
    }
    case "sendAfter": {
      const target = command.to
      const started = typeof target === "string" || state.processes[target]!.status !== "ended"
      const timer = started ? { due: state.now + command.delay, target, text: `t${state.timers.length}` } : undefined
      return [{ ...state, timers: [...state.timers, timer] }, `T${state.timers.length}`]
    }
    case "cancelTimer": {
      const timer = state.timers[command.timer]
      const next = { ...state, timers: state.timers.with(command.timer, undefined) }
      return [next, timer === undefined ? "none" : String(timer.due - state.now)]
    }
    case "take": {
      const { mailbox, seen } = state.processes[by]!
      return [update(state, by, { mailbox: [], seen: [...seen, ...mailbox] }), String(mailbox.length)]
    }
    case "awaitExit": {
      const { reason, status } = state.processes[command.to]!
      const waiter = { target: command.to, told: status === "ended" ? reason : undefined }
      return [{ ...state, waiters: [...state.waiters, waiter] }, `W${state.waiters.length}`]
    }
    case "interrupt": {
      const waiter = state.waiters[command.waiter]!
      const told = waiter.told ?? "interrupted"
      return [{ ...state, waiters: state.waiters.with(command.waiter, { ...waiter, told }) }, told]
    }
    case "release":
      return [update(state, command.to, { gated: false }), "released"]
    case "advance":
      return [advance(state, command.millis), "advanced"]
  }
}

/** Whether a process may give another command. */
export const goesOn = (state: State, by: Id): boolean =>
  by === outside || state.processes[by]!.status === "alive" && state.processes[by]!.doomed === undefined

/** One command of a process that goes on, or of code outside. */
export const step = (state: State, by: Id, command: Command): Answer => {
  const [next, answer] = perform(state, by, command)
  return [next, goesOn(next, by) ? answer : undefined]
}
