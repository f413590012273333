/**
 * A stream whose items are worked on by tasks.
 *
 * Each item has a fiber of the owner, which starts the task, waits for its end, and kills it when it is interrupted itself.
 * So the bound, the order and the backpressure are those of `Stream.mapEffect`.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { type TaskError, taskExited, taskTimeout } from "../OtpError.ts"
import { entryOf } from "./current.ts"
import type { Entry } from "./processTable.ts"
import { originOf } from "./spawn.ts"
import { endTask, sendKill } from "./taskEnd.ts"
import { resultOf } from "./taskOutcome.ts"
import { type Options as SlotOptions, type Slot, startSlot } from "./taskSlot.ts"
import { awaitClosed } from "./wait.ts"

export interface Options {
  readonly label: string | undefined
  readonly linked: boolean
  readonly maxConcurrency: number
  readonly ordered: boolean
  readonly timeout: number
  readonly onTimeout: "exit" | "killTask"
  readonly zipInputOnExit: boolean
}

/** How the task of an item is started. */
export type StartItem = (
  fiber: Fiber.Fiber<unknown, unknown>,
  owner: Entry,
  options: SlotOptions,
  work: AnyEffect
) => Effect.Effect<Slot, unknown>

const startItem: StartItem = (fiber, owner, options, work) =>
  Effect.succeed(startSlot(originOf(fiber), owner, options, work))

type AnyEffect = Effect.Effect<unknown, unknown>
type AnyStream = Stream.Stream<unknown, unknown>
type Item = Result.Result<unknown, unknown>

/** The tasks belong to the process that runs the stream, and begin when it does. */
export const taskStream = (
  items: Iterable<unknown> | AnyStream,
  f: (item: unknown) => AnyEffect,
  checked: () => Options,
  start: StartItem = startItem
): Stream.Stream<Item, unknown> =>
  Stream.suspend(() => {
    const options = checked()
    const running = new Set<Entry>()
    // One by one: an iterable must not be asked for what nobody is free to work on.
    const inputs: AnyStream = Stream.isStream(items) ? items : Stream.fromIterable(items, { chunkSize: 1 })
    return Stream.mapEffect(
      inputs,
      (input) => runItem(running, input, f, options, start),
      { concurrency: options.maxConcurrency, unordered: !options.ordered }
    )
  })

// Uninterruptible but for the wait: a task that has begun always has somebody who ends it.
const runItem = (
  running: Set<Entry>,
  input: unknown,
  f: (item: unknown) => AnyEffect,
  options: Options,
  start: StartItem
): Effect.Effect<Item, unknown> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.withFiber((fiber) => {
      const owner = entryOf(fiber)!
      const work = Effect.suspend(() => f(input))
      const starting = start(fiber, owner, { ...options, byMessage: false, quiet: true }, work)
      return Effect.flatMap(starting, (slot) => {
        const { target: task } = slot
        running.add(task)
        // Its end, not its answer: as long as something of it runs, another one would be one too many.
        return restore(awaitClosed(task, options.timeout)).pipe(
          Effect.onInterrupt(() => {
            // The stream is over: none of its tasks may run on while the finalizers of another one do.
            running.forEach((task) => sendKill(owner, task))
            return endTask(owner, task, "brutalKill")
          }),
          Effect.tap((closed) => closed ? Effect.void : endTask(owner, task, "brutalKill")),
          Effect.flatMap((closed) => {
            running.delete(task)
            return itemOf(slot, closed, input, options)
          })
        )
      })
    })
  )

const itemOf = (slot: Slot, closed: boolean, input: unknown, options: Options): Effect.Effect<Item, TaskError> => {
  if (slot.answer !== undefined) return Effect.succeed(resultOf(slot.answer))
  const { onTimeout, timeout, zipInputOnExit } = options
  const error = closed ? taskExited(slot.shown, slot.reason!) : taskTimeout(slot.shown, timeout, true)
  if (!closed && onTimeout === "exit") return Effect.fail(error)
  return Effect.succeed(Result.fail(zipInputOnExit ? [input, error] : error))
}
