/** What a registry knows of its keys and values: exact types, and uses that must not compile. */
import type * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Name from "@effect-otp/core/Name"
import type { RegistrationError, StartError } from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Registry from "@effect-otp/core/Registry"
import * as Sys from "@effect-otp/core/Sys"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Stream from "effect/Stream"
import { typeOf } from "./utils.ts"

interface Session {
  readonly user: string
  readonly admin: boolean
}

interface Shape {
  readonly key: string
  readonly value: Session
  readonly message: "ping"
  readonly meta: { readonly limit: number }
}

class Sessions extends Registry.Service<Sessions, Shape>()("Sessions", { keys: "unique", meta: { limit: 3 } }) {}
class Topics extends Registry.Service<Topics, { key: readonly [string, number] }>()("Topics", { keys: "duplicate" }) {}

declare const sessions: Registry.Registry<Shape, "unique">
declare const topics: Registry.Registry<{ key: readonly [string, number] }, "duplicate">
declare const pid: Process.Pid<"ping">
declare const session: Session

typeOf(Sessions.layer).is<Layer.Layer<Sessions, StartError>>()
typeOf(Sessions.child()).is<ChildSpec.ChildSpec<Sessions, never, never>>()
typeOf(Sessions.child({ provide: false })).is<ChildSpec.ChildSpec<never, never, never>>()
export const use = Effect.gen(function*() {
  typeOf(yield* Sessions).is<Registry.Registry<Shape, "unique">>()
  typeOf((yield* Topics.start()).pid).is<Process.Pid<never>>()
})

// registering
typeOf(Registry.register(sessions, "a", session)).is<Effect.Effect<void, RegistrationError, Process.Current>>()
typeOf(Registry.register(topics, ["a", 1])).is<Effect.Effect<void, never, Process.Current>>()
typeOf(Registry.unregister(topics, ["a", 1])).is<Effect.Effect<void, never, Process.Current>>()
typeOf(Registry.updateValue(sessions, "a", (value) => ({ ...value, admin: true })))
  .is<Effect.Effect<Option.Option<readonly [value: Session, previous: Session]>, never, Process.Current>>()
Registry.unregisterMatch(sessions, "a", ({ admin }) => admin)
// @ts-expect-error another key
Registry.register(sessions, 1, session)
// @ts-expect-error no value
Registry.register(sessions, "a")
// @ts-expect-error another value
Registry.register(sessions, "a", "b")
// @ts-expect-error a key without a value
Registry.register(topics, ["a", 1], "b")
// @ts-expect-error keys are not unique
Registry.updateValue(topics, ["a", 1], (value) => value)
// @ts-expect-error another value
Registry.updateValue(sessions, "a", () => "b")
// @ts-expect-error only a process registers
Effect.runPromise(Registry.register(sessions, "a", session))

// reading
type Found = Registry.Entry<Shape>
typeOf(Registry.lookup(sessions, "a")).is<Effect.Effect<Option.Option<Found>>>()
typeOf(Registry.lookup(topics, ["a", 1]))
  .is<Effect.Effect<ReadonlyArray<Registry.Entry<{ key: readonly [string, number] }>>>>()
typeOf(Registry.keys(sessions, pid)).is<Effect.Effect<ReadonlyArray<string>>>()
typeOf(Registry.values(sessions, "a", pid)).is<Effect.Effect<ReadonlyArray<Session>>>()
const isAdmin = (value: Session): value is Session & { readonly admin: true } => value.admin
const user = (value: Session) => value.admin ? Result.succeed(value.user) : Result.fail(value)
typeOf(Registry.match(sessions, "a", isAdmin))
  .is<Effect.Effect<ReadonlyArray<Registry.Entry<Shape, Session & { readonly admin: true }>>>>()
typeOf(Registry.match(sessions, "a", user)).is<Effect.Effect<ReadonlyArray<Registry.Entry<Shape, string>>>>()
typeOf(Registry.match(sessions, "a", ({ admin }) => admin)).is<Effect.Effect<ReadonlyArray<Found>>>()
typeOf(Registry.select(sessions, ({ key, value }) => value.admin && key === "a"))
  .is<Effect.Effect<ReadonlyArray<Found>>>()
typeOf(Registry.select(sessions, ({ value }: Found) => user(value))).is<Effect.Effect<ReadonlyArray<string>>>()
typeOf(Registry.watch(sessions, "a")).is<Stream.Stream<Option.Option<Process.Pid<"ping">>>>()
typeOf(Registry.watch(topics, ["a", 1])).is<Stream.Stream<ReadonlyArray<Process.Pid<never>>>>()
// @ts-expect-error another key
Registry.lookup(sessions, 1)
// @ts-expect-error no predicate of the value
Registry.countMatch(sessions, "a", (n: number) => n > 1)
// @ts-expect-error a service is no registry: `yield*` gives one
Registry.count(Sessions)

// using
typeOf(Registry.via(sessions, "a")).is<Name.Via<"ping">>()
Process.send(Registry.via(sessions, "a"), "ping")
GenServer.stop(Registry.via(sessions, "a", session))
Sys.getState(sessions)
Process.register(Registry.via(sessions, "a"), pid)
// @ts-expect-error another message
Process.send(Registry.via(sessions, "a"), "pong")
// @ts-expect-error keys are not unique
Registry.via(topics, ["a", 1])
// @ts-expect-error another value
Registry.via(sessions, "a", "b")
typeOf(Registry.dispatch(sessions, "a", () => Effect.fail("no"))).is<Effect.Effect<void, string>>()
typeOf(Registry.lock(sessions, ["any", 1], Effect.succeed(1))).is<Effect.Effect<number>>()
typeOf(Registry.getMeta(sessions, "limit")).is<Effect.Effect<Option.Option<number>>>()
// @ts-expect-error another type
Registry.putMeta(sessions, "limit", "3")
// @ts-expect-error nothing is kept under this key
Registry.getMeta(sessions, "size")

// declaring
// @ts-expect-error neither unique nor duplicate
Registry.Service<never, Shape>()("Wrong", { keys: "some" })
// @ts-expect-error this name is of a process that takes something else
Registry.Service<never, Shape>()("Wrong", { keys: "unique", listeners: [Name.make<number>("listener")] })
Registry.Service<never, Shape>()("Right", {
  keys: "unique",
  listeners: ["listener", Name.make<Registry.Event<Shape> | "other">("typed")]
})
