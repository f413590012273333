/**
 * The protocol of a server: a list of Rpcs, checked by the compiler, and what clients and servers ask of it.
 *
 * @internal
 */
import type * as Effect from "effect/Effect"
import * as Rpc from "effect/rpc/Rpc"
import type * as RpcSchema from "effect/rpc/RpcSchema"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import { type CallError, MailboxFull } from "../OtpError.ts"
import type { Pid } from "../Pid.ts"

const AcceptedTypeId = "~@effect-otp/core/GenServer/Accepted"

/**
 * The success schema that makes a request a cast: no answer is awaited. It is a `Schema.Void`, and it stays with the
 * request whatever is done to it (`annotate`, `prefix`, `setPayload`).
 *
 * @category models
 * @since 0.1.0
 */
export interface Accepted extends Schema.Void {
  readonly [AcceptedTypeId]: typeof AcceptedTypeId
}

const Accepted: Accepted = Object.assign(
  Schema.Void.annotate({}),
  {
    [AcceptedTypeId]: AcceptedTypeId
  } as const
)

/** Whether nobody waits for an answer to it. */
export const isCast = (rpc: Rpc.AnyWithProps): boolean => rpc.successSchema === Accepted

/**
 * A request without an answer: an Rpc whose success schema is `Accepted`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Cast<
  in out Tag extends string,
  out Payload extends Schema.Top = Schema.Void,
  out Error extends Schema.Top = Schema.Never
> extends Rpc.Rpc<Tag, Payload, Accepted, Error> {}

const Full: Schema.instanceOf<MailboxFull> = Schema.instanceOf(MailboxFull)

export const cast = <
  const Tag extends string,
  Payload extends Schema.Top | Schema.Struct.Fields = Schema.Void,
  Error extends typeof MailboxFull | undefined = undefined
>(
  tag: Tag,
  options?: { readonly payload?: Payload; readonly error?: Error }
): Cast<
  Tag,
  Payload extends Schema.Struct.Fields ? Schema.Struct<Payload> : Payload,
  [Error] extends [undefined] ? Schema.Never : Schema.instanceOf<MailboxFull>
> =>
  Rpc.make(tag, {
    ...options,
    success: Accepted,
    error: options?.error === undefined ? Schema.Never : Full
  }) as never

/**
 * The requests of a server.
 *
 * @category models
 * @since 0.1.0
 */
export type Protocol = ReadonlyArray<Rpc.Any>

/**
 * What a client has of its own, and `then`, which would make it a promise.
 *
 * @category utility types
 * @since 0.1.0
 */
export type ReservedName = "pid" | "then"

/**
 * `unknown` for a request that a server can serve, else a sentence that says why not. */
type CheckRequest<R, Seen> = R extends
  Rpc.Rpc<infer Tag, infer _Payload, infer Success, infer _Error, infer Middleware, infer _Requires>
  ? Tag extends Seen ? `two requests are named "${Tag}"`
  : Tag extends ReservedName ? `a request cannot be named "${Tag}"`
  : [Success] extends [RpcSchema.Stream<infer _A, infer _E>] ? `"${Tag}" is a stream, which a server cannot serve`
  : [Middleware] extends [never] ? unknown
  : `"${Tag}" has middleware, which a server cannot run`
  : "not an Rpc"

/**
 * `CheckRequest` of each request, in order. */
export type CheckProtocol<P extends Protocol, Seen = never, Checked extends ReadonlyArray<unknown> = readonly []> =
  P extends readonly [infer Head extends Rpc.Any, ...infer Tail extends Protocol]
    ? CheckProtocol<Tail, Seen | Head["_tag"], readonly [...Checked, CheckRequest<Head, Seen>]>
    : P extends readonly [] ? Checked
    : { readonly [I in keyof P]: CheckRequest<P[I], never> }

// ----------------------------------------------------------------------------
// clients
// ----------------------------------------------------------------------------

/**
 * The argument that a request takes: none for `void`, optional if everything in it is. */
type RequestArgs<Input> = [Input] extends [void] ? [void] extends [Input] ? [] : [payload?: Input]
  : undefined extends Input ? [payload?: Input]
  : {} extends Input ? [payload?: Input]
  : [payload: Input]

/**
 * How a client makes one request.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Request<R> = R extends
  Rpc.Rpc<infer _Tag, infer Payload, infer Success, infer Error, infer _Middleware, infer _Requires>
  ? Success extends Accepted
    ? (...args: RequestArgs<Payload["~type.make.in"]>) => Effect.Effect<void, Extract<Error["Type"], MailboxFull>>
  : (
    ...args: RequestArgs<Payload["~type.make.in"]>
  ) => Effect.Effect<Success["Type"], Error["Type"] | CallError>
  : never

/** The methods of a client, one for each request.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Client<P extends Protocol> = { readonly [R in P[number] as R["_tag"]]: Request<R> }

/** The client that a service stands for.
 *
 * @category utility types
 * @since 0.1.0
 */
export type ClientOf<Self> = Self extends { readonly Service: infer C } ? C : never

/** A running server: its client, and the pid of this incarnation. `Message` is what its `info` takes from others, and `E`
 * what sending it one can fail with.
 *
 * @category models
 * @since 0.1.0
 */
export type Ref<Self, Message = never, E = never> = ClientOf<Self> & { readonly pid: Pid<Message, E> }

// ----------------------------------------------------------------------------
// at runtime
// ----------------------------------------------------------------------------

/** How long calls to a service wait where no `CallTimeout` is provided, if that is not what any call does. */
export const TimeoutTypeId = "~@effect-otp/core/GenServer/timeout"

/** The payload of a request that is made without one. */
export const absentOf = (rpc: Rpc.AnyWithProps): unknown => rpc.payloadSchema.ast._tag === "Objects" ? {} : undefined

/** Makes a payload, or dies of what is wrong with it. */
export const construct = (request: string, schema: Schema.Top, input: unknown): unknown => {
  try {
    return schema.make(input)
  } catch (error) {
    const issue = error instanceof Error && error.cause
    if (!SchemaIssue.isIssue(issue)) throw error
    throw new TypeError(`${request}: the payload was refused: ${inOneLine(issue)}`, { cause: error })
  }
}

const formatIssue = SchemaIssue.makeFormatterDefault()

const inOneLine = (issue: SchemaIssue.Issue): string =>
  formatIssue(issue).replaceAll("\n  ", " ").replaceAll("\n", "; ")

/** Whether making a value of this schema does anything: defaults, checks, classes. */
export const constructs = (ast: SchemaAST.AST): boolean => {
  if (ast.checks !== undefined || ast.context?.constructorDefault !== undefined) return true
  switch (ast._tag) {
    case "Declaration":
    case "Suspend":
      return true
    case "Objects":
      return ast.propertySignatures.some(({ type }) => constructs(type)) ||
        ast.indexSignatures.some(({ type }) => constructs(type))
    case "Arrays":
      return [...ast.elements, ...ast.rest].some(constructs)
    case "Union":
      return ast.types.some(constructs)
    default:
      return false
  }
}

/** The rules of a protocol, for those who come without the compiler. */
export const checkProtocol = (key: string, protocol: Protocol, reserved: ReadonlyArray<string> = []): void => {
  const seen = new Set<string>(["pid", "then", "__proto__", ...reserved])
  for (const { _tag } of protocol) {
    if (seen.has(_tag)) {
      throw new TypeError(`${key}: a request cannot be named "${_tag}": the name is reserved or taken`)
    }
    seen.add(_tag)
  }
}

/** A handler for each request, for those who come without the compiler. */
export const checkHandlers = (key: string, protocol: Protocol, handlers: { readonly [tag: string]: unknown }): void => {
  for (const { _tag } of protocol) {
    if (typeof handlers[_tag] !== "function") {
      throw new TypeError(`${key}: there is no handler for the request "${_tag}"`)
    }
  }
}
