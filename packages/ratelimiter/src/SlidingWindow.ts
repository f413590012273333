/**
 * Never more than `limit` requests in ANY window of the policy's length: the sliding-window log.
 *
 * It remembers when each allowed request was made, and forgets it once it is a whole window old: a request made exactly
 * one window after another does not count it. So a window is half-open, `(now - window, now]`; fixed windows, which start
 * over at the full minute, let twice the limit through around it.
 *
 * The price is memory: up to `limit` timestamps for a client, kept in a ring that starts at one and grows as needed. Every
 * function is pure in what it answers, takes `now` as an argument, and changes the state it is given in place.
 *
 * @since 0.1.0
 */
import type { Verdict } from "./Decision.ts"
import type { Policy } from "./Policy.ts"

/**
 * The allowed requests of one client within the last window: `size` times in ascending order, in a ring that begins at
 * index `oldest`.
 *
 * @category models
 * @since 0.1.0
 */
export interface State {
  times: Array<number>
  oldest: number
  size: number
}

/**
 * The state of a client that has never been seen.
 *
 * @category constructors
 * @since 0.1.0
 */
export const initial = (): State => ({ times: [], oldest: 0, size: 0 })

/**
 * Decides about one request at `now`, and counts it if it is allowed.
 *
 * **When to use**
 *
 * To limit something that has an owner already, such as the state of your own server or a loop: no process is needed
 * then. `RateLimiter.check` is the same for many clients, behind a supervised server.
 *
 * **Details**
 *
 * Times are whole microseconds on any one clock. If `now` is earlier than the last request, the clock went backwards, and
 * the request counts as made with the last one: waiting longer is the safe side.
 *
 * **Example**
 *
 * ```ts
 * import { Policy, SlidingWindow } from "@effect-otp/ratelimiter"
 *
 * const policy = Policy.makeUnsafe({ limit: 2, window: "1 second" })
 * const state = SlidingWindow.initial()
 * const at = (now: number) => SlidingWindow.step(policy, state, now)
 *
 * const answers = [at(0).allowed, at(600_000).allowed, at(700_000).retryAfter, at(1_000_000).allowed]
 * answers // => [true, true, 300000, true]
 * ```
 *
 * @see {@link look} to ask without counting
 * @category deciding
 * @since 0.1.0
 */
export const step = (policy: Policy, state: State, now: number): Verdict => {
  const made = Math.max(now, newest(state))
  drop(state, countUpTo(state, made - policy.windowMicros))
  if (state.size >= policy.limit) return verdictOf(policy, state, 0, now)
  push(policy, state, made)
  return new Decided(true, policy.limit - state.size, 0, made + policy.windowMicros - now)
}

/**
 * Tells what {@link step} would decide about a request at `now`, and counts nothing.
 *
 * @category deciding
 * @since 0.1.0
 */
export const look = (policy: Policy, state: State, now: number): Verdict =>
  // Drops nothing: if `now` then went backwards, a request could be allowed that the dropped ones forbid.
  verdictOf(policy, state, countUpTo(state, now - policy.windowMicros), now)

/**
 * How long until the last request is a window old, and nothing is left to remember: 0 or less, and nothing is.
 *
 * @category deciding
 * @since 0.1.0
 */
export const idleAfter = (policy: Policy, state: State, now: number): number =>
  newest(state) + policy.windowMicros - now

// ----------------------------------------------------------------------------
// internals
// ----------------------------------------------------------------------------

// By a constructor: a literal with a time of more than 31 bits is copied from a template each time, outside of compiled code.
class Decided implements Verdict {
  readonly allowed: boolean
  readonly remaining: number
  readonly retryAfter: number
  readonly resetAfter: number

  constructor(allowed: boolean, remaining: number, retryAfter: number, resetAfter: number) {
    this.allowed = allowed
    this.remaining = remaining
    this.retryAfter = retryAfter
    this.resetAfter = resetAfter
  }
}

const newest = (state: State): number =>
  state.size === 0 ? -Infinity : state.times[(state.oldest + state.size - 1) % state.times.length]

/** How many of the remembered requests were made at `time` or before: those that no longer count. */
const countUpTo = (state: State, time: number): number => {
  let count = 0
  while (count < state.size && state.times[(state.oldest + count) % state.times.length] <= time) count++
  return count
}

const drop = (state: State, count: number): void => {
  if (count === 0) return
  state.oldest = (state.oldest + count) % state.times.length
  state.size -= count
}

const verdictOf = (policy: Policy, state: State, expired: number, now: number): Verdict => {
  const remaining = policy.limit - (state.size - expired)
  const first = remaining > 0 ? now : state.times[(state.oldest + expired) % state.times.length] + policy.windowMicros
  return new Decided(remaining > 0, remaining, first - now, Math.max(0, idleAfter(policy, state, now)))
}

const push = (policy: Policy, state: State, time: number): void => {
  if (state.size === state.times.length) grow(policy, state)
  state.times[(state.oldest + state.size) % state.times.length] = time
  state.size++
}

/** Doubles the ring, up to the limit, and straightens it: what wrapped around must stay in order. */
const grow = (policy: Policy, state: State): void => {
  const times = new Array<number>(Math.min(policy.limit, Math.max(1, state.size * 2)))
  for (let i = 0; i < state.size; i++) times[i] = state.times[(state.oldest + i) % state.size]
  state.times = times
  state.oldest = 0
}
