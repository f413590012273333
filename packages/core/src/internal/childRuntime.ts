/**
 * Starting and stopping one child.
 *
 * @internal
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Any as AnySpec } from "../ChildSpec.ts"
import * as ExitReason from "../ExitReason.ts"
import * as OtpError from "../OtpError.ts"
import { isPid, type Pid } from "../Pid.ts"
import { type ChildInstance, type Started, withoutStart } from "./childInstance.ts"
import * as FewSet from "./fewSet.ts"
import * as Input from "./input.ts"
import { link, sendExit } from "./lifecycle.ts"
import { ended, type Entry, type Origin, type Watcher } from "./processTable.ts"
import { StartExit } from "./startExit.ts"
import { reportNotShutDown, reportStarted, reportStop } from "./supervisorReport.ts"
import { awaitClosed, concludeNow } from "./wait.ts"

/** A running supervisor, and whose end it is told of. */
export interface Parent {
  readonly self: Entry
  readonly origin: Origin
  readonly byPid: Map<Entry, Child>
  /** Those that are no children any more, and were killed: of which finalizers still run. */
  readonly leaving: Set<Child>
}

/** A child of a running supervisor. */
export class Child {
  spec: AnySpec
  instance: ChildInstance
  pid: Entry | undefined = undefined
  /** The incarnation that ended last, of which finalizers may still run if it was killed. */
  last: Entry | undefined = undefined
  /** It is down and will be started again: at once, or when its backoff is over. */
  restarting: { cancel(): void; /** By the clock of its supervisor. */ readonly at?: number } | undefined = undefined
  /** Takes the reason of an end and gives the delay before the next start. */
  backoff: ((now: number, reason: ExitReason.ExitReason) => Effect.Effect<number | undefined>) | undefined = undefined
  startedAt = 0
  /** How often it was started again, by itself or with its group. */
  restarts = 0
  reason: ExitReason.ExitReason = ExitReason.normal

  constructor(spec: AnySpec, instance: ChildInstance) {
    this.spec = spec
    this.instance = instance
  }
}

/** The child as others are shown it. */
export const shownChild = (child: Child): Pid<never, unknown> | "restarting" | undefined =>
  child.restarting === undefined ? child.pid : "restarting"

/**
 * What is done at once does not count as steps of the fiber: whoever goes through many children lets others have their turn
 * every so often.
 */
export const turnEvery = 256

/** Why a child did not start; nothing, if it did. */
export type StartFailure = OtpError.StartError<unknown> | undefined

/**
 * Starts a child: at once, or by the Effect that it gives. A child that chose not to start (`Ignored`) has no pid
 * afterwards.
 */
export const startChild = (parent: Parent, child: Child): undefined | Effect.Effect<StartFailure> => {
  const { instance } = child
  if (!isReleased(child)) {
    return Effect.andThen(awaitReleased(parent.self, child), starting(parent, child, instance.start))
  }
  // Any other scheduler must see each step.
  if (instance.startNow === undefined || !parent.self.runQueue.isShared) return starting(parent, child, instance.start)
  let started: ReturnType<typeof instance.startNow>
  try {
    started = instance.startNow(parent.origin)
  } catch (defect) {
    // An option that is refused: nothing has been started, and it is no defect of the supervisor.
    return starting(parent, child, Effect.die(defect))
  }
  return Effect.isEffect(started) ? starting(parent, child, started) : onStarted(parent, child, started as Entry)
}

const starting = (parent: Parent, child: Child, start: ChildInstance["start"]): Effect.Effect<StartFailure> =>
  Effect.matchCause(Effect.map(start, (started) => entryOf(parent.self, started)), {
    onSuccess: (entry) => onStarted(parent, child, entry),
    onFailure: (cause) => {
      const error = toStartError(child.spec.id, cause)
      return error.reason._tag === "Ignored" ? undefined : error
    }
  })

// What gives no pid has not started: the start has crashed, and not the supervisor.
const entryOf = (supervisor: Entry, started: Started): Entry => {
  const pid: unknown = isPid(started) ? started : (started as { readonly pid?: unknown } | undefined)?.pid
  const isOther = isPid(pid) && pid !== supervisor
  return Input.check("start", "an Effect that gives the pid of another process", isOther, pid) as Entry
}

const onStarted = ({ byPid, self }: Parent, child: Child, entry: Entry): undefined => {
  child.pid = entry
  if (child.spec.restart === "temporary") {
    child.instance = startedOnce
    child.spec = withoutStart(child.spec)
  }
  byPid.set(entry, child)
  // A start of the user's own may have forgotten the link, and the process may have ended since.
  if (entry.status === ended) sendExit(self, entry, entry.reason!, "link")
  else link(self, entry)
  reportStarted(self, child)
}

/** Of a child that is never started again, so that what its start holds can be freed while it runs. */
const startedOnce: ChildInstance = {
  context: Context.empty(),
  start: Effect.die(new Error("a temporary child is started once"))
}

// When it is the supervisor that is interrupted, nobody comes here: a start that interrupts itself is one that crashed.
const toStartError = (id: string, cause: Cause.Cause<unknown>): OtpError.StartError<unknown> => {
  const failed = cause.reasons.length === 1 && cause.reasons[0]._tag === "Fail" ? cause.reasons[0] : undefined
  if (failed?.error instanceof OtpError.StartError) {
    return new OtpError.StartError({ childPath: [id, ...failed.error.childPath], reason: failed.error.reason })
  }
  const reason = failed === undefined ? onDefect(cause) : new OtpError.InitFailed({ error: failed.error })
  return new OtpError.StartError({ childPath: [id], reason })
}

const onDefect = (cause: Cause.Cause<unknown>): OtpError.StartFailure<unknown> => {
  for (const reason of cause.reasons) {
    if (reason._tag === "Die" && reason.defect instanceof StartExit) {
      return new OtpError.Stopped({ reason: reason.defect.reason })
    }
  }
  return new OtpError.InitCrashed({ cause })
}

const brutalKillMillis = 5000

const limitOf = ({ spec: { shutdown } }: Child): number =>
  shutdown === "brutalKill" ? brutalKillMillis : Input.millis("shutdown", shutdown)

const isReleased = ({ last }: Child): boolean => last === undefined || last.closed

// Nothing interrupts this wait or the next one: a supervisor that is ended meanwhile sees this child to its end first.

/** Waits for the finalizers of a killed child, as long as it may take to stop; then it counts as leaked. */
const awaitReleased = Effect.fnUntraced(function*(supervisor: Entry, child: Child) {
  const entry = child.last
  child.last = undefined
  if (entry === undefined || (yield* awaitClosed(entry, limitOf(child)))) return
  reportStop(supervisor, child, entry, "was killed, and its finalizers still run: it leaks")
}, Effect.uninterruptible)

/**
 * Stops a child: a shutdown signal, then a kill when its time is over. If something of it still runs, it gives what waits
 * for that.
 */
export const stopChild = ({ byPid, self }: Parent, child: Child): Effect.Effect<void> | undefined => {
  child.restarting?.cancel()
  child.restarting = undefined
  const entry = child.pid
  if (entry === undefined) return isReleased(child) ? undefined : awaitReleased(self, child)
  byPid.delete(entry)
  child.pid = undefined
  child.last = entry
  const brutal = child.spec.shutdown === "brutalKill"
  sendExit(entry, self, brutal ? ExitReason.kill : ExitReason.shutdown(), "exit")
  const closed = concludeNow(entry)
  if (brutal) return closed ? undefined : awaitReleased(self, child)
  return closed ? reportShutdown(self, child, entry) : awaitShutdown(self, child, entry)
}

const awaitShutdown = Effect.fnUntraced(function*(supervisor: Entry, child: Child, entry: Entry) {
  if (yield* awaitClosed(entry, limitOf(child))) return reportShutdown(supervisor, child, entry)
  yield* killLate(supervisor, child, entry)
}, Effect.uninterruptible)

const killLate = (supervisor: Entry, child: Child, entry: Entry): Effect.Effect<void> => {
  sendExit(entry, supervisor, ExitReason.kill, "exit")
  reportStop(supervisor, child, entry, "did not shut down in time: killed")
  return awaitReleased(supervisor, child)
}

/** Forgets a child that has ended. Something of it may still run, and its supervisor does not end before that has ended. */
export const letGo = ({ leaving }: Parent, child: Child): void => {
  const { last } = child
  if (last === undefined || last.closed) return
  leaving.add(child)
  last.closeWatchers = FewSet.add<Watcher>(last.closeWatchers, { ended: () => leaving.delete(child) })
}

const reportShutdown = (supervisor: Entry, child: Child, entry: Entry): undefined => {
  const reason = entry.reason!
  if (reason._tag === "Shutdown" || (reason._tag === "Normal" && child.spec.restart !== "permanent")) return
  reportNotShutDown(supervisor, child, entry)
}

/** Waits for those that it has let go. */
export const awaitLeaving = ({ leaving, self }: Parent): Effect.Effect<void> =>
  Effect.forEach(leaving, (child) => awaitReleased(self, child), { concurrency: "unbounded", discard: true })

/**
 * Has a supervisor that is killed wait for its children. Its links tell all of them at once, and each has the time that it
 * has at any other stop. As long as something of them runs the supervisor is not closed, and nobody starts the branch again.
 */
export const onKill = (parent: Parent, children: () => Iterable<Child>): Effect.Effect<void, never, Scope.Scope> =>
  Effect.addFinalizer(() => parent.self.status === ended ? awaitOrphans(parent, children) : Effect.void)

// Most of them have nothing to do but to take their turn.
const awaitOrphans = ({ leaving, self }: Parent, children: () => Iterable<Child>): Effect.Effect<void> =>
  Effect.andThen(
    Effect.yieldNow,
    Effect.suspend(() =>
      Effect.forEach(
        [...children(), ...leaving].filter((child) => (child.pid ?? child.last)?.closed === false),
        (child) => awaitOrphan(self, child),
        { concurrency: "unbounded", discard: true }
      )
    )
  )

const awaitOrphan = Effect.fnUntraced(function*(supervisor: Entry, child: Child) {
  const entry = child.last = child.pid ?? child.last!
  if (child.spec.shutdown === "brutalKill") sendExit(entry, supervisor, ExitReason.kill, "exit")
  if (entry.status === ended) yield* awaitReleased(supervisor, child)
  else if (!(yield* awaitClosed(entry, limitOf(child)))) yield* killLate(supervisor, child, entry)
})
