import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"
import * as RunQueue from "../../src/internal/runQueue.ts"

/** Keeps a queue busy until it is told to stop, and counts its turns. */
const busy = (queue: RunQueue.RunQueue, work: () => void = () => {}) => {
  const state = {
    turns: 0,
    stopped: false,
    run() {
      work()
      state.turns++
      if (!state.stopped) queue.schedule(state)
    }
  }
  queue.schedule(state)
  return state
}

const spin = (millis: number) => {
  const end = performance.now() + millis
  while (performance.now() < end) { /* busy */ }
}

describe("the default scheduler", () => {
  const make = Effect.map(Scheduler.Scheduler, RunQueue.make)

  it.live("runs in the order of the wake-ups, those of running turns last, in one drain", () =>
    Effect.gen(function*() {
      const queue = yield* make
      const order: Array<number | string> = []
      for (let i = 0; i < 3; i++) {
        queue.schedule({
          run: () => {
            order.push(i)
            queue.schedule({ run: () => order.push(`again ${i}`) })
          }
        })
      }
      assert.deepStrictEqual(order, [])
      assert.isTrue(queue.isBusy())
      yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
      assert.deepStrictEqual(order, [0, 1, 2, "again 0", "again 1", "again 2"])
      assert.isFalse(queue.isBusy())
    }))

  it.live("lets the event loop turn after so many turns, however busy it is", () =>
    Effect.gen(function*() {
      const state = busy(yield* make)
      const immediate = Effect.callback<number>((resume) =>
        void setImmediate(() => resume(Effect.succeed(state.turns)))
      )
      const first = yield* immediate
      const second = yield* immediate
      const third = yield* immediate
      for (const turns of [second - first, third - second]) {
        assert.isAbove(turns, 0)
        assert.isAtMost(turns, 4096)
      }
      state.stopped = true
    }))

  it.live("lets timers of the event loop fire while it is busy", () =>
    Effect.gen(function*() {
      const queue = yield* make
      const state = busy(queue)
      yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
      assert.isAbove(state.turns, 0)
      yield* Effect.callback<void>((resume) => void setTimeout(() => resume(Effect.void), 1))
      assert.isTrue(queue.isBusy())
      state.stopped = true
    }))

  it.live("lets it turn after some time, when turns are slow", () =>
    Effect.gen(function*() {
      const state = busy(yield* make, () => spin(0.5))
      const immediate = Effect.callback<number>((resume) =>
        void setImmediate(() => resume(Effect.succeed(state.turns)))
      )
      const first = yield* immediate
      const second = yield* immediate
      // The time is read every 64 turns.
      assert.isAtMost(second - first, 64)
      state.stopped = true
    }))
})

describe("any other scheduler", () => {
  it("gets one task for each wake-up, and orders them itself", () => {
    const tasks: Array<() => void> = []
    const queue = RunQueue.make({
      executionMode: "async",
      shouldYield: () => false,
      makeDispatcher: () => ({ scheduleTask: (task) => void tasks.push(task), flush: () => {} })
    })
    const order: Array<number> = []
    for (let i = 0; i < 3; i++) queue.schedule({ run: () => void order.push(i) })
    assert.strictEqual(tasks.length, 3)
    assert.isTrue(queue.isBusy())
    tasks[2]!()
    tasks[0]!()
    assert.deepStrictEqual(order, [2, 0])
    assert.isTrue(queue.isBusy())
    tasks[1]!()
    assert.isFalse(queue.isBusy())
  })
})
