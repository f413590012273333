/**
 * Catches a slow-down without trusting a clock: how much memory a call and a waiting process take, which hardly varies, and
 * how many times as fast as bare Effect a call is within the same run. Exits with 1 when a limit is passed.
 *
 * It runs with `--expose-gc` and a young generation so large that nothing is collected while it measures.
 */
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { Deferred, Effect, Queue, Schema } from "effect"

class Counter extends GenServer.Service<Counter>()("guard/Counter", [
  GenServer.call("next", { success: Schema.Finite })
]) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: { next: (count) => Step.reply(count, count + 1) }
  })
}

const calls = 50_000
const processes = 20_000
const rounds = 7

const heap = () => process.memoryUsage().heapUsed
const collected = () => {
  globalThis.gc!()
  return heap()
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

const measured = Effect.fnUntraced(function*<E>(effect: Effect.Effect<unknown, E>) {
  collected()
  const [bytes, time] = [heap(), performance.now()]
  yield* effect
  return { bytes: heap() - bytes, time: performance.now() - time }
})

const callOurs = Effect.gen(function*() {
  const server = yield* Counter.server.startScoped()
  return Effect.gen(function*() {
    for (let i = 0; i < calls; i++) yield* server.next()
  })
})

const callBare = Effect.gen(function*() {
  const requests = yield* Queue.unbounded<Deferred.Deferred<number>>()
  yield* Effect.forkScoped(Effect.gen(function*() {
    for (let count = 0;; count++) yield* Deferred.succeed(yield* Queue.take(requests), count)
  }))
  return Effect.gen(function*() {
    for (let i = 0; i < calls; i++) {
      const answer = yield* Deferred.make<number>()
      yield* Queue.offer(requests, answer)
      yield* Deferred.await(answer)
    }
  })
})

const measureCalls = Effect.gen(function*() {
  const [ours, bare] = [yield* callOurs, yield* callBare]
  yield* Effect.andThen(ours, bare)
  const bytes: Array<number> = []
  const ratios: Array<number> = []
  for (let round = 0; round < rounds; round++) {
    const our = yield* measured(ours)
    bytes.push(our.bytes / calls)
    ratios.push((yield* measured(bare)).time / our.time)
  }
  return { bytes: median(bytes), ratio: median(ratios) }
})

/** The heap that each of many holds while it waits. */
const held = Effect.fnUntraced(function*<A, E>(start: Effect.Effect<A, E>) {
  const before = collected()
  const all = yield* Effect.replicateEffect(start, processes)
  yield* Effect.sleep("10 millis")
  const bytes = (collected() - before) / processes
  return { all, bytes }
})

const body = Effect.fnUntraced(function*(self: Process.Self<never>) {
  return yield* self.receive
})

const main = Effect.gen(function*() {
  const call = yield* measureCalls
  const idle = yield* held(Process.spawn(body))
  const server = yield* held(Counter.server.start())
  const limits: ReadonlyArray<readonly [what: string, actual: number, holds: boolean, limit: string]> = [
    ["bytes for a call", call.bytes, call.bytes <= 700, "at most 700"],
    ["calls for one of bare Effect", call.ratio, call.ratio >= 1.4, "at least 1.4"],
    ["bytes of a waiting process", idle.bytes, idle.bytes <= 1700, "at most 1,700"],
    ["bytes of a waiting server", server.bytes, server.bytes <= 700, "at most 700"]
  ]
  for (const [what, actual, holds, limit] of limits) {
    console.log(`${holds ? "ok  " : "FAIL"} ${what}: ${actual.toFixed(1)} (${limit})`)
  }
  process.exitCode = limits.every(([, , holds]) => holds) ? 0 : 1
}).pipe(Effect.scoped)

Effect.runPromise(main)
