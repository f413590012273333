/**
 * Catches a slow-down without trusting a clock: how much memory a call and a waiting process take, which hardly varies, and
 * how long a call takes next to a piece of bare Effect, measured by turns. Exits with 1 when a limit is passed. That it does
 * is checked by `scripts/guard-bites.ts`: each of both figures of a call has to tell when its cost doubles.
 *
 * It runs with `--expose-gc` and a young generation so large that nothing is collected while it measures.
 */
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { Deferred, Effect, Schema } from "effect"

class Counter extends GenServer.Service<Counter>()("guard/Counter", [
  GenServer.call("next", { success: Schema.Finite })
]) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: { next: (count) => Step.reply(count, count + 1) }
  })
}

const calls = 2_000
const processes = 20_000
const rounds = 400
const warmUps = 100

const heap = () => process.memoryUsage().heapUsed
const collected = () => {
  globalThis.gc!()
  return heap()
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

const measured = Effect.fnUntraced(function*<E>(effect: Effect.Effect<unknown, E>) {
  const [bytes, time] = [heap(), performance.now()]
  yield* effect
  return { bytes: heap() - bytes, time: performance.now() - time }
})

/** What a call cannot do without, in bare Effect: a place for its answer, the answer, and taking it. */
const answers = Effect.gen(function*() {
  for (let i = 0; i < calls; i++) {
    const answer = yield* Deferred.make<number>()
    yield* Deferred.succeed(answer, i)
    yield* Deferred.await(answer)
  }
})

/**
 * The calls and the answers take turns of a millisecond, so that what the machine does to the ones it does to the others,
 * and the median leaves out the turns in which something else ran or garbage was collected.
 */
const measureCalls = Effect.gen(function*() {
  const server = yield* Counter.server.startScoped()
  const ours = Effect.gen(function*() {
    for (let i = 0; i < calls; i++) yield* server.next()
  })
  const bytes: Array<number> = []
  const ratios: Array<number> = []
  for (let round = 0; round < warmUps + rounds; round++) {
    const our = yield* measured(ours)
    const bare = yield* measured(answers)
    if (round < warmUps) continue
    bytes.push(our.bytes / calls)
    ratios.push(our.time / bare.time)
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
    ["bytes for a call", call.bytes, call.bytes <= 310, "at most 310"],
    ["time of a call, in answers of bare Effect", call.ratio, call.ratio <= 0.55, "at most 0.55"],
    ["bytes of a waiting process", idle.bytes, idle.bytes <= 700, "at most 700"],
    ["bytes of a waiting server", server.bytes, server.bytes <= 380, "at most 380"]
  ]
  for (const [what, actual, holds, limit] of limits) {
    console.log(
      `${holds ? "ok  " : "FAIL"} ${what}: ${actual < 10 ? actual.toFixed(2) : Math.round(actual)} (${limit})`
    )
  }
  process.exitCode = limits.every(([, , holds]) => holds) ? 0 : 1
}).pipe(Effect.scoped)

Effect.runPromise(main)
