/** The words of the service: a job, what can happen to it, and the line of the journal that says so. */
import { Schema } from "effect"

const id = { id: Schema.String }

/** Whoever submits a job chooses its id: submitted twice under one id, it is one job. */
const job = { ...id, customer: Schema.String, what: Schema.String }

export const Job = Schema.Struct(job)
export interface Job extends Schema.Schema.Type<typeof Job> {}

/** A job that is handed out, and for the how manieth time since it has not failed. */
export const Assignment = Schema.Struct({ job: Job, attempt: Schema.Finite })
export interface Assignment extends Schema.Schema.Type<typeof Assignment> {}

/** How a job ends: once, and for good. */
export const Outcome = Schema.Union([
  Schema.TaggedStruct("Done", { result: Schema.String }),
  Schema.TaggedStruct("GaveUp", { why: Schema.String })
])
export type Outcome = typeof Outcome.Type

/** How many jobs there ever were. */
export const Totals = Schema.TaggedStruct("Totals", {
  accepted: Schema.Finite,
  done: Schema.Finite,
  gaveUp: Schema.Finite
})
export interface Totals extends Schema.Schema.Type<typeof Totals> {}

export const Event = Schema.Union([
  Schema.TaggedStruct("Accepted", job),
  Schema.TaggedStruct("Started", { ...id, attempt: Schema.Finite, worker: Schema.String }),
  /** The attempt has failed: it is the job's own fault. */
  Schema.TaggedStruct("Failed", { ...id, attempt: Schema.Finite, why: Schema.String }),
  /** Whoever had it has ended, by no fault of the job. */
  Schema.TaggedStruct("Returned", { ...id, why: Schema.String }),
  Schema.TaggedStruct("Finished", { ...id, outcome: Outcome }),
  /** Its result has been collected. */
  Schema.TaggedStruct("Forgotten", id)
])
export type Event = typeof Event.Type

/** A line of the journal: what happened, and when. Totals are the last line of one that was written anew. */
export const Entry = Schema.Struct({ at: Schema.Finite, event: Schema.Union([Event, Totals]) })
export interface Entry extends Schema.Schema.Type<typeof Entry> {}
