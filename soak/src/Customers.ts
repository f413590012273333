/**
 * Those who use the service: each thinks, submits a job, asks again for as long as it was not told that the job is safe, and
 * mostly collects the result.
 */
import { Effect, Latch } from "effect"
import * as Ambush from "./Ambush.ts"
import type { Chance } from "./Chance.ts"
import type { Job, Service, Services } from "./Service.ts"
import * as Witness from "./Witness.ts"

export interface Options {
  readonly service: Service
  readonly witness: Witness.Witness
  readonly chance: Chance
  readonly customers: number
  /** For how many milliseconds each thinks, on average. */
  readonly thinks: number
}

export interface Customers {
  /** Those who want something, and have not got it. */
  readonly busy: ReadonlySet<string>
  /** Closed, nobody begins anything new. */
  readonly doors: Latch.Latch
  /** The next to begin something gives it up before long. */
  readonly impatience: Ambush.Ambush
  /** Everybody wants something at once. */
  readonly flood: Effect.Effect<void, never, Services>
}

const share = 0.8
const tries = 20
const crowd = 60

export const make = Effect.fnUntraced(function*({ chance, customers, service, thinks, witness }: Options) {
  const impatience = Ambush.make()
  const doors = Latch.makeUnsafe(true)
  const busy = new Set<string>()
  let jobs = 0

  const newJob = (customer: string): Job => ({ id: `${customer}-${++jobs}`, customer, what: "work" })

  const answered = <A, E, R>(call: Effect.Effect<A, E, R>, what: string) => Witness.answered(witness, what, call)

  /** Whether the job is known to be safe. Asked again it is the same job. */
  const submit = Effect.fnUntraced(function*(job: Job) {
    for (let tried = 0; tried < tries; tried++) {
      const answer = yield* Effect.result(answered(service.submit(job), `submit ${job.id}`))
      if (answer._tag === "Success") {
        Witness.acknowledged(witness, job.id)
        return true
      }
      const error = answer.failure
      witness.counts[error._tag === "CallError" ? "unanswered" : "refused"]++
      yield* Effect.sleep(error._tag === "RateLimited" ? error.retryAfter : 500)
    }
    return false
  })

  // It fails if the answer was lost, or the result was pushed out by those of others who never came for theirs.
  const collect = (id: string) =>
    Effect.match(answered(service.collect(id), `collect ${id}`), {
      onSuccess: (outcome) => Witness.collected(witness, id, outcome),
      onFailure: () => void witness.counts.abandoned++
    })

  const errand = (job: Job) =>
    Effect.flatMap(submit(job), (safe) => safe && chance.next() < share ? collect(job.id) : Effect.void)

  const giveUp = <A, R>(errand: Effect.Effect<A, never, R>) =>
    Effect.timeoutOrElse(errand, {
      duration: chance.wait(100),
      orElse: () => Effect.sync(() => void witness.counts.abandoned++)
    })

  const customer = (name: string) =>
    Effect.gen(function*() {
      while (true) {
        yield* Effect.sleep(chance.wait(thinks))
        yield* doors.await
        busy.add(name)
        const all = errand(newJob(name))
        yield* Ambush.falls(impatience) ? giveUp(all) : all
        busy.delete(name)
      }
    })

  for (let i = 1; i <= customers; i++) yield* Effect.forkScoped(customer(`customer${i}`))

  // Each submits once, and takes what it is told for an answer.
  const push = (name: string) => {
    const job = newJob(name)
    return Effect.matchEffect(answered(service.submit(job), `submit ${job.id}`), {
      onSuccess: () => Effect.sync(() => Witness.acknowledged(witness, job.id)),
      onFailure: (error) =>
        Effect.sync(() => void witness.counts[error._tag === "CallError" ? "unanswered" : "refused"]++)
    })
  }

  // Half of them are one customer, who is over its limit; the others are enough to fill the queue.
  const flood = Effect.forEach(
    Array.from({ length: crowd }, (_, i) => i % 2 === 0 ? "crowd" : `crowd${i}`),
    push,
    { concurrency: "unbounded", discard: true }
  )

  return { busy, doors, impatience, flood } satisfies Customers as Customers
})
