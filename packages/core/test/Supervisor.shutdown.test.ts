/** How children are stopped: each within its time, then killed; and what ends a supervisor. */
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as OtpError from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { ask, defectOf, tell, Told } from "./utils/server.ts"
import { type Probe, probed, started } from "./utils/tree.ts"

const bad = ExitReason.custom("bad")

/** Stops a tree and tells how it went, and when. */
const stopping = (ref: Supervisor.Ref) =>
  Effect.tap(Effect.forkChild(Effect.andThen(Supervisor.stop(ref), Clock.currentTimeMillis)), () => settle)

describe("the time that a child has", () => {
  it.effect("SV-052 brutalKill kills at once", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ children: [probe.stubborn("a", { shutdown: "brutalKill" })] })
      const ref = yield* started(probe, tree, "start a")
      yield* Supervisor.stop(ref)
      yield* probe.sees("stop a")
      assert.deepStrictEqual(yield* Process.awaitExit(probe.pid("a")), ExitReason.killed)
      assert.strictEqual(yield* Clock.currentTimeMillis, 0)
    }))

  it.effect("SV-053 a child that does not end in its time is killed then, and not before", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ children: [probe.stubborn("a", { shutdown: "2 seconds" })] })
      const ref = yield* started(probe, tree, "start a")
      const fiber = yield* stopping(ref)
      yield* TestClock.adjust(1999)
      yield* probe.sees()
      yield* TestClock.adjust(1)
      yield* probe.sees("stop a")
      assert.strictEqual(yield* Fiber.join(fiber), 2000)
      assert.deepStrictEqual(yield* Process.awaitExit(probe.pid("a")), ExitReason.killed)
      assert.deepStrictEqual(probe.log.filter((line) => line.startsWith("Error")).length, 1)
    }))

  it.effect("SV-013 5 seconds by default", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ children: [probe.stubborn("a")] }), "start a")
      const fiber = yield* stopping(ref)
      yield* TestClock.adjust(4999)
      yield* probe.sees()
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* Fiber.join(fiber), 5000)
    }))

  it.effect("SV-054 Infinity waits as long as needed, for workers, too", () =>
    probed(function*(probe) {
      const slow = probe.slow("a", Effect.sleep("10 days"), { shutdown: "Infinity" })
      const ref = yield* started(probe, Supervisor.make({ children: [slow] }), "start a")
      const fiber = yield* stopping(ref)
      yield* TestClock.adjust("9 days")
      yield* probe.sees()
      yield* TestClock.adjust("1 day")
      yield* probe.sees("stop a")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(yield* Process.awaitExit(probe.pid("a")), ExitReason.shutdown())
    }))

  it.effect("SV-013 SV-106 a subtree has no limit by default", () =>
    probed(function*(probe) {
      const slow = probe.slow("a", Effect.sleep("1 hour"), { shutdown: "2 hours" })
      const inner = Supervisor.make({ children: [slow] }).child({ id: "inner" })
      const ref = yield* started(probe, Supervisor.make({ children: [inner] }), "start a")
      const fiber = yield* stopping(ref)
      yield* TestClock.adjust("1 hour")
      yield* probe.sees("stop a")
      yield* Fiber.join(fiber)
    }))

  it.effect("SV-055 a shutdown of 0 is valid: who does not end at once is killed", () =>
    probed(function*(probe) {
      const ref = yield* started(
        probe,
        Supervisor.make({ children: [probe.stubborn("a", { shutdown: 0 })] }),
        "start a"
      )
      yield* Supervisor.stop(ref)
      yield* probe.sees("stop a")
      assert.deepStrictEqual(yield* Process.awaitExit(probe.pid("a")), ExitReason.killed)
    }))

  it.effect("SV-056 the times are per child and one after the other", () =>
    probed(function*(probe) {
      const children = ["a", "b", "c"].map((id) => probe.stubborn(id, { shutdown: "50 millis" }))
      const ref = yield* started(probe, Supervisor.make({ children }), "start a", "start b", "start c")
      const fiber = yield* stopping(ref)
      yield* TestClock.adjust(50)
      yield* probe.sees("stop c")
      yield* TestClock.adjust(50)
      yield* probe.sees("stop b")
      yield* TestClock.adjust(50)
      yield* probe.sees("stop a")
      assert.strictEqual(yield* Fiber.join(fiber), 150)
    }))

  it.effect("a child that is being stopped is linked to its supervisor until it has ended", () =>
    probed(function*(probe) {
      const seen: Array<ExitReason.ExitReason> = []
      const stubborn = ChildSpec.worker({
        id: "a",
        run: (self: Process.Self<Process.Exit>) =>
          Effect.andThen(
            Process.trapExit(true),
            Effect.forever(Effect.map(self.receive, ({ reason }) => seen.push(reason)))
          )
      })
      const ref = yield* started(probe, Supervisor.make({ children: [stubborn] }))
      yield* stopping(ref)
      const links = Option.map(yield* Process.info(ref.pid), (info) => info.links.length)
      assert.deepStrictEqual(links, Option.some(1))
      yield* Process.exit(ref.pid, ExitReason.kill)
      yield* settle
      assert.deepStrictEqual(seen, [ExitReason.shutdown(), ExitReason.killed])
    }))

  it.effect("finalizers that outlast the kill are waited for as long again, then reported, and the stop goes on", () =>
    probed(function*(probe) {
      const gate = yield* Deferred.make<void>()
      const leaks = probe.slow("b", Deferred.await(gate), { shutdown: "1 second" })
      const ref = yield* started(probe, Supervisor.make({ children: [probe.child("a"), leaks] }), "start a", "start b")
      const fiber = yield* stopping(ref)
      yield* TestClock.adjust(1999)
      yield* probe.sees()
      yield* TestClock.adjust(1)
      yield* probe.sees("stop a")
      assert.strictEqual(yield* Fiber.join(fiber), 2000)
      assert.match(probe.log.at(-1)!, /^Error child b .* it leaks$/)
      yield* Deferred.succeed(gate, undefined)
      yield* probe.sees("stop b")
    }))

  it.effect("what a child holds is released before its next incarnation starts", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ children: [probe.slow("a", Effect.sleep("3 seconds"))] })
      yield* started(probe, tree, "start a")
      yield* probe.end("a", bad)
      yield* settle
      yield* TestClock.adjust(2999)
      yield* probe.sees()
      yield* TestClock.adjust(1)
      yield* probe.sees("stop a", "start a")
    }))

  it.effect("what a killed child of a group holds is released before the group starts again", () =>
    probed(function*(probe) {
      const children = [probe.child("a"), probe.slow("b", Effect.sleep("3 seconds"), { shutdown: "brutalKill" })]
      yield* started(probe, Supervisor.make({ strategy: "one_for_all", children }), "start a", "start b")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      yield* TestClock.adjust(3000)
      yield* probe.sees("stop b", "start a", "start b")
    }))

  it.effect("what a child holds that was killed by a stranger is released before its next incarnation starts", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ children: [probe.slow("a", Effect.sleep("3 seconds"))] })
      yield* started(probe, tree, "start a")
      yield* Process.exit(probe.pid("a"), ExitReason.kill)
      yield* settle
      yield* TestClock.adjust(2999)
      yield* probe.sees()
      yield* TestClock.adjust(1)
      yield* probe.sees("stop a", "start a")
    }))

  it.effect("what a killed temporary child holds is released before its supervisor has ended", () =>
    probed(function*(probe) {
      const slow = probe.slow("b", Effect.sleep("3 seconds"), { restart: "temporary" })
      const tree = Supervisor.make({ children: [probe.child("a"), slow] })
      const ref = yield* started(probe, tree, "start a", "start b")
      yield* Process.exit(probe.pid("b"), ExitReason.kill)
      yield* settle
      assert.deepStrictEqual((yield* Supervisor.whichChildren(ref)).map(({ id }) => id), ["a"])
      const fiber = yield* stopping(ref)
      yield* probe.sees("stop a")
      yield* TestClock.adjust(2999)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* probe.sees("stop b")
      assert.strictEqual(yield* Fiber.join(fiber), 3000)
    }))

  it.effect("nor does it hold up its supervisor for longer than it may take to stop, and it leaks", () =>
    probed(function*(probe) {
      const gate = yield* Deferred.make<void>()
      const leaks = probe.slow("a", Deferred.await(gate), { restart: "temporary", shutdown: "1 second" })
      const ref = yield* started(probe, Supervisor.make({ children: [leaks] }), "start a")
      yield* Process.exit(probe.pid("a"), ExitReason.kill)
      const fiber = yield* stopping(ref)
      yield* TestClock.adjust(1000)
      assert.strictEqual(yield* Fiber.join(fiber), 1000)
      assert.match(probe.log.at(-1)!, /^Error child a .* it leaks$/)
      yield* Deferred.succeed(gate, undefined)
      yield* probe.sees("stop a")
    }))
})

describe("what is reported", () => {
  const errors = (probe: Probe) => probe.log.filter((line) => line.startsWith("Error"))

  /** Traps the signal and ends in its own way. */
  const polite = (id: string, restart: ChildSpec.Restart, reason: ExitReason.ExitReason) =>
    ChildSpec.worker({
      id,
      restart,
      run: (self: Process.Self<Process.Exit>) =>
        Effect.andThen(Process.trapExit(true), Effect.andThen(self.receive, Process.exit(reason)))
    })

  it.effect("SV-057 an unexpected reason at shutdown is an error, Normal only of a permanent child", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({
        children: [
          probe.child("shutdown"),
          polite("transient normal", "transient", ExitReason.normal),
          polite("temporary normal", "temporary", ExitReason.normal),
          polite("with a term", "permanent", ExitReason.shutdown("term")),
          polite("permanent normal", "permanent", ExitReason.normal),
          polite("transient bad", "transient", bad)
        ]
      })
      const ref = yield* tree.start
      yield* settle
      yield* Supervisor.stop(ref)
      assert.deepStrictEqual(errors(probe), [
        "Error child transient bad ended with \"bad\" when it was told to shut down",
        "Error child permanent normal ended with Normal when it was told to shut down"
      ])
    }))

  it.effect("SV-059 the real reason of a child that died just before it was stopped is reported", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ children: [probe.worker("a")] }), "start a")
      // The stop is in its mailbox before the exit of the child.
      yield* Process.exit(probe.pid("a"), bad)
      yield* Supervisor.stop(ref)
      yield* probe.sees("stop a")
      assert.deepStrictEqual(errors(probe), [`Error child a ended with "bad" when it was told to shut down`])
    }))
})

describe("the end of a supervisor", () => {
  it.effect("SV-058 a child that unlinked itself is stopped all the same", () =>
    probed(function*(probe) {
      const unlinked = ChildSpec.worker({
        id: "b",
        run: Effect.fnUntraced(function*(self: Process.Self<Process.Exit>) {
          yield* Effect.acquireRelease(probe.report("start b"), () => probe.report("stop b"))
          const info = yield* Process.info(self.pid)
          for (const linked of Option.getOrThrow(info).links) yield* Process.unlink(linked)
          return yield* Effect.never
        })
      })
      const ref = yield* started(
        probe,
        Supervisor.make({ children: [probe.child("a"), unlinked] }),
        "start a",
        "start b"
      )
      yield* Supervisor.stop(ref)
      yield* probe.sees("stop b", "stop a")
    }))

  for (
    const [id, reason] of [
      ["SV-060", ExitReason.normal],
      ["SV-062", bad],
      ["SV-062", ExitReason.shutdown()]
    ] as const
  ) {
    it.effect(`${id} an exit signal from its parent stops it with that reason: ${ExitReason.format(reason)}`, () =>
      probed(function*(probe) {
        const tree = Supervisor.make({ children: [probe.child("a"), probe.child("b")] })
        const refs = yield* Deferred.make<Supervisor.Ref>()
        const parent = yield* Process.spawn((self: Process.Self<Process.Exit | "stop">) =>
          Effect.gen(function*() {
            yield* Process.trapExit(true)
            const ref = yield* tree.startLink
            yield* Deferred.succeed(refs, ref)
            yield* self.receive
            yield* Process.exit(ref.pid, reason)
            yield* self.receive
          })
        )
        const ref = yield* Deferred.await(refs)
        yield* probe.sees("start a", "start b")
        yield* Process.send(parent, "stop")
        yield* probe.sees("stop b", "stop a")
        assert.deepStrictEqual(yield* Process.awaitExit(ref.pid), reason)
      }))
  }

  it.effect("SV-061 exits of strangers are ignored, whatever their reason", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ children: [probe.child("a")] }), "start a")
      for (const reason of [ExitReason.normal, ExitReason.shutdown(), bad, ExitReason.killed]) {
        yield* Process.exit(ref.pid, reason)
      }
      yield* Process.spawn(() => Effect.andThen(Process.link(ref.pid), Process.exit(bad)))
      yield* probe.sees()
      assert.isTrue(yield* Process.isAlive(ref.pid))
    }))

  it.effect("an exit signal of its own child is ignored as long as that lives on: it would run twice", () =>
    probed(function*(probe) {
      const signals = ChildSpec.worker({
        id: "b",
        run: Effect.fnUntraced(function*(self: Process.Self<never>) {
          yield* probe.report("start b")
          const { links } = Option.getOrThrow(yield* Process.info(self.pid))
          yield* Process.exit(links[0]!, bad)
          return yield* Effect.never
        })
      })
      const tree = Supervisor.make({ strategy: "one_for_all", children: [probe.child("a"), signals] })
      const ref = yield* started(probe, tree, "start a", "start b")
      assert.strictEqual((yield* Supervisor.countChildren(ref)).active, 2)
      assert.lengthOf(yield* Process.list, 3)
    }))

  it.effect("SV-065 a message that it does not understand is ignored and logged", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ children: [probe.child("a")] }), "start a")
      yield* Process.send(ref.pid as Process.Pid<string>, "hello")
      yield* probe.sees()
      assert.isTrue(yield* Process.isAlive(ref.pid))
      assert.deepStrictEqual(probe.log, ["Error a supervisor got a message that it does not understand"])
    }))

  it.effect("SV-065 requests and casts that it does not understand are refused in their caller", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ children: [probe.child("a")] }), "start a")
      for (const request of [ask(Told.at(ref.pid), () => 0), tell(Told.at(ref.pid), () => 0)]) {
        assert.match((yield* defectOf(request)).message, /is no request to .* has the protocol of Supervisor/)
      }
      yield* probe.sees()
      assert.isTrue(yield* Process.isAlive(ref.pid))
    }))

  it.effect("SV-066 stop stops the children, waits, and the reason is Normal", () =>
    probed(function*(probe) {
      const ref = yield* started(
        probe,
        Supervisor.make({ children: [probe.child("a"), probe.child("b")] }),
        "start a",
        "start b"
      )
      yield* Supervisor.stop(ref)
      assert.deepStrictEqual(yield* Process.awaitExit(ref.pid), ExitReason.normal)
      yield* probe.sees("stop b", "stop a")
      const error = yield* Effect.flip(Supervisor.stop(ref))
      assert.instanceOf(error.reason, OtpError.NoProcess)
    }))

  it.effect("stop gives another reason if it is asked to, and gives up waiting after its timeout", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ children: [probe.stubborn("a")] }), "start a")
      const fiber = yield* Effect.forkChild(Effect.flip(Supervisor.stop(ref, { reason: bad, timeout: "1 second" })))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber)).reason._tag, "Timeout")
      yield* TestClock.adjust("4 seconds")
      assert.deepStrictEqual(yield* Process.awaitExit(ref.pid), bad)
    }))

  it.effect("a supervisor that is killed takes its whole branch with it, and the one above starts it again", () =>
    probed(function*(probe) {
      const inner = Supervisor.make({ name: "inner", children: [probe.child("a"), probe.worker("b")] })
      const ref = yield* started(
        probe,
        Supervisor.make({ children: [inner.child({ id: "inner" })] }),
        "start a",
        "start b"
      )
      yield* Process.exit("inner", ExitReason.kill)
      const events = yield* probe.seen
      assert.deepStrictEqual(events.toSorted(), ["start a", "start b", "stop a", "stop b"])
      assert.strictEqual((yield* Supervisor.countChildren(ref)).active, 1)
    }))
})
