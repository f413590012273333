import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Name from "@effect-otp/core/Name"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import { arrived, asProcess, downOf, idle, queued, signal } from "./utils/process.ts"

const bad = ExitReason.custom("bad")

interface Watched {
  readonly pid: Process.Pid<never>
  readonly tell: (told: string) => Effect.Effect<void>
}

class Watch extends GenServer.Service<Watch>()("Watch", []) {
  static readonly server = this.implement({
    init: (watched: Watched) => Effect.as(Process.monitor(watched.pid, { tag: "WorkerGone" }), watched),
    handlers: {},
    info: (watched: Watched, { _tag, reason, target }: Process.Down<"WorkerGone">) =>
      Effect.as(watched.tell(`${_tag} ${target} ${ExitReason.format(reason)}`), Step.noReply(watched))
  })
}

describe("monitor", () => {
  it.effect("MO-002 a process that has ended gives a Down with NoProcess at once, and never fails", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const dead = yield* idle
        yield* Process.exit(dead, ExitReason.kill)
        const ref = yield* Process.monitor(dead)
        const downs = yield* queued(self)
        assert.deepStrictEqual(downs.map(signal), [["Down", dead, ExitReason.noProcess]])
        assert.strictEqual(downs[0]!.ref, ref)
      })
    ))

  it.effect("MO-002 a name that nobody holds does so, too", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const ref = yield* Process.monitor("nobody")
        const downs = yield* queued(self)
        assert.deepStrictEqual(downs.map(signal), [["Down", "nobody", ExitReason.noProcess]])
        assert.strictEqual(downs[0]!.ref, ref)
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
        assert.isFalse(Equal.equals(refs[0], refs[1]))
        assert.isTrue(Equal.equals(refs[0], refs[0]))
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
        assert.deepStrictEqual(Option.getOrThrow(yield* Process.info(self.pid)).monitoredBy, [])
        assert.isFalse(yield* Process.demonitor(ref, { info: true }))
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

  it.effect("MO-017 info lists who monitors whom, until it is demonitored or one of them has ended", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const monitors = Effect.map(Process.info(self.pid), (info) => Option.getOrThrow(info).monitors)
        const monitoredBy = (pid: Process.Pid<never>) =>
          Effect.map(Process.info(pid), (info) => Option.getOrThrow(info).monitoredBy)
        const [a, b, c] = yield* Effect.all([idle, idle, idle])
        const ref = yield* Process.monitor(a)
        yield* Process.monitor(b)
        yield* Process.monitor(c)
        assert.sameMembers([...yield* monitors], [a, b, c])
        for (const pid of [a, b, c]) assert.deepStrictEqual(yield* monitoredBy(pid), [self.pid])
        assert.deepStrictEqual(yield* monitoredBy(self.pid), [])
        // after demonitor
        yield* Process.demonitor(ref)
        assert.sameMembers([...yield* monitors], [b, c])
        assert.deepStrictEqual(yield* monitoredBy(a), [])
        // after the death of who is watched
        yield* Process.exit(b, bad)
        yield* Process.exit(c, ExitReason.kill)
        yield* arrived(self)
        assert.deepStrictEqual(yield* monitors, [])
        // after the death of who watches
        const watcher = yield* Process.spawn((_: Process.Self<Process.Down>) =>
          Effect.andThen(Effect.andThen(Process.monitor(a), Process.monitor(a)), Effect.never)
        )
        yield* settle
        assert.deepStrictEqual(yield* monitoredBy(a), [watcher, watcher])
        yield* Process.exit(watcher, bad)
        yield* settle
        assert.deepStrictEqual(yield* monitoredBy(a), [])
      })
    ))

  it.effect("MO-017 who only waits for the end of a process does not monitor it", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const pid = yield* idle
        yield* Effect.forkChild(Process.awaitExit(pid))
        yield* Process.sendAfter(pid as Process.Pid<string>, "later", "1 second")
        yield* settle
        assert.deepStrictEqual(Option.getOrThrow(yield* Process.info(pid)).monitoredBy, [])
      })
    ))

  it.effect("MO-018 with a tag that is the tag of the message, and isDown knows it", () =>
    asProcess((self: Process.Self<Process.Down | Process.Down<"WorkerGone">>) =>
      Effect.gen(function*() {
        const pid = yield* idle
        const tagged = yield* Process.monitor(pid, { tag: "WorkerGone" })
        const plain = yield* Process.monitor(pid, {})
        yield* Process.exit(pid, bad)
        const downs = yield* arrived(self)
        assert.sameDeepMembers(
          downs.map(({ _tag, reason, ref, target }) => [_tag, ref, target, reason]),
          [["WorkerGone", tagged, pid, bad], ["Down", plain, pid, bad]]
        )
        assert.deepStrictEqual(downs.map(Process.isDown), [true, true])
      })
    ))

  it.effect("MO-018 with a tag, too, NoProcess comes at once, and flush takes the message away", () =>
    asProcess((self: Process.Self<Process.Down<"Gone">>) =>
      Effect.gen(function*() {
        const refs = [
          yield* Process.monitor("nobody", { tag: "Gone" }),
          yield* Process.monitor("nobody", { tag: "Gone" })
        ]
        yield* Process.demonitor(refs[0]!, { flush: true })
        const [down, ...more] = yield* queued(self)
        assert.deepStrictEqual([down!._tag, down!.target, down!.reason], ["Gone", "nobody", ExitReason.noProcess])
        assert.strictEqual(down!.ref, refs[1])
        assert.deepStrictEqual(more, [])
      })
    ))

  it.effect("MO-018 a monitor that is an alias may have a tag, too", () =>
    asProcess((self: Process.Self<string | Process.Down<"Gone">>) =>
      Effect.gen(function*() {
        const ref = yield* Process.monitor("nobody", { tag: "Gone", alias: "explicitUnalias", self })
        const [down] = yield* queued(self)
        assert.deepStrictEqual(Process.isDown(down) && [down._tag, down.ref], ["Gone", ref])
      })
    ))

  it.effect("MO-018 a server gets it in its info", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const pid = yield* idle
        yield* Watch.server.start({ pid, tell: (told) => Process.send(self.pid, told) })
        yield* Process.exit(pid, bad)
        assert.strictEqual(yield* self.receive, `WorkerGone ${pid} "bad"`)
      })
    ))

  it.effect("MO-022 an unknown option or mode is refused by name", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const pid = yield* idle
        for (
          const [options, message] of [
            [{ tags: "Gone" }, `option: expected "tag" or "alias" or "self", got "tags"`],
            [
              { alias: "reply_demonitor", self },
              `alias: expected "explicitUnalias" or "demonitor" or "replyDemonitor", got "reply_demonitor"`
            ],
            [{ alias: true, self }, `alias: expected "explicitUnalias" or "demonitor" or "replyDemonitor", got true`],
            [{ alias: "demonitor" }, "self: expected the Process.Self of %, got undefined"],
            [{ alias: "demonitor", self }, `self: expected the Process.Self of %, got ${self.pid}`],
            [{ tag: "" }, `tag: expected a string that is not empty, got ""`],
            [{ tag: 1 }, "tag: expected a string that is not empty, got 1"],
            [null, "options: expected an object, got null"],
            ["Gone", `options: expected an object, got "Gone"`]
          ] as ReadonlyArray<readonly [unknown, string]>
        ) {
          const watcher = yield* Process.spawn((_: Process.Self<Process.Down>) =>
            Process.monitor(pid, options as { readonly tag?: "Down" })
          )
          const expected = message.replace("%", String(watcher))
          assert.strictEqual(ExitReason.format(yield* downOf(self, watcher)), `Crashed: TypeError: ${expected}`)
        }
        assert.deepStrictEqual(Option.getOrThrow(yield* Process.info(pid)).monitoredBy, [])
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
        assert.deepStrictEqual(yield* Process.whereis("role"), Option.none())
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
        assert.isTrue(yield* Process.demonitor(ref))
        assert.isFalse(yield* Process.demonitor(ref, { info: true }))
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
        assert.isTrue(yield* Process.demonitor(ref, { flush: true }))
        const [before, down, after, ...more] = yield* queued(self)
        assert.deepStrictEqual([before, (down as Process.Down).ref, after, more], ["before", other, "after", []])
      })
    ))

  it.effect("MO-012 a second time, or of a monitor that has told its Down, it gives true and does nothing", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const pid = yield* idle
        const [ref, told] = [yield* Process.monitor(pid), yield* Process.monitor("nobody")]
        assert.strictEqual((yield* self.receive).ref, told)
        for (const each of [ref, ref, told]) {
          assert.isTrue(yield* Process.demonitor(each))
          assert.isTrue(yield* Process.demonitor(each, { flush: true }))
        }
        yield* Process.exit(pid, bad)
        assert.deepStrictEqual(yield* arrived(self), [])
      })
    ))

  it.effect("with info it gives whether the monitor was active", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const ref = yield* Process.monitor(yield* idle)
        assert.isTrue(yield* Process.demonitor(ref, { info: true }))
        assert.isFalse(yield* Process.demonitor(ref, { info: true }))
        assert.isFalse(yield* Process.demonitor(ref, { info: true, flush: true }))
        // A Down that is queued: the monitor has done what it was for.
        const told = yield* Process.monitor("nobody")
        assert.isFalse(yield* Process.demonitor(told, { info: true, flush: true }))
        assert.deepStrictEqual(yield* arrived(self), [])
      })
    ))

  it.effect("MO-012 the monitor of another process is left alone", () =>
    asProcess((self: Process.Self<boolean | Process.Down>) =>
      Effect.gen(function*() {
        const pid = yield* idle
        const ref = yield* Process.monitor(pid)
        for (const [options, answer] of [[{ flush: true }, true], [{ info: true }, false]] as const) {
          yield* Process.spawn(() =>
            Effect.flatMap(Process.demonitor(ref, options), (given) => Process.send(self.pid, given))
          )
          assert.strictEqual(yield* self.receive, answer)
        }
        yield* Process.exit(pid, bad)
        assert.deepStrictEqual((yield* arrived(self)).map((down) => (down as Process.Down).ref), [ref])
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
  it.effect("MO-013 an unknown option is refused by name, and the monitor stays", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const pid = yield* idle
        for (
          const [options, message] of [
            [{ multi: true }, `option: expected "flush" or "info", got "multi"`],
            [null, "options: expected an object, got null"],
            ["flush", "options: expected an object, got \"flush\""]
          ]
        ) {
          const reason = yield* downOf(
            self,
            yield* Process.spawn((_: Process.Self<Process.Down>) =>
              Effect.flatMap(Process.monitor(pid), (ref) => Process.demonitor(ref, options as never))
            )
          )
          assert.strictEqual(ExitReason.format(reason), `Crashed: TypeError: ${message}`)
        }
      })
    ))
})
