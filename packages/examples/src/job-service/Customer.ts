/** Those who have something to do: a process each, which submits its jobs one after the other and collects every result. */
import { ChildSpec } from "@effect-otp/core"
import { Effect, Fiber } from "effect"
import type { Job } from "./Event.ts"
import * as JobService from "./JobService.ts"

/** Whoever is refused comes again when it has been told to, or when there may be room. */
const submit = (job: Job): ReturnType<typeof JobService.submit> =>
  JobService.submit(job).pipe(
    Effect.catchTag("RateLimited", ({ retryAfter }) => Effect.delay(submit(job), retryAfter)),
    Effect.catchTag("QueueFull", () => Effect.delay(submit(job), "1 second"))
  )

/**
 * It is done when it has all results. One that crashes, or that comes again with the next start of the program, submits the
 * same jobs under the same ids: what was done stays done, and what was collected is not there any more.
 */
export const customer = (name: string, jobs: ReadonlyArray<string>) =>
  ChildSpec.worker({
    id: name,
    restart: "transient",
    significant: true,
    run: () =>
      Effect.gen(function*() {
        const results = []
        for (const [i, what] of jobs.entries()) {
          const job = { id: `${name}-${i + 1}`, customer: name, what }
          yield* submit(job)
          results.push(
            yield* Effect.forkChild(Effect.catchTag(JobService.collect(job.id), "NoResult", () => Effect.void))
          )
        }
        yield* Fiber.joinAll(results)
      })
  })
