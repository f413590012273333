/**
 * Tasks under a supervisor: work that goes on when its owner ends or is stopped with the application, and that can be seen.
 *
 * A task supervisor is a `DynamicSupervisor` of tasks: `DynamicSupervisor.countChildren` and `stop` are for it, too. What it
 * starts is waited for as any task is, with `Task.await`, `Task.yield` and `Task.shutdown`.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as ChildSpec from "./ChildSpec.ts"
import * as DynamicSupervisor from "./DynamicSupervisor.ts"
import { type Current, entryOf } from "./internal/current.ts"
import * as Input from "./internal/input.ts"
import { link } from "./internal/lifecycle.ts"
import type { Entry, Origin } from "./internal/processTable.ts"
import type { Body } from "./internal/self.ts"
import type * as Signal from "./internal/signal.ts"
import { originOf } from "./internal/spawn.ts"
import { TaskImpl } from "./internal/taskHandle.ts"
import { callersFrom, startTask } from "./internal/taskProcess.ts"
import { checkWork, type Options as SlotOptions, type Slot, startSlot, type Work } from "./internal/taskSlot.ts"
import { type StartItem, taskStream } from "./internal/taskStream.ts"
import { made } from "./internal/where.ts"
import type { CallError, ChildNotFound, MaxChildren } from "./OtpError.ts"
import type { Pid } from "./Pid.ts"
import type * as Process from "./Process.ts"
import * as Task from "./Task.ts"

// ----------------------------------------------------------------------------
// constructors
// ----------------------------------------------------------------------------

/**
 * A way to reach a task supervisor: any dynamic supervisor is one.
 *
 * @category models
 * @since 0.1.0
 */
export interface TaskSupervisor extends DynamicSupervisor.DynamicSupervisor<ReadonlyArray<unknown>> {}

/**
 * How a task supervisor is made: as a dynamic supervisor is. `intensity` and `backoff` are for tasks that are restarted.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<out E = never, out R = never>
  extends Omit<DynamicSupervisor.Options<[], E, R>, "extraArguments">
{}

/**
 * Describes a supervisor of tasks.
 *
 * **When to use**
 *
 * Use it for tasks that must not end with whoever starts them, or whose number has a limit. In a whole application a
 * {@link Service} is found more easily. For a task that belongs to its owner alone `Task.async` is enough.
 *
 * **Details**
 *
 * Mirrors `Task.Supervisor.start_link/1`. When it stops, all tasks are told to shut down, and each has its own time.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <E = never, R = never>(
  options: Options<E, R> = {}
): DynamicSupervisor.Definition<never, [], E, Exclude<R, Process.Current | Scope.Scope>> =>
  DynamicSupervisor.define("TaskSupervisor", false, options)

/**
 * Declares a task supervisor that is a service, as `DynamicSupervisor.Service` does.
 *
 * **Example**
 *
 * ```ts
 * import { Process, Task, TaskSupervisor } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * class Tasks extends TaskSupervisor.Service<Tasks>()("docs/Tasks") {
 *   static readonly supervisor = this.implement({ maxChildren: 100 })
 * }
 *
 * const seen: Array<string> = []
 * const owner = () =>
 *   Effect.gen(function*() {
 *     const task = yield* TaskSupervisor.asyncNoLink(yield* Tasks, Effect.die(new Error("a bug")))
 *     const error = yield* Effect.flip(Task.await(task))
 *     seen.push(error.reason._tag)
 *   })
 *
 * const program = Effect.flatMap(Process.spawn(owner), Process.awaitExit)
 *
 * Effect.runPromise(Effect.as(Effect.provide(program, Tasks.supervisor.layer), seen)) // => ["Exited"]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const Service: <Self>() => <const Id extends string>(
  key: Id
) => DynamicSupervisor.ServiceClass<Self, Id, []> = DynamicSupervisor.Service

// ----------------------------------------------------------------------------
// starting
// ----------------------------------------------------------------------------

/**
 * What the start of a supervised task can fail with: there is no room, or no supervisor.
 *
 * @category models
 * @since 0.1.0
 */
export type Failure = MaxChildren | CallError

/**
 * How long a supervised task has when its supervisor stops. Default: 5 seconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface ShutdownOptions {
  readonly shutdown?: ChildSpec.Shutdown | undefined
}

/**
 * How to start a supervised task that its owner waits for.
 *
 * @category models
 * @since 0.1.0
 */
export interface AsyncOptions<out By extends "message" | undefined = "message" | undefined>
  extends Task.AsyncOptions<By>, ShutdownOptions
{}

/** How a task is started that its owner waits for. */
interface Async {
  /** Starts a task with a mailbox of its own. */
  <M, A, E, R, const By extends "message" | undefined = undefined>(
    ref: TaskSupervisor,
    body: Process.Body<M, A, E, R>,
    options?: AsyncOptions<By>
  ): Effect.Effect<
    Task.Task<A, E>,
    Failure,
    Exclude<R, Process.Provided<M>> | Current | Task.ReplyServices<A, E, By>
  >
  /** Starts a task. */
  <A, E, R, const By extends "message" | undefined = undefined>(
    ref: TaskSupervisor,
    effect: Effect.Effect<A, E, R> & Process.DeclaresSignals<never, R>,
    options?: AsyncOptions<By>
  ): Effect.Effect<Task.Task<A, E>, Failure, Exclude<R, Current> | Current | Task.ReplyServices<A, E, By>>
}

const startAsync = (toOwner: boolean): Async =>
  ((ref: TaskSupervisor, work: Work, options: AsyncOptions = {}) =>
    made(Effect.withFiber((fiber) => {
      checkWork(work)
      const { label, reply, shutdown } = Input.options(["label", "reply", "shutdown"], options)
      if (reply !== undefined) Input.oneOf("reply", ["message"], reply)
      const start = { label, linked: toOwner, byMessage: reply === "message", quiet: false }
      return Effect.map(
        startSupervised(ref, shutdown, fiber, entryOf(fiber)!, start, work),
        (slot) => new TaskImpl(slot, slot.target)
      )
    }))) as never

/**
 * Starts a task under a supervisor, linked to the caller, who is its owner. Mirrors `Task.Supervisor.async/3`.
 *
 * **When to use**
 *
 * Use it for work that the owner cannot do without: they end together. Where it can, {@link asyncNoLink} is the one.
 *
 * **Details**
 *
 * As `Task.async`, and the supervisor can end it, too: after `shutdown` (default 5 seconds) it is killed. Who asked for it is
 * the first of its callers (`Process.info`), though it is the supervisor that has started it. It fails with `MaxChildren` if
 * there is no room, and with `CallError` and `NoProcess` if there is no supervisor; then nothing was started.
 *
 * @category starting
 * @since 0.1.0
 */
export const async: Async = startAsync(true)

/**
 * Starts a task under a supervisor, not linked to the caller, who is its owner. Mirrors `Task.Supervisor.async_nolink/3`.
 *
 * **When to use**
 *
 * Use it for work that may crash without harm, as in a handler of a GenServer, with the answer by message.
 *
 * **Details**
 *
 * A crash reaches the owner only as the `TaskError` of `Task.await` and its kin, or as the `Down` of a task that answers by
 * message. If the owner ends, the task runs on. Otherwise as {@link async}.
 *
 * @see {@link Service} for an example
 * @category starting
 * @since 0.1.0
 */
export const asyncNoLink: Async = startAsync(false)

/**
 * How to start a supervised task that nobody waits for.
 *
 * @category models
 * @since 0.1.0
 */
export interface StartOptions extends Task.StartOptions, ShutdownOptions {
  /** Whether it is started again when it ends: as that of any child. Default: `temporary`. */
  readonly restart?: ChildSpec.Restart | undefined
}

/**
 * Starts a task under a supervisor that nobody waits for, and gives its pid. Mirrors `Task.Supervisor.start_child/3`.
 *
 * **Details**
 *
 * There is nobody to answer to: a typed failure ends it as `Crashed`. It is not linked to the caller. With `restart` it may be
 * started again, which counts for the intensity of the supervisor. It fails as {@link async} does.
 *
 * @category starting
 * @since 0.1.0
 */
export const startChild: {
  <M, A, E, R>(
    ref: TaskSupervisor,
    body: Process.Body<M, A, E, R>,
    options?: StartOptions
  ): Effect.Effect<Pid<Exclude<M, Signal.Signal>>, Failure, Exclude<R, Process.Provided<M>>>
  <A, E, R>(
    ref: TaskSupervisor,
    effect: Effect.Effect<A, E, R> & Process.DeclaresSignals<never, R>,
    options?: StartOptions
  ): Effect.Effect<Pid<never>, Failure, Exclude<R, Current>>
} = ((ref: TaskSupervisor, work: Work, options: StartOptions = {}) =>
  made(Effect.withFiber((fiber) => {
    checkWork(work)
    const { label, restart, shutdown } = Input.options(["label", "restart", "shutdown"], options)
    const body: Body = typeof work === "function" ? work : () => work
    const start = { label, linked: true, callers: callersFrom(entryOf(fiber)) }
    return startUnder(ref, label, restart, shutdown, (origin) => startTask(origin, start, () => body))
  }))) as never

// A process is made within a turn of the supervisor, so that it is linked to that before it runs. Its start cannot fail.
const startUnder = (
  ref: TaskSupervisor,
  label: string | undefined,
  restart: ChildSpec.Restart | undefined,
  shutdown: ChildSpec.Shutdown | undefined,
  startNow: (supervisor: Origin) => Entry
): Effect.Effect<Pid<never, unknown>, Failure> => {
  const options = { id: label ?? "Task", restart: restart ?? "temporary", shutdown }
  const spec = ChildSpec.fromInstance<never, never, never>(options, () => ({
    context: Context.empty(),
    start: Effect.withFiber((fiber) => Effect.succeed(startNow(originOf(fiber)))),
    startNow
  }))
  return Effect.catchTag(DynamicSupervisor.startChild(ref, spec), "StartError", Effect.die)
}

const startSupervised = (
  ref: TaskSupervisor,
  shutdown: ChildSpec.Shutdown | undefined,
  fiber: Fiber.Fiber<unknown, unknown>,
  owner: Entry,
  options: SlotOptions,
  work: Work
): Effect.Effect<Slot, Failure> => {
  let slot!: Slot
  const callers = callersFrom(entryOf(fiber))
  const started = startUnder(ref, options.label, "temporary", shutdown, (supervisor) => {
    slot = startSlot(supervisor, owner, { ...options, linked: true, callers }, work)
    if (options.linked) link(owner, slot.target)
    return slot.target
  })
  return Effect.map(started, () => slot)
}

// ----------------------------------------------------------------------------
// streams
// ----------------------------------------------------------------------------

/**
 * How a stream of supervised tasks is worked on.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions<
  out OnTimeout extends "exit" | "killTask" = "exit" | "killTask",
  out Zip extends boolean = boolean
> extends Task.StreamOptions<OnTimeout, Zip>, ShutdownOptions {}

/** How a stream of supervised tasks is made. */
interface AsyncStream {
  <
    I,
    A,
    E,
    R,
    E2 = never,
    R2 = never,
    const OnTimeout extends "exit" | "killTask" = "exit",
    const Zip extends boolean = false
  >(
    ref: TaskSupervisor,
    items: Iterable<I> | Stream.Stream<I, E2, R2>,
    f: ((item: I) => Effect.Effect<A, E, R>) & Process.DeclaresSignals<never, R>,
    options?: StreamOptions<OnTimeout, Zip>
  ): Stream.Stream<
    Result.Result<A, E | Task.ItemExit<I, Zip>>,
    E2 | Failure | ("exit" extends OnTimeout ? Task.TaskError : never),
    Exclude<R, Current> | R2 | Current
  >
}

const makeStream = (toOwner: boolean): AsyncStream =>
  ((ref: TaskSupervisor, items: never, f: never, options: StreamOptions = {}) => {
    const { shutdown, ...rest } = options
    const start: StartItem = (fiber, owner, options, work) =>
      startSupervised(ref, shutdown, fiber, owner, options, work)
    const checked = () => {
      if (shutdown !== undefined) ChildSpec.checkShutdown(shutdown)
      return { ...Task.streamOptions(rest), linked: toOwner }
    }
    return taskStream(items, f, checked, start)
  }) as never

/**
 * A stream of what a function gives for each item, worked on by supervised tasks, linked to the process that runs it. Mirrors
 * `Task.Supervisor.async_stream/4`.
 *
 * **Details**
 *
 * As `Task.asyncStream`, with its options and `shutdown`. Where the supervisor has no room for a task the stream fails with
 * `MaxChildren`, where there is none with `CallError`; what still runs is killed, as at any end of the stream.
 *
 * @category streams
 * @since 0.1.0
 */
export const asyncStream: AsyncStream = makeStream(true)

/**
 * The same with tasks that are not linked to the process that runs it: one that crashes is an item. Mirrors
 * `Task.Supervisor.async_stream_nolink/4`.
 *
 * **Example**
 *
 * ```ts
 * import { Process, TaskSupervisor } from "@effect-otp/core"
 * import { Effect, Result, Stream } from "effect"
 *
 * const seen: Array<boolean> = []
 * const owner = () =>
 *   Effect.gen(function*() {
 *     const tasks = yield* TaskSupervisor.make().startScoped
 *     const work = (n: number) => n === 2 ? Effect.die(new Error("a bug")) : Effect.succeed(n)
 *     yield* TaskSupervisor.asyncStreamNoLink(tasks, [1, 2, 3], work).pipe(
 *       Stream.runForEach((item) => Effect.sync(() => seen.push(Result.isSuccess(item))))
 *     )
 *   })
 *
 * const program = Effect.flatMap(Process.spawn(() => Effect.scoped(owner())), Process.awaitExit)
 *
 * Effect.runPromise(Effect.as(program, seen)) // => [true, false, true]
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const asyncStreamNoLink: AsyncStream = makeStream(false)

// ----------------------------------------------------------------------------
// children
// ----------------------------------------------------------------------------

/**
 * The pids of the tasks that run, in no order. Mirrors `Task.Supervisor.children/1`.
 *
 * @category children
 * @since 0.1.0
 */
export const children = (ref: TaskSupervisor): Effect.Effect<ReadonlyArray<Pid<never, unknown>>, CallError> =>
  Effect.map(
    DynamicSupervisor.whichChildren(ref),
    (children) => children.flatMap(({ child }) => child === "restarting" ? [] : [child])
  )

/**
 * Stops a task, by its shutdown rules. Mirrors `Task.Supervisor.terminate_child/2`.
 *
 * **Details**
 *
 * If the supervisor has no task of this pid it fails with `ChildNotFound`. The owner of an `async` task is linked to it, and
 * ends, too, unless it traps exits.
 *
 * @category children
 * @since 0.1.0
 */
export const terminateChild: (
  ref: TaskSupervisor,
  pid: Pid<never, unknown>
) => Effect.Effect<void, ChildNotFound | CallError> = DynamicSupervisor.terminateChild
