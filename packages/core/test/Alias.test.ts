import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { arrived, asProcess, idle, inNode, queued, signal } from "./utils/process.ts"

const bad = ExitReason.custom("bad")

class Slow extends GenServer.Service<Slow>()("Slow", [GenServer.call("answer", { success: Schema.String })]) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: { answer: (n) => Effect.delay(Effect.succeed(Step.reply("late", n)), "10 seconds") }
  })
}

/** Runs code in a process of its own, and waits for its end. */
const elsewhere = <A, E>(effect: Effect.Effect<A, E, Process.Current>) =>
  Effect.flatMap(Process.spawn(() => effect), Process.awaitExit)

/** A process that hands out an alias of itself, and passes on to `to` what comes through it. */
const withAlias = (self: Process.Self<string | Process.Alias<string>>, run: Effect.Effect<unknown> = Effect.never) =>
  Effect.gen(function*() {
    const pid = yield* Process.spawn((own: Process.Self<string>) =>
      Effect.andThen(Effect.flatMap(Process.alias(own), (alias) => Process.send(self.pid, alias)), run)
    )
    return [pid, (yield* self.receive) as Process.Alias<string>] as const
  })

describe("alias", () => {
  it.effect("AL-001 what anybody sends to it arrives with its creator", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const alias = yield* Process.alias(self)
        yield* Process.send(alias, "from itself")
        yield* elsewhere(Process.send(alias, "from another"))
        yield* Effect.promise(() => Effect.runPromise(Process.send(alias, "from no process")))
        assert.deepStrictEqual(yield* arrived(self), ["from itself", "from another", "from no process"])
      })
    ))

  it.effect("AL-001 it wakes a receive that waits", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const alias = yield* Process.alias(self)
        yield* Process.spawn(() => Effect.andThen(settle, Process.send(alias, "hello")))
        assert.strictEqual(yield* self.receive, "hello")
      })
    ))

  it.effect("PR-009 what one process sends to the alias and to the pid keeps its order", () =>
    asProcess((self: Process.Self<number | Process.Down>) =>
      Effect.gen(function*() {
        const alias = yield* Process.alias(self)
        yield* Process.spawnMonitor(() =>
          Effect.forEach([1, 2, 3, 4], (n) => Process.send(n % 2 === 0 ? alias : self.pid, n), { discard: true })
        )
        const [one, two, three, four, down] = yield* arrived(self)
        assert.deepStrictEqual([one, two, three, four], [1, 2, 3, 4])
        assert.isTrue(Process.isDown(down))
      })
    ))

  it.effect("AL-002 after unalias what is sent to it is dropped", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const alias = yield* Process.alias(self)
        yield* Process.send(alias, "before")
        assert.isTrue(yield* Process.unalias(alias))
        yield* Process.send(alias, "after")
        assert.deepStrictEqual(yield* elsewhere(Process.send(alias, "after")), ExitReason.normal)
        assert.deepStrictEqual(yield* arrived(self), ["before"])
        assert.isFalse(yield* Process.unalias(alias))
      })
    ))

  it.effect("AL-004 with reply the first message through it is the last", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const alias = yield* Process.alias(self, { reply: true })
        yield* elsewhere(Effect.andThen(Process.send(alias, "a"), Process.send(alias, "b")))
        assert.deepStrictEqual(yield* arrived(self), ["a"])
        assert.isFalse(yield* Process.unalias(alias))
      })
    ))

  it.effect("AL-004 with reply it can be taken back before the first message", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const alias = yield* Process.alias(self, { reply: true })
        assert.isTrue(yield* Process.unalias(alias))
        yield* Process.send(alias, "a")
        assert.deepStrictEqual(yield* arrived(self), [])
      })
    ))

  it.effect.each([
    ["ends normally", Effect.void, undefined],
    ["crashes", Effect.die("bug"), undefined],
    ["is told to end", Effect.never, bad],
    ["is killed", Effect.never, ExitReason.kill],
    ["is killed while it ignores what interrupts it", Effect.uninterruptible(Effect.never), ExitReason.kill]
  ] as ReadonlyArray<readonly [string, Effect.Effect<void>, ExitReason.ExitReason | undefined]>)(
    "AL-008 the alias of a process that %s drops what is sent to it",
    ([, run, reason]) =>
      asProcess((self: Process.Self<string | Process.Alias<string>>) =>
        Effect.gen(function*() {
          const [pid, alias] = yield* withAlias(self, run)
          if (reason !== undefined) yield* Process.exit(pid, reason)
          else yield* Process.awaitExit(pid)
          yield* Process.send(alias, "late")
          assert.deepStrictEqual(yield* elsewhere(Process.send(alias, "late")), ExitReason.normal)
          assert.isFalse(yield* Process.unalias(alias))
          assert.deepStrictEqual(yield* arrived(self), [])
        })
      )
  )

  it.effect("EX-026 an alias is inactive as soon as its process is ending", () =>
    asProcess((self: Process.Self<boolean | Process.Alias<boolean>>) =>
      Effect.gen(function*() {
        const pid = yield* Process.spawn((own: Process.Self<boolean>) =>
          Effect.gen(function*() {
            const alias = yield* Process.alias(own)
            const cleanUp = Effect.andThen(
              settle,
              Effect.flatMap(Process.unalias(alias), (active) => Process.send(self.pid, active))
            )
            return yield* Effect.ensuring(Effect.andThen(Process.send(self.pid, alias), Effect.never), cleanUp)
          })
        )
        const alias = (yield* self.receive) as Process.Alias<boolean>
        yield* Process.exit(pid, bad)
        yield* Process.send(alias, true)
        assert.strictEqual(Option.getOrThrow(yield* Process.info(pid)).mailboxLength, 0)
        assert.isFalse(yield* self.receive)
        assert.deepStrictEqual(yield* Process.awaitExit(pid), bad)
      })
    ))

  it.effect("AL-009 another process cannot take it back: it gets false, and the alias stays active", () =>
    asProcess((self: Process.Self<string | boolean>) =>
      Effect.gen(function*() {
        const aliases = [yield* Process.alias(self), yield* Process.alias(self, { reply: true })]
        for (const alias of aliases) {
          yield* Process.spawn(() => Effect.flatMap(Process.unalias(alias), (answer) => Process.send(self.pid, answer)))
          assert.isFalse(yield* self.receive)
          yield* Process.send(alias, "still there")
          assert.strictEqual(yield* self.receive, "still there")
        }
      })
    ))

  it.effect("AL-010 it cannot be monitored, linked, looked up, registered or told to end", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const alias = yield* Process.alias(self)
        const ref = yield* Process.monitor(yield* idle, { alias: "demonitor", self })
        for (const value of [alias, ref] as ReadonlyArray<unknown> as ReadonlyArray<never>) {
          const asTarget = `target: expected a pid, a name or a via, got ${value}`
          const asPid = `pid: expected a pid, got ${value}`
          const attempts: ReadonlyArray<readonly [Effect.Effect<unknown, unknown, Process.Current>, string]> = [
            [Process.monitor(value) as Effect.Effect<unknown, never, Process.Current>, asTarget],
            [Process.whereis(value), asTarget],
            [Process.exit(value, bad), asTarget],
            [Process.info(value), asTarget],
            [Process.isAlive(value), asTarget],
            [Process.awaitExit(value), asTarget],
            [Process.link(value), asPid],
            [Process.unlink(value), asPid],
            [Process.register("role", value), asPid],
            [GenServer.stop(value), asTarget],
            [Slow.at(value).answer(), asTarget]
          ]
          for (const [attempt, message] of attempts) {
            const reason = yield* elsewhere(attempt)
            assert.strictEqual(ExitReason.format(reason), `Crashed: TypeError: ${message}`)
          }
          yield* Process.send(value, "still there" as never)
          assert.deepStrictEqual(yield* arrived(self), ["still there"])
        }
      })
    ))

  it.effect("AL-011 an alias is itself alone: no other equals it or prints as it does, also after its end", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const pid = yield* idle
        const seen = new Set<string>()
        const first = yield* Process.alias(self)
        const refs: Array<Process.Alias<string>> = [first]
        for (let i = 0; i < 100; i++) {
          const alias = yield* i % 2 === 0
            ? Process.alias(self)
            : Process.monitor(pid, { alias: "demonitor", self })
          yield* Process.unalias(alias)
          refs.push(alias)
        }
        for (const alias of refs) {
          seen.add(String(alias))
          assert.match(String(alias), /^#Alias<0\.\d+\.0>$/)
          assert.strictEqual(JSON.stringify({ alias }), `{"alias":"${alias}"}`)
          assert.strictEqual(Equal.equals(alias, first), alias === first)
        }
        assert.strictEqual(seen.size, refs.length)
        // Those that came later have not brought it back to life, nor ended it.
        assert.isTrue(yield* Process.unalias(first))
      })
    ))

  it.effect("what it is made of is refused by name: not the handle of the caller, an unknown option", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        for (
          const [body, message] of [
            [(own: unknown) => [self, undefined, own], `self: expected the Process.Self of %, got ${self.pid}`],
            [(own: unknown) => [undefined, undefined, own], "self: expected the Process.Self of %, got undefined"],
            [(own: unknown) => [own, { once: true }, own], `option: expected "reply", got "once"`],
            [(own: unknown) => [own, null, own], "options: expected an object, got null"],
            [(own: unknown) => [own, 42, own], "options: expected an object, got 42"]
          ] as ReadonlyArray<readonly [(own: unknown) => ReadonlyArray<unknown>, string]>
        ) {
          const pid = yield* Process.spawn((own: Process.Self<string>) => {
            const [handle, options] = body(own)
            return Process.alias(handle as never, options as never)
          })
          const reason = ExitReason.format(yield* Process.awaitExit(pid))
          assert.strictEqual(reason, `Crashed: TypeError: ${message.replace("%", String(pid))}`)
        }
      })
    ))

  it.effect("unalias refuses what is no alias, with its value", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        for (const [value, shown] of [[self.pid, `${self.pid}`], [undefined, "undefined"], ["ref", "\"ref\""]]) {
          const reason = yield* elsewhere(Process.unalias(value as never))
          assert.strictEqual(
            ExitReason.format(reason),
            `Crashed: TypeError: alias: expected what Process.alias gave, got ${shown}`
          )
        }
      })
    ))
})

describe("a monitor that is an alias", () => {
  it.effect("AL-005 demonitor: its reference is the alias, until the monitor is taken back", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const pid = yield* idle
        const ref = yield* Process.monitor(pid, { alias: "demonitor", self })
        yield* elsewhere(Effect.andThen(Process.send(ref, "one"), Process.send(ref, "two")))
        assert.deepStrictEqual(yield* arrived(self), ["one", "two"])
        assert.isTrue(yield* Process.demonitor(ref))
        yield* elsewhere(Process.send(ref, "late"))
        yield* Process.exit(pid, bad)
        assert.deepStrictEqual(yield* arrived(self), [])
        assert.isFalse(yield* Process.unalias(ref))
      })
    ))

  it.effect.each(["demonitor", "replyDemonitor"] as const)(
    "AL-005 %s: it is none any more when its Down is there",
    (alias) =>
      asProcess((self: Process.Self<string | Process.Down>) =>
        Effect.gen(function*() {
          const pid = yield* idle
          const ref = yield* Process.monitor(pid, { alias, self })
          yield* Process.exit(pid, bad)
          yield* settle
          yield* elsewhere(Process.send(ref, "late"))
          const [down, ...more] = yield* arrived(self)
          assert.deepStrictEqual(more, [])
          assert.strictEqual((down as Process.Down).ref, ref)
          assert.deepStrictEqual(signal(down as Process.Down), ["Down", pid, bad])
        })
      )
  )

  it.effect("AL-006 replyDemonitor: the first message through it ends alias and monitor", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const pid = yield* idle
        const ref = yield* Process.monitor(pid, { alias: "replyDemonitor", self })
        yield* elsewhere(Effect.andThen(Process.send(ref, "r1"), Process.send(ref, "r2")))
        assert.deepStrictEqual(Option.getOrThrow(yield* Process.info(self.pid)).monitors, [])
        yield* Process.exit(pid, bad)
        assert.deepStrictEqual(yield* arrived(self), ["r1"])
        assert.isFalse(yield* Process.demonitor(ref, { info: true }))
        assert.isFalse(yield* Process.unalias(ref))
      })
    ))

  it.effect("AL-006 replyDemonitor: taken back before, it ends alias and monitor, too", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const pid = yield* idle
        const ref = yield* Process.monitor(pid, { alias: "replyDemonitor", self })
        assert.isTrue(yield* Process.demonitor(ref, { info: true }))
        yield* Process.send(ref, "late")
        yield* Process.exit(pid, bad)
        assert.deepStrictEqual(yield* arrived(self), [])
      })
    ))

  it.effect("AL-007 explicitUnalias: it outlives its Down, and a demonitor", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const pid = yield* idle
        const ref = yield* Process.monitor(pid, { alias: "explicitUnalias", self })
        const other = yield* Process.monitor(pid, { alias: "explicitUnalias", self })
        yield* Process.demonitor(other)
        yield* Process.exit(pid, bad)
        yield* settle
        yield* Process.send(ref, "one")
        yield* Process.send(other, "two")
        const [down, ...more] = yield* arrived(self)
        assert.strictEqual((down as Process.Down).ref, ref)
        assert.deepStrictEqual(more, ["one", "two"])
        assert.isTrue(yield* Process.unalias(ref))
        yield* Process.send(ref, "late")
        assert.deepStrictEqual(yield* arrived(self), [])
      })
    ))

  it.effect.each(["explicitUnalias", "demonitor", "replyDemonitor"] as const)(
    "%s: unalias takes the alias alone, the monitor goes on",
    (alias) =>
      asProcess((self: Process.Self<string | Process.Down>) =>
        Effect.gen(function*() {
          const pid = yield* idle
          const ref = yield* Process.monitor(pid, { alias, self })
          assert.isTrue(yield* Process.unalias(ref))
          yield* Process.send(ref, "late")
          yield* Process.exit(pid, bad)
          assert.deepStrictEqual((yield* arrived(self)).map((down) => signal(down as Process.Down)), [
            ["Down", pid, bad]
          ])
        })
      )
  )

  it.effect.each(
    [["explicitUnalias", ["Down", "hello"]], ["demonitor", ["Down"]], ["replyDemonitor", ["Down"]]] as ReadonlyArray<
      readonly ["explicitUnalias" | "demonitor" | "replyDemonitor", Array<string>]
    >
  )(
    "%s: of a name that nobody holds it gives its Down at once",
    ([alias, expected]) =>
      asProcess((self: Process.Self<string | Process.Down>) =>
        Effect.gen(function*() {
          const ref = yield* Process.monitor("nobody", { alias, self })
          yield* Process.send(ref, "hello")
          const seen = (yield* queued(self)).map((message) => Process.isDown(message) ? message._tag : message)
          assert.deepStrictEqual(seen, expected)
        })
      )
  )

  it.effect.each(["explicitUnalias", "demonitor", "replyDemonitor"] as const)(
    "%s: there is no alias where there is no monitor, of oneself",
    (alias) =>
      asProcess((self: Process.Self<string | Process.Down>) =>
        Effect.gen(function*() {
          const ref = yield* Process.monitor(self.pid, { alias, self })
          yield* Process.send(ref, "hello")
          assert.isFalse(yield* Process.unalias(ref))
          assert.deepStrictEqual(yield* arrived(self), [])
        })
      )
  )

  it.effect("another process takes back neither the alias nor the monitor", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const pid = yield* idle
        const ref = yield* Process.monitor(pid, { alias: "demonitor", self })
        yield* elsewhere(Process.unalias(ref))
        yield* elsewhere(Process.demonitor(ref, { flush: true }))
        yield* Process.send(ref, "still there")
        yield* Process.exit(pid, bad)
        const [message, down] = yield* arrived(self)
        assert.strictEqual(message, "still there")
        assert.deepStrictEqual(signal(down as Process.Down), ["Down", pid, bad])
      })
    ))
})

describe("timers", () => {
  it.effect("a timer sends to an alias while it is active", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const alias = yield* Process.alias(self)
        yield* Process.sendAfter(alias, "once", "1 second")
        const ticks = yield* Process.sendInterval(alias, "tick", "2 seconds")
        yield* TestClock.adjust("5 seconds")
        assert.deepStrictEqual(yield* arrived(self), ["once", "tick", "tick"])
        yield* Process.unalias(alias)
        assert.isTrue(Option.isSome(yield* Process.readTimer(ticks)))
        yield* TestClock.adjust("5 seconds")
        assert.deepStrictEqual(yield* arrived(self), [])
        // An interval to an alias that is inactive has nothing to go on for.
        assert.deepStrictEqual(yield* Process.readTimer(ticks), Option.none())
        assert.deepStrictEqual(
          yield* Process.readTimer(yield* Process.sendAfter(alias, "late", "1 second")),
          Option.none()
        )
      })
    ))

  it.effect("AL-004 with reply an interval sends once", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const alias = yield* Process.alias(self, { reply: true })
        yield* Process.sendInterval(alias, "tick", "1 second")
        yield* TestClock.adjust("5 seconds")
        assert.deepStrictEqual(yield* arrived(self), ["tick"])
      })
    ))

  it.effect("EX-026 a timer to an alias ends with the process that the alias is of", () =>
    asProcess((self: Process.Self<string | Process.Alias<string>>) =>
      Effect.gen(function*() {
        const [pid, alias] = yield* withAlias(self)
        const timers = [
          yield* Process.sendAfter(alias, "late", "1 second"),
          yield* Process.sendInterval(alias, "late", "1 second")
        ]
        yield* Process.exit(pid, bad)
        yield* settle
        for (const timer of timers) assert.deepStrictEqual(yield* Process.readTimer(timer), Option.none())
        const late = yield* Process.sendAfter(alias, "late", "1 second")
        assert.deepStrictEqual(yield* Process.readTimer(late), Option.none())
      })
    ))
})

describe("late answers", () => {
  it.effect("AL-012 the late reply to a call that has timed out is in no mailbox", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const slow = yield* Slow.server.start()
        const clock = yield* Effect.forkChild(TestClock.adjust("6 seconds"))
        const reason = yield* slow.answer().pipe(
          Effect.catchReason("CallError", "Timeout", (timeout) => Effect.succeed(timeout._tag)),
          Effect.orDie
        )
        assert.strictEqual(reason, "Timeout")
        yield* Fiber.join(clock)
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(yield* arrived(self), [])
        assert.strictEqual(Option.getOrThrow(yield* Process.info(self.pid)).mailboxLength, 0)
        // The server has answered, and takes the next request.
        assert.strictEqual(Option.getOrThrow(yield* Process.info(slow.pid)).status, "waiting")
      })
    ))

  interface Question {
    readonly from: Process.Alias<Answer>
  }
  interface Answer {
    readonly to: unknown
    readonly text: string
  }

  const ask = Effect.fnUntraced(function*(self: Process.Self<Answer | Process.Down>, server: Process.Pid<Question>) {
    const ref = yield* Process.monitor(server, { alias: "replyDemonitor", self })
    yield* Process.send(server, { from: ref })
    const mine = (message: Answer | Process.Down) => (Process.isDown(message) ? message.ref : message.to) === ref
    const answer = yield* Effect.option(self.receiveMatch(mine, { after: "5 seconds" }))
    if (answer._tag === "None") yield* Process.demonitor(ref, { flush: true })
    return Option.match(answer, {
      onNone: () => "timeout",
      onSome: (message) => Process.isDown(message) ? ExitReason.format(message.reason) : message.text
    })
  })

  const answering = (millis: number) => (own: Process.Self<Question>) =>
    Effect.gen(function*() {
      const { from } = yield* own.receive
      yield* Effect.sleep(millis)
      yield* Process.send(from, { to: from, text: "answer" })
    })

  it.effect.each([
    ["in time", answering(1000), "answer"],
    ["too late", answering(9000), "timeout"],
    ["never, because it ends", () => Effect.delay(Process.exit(bad), 1000), ExitReason.format(bad)]
  ] as ReadonlyArray<readonly [string, Process.Body<Question, void, never, Process.Current>, string]>)(
    "AL-006 of a process that answers %s there is one message, or none",
    ([, body, expected]) =>
      asProcess((self: Process.Self<Answer | Process.Down>) =>
        Effect.gen(function*() {
          const server = yield* Process.spawn(body)
          yield* Effect.forkChild(TestClock.adjust("20 seconds"))
          assert.strictEqual(yield* ask(self, server), expected)
          yield* TestClock.adjust("20 seconds")
          assert.isFalse(yield* Process.isAlive(server))
          assert.deepStrictEqual(yield* arrived(self), [])
        })
      )
  )
})

describe("memory", () => {
  it.effect("nobody but its holder keeps an alias, active or not, and one keeps no message", () =>
    Effect.gen(function*() {
      setFlagsFromString("--expose-gc")
      const gc = runInNewContext("gc") as () => void
      const dropped: Array<WeakRef<object>> = []
      const pid = yield* Process.spawn((self: Process.Self<object | Process.Down>) =>
        Effect.gen(function*() {
          const message = {}
          const inactive = yield* Process.alias(self, { reply: true })
          yield* Process.send(inactive, message)
          yield* self.receive
          dropped.push(new WeakRef(yield* Process.alias(self)), new WeakRef(inactive), new WeakRef(message))
          const ref = yield* Process.monitor("nobody", { alias: "explicitUnalias", self })
          yield* self.receive
          dropped.push(new WeakRef(ref))
        }).pipe(Effect.andThen(Effect.never))
      )
      yield* settle
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      gc()
      assert.deepStrictEqual(dropped.map((ref) => ref.deref()), [undefined, undefined, undefined, undefined])
      assert.isTrue(yield* Process.isAlive(pid))
    }).pipe(inNode))
})
