/**
 * Those who work: as many workers as were asked for, each of which claims a job, does it, and claims the next.
 *
 * They are children of a dynamic supervisor. Work is other people's code, and its crashes are no reason to give up: the
 * backoff keeps them from coming too fast, and the intensity is out of its reach.
 */
import { ChildSpec, DynamicSupervisor, GenServer, type Process, Registry } from "@effect-otp/core"
import { Clock, Duration, Effect, Result, Schedule } from "effect"
import { Queue } from "./Queue.ts"
import type { Work } from "./Work.ts"

/** What is being worked on, by job: whoever ends is in it no longer. */
export class Running extends Registry.Service<Running, {
  key: string
  value: { readonly customer: string; readonly since: number }
}>()("jobs/Running", { keys: "unique" }) {}

export class Workers extends DynamicSupervisor.Service<Workers>()("jobs/Workers") {}

export const supervisor = (workers: number) =>
  Workers.implement({
    maxChildren: workers,
    intensity: { maxRestarts: 100 * workers, within: "5 seconds" },
    backoff: Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")])
  })

/** It waits for a job as long as it takes. */
const patient = Effect.provideService(GenServer.CallTimeout, Duration.infinity)

const worker = (work: Work) => (self: Process.Self<never>) =>
  Effect.gen(function*() {
    const queue = yield* Queue
    const running = yield* Running
    while (true) {
      const { attempt, job } = yield* patient(queue.claim({ worker: self.pid }))
      yield* Registry.register(running, job.id, { customer: job.customer, since: yield* Clock.currentTimeMillis })
      const result = yield* Effect.result(work(job, attempt))
      // Before it is handed in: from then on somebody else may have the job.
      yield* Registry.unregister(running, job.id)
      yield* Result.match(result, {
        onSuccess: (result) => queue.complete({ worker: self.pid, result }),
        onFailure: ({ why }) => queue.fail({ worker: self.pid, why })
      })
    }
  })

/** Hires who is missing, and is done. Each new incarnation of the supervisor has nobody: then this runs again. */
export const crew = (workers: number, work: Work) =>
  ChildSpec.worker({
    id: "crew",
    restart: "transient",
    run: () =>
      Effect.gen(function*() {
        const pool = yield* Workers
        const { specs } = yield* DynamicSupervisor.countChildren(pool)
        const spec = ChildSpec.worker({ id: "worker", run: worker(work) })
        yield* Effect.replicateEffect(DynamicSupervisor.startChild(pool, spec), workers - specs, { discard: true })
      })
  })

/**
 * The last to start, and so the first to stop: jobs are handed out as long as it is there. When the service is stopped it
 * waits, for `grace` at most, until those who are busy are done. Then everybody else is stopped, and who is still busy gives
 * back what it has.
 */
export const gate = (grace: Duration.Input) =>
  ChildSpec.worker({
    id: "gate",
    shutdown: Duration.sum(Duration.fromInputUnsafe(grace), Duration.seconds(1)),
    run: () =>
      Effect.gen(function*() {
        const queue = yield* Queue
        const drain = Effect.ignore(Effect.provideService(queue.drain(), GenServer.CallTimeout, grace))
        yield* Effect.acquireRelease(queue.open(), () => drain)
        return yield* Effect.never
      })
  })
