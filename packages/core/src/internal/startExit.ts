/**
 * The start of a child runs in the process of its supervisor, as in OTP, where an exit in it is caught: it ends the start.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { ExitReason } from "../ExitReason.ts"
import { entryOf } from "./current.ts"
import type { Entry } from "./processTable.ts"

/** The supervisor for which an effect starts a child. Processes that it spawns have it, too, and are others. */
export const StartedFor = Context.Reference<Entry | undefined>("@effect-otp/core/StartedFor", {
  defaultValue: () => undefined
})

/** The defect that an exit in a start is. */
export class StartExit {
  readonly reason: ExitReason

  constructor(reason: ExitReason) {
    this.reason = reason
  }
}

/** Has an exit in a start end that, and not the process that it runs in. */
export const catchExit = <A, E, R>(start: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => Effect.provideService(start, StartedFor, entryOf(fiber)))
