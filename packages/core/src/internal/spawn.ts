/**
 * Processes that have a body: a fiber of their own, which takes messages from its mailbox.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import type * as Fiber from "effect/Fiber"
import * as ExitReason from "../ExitReason.ts"
import { capture } from "./asyncContext.ts"
import * as AtOnce from "./atOnce.ts"
import type { Limits } from "./bounds.ts"
import { entryOf, tableOf } from "./current.ts"
import { beginEnding, bound, conclude, link, wake } from "./lifecycle.ts"
import { processFiber } from "./processFiber.ts"
import { alive, type Behaviour, Entry, insert, Origin, runQueueOf } from "./processTable.ts"
import { resume } from "./receiving.ts"
import { type Body, checkBody, Self } from "./self.ts"

export const originOf = (fiber: Fiber.Fiber<unknown, unknown>): Origin => {
  const table = tableOf(fiber)
  const { context } = fiber
  const last = table.lastOrigin
  // A context holds all that an origin is made of: its Node, its Scheduler and its process.
  if (last !== undefined && last.context === context) return last
  return table.lastOrigin = new Origin(table, runQueueOf(table, fiber.cache.scheduler), entryOf(fiber), context)
}

/** Makes a process. It takes its first turn when it is scheduled. */
export const create = (
  origin: Origin,
  behaviour: Behaviour,
  state: unknown,
  label: string | undefined,
  linked: boolean
): Entry => {
  const { process, table } = origin
  const entry = new Entry(origin, behaviour)
  entry.label = label
  entry.state = state
  insert(table, entry)
  table.tap?.({ _tag: "Spawned", process: entry, by: process })
  if (linked) link(process!, entry)
  if (table.sealed) beginEnding(entry, ExitReason.shutdown())
  return entry
}

/** Lets a process take its first turn when whoever started it has had theirs. */
export const schedule = (entry: Entry): void => {
  if (entry.scheduled) return
  entry.scheduled = true
  const context = capture()
  entry.runQueue.schedule(
    context === undefined ? entry : { run: () => context.runInAsyncScope(entry.run, entry, undefined) }
  )
}

/** Makes a process with a body. */
export const startBody = (
  origin: Origin,
  body: Body,
  label: string | undefined,
  linked: boolean,
  limits: Limits | undefined
): Entry => {
  checkBody(body)
  const entry = create(origin, bodyBehaviour, undefined, label, linked)
  entry.state = new Self(entry, body)
  bound(entry, limits)
  schedule(entry)
  return entry
}

interface Spawn extends Effect.Effect<Entry> {
  readonly body: Body
  readonly label: string | undefined
  readonly linked: boolean
  readonly limits: Limits | undefined
}

/** Spawns a process with a body, and gives it at once. */
export const spawn = (
  body: Body,
  label: string | undefined,
  linked: boolean,
  limits: Limits | undefined
): Effect.Effect<Entry> => new Spawn(body, label, linked, limits)

const Spawn: {
  new(body: Body, label: string | undefined, linked: boolean, limits: Limits | undefined): Spawn
} = function(
  this: { -readonly [K in "body" | "label" | "linked" | "limits"]: Spawn[K] },
  body: Body,
  label: string | undefined,
  linked: boolean,
  limits: Limits | undefined
) {
  this.body = body
  this.label = label
  this.linked = linked
  this.limits = limits
} as never
Spawn.prototype = AtOnce.Prototype<Spawn>({
  label: "Process.spawn",
  now(fiber) {
    return startBody(originOf(fiber), this.body, this.label, this.linked, this.limits)
  },
  evaluate(fiber) {
    return Effect.succeed(startBody(originOf(fiber), this.body, this.label, this.linked, this.limits))
  }
})

export const bodyBehaviour: Behaviour = {
  takesStop: false,
  turn: (entry) => {
    const self = entry.state as Self
    if (entry.status !== alive) {
      if (entry.fiber === undefined || entry.fiber.pollUnsafe() !== undefined) conclude(entry)
      else bodyBehaviour.end(entry)
    } else if (entry.fiber === undefined) begin(entry, self)
    else resume(self)
  },
  end: (entry) => {
    if (entry.fiber === undefined) return wake(entry)
    entry.fiber.interruptUnsafe()
    // A receive in a region that cannot be interrupted would wait for ever: woken, it sees that the process is ending.
    if (entry.state !== undefined) resume(entry.state as Self)
  }
}

const begin = (entry: Entry, self: Self): void => {
  const begun = new Begin(self)
  if (processFiber !== undefined) return processFiber.start(self, entry.context, begun)
  const fiber = Effect.runForkWith(self.provide())(begun)
  const exit = fiber.pollUnsafe()
  if (exit !== undefined) self.exited(exit)
  // Half the size of a closure and what that holds.
  else fiber.addObserver(self.exited.bind(self))
}

interface Begin extends Effect.Effect<unknown, unknown> {
  readonly self: Self
}

// The first thing that the fiber does, so that the process knows its fiber before the body can ask for it.
const Begin: { new(self: Self): Begin } = function(this: { self: Self }, self: Self) {
  this.self = self
} as never
Begin.prototype = Effectable.Prototype<Begin>({
  label: "Process",
  evaluate(fiber) {
    const { self } = this
    const body = self.pending as Body
    self.pending = undefined
    self.pid.fiber = fiber
    return body(self)
  }
})
