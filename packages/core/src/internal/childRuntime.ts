/**
 * Starting and stopping one child.
 *
 * @internal
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { Any as AnySpec } from "../ChildSpec.ts"
import * as ExitReason from "../ExitReason.ts"
import * as OtpError from "../OtpError.ts"
import { isPid } from "../Pid.ts"
import type { ChildInstance } from "./childInstance.ts"
import * as Input from "./input.ts"
import { link, sendExit, unlink } from "./lifecycle.ts"
import { describe, ended, type Entry } from "./processTable.ts"
import { awaitClosed } from "./wait.ts"

/** A child of a running supervisor. */
export class Child {
  readonly spec: AnySpec
  readonly start: ChildInstance["start"]
  pid: Entry | undefined = undefined
  /** The incarnation that ended last, of which finalizers may still run if it was killed. */
  last: Entry | undefined = undefined
  /** It is down and will be started again: at once, or when its backoff is over. */
  restarting: { cancel(): void } | undefined = undefined
  /** Takes the reason of an end and gives the delay before the next start. */
  backoff: ((now: number, reason: ExitReason.ExitReason) => Effect.Effect<number | undefined>) | undefined = undefined
  startedAt = 0
  reason: ExitReason.ExitReason = ExitReason.normal

  constructor(spec: AnySpec, start: ChildInstance["start"]) {
    this.spec = spec
    this.start = start
  }
}

/** Starts a child; a child that chose not to start (`Ignored`) has no pid afterwards. */
export const startChild = (supervisor: Entry, child: Child): Effect.Effect<void, OtpError.StartError<unknown>> =>
  child.last === undefined || child.last.closed
    ? start(supervisor, child)
    : Effect.andThen(awaitReleased(child), start(supervisor, child))

const start = (supervisor: Entry, child: Child): Effect.Effect<void, OtpError.StartError<unknown>> =>
  Effect.matchCauseEffect(child.start, {
    onSuccess: (started) => {
      const entry = (isPid(started) ? started : started.pid) as Entry
      child.pid = entry
      // A start of the user's own may have forgotten the link, and the process may have ended since.
      if (entry.status === ended) sendExit(supervisor, entry, entry.reason!, "link")
      else link(supervisor, entry)
      return Effect.logDebug(`started child ${child.spec.id} as ${entry}`)
    },
    onFailure: (cause) => {
      const error = toStartError(child.spec.id, cause)
      return error.reason._tag === "Ignored" ? Effect.void : Effect.fail(error)
    }
  })

// When it is the supervisor that is interrupted, nobody comes here: a start that interrupts itself is one that crashed.
const toStartError = (id: string, cause: Cause.Cause<unknown>): OtpError.StartError<unknown> => {
  const error = cause.reasons.length === 1 && cause.reasons[0]._tag === "Fail" ? cause.reasons[0].error : undefined
  if (error instanceof OtpError.StartError) {
    return new OtpError.StartError({ childPath: [id, ...error.childPath], reason: error.reason })
  }
  const reason = error === undefined ? new OtpError.InitCrashed({ cause }) : new OtpError.InitFailed({ error })
  return new OtpError.StartError({ childPath: [id], reason })
}

const brutalKillMillis = 5000

const limitOf = ({ spec: { shutdown } }: Child): number =>
  shutdown === "brutalKill" ? brutalKillMillis : Input.millis("shutdown", shutdown)

/** Waits for the finalizers of a killed child, as long as it may take to stop; then it counts as leaked. */
const awaitReleased = Effect.fnUntraced(function*(child: Child) {
  const entry = child.last
  child.last = undefined
  if (entry === undefined || (yield* awaitClosed(entry, limitOf(child)))) return
  yield* Effect.logError(`child ${child.spec.id} ${describe(entry)} was killed, and its finalizers still run: it leaks`)
})

/** Stops a child and waits until nothing of it runs: a shutdown signal, then a kill when its time is over. */
export const stopChild = Effect.fnUntraced(function*(supervisor: Entry, child: Child) {
  child.restarting?.cancel()
  child.restarting = undefined
  const entry = child.pid
  child.pid = undefined
  if (entry !== undefined) {
    child.last = entry
    // From here on its exit is no message any more: it is waited for.
    unlink(supervisor, entry)
    const { shutdown } = child.spec
    if (shutdown !== "brutalKill") {
      sendExit(entry, supervisor, ExitReason.shutdown(), "exit")
      if (yield* awaitClosed(entry, limitOf(child))) return yield* reportShutdown(child, entry)
    }
    sendExit(entry, supervisor, ExitReason.kill, "exit")
    if (shutdown !== "brutalKill") {
      yield* Effect.logError(`child ${child.spec.id} ${describe(entry)} did not shut down in time: killed`)
    }
  }
  yield* awaitReleased(child)
})

const reportShutdown = (child: Child, entry: Entry): Effect.Effect<void> => {
  const reason = entry.reason!
  const expected = reason._tag === "Shutdown" || (reason._tag === "Normal" && child.spec.restart !== "permanent")
  return expected
    ? Effect.void
    : Effect.logError(`child ${child.spec.id} ended with ${ExitReason.format(reason)} when it was told to shut down`)
}
