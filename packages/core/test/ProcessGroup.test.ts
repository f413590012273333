/** Groups as pg has them, on one Node. */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Node from "@effect-otp/core/Node"
import * as Process from "@effect-otp/core/Process"
import * as ProcessGroup from "@effect-otp/core/ProcessGroup"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { tableOf } from "../src/internal/current.ts"
import * as FewSet from "../src/internal/fewSet.ts"
import { scopeOf } from "../src/internal/processGroups.ts"
import { entryOfPid } from "../src/internal/resolve.ts"
import { arrived, asProcess, idle, inNode, queued } from "./utils/process.ts"
import { defectOf } from "./utils/server.ts"

const rooms = ProcessGroup.scope("rooms")
const lobby = ProcessGroup.make<never>("lobby")
const otherLobby = ProcessGroup.make<never>("lobby", { scope: rooms })

type Event = ProcessGroup.Event<never>

/** How many wait for the end of a process: of that of a test the test itself does. */
const watchersOf = (pid: Process.Pid<never>) => FewSet.toArray(entryOfPid(pid).watchers).length

const kill = (pid: Process.Pid<never>) => Process.exit(pid, ExitReason.kill)

/** An event without its reference. */
const told = ({ _tag, group, pids }: ProcessGroup.Event<never, unknown>) => [_tag, group, pids] as const

describe("membership", () => {
  it.effect("PG-001, PG-009 one or several join, as often as they like, and are listed as often, in order", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* idle, yield* idle]
      assert.isUndefined(yield* ProcessGroup.join("lobby", one))
      assert.isUndefined(yield* ProcessGroup.join(lobby, [two, one, one]))
      assert.deepStrictEqual(yield* ProcessGroup.members(lobby), [one, two, one, one])
      yield* ProcessGroup.join(lobby, [])
      assert.strictEqual((yield* ProcessGroup.members("lobby")).length, 4)
    }).pipe(inNode))

  it.effect("leave ends one membership of each that is named, and says whether there was any", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* idle, yield* idle]
      yield* ProcessGroup.join(lobby, [one, one, one])
      assert.isTrue(yield* ProcessGroup.leave(lobby, one))
      assert.isTrue(yield* ProcessGroup.leave("lobby", [two, one]))
      assert.deepStrictEqual(yield* ProcessGroup.members(lobby), [one])
      assert.isFalse(yield* ProcessGroup.leave(lobby, [two, two]))
      assert.isFalse(yield* ProcessGroup.leave("nobody", one))
      assert.isTrue(yield* ProcessGroup.leave(lobby, [one, one]))
      assert.deepStrictEqual(yield* ProcessGroup.members(lobby), [])
      assert.strictEqual(watchersOf(one), 0)
    }).pipe(inNode))

  it.effect("PG-004 one that has ended joins in vain, and that is no failure", () =>
    Effect.gen(function*() {
      const [dead, alive] = [yield* idle, yield* idle]
      yield* kill(dead)
      assert.isUndefined(yield* ProcessGroup.join(lobby, [dead, alive]))
      yield* settle
      assert.deepStrictEqual(yield* ProcessGroup.members(lobby), [alive])
      yield* ProcessGroup.join("dead", dead)
      assert.deepStrictEqual(yield* ProcessGroup.groups(), ["lobby"])
    }).pipe(inNode))

  it.effect("PG-005, PG-006 a group is there as long as it has members", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* ProcessGroup.members("lobby"), [])
      assert.deepStrictEqual(yield* ProcessGroup.members(ProcessGroup.make<never>("a", { scope: rooms })), [])
      const [one, two] = [yield* idle, yield* idle]
      yield* ProcessGroup.join("lobby", one)
      yield* ProcessGroup.join("cellar", two)
      assert.sameMembers([...yield* ProcessGroup.groups()], ["lobby", "cellar"])
      yield* ProcessGroup.leave("lobby", one)
      assert.deepStrictEqual(yield* ProcessGroup.groups(), ["cellar"])
      yield* kill(two)
      assert.deepStrictEqual(yield* ProcessGroup.groups(), [])
    }).pipe(inNode))

  it.effect("ends with the process, before its Down says so", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        for (const reason of [ExitReason.custom("bad"), ExitReason.kill]) {
          const pid = yield* idle
          yield* Process.monitor(pid)
          yield* ProcessGroup.join(lobby, [pid, pid, self.pid])
          yield* Process.exit(pid, reason)
          yield* self.receive
          assert.deepStrictEqual(yield* ProcessGroup.members(lobby), [self.pid])
          yield* ProcessGroup.leave(lobby, self.pid)
        }
        assert.strictEqual(watchersOf(self.pid), 1)
      })
    ))

  it.effect(
    "PG-018 thousands of memberships stall nothing: one process in many groups, many processes in one",
    () =>
      Effect.gen(function*() {
        const many = 5_000
        const one = yield* idle
        const pids = yield* Effect.replicateEffect(idle, many)
        yield* ProcessGroup.join(lobby, pids)
        for (let i = 0; i < many; i++) yield* ProcessGroup.join(`room-${i}`, one)
        assert.strictEqual((yield* ProcessGroup.groups()).length, many + 1)
        for (let i = 0; i < many; i++) yield* ProcessGroup.leave(`room-${i}`, one)
        yield* Effect.forEach(pids, kill, { discard: true })
        assert.deepStrictEqual(yield* ProcessGroup.groups(), [])
      }).pipe(inNode),
    10_000
  )
})

describe("scopes", () => {
  it.effect("PG-013 have nothing to do with each other, and neither have those of different Nodes", () =>
    Effect.gen(function*() {
      const pid = yield* idle
      yield* ProcessGroup.join(otherLobby, pid)
      assert.deepStrictEqual(yield* ProcessGroup.members(lobby), [])
      assert.deepStrictEqual(yield* ProcessGroup.members(otherLobby), [pid])
      assert.isFalse(yield* ProcessGroup.leave(lobby, pid))
      assert.deepStrictEqual([yield* ProcessGroup.groups(), yield* ProcessGroup.groups(rooms)], [[], ["lobby"]])
      const elsewhere = Effect.provide(ProcessGroup.members(otherLobby), Node.layer({ name: "other" }))
      assert.deepStrictEqual(yield* elsewhere, [])
      const defect = yield* defectOf(Effect.provide(ProcessGroup.join(lobby, pid), Node.layer({ name: "other" })))
      assert.include(String(defect), `TypeError: pid: expected a process of the Node "other", got ${pid}`)
    }).pipe(inNode))

  it.effect("PG-014 that are stopped have no members, and tell nobody", () =>
    asProcess((self: Process.Self<Event>) =>
      Effect.gen(function*() {
        const pid = yield* idle
        yield* ProcessGroup.join(lobby, pid)
        yield* ProcessGroup.join(otherLobby, [pid, pid])
        const { ref } = yield* ProcessGroup.monitor(otherLobby, self.pid)
        const watching = yield* Effect.forkChild(Stream.runCollect(ProcessGroup.watch(otherLobby)))
        yield* settle
        yield* ProcessGroup.stop(rooms)
        assert.deepStrictEqual(yield* ProcessGroup.groups(rooms), [])
        assert.deepStrictEqual(yield* ProcessGroup.members(lobby), [pid])
        assert.deepStrictEqual(yield* Fiber.join(watching), [[pid, pid]])
        yield* ProcessGroup.join(otherLobby, pid)
        assert.deepStrictEqual(yield* arrived(self), [])
        assert.isFalse(yield* ProcessGroup.demonitor(ref))
        yield* ProcessGroup.stop()
        assert.deepStrictEqual(yield* ProcessGroup.groups(), [])
        assert.strictEqual(watchersOf(self.pid), 1)
      })
    ))

  it.effect("PG-015 the one of a plain string is pg", () =>
    Effect.gen(function*() {
      assert.strictEqual(ProcessGroup.defaultScope.name, "pg")
      const pid = yield* idle
      yield* ProcessGroup.join("lobby", pid)
      const same = ProcessGroup.make<never>("lobby", { scope: ProcessGroup.scope("pg") })
      assert.deepStrictEqual(yield* ProcessGroup.members(same), [pid])
    }).pipe(inNode))
})

/** How many follow the groups of the default scope. */
const observers = Effect.withFiber((fiber) => Effect.succeed(scopeOf(tableOf(fiber), "pg").observers.size))

describe("monitors", () => {
  it.effect("PG-011 tell who joins and who leaves; each membership of one that ends leaves by itself", () =>
    asProcess((self: Process.Self<Event>) =>
      Effect.gen(function*() {
        const [one, two] = [yield* idle, yield* idle]
        yield* ProcessGroup.join(lobby, one)
        const { members, ref } = yield* ProcessGroup.monitor(lobby, self.pid)
        assert.deepStrictEqual(members, [one])
        yield* ProcessGroup.join(lobby, [two, two])
        assert.deepStrictEqual((yield* queued(self)).map(told), [["Joined", "lobby", [two, two]]])
        yield* ProcessGroup.leave(lobby, [one, self.pid])
        yield* ProcessGroup.leave(lobby, one)
        yield* ProcessGroup.join("cellar", one)
        yield* ProcessGroup.join(otherLobby, one)
        yield* kill(two)
        const events = yield* queued(self)
        assert.deepStrictEqual(events.map(told), [
          ["Left", "lobby", [one]],
          ["Left", "lobby", [two]],
          ["Left", "lobby", [two]]
        ])
        assert.isTrue(events.every((event) => event.ref === ref))
      })
    ))

  it.effect("of a scope tell of all its groups", () =>
    asProcess((self: Process.Self<ProcessGroup.Event<never, unknown>>) =>
      Effect.gen(function*() {
        const [one, two] = [yield* idle, yield* idle]
        yield* ProcessGroup.join(otherLobby, [one, one])
        const { groups } = yield* ProcessGroup.monitorScope(rooms, self.pid)
        assert.deepStrictEqual([...groups], [["lobby", [one, one]]])
        yield* ProcessGroup.join(ProcessGroup.make<never>("cellar", { scope: rooms }), two)
        yield* ProcessGroup.join(lobby, two)
        yield* kill(two)
        assert.deepStrictEqual((yield* queued(self)).map(told), [
          ["Joined", "cellar", [two]],
          ["Left", "cellar", [two]]
        ])
      })
    ))

  it.effect("that are taken back take what they have sent out of the mailbox, and nothing else", () =>
    asProcess((self: Process.Self<Event>) =>
      Effect.gen(function*() {
        const pid = yield* idle
        const first = yield* ProcessGroup.monitor(lobby, self.pid)
        const second = yield* ProcessGroup.monitor(lobby, self.pid)
        yield* ProcessGroup.join(lobby, pid)
        assert.isTrue(yield* ProcessGroup.demonitor(first.ref))
        assert.isFalse(yield* ProcessGroup.demonitor(first.ref))
        yield* ProcessGroup.leave(lobby, pid)
        const events = yield* queued(self)
        assert.deepStrictEqual(events.map(({ _tag }) => _tag), ["Joined", "Left"])
        assert.isTrue(events.every(({ ref }) => ref === second.ref))
        assert.include(String(yield* defectOf(ProcessGroup.demonitor({} as never))), "ref: expected what")
      })
    ))

  it.effect("end with the process that they tell", () =>
    Effect.gen(function*() {
      const watcher = yield* Process.spawn((_: Process.Self<Event>) => Effect.never)
      const { ref } = yield* ProcessGroup.monitor(lobby, watcher)
      yield* kill(watcher)
      assert.isFalse(yield* ProcessGroup.demonitor(ref))
      assert.isFalse(yield* ProcessGroup.demonitor((yield* ProcessGroup.monitor(lobby, watcher)).ref))
      assert.strictEqual(yield* observers, 0)
    }).pipe(inNode))

  it.effect("as a Stream give all members, and the latest to who is slow", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* idle, yield* idle]
      const seen: Array<unknown> = []
      const watching = yield* ProcessGroup.watch(lobby).pipe(
        Stream.runForEach((members) => Effect.sync(() => seen.push(members))),
        Effect.forkChild
      )
      const now = Effect.map(settle, () => seen.splice(0))
      assert.deepStrictEqual(yield* now, [[]])
      yield* ProcessGroup.join(lobby, [one, two])
      assert.deepStrictEqual(yield* now, [[one, two]])
      yield* ProcessGroup.join("cellar", one)
      assert.deepStrictEqual(yield* now, [])
      yield* ProcessGroup.join(lobby, one)
      yield* ProcessGroup.leave(lobby, one)
      yield* ProcessGroup.stop(rooms)
      assert.deepStrictEqual(yield* now, [], "it is as it was")
      yield* ProcessGroup.join(lobby, two)
      assert.deepStrictEqual(yield* now, [[one, two, two]])
      yield* ProcessGroup.join(lobby, two)
      yield* ProcessGroup.leave(lobby, two)
      yield* kill(one)
      assert.deepStrictEqual(yield* now, [[two, two]])
      yield* Fiber.interrupt(watching)
      assert.strictEqual(yield* observers, 0)
      yield* ProcessGroup.leave(lobby, two)
      assert.deepStrictEqual(yield* now, [])
    }).pipe(inNode))
})

it.effect("what is no group, no scope and no pid is a TypeError, and nobody has joined", () =>
  Effect.gen(function*() {
    const pid = yield* idle
    const wrong = [
      [ProcessGroup.join("", pid), "group: expected a string or a Group"],
      [ProcessGroup.members(42 as never), "group: expected a string or a Group"],
      [ProcessGroup.groups("pg" as never), "scope: expected a Scope"],
      [ProcessGroup.join(lobby, [pid, "pid" as never]), "pid: expected a pid"]
    ] as const
    for (const [effect, message] of wrong) {
      assert.include(String(yield* defectOf(effect as Effect.Effect<unknown>)), `TypeError: ${message}`)
    }
    assert.throws(() => ProcessGroup.scope(""), TypeError, "scope: expected a string that is not empty")
    assert.throws(() => ProcessGroup.make<never>("a", { scop: rooms } as never), TypeError, "option: expected")
    assert.deepStrictEqual(yield* ProcessGroup.groups(), [])
  }).pipe(inNode))
