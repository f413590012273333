/** The ends of a dynamic supervisor's children: restarts, how they are stopped, and what ends the supervisor. */
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as DynamicSupervisor from "@effect-otp/core/DynamicSupervisor"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as OtpError from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as scale from "../../../test-scale.ts"
import { arrived, asProcess, inNode } from "./utils/process.ts"
import { reasons } from "./utils/reasons.ts"
import { type Order, type Probe, probed } from "./utils/tree.ts"

const bad = ExitReason.custom("bad")

const idle = ChildSpec.worker({ id: "idle", run: () => Effect.never })

const counts = (ref: DynamicSupervisor.Any) =>
  Effect.map(DynamicSupervisor.countChildren(ref), ({ active, specs, workers }) => [specs, active, workers])

/** Starts children, and takes note of that. */
const starting = Effect.fnUntraced(function*(
  probe: Probe,
  ref: DynamicSupervisor.Ref,
  ...specs: ReadonlyArray<ChildSpec.ChildSpec<never, unknown, never>>
) {
  for (const spec of specs) {
    yield* DynamicSupervisor.startChild(ref, spec)
    yield* probe.sees(`start ${spec.id}`)
  }
})

/** One child, of which every start but the first fails, and which has ended: it is being restarted for ever. */
const looping = Effect.fnUntraced(function*(probe: Probe, options: DynamicSupervisor.Settings = {}) {
  const intensity = { maxRestarts: 1_000_000, within: "5 seconds" } as const
  const ref = yield* DynamicSupervisor.make({ ...options, intensity }).start
  yield* starting(probe, ref, probe.child("a"))
  probe.refuse("a", Infinity)
  const pid = probe.pid("a")
  yield* Process.exit(pid, ExitReason.kill)
  return { ref, pid }
})

/** Stops a supervisor and tells when it had ended. */
const stopping = (ref: DynamicSupervisor.Ref) =>
  Effect.tap(
    Effect.forkChild(Effect.andThen(DynamicSupervisor.stop(ref), Clock.currentTimeMillis)),
    () => settle
  )

const endOf = (pid: Process.Pid<never, unknown>) => Process.awaitExit(pid)

describe("a child that has ended", () => {
  const orders: ReadonlyArray<readonly [name: string, order: Order, isClean: boolean]> = [
    ...reasons,
    ["Crashed by a defect", "crash", false]
  ]

  for (const restart of ["permanent", "transient", "temporary"] as const) {
    for (const [name, order, isClean] of orders) {
      for (const kind of ["child", "worker"] as const) {
        const again = restart === "permanent" || (restart === "transient" && !isClean)
        it.effect(`DS-014 a ${restart} ${kind} that ended ${name} is ${again ? "restarted" : "gone"}`, () =>
          probed(function*(probe) {
            const ref = yield* DynamicSupervisor.make({ intensity: { maxRestarts: 1, within: 1 } }).start
            yield* starting(probe, ref, probe[kind]("other"), probe[kind]("a", { restart }))
            const pid = probe.pid("a")
            yield* probe.end("a", order)
            yield* probe.sees("stop a", ...(again ? ["start a"] : []))
            assert.deepStrictEqual(yield* counts(ref), again ? [2, 2, 2] : [1, 1, 1])
            assert.strictEqual(probe.pid("a") === pid, !again)
          }))
      }
    }
  }

  for (const restart of ["permanent", "transient", "temporary"] as const) {
    for (const [name, reason, isClean] of reasons) {
      const again = restart === "permanent" || (restart === "transient" && !isClean)
      it.effect(`DS-014 a ${restart} supervisor that was stopped with ${name} is ${again ? "restarted" : "gone"}`, () =>
        probed(function*(probe) {
          const ref = yield* DynamicSupervisor.make({ intensity: { maxRestarts: 1, within: 1 } }).start
          const tree = Supervisor.make({ name: "tree", children: [probe.child("a"), probe.child("b")] })
          const pid = yield* DynamicSupervisor.startChild(ref, tree.child({ id: "tree", restart }))
          yield* Supervisor.stop("tree", { reason })
          const events = ["start a", "start b", "stop b", "stop a"]
          yield* probe.sees(...events, ...(again ? events.slice(0, 2) : []))
          const left = yield* DynamicSupervisor.whichChildren(ref)
          assert.deepStrictEqual(
            left.map(({ child, type }) => [type, child === pid]),
            again ? [["supervisor", false]] : []
          )
        }))
    }
  }

  it.effect("one that is gone for good is reported if its end was abnormal", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make().start
      const restart = "temporary"
      yield* starting(probe, ref, probe.child("a", { restart }), probe.child("b", { restart }))
      yield* probe.end("a", ExitReason.shutdown())
      yield* probe.end("b", bad)
      yield* probe.sees("stop a", "stop b")
      assert.deepStrictEqual(
        probe.log.filter((line) => line.includes("child b ended") || line.includes("child a ended")).length,
        1
      )
    }))

  it.effect("DS-015 one that chooses not to start again is removed", () =>
    probed(function*(probe) {
      let starts = 0
      class Once extends GenServer.Service<Once>()("test/Once", []) {
        static readonly server = this.implement({
          init: () => starts++ === 0 ? GenServer.init("state") : GenServer.ignore,
          handlers: {}
        })
      }
      const ref = yield* DynamicSupervisor.make().start
      yield* starting(probe, ref, probe.child("other"))
      const pid = yield* DynamicSupervisor.startChild(ref, Once.server.child())
      yield* Process.exit(pid, ExitReason.kill)
      yield* settle
      assert.strictEqual(starts, 2)
      assert.deepStrictEqual(yield* counts(ref), [1, 1, 1])
    }))

  it.effect("DS-011 DS-023 one that is being restarted counts, but is not active", () =>
    probed(function*(probe) {
      const { ref } = yield* looping(probe, { maxChildren: 1 })
      assert.deepStrictEqual(yield* counts(ref), [1, 0, 1])
      assert.deepStrictEqual(yield* DynamicSupervisor.whichChildren(ref), [{ type: "worker", child: "restarting" }])
      const error = yield* Effect.flip(DynamicSupervisor.startChild(ref, idle))
      assert.strictEqual(error._tag, "MaxChildren")
      yield* DynamicSupervisor.stop(ref)
    }))

  it.effect("DS-011 DS-023 one whose backoff is not over counts, but is not active", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make({ maxChildren: 1, backoff: Schedule.spaced("1 second") }).start
      yield* starting(probe, ref, probe.child("a"))
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      assert.deepStrictEqual(yield* counts(ref), [1, 0, 1])
      assert.strictEqual((yield* Effect.flip(DynamicSupervisor.startChild(ref, idle)))._tag, "MaxChildren")
      yield* TestClock.adjust("1 second")
      yield* probe.sees("start a")
      assert.deepStrictEqual(yield* counts(ref), [1, 1, 1])
    }))

  it.effect("DS-032 of a temporary one nothing is kept that its start holds", () =>
    Effect.gen(function*() {
      setFlagsFromString("--expose-gc")
      const gc = runInNewContext("gc") as () => void
      const ref = yield* DynamicSupervisor.make().start
      const start = (restart: ChildSpec.Restart) => {
        const held = { big: "big" }
        const spawn = Effect.suspend(() => Process.spawnLink(() => Effect.never, { label: held.big }))
        const started = DynamicSupervisor.startChild(ref, ChildSpec.make({ id: "a", restart, start: spawn }))
        return Effect.as(started, new WeakRef(held))
      }
      const permanent = yield* start("permanent")
      const temporary = yield* start("temporary")
      // A server keeps its last message for its reports.
      yield* counts(ref)
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      gc()
      assert.isDefined(permanent.deref())
      assert.isUndefined(temporary.deref())
    }).pipe(inNode))
})

describe("an exit that is no end", () => {
  it.effect("of a child that had crashed when its start returned, and is told twice: one restart, and one child", () =>
    probed(function*(probe) {
      const intensity = { maxRestarts: 1, within: "5 seconds" } as const
      const ref = yield* DynamicSupervisor.make({ intensity, backoff: Schedule.spaced("1 second") }).start
      let starts = 0
      const start = Effect.suspend(() =>
        ++starts === 1
          ? Effect.tap(Process.spawnLink(() => Process.exit(bad)), Process.awaitExit)
          : Process.spawnLink(() => Effect.never)
      )
      const pid = yield* DynamicSupervisor.startChild(ref, ChildSpec.make({ id: "a", start }))
      yield* settle
      assert.deepStrictEqual(yield* counts(ref), [1, 0, 1])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([yield* counts(ref), starts], [[1, 1, 1], 2])
      assert.strictEqual((yield* Effect.flip(DynamicSupervisor.terminateChild(ref, pid)))._tag, "ChildNotFound")
      assert.lengthOf(probe.log.filter((line) => line.includes("restarting")), 1)
    }))

  it.effect("a signal that a child sends to its supervisor, and lives on", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make().start
      const signals = ChildSpec.worker({
        id: "a",
        run: () => Effect.andThen(Process.exit(ref.pid, bad), Effect.never)
      })
      const pid = yield* DynamicSupervisor.startChild(ref, signals)
      yield* settle
      assert.deepStrictEqual(yield* DynamicSupervisor.whichChildren(ref), [{ type: "worker", child: pid }])
      assert.deepStrictEqual(yield* Process.list, [ref.pid, pid])
      assert.deepStrictEqual(probe.log, [])
    }))
})

describe("terminateChild", () => {
  it.effect("DS-017 takes a pid, and not the one that a restarted child had before", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make().start
      yield* starting(probe, ref, probe.child("a"))
      const old = probe.pid("a")
      yield* probe.end("a", "crash")
      yield* probe.sees("stop a", "start a")
      assert.deepStrictEqual(
        yield* Effect.flip(DynamicSupervisor.terminateChild(ref, old)),
        new OtpError.ChildNotFound({ id: old.toString() })
      )
      yield* DynamicSupervisor.terminateChild(ref, probe.pid("a"))
      yield* probe.sees("stop a")
      assert.deepStrictEqual(
        yield* Effect.flip(DynamicSupervisor.terminateChild(ref, probe.pid("a"))),
        new OtpError.ChildNotFound({ id: probe.pid("a").toString() })
      )
    }))

  it.effect("DS-017 of a process that is no child of it: ChildNotFound, and nothing happens", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make().start
      const pid = yield* Process.spawn(() => Effect.never)
      assert.strictEqual((yield* Effect.flip(DynamicSupervisor.terminateChild(ref, pid)))._tag, "ChildNotFound")
      assert.isTrue(yield* Process.isAlive(pid))
      yield* probe.sees()
    }))

  it.effect("DS-018 one that is being restarted goes by its old pid", () =>
    probed(function*(probe) {
      const { pid, ref } = yield* looping(probe)
      yield* DynamicSupervisor.terminateChild(ref, pid)
      assert.deepStrictEqual(yield* counts(ref), [0, 0, 0])
      assert.strictEqual((yield* Effect.flip(DynamicSupervisor.terminateChild(ref, pid)))._tag, "ChildNotFound")
      yield* probe.seen
      yield* probe.sees()
    }))

  it.effect("DS-018 one whose backoff is not over goes by its old pid, and does not come back", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make({ backoff: Schedule.spaced("1 second") }).start
      yield* starting(probe, ref, probe.child("a"))
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      yield* DynamicSupervisor.terminateChild(ref, probe.pid("a"))
      yield* TestClock.adjust("1 minute")
      yield* probe.sees()
      assert.deepStrictEqual(yield* counts(ref), [0, 0, 0])
    }))

  it.effect.each(["permanent", "transient", "temporary"] as const)(
    "DS-019 a %s child is removed fully, and it is no restart",
    (restart) =>
      probed(function*(probe) {
        const ref = yield* DynamicSupervisor.make({ intensity: { maxRestarts: 0, within: 1 } }).start
        yield* starting(probe, ref, probe.child("a", { restart }))
        yield* DynamicSupervisor.terminateChild(ref, probe.pid("a"))
        yield* probe.sees("stop a")
        assert.deepStrictEqual(yield* counts(ref), [0, 0, 0])
        assert.deepStrictEqual(yield* endOf(probe.pid("a")), ExitReason.shutdown())
      })
  )

  it.effect("DS-019 by the shutdown rules of the child", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make().start
      yield* starting(probe, ref, probe.stubborn("a", { shutdown: "1 second" }))
      const fiber = yield* Effect.forkChild(DynamicSupervisor.terminateChild(ref, probe.pid("a")))
      yield* settle
      yield* TestClock.adjust(999)
      yield* probe.sees()
      yield* TestClock.adjust(1)
      yield* probe.sees("stop a")
      yield* Fiber.join(fiber)
    }))
})

describe("the stop", () => {
  it.effect("DS-020 all children are told before one is waited for, and each has its own time", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make().start
      yield* starting(
        probe,
        ref,
        probe.stubborn("a", { shutdown: "3 seconds" }),
        probe.stubborn("b", { shutdown: "1 second" }),
        probe.stubborn("c", { shutdown: "3 seconds" }),
        probe.slow("d", Effect.sleep("2 seconds"), { shutdown: "Infinity" }),
        probe.stubborn("e", { shutdown: "brutalKill" })
      )
      const fiber = yield* stopping(ref)
      assert.deepStrictEqual(yield* probe.seen, ["stop e"])
      for (const stopped of [["stop b"], ["stop d"], ["stop a", "stop c"]]) {
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* probe.seen, stopped)
      }
      assert.strictEqual(yield* Fiber.join(fiber), 3000)
      const ends = yield* Effect.forEach(["a", "b", "c", "d", "e"], (id) => endOf(probe.pid(id)))
      assert.deepStrictEqual(ends.map(({ _tag }) => _tag), ["Killed", "Killed", "Killed", "Shutdown", "Killed"])
    }))

  it.effect("DS-021 when the time is over only those are killed that are still there", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make().start
      const shutdown = "1 second"
      yield* starting(
        probe,
        ref,
        probe.child("a", { shutdown }),
        probe.stubborn("b", { shutdown }),
        probe.slow("c", Effect.sleep(999), { shutdown })
      )
      const fiber = yield* stopping(ref)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(fiber), 1000)
      const ends = yield* Effect.forEach(["a", "b", "c"], (id) => endOf(probe.pid(id)))
      assert.deepStrictEqual(ends.map(({ _tag }) => _tag), ["Shutdown", "Killed", "Shutdown"])
      assert.deepStrictEqual(probe.log.filter((line) => line.startsWith("Error")).length, 1)
    }))

  it.effect("DS-022 children are in no order: any of them may wait for the end of any other", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make().start
      const first = yield* Deferred.make<void>()
      const last = yield* Deferred.make<void>()
      yield* starting(
        probe,
        ref,
        probe.slow("a", Deferred.succeed(first, undefined), { shutdown: "Infinity" }),
        probe.slow("b", Effect.andThen(Deferred.await(first), Deferred.await(last)), { shutdown: "Infinity" }),
        probe.slow("c", Deferred.succeed(last, undefined), { shutdown: "Infinity" })
      )
      yield* Fiber.join(yield* stopping(ref))
      assert.deepStrictEqual((yield* probe.seen).toSorted(), ["stop a", "stop b", "stop c"])
    }))

  it.effect("what a killed temporary child holds is released before it has ended", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make().start
      yield* starting(probe, ref, probe.slow("a", Effect.sleep("3 seconds"), { restart: "temporary" }))
      yield* Process.exit(probe.pid("a"), ExitReason.kill)
      yield* settle
      assert.deepStrictEqual(yield* counts(ref), [0, 0, 0])
      const fiber = yield* stopping(ref)
      yield* TestClock.adjust("3 seconds")
      yield* probe.sees("stop a")
      assert.strictEqual(yield* Fiber.join(fiber), 3000)
    }))

  it.effect("a child that is being restarted is not started any more", () =>
    probed(function*(probe) {
      const { ref } = yield* looping(probe)
      yield* DynamicSupervisor.stop(ref)
      assert.deepStrictEqual(yield* Process.list, [])
      yield* probe.seen
      yield* TestClock.adjust("1 minute")
      yield* probe.sees()
    }))

  it.effect("DS-025 stop ends it, with the reason that it is given", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const ref = yield* DynamicSupervisor.make({ name: "jobs" }).startLink
        const pid = yield* DynamicSupervisor.startChild(ref, idle)
        yield* DynamicSupervisor.stop(ref)
        const [exit] = yield* arrived(self)
        assert.deepStrictEqual([exit?.pid, exit?.reason], [ref.pid, ExitReason.normal])
        assert.isFalse(yield* Process.isAlive(pid))
        assert.isFalse(yield* Process.isAlive(ref.pid))
        const other = yield* DynamicSupervisor.make({ name: "jobs" }).start
        yield* DynamicSupervisor.stop(other, { reason: bad })
        assert.deepStrictEqual(yield* endOf(other.pid), bad)
      })
    ))

  it.effect("DS-031 it traps exits: the end of a stranger is nothing to it, that of its parent ends it", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const started = yield* Deferred.make<readonly [DynamicSupervisor.Ref, Process.Pid<never, unknown>]>()
        const parent = yield* Process.spawn(() =>
          Effect.gen(function*() {
            const ref = yield* Effect.orDie(DynamicSupervisor.make().startLink)
            const child = yield* Effect.orDie(DynamicSupervisor.startChild(ref, idle))
            yield* Deferred.succeed(started, [ref, child])
            return yield* Effect.never
          })
        )
        const [ref, child] = yield* Deferred.await(started)
        yield* Process.exit(ref.pid, bad)
        yield* settle
        assert.isTrue(yield* Process.isAlive(child))
        yield* Process.exit(parent, bad)
        assert.deepStrictEqual(yield* endOf(ref.pid), bad)
        assert.deepStrictEqual(yield* endOf(child), ExitReason.shutdown())
      })
    ))

  it.effect("DS-029 a message that it does not understand is reported, and does nothing", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make().start
      yield* starting(probe, ref, probe.child("a"))
      yield* Process.send(ref.pid as Process.Pid<string>, "hello")
      yield* settle
      assert.deepStrictEqual(
        probe.log.filter((line) => line.startsWith("Error")),
        ["Error a supervisor got a message that it does not understand"]
      )
      assert.deepStrictEqual(yield* counts(ref), [1, 1, 1])
    }))
})

describe("restarts", () => {
  it.effect("DS-028 one too many: it stops all children, reports that it gives up, and ends Shutdown", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make({ intensity: { maxRestarts: 1, within: "5 seconds" } }).start
      yield* starting(probe, ref, probe.child("a"), probe.child("b"))
      yield* probe.end("a", "crash")
      yield* probe.sees("stop a", "start a")
      yield* probe.end("b", "crash")
      yield* probe.sees("stop b", "stop a")
      assert.deepStrictEqual(yield* endOf(ref.pid), ExitReason.shutdown())
      assert.strictEqual(probe.log.filter((line) => line.includes("giving up")).length, 1)
    }))

  it.effect("DS-028 a start that fails again counts, too", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make({ intensity: { maxRestarts: 2, within: "5 seconds" } }).start
      yield* starting(probe, ref, probe.child("a"))
      probe.refuse("a", 2)
      yield* probe.end("a", "crash")
      yield* probe.sees("stop a", "fail a", "fail a")
      assert.deepStrictEqual(yield* endOf(ref.pid), ExitReason.shutdown())
    }))

  it.effect("a start that fails is tried again, and the child has a new pid then", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make().start
      yield* starting(probe, ref, probe.child("a"))
      probe.refuse("a", 2)
      yield* probe.end("a", "crash")
      yield* probe.sees("stop a", "fail a", "fail a", "start a")
      assert.deepStrictEqual(
        yield* DynamicSupervisor.whichChildren(ref),
        [{ type: "worker", child: probe.pid("a") }]
      )
      yield* DynamicSupervisor.terminateChild(ref, probe.pid("a"))
    }))

  const Steps = Schema.Array(Schema.Struct({
    what: Schema.Literals(["start", "start", "start", "end", "end", "terminate", "wait"]),
    which: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })),
    restart: Schema.Literals(["permanent", "transient", "temporary"]),
    reason: Schema.Literals(["normal", "shutdown", "bad", "crash"])
  })).check(Schema.isMaxLength(30))

  const orders: Record<string, Order> = {
    normal: ExitReason.normal,
    shutdown: ExitReason.shutdown(),
    bad,
    crash: "crash"
  }

  it.effect.prop(
    "keeps to a model that is too simple to be wrong: who is alive, how many, and when it gives up",
    { steps: Steps },
    ({ steps }) =>
      probed(function*(probe) {
        const intensity = { maxRestarts: 2, within: "5 seconds" } as const
        const ref = yield* DynamicSupervisor.make({ intensity, maxChildren: 5 }).start
        let alive: Array<readonly [id: string, restart: ChildSpec.Restart]> = []
        let restarted: ReadonlyArray<number> = []
        let hasGivenUp = false
        let next = 0
        let now = 0
        for (const { reason, restart, what, which } of steps) {
          const chosen = alive[which % Math.max(1, alive.length)]
          if (what === "wait") {
            now += 2000
            yield* TestClock.adjust(2000)
          } else if (what === "start") {
            const id = `${next++}`
            const error = yield* Effect.option(
              Effect.flip(DynamicSupervisor.startChild(ref, probe.child(id, { restart })))
            )
            const expected = hasGivenUp ? "CallError" : alive.length === 5 ? "MaxChildren" : undefined
            assert.strictEqual(error._tag === "Some" ? error.value._tag : undefined, expected)
            if (expected === undefined) alive.push([id, restart])
          } else if (chosen !== undefined && what === "terminate") {
            yield* DynamicSupervisor.terminateChild(ref, probe.pid(chosen[0]))
            alive = alive.filter((child) => child !== chosen)
          } else if (chosen !== undefined) {
            yield* probe.end(chosen[0], orders[reason]!)
            const abnormal = reason === "bad" || reason === "crash"
            if (chosen[1] === "temporary" || (chosen[1] === "transient" && !abnormal)) {
              alive = alive.filter((child) => child !== chosen)
            } else {
              restarted = [...restarted.filter((at) => now - at <= 5000), now]
              if (restarted.length > 2) {
                hasGivenUp = true
                alive = []
              }
            }
          }
          yield* settle
          assert.strictEqual(yield* Process.isAlive(ref.pid), !hasGivenUp)
          assert.deepStrictEqual(
            new Set(yield* Process.list),
            new Set([...(hasGivenUp ? [] : [ref.pid]), ...alive.map(([id]) => probe.pid(id))])
          )
          if (hasGivenUp) continue
          assert.deepStrictEqual(yield* counts(ref), [alive.length, alive.length, alive.length])
          assert.deepStrictEqual(
            new Set((yield* DynamicSupervisor.whichChildren(ref)).map(({ child }) => child)),
            new Set(alive.map(([id]) => probe.pid(id)))
          )
        }
      }),
    { arbitrary: { runs: scale.cases } }
  )
})

it.effect(`${scale.processes} children are started, counted and stopped`, () =>
  Effect.gen(function*() {
    const ref = yield* DynamicSupervisor.make().start
    for (let i = 0; i < scale.processes; i++) yield* DynamicSupervisor.startChild(ref, idle)
    assert.deepStrictEqual(yield* counts(ref), [scale.processes, scale.processes, scale.processes])
    yield* DynamicSupervisor.stop(ref)
    assert.deepStrictEqual(yield* Process.list, [])
  }).pipe(inNode), 60_000)
