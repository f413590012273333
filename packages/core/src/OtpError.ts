/**
 * Every typed failure of the package.
 *
 * Where there are many ways to fail, one outer error carries a `reason`, for `Effect.catchReason`. Each says whether the
 * request may have run, which is what decides if it is safe to ask again.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import { format } from "effect/Formatter"
import * as ExitReason from "./ExitReason.ts"
import { equalByFields, lightError } from "./internal/lightError.ts"
import type { Pid } from "./Pid.ts"

// ----------------------------------------------------------------------------
// calls
// ----------------------------------------------------------------------------

/**
 * A call found no process: the request was never delivered. Mirrors an exit with `noproc`.
 *
 * @category errors
 * @since 0.1.0
 */
export class NoProcess extends Data.TaggedError("NoProcess")<{}> {
  override get message(): string {
    return "no process is there: it has ended, was never started, or has another name; the request was not delivered"
  }
}

/**
 * No answer came in time. A request that was still queued never runs; one that had begun may still run to its end, and
 * its late answer is dropped.
 *
 * **Details**
 *
 * A call that a handler makes has no more time than the call that is handled: `outer` names that one, if it was its time
 * that was over. Where nothing of it was left `after` is 0, and the request was never sent.
 *
 * @category errors
 * @since 0.1.0
 */
export class Timeout extends Data.TaggedError("Timeout")<{
  /** The time that was allowed, in milliseconds. */
  readonly after: number
  /** The call whose time it was, if not its own. */
  readonly outer?: { readonly server: string; readonly request: string }
}> {
  override get message(): string {
    if (this.outer === undefined) return `no answer within ${this.after} ms; a request that had begun may still run`
    const outer = `the call ${this.outer.request} to ${this.outer.server}`
    return this.after === 0
      ? `${outer}, in whose handler it is made, had no time left; the request was not sent`
      : `no answer within the ${this.after} ms that ${outer}, in whose handler it is made, had left; ` +
        "a request that had begun may still run"
  }
}

/**
 * The server ended before it answered: a request that had begun may have run, in part or whole; one still queued did not.
 *
 * @category errors
 * @since 0.1.0
 */
export class ServerExited extends Data.TaggedError("ServerExited")<{
  readonly reason: ExitReason.ExitReason
}> {
  override get message(): string {
    return `the server ended before it answered (${ExitReason.format(this.reason)}); the request may have run`
  }
}

/**
 * The mailbox was full, or its policy dropped the request: it never ran.
 *
 * **Details**
 *
 * Only a server with a bounded mailbox gives it: with the policy `fail` when the mailbox is full, with `dropNewest` and
 * `dropOldest` when the request is the one that is dropped. The caller is told at once.
 *
 * @category errors
 * @since 0.1.0
 */
export class Overloaded extends Data.TaggedError("Overloaded")<{}> {
  override get message(): string {
    return "the mailbox is full; the request was not run: ask again later, or give the mailbox a larger capacity"
  }
}

/**
 * The call would have waited for itself, directly or in a circle: it never ran.
 *
 * @category errors
 * @since 0.1.0
 */
export class CallingSelf extends Data.TaggedError("CallingSelf")<{
  /** Who waits for whom, from the caller back to the caller. */
  readonly chain: ReadonlyArray<string>
}> {
  override get message(): string {
    return this.chain.length === 2
      ? `a server cannot call itself (${this.chain.join(" -> ")}): it answers when its handler has ended; ` +
        "use the state that the handler has, or send a cast"
      : `the call would wait for itself (${this.chain.join(" -> ")}); ` +
        "answer one of them later with GenServer.reply, or send a cast instead"
  }
}

/**
 * What a call can fail with beside the error that its protocol declares.
 *
 * **When to use**
 *
 * Catch one reason with `Effect.catchReason("CallError", "Timeout", …)`, several with `Effect.catchReasons`.
 *
 * **Details**
 *
 * | reason | may the request have run? |
 * | --- | --- |
 * | `NoProcess` | no |
 * | `Timeout` | yes, if it had begun |
 * | `ServerExited` | yes, unless it was still queued |
 * | `Overloaded` | no |
 * | `CallingSelf` | no |
 *
 * `server` names who was asked (a service, a registered name or a pid), `request` what was asked.
 *
 * @category errors
 * @since 0.1.0
 */
export class CallError extends Data.TaggedError("CallError")<{
  readonly server: string
  readonly request: string
  readonly reason: NoProcess | Timeout | ServerExited | Overloaded | CallingSelf
}> {
  override get message(): string {
    return `call ${this.request} to ${this.server}: ${this.reason.message}`
  }
}

equalByFields(NoProcess, Timeout, ServerExited, Overloaded, CallingSelf, CallError)

const noProcess = lightError(NoProcess, "NoProcess", {})

/** @internal */
export const callError = (server: string, request: string, reason: CallError["reason"]): CallError =>
  lightError(CallError, "CallError", { server, request, reason })

/** @internal */
export const callNoProcess = (server: string, request: string): CallError => callError(server, request, noProcess)

/** @internal */
export const callTimeout = (server: string, request: string, after: number, outer?: Timeout["outer"]): CallError =>
  callError(server, request, lightError(Timeout, "Timeout", outer === undefined ? { after } : { after, outer }))

/** @internal */
export const callServerExited = (server: string, request: string, reason: ExitReason.ExitReason): CallError =>
  callError(server, request, lightError(ServerExited, "ServerExited", { reason }))

const overloaded = lightError(Overloaded, "Overloaded", {})

/** @internal */
export const callOverloaded = (server: string, request: string): CallError => callError(server, request, overloaded)

/** @internal */
export const callCallingSelf = (server: string, request: string, chain: ReadonlyArray<string>): CallError =>
  callError(server, request, lightError(CallingSelf, "CallingSelf", { chain }))

// ----------------------------------------------------------------------------
// starting
// ----------------------------------------------------------------------------

/**
 * `init` failed with its typed error. The process ended `Normal`: nobody who was linked to it is hurt.
 *
 * @category errors
 * @since 0.1.0
 */
export class InitFailed<out E> extends Data.TaggedError("InitFailed")<{ readonly error: unknown }> {
  declare readonly error: E
  override get message(): string {
    return `init failed with ${format(this.error)}`
  }
}

/**
 * `init` died.
 *
 * @category errors
 * @since 0.1.0
 */
export class InitCrashed extends Data.TaggedError("Crashed")<{ readonly cause: Cause.Cause<unknown> }> {
  override get message(): string {
    return `init crashed: ${Cause.pretty(this.cause)}`
  }
}

/**
 * The name, or the child, is there already.
 *
 * @category errors
 * @since 0.1.0
 */
export class AlreadyStarted extends Data.TaggedError("AlreadyStarted")<{ readonly pid: Pid<never, unknown> }> {
  override get message(): string {
    return `already started as ${this.pid}`
  }
}

/**
 * `init` took longer than the start was allowed to take; the process was killed.
 *
 * @category errors
 * @since 0.1.0
 */
export class StartTimeout extends Data.TaggedError("Timeout")<{
  /** The time that was allowed, in milliseconds. */
  readonly after: number
}> {
  override get message(): string {
    return `init did not end within ${this.after} ms, and was killed: allow it more time with { timeout }`
  }
}

/**
 * `init` chose not to start (`GenServer.ignore`).
 *
 * @category errors
 * @since 0.1.0
 */
export class Ignored extends Data.TaggedError("Ignored")<{}> {
  override get message(): string {
    return "init chose not to start"
  }
}

/**
 * The process ended before `init` was done.
 *
 * @category errors
 * @since 0.1.0
 */
export class Stopped extends Data.TaggedError("Stopped")<{ readonly reason: ExitReason.ExitReason }> {
  override get message(): string {
    return `stopped during init (${ExitReason.format(this.reason)})`
  }
}

/**
 * Two children of one supervisor have the same id.
 *
 * @category errors
 * @since 0.1.0
 */
export class DuplicateId extends Data.TaggedError("DuplicateId")<{ readonly id: string }> {
  override get message(): string {
    return `two children have the id ${format(this.id)}: give one of them another`
  }
}

/**
 * A server or a tree did not start. Nothing of it is left running.
 *
 * **Details**
 *
 * `childPath` leads from the root of the tree to the child that failed; it is empty for a server started by itself.
 * `reason` is one of `InitFailed { error }` (its typed error), `Crashed { cause }`, `AlreadyStarted { pid }`,
 * `Timeout { after }`, `Ignored`, `Stopped { reason }` and `DuplicateId { id }`.
 *
 * @category errors
 * @since 0.1.0
 */
export class StartError<out E = never> extends Data.TaggedError("StartError")<{
  readonly childPath: ReadonlyArray<string>
  readonly reason: unknown
}> {
  declare readonly reason: StartFailure<E>
  override get message(): string {
    const where = this.childPath.length === 0 ? "the process" : this.childPath.join("/")
    return `${where} did not start: ${this.reason.message}`
  }
}

/**
 * Why a start failed.
 *
 * @category errors
 * @since 0.1.0
 */
export type StartFailure<E> =
  | InitFailed<E>
  | InitCrashed
  | AlreadyStarted
  | StartTimeout
  | Ignored
  | Stopped
  | DuplicateId

// ----------------------------------------------------------------------------
// tasks
// ----------------------------------------------------------------------------

/**
 * No answer of the task came in time.
 *
 * **Details**
 *
 * After `Task.await` and `Task.awaitMany` the task runs on, linked to its owner, and its late answer is dropped. An item of
 * `Task.asyncStream` was ended: `killed` is true.
 *
 * @category errors
 * @since 0.1.0
 */
export class TaskTimeout extends Data.TaggedError("Timeout")<{
  /** The time that was allowed, in milliseconds. */
  readonly after: number
  /** Whether the task was killed. */
  readonly killed: boolean
}> {
  override get message(): string {
    return `no answer within ${this.after} ms; ` + (this.killed
      ? "it was killed, and may have done a part of its work: allow it more time with { timeout }"
      : "it still runs and its late answer will be dropped: end it with Task.shutdown, " +
        "allow it more time with { timeout }, or ask with Task.yield, which can be repeated")
  }
}

/**
 * The task ended before it answered. It may have done a part of its work.
 *
 * @category errors
 * @since 0.1.0
 */
export class TaskExited extends Data.TaggedError("Exited")<{
  readonly reason: ExitReason.ExitReason
}> {
  override get message(): string {
    return `it ended before it answered (${ExitReason.format(this.reason)}); it may have done a part of its work`
  }
}

/**
 * The answer of the task was taken before, or was given up: there is one answer, and it can be taken once.
 *
 * @category errors
 * @since 0.1.0
 */
export class TaskAlreadyTaken extends Data.TaggedError("AlreadyTaken")<{}> {
  override get message(): string {
    return "its answer was taken or given up before: keep what the first await gave, " +
      "or ask with Task.yield as long as it may not be done"
  }
}

/**
 * What waiting for a task can fail with beside the error of the task itself.
 *
 * **When to use**
 *
 * Catch one reason with `Effect.catchReason("TaskError", "Timeout", …)`.
 *
 * **Details**
 *
 * `task` names the task (its label and pid; several of them, if `Task.awaitMany` waited for several). `reason` is one of
 * `Timeout { after, killed }`, `Exited { reason }` (a crash, an exit, a signal) and `AlreadyTaken`.
 *
 * @category errors
 * @since 0.1.0
 */
export class TaskError extends Data.TaggedError("TaskError")<{
  readonly task: string
  readonly reason: TaskTimeout | TaskExited | TaskAlreadyTaken
}> {
  override get message(): string {
    return `task ${this.task}: ${this.reason.message}`
  }
}

equalByFields(TaskTimeout, TaskExited, TaskAlreadyTaken, TaskError)

const taskError = (task: string, reason: TaskError["reason"]): TaskError =>
  lightError(TaskError, "TaskError", { task, reason })

/** @internal */
export const taskTimeout = (task: string, after: number, killed: boolean): TaskError =>
  taskError(task, lightError(TaskTimeout, "Timeout", { after, killed }))

/** @internal */
export const taskExited = (task: string, reason: ExitReason.ExitReason): TaskError =>
  taskError(task, lightError(TaskExited, "Exited", { reason }))

/** @internal */
export const taskAlreadyTaken = (task: string): TaskError =>
  taskError(task, lightError(TaskAlreadyTaken, "AlreadyTaken", {}))

// ----------------------------------------------------------------------------
// processes, names, supervisors
// ----------------------------------------------------------------------------

/**
 * `receiveMatch` waited as long as it was told to, and no message matched. Nothing was taken from the mailbox.
 *
 * @category errors
 * @since 0.1.0
 */
export class ReceiveTimeout extends Data.TaggedError("ReceiveTimeout")<{
  /** The time that was allowed, in milliseconds. */
  readonly after: number
}> {
  override get message(): string {
    return `no message matched within ${this.after} ms`
  }
}

equalByFields(ReceiveTimeout)

/** @internal */
export const receiveTimeout = (after: number): ReceiveTimeout => lightError(ReceiveTimeout, "ReceiveTimeout", { after })

/**
 * A message was not sent: the mailbox of the receiver is full, and has the policy `fail`.
 *
 * **Details**
 *
 * The sender's type has it where it can happen: in `Pid<M, MailboxFull>`, and in a cast that declares it. A call to such a
 * server fails with `CallError` and `Overloaded` instead.
 *
 * @category errors
 * @since 0.1.0
 */
export class MailboxFull extends Data.TaggedError("MailboxFull")<{
  /** Who was sent to: a service, a registered name or a pid. */
  readonly target: string
  readonly capacity: number
}> {
  override get message(): string {
    return `the mailbox of ${this.target} is full (capacity ${this.capacity}); the message was not sent`
  }
}

/** @internal */
export const mailboxFull = (target: string, capacity: number): MailboxFull =>
  lightError(MailboxFull, "MailboxFull", { target, capacity })

/**
 * A name could not be registered or unregistered. Nothing was changed.
 *
 * **Details**
 *
 * `reason` is `NameTaken` (`holder` has it), `AlreadyNamed` (the process has the name `holds`; it can have one),
 * `NotAlive`, or `NotRegistered` (there is nothing to unregister).
 *
 * @category errors
 * @since 0.1.0
 */
export class RegistrationError extends Data.TaggedError("RegistrationError")<{
  readonly name: string
  readonly reason:
    | { readonly _tag: "NameTaken"; readonly holder: Pid<never, unknown> }
    | { readonly _tag: "AlreadyNamed"; readonly holds: string }
    | { readonly _tag: "NotAlive"; readonly pid: Pid<never, unknown> }
    | { readonly _tag: "NotRegistered" }
}> {
  override get message(): string {
    const name = format(this.name)
    switch (this.reason._tag) {
      case "NameTaken":
        return `the name ${name} is held by ${this.reason.holder}`
      case "AlreadyNamed":
        return `the process cannot be named ${name}: it has the name ${format(this.reason.holds)}`
      case "NotAlive":
        return `the process ${this.reason.pid} cannot be named ${name}: it is not alive`
      case "NotRegistered":
        return `nobody holds the name ${name}`
    }
  }
}

/**
 * A supervisor gave up: its children needed more restarts than its intensity allows, or a significant child ended.
 *
 * **Details**
 *
 * `child` says which one it was about, how that had ended, and what made it one end too many; its last error, if it had
 * crashed, is the `cause`. There is none where the supervisor was ended from outside.
 *
 * @category errors
 * @since 0.1.0
 */
export class GaveUp extends Data.TaggedError("GaveUp")<{
  readonly supervisor: string
  readonly reason: ExitReason.ExitReason
  readonly child?: { readonly id: string; readonly reason: ExitReason.ExitReason; readonly why: string }
  readonly cause?: unknown
}> {
  override get message(): string {
    if (this.child === undefined) return `the supervisor ${this.supervisor} gave up (${ExitReason.format(this.reason)})`
    const { id, reason, why } = this.child
    return `the supervisor ${this.supervisor} gave up: child ${id} ended (${ExitReason.format(reason)}), and ${why}`
  }
}

/**
 * A dynamic supervisor has as many children as it may: nothing was started.
 *
 * @category errors
 * @since 0.1.0
 */
export class MaxChildren extends Data.TaggedError("MaxChildren")<{ readonly max: number }> {
  override get message(): string {
    return `no child was started: ${this.max} are allowed, and those that are being restarted count, too`
  }
}

equalByFields(MaxChildren)

/** @internal */
export const maxChildren = (max: number): MaxChildren => lightError(MaxChildren, "MaxChildren", { max })

/**
 * The supervisor has no child of this id; a dynamic supervisor, none of this pid.
 *
 * @category errors
 * @since 0.1.0
 */
export class ChildNotFound extends Data.TaggedError("ChildNotFound")<{ readonly id: string }> {
  override get message(): string {
    return `there is no child ${format(this.id)}: Supervisor.whichChildren gives those that there are`
  }
}

/**
 * The child runs: it has to be terminated before it can be restarted or deleted.
 *
 * @category errors
 * @since 0.1.0
 */
export class ChildRunning extends Data.TaggedError("ChildRunning")<{
  readonly id: string
  readonly pid: Pid<never, unknown>
}> {
  override get message(): string {
    return `the child ${format(this.id)} runs as ${this.pid}: terminate it first`
  }
}

/**
 * The child is about to be restarted by its supervisor.
 *
 * @category errors
 * @since 0.1.0
 */
export class ChildRestarting extends Data.TaggedError("ChildRestarting")<{ readonly id: string }> {
  override get message(): string {
    return `the child ${format(this.id)} is being restarted: terminate it first`
  }
}

// ----------------------------------------------------------------------------
// system requests
// ----------------------------------------------------------------------------

/**
 * The process has a body of its own and no behaviour: it understands no system requests.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotAServer extends Data.TaggedError("NotAServer")<{
  /** The process, as it prints. */
  readonly target: string
  readonly request: string
}> {
  override get message(): string {
    return `${this.request} is a request to a behaviour, and ${this.target} is a process with a body of its own`
  }
}

/**
 * What a system request runs in a server has died there. The server goes on with the state that it had.
 *
 * @category errors
 * @since 0.1.0
 */
export class CallbackFailed extends Data.TaggedError("CallbackFailed")<{
  /** The kind of server. */
  readonly server: string
  readonly request: string
  readonly cause: Cause.Cause<unknown>
}> {
  override get message(): string {
    return `${this.request} failed in ${this.server}, which keeps its state: ${Cause.pretty(this.cause)}`
  }
}

/**
 * The code of a server can be changed only while it is suspended (`Sys.suspend`). Nothing was changed.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotSuspended extends Data.TaggedError("NotSuspended")<{
  /** The process, as it prints. */
  readonly target: string
  readonly request: string
}> {
  override get message(): string {
    return `${this.request} needs ${this.target} to be suspended first, with Sys.suspend`
  }
}
