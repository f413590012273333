/**
 * Who works on what. It takes jobs from customers, and hands them out to workers that have claimed one.
 *
 * It watches whoever has claimed: a worker that ends gives its job back, whatever ended it. What it must not forget is in the
 * journal before it says so. The rest it can lose: restarted, it finds in the journal what is left to do, and by then its
 * workers are gone, as they come after it in the tree.
 */
import { GenServer, Pid, type Process, Step } from "@effect-otp/core"
import { Effect, Schema } from "effect"
import * as Claims from "./Claims.ts"
import { Assignment, Job } from "./Event.ts"
import { Journal } from "./Journal.ts"

/** As many jobs wait as may: come again later. It was not accepted. */
export class QueueFull extends Schema.TaggedError<QueueFull>()("QueueFull", { capacity: Schema.Finite }) {}

/** Of all that were ever accepted, each is in one of the other four. */
export const Status = Schema.Struct({
  accepted: Schema.Finite,
  done: Schema.Finite,
  gaveUp: Schema.Finite,
  waiting: Schema.Finite,
  running: Schema.Finite
})

const worker = { worker: Schema.declare<Claims.Worker>(Pid.isPid) }

export class Queue extends GenServer.Service<Queue>()("jobs/Queue", [
  /** Answered when the job is in the journal. Submitted again, it is the same job. */
  GenServer.call("submit", { payload: Job, error: QueueFull }),
  /** Waits for a job. */
  GenServer.call("claim", { payload: worker, success: Assignment }),
  GenServer.call("complete", { payload: { ...worker, result: Schema.String }, error: Claims.NotYours }),
  GenServer.call("fail", { payload: { ...worker, why: Schema.String }, error: Claims.NotYours }),
  /** From here on jobs are handed out. */
  GenServer.call("open"),
  /** From here on they are not. Answered when nobody is busy. */
  GenServer.call("drain"),
  GenServer.call("status", { success: Status })
]) {
  static readonly server = this.implement({
    init: (options: Claims.Options) =>
      Effect.gen(function*() {
        const journal = yield* Journal
        return Claims.make(options, journal, yield* journal.assignments())
      }),
    handlers: {
      submit: (claims, job) =>
        claims.waiting.size < claims.capacity
          ? Effect.as(Claims.accept(claims, job), Step.reply(undefined, claims, match))
          : Effect.fail(new QueueFull({ capacity: claims.capacity })),
      claim: (claims, { worker }, from) => Effect.as(Claims.claim(claims, worker, from), Step.noReply(claims, match)),
      complete: (claims, { result, worker }) =>
        Effect.as(Claims.handIn(claims, worker, { result }), Step.reply(undefined, claims, match)),
      fail: (claims, { why, worker }) =>
        Effect.as(Claims.handIn(claims, worker, { why }), Step.reply(undefined, claims, match)),
      open: (claims) => {
        claims.open = true
        return Step.reply(undefined, claims, match)
      },
      drain: (claims, _, from) => {
        claims.open = false
        claims.drain = from
        return Step.noReply(claims, match)
      },
      // Between two requests nothing changes: the numbers of the journal and of the queue are of one moment.
      status: (claims) =>
        Effect.map(
          Claims.ask(claims.journal.totals()),
          ({ accepted, done, gaveUp }) =>
            Step.reply({ accepted, done, gaveUp, waiting: claims.waiting.size, running: claims.busy.size }, claims)
        )
    },
    info: (claims, { reason, target }: Process.Down) =>
      // It watches nobody but workers, and those by their pids.
      Effect.as(Claims.giveBack(claims, target as Claims.Worker, reason), Step.noReply(claims, match)),
    // After each change, when the answer is on its way, and before the next request.
    continue: (claims, _: "match") => Effect.as(Claims.match(claims), Step.noReply(claims)),
    // Told to stop it first takes back what was given back before.
    trapExit: true,
    formatStatus: ({ busy, idle, open, waiting }) => ({ open, waiting: waiting.size, idle: idle.size, busy: busy.size })
  })
}

const match = { continue: "match" } as const
