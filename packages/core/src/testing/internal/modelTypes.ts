/**
 * What a model says of a protocol, in types.
 *
 * @internal
 */
import type * as Arbitrary from "effect/Arbitrary"
import type * as Result from "effect/Result"
import type * as Rpc from "effect/rpc/Rpc"
import type * as Schema from "effect/Schema"
import type { Accepted, Protocol } from "../../internal/protocol.ts"

/**
 * What the model says a request is answered with: the value itself, or a `Result` where it may be a declared error. A cast is
 * answered with nothing.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Answer<R> = R extends
  Rpc.Rpc<infer _Tag, infer _Payload, infer Success, infer Error, infer _Middleware, infer _Requires>
  ? Success extends Accepted ? void | Result.Result<void, Error["Type"]>
  : Success["Type"] | Result.Result<Success["Type"], Error["Type"]>
  : never

type PayloadOf<R> = R extends
  Rpc.Rpc<infer _Tag, infer Payload, infer _Success, infer _Error, infer _Middleware, infer _Requires> ? Payload["Type"]
  : never

type Tagged<P extends Protocol, Tag> = Extract<P[number], { readonly _tag: Tag }>

/**
 * What each request does to the model: a pure function of its state and the payload.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Requests<P extends Protocol, S> = {
  readonly [
    // Not by `as`: behind it nobody sees the type of a parameter while the protocol is inferred.
    Tag in P[number]["_tag"]
  ]: (
    state: S,
    payload: PayloadOf<Tagged<P, Tag>>
  ) => readonly [answer: Answer<Tagged<P, Tag>>, state: S]
}

/**
 * Payloads that are generated otherwise than from the Schema of the protocol.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Payloads<P extends Protocol> = {
  readonly [Tag in P[number]["_tag"]]?:
    | Arbitrary.Arbitrary<PayloadOf<Tagged<P, Tag>>>
    | (Schema.Top & { readonly Type: PayloadOf<Tagged<P, Tag>> })
}
