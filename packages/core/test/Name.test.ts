import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Name from "@effect-otp/core/Name"
import type * as OtpError from "@effect-otp/core/OtpError"
import type * as Pid from "@effect-otp/core/Pid"
import * as Process from "@effect-otp/core/Process"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { arrived, asProcess, downOf, idle, signal } from "./utils/process.ts"
import { defectOf, logged, told } from "./utils/server.ts"

const bad = ExitReason.custom("bad")

const refusal = (effect: Effect.Effect<void, OtpError.RegistrationError>) =>
  Effect.map(Effect.flip(effect), ({ name, reason }) => ({ name, ...reason }))

describe("register", () => {
  it.effect("NM-001 the name resolves at once", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        assert.isUndefined(yield* Process.register("me", self.pid))
        assert.deepStrictEqual(yield* Process.whereis("me"), Option.some(self.pid))
        assert.deepStrictEqual(yield* Process.registered, ["me"])
        yield* Process.send("me", "hello")
        assert.strictEqual(yield* self.receive, "hello")
      })
    ))

  it.effect("NM-002 a name that is taken is refused, and stays with its holder", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const holder = yield* idle
        yield* Process.register("taken", holder)
        const error = yield* Effect.flip(Process.register("taken", self.pid))
        assert.deepStrictEqual(error.reason, { _tag: "NameTaken", holder })
        assert.strictEqual(error.message, `the name "taken" is held by ${holder}`)
        assert.deepStrictEqual(yield* Process.whereis("taken"), Option.some(holder))
        assert.deepStrictEqual(yield* refusal(Process.register("taken", holder)), {
          name: "taken",
          _tag: "AlreadyNamed",
          holds: "taken"
        })
      })
    ))

  it.effect("NM-003 a process that has ended, or is ending, is refused", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const dead = yield* idle
        yield* Process.exit(dead, ExitReason.kill)
        const expected = { name: "late", _tag: "NotAlive", pid: dead } as const
        assert.deepStrictEqual(yield* refusal(Process.register("late", dead)), expected)
        const ending = yield* Process.spawn(() => Effect.ensuring(Effect.never, Effect.never))
        yield* settle
        yield* Process.exit(ending, bad)
        assert.deepStrictEqual(yield* refusal(Process.register("late", ending)), { ...expected, pid: ending })
        assert.deepStrictEqual(yield* Process.registered, [])
      })
    ))

  it.effect("NM-004 a process has one name at most", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        yield* Process.register("first", self.pid)
        assert.deepStrictEqual(yield* refusal(Process.register("second", self.pid)), {
          name: "second",
          _tag: "AlreadyNamed",
          holds: "first"
        })
        assert.deepStrictEqual(yield* Process.registered, ["first"])
        yield* Process.unregister("first")
        yield* Process.register("second", self.pid)
        assert.deepStrictEqual(yield* Process.registered, ["second"])
      })
    ))

  it.effect("NM-005 an empty name, and what is no name, is a defect that says the value", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        for (
          const [name, shown] of [["", "\"\""], [undefined, "undefined"], [null, "null"], [true, "true"], [42, "42"]]
        ) {
          const reason = yield* downOf(self, yield* Process.spawn((own) => Process.register(name as never, own.pid)))
          const message = `name: expected a string that is not empty, got ${shown}`
          assert.strictEqual(ExitReason.format(reason), `Crashed: TypeError: ${message}`)
        }
        assert.deepStrictEqual(yield* Process.registered, [])
      })
    ))

  it.effect("what is no pid cannot be registered", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const reason = yield* downOf(self, yield* Process.spawn(() => Process.register("name", "pid" as never)))
        assert.strictEqual(ExitReason.format(reason), "Crashed: TypeError: pid: expected a pid, got \"pid\"")
      })
    ))

  it.effect("NM-007 anybody may register and unregister another process", () =>
    asProcess((self: Process.Self<"done">) =>
      Effect.gen(function*() {
        const other = yield* idle
        yield* Process.spawn(() => Effect.andThen(Process.register("other", other), Process.send(self.pid, "done")))
        yield* self.receive
        assert.deepStrictEqual(yield* Process.whereis("other"), Option.some(other))
        yield* Process.spawn(() => Effect.andThen(Process.unregister("other"), Process.send(self.pid, "done")))
        yield* self.receive
        assert.deepStrictEqual(yield* Process.whereis("other"), Option.none())
        assert.isTrue(yield* Process.isAlive(other))
      })
    ))

  it.effect("NM-009 a name is free before an Exit or a Down tells of the end", () =>
    asProcess((self: Process.Self<Process.Exit | Process.Down>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        for (const reason of [ExitReason.normal, bad, ExitReason.kill]) {
          const holder = yield* Process.spawnLink((own: Process.Self<"end">) => own.receive)
          yield* Process.register("role", holder)
          yield* Process.monitor(holder)
          if (reason._tag === "Normal") yield* Process.send(holder, "end")
          else yield* Process.exit(holder, reason)
          for (let left = 2; left > 0; left--) {
            const { reason: told } = yield* self.receive
            assert.deepStrictEqual(told, reason._tag === "Kill" ? ExitReason.killed : reason)
            assert.deepStrictEqual(yield* Process.whereis("role"), Option.none())
            yield* Process.register("role", self.pid)
            yield* Process.unregister("role")
          }
        }
      })
    ))

  it.effect("a name is kept while finalizers run, and free at once after a kill", () =>
    asProcess((_: Process.Self<never>) =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const holder = yield* Process.spawn(() => Effect.ensuring(Effect.never, Deferred.await(gate)))
        yield* settle
        yield* Process.register("role", holder)
        yield* Process.exit(holder, bad)
        yield* settle
        assert.deepStrictEqual(yield* Process.whereis("role"), Option.some(holder))
        yield* Process.exit(holder, ExitReason.kill)
        assert.deepStrictEqual(yield* Process.whereis("role"), Option.none())
      })
    ))
})

describe("unregister and whereis", () => {
  it.effect("NM-006 a name that nobody holds cannot be unregistered", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Process.unregister("nobody"))
        assert.deepStrictEqual(error.reason, { _tag: "NotRegistered" })
        assert.strictEqual(error.message, "nobody holds the name \"nobody\"")
      })
    ))

  it.effect("NM-008 whereis of a name that nobody holds is none", () =>
    asProcess(() =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* Process.whereis("nobody"), Option.none())
      })
    ))

  it.effect("NM-019 a string, a typed name and a via find the process that holds them", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const { resolver } = directory()
        const Typed = Name.make<string>("typed")
        const via = Name.via<string>(resolver, "key")
        yield* Process.register(Typed, self.pid)
        const other = yield* Process.spawn((own: Process.Self<string>) => own.receive)
        yield* Process.register(via, other)
        assert.deepStrictEqual(yield* Process.whereis(Typed), Option.some(self.pid))
        assert.deepStrictEqual(yield* Process.whereis("typed"), Option.some(self.pid))
        assert.deepStrictEqual(yield* Process.whereis(via), Option.some(other))
        assert.deepStrictEqual(yield* Process.whereis("key"), Option.none())
      })
    ))

  it.effect("whatever takes a pid takes a name", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const Other = Name.make<string>("other")
        const other = yield* Process.spawn((own: Process.Self<string>) =>
          Effect.forever(Effect.flatMap(own.receive, (m) => Process.send(self.pid, m)))
        )
        yield* Process.register(Other, other)
        yield* Process.send(Other, "typed")
        yield* Process.send("other", "plain")
        assert.deepStrictEqual(yield* arrived(self), ["typed", "plain"])
        assert.isTrue(yield* Process.isAlive(Other))
        assert.strictEqual(Option.getOrThrow(yield* Process.info(Other)).pid, other)
        yield* Process.monitor(Other)
        yield* Process.exit(Other, bad)
        assert.deepStrictEqual((yield* arrived(self)).map((m) => signal(m as Process.Down)), [["Down", "other", bad]])
        assert.deepStrictEqual(yield* Process.awaitExit(Other), ExitReason.noProcess)
      })
    ))
})

/** A resolver as a library would write one, which says how it was used. */
const directory = () => {
  const pids = new Map<string, Pid.Pid<never, unknown>>()
  const log: Array<string> = []
  const resolver: Name.Resolver<string> = {
    register: (key, pid) => {
      const isFree = !pids.has(key)
      if (isFree) pids.set(key, pid)
      log.push(`register ${key} ${isFree ? "yes" : "no"}`)
      return isFree
    },
    unregister: (key) => {
      log.push(`unregister ${key}`)
      pids.delete(key)
    },
    whereis: (key) => pids.get(key),
    format: (key) => `directory/${key}`
  }
  return { log, pids, resolver }
}

describe("the name of a server", () => {
  it.effect("NM-014 a string, a typed name and a via are names; what is none is refused with a TypeError that says it", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const { pids, resolver } = directory()
        for (const name of ["plain", Name.make<never>("typed"), Name.via<never>(resolver, "key")]) {
          const { pid } = yield* told().start({ name })
          assert.deepStrictEqual(yield* Process.whereis(name), Option.some(pid))
          yield* Process.exit(pid, ExitReason.kill)
        }
        assert.strictEqual(pids.size, 0)
        for (
          const [name, shown] of [
            [42, "42"],
            ["", "\"\""],
            [null, "null"],
            [true, "true"],
            [{ global: "name" }, "{\"global\":\"name\"}"],
            [Symbol.for("name"), "Symbol(name)"]
          ] as const
        ) {
          const defect = yield* defectOf(told().start({ name: name as never }))
          assert.instanceOf(defect, TypeError)
          assert.strictEqual(defect.message, `name: expected a string that is not empty, got ${shown}`)
        }
        assert.deepStrictEqual(yield* Process.list, [self.pid], "nothing was started")
        assert.deepStrictEqual(yield* Process.registered, [])
      })
    ))
})

describe("via", () => {
  it.effect("NM-016 a via registers, finds, sends and unregisters by its resolver", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const { log, pids, resolver } = directory()
        const via = Name.via<string>(resolver, "key")
        assert.deepStrictEqual(yield* Process.whereis(via), Option.none())
        const holder = yield* Process.spawn((own: Process.Self<string>) =>
          Effect.forever(Effect.flatMap(own.receive, (m) => Process.send(self.pid, m)))
        )
        yield* Process.register(via, holder)
        assert.deepStrictEqual(yield* refusal(Process.register(via, self.pid)), {
          name: "directory/key",
          _tag: "NameTaken",
          holder
        })
        yield* Process.send(via, "hello")
        yield* Process.sendAfter(via, "later", 10)
        yield* TestClock.adjust(10)
        assert.deepStrictEqual(yield* arrived(self), ["hello", "later"])
        assert.strictEqual(Option.getOrThrow(yield* Process.info(via)).name, "directory/key")
        yield* Process.monitor(via)
        yield* Process.exit(via, bad)
        assert.deepStrictEqual((yield* arrived(self)).map((m) => signal(m as Process.Down)), [
          ["Down", "directory/key", bad]
        ])
        assert.deepStrictEqual(pids.size, 0)
        assert.deepStrictEqual(log, ["register key yes", "register key no", "unregister key"])
      })
    ))

  it.effect("NM-016 nobody holds the key: a send is a defect that says it", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const via = Name.via<string>(directory().resolver, "key")
        const reason = yield* downOf(self, yield* Process.spawn(() => Process.send(via, "hello")))
        assert.include(ExitReason.format(reason), "cannot send to directory/key: no process is registered")
        assert.deepStrictEqual((yield* Effect.flip(Process.unregister(via))).reason, { _tag: "NotRegistered" })
      })
    ))

  it.effect("a key that was taken back is not taken from its next holder when the first one ends", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const { pids, resolver } = directory()
        const first = yield* Process.spawn((own: Process.Self<string>) => own.receive)
        const second = yield* Process.spawn((own: Process.Self<string>) => own.receive)
        yield* Process.register(Name.via<string>(resolver, "key"), first)
        yield* Process.unregister(Name.via<string>(resolver, "key"))
        yield* Process.register("plain", first)
        yield* Process.register(Name.via<string>(resolver, "key"), second)
        yield* Process.exit(first, ExitReason.kill)
        assert.deepStrictEqual([...pids], [["key", second]])
        void self
      })
    ))

  it.effect("a key that its resolver gave to another in the meantime stays with that one", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const { pids, resolver } = directory()
        const first = yield* Process.spawn((own: Process.Self<string>) => own.receive)
        yield* Process.register(Name.via<string>(resolver, "key"), first)
        pids.set("key", self.pid)
        yield* Process.exit(first, ExitReason.kill)
        assert.deepStrictEqual([...pids], [["key", self.pid]])
      })
    ))

  it.effect("a resolver that refuses a key which nobody holds is a defect that says so", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const resolver = { ...directory().resolver, register: () => false }
        const via = Name.via<string>(resolver, "key")
        const reason = yield* downOf(
          self,
          yield* Process.spawn((own: Process.Self<string>) => Process.register(via, own.pid))
        )
        assert.include(ExitReason.format(reason), "directory/key: the resolver refuses this key, which nobody holds")
      })
    ))
})

describe("a resolver that throws", () => {
  /** The directory, of which something can be broken. */
  const breakable = () => {
    const { pids, resolver } = directory()
    const broken = new Set<keyof Name.Resolver<string>>()
    const unlessBroken = <A>(what: keyof Name.Resolver<string>, f: () => A) => {
      if (broken.has(what)) throw new Error(`${what} is broken`)
      return f()
    }
    const via = Name.via<string>({
      register: resolver.register,
      unregister: (key) => unlessBroken("unregister", () => resolver.unregister(key)),
      whereis: (key) => unlessBroken("whereis", () => resolver.whereis(key)),
      format: (key) => unlessBroken("format", () => resolver.format(key))
    }, "key")
    return { broken, pids, via }
  }

  for (const what of ["unregister", "whereis"] as const) {
    it.effect(`in ${what} when the process ends is reported, and everybody is told of the end`, () =>
      logged((lines) =>
        asProcess((self: Process.Self<Process.Down | Process.Exit>) =>
          Effect.gen(function*() {
            yield* Process.trapExit(true)
            for (const reason of [bad, ExitReason.kill]) {
              const { broken, via } = breakable()
              const [pid] = yield* Process.spawnMonitor((_: Process.Self<string>) => Effect.never)
              yield* Process.link(pid)
              yield* Process.register(via, pid)
              broken.add(what)
              yield* Process.exit(pid, reason)
              const seen = reason._tag === "Kill" ? ExitReason.killed : reason
              assert.sameDeepMembers((yield* arrived(self)).map(signal), [["Down", pid, seen], ["Exit", pid, seen]])
              assert.deepStrictEqual(yield* Process.list, [self.pid])
              const [{ cause, level, message }, ...more] = lines.slice(reason._tag === "Kill" ? 1 : 0)
              assert.deepStrictEqual([level, message[0]], ["Error", "the resolver of directory/key threw"])
              assert.strictEqual((Cause.squash(cause) as Error).message, `${what} is broken`)
              assert.deepStrictEqual(more, [])
            }
          })
        )
      ))
  }

  it.effect("in whereis when a timer fires is reported, and all other timers fire", () =>
    logged((lines) =>
      asProcess((self: Process.Self<string>) =>
        Effect.gen(function*() {
          const { broken, via } = breakable()
          yield* Process.register(via, self.pid)
          yield* Process.sendAfter(via, "lost", 10)
          yield* Process.sendInterval(via, "interval", 10)
          yield* Process.sendAfter(self.pid, "by pid", 10)
          yield* Process.sendAfter(self.pid, "later", 15)
          broken.add("whereis")
          yield* TestClock.adjust(15)
          assert.deepStrictEqual(yield* arrived(self), ["by pid", "later"])
          assert.deepStrictEqual(lines.map(({ cause }) => (Cause.squash(cause) as Error).message), [
            "whereis is broken",
            "whereis is broken"
          ])
          broken.clear()
          yield* TestClock.adjust(5)
          assert.deepStrictEqual(yield* arrived(self), ["interval"])
        })
      )
    ))

  it.effect("in format hides no crash: the report shows that there is a name", () =>
    logged((lines) =>
      asProcess((self: Process.Self<Process.Down>) =>
        Effect.gen(function*() {
          const { broken, via } = breakable()
          const [pid] = yield* Process.spawnMonitor((own: Process.Self<string>) =>
            Effect.andThen(own.receive, Effect.die("boom"))
          )
          yield* Process.register(via, pid)
          broken.add("format")
          yield* Process.send(pid, "crash")
          assert.strictEqual((yield* self.receive).reason._tag, "Crashed")
          assert.deepStrictEqual(lines.map(({ report }) => report.name), ["via ?"])
        })
      )
    ))

  it.effect("is the defect of whoever asks it", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const { broken, via } = breakable()
        yield* Process.register(via, self.pid)
        broken.add("whereis").add("unregister")
        for (
          const asks of [
            Process.send(via, "hello"),
            Process.whereis(via),
            Process.unregister(via),
            Process.sendAfter(via, "hello", 10)
          ]
        ) {
          assert.match((yield* defectOf(asks)).message, /is broken/)
        }
      })
    ))
})
