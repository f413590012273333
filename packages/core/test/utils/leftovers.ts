/**
 * What processes that have ended leave behind, and what does not fit together, read out of the process table itself.
 *
 * Every complaint is one line. The pids to look at have to be named: one that has ended is in no table any more.
 */
import type * as Process from "@effect-otp/core/Process"
import * as Effect from "effect/Effect"
import { tableOf, timersOf } from "../../src/internal/current.ts"
import * as FewSet from "../../src/internal/fewSet.ts"
import { Monitor } from "../../src/internal/lifecycle.ts"
import { ended, type Entry, type ProcessTable, runQueueOf, type Watcher } from "../../src/internal/processTable.ts"
import { entryOfPid } from "../../src/internal/resolve.ts"

type Pids = Iterable<Process.Pid<never, unknown>>

// Not in its state: a process whose finalizers run on after a kill has it until they are done.
const emptied = ["links", "watchers", "monitors", "name", "head", "tail", "previous", "next"] as const
const emptiedWhenClosed = ["closeWatchers", "fiber", "state"] as const

/** Nothing may be left of a process that has ended, and nothing may point to it. */
const ofEnded = (entry: Entry): ReadonlyArray<string> => {
  const fields = [...emptied, ...(entry.closed ? emptiedWhenClosed : [])].filter((field) => entry[field] !== undefined)
  return [
    ...fields.map((field) => `${entry} has ended and has ${field}`),
    ...(entry.length === 0 ? [] : [`${entry} has ended and has ${entry.length} messages`]),
    ...(entry.closed && entry.context.mapUnsafe.size > 0 ? [`${entry} has ended and has a context`] : [])
  ]
}

// Who waits for a start without a limit is a watcher that never needs to be a timer.
const isTimer = (watcher: Watcher): watcher is Watcher & { readonly index: number } =>
  "index" in watcher && !("after" in watcher && watcher.after === Infinity)

/** Whatever is between two processes is known to both. */
const ofOthers = (entry: Entry): ReadonlyArray<string> => [
  ...FewSet.toArray(entry.links).flatMap((other) =>
    FewSet.has(other.links, entry) ? [] : [`${entry} is linked to ${other}, which is not linked to it`]
  ),
  ...FewSet.toArray(entry.monitors).flatMap((watching) =>
    FewSet.has<Watcher>(watching.target.watchers, watching) ? [] : [`${entry} monitors ${watching.target} in vain`]
  ),
  ...FewSet.toArray(entry.watchers).flatMap((watcher) => {
    if (watcher instanceof Monitor && !FewSet.has(watcher.watcher.monitors, watcher)) {
      return [`${entry} is monitored by ${watcher.watcher}, which does not know of it`]
    }
    return isTimer(watcher) && watcher.index < 0 ? [`${entry} keeps a timer that is not set`] : []
  })
]

const ofTable = (table: ProcessTable): ReadonlyArray<string> => {
  const complaints: Array<string> = []
  let size = 0
  let previous: Entry | undefined
  for (let entry = table.first; entry !== undefined; entry = entry.next) {
    if (entry.status === ended) complaints.push(`${entry} has ended and is in the table`)
    if (entry.previous !== previous) complaints.push(`${entry} does not know who is before it in the table`)
    previous = entry
    size++
  }
  if (table.last !== previous) complaints.push("the last process of the table is another one")
  if (table.size !== size) complaints.push(`the table counts ${table.size} processes and has ${size}`)
  if (table.nested !== 0) complaints.push(`${table.nested} turns have not returned`)
  for (const [name, entry] of table.names) {
    if (entry.name !== name) complaints.push(`${entry} holds the name ${name} and does not know of it`)
  }
  return complaints
}

/** What does not fit together, while processes may be alive. */
export const inconsistencies = (pids: Pids): Effect.Effect<ReadonlyArray<string>> =>
  Effect.withFiber((fiber) => {
    const table = tableOf(fiber)
    const entries = new Set(Array.from(pids, entryOfPid))
    for (let entry = table.first; entry !== undefined; entry = entry.next) entries.add(entry)
    return Effect.succeed([
      ...ofTable(table),
      ...[...entries].flatMap((entry) => entry.status === ended ? ofEnded(entry) : ofOthers(entry))
    ])
  })

/** What is left over in the Node when everything in it should have ended: nothing. */
export const leftovers = (pids: Pids): Effect.Effect<ReadonlyArray<string>> =>
  Effect.withFiber((fiber) => {
    const table = tableOf(fiber)
    const left: Array<string> = []
    for (let entry = table.first; entry !== undefined; entry = entry.next) left.push(`${entry} is there`)
    for (const name of table.names.keys()) left.push(`the name ${name} is held`)
    for (const pid of pids) {
      if (!entryOfPid(pid).closed) left.push(`something of ${pid} runs`)
    }
    const timers = timersOf(fiber).size()
    if (timers > 0) left.push(`${timers} timers are set`)
    if (runQueueOf(table, fiber.cache.scheduler).isBusy()) left.push("somebody waits for a turn")
    return Effect.map(inconsistencies(pids), (complaints) => [...left, ...complaints])
  })
