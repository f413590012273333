/**
 * At most `limit` requests of a client in any window: the decision of a rate limiter, for those who write theirs by hand.
 */
export interface SlidingWindow {
  readonly limit: number
  readonly windowMillis: number
  readonly byClient: Map<string, Array<number>>
}

export const make = (limit: number): SlidingWindow => ({ limit, windowMillis: 3_600_000, byClient: new Map() })

/** Whether the client may go on now; if so, it is counted. */
export const check = ({ byClient, limit, windowMillis }: SlidingWindow, client: string): boolean => {
  const now = performance.now()
  let times = byClient.get(client)
  if (times === undefined) byClient.set(client, times = [])
  while (times.length > 0 && times[0]! <= now - windowMillis) times.shift()
  if (times.length === limit) return false
  times.push(now)
  return true
}
