/**
 * A job service: what its customers do with it, and the tree that it is.
 *
 * ```text
 * job service                 one_for_one: these three do not need each other
 * ├─ Progress                 owns the counts of what customers were told, and the terminal; may lose them
 * ├─ RateLimiter              owns the recent requests of each customer; after a crash each has its whole limit again
 * └─ core                     rest_for_one: each needs those before it, and none those after it
 *    ├─ Journal               owns the promises. Kept in a store outside of all processes, and read by its `init`
 *    ├─ Queue                 owns who works on what. Recovers from the journal; its workers go with it
 *    ├─ Running               owns the table of jobs that are being worked on. Who is in it goes with it
 *    ├─ Workers               a dynamic supervisor, with a backoff
 *    │  └─ worker × n         owns the job that it has claimed. The queue watches it, and takes the job back
 *    ├─ crew                  hires the workers, each time that there are none
 *    └─ gate                  lets jobs out while it is there: the first to stop, it waits for those who are busy
 * ```
 *
 * Nothing that was acknowledged is lost, whichever of them is killed: it is in the store before anybody is told. Work may be
 * done twice, if its worker is killed before the result is stored; a result is recorded once.
 */
import { GenServer, OtpError, Registry, Supervisor } from "@effect-otp/core"
import { type Policy, RateLimiter } from "@effect-otp/ratelimiter"
import { type Duration, Effect, Schedule } from "effect"
import type { Job } from "./Event.ts"
import { Journal } from "./Journal.ts"
import * as Pool from "./Pool.ts"
import { type Answer, type Print, Progress } from "./Progress.ts"
import { Queue } from "./Queue.ts"
import type { Store } from "./Store.ts"
import * as Work from "./Work.ts"

export interface Options {
  /** The name of its journal, which one at a time may have: two services over one store do not start. Default: none. */
  readonly name?: string | undefined
  readonly store: Store
  readonly work: Work.Work
  /** How many jobs are worked on at once. Default: 4. */
  readonly workers?: number | undefined
  /** How much a customer may submit. Default: 10 in a second. */
  readonly limit?: Policy.Options | undefined
  /** How many jobs may wait. Default: 10,000. */
  readonly capacity?: number | undefined
  /** How often a job is tried. Default: 5. */
  readonly maxAttempts?: number | undefined
  /** How long an attempt may take. Default: 1 minute. */
  readonly timeLimit?: Duration.Input | undefined
  /** How many jobs that have finished are remembered: their results, if nobody has collected them, and their ids. Default: 1,000. */
  readonly remember?: number | undefined
  /** How long jobs may take to finish when the service is stopped. Default: 5 seconds. */
  readonly grace?: Duration.Input | undefined
  /** How many restarts of its parts, workers aside, are too many. Default: 3 within 5 seconds. */
  readonly intensity?: Supervisor.Intensity | undefined
  /** Says what happens. Default: nothing is said. */
  readonly print?: Print | undefined
}

/** The whole service, as a tree: start it, provide its `layer`, or make it a child of a larger one. */
export const make = ({
  capacity = 10_000,
  grace = "5 seconds",
  intensity,
  limit = { limit: 10, window: "1 second" },
  maxAttempts = 5,
  name,
  print = () => Effect.void,
  remember = 1000,
  store,
  timeLimit = "1 minute",
  work,
  workers = 4
}: Options) => {
  const core = Supervisor.make({
    strategy: "rest_for_one",
    intensity,
    children: [
      Journal.server.child({ remember, store }, { name }),
      Queue.server.child({ capacity, maxAttempts }),
      Pool.Running.child(),
      Pool.supervisor(workers).child(),
      Pool.crew(workers, Work.within(work, timeLimit)),
      Pool.gate(grace)
    ]
  })
  return Supervisor.make({
    label: "job service",
    intensity,
    children: [Progress.server.child(print), RateLimiter.child(limit), core.child({ id: "core" })]
  })
}

// ----------------------------------------------------------------------------
// what customers do
// ----------------------------------------------------------------------------

/**
 * Nobody is there, or who was there has ended: that one is being restarted. What was asked for may have been done, and nothing
 * here does harm if it is done twice.
 */
const isRestarting = (error: unknown): boolean =>
  error instanceof OtpError.CallError && (error.reason._tag === "NoProcess" || error.reason._tag === "ServerExited")

// A restart may take as long as the workers have to finish.
const again = <A, E, R>(request: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.retry(request, { while: isRestarting, schedule: Schedule.spaced("50 millis"), times: 200 })

/**
 * Submits a job. It is acknowledged when this succeeds, and will be finished whatever happens. A customer over its limit is
 * refused with `RateLimited`, which says when to come again, and anybody with `QueueFull` while too much waits.
 */
export const submit = Effect.fnUntraced(function*(job: Job) {
  const queue = yield* Queue
  const progress = yield* Progress
  const tell = (answer: Answer) => progress.answered({ id: job.id, answer })
  // It is the customer who asks the limiter. The queue, which all are waiting for, does not wait for anybody.
  return yield* again(RateLimiter.check(job.customer)).pipe(
    Effect.andThen(again(queue.submit(job))),
    Effect.tap(() => tell("acknowledged")),
    Effect.tapError((error) => tell(error._tag === "CallError" ? "unanswered" : "refused")),
    Effect.onInterrupt(() => tell("unanswered"))
  )
})

/** Waits for the outcome of a job, and has it forgotten. */
export const collect = Effect.fnUntraced(function*(id: string) {
  const journal = yield* Journal
  const result = Effect.provideService(journal.result({ id }), GenServer.CallTimeout, "Infinity")
  const outcome = yield* again(result)
  // In two steps: killed between them, the customer finds it again.
  yield* again(journal.append({ event: { _tag: "Forgotten", id } }))
  return outcome
})

/** What became of a job so far. */
export const history = (id: string) => Effect.flatMap(Journal, (journal) => again(journal.history({ id })))

/** Who works on which job for whom, and since when. */
export const running = Effect.flatMap(Pool.Running, (running) => Registry.select(running, () => true))

/**
 * The service in numbers. At any moment `accepted` is the sum of `done`, `gaveUp`, `waiting` and `running`, and at least
 * `acknowledged`.
 */
export const status = Effect.gen(function*() {
  const progress = yield* Progress
  const queue = yield* Queue
  const { acknowledged, refused, unanswered } = yield* again(progress.tally())
  const status = yield* again(queue.status())
  return { submitted: acknowledged + refused + unanswered, acknowledged, refused, ...status }
})
