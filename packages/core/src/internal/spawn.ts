/**
 * Processes that have a body: a fiber of their own, which takes messages from its mailbox.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as ExitReason from "../ExitReason.ts"
import { reportCrash } from "./crashReport.ts"
import { Current, entryOf, tableOf } from "./current.ts"
import { conclude, link, wake } from "./lifecycle.ts"
import { alive, type Behaviour, Entry, insert, runQueueOf } from "./processTable.ts"
import { resume, Self } from "./receive.ts"

/** Makes a process that takes its first turn when whoever started it has had theirs. */
export const start = (
  fiber: Fiber.Fiber<unknown, unknown>,
  behaviour: Behaviour,
  state: unknown,
  options: { readonly label?: string | undefined; readonly linked?: boolean | undefined } | undefined
): Entry => {
  const table = tableOf(fiber)
  const parent = entryOf(fiber)
  const entry = new Entry(table, runQueueOf(table, fiber.cache.scheduler), behaviour, fiber.context, parent)
  entry.label = options?.label
  entry.state = state
  insert(table, entry)
  if (options?.linked === true) link(parent!, entry)
  entry.scheduled = true
  entry.runQueue.schedule(entry)
  return entry
}

/** Makes a process with a body. */
export const startBody = (
  fiber: Fiber.Fiber<unknown, unknown>,
  body: Self["body"],
  options: { readonly label?: string | undefined; readonly linked?: boolean | undefined } | undefined
): Entry => {
  const entry = start(fiber, bodyBehaviour, undefined, options)
  entry.state = new Self(entry, body)
  return entry
}

const bodyBehaviour: Behaviour = {
  takesStop: false,
  turn: (entry) => {
    const self = entry.state as Self
    if (entry.status !== alive) {
      if (entry.fiber === undefined || entry.fiber.pollUnsafe() !== undefined) conclude(entry)
      else bodyBehaviour.end(entry)
    } else if (self.body !== undefined) begin(entry)
    else resume(self)
  },
  end: (entry) => {
    if (entry.fiber === undefined) return wake(entry)
    entry.fiber.interruptUnsafe()
    // A receive in a region that cannot be interrupted would wait for ever: woken, it sees that the process is ending.
    if (entry.state !== undefined) resume(entry.state as Self)
  }
}

const begin = (entry: Entry): void => {
  const fiber = Effect.runForkWith(Context.add(entry.context, Current, entry))(new Boot(entry))
  fiber.addObserver((exit) => onBodyExit(entry, exit))
}

const onBodyExit = (entry: Entry, exit: Exit.Exit<unknown, unknown>): void => {
  if (entry.status !== alive) return wake(entry)
  const reason = entry.reason = ExitReason.fromExit(exit)
  if (ExitReason.isAbnormal(reason)) reportCrash(entry, reason)
  conclude(entry)
}

interface Boot extends Effect.Effect<unknown, unknown> {
  readonly entry: Entry
}

// The first thing that the fiber does, so that the process knows its fiber before the body can ask for it.
const Boot: { new(entry: Entry): Boot } = function(this: { entry: Entry }, entry: Entry) {
  this.entry = entry
} as never
Boot.prototype = Effectable.Prototype<Boot>({
  label: "Process",
  evaluate(fiber) {
    const self = this.entry.state as Self
    const body = self.body!
    self.body = undefined
    this.entry.fiber = fiber
    return body(self)
  }
})
