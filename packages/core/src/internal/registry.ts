/**
 * What a running registry keeps, and what registering does.
 *
 * Whoever registers or looks up works on the table itself: the process of the registry is only who it belongs to, and
 * whose end is the end of those who are registered. All of it is synchronous, so that finding a key free and taking it is
 * one step.
 *
 * @internal
 */
import { format } from "effect/Formatter"
import * as MutableHashMap from "effect/MutableHashMap"
import type * as Semaphore from "effect/Semaphore"
import type { AnyTarget } from "../Name.ts"
import * as FewSet from "./fewSet.ts"
import * as Holders from "./holders.ts"
import { link, unlink } from "./lifecycle.ts"
import { alive, ended, type Entry, type Watcher } from "./processTable.ts"
import * as Table from "./registryTable.ts"
import { deliverTo } from "./sending.ts"

/** What a service says of its registry. */
export interface Config {
  readonly name: string
  readonly unique: boolean
  readonly partitions: number
  readonly listeners: ReadonlyArray<AnyTarget>
  readonly meta: ReadonlyArray<readonly [key: PropertyKey, value: unknown]>
}

/** Who is told that the holders of a key may be others, and that the registry has ended. */
export interface Subscriber {
  changed(): void
  ended(): void
}

export interface Registry extends Config {
  readonly entry: Entry
  readonly holders: Holders.Holders
  readonly metadata: Map<PropertyKey, unknown>
  readonly subscribers: MutableHashMap.MutableHashMap<unknown, Set<Subscriber>>
  /** Who waits for a lock or has it. */
  readonly locks: MutableHashMap.MutableHashMap<unknown, Lock>
}

export interface Lock {
  readonly semaphore: Semaphore.Semaphore
  users: number
}

/** The registry of a process that begins. It is emptied when that ends, by whatever reason. */
export const make = (config: Config, entry: Entry): Registry => {
  const registry: Registry = {
    ...config,
    entry,
    holders: Holders.make((gone) => gone.forEach(({ key }) => changed(registry, key))),
    metadata: new Map(config.meta),
    subscribers: MutableHashMap.empty(),
    locks: MutableHashMap.empty()
  }
  const watcher: Watcher = {
    ended: () => {
      Holders.clear(registry.holders)
      for (const [, subscribers] of registry.subscribers) subscribers.forEach((subscriber) => subscriber.ended())
    }
  }
  entry.watchers = FewSet.add<Watcher>(entry.watchers, watcher)
  return registry
}

/** A key of a registry as a person would name it. */
export const show = (name: string, key: unknown): string => `${name}/${typeof key === "string" ? key : format(key)}`

/** Registers a process, or gives who holds the key. One that is not alive is not registered. */
export const register = (registry: Registry, pid: Entry, key: unknown, value: unknown): Entry | undefined => {
  const { entry, holders, unique } = registry
  const taken = unique ? Table.first(holders, key) : undefined
  if (taken !== undefined) return taken.pid
  if (pid.status !== alive) return undefined
  const holder = Holders.add(holders, { key, pid, value })
  // Who was linked before stays linked when it is not registered any more.
  if (holder !== undefined && !FewSet.has(pid.links, entry)) {
    holder.linked = true
    link(pid, entry)
  }
  changed(registry, key)
  if (registry.listeners.length > 0) tell(registry, new Registered(registry.name, key, pid, value))
  return undefined
}

/** Unregisters what a process holds of a key, all of it or what matches. */
export const unregister = (
  registry: Registry,
  pid: Entry,
  key: unknown,
  matches: (value: unknown) => boolean = () => true
): void => {
  const { entry, holders } = registry
  const held = Table.ofBoth(holders, key, pid)
  const gone = held.filter(({ value }) => matches(value))
  if (gone.length === 0) return
  for (const item of gone) {
    if (Holders.remove(holders, item)?.linked === true) unlink(pid, entry)
  }
  changed(registry, key)
  // The end of a process is no event, also where it is told by giving up the key as its name.
  if (gone.length === held.length && pid.status !== ended) tell(registry, new Unregistered(registry.name, key, pid))
}

export type Update = (value: unknown) => unknown

/** Replaces the value of a unique key that a process holds; gives the new one and the old one. */
export const update = (
  { holders }: Registry,
  pid: Entry,
  key: unknown,
  f: Update
): readonly [value: unknown, previous: unknown] | undefined => {
  const item = Table.first(holders, key)
  if (item === undefined || item.pid !== pid) return undefined
  const value = f(item.value)
  // It may have called anything.
  if (Table.first(holders, key) !== item) return undefined
  Table.replace(holders, item, { key: item.key, pid, value })
  return [value, item.value]
}

/** The entries of a key as a dispatch sees them: those of each partition that has any. */
export const dispatched = ({ holders, partitions }: Registry, key: unknown): ReadonlyArray<ReadonlyArray<unknown>> => {
  const items = Table.ofKey(holders, key)
  if (partitions === 1) return items.length === 0 ? [] : [items]
  const groups = Array.from(
    { length: partitions },
    (_, group) => items.filter(({ pid }) => pid.id % partitions === group)
  )
  return groups.filter((group) => group.length > 0)
}

export const subscribe = ({ subscribers }: Registry, key: unknown, subscriber: Subscriber): () => void => {
  const found = MutableHashMap.get(subscribers, key)
  const set = found._tag === "Some" ? found.value : new Set<Subscriber>()
  if (found._tag === "None") MutableHashMap.set(subscribers, key, set)
  set.add(subscriber)
  return () => {
    set.delete(subscriber)
    if (set.size === 0) MutableHashMap.remove(subscribers, key)
  }
}

const changed = ({ subscribers }: Registry, key: unknown): void => {
  if (MutableHashMap.isEmpty(subscribers)) return
  const found = MutableHashMap.get(subscribers, key)
  if (found._tag === "Some") found.value.forEach((subscriber) => subscriber.changed())
}

// A listener that is not there is not told.
const tell = ({ entry, listeners }: Registry, event: Registered | Unregistered): void => {
  for (const listener of listeners) deliverTo(entry.table, listener, event)
}

class Registered {
  readonly _tag = "Registered"
  readonly registry: string
  readonly key: unknown
  readonly pid: Entry
  readonly value: unknown

  constructor(registry: string, key: unknown, pid: Entry, value: unknown) {
    this.registry = registry
    this.key = key
    this.pid = pid
    this.value = value
  }
}

class Unregistered {
  readonly _tag = "Unregistered"
  readonly registry: string
  readonly key: unknown
  readonly pid: Entry

  constructor(registry: string, key: unknown, pid: Entry) {
    this.registry = registry
    this.key = key
    this.pid = pid
  }
}
