/**
 * Vitest, as `@effect/vitest` offers it, with `it.interleave`: a test that is run in many orders.
 *
 * It is no part of `@effect-otp/core/testing`, because only its users have `@effect/vitest`.
 *
 * @since 0.1.0
 */
import * as EffectVitest from "@effect/vitest"
import type { TestOptions } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { isUsers } from "../internal/where.ts"
import * as Interleaving from "./Interleaving.ts"

export * from "@effect/vitest"

/**
 * How a test is run in many orders, and the options that vitest has for any test.
 *
 * @category models
 * @since 0.1.0
 */
export interface InterleaveOptions extends Interleaving.ExploreOptions, TestOptions {}

/**
 * Registers a test that is run in many orders. Options come before the program, and need not be there.
 *
 * @category models
 * @since 0.1.0
 */
export interface Interleave {
  <A, E>(name: string, program: Effect.Effect<A, E, Scope.Scope>): void
  <A, E>(name: string, options: InterleaveOptions, program: Effect.Effect<A, E, Scope.Scope>): void
}

/**
 * The same with the modifiers of every test.
 *
 * @category models
 * @since 0.1.0
 */
export interface Interleaver extends Interleave {
  readonly only: Interleave
  readonly skip: Interleave
  readonly skipIf: (condition: unknown) => Interleave
  readonly runIf: (condition: unknown) => Interleave
}

/** Where a seed is given from outside, it is that of all tests that run. */
const seedFromOutside = (): number | undefined => {
  const { process } = globalThis as { readonly process?: { readonly env?: Record<string, string | undefined> } }
  const seed = process?.env?.["EFFECT_OTP_SEED"]
  return seed === undefined || seed === "" ? undefined : Number(seed)
}

type Register = (
  name: string,
  options: TestOptions,
  test: (context: { readonly signal: AbortSignal }) => unknown
) => void

const interleaveBy = (register: Register): Interleave =>
  ((name: string, ...given: [program: Program] | [options: InterleaveOptions, program: Program]) => {
    const [options, program] = given.length === 1 ? [{}, given[0]] : given
    const { logs, maxSteps, runs, seed, time, width, ...others } = options
    const called = new Error()
    const exploring = Interleaving.explore(program, {
      logs,
      maxSteps,
      runs,
      time,
      width,
      seed: seedFromOutside() ?? seed
    })
    register(
      name,
      others,
      ({ signal }) => Effect.runPromise(Effect.mapError(exploring, (failed) => shown(failed, called)), { signal })
    )
  }) as Interleave

type Program = Effect.Effect<unknown, unknown, Scope.Scope>

/** An error that vitest shows at the line of the program that failed, or else where the test was registered. */
const shown = (failed: Interleaving.InterleavingFailed, called: Error): Error => {
  const error = new Error(failed.message)
  error.name = failed._tag
  const first = Cause.squash(failed.cause)
  const frames = framesOf(first)
  error.stack = [`${error.name}: ${error.message}`, ...(frames.length > 0 ? frames : framesOf(called))].join("\n")
  return error
}

const framesOf = (error: unknown): ReadonlyArray<string> =>
  error instanceof Error
    ? (error.stack ?? "").split("\n").filter((line) => /^\s+at .*:\d+:\d+\)?$/.test(line) && isUsers(line))
    : []

const { it: effectIt } = EffectVitest

const interleave: Interleaver = Object.assign(interleaveBy(effectIt), {
  only: interleaveBy(effectIt.only),
  skip: interleaveBy(effectIt.skip),
  skipIf: (condition: unknown) => interleaveBy(effectIt.skipIf(condition)),
  runIf: (condition: unknown) => interleaveBy(effectIt.runIf(condition))
})

/**
 * `it` of `@effect/vitest`, with `it.interleave`: runs a program in many orders, and fails with the first in which it fails.
 *
 * **When to use**
 *
 * Use it for what must hold whoever takes the next step. What happens in one order only is a case for `it.effect`.
 *
 * **Details**
 *
 * It is {@link Interleaving.explore} as a test: each run has a Node, a `TestClock` and a scope of its own. A failure shows the
 * race as a sequence diagram and the seed that leads to it; keep it as the option `seed`, which is tried first. The
 * environment variable `EFFECT_OTP_SEED` takes the place of every seed.
 *
 * **Example**
 *
 * ```ts no-run
 * import { Process } from "@effect-otp/core"
 * import { assert, it } from "@effect-otp/core/testing/vitest"
 * import { Effect } from "effect"
 *
 * it.interleave("a name is free when its holder has ended", { runs: 200 }, Effect.gen(function*() {
 *   const pid = yield* Process.spawn((self) => Process.register("cache", self.pid))
 *   yield* Process.awaitExit(pid)
 *   assert.strictEqual((yield* Process.whereis("cache"))._tag, "None")
 * }))
 * ```
 *
 * @category testing
 * @since 0.1.0
 */
export const it: typeof effectIt & { readonly interleave: Interleaver } = new Proxy(effectIt, {
  get: (target, property, receiver) =>
    property === "interleave" ? interleave : Reflect.get(target, property, receiver) as unknown
}) as never
