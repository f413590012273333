/** What an agent's functions are given and give: exact types, and uses that must not compile. */
import * as Agent from "@effect-otp/core/Agent"
import type * as GenServer from "@effect-otp/core/GenServer"
import type { CallError, StartError } from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { same, typeOf } from "./utils.ts"

class Db extends Context.Service<Db, { readonly find: Effect.Effect<string> }>()("Db") {}
class Refused {
  readonly _tag = "Refused"
}

type State = ReadonlyMap<string, number>

declare const agent: Agent.Agent<number>
declare const map: Agent.Agent<State>
declare const flag: Agent.Agent<"on" | "off">
declare const db: Effect.Effect<number, Refused, Db>
declare const pid: Process.Pid<never>

// ----------------------------------------------------------------------------
// starting
// ----------------------------------------------------------------------------

typeOf(Agent.start(() => 0)).is<Effect.Effect<Agent.Ref<number>, StartError, never>>()
typeOf(Agent.start(() => new Map<string, number>())).is<Effect.Effect<Agent.Ref<Map<string, number>>, StartError>>()
typeOf(Agent.start(() => db, { name: "db", label: "db", timeout: "1 seconds" }))
  .is<Effect.Effect<Agent.Ref<number>, StartError<Refused>, Db>>()
typeOf(Agent.startLink(() => db)).is<Effect.Effect<Agent.Ref<number>, StartError<Refused>, Db | Process.Current>>()
typeOf(Agent.startScoped(() => 0)).is<Effect.Effect<Agent.Ref<number>, StartError, Scope.Scope>>()
typeOf(Agent.start(() => Effect.as(Effect.addFinalizer(() => Effect.void), 0)))
  .is<Effect.Effect<Agent.Ref<number>, StartError>>()
typeOf(Agent.start(() => Effect.as(Process.self, 0))).is<Effect.Effect<Agent.Ref<number>, StartError>>()
typeOf(Agent.start((): State => new Map())).is<Effect.Effect<Agent.Ref<State>, StartError>>()

// @ts-expect-error no function
Agent.start(0)
// @ts-expect-error a plain agent takes no argument
Agent.start((n: number) => n)
// @ts-expect-error wrong option
Agent.start(() => 0, { nam: "x" })

// ----------------------------------------------------------------------------
// using
// ----------------------------------------------------------------------------

typeOf(Agent.get(agent, (n) => `${n}`)).is<Effect.Effect<string, CallError>>()
typeOf(Agent.get(agent, () => db)).is<Effect.Effect<number, Refused | CallError, Db>>()
typeOf(Agent.get(agent, (n) => n > 0 ? n : Effect.fail(new Refused()))).is<Effect.Effect<number, Refused | CallError>>()
typeOf(Agent.get(agent, () => Effect.as(Effect.addFinalizer(() => Effect.void), "a")))
  .is<Effect.Effect<string, CallError>>()
typeOf(Agent.get(agent, function*() {})).is<Effect.Effect<Generator<never, void, unknown>, CallError>>()
typeOf(Agent.getAndUpdate(agent, (n) => [`${n}`, n])).is<Effect.Effect<string, CallError>>()
typeOf(Agent.getAndUpdate(agent, (n) => Effect.map(db, (m) => [m === n, n] as const)))
  .is<Effect.Effect<boolean, Refused | CallError, Db>>()
typeOf(Agent.getAndUpdate(agent, (n) =>
  Effect.gen(function*() {
    const m = yield* db
    return [`${m}`, n]
  }))).is<Effect.Effect<string, Refused | CallError, Db>>()
typeOf(Agent.update(map, (m) => new Map(m).set("a", 1))).is<Effect.Effect<void, CallError>>()
typeOf(Agent.update(agent, () => db)).is<Effect.Effect<void, Refused | CallError, Db>>()
typeOf(Agent.update(flag, (f) => f === "on" ? "off" : "on")).is<Effect.Effect<void, CallError>>()
typeOf(Agent.cast(agent, (n) => n + 1)).is<Effect.Effect<void>>()
typeOf(Agent.cast(agent, () => Effect.map(Db, () => 1))).is<Effect.Effect<void, never, Db>>()
typeOf(Agent.stop(agent, { timeout: "1 seconds" })).is<Effect.Effect<void, CallError>>()

// a wrapper for any agent
export const change = <S>(agent: Agent.Agent<S>, f: (state: S) => S) => Agent.update(agent, f)
export const read = <S, A>(agent: Agent.Agent<S>, f: (state: S) => A) => Agent.get(agent, f)

// @ts-expect-error another state
Agent.update(agent, (n) => `${n}`)
// @ts-expect-error another state, in an Effect
Agent.update(agent, () => Effect.succeed("a"))
// @ts-expect-error no pair
Agent.getAndUpdate(agent, (n) => n)
// @ts-expect-error no pair
Agent.getAndUpdate(agent, (n) => [n])
// @ts-expect-error no pair
Agent.getAndUpdate(agent, (n) => [n, n, n])
// @ts-expect-error the state is the second of the pair
Agent.getAndUpdate(agent, (n) => [n, `${n}`])
// @ts-expect-error nobody could be told of the error
Agent.cast(agent, () => Effect.fail(new Refused()))
// @ts-expect-error another state
Agent.cast(agent, () => "a")
// @ts-expect-error a cast waits for nothing
Agent.cast(agent, (n) => n, { timeout: "1 seconds" })
// @ts-expect-error a pid is no agent
Agent.get(pid, (n) => n)
// @ts-expect-error an agent has no pid, only one that was started
const noPid = agent.pid
// @ts-expect-error what it keeps is neither wider
const wider: Agent.Agent<number | string> = agent
// @ts-expect-error nor narrower
const narrower: Agent.Agent<1> = agent

// an agent receives no signals, also where the process around it does
const watching = (_self: Process.Self<Process.Down>) => Agent.get(agent, () => Process.monitor(pid))
// @ts-expect-error an agent receives no signals
const spawned: Effect.Effect<unknown> = Process.spawn(watching)
// @ts-expect-error an agent receives no signals
const started: Effect.Effect<unknown, unknown> = Agent.start(() => Process.monitor(pid))

// ----------------------------------------------------------------------------
// a service
// ----------------------------------------------------------------------------

class Settings extends Agent.Service<Settings, State>()("Settings") {
  static readonly server = this.implement((url: string) => Effect.map(Db, () => new Map([[url, 1]]) as State))
}

class Hits extends Agent.Service<Hits, number>()("Hits") {
  static readonly server = this.implement(() => 0)
}

typeOf(Settings.server).is<GenServer.Server<Settings, [url: string], never, never, Db>>()
typeOf(Effect.map(Settings, (settings) => settings)).is<Effect.Effect<Agent.Agent<State>, never, Settings>>()
typeOf(Settings.server.layer("a")).is<Layer.Layer<Settings, StartError, Db>>()
typeOf(Settings.at("name")).is<Agent.Agent<State>>()
typeOf(Settings.key).is<"Settings">()
typeOf(Supervisor.make({ children: [Settings.server.child("a"), Hits.server.child()] }).layer)
  .is<Layer.Layer<Settings | Hits, StartError, Db>>()
const ref = Hits.server.start()
same<Effect.Success<typeof ref> extends Agent.Ref<number> ? true : false, true>()
Effect.flatMap(ref, (hits) => Agent.update(hits, (n) => n + 1))

// @ts-expect-error the argument is missing
Settings.server.layer()
class Wrong extends Agent.Service<Wrong, number>()("Wrong") {
  // @ts-expect-error another state
  static readonly server = this.implement(() => "a")
}
// @ts-expect-error only agents of this service can be provided
Effect.provideService(Effect.void, Hits, map)
