/**
 * A table whose items go when the processes end that hold them: before anybody else is told of the end.
 *
 * @internal
 */
import * as FewSet from "./fewSet.ts"
import { alive, type Entry, type Watcher } from "./processTable.ts"
import * as Table from "./registryTable.ts"

export type Item = Table.Item<Entry>

export interface Holders extends Table.Table<Item> {
  readonly watchers: Map<Entry, Holder>
  /** Told when a process has ended, and of what has gone with it. */
  readonly onEnd: (gone: ReadonlyArray<Item>) => void
}

export const make = (onEnd: Holders["onEnd"]): Holders => ({ ...Table.make<Item>(), watchers: new Map(), onEnd })

/** Watches one process as long as it holds something: one watcher each, however much that is. */
export class Holder implements Watcher {
  readonly holders: Holders
  readonly pid: Entry
  /** It was linked for what it holds. */
  linked = false

  constructor(holders: Holders, pid: Entry) {
    this.holders = holders
    this.pid = pid
  }

  ended(): void {
    const { holders, pid } = this
    const gone = Table.ofPid(holders, pid)
    holders.watchers.delete(pid)
    for (const item of gone) Table.remove(holders, item)
    holders.onEnd(gone)
  }
}

/** Adds an item, and gives the holder if it is the first that this process holds. What is not alive holds nothing. */
export const add = (holders: Holders, item: Item): Holder | undefined => {
  const { pid } = item
  if (pid.status !== alive) return undefined
  Table.add(holders, item)
  if (holders.watchers.has(pid)) return undefined
  const holder = new Holder(holders, pid)
  holders.watchers.set(pid, holder)
  pid.watchers = FewSet.add<Watcher>(pid.watchers, holder)
  return holder
}

/** Removes an item, and gives the holder if it was the last that this process held. */
export const remove = (holders: Holders, item: Item): Holder | undefined => {
  Table.remove(holders, item)
  if (holders.byPid.has(item.pid)) return undefined
  const holder = holders.watchers.get(item.pid)!
  unwatch(holder)
  return holder
}

/** Forgets everything: who goes on to live must not keep the table. */
export const clear = (holders: Holders): ReadonlyArray<Item> => {
  const all = Table.toArray(holders)
  for (const item of all) Table.remove(holders, item)
  holders.watchers.forEach(unwatch)
  return all
}

const unwatch = (holder: Holder): void => {
  holder.holders.watchers.delete(holder.pid)
  holder.pid.watchers = FewSet.remove<Watcher>(holder.pid.watchers, holder)
}
