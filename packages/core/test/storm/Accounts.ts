/**
 * Whether a tree that has come to rest is as it was described, and whether there is anything beside it: processes, links,
 * monitors, names, timers, messages.
 */
import type * as SupervisorTree from "@effect-otp/core/SupervisorTree"
import * as Effect from "effect/Effect"
import { tableOf, timersOf } from "../../src/internal/current.ts"
import * as FewSet from "../../src/internal/fewSet.ts"
import { type Entry, runQueueOf } from "../../src/internal/processTable.ts"
import { entryOfPid } from "../../src/internal/resolve.ts"
import { inconsistencies } from "../utils/leftovers.ts"
import type { Census } from "./Census.ts"
import type { Expected } from "./Forest.ts"

/** Where a tree is not as it was described: permanent children run, others may have ended for good. */
const differences = (
  tree: SupervisorTree.Tree,
  { children = [], id, name, restart }: Expected
): ReadonlyArray<string> => {
  if (tree.status !== "running") {
    return tree.status === "stopped" && restart === "transient" ? [] : [`${id} is ${restart}, and ${tree.status}`]
  }
  const wrongName = tree.name === name ? [] : [`${id} is called ${tree.name}, and not ${name}`]
  const left = [...tree.children]
  const below = children.flatMap((child) => {
    if (left[0]?.id === child.id) return differences(left.shift()!, child)
    return child.restart === "temporary" ? [] : [`${child.id} is not where it should be`]
  })
  return [...wrongName, ...below, ...left.map((child) => `${child.id} should not be in ${id}`)]
}

/** Every process of a tree, with those it is linked to. */
const linked = (tree: SupervisorTree.Tree, parent?: Entry): ReadonlyArray<readonly [Entry, ReadonlyArray<Entry>]> => {
  if (tree.pid === undefined) return []
  const self = entryOfPid(tree.pid)
  const below = tree.children.flatMap((child) => linked(child, self))
  const children = tree.children.flatMap(({ pid }) => pid === undefined ? [] : [entryOfPid(pid)])
  return [[self, [...parent === undefined ? [] : [parent], ...children]], ...below]
}

const same = (left: Iterable<unknown>, right: Iterable<unknown>): boolean => {
  const [a, b] = [new Set(left), new Set(right)]
  return a.size === b.size && [...a].every((each) => b.has(each))
}

const ofProcess = (entry: Entry, links: ReadonlyArray<Entry>): ReadonlyArray<string> => [
  ...same(FewSet.toArray(entry.links), links) ? [] : [`${entry} is linked to others than its supervisor and children`],
  ...(["watchers", "monitors", "closeWatchers", "head"] as const).flatMap((field) =>
    entry[field] === undefined ? [] : [`${entry} rests and has ${field}`]
  ),
  ...entry.isSupervisor && entry.fiber !== undefined ? [`${entry} rests and has a fiber`] : []
]

/** What is wrong with a tree at rest and all around it, one line each. */
export const wrong = (
  tree: SupervisorTree.Tree,
  expected: Expected,
  { all, complaints, present }: Census
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.withFiber((fiber) => {
    const table = tableOf(fiber)
    const processes = linked(tree)
    const pids = new Set(processes.map(([entry]) => entry))
    const beside: Array<string> = []
    for (let entry = table.first; entry !== undefined; entry = entry.next) {
      if (!pids.has(entry)) {
        beside.push(`${entry.name ?? entry.label ?? ""} ${entry} is there, and in no place of the tree`)
      }
    }
    const named = processes.flatMap(([{ name }]) => typeof name === "string" ? [name] : [])
    const leaves = processes.map(([entry]) => entry).filter((entry) => !entry.isSupervisor)
    const timers = timersOf(fiber).size()
    return Effect.map(inconsistencies(all), (inconsistent) => [
      ...complaints,
      ...differences(tree, expected),
      ...beside,
      ...processes.flatMap(([entry, links]) => ofProcess(entry, links)),
      ...same(table.names.keys(), named) ? [] : [`the names ${[...table.names.keys()].join()} are held`],
      ...same(present.values(), leaves) ? [] : ["those who have entered themselves are others than those in the tree"],
      ...timers === 0 ? [] : [`${timers} timers are set`],
      ...runQueueOf(table, fiber.cache.scheduler).isBusy() ? ["somebody waits for a turn"] : [],
      ...inconsistent
    ])
  })
