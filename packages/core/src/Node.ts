/**
 * The place where processes live: the process table, the names and the timers.
 *
 * Nothing has to be provided to start: there is a default Node. `Node.layer` gives an isolated one, as every test wants.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CurrentTable, tableOf } from "./internal/current.ts"
import * as Input from "./internal/input.ts"
import { type Entry, make, type ProcessTable } from "./internal/processTable.ts"
import { endWithin } from "./internal/wait.ts"

/**
 * A process table with its own names and timers. Opaque; what it holds is read with `Process.list` and
 * `Process.registered`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Node {
  readonly name: string
}

/**
 * The Node that the calling effect runs in. It has a default, so it never has to be provided.
 *
 * @see {@link layer} for an isolated one
 * @category services
 * @since 0.1.0
 */
export const Node: Context.Reference<Node> = CurrentTable as unknown as Context.Reference<Node>

/**
 * How a Node is called, and how long its processes may take to end with it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** For messages and reports. Default: `"node"`. */
  readonly name?: string | undefined
  /** How long a process may take to end before it is killed. Default: 5 seconds. */
  readonly shutdown?: Duration.Input | undefined
}

/**
 * An isolated Node, which ends every process in it when its scope closes.
 *
 * **When to use**
 *
 * Provide it to each test, so that none sees the names or the processes of another, and to an application that wants all
 * its processes gone when it is done.
 *
 * **Details**
 *
 * Closing ends the processes one after the other, supervisors first and each kind in reverse order of start: `Shutdown`,
 * and `Kill` for what is still there after `shutdown` (5 seconds by default). It waits until their finalizers have run,
 * for at most that time again. What they start meanwhile is ended last; from then on nothing starts in the Node, and what
 * is spawned ends `Shutdown` before it begins.
 *
 * **Example**
 *
 * ```ts
 * import { Node, Process } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   yield* Process.register("sleeper", yield* Process.spawn(() => Effect.never))
 *   return yield* Process.registered
 * })
 *
 * Effect.runPromise(program.pipe(Effect.provide(Node.layer()))) // => ["sleeper"]
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<never> =>
  Layer.effect(
    CurrentTable,
    Effect.acquireRelease(
      Effect.withFiber((fiber) => Effect.succeed(make(options?.name ?? "node", tableOf(fiber).tap))),
      (table) => close(table, options?.shutdown === undefined ? 5000 : Input.millis("shutdown", options.shutdown))
    )
  )

// A process that ends may start others to help it, and they are ended, too. These may start nothing: one that always
// starts the next one would keep the Node from closing.
const close = Effect.fnUntraced(function*(table: ProcessTable, millis: number) {
  yield* endBefore(table, table.lastId, millis)
  table.sealed = true
  yield* endBefore(table, Infinity, millis)
})

const endBefore = Effect.fnUntraced(function*(table: ProcessTable, id: number, millis: number) {
  const supervisor = (entry: Entry) => entry.id < id && entry.isSupervisor
  const any = (entry: Entry) => entry.id < id
  for (const isNext of [supervisor, any]) {
    for (let entry = newest(table, isNext); entry !== undefined; entry = newest(table, isNext)) {
      yield* endWithin(entry, millis)
    }
  }
})

const newest = (table: ProcessTable, isNext: (entry: Entry) => boolean): Entry | undefined => {
  let entry = table.last
  while (entry !== undefined && !isNext(entry)) entry = entry.previous
  return entry
}
