/**
 * Starting a server: the process, its name, and the wait until `init` has ended.
 *
 * @internal
 */
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as ExitReason from "../ExitReason.ts"
import type * as Name from "../Name.ts"
import * as OtpError from "../OtpError.ts"
import type { Pid } from "../Pid.ts"
import type { Place } from "./address.ts"
import type { ChildInstance } from "./childInstance.ts"
import { type Current, tableOf, withEntry } from "./current.ts"
import * as FewSet from "./fewSet.ts"
import * as Input from "./input.ts"
import { later } from "./later.ts"
import { bound, demonitor, flush, flushExit, type Monitor, monitor, register, turnNow } from "./lifecycle.ts"
import { alive, ended, type Entry, type Origin, type Watcher } from "./processTable.ts"
import { nameOf, resolve } from "./resolve.ts"
import { serverBehaviour } from "./serverLoop.ts"
import { type Definition, ServerState, type Starter } from "./serverState.ts"
import { serverTimers } from "./serverTimeout.ts"
import * as Spawn from "./spawn.ts"
import type { Wait } from "./tap.ts"
import * as Telemetry from "./telemetry.ts"
import type { Timer } from "./timers.ts"
import { made } from "./where.ts"
import { abandon, released, withdraw } from "./withdraw.ts"

export interface StartOptions {
  readonly name?: Name.AnyName | undefined
  readonly label?: string | undefined
  readonly timeout?: Duration.Input | undefined
  readonly linked?: boolean | undefined
  /** Called when there is a process, before its first turn; what it gives is called if that does not start. */
  readonly watch?: ((entry: Entry) => () => void) | undefined
}

type Result = Effect.Effect<Entry, OtpError.StartError<unknown>>

/** Starts a server and waits until `init` has ended. */
export const start = (definition: Definition, args: ReadonlyArray<unknown>, options: StartOptions): Result =>
  made(Effect.withFiber((fiber) => {
    const after = timeoutOf(options)
    const name = options.name === undefined ? undefined : nameOf(options.name)
    // The name is taken before anything is started, and `init` can be found by it.
    const holder = name === undefined ? undefined : resolve(tableOf(fiber), name)
    if (holder !== undefined) return alreadyStarted(holder)
    // Within the wait: who has started a server and is interrupted before it waits would leave it behind.
    return Effect.callback((resume) =>
      begin(Spawn.originOf(fiber), definition, args, options, name, after).wait(resume)
    )
  }))

/** Starts a server that the calling process monitors from the start: of one that did not start it hears nothing more. */
export const startMonitor = (
  definition: Definition,
  args: ReadonlyArray<unknown>,
  options: StartOptions
): Effect.Effect<readonly [entry: Entry, ref: Monitor], OtpError.StartError<unknown>, Current> =>
  withEntry((self) => {
    let ref: Monitor | undefined
    const watch = (entry: Entry) => {
      const watching = ref = monitor(self, entry, entry)
      return () => {
        demonitor(watching)
        flush(watching)
      }
    }
    return Effect.map(start(definition, args, { ...options, watch }), (entry) => [entry, ref!] as const)
  })

/**
 * The same for a supervisor within its turn, and for a server without a name: gives the process if its `init` ended at
 * once, and else what waits for it.
 */
export const startNow = (
  origin: Origin,
  definition: Definition,
  args: ReadonlyArray<unknown>,
  options: StartOptions
): Entry | Result => {
  const starting = begin(origin, definition, args, options, undefined, timeoutOf(options))
  return starting.isStarted ? starting.entry : Effect.callback((resume) => starting.wait(resume))
}

/** A server as a child in its place. */
export const instance = (
  definition: Definition,
  args: ReadonlyArray<unknown>,
  options: StartOptions,
  context: Context.Context<never>,
  place?: Place
): ChildInstance => {
  const placed = (entry: Entry): Entry => {
    if (place !== undefined) place.pid = entry
    return entry
  }
  const begun = (started: Entry | Result) => Effect.isEffect(started) ? Effect.map(started, placed) : placed(started)
  return {
    context,
    start: Effect.map(start(definition, args, options), placed),
    startNow: options.name === undefined
      ? (supervisor) => begun(startNow(supervisor, definition, args, options))
      : undefined
  }
}

const timeoutOf = ({ timeout }: StartOptions): number =>
  timeout === undefined ? Infinity : Input.millis("timeout", timeout)

const begin = (
  origin: Origin,
  definition: Definition,
  args: ReadonlyArray<unknown>,
  options: StartOptions,
  name: Entry["name"],
  after: number
): Starting => {
  const parent = options.linked === true ? origin.process : undefined
  // Who monitors it from the start is its parent, too, though there is no link.
  const server = new ServerState(definition, options.watch === undefined ? parent : origin.process)
  const entry = Spawn.create(origin, serverBehaviour, server, options.label, parent !== undefined)
  server.telemetry = Telemetry.make(entry, definition.name)
  bound(entry, definition.mailbox)
  entry.isSupervisor = definition.isSupervisor === true
  const starting = new Starting(entry, server, args, parent, after, options.watch?.(entry))
  // In a Node that has closed it is ending already.
  const holder = name === undefined || entry.status !== alive ? undefined : claim(entry, parent, name)
  if (holder === undefined) starting.begin()
  else {
    starting.unwatch?.()
    starting.result = alreadyStarted(holder)
  }
  return starting
}

// A resolver may refuse a key that nobody seemed to hold, or throw: then nothing is started.
const claim = (entry: Entry, parent: Entry | undefined, name: Entry["name"] & {}) => {
  let refused = true
  try {
    const error = register(entry, name)
    refused = error !== undefined
    return error?.reason._tag === "NameTaken" ? error.reason.holder : undefined
  } finally {
    if (refused) {
      Spawn.schedule(entry)
      abandon(entry, parent)
    }
  }
}

const alreadyStarted = (pid: Pid<never, unknown>): Result => failed(new OtpError.AlreadyStarted({ pid }))

const failed = (reason: OtpError.StartFailure<unknown>): Result =>
  Effect.fail(new OtpError.StartError({ childPath: [], reason }))

/** A server that is being started, for whoever waits for it. */
class Starting implements Starter, Watcher, Timer {
  readonly entry: Entry
  readonly server: ServerState
  readonly args: ReadonlyArray<unknown>
  readonly parent: Entry | undefined
  readonly after: number
  readonly unwatch: (() => void) | undefined
  isStarted = false
  failure: Starter["failure"] = undefined
  /** Why it has not started, for who waits from now on. */
  result: Result | undefined = undefined
  resume: ((result: Result) => void) | undefined = undefined

  deadline = 0
  sequence = 0
  index = -1

  constructor(
    entry: Entry,
    server: ServerState,
    args: ReadonlyArray<unknown>,
    parent: Entry | undefined,
    after: number,
    unwatch: (() => void) | undefined
  ) {
    this.entry = entry
    this.server = server
    this.args = args
    this.parent = parent
    this.after = after
    this.unwatch = unwatch
  }

  begin(): void {
    const { entry } = this
    this.server.starter = this
    if (!turnNow(entry)) Spawn.schedule(entry)
    if (this.isStarted) return
    if (entry.status === ended) return this.ended(entry.reason!)
    entry.watchers = FewSet.add<Watcher>(entry.watchers, this)
    if (this.after !== Infinity) serverTimers(this.entry).start(this, this.after)
  }

  wait(resume: (result: Result) => void): Effect.Effect<void> | void {
    if (this.isStarted) return resume(Effect.succeed(this.entry))
    if (this.result !== undefined) return resume(this.result)
    this.resume = resume
    this.entry.table.tap?.({ _tag: "Waits", wait: this.wanted() })
    return Effect.suspend(() => {
      this.release()
      this.unwatch?.()
      return withdraw(this.entry, this.server, this.parent)
    })
  }

  wanted(): Wait<Entry> {
    const { entry } = this
    return { what: "the start", of: entry, isOver: () => !FewSet.has<Watcher>(entry.watchers, this) }
  }

  started(): void {
    this.isStarted = true
    this.release()
    this.settle(Effect.succeed(this.entry))
  }

  ended(reason: ExitReason.ExitReason): void {
    const { entry, parent } = this
    this.release()
    // A parent that traps exits has the answer of its start, and must not find the exit in its mailbox, too.
    if (parent !== undefined) flushExit(parent, entry)
    this.unwatch?.()
    const failure = failed(
      this.failure ?? (reason._tag === "Crashed"
        ? new OtpError.InitCrashed({ cause: reason.cause })
        : new OtpError.Stopped({ reason }))
    )
    // Its finalizers may still run if it was killed: who has not started it need not look out for them.
    this.settle(
      Effect.suspend(() => entry.closed ? failure : Effect.andThen(Effect.uninterruptible(released(entry)), failure))
    )
  }

  /** The time of `init` is over. */
  fire(): void {
    this.failure = new OtpError.StartTimeout({ after: this.after })
    abandon(this.entry, this.parent)
  }

  settle(result: Result): void {
    const { resume } = this
    if (resume === undefined) this.result = result
    else later(this.entry.runQueue, () => resume(result))
  }

  release(): void {
    this.entry.watchers = FewSet.remove<Watcher>(this.entry.watchers, this)
    if (this.index >= 0) serverTimers(this.entry).cancel(this)
  }
}
