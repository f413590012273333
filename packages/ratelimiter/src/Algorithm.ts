/**
 * What every algorithm of a rate limiter offers. An algorithm decides and nothing else: it is a few pure functions over
 * the state of one client, `now` is an argument, and who keeps the states, and when they are forgotten, is not its
 * business.
 *
 * @since 0.1.0
 */
import type { Verdict } from "./Decision.ts"
import type { Policy } from "./Policy.ts"

/**
 * An algorithm over its own kind of `State`, one for each client.
 *
 * **Details**
 *
 * - `initial` is the state of a client that has never been seen; it allows a request.
 * - `step` decides about one request and counts it if it is allowed. A refusal changes nothing.
 * - `look` tells what `step` would decide, and counts nothing.
 * - `idleAfter` is how long until the state equals `initial` and may be forgotten: 0 or less, and it does already. It
 *   never exceeds what it was right after the last request that was allowed.
 *
 * Times are whole microseconds on one clock. If it goes backwards, a request counts as made with the last one before it.
 * The answers depend on nothing but the arguments; `step` alone may change the state it is given, in place.
 *
 * @category models
 * @since 0.1.0
 */
export interface Algorithm<State> {
  readonly initial: () => State
  readonly step: (policy: Policy, state: State, now: number) => Verdict
  readonly look: (policy: Policy, state: State, now: number) => Verdict
  readonly idleAfter: (policy: Policy, state: State, now: number) => number
}
