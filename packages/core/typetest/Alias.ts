/** What an alias takes, where it may stand, and which Down a monitor with a tag wants to be declared. */
import * as GenServer from "@effect-otp/core/GenServer"
import type * as OtpError from "@effect-otp/core/OtpError"
import type { Pid } from "@effect-otp/core/Pid"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Effect from "effect/Effect"
import { typeOf } from "./utils.ts"

interface Ping {
  readonly _tag: "Ping"
}
interface Pong {
  readonly _tag: "Pong"
}
type Gone = Process.Down<"WorkerGone">
declare const ping: Ping
declare const pings: Process.Alias<Ping>
declare const both: Process.Alias<Ping | Pong>
declare const worker: Pid<never>

// --- an alias takes what its maker receives, without the signals

Process.spawn((self: Process.Self<Ping | Pong | Process.Down | Gone>) =>
  Effect.gen(function*() {
    typeOf(Process.alias(self)).is<Effect.Effect<Process.Alias<Ping | Pong>, never, Process.Current>>()
    typeOf(Process.alias(self, { reply: true })).is<
      Effect.Effect<Process.Alias<Ping | Pong>, never, Process.Current>
    >()
    const narrower: Process.Alias<Ping> = yield* Process.alias(self)
    // @ts-expect-error AL-009 an option that there is not
    yield* Process.alias(self, { once: true })
    // @ts-expect-error of whom it is, it must be told
    yield* Process.alias()
    return narrower
  })
)
// @ts-expect-error it does not take a Pong
const wider: Process.Alias<Ping | Pong> = pings
const narrower: Process.Alias<Ping> = both
declare const bounded: Process.Self<Ping> & { readonly pid: Pid<Ping, OtpError.ReceiveTimeout> }
typeOf(Process.alias(bounded)).is<Effect.Effect<Process.Alias<Ping>, never, Process.Current>>()
// @ts-expect-error only a process has aliases
void Effect.runPromise(Process.alias(bounded))
// @ts-expect-error and takes them back
void Effect.runPromise(Process.unalias(pings))
typeOf(Process.unalias(pings)).is<Effect.Effect<boolean, never, Process.Current>>()
// @ts-expect-error opaque
const forged: Process.Alias<Ping> = { toString: () => "#Alias<0.1.0>", toJSON: () => "" }

// --- it is a destination

typeOf(Process.send(pings, ping)).is<Effect.Effect<void>>()
typeOf(Process.sendAfter(pings, ping, "1 second")).is<Effect.Effect<Process.TimerRef>>()
typeOf(Process.sendInterval(pings, ping, "1 second")).is<Effect.Effect<Process.TimerRef>>()
const anywhere = (to: Process.Destination<Ping>) => Process.send(to, ping)
typeOf(anywhere(both)).is<Effect.Effect<void>>()
// @ts-expect-error not what it takes
Process.send(pings, { _tag: "Pong" })
// @ts-expect-error nor later
Process.sendAfter(pings, { _tag: "Pong" }, "1 second")

// --- AL-010 and nothing else

// @ts-expect-error it cannot be monitored
Process.monitor(pings)
// @ts-expect-error nor linked
Process.link(pings)
// @ts-expect-error nor unlinked
Process.unlink(pings)
// @ts-expect-error nor looked up
Process.whereis(pings)
// @ts-expect-error nor registered
Process.register("name", pings)
// @ts-expect-error nor told to end
Process.exit(pings, undefined as never)
// @ts-expect-error nor asked about
Process.info(pings)
// @ts-expect-error in any way
Process.isAlive(pings)
// @ts-expect-error nor waited for
Process.awaitExit(pings)
declare const pid: Pid<Ping>
// @ts-expect-error a pid is no alias
Process.unalias(pid)

// --- a monitor with a tag

Process.spawn((self: Process.Self<Ping | Gone>) =>
  Effect.gen(function*() {
    typeOf(Process.monitor(worker, { tag: "WorkerGone" })).is<
      Effect.Effect<Process.MonitorRef, never, Process.Current | Process.Receives<Gone>>
    >()
    yield* Process.monitor(worker, { tag: "WorkerGone" })
    const message = yield* self.receive
    typeOf(message).is<Ping | Gone>()
    typeOf(message._tag).is<"Ping" | "WorkerGone">()
    if (Process.isDown(message)) typeOf(message).is<Gone>()
    else typeOf(message).is<Ping>()
    typeOf(self.receiveMatch(Process.isDown)).is<Effect.Effect<Gone>>()
  })
)
Process.spawn((_: Process.Self<Process.Down | Process.Down<"A" | "B">>) =>
  Effect.gen(function*() {
    yield* Process.monitor(worker, {})
    yield* Process.monitor(worker, { tag: "A" })
    yield* Process.monitor(worker, { tag: "B" })
  })
)
// who takes any tag takes each
Process.spawn((_: Process.Self<Process.Down<string>>) => Process.monitor(worker, { tag: "WorkerGone" }))
// @ts-expect-error MO-018 its message is not declared
Process.spawn((_: Process.Self<Ping | Process.Down>) => Process.monitor(worker, { tag: "WorkerGone" }))
// @ts-expect-error nor is that of a monitor without a tag
Process.spawn((_: Process.Self<Ping | Gone>) => Process.monitor(worker))
// @ts-expect-error nor is any
Process.spawn(() => Process.monitor(worker, { tag: "WorkerGone" }))
declare const gone: Gone
// @ts-expect-error nobody sends one
Process.send(pings, gone)
const told = (u: unknown) => {
  if (Process.isDown(u)) typeOf(u).is<Process.Down<string>>()
}

// --- a monitor that is an alias

Process.spawn((self: Process.Self<Ping | Process.Down | Gone>) =>
  Effect.gen(function*() {
    const ref = yield* Process.monitor(worker, { alias: "replyDemonitor", self })
    typeOf(ref).is<Process.MonitorRef & Process.Alias<Ping>>()
    typeOf(Process.monitor(worker, { alias: "demonitor", self, tag: "WorkerGone" })).is<
      Effect.Effect<
        Process.MonitorRef & Process.Alias<Ping>,
        never,
        Process.Current | Process.Receives<Gone>
      >
    >()
    yield* Process.send(ref, ping)
    yield* Process.unalias(ref)
    yield* Process.demonitor(ref)
    // @ts-expect-error not what it takes
    yield* Process.send(ref, { _tag: "Pong" })
    // @ts-expect-error MO-022 a mode that there is not
    yield* Process.monitor(worker, { alias: "reply_demonitor", self })
    // @ts-expect-error the alias of whom
    yield* Process.monitor(worker, { alias: "demonitor" })
    // @ts-expect-error MO-022 an option that there is not
    yield* Process.monitor(worker, { tags: "WorkerGone" })
    // @ts-expect-error a monitor is no alias unless it is asked for
    yield* Process.unalias(yield* Process.monitor(worker))
  })
)

// --- in a server

class Boss extends GenServer.Service<Boss>()("Boss", [GenServer.cast("watch")]) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: {
      watch: (n) => Effect.as(Process.monitor(worker, { tag: "WorkerGone" }), Step.noReply(n))
    },
    info: (n: number, _: Ping | Gone) => Step.noReply(n)
  })
}
typeOf(Boss.server.start()).is<Effect.Effect<GenServer.Ref<Boss, Ping>, OtpError.StartError>>()

class Deaf extends GenServer.Service<Deaf>()("Deaf", [GenServer.cast("watch")]) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: {
      watch: (n) => Effect.as(Process.monitor(worker, { tag: "WorkerGone" }), Step.noReply(n))
    },
    // @ts-expect-error it does not take what the monitor gives
    info: (n: number, _: Ping | Process.Down) => Step.noReply(n)
  })
}
