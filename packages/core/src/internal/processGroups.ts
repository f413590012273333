/**
 * The groups of a Node, scope by scope, and whoever follows them.
 *
 * @internal
 */
import * as Holders from "./holders.ts"
import type { Entry, ProcessTable } from "./processTable.ts"
import * as Table from "./registryTable.ts"

/** Processes that have joined a group, or have left it. */
export class Change {
  readonly _tag: "Joined" | "Left"
  readonly ref: object
  readonly group: string
  readonly pids: ReadonlyArray<Entry>

  constructor(tag: "Joined" | "Left", ref: object, group: string, pids: ReadonlyArray<Entry>) {
    this._tag = tag
    this.ref = ref
    this.group = group
    this.pids = pids
  }
}

/** Who follows one group, or all of a scope. */
export interface Observer {
  readonly group: string | undefined
  changed(tag: Change["_tag"], group: string, pids: ReadonlyArray<Entry>): void
  /** The scope is stopped. */
  stopped(): void
}

export interface Scope {
  readonly holders: Holders.Holders
  readonly observers: Set<Observer>
}

const scopes = new WeakMap<ProcessTable, Map<string, Scope>>()

/** A scope of a Node. It is there when it is asked for. */
export const scopeOf = (table: ProcessTable, name: string): Scope => {
  let named = scopes.get(table)
  if (named === undefined) scopes.set(table, named = new Map())
  let scope = named.get(name)
  if (scope === undefined) named.set(name, scope = makeScope())
  return scope
}

const makeScope = (): Scope => {
  const scope: Scope = {
    // Each membership is told by itself.
    holders: Holders.make((gone) => gone.forEach(({ key, pid }) => tell(scope, "Left", key as string, [pid]))),
    observers: new Set()
  }
  return scope
}

const tell = ({ observers }: Scope, tag: Change["_tag"], group: string, pids: ReadonlyArray<Entry>): void => {
  if (pids.length === 0) return
  for (const observer of observers) {
    if (observer.group === undefined || observer.group === group) observer.changed(tag, group, pids)
  }
}

/** Those that are alive join, once for each time that they are named. */
export const join = (scope: Scope, group: string, pids: ReadonlyArray<Entry>): void => {
  const joined = pids.filter((pid) => {
    const before = scope.holders.size
    Holders.add(scope.holders, { key: group, pid, value: undefined })
    return scope.holders.size > before
  })
  tell(scope, "Joined", group, joined)
}

/** The latest membership of each ends, for each time that it is named; answers whether there was any. */
export const leave = (scope: Scope, group: string, pids: ReadonlyArray<Entry>): boolean => {
  const left = pids.filter((pid) => {
    const item = Table.ofBoth(scope.holders, group, pid).at(-1)
    if (item !== undefined) Holders.remove(scope.holders, item)
    return item !== undefined
  })
  tell(scope, "Left", group, left)
  return left.length > 0
}

export const members = ({ holders }: Scope, group: string): ReadonlyArray<Entry> =>
  Table.ofKey(holders, group).map(({ pid }) => pid)

export const groups = ({ holders }: Scope): ReadonlyArray<string> => Table.keys(holders) as ReadonlyArray<string>

export const stop = (scope: Scope): void => {
  Holders.clear(scope.holders)
  const observers = [...scope.observers]
  scope.observers.clear()
  for (const observer of observers) observer.stopped()
}
