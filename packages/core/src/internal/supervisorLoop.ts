/**
 * A supervisor: a server whose state is its children, whose messages are their exits, and whose every decision is made by
 * the pure modules beside it (`restartDecision`, `restartIntensity`, `restartPlan`).
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { Any as AnySpec, Backoff } from "../ChildSpec.ts"
import * as ExitReason from "../ExitReason.ts"
import * as OtpError from "../OtpError.ts"
import type { Pid } from "../Pid.ts"
import * as Step from "../Step.ts"
import { type ChildInstance, withServices } from "./childInstance.ts"
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
import * as Input from "./input.ts"
import { ended as gone, type Entry, type Origin } from "./processTable.ts"
import type { Operation } from "./request.ts"
import * as RestartDecision from "./restartDecision.ts"
import {
  backoffOf,
  givenUp,
  type Next,
  onRestart,
  onTryRestart,
  type Restarting,
  startedAgain,
  tryAgain,
  TryRestart
} from "./restarting.ts"
import * as RestartIntensity from "./restartIntensity.ts"
import * as RestartPlan from "./restartPlan.ts"
import { type Definition, InitImpl } from "./serverState.ts"
import { type Exit, isExit } from "./signal.ts"
import { originOf } from "./spawn.ts"
import { reportEnded, reportNotStarted, reportStranger } from "./supervisorReport.ts"
import type { Timers } from "./timers.ts"

/** A tree as it was described, and instantiated. */
export interface Tree {
  readonly strategy: RestartPlan.Strategy
  readonly intensity: RestartIntensity.Intensity
  readonly autoShutdown: RestartDecision.AutoShutdown
  readonly backoff: Backoff | undefined
  readonly children: ReadonlyArray<{ readonly spec: AnySpec; readonly instance: ChildInstance }>
}

class SupervisorState implements Restarting {
  readonly self: Entry
  readonly origin: Origin
  readonly tree: Tree
  readonly timers: Timers
  /** By id, in start order: a Map keeps the place of what it has. */
  readonly children = new Map<string, Child>()
  readonly byPid = new Map<Entry, Child>()
  readonly leaving = new Set<Child>()
  readonly history = RestartIntensity.make()

  constructor(fiber: Fiber.Fiber<unknown, unknown>, tree: Tree) {
    this.origin = originOf(fiber)
    this.self = this.origin.process!
    this.tree = tree
    this.timers = timersOf(fiber)
  }
}

const remove = (state: SupervisorState, child: Child): void => {
  state.children.delete(child.spec.id)
  letGo(state, child)
}

const reversed = (state: SupervisorState): ReadonlyArray<Child> => Array.from(state.children.values()).toReversed()

const stopAll = Effect.fnUntraced(function*(state: SupervisorState) {
  let done = 0
  for (const child of reversed(state)) {
    const stopping = stopChild(state, child)
    if (stopping !== undefined) yield* stopping
    if (++done % turnEvery === 0) yield* Effect.yieldNow
  }
  if (state.leaving.size > 0) yield* awaitLeaving(state)
})

// ----------------------------------------------------------------------------
// init
// ----------------------------------------------------------------------------

const init = (tree: Tree) =>
  Effect.withFiber((fiber) => {
    const state = new SupervisorState(fiber, tree)
    // One that was killed has no say any more: its links have ended its children.
    const stop = () => state.self.status === gone ? Effect.void : stopAll(state)
    return Effect.andThen(
      onKill(state, () => state.children.values()),
      Effect.onInterrupt(startAll(state), stop)
    )
  })

const startAll = Effect.fnUntraced(function*(state: SupervisorState) {
  let done = 0
  for (const { instance, spec } of state.tree.children) {
    const child = new Child(spec, instance)
    state.children.set(spec.id, child)
    const starting = startChild(state, child)
    const error = Effect.isEffect(starting) ? yield* starting : starting
    if (error !== undefined) {
      reportNotStarted(state.self, child, error, false)
      yield* stopAll(state)
      return new InitImpl("Stop", undefined, undefined, ExitReason.shutdown(error))
    }
    if (child.pid === undefined && spec.restart === "temporary") remove(state, child)
    if (++done % turnEvery === 0) yield* Effect.yieldNow
  }
  return state
})

// ----------------------------------------------------------------------------
// exits
// ----------------------------------------------------------------------------

const onExit = (state: SupervisorState, exit: Exit) => {
  const child = state.byPid.get(exit.pid as Entry)
  // Not a child, or an incarnation that a restart of the whole group has replaced already; or a child that has sent a
  // signal and lives on: started again, it would run twice.
  if (child === undefined || child.pid!.status !== gone) return Step.noReply(state)
  state.byPid.delete(child.pid!)
  child.last = child.pid
  child.pid = undefined
  child.reason = exit.reason
  const { restart: how, significant } = child.spec
  const decision = RestartDecision.decide(how, exit.reason)
  if (decision === "restart") return onRestart(state, child, restart)
  if (ExitReason.isAbnormal(exit.reason)) reportEnded(state.self, child)
  if (decision === "remove") remove(state, child)
  if (!RestartDecision.shutsDown(state.tree.autoShutdown, significant, () => significantLeft(state))) {
    return Step.noReply(state)
  }
  if (ExitReason.isAbnormal(exit.reason)) {
    givenUp.set(state.self, { id: child.spec.id, reason: exit.reason, why: "it is significant" })
  }
  return Step.stop(ExitReason.shutdown(), state)
}

const significantLeft = (state: SupervisorState): boolean => {
  for (const { pid, restarting, spec } of state.children.values()) {
    if (spec.significant && (pid !== undefined || restarting !== undefined)) return true
  }
  return false
}

// ----------------------------------------------------------------------------
// restarts
// ----------------------------------------------------------------------------

const restart = (
  state: SupervisorState,
  child: Child
): Next<SupervisorState> | Effect.Effect<Next<SupervisorState>> => {
  child.restarting = undefined
  if (state.tree.strategy !== "one_for_one") return restartGroup(state, child)
  const starting = startChild(state, child)
  const restarted = (error: StartFailure): Next<SupervisorState> => {
    if (!startedAgain(state, child, error)) tryAgain(state, child, 0, true)
    return Step.noReply(state)
  }
  return Effect.isEffect(starting) ? Effect.map(starting, restarted) : restarted(starting)
}

const restartGroup = Effect.fnUntraced(function*(state: SupervisorState, child: Child) {
  const plan = RestartPlan.plan(state.tree.strategy, state.children.values(), child)
  for (const other of plan.stop) {
    const stopping = stopChild(state, other)
    if (stopping !== undefined) yield* stopping
    if (other.spec.restart === "temporary") remove(state, other)
  }
  for (const other of plan.start) {
    if (other.spec.restart === "temporary") continue
    const starting = startChild(state, other)
    if (startedAgain(state, other, Effect.isEffect(starting) ? yield* starting : starting)) continue
    // The next attempt of one_for_all begins by stopping those that have started, unless the supervisor gives up. Where it
    // has to wait they are down meanwhile.
    if (state.tree.strategy === "one_for_all" && backoffOf(state, other) !== undefined) yield* stopAll(state)
    tryAgain(state, other, 0, true)
    break
  }
  return Step.noReply(state)
})

// ----------------------------------------------------------------------------
// requests
// ----------------------------------------------------------------------------

/** What `startChild` asks for: the requirements of the spec come with it, from whoever asks. */
export interface StartRequest {
  readonly spec: AnySpec
  readonly instance: ChildInstance
  readonly context: Context.Context<never>
}

const onStartChild = Effect.fnUntraced(function*(state: SupervisorState, request: StartRequest) {
  const { id, restart, significant } = request.spec
  if (significant && state.tree.autoShutdown === "never") return Step.fail(notSignificant(id), state)
  const existing = state.children.get(id)
  if (existing !== undefined) {
    const reason = existing.pid === undefined
      ? new OtpError.DuplicateId({ id })
      : new OtpError.AlreadyStarted({ pid: existing.pid })
    return Step.fail(new OtpError.StartError({ childPath: [id], reason }), state)
  }
  // The caller's services, but the supervisor's process and scope: it is the supervisor that starts.
  const context = Context.add(request.context, Current, state.self)
  const child = new Child(request.spec, withServices(request.instance, context))
  state.children.set(id, child)
  const starting = startChild(state, child)
  const error = Effect.isEffect(starting) ? yield* starting : starting
  if (error !== undefined || (child.pid === undefined && restart === "temporary")) remove(state, child)
  return error === undefined ? Step.reply(child.pid, state) : Step.fail(error, state)
})

// What the tree is like is known here, and not to whoever asks.
const notSignificant = (id: string): OtpError.StartError<unknown> => {
  const refusal = Input.refusal("significant", "false where autoShutdown is never", true)
  return new OtpError.StartError({ childPath: [id], reason: new OtpError.InitCrashed({ cause: Cause.die(refusal) }) })
}

const onTerminateChild = Effect.fnUntraced(function*(state: SupervisorState, id: string) {
  const child = state.children.get(id)
  if (child === undefined) return Step.fail(new OtpError.ChildNotFound({ id }), state)
  const stopping = stopChild(state, child)
  if (stopping !== undefined) yield* stopping
  if (child.spec.restart === "temporary") remove(state, child)
  return Step.reply(undefined, state)
})

const onRestartChild = Effect.fnUntraced(function*(state: SupervisorState, id: string) {
  const child = state.children.get(id)
  const refused = refuseIfUp(child, id)
  if (refused !== undefined) return Step.fail(refused, state)
  const starting = startChild(state, child!)
  const error = Effect.isEffect(starting) ? yield* starting : starting
  return error === undefined ? Step.reply(child!.pid, state) : Step.fail(error, state)
})

const onDeleteChild = (state: SupervisorState, id: string) => {
  const child = state.children.get(id)
  const refused = refuseIfUp(child, id)
  if (refused !== undefined) return Step.fail(refused, state)
  remove(state, child!)
  return Step.reply(undefined, state)
}

const refuseIfUp = (child: Child | undefined, id: string) =>
  child === undefined
    ? new OtpError.ChildNotFound({ id })
    : child.pid !== undefined
    ? new OtpError.ChildRunning({ id, pid: child.pid })
    : child.restarting !== undefined
    ? new OtpError.ChildRestarting({ id })
    : undefined

// The last started child first, as OTP lists them.
const onWhichChildren = (state: SupervisorState) =>
  Step.reply(
    reversed(state).map((child) => ({
      id: child.spec.id,
      type: child.spec.type,
      child: shownChild(child),
      ...waitOf(state, child)
    })),
    state
  )

const waitOf = ({ timers }: SupervisorState, { restarting }: Child): { readonly restartsIn?: Duration.Duration } =>
  restarting?.at === undefined ? {} : { restartsIn: Duration.millis(Math.max(0, restarting.at - timers.now())) }

const onGetChildSpec = (state: SupervisorState, id: string) => {
  const child = state.children.get(id)
  return child === undefined ? Step.fail(new OtpError.ChildNotFound({ id }), state) : Step.reply(child.spec, state)
}

const onCountChildren = (state: SupervisorState) => {
  const children = Array.from(state.children.values())
  const supervisors = children.filter((child) => child.spec.type === "supervisor").length
  return Step.reply(
    {
      specs: children.length,
      active: children.filter((child) => child.pid !== undefined).length,
      supervisors,
      workers: children.length - supervisors
    },
    state
  )
}

/**
 * What a supervisor shows of its state, in `Sys.getState` and in reports.
 *
 * @category models
 * @since 0.1.0
 */
export interface Snapshot {
  readonly strategy: RestartPlan.Strategy
  readonly intensity: { readonly maxRestarts: number; readonly within: Duration.Duration }
  readonly autoShutdown: RestartDecision.AutoShutdown
  /** In the order of their start. */
  readonly children: ReadonlyArray<{
    readonly id: string
    readonly type: "worker" | "supervisor"
    readonly restart: AnySpec["restart"]
    readonly child: Pid<never, unknown> | "restarting" | undefined
    /** How long until it is started again, while it is `"restarting"`. */
    readonly restartsIn?: Duration.Duration
    /** How often it was started again, by itself or with its group. */
    readonly restarts: number
  }>
}

const snapshot = (state: SupervisorState): Snapshot => ({
  strategy: state.tree.strategy,
  intensity: {
    maxRestarts: state.tree.intensity.maxRestarts,
    within: Duration.millis(state.tree.intensity.withinMillis)
  },
  autoShutdown: state.tree.autoShutdown,
  children: Array.from(state.children.values(), (child) => ({
    id: child.spec.id,
    type: child.spec.type,
    restart: child.spec.restart,
    child: shownChild(child),
    restarts: child.restarts,
    ...waitOf(state, child)
  }))
})

// ----------------------------------------------------------------------------
// the definition
// ----------------------------------------------------------------------------

export const protocol = { key: "Supervisor" }

const operation = (tag: string): Operation => ({ tag, declares: () => false })

export const operations = {
  startChild: operation("startChild"),
  terminateChild: operation("terminateChild"),
  restartChild: operation("restartChild"),
  deleteChild: operation("deleteChild"),
  whichChildren: operation("whichChildren"),
  countChildren: operation("countChildren"),
  getChildSpec: operation("getChildSpec")
}

export const definition: Definition = {
  name: "Supervisor",
  protocol,
  isSupervisor: true,
  trapExit: true,
  init: ([tree]) => init(tree as Tree),
  handlers: {
    startChild: (state, request) => onStartChild(state as SupervisorState, request as StartRequest),
    terminateChild: (state, id) => onTerminateChild(state as SupervisorState, id as string),
    restartChild: (state, id) => onRestartChild(state as SupervisorState, id as string),
    deleteChild: (state, id) => onDeleteChild(state as SupervisorState, id as string),
    whichChildren: (state) => onWhichChildren(state as SupervisorState),
    countChildren: (state) => onCountChildren(state as SupervisorState),
    getChildSpec: (state, id) => onGetChildSpec(state as SupervisorState, id as string)
  },
  info: (state, message) => {
    if (isExit(message)) return onExit(state as SupervisorState, message)
    if (message instanceof TryRestart) return onTryRestart(state as SupervisorState, message, restart)
    reportStranger((state as SupervisorState).self, message)
    return Step.noReply(state)
  },
  terminate: (state) => stopAll(state as SupervisorState),
  shown: (state) => snapshot(state as SupervisorState)
}
