/**
 * What Node's `AsyncLocalStorage` holds for the code that runs, which a process takes from whoever spawned it, as a fiber
 * takes it from whoever forked it. Most programs have none, and then nothing is kept.
 *
 * @internal
 */

export interface AsyncContext {
  runInAsyncScope<T, A>(f: (this: T, argument: A) => void, self: T, argument: A): void
}

type AsyncResource = new(type: string) => AsyncContext & { readonly [key: symbol]: unknown }

const AsyncResource: AsyncResource | undefined = (() => {
  try {
    const { process } = globalThis as {
      process?: { getBuiltinModule?(id: string): { readonly AsyncResource: AsyncResource } }
    }
    return process?.getBuiltinModule?.("node:async_hooks").AsyncResource
  } catch {
    return undefined
  }
})()

const make = (): InstanceType<AsyncResource> | undefined =>
  AsyncResource === undefined ? undefined : new AsyncResource("effect-otp")

const initial = make()

// Where Node keeps the values. Not there (before Node 24, unless asked for) every context counts as one with values.
const frame = initial === undefined
  ? undefined
  : Object.getOwnPropertySymbols(initial).find((key) => key.description === "context_frame")

/** Whether it holds what was held when this file was loaded, as `neutral` does: nothing, almost always. */
export const isInitial = (context: AsyncContext | undefined): boolean =>
  frame !== undefined && context !== undefined &&
  (context as never as { readonly [key: symbol]: unknown })[frame] === initial![frame]

/** The context of the code that runs, if there is anything in it. */
export const capture = (): AsyncContext | undefined => {
  const context = make()
  return context === undefined || isInitial(context) ? undefined : context
}

/** Runs `f` in the initial context, whoever caused it to run. */
export const neutral = (f: () => void): () => void =>
  initial === undefined ? f : () => initial.runInAsyncScope(f, undefined, undefined)
