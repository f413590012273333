import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import { CurrentLogAnnotations } from "effect/References"
import { arrived, asProcess, downOf, idle, idleLinked, inNode, queued, signal } from "./utils/process.ts"

const bad = ExitReason.custom("bad")
const every: ReadonlyArray<ExitReason.ExitReason> = [
  ExitReason.normal,
  ExitReason.shutdown(),
  ExitReason.shutdown("deploy"),
  ExitReason.kill,
  ExitReason.killed,
  ExitReason.noProcess,
  ExitReason.noConnection,
  ExitReason.crashed(Cause.die("boom")),
  bad
]

/** A process that answers every message, as long as it lives. */
const echo = (to: Process.Pid<"alive">) =>
  Process.spawn((own: Process.Self<"ping">) => Effect.forever(Effect.andThen(own.receive, Process.send(to, "alive"))))

/** A process that traps exits, and tells what it gets. */
const trapper = Effect.fnUntraced(function*(to: Process.Pid<Process.Exit["reason"]>) {
  const pid = yield* Process.spawn((own: Process.Self<Process.Exit>) =>
    Effect.andThen(
      Process.trapExit(true),
      Effect.forever(Effect.flatMap(own.receive, (exit) => Process.send(to, exit.reason)))
    )
  )
  yield* settle
  return pid
})

describe("exit of another", () => {
  it.effect("EX-001 Normal, sent to a process that does not trap exits, is ignored", () =>
    asProcess((self: Process.Self<"alive">) =>
      Effect.gen(function*() {
        const pid = yield* echo(self.pid)
        yield* Process.exit(pid, ExitReason.normal)
        yield* settle
        assert.isTrue(yield* Process.isAlive(pid))
        yield* Process.send(pid, "ping")
        assert.deepStrictEqual(yield* arrived(self), ["alive"])
      })
    ))

  it.effect("EX-005 Normal, sent to a process that traps exits, is a message", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const sender = yield* Process.spawn(() => Process.exit(self.pid, ExitReason.normal))
        assert.deepStrictEqual(signal(yield* self.receive), ["Exit", sender, ExitReason.normal])
      })
    ))

  it.effect("EX-006 kill is untrappable and is seen as killed", () =>
    asProcess((self: Process.Self<ExitReason.ExitReason | Process.Exit | Process.Down>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const victim = yield* trapper(self.pid)
        yield* Process.link(victim)
        yield* Process.monitor(victim)
        yield* Process.exit(victim, ExitReason.kill)
        const signals = (yield* arrived(self)) as ReadonlyArray<Process.Exit | Process.Down>
        assert.sameDeepMembers(signals.map(signal), [
          ["Exit", victim, ExitReason.killed],
          ["Down", victim, ExitReason.killed]
        ])
      })
    ))

  it.effect("EX-006 a process that is ending is killed, too, and is seen as killed", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const victim = yield* Process.spawn(() => Effect.ensuring(Effect.never, Effect.never))
        yield* settle
        yield* Process.monitor(victim)
        yield* Process.exit(victim, bad)
        assert.deepStrictEqual(yield* arrived(self), [])
        yield* Process.exit(victim, ExitReason.kill)
        assert.deepStrictEqual((yield* self.receive).reason, ExitReason.killed)
      })
    ))

  it.effect("EX-009 the links of a killed process get killed, which can be trapped", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const victim = yield* idleLinked
        yield* Process.exit(victim, ExitReason.kill)
        assert.deepStrictEqual(signal(yield* self.receive), ["Exit", victim, ExitReason.killed])
      })
    ))

  it.effect("EX-009 a process that is linked to a killed one and does not trap exits ends killed", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const victim = yield* idle
        const linked = yield* Process.spawn(() => Effect.andThen(Process.link(victim), Effect.never))
        yield* settle
        yield* Process.exit(victim, ExitReason.kill)
        assert.isFalse(yield* Process.isAlive(linked))
        assert.deepStrictEqual(yield* Process.awaitExit(linked), ExitReason.killed)
        void self
      })
    ))

  for (const how of ["sent", "of a link"] as const) {
    it.effect(`EX-009 killed, ${how}, is a reason like any other: finalizers run before anybody is told`, () =>
      asProcess((self: Process.Self<string | Process.Down>) =>
        Effect.gen(function*() {
          const linked = yield* idle
          const [victim] = yield* Process.spawnMonitor(() =>
            Effect.andThen(
              Process.link(linked),
              Effect.onInterrupt(Effect.never, () => Process.send(self.pid, "released"))
            )
          )
          yield* settle
          if (how === "sent") yield* Process.exit(victim, ExitReason.killed)
          else yield* Process.exit(linked, ExitReason.kill)
          assert.deepStrictEqual((yield* arrived(self)).map((m) => typeof m === "string" ? m : m.reason), [
            "released",
            ExitReason.killed
          ])
        })
      ))
  }

  it.effect("EX-011 to a process that has ended nothing happens", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const dead = yield* idle
        yield* Process.exit(dead, bad)
        yield* Process.awaitExit(dead)
        for (const reason of every) assert.isUndefined(yield* Process.exit(dead, reason))
        assert.deepStrictEqual(yield* Process.awaitExit(dead), bad)
      })
    ))

  it.effect("EX-012 what is no process is refused, with its value", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        for (const [value, shown] of [[42, "42"], [null, "null"], [undefined, "undefined"], [{ a: 1 }, "{\"a\":1}"]]) {
          const reason = yield* downOf(self, yield* Process.spawn(() => Process.exit(value as never, bad)))
          const message = `target: expected a pid, a name or a via, got ${shown}`
          assert.strictEqual(ExitReason.format(reason), `Crashed: TypeError: ${message}`)
        }
      })
    ))

  it.effect("what is no ExitReason is refused, with its value, and touches nobody", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const other = yield* idle
        for (
          const [value, shown] of [["bad", "\"bad\""], [undefined, "undefined"], [
            { _tag: "Bad" },
            "{\"_tag\":\"Bad\"}"
          ]]
        ) {
          for (const exit of [Process.exit(other, value as never), Process.exit(value as never)]) {
            const reason = yield* downOf(self, yield* Process.spawn(() => exit))
            assert.strictEqual(
              ExitReason.format(reason),
              `Crashed: TypeError: reason: expected an ExitReason, got ${shown}`
            )
          }
        }
        yield* settle
        assert.isTrue(yield* Process.isAlive(other))
      })
    ))

  it.effect("EX-012 a name that nobody holds is refused, too", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const reason = yield* downOf(self, yield* Process.spawn(() => Process.exit("nobody", bad)))
        assert.match(ExitReason.format(reason), /cannot exit nobody: no process is registered/)
      })
    ))

  it.effect("EX-013 exit returns before the other has ended", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const victim = yield* Process.spawn(() => Effect.ensuring(Effect.never, Deferred.await(gate)))
        yield* settle
        yield* Process.monitor(victim)
        yield* Process.exit(victim, bad)
        assert.deepStrictEqual(yield* arrived(self), [])
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual((yield* self.receive).reason, bad)
      })
    ))

  it.effect("EX-017 an Exit names who died, or who sent it, linked or not", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const child = yield* Process.spawnLink(() => Process.exit(bad))
        assert.deepStrictEqual(signal(yield* self.receive), ["Exit", child, bad])
        const stranger = yield* Process.spawn(() => Effect.andThen(Process.exit(self.pid, bad), Effect.never))
        assert.deepStrictEqual(signal(yield* self.receive), ["Exit", stranger, bad])
        assert.isTrue(yield* Process.isAlive(stranger))
      })
    ))

  it.effect("EX-017 who sends from outside of all processes is #PID<0.0.0>", () =>
    inNode(Effect.gen(function*() {
      const sender = yield* Deferred.make<string>()
      const pid = yield* Process.spawn((self: Process.Self<Process.Exit>) =>
        Effect.andThen(
          Process.trapExit(true),
          Effect.flatMap(self.receive, (exit) => Deferred.succeed(sender, `${exit.pid}`))
        )
      )
      yield* settle
      yield* Process.exit(pid, bad)
      assert.strictEqual(yield* Deferred.await(sender), "#PID<0.0.0>")
    })))
})

describe("exit of oneself", () => {
  it.effect("EX-002 Normal, sent to oneself without trapping exits, ends the process", () =>
    asProcess((self: Process.Self<"gone on" | Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const child = yield* Process.spawnLink((own) =>
          Effect.andThen(Process.exit(own.pid, ExitReason.normal), Process.send(self.pid, "gone on"))
        )
        const [exit, ...more] = yield* arrived(self)
        assert.deepStrictEqual(signal(exit as Process.Exit), ["Exit", child, ExitReason.normal])
        assert.deepStrictEqual(more, [])
      })
    ))

  it.effect("EX-002 by its name a process sends to itself, too", () =>
    asProcess((self: Process.Self<"gone on" | Process.Down>) =>
      Effect.gen(function*() {
        const [child] = yield* Process.spawnMonitor((own) =>
          Process.register("own", own.pid).pipe(
            Effect.andThen(Process.exit("own", ExitReason.normal)),
            Effect.andThen(Process.send(self.pid, "gone on"))
          )
        )
        const messages = yield* arrived(self)
        assert.deepStrictEqual(messages.map((m) => m === "gone on" ? m : signal(m)), [[
          "Down",
          child,
          ExitReason.normal
        ]])
      })
    ))

  it.effect("EX-003 a signal to oneself ends the process with its reason, and no catch sees it", () =>
    asProcess((self: Process.Self<"caught" | Process.Down>) =>
      Effect.gen(function*() {
        yield* Process.spawnMonitor((own) =>
          Process.exit(own.pid, bad).pipe(
            Effect.catchCause(() => Process.send(self.pid, "caught")),
            Effect.andThen(Process.send(self.pid, "caught"))
          )
        )
        const [down, ...more] = yield* arrived(self)
        assert.deepStrictEqual((down as Process.Down).reason, bad)
        assert.deepStrictEqual(more, [])
      })
    ))

  it.effect("EX-003 it does so from any fiber of the process", () =>
    asProcess((self: Process.Self<"gone on" | Process.Down>) =>
      Effect.gen(function*() {
        const exits = [
          (_: Process.Pid<never>) => Process.exit(bad),
          (own: Process.Pid<never>) => Process.exit(own, bad)
        ]
        for (const exit of exits) {
          const [child] = yield* Process.spawnMonitor((own) =>
            Effect.andThen(
              Effect.forkChild(Effect.andThen(exit(own.pid), Process.send(self.pid, "gone on"))),
              Effect.never
            )
          )
          const messages = yield* arrived(self)
          assert.deepStrictEqual(messages.map((m) => m === "gone on" ? m : signal(m)), [["Down", child, bad]])
        }
      })
    ))

  it.effect("EX-004 a signal to oneself while trapping exits is a message, and the process goes on", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        for (const reason of [bad, ExitReason.normal]) {
          yield* Process.exit(self.pid, reason)
          assert.deepStrictEqual(signal(yield* self.receive), ["Exit", self.pid, reason])
        }
      })
    ))

  it.effect("EX-007 a process that ends itself with kill tells its links a plain kill, which can be trapped", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const child = yield* Process.spawnLink(() => Process.exit(ExitReason.kill))
        assert.deepStrictEqual(signal(yield* self.receive), ["Exit", child, ExitReason.kill])
      })
    ))

  it.effect("EX-007 who monitors a process that ends itself with kill is told kill, not killed", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const [child] = yield* Process.spawnMonitor(() => Process.exit(ExitReason.kill))
        assert.deepStrictEqual((yield* arrived(self)).map(signal), [["Down", child, ExitReason.kill]])
      })
    ))

  it.effect("EX-008 who is linked to a process that ends itself with kill ends with kill, not killed", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        yield* Process.spawnMonitor(() =>
          Effect.andThen(Process.spawnLink(() => Process.exit(ExitReason.kill)), Effect.never)
        )
        assert.deepStrictEqual((yield* self.receive).reason, ExitReason.kill)
      })
    ))

  it.effect("EX-010 kill, sent to oneself, ends a process that traps exits: killed", () =>
    asProcess((self: Process.Self<"gone on" | Process.Down>) =>
      Effect.gen(function*() {
        yield* Process.spawnMonitor((own: Process.Self<Process.Exit>) =>
          Process.trapExit(true).pipe(
            Effect.andThen(Process.exit(own.pid, ExitReason.kill)),
            Effect.andThen(Process.send(self.pid, "gone on"))
          )
        )
        const [down, ...more] = yield* arrived(self)
        assert.deepStrictEqual((down as Process.Down).reason, ExitReason.killed)
        assert.deepStrictEqual(more, [])
      })
    ))

  it.effect("EX-029 a failure, a defect and an exit of oneself are three things: catch sees only the first", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const body = (effect: Effect.Effect<void, string, Process.Current>) =>
          Process.spawnMonitor(() => Effect.catch(effect, (error) => Process.send(self.pid, `caught ${error}`)))
        yield* body(Effect.fail("failure"))
        assert.deepStrictEqual((yield* arrived(self)).map((m) => typeof m === "string" ? m : m.reason), [
          "caught failure",
          ExitReason.normal
        ])
        yield* body(Effect.die("defect"))
        assert.deepStrictEqual((yield* arrived(self)).map((m) => typeof m === "string" ? m : m.reason._tag), [
          "Crashed"
        ])
        yield* body(Process.exit(bad))
        assert.deepStrictEqual((yield* arrived(self)).map((m) => typeof m === "string" ? m : m.reason), [bad])
      })
    ))

  it.effect("EX-022 what is caught inside a process never reaches its links", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const child = yield* Process.spawnLink(() => Effect.catchDefect(Effect.die("boom"), () => Effect.never))
        assert.deepStrictEqual(yield* arrived(self), [])
        assert.isTrue(yield* Process.isAlive(child))
      })
    ))
})

describe("trapping", () => {
  it.effect("EX-014 trapExit gives what it was before", () =>
    asProcess((_: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        assert.isFalse(yield* Process.trapExit(true))
        assert.isTrue(yield* Process.trapExit(true))
        assert.isTrue(yield* Process.trapExit(false))
        assert.isFalse(yield* Process.trapExit(false))
      })
    ))

  it.effect("trapExit refuses what is neither true nor false, and leaves everything as it was", () =>
    asProcess((self: Process.Self<boolean | Process.Down>) =>
      Effect.gen(function*() {
        const child = yield* Process.spawn((_: Process.Self<Process.Exit>) =>
          Effect.catchDefect(Process.trapExit("maybe" as never), (defect) =>
            Effect.flatMap(Process.trapExit(false), (before) =>
              Effect.andThen(Process.send(self.pid, before), Effect.die(defect))))
        )
        const reason = yield* downOf(self, child)
        assert.strictEqual(ExitReason.format(reason), "Crashed: TypeError: trap: expected true or false, got \"maybe\"")
        assert.deepStrictEqual(yield* queued(self), [false])
      })
    ))

  it.effect("EX-015 a process that is ended before its first turn never traps, and never runs", () =>
    asProcess((self: Process.Self<"ran" | Process.Down>) =>
      Effect.gen(function*() {
        const [child] = yield* Process.spawnMonitor((_: Process.Self<Process.Exit>) =>
          Effect.andThen(Process.trapExit(true), Process.send(self.pid, "ran"))
        )
        yield* Process.exit(child, bad)
        const messages = yield* arrived(self)
        assert.deepStrictEqual(messages.map((m) => m === "ran" ? m : signal(m)), [["Down", child, bad]])
      })
    ))

  it.effect("EX-015 whether a signal is trapped is decided when it arrives: trapping later saves nobody", () =>
    asProcess((self: Process.Self<"ready" | "saved" | Process.Down>) =>
      Effect.gen(function*() {
        const victim = yield* Process.spawn((own: Process.Self<"trap" | Process.Exit>) =>
          Process.send(self.pid, "ready").pipe(
            Effect.andThen(own.receive),
            Effect.andThen(Process.trapExit(true)),
            Effect.andThen(Process.send(self.pid, "saved")),
            Effect.andThen(Effect.never)
          )
        )
        assert.strictEqual(yield* self.receive, "ready")
        yield* Process.monitor(victim)
        yield* Process.exit(victim, bad)
        yield* Process.send(victim, "trap")
        assert.deepStrictEqual((yield* arrived(self)).map((m) => typeof m === "string" ? m : m.reason), [bad])
      })
    ))

  it.effect("EX-015 an Exit that is queued stays when trapping ends", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const child = yield* Process.spawnLink(() => Process.exit(bad))
        yield* settle
        yield* Process.trapExit(false)
        assert.deepStrictEqual(signal(yield* self.receive), ["Exit", child, bad])
      })
    ))

  it.effect("who traps exits no more ignores the Normal end of a link, and ends with any other", () =>
    asProcess((self: Process.Self<"nothing" | Process.Down>) =>
      Effect.gen(function*() {
        const [pid] = yield* Process.spawnMonitor((own: Process.Self<Process.Exit>) =>
          Effect.gen(function*() {
            yield* Process.trapExit(true)
            yield* Process.trapExit(false)
            yield* Process.awaitExit(yield* Process.spawnLink(() => Effect.void))
            const left = yield* queued(own)
            if (left.length === 0) yield* Process.send(self.pid, "nothing")
            yield* Process.spawnLink(() => Process.exit(bad))
            return yield* Effect.never
          })
        )
        const [nothing, down] = yield* arrived(self)
        assert.deepStrictEqual([nothing, signal(down as Process.Down)], ["nothing", ["Down", pid, bad]])
      })
    ))

  it.effect("EX-016 a trapped exit is a message like any other: it is received selectively, or left", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const first = yield* Process.spawnLink(() => Process.exit(bad))
        const second = yield* Process.spawnLink(() => Process.exit(bad))
        yield* settle
        assert.strictEqual((yield* self.receiveMatch((exit) => exit.pid === second)).pid, second)
        assert.deepStrictEqual((yield* queued(self)).map(signal), [["Exit", first, bad]])
      })
    ))

  it.effect("EX-019 Normal is the only reason that a link ignores where exits are not trapped", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        for (const reason of every) {
          const child = yield* Deferred.make<void>()
          const parent = yield* Process.spawn(() =>
            Effect.andThen(
              Process.spawnLink(() => Effect.ensuring(Process.exit(reason), Deferred.succeed(child, undefined))),
              Effect.never
            )
          )
          yield* Deferred.await(child)
          yield* settle
          assert.strictEqual(yield* Process.isAlive(parent), reason._tag === "Normal", reason._tag)
          if (reason._tag === "Normal") continue
          assert.strictEqual(yield* Process.awaitExit(parent), reason)
        }
        void self
      })
    ))

  it.effect("EX-020 who traps exits gets the Normal end of a linked process, too", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const child = yield* Process.spawnLink(() => Effect.void)
        assert.deepStrictEqual(signal(yield* self.receive), ["Exit", child, ExitReason.normal])
      })
    ))

  it.effect("EX-021 a reason travels unchanged along a chain of links", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const reason = ExitReason.custom({ deep: "deep" })
        const child = yield* Process.spawnLink(() =>
          Effect.andThen(
            Process.spawnLink(() => Effect.andThen(Process.spawnLink(() => Process.exit(reason)), Effect.never)),
            Effect.never
          )
        )
        assert.deepStrictEqual(signal(yield* self.receive), ["Exit", child, reason])
      })
    ))
})

describe("what an end does", () => {
  it.effect("EX-026 the name is free, links and monitors are told, and timers to it are gone", () =>
    asProcess((self: Process.Self<Process.Exit | Process.Down>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const victim = yield* idleLinked
        yield* Process.register("victim", victim)
        yield* Process.monitor(victim)
        const timer = yield* Process.sendAfter(victim as Process.Pid<string>, "late", "1 second")
        yield* Process.exit(victim, bad)
        for (let i = 0; i < 2; i++) {
          assert.deepStrictEqual((yield* self.receive).reason, bad)
          assert.deepStrictEqual(yield* Process.whereis("victim"), Option.none())
          assert.deepStrictEqual(yield* Process.readTimer(timer), Option.none())
        }
      })
    ))

  it.effect("EX-027 who asks later is told only that there is no such process", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const [pid] = yield* Process.spawnMonitor(() => Process.exit(bad))
        assert.deepStrictEqual((yield* self.receive).reason, bad)
        yield* Process.monitor(pid)
        assert.deepStrictEqual((yield* self.receive).reason, ExitReason.noProcess)
      })
    ))

  it.effect("EX-028 finalizers run when a signal ends a process, and before anybody is told of the end", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const victim = yield* Process.spawn(() =>
          Effect.scoped(
            Effect.andThen(Effect.addFinalizer(() => Process.send(self.pid, "finalized")), Effect.never)
          ).pipe(Effect.andThen(Process.send(self.pid, "gone on")))
        )
        yield* settle
        yield* Process.monitor(victim)
        yield* Process.exit(victim, bad)
        assert.deepStrictEqual((yield* arrived(self)).map((m) => typeof m === "string" ? m : m.reason), [
          "finalized",
          bad
        ])
      })
    ))

  it.effect("EX-025 only an abnormal end of its own is reported", () => {
    const reports: Array<{ readonly message: any; readonly report: object; readonly cause: Cause.Cause<unknown> }> = []
    const logger = Logger.make(({ cause, fiber, message }) =>
      void reports.push({ cause, message, report: fiber.getRef(CurrentLogAnnotations) })
    )
    return asProcess(() =>
      Effect.gen(function*() {
        const end = (effect: Effect.Effect<unknown, unknown, Process.Current>) =>
          Effect.flatMap(Process.spawn(() => effect, { label: "job" }), Process.awaitExit)
        yield* end(Effect.void)
        yield* end(Process.exit(ExitReason.shutdown()))
        yield* end(Process.exit(ExitReason.shutdown("deploy")))
        yield* end(Effect.interrupt)
        const victim = yield* idle
        yield* Process.exit(victim, ExitReason.crashed(Cause.die("of another")))
        yield* Process.awaitExit(victim)
        assert.deepStrictEqual(reports, [])
        yield* end(Effect.die("boom"))
        assert.strictEqual(reports.length, 1)
        const { message: [title], report } = reports[0]!
        assert.match(title, /^process job #PID<0\.\d+\.0> crashed: "boom"$/)
        assert.deepInclude(report, { label: "job", reason: `Crashed: "boom"`, mailboxLength: 0 })
        assert.strictEqual(Cause.squash(reports[0]!.cause), "boom")
      })
    ).pipe(Effect.provide(Logger.layer([logger])))
  })
})

describe("ExitReason", () => {
  it("is abnormal unless it is Normal or Shutdown", () => {
    assert.deepStrictEqual(every.filter((reason) => !ExitReason.isAbnormal(reason)), [
      ExitReason.normal,
      ExitReason.shutdown(),
      ExitReason.shutdown("deploy")
    ])
  })

  it("has a guard for each kind, and each guard is true for one", () => {
    const guards = [
      ExitReason.isNormal,
      ExitReason.isShutdown,
      ExitReason.isKill,
      ExitReason.isKilled,
      ExitReason.isNoProcess,
      ExitReason.isNoConnection,
      ExitReason.isCrashed,
      ExitReason.isCustom
    ]
    for (const reason of every) assert.strictEqual(guards.filter((guard) => guard(reason)).length, 1, reason._tag)
    assert.deepStrictEqual(guards.map((guard) => every.filter(guard).length), [1, 2, 1, 1, 1, 1, 1, 1])
  })

  it("PR-026 is compared by structure", () => {
    assert.isTrue(Equal.equals(ExitReason.custom({ a: [1] }), ExitReason.custom({ a: [1] })))
    assert.isFalse(Equal.equals(ExitReason.custom({ a: [1] }), ExitReason.custom({ a: [2] })))
    assert.isTrue(Equal.equals(ExitReason.shutdown(), ExitReason.shutdown(undefined)))
    assert.isFalse(Equal.equals(ExitReason.shutdown(), ExitReason.shutdown("deploy")))
  })

  it("comes from the Exit of a body", () => {
    const of = ExitReason.fromExit
    assert.deepStrictEqual(of(Exit.succeed(1)), ExitReason.normal)
    assert.deepStrictEqual(of(Exit.fail("no")), ExitReason.crashed(Cause.fail("no")))
    assert.deepStrictEqual(of(Exit.die("boom")), ExitReason.crashed(Cause.die("boom")))
    assert.deepStrictEqual(of(Exit.interrupt(1)), ExitReason.shutdown())
    const both = Cause.combine(Cause.interrupt(1), Cause.die("in a finalizer"))
    assert.deepStrictEqual(of(Exit.failCause(both)), ExitReason.crashed(both))
  })

  it("prints in one line", () => {
    assert.deepStrictEqual(every.map(ExitReason.format), [
      "Normal",
      "Shutdown",
      "Shutdown: \"deploy\"",
      "Kill",
      "Killed",
      "NoProcess",
      "NoConnection",
      "Crashed: \"boom\"",
      "\"bad\""
    ])
    assert.strictEqual(ExitReason.format(ExitReason.crashed(Cause.die(new TypeError("no")))), "Crashed: TypeError: no")
  })
})
