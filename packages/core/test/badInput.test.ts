/**
 * What callers from JavaScript get wrong, asked of what runs: each mistake is a typed error or a defect that names the field
 * and the value, and afterwards everything runs as before and does what it is asked to.
 */
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as DynamicSupervisor from "@effect-otp/core/DynamicSupervisor"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as PartitionSupervisor from "@effect-otp/core/PartitionSupervisor"
import * as Process from "@effect-otp/core/Process"
import * as ProcessGroup from "@effect-otp/core/ProcessGroup"
import * as Registry from "@effect-otp/core/Registry"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as TaskSupervisor from "@effect-otp/core/TaskSupervisor"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { idle } from "./utils/process.ts"
import { type Probe, probed, started } from "./utils/tree.ts"

const bad = (value: unknown): never => value as never

const spec = (id: string, fields: object = {}): ChildSpec.ChildSpec<never, never, never> =>
  bad({ ...ChildSpec.worker({ id, run: () => Effect.never }), ...fields })

/** Fails the test unless an effect fails, or cannot even be made, and says so in these words. */
const refused = Effect.fnUntraced(function*(make: () => Effect.Effect<unknown, unknown>, message: RegExp) {
  const exit = yield* Effect.exit(Effect.suspend(make))
  if (Exit.isSuccess(exit)) return assert.fail(`not refused: ${message}`)
  assert.match(Cause.pretty(exit.cause), message)
})

const kill = (pid: Process.Pid<never, unknown>) => Effect.andThen(Process.exit(pid, ExitReason.kill), settle)

class Slow extends GenServer.Service<Slow>()("test/Slow", []) {
  static readonly server = this.implement({ init: () => Effect.as(Effect.never, 0), handlers: {} })
}

/** Spec by spec, what is wrong with it. They are refused before anything starts. */
const specs: ReadonlyArray<readonly [spec: ChildSpec.ChildSpec<never, never, never>, message: RegExp]> = [
  [bad(undefined), /spec: expected a ChildSpec, got undefined/],
  [bad(() => Effect.never), /spec: expected a ChildSpec, got \(\) =>/],
  [bad({ id: "x", start: Effect.never }), /spec: expected a ChildSpec, got/],
  [spec("x", { id: "" }), /id: expected a string that is not empty, got ""/],
  [spec("x", { id: 7 }), /id: expected a string that is not empty, got 7/],
  [spec("x", { restart: "Permanent" }), /restart: expected "permanent" or "transient" or "temporary", got "Permanent"/],
  [spec("x", { shutdown: "brutal_kill" }), /shutdown: expected a duration, got "brutal_kill"/],
  [spec("x", { shutdown: NaN }), /shutdown: expected a duration of zero or more, got NaN/],
  [spec("x", { shutdown: -1 }), /shutdown: expected a duration of zero or more, got -1/],
  [spec("x", { type: "server" }), /type: expected "worker" or "supervisor", got "server"/],
  [spec("x", { backoff: "1 second" }), /backoff: expected a Schedule, got "1 second"/],
  [spec("x", { significant: "yes" }), /significant: expected true or false, got "yes"/],
  [spec("x", { significant: true }), /significant: expected false for a permanent child, got true/],
  [spec("x", { significant: true, restart: "transient" }), /significant: expected false .*, got true/]
]

/** Starts that are none, found out when they run. */
const starts: ReadonlyArray<readonly [spec: ChildSpec.ChildSpec<never, unknown, never>, message: RegExp]> = [
  ...[undefined, 1, {}, Promise.resolve(1), () => 1].map((given) =>
    [
      ChildSpec.make({ id: "x", start: Effect.succeed(bad(given)) }),
      /x did not start: .*start: expected an Effect that gives .*pid.*, got/
    ] as const
  ),
  [ChildSpec.make({ id: "x", start: Process.self }), /start: expected .* pid of another process, got #PID/],
  [Slow.server.child({ id: "x", provide: false, timeout: -1 }), /timeout: expected a duration of zero or more, got -1/],
  [Slow.server.child({ id: "x", provide: false, name: bad(1) }), /name: expected a string that is not empty, got 1/],
  [ChildSpec.layer({ id: "x", layer: Layer.effectDiscard(bad(undefined)) }), /x did not start: init crashed/],
  [ChildSpec.layer({ id: "x", layer: Layer.effectDiscard(Effect.fail("no port")) }), /init failed with "no port"/]
]

describe("a Supervisor", () => {
  /** It has what it had, with the same pids, and can still be asked for everything. */
  const unharmed = Effect.fnUntraced(function*(probe: Probe, ref: Supervisor.Ref, pids: ReadonlyArray<unknown>) {
    yield* settle
    assert.deepStrictEqual((yield* Supervisor.whichChildren(ref)).map(({ child }) => child).toReversed(), pids)
    assert.deepStrictEqual(probe.log.filter((line) => line.includes("Supervisor")), [])
    yield* Supervisor.startChild(ref, probe.child("z"))
    yield* kill(probe.pid("z"))
    yield* Supervisor.terminateChild(ref, "z")
    yield* Supervisor.restartChild(ref, "z")
    yield* Supervisor.terminateChild(ref, "z")
    yield* Supervisor.deleteChild(ref, "z")
    yield* probe.sees("start z", "stop z", "start z", "stop z", "start z", "stop z")
  })

  const asked: ReadonlyArray<
    readonly [what: string, (ref: Supervisor.Ref) => Effect.Effect<unknown, unknown>, RegExp]
  > = [
    ...specs.map(([spec, message], i) =>
      [`startChild, spec ${i}`, (ref: Supervisor.Ref) => Supervisor.startChild(ref, spec), message] as const
    ),
    ...starts.map(([spec, message], i) =>
      [`startChild, start ${i}`, (ref: Supervisor.Ref) => Supervisor.startChild(ref, spec), message] as const
    ),
    [
      "startChild of an id that runs",
      (ref) => Supervisor.startChild(ref, spec("a")),
      /a did not start: already started/
    ],
    ["terminateChild of an unknown child", (ref) => Supervisor.terminateChild(ref, "q"), /there is no child "q"/],
    ["terminateChild of no id", (ref) => Supervisor.terminateChild(ref, bad(undefined)), /no child undefined/],
    ["restartChild of an unknown child", (ref) => Supervisor.restartChild(ref, "q"), /there is no child "q"/],
    ["restartChild of one that runs", (ref) => Supervisor.restartChild(ref, "a"), /the child "a" runs as #PID/],
    ["deleteChild of an unknown child", (ref) => Supervisor.deleteChild(ref, "q"), /there is no child "q"/],
    ["deleteChild of one that runs", (ref) => Supervisor.deleteChild(ref, "b"), /the child "b" runs as #PID/],
    ["getChildSpec of an unknown child", (ref) => Supervisor.getChildSpec(ref, "q"), /there is no child "q"/],
    ["stop with no reason", (ref) => Supervisor.stop(ref, { reason: bad("normal") }), /reason: .* got "normal"/],
    ["stop with no timeout", (ref) => Supervisor.stop(ref, { timeout: bad("soon") }), /timeout: .* got "soon"/],
    ["tree with no timeout", (ref) => Supervisor.tree(ref, { timeout: -1 }), /timeout: .* got -1/],
    ["a request to nobody", () => Supervisor.whichChildren(bad({})), /target: expected a pid, a name or a via, got {}/]
  ]

  for (const [what, ask, message] of asked) {
    it.effect(`${what} is refused: ${message.source}`, () =>
      probed(function*(probe) {
        const children = [probe.child("a"), probe.worker("b")]
        const ref = yield* started(
          probe,
          Supervisor.make({ intensity: { maxRestarts: 1, within: 1 }, children }),
          "start a",
          "start b"
        )
        yield* refused(() => ask(ref), message)
        yield* unharmed(probe, ref, [probe.pid("a"), probe.pid("b")])
      }))
  }

  it.effect("a child that never finishes its init is given up after its timeout, and harms nobody", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ children: [probe.child("a")] }), "start a")
      const child = Slow.server.child({ id: "x", provide: false, timeout: "1 second" })
      const adding = yield* Effect.forkChild(Effect.flip(Supervisor.startChild(ref, child)))
      yield* settle
      yield* TestClock.adjust("1 second")
      const error = yield* Fiber.join(adding)
      assert(error._tag === "StartError")
      assert.deepStrictEqual([error.childPath, error.reason._tag], [["x"], "Timeout"])
      yield* unharmed(probe, ref, [probe.pid("a")])
    }))

  const bodies: ReadonlyArray<readonly [what: string, run: () => unknown, message: RegExp]> = [
    ["undefined", () => undefined, /run: expected a function that gives an Effect, got undefined/],
    ["a promise", () => Promise.resolve(1), /run: expected a function that gives an Effect, got Promise/],
    ["an exception", () => assert.fail("thrown"), /thrown/]
  ]

  it.effect.each(bodies)(
    "a worker whose body gives %s crashes and says so, and harms nobody",
    ([, run, message]) =>
      probed(function*(probe) {
        const child = ChildSpec.worker({ id: "x", restart: "temporary", run: bad(run) })
        const ref = yield* started(probe, Supervisor.make({ children: [probe.child("a"), child] }), "start a")
        yield* unharmed(probe, ref, [probe.pid("a")])
        assert.match(probe.log.join("\n"), message)
      })
  )

  it.effect("two children of one id are a StartError that names it, and nothing has started", () =>
    probed(function*(probe) {
      const inner = Supervisor.make({ children: [probe.child("x"), probe.child("x")] }).child({ id: "inner" })
      const ref = yield* started(probe, Supervisor.make({ children: [probe.child("a")] }), "start a")
      const error = yield* Effect.flip(Supervisor.startChild(ref, inner))
      assert(error._tag === "StartError")
      assert.deepStrictEqual([error.childPath, error.reason._tag], [["inner", "x"], "DuplicateId"])
      yield* unharmed(probe, ref, [probe.pid("a")])
    }))
})

describe("a DynamicSupervisor", () => {
  const asked: ReadonlyArray<
    readonly [what: string, (ref: DynamicSupervisor.Ref) => Effect.Effect<unknown, unknown>, RegExp]
  > = [
    ...specs.flatMap(([spec, message], i) => [
      [
        `startChild, spec ${i}`,
        (ref: DynamicSupervisor.Ref) => DynamicSupervisor.startChild(ref, spec),
        typeof spec === "function" ? /spec: expected a ChildSpec, got/ : message
      ] as const,
      [
        `startChild, a function of spec ${i}`,
        (ref: DynamicSupervisor.Ref) => DynamicSupervisor.startChild(ref, () => spec),
        message
      ] as const
    ]),
    ...starts.map(([spec, message], i) =>
      [
        `startChild, start ${i}`,
        (ref: DynamicSupervisor.Ref) => DynamicSupervisor.startChild(ref, spec),
        new RegExp(message.source.replace("x did not", "did not"))
      ] as const
    ),
    [
      "terminateChild of an id",
      (ref) => DynamicSupervisor.terminateChild(ref, bad("a")),
      /pid: expected a pid, got "a"/
    ],
    [
      "terminateChild of itself",
      (ref) => DynamicSupervisor.terminateChild(ref, ref.pid),
      /there is no child "#PID/
    ],
    [
      "startChild by nobody",
      () => DynamicSupervisor.startChild(bad({}), spec("a")),
      /ref: expected a dynamic .* got {}/
    ],
    [
      "a pid for a ref",
      ({ pid }) => DynamicSupervisor.countChildren(bad(pid)),
      /ref: expected a dynamic supervisor, got/
    ]
  ]

  for (const [what, ask, message] of asked) {
    it.effect(`${what} is refused: ${message.source}`, () =>
      probed(function*(probe) {
        const ref = yield* DynamicSupervisor.make({ maxChildren: 2, intensity: { maxRestarts: 1, within: 1 } }).start
        const pid = yield* DynamicSupervisor.startChild(ref, probe.child("a"))
        yield* refused(() => ask(ref), message)
        yield* settle
        assert.deepStrictEqual(yield* DynamicSupervisor.whichChildren(ref), [{ type: "worker", child: pid }])
        yield* DynamicSupervisor.startChild(ref, probe.child("z"))
        yield* kill(probe.pid("z"))
        yield* DynamicSupervisor.terminateChild(ref, probe.pid("z"))
        yield* probe.sees("start a", "start z", "stop z", "start z", "stop z")
      }))
  }

  const settings: ReadonlyArray<readonly [options: object, message: RegExp]> = [
    [{ maxChildren: NaN }, /maxChildren: .* got NaN/],
    [{ maxChildren: -Infinity }, /maxChildren: .* got -Infinity/],
    [{ maxChildren: null }, /maxChildren: .* got null/],
    [{ intensity: 3 }, /intensity: expected an object, got 3/],
    [{ intensity: { maxRestarts: NaN, within: 1 } }, /intensity.maxRestarts: .* got NaN/],
    [{ intensity: { maxRestarts: 1, within: NaN } }, /intensity.within: .* got NaN/],
    [{ backoff: 100 }, /backoff: expected a Schedule, got 100/]
  ]

  for (const [options, message] of settings) {
    it.effect(`options are refused, at once and from init: ${message.source}`, () =>
      probed(function*() {
        assert.throws(() => DynamicSupervisor.make(bad(options)), message)
        assert.throws(() => TaskSupervisor.make(bad(options)), message)
        yield* refused(() => DynamicSupervisor.make({ init: Effect.succeed(options) }).start, message)
        assert.deepStrictEqual(yield* Process.list, [])
      }))
  }

  it("an init that is no Effect is refused", () => {
    assert.throws(() => DynamicSupervisor.make({ init: bad(() => ({})) }), /init: expected an Effect, got/)
  })
})

describe("a PartitionSupervisor", () => {
  const child = ChildSpec.worker({ id: "x", run: () => Effect.never })

  const options: ReadonlyArray<readonly [options: object, message: RegExp]> = [
    ...[undefined, 0, -1, 0.5, NaN, Infinity, "4", null].map((partitions) =>
      [{ child, partitions }, /partitions: expected a whole number of one or more, got/] as const
    ),
    [{ partitions: 1, child: { ...child, restart: "often" } }, /restart: .* got "often"/],
    [{ partitions: 1, child: { ...child, shutdown: -1 } }, /shutdown: .* got -1/],
    [{ partitions: 1, child, args: "x" }, /args: expected an array, got "x"/],
    [{ partitions: 1, child, intensity: 1 }, /intensity: expected an object, got 1/],
    [{ partitions: 1, child, backoff: "1 second" }, /backoff: expected a Schedule, got "1 second"/],
    [{ partitions: 1, child, name: 1 }, /name: expected a string that is not empty, got 1/],
    [{ partitions: 1, child, strategy: "oneForOne" }, /strategy: .* got "oneForOne"/]
  ]

  for (const [given, message] of options) {
    it(`options are refused: ${message.source}`, () =>
      assert.throws(() => PartitionSupervisor.make(bad(given)), message))
  }

  it.effect.each([-1, 4, 0.5, NaN, Infinity, "2", undefined])(
    "resize to %s is refused, and all run on",
    (partitions) =>
      probed(function*() {
        const ref = yield* PartitionSupervisor.make({ partitions: 3, child }).start
        const before = yield* PartitionSupervisor.whichChildren(ref)
        yield* refused(
          () => PartitionSupervisor.resize(ref, bad(partitions)),
          /partitions: expected a whole number from 0 to 3, got/
        )
        assert.deepStrictEqual(yield* PartitionSupervisor.whichChildren(ref), before)
        assert.strictEqual(yield* PartitionSupervisor.resize(ref, 1), 3)
        assert.strictEqual((yield* PartitionSupervisor.countChildren(ref)).active, 1)
      })
  )

  it.effect("a partition that does not start leaves nothing of the others", () =>
    probed(function*(probe) {
      probe.refuse("1", 1)
      const make = PartitionSupervisor.make({
        partitions: 3,
        child: (id: string) => probe.child(id),
        args: [""] as [string],
        withArguments: (_, partition) => [`${partition}`]
      })
      const error = yield* Effect.flip(make.start)
      assert.deepStrictEqual([error.childPath, error.reason._tag], [["1"], "InitFailed"])
      yield* probe.sees("start 0", "fail 1", "stop 0")
      assert.deepStrictEqual(yield* Process.list, [])
    }))
})

describe("a TaskSupervisor", () => {
  class Tasks extends TaskSupervisor.Service<Tasks>()("test/Tasks") {}

  const asked: ReadonlyArray<
    readonly [what: string, (ref: TaskSupervisor.TaskSupervisor) => Effect.Effect<unknown, unknown>, RegExp]
  > = [
    [
      "startChild of nothing",
      (ref) => TaskSupervisor.startChild(ref, bad(undefined)),
      /effect: expected an Effect .* got/
    ],
    [
      "startChild of a promise",
      (ref) => TaskSupervisor.startChild(ref, bad(Promise.resolve())),
      /effect: .* got Promise/
    ],
    [
      "startChild, restart",
      (ref) => TaskSupervisor.startChild(ref, Effect.void, { restart: bad("once") }),
      /restart: .* got "once"/
    ],
    [
      "startChild, shutdown",
      (ref) => TaskSupervisor.startChild(ref, Effect.void, { shutdown: -1 }),
      /shutdown: .* got -1/
    ],
    ["startChild, options", (ref) => TaskSupervisor.startChild(ref, Effect.void, bad(1)), /options: .* object, got 1/],
    [
      "startChild, an option",
      (ref) => TaskSupervisor.startChild(ref, Effect.void, bad({ timeout: 1 })),
      /option: .* got "timeout"/
    ],
    ["startChild by nobody", () => TaskSupervisor.startChild(bad(undefined), Effect.void), /ref: .* got undefined/],
    ["terminateChild of an id", (ref) => TaskSupervisor.terminateChild(ref, bad("a")), /pid: expected a pid, got "a"/],
    ["children of nobody", () => TaskSupervisor.children(bad({})), /ref: expected a dynamic supervisor, got {}/]
  ]

  for (const [what, ask, message] of asked) {
    it.effect(`${what} is refused: ${message.source}`, () =>
      probed(function*() {
        const { pid } = yield* TaskSupervisor.make().start
        const ref = Tasks.at(pid)
        const task = yield* TaskSupervisor.startChild(ref, Effect.never)
        yield* refused(() => ask(ref), message)
        assert.deepStrictEqual(yield* TaskSupervisor.children(ref), [task])
        const done = yield* Deferred.make<number>()
        yield* TaskSupervisor.startChild(ref, Deferred.succeed(done, 1))
        assert.strictEqual(yield* Deferred.await(done), 1)
      }))
  }

  it.effect("async of what is no work, or with a wrong option, is refused in its owner", () =>
    probed(function*() {
      const { pid } = yield* TaskSupervisor.make().start
      const ref = Tasks.at(pid)
      const owner = yield* Process.spawn(() =>
        Effect.gen(function*() {
          for (const async of [TaskSupervisor.async, TaskSupervisor.asyncNoLink]) {
            yield* refused(() => bad(async(ref, bad(1))), /effect: expected an Effect or a body, got 1/)
            yield* refused(() => bad(async(ref, Effect.void, { reply: bad("mail") })), /reply: .* got "mail"/)
            yield* refused(() => bad(async(ref, Effect.void, { shutdown: bad("x") })), /shutdown: .* got "x"/)
          }
        })
      )
      assert.deepStrictEqual(yield* Process.awaitExit(owner), ExitReason.normal)
      assert.deepStrictEqual(yield* TaskSupervisor.children(ref), [])
    }))
})

describe("a Registry", () => {
  class Rooms extends Registry.Service<Rooms, { key: string; value: number }>()("test/Rooms", { keys: "unique" }) {}

  const options: ReadonlyArray<readonly [options: unknown, message: RegExp]> = [
    [undefined, /options: expected an object, got undefined/],
    [{}, /keys: expected "unique" or "duplicate", got undefined/],
    [{ keys: "Unique" }, /keys: .* got "Unique"/],
    ...[0, -1, 1.5, NaN, Infinity, "2"].map((partitions) =>
      [{ keys: "unique", partitions }, /partitions: expected .* got/] as const
    ),
    [{ keys: "unique", listeners: "events" }, /listeners: expected an array of names, got "events"/],
    [{ keys: "unique", listeners: 1 }, /listeners: expected an array of names, got 1/],
    [{ keys: "unique", listeners: [{}] }, /listeners: expected names, got {}/],
    [{ keys: "unique", meta: 1 }, /meta: expected an object, got 1/],
    [{ keys: "unique", name: "x" }, /option: .* got "name"/]
  ]

  for (const [given, message] of options) {
    it(`options are refused: ${message.source}`, () =>
      assert.throws(() => Registry.Service<never, { key: string }>()("test/Bad", bad(given)), message))
  }

  it("a service without a key is refused", () => {
    assert.throws(() => Registry.Service<never, { key: string }>()("", { keys: "unique" }), /key: .* got ""/)
  })

  it.effect("what is asked wrongly changes nothing in a registry that runs", () =>
    probed(function*() {
      const rooms = yield* Rooms.start()
      const holder = yield* Process.spawn(() => Effect.andThen(Registry.register(rooms, "a", 1), Effect.never))
      yield* settle
      const asked: ReadonlyArray<readonly [() => unknown, RegExp]> = [
        [() => Registry.lookup(bad(undefined), "a"), /registry: expected a Registry, got undefined/],
        [() => Registry.via(bad(rooms.pid), "a"), /registry: expected a Registry, got/],
        [() => Registry.keys(rooms, bad("a")), /pid: expected a pid, got "a"/],
        [() => Registry.values(rooms, "a", bad(1)), /pid: expected a pid, got 1/],
        [() => Registry.match(rooms, "a", bad("x")), /pick: expected a function, got "x"/],
        [() => Registry.dispatch(rooms, "a", bad(undefined)), /f: expected a function, got undefined/]
      ]
      for (const [ask, message] of asked) yield* refused(() => bad(ask()), message)
      assert.deepStrictEqual(yield* Registry.keys(rooms, holder), ["a"])
      yield* kill(holder)
      assert.strictEqual(yield* Registry.count(rooms), 0)
      assert.isTrue(yield* Process.isAlive(rooms.pid))
    }))
})

describe("a ProcessGroup", () => {
  it.effect("what is asked wrongly changes nothing in a group", () =>
    probed(function*() {
      const pid = yield* idle
      yield* ProcessGroup.join("a", pid)
      const asked: ReadonlyArray<readonly [() => unknown, RegExp]> = [
        [() => ProcessGroup.join(bad(undefined), pid), /group: expected a string or a Group, got undefined/],
        [() => ProcessGroup.join("a", bad(undefined)), /pid: expected a pid, got undefined/],
        [() => ProcessGroup.join("a", [pid, bad(null)]), /pid: expected a pid, got null/],
        [() => ProcessGroup.leave("a", bad("x")), /pid: expected a pid, got "x"/],
        [() => ProcessGroup.make("a", { scope: bad("pg") }), /scope: expected a Scope, got "pg"/],
        [() => ProcessGroup.make("a", bad(1)), /options: expected an object, got 1/],
        [() => ProcessGroup.make(""), /name: expected a string that is not empty, got ""/],
        [() => ProcessGroup.monitor(bad("a"), bad(1)), /pid: expected a pid, got 1/],
        [() => ProcessGroup.demonitor(bad({})), /ref: expected what ProcessGroup.monitor gave, got {}/],
        [() => ProcessGroup.groups(bad({})), /scope: expected a Scope, got {}/],
        [() => ProcessGroup.stop(bad(1)), /scope: expected a Scope, got 1/]
      ]
      for (const [ask, message] of asked) yield* refused(() => bad(ask()), message)
      assert.deepStrictEqual<ReadonlyArray<unknown>>(yield* ProcessGroup.members("a"), [pid])
      assert.deepStrictEqual(yield* ProcessGroup.groups(), ["a"])
      yield* kill(pid)
      assert.deepStrictEqual(yield* ProcessGroup.groups(), [])
    }))
})
