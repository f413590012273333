/**
 * Runs a program in many of the orders in which its processes may take their turns, and finds the one in which it fails.
 *
 * Processes run one at a time, and each step of a test is taken in the same order every day; what would go wrong in another
 * order is found in production. Here the order follows from a seed: at each step it says who runs next, and whether what runs
 * is stopped in between. The same seed gives the same run, time included.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Input from "../internal/input.ts"
import * as Choices from "./internal/choices.ts"
import { draw } from "./internal/diagram.ts"
import { isLike, oneRun, type Outcome, type Plan, type Settings } from "./internal/oneRun.ts"
import * as Random from "./internal/random.ts"
import { report } from "./internal/report.ts"
import { shrink } from "./internal/shrink.ts"
import type { Deadlock, TooManySteps } from "./internal/stuck.ts"
import type { Trace } from "./internal/trace.ts"

export type { Deviation } from "./internal/choices.ts"
export { Deadlock, TooManySteps } from "./internal/stuck.ts"
export type { Kind, Lifeline, Step, Trace } from "./internal/trace.ts"

// ----------------------------------------------------------------------------
// options
// ----------------------------------------------------------------------------

/**
 * What every run is given.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** From which everything follows that is left open. Default: 1, so that a test does the same every day. */
  readonly seed?: number | undefined
  /**
   * Who lets time pass. `"manual"`, the default: the program, by `TestClock.adjust`. `"auto"`: when nothing else can run, the
   * clock goes on to the next moment at which somebody wakes, so that timeouts and restarts with a backoff are met, too.
   */
  readonly time?: "manual" | "auto" | undefined
  /** After how many steps a run has gone on for too long. Default: 100,000. */
  readonly maxSteps?: number | undefined
  /** Whether what is logged is seen. Default: it is not, since every run would report the same crashes. */
  readonly logs?: boolean | undefined
}

/**
 * What one run is given.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunOptions extends Options {
  /** Where the run departs from the order in which everything was woken, instead of what follows from the seed. */
  readonly schedule?: ReadonlyArray<Choices.Deviation> | undefined
  /** How wide the diagram may be. Default: 120 columns. */
  readonly width?: number | undefined
}

/**
 * What many runs are given.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExploreOptions extends Options {
  /** How many orders are tried, besides the one in which everything was woken. Default: 500. */
  readonly runs?: number | undefined
  /** How wide the diagram of a failure may be. Default: 120 columns. */
  readonly width?: number | undefined
}

// ----------------------------------------------------------------------------
// results
// ----------------------------------------------------------------------------

/**
 * What came of one run, and what happened in it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Run<out A, out E> {
  readonly seed: number
  /** What the program came to, or why it did not come to its end. */
  readonly exit: Exit.Exit<A, E | Deadlock | TooManySteps>
  readonly trace: Trace
  /** Where it departed from the order in which everything was woken: `run` with this `schedule` is the same run. */
  readonly schedule: ReadonlyArray<Choices.Deviation>
  /** The trace as a sequence diagram. A line that begins with `!` marks a step out of order. */
  readonly diagram: string
}

/**
 * A program fails in one of its orders.
 *
 * **Details**
 *
 * `seed` leads to it again: as the option of {@link explore}, {@link run} or `it.interleave`. `cause` and `diagram` are those of
 * the run with the fewest steps out of order (`schedule`) that fails alike. `run` is 0 if it needs none, and else which of
 * the `runs` it was.
 *
 * @category errors
 * @since 0.1.0
 */
export class InterleavingFailed<out E = unknown> extends Data.TaggedError("InterleavingFailed")<{
  readonly seed: number
  readonly run: number
  readonly runs: number
  readonly cause: Cause.Cause<unknown>
  readonly schedule: ReadonlyArray<Choices.Deviation>
  readonly trace: Trace
  readonly diagram: string
}> {
  declare readonly cause: Cause.Cause<E | Deadlock | TooManySteps>

  override get message(): string {
    return report(this)
  }
}

// ----------------------------------------------------------------------------
// running
// ----------------------------------------------------------------------------

const settingsOf = (options: Options): Settings => ({
  time: Input.oneOf("time", ["manual", "auto"], options.time ?? "manual"),
  maxSteps: Input.count("maxSteps", options.maxSteps ?? 100_000),
  logs: options.logs === true
})

const seedOf = ({ seed = 1 }: Options): number =>
  Input.check("seed", "a whole number", Number.isSafeInteger(seed), seed)

const widthOf = ({ width = 120 }: { readonly width?: number | undefined }): number => Input.count("width", width)

/**
 * Runs a program once, in the order that follows from the seed.
 *
 * **When to use**
 *
 * Use it to look at one order: the diagram shows who did what to whom. To look for an order that fails, use {@link explore}.
 *
 * **Details**
 *
 * The run has a Node, a `TestClock` and random numbers (Effect's `Random`) of its own, and a scope that closes at its end.
 * Whatever is left over in the Node is killed then. It never fails: what the program came to is in `exit`. A program that
 * cannot go on fails there with {@link Deadlock}.
 *
 * **Gotchas**
 *
 * What does not go through Effect, such as I/O, `Math.random` and `Date.now`, is not repeated. A promise that has not settled
 * is taken for a deadlock.
 *
 * **Example**
 *
 * ```ts
 * import { Process } from "@effect-otp/core"
 * import { Interleaving } from "@effect-otp/core/testing"
 * import { Effect } from "effect"
 *
 * const heard: Array<string> = []
 * const speakers = Effect.gen(function*() {
 *   for (const word of ["a", "b", "c"]) yield* Process.spawn(() => Effect.sync(() => heard.push(word)))
 * })
 * const orders = Effect.gen(function*() {
 *   const seen = new Set<string>()
 *   for (let seed = 0; seed < 100; seed++) {
 *     heard.length = 0
 *     yield* Interleaving.run(Effect.andThen(speakers, Effect.sleep(1)), { seed, time: "auto" })
 *     seen.add(heard.join(""))
 *   }
 *   return Array.from(seen).sort()
 * })
 *
 * Effect.runPromise(orders) // => ["abc", "acb", "bac", "bca", "cab", "cba"]
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const run = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  options: RunOptions = {}
): Effect.Effect<Run<A, E>, never, Exclude<R, Scope.Scope>> =>
  Effect.suspend(() => {
    const seed = seedOf(options)
    const width = widthOf(options)
    const { schedule } = options
    const choices = schedule === undefined ? Choices.seeded(seed) : Choices.replaying(schedule)
    return Effect.map(
      oneRun(effect, settingsOf(options), { choices, seed, records: true }),
      ({ deviations, exit, trace }) => ({ seed, exit, trace, schedule: deviations, diagram: draw(trace, width) })
    )
  })

/** How many runs are spent on taking steps out of order away again. */
const shrinkingRuns = 400

/**
 * Runs a program in many orders, and fails with the first in which it fails.
 *
 * **When to use**
 *
 * Use it for what must hold whoever takes the next step: a name that is free when a `Down` arrives, a counter that two
 * clients increment, a stop that meets a call. Keep the program small, and assert in it; in a test use `it.interleave` of
 * `@effect-otp/core/testing/vitest`.
 *
 * **Details**
 *
 * First everything runs in the order in which it was woken, and then `runs` times in an order that follows from the seed. Each
 * run is as with {@link run}: on its own, from the beginning. Of a run that fails as many steps out of order are taken back
 * as it can do without, so the diagram shows the race and little else.
 *
 * **Gotchas**
 *
 * It finds what it meets: no failure in 500 orders is no proof.
 *
 * **Example**
 *
 * ```ts
 * import { Agent } from "@effect-otp/core"
 * import { Interleaving } from "@effect-otp/core/testing"
 * import { Effect } from "effect"
 *
 * // Two steps where there should be one: in between the other one may have read, too.
 * const increment = (agent: Agent.Agent<number>) =>
 *   Effect.flatMap(Agent.get(agent, (n) => n), (n) => Agent.update(agent, () => n + 1))
 *
 * const program = Effect.gen(function*() {
 *   const agent = yield* Agent.start(() => 0)
 *   yield* Effect.all([increment(agent), increment(agent)], { concurrency: "unbounded" })
 *   const n = yield* Agent.get(agent, (n) => n)
 *   if (n !== 2) return yield* Effect.fail("an increment was lost")
 * })
 *
 * Effect.runPromise(Effect.flip(Interleaving.explore(program))).then((failed) => failed._tag) // => "InterleavingFailed"
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const explore = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  options: ExploreOptions = {}
): Effect.Effect<void, InterleavingFailed<E>, Exclude<R, Scope.Scope>> =>
  Effect.suspend(() => {
    const settings = settingsOf(options)
    const runs = Input.count("runs", options.runs ?? 500)
    const width = widthOf(options)
    return exploreFrom(seedOf(options), runs, (plan) => oneRun(effect, settings, plan), width)
  })

const exploreFrom = Effect.fnUntraced(function*<A, E, R>(
  base: number,
  runs: number,
  once: (plan: Plan) => Effect.Effect<Outcome<A, E>, never, R>,
  width: number
) {
  for (let run = 0; run <= runs; run++) {
    // The seed that is reported is that of the run itself: given as the seed of all, it is the first.
    const seed = run <= 1 ? base : Random.derive(base, run)
    const choices = run === 0 ? Choices.replaying([]) : Choices.seeded(seed)
    const outcome = yield* once({ choices, seed, records: false })
    if (Exit.isSuccess(outcome.exit)) continue
    const fails = (schedule: ReadonlyArray<Choices.Deviation>) =>
      Effect.map(
        once({ choices: Choices.replaying(schedule), seed, records: false }),
        ({ exit }) => isLike(exit, outcome.exit)
      )
    const smallest = yield* shrink(outcome.deviations, fails, shrinkingRuns)
    const { deviations, exit, trace } = yield* once({ choices: Choices.replaying(smallest), seed, records: true })
    // What a run came to that does not do the same again is told all the same.
    const { cause } = Exit.isFailure(exit) ? exit : outcome.exit
    const diagram = draw(trace, width)
    return yield* new InterleavingFailed<E>({ seed, run, runs, cause, schedule: deviations, trace, diagram })
  }
})
