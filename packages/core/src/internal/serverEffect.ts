/**
 * The fiber of a callback: made when the callback gives an Effect, and gone when that has ended.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { Current } from "./current.ts"
import { ended, ending, type Entry } from "./processTable.ts"
import type { ServerState } from "./serverState.ts"

/** Runs the Effect of a callback; `then` gets its Exit, and whether it came at once. */
export const runEffect = (
  entry: Entry,
  server: ServerState,
  effect: unknown,
  then: (exit: Exit.Exit<unknown, unknown>, sync: boolean) => boolean
): boolean => {
  if (!Effect.isEffect(effect)) return then(Exit.succeed(effect), true)
  if (Exit.isExit(effect)) return then(effect as Exit.Exit<unknown, unknown>, true)
  const context = contextOf(entry, server)
  const fiber = Effect.runForkWith(server.telemetry?.provide(context) ?? context)(
    effect as Effect.Effect<unknown, unknown>
  )
  const exit = fiber.pollUnsafe()
  if (exit !== undefined) return then(exit, true)
  entry.fiber = fiber
  fiber.addObserver((exit) => {
    entry.fiber = undefined
    server.running = true
    then(exit, false)
    server.running = false
  })
  // It may have been ended while the Effect ran up to here.
  if (entry.status === ended || (entry.status === ending && server.phase !== "stopping")) fiber.interruptUnsafe()
  return false
}

const contextOf = (entry: Entry, server: ServerState): Context.Context<never> => {
  if (server.context !== undefined) return server.context
  server.scope = Scope.makeUnsafe()
  return server.context = entry.context.pipe(Context.add(Current, entry), Context.add(Scope.Scope, server.scope))
}
