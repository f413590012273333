/**
 * Requests that are sent now and asked for later: each has a slot of its own for its answer.
 *
 * @internal
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Hash from "effect/Hash"
import { callCallingSelf, type CallError } from "../OtpError.ts"
import { type Address, locate } from "./address.ts"
import { Call, checkProtocol, payloadOf } from "./calling.ts"
import { circleOfSent } from "./circle.ts"
import { entryOf, tableOf } from "./current.ts"
import * as Deadline from "./deadline.ts"
import * as FewSet from "./fewSet.ts"
import * as Input from "./input.ts"
import { alive, type Entry, runQueueOf } from "./processTable.ts"
import { type Operation, Request, timedOut } from "./request.ts"
import type { RunQueue } from "./runQueue.ts"
import type { ServerState } from "./serverState.ts"
import type { Wait } from "./tap.ts"
import { after } from "./wait.ts"
import { unwrapped } from "./where.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

// So that of many answers the one that came first can be told.
let answers = 0

export class Sent extends Request {
  /** Who got the request. */
  readonly target: Entry | undefined
  waiters: FewSet.FewSet<(sent: Sent) => void> = undefined
  order = 0

  constructor(
    operation: Operation,
    payload: unknown,
    address: Address,
    runQueue: RunQueue,
    caller: Entry | undefined,
    target: Entry | undefined
  ) {
    // Nobody waits for it yet, and no time is running.
    super(operation, payload, address, runQueue, undefined, caller, -1)
    this.target = target
  }

  override settle(...[status, exit]: Parameters<Request["settle"]>): void {
    this.order = ++answers
    super.settle(status, exit)
    if (this.waiters !== undefined) this.runQueue.schedule(this)
  }

  override run(): void {
    FewSet.forEach(this.waiters, (tell) => tell(this))
  }

  /** What came of it; undefined as long as nothing did. Dies if somebody has given it up. */
  get outcome(): Exit.Exit<unknown, unknown> | undefined {
    if (this.exit === undefined && this.isDone) {
      const why = "a receive that was to wait for its answer was interrupted"
      return Exit.die(new Error(`the request ${this} was given up: ${why}; GenServer.waitResponse keeps it`))
    }
    return this.exit
  }

  /** Nobody will ask for it any more: if it is still queued it never runs. */
  abandon(millis: number): void {
    this.fail(timedOut(this, millis, undefined))
  }

  // By default two requests with the same content would be equal.
  [Equal.symbol](that: unknown): boolean {
    return this === that
  }

  [Hash.symbol](): number {
    return Hash.random(this)
  }
}

// ----------------------------------------------------------------------------
// sending
// ----------------------------------------------------------------------------

const noRequest = "a request of a client, such as counter.value() or Agent.get(agent, f) without a timeout, " +
  "and not what is done with its answer, which comes after GenServer.receiveResponse"

/** The request that the method of a client describes, not sent yet. */
export const prepare = (fiber: AnyFiber, what: string, given: unknown): Sent => {
  const effect = unwrapped(given)
  if (!(effect instanceof Call)) throw new TypeError(`${what}: expected ${noRequest}`)
  const { address, operation, protocol } = effect
  const payload = payloadOf(effect, fiber)
  const table = tableOf(fiber)
  const target = locate(table, address)
  if (target !== undefined && target.status === alive) checkProtocol(target, address, protocol, operation.tag)
  const queue = runQueueOf(table, fiber.cache.scheduler)
  const sent = new Sent(operation, payload, address, queue, entryOf(fiber), target)
  if (target?.status === alive) (target.state as ServerState).telemetry?.sent(sent, fiber.cache.span)
  return sent
}

/** Sends it, and never waits: where there is no room it is the request that waits. */
export const post = (sent: Sent): void => {
  if (sent.target === undefined) sent.undelivered()
  else sent.post(sent.target)
}

// ----------------------------------------------------------------------------
// waiting
// ----------------------------------------------------------------------------

export interface WaitOptions {
  readonly timeout?: Duration.Input | undefined
}

export const millisOf = (options: WaitOptions | undefined): number =>
  options?.timeout === undefined ? Infinity : Input.millis("timeout", options.timeout)

/** The one that was answered first. */
export const firstOf = (all: Iterable<Sent>): Sent | undefined => {
  let first: Sent | undefined
  for (const sent of all) {
    if (sent.outcome !== undefined && (first === undefined || sent.order < first.order)) first = sent
  }
  return first
}

/** Waits for the first answer; undefined when the time is over. */
const awaitFirst = (
  fiber: AnyFiber,
  all: Iterable<Sent>,
  millis: number
): Effect.Effect<Sent | undefined> =>
  Effect.callback((resume) => {
    const first = firstOf(all)
    if (first !== undefined) return resume(Effect.succeed(first))
    const stop = () => {
      cancel()
      for (const sent of all) sent.waiters = FewSet.remove(sent.waiters, tell)
    }
    const tell = () => {
      stop()
      resume(Effect.succeed(firstOf(all)))
    }
    const cancel = after(fiber, millis, tell)
    for (const sent of all) sent.waiters = FewSet.add(sent.waiters, tell)
    tableOf(fiber).tap?.({ _tag: "Waits", wait: waitFor(all, (sent) => FewSet.has(sent.waiters, tell)) })
    return Effect.sync(stop)
  })

const waitFor = (all: Iterable<Sent>, waits: (sent: Sent) => boolean): Wait<Entry> => {
  const requests = Array.from(all)
  return {
    what: `the answer to ${requests.join(" or ")}`,
    of: requests[0]?.target,
    isOver: () => !requests.some(waits)
  }
}

/** Why a server that waits for an answer here would wait for itself, if it would. */
const closesCircle = (sent: Sent, calling: Entry | undefined): CallError | undefined => {
  if (calling === undefined || sent.target === undefined) return undefined
  const chain = circleOfSent(calling, sent.target)
  return chain === undefined ? undefined : callCallingSelf(sent.shown, sent.operation.tag, chain)
}

/** Those who are called meanwhile know that the server waits. */
const whileWaiting = <A, E>(sent: Sent, calling: Entry | undefined, effect: Effect.Effect<A, E>) => {
  if (calling === undefined) return effect
  sent.caller = calling
  sent.callerTurn = (calling.state as ServerState).turn
  return Effect.onExit(effect, () => Effect.sync(() => sent.callerTurn = -1))
}

/** Waits for the answer of one request, and gives it up when the time is over. */
export const receive = (fiber: AnyFiber, sent: Sent, millis: number): Effect.Effect<unknown, unknown> => {
  if (sent.outcome !== undefined) return sent.outcome
  const calling = Deadline.callingServer(fiber)
  const circle = closesCircle(sent, calling)
  if (circle !== undefined) return Exit.fail(circle)
  // Another fiber may wait for it, too: whoever gives it up first does so for both.
  const ownTimer = sent.limit === undefined ? Infinity : millis
  Deadline.limit(sent, fiber, millis, Deadline.outerOf(calling, fiber))
  return whileWaiting(sent, calling, awaitFirst(fiber, [sent], ownTimer)).pipe(
    Effect.flatMap((answered) => {
      if (answered === undefined) sent.abandon(millis)
      return sent.outcome!
    }),
    Effect.onInterrupt(() => Effect.sync(() => sent.giveUp()))
  )
}

/** What comes first, an answer or the end of the time; undefined for that. */
export const next = (
  fiber: AnyFiber,
  all: Iterable<Sent>,
  millis: number
): Effect.Effect<Sent | undefined, CallError> => {
  const first = firstOf(all)
  if (first !== undefined || millis === 0) return Effect.succeed(first)
  const calling = Deadline.callingServer(fiber)
  const only = single(all)
  const circle = only === undefined ? undefined : closesCircle(only, calling)
  if (circle !== undefined) return Effect.fail(circle)
  const outer = Deadline.outerOf(calling, fiber)
  const rest = Deadline.leftOf(outer)
  const waited = awaitFirst(fiber, all, Math.min(millis, rest))
  return Effect.flatMap(
    only === undefined ? waited : whileWaiting(only, calling, waited),
    // Data would have a loop that waits again and again turn in a circle: there is no time left to wait.
    (sent) =>
      sent === undefined && rest < millis
        ? Effect.fail(timedOut(Array.from(all)[0]!, rest, outer))
        : Effect.succeed(sent)
  )
}

const single = (all: Iterable<Sent>): Sent | undefined => {
  const [first, second] = all
  return second === undefined ? first : undefined
}
