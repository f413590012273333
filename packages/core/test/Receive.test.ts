import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Filter from "effect/Filter"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { makeClock } from "./utils/clock.ts"
import { arrived, asProcess, downOf, queued } from "./utils/process.ts"

const bad = ExitReason.custom("bad")

const sendAll = <M>(to: Process.Pid<M>, messages: ReadonlyArray<M>) =>
  Effect.forEach(messages, (message) => Process.send(to, message), { discard: true })

const lengthOf = (pid: Process.Pid<never>) =>
  Effect.map(Process.info(pid), (info) => Option.getOrThrow(info).mailboxLength)

describe("selective receive", () => {
  it.effect("RX-001 it takes the oldest message that matches, and leaves the others in order", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        yield* sendAll(self.pid, ["a1", "b1", "a2", "b2", "a3"])
        assert.strictEqual(yield* self.receiveMatch((m) => m.startsWith("b")), "b1")
        assert.deepStrictEqual(yield* queued(self), ["a1", "a2", "b2", "a3"])
      })
    ))

  it.effect("RX-001 it waits for a match, past messages that come and do not match", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        yield* Process.spawn(() => sendAll(self.pid, ["a1", "a2", "b1", "a3"]))
        assert.strictEqual(yield* self.receiveMatch((m) => m.startsWith("b")), "b1")
        assert.deepStrictEqual(yield* queued(self), ["a1", "a2", "a3"])
      })
    ))

  it.effect("RX-002 the age of a message decides, not which alternative it matches", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        yield* sendAll(self.pid, ["second alternative", "first alternative"])
        const picked = yield* self.receiveMatch((m) => m === "first alternative" || m === "second alternative")
        assert.strictEqual(picked, "second alternative")
      })
    ))

  it.effect("RX-012 the next receive looks again from the oldest message on", () =>
    asProcess((self: Process.Self<number>) =>
      Effect.gen(function*() {
        yield* sendAll(self.pid, [1, 2, 3, 4, 5])
        assert.strictEqual(yield* self.receiveMatch((n) => n > 3), 4)
        assert.strictEqual(yield* self.receiveMatch((n) => n > 1), 2)
        assert.strictEqual(yield* self.receive, 1)
        assert.deepStrictEqual(yield* queued(self), [3, 5])
      })
    ))

  it.effect("RX-013 a drain takes what is there, in the order of its arrival", () =>
    asProcess((self: Process.Self<number>) =>
      Effect.gen(function*() {
        yield* sendAll(self.pid, [1, 2, 3])
        assert.deepStrictEqual(yield* queued(self), [1, 2, 3])
        assert.deepStrictEqual(yield* queued(self), [])
      })
    ))

  it.effect("RX-009 what does not match stays, however much it is", () =>
    asProcess((self: Process.Self<number | "last">) =>
      Effect.gen(function*() {
        const many = Array.from({ length: 5000 }, (_, i) => i)
        yield* sendAll(self.pid, [...many, "last"])
        assert.strictEqual(yield* self.receiveMatch((m) => m === "last"), "last")
        assert.strictEqual(yield* lengthOf(self.pid), many.length)
        assert.deepStrictEqual(yield* queued(self), many)
      })
    ))

  it.effect("RX-010 what arrives while a process is busy is seen by its next receive", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        yield* Process.send(self.pid, "first")
        assert.strictEqual(yield* self.receive, "first")
        yield* Process.spawn(() => Process.send(self.pid, "meanwhile"))
        yield* settle
        assert.strictEqual(yield* lengthOf(self.pid), 1)
        assert.strictEqual(yield* self.receive, "meanwhile")
      })
    ))

  it.effect("RX-011 a late answer is told from the one that is waited for by its reference", () =>
    asProcess((self: Process.Self<{ readonly ref: object; readonly answer: string }>) =>
      Effect.gen(function*() {
        const server = yield* Process.spawn((own: Process.Self<{ readonly ref: object; readonly after: number }>) =>
          Effect.forever(
            Effect.flatMap(own.receive, ({ after, ref }) =>
              Process.sendAfter(self.pid, { ref, answer: `after ${after}` }, after))
          )
        )
        const ask = Effect.fnUntraced(function*(after: number) {
          const ref = {}
          yield* Process.send(server, { ref, after })
          return yield* self.receiveMatch((m) =>
            m.ref === ref, { after: 100 })
        })
        const tester = yield* Effect.forkChild(
          Effect.andThen(Effect.andThen(settle, TestClock.adjust(100)), Effect.andThen(settle, TestClock.adjust(50)))
        )
        assert.strictEqual((yield* Effect.flip(ask(110)))._tag, "ReceiveTimeout")
        assert.strictEqual((yield* ask(20)).answer, "after 20")
        yield* Fiber.join(tester)
        assert.deepStrictEqual((yield* queued(self)).map((late) => late.answer), ["after 110"])
      })
    ))

  it.effect("a refinement, a predicate and a Filter may pick, and a Filter may transform", () =>
    asProcess((self: Process.Self<{ readonly _tag: "A"; readonly n: number } | { readonly _tag: "B" }>) =>
      Effect.gen(function*() {
        yield* sendAll(self.pid, [{ _tag: "B" }, { _tag: "A", n: 1 }, { _tag: "A", n: 2 }, { _tag: "A", n: 3 }])
        assert.strictEqual((yield* self.receiveMatch((m) => m._tag === "A")).n, 1)
        const doubled = yield* self.receiveMatch((m) => m._tag === "A" ? Result.succeed(m.n * 2) : Result.fail(m))
        assert.strictEqual(doubled, 4)
        assert.strictEqual((yield* self.receiveMatch(Filter.tagged("A"))).n, 3)
        assert.deepStrictEqual(yield* queued(self), [{ _tag: "B" }])
      })
    ))

  it.effect("a predicate that throws crashes the process, and takes its timer along", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const victim = yield* Process.spawn((own: Process.Self<number>) =>
          own.receiveMatch(() => {
            throw new Error("no predicate")
          }, { after: "1 hour" })
        )
        yield* settle
        yield* Process.send(victim, 1)
        assert.strictEqual(ExitReason.format(yield* downOf(self, victim)), "Crashed: Error: no predicate")
      })
    ))
})

describe("after", () => {
  it.effect("RX-003 zero looks once at all that is there: a queued match beats it", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        yield* sendAll(self.pid, ["a", "b"])
        assert.strictEqual(yield* self.receiveMatch((m) => m === "b", { after: 0 }), "b")
        const error = yield* Effect.flip(self.receiveMatch((m) => m === "b", { after: 0 }))
        assert.strictEqual(error._tag, "ReceiveTimeout")
        assert.deepStrictEqual(yield* queued(self), ["a"])
      })
    ))

  it.effect("it fails when the time has passed, not before, and takes nothing", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const child = yield* Process.spawn((own: Process.Self<string>) =>
          own.receiveMatch((m) => m === "match", { after: "1 second" }).pipe(
            Effect.flip,
            Effect.flatMap((error) => Process.send(self.pid, `${error._tag} ${error.after} ${error.message}`)),
            Effect.andThen(Effect.flatMap(own.receive, (left) => Process.send(self.pid, left)))
          )
        )
        yield* settle
        yield* Process.send(child, "other")
        yield* TestClock.adjust(999)
        assert.deepStrictEqual(yield* arrived(self), [])
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(yield* arrived(self), [
          "ReceiveTimeout 1000 no message matched within 1000 ms",
          "other"
        ])
      })
    ))

  it.effect("a message that does not match does not start the time again", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const child = yield* Process.spawn((own: Process.Self<string>) =>
          Effect.andThen(
            Effect.flip(own.receiveMatch((m) => m === "match", { after: 1000 })),
            Process.send(self.pid, "timeout")
          )
        )
        yield* settle
        yield* TestClock.adjust(600)
        yield* Process.send(child, "other")
        yield* settle
        yield* TestClock.adjust(400)
        assert.deepStrictEqual(yield* arrived(self), ["timeout"])
      })
    ))

  it.effect("RX-005 infinity waits for ever", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const child = yield* Process.spawn((own: Process.Self<string>) =>
          Effect.flatMap(own.receiveMatch((m) => m === "match", { after: Infinity }), (m) => Process.send(self.pid, m))
        )
        yield* settle
        yield* TestClock.adjust("1000 days")
        assert.deepStrictEqual(yield* arrived(self), [])
        yield* Process.send(child, "match")
        assert.deepStrictEqual(yield* arrived(self), ["match"])
      })
    ))

  it.effect("RX-006 a negative time, or none at all, is a defect that names it and the value", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const crash = (after: never) =>
          Effect.flatMap(
            Process.spawn((own: Process.Self<string>) => own.receiveMatch(() => true, { after })),
            (pid) => Effect.map(downOf(self, pid), ExitReason.format)
          )
        assert.strictEqual(
          yield* crash(-5 as never),
          "Crashed: TypeError: after: expected a duration of zero or more, got -5"
        )
        assert.strictEqual(
          yield* crash(NaN as never),
          "Crashed: TypeError: after: expected a duration of zero or more, got NaN"
        )
        assert.strictEqual(
          yield* crash("soon" as never),
          "Crashed: TypeError: after: expected a duration, got \"soon\""
        )
      })
    ))

  it.effect("RX-007 a signal ends a receive that waits", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        for (const wait of ["receive", "receiveMatch"] as const) {
          const child = yield* Process.spawn((own: Process.Self<string>) =>
            Effect.andThen(
              wait === "receive" ? own.receive : own.receiveMatch(() => true, { after: "1 minute" }),
              Process.send(self.pid, "gone on")
            )
          )
          yield* settle
          yield* Process.monitor(child)
          yield* Process.exit(child, bad)
          assert.deepStrictEqual((yield* arrived(self)).map((m) => typeof m === "string" ? m : m.reason), [bad])
        }
      })
    ))

  it.effect("RX-007 a signal ends a receive that cannot be interrupted, too", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        for (const wait of ["receive", "receiveMatch", "receiveMatch after"] as const) {
          const child = yield* Process.spawn((own: Process.Self<string>) =>
            Effect.acquireUseRelease(
              wait === "receive"
                ? own.receive
                : wait === "receiveMatch"
                ? own.receiveMatch(() => true)
                : own.receiveMatch(() => true, { after: "1 minute" }),
              () => Process.send(self.pid, "gone on"),
              () => Effect.void
            )
          )
          yield* settle
          yield* Process.monitor(child)
          yield* Process.exit(child, bad)
          assert.deepStrictEqual((yield* arrived(self)).map((m) => typeof m === "string" ? m : m.reason), [bad])
        }
      })
    ))

  it.effect("however a receive ends, its timer goes with it", () =>
    Effect.gen(function*() {
      const clock = makeClock()
      yield* asProcess((self: Process.Self<Process.Down>) =>
        Effect.gen(function*() {
          for (const how of ["matches", "throws", "is ended"] as const) {
            const [child] = yield* Process.spawnMonitor((own: Process.Self<string>) =>
              own.receiveMatch(
                () => {
                  if (how === "throws") throw new Error("no predicate")
                  return true
                },
                { after: "1 hour" }
              )
            )
            yield* settle
            assert.deepStrictEqual(clock.sleeps(), [3_600_000])
            if (how === "is ended") yield* Process.exit(child, bad)
            else yield* Process.send(child, "message")
            yield* self.receive
            yield* settle
            assert.deepStrictEqual(clock.sleeps(), [])
          }
        })
      ).pipe(Effect.provideService(Clock.Clock, clock))
    }))

  it.effect("RX-008 a match that is there before the timeout is handled wins", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        yield* Process.spawn((own: Process.Self<string>) =>
          Effect.gen(function*() {
            // Both are due at the same moment: the message first.
            yield* Process.sendAfter(own.pid, "message", 100)
            const got = yield* Effect.orElseSucceed(own.receiveMatch(() => true, { after: 100 }), () => "timeout")
            yield* Process.send(self.pid, got)
          })
        )
        yield* settle
        yield* TestClock.adjust(100)
        assert.deepStrictEqual(yield* arrived(self), ["message"])
      })
    ))
})

describe("whose mailbox", () => {
  it.effect("only the main fiber of a process may receive: another one gets a defect that says so", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const bodies = [
          (own: Process.Self<string>) => Effect.flatMap(Effect.forkChild(own.receive), Fiber.join),
          (own: Process.Self<string>) => Effect.timeout(own.receive, "1 second"),
          (own: Process.Self<string>) => Effect.raceFirst(own.receive, Effect.never),
          (own: Process.Self<string>) => Effect.flatMap(Effect.forkChild(own.receiveMatch(() => true)), Fiber.join)
        ]
        for (const body of bodies) {
          const [child] = yield* Process.spawnMonitor(body as (own: Process.Self<string>) => Effect.Effect<string>)
          const { reason } = yield* self.receive
          assert.include(ExitReason.format(reason), `only the main fiber of ${child} may receive`)
        }
      })
    ))

  // Only Effect's own scheduler lets a receive take its message at once.
  it.live("another one that tries takes nothing from the main fiber, whether that waits or is busy", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const tried = Effect.fnUntraced(function*(own: Process.Self<string>) {
          const tries = Effect.gen(function*() {
            return yield* own.receive
          })
          return yield* Effect.forkChild(Effect.exit(tries))
        })
        const child = yield* Process.spawn((own: Process.Self<string>) =>
          Effect.gen(function*() {
            yield* tried(own)
            yield* Process.send(self.pid, yield* own.receive)
            yield* Process.send(own.pid, "two")
            yield* Effect.flatMap(tried(own), Fiber.join)
            yield* Process.send(self.pid, yield* own.receive)
          })
        )
        yield* Effect.yieldNow
        yield* Process.send(child, "one")
        assert.deepStrictEqual([yield* self.receive, yield* self.receive], ["one", "two"])
      })
    ))

  it.effect("nor may another process, or code that is none", () =>
    asProcess((self: Process.Self<Process.Down | string>) =>
      Effect.gen(function*() {
        const stranger = yield* Process.spawn(() => self.receive)
        assert.include(
          ExitReason.format(yield* downOf(self, stranger)),
          `only the main fiber of ${self.pid} may receive`
        )
        yield* Process.send(self.pid, "mine")
        assert.strictEqual(yield* self.receive, "mine")
      })
    ))

  it.effect("an interrupted receive loses no message", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        for (const wait of ["receive", "receiveMatch"] as const) {
          const running = yield* Deferred.make<Fiber.Fiber<unknown, unknown>>()
          const child = yield* Process.spawn((own: Process.Self<string>) =>
            Effect.uninterruptibleMask((restore) =>
              Effect.gen(function*() {
                yield* Effect.withFiber((fiber) => Deferred.succeed(running, fiber))
                const first = yield* Effect.exit(
                  restore(wait === "receive" ? own.receive : own.receiveMatch(() => true, { after: "1 minute" }))
                )
                yield* Process.send(self.pid, first._tag)
                yield* Process.send(self.pid, yield* own.receive)
              })
            )
          )
          const fiber = yield* Deferred.await(running)
          yield* settle
          // The message has woken the receive, and the interruption comes before its turn.
          yield* Process.send(child, "message")
          fiber.interruptUnsafe()
          assert.deepStrictEqual(yield* arrived(self), ["Failure", "message"])
        }
      })
    ))

  it.effect("a wake-up that comes after its receive was interrupted disturbs nothing", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const running = yield* Deferred.make<Fiber.Fiber<unknown, unknown>>()
        const gate = yield* Deferred.make<void>()
        const child = yield* Process.spawn((own: Process.Self<string>) =>
          Effect.uninterruptibleMask((restore) =>
            Effect.gen(function*() {
              yield* Effect.withFiber((fiber) => Deferred.succeed(running, fiber))
              yield* Effect.exit(restore(own.receive))
              yield* Deferred.await(gate)
              yield* Process.send(self.pid, yield* own.receive)
            })
          )
        )
        const fiber = yield* Deferred.await(running)
        yield* settle
        fiber.interruptUnsafe()
        yield* settle
        yield* Process.send(child, "while it waits for something else")
        assert.deepStrictEqual(yield* arrived(self), [])
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual(yield* arrived(self), ["while it waits for something else"])
      })
    ))

  it.effect("a flush by another fiber of the process does not lose the place of a receive that waits", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const other = yield* Process.spawn(() => Process.exit(bad))
        yield* settle
        yield* Process.spawn((own: Process.Self<string | Process.Down>) =>
          Effect.gen(function*() {
            const gate = yield* Deferred.make<void>()
            yield* Process.send(own.pid, "a")
            const ref = yield* Process.monitor(other)
            yield* Effect.forkChild(
              Deferred.await(gate).pipe(
                Effect.andThen(Process.demonitor(ref, { flush: true })),
                Effect.andThen(Process.send(own.pid, "b")),
                Effect.andThen(Process.send(own.pid, "match"))
              )
            )
            yield* Effect.forkChild(Effect.andThen(settle, Deferred.succeed(gate, undefined)))
            const messages = [yield* own.receiveMatch((m) => m === "match"), yield* own.receive, yield* own.receive]
            yield* Process.send(self.pid, messages.join())
          })
        )
        assert.strictEqual(yield* self.receive, "match,a,b")
      })
    ))
})
