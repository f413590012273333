/** State machines and agents, and what is there for all servers: everything is inferred. */
import * as Agent from "@effect-otp/core/Agent"
import * as GenServer from "@effect-otp/core/GenServer"
import * as OtpError from "@effect-otp/core/OtpError"
import type { CallError, MailboxFull, StartError } from "@effect-otp/core/OtpError"
import type * as Process from "@effect-otp/core/Process"
import * as RequestIds from "@effect-otp/core/RequestIds"
import * as StateMachine from "@effect-otp/core/StateMachine"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as Sys from "@effect-otp/core/Sys"
import * as Transition from "@effect-otp/core/Transition"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { same, typeOf } from "./utils.ts"

class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}
class Db extends Context.Service<Db, string>()("Db") {}

type States = { Off: void; On: number }

class Light extends StateMachine.Service<Light, States>()("Light", [
  GenServer.call("push", { payload: { by: Schema.Finite }, success: Schema.Finite, error: Refused }),
  GenServer.cast("off")
]) {
  static readonly machine = this.implement({
    init: (_: boolean) => Effect.as(Db, Transition.next("Off", undefined)),
    states: {
      Off: { push: () => Effect.fail(new Refused()), off: () => Transition.keepAndData() },
      On: { push: () => Transition.keepAndData(), off: () => Transition.next("Off", undefined) }
    }
  })
}

class Hits extends Agent.Service<Hits, number>()("Hits") {
  static readonly server = this.implement(() => 0)
}

const light = Light.at("light")
const hits = Hits.at("hits")
declare const db: Effect.Effect<string, Refused, Db>

// ----------------------------------------------------------------------------
// requests
// ----------------------------------------------------------------------------

const pushed = GenServer.sendRequest(light.push({ by: 1 }))
typeOf(pushed).is<Effect.Effect<GenServer.RequestId<number, Refused>>>()
const got = GenServer.sendRequest(Agent.get(hits, () => db))
typeOf(got).is<Effect.Effect<GenServer.RequestId<string, Refused>, never, Db>>()
const updated = GenServer.sendRequest(Agent.update(hits, (n) => n + 1))
typeOf(updated).is<Effect.Effect<GenServer.RequestId<void>>>()

export const many = Effect.gen(function*() {
  const ids = RequestIds.add(RequestIds.add(RequestIds.make(), yield* pushed, "light"), yield* got, "hits")
  same<typeof ids, RequestIds.RequestIds<number | string, Refused, "light" | "hits">>()
})

// @ts-expect-error a cast has no answer
GenServer.sendRequest(light.off())
// @ts-expect-error nor has one of an agent
GenServer.sendRequest(Agent.cast(hits, (n) => n))

typeOf(GenServer.multiCall(Light, ["a"], (light) => light.push({ by: 1 }))).is<
  Effect.Effect<GenServer.Replies<"a", number, Refused | CallError>>
>()
typeOf(GenServer.multiCall(Hits, ["a"], (hits) => Agent.get(hits, () => db))).is<
  Effect.Effect<GenServer.Replies<"a", string, Refused | CallError>, never, Db>
>()
typeOf(GenServer.abcast(Light, ["a"], (light) => light.off())).is<Effect.Effect<void>>()
typeOf(GenServer.abcast(Hits, ["a"], (hits) => Agent.cast(hits, (n) => n + 1))).is<Effect.Effect<void>>()
// @ts-expect-error a call may fail
GenServer.abcast(Hits, ["a"], (hits) => Agent.update(hits, (n) => n + 1))

// ----------------------------------------------------------------------------
// starting, stopping, looking
// ----------------------------------------------------------------------------

typeOf(Light.machine.startMonitor(true)).is<
  Effect.Effect<
    readonly [ref: GenServer.Ref<Light>, monitor: Process.MonitorRef],
    StartError,
    Db | Process.Current | Process.Receives<Process.Down>
  >
>()
typeOf(Effect.map(Hits.server.startMonitor(), ([hits]) => Agent.get(hits, (n) => n))).is<
  Effect.Effect<
    Effect.Effect<number, CallError>,
    StartError,
    Process.Current | Process.Receives<Process.Down>
  >
>()
Effect.flatMap(Light.machine.start(true), (light) => GenServer.stop(light))
Effect.flatMap(Hits.server.start(), (hits) => GenServer.stop(hits))
typeOf(Supervisor.make({ children: [Light.machine.child(true), Hits.server.child({ provide: false })] }).layer).is<
  Layer.Layer<Light, StartError, Db>
>()

Sys.suspend(light)
Sys.suspend(hits)
typeOf(Sys.changeCode(light, Light.machine, ([state, data]: readonly ["On", number]) => [state, data + 1]))
  .is<Effect.Effect<void, Effect.Error<ReturnType<typeof Sys.changeCode>>, Db>>()

// A machine whose mailbox refuses has casts that can fail, through a client as well.
class Narrow extends StateMachine.Service<Narrow, States>()("Narrow", [
  GenServer.cast("off", { error: OtpError.MailboxFull })
]) {}
typeOf(Narrow.at("narrow").off()).is<Effect.Effect<void, MailboxFull>>()
