/** A job service in a Node of its own, over a store that tells what was ever written to it. */
import { ExitReason, Node, Process } from "@effect-otp/core"
import { settle } from "@effect-otp/core/testing"
import { assert } from "@effect/vitest"
import { type Duration, Effect, Layer, Logger, Option, Scope } from "effect"
import { TestClock } from "effect/testing"
import type { Entry, Job } from "../../src/job-service/Event.ts"
import * as JobService from "../../src/job-service/JobService.ts"
import * as Store from "../../src/job-service/Store.ts"
import * as Work from "../../src/job-service/Work.ts"

/** In a Node of its own, and without the reports of crashes. */
export const isolated = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(Effect.provide(Node.layer({ shutdown: 0 })), Effect.provide(Logger.layer([])))

export const jobs = (customer: string, count: number): ReadonlyArray<Job> =>
  Array.from({ length: count }, (_, i) => ({ id: `${customer}-${i}`, customer, what: `job ${i}` }))

export interface WatchedStore extends Store.Store {
  /** How often each job was accepted, and finished: counted here, and not by the book. */
  readonly accepted: Map<string, number>
  readonly finished: Map<string, number>
  /** All that was ever appended. */
  readonly log: Array<Entry>
  /** How many entries it held at most. */
  readonly longest: () => number
}

export const watchedStore: Effect.Effect<WatchedStore> = Effect.map(Store.memory, (store) => {
  const accepted = new Map<string, number>()
  const finished = new Map<string, number>()
  const log: Array<Entry> = []
  const count = (counts: Map<string, number>, id: string) => counts.set(id, (counts.get(id) ?? 0) + 1)
  let length = 0
  let longest = 0
  return {
    accepted,
    finished,
    log,
    longest: () => longest,
    open: Effect.map(store.open, (disk) => ({
      ...disk,
      append: (entry) =>
        Effect.map(disk.append(entry), () => {
          longest = Math.max(longest, ++length)
          log.push(entry)
          if (entry.event._tag === "Accepted") count(accepted, entry.event.id)
          if (entry.event._tag === "Finished") count(finished, entry.event.id)
        }),
      replace: (entries) => Effect.map(disk.replace(entries), () => void (length = entries.length))
    }))
  }
})

/** Each of these was accepted and has finished, once; and no other. */
export const assertOnce = (store: WatchedStore, jobs: ReadonlyArray<Job>): void => {
  const once = jobs.map(({ id }) => [id, 1]).toSorted()
  assert.deepStrictEqual([...store.accepted].toSorted(), once, "accepted")
  assert.deepStrictEqual([...store.finished].toSorted(), once, "finished")
}

export const unlimited = { limit: 1_000_000, window: "1 second" } as const

export const steady = Work.simulated({ seed: 1, crashRate: 0, failRate: 0, duration: "1 second" })

/** Submits, and waits for the outcome. */
export const order = (job: Job) => Effect.andThen(JobService.submit(job), JobService.collect(job.id))

/** Lets time go by, and all that is due in it happen: also what has begun, or begins, at this moment. */
export const pass = (time: Duration.Input) => Effect.andThen(Effect.andThen(settle, TestClock.adjust(time)), settle)

/** The oldest process that is called so: a server by its key, any other by its label. */
export const find = Effect.fnUntraced(function*(what: string) {
  yield* settle
  for (const pid of yield* Process.list) {
    const info = yield* Process.info(pid)
    if (Option.isSome(info) && (info.value.initialCall === what || info.value.label === what)) return pid
  }
  return yield* Effect.die(new Error(`there is no ${what}`))
})

export const killed = Effect.fnUntraced(function*(what: string) {
  const pid = yield* find(what)
  yield* Process.exit(pid, ExitReason.kill)
  return pid
})

/** A service that is stopped with `scope`, or killed with its Node. */
export const start = Effect.fnUntraced(function*(options: JobService.Options) {
  const scope = yield* Scope.make()
  return { scope, context: yield* Layer.buildWithScope(JobService.make(options).layer, scope) }
})

/** Provides a service that is killed with its Node: one that was stopped would wait for its jobs, and for the clock. */
export const serving = (options: JobService.Options) => <A, E>(effect: Effect.Effect<A, E, Services>) =>
  Effect.flatMap(start(options), ({ context }) => Effect.provideContext(effect, context))

type Services = Layer.Success<ReturnType<typeof JobService.make>["layer"]>
