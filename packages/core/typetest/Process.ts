/** What a process may receive, who may send to it, and what only a process can do. */
import * as Name from "@effect-otp/core/Name"
import type * as OtpError from "@effect-otp/core/OtpError"
import type { Pid } from "@effect-otp/core/Pid"
import * as Process from "@effect-otp/core/Process"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { same, typeOf } from "./utils.ts"

interface Ping {
  readonly _tag: "Ping"
}
interface Pong {
  readonly _tag: "Pong"
}
declare const ping: Ping
declare const pings: Pid<Ping>
declare const both: Pid<Ping | Pong>
declare const bounded: Pid<Ping, OtpError.ReceiveTimeout>

// --- a body's Self fixes the mailbox

const ponger = Process.spawn((self: Process.Self<Ping>) => self.receive)
typeOf(ponger).is<Effect.Effect<Pid<Ping>>>()
typeOf(Process.spawn(() => Effect.void)).is<Effect.Effect<Pid<never>>>()
Process.spawn((self: Process.Self<Ping>) => {
  typeOf(self.receive).is<Effect.Effect<Ping>>()
  typeOf(self.pid).is<Pid<Ping>>()
  return Effect.void
})

// --- signals are received by whoever declares them, and never sent

const watcher = (self: Process.Self<Ping | Process.Down>) => Effect.andThen(Process.monitor(pings), self.receive)
typeOf(Process.spawn(watcher)).is<Effect.Effect<Pid<Ping>>>()
Process.spawn((self: Process.Self<Ping | Process.Down | Process.Exit>) => {
  typeOf(self.pid).is<Pid<Ping>>()
  return Effect.andThen(Process.trapExit(true), self.receive)
})
// @ts-expect-error monitors without declaring Down
Process.spawn((_: Process.Self<Ping>) => Process.monitor(pings))
// @ts-expect-error traps exits without declaring Exit
Process.spawn((_: Process.Self<Ping | Process.Down>) => Process.trapExit(true))
// @ts-expect-error monitors without any mailbox
Process.spawn(() => Process.monitor(pings))
// @ts-expect-error the process around it declares Down, but the monitor would be its child's
Process.spawn((_: Process.Self<Process.Down>) => Process.spawn(() => Process.monitor(pings)))
declare const down: Process.Down
// @ts-expect-error nobody sends a Down
Process.send(both, down)

// --- what only a process can do says so

typeOf(Process.self).is<Effect.Effect<Pid<never>, never, Process.Current>>()
typeOf(Process.spawnLink(() => Effect.void)).is<Effect.Effect<Pid<never>, never, Process.Current>>()
typeOf(Process.monitor(pings)).is<
  Effect.Effect<Process.MonitorRef, never, Process.Current | Process.Receives<Process.Down>>
>()
same<
  Effect.Services<ReturnType<typeof Process.trapExit>>,
  Process.Current | Process.Receives<Process.Exit>
>()
typeOf(Process.spawnScoped(() => Effect.void)).is<Effect.Effect<Pid<never>, never, Scope.Scope>>()
// @ts-expect-error the main program is no process
Effect.runPromise(Process.self)
// @ts-expect-error nor can it link
Effect.runPromise(Process.spawnLink(() => Effect.void))

// --- what a body needs is asked of whoever spawns it

class Database extends Context.Service<Database, { readonly url: string }>()("Database") {}
typeOf(Process.spawn(() => Database)).is<Effect.Effect<Pid<never>, never, Database>>()
typeOf(Process.spawn(() => Effect.andThen(Database, Process.self))).is<Effect.Effect<Pid<never>, never, Database>>()

// --- sending

typeOf(Process.send(pings, ping)).is<Effect.Effect<void>>()
typeOf(Process.send(bounded, ping)).is<Effect.Effect<void, OtpError.ReceiveTimeout>>()
typeOf(Process.send("anyone", ping)).is<Effect.Effect<void>>()
typeOf(Process.send(Name.make<Ping>("cache"), ping)).is<Effect.Effect<void>>()
// @ts-expect-error not one of its messages
Process.send(pings, { _tag: "Pong" })
// @ts-expect-error not one of the messages of that name
Process.send(Name.make<Ping>("cache"), { _tag: "Pong" })
// @ts-expect-error a message less
Process.send(pings, {})

// --- a pid is contravariant in what it accepts

const narrower: Pid<Ping> = both
// @ts-expect-error it does not take a Pong
const wider: Pid<Ping | Pong> = pings
// @ts-expect-error a send to it may fail
const infallible: Pid<Ping> = bounded
typeOf(Process.self).is<Effect.Effect<Pid<never>, never, Process.Current>>()
// @ts-expect-error opaque
const forged: Pid<Ping> = { toString: () => "#PID<0.1.0>" }

// --- selective receive

Process.spawn((self: Process.Self<Ping | Pong>) => {
  typeOf(self.receiveMatch((message): message is Pong => message._tag === "Pong")).is<Effect.Effect<Pong>>()
  typeOf(self.receiveMatch((message) => message._tag === "Pong")).is<Effect.Effect<Pong>>()
  typeOf(self.receiveMatch((message) => message._tag.length > 0)).is<Effect.Effect<Ping | Pong>>()
  typeOf(self.receiveMatch((message): message is Pong => message._tag === "Pong", { after: 0 })).is<
    Effect.Effect<Pong, OtpError.ReceiveTimeout>
  >()
  return Effect.void
})

// --- names

typeOf(Process.whereis(Name.make<Ping>("cache"))).is<Effect.Effect<Option.Option<Pid<Ping>>>>()
Process.register(Name.make<Ping>("cache"), both)
// @ts-expect-error it does not take what the name promises
Process.register(Name.make<Ping | Pong>("cache"), pings)
