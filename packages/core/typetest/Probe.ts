/** What a probe takes, and what its expectations give. */
import type * as ExitReason from "@effect-otp/core/ExitReason"
import type { Pid } from "@effect-otp/core/Pid"
import * as Process from "@effect-otp/core/Process"
import { Probe } from "@effect-otp/core/testing"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { same } from "./utils.ts"

type Event = { readonly _tag: "Opened"; readonly id: number } | { readonly _tag: "Closed" }

const made = Probe.make<Event>({ label: "events" })
same<typeof made, Effect.Effect<Probe.Probe<Event>, never, Scope.Scope>>()
const any = Probe.make()
same<Effect.Success<typeof any>["pid"], Pid<unknown>>()

export const program = Effect.gen(function*() {
  const probe = yield* made
  same<typeof probe.pid, Pid<Event>>()
  const refined = yield* probe.expectMessage((event): event is Extract<Event, { readonly _tag: "Opened" }> =>
    event._tag === "Opened"
  )
  same<typeof refined, { readonly _tag: "Opened"; readonly id: number }>()
  const filtered = yield* probe.expectNext(
    (event: Event) => event._tag === "Opened" ? Result.succeed(event.id) : Result.fail(event),
    { within: "1 second" }
  )
  same<typeof filtered, number>()
  const held = yield* probe.expectMessage((event) => "id" in event && event.id > 1)
  same<typeof held, Event>()
  const equal = yield* probe.expectMessage({ _tag: "Closed" })
  same<typeof equal, Event>()
  const next = yield* probe.expectNext()
  same<typeof next, Event>()
  const reason = yield* probe.expectDown("somebody", "Crashed")
  same<typeof reason, ExitReason.ExitReason>()
  // @ts-expect-error no such message
  yield* probe.expectMessage({ _tag: "Lost" })
  // @ts-expect-error no such reason
  yield* probe.expectDown("somebody", "crashed")
  // @ts-expect-error it takes no other messages
  yield* Process.send(probe.pid, "hello")
})
