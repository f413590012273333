/**
 * A GenServer or a state machine over a wire: its protocol served by Effect's `RpcServer`, and the same client on the
 * other side.
 *
 * A protocol is a list of Rpcs, so nothing is described twice. `group` is what both sides share, `layer` answers it with a
 * running server, and `layerClient` provides the service itself, for code that need not know where the server runs. The
 * module is imported by its own path, `@effect-otp/core/GenServerRpc`: who stays in one program does not load it.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Rpc from "effect/rpc/Rpc"
import * as RpcClient from "effect/rpc/RpcClient"
import { RpcClientError } from "effect/rpc/RpcClientError"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as ExitReason from "./ExitReason.ts"
import type * as GenServer from "./GenServer.ts"
import * as Deadline from "./internal/deadline.ts"
import { absentOf, construct, isCast, TimeoutTypeId } from "./internal/protocol.ts"
import { namesOf } from "./internal/request.ts"
import * as OtpError from "./OtpError.ts"

// ----------------------------------------------------------------------------
// errors
// ----------------------------------------------------------------------------

const exitReasons: { readonly [Tag in ExitReason.ExitReason["_tag"]]: Extract<ExitReason.ExitReason, { _tag: Tag }> } =
  {
    Normal: ExitReason.normal,
    Shutdown: ExitReason.shutdown(),
    Kill: ExitReason.kill,
    Killed: ExitReason.killed,
    NoProcess: ExitReason.noProcess,
    NoConnection: ExitReason.noConnection,
    Crashed: ExitReason.crashed(Cause.die("the log of the server says why")),
    Custom: ExitReason.custom("a reason that was not sent")
  }

const CallErrorFields = Schema.TaggedStruct("CallError", {
  server: Schema.String,
  request: Schema.String,
  reason: Schema.Union([
    Schema.TaggedStruct("NoProcess", {}),
    Schema.TaggedStruct("Timeout", {
      after: Schema.Number,
      outer: Schema.optionalKey(Schema.Struct({ server: Schema.String, request: Schema.String }))
    }),
    Schema.TaggedStruct("ServerExited", {
      reason: Schema.Literals([
        "Normal",
        "Shutdown",
        "Kill",
        "Killed",
        "NoProcess",
        "NoConnection",
        "Crashed",
        "Custom"
      ])
    }),
    Schema.TaggedStruct("Overloaded", {}),
    Schema.TaggedStruct("CallingSelf", { chain: Schema.Array(Schema.String) })
  ])
})

/**
 * `OtpError.CallError` as it travels.
 *
 * **Details**
 *
 * Of the reason with which a server ended only the tag is sent. The Cause of a crash and the term of a reason may hold
 * secrets; they stay in the log of the server. What a client is to know, its call declares as an error.
 *
 * **Example**
 *
 * ```ts
 * import { ExitReason, OtpError } from "@effect-otp/core"
 * import * as GenServerRpc from "@effect-otp/core/GenServerRpc"
 * import { Cause, Schema } from "effect"
 *
 * const reason = new OtpError.ServerExited({ reason: ExitReason.crashed(Cause.die("password: 1234")) })
 * const error = new OtpError.CallError({ server: "Login", request: "check", reason })
 *
 * const sent = Schema.encodeSync(GenServerRpc.CallError)(error)
 * sent.reason // => { _tag: "ServerExited", reason: "Crashed" }
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export interface CallError extends Schema.Codec<OtpError.CallError, typeof CallErrorFields.Encoded> {}

/**
 * @category schemas
 * @since 0.1.0
 */
export const CallError: CallError = CallErrorFields.pipe(
  Schema.decodeTo(
    Schema.instanceOf(OtpError.CallError),
    SchemaTransformation.transform({
      decode: ({ reason, request, server }) => {
        switch (reason._tag) {
          case "NoProcess":
            return OtpError.callNoProcess(server, request)
          case "Timeout":
            return OtpError.callTimeout(server, request, reason.after, reason.outer)
          case "ServerExited":
            return OtpError.callServerExited(server, request, exitReasons[reason.reason])
          case "Overloaded":
            return OtpError.callOverloaded(server, request)
          case "CallingSelf":
            return OtpError.callCallingSelf(server, request, reason.chain)
        }
      },
      encode: ({ reason, request, server }) => ({
        _tag: "CallError" as const,
        server,
        request,
        reason: reason._tag === "ServerExited" ? { _tag: reason._tag, reason: reason.reason._tag } : reason
      })
    })
  )
)

const MailboxFullFields = Schema.TaggedStruct("MailboxFull", { target: Schema.String, capacity: Schema.Number })

/**
 * `OtpError.MailboxFull` as it travels, for a cast that declares it.
 *
 * @category schemas
 * @since 0.1.0
 */
export interface MailboxFull extends Schema.Codec<OtpError.MailboxFull, typeof MailboxFullFields.Encoded> {}

/**
 * @category schemas
 * @since 0.1.0
 */
export const MailboxFull: MailboxFull = MailboxFullFields.pipe(
  Schema.decodeTo(
    Schema.instanceOf(OtpError.MailboxFull),
    SchemaTransformation.transform({
      decode: ({ capacity, target }) => OtpError.mailboxFull(target, capacity),
      encode: ({ capacity, target }) => ({ _tag: "MailboxFull" as const, target, capacity })
    })
  )
)

// ----------------------------------------------------------------------------
// the protocol over a wire
// ----------------------------------------------------------------------------

/**
 * A service that can be served over a wire: one whose implementation is a GenServer or a state machine. What an agent is
 * asked are functions, which do not travel.
 *
 * @category models
 * @since 0.1.0
 */
export interface Service<in out Self, in out Id extends string, in out P extends GenServer.Protocol>
  extends Context.ServiceClass<Self, Id, GenServer.Client<P>>
{
  readonly protocol: P
}

/**
 * A request as it travels: its name begins with the key of its service, and what it can fail with beside its own error is
 * part of it.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Wire<R, Id extends string> = R extends
  Rpc.Rpc<infer Tag, infer Payload, infer Success, infer Error, infer _Middleware, infer _Requires>
  ? Rpc.Rpc<`${Id}.${Tag}`, Payload, Success, WireError<Success, Error>>
  : never

type WireError<Success, Error extends Schema.Top> = Success extends GenServer.Accepted
  ? [Error] extends [Schema.Never] ? Schema.Never : MailboxFull
  : Schema.Union<readonly [CallError, Error]>

/**
 * The requests of a service as an `RpcGroup`: what the two sides share.
 *
 * **When to use**
 *
 * Use it for what serves them (`RpcServer.layerHttp({ group, path })`), and for a client that knows Effect's RPC and not
 * the service: `RpcClient.make(group)`.
 *
 * **Details**
 *
 * A request is named `<key of the service>.<request>`, so that the groups of many services can be merged and served at one
 * place. A call can fail with `CallError` beside the error that it declares. A cast is answered when the mailbox has taken
 * it, and not when it has been handled.
 *
 * **Example**
 *
 * ```ts
 * import { GenServer } from "@effect-otp/core"
 * import * as GenServerRpc from "@effect-otp/core/GenServerRpc"
 * import { Schema } from "effect"
 *
 * class Counter extends GenServer.Service<Counter>()("docs/Counter", [
 *   GenServer.cast("increment"),
 *   GenServer.call("value", { success: Schema.Finite })
 * ]) {}
 *
 * const group = GenServerRpc.group(Counter)
 *
 * Array.from(group.requests.keys()) // => ["docs/Counter.increment", "docs/Counter.value"]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const group = <Self, const Id extends string, P extends GenServer.Protocol>(
  service: Service<Self, Id, P>
): RpcGroup.RpcGroup<Wire<P[number], Id>> =>
  // The compiler cannot follow a request through the type of a protocol that it does not know yet.
  wire(service) as never

/** A request of which nothing is known but that it is one. */
interface AnyRequest extends Rpc.Rpc<string, Schema.Top, Schema.Top, Schema.Top> {}

interface AnyService {
  readonly key: string
  readonly protocol: GenServer.Protocol
  readonly [TimeoutTypeId]?: number
}

const requestsOf = (service: AnyService) => service.protocol as ReadonlyArray<AnyRequest>

const nameOf = ({ key }: AnyService, rpc: AnyRequest): string => `${key}.${rpc._tag}`

const wire = (service: AnyService): RpcGroup.RpcGroup<AnyRequest> =>
  RpcGroup.make(...requestsOf(service).map((rpc) => rpc.setError(errorOf(rpc)).prefix(`${service.key}.`) as AnyRequest))

const errorOf = (rpc: AnyRequest): Schema.Top => {
  // First, or an error that is declared as anything would swallow it.
  if (!isCast(rpc)) return Schema.Union([CallError, rpc.errorSchema])
  return rpc.errorSchema.ast._tag === "Never" ? Schema.Never : MailboxFull
}

// ----------------------------------------------------------------------------
// the side of the server
// ----------------------------------------------------------------------------

/**
 * Answers the requests of `group` by a running server: the handlers that an `RpcServer` asks for.
 *
 * **Details**
 *
 * A request goes to the service as the layer finds it, so that it reaches the current incarnation, as any other caller
 * does. Input that does not fit its Schema is refused before it gets here, and harms nobody but who has sent it.
 *
 * The server keeps a time limit of its own: `GenServer.CallTimeout`, if it is provided to this layer, and else that of any
 * call to the service: 5 seconds, and none for a state machine. A client that is interrupted, gives up or is gone takes
 * its request back: one that is still queued never runs.
 *
 * Two bounds are yours to set, since there is none without them: `HttpIncomingMessage.MaxBodySize` for what is read of a
 * request, and `mailbox: { capacity, policy }` with `fail` or `dropNewest` for the requests that wait. A WebSocket needs a
 * third: it is read as fast as it sends, with a fiber for each request. Serve strangers over HTTP, or limit their sockets.
 *
 * **Example**
 *
 * ```ts
 * import { GenServer, Step } from "@effect-otp/core"
 * import * as GenServerRpc from "@effect-otp/core/GenServerRpc"
 * import { Layer, Schema } from "effect"
 * import { HttpRouter } from "effect/http"
 * import { RpcSerialization, RpcServer } from "effect/rpc"
 *
 * class Counter extends GenServer.Service<Counter>()("docs/Counter", [
 *   GenServer.call("next", { success: Schema.Finite })
 * ]) {
 *   static readonly server = this.implement({
 *     init: () => 0,
 *     handlers: { next: (count) => Step.reply(count + 1, count + 1) }
 *   })
 * }
 *
 * const app = RpcServer.layerHttp({ group: GenServerRpc.group(Counter), path: "/rpc", protocol: "http" }).pipe(
 *   Layer.provide(GenServerRpc.layer(Counter)),
 *   Layer.provide([Counter.server.layer(), RpcSerialization.layerJson])
 * )
 *
 * // a server for any platform, or a web handler, as here
 * const { handler } = HttpRouter.toWebHandler(app, { disableLogger: true })
 * const post = (body: unknown) =>
 *   handler(new Request("http://localhost/rpc", { method: "POST", body: JSON.stringify(body) }))
 *
 * const request = { _tag: "Request", id: 1, tag: "docs/Counter.next", payload: null, headers: [] }
 * const [answer] = await (await post(request)).json()
 * answer.exit // => { _tag: "Success", value: 1 }
 * ```
 *
 * @see {@link layerClient} for the other side
 * @category layers
 * @since 0.1.0
 */
export const layer = <Self, const Id extends string, P extends GenServer.Protocol>(
  service: Service<Self, Id, P>
): Layer.Layer<Rpc.ToHandler<Wire<P[number], Id>>, never, Self> => {
  const handlers = Effect.gen(function*() {
    const client = (yield* service) as Methods
    const timeout = Option.fromUndefinedOr(Context.getOrUndefined(yield* Effect.context(), Deadline.CallTimeout))
    // The context of a request is that of its transport, whose time limit it would have.
    const inTime = (context: Context.Context<never>) => Context.addOrOmit(context, Deadline.CallTimeout, timeout)
    const handler = (rpc: AnyRequest) => (payload: unknown) => Effect.updateContext(client[rpc._tag]!(payload), inTime)
    return Object.fromEntries(requestsOf(service).map((rpc) => [nameOf(service, rpc), handler(rpc)]))
  })
  // Each handler is the method of its request, which has the same payload and the same answers.
  return group(service).toLayer(handlers as never) as never
}

interface Methods {
  readonly [tag: string]: (payload: unknown) => Effect.Effect<unknown, unknown>
}

// ----------------------------------------------------------------------------
// the side of the client
// ----------------------------------------------------------------------------

/**
 * Provides a service whose server runs elsewhere: the same tag and the same client, so that code that is written against it
 * need not know.
 *
 * **Details**
 *
 * `RpcClient.Protocol` says how it is reached: `RpcClient.layerProtocolHttp`, `layerProtocolSocket` and others. A call fails
 * as a local one does, within the caller's `GenServer.CallTimeout` and, in the handler of another call, what that has left.
 * What the wire adds:
 *
 * | what happened | reason of the `CallError` | may the request have run? |
 * | --- | --- | --- |
 * | a socket could not be opened | `NoProcess` | no |
 * | the connection was lost, or the answer makes no sense | `ServerExited` with `NoConnection` | yes |
 * | the server that listens is shutting down | `ServerExited` with `NoConnection` | yes |
 *
 * The error that the transport gave is the `cause` of the `CallError`. A cast waits until it is accepted, and does not fail
 * when it is lost. A request that the server does not know, or refuses to decode, is a defect.
 *
 * **Example**
 *
 * ```ts no-run
 * import { GenServer } from "@effect-otp/core"
 * import * as GenServerRpc from "@effect-otp/core/GenServerRpc"
 * import { Effect, Layer, Schema } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { RpcClient, RpcSerialization } from "effect/rpc"
 *
 * class Counter extends GenServer.Service<Counter>()("docs/Counter", [
 *   GenServer.call("next", { success: Schema.Finite })
 * ]) {}
 *
 * const program = Effect.gen(function*() {
 *   const counter = yield* Counter
 *   return yield* counter.next()
 * })
 *
 * const remote = GenServerRpc.layerClient(Counter).pipe(
 *   Layer.provide(RpcClient.layerProtocolHttp({ url: "http://localhost:3000/rpc" })),
 *   Layer.provide([FetchHttpClient.layer, RpcSerialization.layerJson])
 * )
 *
 * Effect.runPromise(Effect.provide(program, remote))
 * ```
 *
 * @see {@link layer} for the other side
 * @category layers
 * @since 0.1.0
 */
export const layerClient = <Self, const Id extends string, P extends GenServer.Protocol>(
  service: Service<Self, Id, P>
): Layer.Layer<Self, never, RpcClient.Protocol | Rpc.ServicesClient<Wire<P[number], Id>>> => {
  const client = Effect.gen(function*() {
    // Whatever the Schemas of the protocol need is in it; what a caller has of its own comes first.
    const services = (yield* Effect.context<Rpc.ServicesClient<Wire<P[number], Id>>>()) as Context.Context<unknown>
    const call = yield* RpcClient.make(wire(service), { flatten: true })
    const send: Send = (rpc, payload) =>
      Effect.updateContext(call(nameOf(service, rpc), payload), (own) => Context.merge(services, own))
    // A method for each request, with its payload and its answers.
    return Object.fromEntries(requestsOf(service).map((rpc) => [rpc._tag, requestOf(service, rpc, send)])) as never
  })
  return Layer.effect(service, client)
}

type Answer = (
  service: AnyService,
  tag: string,
  sent: Effect.Effect<unknown, unknown>
) => Effect.Effect<unknown, unknown>

type Send = (rpc: AnyRequest, payload: unknown) => Effect.Effect<unknown, unknown>

const requestOf = (service: AnyService, rpc: AnyRequest, send: Send): Methods[string] => {
  const answer = isCast(rpc) ? accepted : inTime
  return (input = absentOf(rpc)) =>
    answer(
      service,
      rpc._tag,
      Effect.suspend(() => send(rpc, construct(nameOf(service, rpc), rpc.payloadSchema, input)))
    )
}

/** A cast never fails because it was lost. */
const accepted: Answer = ({ key }, tag, sent) =>
  Effect.catchCause(sent, (cause) => {
    const error = lost(key, tag, cause)
    return error === undefined
      ? Effect.failCause(cause)
      : Effect.logDebug(`cast ${tag} to ${key} may be lost`, error.cause)
  })

/** The time that its caller allows ends here: to give up takes the request back, wherever it is. */
const inTime: Answer = (service, tag, sent) =>
  Effect.withFiber((fiber) => {
    const { key, [TimeoutTypeId]: timeout } = service
    const own = Deadline.timeoutOf(fiber, { timeout })
    const outer = Deadline.outerOf(Deadline.callingServer(fiber), fiber)
    const rest = Deadline.leftOf(outer)
    const timedOut = () =>
      Effect.fail(
        own <= rest
          ? OtpError.callTimeout(key, tag, own)
          : OtpError.callTimeout(key, tag, Math.ceil(rest), namesOf(outer!))
      )
    if (rest <= 0) return timedOut()
    const answered = Effect.catchCause(sent, (cause) => Effect.failCause(lostCause(key, tag, cause)))
    const after = Math.min(own, rest)
    return after === Infinity ? answered : Effect.timeoutOrElse(answered, { duration: after, orElse: timedOut })
  })

const lostCause = (key: string, tag: string, cause: Cause.Cause<unknown>): Cause.Cause<unknown> => {
  const error = lost(key, tag, cause)
  return error === undefined ? cause : Cause.fail(error)
}

/** What a cause says of the connection, if it says anything of it. */
const lost = (key: string, tag: string, cause: Cause.Cause<unknown>): OtpError.CallError | undefined => {
  const reason = cause.reasons[0]
  // No interruption of the caller comes here: it is the other side, or the client, that is being shut down.
  const interrupted = Cause.hasInterruptsOnly(cause)
  const error = reason?._tag === "Fail" && reason.error instanceof RpcClientError ? reason.error : undefined
  if (error === undefined) {
    return interrupted ? OtpError.callServerExited(key, tag, ExitReason.noConnection) : undefined
  }
  const callError = error.reason._tag === "SocketOpenError"
    ? OtpError.callNoProcess(key, tag)
    : OtpError.callServerExited(key, tag, ExitReason.noConnection)
  // Not among the fields, by which errors are compared.
  return Object.defineProperty(callError, "cause", { value: error, configurable: true })
}
