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

// What is yes or no of a process is one number, of which the first two bits are its status: a field each would be a fifth of
// all that a process takes which waits.
const statusMask = 3
const isClosed = 4
const isScheduled = 8
const isWaiting = 16
const trapsExits = 32
const supervises = 64

/** What few processes have, or not for long. */
class Rare {
  bounds: Bounds | undefined = undefined
  watchers: FewSet.FewSet<Watcher> = undefined
  monitors: FewSet.FewSet<Watching> = undefined
  closeWatchers: FewSet.FewSet<Watcher> = undefined
  name: string | Via<never, unknown> | undefined = undefined
  label: string | undefined = undefined
  ownLineage: Lineage | undefined = undefined
}

export class Entry implements Pid<unknown>, RunQueue.Runnable, Mailbox.Mailbox {
  declare readonly [PidTypeId]: { readonly _M: (_: unknown) => void; readonly _E: () => never }

  readonly id: number
  readonly behaviour: Behaviour
  readonly lineage: Lineage | undefined
  origin: Origin

  flags = 0
  reason: ExitReason.ExitReason | undefined = undefined

  head: Mailbox.MailNode | undefined = undefined
  tail: Mailbox.MailNode | undefined = undefined
  length = 0

  links: FewSet.FewSet<Entry> = undefined
  fiber: Fiber.Fiber<unknown, unknown> | undefined = undefined
  /** What the behaviour keeps here. */
  state: unknown = undefined
  rare: Rare | undefined = undefined

  previous: Entry | undefined = undefined
  next: Entry | undefined = undefined

  constructor(origin: Origin, behaviour: Behaviour) {
    this.id = origin.table.lastId++
    this.behaviour = behaviour
    this.lineage = origin.process === undefined ? undefined : lineageOf(origin.process)
    this.origin = origin
  }

  get table(): ProcessTable {
    return this.origin.table
  }

  get runQueue(): RunQueue.RunQueue {
    return this.origin.runQueue
  }

  get context(): Context.Context<never> {
    return this.origin.context
  }

  set context(context: Context.Context<never>) {
    this.origin = this.origin.withContext(context)
  }

  get status(): typeof alive | typeof ending | typeof ended {
    return (this.flags & statusMask) as typeof alive | typeof ending | typeof ended
  }

  set status(status: typeof alive | typeof ending | typeof ended) {
    this.flags = this.flags & ~statusMask | status
  }

  /** Nothing of the process runs any more. */
  get closed(): boolean {
    return (this.flags & isClosed) !== 0
  }

  set closed(closed: boolean) {
    this.flags = closed ? this.flags | isClosed : this.flags & ~isClosed
  }

  /** It is in the run queue. */
  get scheduled(): boolean {
    return (this.flags & isScheduled) !== 0
  }

  set scheduled(scheduled: boolean) {
    this.flags = scheduled ? this.flags | isScheduled : this.flags & ~isScheduled
  }

  /** It waits for a message: a new one wakes it. */
  get waiting(): boolean {
    return (this.flags & isWaiting) !== 0
  }

  set waiting(waiting: boolean) {
    this.flags = waiting ? this.flags | isWaiting : this.flags & ~isWaiting
  }

  get trapsExit(): boolean {
    return (this.flags & trapsExits) !== 0
  }

  set trapsExit(trapsExit: boolean) {
    this.flags = trapsExit ? this.flags | trapsExits : this.flags & ~trapsExits
  }

  get isSupervisor(): boolean {
    return (this.flags & supervises) !== 0
  }

  set isSupervisor(isSupervisor: boolean) {
    this.flags = isSupervisor ? this.flags | supervises : this.flags & ~supervises
  }

  /** What bounds the mailbox, as long as it takes messages. */
  get bounds(): Bounds | undefined {
    return this.rare?.bounds
  }

  set bounds(bounds: Bounds | undefined) {
    if (bounds !== this.bounds) (this.rare ??= new Rare()).bounds = bounds
  }

  get watchers(): FewSet.FewSet<Watcher> {
    return this.rare?.watchers
  }

  set watchers(watchers: FewSet.FewSet<Watcher>) {
    if (watchers !== this.watchers) (this.rare ??= new Rare()).watchers = watchers
  }

  get monitors(): FewSet.FewSet<Watching> {
    return this.rare?.monitors
  }

  set monitors(monitors: FewSet.FewSet<Watching>) {
    if (monitors !== this.monitors) (this.rare ??= new Rare()).monitors = monitors
  }

  get closeWatchers(): FewSet.FewSet<Watcher> {
    return this.rare?.closeWatchers
  }

  set closeWatchers(closeWatchers: FewSet.FewSet<Watcher>) {
    if (closeWatchers !== this.closeWatchers) (this.rare ??= new Rare()).closeWatchers = closeWatchers
  }

  get name(): string | Via<never, unknown> | undefined {
    return this.rare?.name
  }

  set name(name: string | Via<never, unknown> | undefined) {
    if (name !== this.name) (this.rare ??= new Rare()).name = name
  }

  get label(): string | undefined {
    return this.rare?.label
  }

  set label(label: string | undefined) {
    if (label !== this.label) (this.rare ??= new Rare()).label = label
  }

  get ownLineage(): Lineage | undefined {
    return this.rare?.ownLineage
  }

  set ownLineage(ownLineage: Lineage | undefined) {
    if (ownLineage !== this.ownLineage) (this.rare ??= new Rare()).ownLineage = ownLineage
  }

  /** Lets go of all that a process needs which runs, and keeps what it is called. */
  empty(): void {
    this.origin = this.origin.bare
    this.fiber = this.state = undefined
    this.ownLineage = undefined
    if (this.rare !== undefined && this.rare.name === undefined && this.rare.label === undefined) this.rare = undefined
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

/** From where a process is started, and what it inherits: all that are started from one place have it in common. */
export class Origin {
  readonly table: ProcessTable
  readonly runQueue: RunQueue.RunQueue
  /** The process that starts it, if it is one. */
  readonly process: Entry | undefined
  readonly context: Context.Context<never>
  #bare: Origin | undefined = undefined

  constructor(
    table: ProcessTable,
    runQueue: RunQueue.RunQueue,
    process: Entry | undefined,
    context: Context.Context<never>
  ) {
    this.table = table
    this.runQueue = runQueue
    this.process = process
    this.context = context
  }

  withContext(context: Context.Context<never>): Origin {
    return new Origin(this.table, this.runQueue, this.process, context)
  }

  /** What is left of it to a process that has ended. */
  get bare(): Origin {
    return this.#bare ??= new Origin(this.table, this.runQueue, undefined, Context.empty())
  }
}

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
  /** From where a process was started last: the next one mostly is, too. */
  lastOrigin: Origin | undefined
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
    lastOrigin: undefined,
    timers: new WeakMap()
  }
  const nowhere = new Origin(table, RunQueue.none, undefined, Context.empty())
  table.outside = new Entry(nowhere, { takesStop: false, turn: () => {}, end: () => {} })
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
