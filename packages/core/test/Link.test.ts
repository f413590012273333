import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { arrived, asProcess, downOf, idle, idleLinked, queued, signal } from "./utils/process.ts"

const bad = ExitReason.custom("bad")

const linksOf = (pid: Process.Pid<never>) => Effect.map(Process.info(pid), (info) => Option.getOrThrow(info).links)

describe("link", () => {
  it.effect("LK-001 the exit of either side reaches the other", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        for (const which of ["linker", "linked"] as const) {
          const linked = yield* idle
          const linker = yield* Process.spawn(() => Effect.andThen(Process.link(linked), Effect.never))
          yield* settle
          const [dying, other] = which === "linker" ? [linker, linked] : [linked, linker]
          yield* Process.monitor(other)
          yield* Process.exit(dying, bad)
          assert.deepStrictEqual(signal(yield* self.receive), ["Down", other, bad])
        }
      })
    ))

  it.effect("LK-003 a link to oneself does nothing", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        assert.isUndefined(yield* Process.link(self.pid))
        assert.deepStrictEqual(yield* linksOf(self.pid), [])
        assert.deepStrictEqual(yield* arrived(self), [])
      })
    ))

  it.effect("LK-004 a link to a process that has ended is an Exit with NoProcess for who traps exits", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const dead = yield* idle
        yield* Process.exit(dead, ExitReason.kill)
        assert.isUndefined(yield* Process.link(dead))
        assert.deepStrictEqual((yield* arrived(self)).map(signal), [["Exit", dead, ExitReason.noProcess]])
      })
    ))

  it.effect("LK-004 each link that is tried again is another Exit", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const dead = yield* idle
        yield* Process.exit(dead, ExitReason.kill)
        yield* Process.link(dead)
        yield* Process.link(dead)
        const exit = ["Exit", dead, ExitReason.noProcess] as const
        assert.deepStrictEqual((yield* arrived(self)).map(signal), [exit, exit])
        assert.deepStrictEqual(yield* linksOf(self.pid), [])
      })
    ))

  it.effect("an exit signal that is trapped, or that Normal makes harmless, leaves the link where it is", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const trapping = yield* Process.spawnLink((own: Process.Self<Process.Exit>) =>
          Effect.andThen(Process.trapExit(true), Effect.forever(own.receive))
        )
        const other = yield* idleLinked
        yield* settle
        yield* Process.exit(trapping, bad)
        yield* Process.exit(other, ExitReason.normal)
        yield* settle
        assert.deepStrictEqual([yield* linksOf(trapping), yield* linksOf(other)], [[self.pid], [self.pid]])
        yield* Process.exit(trapping, ExitReason.kill)
        assert.deepStrictEqual((yield* arrived(self)).map(signal), [["Exit", trapping, ExitReason.killed]])
      })
    ))

  it.effect("a Normal end takes its link along, also where nobody is told of it", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const parent = yield* Process.spawn(() => Effect.andThen(Process.spawnLink(() => Effect.void), Effect.never))
        yield* settle
        assert.deepStrictEqual(yield* linksOf(parent), [])
        assert.isTrue(yield* Process.isAlive(parent))
        void self
      })
    ))

  it.effect("LK-005 a link to a process that has ended fails with NoProcess for who does not", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const dead = yield* idle
        yield* Process.exit(dead, ExitReason.kill)
        const error = yield* Effect.flip(Process.link(dead))
        assert.strictEqual(error._tag, "NoProcess")
      })
    ))

  it.effect("a process that is ending can be linked: its real reason comes when it has ended", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const gate = yield* Deferred.make<void>()
        const ending = yield* Process.spawn(() => Effect.ensuring(Effect.never, Deferred.await(gate)))
        yield* settle
        yield* Process.exit(ending, bad)
        yield* settle
        yield* Process.link(ending)
        assert.deepStrictEqual(yield* arrived(self), [])
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual(signal(yield* self.receive), ["Exit", ending, bad])
      })
    ))

  it.effect("LK-009 who traps exits gets one Exit of each linked process that ends", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const children = yield* Effect.replicateEffect(idleLinked, 5)
        for (const child of children) yield* Process.exit(child, bad)
        assert.sameMembers((yield* arrived(self)).map((exit) => exit.pid), children)
      })
    ))

  it.effect("LK-010 a process that is linked and monitored gives an Exit and a Down", () =>
    asProcess((self: Process.Self<Process.Exit | Process.Down>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const child = yield* idleLinked
        yield* Process.monitor(child)
        yield* Process.exit(child, bad)
        assert.sameDeepMembers((yield* arrived(self)).map(signal), [["Exit", child, bad], ["Down", child, bad]])
      })
    ))

  it.effect("LK-011 info lists links until they are taken away, or the other has ended", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const [a, b, c] = yield* Effect.all([idleLinked, idleLinked, idleLinked])
        assert.sameMembers([...yield* linksOf(self.pid)], [a, b, c])
        assert.deepStrictEqual(yield* linksOf(a), [self.pid])
        yield* Process.unlink(a)
        yield* Process.exit(b, bad)
        yield* self.receive
        assert.deepStrictEqual(yield* linksOf(self.pid), [c])
        assert.deepStrictEqual(yield* linksOf(a), [])
      })
    ))

  it.effect("LK-012 a name cannot be linked: it is refused with its value, and no link is left", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        yield* Process.register("somebody", yield* idle)
        const linker = Process.spawn((own) =>
          Effect.ensuring(
            Process.link("somebody" as never),
            Effect.map(linksOf(own.pid), (links) => assert.deepStrictEqual(links, []))
          )
        )
        const reason = yield* downOf(self, yield* linker)
        assert.strictEqual(ExitReason.format(reason), "Crashed: TypeError: pid: expected a pid, got \"somebody\"")
      })
    ))

  it.effect("LK-013 the end of a parent does not end children that are not linked to it", () =>
    asProcess((self: Process.Self<Process.Pid<never> | Process.Down>) =>
      Effect.gen(function*() {
        const parent = yield* Process.spawn(() =>
          Effect.flatMap(idle, (child) => Effect.andThen(Process.send(self.pid, child), Process.exit(bad)))
        )
        const child = yield* self.receive as Effect.Effect<Process.Pid<never>>
        assert.deepStrictEqual(yield* Process.awaitExit(parent), bad)
        yield* settle
        assert.isTrue(yield* Process.isAlive(child))
      })
    ))

  it.effect("LK-014 spawn links nobody", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const child = yield* idle
        const [other] = yield* Process.spawnMonitor(() => Effect.never)
        assert.deepStrictEqual(yield* linksOf(child), [])
        assert.deepStrictEqual(yield* linksOf(other), [])
        assert.deepStrictEqual(yield* linksOf(self.pid), [])
      })
    ))

  it.effect("LK-016 two processes that link each other have one link: one Exit, and one unlink takes it away", () =>
    asProcess((self: Process.Self<"linked" | Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const linker = Process.spawn(() =>
          Process.link(self.pid).pipe(
            Effect.andThen(Process.send(self.pid, "linked")),
            Effect.andThen(Effect.never)
          )
        )
        const first = yield* linker
        yield* self.receive
        yield* Process.link(first)
        yield* Process.link(first)
        yield* Process.exit(first, bad)
        assert.deepStrictEqual((yield* arrived(self)).map((m) => signal(m as Process.Exit)), [["Exit", first, bad]])
        const second = yield* linker
        yield* self.receive
        yield* Process.link(second)
        yield* Process.unlink(second)
        yield* Process.exit(second, bad)
        assert.deepStrictEqual(yield* arrived(self), [])
      })
    ))

  it.effect("LK-017 when both ends exit at once, who is linked to both gets one Exit of each, with its own reason", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const other = ExitReason.custom("other")
        const a = yield* idleLinked
        const b = yield* Process.spawnLink(() => Effect.andThen(Process.link(a), Effect.never))
        yield* settle
        yield* Process.exit(a, bad)
        yield* Process.exit(b, other)
        assert.sameDeepMembers((yield* arrived(self)).map(signal), [["Exit", a, bad], ["Exit", b, other]])
      })
    ))

  it.effect("EX-009 whose link was killed ends as by any other reason: others are told when its finalizers have run", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const victim = yield* idle
        const linked = yield* Process.spawn(() =>
          Effect.ensuring(Effect.andThen(Process.link(victim), Effect.never), Deferred.await(gate))
        )
        yield* settle
        yield* Process.monitor(linked)
        yield* Process.exit(victim, ExitReason.kill)
        assert.deepStrictEqual(yield* arrived(self), [])
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual(signal(yield* self.receive), ["Down", linked, ExitReason.killed])
      })
    ))

  it.effect("PR-012 Killed that is sent is a reason like any other: it does not overtake the first one", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const ending = yield* Process.spawn(() => Effect.ensuring(Effect.never, Deferred.await(gate)))
        yield* settle
        yield* Process.monitor(ending)
        yield* Process.exit(ending, bad)
        yield* Process.exit(ending, ExitReason.killed)
        assert.deepStrictEqual(yield* arrived(self), [])
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual(signal(yield* self.receive), ["Down", ending, bad])
      })
    ))

  it.effect("who is linked by the finalizer of a process that was killed ends with it", () =>
    asProcess((self: Process.Self<Process.Pid<never> | Process.Exit>) =>
      Effect.gen(function*() {
        const other = yield* idle
        const victim = yield* Process.spawn(() =>
          Effect.onInterrupt(Effect.never, () =>
            Process.link(other).pipe(
              Effect.ignore,
              Effect.andThen(Effect.flatMap(idleLinked, (child) => Process.send(self.pid, child)))
            ))
        )
        yield* settle
        yield* Process.exit(victim, ExitReason.kill)
        const child = yield* self.receive as Effect.Effect<Process.Pid<never>>
        assert.deepStrictEqual(yield* Process.awaitExit(other), ExitReason.killed)
        assert.deepStrictEqual(yield* Process.awaitExit(child), ExitReason.killed)
      })
    ))
})

describe("unlink", () => {
  it.effect("LK-006 no Exit comes any more, but one that is queued stays", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const [a, b] = yield* Effect.all([idleLinked, idleLinked])
        yield* Process.exit(a, bad)
        yield* settle
        yield* Process.unlink(a)
        yield* Process.unlink(b)
        yield* Process.exit(b, bad)
        assert.deepStrictEqual((yield* arrived(self)).map(signal), [["Exit", a, bad]])
      })
    ))

  it.effect("LK-006 who is unlinked before the other ends is not ended with it", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const child = yield* Process.spawnLink(() => Effect.ensuring(Effect.never, Deferred.await(gate)))
        yield* settle
        yield* Process.monitor(child)
        yield* Process.exit(child, bad)
        yield* Process.unlink(child)
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual((yield* self.receive).reason, bad)
      })
    ))

  it.effect("LK-006 either side may take the link away", () =>
    asProcess((self: Process.Self<"unlinked" | Process.Exit | Process.Down>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const child = yield* Process.spawnLink((own: Process.Self<"end">) =>
          Process.unlink(self.pid).pipe(
            Effect.andThen(Process.send(self.pid, "unlinked")),
            Effect.andThen(own.receive),
            Effect.andThen(Process.exit(bad))
          )
        )
        yield* Process.monitor(child)
        assert.deepStrictEqual(yield* arrived(self), ["unlinked"])
        yield* Process.send(child, "end")
        assert.deepStrictEqual((yield* arrived(self)).map((m) => signal(m as Process.Down)), [["Down", child, bad]])
      })
    ))

  it.effect("LK-007 without a link, or of a process that has ended, it does nothing", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const other = yield* idle
        assert.isUndefined(yield* Process.unlink(other))
        yield* Process.exit(other, ExitReason.kill)
        assert.isUndefined(yield* Process.unlink(other))
      })
    ))

  it.effect("LK-008 after unlink an Exit that is queued is taken with a receive that does not wait", () =>
    asProcess((self: Process.Self<"other" | Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const child = yield* Process.spawnLink(() => Process.exit(bad))
        yield* settle
        yield* Process.send(self.pid, "other")
        yield* Process.unlink(child)
        yield* self.receiveMatch((m) => Process.isExit(m) && m.pid === child, { after: 0 })
        assert.deepStrictEqual(yield* queued(self), ["other"])
      })
    ))

  it.effect("LK-015 a process that was linked once can still be monitored", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const child = yield* idleLinked
        yield* Process.unlink(child)
        yield* Process.monitor(child)
        yield* Process.exit(child, bad)
        assert.deepStrictEqual(signal(yield* self.receive), ["Down", child, bad])
      })
    ))
})
