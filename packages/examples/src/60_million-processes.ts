/**
 * One million processes, alive at the same time. Each of them gets a message, and answers it.
 *
 * Run it: npx -y pnpm@12 exec node packages/examples/src/60_million-processes.ts [count]
 */
import { Process } from "@effect-otp/core"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Deferred, Effect } from "effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

interface Question {
  readonly n: number
  readonly from: Process.Pid<number>
}

/** Waits for one question, answers it, and ends. Made once, not a million times: a new closure each costs memory. */
const answerer = Effect.fnUntraced(function*(self: Process.Self<Question>) {
  const { from, n } = yield* self.receive
  yield* Process.send(from, n + 1)
})

/** Called now and then while the work goes on. */
export type Report = (what: "spawned" | "answered", done: number, total: number) => Effect.Effect<void>

const printQuarters: Report = (what, done, total) =>
  done % (total / 4) === 0 ? Console.log(`${what} ${done.toLocaleString("en")}`) : Effect.void

/** Spawns `count` processes and keeps their pids. */
const spawnAll = Effect.fnUntraced(function*(count: number, report: Report) {
  const pids: Array<Process.Pid<Question>> = []
  while (pids.length < count) {
    pids.push(yield* Process.spawn(answerer))
    if (pids.length % (count / 100) === 0) yield* report("spawned", pids.length, count)
  }
  return pids
})

/** A process that asks all of them, a hundredth at a time, and adds up what they answer. */
const asker =
  (pids: ReadonlyArray<Process.Pid<Question>>, report: Report, sum: Deferred.Deferred<number>) =>
  (self: Process.Self<number>) =>
    Effect.gen(function*() {
      const batch = pids.length / 100
      let total = 0
      for (let asked = 0; asked < pids.length;) {
        for (const end = asked + batch; asked < end; asked++) {
          yield* Process.send(pids[asked]!, { n: asked, from: self.pid })
        }
        for (let i = 0; i < batch; i++) total += yield* self.receive
        yield* report("answered", asked, pids.length)
      }
      yield* Deferred.succeed(sum, total)
    })

/** What the heap holds once garbage is collected. */
const heapUsed = Effect.sync(() => {
  setFlagsFromString("--expose-gc")
  runInNewContext("gc")()
  return process.memoryUsage().heapUsed
})

/** `count` is a multiple of 100. */
export const millionProcesses = Effect.fnUntraced(function*(count: number, report: Report = printQuarters) {
  const before = yield* heapUsed
  const pids = yield* spawnAll(count, report)
  const alive = (yield* Process.list).length
  const bytesEach = Math.round(((yield* heapUsed) - before) / count)
  yield* Console.log(
    `${alive.toLocaleString("en")} processes alive, ${bytesEach.toLocaleString("en")} bytes of heap each`
  )

  const sum = yield* Deferred.make<number>()
  const asking = yield* Process.spawn(asker(pids, report, sum))
  const answersAddUp = (yield* Deferred.await(sum)) === count * (count + 1) / 2
  yield* Process.awaitExit(asking)
  const left = (yield* Process.list).length
  yield* Console.log(`every one has answered, ${left} left alive`)
  return { alive, bytesEach, answersAddUp, left }
})

if (import.meta.main) NodeRuntime.runMain(millionProcesses(Number(process.argv[2] ?? 1_000_000)))
