/**
 * Resolvers where nobody waits for their answer, at the end of a process and when a timer fires: what one throws there is
 * reported, and harms nobody else.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type { Via } from "../Name.ts"
import { log } from "./log.ts"

type AnyVia = Via<never, unknown>

/** Asks a resolver; one that throws has nothing to say. */
export const guarded = <A>(context: Context.Context<never>, name: AnyVia, ask: (name: AnyVia) => A): A | undefined => {
  try {
    return ask(name)
  } catch (defect) {
    log({ context }, "Error", () => ({ title: `the resolver of ${name} threw`, cause: Cause.die(defect) }))
    return undefined
  }
}

/** A via that nobody is found under while its resolver throws. */
export const guard = (context: Context.Context<never>, name: AnyVia): AnyVia =>
  Object.create(name, {
    whereis: { value: () => guarded(context, name, (name) => name.whereis()) }
  })
