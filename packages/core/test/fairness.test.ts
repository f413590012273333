/** However busy the processes are, the event loop turns: what comes from outside is served in between. */
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import { inNode } from "./utils/process.ts"
import { ask, tell, told } from "./utils/server.ts"

const limitMillis = 50
const tries = 20

/** Something that never ends by itself, and counts its rounds. */
type Busy = (round: () => void) => Effect.Effect<unknown, unknown>

const exchange: Busy = Effect.fnUntraced(function*(round) {
  const answerer = yield* Process.spawn(Effect.fnUntraced(function*(self: Process.Self<Process.Pid<number>>) {
    while (true) yield* Process.send(yield* self.receive, 1)
  }))
  yield* Process.spawn(Effect.fnUntraced(function*(self: Process.Self<number>) {
    while (true) {
      yield* Process.send(answerer, self.pid)
      yield* self.receive
      round()
    }
  }))
})

const spin = (millis: number) => {
  const end = performance.now() + millis
  while (performance.now() < end);
}

/** Each handler is busy for a while. */
const castToSelf = (millis: number): Busy =>
  Effect.fnUntraced(function*(round) {
    const server = yield* told().start()
    const again = (state: unknown): unknown => {
      spin(millis)
      round()
      return Effect.as(tell(server, again), Step.noReply(state))
    }
    yield* tell(server, again)
  })

const call = (millis: number): Busy =>
  Effect.fnUntraced(function*(round) {
    const server = yield* told().start()
    const asked = ask(server, (state) => {
      spin(millis)
      round()
      return Step.reply(1, state)
    })
    yield* Process.spawn(Effect.fnUntraced(function*() {
      while (true) yield* asked
    }))
  })

/** Listens on a free port until the Scope closes. It gives a request, which ends when the whole answer is there. */
const listen = Effect.acquireRelease(
  Effect.callback<http.Server>((resume) => {
    const server = http.createServer((_, response) => response.end("served"))
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  }),
  (server) =>
    Effect.callback<void>((resume) => {
      server.closeAllConnections()
      server.close(() => resume(Effect.void))
    })
).pipe(Effect.map((server) => {
  const { port } = server.address() as AddressInfo
  return Effect.callback<number | undefined>((resume) => {
    http.get({ host: "127.0.0.1", port }, (response) => {
      response.resume().on("end", () => resume(Effect.succeed(response.statusCode)))
    })
  })
}))

/** How busy it is, and since when nothing but processes has run. */
class Rounds {
  count = 0
  starved = false
  servedAt = performance.now()

  // A loop that never turns would hang the test, not fail it: whoever takes part in it crashes.
  readonly next = () => {
    if (++this.count % 1_000 !== 0 || performance.now() < this.servedAt + 2_000) return
    this.starved = true
    throw new Error("the event loop does not turn")
  }
}

/** Milliseconds that an effect takes, one try after the other, the quickest first. */
const latencies = (effect: Effect.Effect<unknown>, rounds: Rounds) =>
  Effect.suspend(() => {
    const start = rounds.servedAt = performance.now()
    return Effect.map(effect, () => performance.now() - start)
  }).pipe(
    Effect.replicateEffect(tries),
    Effect.map((millis) => millis.toSorted((a, b) => a - b))
  )

/**
 * Half of the tries, and not all: other tests run on the same cores, and hold up any of them for as long as the system lets
 * them. Where the event loop turns too rarely every try is late, and where it never does none ends.
 */
const assertServed = (what: string, millis: ReadonlyArray<number>) =>
  assert.isAtMost(millis[tries / 2]!, limitMillis, `${what}: ${millis.map(Math.round).join(" ")}`)

describe("timers and requests over HTTP are served within 50 ms", () => {
  it.live.each<readonly [string, Busy]>([
    ["two processes exchange messages", exchange],
    ["a server casts to itself", castToSelf(0)],
    ["a server that takes its time casts to itself", castToSelf(0.02)],
    ["a process calls a server", call(0)],
    ["a process calls a server that takes its time", call(0.01)]
  ])("while %s without end", ([, busy]) =>
    Effect.gen(function*() {
      const request = yield* listen
      const rounds = new Rounds()
      yield* busy(rounds.next)
      const timers = yield* latencies(Effect.sleep("10 millis"), rounds)
      const before = rounds.count
      const requests = yield* latencies(request, rounds)
      assert.isFalse(rounds.starved, "the event loop does not turn")
      assertServed("timer", timers)
      assertServed("request", requests)
      assert.isAbove(before, 3_000)
      assert.isAbove(rounds.count - before, 3_000)
    }).pipe(inNode), 30_000)
})
