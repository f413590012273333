/**
 * PURE: may a supervisor restart once more, or has it done so too often?
 *
 * OTP walks a list of all restarts in the period. Only as many of them as are allowed can matter, so a ring of that many
 * timestamps answers in one comparison, however high the limit and however fast the restarts.
 *
 * @internal
 */
import type * as Duration from "effect/Duration"
import * as Input from "./input.ts"

export interface Intensity {
  readonly maxRestarts: number
  readonly withinMillis: number
}

/** The option `intensity`, checked at the door. */
export const intensityOf = (
  options: { readonly maxRestarts?: number; readonly within?: Duration.Input } = {}
): Intensity => {
  const { maxRestarts = 3, within = "5 seconds" } = Input.object("intensity", options)
  return {
    maxRestarts: Input.count("intensity.maxRestarts", maxRestarts),
    withinMillis: Input.positiveMillis("intensity.within", within)
  }
}

/** The times of the latest restarts; `next` is where the oldest of them stands once there are `maxRestarts`. */
export interface History {
  readonly times: Array<number>
  next: number
}

export const make = (): History => ({ times: [], next: 0 })

/** How many of the latest restarts are within the window at `now`. They are in order, and there may be many. */
export const countWithin = ({ next, times }: History, { withinMillis }: Intensity, now: number): number => {
  let outside = 0
  let inside = times.length
  while (outside < inside) {
    const middle = (outside + inside) >> 1
    if (now - times[(next + middle) % times.length] <= withinMillis) inside = middle
    else outside = middle + 1
  }
  return times.length - outside
}

/**
 * Records a restart at `now` and tells whether it is within the limit. The window is inclusive: a restart exactly
 * `withinMillis` ago still counts.
 */
export const record = (history: History, intensity: Intensity, now: number): boolean => {
  const { times } = history
  if (times.length < intensity.maxRestarts) {
    times.push(now)
    return true
  }
  if (times.length === 0 || now - times[history.next] <= intensity.withinMillis) return false
  times[history.next] = now
  history.next = (history.next + 1) % times.length
  return true
}
