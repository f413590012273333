/** The time of a call goes with it into the calls that its handler makes. */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import type { CallError } from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as scale from "../../../test-scale.ts"
import { inNode } from "./utils/process.ts"
import { ask, callFails, type Order, type Ref, tell, told } from "./utils/server.ts"

const reply = (value: unknown) => (state: unknown) => Step.reply(value, state)

const within = (timeout: Duration.Input) => Effect.provideService(GenServer.CallTimeout, timeout)

const never: Order = () => Effect.never

/** How and when an effect ended. */
type Noted = readonly [millis: number, error: CallError | "answered"]

/** Notes how a call ended that a handler makes, and goes on. */
const noting = (seen: Array<Noted>, call: Effect.Effect<unknown, unknown>) =>
  Effect.flatMap(
    Effect.match(call, { onFailure: (e) => e as CallError, onSuccess: () => "answered" as const }),
    (end) => Effect.map(Clock.currentTimeMillis, (now) => void seen.push([now, end]))
  )

/** A handler that makes a call, notes its end, and replies. */
const making = (seen: Array<Noted>, call: Effect.Effect<unknown, unknown>): Order => (state) =>
  Effect.as(noting(seen, call), Step.reply("done", state))

const afterwards = (time: Duration.Input, order: Order): Order => (state, from) =>
  Effect.andThen(Effect.sleep(time), Effect.suspend(() => order(state, from) as Effect.Effect<unknown>))

const timeoutOf = ([millis, error]: Noted) => {
  if (error === "answered" || error.reason._tag !== "Timeout") return assert.fail(`at ${millis}: ${error}`)
  return [millis, error.reason.after, error.reason.outer?.request] as const
}

// The same scheduler under which calls are answered in the turn of their caller, but not the same time.
const inSharedDrain = Effect.provideService(
  Scheduler.Scheduler,
  Context.get(Context.empty(), Scheduler.Scheduler)
)

const schedulers = [
  ["each wake-up a task", <A, E, R>(effect: Effect.Effect<A, E, R>) => effect],
  ["in the turn of the caller", inSharedDrain]
] as const

/** Moves the time on by a millisecond at a time, so that all that can run has run at each. */
const pass = Effect.fnUntraced(function*(millis: number) {
  for (let i = 0; i < millis; i++) {
    yield* settle
    yield* TestClock.adjust("1 millis")
    yield* settle
  }
})

describe("a call in the handler of a call", () => {
  for (const [how, run] of schedulers) {
    const test = (name: string, body: Effect.Effect<void, unknown>) =>
      it.effect(`${name} (${how})`, () => run(inNode(body)))

    test(
      "has what is left of the time of that one, if this is less than its own",
      Effect.gen(function*() {
        const [front, back] = [yield* told().start({ name: "front" }), yield* told().start()]
        const seen: Array<Noted> = []
        const order = afterwards("4 millis", making(seen, ask(back, never)))
        const call = yield* Effect.forkChild(within("10 millis")(ask(front, order)))
        yield* pass(10)
        assert.deepStrictEqual(seen.map(timeoutOf), [[10, 6, "ask"]])
        assert.strictEqual(
          (seen[0]![1] as CallError).message,
          `call ask to ${back.pid}: no answer within the 6 ms that the call ask to ${front.pid}, in whose handler it is ` +
            "made, had left; a request that had begun may still run"
        )
        // The outer one is told first, and its own time was over.
        const { reason } = yield* callFails(Fiber.join(call), "Timeout")
        assert.deepStrictEqual({ after: reason.after, outer: reason.outer }, { after: 10, outer: undefined })
      })
    )

    test(
      "costs the server of an impatient caller nothing, whatever it does with the failure",
      Effect.gen(function*() {
        const [front, middle, back] = [yield* told().start(), yield* told().start(), yield* told().start()]
        const nested: Order = () => ask(back, never) as Effect.Effect<unknown>
        for (const order of [nested, () => ask(middle, nested), afterwards("4 millis", nested)] as Array<Order>) {
          const call = yield* Effect.forkChild(within("3 millis")(ask(front, order)))
          yield* pass(5)
          yield* callFails(Fiber.join(call), "Timeout")
          for (const ref of [front, middle, back]) assert.isTrue(yield* Process.isAlive(ref.pid))
        }
        assert.strictEqual(yield* ask(front, reply("here")), "here")
        // Its own time is another matter: who does not expect that crashes.
        const call = yield* Effect.forkChild(ask(front, () => within("2 millis")(ask(back, never))))
        yield* pass(2)
        yield* callFails(Fiber.join(call), "ServerExited")
      })
    )

    test(
      "has its own time if that is less, or the call has no limit",
      Effect.gen(function*() {
        const [front, back] = [yield* told().start(), yield* told().start()]
        for (const outer of ["10 millis", "Infinity"] as const) {
          const seen: Array<Noted> = []
          const start = yield* Clock.currentTimeMillis
          yield* Effect.forkChild(within(outer)(ask(front, making(seen, within("6 millis")(ask(back, never))))))
          yield* pass(6)
          assert.deepStrictEqual(seen.map(timeoutOf), [[start + 6, 6, undefined]])
          assert.strictEqual(yield* ask(front, reply("free")), "free")
        }
        const seen: Array<Noted> = []
        yield* Effect.forkChild(within("Infinity")(ask(front, making(seen, within("Infinity")(ask(back, never))))))
        yield* TestClock.adjust("3650 days")
        assert.deepStrictEqual(seen, [])
      })
    )

    test(
      "without a limit of its own has that of the call, through any number of servers",
      Effect.gen(function*() {
        const seen: Array<Noted> = []
        let call = within("Infinity")(ask(yield* told().start(), never))
        for (let i = 0; i < 40; i++) call = within("Infinity")(ask(yield* told().start(), making(seen, call)))
        const outer = yield* Effect.forkChild(within("7 millis")(ask(yield* told().start(), making(seen, call))))
        yield* pass(7)
        yield* callFails(Fiber.join(outer), "Timeout")
        assert.strictEqual(seen.length, 41)
        for (const noted of seen) assert.deepStrictEqual(timeoutOf(noted).slice(0, 2), [7, 7])
      })
    )

    test(
      "is not sent when no time is left, and says so",
      Effect.gen(function*() {
        const [front, back] = [yield* told().start({ name: "front" }), yield* told().start({ name: "back" })]
        const seen: Array<Noted> = []
        let ran = false
        const late = ask(back, (state) => {
          ran = true
          return Step.reply(1, state)
        })
        const call = yield* Effect.forkChild(within("5 millis")(ask(front, afterwards("6 millis", making(seen, late)))))
        yield* pass(6)
        yield* callFails(Fiber.join(call), "Timeout")
        assert.deepStrictEqual(seen.map(timeoutOf), [[6, 0, "ask"]])
        assert.strictEqual(
          (seen[0]![1] as CallError).message,
          `call ask to ${back.pid}: the call ask to ${front.pid}, in whose handler it is made, had no time left; ` +
            "the request was not sent"
        )
        assert.strictEqual(yield* ask(back, reply("free")), "free")
        assert.isFalse(ran)
      })
    )

    test(
      "is taken back with the call, if it is still queued",
      Effect.gen(function*() {
        const [front, back] = [yield* told().start(), yield* told().start()]
        const gate = yield* Deferred.make<void>()
        yield* tell(back, (state) => Effect.as(Deferred.await(gate), Step.noReply(state)))
        let ran = false
        const inner = ask(back, (state) => {
          ran = true
          return Step.reply(1, state)
        })
        const seen: Array<Noted> = []
        const call = yield* Effect.forkChild(within("5 millis")(ask(front, making(seen, inner))))
        yield* pass(5)
        yield* callFails(Fiber.join(call), "Timeout")
        assert.strictEqual(seen.length, 1)
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* ask(back, reply("free")), "free")
        assert.isFalse(ran)
      })
    )

    test(
      "goes on to the end of its time if the caller of that one is interrupted",
      Effect.gen(function*() {
        const [front, back] = [yield* told().start(), yield* told().start()]
        const seen: Array<Noted> = []
        const order = afterwards("2 millis", making(seen, ask(back, never)))
        const call = yield* Effect.forkChild(within("8 millis")(ask(front, order)))
        yield* pass(1)
        yield* Fiber.interrupt(call)
        yield* pass(7)
        assert.deepStrictEqual(seen.map(timeoutOf), [[8, 6, "ask"]])
      })
    )

    test(
      "has it in a fiber that the handler waits for, too",
      Effect.gen(function*() {
        const [front, back] = [yield* told().start(), yield* told().start()]
        const seen: Array<Noted> = []
        const inFiber = Effect.flatMap(Effect.forkChild(ask(back, never)), Fiber.join)
        yield* Effect.forkChild(within("5 millis")(ask(front, making(seen, inFiber))))
        yield* pass(5)
        assert.deepStrictEqual(seen.map(timeoutOf), [[5, 5, "ask"]])
      })
    )

    test(
      "has its own time once the call is answered",
      Effect.gen(function*() {
        const [front, back] = [yield* told().start(), yield* told().start()]
        const seen: Array<Noted> = []
        yield* within("5 millis")(ask(front, (state, from) =>
          GenServer.reply(from, "early").pipe(
            Effect.andThen(noting(seen, within("9 millis")(ask(back, never)))),
            Effect.as(Step.noReply(state))
          )))
        yield* pass(9)
        assert.deepStrictEqual(seen.map(timeoutOf), [[9, 9, undefined]])
      })
    )

    test(
      "has what is left while the handler runs that answers later, and its own time in later callbacks",
      Effect.gen(function*() {
        const [front, back] = [yield* told().start(), yield* told().start()]
        const seen: Array<Noted> = []
        const deferring: Order = (state) =>
          Effect.as(noting(seen, within("3 millis")(ask(back, never))), Step.noReply(state, { continue: 1 }))
        const continuing = yield* told({
          continue: (state) => Effect.as(noting(seen, within("9 millis")(ask(back, never))), Step.noReply(state))
        }).start()
        yield* Effect.forkChild(within("5 millis")(ask(continuing, deferring)))
        yield* Effect.forkChild(within("2 millis")(ask(front, deferring)))
        yield* pass(12)
        assert.deepStrictEqual(seen.map(timeoutOf), [[2, 2, "ask"], [3, 3, undefined], [12, 9, undefined]])
      })
    )

    test(
      "has its own time where the server does not wait for it: for a cast, in the background, in a process, in terminate",
      Effect.gen(function*() {
        const seen: Array<Noted> = []
        const back = yield* told().start()
        const inner = noting(seen, within("9 millis")(ask(back, never)))
        const front = yield* told({ terminate: () => inner }).start()
        // By another server that goes on, too.
        yield* tell(yield* told().start(), (state) => Effect.as(inner, Step.noReply(state)))
        const go = yield* Deferred.make<void>()
        yield* ask(
          front,
          (state) => Effect.as(Effect.forkScoped(Effect.andThen(Deferred.await(go), inner)), Step.reply(1, state))
        )
        const busy = yield* Effect.forkChild(
          within("5 millis")(ask(front, (state) =>
            Effect.andThen(
              Process.spawn(() => inner),
              Effect.as(Effect.sleep("4 millis"), Step.reply(1, state))
            )))
        )
        yield* settle
        yield* Deferred.succeed(go, undefined)
        yield* pass(4)
        yield* Fiber.join(busy)
        yield* pass(5)
        assert.deepStrictEqual(seen.map(timeoutOf), [[9, 9, undefined], [9, 9, undefined], [9, 9, undefined]])
        yield* Effect.forkChild(within("2 millis")(ask(front, (state) => Step.stop(ExitReason.normal, state))))
        yield* pass(9)
        assert.deepStrictEqual(seen.slice(3).map(timeoutOf), [[18, 9, undefined]])
      })
    )

    test(
      "has its own time where InheritDeadline is false: for one call, or for a server",
      Effect.gen(function*() {
        const alone = Effect.provideService(GenServer.InheritDeadline, false)
        const [front, back] = [yield* told().start(), yield* told().start()]
        const free = yield* alone(told().start())
        for (const [server, call] of [[front, alone(ask(back, never))], [free, ask(back, never)]] as const) {
          const seen: Array<Noted> = []
          const start = yield* Clock.currentTimeMillis
          const order = making(seen, within("9 millis")(call))
          yield* Effect.forkChild(within("5 millis")(ask(server, order)))
          yield* pass(9)
          assert.deepStrictEqual(seen.map(timeoutOf), [[start + 9, 9, undefined]])
          yield* pass(1)
        }
      })
    )

    test(
      "waits for an answer no longer either, and keeps a request that may be asked for later",
      Effect.gen(function*() {
        const [front, back] = [yield* told().start(), yield* told().start()]
        const seen: Array<Noted> = []
        const id = yield* GenServer.sendRequest(
          ask(back, (state) => Effect.as(Effect.sleep("20 millis"), Step.reply("late", state)))
        )
        const waits: Order = (state) =>
          Effect.gen(function*() {
            yield* noting(seen, GenServer.waitResponse(id, { timeout: "1 minute" }))
            yield* noting(seen, GenServer.waitResponse(id))
            yield* noting(seen, GenServer.receiveResponse(yield* GenServer.sendRequest(ask(back, reply(1)))))
            return Step.reply(1, state)
          })
        yield* Effect.forkChild(within("5 millis")(ask(front, waits)))
        yield* pass(21)
        assert.deepStrictEqual(seen.map((noted) => timeoutOf(noted)[2]), ["ask", "ask", "ask"])
        assert.deepStrictEqual(seen[0]![0], 5)
        assert.deepStrictEqual(yield* GenServer.waitResponse(id), Option.some("late"))
      })
    )

    test(
      "inherits from a request that is received with a timeout",
      Effect.gen(function*() {
        const [front, back] = [yield* told().start(), yield* told().start()]
        const seen: Array<Noted> = []
        const id = yield* GenServer.sendRequest(ask(front, afterwards("2 millis", making(seen, ask(back, never)))))
        yield* Effect.forkChild(GenServer.receiveResponse(id, { timeout: "6 millis" }))
        yield* pass(6)
        assert.deepStrictEqual(seen.map(timeoutOf), [[6, 4, "ask"]])
      })
    )
  }

  it.effect("is no concern of a caller whose CallTimeout is none", () =>
    inSharedDrain(
      Effect.gen(function*() {
        const [front, back] = [yield* told().start(), yield* told().start()]
        const seen: Array<Noted> = []
        const inner = within("3 millis")(ask(back, never))
        const call = yield* Effect.forkChild(Effect.exit(
          within(-1)(Effect.gen(function*() {
            return yield* ask(front, making(seen, inner))
          }))
        ))
        yield* pass(3)
        assert.strictEqual((yield* Fiber.join(call))._tag, "Failure")
        assert.isTrue(yield* Process.isAlive(front.pid))
      }).pipe(inNode)
    ))
})

// ----------------------------------------------------------------------------
// any chain, against a function that is too simple to be wrong
// ----------------------------------------------------------------------------

/** One server of a chain: how long the call to it may take, and what its handler does before it calls the next one. */
interface Hop {
  readonly timeout: number | "Infinity"
  readonly work: number
}

interface Ended {
  readonly at: number
  readonly how: "answered" | "Timeout" | "not sent"
}

/** When and how each call of a chain ends, the last one first, if it is made at `now` and has until `deadline`. */
const expected = ([hop, ...rest]: ReadonlyArray<Hop>, now: number, deadline: number): ReadonlyArray<Ended> => {
  if (now >= deadline) return [{ at: now, how: "not sent" }]
  const until = Math.min(now + Number(hop!.timeout), deadline)
  const inner = rest.length === 0 ? [] : expected(rest, now + hop!.work, until)
  // A handler runs to its end, whoever has given up.
  const done = inner.at(-1)?.at ?? now + hop!.work
  return [...inner, done < until ? { at: done, how: "answered" } : { at: until, how: "Timeout" }]
}

// What takes an even time never ends together with what has an odd one.
const Chain = Schema.Array(Schema.Struct({
  timeout: Schema.Literals([1, 3, 5, 7, 9, 13, "Infinity"]),
  work: Schema.Literals([0, 0, 2, 4, 6])
})).check(Schema.isMinLength(1), Schema.isMaxLength(6))

describe("any chain of servers", () => {
  for (const [how, run] of schedulers) {
    it.effect.prop(
      `ends each call when its own time or that of a call before it is over (${how})`,
      [Chain],
      ([chain]) =>
        run(inNode(Effect.gen(function*() {
          const start = yield* Clock.currentTimeMillis
          const seen: Array<Noted> = []
          const order = ([{ work }, ...rest]: ReadonlyArray<Hop>): Order => (state) =>
            Effect.gen(function*() {
              if (work > 0) yield* Effect.sleep(work)
              if (rest.length > 0) yield* noting(seen, yield* callOf(rest))
              return Step.reply("done", state)
            })
          const callOf = (hops: ReadonlyArray<Hop>) =>
            Effect.map(
              Effect.orDie(told().start()),
              (server: Ref) => within(hops[0]!.timeout)(ask(server, order(hops)))
            )
          yield* Effect.forkChild(noting(seen, yield* callOf(chain)))
          yield* pass(chain.reduce((sum, { work }) => sum + work, 20))
          const ends = seen.map(([at, error]) => ({
            at: at - start,
            how: error === "answered" ? error : timeoutOf([at, error])[1] === 0 ? "not sent" : "Timeout"
          }))
          assert.deepStrictEqual(
            ends.toSorted((a, b) => a.at - b.at).map(({ at, how }) => `${at} ${how}`).sort(),
            expected(chain, 0, Infinity).map(({ at, how }) => `${at} ${how}`).sort()
          )
        }))),
      { arbitrary: { runs: scale.cases } }
    )
  }
})
