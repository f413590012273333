import { ExitReason, GenServer, Node, Process, Step, Supervisor } from "@effect-otp/core"
import { settle } from "@effect-otp/core/testing"
import { type Decision, RateLimiter } from "@effect-otp/ratelimiter"
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Cause, Clock, Duration, Effect, Exit, Option, Queue, Schema } from "effect"
import { TestClock } from "effect/testing"
import { cases, clients } from "../../../test-scale.ts"
import * as Clocks from "./utils/clocks.ts"
import { heapUsed } from "./utils/heap.ts"
import * as Oracle from "./utils/slidingWindowOracle.ts"

const limited = (limit: number, window: Duration.Input) => Effect.provide(RateLimiter.layer({ limit, window }))

/** Whether the request was allowed. */
const isAllowed = (clientId: string) =>
  RateLimiter.check(clientId).pipe(
    Effect.as(true),
    Effect.catchTag("RateLimited", () => Effect.succeed(false))
  )

/** The refusal, for a test that expects one. */
const refusal = (clientId: string) =>
  RateLimiter.check(clientId).pipe(
    Effect.flatMap(() => Effect.die(`${clientId} was allowed`)),
    Effect.catchTag("RateLimited", (error) => Effect.succeed(error))
  )

/** Five processes at once, 20 requests each; what they were told. */
const fire = Effect.fnUntraced(function*(clientIds: ReadonlyArray<string>) {
  const answers = yield* Queue.unbounded<boolean>()
  const requests = (clientId: string) =>
    isAllowed(clientId).pipe(
      Effect.flatMap((answer) => Queue.offer(answers, answer)),
      Effect.repeat({ times: 19 })
    )
  for (const clientId of clientIds) yield* Process.spawn(() => requests(clientId))
  const all = yield* Queue.takeN(answers, clientIds.length * 20)
  return { allowed: all.filter((answer) => answer).length, refused: all.filter((answer) => !answer).length }
})

describe("RateLimiter", () => {
  it.effect("the lesson: limit 20, five processes with 20 requests each, and a minute later", () =>
    Effect.gen(function*() {
      const oneClient = ["ada", "ada", "ada", "ada", "ada"]
      const fiveClients = ["bob", "cleo", "dan", "eve", "finn"]
      assert.deepStrictEqual(yield* fire(oneClient), { allowed: 20, refused: 80 })
      assert.deepStrictEqual(yield* fire(fiveClients), { allowed: 100, refused: 0 })
      assert.deepStrictEqual(yield* fire(fiveClients), { allowed: 0, refused: 100 })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* fire(oneClient), { allowed: 20, refused: 80 })
      assert.deepStrictEqual(yield* fire(fiveClients), { allowed: 100, refused: 0 })
    }).pipe(limited(20, "1 minute")))

  it.effect("answers with what remains, and when it is all there again", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* RateLimiter.check("ada"), {
        _tag: "Allowed",
        clientId: "ada",
        limit: 2,
        remaining: 1,
        resetAfter: Duration.minutes(1)
      })
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* RateLimiter.check("ada")).remaining, 0)
      yield* TestClock.adjust("5 seconds")
      const error = yield* refusal("ada")
      assert.deepStrictEqual({ ...error }, {
        _tag: "RateLimited",
        clientId: "ada",
        limit: 2,
        retryAfter: Duration.seconds(45)
      })
      assert.strictEqual(
        error.message,
        "client \"ada\" has used its limit of 2 requests; retry after 45s"
      )
    }).pipe(limited(2, "1 minute")))

  it.effect("a refusal has no stack, and is caught by its tag", () =>
    Effect.gen(function*() {
      yield* RateLimiter.check("ada")
      const error = yield* refusal("ada")
      assert.isUndefined(error.stack)
      assert.instanceOf(error, Error)
      const clientId = yield* RateLimiter.check("ada").pipe(
        Effect.map(() => "nobody"),
        Effect.catchTag("RateLimited", (error: Decision.RateLimited) => Effect.succeed(error.clientId))
      )
      assert.strictEqual(clientId, "ada")
    }).pipe(limited(1, "1 minute")))

  it.effect("retryAfter is exact: refused a millisecond before, allowed then", () =>
    Effect.gen(function*() {
      yield* RateLimiter.check("ada")
      yield* TestClock.adjust("7 millis")
      const { retryAfter } = yield* refusal("ada")
      yield* TestClock.adjust(Duration.subtract(retryAfter, Duration.millis(1)))
      assert.isFalse(yield* isAllowed("ada"))
      yield* TestClock.adjust("1 millis")
      assert.isTrue(yield* isAllowed("ada"))
    }).pipe(limited(1, "1 second")))

  it.effect("counts in microseconds, for windows under a millisecond, too", () =>
    Effect.gen(function*() {
      assert.isTrue(yield* isAllowed("ada"))
      yield* TestClock.adjust("499 micros")
      assert.isFalse(yield* isAllowed("ada"))
      assert.strictEqual(Duration.toMillis((yield* refusal("ada")).retryAfter), 1)
      yield* TestClock.adjust("1 micros")
      assert.isTrue(yield* isAllowed("ada"))
    }).pipe(limited(1, "500 micros")))

  it.effect.prop(
    "decides as the brute-force oracle does, for each client by itself",
    {
      limit: whole(1, 5),
      window: whole(1, 40),
      requests: Arbitrary.array(Arbitrary.all([whole(0, 3), whole(0, 15)]), { maxLength: 60 })
    },
    ({ limit, requests, window }) =>
      Effect.gen(function*() {
        const oracles = [0, 1, 2, 3].map(Oracle.make)
        let now = 0
        for (const [client, gap] of requests) {
          yield* TestClock.adjust(gap)
          now += gap
          assert.strictEqual(yield* isAllowed(`${client}`), Oracle.step(oracles[client], limit, window, now))
        }
        for (const { allowed } of oracles) assert.isAtMost(Oracle.most(allowed, window), limit)
      }).pipe(limited(limit, window)),
    { timeout: 120_000, arbitrary: { runs: cases / 2, size: 60 } }
  )

  it.effect("any string is a client", () =>
    Effect.gen(function*() {
      const ids = ["__proto__", "constructor", "toString", "", "\0", "💥"]
      for (const id of ids) assert.isTrue(yield* isAllowed(id), id)
      for (const id of ids) assert.isFalse(yield* isAllowed(id), id)
      assert.strictEqual(yield* RateLimiter.size, ids.length)
    }).pipe(limited(1, "1 minute")))

  it.effect("peek counts nothing and remembers nobody", () =>
    Effect.gen(function*() {
      const fresh = {
        _tag: "Usage" as const,
        clientId: "ada",
        limit: 1,
        remaining: 1,
        retryAfter: Duration.zero,
        resetAfter: Duration.zero
      }
      assert.deepStrictEqual(yield* RateLimiter.peek("ada"), fresh)
      assert.strictEqual(yield* RateLimiter.size, 0)
      yield* RateLimiter.check("ada")
      yield* TestClock.adjust("20 seconds")
      const left = Duration.seconds(40)
      assert.deepStrictEqual(yield* RateLimiter.peek("ada"), {
        ...fresh,
        remaining: 0,
        retryAfter: left,
        resetAfter: left
      })
      yield* TestClock.adjust("40 seconds")
      assert.deepStrictEqual(yield* RateLimiter.peek("ada"), fresh)
    }).pipe(limited(1, "1 minute")))

  it.effect("reset gives a client its whole limit again, and nobody else", () =>
    Effect.gen(function*() {
      yield* RateLimiter.check("ada")
      yield* RateLimiter.check("bob")
      yield* RateLimiter.reset("ada")
      yield* RateLimiter.reset("nobody")
      assert.strictEqual(yield* RateLimiter.size, 1)
      assert.isTrue(yield* isAllowed("ada"))
      assert.isFalse(yield* isAllowed("bob"))
    }).pipe(limited(1, "1 minute")))
})

describe("forgetting", () => {
  it.effect("a client is forgotten when its last allowed request is a window old", () =>
    Effect.gen(function*() {
      yield* RateLimiter.check("ada")
      yield* TestClock.adjust("30 seconds")
      yield* RateLimiter.check("ada")
      yield* isAllowed("ada")
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* RateLimiter.size, 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* RateLimiter.size, 0)
      yield* RateLimiter.check("ada")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* RateLimiter.size, 0, "and the next time, too")
    }).pipe(limited(2, "1 minute")))

  it.effect("with a window under a millisecond it waits for the next one, and does not spin", () =>
    Effect.gen(function*() {
      yield* RateLimiter.check("ada")
      yield* settle
      assert.strictEqual(yield* RateLimiter.size, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* RateLimiter.size, 0)
    }).pipe(limited(1, "500 micros")))

  it.effect("clients that came one after the other are gone a sixteenth of a window late at most", () =>
    Effect.gen(function*() {
      for (let i = 0; i < 1000; i++) {
        yield* RateLimiter.check(`${i}`)
        yield* TestClock.adjust("1 millis")
      }
      assert.strictEqual(yield* RateLimiter.size, 1000)
      yield* TestClock.adjust(15_000)
      assert.isBelow(yield* RateLimiter.size, 1000)
      yield* TestClock.adjust(1_000)
      assert.strictEqual(yield* RateLimiter.size, 0)
    }).pipe(limited(1, "16 seconds")))

  it.effect("under steady traffic of new clients no more are remembered than came in a window", () =>
    Effect.gen(function*() {
      let most = 0
      for (let i = 0; i < 1000; i++) {
        yield* RateLimiter.check(`${i}`)
        yield* TestClock.adjust("1 millis")
        most = Math.max(most, yield* RateLimiter.size)
      }
      assert.strictEqual(most, 100)
    }).pipe(limited(1, "100 millis")))

  it.effect(
    "clients that came once leave no memory behind, without any traffic",
    () =>
      Effect.gen(function*() {
        yield* RateLimiter.check("first")
        const before = heapUsed()
        for (let i = 0; i < clients; i++) yield* RateLimiter.check(`client-${i}`)
        assert.strictEqual(yield* RateLimiter.size, clients + 1)
        assert.isAbove((heapUsed() - before) / clients, 100, "bytes per client while they are remembered")

        yield* TestClock.adjust("1 minute")
        yield* settle
        assert.strictEqual(yield* RateLimiter.size, 0)
        assert.isBelow(heapUsed() - before, 1_000_000)
        assert.isTrue(yield* isAllowed("first"))
      }).pipe(limited(1, "1 minute")),
    120_000
  )
})

describe("time", () => {
  const withHands = Effect.fnUntraced(function*(
    test: (hands: Clocks.Hands) => Effect.Effect<void, unknown, RateLimiter.RateLimiter>
  ) {
    const hands: Clocks.Hands = { wall: 1e12, monotonic: 1e6 }
    yield* test(hands).pipe(limited(1, "1 minute"), Effect.provideService(Clock.Clock, Clocks.make(hands)))
  })

  it.effect("setting the wall clock forward forgives nothing", () =>
    withHands((hands) =>
      Effect.gen(function*() {
        yield* RateLimiter.check("ada")
        hands.wall += 24 * 3600 * 1000
        assert.isFalse(yield* isAllowed("ada"))
      })
    ))

  it.effect("setting the wall clock back holds nobody up", () =>
    withHands((hands) =>
      Effect.gen(function*() {
        yield* RateLimiter.check("ada")
        hands.wall -= 24 * 3600 * 1000
        hands.monotonic += 60_000
        assert.isTrue(yield* isAllowed("ada"))
      })
    ))

  it.effect("a clock that goes backwards never lets more than the limit through", () =>
    withHands((hands) =>
      Effect.gen(function*() {
        yield* RateLimiter.check("ada")
        hands.monotonic += 60_000
        yield* RateLimiter.check("ada")
        hands.monotonic -= 120_000
        assert.isFalse(yield* isAllowed("ada"))
        hands.monotonic += 179_999
        assert.isFalse(yield* isAllowed("ada"))
        hands.monotonic += 1
        assert.isTrue(yield* isAllowed("ada"))
      })
    ))
})

describe("a bad policy", () => {
  it.each([0, -1, 0.5, NaN, Infinity])("with a limit of %s is refused where it is written", (limit) => {
    const message = `RateLimiter: limit must be a whole number of at least 1, got ${limit}`
    assert.throws(() => RateLimiter.layer({ limit, window: "1 minute" }), message)
    assert.throws(() => RateLimiter.child({ limit, window: "1 minute" }), message)
  })

  it.each([0, -1, NaN, Infinity])("with a window of %s is refused where it is written", (window) => {
    const message = `RateLimiter: window must be a positive, finite duration, got ${window}`
    assert.throws(() => RateLimiter.layer({ limit: 10, window }), message)
    assert.throws(() => RateLimiter.child({ limit: 10, window }), message)
  })

  it.effect("is a defect inside a program", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Effect.suspend(() => limited(0, "1 minute")(RateLimiter.check("ada"))))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
    }))
})

describe("supervision", () => {
  it.effect("a crashed limiter is restarted with an empty memory, behind the same service", () =>
    Effect.gen(function*() {
      const pid = Option.getOrThrow(yield* Process.whereis("limiter"))
      yield* RateLimiter.check("ada")
      assert.isFalse(yield* isAllowed("ada"))

      yield* Process.exit(pid, ExitReason.kill)
      assert.strictEqual(yield* Process.awaitExit(pid), ExitReason.killed)
      yield* settle
      assert.notStrictEqual(Option.getOrThrow(yield* Process.whereis("limiter")), pid)
      assert.strictEqual(yield* RateLimiter.size, 0)
      assert.isTrue(yield* isAllowed("ada"))
      assert.isFalse(yield* isAllowed("ada"))
    }).pipe(
      Effect.provide(RateLimiter.layer({ limit: 1, window: "1 minute" }, { name: "limiter" })),
      Effect.provide(Node.layer())
    ))

  it.effect("the timer of a limiter that has ended wakes nobody", () =>
    Effect.gen(function*() {
      const limiter = yield* RateLimiter.RateLimiter
      yield* RateLimiter.check("ada")
      yield* Process.exit(Option.getOrThrow(yield* Process.whereis("limiter")), ExitReason.kill)
      yield* settle
      yield* TestClock.adjust("30 seconds")
      yield* limiter.check({ clientId: "bob" })
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* RateLimiter.size, 1)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* RateLimiter.size, 0)
    }).pipe(
      Effect.provide(RateLimiter.layer({ limit: 1, window: "1 minute" }, { name: "limiter" })),
      Effect.provide(Node.layer())
    ))

  it.effect("is a child in a tree, and the children after it may use it", () =>
    Effect.gen(function*() {
      const door = yield* Door
      assert.deepStrictEqual([yield* door.knock(), yield* door.knock()], ["come in", "go away"])
      assert.strictEqual(yield* RateLimiter.size, 1)
    }).pipe(
      Effect.provide(
        Supervisor.make({
          strategy: "rest_for_one",
          children: [RateLimiter.child({ limit: 1, window: "1 minute" }), Door.server.child()]
        }).layer
      )
    ))

  it.effect("limiters live side by side, found by name", () =>
    Effect.gen(function*() {
      const perSecond = RateLimiter.RateLimiter.at("per second")
      const perDay = RateLimiter.RateLimiter.at("per day")
      assert.strictEqual((yield* perSecond.check({ clientId: "ada" })).remaining, 1)
      assert.strictEqual((yield* perDay.check({ clientId: "ada" })).remaining, 99)
    }).pipe(
      Effect.provide(
        Supervisor.make({
          children: [
            RateLimiter.child({ limit: 2, window: "1 second" }, { id: "a", name: "per second" }),
            RateLimiter.child({ limit: 100, window: "1 day" }, { id: "b", name: "per day", provide: false })
          ]
        }).layer
      ),
      Effect.provide(Node.layer())
    ))

  it.effect("when nobody is there a check fails with CallError, and nothing was counted", () =>
    Effect.gen(function*() {
      const nobody = RateLimiter.RateLimiter.at("nobody")
      const reason = yield* nobody.check({ clientId: "ada" }).pipe(
        Effect.as("allowed"),
        Effect.catchReason("CallError", "NoProcess", () => Effect.succeed("no limiter"))
      )
      assert.strictEqual(reason, "no limiter")
    }))
})

describe("the protocol", () => {
  it.effect("can be encoded, so that the same definition serves elsewhere", () =>
    Effect.gen(function*() {
      const rpc = RateLimiter.RateLimiter.protocol[0]
      const { Allowed, RateLimited } = {
        Allowed: yield* RateLimiter.check("ada"),
        RateLimited: yield* refusal("ada")
      }
      const success = yield* Schema.encodeEffect(Schema.toCodecJson(rpc.successSchema))(Allowed)
      const error = yield* Schema.encodeEffect(Schema.toCodecJson(rpc.errorSchema))(RateLimited)
      assert.deepStrictEqual([success, { ...(error as object) }], [
        { _tag: "Allowed", clientId: "ada", limit: 1, remaining: 0, resetAfter: 60_000 },
        { _tag: "RateLimited", clientId: "ada", limit: 1, retryAfter: 60_000 }
      ])
    }).pipe(limited(1, "1 minute")))
})

function whole(minimum: number, maximum: number) {
  return Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))
}

/** A server that asks the limiter before it opens. */
class Door extends GenServer.Service<Door>()("test/Door", [
  GenServer.call("knock", { success: Schema.String })
]) {
  static readonly server = this.implement({
    init: () => Effect.map(RateLimiter.RateLimiter, (limiter) => ({ limiter })),
    handlers: {
      knock: (state) =>
        state.limiter.check({ clientId: "door" }).pipe(
          Effect.as("come in"),
          Effect.catchTag("RateLimited", () => Effect.succeed("go away")),
          Effect.map((answer) => Step.reply(answer, state))
        )
    }
  })
}
