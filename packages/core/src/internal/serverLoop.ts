/**
 * The loop of a server: a plain function that the run queue calls, which takes messages as long as callbacks give steps.
 *
 * A server that waits holds no fiber. One is made when a callback gives an Effect, and it is gone when that Effect has
 * ended; if it ends at once, the loop never left. What a step means is decided in `apply`, and everything that ends a
 * server goes through `stop` (`serverEnd.ts`).
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import { format } from "effect/Formatter"
import { isPromise } from "effect/Predicate"
import * as ExitReason from "../ExitReason.ts"
import { CallError, Ignored, InitFailed } from "../OtpError.ts"
import { type Options, StepImpl } from "../Step.ts"
import { reportFinalizer, reportUnexpected } from "./crashReport.ts"
import * as Input from "./input.ts"
import { unbound, wake } from "./lifecycle.ts"
import * as Mailbox from "./mailbox.ts"
import { alive, type Behaviour, ending, type Entry } from "./processTable.ts"
import { Cast, completeOnce, Request } from "./request.ts"
import { runEffect } from "./serverEffect.ts"
import { closeScope, concludeServer, crash, end, stop } from "./serverEnd.ts"
import { Continue, endingOf, InitImpl, InitTypeId, type ServerState, shownState } from "./serverState.ts"
import { answered, received, shiftUrgent, type System, tell } from "./serverSystem.ts"
import { restartTimeout, stopTimeout, wait } from "./serverTimeout.ts"
import { type Exit as ExitMessage, isExit } from "./signal.ts"
import { SystemRequest } from "./systemRequest.ts"

// A server that always has a message lets others have their turn after so many.
const messagesPerTurn = 64

export const serverBehaviour: Behaviour = {
  takesStop: true,
  turn: (entry) => {
    const server = entry.state as ServerState
    server.running = true
    entry.waiting = false
    if (server.phase === "closed") concludeServer(entry, server)
    else if (entry.status !== alive) end(entry, server)
    else if (server.phase === "new") init(entry, server)
    else if (!server.busy) loop(entry, server)
    server.running = false
  },
  end: (entry) => {
    const server = entry.state as ServerState
    // Code of its own that is on the stack looks for itself.
    if (!server.running) end(entry, server)
  },
  exitSelf: (entry) => {
    const server = entry.state as ServerState
    endingOf(server).exits = true
  },
  initialCall: (entry) => (entry.state as ServerState).definition.name,
  isBusy: (entry) => (entry.state as ServerState).busy
}

const loop = (entry: Entry, server: ServerState): void => {
  for (let left = messagesPerTurn; left > 0; left--) {
    if (entry.status !== alive) return end(entry, server)
    if (server.continueWith !== undefined) {
      if (!continueWith(entry, server)) return
      continue
    }
    const node = server.system?.suspended === true ? nextUrgent(entry, server, server.system) : Mailbox.shift(entry)
    if (node === undefined) return wait(entry, server)
    if (!take(entry, server, node)) return
  }
  entry.waiting = true
  wake(entry)
}

// ----------------------------------------------------------------------------
// messages
// ----------------------------------------------------------------------------

/** Handles one message, and tells whether the loop may go on. */
const take = (entry: Entry, server: ServerState, node: Mailbox.MailNode): boolean => {
  if (node.kind === Mailbox.system) return takeSystem(entry, server, node)
  stopTimeout(entry, server)
  switch (node.kind) {
    case Mailbox.call: {
      const request = node as Request
      // Its caller has given up: it must not run.
      if (!request.begin()) {
        server.skipped++
        server.telemetry?.skip(request.operation.tag)
        return true
      }
      server.lastMessage = request
      if (server.system !== undefined && !listened(entry, server, server.system, request)) return true
      const { tag } = request.operation
      server.telemetry?.begin(request, tag, "server")
      const handler = server.definition.handlers[tag]
      return run(entry, server, handler, request.message, request)
    }
    case Mailbox.cast: {
      const cast = node as Cast
      server.lastMessage = cast
      if (server.system !== undefined && !listened(entry, server, server.system, cast)) return true
      server.telemetry?.begin(cast, cast.tag, "consumer")
      const handler = server.definition.handlers[cast.tag]
      return run(entry, server, handler, cast.message, undefined)
    }
    case Mailbox.signal:
      if (isExit(node.message) && isParent(entry, server, node.message)) {
        stop(entry, server, node.message.reason)
        return false
      }
  }
  server.lastMessage = node.message
  if (server.system !== undefined && !listened(entry, server, server.system, node)) return true
  const info = server.definition.info
  if (info === undefined) {
    if (node.kind !== Mailbox.timeout) reportUnexpected(entry, server.definition.name, node.message)
    return true
  }
  server.telemetry?.begin(node, "info", undefined)
  return run(entry, server, info, node.message, undefined)
}

const takeSystem = (entry: Entry, server: ServerState, node: Mailbox.MailNode): boolean => {
  if (!(node instanceof SystemRequest)) {
    stop(entry, server, node.message as ExitReason.ExitReason)
    return false
  }
  restartTimeout(entry, server)
  node.perform(entry, server)
  // It may have ended the server, which then has its own way.
  return server.phase === "running"
}

/** Tells of a message, and whether it may be handled: whoever is told may have ended the server. */
const listened = (entry: Entry, server: ServerState, system: System, node: Mailbox.MailNode): boolean => {
  if (system.listeners.length === 0) return true
  // Its caller is told if it is not handled.
  server.current = node instanceof Request ? node : undefined
  tell(system, received(node))
  return entry.status === alive
}

/** What is handled also while the server is suspended: system requests, and the exit of its parent. */
const nextUrgent = (entry: Entry, server: ServerState, system: System): Mailbox.MailNode | undefined =>
  shiftUrgent(
    entry,
    system,
    ({ kind, message }) =>
      kind === Mailbox.system || (kind === Mailbox.signal && isExit(message) && isParent(entry, server, message))
  )

/** Who was started without a link is its own parent, as in OTP. */
const isParent = (entry: Entry, { parent }: ServerState, { pid }: ExitMessage): boolean =>
  parent === undefined ? pid === entry : (pid as Entry).id === parent

const continueWith = (entry: Entry, server: ServerState): boolean => {
  const next = server.continueWith!
  server.continueWith = undefined
  server.lastMessage = next
  if (server.system !== undefined) {
    tell(server.system, { _tag: "Continue", term: next.continue })
    if (entry.status !== alive) return true
  }
  const callback = server.definition.continue
  if (callback === undefined) {
    const message = `${server.definition.name}: a step continues, and there is no continue callback`
    return crash(entry, server, Cause.die(new Error(message)))
  }
  server.telemetry?.begin(next, "continue", undefined)
  return run(entry, server, callback, next.continue, undefined)
}

// ----------------------------------------------------------------------------
// callbacks and their results
// ----------------------------------------------------------------------------

/** Runs one callback, and tells whether the loop may go on: not while its Effect runs, and not when the server ends. */
const run = (
  entry: Entry,
  server: ServerState,
  callback: (state: unknown, message: unknown, from: never) => unknown,
  message: unknown,
  request: Request | undefined
): boolean => {
  server.turn++
  server.busy = true
  server.current = request
  let result: unknown
  try {
    result = callback(server.state, message, request as never)
  } catch (defect) {
    return crash(entry, server, Cause.die(defect))
  }
  if (result instanceof StepImpl) return apply(entry, server, result, request)
  return runResult(entry, server, result, request)
}

const runResult = (entry: Entry, server: ServerState, result: unknown, request: Request | undefined): boolean =>
  runEffect(entry, server, result, (exit, sync) => {
    const goOn = onExit(entry, server, exit, request)
    if (!sync && goOn) loop(entry, server)
    return goOn
  })

const onExit = (
  entry: Entry,
  server: ServerState,
  exit: Exit.Exit<unknown, unknown>,
  request: Request | undefined
): boolean => {
  if (entry.status !== alive) return interrupted(entry, server, exit)
  if (exit._tag === "Success") {
    if (exit.value instanceof StepImpl) return apply(entry, server, exit.value, request)
    return crash(entry, server, Cause.die(badResult(server, request, exit.value)))
  }
  const error = answer(exit.cause, request)
  if (error === undefined) return crash(entry, server, exit.cause)
  completeOnce(entry, request!, error)
  if (server.system !== undefined) tellAnswer(server, server.system, request!, error)
  return finished(server)
}

/** The Effect of a callback has come to its end after a signal has ended the server. */
const interrupted = (entry: Entry, server: ServerState, exit: Exit.Exit<unknown, unknown>): false => {
  reportFinalizer(entry, exit)
  end(entry, server)
  return false
}

/**
 * A typed failure is an answer, everything else a crash. The error of a call to another server is an answer only if this
 * request declares it, since who does not expect it must not go on as if nothing had happened, or if it is the time of this
 * request that was over.
 */
export const answer = (
  cause: Cause.Cause<unknown>,
  request: Request | undefined
): Exit.Exit<never, unknown> | undefined => {
  if (request === undefined || cause.reasons.length !== 1) return undefined
  const reason = cause.reasons[0]
  if (reason._tag !== "Fail") return undefined
  if (!(reason.error instanceof CallError) || ofOuter(reason.error) || request.operation.declares(reason.error)) {
    return Exit.fail(reason.error)
  }
  return undefined
}

// Whoever asked has no time left and is told so: that must not end a server which others ask, too.
const ofOuter = ({ reason }: CallError): boolean => reason._tag === "Timeout" && reason.outer !== undefined

const finished = (server: ServerState): boolean => {
  server.telemetry?.end(server.current?.exit ?? Exit.void)
  server.busy = false
  server.current = undefined
  return true
}

const apply = (entry: Entry, server: ServerState, step: StepImpl, request: Request | undefined): boolean => {
  // A handler without an Effect may have been ended by a signal that it sent to itself.
  if (entry.status !== alive) {
    end(entry, server)
    return false
  }
  if (request === undefined && (step._tag === "Reply" || step._tag === "Fail" || step._tag === "ReplyAndStop")) {
    return crash(entry, server, Cause.die(badResult(server, request, step)))
  }
  // Before anything of the step is done: one whose options are refused is no step.
  if (step.options !== undefined && !follow(entry, server, step.options)) return false
  server.state = step.state
  switch (step._tag) {
    case "Reply":
      completeOnce(entry, request!, Exit.succeed(step.value))
      break
    case "Fail":
      completeOnce(entry, request!, Exit.fail(step.value))
      break
    case "NoReply":
      if (request !== undefined && !request.isDone) defer(server, request)
      break
    case "ReplyAndStop":
      answerAfterTerminate(entry, server, step, request!)
      stop(entry, server, step.reason!)
      return false
    case "Stop":
      stop(entry, server, step.reason!)
      return false
  }
  if (server.system !== undefined) tellStep(server, server.system, step, request)
  return finished(server)
}

// Closures have functions of their own here: a callback that needs none would pay for the variables that one holds.
const answerAfterTerminate = (entry: Entry, server: ServerState, step: StepImpl, request: Request): void => {
  endingOf(server).afterTerminate = () => {
    const reply = Exit.succeed(step.value)
    completeOnce(entry, request, reply)
    if (server.system !== undefined) tellAnswer(server, server.system, request, reply)
  }
}

const tellStep = (server: ServerState, system: System, step: StepImpl, request: Request | undefined): void => {
  if (step._tag === "Reply") tellAnswer(server, system, request!, Exit.succeed(step.value))
  else if (step._tag === "Fail") tellAnswer(server, system, request!, Exit.fail(step.value))
  else if (system.listeners.length > 0) tell(system, { _tag: "State", state: shownState(server) })
}

const tellAnswer = (
  server: ServerState,
  system: System,
  request: Request,
  reply: Exit.Exit<unknown, unknown>
): void => {
  if (system.listeners.length > 0) tell(system, answered(request, reply, shownState(server)))
}

/** Notes what a step wants to come next. */
const follow = (entry: Entry, server: ServerState, options: Options<unknown>): boolean => {
  try {
    note(server, options)
    return true
  } catch (defect) {
    return crash(entry, server, Cause.die(defect))
  }
}

const note = (server: ServerState, options: Options<unknown>): void => {
  if (options.timeout !== undefined) server.timeout = Input.millis("timeout", options.timeout)
  if ("continue" in options) server.continueWith = new Continue(options.continue)
}

const defer = (server: ServerState, request: Request): void => {
  const deferred = server.deferred ??= new Set()
  deferred.add(request)
  request.onDone = (request) => deferred.delete(request)
}

const badResult = (server: ServerState, request: Request | undefined, result: unknown): Error => {
  const got = result instanceof StepImpl ? `${result._tag}, and there is nobody to answer` : format(result)
  const what = `${server.definition.name}: ${callbackOf(server, request)}`
  return new TypeError(`${what} must give a Step, or an Effect of one; it gave ${got}${hint(request, result)}`)
}

/** What to do about the mistakes that are made most often. */
const hint = (request: Request | undefined, result: unknown): string => {
  if (result === undefined) {
    return `. Return ${request === undefined ? "Step.noReply(state)" : "Step.reply(value, state)"} from every branch`
  }
  return isPromise(result) ? ". A promise is awaited by Effect.promise(() => …)" : ""
}

const callbackOf = ({ lastMessage }: ServerState, request: Request | undefined): string => {
  if (request !== undefined) return `the handler of ${request.operation.tag}`
  if (lastMessage instanceof Cast) return `the handler of ${lastMessage.tag}`
  return lastMessage instanceof Continue ? "continue" : "info"
}

// ----------------------------------------------------------------------------
// init
// ----------------------------------------------------------------------------

const init = (entry: Entry, server: ServerState): void => {
  server.phase = "init"
  server.busy = true
  server.turn++
  entry.trapsExit = server.definition.trapExit === true
  let result: unknown
  try {
    result = server.definition.init(server.starter!.args, entry)
  } catch (defect) {
    return failInit(entry, server, Cause.die(defect))
  }
  runEffect(entry, server, result, (exit, sync) => {
    if (entry.status !== alive) return interrupted(entry, server, exit)
    if (exit._tag === "Failure") {
      failInit(entry, server, exit.cause)
      return false
    }
    const goOn = initialised(entry, server, exit.value)
    // Never in this turn: whoever started the server hears of it before its first message is handled.
    if (goOn) {
      if (entry.length === 0 && server.continueWith === undefined) wait(entry, server)
      else wake(entry)
    }
    return goOn && sync
  })
}

const initialised = (entry: Entry, server: ServerState, result: unknown): boolean => {
  if (result instanceof InitImpl && result[InitTypeId] !== "Init") {
    if (result[InitTypeId] === "Ignore") server.starter!.failure = new Ignored()
    endInit(entry, server, result[InitTypeId] === "Stop" ? result.reason as ExitReason.ExitReason : ExitReason.normal)
    return false
  }
  try {
    if (result instanceof InitImpl) note(server, (result.options ?? {}) as Options<unknown>)
    else if (result instanceof StepImpl || isPromise(result)) throw badState(server, result)
  } catch (defect) {
    failInit(entry, server, Cause.die(defect))
    return false
  }
  server.state = result instanceof InitImpl ? result.state : result
  server.phase = "running"
  server.starter?.started()
  server.starter = undefined
  return finished(server)
}

/** Almost anything is a state. These never are meant to be. */
const badState = ({ definition }: ServerState, result: unknown): Error => {
  const got = result instanceof StepImpl ? `the step ${result._tag}` : "a promise"
  const what = `${definition.name}: init must give the first state, GenServer.init(state, …), or an Effect of one`
  return new TypeError(`${what}; it gave ${got}${hint(undefined, result)}`)
}

/** The typed failure of `init` is an answer to whoever started the server: the process ends normally, and hurts nobody. */
const failInit = (entry: Entry, server: ServerState, cause: Cause.Cause<unknown>): void => {
  const reason = cause.reasons.length === 1 ? cause.reasons[0] : undefined
  if (reason?._tag === "Fail") {
    server.starter!.failure = new InitFailed({ error: reason.error })
    return endInit(entry, server, ExitReason.normal)
  }
  endingOf(server).crash = cause
  endInit(entry, server, ExitReason.crashed(cause))
}

const endInit = (entry: Entry, server: ServerState, reason: ExitReason.ExitReason): void => {
  entry.status = ending
  entry.reason = reason
  unbound(entry)
  const how = endingOf(server)
  how.endsItself = true
  how.reports = ExitReason.isAbnormal(reason)
  closeScope(entry, server)
}
