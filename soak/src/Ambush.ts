/**
 * A fault that waits for its victim: whoever comes by next.
 */
import { Deferred, Effect } from "effect"

export interface Ambush {
  readonly waiting: Array<Deferred.Deferred<boolean>>
}

export const make = (): Ambush => ({ waiting: [] })

/** Waits until somebody has been hit; `false` if nobody came by until it was called off. */
export const lay = ({ waiting }: Ambush): Effect.Effect<boolean> =>
  Effect.suspend(() => {
    const hit = Deferred.makeUnsafe<boolean>()
    waiting.push(hit)
    return Deferred.await(hit)
  })

/** Whether whoever asks is hit. */
export const falls = ({ waiting }: Ambush): boolean => {
  const hit = waiting.shift()
  if (hit !== undefined) Deferred.doneUnsafe(hit, Effect.succeed(true))
  return hit !== undefined
}

export const callOff = ({ waiting }: Ambush): void => {
  for (const hit of waiting.splice(0)) Deferred.doneUnsafe(hit, Effect.succeed(false))
}
