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
import type { Name, Size } from "./Workload.ts"

/** What is held once garbage is collected; twice, because finalizers free more. */
const heap = (): number => {
  globalThis.gc?.()
  globalThis.gc?.()
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

const sample = (implementation: Implementation, size: Size): Effect.Effect<Sample, unknown> =>
  Effect.scoped(Effect.gen(function*() {
    const { run, verify } = yield* implementation(size)
    const before = heap()
    const start = process.hrtime.bigint()
    const result = yield* run
    const nanos = Number(process.hrtime.bigint() - start)
    const heapBytes = heap() - before
    return { nanos, heapBytes, done: verify === undefined ? result : yield* verify }
  }))

const warmUp = Effect.fnUntraced(function*(implementation: Implementation, size: Size, millis: number) {
  const end = performance.now() + millis
  do yield* sample(implementation, size)
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
  return yield* sample(implementation, { n, width })
})

// Exits by itself, whatever a system leaves behind: timers, sockets, actors.
Effect.runPromise(main.pipe(
  Effect.flatMap(Schema.encodeEffect(Line)),
  Effect.provideService(MinimumLogLevel, "None")
)).then((line) => process.stdout.write(`${line}\n`, () => process.exit(0)))
