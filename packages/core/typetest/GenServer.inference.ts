/** What is inferred from definitions of other shapes: states, payloads, terms, other servers. */
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { same } from "./utils.ts"

class Db extends Context.Service<Db, { readonly url: string }>()("Db") {}

const one = [GenServer.call("get", { success: Schema.Finite })] as const

export class Widened extends GenServer.Service<Widened>()("Widened", one) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: {
      get: (state) => {
        same<typeof state, number>()
        return Step.reply(state, state + 1)
      }
    }
  })
}
same<typeof Widened.server, GenServer.Server<Widened, [], never, never, never>>()
Widened.server.layer()
Widened.server.layer({ name: "w" })
Widened.server.start({ label: "w" })
Widened.server.child({ id: "w", provide: false })

class Rows extends GenServer.Service<Rows>()("Rows", one) {
  static readonly server = this.implement({
    init: () => ({ items: [] as Array<string>, on: false }),
    handlers: {
      get: (state) => {
        same<typeof state, { items: Array<string>; on: boolean }>()
        return Step.reply(1, { items: [...state.items, "x"], on: true })
      }
    },
    info: (state) => {
      same<typeof state, { items: Array<string>; on: boolean }>()
      return Step.noReply(state)
    }
  })
}

// an Effect, a union, `ignore` alone, methods, options in another order
class Order extends GenServer.Service<Order>()("Order", one) {
  static readonly server = this.implement({
    terminate(state) {
      same<typeof state, number>()
    },
    continue(state, _term: "a" | { readonly b: ReadonlyArray<number> }) {
      same<typeof state, number>()
      return Step.noReply(state)
    },
    handlers: {
      get(state) {
        same<typeof state, number>()
        return Step.reply(1, state, { continue: { b: [1, 2] } })
      }
    },
    init: () => Math.random() > 0.5 ? Effect.succeed(1) : GenServer.init(2, { continue: "a" })
  })
}
same<typeof Order.server, GenServer.Server<Order, [], never, never, never>>()

// handlers that look at nothing; a `continue` that does not look at its term takes any
class Blind extends GenServer.Service<Blind>()("Blind", one) {
  static readonly server = this.implement({
    init: () => GenServer.init(0, { continue: "boot" }),
    handlers: { get: () => Step.reply(1, 2, { continue: "again" }) },
    continue: (state) => Step.noReply(state)
  })
}

// handlers without context before a typed `continue`
class Sparse extends GenServer.Service<Sparse>()("Sparse", one) {
  static readonly server = this.implement({
    init: () => Effect.as(Process.monitor("x"), 0),
    handlers: { get: () => Step.reply(1, 2, { continue: "again" }) },
    info: (state, _message: Process.Down) => Step.noReply(state),
    continue: (state, _term: "again") => Step.noReply(state)
  })
}
same<typeof Sparse.server, GenServer.Server<Sparse, [], never, never, never>>()

// mutual and own use, states that name their type
type Phase = { readonly _tag: "Off" } | { readonly _tag: "On"; readonly since: number }
class Ping extends GenServer.Service<Ping>()("Ping", one) {
  static readonly server = this.implement({
    init: (): Phase => ({ _tag: "Off" }),
    handlers: {
      get: (state) =>
        Effect.gen(function*() {
          same<typeof state, Phase>()
          const pong = yield* Pong
          yield* Ping.at("ping").get()
          return Step.reply(yield* pong.get(), { _tag: "On", since: 1 })
        })
    }
  })
}
class Pong extends GenServer.Service<Pong>()("Pong", one) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: { get: (state) => Effect.as(Ping, Step.reply(1, state)) }
  })
}
same<typeof Ping.server, GenServer.Server<Ping, [], never, never, Pong>>()
same<typeof Pong.server, GenServer.Server<Pong, [], never, never, Ping>>()

// payloads
class Payloads extends GenServer.Service<Payloads>()("Payloads", [
  GenServer.cast("none"),
  GenServer.cast("some", { payload: { a: Schema.Finite, b: Schema.optionalKey(Schema.String) } }),
  GenServer.cast("all", { payload: { b: Schema.optionalKey(Schema.String) } }),
  GenServer.cast("text", { payload: Schema.String }),
  GenServer.cast("maybe", { payload: Schema.UndefinedOr(Schema.String) }),
  GenServer.cast("union", { payload: Schema.Union([Schema.String, Schema.Finite]) }),
  GenServer.cast("made", {
    payload: { a: Schema.Finite.pipe(Schema.withConstructorDefault(Effect.succeed(1))) }
  }),
  GenServer.cast("annotated", { payload: Schema.String }).annotate(Db, { url: "" }).prefix("is_")
]) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: {
      none: (state, payload) => {
        same<typeof payload, void>()
        return Step.noReply(state)
      },
      some: (state, { a, b }) => Step.noReply(state + a + (b ?? "").length),
      all: (state) => Step.noReply(state),
      text: (state, text) => {
        same<typeof text, string>()
        return Step.noReply(state)
      },
      maybe: (state, text) => {
        same<typeof text, string | undefined>()
        return Step.noReply(state)
      },
      union: (state, text) => {
        same<typeof text, string | number>()
        return Step.noReply(state)
      },
      made: (state, { a }) => Step.noReply(state + a),
      is_annotated: (state, text) => Step.noReply(state + text.length)
    }
  })
}
const payloads = Payloads.at("x")
payloads.none()
payloads.some({ a: 1 })
payloads.some({ a: 1, b: "" })
payloads.all()
payloads.all({ b: "" })
payloads.text("")
payloads.maybe()
payloads.maybe("")
payloads.union(1)
payloads.made()
payloads.made({ a: 1 })
payloads.is_annotated("")
same<typeof payloads["is_annotated"], (payload: string) => Effect.Effect<void>>()
