/**
 * Processes: code with an identity and a mailbox, which fails alone.
 *
 * A process is spawned from a body. It has a pid, takes messages from its own mailbox and keeps its state to itself. Processes
 * that belong together are linked, those that only want to know are monitors. In Effect much of this is a fiber and a
 * `Queue`; reach for a process when somebody must be able to address it, watch it, or end it from outside. For a loop that
 * answers requests, `GenServer` is the process to take.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Filter from "effect/Filter"
import * as Option from "effect/Option"
import type * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type * as Types from "effect/Types"
import * as ExitReason from "./ExitReason.ts"
import type { Policy } from "./internal/admission.ts"
import type { Destination } from "./internal/alias.ts"
import { limitsOf } from "./internal/bounds.ts"
import { Current, entryOf, type Receives, tableOf, withEntry } from "./internal/current.ts"
import * as FewSet from "./internal/fewSet.ts"
import * as Input from "./internal/input.ts"
import * as lifecycle from "./internal/lifecycle.ts"
import { alive, ancestorsOf, ended, type Entry } from "./internal/processTable.ts"
import { entryOfPid, nameOf, resolve, show } from "./internal/resolve.ts"
import type { Body as AnyBody } from "./internal/self.ts"
import * as Sending from "./internal/sending.ts"
import * as Signal from "./internal/signal.ts"
import * as Spawn from "./internal/spawn.ts"
import { StartedFor, StartExit } from "./internal/startExit.ts"
import { callersOf } from "./internal/taskProcess.ts"
import { awaitEnded, endWithin } from "./internal/wait.ts"
import { made } from "./internal/where.ts"
import { type AnyName, type AnyTarget, isVia, type Registrable } from "./Name.ts"
import * as OtpError from "./OtpError.ts"
import type { Pid } from "./Pid.ts"

export { type Alias, alias, type Destination, unalias } from "./Alias.ts"
export { Current, type Receives } from "./internal/current.ts"
export type { CancelTimer, Down, Exit, MonitorRef, TimerRef } from "./internal/signal.ts"
export { link, trapExit, unlink } from "./Link.ts"
export { demonitor, monitor } from "./Monitor.ts"
export type { MailboxFull } from "./OtpError.ts"
export type { Pid } from "./Pid.ts"
export { cancelTimer, isCancelTimer, monotonicTime, readTimer, sendAfter, sendInterval } from "./Timer.ts"

/**
 * Tells whether a message is a `Down`, whatever its tag. No user message passes for one.
 *
 * @category guards
 * @since 0.1.0
 */
export const isDown: <T>(u: T) => u is Signal.DownIn<T> = Signal.isDown

/**
 * Tells whether a message is an `Exit`. No user message passes for one.
 *
 * @category guards
 * @since 0.1.0
 */
export const isExit: (u: unknown) => u is Signal.Exit = Signal.isExit

// ----------------------------------------------------------------------------
// bodies
// ----------------------------------------------------------------------------

/**
 * What a body knows of itself. The annotation of the body's parameter fixes what its mailbox may hold.
 *
 * **Details**
 *
 * `receive` waits for the next message. `receiveMatch` takes the oldest message that matches and leaves the rest in order;
 * `pick` is a predicate, a refinement or an Effect `Filter`. With `after` it fails with `ReceiveTimeout` when that time has
 * passed; `0` looks once at what is there. Only the main fiber of the process may receive: a time limit is `after`, not
 * `Effect.timeout`.
 *
 * A body that wants signals as messages declares them: `Process.Self<Ping | Process.Down>`.
 *
 * `E` is what sending to `pid` can fail with. A body whose mailbox has the policy `fail`, and which hands its own pid to
 * others, declares that, too: `Process.Self<Ping, Process.MailboxFull>`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Self<in out M, out E = never> {
  readonly pid: Pid<Exclude<M, Signal.Signal>, E>
  readonly receive: Effect.Effect<M>
  readonly receiveMatch: ReceiveMatch<M>
}

/**
 * The selective receive of a body.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReceiveMatch<M> {
  <N extends M, const After extends Duration.Input | undefined = undefined>(
    pick: Predicate.Refinement<M, N>,
    options?: { readonly after?: After }
  ): Effect.Effect<N, ReceiveError<After>>
  <Pass, const After extends Duration.Input | undefined = undefined>(
    pick: Filter.Filter<M, Pass, unknown>,
    options?: { readonly after?: After }
  ): Effect.Effect<Pass, ReceiveError<After>>
  <const After extends Duration.Input | undefined = undefined>(
    pick: Predicate.Predicate<M>,
    options?: { readonly after?: After }
  ): Effect.Effect<M, ReceiveError<After>>
}

/**
 * Only a receive that was given `after` can time out.
 *
 * @category utility types
 * @since 0.1.0
 */
export type ReceiveError<After> = [After] extends [undefined] ? never : OtpError.ReceiveTimeout

/**
 * The `Receives` that a mailbox of `M` provides.
 *
 * @category utility types
 * @since 0.1.0
 */
export type ReceivesOf<M> = M extends Signal.Down<infer Tag> ? Receives<Signal.Down<Tag>>
  : M extends Signal.Exit ? Receives<Signal.Exit>
  : M extends Signal.CancelTimer ? Receives<Signal.CancelTimer>
  : M extends Signal.Reply<infer A, infer E> ? Receives<Signal.Reply<A, E>>
  : never

/**
 * What a process with mailbox `M` provides to its own code.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Provided<M> = Current | ReceivesOf<M>

/**
 * `unknown` if a mailbox of `M` declares every signal that `R` needs, else the complaint that the compiler prints.
 *
 * @category utility types
 * @since 0.1.0
 */
export type DeclaresSignals<M, R, S extends Signal.Signal = SignalsOf<Exclude<R, ReceivesOf<M>>>> = [S] extends [never]
  ? unknown
  : UndeclaredSignal<SignalName<S>>

type SignalsOf<R> = R extends Receives<infer S> ? S : never

type SignalName<S> = S extends Signal.Down<infer Tag> ? `Process.${Tag extends "Down" ? Tag : `Down<"${Tag}">`}`
  : S extends Signal.Reply<unknown, unknown> ? "Task.Reply<…>"
  : S extends Signal.CancelTimer ? "Process.CancelTimer"
  : "Process.Exit"

type UndeclaredSignal<S extends string> = `declare ${S} in this process's own Process.Self<…>`

/**
 * The code of a process. A generic wrapper around `spawn` takes this type, so that the check of signals passes through.
 *
 * @category models
 * @since 0.1.0
 */
export type Body<M, A, E, R> = ((self: Self<M>) => Effect.Effect<A, E, R>) & DeclaresSignals<M, R>

/**
 * What happens to a message for which there is no room: its sender waits (`suspend`), its sender fails with `MailboxFull`
 * (`fail`), or a message is dropped and counted, this one (`dropNewest`) or the one that has waited longest (`dropOldest`).
 *
 * @see {@link Mailbox}
 * @category models
 * @since 0.1.0
 */
export type MailboxPolicy = Policy

/**
 * The bound of a mailbox. Without one a mailbox takes whatever is sent, as in OTP.
 *
 * **When to use**
 *
 * Use it where senders may be faster than the receiver for long. `suspend` slows them down and loses nothing; `fail` lets
 * them decide; `dropOldest` is for what the next message makes worthless, such as a measurement; `dropNewest` protects what
 * has been accepted.
 *
 * **Details**
 *
 * `capacity` counts the messages of users that are queued; for a server also casts, and calls until their handler begins.
 * Signals, timeouts and requests to stop are always admitted, in their order.
 *
 * Under `suspend` senders are let in first come, first served. One that is interrupted sends nothing. When the receiver
 * ends, however it ends, all of them go on: a send gives nothing, as to any process that has ended, and a call fails with
 * `NoProcess`. A process that would have to wait for itself has a defect instead. A timer cannot wait or fail: what it
 * sends is dropped and counted when there is no room.
 *
 * A capacity that is no whole number of one or more, and a policy that is not one of the four, are defects.
 *
 * **Example**
 *
 * ```ts
 * import { Process } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const busy = yield* Process.spawn(
 *     (self: Process.Self<string>) => Effect.andThen(Effect.sleep("1 minute"), self.receive),
 *     { mailbox: { capacity: 1, policy: "fail" } }
 *   )
 *   yield* Process.send(busy, "first")
 *   return yield* Process.send(busy, "second").pipe(
 *     Effect.catchTag("MailboxFull", (error) => Effect.succeed(error.capacity))
 *   )
 * })
 *
 * Effect.runPromise(program) // => 1
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Mailbox<out P extends MailboxPolicy = MailboxPolicy> {
  /** How many messages of users may be queued. */
  readonly capacity: number
  /** Default: `suspend`. */
  readonly policy?: P | undefined
}

/**
 * What a send to a mailbox with the policy `P` can fail with.
 *
 * @category utility types
 * @since 0.1.0
 */
export type SendError<P extends MailboxPolicy> = "fail" extends P ? OtpError.MailboxFull : never

/**
 * How to spawn.
 *
 * @category models
 * @since 0.1.0
 */
export interface SpawnOptions<out P extends MailboxPolicy = MailboxPolicy> {
  /** What a person calls it, in reports and in `Process.info`. It need not be unique. */
  readonly label?: string | undefined
  /** Default: a mailbox without a bound. */
  readonly mailbox?: Mailbox<P> | undefined
}

// ----------------------------------------------------------------------------
// spawning
// ----------------------------------------------------------------------------

const spawnEntry = (body: unknown, options: SpawnOptions | undefined, linked: boolean): Effect.Effect<Entry> =>
  options?.mailbox === undefined
    ? made(Spawn.spawn(body as AnyBody, options?.label, linked, undefined))
    : made(Effect.suspend(() => Spawn.spawn(body as AnyBody, options.label, linked, limitsOf(options.mailbox))))

/**
 * Spawns a process and gives its pid at once; the body starts later.
 *
 * **When to use**
 *
 * Use it for something that others address or watch. For work whose result you wait for, a fiber is simpler; for something
 * that must come back when it fails, put it under a supervisor.
 *
 * **Details**
 *
 * Mirrors Erlang's `spawn/1`. The process is no child of the caller: it goes on when the caller ends. It inherits the
 * caller's context. It can always be interrupted from outside, also when it was spawned where nothing can be.
 *
 * It ends `Normal` when the body succeeds, `Crashed` with the whole Cause when the body fails or dies, and `Shutdown` when
 * its fiber is interrupted. Fibers that the body forks belong to the process and end with it.
 *
 * **Example**
 *
 * ```ts
 * import { Process } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const greeter = yield* Process.spawn((self: Process.Self<string>) =>
 *     Effect.flatMap(self.receive, (name) => Effect.log(`hello ${name}`))
 *   )
 *   yield* Process.send(greeter, "world")
 *   return yield* Process.awaitExit(greeter)
 * })
 *
 * Effect.runPromise(program).then((reason) => reason._tag) // => "Normal"
 * ```
 *
 * @see {@link spawnLink} and {@link spawnMonitor} to share or to learn of its end
 * @category spawning
 * @since 0.1.0
 */
export const spawn = <M = never, A = never, E = never, R = never, const P extends MailboxPolicy = "suspend">(
  body: Body<M, A, E, R>,
  options?: SpawnOptions<P>
): Effect.Effect<Pid<Exclude<M, Signal.Signal>, SendError<P>>, never, Exclude<R, Provided<M>>> =>
  spawnEntry(body, options, false)

/**
 * Spawns a process that ends with the Scope: it is told to shut down, killed if it has not ended after 5 seconds, and the
 * Scope waits for it.
 *
 * @see {@link spawn}
 * @category spawning
 * @since 0.1.0
 */
export const spawnScoped = <M = never, A = never, E = never, R = never, const P extends MailboxPolicy = "suspend">(
  body: Body<M, A, E, R>,
  options?: SpawnOptions<P>
): Effect.Effect<Pid<Exclude<M, Signal.Signal>, SendError<P>>, never, Exclude<R, Provided<M>> | Scope.Scope> =>
  Effect.acquireRelease(spawnEntry(body, options, false), (entry) => endWithin(entry, 5000))

/**
 * Spawns a process that is linked to the caller, in one step: however soon it ends, the caller learns its real reason.
 *
 * **Details**
 *
 * Mirrors Erlang's `spawn_link/1`. When either ends abnormally the other ends with the same reason, unless it traps exits.
 *
 * @see {@link spawn}
 * @category spawning
 * @since 0.1.0
 */
export const spawnLink = <M = never, A = never, E = never, R = never, const P extends MailboxPolicy = "suspend">(
  body: Body<M, A, E, R>,
  options?: SpawnOptions<P>
): Effect.Effect<Pid<Exclude<M, Signal.Signal>, SendError<P>>, never, Exclude<R, Provided<M>> | Current> =>
  spawnEntry(body, options, true)

/**
 * Spawns a process and monitors it, in one step. Mirrors Erlang's `spawn_monitor/1`.
 *
 * @see {@link spawn}
 * @category spawning
 * @since 0.1.0
 */
export const spawnMonitor = <M = never, A = never, E = never, R = never, const P extends MailboxPolicy = "suspend">(
  body: Body<M, A, E, R>,
  options?: SpawnOptions<P>
): Effect.Effect<
  readonly [pid: Pid<Exclude<M, Signal.Signal>, SendError<P>>, ref: Signal.MonitorRef],
  never,
  Exclude<R, Provided<M>> | Current | Receives<Signal.Down>
> =>
  made(withEntry((self, fiber) => {
    // In one step: between two of them the scheduler may let the child run, and end.
    const entry = Spawn.startBody(
      Spawn.originOf(fiber),
      body as AnyBody,
      options?.label,
      false,
      limitsOf(options?.mailbox)
    )
    return Effect.succeed([entry, lifecycle.monitor(self, entry, entry)] as const)
  }))

/**
 * The pid of the process that the effect runs in. Mirrors Erlang's `self/0`.
 *
 * @category accessors
 * @since 0.1.0
 */
export const self: Effect.Effect<Pid<never>, never, Current> = Current

/**
 * Says what a person calls the calling process, in reports and in {@link info}, from now on.
 *
 * **When to use**
 *
 * Use it where the label is known only when the process runs: the order it works on, the user it serves. A label that is
 * known before goes with `spawn`. To be found by others a process needs a name, see {@link register}.
 *
 * **Details**
 *
 * Mirrors `proc_lib:set_label/1`. It need not be unique. An empty label is a defect.
 *
 * @category accessors
 * @since 0.1.0
 */
export const setLabel = (label: string): Effect.Effect<void, never, Current> =>
  withEntry((self) => Effect.sync(() => lifecycle.setLabel(self, Input.nonEmpty("label", label))))

// ----------------------------------------------------------------------------
// sending
// ----------------------------------------------------------------------------

/**
 * Puts a message into the mailbox of a process. Mirrors Erlang's `!`.
 *
 * **Details**
 *
 * It never waits, unless the mailbox has a bound: then {@link MailboxPolicy} says what becomes of a message for which there
 * is no room. To a process that has ended, or an alias that is inactive, nothing happens; a name that nobody holds is a
 * defect which says so.
 * Messages from one process to another arrive in the order they were sent. The message itself is shared, not copied:
 * treat it as immutable.
 *
 * A pid whose mailbox has the policy `fail` says so in its type, and so does a `Name` that declares it. A plain string knows
 * neither the messages of its holder nor that.
 *
 * @see {@link sendAfter} to send later
 * @category sending
 * @since 0.1.0
 */
export const send: <M = unknown, E = never>(
  target: Destination<M, E>,
  message: Types.NoInfer<M>
) => Effect.Effect<void, E> = Sending.send as never

/**
 * Ends the calling process, or sends an exit signal to another one.
 *
 * **Details**
 *
 * With one argument it mirrors `exit/1`: the process ends with this reason. Finalizers run, and no `catch` sees it.
 *
 * With two it mirrors `exit/2`, and gives nothing back: `Normal` is ignored unless it is trapped, or sent to oneself;
 * `ExitReason.kill` cannot be trapped, and others see it as `Killed`; any other reason ends a process that does not trap
 * exits and travels along its links. A process that does trap gets a `Process.Exit` message. To a process that has ended
 * nothing happens.
 *
 * @category exits
 * @since 0.1.0
 */
export const exit: {
  (reason: ExitReason.ExitReason): Effect.Effect<never, never, Current>
  (target: AnyTarget, reason: ExitReason.ExitReason): Effect.Effect<void>
} = ((...args: [ExitReason.ExitReason] | [AnyTarget, ExitReason.ExitReason]) =>
  Effect.withFiber((fiber) => {
    const current = entryOf(fiber)
    if (args.length === 1) return exitSelf(current!, fiber, Input.exitReason("reason", args[0]))
    const entry = resolve(tableOf(fiber), args[0])
    const reason = Input.exitReason("reason", args[1])
    if (entry === undefined) {
      return Effect.die(new Error(`cannot exit ${show(args[0])}: no process is registered under this name`))
    }
    lifecycle.sendExit(entry, current ?? entry.table.outside, reason, "exit")
    // A signal to oneself acts before the next instruction, not when the scheduler comes round to it.
    return entry === current && entry.status !== alive ? interruptSelf(fiber) : Effect.void
  })) as never

const exitSelf = (entry: Entry, fiber: Fiber.Fiber<unknown, unknown>, reason: ExitReason.ExitReason) => {
  if (fiber.getRef(StartedFor) === entry) return Effect.die(new StartExit(reason))
  if (entry.status === alive) entry.behaviour.exitSelf?.(entry)
  lifecycle.beginEnding(entry, reason)
  return interruptSelf(fiber)
}

const interruptSelf = (fiber: Fiber.Fiber<unknown, unknown>): Effect.Effect<never> => {
  fiber.interruptUnsafe()
  // Interruptible, or a finalizer that exits would wait for ever.
  return Effect.interruptible(Effect.never)
}

// ----------------------------------------------------------------------------
// looking
// ----------------------------------------------------------------------------

/**
 * Tells whether a process is there and takes messages. A name that nobody holds is not alive.
 *
 * **Details**
 *
 * Mirrors `is_process_alive/1`: it sees the effect of every signal that the caller sent before. A process whose finalizers
 * are running is not alive any more.
 *
 * @category accessors
 * @since 0.1.0
 */
export const isAlive = (target: AnyTarget): Effect.Effect<boolean> =>
  Effect.withFiber((fiber) => Effect.succeed(resolve(tableOf(fiber), target)?.status === alive))

/**
 * Waits until a process has ended and gives its reason: at once if it has, `NoProcess` if nobody holds the name.
 *
 * **When to use**
 *
 * Use it outside of processes, and in tests. A process that has to go on receiving monitors instead.
 *
 * **Details**
 *
 * When it answers, the name of the process is free and its links and monitors have been told.
 *
 * @see {@link monitor}
 * @category accessors
 * @since 0.1.0
 */
export const awaitExit = (target: AnyTarget): Effect.Effect<ExitReason.ExitReason> =>
  made(Effect.withFiber((fiber) => {
    const entry = resolve(tableOf(fiber), target)
    return entry === undefined ? Effect.succeed(ExitReason.noProcess) : awaitEnded(entry)
  }))

/**
 * The pids of all processes of the Node, oldest first. Mirrors `processes/0`.
 *
 * @category accessors
 * @since 0.1.0
 */
export const list: Effect.Effect<ReadonlyArray<Pid<never, unknown>>> = Effect.withFiber((fiber) => {
  const pids: Array<Pid<never, unknown>> = []
  for (let entry = tableOf(fiber).first; entry !== undefined; entry = entry.next) pids.push(entry)
  return Effect.succeed(pids)
})

/**
 * What is known of a bounded mailbox.
 *
 * @category models
 * @since 0.1.0
 */
export interface MailboxInfo {
  readonly capacity: number
  readonly policy: MailboxPolicy
  /** How many messages of users are queued: what `capacity` counts. */
  readonly queued: number
  /** How many senders wait for room. */
  readonly suspended: number
  /** How many messages have been dropped for want of room. */
  readonly dropped: number
}

/**
 * What is known of a process from outside.
 *
 * @category models
 * @since 0.1.0
 */
export interface Info {
  readonly pid: Pid<never, unknown>
  readonly name: string | undefined
  readonly label: string | undefined
  /** As what it was started: the name of its server. A process with a body has none. */
  readonly initialCall: string | undefined
  readonly status: "waiting" | "running" | "ending"
  readonly mailboxLength: number
  /** The bound of its mailbox, if that has one and the process is alive. */
  readonly mailbox: MailboxInfo | undefined
  readonly links: ReadonlyArray<Pid<never, unknown>>
  /** What it monitors. */
  readonly monitors: ReadonlyArray<Pid<never, unknown>>
  /** Who monitors it. */
  readonly monitoredBy: ReadonlyArray<Pid<never, unknown>>
  readonly trapExit: boolean
  /** Who started it, nearest first, as they print. */
  readonly ancestors: ReadonlyArray<string>
  /** Of a task, who asked for it, nearest first, as they print: its owner, and if that is a task, the owner of that. */
  readonly callers: ReadonlyArray<string>
}

/**
 * What is known of a process, or nothing if it has ended. Mirrors `process_info/1`.
 *
 * @category accessors
 * @since 0.1.0
 */
export const info = (target: AnyTarget): Effect.Effect<Option.Option<Info>> =>
  Effect.withFiber((fiber) => {
    const entry = resolve(tableOf(fiber), target)
    if (entry === undefined || entry.status === ended) return Effect.succeedNone
    return Effect.succeedSome({
      pid: entry,
      name: entry.name?.toString(),
      label: entry.label,
      initialCall: entry.behaviour.initialCall?.(entry),
      status: entry.status !== alive ? "ending" : entry.waiting ? "waiting" : "running",
      mailboxLength: entry.length,
      mailbox: mailboxInfo(entry),
      links: FewSet.toArray(entry.links),
      monitors: FewSet.toArray(entry.monitors).map((watching) => watching.target),
      monitoredBy: FewSet.toArray(entry.watchers).flatMap((watcher) =>
        watcher instanceof lifecycle.Monitor ? watcher.watcher : []
      ),
      trapExit: entry.trapsExit,
      ancestors: ancestorsOf(entry),
      callers: callersOf(entry)
    })
  })

const mailboxInfo = ({ bounds }: Entry): MailboxInfo | undefined => {
  if (bounds === undefined) return undefined
  const { capacity, dropped, policy, queued, suspended } = bounds
  return { capacity, policy, queued, suspended, dropped }
}

// ----------------------------------------------------------------------------
// names
// ----------------------------------------------------------------------------

/**
 * Gives a process a name. Mirrors `register/2`.
 *
 * **Details**
 *
 * A process has at most one name, and a name one holder. The name is free again when the process ends, before anybody is
 * told of its end. Fails with `RegistrationError` when the name is taken, when the process has a name, and when it has
 * ended. An empty name is a defect, and so is a process of another Node, unless the name is a via.
 *
 * @see {@link whereis}
 * @category names
 * @since 0.1.0
 */
export const register = <M = never, E = unknown>(
  name: Registrable<M, E>,
  pid: Pid<Types.NoInfer<M>, Types.NoInfer<E>>
): Effect.Effect<void, OtpError.RegistrationError> =>
  made(Effect.withFiber((fiber) => {
    const entry = entryOfPid(pid)
    const table = tableOf(fiber)
    // The names of a Node are those of its own processes; where a via keeps its keys is the resolver's affair.
    if (entry.table !== table && !isVia(name)) {
      throw new TypeError(
        `pid: expected a process of the Node "${table.name}", got ${entry} of the Node "${entry.table.name}"`
      )
    }
    const error = lifecycle.register(entry, nameOf(name))
    return error === undefined ? Effect.void : Effect.fail(error)
  }))

/**
 * Takes a name from its holder, whoever asks. Mirrors `unregister/1`. Fails when nobody holds it.
 *
 * @see {@link register}
 * @category names
 * @since 0.1.0
 */
export const unregister = (name: AnyName): Effect.Effect<void, OtpError.RegistrationError> =>
  Effect.withFiber((fiber) => {
    const entry = resolve(tableOf(fiber), name)
    if (entry === undefined) {
      return Effect.fail(new OtpError.RegistrationError({ name: show(name), reason: { _tag: "NotRegistered" } }))
    }
    if (isVia(name)) lifecycle.unregisterVia(entry, name)
    else lifecycle.unregister(entry)
    return Effect.void
  })

/**
 * The process that holds a name. Mirrors `whereis/1`.
 *
 * @see {@link register}
 * @category names
 * @since 0.1.0
 */
export const whereis = <M = unknown, E = never>(name: Registrable<M, E>): Effect.Effect<Option.Option<Pid<M, E>>> =>
  Effect.withFiber((fiber) =>
    Effect.succeed(Option.fromUndefinedOr(resolve(tableOf(fiber), name) as Pid<M, E> | undefined))
  )

/**
 * The names that are held in the Node. Mirrors `registered/0`.
 *
 * @category names
 * @since 0.1.0
 */
export const registered: Effect.Effect<ReadonlyArray<string>> = Effect.withFiber((fiber) =>
  Effect.succeed(Array.from(tableOf(fiber).names.keys()))
)
