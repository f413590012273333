/** What requests that are sent now and asked for later are known to give, and calls to many servers. */
import * as GenServer from "@effect-otp/core/GenServer"
import type { CallError, StartError } from "@effect-otp/core/OtpError"
import type { Pid } from "@effect-otp/core/Pid"
import type * as Process from "@effect-otp/core/Process"
import * as RequestIds from "@effect-otp/core/RequestIds"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Counter } from "./GenServer.ts"
import { same, typeOf } from "./utils.ts"

class NotEnough extends Schema.TaggedError<NotEnough>()("NotEnough", {}) {}
class Store extends GenServer.Service<Store>()("Store", [
  GenServer.call("take", { payload: { n: Schema.Finite }, success: Schema.Finite, error: NotEnough }),
  GenServer.call("name", { success: Schema.String }),
  GenServer.cast("drop")
]) {}
const store = Store.at("store")

// ----------------------------------------------------------------------------
// one request
// ----------------------------------------------------------------------------

const sent = GenServer.sendRequest(store.take({ n: 1 }))
typeOf(sent).is<Effect.Effect<GenServer.RequestId<number, NotEnough>>>()
typeOf(GenServer.sendRequest(store.name())).is<Effect.Effect<GenServer.RequestId<string, never>>>()

export const one = Effect.gen(function*() {
  const id = yield* sent
  typeOf(GenServer.receiveResponse(id)).is<Effect.Effect<number, NotEnough | CallError>>()
  typeOf(GenServer.receiveResponse(id, { timeout: "1 second" })).is<Effect.Effect<number, NotEnough | CallError>>()
  typeOf(GenServer.waitResponse(id, { timeout: 0 })).is<Effect.Effect<Option.Option<number>, NotEnough | CallError>>()
  typeOf(GenServer.checkResponse(id)).is<Effect.Effect<Option.Option<number>, NotEnough | CallError>>()
  const wider: GenServer.RequestId<number | string, NotEnough | Error> = id
  // @ts-expect-error it gives a number
  const other: GenServer.RequestId<string, NotEnough> = id
  return [wider, other]
})

// What it takes is kept.
class Db extends Context.Service<Db, string>()("Db") {}
declare const needs: Effect.Effect<number, CallError, Db>
typeOf(GenServer.sendRequest(needs)).is<Effect.Effect<GenServer.RequestId<number>, never, Db>>()

// @ts-expect-error a cast has no answer
GenServer.sendRequest(store.drop())
// @ts-expect-error no call
GenServer.sendRequest(Effect.succeed(1))
// @ts-expect-error no id
GenServer.receiveResponse(store.name())

// ----------------------------------------------------------------------------
// many requests
// ----------------------------------------------------------------------------

export const many = Effect.gen(function*() {
  const first = RequestIds.add(RequestIds.make(), yield* sent, "take")
  same<typeof first, RequestIds.RequestIds<number, NotEnough, "take">>()
  const ids = RequestIds.add(first, yield* GenServer.sendRequest(store.name()), 2)
  same<typeof ids, RequestIds.RequestIds<number | string, NotEnough, "take" | 2>>()
  same<
    ReturnType<typeof RequestIds.toList<number, never, string>>,
    ReadonlyArray<readonly [id: GenServer.RequestId<number>, label: string]>
  >()
  const outcome = yield* RequestIds.receive(ids, { timeout: "1 second" })
  same<typeof outcome, RequestIds.Outcome<number | string, NotEnough, "take" | 2>>()
  if (outcome._tag === "Response") {
    same<typeof outcome.response, Result.Result<number | string, NotEnough | CallError>>()
    same<typeof outcome.rest, typeof ids>()
  }
  // @ts-expect-error an empty collection has no response before it is known to be one
  return outcome.label
})

// ----------------------------------------------------------------------------
// many servers
// ----------------------------------------------------------------------------

declare const pid: Pid<never>
typeOf(GenServer.multiCall(Store, ["a", pid], (store) => store.take({ n: 1 }), { timeout: "1 second" })).is<
  Effect.Effect<GenServer.Replies<"a" | Pid<never>, number, NotEnough | CallError>>
>()
// @ts-expect-error a cast has no answer
GenServer.multiCall(Store, ["a"], (store) => store.drop())
// @ts-expect-error no request of this name
GenServer.multiCall(Store, ["a"], (store) => store.value())

typeOf(GenServer.abcast(Store, ["a", pid], (store) => store.drop())).is<Effect.Effect<void>>()
// @ts-expect-error a call may fail
GenServer.abcast(Store, ["a"], (store) => store.name())

// ----------------------------------------------------------------------------
// starting and finding
// ----------------------------------------------------------------------------

typeOf(Counter.server.startMonitor(0, { name: "counter" })).is<
  Effect.Effect<
    readonly [ref: GenServer.Ref<Counter>, monitor: Process.MonitorRef],
    StartError<never>,
    Process.Current | Process.Receives<Process.Down>
  >
>()
typeOf(GenServer.whereis("counter")).is<Effect.Effect<Option.Option<Pid<never, unknown>>>>()
typeOf(GenServer.InheritDeadline).is<Context.Reference<boolean>>()
