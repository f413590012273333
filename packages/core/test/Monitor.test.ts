import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Name from "@effect-otp/core/Name"
import * as Process from "@effect-otp/core/Process"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { arrived, asProcess, downOf, idle, queued, signal } from "./utils/process.ts"

const bad = ExitReason.custom("bad")

const monitorsOf = (pid: Process.Pid<never>) =>
  Effect.map(Process.info(pid), (info) => Option.getOrThrow(info).monitors)

describe("monitor", () => {
  it.effect("MO-002 a process that has ended gives a Down with NoProcess at once, and never fails", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const dead = yield* idle
        yield* Process.exit(dead, ExitReason.kill)
        const ref = yield* Process.monitor(dead)
        const [down] = yield* queued(self)
        assert.strictEqual(down!.ref, ref)
        assert.deepStrictEqual(signal(down!), ["Down", dead, ExitReason.noProcess])
      })
    ))

  it.effect("MO-002 a name that nobody holds does so, too", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const ref = yield* Process.monitor("nobody")
        const [down] = yield* queued(self)
        assert.strictEqual(down!.ref, ref)
        assert.deepStrictEqual(signal(down!), ["Down", "nobody", ExitReason.noProcess])
      })
    ))

  it.effect("a monitor of a name watches its holder of that moment, and its Down has the name", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const Typed = Name.make<string>("typed")
        const first = yield* idle
        yield* Process.register("plain", first)
        yield* Process.monitor("plain")
        yield* Process.unregister("plain")
        yield* Process.register("plain", yield* idle)
        yield* Process.register(Typed, first as Process.Pid<string>)
        yield* Process.monitor(Typed)
        yield* Process.exit(first, bad)
        assert.deepStrictEqual((yield* arrived(self)).map(signal), [["Down", "plain", bad], ["Down", "typed", bad]])
      })
    ))

  it.effect("MO-005 two monitors of one process are two messages, with references of their own", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const pid = yield* idle
        const refs = [yield* Process.monitor(pid), yield* Process.monitor(pid)]
        assert.notStrictEqual(refs[0], refs[1])
        yield* Process.exit(pid, bad)
        assert.sameMembers((yield* arrived(self)).map((down) => down.ref), refs)
      })
    ))

  it.effect("MO-006 the end of who watches does not touch who is watched", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const watched = yield* idle
        const watcher = yield* Process.spawn((_: Process.Self<Process.Down>) =>
          Effect.andThen(Process.monitor(watched), Process.exit(bad))
        )
        assert.deepStrictEqual(yield* downOf(self, watcher), bad)
        yield* settle
        assert.isTrue(yield* Process.isAlive(watched))
      })
    ))

  it.effect("MO-007 a Normal end is told, too, trapping exits or not", () =>
    asProcess((self: Process.Self<Process.Down | Process.Exit>) =>
      Effect.gen(function*() {
        for (const trap of [false, true]) {
          yield* Process.trapExit(trap)
          const [child] = yield* Process.spawnMonitor(() => Effect.void)
          assert.deepStrictEqual(signal(yield* self.receive), ["Down", child, ExitReason.normal])
        }
      })
    ))

  it.effect("MO-015 a monitor of oneself gives a reference, and never a message", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const ref = yield* Process.monitor(self.pid)
        assert.isFalse(yield* Process.demonitor(ref))
        assert.deepStrictEqual(yield* arrived(self), [])
      })
    ))

  it.effect("MO-016 what is no process is refused, with its value", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        for (const [value, shown] of [[42, "42"], [null, "null"], [undefined, "undefined"], [{ a: 1 }, "{\"a\":1}"]]) {
          const monitor = Process.spawn((_: Process.Self<Process.Down>) => Process.monitor(value as never))
          const message = `target: expected a pid, a name or a via, got ${shown}`
          assert.strictEqual(ExitReason.format(yield* downOf(self, yield* monitor)), `Crashed: TypeError: ${message}`)
        }
      })
    ))

  it.effect("info lists what a process monitors, until it is demonitored or has ended", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const [a, b, c] = yield* Effect.all([idle, idle, idle])
        const ref = yield* Process.monitor(a)
        yield* Process.monitor(b)
        yield* Process.monitor(c)
        assert.sameMembers([...yield* monitorsOf(self.pid)], [a, b, c])
        yield* Process.demonitor(ref)
        yield* Process.exit(b, bad)
        yield* self.receive
        assert.deepStrictEqual(yield* monitorsOf(self.pid), [c])
        yield* Process.exit(c, bad)
        yield* self.receive
        assert.deepStrictEqual(yield* monitorsOf(self.pid), [])
      })
    ))

  it.effect("MO-019 the Down of a killed process says killed", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const [child] = yield* Process.spawnMonitor(() => Effect.never)
        yield* Process.exit(child, ExitReason.kill)
        assert.deepStrictEqual(signal(yield* self.receive), ["Down", child, ExitReason.killed])
      })
    ))

  it.effect("MO-020 the name is free when the Down comes: the watcher can take it at once", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const [child] = yield* Process.spawnMonitor(() => Effect.never)
        yield* Process.register("role", child)
        yield* Process.exit(child, bad)
        yield* self.receive
        yield* Process.register("role", self.pid)
        assert.deepStrictEqual(yield* Process.whereis("role"), Option.some(self.pid))
      })
    ))

  it.effect("MO-021 after a kill a monitor gives NoProcess, also while finalizers still run", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const victim = yield* Process.spawn(() => Effect.ensuring(Effect.never, Effect.never))
        yield* settle
        yield* Process.exit(victim, ExitReason.kill)
        yield* Process.monitor(victim)
        assert.deepStrictEqual(signal(yield* self.receive), ["Down", victim, ExitReason.noProcess])
      })
    ))

  it.effect("a process that is ending can be monitored: its real reason comes when it has ended", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const ending = yield* Process.spawn(() => Effect.ensuring(Effect.never, Deferred.await(gate)))
        yield* settle
        yield* Process.exit(ending, bad)
        yield* Process.monitor(ending)
        assert.deepStrictEqual(yield* arrived(self), [])
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual(signal(yield* self.receive), ["Down", ending, bad])
      })
    ))

  it.effect("MO-024 every watcher of a process is told once", () =>
    asProcess((self: Process.Self<Process.Pid<never>>) =>
      Effect.gen(function*() {
        const watched = yield* idle
        const watchers = yield* Effect.replicateEffect(
          Process.spawn((own: Process.Self<Process.Down>) =>
            Effect.andThen(
              Process.monitor(watched),
              Effect.forever(Effect.andThen(own.receive, Process.send(self.pid, own.pid)))
            )
          ),
          10
        )
        yield* settle
        yield* Process.exit(watched, bad)
        assert.sameMembers([...yield* arrived(self)], watchers)
      })
    ))

  it.effect("a Down never overtakes a message that was sent before it", () =>
    asProcess((self: Process.Self<number | Process.Down>) =>
      Effect.gen(function*() {
        yield* Process.spawnMonitor(() =>
          Effect.forEach([1, 2, 3], (n) => Process.send(self.pid, n), { discard: true })
        )
        const [one, two, three, down] = yield* arrived(self)
        assert.deepStrictEqual([one, two, three], [1, 2, 3])
        assert.isTrue(Process.isDown(down))
      })
    ))
})

describe("demonitor", () => {
  it.effect("MO-008 it ends a monitor: no Down comes any more", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const pid = yield* idle
        const ref = yield* Process.monitor(pid)
        assert.isTrue(yield* Process.demonitor(ref))
        yield* Process.exit(pid, bad)
        assert.deepStrictEqual(yield* arrived(self), [])
      })
    ))

  it.effect("MO-009 a Down that is queued stays", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const pid = yield* idle
        const ref = yield* Process.monitor(pid)
        yield* Process.exit(pid, bad)
        yield* settle
        assert.isFalse(yield* Process.demonitor(ref))
        assert.deepStrictEqual((yield* queued(self)).map((down) => down.ref), [ref])
      })
    ))

  it.effect("MO-010 with flush a Down that is queued is taken away, and nothing else", () =>
    asProcess((self: Process.Self<"before" | "after" | Process.Down>) =>
      Effect.gen(function*() {
        const pid = yield* idle
        const ref = yield* Process.monitor(pid)
        const other = yield* Process.monitor(pid)
        yield* Process.send(self.pid, "before")
        yield* Process.exit(pid, bad)
        yield* settle
        yield* Process.send(self.pid, "after")
        assert.isFalse(yield* Process.demonitor(ref, { flush: true }))
        const [before, down, after, ...more] = yield* queued(self)
        assert.deepStrictEqual([before, (down as Process.Down).ref, after, more], ["before", other, "after", []])
      })
    ))

  it.effect("MO-012 a second time it does nothing, and says that there was no monitor any more", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const ref = yield* Process.monitor(yield* idle)
        assert.isTrue(yield* Process.demonitor(ref))
        assert.isFalse(yield* Process.demonitor(ref))
        assert.isFalse(yield* Process.demonitor(ref, { flush: true }))
        assert.deepStrictEqual(yield* arrived(self), [])
      })
    ))

  it.effect("MO-013 what is no reference is refused, with its value", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        for (const [value, shown] of [[42, "42"], [null, "null"], [undefined, "undefined"], ["ref", "\"ref\""]]) {
          const reason = yield* downOf(self, yield* Process.spawn(() => Process.demonitor(value as never)))
          const message = `ref: expected what Process.monitor gave, got ${shown}`
          assert.strictEqual(ExitReason.format(reason), `Crashed: TypeError: ${message}`)
        }
      })
    ))
})
