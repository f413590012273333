/** What the definition of a server infers, what its client offers, and how it starts. */
import type * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Name from "@effect-otp/core/Name"
import type { CallError, StartError } from "@effect-otp/core/OtpError"
import type { Pid } from "@effect-otp/core/Pid"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Rpc from "effect/rpc/Rpc"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { same } from "./utils.ts"

class NotEnough extends Schema.TaggedError<NotEnough>()("NotEnough", {}) {}
class Boom extends Schema.TaggedError<Boom>()("Boom", {}) {}
class Db extends Context.Service<Db, { readonly url: string }>()("Db") {}
class Log extends Context.Service<Log, { readonly level: number }>()("Log") {}
class Mail extends Context.Service<Mail, { readonly from: string }>()("Mail") {}

// ----------------------------------------------------------------------------
// the Counter of the lesson
// ----------------------------------------------------------------------------

export class Counter extends GenServer.Service<Counter>()("examples/Counter", [
  GenServer.cast("increment"),
  GenServer.cast("add", { payload: { by: Schema.Finite } }),
  GenServer.call("value", { success: Schema.Finite }),
  GenServer.call("take", { payload: { n: Schema.Finite }, success: Schema.Finite, error: NotEnough })
]) {
  static readonly server = this.implement({
    init: (initial: number) => initial,
    handlers: {
      increment: (count) => Step.noReply(count + 1),
      add: (count, { by }) => Step.noReply(count + by),
      value: (count) => Step.reply(count, count),
      take: (count, { n }) => n > count ? Effect.fail(new NotEnough()) : Step.reply(n, count - n)
    }
  })
}

same<typeof Counter.server, GenServer.Server<Counter, [initial: number], never, never, never>>()
same<typeof Counter.key, "examples/Counter">()
same<typeof Counter.protocol[number]["_tag"], "increment" | "add" | "value" | "take">()
same<Counter["Service"], GenServer.Client<typeof Counter.protocol>>()

// the client
type CounterClient = GenServer.ClientOf<Counter>
same<Effect.Success<typeof Counter>, CounterClient>()
same<Effect.Services<typeof Counter>, Counter>()
same<CounterClient["increment"], () => Effect.Effect<void>>()
same<CounterClient["add"], (payload: { readonly by: number }) => Effect.Effect<void>>()
same<CounterClient["value"], () => Effect.Effect<number, CallError>>()
same<CounterClient["take"], (payload: { readonly n: number }) => Effect.Effect<number, NotEnough | CallError>>()
same<keyof CounterClient, "increment" | "add" | "value" | "take">()

// how it starts
const started = Counter.server.start(0, { name: "counter", label: "c", timeout: "1 second" })
same<typeof started, Effect.Effect<GenServer.Ref<Counter>, StartError<never>>>()
export const linked = Counter.server.startLink(0)
same<typeof linked, Effect.Effect<GenServer.Ref<Counter>, StartError<never>, Process.Current>>()
const scoped = Counter.server.startScoped(0)
same<typeof scoped, Effect.Effect<GenServer.Ref<Counter>, StartError<never>, Scope.Scope>>()
const layer = Counter.server.layer(0, { name: "counter" })
same<typeof layer, Layer.Layer<Counter, StartError<never>>>()
const child = Counter.server.child(0, { id: "c", restart: "transient", shutdown: "brutalKill", significant: true })
same<typeof child, ChildSpec.ChildSpec<Counter, never, never>>()
const hidden = Counter.server.child(0, { provide: false })
same<typeof hidden, ChildSpec.ChildSpec<never, never, never>>()
const shown = Counter.server.child(0, { provide: true })
same<typeof shown, ChildSpec.ChildSpec<Counter, never, never>>()
export const found = Counter.at("counter")
same<typeof found, CounterClient>()

const program = Effect.gen(function*() {
  const counter = yield* Counter
  yield* counter.increment()
  yield* counter.add({ by: 1 })
  const ref = yield* started
  same<typeof ref.pid, Pid<never>>()
  yield* GenServer.stop(ref, { reason: ExitReason.normal, timeout: "1 second" })
  yield* GenServer.stop(ref.pid)
  yield* GenServer.stop("counter")
  const n = yield* ref.value()
  same<typeof n, number>()
  return yield* counter.value()
}).pipe(Effect.provide(layer))
same<typeof program, Effect.Effect<number, CallError | StartError<never>>>()

// a key as any other
export const mock: CounterClient = {
  increment: () => Effect.void,
  add: () => Effect.void,
  value: () => Effect.succeed(1),
  take: () => Effect.fail(new NotEnough())
}
same<Layer.Success<typeof mockLayer>, Counter>()
const mockLayer = Layer.succeed(Counter, mock)
const provided = Effect.provideService(Effect.flatMap(Counter, (_) => _.value()), Counter, mock)
same<typeof provided, Effect.Effect<number, CallError>>()

export const readsRef = (ref: GenServer.Ref<Counter>) => ref.value()
same<ReturnType<typeof readsRef>, Effect.Effect<number, CallError>>()

// ----------------------------------------------------------------------------
// everything a server can have
// ----------------------------------------------------------------------------

interface Session {
  readonly status: "idle" | "busy"
  readonly items: Array<string>
}

interface Tick {
  readonly _tag: "Tick"
  readonly at: number
}

class Full extends GenServer.Service<Full>()("Full", [
  GenServer.cast("go"),
  GenServer.call("later", { payload: { id: Schema.String }, success: Schema.Finite, error: NotEnough }),
  Rpc.make("plain", { success: Schema.Option(Schema.Finite) }),
  GenServer.call("quit", { success: Schema.String })
]) {
  static readonly server = this.implement({
    init: (path: string) =>
      Effect.gen(function*() {
        const db = yield* Db
        yield* Effect.addFinalizer(() => Effect.void)
        if (path === "") return GenServer.ignore
        if (path === "x") return GenServer.initStop(ExitReason.shutdown())
        if (path === "y") return yield* new Boom()
        const state: Session = { status: "idle", items: [db.url] }
        return path === "z" ? state : GenServer.init(state, { continue: "load", timeout: "1 second" })
      }),
    handlers: {
      go: (state) =>
        Effect.gen(function*() {
          same<typeof state, Session>()
          yield* Process.monitor("other")
          yield* Process.self
          if (state.status === "idle") return Step.stop(ExitReason.normal, state)
          return Step.noReply({ ...state, status: "idle" }, { continue: "save", hibernate: true })
        }),
      later: (state, payload, from) => {
        same<typeof state, Session>()
        same<typeof payload, { readonly id: string }>()
        same<typeof from, GenServer.From<number, NotEnough>>()
        if (payload.id === "fail") return Step.fail(new NotEnough(), { ...state, status: "busy" })
        if (payload.id === "call") {
          return Effect.gen(function*() {
            const counter = yield* Counter
            yield* counter.value() // fails with CallError, undeclared: a crash
            yield* GenServer.reply(from, 1)
            yield* GenServer.fail(from, new NotEnough())
            return Step.noReply(state)
          })
        }
        return Effect.as(Log, Step.reply(1, state))
      },
      plain: Effect.fn(function*(state) {
        same<typeof state, Session>()
        return Step.reply(yield* Effect.succeedSome(1), state)
      }),
      quit: (state) => Step.replyAndStop("bye", ExitReason.normal, state)
    },
    info: (state, message: Process.Down | Tick | GenServer.Timeout) => {
      same<typeof state, Session>()
      switch (message._tag) {
        case "Down":
          return Step.noReply(state, { continue: "load" })
        case "Tick":
          return Effect.succeed(Step.noReply({ status: "idle", items: [] }))
        case "Timeout":
          return Step.stop(ExitReason.normal, state)
      }
    },
    continue: (state, term: "load" | "save") => {
      same<typeof state, Session>()
      return term === "load" ? Step.noReply(state, { continue: "save" }) : Effect.as(Mail, Step.noReply(state))
    },
    terminate: (state, reason) => {
      same<typeof state, Session>()
      same<typeof reason, ExitReason.ExitReason>()
      return Effect.log(state.status)
    },
    formatStatus: (state) => {
      same<typeof state, Session>()
      return state.status
    },
    trapExit: true
  })
}
same<typeof Full.server, GenServer.Server<Full, [path: string], Tick, Boom, Db | Log | Mail | Counter>>()
export const full = Full.server.start("a")
same<typeof full, Effect.Effect<GenServer.Ref<Full, Tick>, StartError<Boom>, Db | Log | Mail | Counter>>()
same<Effect.Success<typeof full>["pid"], Pid<Tick>>()
const fullLayer = Full.server.layer("a")
same<typeof fullLayer, Layer.Layer<Full, StartError<Boom>, Db | Log | Mail | Counter>>()
const asRef: Effect.Effect<GenServer.Ref<Full>, StartError<Boom>, Db | Log | Mail | Counter> = full

Full.server.start("a", { name: Name.make<Tick>("full") })

const initial = GenServer.init(1)
same<typeof initial, GenServer.Init<number>>()
