/** Copies of one child behind a key. */
import * as Agent from "@effect-otp/core/Agent"
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Name from "@effect-otp/core/Name"
import * as PartitionSupervisor from "@effect-otp/core/PartitionSupervisor"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as SupervisorTree from "@effect-otp/core/SupervisorTree"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { probed } from "./utils/tree.ts"

const bad = (value: unknown): never => value as never

class Shard extends GenServer.Service<Shard>()("test/Shard", [
  GenServer.call("name", { success: Schema.String }),
  GenServer.cast("crash")
]) {
  static readonly server = this.implement({
    init: (name: string) => name,
    handlers: {
      name: (name) => Step.reply(name, name),
      crash: () => Effect.die(new Error("crash"))
    }
  })
}

const shards = (partitions: number) =>
  ({
    partitions,
    child: Shard.server.child,
    args: ["shard"] as [string],
    withArguments: ([name]: [string], partition: number) => [`${name} ${partition}`] as [string]
  }) as const

const shard = (target: PartitionSupervisor.Partitions, key: unknown) => Shard.at(PartitionSupervisor.via(target, key))

const nameOf = (target: PartitionSupervisor.Partitions, key: unknown) => shard(target, key).name()

const idle = ChildSpec.worker({ id: "idle", run: () => Effect.never })

const defectOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.exit(effect), (exit) => exit._tag === "Failure" ? String(Cause.squash(exit.cause)) : "succeeded")

describe("routing", () => {
  it.effect("whole numbers by their remainder, also negative ones and bigints", () =>
    probed(function*() {
      const ref = yield* PartitionSupervisor.make(shards(3)).start
      for (const [key, partition] of [[0, 0], [1, 1], [2, 2], [3, 0], [7, 1], [-1, 1], [-3, 0], [8n, 2], [-7n, 1]]) {
        assert.strictEqual(yield* nameOf(ref, key), `shard ${partition}`)
      }
    }))

  it.effect("PS-003 any other key by its hash: the same key, or an equal one, the same partition", () =>
    probed(function*() {
      const one = yield* PartitionSupervisor.make(shards(5)).start
      const two = yield* PartitionSupervisor.make(shards(5)).start
      const keys = ["a", "user-7", "", 1.5, true, null, undefined, { id: 7 }, ["a", 1]]
      for (const key of keys) {
        assert.strictEqual(yield* nameOf(one, key), yield* nameOf(two, structuredClone(key)))
      }
      const seen = new Set<string>()
      for (let i = 0; i < 100; i++) seen.add(yield* nameOf(one, `user-${i}`))
      assert.strictEqual(seen.size, 5)
    }))

  it.effect("PS-003 keys spread evenly", () =>
    probed(function*() {
      const ref = yield* PartitionSupervisor.make(shards(8)).start
      const counts = new Map<string, number>()
      for (let i = 0; i < 8000; i++) {
        const pid = String(yield* Process.whereis(PartitionSupervisor.via(ref, `user-${i}`)))
        counts.set(pid, (counts.get(pid) ?? 0) + 1)
      }
      assert.strictEqual(counts.size, 8)
      for (const count of counts.values()) assert.isTrue(count > 800 && count < 1200, `${count} of 8000`)
    }))

  it.effect("a partition is a name: for a send, for whereis, and in errors", () =>
    probed(function*() {
      const got = yield* Deferred.make<string>()
      const child = ChildSpec.worker({
        id: "inbox",
        run: (self: Process.Self<string>) => Effect.flatMap(self.receive, (message) => Deferred.succeed(got, message))
      })
      const ref = yield* PartitionSupervisor.make({ partitions: 2, child, label: "inboxes" }).start
      yield* Process.send(PartitionSupervisor.via<string>(ref, 1), "hello")
      assert.strictEqual(yield* Deferred.await(got), "hello")
      assert.strictEqual(`${PartitionSupervisor.via(ref, "user-7")}`, `inboxes["user-7"]`)
      const [, first] = yield* PartitionSupervisor.whichChildren(ref)
      assert.deepStrictEqual(
        yield* Process.whereis(PartitionSupervisor.via(ref, 0)),
        Option.some(first?.child as Process.Pid<unknown>)
      )
    }))

  // Where a child may be started within a turn of its supervisor.
  it.live("PS-011 the same under Effect's own scheduler", () =>
    probed(function*() {
      const ref = yield* PartitionSupervisor.make(shards(2)).start
      assert.deepStrictEqual(yield* Effect.all([0, 1].map((key) => nameOf(ref, key))), ["shard 0", "shard 1"])
      const before = Option.getOrThrow(yield* Process.whereis(PartitionSupervisor.via(ref, 1)))
      yield* shard(ref, 1).crash()
      yield* Process.awaitExit(before)
      yield* settle
      assert.strictEqual(yield* nameOf(ref, 1), "shard 1")
    }))

  it.effect("nobody else can be registered as a partition", () =>
    probed(function*() {
      const ref = yield* PartitionSupervisor.make(shards(1)).start
      const pid = yield* Process.spawn(() => Effect.never)
      yield* PartitionSupervisor.stop(ref)
      const refused = yield* defectOf(Process.register(PartitionSupervisor.via<never>(ref, "k"), pid))
      assert.match(refused, /name: PartitionSupervisor\["k"\] is a partition, which only its supervisor starts/)
    }))

  it.effect("PS-011 a partition that has died is found again when it is restarted, and only that one is another", () =>
    probed(function*() {
      const ref = yield* PartitionSupervisor.make(shards(2)).start
      const pids = Effect.all([0, 1].map((key) => Process.whereis(PartitionSupervisor.via(ref, key))))
      const [zero, one] = yield* pids
      yield* shard(ref, 1).crash()
      yield* settle
      const [zeroAfter, oneAfter] = yield* pids
      assert.deepStrictEqual(zeroAfter, zero)
      assert(Option.isSome(oneAfter!))
      assert.notDeepEqual(oneAfter, one)
      assert.strictEqual(yield* nameOf(ref, 1), "shard 1")
    }))

  it.effect("PS-011 while it waits for its restart nobody is found, and calls fail with NoProcess", () =>
    probed(function*() {
      const ref = yield* PartitionSupervisor.make({ ...shards(2), backoff: Schedule.spaced("1 second") }).start
      yield* shard(ref, 1).crash()
      yield* settle
      assert.deepStrictEqual(yield* Process.whereis(PartitionSupervisor.via(ref, 1)), Option.none())
      const error = yield* Effect.flip(nameOf(ref, 1))
      assert(error._tag === "CallError")
      assert.strictEqual(error.reason._tag, "NoProcess")
      assert.strictEqual(yield* nameOf(ref, 0), "shard 0")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* nameOf(ref, 1), "shard 1")
    }))
})

describe("options", () => {
  it.effect("PS-004 withArguments gets the arguments and the number of the partition", () =>
    probed(function*() {
      const got: Array<unknown> = []
      const ref = yield* PartitionSupervisor.make({
        partitions: 3,
        child: Shard.server.child,
        args: ["a"],
        withArguments: (args, partition) => {
          got.push([args, partition])
          return [`${args[0]}${partition}`]
        }
      }).start
      assert.deepStrictEqual(got, [[["a"], 0], [["a"], 1], [["a"], 2]])
      assert.deepStrictEqual(yield* Effect.all([0, 1, 2].map((key) => nameOf(ref, key))), ["a0", "a1", "a2"])
    }))

  it.effect("PS-004 without it all get the same, and a restarted one what it had", () =>
    probed(function*() {
      const same = yield* PartitionSupervisor.make({ partitions: 2, child: Shard.server.child, args: ["a"] }).start
      assert.deepStrictEqual(yield* Effect.all([0, 1].map((key) => nameOf(same, key))), ["a", "a"])
      const ref = yield* PartitionSupervisor.make(shards(2)).start
      yield* shard(ref, 1).crash()
      yield* settle
      assert.strictEqual(yield* nameOf(ref, 1), "shard 1")
    }))

  const refused: ReadonlyArray<readonly [id: string, options: unknown, message: RegExp]> = [
    ["PS-005", undefined, /options: expected an object, got undefined/],
    ["PS-005", { partitions: 1 }, /child: expected a ChildSpec, or a function that gives one, got undefined/],
    ["PS-005", { partitions: 1, child: Shard.server }, /child: expected a ChildSpec, or a function/],
    ["PS-005", { partitions: 1, child: () => 1 }, /child: expected a ChildSpec, or a function that gives one, got 1/],
    ...[undefined, 0, -1, 1.5, "2", Infinity].map((partitions) =>
      ["PS-005", { child: idle, partitions }, /partitions: expected a whole number of one or more, got/] as const
    ),
    ["PS-007", { ...shards(1), withArguments: [1] }, /withArguments: expected a function, got/],
    ["PS-007", { ...shards(1), withArguments: () => "a" }, /withArguments: expected to give an array.*, got "a"/],
    ["PS-007", { partitions: 1, child: idle, withArguments: () => [] }, /child: expected a function of arguments/],
    ["PS-008", { partitions: 1, child: idle, autoShutdown: "anySignificant" }, /autoShutdown: expected "never", got/],
    [
      "PS-008",
      {
        partitions: 1,
        child: ChildSpec.worker({ id: "a", restart: "transient", significant: true, run: bad(() => 1) })
      },
      /significant of 0: expected false where autoShutdown is never/
    ],
    ["PS-019", { partitions: 1, child: idle, strategy: "all" }, /strategy: expected .* got "all"/],
    ["PS-019", { partitions: 1, child: idle, intensity: { maxRestarts: -1, within: 1 } }, /intensity.maxRestarts: .*-1/]
  ]

  for (const [id, options, message] of refused) {
    it(`${id} refused: ${message.source}`, () => {
      assert.throws(() => PartitionSupervisor.make(bad(options)), message)
      assert.throws(
        () => PartitionSupervisor.Service<never>()("test/Refused").implement(bad(options)),
        message
      )
    })
  }

  it.effect("PS-019 one_for_one by default, any other strategy if it is said", () =>
    probed(function*(probe) {
      const child = (id: string) => probe.child(id)
      const lettered = {
        partitions: 2,
        child,
        args: ["a"] as [string],
        withArguments: (_: [string], i: number) => ["ab"[i]!] as [string]
      }
      yield* PartitionSupervisor.make(lettered).start
      yield* probe.sees("start a", "start b")
      yield* probe.end("a", ExitReason.custom("bad"))
      yield* probe.sees("stop a", "start a")
      yield* PartitionSupervisor.make({ ...lettered, strategy: "one_for_all" }).start
      yield* probe.sees("start a", "start b")
      yield* probe.end("a", ExitReason.custom("bad"))
      yield* probe.sees("stop a", "stop b", "start a", "start b")
    }))

  it.effect("PS-019 intensity is that of the supervisor, for all partitions together", () =>
    probed(function*() {
      const intensity = { maxRestarts: 1, within: "5 seconds" } as const
      const ref = yield* PartitionSupervisor.make({ ...shards(2), intensity }).start
      yield* shard(ref, 0).crash()
      yield* settle
      assert.isTrue(yield* Process.isAlive(ref.pid))
      yield* shard(ref, 1).crash()
      assert.deepStrictEqual(yield* Process.awaitExit(ref.pid), ExitReason.shutdown())
    }))
})

describe("whichChildren, countChildren, partitions", () => {
  it.effect("PS-009 ids are 0 to n - 1, types follow the spec", () =>
    probed(function*() {
      const ref = yield* PartitionSupervisor.make(shards(3)).start
      const children = yield* PartitionSupervisor.whichChildren(ref)
      assert.deepStrictEqual(children.map(({ id, type }) => [id, type]), [[2, "worker"], [1, "worker"], [0, "worker"]])
      for (const { child, id } of children) {
        assert.deepStrictEqual(
          yield* Process.whereis(PartitionSupervisor.via(ref, id)),
          Option.some(child as Process.Pid<unknown>)
        )
      }
      assert.deepStrictEqual(yield* PartitionSupervisor.countChildren(ref), {
        specs: 3,
        active: 3,
        supervisors: 0,
        workers: 3
      })
      const trees = yield* PartitionSupervisor.make({
        partitions: 2,
        child: Supervisor.make({ children: [idle] }).child({ id: "tree" })
      }).start
      assert.deepStrictEqual((yield* PartitionSupervisor.whichChildren(trees)).map(({ type }) => type), [
        "supervisor",
        "supervisor"
      ])
      assert.strictEqual((yield* PartitionSupervisor.countChildren(trees)).supervisors, 2)
    }))

  it.effect("PS-012 of a name that nobody has, or that somebody else has, and of those that have ended: NoProcess", () =>
    probed(function*() {
      const ref = yield* PartitionSupervisor.make(shards(1)).start
      yield* PartitionSupervisor.stop(ref)
      yield* Supervisor.make({ name: "else", children: [] }).start
      for (const target of ["unknown", "else", ref, ref.pid]) {
        const error = yield* Effect.flip(PartitionSupervisor.partitions(target))
        assert.deepStrictEqual([error.request, error.reason._tag], ["partitions", "NoProcess"])
      }
      assert.strictEqual((yield* Effect.flip(PartitionSupervisor.whichChildren("unknown"))).reason._tag, "NoProcess")
      assert.strictEqual((yield* Effect.flip(PartitionSupervisor.countChildren("unknown"))).reason._tag, "NoProcess")
      assert.match(
        yield* defectOf(Effect.sync(() => PartitionSupervisor.via(bad("unknown"), 1))),
        /partitions: expected what a PartitionSupervisor is reached by, got "unknown"/
      )
    }))
})

describe("resize", () => {
  const active = (ref: PartitionSupervisor.Target) =>
    Effect.map(PartitionSupervisor.countChildren(ref), ({ active, specs }) => [active, specs])

  it.effect("PS-013 stops partitions or starts them again, gives the number before, and keys go by the new one", () =>
    probed(function*() {
      const ref = yield* PartitionSupervisor.make({ ...shards(4), name: "shards" }).start
      assert.strictEqual(yield* PartitionSupervisor.partitions("shards"), 4)
      for (const [to, from] of [[3, 4], [1, 3], [1, 1], [0, 1], [2, 0], [4, 2]] as const) {
        assert.strictEqual(yield* PartitionSupervisor.resize("shards", to), from)
        assert.strictEqual(yield* PartitionSupervisor.partitions(ref), to)
        assert.deepStrictEqual(yield* active(ref), [to, 4])
        for (let key = 0; key < (to === 0 ? 0 : 6); key++) {
          assert.strictEqual(yield* nameOf(ref, key), `shard ${key % to}`)
        }
      }
    }))

  it.effect("PS-013 a partition that stops is asked by its shutdown rules, and gets no more keys meanwhile", () =>
    probed(function*(probe) {
      const gate = yield* Deferred.make<void>()
      const ref = yield* PartitionSupervisor.make({
        partitions: 2,
        child: (id: number) => id === 1 ? probe.slow("1", Deferred.await(gate)) : probe.child("0"),
        args: [0],
        withArguments: (_, partition) => [partition]
      }).start
      yield* probe.sees("start 0", "start 1")
      const resizing = yield* Effect.forkChild(PartitionSupervisor.resize(ref, 1))
      yield* settle
      const [zero, one] = yield* Effect.all([0, 1].map((key) => Process.whereis(PartitionSupervisor.via(ref, key))))
      assert.deepStrictEqual(one, zero)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* Fiber.join(resizing), 2)
      yield* probe.sees("stop 1")
    }))

  it.effect("PS-013 one that does not start fails, and the keys stay where they are", () =>
    probed(function*(probe) {
      const ref = yield* PartitionSupervisor.make({
        partitions: 2,
        child: (id: string) => probe.child(id),
        args: [""],
        withArguments: (_, partition) => [`${partition}`]
      }).start
      yield* PartitionSupervisor.resize(ref, 1)
      probe.refuse("1", 1)
      const error = yield* Effect.flip(PartitionSupervisor.resize(ref, 2))
      assert.deepStrictEqual([error._tag, yield* PartitionSupervisor.partitions(ref)], ["StartError", 1])
      assert.strictEqual(yield* PartitionSupervisor.resize(ref, 2), 1)
      yield* probe.sees("start 0", "start 1", "stop 1", "fail 1", "start 1")
    }))

  it.effect("PS-013 two at once take their turns", () =>
    probed(function*() {
      const ref = yield* PartitionSupervisor.make(shards(4)).start
      const sizes = yield* Effect.all([1, 3, 2].map((to) => PartitionSupervisor.resize(ref, to)), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(sizes, [4, 1, 3])
      assert.deepStrictEqual(yield* active(ref), [2, 4])
    }))

  it.effect("PS-014 to more than there were at the start is a defect, and harms nobody", () =>
    probed(function*() {
      const ref = yield* PartitionSupervisor.make(shards(2)).start
      for (const to of [3, -1, 0.5, NaN]) {
        const defect = yield* defectOf(PartitionSupervisor.resize(ref, to))
        assert.match(defect, new RegExp(`partitions: expected a whole number from 0 to 2, got ${to}`))
      }
      assert.strictEqual(yield* PartitionSupervisor.partitions(ref), 2)
    }))

  it.effect("PS-015 with zero partitions looking for one is a defect that says so", () =>
    probed(function*() {
      const ref = yield* PartitionSupervisor.make({ ...shards(2), label: "shards" }).start
      yield* PartitionSupervisor.resize(ref, 0)
      assert.match(yield* defectOf(nameOf(ref, "a")), /shards has zero partitions/)
    }))
})

describe("stop", () => {
  it.effect("PS-016 waits until all have ended, the last first, and the name is free", () =>
    probed(function*(probe) {
      const ref = yield* PartitionSupervisor.make({
        name: "pool",
        partitions: 3,
        child: (id: string) => probe.child(id),
        args: [""],
        withArguments: (_, partition) => [`${partition}`]
      }).start
      yield* probe.sees("start 0", "start 1", "start 2")
      assert.deepStrictEqual(yield* Process.whereis("pool"), Option.some(ref.pid as Process.Pid<unknown>))
      yield* PartitionSupervisor.stop("pool")
      assert.deepStrictEqual(yield* Process.whereis("pool"), Option.none())
      assert.deepStrictEqual(yield* Process.list, [])
      yield* probe.sees("stop 2", "stop 1", "stop 0")
    }))

  it.effect("with its Scope, and with whoever it is linked to", () =>
    probed(function*() {
      const described = PartitionSupervisor.make(shards(2))
      const ref = yield* Effect.scoped(described.startScoped)
      assert.isFalse(yield* Process.isAlive(ref.pid))
      const owner = yield* Process.spawn(() =>
        Effect.andThen(described.startLink, Process.exit(ExitReason.custom("bad")))
      )
      yield* Process.awaitExit(owner)
      yield* settle
      assert.deepStrictEqual(yield* Process.list, [])
    }))
})

describe("in a tree", () => {
  class Shards extends PartitionSupervisor.Service<Shards>()("test/Shards") {
    static readonly server = this.implement(shards(2))
  }

  it("PS-018 the id of its child is the name, the via, or the key of the service, unless it is given another", () => {
    const id = (name: Name.AnyName) => PartitionSupervisor.make({ partitions: 1, child: idle, name }).child().id
    const resolver = {
      register: () => true,
      unregister: () => {},
      whereis: () => undefined,
      format: (key: string) => `via ${key}`
    }
    assert.deepStrictEqual([id("pool"), id(Name.make("pool")), id(Name.via(resolver, "k"))], ["pool", "pool", "via k"])
    assert.strictEqual(Shards.server.child().id, "test/Shards")
    assert.strictEqual(Shards.server.child({ id: "other" }).id, "other")
    assert.strictEqual(Shards.server.child().type, "supervisor")
    assert.throws(() => PartitionSupervisor.make({ partitions: 1, child: idle }).child(), /id: expected a string/)
  })

  it.effect("its service reaches the current partitions, also after a restart of all of them", () =>
    probed(function*() {
      const tree = Supervisor.make({ children: [Shards.server.child()] })
      yield* Effect.gen(function*() {
        const partitions = yield* Shards
        assert.strictEqual(yield* nameOf(partitions, 1), "shard 1")
        yield* PartitionSupervisor.resize(partitions, 1)
        assert.strictEqual(yield* nameOf(partitions, 1), "shard 0")
        for (let i = 0; i < 4; i++) {
          yield* shard(partitions, 0).crash()
          yield* settle
        }
        // The supervisor has given up and was started again, with as many as it was described with.
        assert.strictEqual(yield* PartitionSupervisor.partitions(partitions), 2)
        assert.strictEqual(yield* nameOf(partitions, 1), "shard 1")
        assert.strictEqual((yield* PartitionSupervisor.countChildren(partitions)).active, 2)
      }).pipe(Effect.provide(tree.layer))
    }))

  it.effect("as a layer of its own", () =>
    probed(function*() {
      const name = Effect.flatMap(Shards, (partitions) => nameOf(partitions, 1))
      assert.strictEqual(yield* Effect.provide(name, Shards.server.layer), "shard 1")
      assert.deepStrictEqual(yield* Process.list, [])
    }))

  it.effect("two trees of it live side by side, and `provide: false` keeps it to itself", () =>
    probed(function*() {
      const children = [Shards.server.child(), Shards.server.child({ id: "hidden", provide: false })] as const
      const [one, two] = [Supervisor.make({ children }), Supervisor.make({ children })]
      const whereis = Effect.flatMap(Shards, (partitions) => Process.whereis(PartitionSupervisor.via(partitions, 0)))
      yield* Effect.gen(function*() {
        const before = yield* whereis
        const other = yield* Effect.provide(whereis, two.layer)
        assert.notDeepEqual(other, before)
        // The end of one leaves the other as it was.
        assert.deepStrictEqual(yield* whereis, before)
      }).pipe(Effect.provide(one.layer))
    }))

  it.effect("partitions need what their child needs, from the tree or from outside", () =>
    probed(function*() {
      class Word extends Context.Service<Word, string>()("test/Word") {}
      class Words extends Agent.Service<Words, string>()("test/Words") {
        static readonly server = this.implement(() => Word)
      }
      const ref = yield* PartitionSupervisor.make({ partitions: 2, child: Words.server.child }).start.pipe(
        Effect.provideService(Word, "hello")
      )
      const words = Words.at(PartitionSupervisor.via(ref, 1))
      yield* Agent.update(words, (word) => `${word}!`)
      assert.strictEqual(yield* Agent.get(words, (word) => word), "hello!")
      yield* Process.exit(Option.getOrThrow(yield* Process.whereis(PartitionSupervisor.via(ref, 1))), ExitReason.kill)
      yield* settle
      assert.strictEqual(yield* Agent.get(words, (word) => word), "hello")
    }))

  it.effect("shows in the tree, and is audited", () =>
    probed(function*() {
      const tree = Supervisor.make({ label: "app", children: [Shards.server.child()] })
      const ref = yield* tree.start
      const text = SupervisorTree.format(yield* Supervisor.tree(ref)).replaceAll(/ #PID\S+/g, "")
      assert.deepStrictEqual(text.split("\n"), [
        "app running, mailbox 0",
        "└─ test/Shards running, mailbox 0",
        "   ├─ 0 running, mailbox 0",
        "   └─ 1 running, mailbox 0"
      ])
      const findings = Supervisor.audit(tree, { ignore: ["NoBackoff"] })
      assert.deepStrictEqual(findings.map(({ path }) => path.join("/")), ["app/test/Shards/0", "app/test/Shards/1"])
    }))
})
