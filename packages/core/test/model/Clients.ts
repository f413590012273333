/**
 * Clients that use one server at the same time, and what each of them has seen: when it asked, and when it was answered.
 *
 * Some are processes and some are fibers; they call and cast, give up after a time, and are interrupted.
 */
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import * as Arbitrary from "effect/Arbitrary"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { inNode } from "../utils/process.ts"
import type { Operation } from "./Linearizability.ts"
import { simpler } from "./simpler.ts"
import * as Store from "./Store.ts"

type Answer = number | undefined

// ----------------------------------------------------------------------------
// the server
// ----------------------------------------------------------------------------

interface Payload {
  readonly input: Store.Input
  /** How long it takes. */
  readonly millis: number
}

class Shop extends GenServer.Service<Shop>()("test/Shop", [
  GenServer.call("ask", { payload: Schema.Unknown, success: Schema.Unknown }),
  GenServer.cast("tell", { payload: Schema.Unknown })
]) {}

type Next = Step.Call<unknown, never, Store.State>

/** What a request has the server do. `from` waits for the answer, if anybody does. */
export type Handle = (
  state: Store.State,
  payload: Payload,
  from: GenServer.From<unknown> | undefined
) => Next | Effect.Effect<Next>

/** As it should be: what the store does, at once or after a while. */
export const sound: Handle = (state, { input, millis }, from) => {
  const [answer, next] = Store.apply(state, input)
  const step = from === undefined ? Step.noReply(next) : Step.reply(answer, next)
  return millis === 0 ? step : Effect.as(Effect.sleep(millis), step)
}

const start = (handle: Handle) =>
  Shop.implement({
    init: (): Store.State => Store.store.initial,
    handlers: {
      ask: (state, payload, from) => handle(state, payload as Payload, from),
      // Without anybody to answer it does not answer.
      tell: (state, payload) => handle(state, payload as Payload, undefined) as Step.Cast<Store.State>
    }
  }).start()

// ----------------------------------------------------------------------------
// the clients
// ----------------------------------------------------------------------------

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

const Raw = Schema.Struct({
  what: Schema.Literals(["read", "read", "write", "add", "add", "push", "pop"]),
  how: Schema.Literals(["call", "call", "call", "cast", "callWithin", "interrupted"]),
  /** By which client. */
  which: upTo(4),
  /** How long it takes, and how long its client waits for it. */
  n: upTo(8),
  /** Right after the request before it, of the same client. */
  atOnce: Schema.Boolean
})

type Raw = typeof Raw.Type

export interface Program {
  readonly requests: ReadonlyArray<Raw>
}

export const arbitrary: Arbitrary.Arbitrary<Program> = Arbitrary.map(
  Arbitrary.schema(Schema.Array(Raw).check(Schema.isBetweenLength(1, 24)), { shrink: simpler }),
  (requests) => ({ requests, toString: () => requests.map(showRaw).join(", ") })
)

const showRaw = ({ atOnce, how, n, what, which }: Raw): string =>
  `${which} ${how} ${what} ${n}${atOnce ? " at once" : ""}`

const inProcess = (body: Effect.Effect<unknown>): Effect.Effect<void> =>
  Effect.flatMap(
    Process.spawn(() => body),
    (pid) =>
      Effect.flatMap(Process.awaitExit(pid), (reason) =>
        reason._tag === "Crashed" ? Effect.orDie(Effect.failCause(reason.cause)) : Effect.void)
  )

/** Runs a program against a server that handles requests so, and gives what its clients have seen. */
export const run = (
  { requests }: Program,
  advance: (millis: number) => Effect.Effect<void>,
  handle: Handle = sound
): Effect.Effect<ReadonlyArray<Operation<Store.Input, Answer>>> =>
  Effect.gen(function*() {
    const server = yield* Effect.orDie(start(handle))
    const history: Array<Operation<Store.Input, Answer>> = []
    let clock = 0

    const untilDone = Effect.fnUntraced(function*(effect: Effect.Effect<unknown>) {
      const fiber = yield* Effect.forkChild(effect)
      for (yield* settle; fiber.pollUnsafe() === undefined; yield* settle) yield* advance(1)
      yield* Fiber.join(fiber)
    })

    const request = Effect.fnUntraced(function*(client: string, { atOnce, how, n, what }: Raw, value: number) {
      if (!atOnce) yield* Effect.sleep(n % 3)
      // Each value is another one, so that it tells who gave it.
      const input = { _tag: what, value } as Store.Input
      const payload: Payload = { input, millis: n % 3 }
      const invoked = clock++
      const at = history.length
      const note = (returned: number, optional: boolean, answer?: Answer) => {
        history[at] = { client, input, invoked, returned, answer, optional }
      }
      if (how === "cast") {
        note(Infinity, false)
        return yield* server.tell(payload)
      }
      note(Infinity, true)
      const call = Effect.map(server.ask(payload), (answer) => note(clock++, false, answer as Answer))
      if (how === "call") return yield* Effect.orDie(call)
      if (how === "callWithin") {
        const limited = Effect.provideService(call, GenServer.CallTimeout, n >> 1)
        return yield* Effect.orDie(Effect.catchReason(limited, "CallError", "Timeout", () => Effect.void))
      }
      const fiber = yield* Effect.forkChild(Effect.orDie(call), { startImmediately: true })
      yield* Effect.sleep(n >> 1)
      yield* Fiber.interrupt(fiber)
    })

    const clients = Object.entries(Arr.groupBy(requests, ({ which }) => String(which))).map(([which, own]) => {
      const body = Effect.forEach(own, (raw) => request(`client ${which}`, raw, 1 + requests.indexOf(raw)))
      return Number(which) % 2 === 0 ? Effect.asVoid(body) : inProcess(body)
    })
    yield* untilDone(Effect.forEach(clients, (client) => client, { concurrency: "unbounded" }))
    // The last one sees what all the others have left behind.
    const last: Raw = { what: "read", how: "call", which: 0, n: 0, atOnce: true }
    yield* untilDone(Effect.forEach(
      [last, ...requests.map((): Raw => ({ ...last, what: "pop" }))],
      (raw) => request("audit", raw, 0)
    ))
    return history
  }).pipe(inNode)
