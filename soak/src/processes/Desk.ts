/**
 * The desk of a job service that runs in a process of its own: what is asked of it from outside, as a protocol.
 */
import { GenServer } from "@effect-otp/core"
import { Schema } from "effect"

/** It was not done: come again later. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", { why: Schema.String }) {}

export const Status = Schema.Struct({
  accepted: Schema.Finite,
  done: Schema.Finite,
  gaveUp: Schema.Finite,
  waiting: Schema.Finite,
  running: Schema.Finite,
  /** In bytes, garbage not collected: what the process holds, and the heap in it. */
  rss: Schema.Finite,
  heap: Schema.Finite
})
export type Status = typeof Status.Type

export class Desk extends GenServer.Service<Desk>()("soak/Desk", [
  /** Answered when the job is stored. */
  GenServer.call("submit", { payload: { id: Schema.String, customer: Schema.String }, error: Refused }),
  GenServer.call("status", { success: Status, error: Refused }),
  /** Of these jobs, those that the journal does not know. */
  GenServer.call("unknown", {
    payload: { ids: Schema.Array(Schema.String) },
    success: Schema.Array(Schema.String),
    error: Refused
  }),
  /** Takes memory until there is none. */
  GenServer.cast("eat")
]) {}
