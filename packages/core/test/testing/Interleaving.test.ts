import * as Agent from "@effect-otp/core/Agent"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { Interleaving, settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"

const { explore, run } = Interleaving

/** Some processes that write down in which order they come to do it, in two steps each. */
const speakers = (words: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const heard: Array<string> = []
    for (const word of words) {
      yield* Process.spawn(() =>
        Effect.gen(function*() {
          heard.push(word)
          yield* Effect.yieldNow
          heard.push(word.toUpperCase())
        }), { label: word })
    }
    yield* settle
    return heard.join("")
  })

const valueOf = <A, E>({ exit }: Interleaving.Run<A, E>): A => {
  if (Exit.isFailure(exit)) throw Cause.squash(exit.cause)
  return exit.value
}

const failureOf = <E>(effect: Effect.Effect<void, Interleaving.InterleavingFailed<E>>) => Effect.flip(effect)

describe("a seed", () => {
  it.effect("gives the same run again, step by step", () =>
    Effect.gen(function*() {
      for (let seed = 0; seed < 30; seed++) {
        const [first, second] = [
          yield* run(speakers(["a", "b", "c"]), { seed }),
          yield* run(
            speakers(["a", "b", "c"]),
            { seed }
          )
        ]
        assert.deepStrictEqual(second.trace, first.trace)
        assert.deepStrictEqual(second.schedule, first.schedule)
        assert.strictEqual(valueOf(second), valueOf(first))
      }
    }))

  it.effect("of another number gives another run", () =>
    Effect.gen(function*() {
      const diagrams = new Set<string>()
      for (let seed = 0; seed < 30; seed++) {
        diagrams.add((yield* run(speakers(["a", "b", "c"]), { seed })).diagram)
      }
      assert.isAbove(diagrams.size, 10)
    }))

  it.effect("decides the random numbers of the program, too", () =>
    Effect.gen(function*() {
      const drawn = Effect.all([Random.next, Random.nextInt, Random.nextBetween(5, 9)])
      const numbers = yield* Effect.forEach([7, 7, 8], (seed) => Effect.map(run(drawn, { seed }), valueOf))
      assert.deepStrictEqual(numbers[0], numbers[1])
      assert.notDeepEqual(numbers[0], numbers[2])
    }))

  it.effect("reaches every order in which independent messages may arrive", () =>
    Effect.gen(function*() {
      const arrivals = Effect.gen(function*() {
        const sink = yield* Agent.start(() => "")
        const client = (word: string) => Process.spawn(() => Agent.cast(sink, (heard: string) => heard + word))
        yield* Effect.forEach(["1", "2", "3", "4"], client)
        yield* settle
        return yield* Agent.get(sink, (heard) => heard)
      })
      const orders = new Set<string>()
      for (let seed = 0; seed < 400; seed++) orders.add(valueOf(yield* run(arrivals, { seed })))
      assert.strictEqual(orders.size, 24)
    }))

  it.effect("stops a process between any two of its steps", () =>
    Effect.gen(function*() {
      const heard = new Set<string>()
      for (let seed = 0; seed < 400; seed++) heard.add(valueOf(yield* run(speakers(["a", "b"]), { seed })))
      assert.deepStrictEqual([...heard].sort(), ["aAbB", "abAB", "abBA", "bBaA", "baAB", "baBA"])
    }))
})

describe("what Effect guarantees holds in every order", () => {
  it.effect("fibers begin in the order in which they are forked, and before their parent goes on that yields", () =>
    explore(Effect.gen(function*() {
      const begun: Array<string> = []
      yield* Effect.forkChild(Effect.sync(() => begun.push("first")))
      yield* Effect.forkChild(Effect.sync(() => begun.push("second")))
      yield* Effect.yieldNow
      assert.deepStrictEqual(begun, ["first", "second"])
    })))

  it.effect("what yields with a lower priority number goes on first, unless it is stopped before", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        const seen: Array<string> = []
        yield* Effect.forkChild(Effect.sync(() => seen.push("forked")))
        yield* Effect.yieldNowWith(-1)
        seen.push("parent")
        yield* Effect.yieldNow
        return seen
      })
      assert.deepStrictEqual(valueOf(yield* run(program, { schedule: [] })), ["parent", "forked"])
    }))
})

describe("what OTP guarantees holds in every order", () => {
  const received = Effect.gen(function*() {
    const seen: Array<string> = []
    const sink = yield* Process.spawn((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const writer = (name: string) =>
          Process.spawn(() => Effect.forEach([1, 2, 3], (n) => Process.send(self.pid, `${name}${n}`)))
        const first = yield* Process.monitor(yield* writer("a"))
        yield* Process.monitor(yield* writer("b"))
        for (let left = 2; left > 0;) {
          const message = yield* self.receive
          if (typeof message === "string") seen.push(message)
          else {
            left--
            seen.push(`${message.ref === first ? "a" : "b"} is down`)
          }
        }
      })
    )
    assert.deepStrictEqual(yield* Process.awaitExit(sink), ExitReason.normal)
    return seen
  })

  it.effect("messages of one sender arrive in order, and a Down comes after them", () =>
    Effect.gen(function*() {
      const orders = new Set<string>()
      for (let seed = 0; seed < 300; seed++) {
        const seen = valueOf(yield* run(received, { seed }))
        for (const name of ["a", "b"]) {
          const own = seen.filter((text) => text.startsWith(name))
          assert.deepStrictEqual(own, [...[1, 2, 3].map((n) => name + n), `${name} is down`])
        }
        orders.add(seen.join())
      }
      assert.isAbove(orders.size, 20)
    }))
})

// ----------------------------------------------------------------------------
// planted races
// ----------------------------------------------------------------------------

class Till extends GenServer.Service<Till>()("interleaving/Till", [
  GenServer.call("read", { success: Schema.Finite }),
  GenServer.cast("write", { payload: { value: Schema.Finite } })
]) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: {
      read: (value) => Step.reply(value, value),
      write: (_, { value }) => Step.noReply(value)
    }
  })
}

/** Two clients that each read, and then write what they have read and one more. */
const lostUpdate = Effect.gen(function*() {
  const till = yield* Till.server.start({ label: "till" })
  const pay = (label: string) =>
    Process.spawn(() => Effect.flatMap(till.read(), (value) => till.write({ value: value + 1 })), { label })
  const [first, second] = [yield* pay("first"), yield* pay("second")]
  yield* Effect.forEach([first, second], Process.awaitExit)
  assert.strictEqual(yield* till.read(), 2)
})

const checkThenAct = Effect.gen(function*() {
  const take = Effect.gen(function*() {
    const self = yield* Process.self
    if ((yield* Process.whereis("leader"))._tag === "None") yield* Process.register("leader", self)
  })
  const pids = yield* Effect.forEach(["first", "second"], (label) => Process.spawn(() => take, { label }))
  const reasons = yield* Effect.forEach(pids, Process.awaitExit)
  assert.deepStrictEqual(reasons, [ExitReason.normal, ExitReason.normal])
})

const monitorTooLate = Effect.gen(function*() {
  const boss = yield* Process.spawn((self: Process.Self<Process.Down>) =>
    Effect.gen(function*() {
      const worker = yield* Process.spawn(() => Effect.void, { label: "worker" })
      yield* Process.monitor(worker)
      assert.deepStrictEqual((yield* self.receive).reason, ExitReason.normal)
    }), { label: "boss" })
  assert.deepStrictEqual(yield* Process.awaitExit(boss), ExitReason.normal)
})

class Slow extends GenServer.Service<Slow>()("interleaving/Slow", [
  GenServer.call("work", { success: Schema.String })
]) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: { work: (n) => Effect.as(Effect.sleep("5 seconds"), Step.reply("done", n)) }
  })
}

/** The answer comes in the very moment in which the caller stops to wait for it. */
const replyAfterTimeout = Effect.gen(function*() {
  const slow = yield* Slow.server.start({ label: "slow" })
  yield* slow.work()
})

describe("a planted race is found", () => {
  it.effect("a lost update between two clients", () =>
    Effect.gen(function*() {
      const failed = yield* failureOf(explore(lostUpdate))
      assert.instanceOf(Cause.squash(failed.cause), Error)
      assert.include(failed.message, "expected 1 to equal 2")
    }))

  it.effect("a check and then an act on a registered name", () =>
    Effect.gen(function*() {
      const failed = yield* failureOf(explore(checkThenAct))
      assert.isAbove(failed.run, 0)
      assert.include(failed.diagram, "is named leader")
    }))

  it.effect("a monitor that is set too late, and shrinks to the one step that does it", () =>
    Effect.gen(function*() {
      const failed = yield* failureOf(explore(monitorTooLate))
      assert.strictEqual(failed.schedule.length, 1)
      const without = yield* run(monitorTooLate, { schedule: [] })
      assert.isTrue(Exit.isSuccess(without.exit))
      const again = yield* run(monitorTooLate, { schedule: failed.schedule })
      assert.isTrue(Exit.isFailure(again.exit))
      assert.strictEqual(again.diagram, failed.diagram)
    }))

  it.effect("an answer that comes with the timeout, one way or the other", () =>
    Effect.gen(function*() {
      const exits = new Set<string>()
      for (let seed = 0; seed < 60; seed++) {
        const { exit } = yield* run(replyAfterTimeout, { seed, time: "auto" })
        exits.add(exit._tag)
      }
      assert.deepStrictEqual([...exits].sort(), ["Failure", "Success"])
    }))

  it.effect("by the same seed again, which then is the first that is tried", () =>
    Effect.gen(function*() {
      const failed = yield* failureOf(explore(checkThenAct))
      const again = yield* failureOf(explore(checkThenAct, { seed: failed.seed, runs: 1 }))
      assert.strictEqual(again.run, 1)
      assert.strictEqual(again.diagram, failed.diagram)
    }))

  it.effect("and a program without one passes in every order", () =>
    explore(Effect.gen(function*() {
      const agent = yield* Agent.start(() => 0)
      const pids = yield* Effect.forEach(
        [1, 2, 3],
        () => Process.spawn(() => Agent.update(agent, (n: number) => n + 1))
      )
      yield* Effect.forEach(pids, Process.awaitExit)
      assert.strictEqual(yield* Agent.get(agent, (n) => n), 3)
    })))

  it.effect("a failure in the order in which everything was woken needs no other", () =>
    Effect.gen(function*() {
      const failed = yield* failureOf(explore(Effect.fail("always")))
      assert.strictEqual(failed.run, 0)
      assert.deepStrictEqual(failed.schedule, [])
      assert.deepStrictEqual(failed.cause, Cause.fail("always"))
    }))
})

// ----------------------------------------------------------------------------
// what does not end
// ----------------------------------------------------------------------------

describe("a program that cannot go on", () => {
  it.effect("is a deadlock, which says who waits for what", () =>
    Effect.gen(function*() {
      const waiting = Effect.gen(function*() {
        const first = yield* Process.spawn(
          (self: Process.Self<Process.Pid<never>>) => Effect.flatMap(self.receive, Process.awaitExit),
          { label: "first" }
        )
        const second = yield* Process.spawn(() => Process.awaitExit(first), { label: "second" })
        yield* Process.send(first, second)
        yield* Process.awaitExit(second)
      })
      const { exit } = yield* run(waiting)
      const deadlock = Cause.squash((exit as Exit.Failure<never, unknown>).cause)
      assert.instanceOf(deadlock, Interleaving.Deadlock)
      assert.deepStrictEqual([...(deadlock as Interleaving.Deadlock).waiting].sort(), [
        "first #PID<0.1.0> waits for the end of second #PID<0.2.0>",
        "second #PID<0.2.0> waits for the end of first #PID<0.1.0>",
        "test waits for the end of second #PID<0.2.0>"
      ])
    }))

  it.effect("names servers in a callback, calls, receives, and who sleeps while nobody moves the clock", () =>
    Effect.gen(function*() {
      const waiting = Effect.gen(function*() {
        const slow = yield* Slow.server.start({ label: "slow" })
        yield* Process.spawn((self: Process.Self<string>) => self.receive, { label: "listener" })
        yield* slow.work()
      })
      const { exit } = yield* run(waiting)
      const deadlock = Cause.squash((exit as Exit.Failure<never, unknown>).cause) as Interleaving.Deadlock
      assert.deepStrictEqual([...deadlock.waiting].sort(), [
        "a timer is set for 5000 ms, and nobody moves the clock, which shows 0",
        "listener #PID<0.2.0> waits for a message",
        "slow #PID<0.1.0> sleeps until the clock shows 5000 ms, and nobody moves the clock, which shows 0",
        "test waits for the answer to work to #PID<0.1.0> of slow #PID<0.1.0>"
      ])
    }))

  it.effect("is found when only some orders lead to it", () =>
    Effect.gen(function*() {
      // Who asks before the other has a name has asked nobody.
      const forgetful = Effect.gen(function*() {
        const asker = yield* Process.spawn((self: Process.Self<string>) =>
          Effect.gen(function*() {
            const server = yield* Process.whereis<Process.Pid<string>>("server")
            if (server._tag === "Some") yield* Process.send(server.value as Process.Pid<Process.Pid<string>>, self.pid)
            yield* self.receive
          }), { label: "asker" })
        yield* Process.spawn((self: Process.Self<Process.Pid<string>>) =>
          Effect.andThen(
            Process.register("server", self.pid),
            Effect.flatMap(self.receive, (asker) => Process.send(asker, "hello"))
          ), { label: "server" })
        yield* Process.awaitExit(asker)
      })
      const failed = yield* failureOf(explore(forgetful))
      assert.include(failed.message, "asker #PID<0.1.0> waits for a message")
    }))

  it.effect("nor come to an end has too many steps", () =>
    Effect.gen(function*() {
      const failed = yield* failureOf(explore(Effect.forever(Effect.yieldNow), { maxSteps: 1000 }))
      assert.instanceOf(Cause.squash(failed.cause), Interleaving.TooManySteps)
    }))

  it.effect("but waits for a promise that has settled", () =>
    Effect.gen(function*() {
      assert.strictEqual(valueOf(yield* run(Effect.promise(() => Promise.resolve(1).then((n) => n + 1)))), 2)
    }))
})

// ----------------------------------------------------------------------------
// time
// ----------------------------------------------------------------------------

describe("time", () => {
  it.effect("passes by TestClock.adjust, when nothing else can run", () =>
    explore(Effect.gen(function*() {
      const seen: Array<number> = []
      yield* Effect.forEach([30, 10, 20], (millis) =>
        Process.spawn(() =>
          Effect.andThen(
            Effect.sleep(millis),
            Effect.map(Clock.currentTimeMillis, (now) => seen.push(now))
          )
        ))
      yield* TestClock.adjust(25)
      assert.deepStrictEqual(seen, [10, 20])
      assert.strictEqual(yield* Clock.currentTimeMillis, 25)
      yield* TestClock.setTime(100)
      assert.deepStrictEqual(seen, [10, 20, 30])
      assert.strictEqual(yield* Process.monotonicTime, 100)
    })))

  it.effect("passes by itself where it is asked to, and so meets timeouts and intervals", () =>
    explore(
      Effect.gen(function*() {
        const self = yield* Process.spawn((self: Process.Self<"tick">) =>
          Effect.gen(function*() {
            yield* Process.sendInterval(self.pid, "tick", "1 second")
            for (let i = 0; i < 3; i++) yield* self.receive
            assert.strictEqual(yield* Clock.currentTimeMillis, 3000)
          })
        )
        assert.deepStrictEqual(yield* Process.awaitExit(self), ExitReason.normal)
        assert.isTrue(Exit.isFailure(yield* Effect.exit(Effect.timeout(Effect.never, "1 hour"))))
      }),
      { time: "auto", runs: 50 }
    ))

  it.effect("does not pass in settle", () =>
    explore(
      Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(Effect.sleep(1))
        yield* settle
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust(1)
        yield* Fiber.join(fiber)
      }),
      { runs: 50 }
    ))
})

// ----------------------------------------------------------------------------
// a world of its own
// ----------------------------------------------------------------------------

describe("a run", () => {
  it.effect("has a Node and a scope of its own, and what it leaves behind is ended", () =>
    Effect.gen(function*() {
      const ended: Array<string> = []
      const note = (what: string) => Effect.sync(() => ended.push(what))
      const leaving = Effect.gen(function*() {
        const pid = yield* Process.spawn(() => Effect.ensuring(Effect.never, note("process")))
        yield* Process.register("one of a kind", pid)
        yield* Effect.addFinalizer(() => note("scope"))
        yield* settle
      })
      yield* explore(leaving, { runs: 3 })
      assert.deepStrictEqual(ended, Array.from({ length: 4 }, () => ["scope", "process"]).flat())
    }))

  it.effect("says nothing of its crashes, unless it is asked to", () =>
    Effect.gen(function*() {
      let logged = 0
      const crashing = Effect.flatMap(Process.spawn(() => Effect.die("crash")), Process.awaitExit)
      const counted = Effect.provide(Logger.layer([Logger.make(() => logged++)]))
      yield* counted(explore(crashing, { runs: 5 }))
      assert.strictEqual(logged, 0)
      yield* counted(explore(crashing, { runs: 5, logs: true }))
      assert.strictEqual(logged, 6)
    }))

  it.effect("is given what the program requires, and no process to be in", () =>
    Effect.gen(function*() {
      const outer = yield* Process.spawn((self: Process.Self<never>) =>
        Effect.gen(function*() {
          const inner = yield* run(Effect.flatMap(Process.spawn(() => Effect.void), Process.info))
          assert.match(inner.diagram, /^ +test +#PID<0.1.0>\n/)
          assert.notInclude(inner.diagram, "outer")
          assert.isTrue(yield* Process.isAlive(self.pid))
        }), { label: "outer" })
      assert.deepStrictEqual(yield* Process.awaitExit(outer), ExitReason.normal)
    }))

  it.effect("refuses options that make no sense", () =>
    Effect.gen(function*() {
      for (
        const [options, field] of [
          [{ runs: -1 }, "runs"],
          [{ seed: 0.5 }, "seed"],
          [{ time: "real" as "auto" }, "time"],
          [{ maxSteps: Number.NaN }, "maxSteps"]
        ] as const
      ) {
        const exit = yield* Effect.exit(explore(Effect.void, options))
        assert.include(String(Cause.squash((exit as Exit.Failure<never, never>).cause)), field)
      }
    }))
})
