/** What a dynamic supervisor provides, hands to specs and gives back: exact types. */
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as DynamicSupervisor from "@effect-otp/core/DynamicSupervisor"
import * as GenServer from "@effect-otp/core/GenServer"
import type { CallError, ChildNotFound, MaxChildren, StartError } from "@effect-otp/core/OtpError"
import type * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { typeOf } from "./utils.ts"

class Config extends Context.Service<Config, { readonly max: number }>()("Config") {}
class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}

/** Needs Config, and may be refused. */
class Session extends GenServer.Service<Session>()("Session", [GenServer.call("get", { success: Schema.Finite })]) {
  static readonly server = this.implement({
    init: (user: string) => Effect.flatMap(Config, () => user === "" ? Effect.fail(new Refused()) : Effect.succeed(0)),
    handlers: { get: (state) => Step.reply(state, state) }
  })
}

class Workers extends DynamicSupervisor.Service<Workers>()("Workers") {
  static readonly supervisor = this.implement({ maxChildren: 100 })
}

class Extra extends DynamicSupervisor.Service<Extra, [greeting: string, count: number]>()("Extra") {
  static readonly supervisor = this.implement({ extraArguments: ["hello", 1] })
}

// --- what it is

typeOf(Workers.supervisor.layer).is<Layer.Layer<Workers, StartError>>()
typeOf(Workers.supervisor.start).is<Effect.Effect<DynamicSupervisor.Ref<[]>, StartError>>()
typeOf(Workers.supervisor.startLink).is<Effect.Effect<DynamicSupervisor.Ref<[]>, StartError, Process.Current>>()
typeOf(Workers.supervisor.startScoped).is<Effect.Effect<DynamicSupervisor.Ref<[]>, StartError, Scope.Scope>>()
typeOf(Workers.supervisor.child()).is<ChildSpec.ChildSpec<Workers, never, never>>()
typeOf(Workers.supervisor.child({ provide: false })).is<ChildSpec.ChildSpec<never, never, never>>()
typeOf(Supervisor.make({ children: [Workers.supervisor.child()] }).layer).is<Layer.Layer<Workers, StartError>>()
typeOf(DynamicSupervisor.make({}).layer).is<Layer.Layer<never, StartError>>()

const late = DynamicSupervisor.make({
  init: Effect.gen(function*() {
    const { max: maxChildren } = yield* Config
    return yield* maxChildren < 0 ? Effect.fail(new Refused()) : Effect.succeed({ maxChildren })
  })
})
typeOf(late.layer).is<Layer.Layer<never, StartError<Refused>, Config>>()
DynamicSupervisor.make({ init: Effect.succeed(GenServer.ignore) })

// @ts-expect-error the children are in no order
DynamicSupervisor.make({ strategy: "rest_for_one" })
// @ts-expect-error nothing of it is significant
DynamicSupervisor.make({ autoShutdown: "anySignificant" })
// @ts-expect-error what is not a setting
DynamicSupervisor.make({ init: Effect.succeed({ maxChildren: "many" }) })

// --- children

declare const workers: typeof Workers.Service
declare const extra: typeof Extra.Service

const started = DynamicSupervisor.startChild(workers, Session.server.child("Ann"))
typeOf(started).is<
  Effect.Effect<Process.Pid<never, unknown>, StartError<Refused> | MaxChildren | CallError, Config>
>()
const service = DynamicSupervisor.startService(workers, Session, Session.server.child("Ann"))
typeOf(service).is<
  Effect.Effect<
    readonly [client: GenServer.ClientOf<Session>, pid: Process.Pid<never, unknown>],
    StartError<Refused> | MaxChildren | CallError,
    Config
  >
>()
const worker = ChildSpec.worker({ id: "worker", run: () => Config })
typeOf(DynamicSupervisor.startChild(workers, worker)).is<
  Effect.Effect<Process.Pid<never, unknown>, StartError | MaxChildren | CallError, Config>
>()
// @ts-expect-error the spec does not provide the service
DynamicSupervisor.startService(workers, Session, worker)
// @ts-expect-error nor does this one, which was asked not to
DynamicSupervisor.startService(workers, Session, Session.server.child("Ann", { provide: false }))
// @ts-expect-error what is no spec
DynamicSupervisor.startChild(workers, { id: "a" })

declare const pid: Process.Pid<string>
typeOf(DynamicSupervisor.terminateChild(workers, pid)).is<Effect.Effect<void, ChildNotFound | CallError>>()
// @ts-expect-error an id is no pid
DynamicSupervisor.terminateChild(workers, "a")

// --- extra arguments

DynamicSupervisor.startChild(extra, (greeting, count) => {
  typeOf(greeting).is<string>()
  typeOf(count).is<number>()
  return Session.server.child(greeting)
})
DynamicSupervisor.startChild(extra, Session.server.child("Ann"))
DynamicSupervisor.startService(extra, Session, (greeting) => Session.server.child(greeting))
// @ts-expect-error it has no extra arguments
DynamicSupervisor.startChild(workers, (greeting: string) => Session.server.child(greeting))
// @ts-expect-error they are not numbers
DynamicSupervisor.startChild(extra, (greeting: number) => Session.server.child(`${greeting}`))
// @ts-expect-error they must be given
Extra.implement({})
// @ts-expect-error as they are declared
Extra.implement({ extraArguments: [1, 1] })
typeOf(DynamicSupervisor.whichChildren(extra)).is<
  Effect.Effect<ReadonlyArray<DynamicSupervisor.ChildInfo>, CallError>
>()
