/**
 * Faults on purpose, by chance that can be repeated: processes that are killed, crash or stand still, and messages that get
 * lost or come late.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as ExitReason from "../ExitReason.ts"
import { entryOf, tableOf } from "../internal/current.ts"
import * as Input from "../internal/input.ts"
import { alive, type Entry } from "../internal/processTable.ts"
import { ServerState } from "../internal/serverState.ts"
import type { Pid } from "../Pid.ts"
import * as Process from "../Process.ts"
import * as Supervisor from "../Supervisor.ts"
import type { Tree } from "../SupervisorTree.ts"
import * as Sys from "../Sys.ts"
import { chance, type Fault, type Kind, pick } from "./internal/chaosFault.ts"
import { living, who } from "./internal/failure.ts"

export type { Fault, Kind } from "./internal/chaosFault.ts"
export { client, type MessageOptions, type Proxy, proxy } from "./internal/chaosMessages.ts"

/**
 * What can be done to a process.
 *
 * @category models
 * @since 0.1.0
 */
export type ProcessKind = "kill" | "crash" | "exit" | "suspend"

/**
 * A process that may be hit.
 *
 * @category models
 * @since 0.1.0
 */
export interface Victim {
  readonly pid: Pid<never, unknown>
  /** The ids that lead to it from the supervisor; outside a tree what it is called: name, label, or what it is. */
  readonly path: ReadonlyArray<string>
  readonly name: string | undefined
  readonly label: string | undefined
  readonly type: "worker" | "supervisor"
}

/**
 * What is done, how often, and to whom.
 *
 * **Details**
 *
 * - `kill`: `Process.exit(pid, ExitReason.kill)`; `crash`: an exit signal with an abnormal reason, `Custom("chaos")`; `exit`:
 *   one with `Shutdown`. A process that traps exits gets the last two as messages.
 * - `suspend`: a server stands still for `suspendFor`, see `Sys.suspend`. Others cannot be suspended.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The same seed does the same to the same program. Default: by Effect's `Random`. */
  readonly seed?: string | number | undefined
  /** How often. Default: every second. */
  readonly every?: Duration.Input | Schedule.Schedule<unknown> | undefined
  /** How likely each kind of fault is, beside the others. Default: `{ kill: 1, crash: 1 }`. */
  readonly faults?: { readonly [K in ProcessKind]?: number } | undefined
  /** Who may be hit. Default: whoever is no supervisor. */
  readonly hits?: ((victim: Victim) => boolean) | undefined
  /** After how many faults it is over. Default: without limit. */
  readonly max?: number | undefined
  /** How long a server stands still. Default: one second. */
  readonly suspendFor?: Duration.Input | undefined
}

const PolicyTypeId = "~@effect-otp/core/testing/Chaos/Policy"

/**
 * Faults as they were described. Nothing happens until it is {@link run}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Policy {
  readonly [PolicyTypeId]: Required<{ readonly [K in keyof Options]: Exclude<Options[K], undefined> | undefined }>
}

/**
 * Chaos that goes on, until its Scope closes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Chaos {
  /** What has been done up to now, in order. */
  readonly faults: Effect.Effect<ReadonlyArray<Fault>>
  /** Waits until it is over: `max` is reached, the Schedule has ended, or the supervisor is gone. */
  readonly await: Effect.Effect<void>
}

const kinds = ["kill", "crash", "exit", "suspend"] as const

/**
 * Describes what is to go wrong. A bad option is a defect that names it.
 *
 * @see {@link run}
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): Policy => {
  const { every = "1 second", faults = { kill: 1, crash: 1 }, hits = isWorker, max, seed, suspendFor = "1 second" } =
    Input.options(["seed", "every", "faults", "hits", "max", "suspendFor"], options)
  if (!Schedule.isSchedule(every)) Input.positiveMillis("every", every)
  Input.millis("suspendFor", suspendFor)
  if (max !== undefined) Input.count("max", max)
  for (const [kind, weight] of Object.entries(Input.options(kinds, faults))) {
    Input.check(`faults.${kind}`, "a number of zero or more", typeof weight === "number" && weight >= 0, weight)
  }
  return { [PolicyTypeId]: { seed, every, faults, hits, max, suspendFor } }
}

const isWorker = ({ type }: Victim): boolean => type === "worker"

/**
 * Lets things go wrong from now on: for the processes below a supervisor, or for all of the Node.
 *
 * **When to use**
 *
 * Use it to see whether a tree keeps its promises while its children fail. What a single failure does is better shown by a
 * test that kills that one.
 *
 * **Details**
 *
 * It waits as `every` says, on the Clock, picks a kind of fault by its weight and a process by chance, and goes on. With a
 * `TestClock` and a seed the same program meets the same faults. `faults` tells them as data. It ends with the Scope, and
 * what it has suspended goes on then.
 *
 * **Example**
 *
 * ```ts
 * import { ChildSpec, Supervisor } from "@effect-otp/core"
 * import { Chaos } from "@effect-otp/core/testing"
 * import { Effect } from "effect"
 * import { TestClock } from "effect/testing"
 *
 * const worker = (id: string) => ChildSpec.worker({ id, run: () => Effect.never })
 * const pool = Supervisor.make({
 *   intensity: { maxRestarts: 10, within: "1 minute" },
 *   children: [worker("a"), worker("b")]
 * })
 *
 * const program = Effect.gen(function*() {
 *   const ref = yield* pool.startScoped
 *   const chaos = yield* Chaos.run(Chaos.make({ seed: 1, every: "2 seconds", faults: { kill: 1 } }), ref)
 *   yield* TestClock.adjust("10 seconds")
 *   const { active } = yield* Supervisor.countChildren(ref)
 *   return [(yield* chaos.faults).length, active]
 * }).pipe(Effect.scoped, Effect.provide(TestClock.layer()))
 *
 * Effect.runPromise(program) // => [5, 2]
 * ```
 *
 * @see {@link proxy} and {@link client} for messages that get lost
 * @category running
 * @since 0.1.0
 */
export const run = (
  { [PolicyTypeId]: policy }: Policy,
  target?: Supervisor.Target
): Effect.Effect<Chaos, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { every, max = Infinity, suspendFor } = policy
    if (target !== undefined) {
      yield* Effect.catchTags(Supervisor.tree(target), { CallError: () => Effect.void, NotAServer: Effect.die })
    }
    const random = yield* chance(policy.seed)
    const began = yield* Clock.currentTimeMillis
    const faults: Array<Fault> = []
    /** What stands still because of this. */
    const suspended = new Set<Entry>()
    const self = yield* Effect.withFiber((fiber) => Effect.succeed(entryOf(fiber)))
    const scope = yield* Effect.scope

    const suspend = (entry: Entry) => {
      suspended.add(entry)
      const standing = Effect.acquireUseRelease(
        Sys.suspend(entry),
        () => Effect.sleep(suspendFor!),
        () => Effect.ignore(Sys.resume(entry))
      )
      const over = Effect.sync(() => suspended.delete(entry))
      return Effect.forkIn(Effect.ensuring(Effect.ignore(standing), over), scope)
    }

    const strike = Effect.gen(function*() {
      const victims = (yield* target === undefined ? everybody : below(target))
        .filter((victim) => victim.pid !== self && policy.hits!(victim))
      const fits = (kind: ProcessKind) =>
        kind === "suspend" ? victims.filter(({ pid }) => isServer(pid) && !suspended.has(pid as Entry)) : victims
      const weighted = kinds.map((kind) => [kind, fits(kind).length === 0 ? 0 : policy.faults![kind] ?? 0] as const)
      const kind = pick(random, weighted)
      const victim = kind && pick(random, fits(kind).map((victim) => [victim, 1] as const))
      if (kind === undefined || victim === undefined) return
      const now = yield* Clock.currentTimeMillis
      faults.push({ kind, victim: victim.path.join("/"), pid: victim.pid, at: Math.round(now - began) })
      yield* kind === "suspend" ? suspend(victim.pid as Entry) : Process.exit(victim.pid, reasons[kind])
    })

    const wait = yield* Schedule.toStepWithSleep(Schedule.isSchedule(every) ? every : Schedule.spaced(every!))
    const loop = Effect.gen(function*() {
      while (faults.length < max) {
        yield* wait(undefined)
        yield* strike
      }
    })
    // Over is also where there is no more to do: the Schedule has ended, or the supervisor is gone.
    const fiber = yield* Effect.forkIn(Effect.provideService(Effect.ignore(loop), Random.Random, random), scope)
    // Interrupted with the Scope it is over, too; a `hits` that throws is the defect of whoever waits.
    const over = Effect.flatMap(Fiber.await(fiber), (exit) => Exit.hasDies(exit) ? exit : Effect.void)
    return { faults: Effect.sync(() => faults.slice()), await: over }
  })

const reasons = {
  kill: ExitReason.kill,
  crash: ExitReason.custom("chaos"),
  exit: ExitReason.shutdown("chaos")
} satisfies Partial<Record<Kind, ExitReason.ExitReason>>

const isServer = (pid: Victim["pid"]): boolean => (pid as Entry).state instanceof ServerState

const everybody: Effect.Effect<ReadonlyArray<Victim>> = Effect.withFiber((fiber) =>
  Effect.succeed(
    living(tableOf(fiber)).flatMap((entry): ReadonlyArray<Victim> => {
      if (entry.status !== alive) return []
      const path = [entry.name?.toString() ?? entry.label ?? who(entry)]
      const type = entry.isSupervisor ? "supervisor" : "worker"
      return [{ pid: entry, path, name: entry.name?.toString(), label: entry.label, type }]
    })
  )
)

const below = (target: Supervisor.Target) =>
  Effect.map(Supervisor.tree(target), ({ children }) => children.flatMap((child) => victimsIn(child, [])))

const victimsIn = ({ children, id, name, pid, type }: Tree, above: ReadonlyArray<string>): ReadonlyArray<Victim> => {
  const path = [...above, id]
  const own = pid === undefined || (pid as Entry).status !== alive ? [] : [pid as Entry]
  return [
    ...own.map((pid): Victim => ({ pid, path, name, label: pid.label, type })),
    ...children.flatMap((child) => victimsIn(child, path))
  ]
}

/**
 * How many faults there were of each kind, and of each victim.
 *
 * @category converting
 * @since 0.1.0
 */
export const count = (
  faults: ReadonlyArray<Fault>
): { readonly kinds: { readonly [K in Kind]?: number }; readonly victims: { readonly [victim: string]: number } } => {
  const kinds: { [K in Kind]?: number } = {}
  const victims: { [victim: string]: number } = {}
  for (const { kind, victim } of faults) {
    kinds[kind] = (kinds[kind] ?? 0) + 1
    victims[victim] = (victims[victim] ?? 0) + 1
  }
  return { kinds, victims }
}
