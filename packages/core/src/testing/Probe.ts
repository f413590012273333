/**
 * A process that stands in for another one in a test: it keeps what it gets, and the test says what that has to be.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import type * as Filter from "effect/Filter"
import type * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as ExitReason from "../ExitReason.ts"
import { Current } from "../internal/current.ts"
import * as Input from "../internal/input.ts"
import { describe, type Entry } from "../internal/processTable.ts"
import { entryOfPid, show as showTarget } from "../internal/resolve.ts"
import type { AnyName, AnyTarget } from "../Name.ts"
import type { Pid } from "../Pid.ts"
import * as Process from "../Process.ts"
import { doings, ExpectationFailed, living, show, under, who } from "./internal/failure.ts"
import { passing } from "./internal/passing.ts"
import { settle } from "./settle.ts"

/**
 * How a probe is made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** What failures and reports call it. Default: `"probe"`. */
  readonly label?: string | undefined
  /** The name to register it under, for code that sends to a name. */
  readonly name?: AnyName | undefined
  /** Exit signals become messages for {@link Probe.expectExit}, instead of ending the probe. Default: false. */
  readonly trapExit?: boolean | undefined
}

/**
 * How long an expectation waits.
 *
 * @category models
 * @since 0.1.0
 */
export interface Within {
  /** Default: until nothing is left to do at this moment, without any time passing. */
  readonly within?: Duration.Input | undefined
}

/**
 * What a message has to be: a value that is equal to it, a predicate or refinement, or an Effect `Filter`, whose outcome is
 * then the result. Without any, every message will do.
 *
 * @category models
 * @since 0.1.0
 */
export interface Expect<M> {
  <N extends M>(pick: Predicate.Refinement<M, N>, options?: Within): Effect.Effect<N>
  <Pass>(pick: Filter.Filter<M, Pass, unknown>, options?: Within): Effect.Effect<Pass>
  (pick: Predicate.Predicate<M>, options?: Within): Effect.Effect<M>
  (expected: M, options?: Within): Effect.Effect<M>
  (): Effect.Effect<M>
}

/**
 * What the reason of an end has to be: one that is equal to it, its tag, or a predicate.
 *
 * @category models
 * @since 0.1.0
 */
export type Reason = ExitReason.ExitReason | ExitReason.ExitReason["_tag"] | Predicate.Predicate<ExitReason.ExitReason>

/**
 * A process that keeps what it gets.
 *
 * **Details**
 *
 * What arrives stays until an expectation takes it, in one order for messages, `Down` and `Exit`.
 *
 * - `expectMessage` takes the oldest message that matches and leaves the others, as a selective receive does. It waits if
 *   there is none yet.
 * - `expectNext` wants the oldest of all that is left to match: another message, or a signal, is a failure at once.
 * - `expectNone` fails if anything is left, or comes. Without `for` it lets everything run that can run without time
 *   passing; with `for` that much time passes, too.
 * - `watch` monitors a process, and `expectDown` takes the `Down` that tells its end. One that was not watched is watched
 *   from then on, too late for one that has ended: its reason is `NoProcess`.
 * - `link` links a process, with exits trapped, and `expectExit` takes its `Exit`: of a linked process that has ended, or of
 *   whoever sent an exit signal.
 * - `messages` gives all messages that have come since the start or the last `clear`, taken or not, in order; `clear` forgets
 *   all that has come, signals, too.
 *
 * An expectation without `within` ends when nothing is left to do, see `settle`. With `within` that much time passes on the
 * Clock at most; a `TestClock` is moved, no further than to the message. What does not hold is a defect: an `AssertionError`
 * that tells what had come, in order, and what all other processes were doing, since a message does not say who sent it.
 *
 * @see {@link make}
 * @category models
 * @since 0.1.0
 */
export interface Probe<in out M> {
  readonly pid: Pid<M>
  readonly expectMessage: Expect<M>
  readonly expectNext: Expect<M>
  readonly expectNone: (options?: { readonly for?: Duration.Input | undefined }) => Effect.Effect<void>
  readonly watch: (target: AnyTarget) => Effect.Effect<void>
  readonly expectDown: (target: AnyTarget, reason?: Reason, options?: Within) => Effect.Effect<ExitReason.ExitReason>
  readonly link: (pid: Pid<never, unknown>) => Effect.Effect<void>
  readonly expectExit: (
    pid: Pid<never, unknown>,
    reason?: Reason,
    options?: Within
  ) => Effect.Effect<ExitReason.ExitReason>
  readonly messages: Effect.Effect<ReadonlyArray<M>>
  readonly clear: Effect.Effect<void>
}

/**
 * Starts a probe, which ends with the Scope.
 *
 * **When to use**
 *
 * Use it where the code under test sends to a process, or ends one: give it the probe's pid, and say what has to arrive.
 * What a server answers, or holds, is asked of the server itself.
 *
 * **Example**
 *
 * ```ts
 * import { Process } from "@effect-otp/core"
 * import { Probe } from "@effect-otp/core/testing"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const probe = yield* Probe.make<string>()
 *   const greeter = yield* Process.spawn((self: Process.Self<string>) =>
 *     Effect.flatMap(self.receive, (name) => Process.send(probe.pid, `hello ${name}`))
 *   )
 *   yield* probe.watch(greeter)
 *   yield* Process.send(greeter, "world")
 *   yield* probe.expectMessage("hello world")
 *   yield* probe.expectDown(greeter, "Normal")
 *   yield* probe.expectNone()
 *   return yield* probe.messages
 * })
 *
 * Effect.runPromise(Effect.scoped(program)) // => ["hello world"]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <M = unknown>(options: Options = {}): Effect.Effect<Probe<M>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { label = "probe", name, trapExit = false } = Input.options(["label", "name", "trapExit"], options)
    const inbox: Inbox = { received: [], waiting: new Set() }
    const body = (self: Process.Self<unknown>) =>
      Effect.forever(Effect.map(self.receive, (message) => arrive(inbox, message)), { disableYield: true })
    // By a kill, which it cannot trap: it has nothing to put in order.
    const pid = yield* Effect.acquireRelease(
      Process.spawn(body, { label }),
      (pid) => Process.exit(pid, ExitReason.kill)
    )
    if (trapExit) yield* as(pid, trapping)
    if (name !== undefined) yield* Effect.orDie(Process.register(name, pid))
    return probeOf<M>(pid, inbox)
  })

// What a probe itself does: its fiber is not needed for it, only that it is the one who asks.
const as = <A, E>(pid: Pid<unknown>, effect: Effect.Effect<A, E, Current>): Effect.Effect<A, E> =>
  Effect.provideService(effect, Current, pid)

// Its body takes whatever comes, signals too.
const trapping = Process.trapExit(true) as Effect.Effect<boolean, never, Current>

// ----------------------------------------------------------------------------
// what arrives
// ----------------------------------------------------------------------------

interface Received {
  readonly message: unknown
  taken: boolean
}

interface Inbox {
  received: Array<Received>
  /** Expectations that look again when something has arrived. */
  readonly waiting: Set<() => void>
}

const arrive = (inbox: Inbox, message: unknown): void => {
  inbox.received.push({ message, taken: false })
  for (const look of inbox.waiting) look()
}

const isSignal = (message: unknown): message is Process.Down | Process.Exit =>
  Process.isDown(message) || Process.isExit(message)

const showReceived = ({ message, taken }: Received): string =>
  `${isSignal(message) ? showSignal(message) : show(message)}${taken ? " (taken)" : ""}`

const showSignal = (signal: Process.Down | Process.Exit): string => {
  const who = Process.isExit(signal) ? signal.pid : signal.target
  return `${Process.isExit(signal) ? "Exit" : "Down"} of ${who}: ${ExitReason.format(signal.reason)}`
}

// ----------------------------------------------------------------------------
// what is expected
// ----------------------------------------------------------------------------

/** What a message comes to, or nothing if it is not what is expected. */
type Match = (message: unknown) => { readonly value: unknown } | undefined

interface Expectation {
  /** As it goes on in "expected …". */
  readonly what: string
  readonly expected: unknown
  readonly match: Match
  /** Only the oldest will do. */
  readonly next: boolean
  readonly millis: number | undefined
}

const ofMessage = (match: Match): Match => (message) => isSignal(message) ? undefined : match(message)

const matching = (args: ReadonlyArray<unknown>): Pick<Expectation, "what" | "expected" | "match"> => {
  if (args.length === 0) return { what: "a message", expected: undefined, match: (message) => ({ value: message }) }
  const [pick] = args
  if (typeof pick !== "function") {
    const match: Match = (message) => Equal.equals(message, pick) ? { value: message } : undefined
    return { what: show(pick), expected: pick, match }
  }
  const match: Match = (message) => {
    const picked: unknown = pick(message)
    if (!Result.isResult(picked)) return picked === true ? { value: message } : undefined
    return Result.isSuccess(picked) ? { value: picked.success } : undefined
  }
  return { what: `a message for which ${pick.name || "the predicate"} holds`, expected: pick, match }
}

const reasonMatches = (reason: Reason | undefined, actual: ExitReason.ExitReason): boolean =>
  reason === undefined ||
  (typeof reason === "function"
    ? reason(actual)
    : typeof reason === "string"
    ? actual._tag === reason
    : Equal.equals(actual, reason))

const showReason = (reason: Reason | undefined): string =>
  reason === undefined
    ? ""
    : ` with ${
      typeof reason === "object" ? ExitReason.format(reason) : typeof reason === "string" ? reason : "a reason"
    }`

const millisOf = ({ within }: Within = {}): number | undefined =>
  within === undefined ? undefined : Input.millis("within", within)

// ----------------------------------------------------------------------------
// the probe
// ----------------------------------------------------------------------------

const probeOf = <M>(pid: Pid<unknown>, inbox: Inbox): Probe<M> => {
  const entry = entryOfPid(pid)
  /** What is monitored, until its end is taken. */
  const watched = new Map<Process.MonitorRef, AnyTarget>()
  /** Others that were there when something was expected: of those that have ended since, nobody else knows. */
  const others = new Map<Entry, string>()

  const look = () => {
    for (const other of living(entry.table)) if (other !== entry) others.set(other, who(other))
  }

  const fail = (message: string, expected: unknown, site: Error): Effect.Effect<never> => {
    look()
    const received = [...inbox.received]
    for (let node = entry.head; node !== undefined; node = node.next) {
      received.push({ message: node.message, taken: false })
    }
    const own = entry.reason === undefined ? [] : [`  it has ended itself: ${ExitReason.format(entry.reason)}`]
    const text = [
      `${describe(entry)} ${message}`,
      ...own,
      ...under("received", received.map(showReceived), "nothing"),
      ...under("others", doings(others), "no other process is there")
    ]
    return Effect.die(new ExpectationFailed(text.join("\n"), expected, received.map(({ message }) => message), site))
  }

  /** Waits until something has arrived that `look` is content with, or the time is over. */
  const wait = (isOver: () => boolean, millis: number | undefined): Effect.Effect<void> => {
    const arrival = Effect.callback<void>((resume) => {
      const again = () => {
        if (!isOver()) return
        inbox.waiting.delete(again)
        resume(Effect.void)
      }
      inbox.waiting.add(again)
      again()
      return Effect.sync(() => inbox.waiting.delete(again))
    })
    if (millis === Infinity) return arrival
    return Effect.raceFirst(arrival, millis === undefined ? settle : passing(millis))
  }

  const expect = ({ expected, match, millis, next, what }: Expectation, site: Error): Effect.Effect<unknown> =>
    Effect.suspend(() => {
      let found: { readonly value: unknown } | undefined
      let at: Received | undefined
      const isOver = () => {
        for (const each of inbox.received) {
          if (each.taken) continue
          at = each
          found = match(each.message)
          if (found !== undefined || next) return true
        }
        return false
      }
      // It is taken by who goes on with it: one that is interrupted leaves it to the next one.
      const answer = () => {
        const over = isOver()
        if (found !== undefined) {
          at!.taken = true
          return Effect.succeed(found.value)
        }
        const which = next ? " next" : ""
        if (over) return fail(`expected ${what}${which}, got ${showReceived(at!)}`, expected, site)
        const until = millis === undefined ? "nothing is left to do" : `${millis} ms are over`
        return fail(`expected ${what}${which}, and ${until}`, expected, site)
      }
      if (isOver()) return answer()
      look()
      return Effect.flatMap(wait(isOver, millis), answer)
    })

  const expectation = (next: boolean) => (...args: ReadonlyArray<unknown>): Effect.Effect<unknown> => {
    const site = new Error()
    return Effect.suspend(() => {
      const { match, ...rest } = matching(args)
      return expect({ ...rest, match: ofMessage(match), next, millis: millisOf(args[1] as Within) }, site)
    })
  }

  const monitor = (target: AnyTarget): Effect.Effect<Process.MonitorRef> =>
    Effect.suspend(() => {
      for (const [ref, of] of watched) if (of === target) return Effect.succeed(ref)
      const ref = Process.monitor(target) as Effect.Effect<Process.MonitorRef, never, Current>
      return Effect.tap(as(pid, ref), (ref) => Effect.sync(() => watched.set(ref, target)))
    })

  const ending = (
    kind: "Down" | "Exit",
    who: unknown,
    isIt: (message: unknown) => message is Process.Down | Process.Exit,
    reason: Reason | undefined,
    millis: number | undefined,
    site: Error
  ): Effect.Effect<ExitReason.ExitReason> => {
    const match: Match = (message) => isIt(message) ? { value: message.reason } : undefined
    const what = `the ${kind} of ${who}${showReason(reason)}`
    return Effect.flatMap(expect({ what, expected: reason, match, next: false, millis }, site), (value) => {
      const actual = value as ExitReason.ExitReason
      return reasonMatches(reason, actual)
        ? Effect.succeed(actual)
        : fail(`expected ${what}, got ${ExitReason.format(actual)}`, reason, site)
    })
  }

  return {
    // What it takes is what the test says: the probe keeps anything.
    pid: pid as Pid<M>,
    expectMessage: expectation(false) as Expect<M>,
    expectNext: expectation(true) as Expect<M>,
    expectNone: (options = {}) => {
      const site = new Error()
      return Effect.suspend(() => {
        const millis = options.for === undefined ? undefined : Input.millis("for", options.for)
        const first = () => inbox.received.find(({ taken }) => !taken)
        look()
        return Effect.flatMap(wait(() => first() !== undefined, millis), () => {
          const left = first()
          return left === undefined ? Effect.void : fail(`expected nothing, got ${showReceived(left)}`, [], site)
        })
      })
    },
    watch: (target) => Effect.asVoid(monitor(target)),
    expectDown: (target, reason, options) => {
      const site = new Error()
      return Effect.flatMap(monitor(target), (ref) => {
        const isIt = (message: unknown): message is Process.Down => Process.isDown(message) && message.ref === ref
        return Effect.tap(
          ending("Down", showTarget(target), isIt, reason, millisOf(options), site),
          () => Effect.sync(() => watched.delete(ref))
        )
      })
    },
    link: (other) => as(pid, Effect.andThen(trapping, Effect.orDie(Process.link(other)))),
    expectExit: (other, reason, options) => {
      const site = new Error()
      const isIt = (message: unknown): message is Process.Exit => Process.isExit(message) && message.pid === other
      return Effect.suspend(() => {
        const traps = "an exit ends this probe: `link` it, or make it with `trapExit: true`"
        return entry.trapsExit
          ? ending("Exit", other, isIt, reason, millisOf(options), site)
          : fail(`expected the Exit of ${other}, and ${traps}`, reason, site)
      })
    },
    messages: Effect.map(
      settle,
      () => inbox.received.flatMap(({ message }) => isSignal(message) ? [] : [message as M])
    ),
    clear: Effect.andThen(settle, Effect.sync(() => void (inbox.received = [])))
  }
}
