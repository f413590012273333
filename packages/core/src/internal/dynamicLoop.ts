/**
 * A dynamic supervisor: a server that starts children when it is asked to. They are in no order and have no ids: it knows
 * each by its pid, and one that is being restarted by the pid that it had.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { Any as AnySpec, Backoff } from "../ChildSpec.ts"
import * as ExitReason from "../ExitReason.ts"
import * as OtpError from "../OtpError.ts"
import type { Pid } from "../Pid.ts"
import * as Step from "../Step.ts"
import type { ChildInstance } from "./childInstance.ts"
import {
  awaitLeaving,
  Child,
  letGo,
  onKill,
  shownChild,
  startChild,
  type StartFailure,
  stopChild,
  turnEvery
} from "./childRuntime.ts"
import { Current, timersOf } from "./current.ts"
import { ended, type Entry, type Origin } from "./processTable.ts"
import type { Operation } from "./request.ts"
import * as RestartDecision from "./restartDecision.ts"
import {
  type Next,
  onRestart,
  onTryRestart,
  type Restarting,
  startedAgain,
  tryAgain,
  TryRestart
} from "./restarting.ts"
import * as RestartIntensity from "./restartIntensity.ts"
import { type Definition, InitImpl } from "./serverState.ts"
import { type Exit, isExit } from "./signal.ts"
import { originOf } from "./spawn.ts"
import { reportEnded, reportStranger } from "./supervisorReport.ts"
import type { Timers } from "./timers.ts"

/** What a dynamic supervisor was told to keep to. */
export interface Settings {
  readonly intensity: RestartIntensity.Intensity
  readonly maxChildren: number
  readonly backoff: Backoff | undefined
  readonly extraArguments: ReadonlyArray<unknown>
}

class DynamicChild extends Child {
  /** The pid that it had, as long as it is being restarted: it is still known by that. */
  was: Entry | undefined = undefined
}

/** The services of whoever asks for a child, as the supervisor passes them on. */
interface Passed {
  readonly from: Context.Context<never>
  readonly services: Context.Context<never>
  readonly origin: Origin
}

class DynamicState implements Restarting {
  readonly self: Entry
  readonly origin: Origin
  readonly tree: Settings
  readonly timers: Timers
  /** Those that run, and those that are being restarted. */
  readonly byPid = new Map<Entry, DynamicChild>()
  readonly leaving = new Set<Child>()
  readonly history = RestartIntensity.make()
  passed: Passed | undefined = undefined

  constructor(fiber: Fiber.Fiber<unknown, unknown>, tree: Settings) {
    this.origin = originOf(fiber)
    this.self = this.origin.process!
    this.tree = tree
    this.timers = timersOf(fiber)
  }
}

const init = (settings: Settings | Effect.Effect<Settings | InitImpl>) =>
  Effect.withFiber((fiber) => {
    const begin = (settings: Settings | InitImpl): Effect.Effect<DynamicState | InitImpl, never, Scope.Scope> => {
      if (settings instanceof InitImpl) return Effect.succeed(settings)
      const state = new DynamicState(fiber, settings)
      return Effect.as(onKill(state, () => state.byPid.values()), state)
    }
    return Effect.isEffect(settings) ? Effect.flatMap(settings, begin) : begin(settings)
  })

// All are told before one is waited for, and the time of each begins when it is told.
const stopAll = Effect.fnUntraced(function*(state: DynamicState) {
  const waiting: Array<Fiber.Fiber<void>> = []
  let done = 0
  for (const child of state.byPid.values()) {
    const stopping = stopChild(state, child)
    if (stopping !== undefined) waiting.push(yield* Effect.forkChild(stopping, { startImmediately: true }))
    if (++done % turnEvery === 0) yield* Effect.yieldNow
  }
  if (state.leaving.size > 0) yield* awaitLeaving(state)
  yield* Fiber.joinAll(waiting)
})

// ----------------------------------------------------------------------------
// exits and restarts
// ----------------------------------------------------------------------------

const onExit = (state: DynamicState, { pid, reason }: Exit) => {
  const child = state.byPid.get(pid as Entry)
  // The second exit of a child that is being restarted, or a signal of one that lives on, is no end.
  if (child === undefined || child.pid?.status !== ended) return Step.noReply(state)
  child.was = child.last = child.pid
  child.pid = undefined
  child.reason = reason
  if (RestartDecision.decide(child.spec.restart, reason) === "restart") return onRestart(state, child, restart)
  if (ExitReason.isAbnormal(reason)) reportEnded(state.self, child)
  // Nobody could start it again, so that there is no use in a spec without a process.
  state.byPid.delete(pid as Entry)
  letGo(state, child)
  return Step.noReply(state)
}

const restart = (
  state: DynamicState,
  child: DynamicChild
): Next<DynamicState> | Effect.Effect<Next<DynamicState>> => {
  child.restarting = undefined
  const starting = startChild(state, child)
  const restarted = (error: StartFailure): Next<DynamicState> => {
    if (startedAgain(state, child, error)) {
      // Also one that chose not to start: it is gone then.
      state.byPid.delete(child.was!)
      child.was = undefined
    } else tryAgain(state, child, 0, true)
    return Step.noReply(state)
  }
  return Effect.isEffect(starting) ? Effect.map(starting, restarted) : restarted(starting)
}

// ----------------------------------------------------------------------------
// requests
// ----------------------------------------------------------------------------

/** A spec that was checked, and its child in its place. */
export interface Asked {
  readonly spec: AnySpec
  readonly instance: ChildInstance
}

/** What `startChild` asks for: the requirements of the spec come with it, from whoever asks. */
export interface StartRequest {
  readonly asked: Asked | ((extraArguments: ReadonlyArray<unknown>) => Asked)
  readonly context: Context.Context<never>
}

const onStartChild = (state: DynamicState, { asked, context }: StartRequest) => {
  const { extraArguments, maxChildren } = state.tree
  if (state.byPid.size >= maxChildren) return Step.fail(OtpError.maxChildren(maxChildren), state)
  if (typeof asked !== "function") return begin(state, asked, context)
  try {
    return begin(state, asked(extraArguments), context)
  } catch (defect) {
    return Step.fail(notStarted(new OtpError.InitCrashed({ cause: Cause.die(defect) })), state)
  }
}

const begin = (state: DynamicState, { instance, spec }: Asked, context: Context.Context<never>) => {
  const child = new DynamicChild(spec, passOn(state, instance, context))
  const starting = startChild(state, child)
  const started = (error: StartFailure) => {
    if (error !== undefined) return Step.fail(plain(error), state)
    return child.pid === undefined ? Step.fail(notStarted(new OtpError.Ignored()), state) : Step.reply(child.pid, state)
  }
  return Effect.isEffect(starting) ? Effect.map(starting, started) : started(starting)
}

// Whoever asks has given no place to the child, and is told what its start alone would have told.
const plain = ({ childPath, reason }: OtpError.StartError<unknown>) =>
  new OtpError.StartError({ childPath: childPath.slice(1), reason })

const notStarted = (reason: OtpError.StartFailure<unknown>) => new OtpError.StartError({ childPath: [], reason })

// The caller's services, but the supervisor's process: it is the supervisor that starts. Whoever starts many children has
// the same ones each time.
const passOn = (state: DynamicState, instance: ChildInstance, from: Context.Context<never>): ChildInstance => {
  if (state.passed?.from !== from) {
    const services = Context.add(from, Current, state.self)
    const context = Context.merge(state.origin.context, services)
    state.passed = { from, services, origin: state.origin.withContext(context) }
  }
  const { origin, services } = state.passed!
  const { start, startNow } = instance
  return {
    context: instance.context,
    start: Effect.provideContext(start, services),
    startNow: startNow && (() => startNow(origin))
  }
}

const onTerminateChild = (state: DynamicState, pid: Entry) => {
  const child = state.byPid.get(pid)
  if (child === undefined) return Step.fail(new OtpError.ChildNotFound({ id: pid.toString() }), state)
  const stopping = stopChild(state, child)
  state.byPid.delete(pid)
  const step = Step.reply(undefined, state)
  return stopping === undefined ? step : Effect.as(stopping, step)
}

const onWhichChildren = (state: DynamicState) =>
  Step.reply(Array.from(state.byPid.values(), (child) => ({ type: child.spec.type, child: shownChild(child)! })), state)

const onCountChildren = (state: DynamicState) => {
  let active = 0
  let supervisors = 0
  for (const { pid, spec } of state.byPid.values()) {
    if (pid !== undefined) active++
    if (spec.type === "supervisor") supervisors++
  }
  const specs = state.byPid.size
  return Step.reply({ specs, active, supervisors, workers: specs - supervisors }, state)
}

/**
 * What a dynamic supervisor shows of its state, in `Sys.getState` and in reports.
 *
 * @category models
 * @since 0.1.0
 */
export interface Snapshot {
  readonly intensity: { readonly maxRestarts: number; readonly within: Duration.Duration }
  readonly maxChildren: number
  readonly children: ReadonlyArray<{
    readonly id: string
    readonly type: "worker" | "supervisor"
    readonly restart: AnySpec["restart"]
    readonly child: Pid<never, unknown> | "restarting"
    /** How often it was started again. */
    readonly restarts: number
  }>
}

const snapshot = ({ byPid, tree }: DynamicState): Snapshot => ({
  intensity: { maxRestarts: tree.intensity.maxRestarts, within: Duration.millis(tree.intensity.withinMillis) },
  maxChildren: tree.maxChildren,
  children: Array.from(byPid.values(), (child) => ({
    id: child.spec.id,
    type: child.spec.type,
    restart: child.spec.restart,
    child: shownChild(child) ?? "restarting",
    restarts: child.restarts
  }))
})

// ----------------------------------------------------------------------------
// the definition
// ----------------------------------------------------------------------------

export const protocol = { key: "DynamicSupervisor" }

// A supervisor may be busy stopping a child for as long as that child is allowed: like OTP, these wait without limit.
const operation = (tag: string): Operation => ({ tag, declares: () => true, timeout: Infinity })

export const operations = {
  startChild: operation("startChild"),
  terminateChild: operation("terminateChild"),
  whichChildren: operation("whichChildren"),
  countChildren: operation("countChildren")
}

export const define = (name: string, settings: Settings | Effect.Effect<Settings | InitImpl>): Definition => ({
  name,
  protocol,
  isSupervisor: true,
  trapExit: true,
  init: () => init(settings),
  handlers: {
    startChild: (state, request) => onStartChild(state as DynamicState, request as StartRequest),
    terminateChild: (state, pid) => onTerminateChild(state as DynamicState, pid as Entry),
    whichChildren: (state) => onWhichChildren(state as DynamicState),
    countChildren: (state) => onCountChildren(state as DynamicState)
  },
  info: (state, message) => {
    if (isExit(message)) return onExit(state as DynamicState, message)
    if (message instanceof TryRestart) return onTryRestart(state as DynamicState, message, restart)
    reportStranger((state as DynamicState).self, message)
    return Step.noReply(state)
  },
  terminate: (state) => stopAll(state as DynamicState),
  shown: (state) => snapshot(state as DynamicState)
})
