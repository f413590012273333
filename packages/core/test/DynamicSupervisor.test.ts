/** A dynamic supervisor: what it is made of, and the children that it is asked for. How they end is in the file beside. */
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as DynamicSupervisor from "@effect-otp/core/DynamicSupervisor"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Name from "@effect-otp/core/Name"
import * as OtpError from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as Sys from "@effect-otp/core/Sys"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { inNode } from "./utils/process.ts"
import { callFails, defectOf } from "./utils/server.ts"
import { probed, Refused } from "./utils/tree.ts"

const bad = (value: unknown): never => value as never

/** What is no spec, or none that would do. */
const badSpec = (spec: unknown) => spec as ChildSpec.ChildSpec<never, never, never>

/** A child that does nothing until it is ended. */
const idle = ChildSpec.worker({ id: "idle", run: () => Effect.never })

/** Fails the test unless a start is refused for want of room. */
const noRoom = Effect.fnUntraced(function*<A, E, R>(start: Effect.Effect<A, E, R>, max: number) {
  const error = yield* Effect.flip(start)
  if (!(error instanceof OtpError.MaxChildren)) return assert.fail(`not MaxChildren: ${error}`)
  assert.strictEqual(error.max, max)
})

/** What a start fails with. */
const startFails = Effect.fnUntraced(function*<A, E, R>(start: Effect.Effect<A, OtpError.StartError<E> | unknown, R>) {
  const error = yield* Effect.flip(start)
  if (!(error instanceof OtpError.StartError)) return assert.fail(`not a StartError: ${error}`)
  assert.deepStrictEqual(error.childPath, [])
  return error.reason
})

class Session extends GenServer.Service<Session>()("test/Session", [
  GenServer.call("user", { success: Schema.String })
]) {
  static readonly server = this.implement({
    init: (user: string) => user,
    handlers: { user: (user) => Step.reply(user, user) }
  })
}

class Workers extends DynamicSupervisor.Service<Workers>()("test/Workers") {
  static readonly supervisor = this.implement({ maxChildren: 2 })
}

describe("options", () => {
  const refused: ReadonlyArray<readonly [id: string, options: unknown, message: string]> = [
    ["DS-001", { strategy: "one_for_all" }, `strategy: expected "one_for_one", got "one_for_all"`],
    ["DS-003", { intensity: { maxRestarts: -1, within: 1 } }, "intensity.maxRestarts: .* got -1"],
    ["DS-003", { intensity: { maxRestarts: 1, within: 0 } }, "intensity.within: .* got 0"],
    ["DS-003", { maxChildren: -1 }, "maxChildren: expected a whole number of zero or more, got -1"],
    ["DS-003", { maxChildren: 1.5 }, "maxChildren: .* got 1.5"],
    ["DS-003", { maxChildren: "many" }, `maxChildren: .* got "many"`],
    ["DS-003", { extraArguments: 1 }, "extraArguments: expected an array, got 1"],
    ["DS-003", { autoShutdown: "anySignificant" }, `option: expected .* got "autoShutdown"`],
    ["DS-003", 1, "options: expected an object, got 1"]
  ]

  for (const [id, options, message] of refused) {
    it(`${id} refused: ${message}`, () => {
      assert.throws(() => DynamicSupervisor.make(bad(options)), new RegExp(message))
      assert.throws(() => Workers.implement(bad(options)), new RegExp(message))
    })
  }

  it.effect("DS-002 defaults: 3 restarts within 5 seconds, any number of children, no extra arguments", () =>
    Effect.gen(function*() {
      const ref = yield* DynamicSupervisor.make().start
      assert.deepStrictEqual(yield* Sys.getState(ref), {
        intensity: { maxRestarts: 3, within: Duration.seconds(5) },
        maxChildren: Infinity,
        children: []
      })
      yield* DynamicSupervisor.startChild(ref, (...extra) => {
        assert.deepStrictEqual(extra, [])
        return idle
      })
    }).pipe(inNode))

  it.effect("DS-004 what init gives comes before the other options", () =>
    Effect.gen(function*() {
      class Max extends Context.Service<Max, number>()("test/Max") {}
      const tree = DynamicSupervisor.make({ maxChildren: 9, init: Effect.map(Max, (maxChildren) => ({ maxChildren })) })
      const ref = yield* Effect.provideService(tree.start, Max, 0)
      yield* noRoom(DynamicSupervisor.startChild(ref, idle), 0)
    }).pipe(inNode))

  it.effect.each(
    [
      [1, "options: expected an object, got 1"],
      [{ strategy: "rest_for_one" }, `strategy: .* got "rest_for_one"`],
      [{ maxChildren: -1 }, "maxChildren: .* got -1"],
      [{ name: "x" }, `option: .* got "name"`]
    ] as const
  )("DS-004 an init that gives %j: it does not start, and says why", ([given, message]) =>
    Effect.gen(function*() {
      const reason = yield* startFails(DynamicSupervisor.make({ init: Effect.succeed(bad(given)) }).start)
      assert.strictEqual(reason._tag, "Crashed")
      assert.match(reason.message, new RegExp(message))
      assert.deepStrictEqual(yield* Process.list, [])
    }).pipe(inNode))

  it.effect("DS-004 an init that ignores, or fails: it does not start", () =>
    Effect.gen(function*() {
      const ignoring = DynamicSupervisor.make({ init: Effect.succeed(GenServer.ignore) })
      assert.strictEqual((yield* startFails(ignoring.start))._tag, "Ignored")
      const failing = DynamicSupervisor.make({ init: Effect.fail(new Refused()) })
      assert.deepStrictEqual(yield* startFails(failing.start), new OtpError.InitFailed({ error: new Refused() }))
      assert.deepStrictEqual(yield* Process.list, [])
    }).pipe(inNode))
})

describe("specs", () => {
  const refused: ReadonlyArray<readonly [id: string, message: string, spec: unknown]> = [
    ["DS-006", "spec: expected a ChildSpec, got undefined", undefined],
    ["DS-006", "spec: expected a ChildSpec, got {}", {}],
    ["DS-006", "id: expected a string that is not empty, got undefined", { ...idle, id: undefined }],
    ["DS-006", "shutdown: .* got -1", { ...idle, shutdown: -1 }],
    ["DS-006", `restart: .* got "always"`, { ...idle, restart: "always" }],
    ["DS-006", `type: .* got "thing"`, { ...idle, type: "thing" }],
    ["DS-033", "significant: expected false .* got true", { ...idle, significant: true }],
    [
      "DS-033",
      "significant: expected false .* got true",
      ChildSpec.worker({ id: "a", restart: "transient", significant: true, run: () => Effect.never })
    ]
  ]

  for (const [id, message, spec] of refused) {
    it.effect(`${id} a defect of the caller, and the supervisor lives: ${message}`, () =>
      Effect.gen(function*() {
        const ref = yield* DynamicSupervisor.make().start
        const error = yield* defectOf(DynamicSupervisor.startChild(ref, badSpec(spec)))
        assert.match(error.message, new RegExp(message))
        yield* DynamicSupervisor.startChild(ref, idle)
      }).pipe(inNode))
  }

  it.effect("DS-005 a bad spec is refused in the caller, also where there is no supervisor", () =>
    Effect.gen(function*() {
      for (const [, message, spec] of refused) {
        const error = yield* defectOf(DynamicSupervisor.startChild(Workers.at("nobody"), badSpec(spec)))
        assert.match(error.message, new RegExp(message))
      }
    }).pipe(inNode))

  it("DS-006 a start that is no Effect is refused where the spec is made", () => {
    assert.throws(() => ChildSpec.make({ id: "a", start: bad(2) }), /start: expected an Effect, got 2/)
  })

  it.effect("DS-007 ids are ignored: any number of children with one id, and none is shown", () =>
    Effect.gen(function*() {
      const ref = yield* DynamicSupervisor.make().start
      const pids = [yield* DynamicSupervisor.startChild(ref, idle), yield* DynamicSupervisor.startChild(ref, idle)]
      assert.deepStrictEqual(
        yield* DynamicSupervisor.whichChildren(ref),
        pids.map((child) => ({ type: "worker" as const, child }))
      )
    }).pipe(inNode))

  it.effect("DS-013 a spec that is a function is called with the extra arguments, once, and restarted with them", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make({ extraArguments: ["extra", 1] }).start
      let calls = 0
      yield* DynamicSupervisor.startChild(ref, (word, n) => {
        calls++
        return probe.child(`${word}-${n}-own`)
      })
      yield* probe.sees("start extra-1-own")
      yield* probe.end("extra-1-own", "crash")
      yield* probe.sees("stop extra-1-own", "start extra-1-own")
      assert.strictEqual(calls, 1)
    }))

  it.effect("DS-013 a function that dies, or gives no spec, is a start that crashes", () =>
    Effect.gen(function*() {
      const ref = yield* DynamicSupervisor.make().start
      const dies = (): typeof idle => {
        throw new Error("no spec")
      }
      assert.match((yield* startFails(DynamicSupervisor.startChild(ref, dies))).message, /no spec/)
      const reason = yield* startFails(DynamicSupervisor.startChild(ref, () => badSpec({ ...idle, shutdown: -1 })))
      assert.match(reason.message, /shutdown: .* got -1/)
      assert.deepStrictEqual(yield* DynamicSupervisor.whichChildren(ref), [])
    }).pipe(inNode))
})

describe("startChild", () => {
  it.effect("DS-008 gives the pid, also of a start that gives more", () =>
    Effect.gen(function*() {
      const ref = yield* DynamicSupervisor.make().start
      const more = ChildSpec.make({
        id: "a",
        start: Effect.map(Process.spawnLink(() => Effect.never), (pid) => ({ pid, info: "more" }))
      })
      const pids = [yield* DynamicSupervisor.startChild(ref, idle), yield* DynamicSupervisor.startChild(ref, more)]
      const children = yield* DynamicSupervisor.whichChildren(ref)
      assert.deepStrictEqual(children.map(({ child }) => child), pids)
    }).pipe(inNode))

  it.effect("DS-008 a child that chooses not to start is not kept: Ignored", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make().start
      const reason = yield* startFails(DynamicSupervisor.startChild(ref, probe.ignoring("a")))
      assert.strictEqual(reason._tag, "Ignored")
      assert.deepStrictEqual(yield* DynamicSupervisor.whichChildren(ref), [])
    }))

  it.effect.each([undefined, 1, {}, { pid: 1 }])(
    "DS-008 a start that gives %j, which is no pid, has crashed",
    (given) =>
      Effect.gen(function*() {
        const ref = yield* DynamicSupervisor.make().start
        const spec = ChildSpec.make({ id: "a", start: Effect.succeed(bad(given)) })
        const reason = yield* startFails(DynamicSupervisor.startChild(ref, spec))
        assert.match(reason.message, /start: expected an Effect that gives the pid of another process, got/)
        assert.deepStrictEqual(yield* DynamicSupervisor.whichChildren(ref), [])
      }).pipe(inNode)
  )

  it.effect("DS-008 DS-009 a start that fails: its own error, and nothing of it is kept", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make().start
      probe.refuse("a", 1)
      assert.deepStrictEqual(
        yield* startFails(DynamicSupervisor.startChild(ref, probe.child("a"))),
        new OtpError.InitFailed({ error: new Refused() })
      )
      assert.deepStrictEqual(yield* DynamicSupervisor.whichChildren(ref), [])
      yield* DynamicSupervisor.startChild(ref, probe.child("a"))
      yield* probe.sees("fail a", "start a")
    }))

  it.effect("DS-009 of a tree the path to the child that failed", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make().start
      probe.refuse("a", 1)
      const tree = Supervisor.make({ children: [probe.child("a")] }).child({ id: "tree" })
      const error = yield* Effect.flip(DynamicSupervisor.startChild(ref, tree))
      assert(error._tag === "StartError")
      assert.deepStrictEqual(error.childPath, ["a"])
    }))

  it.effect.each(
    [
      [
        "a throw",
        Effect.suspend(() =>
          bad((() => {
            throw new Error("thrown")
          })())
        ),
        "Crashed",
        /thrown/
      ],
      ["a defect", Effect.die(new Error("died")), "Crashed", /died/],
      ["an interruption", Effect.interrupt, "Crashed", /interrupt/i],
      ["an exit", Process.exit(ExitReason.custom("left")), "Stopped", /left/]
    ] as ReadonlyArray<readonly [string, Effect.Effect<never, never, Process.Current>, string, RegExp]>
  )(
    "DS-010 %s in a start is the caller's StartError, and the supervisor lives",
    ([, start, tag, message]) =>
      Effect.gen(function*() {
        const ref = yield* DynamicSupervisor.make({ intensity: { maxRestarts: 0, within: 1 } }).start
        const reason = yield* startFails(DynamicSupervisor.startChild(ref, ChildSpec.make({ id: "a", start })))
        assert.strictEqual(reason._tag, tag)
        assert.match(reason.message, message)
        yield* DynamicSupervisor.startChild(ref, idle)
      }).pipe(inNode)
  )

  it.effect("DS-011 at maxChildren it is refused, and not any more when one has gone", () =>
    Effect.gen(function*() {
      const ref = yield* DynamicSupervisor.make({ maxChildren: 1 }).start
      const pid = yield* DynamicSupervisor.startChild(ref, idle)
      for (let i = 0; i < 2; i++) {
        yield* noRoom(DynamicSupervisor.startChild(ref, idle), 1)
      }
      yield* DynamicSupervisor.terminateChild(ref, pid)
      yield* DynamicSupervisor.startChild(ref, idle)
    }).pipe(inNode))

  it.effect("DS-011 a start that has failed takes no place", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make({ maxChildren: 1 }).start
      probe.refuse("a", 1)
      yield* Effect.flip(DynamicSupervisor.startChild(ref, probe.child("a")))
      yield* Effect.flip(DynamicSupervisor.startChild(ref, probe.ignoring("b")))
      yield* DynamicSupervisor.startChild(ref, probe.child("a"))
      yield* probe.sees("fail a", "ignore b", "start a")
    }))

  it.effect("DS-012 a maxChildren of 0 refuses all, and nothing of the spec runs", () =>
    Effect.gen(function*() {
      const ref = yield* DynamicSupervisor.make({ maxChildren: 0 }).start
      yield* noRoom(DynamicSupervisor.startChild(ref, (): typeof idle => assert.fail("it was called")), 0)
    }).pipe(inNode))

  it.effect("DS-026 one child starts after the other, and whoever asks waits", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make().start
      const gates = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const slow = (i: number) =>
        ChildSpec.make({
          id: "slow",
          start: Effect.gen(function*() {
            yield* probe.report(`begin ${i}`)
            yield* Deferred.await(gates[i]!)
            return yield* Process.spawnLink(() => Effect.never)
          })
        })
      const first = yield* Effect.forkChild(DynamicSupervisor.startChild(ref, slow(0)))
      const second = yield* Effect.forkChild(DynamicSupervisor.startChild(ref, slow(1)))
      yield* probe.sees("begin 0")
      assert.isUndefined(first.pollUnsafe())
      yield* Deferred.succeed(gates[0]!, undefined)
      yield* Fiber.join(first)
      yield* probe.sees("begin 1")
      assert.isUndefined(second.pollUnsafe())
      yield* Deferred.succeed(gates[1]!, undefined)
      yield* Fiber.join(second)
    }))

  it.effect("DS-027 where there is no supervisor, everything fails with NoProcess", () =>
    Effect.gen(function*() {
      const ref = yield* DynamicSupervisor.make().start
      const pid = yield* DynamicSupervisor.startChild(ref, idle)
      yield* DynamicSupervisor.stop(ref)
      yield* callFails(DynamicSupervisor.startChild(ref, idle), "NoProcess")
      yield* callFails(DynamicSupervisor.terminateChild(ref, pid), "NoProcess")
      yield* callFails(DynamicSupervisor.whichChildren(ref), "NoProcess")
      yield* callFails(DynamicSupervisor.countChildren(ref), "NoProcess")
      yield* callFails(DynamicSupervisor.stop(ref), "NoProcess")
      yield* callFails(DynamicSupervisor.whichChildren(Workers.at("nobody")), "NoProcess")
    }).pipe(inNode))

  it.effect("what is no dynamic supervisor is a defect that says so", () =>
    Effect.gen(function*() {
      const { message } = yield* defectOf(DynamicSupervisor.stop(bad({ pid: 1 })))
      assert.match(message, /ref: expected a dynamic supervisor, got/)
      const tree = yield* Supervisor.make({ children: [] }).start
      const other = yield* defectOf(DynamicSupervisor.whichChildren(Workers.at(tree.pid)))
      assert.match(other.message, /whichChildren is no request to .* has the protocol of Supervisor/)
    }).pipe(inNode))

  it.effect("a child has the services of whoever asks, each its own, also when it is restarted", () =>
    probed(function*(probe) {
      class Word extends Context.Service<Word, string>()("test/Word") {}
      const ref = yield* DynamicSupervisor.make().start
      const spec = ChildSpec.worker({
        id: "a",
        run: (self: Process.Self<"end">) =>
          Effect.flatMap(Word, (word) => Effect.andThen(probe.report(word), self.receive))
      })
      const [a, b] = yield* Effect.all([
        Effect.provideService(DynamicSupervisor.startChild(ref, spec), Word, "hello"),
        Effect.provideService(DynamicSupervisor.startChild(ref, spec), Word, "world")
      ])
      yield* probe.sees("hello", "world")
      yield* Process.send(b as Process.Pid<string>, "end")
      yield* probe.sees("world")
      yield* Process.send(a as Process.Pid<string>, "end")
      yield* probe.sees("hello")
    }))

  it.effect("a caller that is interrupted before its turn starts nothing", () =>
    probed(function*(probe) {
      const ref = yield* DynamicSupervisor.make().start
      const gate = yield* Deferred.make<void>()
      const slow = ChildSpec.make({
        id: "slow",
        start: Effect.andThen(Deferred.await(gate), Process.spawnLink(() => Effect.never))
      })
      const first = yield* Effect.forkChild(DynamicSupervisor.startChild(ref, slow))
      yield* settle
      const second = yield* Effect.forkChild(DynamicSupervisor.startChild(ref, probe.child("a")))
      yield* settle
      yield* Fiber.interrupt(second)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(first)
      yield* probe.sees()
    }))
})

describe("counting", () => {
  it.effect("DS-023 specs, those that run, supervisors and workers", () =>
    Effect.gen(function*() {
      const ref = yield* DynamicSupervisor.make().start
      assert.deepStrictEqual(
        yield* DynamicSupervisor.countChildren(ref),
        { specs: 0, active: 0, supervisors: 0, workers: 0 }
      )
      yield* DynamicSupervisor.startChild(ref, idle)
      yield* DynamicSupervisor.startChild(ref, idle)
      yield* DynamicSupervisor.startChild(ref, Supervisor.make({ children: [idle] }).child({ id: "tree" }))
      assert.deepStrictEqual(
        yield* DynamicSupervisor.countChildren(ref),
        { specs: 3, active: 3, supervisors: 1, workers: 2 }
      )
    }).pipe(inNode))
})

describe("in a tree", () => {
  it("DS-024 as a child its id is its name, or the key of the service, unless it is given one", () => {
    assert.strictEqual(DynamicSupervisor.make().child().id, "DynamicSupervisor")
    assert.strictEqual(Workers.supervisor.child().id, "test/Workers")
    assert.strictEqual(DynamicSupervisor.make({ name: "jobs" }).child().id, "jobs")
    assert.strictEqual(Workers.implement({ name: Name.make("jobs") }).child().id, "jobs")
    const { id, restart, shutdown, type } = DynamicSupervisor.make({ name: "jobs" }).child({ id: "other" })
    assert.deepStrictEqual([id, restart, shutdown, type], ["other", "permanent", "Infinity", "supervisor"])
  })

  it.effect("DS-024 two of them in one tree need ids or names", () =>
    Effect.gen(function*() {
      const one = DynamicSupervisor.make()
      const error = yield* Effect.flip(Supervisor.make({ children: [one.child(), one.child()] }).start)
      assert.deepStrictEqual(error.reason, new OtpError.DuplicateId({ id: "DynamicSupervisor" }))
      const tree = yield* Supervisor.make({
        children: [DynamicSupervisor.make({ name: "a" }).child(), DynamicSupervisor.make({ name: "b" }).child()]
      }).start
      assert.deepStrictEqual((yield* Supervisor.whichChildren(tree)).map(({ id }) => id), ["b", "a"])
    }).pipe(inNode))

  it.effect("the service reaches the incarnation that runs now, which begins without children", () =>
    Effect.gen(function*() {
      const workers = yield* Workers
      const pid = yield* DynamicSupervisor.startChild(workers, idle)
      const [supervisor] = (yield* Process.list).filter((other) => other !== pid).slice(-1)
      yield* Process.exit(supervisor!, ExitReason.kill)
      yield* settle
      assert.isFalse(yield* Process.isAlive(pid))
      assert.deepStrictEqual(yield* DynamicSupervisor.whichChildren(workers), [])
      yield* DynamicSupervisor.startChild(workers, idle)
      yield* DynamicSupervisor.startChild(workers, idle)
      yield* noRoom(DynamicSupervisor.startChild(workers, idle), 2)
    }).pipe(Effect.provide(Workers.supervisor.layer), inNode))

  it.effect("a server is started with its client, which reaches the incarnation that runs now", () =>
    Effect.gen(function*() {
      const ref = yield* DynamicSupervisor.make({ extraArguments: ["Mr "] }).startScoped
      const [ann, pid] = yield* DynamicSupervisor.startService(ref, Session, Session.server.child("Ann"))
      const [bob] = yield* DynamicSupervisor.startService(ref, Session, (title) => Session.server.child(`${title}Bob`))
      assert.deepStrictEqual([yield* ann.user(), yield* bob.user()], ["Ann", "Mr Bob"])
      assert.strictEqual(yield* Session.at(pid).user(), "Ann")
      yield* Process.exit(pid, ExitReason.kill)
      yield* settle
      assert.strictEqual(yield* ann.user(), "Ann")
      yield* callFails(Session.at(pid).user(), "NoProcess")
    }).pipe(Effect.scoped, inNode))

  it.effect("it is found by its name", () =>
    Effect.gen(function*() {
      yield* DynamicSupervisor.make({ name: "jobs" }).startScoped
      yield* DynamicSupervisor.startChild(Workers.at("jobs"), idle)
      const error = yield* Effect.flip(DynamicSupervisor.make({ name: "jobs" }).start)
      assert.strictEqual(error.reason._tag, "AlreadyStarted")
    }).pipe(Effect.scoped, inNode))
})
