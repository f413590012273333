/**
 * What a server does with what comes to it, as a pure function: who gets which answer, the state, and how it ends.
 *
 * All of it is plain data. A request says what its handler does (`Action`); time is a number that only `advance` moves, and
 * no two things are due in the same instant: handlers end at multiples of `unit`, the timeouts of steps one after, those of
 * calls two after.
 */
export const unit = 4

/** What a handler does. As the handler of a call it also answers with the state, unless it says otherwise. */
export type Action =
  /** Adds to the state. */
  | { readonly _tag: "add"; readonly by: number }
  /** Takes its time, and adds 1. */
  | { readonly _tag: "slow"; readonly units: number }
  /** Leaves the answer for later. */
  | { readonly _tag: "keep" }
  /** Answers the oldest call of which the answer was left, as well. */
  | { readonly _tag: "answer" }
  /** Fails with the error of the call. */
  | { readonly _tag: "refuse" }
  /** The same, and adds 1. */
  | { readonly _tag: "refuseAndAdd" }
  /** Wants to be told when nothing has come for so long, and then adds 100. */
  | { readonly _tag: "idle"; readonly units: number }
  /** Continues with what adds 1,000, at once or when its time is over. */
  | { readonly _tag: "goOn"; readonly units: number }
  | { readonly _tag: "crash" }
  | { readonly _tag: "crashLater"; readonly units: number }
  /** Adds 1, and stops. */
  | { readonly _tag: "stop" }
  | { readonly _tag: "replyAndStop" }
  | { readonly _tag: "exit" }

export type Command =
  | { readonly _tag: "call"; readonly action: Action; readonly timeout: number | undefined }
  | { readonly _tag: "cast"; readonly action: Action }
  | { readonly _tag: "info"; readonly action: Action }
  | { readonly _tag: "requestStop" }
  | { readonly _tag: "interrupt"; readonly caller: number }
  | { readonly _tag: "signal"; readonly reason: "Normal" | "Shutdown" | "Kill" | "x" }
  | { readonly _tag: "advance"; readonly millis: number }

/** What is in the mailbox. Nobody waits for a caller of -1. */
interface Item {
  readonly action: Action | "stop"
  readonly caller: number
  /** Whether the caller of a call waits for the answer. */
  readonly isCall: boolean
}

interface Caller {
  answer: string | undefined
  /** When it gives up. */
  due: number | undefined
  /** It has asked the server to stop, and waits until it has. */
  readonly stops: boolean
}

export interface State {
  now: number
  /** The state of the server. */
  n: number
  /** The calls of which the answer was left for later. */
  kept: Array<number>
  /** Why it has ended. */
  reason: string | undefined
  /** The state that `terminate` has seen. */
  terminated: number | undefined
  /** It has ended since `begin`: in the same turn nobody can tell whether a request came before that or after. */
  justEnded: boolean
  queue: Array<Item>
  /** What its handler, or `continue`, will do, and when. */
  busy: { readonly until: number; readonly item: Item } | undefined
  idleUntil: number | undefined
  callers: Array<Caller>
}

export const empty: State = {
  now: 0,
  n: 0,
  kept: [],
  reason: undefined,
  terminated: undefined,
  justEnded: false,
  queue: [],
  busy: undefined,
  idleUntil: undefined,
  callers: []
}

export const waits = (state: State, caller: number): boolean => state.callers[caller]?.answer === undefined

// ----------------------------------------------------------------------------
// answers and ends
// ----------------------------------------------------------------------------

/** The first answer counts. */
const tell = (state: State, caller: number, answer: string): void => {
  const told = state.callers[caller]
  if (told === undefined || told.answer !== undefined) return
  told.answer = answer
  told.due = undefined
}

const end = (state: State, reason: string): void => {
  state.reason = reason
  state.justEnded = true
  state.queue = []
  state.busy = undefined
  state.idleUntil = undefined
  // Everybody who waits, waits for this server.
  for (const [caller, { stops }] of state.callers.entries()) {
    tell(state, caller, stops && reason === "Normal" ? "stopped" : `ServerExited ${reason}`)
  }
}

const endItself = (state: State, reason: string): void => {
  state.terminated = state.n
  end(state, reason)
}

// ----------------------------------------------------------------------------
// the loop
// ----------------------------------------------------------------------------

const continued: Item = { action: { _tag: "add", by: 1_000 }, caller: -1, isCall: false }

const reply = (state: State, item: Item): void => {
  if (item.isCall) tell(state, item.caller, String(state.n))
}

const handle = (state: State, item: Item): void => {
  const { action, caller } = item
  if (action === "stop") return endItself(state, "Normal")
  switch (action._tag) {
    case "add":
      state.n += action.by
      return reply(state, item)
    case "slow":
      state.busy = { until: state.now + action.units * unit, item: { ...item, action: { _tag: "add", by: 1 } } }
      return
    case "keep":
      if (item.isCall) state.kept.push(caller)
      return
    case "answer":
      tell(state, state.kept.shift() ?? -1, `kept ${state.n}`)
      return reply(state, item)
    case "refuse":
      if (item.isCall) tell(state, caller, "Refused")
      return
    case "refuseAndAdd":
      state.n += 1
      if (item.isCall) tell(state, caller, "Refused")
      return
    case "idle":
      state.idleUntil = state.now + action.units * unit + 1
      return reply(state, item)
    case "goOn":
      reply(state, item)
      if (action.units === 0) return handle(state, continued)
      state.busy = { until: state.now + action.units * unit, item: continued }
      return
    case "crash":
      return endItself(state, "Crashed: crash")
    case "crashLater":
      state.busy = { until: state.now + action.units * unit, item: { ...item, action: { _tag: "crash" } } }
      return
    case "stop":
      state.n += 1
      return endItself(state, "stop")
    case "replyAndStop":
      reply(state, item)
      return endItself(state, "stop")
    case "exit":
      return endItself(state, "exit")
  }
}

const drain = (state: State): void => {
  while (state.reason === undefined && state.busy === undefined) {
    const item = state.queue.shift()
    if (item === undefined) return
    // Whatever it is, it is a message: it is no time without one.
    state.idleUntil = undefined
    if (!item.isCall || waits(state, item.caller)) handle(state, item)
  }
}

// ----------------------------------------------------------------------------
// time
// ----------------------------------------------------------------------------

/** When something happens next. */
export const next = (state: State): number =>
  Math.min(
    state.busy?.until ?? Infinity,
    state.idleUntil ?? Infinity,
    ...state.callers.map(({ due }) => due ?? Infinity)
  )

const happen = (state: State): void => {
  for (const [caller, { due }] of state.callers.entries()) if (due === state.now) tell(state, caller, "Timeout")
  if (state.idleUntil === state.now) {
    state.idleUntil = undefined
    state.n += 100
  }
  if (state.busy?.until === state.now) {
    const { item } = state.busy
    state.busy = undefined
    handle(state, item)
    drain(state)
  }
}

// ----------------------------------------------------------------------------
// commands
// ----------------------------------------------------------------------------

/** Nothing that came before is still under way. */
export const begin = (state: State): State => ({ ...state, justEnded: false })

/** What a command changes. */
export const step = (from: State, command: Command): State => {
  const state = structuredClone(from)
  const arrive = (action: Item["action"], caller: number, isCall: boolean) => {
    if (state.reason !== undefined) return tell(state, caller, state.justEnded ? "gone" : "NoProcess")
    state.queue.push({ action, caller, isCall })
    drain(state)
  }
  const add = (due: number | undefined, stops: boolean) => state.callers.push({ answer: undefined, due, stops }) - 1
  switch (command._tag) {
    case "call": {
      const { timeout } = command
      arrive(command.action, add(timeout === undefined ? undefined : state.now + timeout, false), true)
      break
    }
    case "cast":
    case "info":
      arrive(command.action, -1, false)
      break
    case "requestStop":
      arrive("stop", add(undefined, true), false)
      break
    case "interrupt":
      tell(state, command.caller, "interrupted")
      break
    case "signal":
      if (command.reason !== "Normal" && state.reason === undefined) {
        end(state, command.reason === "Kill" ? "Killed" : command.reason)
      }
      break
    case "advance": {
      const until = state.now + command.millis
      for (let due = next(state); due <= until; due = next(state)) {
        state.now = due
        happen(state)
      }
      state.now = until
    }
  }
  return state
}
