/** What a body provides to its own code, how a wrapper passes the check of signals on, and every form of receiveMatch. */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Name from "@effect-otp/core/Name"
import type * as OtpError from "@effect-otp/core/OtpError"
import type { Pid } from "@effect-otp/core/Pid"
import * as Process from "@effect-otp/core/Process"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Filter from "effect/Filter"
import type * as Option from "effect/Option"
import * as Result from "effect/Result"
import { typeOf } from "./utils.ts"

interface Ping {
  readonly _tag: "Ping"
  readonly n: number
}
interface Pong {
  readonly _tag: "Pong"
}
class Db extends Context.Service<Db, { readonly url: string }>()("Db") {}
declare const pings: Pid<Ping>

// --- bodies

typeOf(Process.spawn((self) => self.receive)).is<Effect.Effect<Pid<never>>>()
typeOf(Process.spawn(Effect.fnUntraced(function*(self: Process.Self<Ping>) {
  typeOf(yield* self.receive).is<Ping>()
}))).is<Effect.Effect<Pid<Ping>>>()
typeOf(Process.spawn((self: Process.Self<Ping | Process.Down>) =>
  Effect.gen(function*() {
    yield* Db
    yield* Process.self
    yield* Process.monitor("someone")
    typeOf(yield* self.receive).is<Ping | Process.Down>()
  })
)).is<Effect.Effect<Pid<Ping>, never, Db>>()
typeOf(Process.spawnLink((self: Process.Self<Ping>) => Effect.andThen(Db, self.receive))).is<
  Effect.Effect<Pid<Ping>, never, Db | Process.Current>
>()
typeOf(Process.spawnMonitor((self: Process.Self<Ping>) => self.receive)).is<
  Effect.Effect<
    readonly [pid: Pid<Ping>, ref: Process.MonitorRef],
    never,
    Process.Current | Process.Receives<Process.Down>
  >
>()
// a nested process does not lend its Current to the one around it, and needs none itself
typeOf(Process.spawn(() => Process.spawnLink(() => Process.self))).is<Effect.Effect<Pid<never>>>()
// a failure of the body is the end of the process, not of whoever spawned it
typeOf(Process.spawn(() => Effect.fail("no"))).is<Effect.Effect<Pid<never>>>()

// --- undeclared signals

// @ts-expect-error whoever monitors its child gets a Down, and must declare it
Process.spawn((_) => Process.spawnMonitor(() => Effect.void))
// @ts-expect-error a message that only looks like a signal is none
Process.spawn((_: Process.Self<{ readonly _tag: "Down"; readonly reason: string }>) => Process.monitor("someone"))
Process.spawn((_: Process.Self<Process.Down>) =>
  Effect.gen(function*() {
    yield* Process.monitor("someone")
    // @ts-expect-error the outer process declares Down, this one does not
    yield* Process.spawn((_: Process.Self<Ping>) => Process.monitor("someone"))
    // @ts-expect-error nor does this one
    yield* Process.spawnLink(() => Process.monitor("someone"))
  })
)

// @ts-expect-error the scope does not lend it either
Process.spawnScoped(() => Process.trapExit(true))

// --- a wrapper passes the check on

const twice = <M, A, E, R>(body: Process.Body<M, A, E, R>) => Effect.andThen(Process.spawn(body), Process.spawn(body))
typeOf(twice((_: Process.Self<Ping | Process.Down>) => Effect.andThen(Db, Process.monitor("someone")))).is<
  Effect.Effect<Pid<Ping>, never, Db>
>()
// @ts-expect-error Down is not declared
twice((_: Process.Self<Ping>) => Process.monitor("someone"))

// --- receiveMatch

Process.spawn((self: Process.Self<Ping | Pong>) => {
  const isPing = (m: Ping | Pong): m is Ping => m._tag === "Ping"
  typeOf(self.receiveMatch(isPing, {})).is<Effect.Effect<Ping>>()
  typeOf(self.receiveMatch(isPing, { after: undefined })).is<Effect.Effect<Ping>>()
  typeOf(self.receiveMatch(isPing, { after: "1 second" })).is<Effect.Effect<Ping, OtpError.ReceiveTimeout>>()
  typeOf(self.receiveMatch(() => true, { after: 0 })).is<Effect.Effect<Ping | Pong, OtpError.ReceiveTimeout>>()
  const options = undefined as never as { readonly after?: Duration.Input }
  typeOf(self.receiveMatch(isPing, options)).is<Effect.Effect<Ping, OtpError.ReceiveTimeout>>()
  typeOf(self.receiveMatch((m) => m._tag === "Ping" ? Result.succeed(m.n) : Result.fail(m))).is<Effect.Effect<number>>()
  typeOf(self.receiveMatch(
    Filter.make((m: Ping | Pong) => m._tag === "Ping" ? Result.succeed(m.n) : Result.failVoid),
    { after: 0 }
  )).is<Effect.Effect<number, OtpError.ReceiveTimeout>>()
  typeOf(self.receiveMatch(Filter.tagged("Ping"))).is<Effect.Effect<Ping>>()
  // @ts-expect-error neither a boolean nor a Result
  self.receiveMatch((m) => m._tag)
  // @ts-expect-error no such message
  self.receiveMatch((m: { readonly _tag: "Other" }) => m._tag === "Other")
  return Effect.void
})

// --- exit

typeOf(Process.exit(ExitReason.normal)).is<Effect.Effect<never, never, Process.Current>>()
typeOf(Process.exit(pings, ExitReason.kill)).is<Effect.Effect<void>>()
typeOf(Process.exit("someone", ExitReason.kill)).is<Effect.Effect<void>>()
// @ts-expect-error only a process can exit
void Effect.runPromise(Process.exit(ExitReason.normal))
// @ts-expect-error EX-012 what is no process
Process.exit(42, ExitReason.normal)
// @ts-expect-error what is no reason
Process.exit(pings, "normal")

// --- links and monitors

typeOf(Process.link(pings)).is<Effect.Effect<void, OtpError.NoProcess, Process.Current>>()
typeOf(Process.unlink(pings)).is<Effect.Effect<void, never, Process.Current>>()
// @ts-expect-error LK-012 a name cannot be linked
Process.link("someone")
// @ts-expect-error MO-016 what is no process
Process.monitor(42)
declare const ref: Process.MonitorRef
typeOf(Process.demonitor(ref, { flush: true, info: true })).is<Effect.Effect<boolean, never, Process.Current>>()
// @ts-expect-error MO-013 what is no reference
Process.demonitor({})
// @ts-expect-error MO-013 an option that there is not
Process.demonitor(ref, { multi: true })
// @ts-expect-error only a process can link
void Effect.runPromise(Process.link(pings))
// @ts-expect-error only a process can monitor
void Effect.runPromise(Process.monitor(pings))
// @ts-expect-error nor can code that is no process trap exits
void Effect.runPromise(Process.trapExit(true))

// --- names and timers

declare const via: Name.Via<Ping>
declare const fallible: Pid<Ping, OtpError.ReceiveTimeout>
typeOf(Process.send(via, { _tag: "Ping", n: 1 })).is<Effect.Effect<void>>()
typeOf(Process.whereis("cache")).is<Effect.Effect<Option.Option<Pid<unknown>>>>()
Process.register("cache", fallible)
// @ts-expect-error what is not sent to this via
Process.send(via, { _tag: "Pong" })
// @ts-expect-error a send to it may fail, which the name does not say
Process.register(Name.make<Ping>("cache"), fallible)
// @ts-expect-error a process that takes nothing
Process.send(undefined as never as Pid<never>, 1)
typeOf(Process.sendAfter(pings, { _tag: "Ping", n: 1 }, "1 second")).is<Effect.Effect<Process.TimerRef>>()
// @ts-expect-error not what it takes, also later
Process.sendAfter(pings, { _tag: "Pong" }, "1 second")
// @ts-expect-error nor again and again
Process.sendInterval(pings, { _tag: "Pong" }, "1 second")
// @ts-expect-error what is no timer
Process.cancelTimer({})

// --- timers

typeOf(Process.sendAfter(pings, { _tag: "Ping", n: 1 }, 1000, { abs: true })).is<Effect.Effect<Process.TimerRef>>()
Process.sendAfter(pings, { _tag: "Ping", n: 1 }, "1 second", { abs: false })
// @ts-expect-error a duration is no point in time
Process.sendAfter(pings, { _tag: "Ping", n: 1 }, "1 second", { abs: true })
// @ts-expect-error not what it takes, whenever
Process.sendAfter(pings, { _tag: "Pong" }, 1000, { abs: true })
typeOf(Process.sendInterval(pings, { _tag: "Ping", n: 1 }, 100, { mode: "fixedDelay" })).is<
  Effect.Effect<Process.TimerRef>
>()
// @ts-expect-error there is no such mode
Process.sendInterval(pings, { _tag: "Ping", n: 1 }, 100, { mode: "often" })
declare const timer: Process.TimerRef
typeOf(Process.cancelTimer(timer)).is<Effect.Effect<Option.Option<number>>>()
typeOf(Process.cancelTimer(timer, {})).is<Effect.Effect<Option.Option<number>>>()
typeOf(Process.cancelTimer(timer, { async: true })).is<
  Effect.Effect<void, never, Process.Current | Process.Receives<Process.CancelTimer>>
>()
typeOf(Process.cancelTimer(timer, { async: true, info: false })).is<Effect.Effect<void>>()
typeOf(
  Process.spawn((self: Process.Self<Ping | Process.CancelTimer>) =>
    Effect.andThen(Process.cancelTimer(timer, { async: true }), self.receive)
  )
).is<Effect.Effect<Pid<Ping>>>()
// @ts-expect-error the answer is a message, which this mailbox does not declare
Process.spawn((_: Process.Self<Ping | Process.Down>) => Process.cancelTimer(timer, { async: true }))
// @ts-expect-error who is no process has no mailbox for it
Effect.runPromise(Process.cancelTimer(timer, { async: true }))
// @ts-expect-error nobody sends a CancelTimer
Process.send(pings, undefined as never as Process.CancelTimer)
// @ts-expect-error only a process labels itself
Effect.runPromise(Process.setLabel("label"))
