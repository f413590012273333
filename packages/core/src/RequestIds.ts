/**
 * Many requests that are under way, each with a label: a collection to ask for whichever answer comes first.
 *
 * `GenServer.sendRequest` gives one id, for which `GenServer.receiveResponse` waits. Where answers are to be handled in the
 * order in which they come, the ids go into a collection, with labels that say what each was for. Answers that are all
 * wanted before anything goes on are simpler to get with `GenServer.multiCall`, or `Effect.all` over plain calls.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as HashMap from "effect/HashMap"
import type * as Result from "effect/Result"
import { type RequestId, type ResponseOptions, sentOf } from "./internal/requestId.ts"
import * as Sent from "./internal/sent.ts"
import type { CallError } from "./OtpError.ts"

const TypeId = "~@effect-otp/core/RequestIds"

/**
 * Requests whose answers are an `A` or an error `E`, with labels `L`. It never changes: what adds or takes gives another one.
 *
 * @category models
 * @since 0.1.0
 */
export interface RequestIds<out A, out E, out L> {
  readonly [TypeId]: HashMap.HashMap<RequestId<A, E>, L>
}

/**
 * What waiting for any of many requests gives.
 *
 * **Details**
 *
 * A `Response` has what the call gave or failed with, the label of its request, and the requests that are left in `rest`. There
 * is `NoRequest` when the collection is empty, and `Timeout` when no answer came in time.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome<A, E, L> =
  | {
    readonly _tag: "Response"
    readonly response: Result.Result<A, E | CallError>
    readonly label: L
    readonly rest: RequestIds<A, E, L>
  }
  | { readonly _tag: "NoRequest" }
  | { readonly _tag: "Timeout" }

const wrap = <A, E, L>(labels: HashMap.HashMap<RequestId<A, E>, L>): RequestIds<A, E, L> => ({ [TypeId]: labels })

/**
 * A collection without any request. Mirrors `gen_server:reqids_new/0`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): RequestIds<never, never, never> => wrap(HashMap.empty())

/**
 * Adds a request, with a label to know it by. Mirrors `gen_server:reqids_add/3`.
 *
 * **Details**
 *
 * Labels need not differ. A request that is in the collection already is refused by throwing a `TypeError`: a defect, as
 * `badarg` is in OTP.
 *
 * @category combinators
 * @since 0.1.0
 */
export const add = <A, E, L, A2, E2, const L2>(
  self: RequestIds<A, E, L>,
  id: RequestId<A2, E2>,
  label: L2
): RequestIds<A | A2, E | E2, L | L2> => {
  const sent = sentOf(id)
  const labels: HashMap.HashMap<RequestId<A | A2, E | E2>, L | L2> = self[TypeId]
  if (HashMap.has(labels, id)) throw new TypeError(`id: the request ${sent} is in the collection already`)
  return wrap(HashMap.set(labels, id, label))
}

/**
 * How many requests there are. Mirrors `gen_server:reqids_size/1`.
 *
 * @category getters
 * @since 0.1.0
 */
export const size = (self: RequestIds<unknown, unknown, unknown>): number => HashMap.size(self[TypeId])

/**
 * All requests with their labels, in no particular order. Mirrors `gen_server:reqids_to_list/1`.
 *
 * @category getters
 * @since 0.1.0
 */
export const toList = <A, E, L>(
  self: RequestIds<A, E, L>
): ReadonlyArray<readonly [id: RequestId<A, E>, label: L]> => Array.from(HashMap.entries(self[TypeId]))

/**
 * Waits for the first answer to any of the requests, and takes that request out. When `timeout` has passed all of them are
 * given up.
 *
 * **Details**
 *
 * Mirrors `gen_server:receive_response/3`. Of answers that are there already the oldest is given. An error is an answer as
 * well, so it never fails with one: in the handler of a call that has no time left it fails with `CallError` and `Timeout`.
 * Requests that are given up are so as by `GenServer.receiveResponse`, also when the waiting fiber is interrupted.
 *
 * **Example**
 *
 * ```ts
 * import { GenServer, RequestIds, Step } from "@effect-otp/core"
 * import { Effect, Schema } from "effect"
 *
 * class Slow extends GenServer.Service<Slow>()("docs/Slow", [
 *   GenServer.call("wait", { payload: { millis: Schema.Finite }, success: Schema.Finite })
 * ]) {
 *   static readonly server = this.implement({
 *     init: () => 0,
 *     handlers: { wait: (n, { millis }) => Effect.as(Effect.sleep(millis), Step.reply(millis, n)) }
 *   })
 * }
 *
 * const program = Effect.gen(function*() {
 *   let ids = RequestIds.make() as RequestIds.RequestIds<number, never, string>
 *   for (const [label, millis] of [["slow", 20], ["fast", 0]] as const) {
 *     const server = yield* Slow.server.startScoped()
 *     ids = RequestIds.add(ids, yield* GenServer.sendRequest(server.wait({ millis })), label)
 *   }
 *   const labels: Array<string> = []
 *   while (true) {
 *     const next = yield* RequestIds.receive(ids)
 *     if (next._tag !== "Response") return labels
 *     labels.push(next.label)
 *     ids = next.rest
 *   }
 * })
 *
 * Effect.runPromise(Effect.scoped(program)) // => ["fast", "slow"]
 * ```
 *
 * @see {@link wait} to keep the requests
 * @category requests
 * @since 0.1.0
 */
export const receive = <A, E, L>(
  self: RequestIds<A, E, L>,
  options?: ResponseOptions
): Effect.Effect<Outcome<A, E, L>, CallError> =>
  Effect.suspend(() => {
    const giveUp = Effect.sync(() => sents(self).forEach((sent) => sent.giveUp()))
    return next(self, options).pipe(
      Effect.tap((outcome) => {
        if (outcome._tag !== "Timeout") return Effect.void
        const millis = Sent.millisOf(options)
        return Effect.sync(() => sents(self).forEach((sent) => sent.abandon(millis)))
      }),
      Effect.onInterrupt(() => giveUp)
    )
  })

/**
 * Waits for the first answer to any of the requests, and takes that request out. When `timeout` has passed all of them are
 * kept: wait again.
 *
 * **Details**
 *
 * Mirrors `gen_server:wait_response/3`. It is otherwise as {@link receive}. With a `timeout` of 0 it looks only, as
 * `gen_server:check_response/3` does.
 *
 * @see {@link receive}
 * @category requests
 * @since 0.1.0
 */
export const wait = <A, E, L>(
  self: RequestIds<A, E, L>,
  options?: ResponseOptions
): Effect.Effect<Outcome<A, E, L>, CallError> => Effect.suspend(() => next(self, options))

const sents = (self: RequestIds<unknown, unknown, unknown>): ReadonlyArray<Sent.Sent> =>
  Array.from(HashMap.keys(self[TypeId]), sentOf)

const next = <A, E, L>(
  self: RequestIds<A, E, L>,
  options: ResponseOptions | undefined
): Effect.Effect<Outcome<A, E, L>, CallError> =>
  Effect.withFiber((fiber) => {
    const millis = Sent.millisOf(options)
    const all = sents(self)
    if (all.length === 0) return Effect.succeed<Outcome<A, E, L>>({ _tag: "NoRequest" })
    return Effect.flatMap(Sent.next(fiber, all, millis), (sent) => {
      if (sent === undefined) return Effect.succeed<Outcome<A, E, L>>({ _tag: "Timeout" })
      const id = sent as unknown as RequestId<A, E>
      return Effect.map(resultOf<A, E>(sent), (response) => ({
        _tag: "Response",
        response,
        label: HashMap.getUnsafe(self[TypeId], id),
        rest: wrap(HashMap.remove(self[TypeId], id))
      }))
    })
  })

/** What a call gave or failed with; dies if the request was given up. */
const resultOf = <A, E>(sent: Sent.Sent): Effect.Effect<Result.Result<A, E | CallError>> =>
  Effect.result(sent.outcome as Exit.Exit<A, E | CallError>)
