/**
 * The sliding window in the shortest form: all requests that were ever allowed, counted again at every request.
 *
 * A clock that goes backwards stands still.
 */
export interface Oracle {
  readonly allowed: Array<number>
}

export const make = (): Oracle => ({ allowed: [] })

const within = (oracle: Oracle, window: number, now: number): Array<number> =>
  oracle.allowed.filter((time) => now - time < window)

const clamp = (oracle: Oracle, now: number): number => Math.max(now, ...oracle.allowed.slice(-1))

export const step = (oracle: Oracle, limit: number, window: number, now: number): boolean => {
  const at = clamp(oracle, now)
  const isAllowed = within(oracle, window, at).length < limit
  if (isAllowed) oracle.allowed.push(at)
  return isAllowed
}

export const remaining = (oracle: Oracle, limit: number, window: number, now: number): number =>
  limit - within(oracle, window, clamp(oracle, now)).length

/** The first whole time from `now` on at which a request would be allowed: tried one by one. */
export const nextAllowed = (oracle: Oracle, limit: number, window: number, now: number): number => {
  let at = now
  while (remaining(oracle, limit, window, at) === 0) at++
  return at
}

/** The first whole time from `now` on at which no request counts any more: tried one by one. */
export const nextFresh = (oracle: Oracle, limit: number, window: number, now: number): number => {
  let at = now
  while (remaining(oracle, limit, window, at) < limit) at++
  return at
}

/** The most requests that were allowed in any window, wherever it begins. */
export const most = (times: ReadonlyArray<number>, window: number): number =>
  times.reduce(
    (highest, start) => Math.max(highest, times.filter((time) => time >= start && time - start < window).length),
    0
  )
