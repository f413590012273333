/**
 * The job service under faults: one after the other for as long as it was told, with a calm now and then in which everything
 * is looked at. On whichever clock it is run.
 */
import { Node, type OtpError, Supervisor } from "@effect-otp/core"
import { memory } from "@effect-otp/examples/job-service/Store"
import { WorkFailed } from "@effect-otp/examples/job-service/Work"
import { RateLimiter } from "@effect-otp/ratelimiter"
import { Clock, Deferred, Effect, FiberSet, References, Schedule } from "effect"
import * as Ambush from "./Ambush.ts"
import type * as Census from "./Census.ts"
import * as Chance from "./Chance.ts"
import * as Check from "./Check.ts"
import * as Customers from "./Customers.ts"
import * as Disk from "./Disk.ts"
import * as Fault from "./Fault.ts"
import * as Heap from "./Heap.ts"
import type { Violated } from "./Invariant.ts"
import type { Job, Service, Store } from "./Service.ts"
import * as Tally from "./Tally.ts"
import * as Witness from "./Witness.ts"

export interface Options {
  readonly service: Service
  /** Where the journal is kept, outside of all faults but those of the disk. Default: in memory. */
  readonly store?: Store | undefined
  readonly seed: number
  /** How many faults, and how many milliseconds from one to the next. */
  readonly faults: number
  readonly every: number
  /** After how many milliseconds of faults there is a calm. */
  readonly calmEvery: number
  /** How often the heap is looked at. */
  readonly samples: number
  readonly customers: number
  /** For how many milliseconds each of them thinks, on average. */
  readonly thinks: number
  readonly onProgress: ((progress: Progress) => Effect.Effect<void>) | undefined
}

export interface Progress {
  readonly injected: number
  readonly faults: number
  readonly finished: number
  readonly calms: number
}

/** A fault, and when it was injected, in milliseconds since the begin. */
export interface Injected {
  readonly at: number
  readonly fault: string
}

export interface Result {
  /** How long it was, by its clock. */
  readonly millis: number
  readonly tally: Tally.Tally
  readonly counts: Witness.Counts
  readonly calms: number
  readonly heap: ReadonlyArray<number>
  readonly violation: Violation | undefined
}

export interface Violation {
  readonly violated: Violated
  readonly at: number
  readonly last: ReadonlyArray<Injected>
}

const workers = 4
const remember = 500
const lastFaults = 20

/** As long as the root comes back, whatever gives up below it, there is nothing to be lost but time. */
const backoff = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("2 seconds")])

const makeTree = (service: Service, disk: Disk.Disk, work: ReturnType<typeof makeWork>) =>
  Supervisor.make({
    name: Check.root,
    backoff,
    intensity: { maxRestarts: 1_000, within: "5 seconds" },
    children: [
      service.make({ name: "jobs", store: disk.store, work, workers, remember, capacity: 40, grace: "1 second" })
        .child({ id: "job service" })
    ]
  })

const makeWork = (witness: Witness.Witness, chance: Chance.Chance, bugs: Ambush.Ambush) => (job: Job) =>
  Witness.working(
    witness,
    job.id,
    Effect.gen(function*() {
      const crashes = Ambush.falls(bugs)
      yield* Effect.sleep(chance.between(20, 400))
      if (crashes) return yield* Effect.die(new Error("a bug"))
      if (chance.next() < 0.05) return yield* new WorkFailed({ why: "bad luck" })
      return `${job.what} for ${job.customer}`
    })
  )

/** How long it takes until the whole service answers, in milliseconds. */
const answersAgain = Effect.fnUntraced(function*(service: Service, witness: Witness.Witness, fault: string) {
  const began = yield* Clock.currentTimeMillis
  const ask = Effect.andThen(RateLimiter.peek("anybody"), service.status)
  // As long as it takes; who has to wait for too long is found in the next calm.
  yield* Witness.answered(
    witness,
    `the service after "${fault}"`,
    Effect.ignore(Effect.retry(ask, Schedule.spaced("10 millis")))
  )
  return (yield* Clock.currentTimeMillis) - began
})

export const run = (options: Options): Effect.Effect<Result, OtpError.StartError<OtpError.CallError>> =>
  Effect.gen(function*() {
    const began = yield* Clock.currentTimeMillis
    const now = Effect.map(Clock.currentTimeMillis, (at) => at - began)
    const { service } = options
    const witness = Witness.make(remember)
    const disk = Disk.make(options.store ?? (yield* memory), witness)
    const bugs = Ambush.make()
    const work = makeWork(witness, yield* Chance.make(`work ${options.seed}`), bugs)
    const tree = makeTree(service, disk, work)
    const tally = Tally.make()
    const heap: Array<number> = []
    const last: Array<Injected> = []
    let calms = 0

    const main = Effect.gen(function*() {
      const customers = yield* Customers.make({
        service,
        witness,
        chance: yield* Chance.make(`customers ${options.seed}`),
        customers: options.customers,
        thinks: options.thinks
      })
      const chance = yield* Chance.make(`faults ${options.seed}`)
      const world: Fault.World = { bugs, chance, customers, disk }
      const standing = yield* FiberSet.make<void>()
      const check: Check.Options = { service, world, witness, workers, standing }

      const inject = Effect.fnUntraced(function*(fault: Fault.Fault) {
        const line = tally.get(fault.name)!
        line.injected++
        if (!(yield* fault.inject(world))) return
        line.hit++
        Tally.add(line.recoveries, yield* answersAgain(service, witness, fault.name))
        line.survived++
      })

      const perCalm = Math.max(1, Math.round(options.calmEvery / options.every))
      const perSample = Math.max(4, Math.floor(options.faults / perCalm / options.samples))
      let expected: Census.Census | undefined
      let injected = 0

      const calm = Effect.gen(function*() {
        const census = yield* Check.inCalm(check, expected)
        expected ??= census
        for (const { fault, hit, survived } of tally.values()) {
          if (hit !== survived) Witness.violate(witness, "returns", `${fault} has hit ${hit}, and ${survived} are over`)
        }
        if (calms++ % perSample === 0) heap.push(yield* Heap.used)
        const { done, gaveUp } = witness.counts
        yield* options.onProgress?.({ injected, faults: options.faults, finished: done + gaveUp, calms }) ?? Effect.void
      })

      // Everybody has done something before it is counted who there is.
      yield* Effect.sleep(10 * options.every)
      yield* calm
      while (injected < options.faults) {
        yield* Effect.sleep(options.every)
        const fault = Fault.pick(chance)
        last.push({ at: yield* now, fault: fault.name })
        if (last.length > lastFaults) last.shift()
        yield* FiberSet.run(standing, inject(fault))
        if (++injected % perCalm === 0 || injected === options.faults) {
          yield* Check.underFire(check)
          yield* calm
        }
      }
    })

    const ended = yield* Effect.raceFirst(main.pipe(Effect.scoped), Deferred.await(witness.violated)).pipe(
      Effect.provide(tree.layer),
      Effect.matchEffect({
        onSuccess: () => Effect.succeed(undefined),
        onFailure: (error) =>
          error._tag === "Violated"
            ? Effect.map(now, (at): Violation => ({ violated: error, at, last }))
            : Effect.fail(error)
      })
    )
    return { millis: yield* now, tally, counts: witness.counts, calms, heap, violation: ended }
  }).pipe(
    Effect.provide(Node.layer({ name: "soak" })),
    // What crashes here has a right to.
    Effect.provideService(References.MinimumLogLevel, "None")
  )
