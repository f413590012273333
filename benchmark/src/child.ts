/**
 * The process of one system on Node: warms up, takes one sample of one workload, prints it.
 *
 * Arguments: system, workload, n, width, n for warming up, milliseconds to warm up.
 */
import * as Effect from "effect/Effect"
import { MinimumLogLevel } from "effect/References"
import * as Schema from "effect/Schema"
import type { Implementation } from "./Implementation.ts"
import { Line, type Sample } from "./Sample.ts"
import { load, type SystemName } from "./systems/index.ts"
import { type Name, type Size, workloads } from "./Workload.ts"

/** What is held once garbage is collected; twice, because finalizers free more. */
const heap = (): number => {
  globalThis.gc?.()
  globalThis.gc?.()
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

/**
 * A full collection throws away compiled code, since V8 holds what it is compiled for weakly. So one is asked for only
 * where heap is the question: what is measured otherwise is the code that a program runs which has been running.
 */
const sample = (implementation: Implementation, size: Size, measuresHeap: boolean): Effect.Effect<Sample, unknown> =>
  Effect.scoped(Effect.gen(function*() {
    const { run, verify } = yield* implementation(size)
    const before = measuresHeap ? heap() : 0
    const start = process.hrtime.bigint()
    const result = yield* run
    const nanos = Number(process.hrtime.bigint() - start)
    const heapBytes = measuresHeap ? heap() - before : 0
    return { nanos, heapBytes, done: verify === undefined ? result : yield* verify }
  }))

const warmUp = Effect.fnUntraced(function*(implementation: Implementation, size: Size, millis: number) {
  const end = performance.now() + millis
  do yield* sample(implementation, size, false)
  while (performance.now() < end)
})

const main = Effect.gen(function*() {
  const [system, workload, ...numbers] = process.argv.slice(2)
  const [n, width, warmUpN, warmUpMillis] = numbers.map(Number) as [number, number, number, number]
  // Who starts this process has both names from the lists of systems and workloads.
  const implementations = yield* Effect.promise(() => load(system as SystemName))
  const implementation = implementations[workload as Name]
  if (implementation === undefined) return yield* Effect.die(`${system} is not for ${workload}`)
  if ("cannot" in implementation) return implementation
  yield* warmUp(implementation, { n: warmUpN, width }, warmUpMillis)
  const measuresHeap = workloads.some(({ heap, name }) => heap && name === workload)
  return yield* sample(implementation, { n, width }, measuresHeap)
})

// Exits by itself, whatever a system leaves behind: timers, sockets, actors.
Effect.runPromise(main.pipe(
  Effect.flatMap(Schema.encodeEffect(Line)),
  Effect.provideService(MinimumLogLevel, "None")
)).then((line) => process.stdout.write(`${line}\n`, () => process.exit(0)))
