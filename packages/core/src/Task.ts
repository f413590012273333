/**
 * Work in a process of its own, whose answer the owner waits for.
 *
 * A task is spawned for one piece of work. It has a pid, a place among the links, and one answer for its owner. Reach for a
 * fiber (`Effect.forkChild`, `Effect.forEach` with a concurrency) when nobody needs more than the result; for a task when the
 * work should fail like a process: linked to its owner, watched, ended from outside, reported by its label.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as ChildSpec from "./ChildSpec.ts"
import { type Current, entryOf, type Receives } from "./internal/current.ts"
import * as Input from "./internal/input.ts"
import type { Entry } from "./internal/processTable.ts"
import type { Body as AnyBody } from "./internal/self.ts"
import * as Signal from "./internal/signal.ts"
import { originOf } from "./internal/spawn.ts"
import {
  type Error,
  type Outcome,
  type Success,
  type Task,
  TaskImpl,
  withSlot,
  withSlots
} from "./internal/taskHandle.ts"
import { resultOf } from "./internal/taskOutcome.ts"
import { startTask } from "./internal/taskProcess.ts"
import { checkWork, completedSlot, startSlot, type Work } from "./internal/taskSlot.ts"
import { taskStream } from "./internal/taskStream.ts"
import * as Waiting from "./internal/taskWait.ts"
import { made } from "./internal/where.ts"
import type { TaskError } from "./OtpError.ts"
import type { Pid } from "./Pid.ts"
import type * as Process from "./Process.ts"

export type { Reply } from "./internal/signal.ts"
export type { Error, Outcome, Success, Task } from "./internal/taskHandle.ts"
export type { TaskError } from "./OtpError.ts"

// ----------------------------------------------------------------------------
// guards
// ----------------------------------------------------------------------------

/**
 * Tells whether something is a task.
 *
 * @category guards
 * @since 0.1.0
 */
export const isTask = (u: unknown): u is Task<unknown, unknown> => u instanceof TaskImpl

/**
 * Tells whether a message is the answer of a task. No user message passes for one.
 *
 * @category guards
 * @since 0.1.0
 */
export const isReply: <T>(u: T) => u is Signal.ReplyIn<T> = Signal.isReply

// ----------------------------------------------------------------------------
// starting
// ----------------------------------------------------------------------------

/**
 * How to start a task that nobody waits for.
 *
 * @category models
 * @since 0.1.0
 */
export interface StartOptions {
  /** What a person calls it, in errors, in reports and in `Process.info`. */
  readonly label?: string | undefined
}

/**
 * How to start a task.
 *
 * @category models
 * @since 0.1.0
 */
export interface AsyncOptions<out By extends "message" | undefined = "message" | undefined> extends StartOptions {
  /** `"message"`: the answer comes into the mailbox of the owner, too, which must declare `Task.Reply` and `Process.Down`. */
  readonly reply?: By
}

/**
 * What the owner must declare to get the answer by message.
 *
 * @category utility types
 * @since 0.1.0
 */
export type ReplyServices<A, E, By> = "message" extends By ? Receives<Signal.Reply<A, E>> | Receives<Signal.Down>
  : never

/**
 * Starts a task: a process that runs the effect, linked to the caller and monitored by it. The caller is its owner.
 *
 * **When to use**
 *
 * Use it for work that goes on while the owner does something else, and whose crash is a crash of the owner. For a handler of
 * a GenServer that must not wait, ask for the answer by message.
 *
 * **Details**
 *
 * Mirrors Elixir's `Task.async/1`. It gives the task at once. The effect may also be a body, as `Process.spawn` takes one: then
 * the task has a mailbox, and may trap exits.
 *
 * A typed failure is an answer: the task ends `Normal`, and {@link await} fails with it. A defect or an exit is none: the task
 * ends with that reason, which ends an owner that does not trap exits. If the owner ends abnormally, so does the task.
 *
 * With `{ reply: "message" }` the answer also comes as a {@link Reply}, and then the `Down` of the task, unless the answer was
 * taken before: the mailbox declares `Task.Reply<A, E>` and `Process.Down`.
 *
 * **Example**
 *
 * ```ts
 * import { Process, Task } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const seen: Array<number> = []
 * const owner = () =>
 *   Effect.gen(function*() {
 *     const task = yield* Task.async(Effect.succeed(20))
 *     seen.push(1 + (yield* Task.await(task)))
 *   })
 *
 * const program = Effect.flatMap(Process.spawn(owner), Process.awaitExit)
 *
 * Effect.runPromise(Effect.as(program, seen)) // => [21]
 * ```
 *
 * @see {@link asyncStream} for a task per item
 * @category starting
 * @since 0.1.0
 */
export const async: {
  /** Starts a task with a mailbox of its own. */
  <M, A, E, R, const By extends "message" | undefined = undefined>(
    body: Process.Body<M, A, E, R>,
    options?: AsyncOptions<By>
  ): Effect.Effect<Task<A, E>, never, Exclude<R, Process.Provided<M>> | Current | ReplyServices<A, E, By>>
  /** Starts a task. */
  <A, E, R, const By extends "message" | undefined = undefined>(
    effect: Effect.Effect<A, E, R> & Process.DeclaresSignals<never, R>,
    options?: AsyncOptions<By>
  ): Effect.Effect<Task<A, E>, never, Exclude<R, Current> | Current | ReplyServices<A, E, By>>
} = ((work: Work, options: AsyncOptions = {}) =>
  made(Effect.withFiber((fiber) => {
    checkWork(work)
    const { label, reply } = Input.options(["label", "reply"], options)
    if (reply !== undefined) Input.oneOf("reply", ["message"], reply)
    const start = { label, linked: true, byMessage: reply === "message", quiet: false }
    const slot = startSlot(originOf(fiber), entryOf(fiber)!, start, work)
    return Effect.succeed(new TaskImpl(slot, slot.target))
  }))) as never

/**
 * A task without a process, which has answered already.
 *
 * **When to use**
 *
 * Use it where a task is wanted and the answer is there: some come from a cache, and the others have to be worked on.
 *
 * **Details**
 *
 * Mirrors Elixir's `Task.completed/1`. The caller is its owner.
 *
 * @category starting
 * @since 0.1.0
 */
export const completed = <A>(value: A): Effect.Effect<Task<A>, never, Current> =>
  Effect.withFiber((fiber) =>
    Effect.succeed(new TaskImpl(completedSlot(entryOf(fiber)!, Exit.succeed(value)), undefined) as unknown as Task<A>)
  )

const startAlone = (work: Work, options: StartOptions = {}, linked: boolean): Effect.Effect<Entry> =>
  made(Effect.withFiber((fiber) => {
    checkWork(work)
    const { label } = Input.options(["label"], options)
    const body: AnyBody = typeof work === "function" ? work : () => work
    return Effect.succeed(startTask(originOf(fiber), { label, linked }, () => body))
  }))

/**
 * Starts a task that nobody waits for, and that goes on when the caller ends.
 *
 * **Details**
 *
 * Mirrors Elixir's `Task.start/1`. It differs from `Process.spawn` in what is known of it: `Process.info` and the report of a
 * crash say who asked for it. There is nobody to answer to: a typed failure ends it as `Crashed`.
 *
 * @see {@link startLink}
 * @category starting
 * @since 0.1.0
 */
export const start: {
  <M, A, E, R>(
    body: Process.Body<M, A, E, R>,
    options?: StartOptions
  ): Effect.Effect<Pid<Exclude<M, Signal.Signal>>, never, Exclude<R, Process.Provided<M>>>
  <A, E, R>(
    effect: Effect.Effect<A, E, R> & Process.DeclaresSignals<never, R>,
    options?: StartOptions
  ): Effect.Effect<Pid<never>, never, Exclude<R, Current>>
} = ((work: Work, options?: StartOptions) => startAlone(work, options, false)) as never

/**
 * Starts a task that nobody waits for, linked to the caller. Mirrors Elixir's `Task.start_link/1`.
 *
 * @see {@link child} to put it under a supervisor
 * @category starting
 * @since 0.1.0
 */
export const startLink: {
  <M, A, E, R>(
    body: Process.Body<M, A, E, R>,
    options?: StartOptions
  ): Effect.Effect<Pid<Exclude<M, Signal.Signal>>, never, Exclude<R, Process.Provided<M>> | Current>
  <A, E, R>(
    effect: Effect.Effect<A, E, R> & Process.DeclaresSignals<never, R>,
    options?: StartOptions
  ): Effect.Effect<Pid<never>, never, Exclude<R, Current> | Current>
} = ((work: Work, options?: StartOptions) => startAlone(work, options, true)) as never

/**
 * A task as a child of a supervisor: work that is done once when the tree starts.
 *
 * **Details**
 *
 * Mirrors Elixir's `Task.child_spec/1`. It is `temporary` unless it says otherwise: whatever becomes of it, it is not started
 * again. `id` is `"Task"` if none is given. A `Scope` that the work asks for is its own and closes with it. A typed failure
 * ends it as `Crashed`.
 *
 * @see `ChildSpec.worker` for what has to come back
 * @category starting
 * @since 0.1.0
 */
export const child: {
  <M, A, E, R>(
    options: ChildOptions & { readonly run: Process.Body<M, A, E, R> }
  ): ChildSpec.ChildSpec<never, never, Exclude<R, Process.Provided<M> | Scope.Scope>>
  <A, E, R>(
    options: ChildOptions & { readonly run: Effect.Effect<A, E, R> & Process.DeclaresSignals<never, R> }
  ): ChildSpec.ChildSpec<never, never, Exclude<R, Current | Scope.Scope>>
} = ((options: ChildOptions & { readonly run: Work }) => {
  const { id = "Task", label = id, restart = "temporary", run } = options
  checkWork(run, "run")
  const body: AnyBody = (self) => Effect.scoped(typeof run === "function" ? run(self) : run) as ReturnType<AnyBody>
  return ChildSpec.make({ ...options, id, restart, start: startAlone(body, { label }, true) })
}) as never

/**
 * How a task is a child.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChildOptions extends StartOptions, Omit<ChildSpec.Options, "id"> {
  /** Default: `"Task"`. */
  readonly id?: string | undefined
}

// ----------------------------------------------------------------------------
// waiting
// ----------------------------------------------------------------------------

const defaultTimeout = "5 seconds"

/**
 * How long to wait.
 *
 * @category models
 * @since 0.1.0
 */
export interface TimeoutOptions {
  /** Default: 5 seconds. `"Infinity"` waits without limit. */
  readonly timeout?: Duration.Input | undefined
}

const atLeastOne = (what: string, input: number): number =>
  Input.check(what, "a whole number of one or more", Number.isSafeInteger(input) && input >= 1, input)

const toOutcome = Effect.map(Option.map(resultOf))

const timeoutIn = (options: TimeoutOptions): number => {
  const { timeout = defaultTimeout } = Input.options<TimeoutOptions>(["timeout"], options)
  return Input.millis("timeout", timeout)
}

const await_ = <A, E>(
  task: Task<A, E>,
  options: TimeoutOptions = {}
): Effect.Effect<A, E | TaskError, Current> =>
  made(withSlot("await", task, (slot, fiber) => Waiting.await_(fiber, slot, timeoutIn(options)))) as never

export {
  /**
   * Waits for the answer of a task: its value, or its own failure.
   *
   * **Details**
   *
   * Mirrors Elixir's `Task.await/2`. It fails with `TaskError`, whose `reason` is
   *
   * - `Timeout` when the time is over, 5 seconds if nothing else is said. The task runs on, linked, and its late answer is
   *   dropped: `shutdown` ends it.
   * - `Exited` when the task ended without an answer, in an owner that survives this: it traps exits, or the reason is `Normal`.
   * - `AlreadyTaken` when the answer was taken or given up before: there is one await for a task.
   *
   * Nothing goes through the mailbox, so any fiber of the owner may wait, in a handler, too. Who is interrupted while waiting
   * harms nothing and may await again. From any other process it is a defect.
   *
   * **Example**
   *
   * ```ts
   * import { Process, Task } from "@effect-otp/core"
   * import { Effect } from "effect"
   *
   * const seen: Array<string> = []
   * const owner = () =>
   *   Effect.gen(function*() {
   *     const task = yield* Task.async(Effect.fail("sold out"))
   *     seen.push(yield* Effect.flip(Effect.catchTag(Task.await(task), "TaskError", Effect.die)))
   *   })
   *
   * const program = Effect.flatMap(Process.spawn(owner), Process.awaitExit)
   *
   * Effect.runPromise(Effect.as(program, seen)) // => ["sold out"]
   * ```
   *
   * @see {@link yield} to ask again and again
   * @category waiting
   * @since 0.1.0
   */
  await_ as await
}

/**
 * Waits for several tasks, and gives their values in the order of the tasks.
 *
 * **Details**
 *
 * Mirrors Elixir's `Task.await_many/2`. The time is one for all of them, 5 seconds if nothing else is said. As soon as one
 * fails or ends without an answer, it fails as {@link await} does; a `Timeout` names those that have not answered. Either way
 * the others are given up: they run on, linked, and their answers are dropped.
 *
 * @category waiting
 * @since 0.1.0
 */
export const awaitMany = <const T extends ReadonlyArray<Task<unknown, unknown>>>(
  tasks: T,
  options: TimeoutOptions = {}
): Effect.Effect<{ -readonly [K in keyof T]: Success<T[K]> }, Error<T[number]> | TaskError, Current> =>
  withSlots("awaitMany", tasks, (slots, fiber) => Waiting.awaitMany(fiber, slots, timeoutIn(options))) as never

const yield_ = <A, E>(
  task: Task<A, E>,
  options: TimeoutOptions = {}
): Effect.Effect<Option.Option<Outcome<Task<A, E>>>, never, Current> =>
  withSlot("yield", task, (slot, fiber) => toOutcome(Waiting.yield_(fiber, slot, timeoutIn(options)))) as never

export {
  /**
   * Waits a while for the answer of a task, and gives nothing if there is none yet. It can be asked again.
   *
   * **When to use**
   *
   * Use it to do something else in between, and before {@link shutdown}: what comes in time is used, what does not is ended.
   *
   * **Details**
   *
   * Mirrors Elixir's `Task.yield/2`. The time is 5 seconds if nothing else is said; `0` looks and does not wait. A value is
   * `Result.succeed`; the failure of the task, or a `TaskError` that says how it ended, is `Result.fail`. What was given is
   * taken: asked once more it gives `AlreadyTaken`. From any other process than the owner it is a defect.
   *
   * **Example**
   *
   * ```ts
   * import { Process, Task } from "@effect-otp/core"
   * import { Effect, Option } from "effect"
   *
   * const seen: Array<boolean> = []
   * const owner = () =>
   *   Effect.gen(function*() {
   *     const task = yield* Task.async(Effect.never)
   *     const answer = yield* Task.yield(task, { timeout: "10 millis" })
   *     const ended = Option.isSome(answer) ? answer : yield* Task.shutdown(task)
   *     seen.push(Option.isSome(ended))
   *   })
   *
   * const program = Effect.flatMap(Process.spawn(owner), Process.awaitExit)
   *
   * Effect.runPromise(Effect.as(program, seen)) // => [false]
   * ```
   *
   * @category waiting
   * @since 0.1.0
   */
  yield_ as yield
}

/**
 * How to wait for several tasks.
 *
 * @category models
 * @since 0.1.0
 */
export interface YieldManyOptions extends TimeoutOptions {
  /**
   * What becomes of those that have not answered when the time is over. `nothing`, the default: they may be asked again.
   * `ignore`: they run on unlinked, and their answers are dropped. `killTask`: they are killed.
   */
  readonly onTimeout?: "nothing" | "ignore" | "killTask" | undefined
  /** How many to wait for. When so many are there, the time does not matter any more. Default: all. */
  readonly limit?: number | undefined
}

/**
 * Waits a while for several tasks, and gives what each of them has, in the order of the tasks.
 *
 * **Details**
 *
 * Mirrors Elixir's `Task.yield_many/2`. The time is one for all of them, 5 seconds if nothing else is said. Each task comes
 * with what {@link yield} gives. With `limit` no more than so many answers are taken, and `onTimeout` does nothing when they
 * are there in time.
 *
 * @category waiting
 * @since 0.1.0
 */
export const yieldMany = <const T extends ReadonlyArray<Task<unknown, unknown>>>(
  tasks: T,
  options: YieldManyOptions = {}
): Effect.Effect<
  { -readonly [K in keyof T]: readonly [task: T[K], outcome: Option.Option<Outcome<T[K]>>] },
  never,
  Current
> =>
  withSlots("yieldMany", tasks, (slots, fiber) => {
    const { limit, onTimeout, timeout } = Input.options(["timeout", "onTimeout", "limit"], options)
    const outcomes = Waiting.yieldMany(fiber, slots, {
      timeout: Input.millis("timeout", timeout ?? defaultTimeout),
      onTimeout: Input.oneOf("onTimeout", ["nothing", "ignore", "killTask"], onTimeout ?? "nothing"),
      limit: limit === undefined ? Infinity : atLeastOne("limit", limit)
    })
    return Effect.map(outcomes, (outcomes) => outcomes.map((answer, i) => [tasks[i], Option.map(answer, resultOf)]))
  }) as never

// ----------------------------------------------------------------------------
// ending
// ----------------------------------------------------------------------------

/**
 * Ends a task, and gives what it has answered, or how it ended if that was not our doing.
 *
 * **Details**
 *
 * Mirrors Elixir's `Task.shutdown/2`. The link is taken away first, so nothing of the end reaches the owner. The task is told
 * to shut down, and killed if it has not ended after 5 seconds, or the time that is given; with `"brutalKill"` it is killed at
 * once. When this goes on nothing of the task runs any more: the finalizers of one that was killed have 5 seconds. Whoever is
 * interrupted meanwhile kills the task.
 *
 * | the task | gives |
 * | --- | --- |
 * | has answered, even if it has ended since | its value, or its failure |
 * | ends because it was told to | nothing |
 * | has ended by itself before, or ends otherwise meanwhile | `TaskError` with `Exited` and the reason |
 * | has to be killed because it overstays | the same, with `Killed` |
 * | had its answer taken, and has ended | the same, with `NoProcess` |
 *
 * **Example**
 *
 * ```ts
 * import { Process, Task } from "@effect-otp/core"
 * import { Effect, Option } from "effect"
 *
 * const seen: Array<boolean> = []
 * const owner = () =>
 *   Effect.gen(function*() {
 *     const task = yield* Task.async(Effect.never)
 *     seen.push(Option.isNone(yield* Task.shutdown(task)))
 *   })
 *
 * const program = Effect.flatMap(Process.spawn(owner), Process.awaitExit)
 *
 * Effect.runPromise(Effect.as(program, seen)) // => [true]
 * ```
 *
 * @category ending
 * @since 0.1.0
 */
export const shutdown = <A, E>(
  task: Task<A, E>,
  timeout: ChildSpec.Shutdown = defaultTimeout
): Effect.Effect<Option.Option<Outcome<Task<A, E>>>, never, Current> =>
  withSlot("shutdown", task, (slot) => {
    const millis = timeout === "brutalKill" ? timeout : Input.millis("timeout", timeout)
    return toOutcome(Waiting.end(slot, millis))
  }) as never

/**
 * Gives up a task without ending it: it runs on, unlinked, and what it answers is dropped.
 *
 * **Details**
 *
 * Mirrors Elixir's `Task.ignore/1`. It gives what the task has answered, or how it ended, if that is there already. If you
 * never want the answer, {@link start} it instead.
 *
 * @category ending
 * @since 0.1.0
 */
export const ignore = <A, E>(
  task: Task<A, E>
): Effect.Effect<Option.Option<Outcome<Task<A, E>>>, never, Current> =>
  withSlot("ignore", task, (slot) => toOutcome(Effect.sync(() => Waiting.ignore(slot)))) as never

// ----------------------------------------------------------------------------
// streams
// ----------------------------------------------------------------------------

/**
 * How a stream of tasks is worked on.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions<
  out OnTimeout extends "exit" | "killTask" = "exit" | "killTask",
  out Zip extends boolean = boolean
> extends StartOptions, TimeoutOptions {
  /** How many tasks may run at once. Default: 8. */
  readonly maxConcurrency?: number | undefined
  /** Results in the order of the items, the default, or as they come. */
  readonly ordered?: boolean | undefined
  /** When an item takes longer than `timeout` its task is killed, and then: the stream fails (`exit`, the default), or the item does. */
  readonly onTimeout?: OnTimeout
  /** An item whose task ends without an answer gives `[item, TaskError]` rather than the error alone. Default: false. */
  readonly zipInputOnExit?: Zip
}

/**
 * What stands for an item whose task ended without an answer.
 *
 * @category utility types
 * @since 0.1.0
 */
export type ItemExit<I, Zip> = Zip extends true ? readonly [item: I, error: TaskError] : TaskError

/**
 * A stream of what a function gives for each item, worked on by a task each, so many at once.
 *
 * **When to use**
 *
 * Use it for work that may crash or hang, item by item. When it can only fail, `Stream.mapEffect` is simpler and lighter.
 *
 * **Details**
 *
 * Mirrors Elixir's `Task.async_stream/3`. Nothing begins before the stream is run, and its tasks belong to the process that
 * runs it. An item is asked for when a task is free for it: at most `maxConcurrency` (default 8, since tasks mostly wait;
 * there is one thread for all) have begun and are not taken yet. When the stream ends, also early, what still runs is killed
 * and waited for, and no link, monitor or message is left.
 *
 * An item gives `Result.succeed` with the value, or `Result.fail` with the failure of its effect. A crash ends the owner
 * through the link; in one that traps exits the item gives `Result.fail` with a `TaskError`, and no `Exit` message comes. An
 * item that takes longer than `timeout` (default 5 seconds) fails the stream with `TaskError`, or with
 * `onTimeout: "killTask"` only itself.
 *
 * A `maxConcurrency` that is no whole number of one or more, and any other bad option, is a defect of the stream.
 *
 * **Example**
 *
 * ```ts
 * import { Process, Task } from "@effect-otp/core"
 * import { Effect, Result, Stream } from "effect"
 *
 * const seen: Array<number> = []
 * const owner = () =>
 *   Task.asyncStream([1, 2, 3], (n) => Effect.succeed(n * 10), { maxConcurrency: 2 }).pipe(
 *     Stream.runForEach((item) => Effect.sync(() => seen.push(Result.getOrThrow(item))))
 *   )
 *
 * const program = Effect.flatMap(Process.spawn(owner), Process.awaitExit)
 *
 * Effect.runPromise(Effect.as(program, seen)) // => [10, 20, 30]
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const asyncStream = <
  I,
  A,
  E,
  R,
  E2 = never,
  R2 = never,
  const OnTimeout extends "exit" | "killTask" = "exit",
  const Zip extends boolean = false
>(
  items: Iterable<I> | Stream.Stream<I, E2, R2>,
  f: ((item: I) => Effect.Effect<A, E, R>) & Process.DeclaresSignals<never, R>,
  options: StreamOptions<OnTimeout, Zip> = {}
): Stream.Stream<
  Result.Result<A, E | ItemExit<I, Zip>>,
  E2 | ("exit" extends OnTimeout ? TaskError : never),
  Exclude<R, Current> | R2 | Current
> => taskStream(items as never, f as never, () => streamOptions(options)) as never

const optionNames = ["label", "timeout", "maxConcurrency", "ordered", "onTimeout", "zipInputOnExit"] as const

/** @internal */
export const streamOptions = (options: StreamOptions) => {
  const { label, maxConcurrency = 8, onTimeout, ordered = true, timeout, zipInputOnExit = false } = Input.options(
    optionNames,
    options
  )
  return {
    label,
    linked: true,
    maxConcurrency: atLeastOne("maxConcurrency", maxConcurrency),
    ordered: Input.check("ordered", "true or false", typeof ordered === "boolean", ordered),
    timeout: Input.millis("timeout", timeout ?? defaultTimeout),
    onTimeout: Input.oneOf("onTimeout", ["exit", "killTask"], onTimeout ?? "exit"),
    zipInputOnExit: Input.check("zipInputOnExit", "true or false", typeof zipInputOnExit === "boolean", zipInputOnExit)
  }
}
