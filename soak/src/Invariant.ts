/**
 * What must hold whatever happens to the service.
 */
import { Schema } from "effect"

export const invariants = {
  stored: "what was acknowledged is stored",
  once: "a job is accepted and finished once",
  alone: "no job is worked on by two workers at the same time",
  kept: "the result that a customer is given is the one that was stored",
  sums: "accepted is the sum of finished, waiting and running",
  running: "the registry of running jobs says what the workers do",
  finishes: "every job that was accepted finishes",
  answers: "every call is answered, or fails with a typed error, in its time",
  returns: "the service answers again after a fault",
  whole: "the tree is whole again when the faults pause",
  leaks: "nothing is left behind: processes, links, monitors, names, timers, messages",
  heap: "the heap is as large at the end as at the beginning"
} as const

export type Invariant = keyof typeof invariants

/** An invariant does not hold. */
export class Violated extends Schema.TaggedError<Violated>()("Violated", {
  invariant: Schema.Literals(Object.keys(invariants) as ReadonlyArray<Invariant>),
  what: Schema.String
}) {
  override get message() {
    return `${invariants[this.invariant]}: ${this.what}`
  }
}
