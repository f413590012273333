/** What a job does here: it takes a while, and then it crashes, fails, or has a result. */
import { Duration, Effect, Random, Schema } from "effect"
import type { Job } from "./Event.ts"

/** The work could not be done, and says so. It is tried again. */
export class WorkFailed extends Schema.TaggedError<WorkFailed>()("WorkFailed", { why: Schema.String }) {}

/** Any function of a job and an attempt. */
export type Work = (job: Job, attempt: number) => Effect.Effect<string, WorkFailed>

/** Work that hangs is work that has failed. */
export const within = (work: Work, limit: Duration.Input): Work => (job, attempt) =>
  Effect.timeoutOrElse(work(job, attempt), {
    duration: limit,
    orElse: () => Effect.fail(new WorkFailed({ why: `${job.what} took too long` }))
  })

export interface Options {
  readonly seed: number | string
  /** How often work crashes, and how often it fails: from 0, never, to 1, always. */
  readonly crashRate: number
  readonly failRate: number
  /** How long a job takes on average: from half of it to half again as long. */
  readonly duration: Duration.Input
}

/** The fate of an attempt depends on the seed, the job and the attempt alone: it is the same whoever works, and when. */
export const simulated = ({ crashRate, duration, failRate, seed }: Options): Work => {
  const millis = Duration.toMillis(duration)
  return (job, attempt) =>
    Effect.gen(function*() {
      const fate = yield* Random.next
      yield* Effect.sleep(millis * (yield* Random.nextBetween(0.5, 1.5)))
      if (fate < crashRate) return yield* Effect.die(new Error(`a bug in ${job.what}`))
      if (fate < crashRate + failRate) return yield* new WorkFailed({ why: `${job.what} has to wait` })
      return `${job.what} for ${job.customer}`
    }).pipe(Random.withSeed(`${seed} ${job.id} ${attempt}`))
}
