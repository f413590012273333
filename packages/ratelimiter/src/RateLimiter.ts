/**
 * A supervised rate limiter: never more than `limit` requests in any window, per client.
 *
 * One server decides about the requests of all clients, one after the other, so callers cannot race; it is restarted when
 * it crashes, and then starts with an empty memory. Where something else is enough: `Semaphore` limits how many run at
 * once, `RateLimiter` of `effect/persistence` delays requests and shares a budget between machines, and `SlidingWindow`
 * alone does for one client that has an owner.
 *
 * @since 0.1.0
 */
import type * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as GenServer from "@effect-otp/core/GenServer"
import type { CallError } from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Decision from "./Decision.ts"
import * as Clients from "./internal/clients.ts"
import * as Policy from "./Policy.ts"
import * as SlidingWindow from "./SlidingWindow.ts"

// ----------------------------------------------------------------------------
// the server
// ----------------------------------------------------------------------------

const clientId = { clientId: Schema.String }

/**
 * The service, and the protocol of its server. `RateLimiter.at(target)` gives a client for a limiter that was started by
 * name, and `RateLimiter.server` starts one outside a tree.
 *
 * @see {@link layer}
 * @category services
 * @since 0.1.0
 */
export class RateLimiter extends GenServer.Service<RateLimiter>()("@effect-otp/ratelimiter/RateLimiter", [
  GenServer.call("check", { payload: clientId, success: Decision.Allowed, error: Decision.RateLimited }),
  GenServer.call("peek", { payload: clientId, success: Decision.Usage }),
  GenServer.call("reset", { payload: clientId }),
  GenServer.call("size", { success: Schema.Int })
]) {
  static readonly server = this.implement({
    init: (policy: Policy.Policy) =>
      Effect.map(Effect.all([Clock.Clock, Process.self]), ([clock, pid]): State => ({
        clients: Clients.make(SlidingWindow, policy),
        now: micros(clock),
        pid: pid as Process.Pid<ForgetIdle>,
        timer: "none"
      })),
    handlers: {
      check: (state, { clientId }) => {
        const { clients } = state
        const verdict = Clients.check(clients, clientId, state.now())
        const step = verdict.allowed
          ? Step.reply(Decision.allowed(clientId, clients.policy.limit, verdict), state)
          : Step.fail(Decision.rateLimited(clientId, clients.policy.limit, verdict), state)
        return state.timer === "none" ? Effect.as(startTimer(state), step) : step
      },
      peek: (state, { clientId }) => {
        const verdict = Clients.look(state.clients, clientId, state.now())
        return Step.reply(Decision.usage(clientId, state.clients.policy.limit, verdict), state)
      },
      reset: (state, { clientId }) => {
        Clients.forget(state.clients, clientId)
        return Step.reply(undefined, state)
      },
      size: (state) => Step.reply(Clients.size(state.clients), state)
    },
    info: (state, _: ForgetIdle) => {
      Clients.forgetIdle(state.clients, state.now(), forgottenPerTurn)
      return Effect.as(startTimer(state), Step.noReply(state))
    },
    // A crash report has no use for a million clients.
    formatStatus: ({ clients: { byId, policy } }) => ({
      limit: policy.limit,
      window: policy.window,
      clients: byId.size
    })
  })
}

// ----------------------------------------------------------------------------
// constructors
// ----------------------------------------------------------------------------

/**
 * A rate limiter under a supervisor of its own, as a Layer.
 *
 * **When to use**
 *
 * For one limiter in an application. In a tree with other servers use {@link child}.
 *
 * **Details**
 *
 * `limit` is a whole number of at least 1, `window` a positive, finite duration (a bare number is milliseconds). A bad one
 * throws `Policy.InvalidPolicy` here, which names the field and the value. The rest are the options of any server: `name`,
 * `restart`, `backoff`, … A name that is taken is a defect.
 *
 * **Example**
 *
 * ```ts
 * import { RateLimiter } from "@effect-otp/ratelimiter"
 * import { Effect } from "effect"
 *
 * const limited = RateLimiter.layer({ limit: 10, window: "1 minute" })
 *
 * const program = Effect.map(RateLimiter.check("client-42"), ({ remaining }) => remaining)
 *
 * Effect.runPromise(Effect.provide(program, limited)) // => 9
 * ```
 *
 * @see {@link child} for a place in a tree
 * @category constructors
 * @since 0.1.0
 */
export const layer = (policy: Policy.Options, options?: GenServer.LayerOptions): Layer.Layer<RateLimiter> =>
  Layer.orDie(RateLimiter.server.layer(Policy.makeUnsafe(policy), options))

/**
 * A rate limiter as the child of a supervisor. Children after it may check with it.
 *
 * **Details**
 *
 * `policy` is checked as in {@link layer}. After a restart every client has its whole limit again.
 *
 * **Example**
 *
 * ```ts
 * import { Supervisor } from "@effect-otp/core"
 * import { RateLimiter } from "@effect-otp/ratelimiter"
 * import { Effect } from "effect"
 *
 * const tree = Supervisor.make({
 *   children: [RateLimiter.child({ limit: 10, window: "1 minute" })]
 * })
 *
 * Effect.runPromise(Effect.provide(RateLimiter.size, tree.layer)) // => 0
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const child = <const Provide extends boolean = true>(
  policy: Policy.Options,
  options?: GenServer.ChildOptions<Provide>
): ChildSpec.ChildSpec<[Provide] extends [true] ? RateLimiter : never, never, never> =>
  RateLimiter.server.child<Provide>(Policy.makeUnsafe(policy), options)

// ----------------------------------------------------------------------------
// operations
// ----------------------------------------------------------------------------

/**
 * Asks whether a client may make a request now, and counts it if so.
 *
 * **When to use**
 *
 * Before the work that is to be limited. Any string identifies a client: an account, an API key, an address.
 *
 * **Details**
 *
 * - `Allowed`: `remaining` more may follow at once; without any, the whole `limit` is there again after `resetAfter`.
 * - fails with `RateLimited`: not counted; after exactly `retryAfter` a request is allowed, if no other one of that client
 *   takes the place. It carries no stack.
 * - fails with `CallError`: there is no answer. With the reason `NoProcess` or `Overloaded` the request was not counted,
 *   with `ServerExited` what was counted is gone; with `Timeout` it may have been counted. Whether to go on without a
 *   limiter is for the caller to say.
 *
 * **Example**
 *
 * ```ts
 * import { RateLimiter } from "@effect-otp/ratelimiter"
 * import { Effect } from "effect"
 *
 * const request = RateLimiter.check("client-42").pipe(
 *   Effect.as("200"),
 *   Effect.catchTag("RateLimited", ({ clientId }) => Effect.succeed(`429 for ${clientId}`))
 * )
 *
 * const program = Effect.provide(Effect.all([request, request]), RateLimiter.layer({ limit: 1, window: "1 hour" }))
 *
 * Effect.runPromise(program) // => ["200", "429 for client-42"]
 * ```
 *
 * @see {@link peek} to ask without counting
 * @category operations
 * @since 0.1.0
 */
export const check = (
  clientId: string
): Effect.Effect<Decision.Allowed, Decision.RateLimited | CallError, RateLimiter> => new Check(clientId)

/**
 * Tells where a client stands: what remains, when to retry, and when the whole limit is there again. Nothing is counted,
 * and a client that is not remembered stays unknown.
 *
 * **When to use**
 *
 * For a dashboard or a header. To decide about a request use {@link check}: what is there now may be taken by then.
 *
 * **Example**
 *
 * ```ts
 * import { RateLimiter } from "@effect-otp/ratelimiter"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   yield* RateLimiter.check("client-42")
 *   const { limit, remaining } = yield* RateLimiter.peek("client-42")
 *   return `${remaining} of ${limit}`
 * }).pipe(Effect.provide(RateLimiter.layer({ limit: 10, window: "1 minute" })))
 *
 * Effect.runPromise(program) // => "9 of 10"
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const peek = (clientId: string): Effect.Effect<Decision.Usage, CallError, RateLimiter> =>
  RateLimiter.use((limiter) => limiter.peek({ clientId }))

/**
 * Forgets a client: its next request finds the whole limit. For a client that is not remembered nothing happens.
 *
 * **When to use**
 *
 * To lift a limit by hand: a customer has paid, a test starts over. A client that is idle is forgotten without it.
 *
 * **Example**
 *
 * ```ts
 * import { RateLimiter } from "@effect-otp/ratelimiter"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   yield* RateLimiter.check("client-42")
 *   yield* RateLimiter.reset("client-42")
 *   return (yield* RateLimiter.check("client-42")).remaining
 * }).pipe(Effect.provide(RateLimiter.layer({ limit: 1, window: "1 minute" })))
 *
 * Effect.runPromise(program) // => 0
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const reset = (clientId: string): Effect.Effect<void, CallError, RateLimiter> =>
  RateLimiter.use((limiter) => limiter.reset({ clientId }))

/**
 * How many clients the limiter remembers: what its memory grows with.
 *
 * **Details**
 *
 * A client is remembered from its first request until its last allowed one is a window old, and forgotten at most a
 * sixteenth of a window later, with or without traffic.
 *
 * **Example**
 *
 * ```ts
 * import { RateLimiter } from "@effect-otp/ratelimiter"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   yield* Effect.forEach(["ada", "bob", "ada"], RateLimiter.check)
 *   return yield* RateLimiter.size
 * }).pipe(Effect.provide(RateLimiter.layer({ limit: 10, window: "1 minute" })))
 *
 * Effect.runPromise(program) // => 2
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const size: Effect.Effect<number, CallError, RateLimiter> = RateLimiter.use((limiter) => limiter.size())

// ----------------------------------------------------------------------------
// internals
// ----------------------------------------------------------------------------

// What `RateLimiter.use` does, without the closures that it makes: a fifth of what a check allocates. A function, since it has
// a prototype that no class could have.
interface Check extends Effect.Effect<Decision.Allowed, Decision.RateLimited | CallError, RateLimiter> {
  readonly clientId: string
}

const Check: { new(clientId: string): Check } = function(this: { clientId: string }, clientId: string) {
  this.clientId = clientId
} as never
Check.prototype = Effectable.Prototype<Check>({
  label: "RateLimiter.check",
  evaluate(fiber) {
    return Context.getUnsafe(fiber.context, RateLimiter).check({ clientId: this.clientId })
  }
})

interface State {
  readonly clients: Clients.Clients<SlidingWindow.State>
  /** The time in whole microseconds. */
  readonly now: () => number
  readonly pid: Process.Pid<ForgetIdle>
  /** Whether a `ForgetIdle` is on its way. There is never more than one. */
  timer: "none" | "running"
}

/** What the limiter sends to itself when it is time to forget clients: with no traffic, no check would do it. */
interface ForgetIdle {
  readonly _tag: "ForgetIdle"
}

const forgetIdle: ForgetIdle = { _tag: "ForgetIdle" }

// About 0.4 µs each: between two turns others are served, however many have to be forgotten at once.
const forgottenPerTurn = 100

const defaultClock = Context.get(Context.empty(), Clock.Clock)

// The monotonic clock: a wall clock that is set forward would forgive what it must not, and set back, freeze everybody.
const micros = (clock: Clock.Clock): () => number => {
  // Behind a getter of the global object.
  const { performance } = globalThis
  // The same time without the two BigInts, which every check would leave behind.
  return clock === defaultClock
    ? () => Math.floor(performance.now() * 1000)
    : () => Number(clock.monotonicTimeNanosUnsafe() / nanosPerMicro)
}
const nanosPerMicro = BigInt(1000)

/** Sends `ForgetIdle` when the first client can be forgotten, at once if there is one, never if there is no client. */
const startTimer = (state: State): Effect.Effect<void> => {
  const { clients, pid } = state
  const next = Clients.nextIdleAfter(clients, state.now())
  state.timer = next === undefined ? "none" : "running"
  if (next === undefined) return Effect.void
  if (next === 0) return Process.send(pid, forgetIdle)
  // Clients that come one after the other end one after the other, too: not a timer for each.
  const micros = Math.max(next, clients.policy.windowMicros / 16)
  return Effect.asVoid(Process.sendAfter(pid, forgetIdle, Duration.millis(Math.ceil(micros / 1000))))
}
