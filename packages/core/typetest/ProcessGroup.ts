/** What groups know of their members: exact types, and uses that must not compile. */
import type * as Process from "@effect-otp/core/Process"
import * as ProcessGroup from "@effect-otp/core/ProcessGroup"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import { typeOf } from "./utils.ts"

const lobby = ProcessGroup.make<"hello">("lobby", { scope: ProcessGroup.scope("rooms") })

declare const guest: Process.Pid<"hello" | "bye">
declare const stranger: Process.Pid<number>
declare const self: Process.Self<ProcessGroup.Event<"hello"> | Process.Down>

typeOf(lobby).is<ProcessGroup.Group<"hello">>()
typeOf(ProcessGroup.join(lobby, guest)).is<Effect.Effect<void>>()
typeOf(ProcessGroup.join(lobby, [guest, guest])).is<Effect.Effect<void>>()
typeOf(ProcessGroup.join("lobby", [guest, stranger])).is<Effect.Effect<void>>()
typeOf(ProcessGroup.leave(lobby, guest)).is<Effect.Effect<boolean>>()
typeOf(ProcessGroup.members(lobby)).is<Effect.Effect<ReadonlyArray<Process.Pid<"hello">>>>()
typeOf(ProcessGroup.members("lobby")).is<Effect.Effect<ReadonlyArray<Process.Pid<unknown>>>>()
typeOf(ProcessGroup.groups()).is<Effect.Effect<ReadonlyArray<string>>>()
typeOf(ProcessGroup.watch(lobby)).is<Stream.Stream<ReadonlyArray<Process.Pid<"hello">>>>()
typeOf(ProcessGroup.monitor(lobby, self.pid)).is<
  Effect.Effect<
    { readonly ref: ProcessGroup.MonitorRef; readonly members: ReadonlyArray<Process.Pid<"hello">> }
  >
>()
// @ts-expect-error it does not take the messages of the group
ProcessGroup.join(lobby, stranger)
// @ts-expect-error its mailbox does not take the events
ProcessGroup.monitor(lobby, guest)
// @ts-expect-error another scope is no string
ProcessGroup.make("lobby", { scope: "rooms" })
