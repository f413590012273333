/**
 * The record of one process, and the table of all processes of a Node.
 *
 * The record is the pid: sending then needs no lookup, and an idle process is this object and little else. Fields that
 * hold other things (links, mailbox, fiber) are emptied when the process ends, so that a pid kept for long is small.
 *
 * @internal
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Equal from "effect/Equal"
import type * as Fiber from "effect/Fiber"
import * as Hash from "effect/Hash"
import type * as Scheduler from "effect/Scheduler"
import type * as ExitReason from "../ExitReason.ts"
import type { Via } from "../Name.ts"
import { type Pid, TypeId as PidTypeId } from "../Pid.ts"
import type { Bounds } from "./bounds.ts"
import type * as FewSet from "./fewSet.ts"
import type * as Mailbox from "./mailbox.ts"
import * as RunQueue from "./runQueue.ts"
import type * as Tap from "./tap.ts"
import * as Timers from "./timers.ts"

/** How a kind of process takes its turns. */
export interface Behaviour {
  /** It takes the request to stop from its mailbox, in order, rather than an exit signal. */
  readonly takesStop: boolean
  /** Called by the run queue when there is something to do: a start, a message, an end to conclude. Never throws. */
  turn(entry: Entry): void
  /** Called by the signal that ends the process: stops what runs, and asks for a turn when nothing does any more. */
  end(entry: Entry): void
  /** Told before its end that its own code asked for it, rather than a signal. */
  readonly exitSelf?: (entry: Entry) => void
  /** As what it was started, as a person would name it. */
  readonly initialCall?: (entry: Entry) => string
  /** Whether a callback has begun and not ended, where there need not be a fiber for it. */
  readonly isBusy?: (entry: Entry) => boolean
}

/** Somebody who is told when a process has ended: a monitor, or an effect that waits. */
export interface Watcher {
  ended(reason: ExitReason.ExitReason): void
}

/** A watcher as its owner keeps it, to take it back when the owner ends first. */
export interface Watching extends Watcher {
  readonly target: Entry
}

/** Takes messages, and does what is asked. */
export const alive = 0
/** Takes no messages any more; finalizers run. */
export const ending = 1
/** Its name is free, its links and monitors are told. After a kill finalizers may still run, until it is closed. */
export const ended = 2

export class Entry implements Pid<unknown>, RunQueue.Runnable, Mailbox.Mailbox {
  declare readonly [PidTypeId]: { readonly _M: (_: unknown) => void; readonly _E: () => never }

  readonly id: number
  readonly table: ProcessTable
  readonly runQueue: RunQueue.RunQueue
  readonly behaviour: Behaviour
  readonly lineage: Lineage | undefined
  context: Context.Context<never>

  status: typeof alive | typeof ending | typeof ended = alive
  reason: ExitReason.ExitReason | undefined = undefined
  /** Nothing of the process runs any more. */
  closed = false
  /** It is in the run queue. */
  scheduled = false
  /** It waits for a message: a new one wakes it. */
  waiting = false
  trapsExit = false

  head: Mailbox.MailNode | undefined = undefined
  tail: Mailbox.MailNode | undefined = undefined
  length = 0
  /** What bounds the mailbox, as long as it takes messages. */
  bounds: Bounds | undefined = undefined

  links: FewSet.FewSet<Entry> = undefined
  watchers: FewSet.FewSet<Watcher> = undefined
  monitors: FewSet.FewSet<Watching> = undefined
  closeWatchers: FewSet.FewSet<Watcher> = undefined

  name: string | Via<never, unknown> | undefined = undefined
  label: string | undefined = undefined
  isSupervisor = false
  fiber: Fiber.Fiber<unknown, unknown> | undefined = undefined
  /** What the behaviour keeps here. */
  state: unknown = undefined

  previous: Entry | undefined = undefined
  next: Entry | undefined = undefined
  ownLineage: Lineage | undefined = undefined

  constructor(
    table: ProcessTable,
    runQueue: RunQueue.RunQueue,
    behaviour: Behaviour,
    context: Context.Context<never>,
    parent: Entry | undefined
  ) {
    this.id = table.lastId++
    this.table = table
    this.runQueue = runQueue
    this.behaviour = behaviour
    this.context = context
    this.lineage = parent === undefined ? undefined : lineageOf(parent)
  }

  run(): void {
    this.scheduled = false
    if (!this.closed) takeTurn(this)
  }

  toString(): string {
    return `#PID<0.${this.id}.0>`
  }

  toJSON(): unknown {
    return this.toString()
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString()
  }

  [Equal.symbol](that: unknown): boolean {
    return this === that
  }

  [Hash.symbol](): number {
    return Hash.number(this.id)
  }
}
Object.defineProperty(Entry.prototype, PidTypeId, { value: PidTypeId })

/** Lets a process take a turn, wherever that comes from. */
export const takeTurn = (entry: Entry): void => {
  if (entry.table.tap !== undefined) return takeToldTurn(entry, entry.table.tap)
  entry.behaviour.turn(entry)
}

const takeToldTurn = (entry: Entry, tap: NonNullable<ProcessTable["tap"]>): void => {
  tap({ _tag: "TurnBegins", process: entry })
  entry.behaviour.turn(entry)
  tap({ _tag: "TurnEnded", process: entry })
}

/**
 * Who started a process, nearest first. By id and name rather than by record: a strong reference to its parent would keep
 * every dead ancestor of a process that starts its own successor.
 */
export interface Lineage {
  readonly id: number
  readonly shown: string
  readonly parent: Lineage | undefined
  readonly depth: number
}

const maxLineage = 32

const lineageOf = (parent: Entry): Lineage => parent.ownLineage ??= extendLineage(parent, parent.lineage)

/** A process, and whoever comes before it. */
export const extendLineage = (entry: Entry, before: Lineage | undefined): Lineage => {
  const parent = before === undefined || before.depth >= maxLineage ? undefined : before
  return { id: entry.id, shown: describe(entry), parent, depth: parent === undefined ? 1 : parent.depth + 1 }
}

/** A lineage as it prints, nearest first. */
export const showLineage = (nearest: Lineage | undefined): ReadonlyArray<string> => {
  const shown: Array<string> = []
  for (let lineage = nearest; lineage !== undefined; lineage = lineage.parent) shown.push(lineage.shown)
  return shown
}

/** Who started a process, nearest first, as they print. */
export const ancestorsOf = (entry: Entry): ReadonlyArray<string> => showLineage(entry.lineage)

/** A process as a person would name it. */
export const describe = (entry: Entry): string =>
  entry.name !== undefined
    ? `${entry.name} ${entry}`
    : entry.label !== undefined
    ? `${entry.label} ${entry}`
    : entry.toString()

export interface ProcessTable {
  readonly name: string
  lastId: number
  size: number
  /** How many turns and ends run inside one another. */
  nested: number
  /** Its Node has closed: what is started ends before it begins. */
  sealed: boolean
  /** Who is told of what happens, in a test that wants to know. */
  tap: ((event: Tap.Event<Entry>) => void) | undefined
  first: Entry | undefined
  last: Entry | undefined
  /** Stands for code that is no process, where a signal needs a sender. It prints as `#PID<0.0.0>`. */
  readonly outside: Entry
  readonly names: Map<string, Entry>
  readonly runQueues: WeakMap<Scheduler.Scheduler, RunQueue.RunQueue>
  readonly timers: WeakMap<Clock.Clock, Timers.Timers>
}

/** A table that tells its events to `tap`: who listens to a Node listens to those that are made in it. */
export const make = (name: string, tap?: ProcessTable["tap"]): ProcessTable => {
  const table: { -readonly [K in keyof ProcessTable]: ProcessTable[K] } = {
    name,
    lastId: 0,
    size: 0,
    nested: 0,
    sealed: false,
    tap,
    first: undefined,
    last: undefined,
    outside: undefined as never,
    names: new Map(),
    runQueues: new WeakMap(),
    timers: new WeakMap()
  }
  table.outside = new Entry(
    table,
    RunQueue.none,
    { takesStop: false, turn: () => {}, end: () => {} },
    Context.empty(),
    undefined
  )
  table.outside.status = ended
  table.outside.closed = true
  return table
}

export const insert = (table: ProcessTable, entry: Entry): void => {
  entry.previous = table.last
  if (table.last === undefined) table.first = entry
  else table.last.next = entry
  table.last = entry
  table.size++
}

export const remove = (table: ProcessTable, entry: Entry): void => {
  if (entry.previous === undefined) table.first = entry.next
  else entry.previous.next = entry.next
  if (entry.next === undefined) table.last = entry.previous
  else entry.next.previous = entry.previous
  entry.previous = entry.next = undefined
  table.size--
}

export const runQueueOf = (table: ProcessTable, scheduler: Scheduler.Scheduler): RunQueue.RunQueue => {
  let queue = table.runQueues.get(scheduler)
  if (queue === undefined) table.runQueues.set(scheduler, queue = RunQueue.make(scheduler, table))
  return queue
}

export const timersOf = (table: ProcessTable, clock: Clock.Clock, scheduler: Scheduler.Scheduler): Timers.Timers => {
  let timers = table.timers.get(clock)
  if (timers === undefined) table.timers.set(clock, timers = Timers.make(clock, scheduler, table))
  return timers
}
