/** Where the type of a sender says that a mailbox may be full. */
import * as GenServer from "@effect-otp/core/GenServer"
import * as Name from "@effect-otp/core/Name"
import * as OtpError from "@effect-otp/core/OtpError"
import type { Pid } from "@effect-otp/core/Pid"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { same, typeOf } from "./utils.ts"

// --- a pid tells of the policy that it was spawned with

const receiver = (self: Process.Self<string>) => self.receive
typeOf(Process.spawn(receiver)).is<Effect.Effect<Pid<string>>>()
typeOf(Process.spawn(receiver, { label: "a" })).is<Effect.Effect<Pid<string>>>()
typeOf(Process.spawn(receiver, { mailbox: { capacity: 1 } })).is<Effect.Effect<Pid<string>>>()
typeOf(Process.spawn(receiver, { mailbox: { capacity: 1, policy: "suspend" } })).is<Effect.Effect<Pid<string>>>()
typeOf(Process.spawn(receiver, { mailbox: { capacity: 1, policy: "dropNewest" } })).is<Effect.Effect<Pid<string>>>()
typeOf(Process.spawn(receiver, { mailbox: { capacity: 1, policy: "dropOldest" } })).is<Effect.Effect<Pid<string>>>()
const failing = Process.spawn(receiver, { mailbox: { capacity: 1, policy: "fail" } })
typeOf(failing).is<Effect.Effect<Pid<string, Process.MailboxFull>>>()
typeOf(Process.spawnLink(receiver, { mailbox: { capacity: 1, policy: "fail" } })).is<
  Effect.Effect<Pid<string, OtpError.MailboxFull>, never, Process.Current>
>()
typeOf(Process.spawnMonitor(receiver, { mailbox: { capacity: 1, policy: "fail" } })).is<
  Effect.Effect<
    readonly [pid: Pid<string, OtpError.MailboxFull>, ref: Process.MonitorRef],
    never,
    Process.Current | Process.Receives<Process.Down>
  >
>()

// --- a policy that is not known may be any

declare const policy: Process.MailboxPolicy
typeOf(Process.spawn(receiver, { mailbox: { capacity: 1, policy } })).is<
  Effect.Effect<Pid<string, Process.MailboxFull>>
>()
declare const options: Process.SpawnOptions
typeOf(Process.spawn(receiver, options)).is<Effect.Effect<Pid<string, Process.MailboxFull>>>()

// --- and so does a send to it, and no other

declare const full: Pid<string, Process.MailboxFull>
declare const open: Pid<string>
typeOf(Process.send(full, "a")).is<Effect.Effect<void, OtpError.MailboxFull>>()
typeOf(Process.send(open, "a")).is<Effect.Effect<void>>()
typeOf(Process.send(Name.make<string, Process.MailboxFull>("full"), "a")).is<
  Effect.Effect<void, OtpError.MailboxFull>
>()
typeOf(Process.sendAfter(full, "a", 1)).is<Effect.Effect<Process.TimerRef>>()
// @ts-expect-error a send to it may fail
const infallible: Pid<string> = full
// @ts-expect-error nor may it have a name that does not say so
Process.register(Name.make<string>("full"), full)
// @ts-expect-error no such policy
Process.spawn(receiver, { mailbox: { capacity: 1, policy: "block" } })
// @ts-expect-error no capacity
Process.spawn(receiver, { mailbox: { policy: "fail" } })

// --- a body that gives its own pid away

Process.spawn((self: Process.Self<string, Process.MailboxFull>) => {
  typeOf(self.pid).is<Pid<string, OtpError.MailboxFull>>()
  return self.receive
}, { mailbox: { capacity: 1, policy: "fail" } })

// --- servers: a cast that can fail declares it

class Log extends GenServer.Service<Log>()("Log", [
  GenServer.cast("write", { payload: { line: Schema.String }, error: OtpError.MailboxFull }),
  GenServer.call("size", { success: Schema.Finite })
]) {}
const handlers = {
  write: (size: number) => Step.noReply(size + 1),
  size: (size: number) => Step.reply(size, size)
}
declare const log: GenServer.ClientOf<Log>
typeOf(log.write({ line: "a" })).is<Effect.Effect<void, OtpError.MailboxFull>>()
typeOf(log.size()).is<Effect.Effect<number, OtpError.CallError>>()

const refusing = Log.implement({ init: () => 0, handlers, mailbox: { capacity: 1, policy: "fail" } })
typeOf(refusing.layer()).is<Layer.Layer<Log, OtpError.StartError>>()
same<
  ReturnType<typeof refusing.start>,
  Effect.Effect<GenServer.Ref<Log, never, OtpError.MailboxFull>, OtpError.StartError>
>()
const informed = Log.implement({
  init: () => 0,
  handlers,
  info: (size, _: "tick") => Step.noReply(size),
  mailbox: { capacity: 1, policy: "fail" }
})
declare const ref: Effect.Success<ReturnType<typeof informed.start>>
typeOf(Process.send(ref.pid, "tick")).is<Effect.Effect<void, OtpError.MailboxFull>>()

// What declares more than its server does is harmless.
const waiting = Log.implement({ init: () => 0, handlers, mailbox: { capacity: 1 } })
same<ReturnType<typeof waiting.start>, Effect.Effect<GenServer.Ref<Log>, OtpError.StartError>>()
const unbounded = Log.implement({ init: () => 0, handlers })
same<ReturnType<typeof unbounded.start>, Effect.Effect<GenServer.Ref<Log>, OtpError.StartError>>()

class Plain extends GenServer.Service<Plain>()("Plain", [GenServer.cast("go"), GenServer.cast("stay")]) {}
const go = (state: number) => Step.noReply(state)
declare const plain: GenServer.ClientOf<Plain>
typeOf(plain.go()).is<Effect.Effect<void>>()
Plain.implement({ init: () => 0, handlers: { go, stay: go }, mailbox: { capacity: 1, policy: "dropOldest" } })
Plain.implement({
  init: () => 0,
  handlers: { go, stay: go },
  // @ts-expect-error with the policy "fail", the cast "go" has to declare it
  mailbox: { capacity: 1, policy: "fail" }
})
// @ts-expect-error it may be "fail"
Plain.implement({ init: () => 0, handlers: { go, stay: go }, mailbox: { capacity: 1, policy } })
Plain.implement({
  init: () => 0,
  handlers: { go, stay: go },
  // @ts-expect-error no such policy
  mailbox: { capacity: 1, policy: "block" }
})
// @ts-expect-error nothing else is an error that a cast may declare
GenServer.cast("go", { error: Schema.String })
