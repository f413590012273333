/**
 * A task as its owner holds it, and the way from there to its slot.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { format } from "effect/Formatter"
import type * as Result from "effect/Result"
import type * as Types from "effect/Types"
import type { TaskError } from "../OtpError.ts"
import type { Pid } from "../Pid.ts"
import { entryOf } from "./current.ts"
import * as Input from "./input.ts"
import { describe, type Entry } from "./processTable.ts"
import type * as Signal from "./signal.ts"
import type { Slot } from "./taskSlot.ts"

const TypeId = "~@effect-otp/core/Task"

/**
 * A task, as its owner knows it: it answers with an `A` or with the failure `E`.
 *
 * **Details**
 *
 * Mirrors Elixir's `%Task{}`. `pid` is its process (none if it is `completed`), `owner` whoever may wait for it, and `ref` its
 * monitor, which a `Task.Reply` carries, too.
 *
 * @category models
 * @since 0.1.0
 */
export interface Task<out A, out E = never> {
  readonly [TypeId]: { readonly _A: Types.Covariant<A>; readonly _E: Types.Covariant<E> }
  readonly pid: Pid<never> | undefined
  readonly owner: Pid<never, unknown>
  readonly ref: Signal.MonitorRef
}

/**
 * What a task answers with.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Success<T> = T extends Task<infer A, infer _E> ? A : never

/**
 * What a task can fail with.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Error<T> = T extends Task<infer _A, infer E> ? E : never

/**
 * What a task gives that was asked without waiting for it to the end: its answer, or why there is none.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Outcome<T> = Result.Result<Success<T>, Error<T> | TaskError>

export class TaskImpl {
  declare readonly [TypeId]: Task<unknown, unknown>[typeof TypeId]
  readonly pid: Entry | undefined
  readonly owner: Entry
  readonly ref: Slot

  constructor(slot: Slot, pid: Entry | undefined) {
    this.pid = pid
    this.owner = slot.watcher
    this.ref = slot
  }

  toString(): string {
    return `#Task<${this.ref.shown}>`
  }

  toJSON(): unknown {
    return this.toString()
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString()
  }
}
Object.defineProperty(TaskImpl.prototype, TypeId, { value: TypeId })

/** The slot of a task, for its owner; for anybody else a defect. */
const ownSlot = (verb: string, task: Task<unknown, unknown>, caller: Entry | undefined): Slot => {
  if (!(task instanceof TaskImpl)) throw new TypeError(`task: expected what Task.async gave, got ${format(task)}`)
  const { ref: slot } = task
  if (slot.watcher === caller) return slot
  const who = caller === undefined ? "code outside of any process" : describe(caller)
  throw new TypeError(
    `Task.${verb}: only the owner of a task may do this; ${task} belongs to ${describe(slot.watcher)}, ` +
      `and it was called by ${who}`
  )
}

export const withSlot = <A, E>(
  verb: string,
  task: Task<unknown, unknown>,
  f: (slot: Slot, fiber: Fiber.Fiber<unknown, unknown>) => Effect.Effect<A, E>
): Effect.Effect<A, E> => Effect.withFiber((fiber) => f(ownSlot(verb, task, entryOf(fiber)), fiber))

export const withSlots = <A, E>(
  verb: string,
  tasks: ReadonlyArray<Task<unknown, unknown>>,
  f: (slots: ReadonlyArray<Slot>, fiber: Fiber.Fiber<unknown, unknown>) => Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.withFiber((fiber) => {
    Input.check("tasks", "an array of tasks", Array.isArray(tasks), tasks)
    return f(tasks.map((task) => ownSlot(verb, task, entryOf(fiber))), fiber)
  })
