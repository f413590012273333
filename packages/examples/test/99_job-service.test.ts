import {
  Application,
  ChildSpec,
  DynamicSupervisor,
  ExitReason,
  GenServer,
  Node,
  Process,
  Registry,
  Supervisor
} from "@effect-otp/core"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Duration, Effect, Exit, Fiber, Logger, Option, Schema, Scope } from "effect"
import { TestClock, TestConsole } from "effect/testing"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { cases } from "../../../test-scale.ts"
import { app } from "../src/99_job-service.ts"
import * as JobService from "../src/job-service/JobService.ts"
import * as Pool from "../src/job-service/Pool.ts"
import { Queue } from "../src/job-service/Queue.ts"
import * as Work from "../src/job-service/Work.ts"
import {
  assertOnce,
  find,
  isolated,
  jobs,
  killed,
  order,
  pass,
  serving,
  start,
  steady,
  unlimited,
  watchedStore
} from "./job-service/harness.ts"
import { journal, run } from "./job-service/program.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

describe("whatever crashes", () => {
  it.effect.prop(
    "every job finishes once, done or given up",
    { seed: between(0, 1_000_000), crashes: between(0, 60), failures: between(0, 40), workers: between(1, 6) },
    ({ crashes, failures, seed, workers }) =>
      Effect.gen(function*() {
        const store = yield* watchedStore
        const work = Work.simulated({
          seed,
          crashRate: crashes / 100,
          failRate: failures / 100,
          duration: "1 second"
        })
        const all = [...jobs("ann", 6), ...jobs("bob", 6)]
        yield* Effect.gen(function*() {
          const orders = yield* Effect.forkChild(Effect.forEach(all, order, { concurrency: "unbounded" }))
          yield* pass("1 hour")
          const outcomes = yield* Fiber.join(orders)
          assertOnce(store, all)
          const done = outcomes.filter(({ _tag }) => _tag === "Done").length
          if (crashes + failures === 0) assert.strictEqual(done, 12)
          assert.deepStrictEqual(yield* JobService.status, {
            submitted: 12,
            acknowledged: 12,
            refused: 0,
            accepted: 12,
            done,
            gaveUp: 12 - done,
            waiting: 0,
            running: 0
          })
        }).pipe(serving({ store, work, workers, limit: unlimited }))
      }).pipe(isolated),
    { timeout: 120_000, arbitrary: { runs: cases } }
  )

  it.effect("the same seed has the same jobs crash, however many workers there are", () =>
    Effect.gen(function*() {
      const run = (workers: number) =>
        Effect.gen(function*() {
          const store = yield* watchedStore
          const work = Work.simulated({ seed: 7, crashRate: 0.4, failRate: 0.2, duration: "1 second" })
          const all = jobs("ann", 20)
          yield* Effect.forkChild(Effect.forEach(all, order, { concurrency: "unbounded" })).pipe(
            Effect.flatMap((orders) => Effect.andThen(pass("1 hour"), Fiber.join(orders))),
            serving({ store, work, workers, limit: unlimited })
          )
          const fates = store.log.flatMap(({ event }) =>
            event._tag === "Failed" || event._tag === "Finished" ? [JSON.stringify(event)] : []
          )
          return fates.toSorted()
        })
      const one = yield* run(1)
      assert.isAbove(one.length, 20)
      assert.deepStrictEqual(yield* run(5), one)
    }).pipe(isolated))

  it.effect("work that hangs is work that has failed", () =>
    Effect.gen(function*() {
      const store = yield* watchedStore
      const work: Work.Work = (_, attempt) => attempt === 1 ? Effect.never : Effect.succeed("at last")
      yield* Effect.gen(function*() {
        const [job] = jobs("ann", 1)
        const ordered = yield* Effect.forkChild(order(job!))
        yield* pass("30 seconds")
        assert.deepStrictEqual(yield* Fiber.join(ordered), { _tag: "Done", result: "at last" })
      }).pipe(serving({ store, work, timeLimit: "30 seconds" }))
    }).pipe(isolated))
})

describe("whatever is killed", () => {
  const parts = [
    "jobs/Journal",
    "jobs/Queue",
    "jobs/Running",
    "jobs/Workers",
    "worker",
    "gate",
    "jobs/Progress",
    "@effect-otp/ratelimiter/RateLimiter"
  ]

  it.effect.each(parts)("a kill of %s loses nothing that was acknowledged", (part) =>
    Effect.gen(function*() {
      const store = yield* watchedStore
      const before = jobs("ann", 12)
      const after = jobs("bob", 4)
      yield* Effect.gen(function*() {
        yield* Effect.forEach(before, JobService.submit, { discard: true })
        yield* pass("1500 millis")
        const { done, running, waiting } = yield* JobService.status
        assert.isTrue(done > 0 && running === 4 && waiting > 0, "it is in the midst of work")

        const old = yield* killed(part)
        // Whoever comes just now has to wait, and no more.
        const orders = yield* Effect.forkChild(Effect.forEach(after, order, { concurrency: "unbounded" }))
        const results = yield* Effect.forkChild(
          Effect.forEach(before, ({ id }) => JobService.collect(id), { concurrency: "unbounded" })
        )
        yield* pass("1 minute")
        const outcomes = [...yield* Fiber.join(orders), ...yield* Fiber.join(results)]
        assert.isTrue(outcomes.every(({ _tag }) => _tag === "Done"))
        assertOnce(store, [...before, ...after])
        const { accepted, running: still, waiting: left } = yield* JobService.status
        assert.deepStrictEqual([accepted, still, left], [16, 0, 0])
        assert.notStrictEqual(yield* find(part), old)
      }).pipe(serving({ store, work: steady, limit: unlimited }))
    }).pipe(isolated))

  it.effect.prop(
    "a kill of anything at any time loses nothing that was acknowledged",
    {
      seed: between(0, 1_000_000),
      kills: Schema.Array(Schema.Struct({ part: between(0, parts.length - 1), after: between(0, 4000) })).check(
        Schema.isMaxLength(5)
      )
    },
    ({ kills, seed }) =>
      Effect.gen(function*() {
        const store = yield* watchedStore
        const work = Work.simulated({ seed, crashRate: 0.2, failRate: 0.1, duration: "1 second" })
        const all = [...jobs("ann", 10), ...jobs("bob", 10)]
        yield* Effect.gen(function*() {
          const orders = yield* Effect.forkChild(Effect.forEach(all, order, { concurrency: "unbounded" }))
          for (const { after, part } of kills) {
            yield* pass(after)
            // It may be down just now.
            yield* Effect.ignoreCause(killed(parts[part]!))
            const { accepted, done, gaveUp, running, waiting } = yield* Effect.forkChild(JobService.status).pipe(
              Effect.flatMap((status) => Effect.andThen(pass("6 seconds"), Fiber.join(status)))
            )
            assert.strictEqual(accepted, done + gaveUp + waiting + running)
          }
          yield* pass("1 hour")
          yield* Fiber.join(orders)
          assertOnce(store, all)
        }).pipe(serving({ store, work, limit: unlimited }))
      }).pipe(isolated),
    { timeout: 120_000, arbitrary: { runs: cases } }
  )

  it.effect("the queue is killed between the journal and its answer: asked again, it is the same job", () =>
    Effect.gen(function*() {
      const stored = yield* Deferred.make<void>()
      const answer = yield* Deferred.make<void>()
      const store = yield* watchedStore
      const slow = {
        open: Effect.map(store.open, (disk) => ({
          ...disk,
          append: (entry: Parameters<typeof disk.append>[0]) =>
            disk.append(entry).pipe(
              Effect.andThen(Deferred.succeed(stored, undefined)),
              Effect.andThen(Deferred.await(answer))
            )
        }))
      }
      yield* Effect.gen(function*() {
        const [job] = jobs("ann", 1)
        const ordered = yield* Effect.forkChild(order(job!))
        yield* Deferred.await(stored)
        yield* killed("jobs/Queue")
        yield* Deferred.succeed(answer, undefined)
        yield* pass("1 minute")
        yield* Fiber.join(ordered)
        assertOnce(store, [job!])
        assert.strictEqual((yield* JobService.status).acknowledged, 1)
      }).pipe(serving({ store: slow, work: steady }))
    }).pipe(isolated))

  it.effect("a customer that has no time to wait does not end the queue that works for it", () =>
    Effect.gen(function*() {
      const store = yield* watchedStore
      const slow = {
        open: Effect.map(store.open, (disk) => ({
          ...disk,
          append: (entry: Parameters<typeof disk.append>[0]) => Effect.delay(disk.append(entry), "1 second")
        }))
      }
      yield* Effect.gen(function*() {
        const queue = yield* find("jobs/Queue")
        const [job] = jobs("ann", 1)
        const submitted = yield* JobService.submit(job!).pipe(
          Effect.provideService(GenServer.CallTimeout, "100 millis"),
          Effect.flip,
          Effect.forkChild
        )
        yield* pass("1 minute")
        const error = yield* Fiber.join(submitted)
        assert.isTrue(error._tag === "CallError" && error.reason._tag === "Timeout")
        assert.strictEqual(yield* find("jobs/Queue"), queue)
        // Not acknowledged, and done all the same.
        assertOnce(store, [job!])
      }).pipe(serving({ store: slow, work: steady }))
    }).pipe(isolated))
})

describe("limits", () => {
  it.effect("a customer over its limit is refused and told when to come again, and nobody else is", () =>
    Effect.gen(function*() {
      const store = yield* watchedStore
      yield* Effect.gen(function*() {
        const [first, second, third] = jobs("eve", 3)
        yield* JobService.submit(first!)
        yield* pass("10 seconds")
        yield* JobService.submit(second!)
        const refused = yield* Effect.flip(JobService.submit(third!))
        assert(refused._tag === "RateLimited")
        assert.deepStrictEqual([refused.clientId, refused.limit], ["eve", 2])
        assert.isFalse(store.accepted.has(third!.id))
        yield* Effect.forEach(jobs("ann", 2), JobService.submit)
        yield* pass(refused.retryAfter)
        yield* JobService.submit(third!)
        const { acknowledged, refused: count, submitted } = yield* JobService.status
        assert.deepStrictEqual([submitted, acknowledged, count], [6, 5, 1])
      }).pipe(
        serving({ store, work: steady, limit: { limit: 2, window: "1 minute" } })
      )
    }).pipe(isolated))

  it.effect("as many jobs wait as may: one more is refused, and taken when there is room", () =>
    Effect.gen(function*() {
      const store = yield* watchedStore
      yield* Effect.gen(function*() {
        const all = jobs("ann", 4)
        yield* settle
        yield* Effect.forEach(all.slice(0, 3), (job) => Effect.andThen(JobService.submit(job), settle))
        const refused = yield* Effect.flip(JobService.submit(all[3]!))
        assert(refused._tag === "QueueFull")
        yield* pass("2 seconds")
        yield* JobService.submit(all[3]!)
      }).pipe(serving({ store, work: steady, workers: 1, capacity: 2 }))
    }).pipe(isolated))

  it.effect("a job that always crashes is given up after so many attempts, and holds nobody up", () =>
    Effect.gen(function*() {
      const store = yield* watchedStore
      const work: Work.Work = ({ what }) => what === "job 0" ? Effect.die(new Error("poison")) : Effect.succeed("fine")
      yield* Effect.gen(function*() {
        const orders = yield* Effect.forkChild(Effect.forEach(jobs("ann", 3), order, { concurrency: "unbounded" }))
        yield* pass("1 minute")
        const [poison, ...others] = yield* Fiber.join(orders)
        assert.deepStrictEqual(poison, { _tag: "GaveUp", why: "Crashed: Error: poison" })
        assert.isTrue(others.every(({ _tag }) => _tag === "Done"))
        const finished = store.log.flatMap(({ event }) => event._tag === "Finished" ? event.id : [])
        assert.deepStrictEqual(finished, ["ann-1", "ann-2", "ann-0"])
        const events = store.log.flatMap(({ event }) =>
          event._tag !== "Totals" && event.id === "ann-0" ? event._tag : []
        )
        const attempt = ["Started", "Failed"]
        assert.deepStrictEqual(events, [
          "Accepted",
          ...attempt,
          ...attempt,
          "Started",
          "Finished",
          "Forgotten"
        ])
      }).pipe(serving({ store, work, workers: 1, maxAttempts: 3 }))
    }).pipe(isolated))

  it.effect("after many jobs nothing is left but their numbers, and the last of their ids", () =>
    Effect.gen(function*() {
      const store = yield* watchedStore
      const work = Work.simulated({ seed: 3, crashRate: 0.05, failRate: 0.05, duration: "1 second" })
      const options = { store, work, workers: 8, limit: unlimited, remember: 50 }
      const batches = 40
      yield* Effect.gen(function*() {
        for (let i = 0; i < batches; i++) {
          const all = jobs(`batch ${i}`, 50)
          const orders = yield* Effect.forkChild(Effect.forEach(all, order, { concurrency: "unbounded" }))
          yield* pass("1 hour")
          yield* Fiber.join(orders)
        }
        const { accepted, done, gaveUp } = yield* JobService.status
        assert.deepStrictEqual([accepted, done + gaveUp], [50 * batches, 50 * batches])
        assert.isBelow(store.longest(), 2000)
        // Of eight idle workers, and of nobody who was there before.
        const queue = Option.getOrThrow(yield* Process.info(yield* find("jobs/Queue")))
        assert.strictEqual(queue.monitors.length, 8)
        const left = (yield* store.open).entries
        assert.isAbove(store.log.length, 4 * accepted)
        assert.isTrue(left.length <= store.longest())
      }).pipe(serving(options))
      // What the next start finds: the totals, and 50 ids.
      yield* Effect.gen(function*() {
        const { accepted } = yield* JobService.status
        assert.strictEqual(accepted, 50 * batches)
        assert.strictEqual((yield* store.open).entries.length, 51)
        const [known] = jobs(`batch ${batches - 1}`, 1)
        yield* JobService.submit(known!)
        assert.strictEqual((yield* Effect.flip(JobService.collect(known!.id)))._tag, "NoResult")
      }).pipe(serving(options))
    }).pipe(isolated))
})

describe("the running jobs", () => {
  it.effect("are in the registry with their customer and since when, those that run and no others", () =>
    Effect.gen(function*() {
      const store = yield* watchedStore
      yield* Effect.gen(function*() {
        const began = yield* TestClock.testClockWith((clock) => clock.currentTimeMillis)
        const rows = Effect.andThen(settle, Effect.map(JobService.running, (rows) => rows.toSorted(byKey)))
        yield* settle
        yield* Effect.forEach([...jobs("ann", 2), ...jobs("bob", 2)], JobService.submit)
        const first = yield* rows
        assert.deepStrictEqual(first.map(({ key, value }) => [key, value.customer, value.since]), [
          ["ann-0", "ann", began],
          ["ann-1", "ann", began],
          ["bob-0", "bob", began]
        ])
        assert.strictEqual((yield* JobService.status).running, 3)

        // Whoever ends is there no longer, and the job is somebody else's.
        const [{ pid }] = first
        yield* Process.exit(pid, ExitReason.kill)
        assert.deepStrictEqual((yield* rows).map(({ key }) => key), ["ann-1", "bob-0"])
        yield* pass("150 millis")
        const second = yield* rows
        assert.deepStrictEqual(second.map(({ key }) => key), ["ann-1", "bob-0", "bob-1"])
        assert.isFalse(second.some((row) => row.pid === pid))
        yield* pass("1 minute")
        assert.deepStrictEqual(yield* rows, [])
        assert.strictEqual((yield* JobService.status).done, 4)
      }).pipe(serving({ store, work: steady, workers: 3 }))
    }).pipe(isolated))

  it.effect.prop(
    "are at any moment those that the queue has given out",
    { seed: between(0, 1_000_000), steps: Schema.Array(between(1, 700)).check(Schema.isMaxLength(20)) },
    ({ seed, steps }) =>
      Effect.gen(function*() {
        const store = yield* watchedStore
        const work = Work.simulated({ seed, crashRate: 0.3, failRate: 0.2, duration: "1 second" })
        yield* Effect.gen(function*() {
          yield* Effect.forEach(jobs("ann", 20), JobService.submit)
          const registry = yield* Pool.Running
          for (const step of steps) {
            yield* pass(step)
            yield* settle
            const running = new Map<string, string>()
            for (const { event } of store.log) {
              if (event._tag === "Started") running.set(event.id, event.worker)
              if (["Failed", "Returned", "Finished"].includes(event._tag)) running.delete((event as { id: string }).id)
            }
            const rows = yield* Registry.select(registry, () => true)
            assert.deepStrictEqual(
              new Map(rows.map(({ key, pid }) => [key, pid.toString()] as const).toSorted()),
              new Map([...running].toSorted())
            )
            assert.strictEqual((yield* JobService.status).running, running.size)
          }
        }).pipe(serving({ store, work, limit: unlimited }))
      }).pipe(isolated),
    { timeout: 120_000, arbitrary: { runs: cases } }
  )
})

describe("the crew", () => {
  it.effect("hires who is missing, and nobody twice", () =>
    Effect.gen(function*() {
      const store = yield* watchedStore
      const { context } = yield* start({ store, work: steady, workers: 3 })
      yield* settle
      const again = Supervisor.make({ children: [Pool.crew(3, steady)] })
      const { pid } = yield* Effect.provideContext(again.start, context)
      const pool = Context.get(context, Pool.Workers)
      assert.strictEqual((yield* Effect.andThen(settle, DynamicSupervisor.countChildren(pool))).specs, 3)
      assert.isTrue(yield* Process.isAlive(pid), "it has not failed over it")
      assert.deepStrictEqual((yield* Supervisor.whichChildren(pid)).map(({ child }) => child), [undefined])
    }).pipe(isolated))
})

describe("results", () => {
  it.effect("are kept until they are collected, over a restart of the journal, too", () =>
    Effect.gen(function*() {
      const store = yield* watchedStore
      yield* Effect.gen(function*() {
        const [job] = jobs("ann", 1)
        yield* JobService.submit(job!)
        yield* pass("10 seconds")
        yield* killed("jobs/Journal")
        yield* pass("10 seconds")
        assert.deepStrictEqual(yield* JobService.collect(job!.id), { _tag: "Done", result: "job 0 for ann" })
        const gone = yield* Effect.flip(JobService.collect(job!.id))
        assert.deepStrictEqual([gone._tag === "NoResult" && gone.why], ["collected"])
        const unknown = yield* Effect.flip(JobService.collect("nobody's"))
        assert.deepStrictEqual([unknown._tag === "NoResult" && unknown.why], ["unknown"])
      }).pipe(serving({ store, work: steady }))
    }).pipe(isolated))

  it.effect("go to the last who has asked", () =>
    Effect.gen(function*() {
      const store = yield* watchedStore
      yield* Effect.gen(function*() {
        const [job] = jobs("ann", 1)
        const first = yield* Effect.forkChild(Effect.flip(order(job!)))
        yield* settle
        const second = yield* Effect.forkChild(JobService.collect(job!.id))
        yield* pass("10 seconds")
        const refused = yield* Fiber.join(first)
        assert.deepStrictEqual([refused._tag === "NoResult" && refused.why], ["somebody else asks"])
        assert.strictEqual((yield* Fiber.join(second))._tag, "Done")
      }).pipe(serving({ store, work: steady }))
    }).pipe(isolated))

  it.effect("have a history", () =>
    Effect.gen(function*() {
      const store = yield* watchedStore
      const work: Work.Work = ({ what }, attempt) =>
        attempt === 1 ? Effect.fail(new Work.WorkFailed({ why: "not yet" })) : Effect.delay(Effect.succeed(what), 1000)
      yield* Effect.gen(function*() {
        yield* settle
        const [job] = jobs("ann", 1)
        yield* JobService.submit(job!)
        yield* pass("500 millis")
        yield* killed("worker")
        yield* pass("5 seconds")
        const entries = yield* JobService.history(job!.id)
        assert.deepStrictEqual(entries.map(({ event }) => event._tag), [
          "Accepted",
          "Started",
          "Failed",
          "Started",
          "Returned",
          "Started",
          "Finished"
        ])
        const from = entries[0]!.at
        assert.deepStrictEqual(entries.map(({ at }) => at - from), [0, 0, 0, 0, 500, 600, 1600])
      }).pipe(serving({ store, work, workers: 1 }))
    }).pipe(isolated))
})

describe("a stop", () => {
  /** In the midst of work: three busy, and the rest waits. */
  const stopped = Effect.fnUntraced(function*(store: Effect.Success<typeof watchedStore>, work: Work.Work) {
    const { context, scope } = yield* start({ store, work, workers: 3, limit: unlimited, grace: "5 seconds" })
    yield* settle
    yield* Effect.provideContext(Effect.forEach(jobs("ann", 9), JobService.submit), context)
    yield* pass("500 millis")
    const stopping = yield* Effect.forkChild(Effect.timed(Scope.close(scope, Exit.void)))
    yield* pass("1 minute")
    return (yield* Fiber.join(stopping))[0]
  })

  const finishing = (store: Effect.Success<typeof watchedStore>, work: Work.Work) =>
    Effect.gen(function*() {
      const results = yield* Effect.forkChild(
        Effect.forEach(jobs("ann", 9), ({ id }) => JobService.collect(id), { concurrency: "unbounded" })
      )
      yield* pass("1 hour")
      yield* Fiber.join(results)
      assertOnce(store, jobs("ann", 9))
    }).pipe(serving({ store, work, limit: unlimited }))

  const evenly: Work.Work = ({ what }) => Effect.delay(Effect.succeed(what), "2 seconds")

  it.effect("lets those finish who are busy, hands out nothing, and keeps the rest for the next start", () =>
    Effect.gen(function*() {
      const store = yield* watchedStore
      const took = yield* stopped(store, evenly)
      assert.strictEqual(Duration.toMillis(took), 1500)
      assert.deepStrictEqual([store.accepted.size, store.finished.size], [9, 3])
      assert.strictEqual(store.log.filter(({ event }) => event._tag === "Started").length, 3)
      yield* finishing(store, evenly)
    }).pipe(isolated))

  it.effect("takes back what lasts longer than the grace", () =>
    Effect.gen(function*() {
      const store = yield* watchedStore
      const took = yield* stopped(store, () => Effect.delay(Effect.succeed("late"), "20 seconds"))
      assert.strictEqual(Duration.toMillis(took), 5000)
      assert.deepStrictEqual([store.accepted.size, store.finished.size], [9, 0])
      assert.strictEqual(store.log.filter(({ event }) => event._tag === "Returned").length, 3)
      yield* finishing(store, evenly)
    }).pipe(isolated))

  it.effect("in a rest of the tree, the queue goes on, and jobs are handed out again", () =>
    Effect.gen(function*() {
      const store = yield* watchedStore
      const { context } = yield* start({ store, work: evenly, limit: unlimited })
      yield* settle
      const queue = Context.get(context, Queue)
      const drained = yield* Effect.forkChild(queue.drain())
      yield* Effect.provideContext(Effect.forEach(jobs("ann", 2), JobService.submit), context)
      yield* Fiber.join(drained)
      yield* pass("1 minute")
      assert.strictEqual((yield* queue.status()).waiting, 2)
      yield* killed("jobs/Workers")
      yield* pass("1 minute")
      assert.strictEqual((yield* queue.status()).done, 2)
    }).pipe(isolated))
})

describe.concurrent("the program", () => {
  it.effect("ends when all customers have their results, also those that had to come again", () =>
    Effect.gen(function*() {
      const store = yield* watchedStore
      const work = Work.simulated({ seed: 1, crashRate: 0.2, failRate: 0.1, duration: "1 second" })
      const node = yield* Deferred.make<Node.Node>()
      const telling = ChildSpec.worker({
        id: "telling",
        restart: "temporary",
        run: () => Effect.flatMap(Node.Node, (here) => Deferred.succeed(node, here))
      })
      const tree = Supervisor.make({
        autoShutdown: "anySignificant",
        children: [telling, app({ store, work }, 6).child({ id: "app", restart: "transient", significant: true })]
      })
      const running = yield* Effect.forkChild(Application.run(tree))
      const inside = Effect.provideService(Node.Node, yield* Deferred.await(node))
      yield* inside(pass("3 seconds"))
      const old = yield* inside(killed("ann"))
      yield* inside(pass("1 second"))
      assert.notStrictEqual(yield* inside(find("ann")), old)
      yield* inside(pass("10 minutes"))
      yield* Fiber.join(running)
      assert.deepStrictEqual([store.accepted.size, store.finished.size], [30, 30])
      assert.isTrue([...store.accepted.values(), ...store.finished.values()].every((times) => times === 1))
    }).pipe(Effect.provide([TestConsole.layer, Logger.layer([])])))

  it("is stopped by SIGINT with nothing lost, and the next start finishes the rest", async () => {
    const directory = mkdtempSync(join(tmpdir(), "jobs-test-"))
    try {
      const first = await run(directory, 3)
      assert.strictEqual(first.code, 130)
      assert.include(first.stdout, "closing: who is busy may finish")
      const stopped = journal(directory)
      const { accepted, finished } = stopped
      assert.isAtLeast(finished.size, 3)
      assert.isAbove(accepted.size, finished.size, "something is left")
      assert.deepStrictEqual([...finished].filter((id) => !accepted.has(id)), [])
      const kept = accepted.size - finished.size
      assert.match(
        first.stdout,
        new RegExp(`\n${accepted.size} accepted: \\d+ done, \\d+ given up, ${kept} kept\n$`)
      )
      // Who was busy has finished, or was given back: nobody runs.
      assert.deepStrictEqual([...stopped.running], [])

      const second = await run(directory)
      assert.strictEqual(second.code, 0)
      assert.match(second.stdout, new RegExp(`^${kept} jobs from the last time\n`))
      assert.match(second.stdout, /\n25 accepted: \d+ done, \d+ given up, 0 kept\n$/)
      const started = new Set([...second.stdout.matchAll(/(\S+) +started by/g)].map(([, id]) => id!))
      // What had finished was not done again, and what was kept was.
      assert.deepStrictEqual([...finished].filter((id) => started.has(id)), [])
      assert.deepStrictEqual([...accepted].filter((id) => !finished.has(id) && !started.has(id)), [])
      assert.strictEqual(finished.size + started.size, 25)
    } finally {
      rmSync(directory, { recursive: true })
    }
  }, 60_000)

  it("outlives a kill -9: all that was acknowledged is there", async () => {
    const directory = mkdtempSync(join(tmpdir(), "jobs-test-"))
    try {
      const first = await run(directory, 3, "SIGKILL")
      assert.strictEqual(first.code, null)
      const { accepted, finished } = journal(directory)
      const said = new Set([...first.stdout.matchAll(/(\S+) +accepted\n/g)].map(([, id]) => id!))
      assert.deepStrictEqual([...said].filter((id) => !accepted.has(id)), [])
      const second = await run(directory)
      assert.strictEqual(second.code, 0)
      assert.match(second.stdout, /\n25 accepted: \d+ done, \d+ given up, 0 kept\n$/)
      const started = new Set([...second.stdout.matchAll(/(\S+) +started by/g)].map(([, id]) => id!))
      assert.deepStrictEqual([...finished].filter((id) => started.has(id)), [])
    } finally {
      rmSync(directory, { recursive: true })
    }
  }, 60_000)
})

const byKey = (a: { readonly key: string }, b: { readonly key: string }) => a.key < b.key ? -1 : 1
