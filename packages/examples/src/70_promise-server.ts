/**
 * A supervised server behind plain Promise code.
 *
 * The web framework knows nothing of Effect: its handlers are async functions that ask one `ManagedRuntime`. A typed
 * failure becomes a status code. A bug ends the server, that one request fails, and the supervisor starts a fresh one.
 *
 * Run it: npx -y pnpm@12 exec node packages/examples/src/70_promise-server.ts
 */
import { GenServer, type OtpError, Step } from "@effect-otp/core"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, ManagedRuntime, Schedule, Schema } from "effect"
import fastify from "fastify"

class SoldOut extends Schema.TaggedError<SoldOut>()("SoldOut", {}) {}

class Tickets extends GenServer.Service<Tickets>()("examples/Tickets", [
  GenServer.call("buy", { success: Schema.Finite, error: SoldOut }),
  GenServer.call("jam")
]) {
  static readonly server = this.implement({
    init: (seats: number) => ({ seats, sold: 0 }),
    handlers: {
      buy: (state) =>
        state.sold === state.seats
          ? Effect.fail(new SoldOut())
          : Step.reply(state.sold + 1, { ...state, sold: state.sold + 1 }),
      jam: () => Effect.die(new Error("paper jam"))
    }
  })
}

/** Nobody was there: the server is just being restarted. The request was not delivered, so it may be repeated. */
const undelivered = (error: SoldOut | OtpError.CallError) =>
  error._tag === "CallError" && error.reason._tag === "NoProcess"

/** The next ticket, or nothing if there is none. */
const buy = Tickets.use((tickets) => tickets.buy()).pipe(
  Effect.retry({ while: undelivered, schedule: Schedule.spaced("10 millis"), times: 100 }),
  Effect.catchTag("SoldOut", () => Effect.undefined)
)

const jam = Tickets.use((tickets) => tickets.jam())

/** An ordinary Fastify application: async handlers, and one runtime that they ask. */
const makeApp = <E>(runtime: ManagedRuntime.ManagedRuntime<Tickets, E>) => {
  const app = fastify()
  app.post("/tickets", async (_request, reply) => {
    const ticket = await runtime.runPromise(buy)
    if (ticket === undefined) return reply.code(409).send({ error: "sold out" })
    return reply.code(201).send({ ticket })
  })
  app.post("/jam", () => runtime.runPromise(jam))
  app.setErrorHandler((_, __, reply) => reply.code(500).send({ error: "out of order" }))
  app.addHook("onClose", () => runtime.dispose())
  return app
}

/** Visits the application as a browser would, and keeps what came back. */
const visit = (url: string) => (path: string) =>
  Effect.promise(async () => {
    const response = await fetch(url + path, { method: "POST" })
    return `${response.status} ${await response.text()}`
  }).pipe(Effect.tap((answer) => Console.log(`POST ${path.padEnd(8)} → ${answer}`)))

export const program = Effect.gen(function*() {
  // The runtime shares what this program has: its logger, its console, its clock.
  const context = yield* Effect.context<never>()
  const runtime = ManagedRuntime.make(Layer.provide(Tickets.server.layer(2), Layer.succeedContext(context)))

  const app = makeApp(runtime)
  yield* Effect.addFinalizer(() => Effect.promise(() => app.close()))
  const post = visit(yield* Effect.promise(() => app.listen({ host: "127.0.0.1", port: 0 })))

  return [
    yield* post("/tickets"),
    yield* post("/tickets"),
    yield* post("/tickets"),
    yield* post("/jam"),
    yield* post("/tickets")
  ]
}).pipe(Effect.scoped)

if (import.meta.main) NodeRuntime.runMain(program)
