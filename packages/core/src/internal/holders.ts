/**
 * A table whose items go when the processes end that hold them: before anybody else is told of the end.
 *
 * @internal
 */
import * as FewSet from "./fewSet.ts"
import { alive, type Entry, type Watcher } from "./processTable.ts"
import * as Table from "./registryTable.ts"

export type Item = Table.Item<Entry>

export interface Holders extends Table.Table<Item, Holder> {
  /** Told when a process has ended, and of what has gone with it. */
  readonly onEnd: (gone: ReadonlyArray<Item>) => void
}

export const make = (onEnd: Holders["onEnd"]): Holders => {
  const holders: Holders = { ...Table.make<Item, Holder>((pid) => new Holder(holders, pid)), onEnd }
  return holders
}

/** All that one process holds, and who watches the process as long as that is anything. */
export class Holder implements Table.Held<Item>, Watcher {
  readonly holders: Holders
  readonly pid: Entry
  items: FewSet.FewSet<Item> = undefined
  /** It was linked for what it holds. */
  linked = false

  constructor(holders: Holders, pid: Entry) {
    this.holders = holders
    this.pid = pid
  }

  ended(): void {
    const gone = FewSet.toArray(this.items)
    for (const item of gone) Table.remove(this.holders, item)
    this.holders.onEnd(gone)
  }
}

/** Adds an item, and gives the holder if it is the first that this process holds. What is not alive holds nothing. */
export const add = (holders: Holders, item: Item): Holder | undefined => {
  const { pid } = item
  if (pid.status !== alive) return undefined
  const first = Table.add(holders, item)
  if (first !== undefined) pid.watchers = FewSet.add<Watcher>(pid.watchers, first)
  return first
}

/** Removes an item, and gives the holder if it was the last that this process held. */
export const remove = (holders: Holders, item: Item): Holder | undefined => {
  const last = Table.remove(holders, item)
  if (last !== undefined) last.pid.watchers = FewSet.remove<Watcher>(last.pid.watchers, last)
  return last
}

/** Forgets everything: who goes on to live must not keep the table. */
export const clear = (holders: Holders): void => {
  for (const item of Table.toArray(holders)) remove(holders, item)
}
