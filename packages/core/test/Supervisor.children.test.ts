/** Children of a running supervisor: added, stopped, started again, removed, listed and counted. */
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Name from "@effect-otp/core/Name"
import * as Node from "@effect-otp/core/Node"
import * as OtpError from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { probed, Refused, started } from "./utils/tree.ts"

const bad = ExitReason.custom("bad")

const listed = (ref: Supervisor.Ref) =>
  Effect.map(Supervisor.whichChildren(ref), (children) => children.map(({ child, id }) => [id, child] as const))

describe("startChild", () => {
  it.effect("gives the pid, and the child is the last in order", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ children: [probe.child("a")] }), "start a")
      assert.strictEqual(yield* Supervisor.startChild(ref, probe.child("b")), probe.pid("b"))
      yield* probe.sees("start b")
      yield* Supervisor.stop(ref)
      yield* probe.sees("stop b", "stop a")
    }))

  it.effect("SV-023 a start may give more than the pid, and the child is restarted as any other", () =>
    probed(function*(probe) {
      const ref = yield* Supervisor.make({ children: [] }).start
      const spec = ChildSpec.make({
        id: "a",
        start: Effect.map(
          Effect.tap(
            Process.spawnLink(() => Effect.never),
            (pid) => Effect.sync(() => probe.started("a", pid as never))
          ),
          (pid) => ({ pid, info: "more" })
        )
      })
      assert.strictEqual(yield* Supervisor.startChild(ref, spec), probe.pid("a"))
      yield* probe.sees("start a")
      yield* Process.exit(probe.pid("a"), ExitReason.kill)
      yield* probe.sees("start a")
    }))

  it.effect("SV-068 an id that runs: AlreadyStarted with its pid", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ children: [probe.child("a")] }), "start a")
      const error = yield* Effect.flip(Supervisor.startChild(ref, probe.child("a")))
      assert(error._tag === "StartError")
      assert.deepStrictEqual(error.reason, new OtpError.AlreadyStarted({ pid: probe.pid("a") }))
      yield* probe.sees()
    }))

  it.effect("SV-069 an id that is there and stopped: DuplicateId", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ children: [probe.child("a")] }), "start a")
      yield* Supervisor.terminateChild(ref, "a")
      const error = yield* Effect.flip(Supervisor.startChild(ref, probe.child("a")))
      assert(error._tag === "StartError")
      assert.deepStrictEqual(error.reason, new OtpError.DuplicateId({ id: "a" }))
      yield* probe.sees("stop a")
    }))

  it.effect("SV-070 a start that fails: the error names the child, and the spec is not kept", () =>
    probed(function*(probe) {
      const ref = yield* Supervisor.make({ children: [] }).start
      probe.refuse("a", 1)
      const error = yield* Effect.flip(Supervisor.startChild(ref, probe.child("a")))
      assert(error._tag === "StartError")
      assert.deepStrictEqual(error.childPath, ["a"])
      assert.deepStrictEqual(error.reason, new OtpError.InitFailed({ error: new Refused() }))
      assert.deepStrictEqual(yield* listed(ref), [])
      yield* Supervisor.startChild(ref, probe.child("a"))
      yield* probe.sees("fail a", "start a")
    }))

  it.effect("SV-071 a start that crashes is an error of the caller, and the supervisor lives", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ children: [probe.child("a")] }), "start a")
      for (const start of [Effect.die(new Error("no")), Effect.interrupt]) {
        const error = yield* Effect.flip(Supervisor.startChild(ref, ChildSpec.make({ id: "b", start })))
        assert(error._tag === "StartError")
        assert.deepStrictEqual([error.childPath, error.reason._tag], [["b"], "Crashed"])
      }
      assert.deepStrictEqual(yield* listed(ref), [["a", probe.pid("a")]])
      yield* probe.sees()
    }))

  it.effect("SV-071 so is a start that exits, also when it is tried again; its processes exit as all others do", () =>
    probed(function*(probe) {
      const intensity = { maxRestarts: 2, within: "5 seconds" } as const
      const ref = yield* started(probe, Supervisor.make({ intensity, children: [probe.child("a")] }), "start a")
      const error = yield* Effect.flip(
        Supervisor.startChild(ref, ChildSpec.make({ id: "b", start: Process.exit(bad) }))
      )
      assert(error._tag === "StartError")
      assert.deepStrictEqual([error.childPath, error.reason], [["b"], new OtpError.Stopped({ reason: bad })])
      assert.deepStrictEqual(yield* listed(ref), [["a", probe.pid("a")]])

      let starts = 0
      const start = Effect.suspend(() =>
        ++starts === 2 ? Process.exit(bad) : Process.spawnLink(() => starts === 1 ? Process.exit(bad) : Effect.never)
      )
      const pid = yield* Supervisor.startChild(ref, ChildSpec.make({ id: "b", start }))
      assert.deepStrictEqual(yield* Process.awaitExit(pid!), bad)
      yield* probe.sees()
      assert.strictEqual(starts, 3)
      assert.strictEqual((yield* Supervisor.countChildren(ref)).active, 2)
    }))

  it.effect("SV-072 what is no spec is a defect of the caller that says so, and the supervisor lives", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ children: [probe.child("a")] }), "start a")
      for (const spec of [undefined, 1, {}, { id: "b" }]) {
        const exit = yield* Effect.exit(Supervisor.startChild(ref, spec as ChildSpec.ChildSpec<never, never, never>))
        assert(exit._tag === "Failure")
        assert.match(String(Cause.squash(exit.cause)), /spec: expected a ChildSpec, got/)
      }
      assert.deepStrictEqual(yield* listed(ref), [["a", probe.pid("a")]])
    }))

  it.effect("a child gets the services of whoever adds it, also when it is started again", () =>
    probed(function*(probe) {
      class Word extends Context.Service<Word, string>()("test/Word") {}
      const ref = yield* Supervisor.make({ children: [] }).start
      const spec = ChildSpec.worker({
        id: "a",
        run: (self: Process.Self<"end">) =>
          Effect.flatMap(Word, (word) => Effect.andThen(probe.report(word), self.receive))
      })
      const pid = yield* Effect.provideService(Supervisor.startChild(ref, spec), Word, "hello")
      yield* probe.sees("hello")
      yield* Process.send(pid as Process.Pid<string>, "end")
      yield* probe.sees("hello")
    }))

  it.effect("the child outlives the fiber that added it, and is interruptible even where that one is not", () =>
    probed(function*(probe) {
      const ref = yield* Supervisor.make({ children: [] }).start
      const adding = Effect.uninterruptible(Supervisor.startChild(ref, probe.worker("a")))
      yield* Effect.scoped(Effect.forkScoped(adding, { startImmediately: true }))
      yield* probe.sees("start a")
      yield* Supervisor.terminateChild(ref, "a")
      yield* probe.sees("stop a")
    }))
})

describe("terminateChild", () => {
  it.effect("SV-073 keeps the spec of permanent and transient children, removes temporary ones, and is no restart", () =>
    probed(function*(probe) {
      const children = [
        probe.child("permanent"),
        probe.child("transient", { restart: "transient" }),
        probe.child("temporary", { restart: "temporary" })
      ]
      const tree = Supervisor.make({ intensity: { maxRestarts: 0, within: "5 seconds" }, children })
      const ref = yield* started(probe, tree, "start permanent", "start transient", "start temporary")
      for (const id of ["permanent", "transient", "temporary"]) yield* Supervisor.terminateChild(ref, id)
      yield* probe.sees("stop permanent", "stop transient", "stop temporary")
      assert.deepStrictEqual(yield* listed(ref), [["transient", undefined], ["permanent", undefined]])
    }))

  it.effect("SV-073 by the child's shutdown rules", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ children: [probe.stubborn("a", { shutdown: "brutalKill" })] })
      const ref = yield* started(probe, tree, "start a")
      yield* Supervisor.terminateChild(ref, "a")
      assert.deepStrictEqual(yield* Process.awaitExit(probe.pid("a")), ExitReason.killed)
    }))

  it.effect("SV-074 a stopped child is fine, an unknown id is ChildNotFound", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ children: [probe.child("a")] }), "start a")
      yield* Supervisor.terminateChild(ref, "a")
      yield* Supervisor.terminateChild(ref, "a")
      assert.deepStrictEqual(
        yield* Effect.flip(Supervisor.terminateChild(ref, "b")),
        new OtpError.ChildNotFound({ id: "b" })
      )
      yield* probe.sees("stop a")
    }))

  it.effect("SV-075 a pid is no id", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ children: [probe.child("a")] }), "start a")
      const error = yield* Effect.flip(Supervisor.terminateChild(ref, probe.pid("a") as never))
      assert.strictEqual(error._tag, "ChildNotFound")
      yield* probe.sees()
    }))

  it.effect.each(["rest_for_one", "one_for_all"] as const)(
    "SV-076 %s: siblings are not touched, and restartChild puts it back into its place",
    (strategy) =>
      probed(function*(probe) {
        const tree = Supervisor.make({ strategy, children: [probe.child("a"), probe.child("b")] })
        const ref = yield* started(probe, tree, "start a", "start b")
        yield* Supervisor.terminateChild(ref, "a")
        yield* probe.sees("stop a")
        assert.deepStrictEqual(yield* listed(ref), [["b", probe.pid("b")], ["a", undefined]])
        yield* Supervisor.restartChild(ref, "a")
        yield* probe.sees("start a")
        assert.deepStrictEqual(yield* listed(ref), [["b", probe.pid("b")], ["a", probe.pid("a")]])
      })
  )
})

describe("restartChild and deleteChild", () => {
  it.effect("SV-077 restartChild starts a stopped child; running and unknown ones are errors", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ children: [probe.child("a")] }), "start a")
      assert.deepStrictEqual(
        yield* Effect.flip(Supervisor.restartChild(ref, "a")),
        new OtpError.ChildRunning({ id: "a", pid: probe.pid("a") })
      )
      assert.deepStrictEqual(
        yield* Effect.flip(Supervisor.restartChild(ref, "b")),
        new OtpError.ChildNotFound({ id: "b" })
      )
      yield* Supervisor.terminateChild(ref, "a")
      assert.strictEqual(yield* Supervisor.restartChild(ref, "a"), probe.pid("a"))
      yield* probe.sees("stop a", "start a")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a", "start a")
    }))

  it.effect("SV-078 a restartChild that fails keeps the spec", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ children: [probe.child("a")] }), "start a")
      yield* Supervisor.terminateChild(ref, "a")
      probe.refuse("a", 1)
      const error = yield* Effect.flip(Supervisor.restartChild(ref, "a"))
      assert(error._tag === "StartError")
      assert.deepStrictEqual(error.reason, new OtpError.InitFailed({ error: new Refused() }))
      assert.deepStrictEqual(yield* listed(ref), [["a", undefined]])
      yield* probe.sees("stop a", "fail a")
    }))

  it.effect("SV-079 deleteChild removes a stopped child; running and unknown ones are errors", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ children: [probe.child("a")] }), "start a")
      assert.deepStrictEqual(
        yield* Effect.flip(Supervisor.deleteChild(ref, "a")),
        new OtpError.ChildRunning({ id: "a", pid: probe.pid("a") })
      )
      yield* Supervisor.terminateChild(ref, "a")
      yield* Supervisor.deleteChild(ref, "a")
      assert.deepStrictEqual(yield* listed(ref), [])
      assert.deepStrictEqual(
        yield* Effect.flip(Supervisor.deleteChild(ref, "a")),
        new OtpError.ChildNotFound({ id: "a" })
      )
    }))
})

describe("a child that is being restarted", () => {
  /** The start of `a` fails as often as it is tried; each time the supervisor has a turn for requests. */
  const looping = Effect.fnUntraced(function*(probe: Parameters<Parameters<typeof probed>[0]>[0]) {
    const intensity = { maxRestarts: 1_000_000, within: "5 seconds" } as const
    const ref = yield* started(probe, Supervisor.make({ intensity, children: [probe.child("a")] }), "start a")
    probe.refuse("a", Infinity)
    yield* Process.exit(probe.pid("a"), ExitReason.kill)
    return ref
  })

  it.effect("SV-047 it shows restarting, and does not count as active", () =>
    probed(function*(probe) {
      const ref = yield* looping(probe)
      assert.deepStrictEqual(yield* listed(ref), [["a", "restarting"]])
      assert.deepStrictEqual(yield* Supervisor.countChildren(ref), { specs: 1, active: 0, supervisors: 0, workers: 1 })
      yield* Supervisor.stop(ref)
    }))

  it.effect("SV-048 startChild, restartChild and deleteChild are refused, terminateChild ends it", () =>
    probed(function*(probe) {
      const ref = yield* looping(probe)
      const duplicate = yield* Effect.flip(Supervisor.startChild(ref, probe.child("a")))
      assert(duplicate._tag === "StartError")
      assert.deepStrictEqual(duplicate.reason, new OtpError.DuplicateId({ id: "a" }))
      const restarting = new OtpError.ChildRestarting({ id: "a" })
      assert.deepStrictEqual(yield* Effect.flip(Supervisor.restartChild(ref, "a")), restarting)
      assert.deepStrictEqual(yield* Effect.flip(Supervisor.deleteChild(ref, "a")), restarting)
      yield* Supervisor.terminateChild(ref, "a")
      assert.deepStrictEqual(yield* listed(ref), [["a", undefined]])
      yield* probe.seen
      yield* probe.sees()
    }))

  it.effect("SV-051 its supervisor can be stopped", () =>
    probed(function*(probe) {
      const ref = yield* looping(probe)
      yield* Supervisor.stop(ref)
      assert.deepStrictEqual(yield* Process.list, [])
    }))
})

describe("getChildSpec", () => {
  it.effect("SV-083 gives the spec of an id, running or not; an unknown one is an error", () =>
    probed(function*(probe) {
      const spec = probe.child("a", { shutdown: "1 second" })
      const ref = yield* started(probe, Supervisor.make({ children: [spec] }), "start a")
      assert.strictEqual(yield* Supervisor.getChildSpec(ref, "a"), spec)
      yield* Supervisor.terminateChild(ref, "a")
      assert.strictEqual(yield* Supervisor.getChildSpec(ref, "a"), spec)
      yield* Supervisor.deleteChild(ref, "a")
      assert.deepStrictEqual(
        yield* Effect.flip(Supervisor.getChildSpec(ref, "a")),
        new OtpError.ChildNotFound({ id: "a" })
      )
      yield* Supervisor.startChild(ref, spec)
      assert.strictEqual(yield* Supervisor.getChildSpec(ref, "a"), spec)
    }))

  it.effect("SV-096 of a temporary child it has everything but the start, which is not kept", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ children: [] }))
      yield* Supervisor.startChild(ref, probe.child("a", { restart: "temporary", shutdown: "1 second" }))
      const spec = yield* Supervisor.getChildSpec(ref, "a")
      assert.deepStrictEqual([spec.id, spec.restart, spec.shutdown, spec.type], [
        "a",
        "temporary",
        "1 second",
        "worker"
      ])
      const again = yield* Effect.exit(Supervisor.startChild(ref, spec as ChildSpec.ChildSpec<never, never, never>))
      assert(again._tag === "Failure")
      assert.match(String(Cause.squash(again.cause)), /spec: expected a ChildSpec/)
      yield* Supervisor.terminateChild(ref, "a")
      yield* probe.sees("start a", "stop a")
    }))

  it.effect.each([["temporary", true], ["transient", false], ["permanent", false]] as const)(
    "SV-096 what the start of a %s child holds can be freed while it runs: %s",
    ([restart, freed]) =>
      probed(function*() {
        setFlagsFromString("--expose-gc")
        const gc = runInNewContext("gc") as () => void
        const ref = yield* Supervisor.make({ children: [] }).start
        const start = Effect.fnUntraced(function*() {
          const argument = { size: 1 }
          const use = () => argument
          yield* Supervisor.startChild(
            ref,
            ChildSpec.make({
              id: "a",
              restart,
              start: Effect.suspend(() => use().size === 1 ? Process.spawnLink(() => Effect.never) : Effect.never)
            })
          )
          return new WeakRef(argument)
        })
        const argument = yield* start()
        // The last message of a server is kept, for its report.
        yield* Supervisor.whichChildren(ref)
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        gc()
        assert.strictEqual(argument.deref() === undefined, freed)
        assert.strictEqual((yield* Supervisor.countChildren(ref)).active, 1)
      })
  )
})

describe("by name", () => {
  it.effect("whatever takes a supervisor takes its name and its pid", () =>
    probed(function*(probe) {
      const ref = yield* Supervisor.make({ name: "tree", children: [] }).start
      yield* Supervisor.startChild("tree", probe.child("a"))
      yield* Supervisor.terminateChild(Name.make("tree"), "a")
      yield* Supervisor.restartChild(ref.pid, "a")
      assert.strictEqual((yield* Supervisor.countChildren("tree")).active, 1)
      assert.deepStrictEqual((yield* Supervisor.whichChildren("tree")).map(({ id }) => id), ["a"])
      yield* Supervisor.stop("tree")
      const error = yield* Effect.flip(Supervisor.whichChildren("tree"))
      assert.deepStrictEqual([error.server, error.reason._tag], ["tree", "NoProcess"])
      yield* probe.sees("start a", "stop a", "start a", "stop a")
    }))
})

describe("whichChildren and countChildren", () => {
  it.effect("SV-081 SV-082 specs, those that run, and specs by type, dead ones included", () =>
    probed(function*(probe) {
      const inner = (id: string) => Supervisor.make({ children: [] }).child({ id })
      const tree = Supervisor.make({
        children: [probe.child("a"), inner("x"), probe.child("b", { restart: "transient" }), inner("y")]
      })
      const ref = yield* started(probe, tree, "start a", "start b")
      yield* Supervisor.terminateChild(ref, "y")
      yield* probe.end("b", ExitReason.normal)
      yield* probe.sees("stop b")
      assert.deepStrictEqual(yield* Supervisor.countChildren(ref), { specs: 4, active: 2, supervisors: 2, workers: 2 })
      const children = yield* Supervisor.whichChildren(ref)
      assert.deepStrictEqual(
        children.map(({ child, id, type }) => [id, type, typeof child]),
        [
          ["y", "supervisor", "undefined"],
          ["b", "worker", "undefined"],
          ["x", "supervisor", "object"],
          ["a", "worker", "object"]
        ]
      )
    }))

  it.effect("a supervisor that has ended answers NoProcess", () =>
    probed(function*() {
      const ref = yield* Supervisor.make({ children: [] }).start
      yield* Supervisor.stop(ref)
      const error = yield* Effect.flip(Supervisor.whichChildren(ref))
      assert.strictEqual(error.reason._tag, "NoProcess")
    }))
})

describe("a child with an option that is refused", () => {
  class Idle extends GenServer.Service<Idle>()("test/Idle", []) {
    static readonly server = this.implement({ init: () => 0, handlers: {} })
  }
  const child = () => Idle.server.child({ timeout: -1, provide: false })

  const refused = Effect.gen(function*() {
    const whole = yield* Effect.flip(Supervisor.make({ children: [child()] }).start)
    const supervisor = yield* Supervisor.make({ children: [] }).start
    const later = yield* Effect.flip(Supervisor.startChild(supervisor, child()))
    for (const error of [whole, later]) {
      if (error._tag !== "StartError" || error.reason._tag !== "Crashed") return assert.fail(String(error))
      assert.deepStrictEqual(error.childPath, ["test/Idle"])
      assert.match(String(Cause.squash(error.reason.cause)), /timeout: expected a duration of zero or more, got -1/)
    }
    assert.isTrue(yield* Process.isAlive(supervisor.pid))
    assert.deepStrictEqual(yield* Supervisor.whichChildren(supervisor), [])
    yield* Supervisor.stop(supervisor)
  }).pipe(Effect.provide(Node.layer()))

  it.effect("does not start, and harms nobody, under the scheduler of a test", () => refused)
  it.live("does not start, and harms nobody, under the scheduler of an application", () => refused)
})
