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
import * as Schedule from "effect/Schedule"
import type { Any as AnySpec, Backoff } from "../ChildSpec.ts"
import * as ExitReason from "../ExitReason.ts"
import * as OtpError from "../OtpError.ts"
import type { Pid } from "../Pid.ts"
import * as Step from "../Step.ts"
import { type ChildInstance, withServices } from "./childInstance.ts"
import { Child, type Parent, startChild, type StartFailure, stopChild } from "./childRuntime.ts"
import { Current, timersOf } from "./current.ts"
import { deliver } from "./lifecycle.ts"
import * as Mailbox from "./mailbox.ts"
import { describe, ended as gone, type Entry } from "./processTable.ts"
import type { Operation } from "./request.ts"
import * as RestartDecision from "./restartDecision.ts"
import * as RestartIntensity from "./restartIntensity.ts"
import * as RestartPlan from "./restartPlan.ts"
import { type Definition, InitImpl } from "./serverState.ts"
import { type Exit, isExit } from "./signal.ts"
import { type Origin, originOf } from "./spawn.ts"
import { reportEnded, reportGaveUp, reportNotStarted, reportRestart, reportStranger } from "./supervisorReport.ts"
import type { Timer, Timers } from "./timers.ts"

/** A tree as it was described, and instantiated. */
export interface Tree {
  readonly strategy: RestartPlan.Strategy
  readonly intensity: RestartIntensity.Intensity
  readonly autoShutdown: RestartDecision.AutoShutdown
  readonly backoff: Backoff | undefined
  readonly children: ReadonlyArray<{ readonly spec: AnySpec; readonly instance: ChildInstance }>
}

class SupervisorState implements Parent {
  readonly self: Entry
  readonly origin: Origin
  readonly tree: Tree
  readonly timers: Timers
  /** By id, in start order: a Map keeps the place of what it has. */
  readonly children = new Map<string, Child>()
  readonly byPid = new Map<Entry, Child>()
  readonly history = RestartIntensity.make()

  constructor(fiber: Fiber.Fiber<unknown, unknown>, tree: Tree) {
    this.origin = originOf(fiber)
    this.self = this.origin.process!
    this.tree = tree
    this.timers = timersOf(fiber)
  }
}

/** What becomes of the supervisor itself when it has handled an exit. */
type Next = Step.Cast<SupervisorState, never>

/** What a supervisor sends to itself when a child is due to be started again. */
class TryRestart {
  readonly child: Child
  /** It has failed to start, and this is one more restart; not so when a backoff is over. */
  readonly counts: boolean
  readonly at: number
  readonly cancel: () => void

  constructor(child: Child, counts: boolean, at: number, cancel: () => void) {
    this.child = child
    this.counts = counts
    this.at = at
    this.cancel = cancel
  }
}

const remove = (state: SupervisorState, child: Child): void => {
  state.children.delete(child.spec.id)
}

const reversed = (state: SupervisorState): ReadonlyArray<Child> => Array.from(state.children.values()).toReversed()

// What is done at once does not count as steps of the fiber: a long list lets others have their turn every so often.
const turnEvery = 256

const stopAll = Effect.fnUntraced(function*(state: SupervisorState) {
  let done = 0
  for (const child of reversed(state)) {
    const stopping = stopChild(state, child)
    if (stopping !== undefined) yield* stopping
    if (++done % turnEvery === 0) yield* Effect.yieldNow
  }
})

// ----------------------------------------------------------------------------
// init
// ----------------------------------------------------------------------------

const init = (tree: Tree) =>
  Effect.withFiber((fiber) => {
    const state = new SupervisorState(fiber, tree)
    // One that was killed has no say any more: its links have ended its children.
    return Effect.onInterrupt(startAll(state), () => state.self.status === gone ? Effect.void : stopAll(state))
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
  // Not a child, or an incarnation that a restart of the whole group has replaced already.
  if (child === undefined) return Step.noReply(state)
  state.byPid.delete(child.pid!)
  child.last = child.pid
  child.pid = undefined
  child.reason = exit.reason
  const { restart, significant } = child.spec
  const decision = RestartDecision.decide(restart, exit.reason)
  if (decision === "restart") return onRestart(state, child)
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

// Nearly every restart is of one child and without a backoff: no more than its start is an Effect then.
const onRestart = (state: SupervisorState, child: Child): Next | Effect.Effect<Next> => {
  const now = state.timers.now()
  if (!RestartIntensity.record(state.history, state.tree.intensity, now)) {
    remove(state, child)
    const { maxRestarts, withinMillis } = state.tree.intensity
    return giveUp(state, child, `the limit is ${maxRestarts} restarts within ${withinMillis} ms`)
  }
  const schedule = child.spec.backoff ?? state.tree.backoff
  return schedule === undefined
    ? restartAfter(state, child, 0)
    : Effect.flatMap(nextDelay(state, child, schedule, now), (delay) => {
      const next = delay === undefined
        ? giveUp(state, child, "its backoff is over")
        : restartAfter(state, child, delay)
      return Effect.isEffect(next) ? next : Effect.succeed(next)
    })
}

const restartAfter = (state: SupervisorState, child: Child, delay: number): Next | Effect.Effect<Next> => {
  reportRestart(state.self, child, delay, state)
  if (delay === 0) return restart(state, child)
  tryAgain(state, child, delay, false)
  return Step.noReply(state)
}

const giveUp = (state: SupervisorState, child: Child, why: string) => {
  reportGaveUp(state.self, child, why, state)
  givenUp.set(state.self, { id: child.spec.id, reason: child.reason, why })
  return Step.stop(ExitReason.shutdown(), state)
}

// Its exit reason is `Shutdown`, as in OTP, and says nothing of this.
const givenUp = new WeakMap<Entry, OtpError.GaveUp["child"] & {}>()

/** Whether a supervisor has given up, rather than been stopped. */
export const hasGivenUp = (supervisor: Entry): boolean => givenUp.has(supervisor)

/** That a supervisor has ended, with all that is known about it. */
export const gaveUp = (supervisor: Entry, reason: ExitReason.ExitReason): OtpError.GaveUp => {
  const child = givenUp.get(supervisor)
  const error = { supervisor: describe(supervisor), reason, ...(child && { child }) }
  return new OtpError.GaveUp(
    child?.reason._tag === "Crashed" ? { ...error, cause: Cause.squash(child.reason.cause) } : error
  )
}

/** Steps the backoff of a child, from its beginning when the child has been up for longer than the intensity looks back. */
const nextDelay = Effect.fnUntraced(function*(state: SupervisorState, child: Child, schedule: Backoff, now: number) {
  if (child.backoff === undefined || now - child.startedAt > state.tree.intensity.withinMillis) {
    const step = yield* Schedule.toStep(schedule)
    child.backoff = (now, reason) =>
      Effect.match(step(now, reason), {
        onFailure: () => undefined,
        onSuccess: ([, delay]) => Duration.toMillis(delay)
      })
  }
  return yield* child.backoff(now, child.reason)
})

/** Sends the supervisor a reminder, now or later: until then other messages have their turn. */
const tryAgain = ({ self, timers }: SupervisorState, child: Child, delay: number, counts: boolean): void => {
  const fire = () => deliver(self, { kind: Mailbox.user, message, next: undefined })
  const timer: Timer = { deadline: 0, sequence: 0, index: -1, fire }
  const message = new TryRestart(child, counts, timers.now() + delay, () => timers.cancel(timer))
  child.restarting = message
  if (delay > 0) timers.start(timer, delay)
  else fire()
}

const restart = (state: SupervisorState, child: Child): Next | Effect.Effect<Next> => {
  child.restarting = undefined
  if (state.tree.strategy !== "one_for_one") return restartGroup(state, child)
  const starting = startChild(state, child)
  const restarted = (error: StartFailure): Next => {
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
    // one_for_all begins anew with everybody down; rest_for_one goes on from the child that failed.
    if (state.tree.strategy === "one_for_all") yield* stopAll(state)
    tryAgain(state, other, 0, true)
    break
  }
  return Step.noReply(state)
})

const startedAgain = (state: SupervisorState, child: Child, error: StartFailure): boolean => {
  child.startedAt = state.timers.now()
  if (error !== undefined) reportNotStarted(state.self, child, error, true)
  else child.restarts++
  return error === undefined
}

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
  const { id, restart } = request.spec
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

const shownChild = (child: Child): Pid<never, unknown> | "restarting" | undefined =>
  child.restarting === undefined ? child.pid : "restarting"

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
    if (message instanceof TryRestart) {
      // It may have been terminated, or restarted with its group, in the meantime.
      return message.child.restarting !== message
        ? Step.noReply(state)
        : message.counts
        ? onRestart(state as SupervisorState, message.child)
        : restart(state as SupervisorState, message.child)
    }
    reportStranger((state as SupervisorState).self, message)
    return Step.noReply(state)
  },
  terminate: (state) => stopAll(state as SupervisorState),
  shown: (state) => snapshot(state as SupervisorState)
}
