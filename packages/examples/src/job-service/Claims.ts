/**
 * What the queue keeps: jobs that wait, workers that are idle, and workers that are busy; and what it does with them.
 *
 * A job that was accepted is either among those that wait or with one of the busy. It changes places when the journal has
 * noted it, and so nothing that was noted is lost with this.
 */
import { ExitReason, GenServer, type Pid, Process } from "@effect-otp/core"
import { Effect, Schema } from "effect"
import type { Assignment, Event, Job } from "./Event.ts"
import type { Journal } from "./Journal.ts"

/** The worker has no job: it has handed it in before. Nothing was recorded. */
export class NotYours extends Schema.TaggedError<NotYours>()("NotYours", {}) {}

export type Worker = Pid.Pid<never, unknown>

export interface Options {
  /** How many jobs may wait. */
  readonly capacity: number
  /** How often a job is tried. */
  readonly maxAttempts: number
}

export interface Claims extends Options {
  readonly journal: GenServer.ClientOf<Journal>
  readonly waiting: Map<string, Assignment>
  readonly idle: Map<Worker, GenServer.From<Assignment>>
  readonly busy: Map<Worker, Assignment>
  readonly monitors: Map<Worker, Process.MonitorRef>
  /** Whether jobs are handed out, and who waits until nobody is busy any more. */
  open: boolean
  drain: GenServer.From<void> | undefined
}

export const make = (
  options: Options,
  journal: GenServer.ClientOf<Journal>,
  left: ReadonlyArray<Assignment>
): Claims => ({
  ...options,
  journal,
  waiting: new Map(left.map((assignment) => [assignment.job.id, assignment])),
  idle: new Map(),
  busy: new Map(),
  monitors: new Map(),
  open: false,
  drain: undefined
})

/**
 * Asks the journal, which has its own time for it: a caller who is short of time must not be the end of the queue. If the
 * journal does not answer, the queue has nothing to promise; it crashes, and begins anew.
 */
export const ask = Effect.provideService(GenServer.InheritDeadline, false)

const note = ({ journal }: Claims, event: Event) => ask(journal.append({ event }))

export const accept = (claims: Claims, job: Job) =>
  Effect.map(note(claims, { _tag: "Accepted", ...job }), (isNew) => {
    if (isNew) claims.waiting.set(job.id, { job, attempt: 1 })
  })

/** A worker has time. From here on it is watched. */
export const claim = (claims: Claims, worker: Worker, from: GenServer.From<Assignment>) =>
  Effect.map(Process.monitor(worker), (ref) => {
    claims.monitors.set(worker, ref)
    claims.idle.set(worker, from)
  })

/** Brings jobs and idle workers together, and tells who waits for the end of all work. */
export const match = Effect.fnUntraced(function*(claims: Claims) {
  const { busy, idle, waiting } = claims
  while (claims.open && idle.size > 0 && waiting.size > 0) {
    const [worker, from] = idle.entries().next().value!
    const [id, assignment] = waiting.entries().next().value!
    yield* note(claims, { _tag: "Started", id, attempt: assignment.attempt, worker: worker.toString() })
    idle.delete(worker)
    waiting.delete(id)
    busy.set(worker, assignment)
    yield* GenServer.reply(from, assignment)
  }
  if (claims.drain !== undefined && busy.size === 0) {
    yield* GenServer.reply(claims.drain, undefined)
    claims.drain = undefined
  }
})

/** A worker has a result, or has failed. */
export const handIn = Effect.fnUntraced(function*(
  claims: Claims,
  worker: Worker,
  end: { readonly result: string } | { readonly why: string }
) {
  const assignment = claims.busy.get(worker)
  if (assignment === undefined) return yield* new NotYours()
  if ("why" in end) yield* tryAgain(claims, assignment, end.why)
  else {
    const { id } = assignment.job
    yield* note(claims, { _tag: "Finished", id, outcome: { _tag: "Done", result: end.result } })
  }
  yield* Process.demonitor(claims.monitors.get(worker)!, { flush: true })
  leave(claims, worker)
})

/** A worker has ended. A crash is the work's own doing; who was killed or told to stop has done nothing wrong. */
export const giveBack = Effect.fnUntraced(function*(claims: Claims, worker: Worker, reason: ExitReason.ExitReason) {
  const assignment = claims.busy.get(worker)
  if (assignment !== undefined) {
    const why = ExitReason.format(reason)
    if (reason._tag === "Crashed") yield* tryAgain(claims, assignment, why)
    else {
      yield* note(claims, { _tag: "Returned", id: assignment.job.id, why })
      claims.waiting.set(assignment.job.id, assignment)
    }
  }
  leave(claims, worker)
})

/** Behind the others, so that a job which always fails holds nobody up. */
const tryAgain = Effect.fnUntraced(function*(claims: Claims, { attempt, job }: Assignment, why: string) {
  if (attempt < claims.maxAttempts) {
    yield* note(claims, { _tag: "Failed", id: job.id, attempt, why })
    claims.waiting.set(job.id, { job, attempt: attempt + 1 })
  } else {
    yield* note(claims, { _tag: "Finished", id: job.id, outcome: { _tag: "GaveUp", why } })
  }
})

const leave = ({ busy, idle, monitors }: Claims, worker: Worker): void => {
  busy.delete(worker)
  idle.delete(worker)
  monitors.delete(worker)
}
