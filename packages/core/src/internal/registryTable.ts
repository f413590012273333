/**
 * Who holds which keys, found by the key and by the holder: the table of a registry, and of the groups of processes.
 *
 * Keys are compared as `Equal.equals` does. Most keys have one holder and most processes hold one key, hence the sets for
 * few.
 *
 * @internal
 */
import * as MutableHashMap from "effect/MutableHashMap"
import * as FewSet from "./fewSet.ts"

/** One key that one process holds. Never changed: another value is another item. */
export interface Item<out Pid extends object = object> {
  readonly key: unknown
  readonly pid: Pid
  readonly value: unknown
}

type Items<I extends object> = FewSet.FewSet<I> & {}

/** All that one process holds: at least one item as long as it is in the table. */
export interface Held<I extends Item = Item> {
  items: FewSet.FewSet<I>
}

export interface Table<I extends Item, H extends Held<I> = Held<I>> {
  readonly byKey: MutableHashMap.MutableHashMap<unknown, Items<I>>
  readonly byPid: Map<I["pid"], H>
  readonly hold: (pid: I["pid"]) => H
  size: number
}

/** A table where what a process holds is kept by what `hold` makes for it, empty. */
export const make = <I extends Item, H extends Held<I>>(hold: Table<I, H>["hold"]): Table<I, H> => ({
  byKey: MutableHashMap.empty(),
  byPid: new Map(),
  hold,
  size: 0
})

/** What is equal only to itself needs no hash and no Option: the map behind has it, or nobody holds it. */
export const isPlain = (key: unknown): boolean => typeof key !== "object" && typeof key !== "function"

const itemsOf = <I extends Item>({ byKey }: Table<I>, key: unknown): FewSet.FewSet<I> => {
  if (isPlain(key)) return byKey.backing.get(key)
  const found = MutableHashMap.get(byKey, key)
  return found._tag === "Some" ? found.value : undefined
}

const put = <I extends Item>({ byKey }: Table<I>, key: unknown, items: Items<I>): void => {
  if (isPlain(key)) byKey.backing.set(key, items)
  else MutableHashMap.set(byKey, key, items)
}

const sizeOf = (items: FewSet.FewSet<object>): number => items === undefined ? 0 : items instanceof Set ? items.size : 1

/** All of a key, oldest first. */
export const ofKey = <I extends Item>(table: Table<I>, key: unknown): Array<I> => FewSet.toArray(itemsOf(table, key))

/** The oldest of a key: the only one, where keys are unique. */
export const first = <I extends Item>(table: Table<I>, key: unknown): I | undefined => {
  const items = itemsOf(table, key)
  return items instanceof Set ? items.values().next().value : items
}

/** All of a process. */
export const ofPid = <I extends Item>(table: Table<I>, pid: I["pid"]): Array<I> =>
  FewSet.toArray<I>(table.byPid.get(pid)?.items)

/** All of a key that are a process's. A crowd under one key, and a process with a crowd of keys, are both quick to search. */
export const ofBoth = <I extends Item>(table: Table<I>, key: unknown, pid: I["pid"]): Array<I> => {
  const own = table.byPid.get(pid)?.items
  const all = itemsOf(table, key)
  if (own === undefined || all === undefined) return []
  return sizeOf(all) < sizeOf(own)
    ? FewSet.toArray(all).filter((item) => item.pid === pid)
    : FewSet.toArray(own).filter((item) => FewSet.has(all, item))
}

export const toArray = <I extends Item>(table: Table<I>): Array<I> =>
  Array.from(table.byKey).flatMap(([, items]) => FewSet.toArray<I>(items))

/** The keys that somebody holds. */
export const keys = <I extends Item>(table: Table<I>): Array<unknown> => Array.from(MutableHashMap.keys(table.byKey))

/** Adds an item, and gives what its process holds if there was nothing before. */
export const add = <I extends Item, H extends Held<I>>(table: Table<I, H>, item: I): H | undefined => {
  put(table, item.key, FewSet.add(itemsOf(table, item.key), item)!)
  table.size++
  const held = table.byPid.get(item.pid)
  if (held !== undefined) {
    held.items = FewSet.add(held.items, item)
    return undefined
  }
  const first = table.hold(item.pid)
  first.items = item
  table.byPid.set(item.pid, first)
  return first
}

const swap = <I extends object>(items: FewSet.FewSet<I>, item: I, by: I): Items<I> =>
  FewSet.add(FewSet.remove(items, item), by)!

/** Puts another item of the same key and process in the place of one that is there: at no time is nothing held. */
export const replace = <I extends Item>(table: Table<I>, item: I, by: I): void => {
  put(table, item.key, swap(itemsOf(table, item.key), item, by))
  const held = table.byPid.get(item.pid)!
  held.items = swap(held.items, item, by)
}

/** Removes an item that is there, and gives what its process held if there is nothing left. */
export const remove = <I extends Item, H extends Held<I>>(table: Table<I, H>, item: I): H | undefined => {
  const items = FewSet.remove(itemsOf(table, item.key), item)
  if (items === undefined) MutableHashMap.remove(table.byKey, item.key)
  else put(table, item.key, items)
  table.size--
  const held = table.byPid.get(item.pid)!
  held.items = FewSet.remove(held.items, item)
  if (held.items !== undefined) return undefined
  table.byPid.delete(item.pid)
  return held
}
