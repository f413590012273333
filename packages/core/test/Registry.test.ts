/** A registry as its users see it; a process that holds keys does what it is sent. */
import * as Agent from "@effect-otp/core/Agent"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Name from "@effect-otp/core/Name"
import * as Process from "@effect-otp/core/Process"
import * as Registry from "@effect-otp/core/Registry"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as Sys from "@effect-otp/core/Sys"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as MutableHashMap from "effect/MutableHashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as FewSet from "../src/internal/fewSet.ts"
import type * as Running from "../src/internal/registry.ts"
import { entryOfPid } from "../src/internal/resolve.ts"
import type { ServerState } from "../src/internal/serverState.ts"
import { leftovers } from "./utils/leftovers.ts"
import { arrived, asProcess, idle, inNode, queued } from "./utils/process.ts"
import { callFails, defectOf, logged } from "./utils/server.ts"

interface Room {
  readonly key: unknown
  readonly value: unknown
  readonly meta: { readonly limit: number; readonly name: string }
}

class Unique extends Registry.Service<Unique, Room>()("test/Unique", { keys: "unique" }) {}

class Talks extends Registry.Service<Talks, { key: string; message: string }>()("test/Talks", { keys: "unique" }) {}

class Duplicate extends Registry.Service<Duplicate, Room>()("test/Duplicate", { keys: "duplicate" }) {}

class Parted extends Registry.Service<Parted, Room>()("test/Parted", { keys: "duplicate", partitions: 2 }) {}

class Watched extends Registry.Service<Watched, Room>()("test/Watched", {
  keys: "unique",
  listeners: ["listener", Name.make<Registry.Event<Room>>("absent")]
}) {}

const unresolvable: Name.Resolver<string> = {
  register: () => false,
  unregister: () => {},
  whereis: () => {
    throw new Error("out of order")
  },
  format: (key) => key
}

class Broken extends Registry.Service<Broken, Room>()("test/Broken", {
  keys: "unique",
  listeners: [Name.via(unresolvable, "listener")]
}) {}

class Heard extends Registry.Service<Heard, Room>()("test/Heard", { keys: "duplicate", listeners: ["listener"] }) {}

class Cell extends Agent.Service<Cell, string>()("test/Cell") {
  static readonly server = this.implement((value: string) => value)
}

type Job = Effect.Effect<unknown, never, Process.Current>

/** A process that does what it is sent. */
const holder = Process.spawn((self: Process.Self<Job>) => Effect.forever(Effect.flatten(self.receive)))

/** Has a holder do something, and waits for what becomes of it. */
const by = Effect.fnUntraced(function*<A, E>(pid: Process.Pid<Job>, effect: Effect.Effect<A, E, Process.Current>) {
  const done = yield* Deferred.make<A, E>()
  yield* Process.send(pid, Effect.flatMap(Effect.exit(effect), (exit) => Deferred.done(done, exit)))
  return yield* Deferred.await(done)
})

/** How many wait for the end of a process: of that of a test the test itself does. */
const watchersOf = (pid: Process.Pid<never>) => FewSet.toArray(entryOfPid(pid).watchers).length

const kill = (pid: Process.Pid<never, unknown>) => Process.exit(pid, ExitReason.kill)

type Entries = Option.Option<Registry.Entry<Room>> | ReadonlyArray<Registry.Entry<Room>>

const pairs = (found: Entries) =>
  (Option.isOption(found) ? Option.toArray(found) : found).map(({ pid, value }) => [pid, value] as const)

const links = (pid: Process.Pid<never>) => Effect.map(Process.info(pid), (info) => Option.getOrThrow(info).links)

const sizes = Effect.fnUntraced(function*(registry: Registry.Registry<Room>, ...keys: ReadonlyArray<unknown>) {
  const all = yield* Registry.select(registry, () => true)
  const found = yield* Effect.forEach(keys, (key) => Registry.match(registry, key, () => true))
  return [yield* Registry.count(registry), all.length, ...found.map(({ length }) => length)]
})

describe("a unique key", () => {
  it.effect("RG-001, RG-002 has one holder, also for the holder itself, and a refusal changes nothing", () =>
    Effect.gen(function*() {
      const rooms = yield* Unique.start()
      const [one, two] = [yield* holder, yield* holder]
      assert.isUndefined(yield* by(one, Registry.register(rooms, "lobby", 1)))
      for (const pid of [two, one]) {
        const error = yield* Effect.flip(by(pid, Registry.register(rooms, "lobby", 2)))
        assert.strictEqual(error._tag, "RegistrationError")
        assert.deepStrictEqual(error.reason, { _tag: "NameTaken", holder: one })
        assert.strictEqual(error.message, `the name "test/Unique/lobby" is held by ${one}`)
      }
      assert.deepStrictEqual(pairs(yield* Registry.lookup(rooms, "lobby")), [[one, 1]])
      assert.deepStrictEqual(yield* sizes(rooms, "lobby"), [1, 1, 1])
      assert.deepStrictEqual(yield* Registry.keys(rooms, two), [])
      assert.deepStrictEqual(yield* links(two), [])
    }).pipe(inNode))

  it.effect("RG-003 is taken by the calling process, also from a fiber of it", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const rooms = yield* Unique.start()
        yield* Registry.register(rooms, "own", 1)
        yield* Fiber.join(yield* Effect.forkChild(Registry.register(rooms, "fiber", 2)))
        assert.sameMembers([...yield* Registry.keys(rooms, self.pid)], ["own", "fiber"])
      })
    ))

  it.effect("RG-005, RG-007 is free as soon as its holder has ended", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const rooms = yield* Unique.start()
        const pid = yield* holder
        yield* by(pid, Registry.register(rooms, "lobby", 1))
        yield* kill(pid)
        assert.deepStrictEqual(yield* Process.whereis(Registry.via(rooms, "lobby")), Option.none())
        yield* Registry.register(rooms, "lobby", "other")
        assert.deepStrictEqual(pairs(yield* Registry.lookup(rooms, "lobby")), [[self.pid, "other"]])
      })
    ))

  it.effect("RG-006 is found with its value, or is not found", () =>
    Effect.gen(function*() {
      const rooms = yield* Unique.start()
      const pid = yield* holder
      assert.deepStrictEqual(yield* Registry.lookup(rooms, "lobby"), Option.none())
      yield* by(pid, Registry.register(rooms, "lobby", "value"))
      assert.deepStrictEqual(
        yield* Registry.lookup(rooms, "lobby"),
        Option.some({ key: "lobby", pid, value: "value" } as const)
      )
    }).pipe(inNode))

  it.effect("RG-022 has its value replaced by its holder only", () =>
    Effect.gen(function*() {
      const rooms = yield* Unique.start()
      const [one, two] = [yield* holder, yield* holder]
      yield* by(one, Registry.register(rooms, "lobby", 1))
      const add = Registry.updateValue(rooms, "lobby", (n) => Number(n) + 1)
      assert.deepStrictEqual(yield* by(one, add), Option.some([2, 1] as const))
      assert.deepStrictEqual(yield* by(two, add), Option.none())
      assert.deepStrictEqual(yield* by(one, Registry.updateValue(rooms, "none", () => 0)), Option.none())
      assert.deepStrictEqual(pairs(yield* Registry.lookup(rooms, "lobby")), [[one, 2]])
      assert.deepStrictEqual(yield* sizes(rooms, "lobby"), [1, 1, 1])
      yield* kill(one)
      assert.deepStrictEqual(yield* sizes(rooms, "lobby"), [0, 0, 0])
    }).pipe(inNode))

  it.effect("an update that gives its own key away changes nothing", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const rooms = yield* Unique.start()
        yield* Registry.register(rooms, "lobby", 1)
        const context = yield* Effect.context<Process.Current>()
        const update = Registry.updateValue(rooms, "lobby", () => {
          Effect.runSyncWith(context)(Registry.unregister(rooms, "lobby"))
          return 2
        })
        assert.deepStrictEqual(yield* update, Option.none())
        assert.deepStrictEqual(yield* Registry.keys(rooms, self.pid), [])
      })
    ))
})

describe("duplicate keys", () => {
  it.effect("RG-012, RG-013, RG-014 are held several times by one process, each with a value, and go together", () =>
    Effect.gen(function*() {
      const topics = yield* Duplicate.start()
      const [one, two] = [yield* holder, yield* holder]
      yield* by(one, Registry.register(topics, "news", 1))
      yield* by(one, Registry.register(topics, "news", 2))
      yield* by(two, Registry.register(topics, "news", 3))
      yield* by(one, Registry.register(topics, "sport", 4))
      assert.deepStrictEqual(pairs(yield* Registry.lookup(topics, "news")), [[one, 1], [one, 2], [two, 3]])
      assert.sameMembers([...yield* Registry.keys(topics, one)], ["news", "news", "sport"])
      assert.deepStrictEqual(yield* Registry.values(topics, "news", one), [1, 2])
      assert.deepStrictEqual(yield* Registry.values(topics, "news", yield* idle), [])
      yield* by(one, Registry.unregister(topics, "news"))
      assert.deepStrictEqual(pairs(yield* Registry.lookup(topics, "news")), [[two, 3]])
      assert.deepStrictEqual(yield* Registry.keys(topics, one), ["sport"])
      assert.deepStrictEqual(yield* Registry.lookup(topics, "nothing"), [])
    }).pipe(inNode))

  it.effect("RG-023 have no value to update: a TypeError", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const topics = yield* Duplicate.start()
        const wrong = topics as unknown as Registry.Registry<Room, "unique">
        const cause = yield* Effect.flip(Effect.sandbox(Registry.updateValue(wrong, "news", () => 1)))
        const message = "updateValue: expected a registry with unique keys, got test/Duplicate"
        assert.strictEqual(String(Cause.squash(cause)), `TypeError: ${message}`)
      })
    ))

  it.effect("RG-030 are no names: a TypeError", () =>
    Effect.gen(function*() {
      const topics = yield* Duplicate.start()
      assert.throws(
        () => Registry.via(topics as unknown as Registry.Registry<Room, "unique">, "news"),
        TypeError,
        "via: expected a registry with unique keys, got test/Duplicate"
      )
    }).pipe(inNode))
})

describe("a process that ends", () => {
  for (const reason of [ExitReason.normal, ExitReason.custom("bad"), ExitReason.kill]) {
    it.effect(`RG-008 holds nothing any more when its Down says ${reason._tag}`, () =>
      asProcess((self: Process.Self<Process.Down>) =>
        Effect.gen(function*() {
          const topics = yield* Duplicate.start()
          const pid = yield* holder
          yield* Process.monitor(pid)
          for (const key of ["news", "news", "sport"]) yield* by(pid, Registry.register(topics, key, 1))
          if (reason._tag === "Normal") yield* Process.send(pid, Process.exit(reason))
          else yield* Process.exit(pid, reason)
          yield* self.receive
          assert.deepStrictEqual(yield* sizes(topics, "news", "sport"), [0, 0, 0, 0])
          assert.deepStrictEqual(yield* Registry.keys(topics, pid), [])
          yield* settle
          assert.deepStrictEqual(yield* links(topics.pid), [])
          assert.isTrue(yield* Process.isAlive(topics.pid))
        })
      ))
  }

  it.effect("RG-042 registers in vain", () =>
    Effect.gen(function*() {
      const rooms = yield* Unique.start()
      const topics = yield* Duplicate.start()
      const late = Effect.andThen(Registry.register(rooms, "late", 1), Registry.register(topics, "late", 1))
      const pid = yield* Process.spawn(() => Effect.ensuring(Effect.never, Effect.ignore(late)))
      yield* settle
      yield* kill(pid)
      yield* settle
      yield* Process.awaitExit(yield* Process.spawn(() => Registry.register(topics, "short", 1)))
      assert.deepStrictEqual([yield* sizes(rooms), yield* sizes(topics)], [[0, 0], [0, 0]])
    }).pipe(inNode))

  it.effect("keeps its keys while its finalizers run", () =>
    Effect.gen(function*() {
      const rooms = yield* Unique.start()
      const gate = yield* Deferred.make<void>()
      const body = Effect.andThen(Registry.register(rooms, "lobby", 1), Effect.never)
      const pid = yield* Process.spawn(() => Effect.ensuring(body, Deferred.await(gate)))
      yield* settle
      yield* Process.exit(pid, ExitReason.custom("bad"))
      yield* settle
      assert.deepStrictEqual(pairs(yield* Registry.lookup(rooms, "lobby")), [[pid, 1]])
      yield* Deferred.succeed(gate, undefined)
      yield* settle
      assert.deepStrictEqual(yield* Registry.lookup(rooms, "lobby"), Option.none())
    }).pipe(inNode))
})

describe("the link", () => {
  it.effect("RG-009 takes those who are registered along when the registry dies", () =>
    asProcess((self: Process.Self<Process.Down | Process.Exit>) =>
      Effect.gen(function*() {
        const rooms = yield* Unique.start()
        const [pid, other] = [yield* holder, yield* holder]
        yield* by(pid, Registry.register(rooms, "lobby", 1))
        yield* Process.monitor(pid)
        yield* Process.trapExit(true)
        yield* Registry.register(rooms, "own", 1)
        yield* kill(rooms.pid)
        const messages = yield* arrived(self)
        assert.sameDeepMembers(messages.map(({ _tag, reason }) => [_tag, reason._tag]), [
          ["Down", "Killed"],
          ["Exit", "Killed"]
        ])
        assert.isTrue(yield* Process.isAlive(other))
        assert.strictEqual(watchersOf(self.pid), 1, "who lives on keeps nothing of it")
      })
    ))

  it.effect("RG-010 goes with the last key, and only if it came with the first", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const topics = yield* Duplicate.start()
        yield* Registry.register(topics, "news", 1)
        yield* Registry.register(topics, "news", 2)
        yield* Registry.register(topics, "sport", 3)
        assert.deepStrictEqual(yield* links(self.pid), [topics.pid])
        yield* Registry.unregister(topics, "news")
        assert.deepStrictEqual(yield* links(self.pid), [topics.pid])
        yield* Registry.unregister(topics, "sport")
        assert.deepStrictEqual([yield* links(self.pid), yield* links(topics.pid)], [[], []])
        const rooms = yield* Unique.start()
        yield* Registry.register(rooms, "lobby", 1)
        yield* Registry.updateValue(rooms, "lobby", () => 2)
        assert.deepStrictEqual(yield* links(self.pid), [rooms.pid])
        yield* Registry.unregister(rooms, "lobby")
        assert.deepStrictEqual(yield* links(self.pid), [])
        yield* Process.link(topics.pid)
        yield* Registry.register(topics, "news", 1)
        yield* Registry.unregister(topics, "news")
        assert.deepStrictEqual(yield* links(self.pid), [topics.pid])
      })
    ))
})

class Point extends Data.Class<{ readonly x: number }> {}

describe("keys", () => {
  it.effect("RG-015 are compared as values", () =>
    Effect.gen(function*() {
      const rooms = yield* Unique.start()
      const pid = yield* holder
      const different = [1, "1", 1n, true, null, undefined, ["a", 1], { a: 1 }, new Point({ x: 1 }), Symbol.for("a")]
      for (const key of different) yield* by(pid, Registry.register(rooms, key, key))
      assert.strictEqual(yield* Registry.count(rooms), different.length)
      for (const key of [1.0, ["a", 1], { a: 1 }, new Point({ x: 1 }), Symbol.for("a"), null]) {
        const found = Option.getOrThrow(yield* Registry.lookup(rooms, key))
        assert.deepStrictEqual(found.value, key)
        yield* Effect.flip(by(pid, Registry.register(rooms, key, "again")))
        yield* by(pid, Registry.unregister(rooms, key))
        assert.deepStrictEqual(yield* Registry.lookup(rooms, key), Option.none())
      }
      assert.strictEqual(yield* Registry.count(rooms), different.length - 6)
    }).pipe(inNode))

  it.effect("RG-016 that look reserved mean themselves", () =>
    Effect.gen(function*() {
      const rooms = yield* Unique.start()
      const pid = yield* holder
      const reserved = ["_", "$1", "$_", {}, [], "__proto__", "constructor", ""]
      for (const key of reserved) yield* by(pid, Registry.register(rooms, key, key))
      for (const key of reserved) {
        assert.deepStrictEqual(pairs(yield* Registry.lookup(rooms, key)), [[pid, key]])
        assert.strictEqual(yield* Registry.countMatch(rooms, key, () => true), 1)
        yield* by(pid, Registry.unregisterMatch(rooms, key, (value) => value === key))
        assert.strictEqual(yield* Registry.countMatch(rooms, key, () => true), 0)
      }
      assert.strictEqual(yield* Registry.count(rooms), 0)
    }).pipe(inNode))
})

describe("match and select", () => {
  const filled = Effect.gen(function*() {
    const topics = yield* Duplicate.start()
    const [one, two] = [yield* holder, yield* holder]
    yield* by(one, Registry.register(topics, "news", 1))
    yield* by(one, Registry.register(topics, "news", "two"))
    yield* by(two, Registry.register(topics, "news", 3))
    yield* by(two, Registry.register(topics, "sport", 4))
    return { one, topics, two }
  })

  const isNumber = (value: unknown): value is number => typeof value === "number"
  const doubled = (value: unknown) => isNumber(value) ? Result.succeed(value * 2) : Result.fail(value)

  it.effect("RG-017 match finds what a predicate, a refinement or a Filter of the value lets pass, under one key", () =>
    Effect.gen(function*() {
      const { one, topics, two } = yield* filled
      assert.deepStrictEqual(pairs(yield* Registry.match(topics, "news", (value) => value === 3)), [[two, 3]])
      assert.deepStrictEqual(pairs(yield* Registry.match(topics, "news", isNumber)), [[one, 1], [two, 3]])
      assert.deepStrictEqual(yield* Registry.match(topics, "news", doubled), [
        { key: "news", pid: one, value: 2 },
        { key: "news", pid: two, value: 6 }
      ])
      assert.deepStrictEqual(yield* Registry.match(topics, "none", isNumber), [])
    }).pipe(inNode))

  it.effect("RG-019 select looks at all keys, and both can be counted", () =>
    Effect.gen(function*() {
      const { one, topics } = yield* filled
      const ofOne = ({ pid }: Registry.Entry<Room>) => pid === one
      const keyOf = ({ key, value }: Registry.Entry<Room>) => isNumber(value) ? Result.succeed(key) : Result.fail(key)
      assert.deepStrictEqual((yield* Registry.select(topics, ofOne)).map(({ value }) => value), [1, "two"])
      assert.deepStrictEqual(yield* Registry.select(topics, keyOf), ["news", "news", "sport"])
      assert.strictEqual(yield* Registry.countMatch(topics, "news", isNumber), 2)
      assert.strictEqual(yield* Registry.countMatch(topics, "news", doubled), 2)
      assert.strictEqual(yield* Registry.countSelect(topics, ofOne), 2)
      assert.strictEqual(yield* Registry.countSelect(topics, keyOf), 3)
      assert.strictEqual(yield* Registry.count(topics), 4)
    }).pipe(inNode))

  it.effect("RG-020 what is no function is a TypeError", () =>
    Effect.gen(function*() {
      const { topics } = yield* filled
      for (const pick of [{ $1: "news" }, [[["$1"], [], []]], undefined]) {
        const defect = yield* defectOf(Registry.select(topics, pick as never))
        assert.include(String(defect), "TypeError: pick: expected a function")
      }
    }).pipe(inNode))

  it.effect("RG-021 unregisterMatch takes those entries of the caller whose value matches", () =>
    Effect.gen(function*() {
      const { one, topics, two } = yield* filled
      assert.isUndefined(yield* by(one, Registry.unregisterMatch(topics, "news", isNumber)))
      assert.deepStrictEqual(pairs(yield* Registry.lookup(topics, "news")), [[one, "two"], [two, 3]])
      yield* by(one, Registry.unregisterMatch(topics, "news", doubled))
      assert.strictEqual(yield* Registry.count(topics), 3)
    }).pipe(inNode))
})

describe("dispatch", () => {
  it.effect("RG-024 gives the entries to the function, which is not called without any", () =>
    Effect.gen(function*() {
      const topics = yield* Duplicate.start()
      const [one, two] = [yield* holder, yield* holder]
      const seen: Array<unknown> = []
      const note = (entries: ReadonlyArray<Registry.Entry<Room>>) => Effect.sync(() => seen.push(pairs(entries)))
      assert.isUndefined(yield* Registry.dispatch(topics, "news", note))
      assert.deepStrictEqual(seen, [])
      yield* by(one, Registry.register(topics, "news", 1))
      yield* by(two, Registry.register(topics, "news", 2))
      assert.isUndefined(yield* Registry.dispatch(topics, "news", note))
      assert.deepStrictEqual(seen, [[[one, 1], [two, 2]]])
      const rooms = yield* Unique.start()
      yield* by(one, Registry.register(rooms, "lobby", 3))
      yield* Registry.dispatch(rooms, "lobby", note, { parallel: true })
      assert.deepStrictEqual(seen[1], [[one, 3]])
    }).pipe(inNode))

  it.effect("RG-025, RG-026, RG-038 calls it once for each partition with entries: in turn, or all at once", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const topics = yield* Parted.start()
        const pids = yield* Effect.replicateEffect(holder, 4)
        for (const pid of pids) yield* by(pid, Registry.register(topics, "news", 1))
        const log: Array<string> = []
        const slow = (entries: ReadonlyArray<Registry.Entry<Room>>) =>
          Effect.gen(function*() {
            assert.strictEqual(yield* Process.self, self.pid)
            log.push(`begin ${entries.length}`)
            yield* Effect.yieldNow
            log.push("end")
          })
        yield* Registry.dispatch(topics, "news", slow)
        yield* Registry.dispatch(topics, "news", slow, { parallel: true })
        const [inTurn, atOnce] = [["begin 2", "end", "begin 2", "end"], ["begin 2", "begin 2", "end", "end"]]
        assert.deepStrictEqual(log, [...inTurn, ...atOnce])
        const one = yield* Duplicate.start()
        for (const pid of pids) yield* by(pid, Registry.register(one, "news", 1))
        log.length = 0
        yield* Registry.dispatch(one, "news", slow)
        assert.deepStrictEqual(log, ["begin 4", "end"])
        yield* kill(pids[0]!)
        yield* kill(pids[2]!)
        log.length = 0
        yield* Registry.dispatch(topics, "news", slow)
        assert.deepStrictEqual(log, ["begin 2", "end"])
      })
    ))

  it.effect("RG-027 what the function dies of, or fails with, is the caller's", () =>
    Effect.gen(function*() {
      const topics = yield* Duplicate.start()
      yield* by(yield* holder, Registry.register(topics, "news", 1))
      const thrown = Registry.dispatch(topics, "news", () => {
        throw new Error("boom")
      })
      assert.strictEqual(String(yield* defectOf(thrown)), "Error: boom")
      assert.strictEqual(yield* Effect.flip(Registry.dispatch(topics, "news", () => Effect.fail("no"))), "no")
      assert.isTrue(yield* Process.isAlive(topics.pid))
    }).pipe(inNode))
})

describe("via", () => {
  it.effect("RG-028 names a server, with a value or without, and reaches it wherever a target is taken", () =>
    Effect.gen(function*() {
      const rooms = yield* Unique.start()
      const plain = Registry.via(rooms, "plain")
      const valued = Registry.via(rooms, ["room", 1], "value")
      const one = yield* Cell.server.start("one", { name: plain })
      const two = yield* Cell.server.start("two", { name: valued })
      const same = Registry.via(rooms, ["room", 1])
      assert.deepStrictEqual(yield* Process.whereis(same), Option.some(two.pid))
      assert.deepStrictEqual(pairs(yield* Registry.lookup(rooms, "plain")), [[one.pid, undefined]])
      assert.deepStrictEqual(pairs(yield* Registry.lookup(rooms, ["room", 1])), [[two.pid, "value"]])
      assert.strictEqual(yield* Agent.get(Cell.at(same), (s) => s), "two")
      assert.strictEqual(yield* Sys.getState(same), "two")
      assert.strictEqual(Option.getOrThrow(yield* Process.info(plain)).name, "test/Unique/plain")
      assert.isTrue(yield* Process.isAlive(plain))
      yield* GenServer.stop(plain)
      assert.deepStrictEqual(yield* Registry.lookup(rooms, "plain"), Option.none())
      assert.isFalse(yield* Process.isAlive(plain))
    }).pipe(inNode))

  it.effect("RG-029 whose key is taken starts nothing: AlreadyStarted with the holder", () =>
    Effect.gen(function*() {
      const rooms = yield* Unique.start()
      const name = Registry.via(rooms, "room")
      const first = yield* Cell.server.start("first", { name })
      const inTree = Effect.provide(Effect.void, Cell.server.layer("second", { name }))
      for (const start of [Effect.asVoid(Cell.server.start("second", { name })), inTree]) {
        const { reason } = yield* Effect.flip(start)
        assert.deepStrictEqual([reason._tag, "pid" in reason && reason.pid], ["AlreadyStarted", first.pid])
      }
      assert.strictEqual(yield* Registry.count(rooms), 1)
    }).pipe(inNode))

  it.effect("RG-031 that nobody holds: a send is a defect, a cast does nothing, a call fails with NoProcess", () =>
    Effect.gen(function*() {
      const rooms = yield* Unique.start()
      const nobody = Registry.via(rooms, "nobody")
      const defect = yield* defectOf(Process.send(nobody, "hello" as never))
      assert.include(String(defect), "cannot send to test/Unique/nobody: no process is registered under this name")
      assert.isUndefined(yield* Agent.cast(Cell.at(nobody), (s) => s))
      const error = yield* callFails(Agent.get(Cell.at(nobody), (s) => s), "NoProcess")
      assert.strictEqual(error.server, "test/Unique/nobody")
    }).pipe(inNode))

  it.effect("is a name of Process.register, too, for any process", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const rooms = yield* Talks.start()
        const name = Registry.via(rooms, "room")
        yield* Process.register(name, self.pid)
        yield* Process.send(name, "hello")
        assert.strictEqual(yield* self.receive, "hello")
        assert.deepStrictEqual(yield* links(self.pid), [rooms.pid])
        const other = yield* Process.spawn((_: Process.Self<string>) => Effect.never)
        const error = yield* Effect.flip(Process.register(name, other))
        assert.deepStrictEqual(error.reason, { _tag: "NameTaken", holder: self.pid })
        yield* Process.unregister(name)
        assert.deepStrictEqual([yield* links(self.pid), yield* Registry.keys(rooms, self.pid)], [[], []])
        yield* Process.register(name, other)
        assert.deepStrictEqual(yield* Process.whereis(name), Option.some(other))
      })
    ))

  it.effect("of a registry that does not run reaches nobody, and names nobody", () =>
    Effect.gen(function*() {
      const rooms = yield* Unique.start()
      const name = Registry.via(rooms, "room")
      yield* kill(rooms.pid)
      assert.deepStrictEqual(yield* Process.whereis(name), Option.none())
      yield* callFails(Agent.get(Cell.at(name), (s) => s), "NoProcess")
      const before = yield* Process.list
      assert.include(String(yield* defectOf(Cell.server.start("a", { name }))), "the registry test/Unique does not run")
      assert.deepStrictEqual(yield* Process.list, before)
    }).pipe(inNode))
})

describe("listeners", () => {
  const listened = <A, E>(
    f: (rooms: GenServer.Ref<Watched>, self: Process.Self<Registry.Event<Room>>) => Effect.Effect<A, E, Process.Current>
  ) =>
    asProcess((self: Process.Self<Registry.Event<Room>>) =>
      Effect.gen(function*() {
        yield* Process.register("listener", self.pid)
        yield* f(yield* Watched.start(), self)
      })
    )
  const registry = "test/Watched"

  it.effect("RG-032, RG-034 are told of each register and unregister before it returns, and an absent one is ignored", () =>
    listened((rooms, self) =>
      Effect.gen(function*() {
        const { pid } = self
        yield* Registry.register(rooms, "lobby", 1)
        assert.deepStrictEqual(yield* queued(self), [{ _tag: "Registered", registry, key: "lobby", pid, value: 1 }])
        yield* Effect.flip(Registry.register(rooms, "lobby", 2))
        yield* Registry.updateValue(rooms, "lobby", () => 3)
        yield* Registry.unregister(rooms, "nothing")
        yield* Registry.unregisterMatch(rooms, "lobby", () => false)
        assert.deepStrictEqual(yield* queued(self), [])
        yield* Registry.unregister(rooms, "lobby")
        assert.deepStrictEqual(yield* queued(self), [{ _tag: "Unregistered", registry, key: "lobby", pid }])
        yield* Registry.register(rooms, "lobby", 4)
        yield* Registry.unregisterMatch(rooms, "lobby", (value) => value === 4)
        assert.deepStrictEqual((yield* queued(self)).map(({ _tag }) => _tag), ["Registered", "Unregistered"])
        const cell = yield* Cell.server.start("a", { name: Registry.via(rooms, "cell", "v") })
        assert.deepStrictEqual(yield* queued(self), [
          { _tag: "Registered", registry, key: "cell", pid: cell.pid, value: "v" }
        ])
        yield* Process.unregister(Registry.via(rooms, "cell"))
        assert.deepStrictEqual((yield* queued(self)).map(({ _tag }) => _tag), ["Unregistered"])
      })
    ))

  it.effect("are told when the last entry of a key goes, and not of what is not registered", () =>
    listened((_, self) =>
      Effect.gen(function*() {
        const topics = yield* Heard.start()
        yield* Registry.register(topics, "news", 1)
        yield* Registry.register(topics, "news", 2)
        yield* Registry.unregisterMatch(topics, "news", (value) => value === 1)
        yield* Registry.unregister(topics, "news")
        const register = Registry.register(topics, "late", 3)
        const late = yield* Process.spawn(() => Effect.ensuring(Effect.never, register))
        yield* settle
        yield* kill(late)
        const events = (yield* arrived(self)).map(({ _tag, key }) => [_tag, key])
        assert.deepStrictEqual(events, [["Registered", "news"], ["Registered", "news"], ["Unregistered", "news"]])
      })
    ))

  it.effect("RG-033 are not told when a process ends, whatever it holds", () =>
    listened((rooms, self) =>
      Effect.gen(function*() {
        const pid = yield* holder
        yield* by(pid, Registry.register(rooms, "lobby", 1))
        const named = yield* Cell.server.start("a", { name: Registry.via(rooms, "cell") })
        assert.strictEqual((yield* queued(self)).length, 2)
        yield* kill(pid)
        yield* GenServer.stop(named)
        assert.strictEqual(yield* Registry.count(rooms), 0)
        assert.deepStrictEqual(yield* arrived(self), [])
      })
    ))
})

describe("metadata", () => {
  it.effect("RG-037 is kept with the registry, from the start or from later", () =>
    Effect.gen(function*() {
      class Limited extends Registry.Service<Limited, Room>()("test/Limited", {
        keys: "unique",
        meta: { limit: 1 }
      }) {}
      const rooms = yield* Limited.start()
      assert.deepStrictEqual(yield* Registry.getMeta(rooms, "limit"), Option.some(1))
      assert.deepStrictEqual(yield* Registry.getMeta(rooms, "name"), Option.none())
      assert.isUndefined(yield* Registry.putMeta(rooms, "name", "hotel"))
      yield* Registry.putMeta(rooms, "limit", 2)
      assert.deepStrictEqual(yield* Registry.getMeta(rooms, "name"), Option.some("hotel"))
      assert.deepStrictEqual(yield* Registry.getMeta(rooms, "limit"), Option.some(2))
      assert.isUndefined(yield* Registry.deleteMeta(rooms, "limit"))
      yield* Registry.deleteMeta(rooms, "limit")
      assert.deepStrictEqual(yield* Registry.getMeta(rooms, "limit"), Option.none())
      const fresh = yield* Limited.start()
      assert.deepStrictEqual(yield* Registry.getMeta(fresh, "limit"), Option.some(1))
    }).pipe(inNode))
})

describe("lock", () => {
  /** Takes a lock, and says so. */
  const locking = Effect.fnUntraced(function*(rooms: Registry.Registry<Room>, log: Array<string>, name: string) {
    const gate = yield* Deferred.make<void>()
    const inside = Effect.andThen(Effect.sync(() => log.push(name)), Deferred.await(gate))
    return { go: Deferred.succeed(gate, undefined), run: (key: unknown) => Registry.lock(rooms, key, inside) }
  })

  it.effect("RG-040 lets one after the other, and goes on when one fails, is interrupted, or dies", () =>
    Effect.gen(function*() {
      const rooms = yield* Unique.start()
      const log: Array<string> = []
      const start = Effect.fnUntraced(function*(name: string, as?: Exit.Exit<never, string>) {
        const { go, run } = yield* locking(rooms, log, name)
        const effect = as === undefined
          ? run(["key"])
          : Registry.lock(rooms, ["key"], Effect.andThen(Effect.sync(() => log.push(name)), as))
        const pid = yield* Process.spawn(() => Effect.ignore(effect))
        yield* settle
        return { go, pid }
      })
      const first = yield* start("first")
      yield* start("failing", Exit.fail("no"))
      yield* start("dying", Exit.die("no"))
      const killed = yield* start("killed")
      const waiting = yield* start("waiting")
      const last = yield* start("last")
      assert.deepStrictEqual(log, ["first"])
      yield* first.go
      yield* settle
      assert.deepStrictEqual(log, ["first", "failing", "dying", "killed"])
      yield* kill(waiting.pid)
      yield* settle
      assert.deepStrictEqual(log.length, 4)
      yield* kill(killed.pid)
      yield* settle
      assert.deepStrictEqual(log.slice(4), ["last"])
      yield* last.go
      yield* settle
      assert.strictEqual(yield* Registry.lock(rooms, ["key"], Effect.succeed("free")), "free")
    }).pipe(inNode))

  it.effect("RG-041 of another key is another lock", () =>
    Effect.gen(function*() {
      const rooms = yield* Unique.start()
      const log: Array<string> = []
      const { run } = yield* locking(rooms, log, "held")
      yield* Effect.forkChild(run("a"))
      yield* settle
      assert.strictEqual(yield* Registry.lock(rooms, "b", Effect.succeed("free")), "free")
      assert.deepStrictEqual(log, ["held"])
    }).pipe(inNode))
})

describe("watch", () => {
  it.effect("tells who holds a key, and each time that it changes, until the registry ends", () =>
    Effect.gen(function*() {
      const rooms = yield* Unique.start()
      const seen: Array<unknown> = []
      const fiber = yield* Effect.forkChild(
        Stream.runForEach(Registry.watch(rooms, "lobby"), (pid) => Effect.sync(() => seen.push(pid)))
      )
      const now = Effect.map(settle, () => seen.splice(0))
      const [one, two] = [yield* holder, yield* holder]
      assert.deepStrictEqual(yield* now, [Option.none()])
      yield* by(one, Registry.register(rooms, "lobby", 1))
      assert.deepStrictEqual(yield* now, [Option.some(one)])
      yield* by(one, Registry.register(rooms, "other", 1))
      yield* by(one, Registry.updateValue(rooms, "lobby", () => 2))
      const again = Effect.andThen(Registry.unregister(rooms, "lobby"), Registry.register(rooms, "lobby", 3))
      yield* by(one, Effect.orDie(again))
      assert.deepStrictEqual(yield* now, [])
      yield* kill(one)
      assert.deepStrictEqual(yield* now, [Option.none()])
      const cell = yield* Cell.server.start("a", { name: Registry.via(rooms, "lobby") })
      assert.deepStrictEqual(yield* now, [Option.some(cell.pid)])
      yield* GenServer.stop(cell)
      yield* by(two, Registry.register(rooms, "lobby", 1))
      assert.deepStrictEqual((yield* now).at(-1), Option.some(two))
      yield* kill(rooms.pid)
      yield* Fiber.join(fiber)
    }).pipe(inNode))

  it.effect("tells all who hold a duplicate key, oldest first, and the latest to who is slow", () =>
    Effect.gen(function*() {
      const topics = yield* Duplicate.start()
      const [one, two] = [yield* holder, yield* holder]
      yield* by(one, Registry.register(topics, "news", 1))
      const gate = yield* Deferred.make<void>()
      const fiber = yield* Registry.watch(topics, "news").pipe(
        Stream.tap(() => Deferred.await(gate)),
        Stream.take(2),
        Stream.runCollect,
        Effect.forkChild
      )
      yield* settle
      yield* by(two, Registry.register(topics, "news", 1))
      yield* kill(one)
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual(yield* Fiber.join(fiber), [[one], [two]])
    }).pipe(inNode))
})

describe("the process of a registry", () => {
  it.effect("SY-017 answers system requests, while whatever is read goes on", () =>
    Effect.gen(function*() {
      const rooms = yield* Unique.start()
      const pid = yield* holder
      yield* by(pid, Registry.register(rooms, "lobby", 1))
      yield* Registry.putMeta(rooms, "limit", 3)
      assert.deepStrictEqual(yield* Sys.getState(rooms), {
        keys: "unique",
        entries: [{ key: "lobby", pid, value: 1 }],
        meta: { limit: 3 }
      })
      yield* Sys.suspend(rooms)
      yield* kill(pid)
      assert.strictEqual(yield* Registry.count(rooms), 0)
      yield* Sys.resume(rooms)
      assert.isTrue(yield* Process.isAlive(rooms.pid))
    }).pipe(inNode))

  it.effect("stands in a tree, and starts anew empty, under the same service", () =>
    Effect.gen(function*() {
      const rooms = yield* Unique
      const pid = yield* holder
      yield* by(pid, Registry.register(rooms, "lobby", 1))
      const before = Option.getOrThrow(yield* Process.info(pid)).links[0]!
      yield* kill(before)
      yield* settle
      assert.isFalse(yield* Process.isAlive(pid))
      assert.strictEqual(yield* Registry.count(rooms), 0)
      yield* by(yield* holder, Registry.register(rooms, "lobby", 2))
      assert.strictEqual(yield* Registry.count(rooms), 1)
    }).pipe(
      Effect.provide(Supervisor.make({ children: [Unique.child(), Duplicate.child({ id: "topics" })] }).layer),
      inNode
    ))

  it.effect("ignores the exit of a stranger, reports a message, and ends with its supervisor", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const rooms = yield* Unique.start()
        yield* Process.exit(rooms.pid, ExitReason.custom("bad"))
        yield* Process.send(rooms.pid as unknown as Process.Pid<string>, "hello")
        yield* settle
        assert.isTrue(yield* Process.isAlive(rooms.pid))
        assert.strictEqual(lines.length, 1)
        yield* GenServer.stop(rooms)
        assert.include(String(yield* defectOf(Registry.count(rooms))), "the registry test/Unique does not run")
      }).pipe(inNode)
    ))

  it.effect("keeps nothing of those who have come and gone", () =>
    Effect.gen(function*() {
      const rooms = yield* Unique.start()
      const topics = yield* Duplicate.start()
      const pids = yield* Effect.forEach(Array.from({ length: 100 }, (_, i) => i), (i) =>
        Process.spawn(() =>
          Effect.gen(function*() {
            yield* Registry.register(rooms, ["room", i], i)
            yield* Registry.register(topics, "news", i)
            if (i % 2 === 0) {
              yield* Registry.unregister(rooms, ["room", i])
            }
          })
        ))
      yield* Effect.forEach(pids, Process.awaitExit)
      yield* Effect.forEach(pids, (_, i) =>
        Registry.lock(rooms, ["room", i], Effect.void), { concurrency: 10 })
      yield* Effect.forEach(pids, (_, i) =>
        Stream.runHead(Registry.watch(rooms, ["room", i])), { concurrency: 10 })
      yield* settle
      assert.deepStrictEqual([yield* links(rooms.pid), yield* links(topics.pid)], [[], []])
      for (const { pid } of [rooms, topics]) {
        const { holders, locks, subscribers } = (entryOfPid(pid).state as ServerState).state as Running.Registry
        const sizes = [holders.size, holders.byPid.size]
        const maps = [holders.byKey, locks, subscribers].map((map) => MutableHashMap.size<unknown, unknown>(map))
        assert.deepStrictEqual([...sizes, ...maps], [0, 0, 0, 0, 0])
      }
      yield* GenServer.stop(rooms)
      yield* GenServer.stop(topics)
      yield* settle
      assert.deepStrictEqual(yield* leftovers([...pids, rooms.pid, topics.pid]), [])
    }).pipe(inNode))

  // Under the default scheduler what can be done at once is.
  it.live("is the same where nothing has to be evaluated", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const [rooms, topics] = [yield* Unique.start(), yield* Duplicate.start()]
        for (const key of ["lobby", ["room", 1], Symbol.for("room")]) {
          assert.deepStrictEqual(yield* Registry.lookup(rooms, key), Option.none())
          yield* Registry.register(rooms, key, 1)
          const error = yield* Effect.flip(Registry.register(rooms, key, 2))
          assert.deepStrictEqual(error.reason, { _tag: "NameTaken", holder: self.pid })
          const refused = yield* Effect.result(Effect.gen(function*() {
            yield* Registry.register(rooms, key, 2)
          }))
          assert.isTrue(Result.isFailure(refused))
          assert.deepStrictEqual(pairs(yield* Registry.lookup(rooms, key)), [[self.pid, 1]])
          yield* Registry.register(topics, key, 1)
          yield* Registry.register(topics, key, 2)
          assert.deepStrictEqual(pairs(yield* Registry.lookup(topics, key)), [[self.pid, 1], [self.pid, 2]])
        }
        assert.deepStrictEqual(yield* sizes(rooms, "lobby"), [3, 3, 1])
        assert.deepStrictEqual(yield* links(self.pid), [rooms.pid, topics.pid])
        yield* GenServer.stop(rooms, { reason: ExitReason.normal })
        // A defect is nothing that can be caught within the generator.
        const caught: Array<unknown> = []
        const tried = Effect.gen(function*() {
          try {
            yield* Registry.lookup(rooms, "lobby")
          } catch (error) {
            caught.push(error)
          }
        })
        assert.include(String(yield* defectOf(tried)), "the registry test/Unique does not run")
        assert.deepStrictEqual(caught, [])
      })
    ))

  it.live("a listener whose name cannot be resolved is a defect of who registers", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const rooms = yield* Broken.start()
        const caught: Array<unknown> = []
        const tried = Effect.gen(function*() {
          try {
            yield* Registry.register(rooms, "lobby", 1)
          } catch (error) {
            caught.push(error)
          }
        })
        assert.include(String(yield* defectOf(tried)), "out of order")
        assert.deepStrictEqual(caught, [])
      })
    ))

  it("a wrong option is a TypeError that names it", () => {
    const declared = (options: object) => () => Registry.Service<never, Room>()("test/Wrong", options as never)
    assert.throws(declared({ keys: "some" }), TypeError, "keys: expected \"unique\" or \"duplicate\", got \"some\"")
    assert.throws(declared({ keys: "unique", partitions: 0 }), TypeError, "partitions: expected one or more, got 0")
    assert.throws(declared({ keys: "unique", listeners: [1] }), TypeError, "listeners: expected names, got 1")
    assert.throws(declared({ keys: "unique", listener: "a" }), TypeError, "option: expected")
  })

  it.effect("what is no registry is a TypeError", () =>
    Effect.gen(function*() {
      const pid = yield* idle
      const defect = yield* defectOf(Registry.count(pid as never))
      assert.include(String(defect), "TypeError: registry: expected a Registry")
    }).pipe(inNode))
})
