/**
 * Where in the code of the user an effect was made: what a leak guard tells of whatever is left over.
 *
 * An effect is evaluated by its fiber, and then nothing on the stack is of the user. So it is where the effect is made that
 * the stack is looked at, but only while somebody wants to know: otherwise it costs one look at a variable.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

type AnyEffect = Effect.Effect<unknown, unknown, unknown>

/** How many want to know. What is made most often asks for this before it calls {@link made}. */
export let wanted = 0
const latest = new WeakMap<Fiber.Fiber<unknown, unknown>, string>()
const originals = new WeakMap<object, AnyEffect>()

/** From here on it is noted where effects are made, until what this gives is called. */
export const want = (): () => void => {
  wanted++
  return () => {
    wanted--
  }
}

/** Notes where an effect is made. What it gives does the same, and has its fiber known for that meanwhile. */
export const made = <A extends Effect.Effect<unknown, unknown, unknown>>(effect: A): A => {
  if (wanted === 0) return effect
  const where = here()
  return where === undefined ? effect : remembering(effect, where)
}

// The type is that of the effect: it is evaluated, and nothing is done to what it gives.
const remembering = <A extends AnyEffect>(effect: A, where: string): A => {
  const wrapped = Effect.withFiber((fiber) => {
    const before = latest.get(fiber)
    latest.set(fiber, where)
    return Effect.onExit(
      effect,
      () => Effect.sync(() => before === undefined ? latest.delete(fiber) : latest.set(fiber, before))
    )
  })
  originals.set(wrapped, effect)
  return wrapped as AnyEffect as A
}

/** The effect itself, for who looks at its kind. */
export const unwrapped = (effect: unknown): unknown =>
  (typeof effect === "object" && effect !== null ? originals.get(effect) : undefined) ?? effect

/** Where the effect was made that a fiber evaluates, if that is known. */
export const whereOf = (fiber: Fiber.Fiber<unknown, unknown> | undefined): string | undefined =>
  fiber === undefined ? undefined : latest.get(fiber)

const framesLookedAt = 40

/** The directory of the library, which the stack itself knows. Not known in a bundle, where nobody guards anything. */
const libraryIn = (stack: string): string | undefined =>
  /(?:\(|at (?:async )?)(?:file:\/\/)?([^()]*[\\/])internal[\\/]where\.[jt]s:/.exec(stack)?.[1]

let library: string | undefined

/** The place in the code of the user that has called, as `file:line:column`; undefined if nothing of the user has. */
const here = (): string | undefined => {
  // Of V8; elsewhere nobody reads it.
  const limits = Error as { stackTraceLimit?: number | undefined }
  const { stackTraceLimit } = limits
  limits.stackTraceLimit = framesLookedAt
  const { stack = "" } = new Error()
  limits.stackTraceLimit = stackTraceLimit
  for (const line of stack.split("\n")) {
    const place = /(?:\(|at (?:async )?)((?:file:\/\/)?\/?[^():\s]+(?: [^():]+)*:\d+:\d+)\)?$/.exec(line)?.[1]
    if (place !== undefined && isUsers(place)) return place.replace(/^file:\/\//, "")
  }
  return undefined
}

/** Whether a place in the code is neither of the library nor of what it stands on. */
export const isUsers = (place: string): boolean => {
  library ??= libraryIn(new Error().stack ?? "") ?? ""
  if (place.includes("node:") || /[\\/]node_modules[\\/]/.test(place)) return false
  return library === "" || !place.includes(library)
}
