/** A service over a wire: everything is inferred from its protocol. */
import * as Agent from "@effect-otp/core/Agent"
import * as GenServer from "@effect-otp/core/GenServer"
import * as GenServerRpc from "@effect-otp/core/GenServerRpc"
import * as OtpError from "@effect-otp/core/OtpError"
import type { CallError, MailboxFull } from "@effect-otp/core/OtpError"
import * as StateMachine from "@effect-otp/core/StateMachine"
import * as Step from "@effect-otp/core/Step"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Rpc from "effect/rpc/Rpc"
import type * as RpcClient from "effect/rpc/RpcClient"
import type { RpcClientError } from "effect/rpc/RpcClientError"
import type * as RpcGroup from "effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"
import { same, typeOf } from "./utils.ts"

class NotEnough extends Schema.TaggedError<NotEnough>()("NotEnough", {}) {}

class Stock extends GenServer.Service<Stock>()("test/Stock", [
  GenServer.cast("increment"),
  GenServer.cast("add", { payload: { by: Schema.Finite }, error: OtpError.MailboxFull }),
  GenServer.call("value", { success: Schema.Finite }),
  GenServer.call("take", { payload: { n: Schema.Finite }, success: Schema.Date, error: NotEnough })
]) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: {
      increment: (count) => Step.noReply(count),
      add: (count) => Step.noReply(count),
      value: (count) => Step.reply(count, count),
      take: (count) => Step.reply(new Date(), count)
    },
    mailbox: { capacity: 1 }
  })
}

const group = GenServerRpc.group(Stock)
type Tags = "test/Stock.increment" | "test/Stock.add" | "test/Stock.value" | "test/Stock.take"
same<RpcGroup.Rpcs<typeof group>["_tag"], Tags>()

type Handlers<Tag> = Tag extends string ? Rpc.Handler<Tag> : never
typeOf(GenServerRpc.layer(Stock)).is<Layer.Layer<Handlers<Tags>, never, Stock>>()
typeOf(GenServerRpc.layerClient(Stock)).is<Layer.Layer<Stock, never, RpcClient.Protocol>>()

// Effect's own client: the errors of the server, and that of the transport.
declare const client: Effect.Success<ReturnType<typeof RpcClient.make<RpcGroup.Rpcs<typeof group>>>>
typeOf(client["test/Stock.increment"]()).is<Effect.Effect<void, RpcClientError>>()
typeOf(client["test/Stock.add"]({ by: 1 })).is<Effect.Effect<void, MailboxFull | RpcClientError>>()
typeOf(client["test/Stock.value"]()).is<Effect.Effect<number, CallError | RpcClientError>>()
typeOf(client["test/Stock.take"]({ n: 1 })).is<Effect.Effect<Date, NotEnough | CallError | RpcClientError>>()

// What a Schema needs is a requirement of the side that uses it.
class Key extends Context.Service<Key, string>()("test/Key") {}
declare const Sealed: Schema.Codec<string, string, Key, never>

class Vault extends GenServer.Service<Vault>()("test/Vault", [GenServer.call("open", { success: Sealed })]) {}
typeOf(GenServerRpc.layerClient(Vault)).is<Layer.Layer<Vault, never, RpcClient.Protocol | Key>>()
typeOf(GenServerRpc.layer(Vault)).is<Layer.Layer<Rpc.Handler<"test/Vault.open">, never, Vault>>()

// @ts-expect-error a request is named with the key of its service
void client["value"]

// @ts-expect-error not a service of a GenServer
GenServerRpc.group(Key)

// ----------------------------------------------------------------------------
// other behaviours
// ----------------------------------------------------------------------------

type States = { Off: void; On: number }
class Light extends StateMachine.Service<Light, States>()("test/Light", [
  GenServer.call("push", { payload: { by: Schema.Finite }, success: Schema.Finite, error: NotEnough }),
  GenServer.cast("off")
]) {}

same<RpcGroup.Rpcs<ReturnType<typeof lights>>["_tag"], "test/Light.push" | "test/Light.off">()
const lights = () => GenServerRpc.group(Light)
typeOf(GenServerRpc.layer(Light)).is<Layer.Layer<Handlers<"test/Light.push" | "test/Light.off">, never, Light>>()
typeOf(GenServerRpc.layerClient(Light)).is<Layer.Layer<Light, never, RpcClient.Protocol>>()

class Hits extends Agent.Service<Hits, number>()("test/Hits") {}
// @ts-expect-error what an agent is asked are functions
GenServerRpc.group(Hits)
