/**
 * Sees what is stored, what is worked on and what customers are told, and knows when that cannot be.
 *
 * It stands outside of the service, and outside of all faults. It stays bounded: of a job it keeps no more than the service
 * promises to, and forgets it when its result was collected.
 */
import { Cause, Clock, Deferred, Effect, Exit } from "effect"
import { type Invariant, Violated } from "./Invariant.ts"
import { type Entry, type Outcome, sameOutcome } from "./Service.ts"

export interface Witness {
  /** Fails as soon as an invariant is found not to hold. */
  readonly violated: Deferred.Deferred<never, Violated>
  /** Stored as accepted and not as finished. */
  readonly open: Set<string>
  /** Stored as finished, and not as collected: the oldest first, the last `remember` of them. */
  readonly finished: Map<string, Outcome>
  /** Of those that are stored as collected, the last `remember`. */
  readonly handed: Map<string, Outcome>
  readonly remember: number
  /** What is being worked on. */
  readonly working: Set<string>
  /** What has been asked and not been answered, and since when. */
  readonly calls: Set<{ readonly what: string; readonly since: number }>
  readonly counts: Counts
}

export interface Counts {
  accepted: number
  done: number
  gaveUp: number
  /** What customers were told, or did. */
  acknowledged: number
  refused: number
  unanswered: number
  collected: number
  abandoned: number
}

export const make = (remember: number): Witness => ({
  violated: Deferred.makeUnsafe(),
  open: new Set(),
  finished: new Map(),
  handed: new Map(),
  remember,
  working: new Set(),
  calls: new Set(),
  counts: {
    accepted: 0,
    done: 0,
    gaveUp: 0,
    acknowledged: 0,
    refused: 0,
    unanswered: 0,
    collected: 0,
    abandoned: 0
  }
})

export const violate = ({ violated }: Witness, invariant: Invariant, what: string): void => {
  Deferred.doneUnsafe(violated, Exit.fail(new Violated({ invariant, what })))
}

/** An entry is in the store. */
export const stored = (witness: Witness, { event }: Entry): void => {
  const { counts, finished, handed, open, remember } = witness
  switch (event._tag) {
    case "Accepted": {
      if (open.has(event.id) || finished.has(event.id)) violate(witness, "once", `${event.id} is accepted again`)
      open.add(event.id)
      counts.accepted++
      break
    }
    case "Finished": {
      if (!open.delete(event.id)) violate(witness, "once", `${event.id} is finished, and was not open`)
      keep(finished, event.id, event.outcome, remember)
      counts[event.outcome._tag === "Done" ? "done" : "gaveUp"]++
      break
    }
    case "Forgotten": {
      const outcome = finished.get(event.id)
      if (outcome !== undefined) keep(handed, event.id, outcome, remember)
      finished.delete(event.id)
      break
    }
    default:
  }
}

const keep = <A>(map: Map<string, A>, id: string, value: A, atMost: number): void => {
  map.set(id, value)
  if (map.size > atMost) map.delete(map.keys().next().value!)
}

/** A job is worked on for as long as this runs. */
export const working = <A, E, R>(witness: Witness, id: string, work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    if (witness.working.has(id)) violate(witness, "alone", `${id} is worked on already`)
    witness.working.add(id)
    return Effect.onExit(work, () => Effect.sync(() => witness.working.delete(id)))
  })

/** A call that has to be answered in its time, in a way that its type tells. */
export const answered = <A, E, R>(
  witness: Witness,
  what: string,
  call: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.flatMap(Clock.currentTimeMillis, (since) => {
    const asked = { what, since }
    witness.calls.add(asked)
    return Effect.onExit(call, (exit) =>
      Effect.sync(() => {
        witness.calls.delete(asked)
        if (Exit.isFailure(exit) && Cause.hasDies(exit.cause)) {
          violate(witness, "answers", `${what}: ${Cause.squash(exit.cause)}`)
        }
      }))
  })

const patience = 120_000

/** Nobody has waited for too long. Looked at now and then, as a timer for each call would cost more than the call. */
export const checkCalls = (witness: Witness, now: number): void => {
  for (const { since, what } of witness.calls) {
    if (now - since > patience) violate(witness, "answers", `${what} has had no answer for ${now - since} ms`)
  }
}

/** A customer is told that its job is safe. It may hear so late, when the job is finished. */
export const acknowledged = (witness: Witness, id: string): void => {
  const { counts, finished, handed, open } = witness
  counts.acknowledged++
  if (!open.has(id) && !finished.has(id) && !handed.has(id)) {
    violate(witness, "stored", `${id} is acknowledged, and not in the store`)
  }
}

/** A customer is given the outcome of its job. */
export const collected = (witness: Witness, id: string, outcome: Outcome): void => {
  const { counts, handed } = witness
  counts.collected++
  const stored = handed.get(id)
  if (stored === undefined || !sameOutcome(outcome, stored)) {
    violate(witness, "kept", `${id} is given out as ${JSON.stringify(outcome)}, stored is ${JSON.stringify(stored)}`)
  }
  handed.delete(id)
}
