/**
 * What `Sys` takes and gives.
 */
import * as GenServer from "@effect-otp/core/GenServer"
import type { CallbackFailed, CallError, NotAServer, NotSuspended } from "@effect-otp/core/OtpError"
import type * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import type * as Supervisor from "@effect-otp/core/Supervisor"
import * as Sys from "@effect-otp/core/Sys"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { same } from "./utils.ts"

class Prefix extends Context.Service<Prefix, string>()("typetest/Prefix") {}

class Counter extends GenServer.Service<Counter>()("typetest/Counter", [
  GenServer.cast("increment"),
  GenServer.call("value", { success: Schema.Finite }),
  GenServer.call("take", { payload: { n: Schema.Finite }, success: Schema.Finite })
]) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: {
      increment: (n) => Step.noReply(n + 1),
      value: (n) => Step.reply(n, n),
      take: (n) => Step.reply(n, n)
    }
  })
  static readonly second = this.implement({
    init: () => 0,
    handlers: {
      increment: (n) => Effect.map(Prefix, () => Step.noReply(n + 1)),
      value: (n) => Step.reply(n, n),
      take: (n) => Step.reply(n, n)
    }
  })
}

declare const counter: GenServer.ClientOf<Counter>
declare const ref: GenServer.Ref<Counter>
declare const pid: Process.Pid<"ping">
declare const tree: Supervisor.Ref

// Whatever reaches a server is a target.
same<Effect.Success<ReturnType<typeof Sys.suspend>>, void>()
Sys.suspend(counter)
Sys.suspend(ref)
Sys.suspend(pid)
Sys.suspend(tree)
Sys.suspend("name")
// @ts-expect-error a number is no target
Sys.suspend(1)
// @ts-expect-error nor is an object that reaches nobody
Sys.suspend({ address: "counter" })

// The type of a state is what the caller says.
const state = Sys.getState(counter)
same<typeof state, Effect.Effect<unknown, CallError | NotAServer | CallbackFailed>>()
const count = Sys.getState<number>(counter)
same<Effect.Success<typeof count>, number>()
const replaced = Sys.replaceState(counter, (n: number) => n + 1)
same<typeof replaced, Effect.Effect<number, CallError | NotAServer | CallbackFailed>>()
// @ts-expect-error a state is replaced by one of its kind
Sys.replaceState(counter, (n: number) => `${n}`)

// What an implementation requires is required of whoever changes to it.
const same_ = Sys.changeCode(counter, Counter.server, (n: number) => n)
same<typeof same_, Effect.Effect<void, CallError | NotAServer | CallbackFailed | NotSuspended>>()
const second = Sys.changeCode(counter, Counter.second, (n: number) => n)
same<Effect.Services<typeof second>, Prefix>()
// @ts-expect-error a service is not its implementation
Sys.changeCode(counter, Counter, (n: number) => n)

Sys.log(counter, true)
Sys.log(counter, { last: 3 })
// @ts-expect-error how many are kept has a name
Sys.log(counter, 3)

Sys.install(counter, (event) => event._tag === "Out" ? event.reply : event._tag === "In" && event.message._tag)
// @ts-expect-error there is no such event
Sys.install(counter, (event) => event._tag === "Noise")
