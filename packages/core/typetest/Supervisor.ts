/** What a tree provides, what is left to provide, and how starting it fails: exact types, nested trees included. */
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as GenServer from "@effect-otp/core/GenServer"
import type { StartError } from "@effect-otp/core/OtpError"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { typeOf } from "./utils.ts"

class Config extends Context.Service<Config, { readonly url: string }>()("Config") {}
class Metrics extends Context.Service<Metrics, { readonly count: Effect.Effect<void> }>()("Metrics") {}
class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}
class Broken extends Schema.TaggedError<Broken>()("Broken", {}) {}

const protocol = [GenServer.call("get", { success: Schema.Finite })] as const

/** Needs Config, and may be refused. */
class Database extends GenServer.Service<Database>()("Database", protocol) {
  static readonly server = this.implement({
    init: () => Effect.flatMap(Config, ({ url }) => url === "" ? Effect.fail(new Refused()) : Effect.succeed(0)),
    handlers: { get: (state) => Step.reply(state, state) }
  })
}

/** Needs Database and Metrics, and may be broken. */
class Cache extends GenServer.Service<Cache>()("Cache", protocol) {
  static readonly server = this.implement({
    init: () =>
      Effect.gen(function*() {
        yield* Database
        yield* Metrics
        return yield* Effect.filterOrFail(Effect.succeed(0), (n) => n > 0, () => new Broken())
      }),
    handlers: { get: (state) => Step.reply(state, state) }
  })
}

/** Needs nothing. */
class Counter extends GenServer.Service<Counter>()("Counter", protocol) {
  static readonly server = this.implement({
    init: (initial: number) => initial,
    handlers: { get: (state) => Step.reply(state, state) }
  })
}

const database = Database.server.child()
const cache = Cache.server.child()
const counter = Counter.server.child(0)

// --- a child uses what the ones before it provide, as in OTP

const flat = Supervisor.make({ children: [database, cache, counter] })
typeOf(flat.layer).is<Layer.Layer<Database | Cache | Counter, StartError<Refused | Broken>, Config | Metrics>>()

const wrongOrder = Supervisor.make({ children: [cache, database] })
typeOf(wrongOrder.layer).is<Layer.Layer<Database | Cache, StartError<Refused | Broken>, Config | Metrics | Database>>()

const alone = Supervisor.make({ children: [counter] })
typeOf(alone.layer).is<Layer.Layer<Counter, StartError>>()
const empty = Supervisor.make({ children: [] })
typeOf(empty.layer).is<Layer.Layer<never, StartError>>()

// --- nested

const inner = Supervisor.make({ strategy: "rest_for_one", children: [cache, counter] })
const nested = Supervisor.make({ children: [database, inner.child({ id: "inner" })] })
typeOf(nested.layer).is<Layer.Layer<Database | Cache | Counter, StartError<Refused | Broken>, Config | Metrics>>()

const branch = Supervisor.make({ children: [database] }).child({ id: "branch" })
const across = Supervisor.make({ children: [branch, Supervisor.make({ children: [cache] }).child({ id: "other" })] })
typeOf(across.layer).is<Layer.Layer<Database | Cache, StartError<Refused | Broken>, Config | Metrics>>()

// --- other children

const worker = ChildSpec.worker({ id: "poll", run: () => Metrics })
const layered = ChildSpec.layer({ id: "layer", layer: Layer.effectDiscard(Effect.andThen(Config, new Broken())) })
const mixed = Supervisor.make({ children: [worker, layered] })
typeOf(mixed.layer).is<Layer.Layer<never, StartError<Broken>, Metrics | Config>>()

// --- one service, one provider

// @ts-expect-error two children provide Counter
Supervisor.make({ children: [counter, Counter.server.child(1, { id: "second" })] })
// @ts-expect-error one of them in a branch
Supervisor.make({ children: [inner.child({ id: "inner" }), Counter.server.child(1, { id: "second" })] })
const one = Supervisor.make({ children: [counter, Counter.server.child(1, { id: "second", provide: false })] })
typeOf(one.layer).is<Layer.Layer<Counter, StartError>>()

// --- options

// @ts-expect-error OTP's spelling
Supervisor.make({ strategy: "oneForOne", children: [] })
// @ts-expect-error no such restart type
Counter.server.child(0, { restart: "always" })
// @ts-expect-error the tree needs Config and Metrics
Supervisor.launch(flat).pipe(Effect.runPromise)

// --- specs with other options, and whole trees

const renamed = Supervisor.childSpec(undefined as never as ChildSpec.ChildSpec<"A", "E", "R">, { id: "b" })
typeOf(renamed).is<ChildSpec.ChildSpec<"A", "E", "R">>()
// @ts-expect-error what it starts cannot be changed
Supervisor.childSpec(renamed, { start: Effect.never })
// @ts-expect-error a tree that runs is not described
Supervisor.audit(undefined as never as Supervisor.Ref)
