/**
 * Sending a request now and asking for its answer later, as `GenServer` offers it.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Types from "effect/Types"
import type { AnyTarget } from "../Name.ts"
import type { CallError, MailboxFull } from "../OtpError.ts"
import * as Deadline from "./deadline.ts"
import * as Input from "./input.ts"
import * as Sent from "./sent.ts"

/**
 * A request that was sent: it stands for its answer, an `A` or the error `E` that the call declares.
 *
 * **Details**
 *
 * The answer stays in it, so asking twice gives it twice. It is equal to itself alone.
 *
 * @see {@link sendRequest}
 * @category models
 * @since 0.1.0
 */
export interface RequestId<out A, out E = never> {
  readonly "~@effect-otp/core/GenServer/RequestId": {
    readonly _A: Types.Covariant<A>
    readonly _E: Types.Covariant<E>
  }
}

/**
 * What makes an effect a call: it may fail with `CallError`. */
type IsCall<E> = [CallError] extends [E] ? unknown : "a cast is sent by itself, and has no answer to ask for"

/**
 * How long to wait for an answer.
 *
 * @category models
 * @since 0.1.0
 */
export interface ResponseOptions {
  /** Default: without limit. */
  readonly timeout?: Sent.WaitOptions["timeout"]
}

/** @internal */
export const sentOf = (id: RequestId<unknown, unknown>): Sent.Sent =>
  Input.check<unknown>("id", "what GenServer.sendRequest gave", id instanceof Sent.Sent, id) as Sent.Sent

/**
 * Sends the request of a client method now, and gives an id to ask for its answer later.
 *
 * **When to use**
 *
 * Use it to have several servers work at the same time, or to go on until the answer is needed, without a fiber for each
 * request. Where one answer is awaited at once the plain call is simpler.
 *
 * **Details**
 *
 * Mirrors `gen_server:send_request/2`. It takes what the method of a client gives, `counter.take({ n: 2 })`, or
 * `Agent.get(agent, f)` and its kin without `timeout`, before anything is made of it; any other effect is a defect. It never fails and never waits: that nobody is there, or has no room, comes
 * with the answer. A mailbox with the policy `suspend` lets the request in when there is room, in its turn; the sender goes
 * on meanwhile, so whoever sends many has to bound them himself.
 *
 * **Example**
 *
 * ```ts
 * import { GenServer, Step } from "@effect-otp/core"
 * import { Effect, Schema } from "effect"
 *
 * class Square extends GenServer.Service<Square>()("docs/Square", [
 *   GenServer.call("of", { payload: { n: Schema.Finite }, success: Schema.Finite })
 * ]) {
 *   static readonly server = this.implement({
 *     init: () => 0,
 *     handlers: { of: (state, { n }) => Step.reply(n * n, state) }
 *   })
 * }
 *
 * const program = Effect.gen(function*() {
 *   const square = yield* Square
 *   const id = yield* GenServer.sendRequest(square.of({ n: 3 }))
 *   return yield* GenServer.receiveResponse(id)
 * })
 *
 * Effect.runPromise(Effect.provide(program, Square.server.layer())) // => 9
 * ```
 *
 * @see {@link receiveResponse}, {@link waitResponse}, {@link checkResponse}, and the module `RequestIds` for many
 * @category requests
 * @since 0.1.0
 */
export const sendRequest = <A, E, R>(
  request: Effect.Effect<A, E, R> & IsCall<E>
): Effect.Effect<RequestId<A, Exclude<E, CallError>>, never, R> =>
  Effect.withFiber((fiber) =>
    Effect.sync(() => {
      const sent = Sent.prepare(fiber, "GenServer.sendRequest", request)
      Sent.post(sent)
      return sent as unknown as RequestId<A, Exclude<E, CallError>>
    })
  )

/**
 * Waits for the answer of a request. When `timeout` has passed the request is given up.
 *
 * **Details**
 *
 * Mirrors `gen_server:receive_response/2`. It fails as the call would have failed: with the error that the call declares, or
 * with `CallError`, `NoProcess` and `Overloaded` included. A `Timeout` is the end of the request, as for a call: one that is
 * still queued never runs, and a late answer is dropped. So is it when the waiting fiber is interrupted; asking once more
 * is a defect then. `CallingSelf` is the end of nothing: ask again when the callback has ended.
 *
 * @see {@link waitResponse} to keep the request
 * @category requests
 * @since 0.1.0
 */
export const receiveResponse = <A, E>(
  id: RequestId<A, E>,
  options?: ResponseOptions
): Effect.Effect<A, E | CallError> =>
  Effect.withFiber((fiber) => Sent.receive(fiber, sentOf(id), Sent.millisOf(options))) as Effect.Effect<
    A,
    E | CallError
  >

/**
 * Waits for the answer of a request, and gives nothing when `timeout` has passed: the request is kept, so wait again.
 *
 * **Details**
 *
 * Mirrors `gen_server:wait_response/2`. It fails as {@link receiveResponse} does, but never for its own `timeout`. In the
 * handler of a call that has no time left it fails with `Timeout`, since there is nothing to wait for.
 *
 * @see {@link checkResponse} to look only
 * @category requests
 * @since 0.1.0
 */
export const waitResponse = <A, E>(
  id: RequestId<A, E>,
  options?: ResponseOptions
): Effect.Effect<Option.Option<A>, E | CallError> =>
  Effect.withFiber((fiber) =>
    Effect.flatMap(
      Sent.next(fiber, [sentOf(id)], Sent.millisOf(options)),
      (sent) => sent === undefined ? Effect.succeedNone : Effect.asSome(sent.outcome!)
    )
  ) as Effect.Effect<Option.Option<A>, E | CallError>

/**
 * Looks whether a request has been answered, and does not wait.
 *
 * **Details**
 *
 * Mirrors `gen_server:check_response/2`, without a message to look at: the answer is in the id. It fails as
 * {@link receiveResponse} does.
 *
 * @see {@link waitResponse}
 * @category requests
 * @since 0.1.0
 */
export const checkResponse = <A, E>(id: RequestId<A, E>): Effect.Effect<Option.Option<A>, E | CallError> =>
  Effect.suspend(() => {
    const { outcome } = sentOf(id)
    return outcome === undefined ? Effect.succeedNone : Effect.asSome(outcome)
  }) as Effect.Effect<Option.Option<A>, E | CallError>

// ----------------------------------------------------------------------------
// many servers
// ----------------------------------------------------------------------------

/** A service, as far as it gives clients for what is found elsewhere. */
interface Clients<out C> {
  readonly at: (target: AnyTarget) => C
}

/**
 * What many servers have answered, and who has not, each in the order of the targets.
 *
 * @category models
 * @since 0.1.0
 */
export interface Replies<out T, out A, out E> {
  readonly replies: ReadonlyArray<readonly [target: T, value: A]>
  readonly failed: ReadonlyArray<readonly [target: T, error: E]>
}

/**
 * Makes the same call to many servers at once, and waits for all answers: they have one time in common.
 *
 * **Details**
 *
 * Mirrors `gen_server:multi_call/4`, over names and pids instead of nodes. It never fails: whoever is not there, refuses or
 * takes too long is among the `failed`, with the error. The time is `timeout`, and where there is none that of any call
 * ({@link CallTimeout}). All requests are sent before the first answer is awaited; none is sent if one of them is a
 * defect, such as a payload that is refused.
 *
 * **Example**
 *
 * ```ts
 * import { GenServer, Step } from "@effect-otp/core"
 * import { Effect, Schema } from "effect"
 *
 * class Shard extends GenServer.Service<Shard>()("docs/Shard", [
 *   GenServer.call("size", { success: Schema.Finite })
 * ]) {
 *   static readonly server = this.implement({
 *     init: (size: number) => size,
 *     handlers: { size: (size) => Step.reply(size, size) }
 *   })
 * }
 *
 * const program = Effect.gen(function*() {
 *   yield* Shard.server.startScoped(10, { name: "a" })
 *   yield* Shard.server.startScoped(20, { name: "b" })
 *   const { failed, replies } = yield* GenServer.multiCall(Shard, ["a", "b", "c"], (shard) => shard.size())
 *   return [replies, failed.map(([name, error]) => [name, error.reason._tag])]
 * })
 *
 * Effect.runPromise(Effect.scoped(program)) // => [[["a", 10], ["b", 20]], [["c", "NoProcess"]]]
 * ```
 *
 * @see {@link abcast}
 * @category many servers
 * @since 0.1.0
 */
export const multiCall = <C, const T extends AnyTarget, A, E, R>(
  service: Clients<C>,
  targets: Iterable<T>,
  request: (client: C) => Effect.Effect<A, E, R> & IsCall<E>,
  options?: ResponseOptions
): Effect.Effect<Replies<T, A, E>, never, R> =>
  Effect.withFiber((fiber) => {
    const own = options?.timeout === undefined ? undefined : Sent.millisOf(options)
    const all = Array.from(targets, (target) => ({
      target,
      sent: Sent.prepare(fiber, "GenServer.multiCall", request(service.at(target)))
    }))
    const outer = Deadline.outerOf(Deadline.callingServer(fiber), fiber)
    for (const { sent } of all) {
      Sent.post(sent)
      if (!sent.isDone) Deadline.limit(sent, fiber, own ?? Deadline.timeoutOf(fiber, sent.operation), outer)
    }
    const replies: Array<readonly [T, A]> = []
    const failed: Array<readonly [T, E]> = []
    return Effect.forEach(all, ({ sent, target }) =>
      Effect.match(Sent.receive(fiber, sent, Infinity), {
        onSuccess: (value) => replies.push([target, value as A]),
        onFailure: (error) => failed.push([target, error as E])
      }), { discard: true }).pipe(
        Effect.as({ replies, failed }),
        // Also what has not failed by itself: a request to the server that makes the call, which is still queued.
        Effect.ensuring(Effect.sync(() => all.forEach(({ sent }) => sent.giveUp())))
      )
  })

/**
 * Makes the same cast to many servers. It always succeeds.
 *
 * **Details**
 *
 * Mirrors `gen_server:abcast/3`, over names and pids instead of nodes. Nothing tells who got it: a server that is not there,
 * or whose mailbox refuses the cast, is left out. One that has the policy `suspend` and no room is waited for, the others
 * get theirs meanwhile.
 *
 * @see {@link multiCall} to know what came of it
 * @category many servers
 * @since 0.1.0
 */
export const abcast = <C, R>(
  service: Clients<C>,
  targets: Iterable<AnyTarget>,
  request: (client: C) => Effect.Effect<void, MailboxFull, R>
): Effect.Effect<void, never, R> =>
  Effect.forEach(targets, (target) => Effect.ignore(request(service.at(target))), {
    concurrency: "unbounded",
    discard: true
  })
