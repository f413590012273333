/** What happens to a supervisor while it is busy: starting, restarting or stopping others. */
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as DynamicSupervisor from "@effect-otp/core/DynamicSupervisor"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as OtpError from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { inconsistencies, leftovers } from "./utils/leftovers.ts"
import { type Order, type Probe, probed, started } from "./utils/tree.ts"

const bad = ExitReason.custom("bad")

const intensity = (maxRestarts: number) => ({ maxRestarts, within: "5 seconds" }) as const

const listed = (ref: Supervisor.Target) =>
  Effect.map(Supervisor.whichChildren(ref), (children) => children.map(({ child, id }) => [id, child] as const))

interface Arg {
  readonly probe: Probe
  readonly id: string
  /** What its next start waits for. */
  readonly gate: () => Deferred.Deferred<void>
}

class Gated extends GenServer.Service<Gated>()("test/Gated", []) {
  static readonly server = this.implement({
    init: ({ gate, id, probe }: Arg) =>
      Effect.gen(function*() {
        const pid = yield* Process.self
        yield* probe.report(`starting ${id}`)
        yield* Effect.onInterrupt(Deferred.await(gate()), () => probe.report(`give up ${id}`))
        yield* Effect.acquireRelease(
          Effect.sync(() => probe.started(id, pid as Process.Pid<unknown>)),
          () => probe.report(`stop ${id}`)
        )
        return id
      }),
    handlers: {}
  })
}

/** A child whose starts wait, one after the other, until they are let through. */
const gated = Effect.fnUntraced(function*(probe: Probe, id: string) {
  const gates = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
  let starts = 0
  const spec = Gated.server.child({ probe, id, gate: () => gates[starts++]! }, { id, provide: false })
  const open = (index: 0 | 1) => Effect.andThen(Deferred.succeed(gates[index]!, undefined), settle)
  return { spec, open }
})

describe("while it starts", () => {
  it.effect("a child that ends is restarted when all have started, and takes those after it along", () =>
    probed(function*(probe) {
      const { open, spec } = yield* gated(probe, "b")
      const children = [probe.child("a"), spec, probe.child("c")]
      const starting = yield* Effect.forkChild(Supervisor.make({ strategy: "rest_for_one", children }).start)
      yield* probe.sees("start a", "starting b")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      yield* open(1)
      yield* open(0)
      yield* Fiber.join(starting)
      yield* probe.sees("start b", "start c", "stop c", "stop b", "start a", "starting b", "start b", "start c")
    }))

  it.effect("a child that has ended is not stopped once more when a later one does not start", () =>
    probed(function*(probe) {
      const gate = yield* Deferred.make<void>()
      const fails = ChildSpec.make({ id: "c", start: Effect.andThen(Deferred.await(gate), Effect.fail("no")) })
      const tree = Supervisor.make({ children: [probe.child("a"), probe.child("b"), fails] })
      const starting = yield* Effect.forkChild(Effect.flip(tree.start))
      yield* probe.sees("start a", "start b")
      yield* probe.end("b", bad)
      yield* probe.sees("stop b")
      yield* Deferred.succeed(gate, undefined)
      yield* probe.sees("stop a")
      assert.deepStrictEqual((yield* Fiber.join(starting)).childPath, ["c"])
      assert.deepStrictEqual(yield* leftovers([probe.pid("a"), probe.pid("b")]), [])
    }))

  it.effect("requests wait until it has started, and end with it if it does not", () =>
    probed(function*(probe) {
      const gate = yield* Deferred.make<void, string>()
      const start = Effect.andThen(Deferred.await(gate), Process.spawnLink(() => Effect.never))
      const tree = Supervisor.make({ name: "tree", children: [probe.child("a"), ChildSpec.make({ id: "b", start })] })
      const starting = yield* Effect.forkChild(Effect.flip(tree.start))
      yield* probe.sees("start a")
      const asking = yield* Effect.forkChild(Effect.flip(Supervisor.countChildren("tree")))
      yield* settle
      assert.isUndefined(asking.pollUnsafe())
      yield* Deferred.fail(gate, "no")
      assert.strictEqual((yield* Fiber.join(asking)).reason._tag, "ServerExited")
      yield* Fiber.join(starting)
      yield* probe.sees("stop a")
    }))

  it.effect("the end of the process that has started it with a link stops what has started, in reverse order", () =>
    probed(function*(probe) {
      const { spec } = yield* gated(probe, "c")
      const tree = Supervisor.make({ children: [probe.child("a"), probe.child("b"), spec] })
      const owner = yield* Process.spawn(() => tree.startLink)
      yield* probe.sees("start a", "start b", "starting c")
      yield* Process.exit(owner, bad)
      yield* probe.sees("give up c", "stop b", "stop a")
      assert.deepStrictEqual(yield* leftovers([owner, probe.pid("a"), probe.pid("b")]), [])
    }))

  it.effect("its layer is closed by somebody else: it stops as soon as it has started", () =>
    probed(function*(probe) {
      const { open, spec } = yield* gated(probe, "b")
      const tree = Supervisor.make({ children: [probe.child("a"), spec] })
      const scope = yield* Scope.make()
      const building = yield* Effect.forkChild(Layer.buildWithScope(tree.layer, scope))
      yield* probe.sees("start a", "starting b")
      yield* Scope.close(scope, Exit.void)
      yield* open(0)
      yield* Effect.exit(Fiber.join(building))
      yield* probe.sees("start b", "stop b", "stop a")
      assert.deepStrictEqual(yield* leftovers([probe.pid("a"), probe.pid("b")]), [])
    }))
})

describe("while it restarts a group", () => {
  it.effect("one_for_all: a child that ends by itself then is part of that restart, which counts once", () =>
    probed(function*(probe) {
      const gate = yield* Deferred.make<void>()
      const children = [probe.child("a"), probe.child("b"), probe.slow("c", Deferred.await(gate))]
      const tree = Supervisor.make({ strategy: "one_for_all", intensity: intensity(1), children })
      const ref = yield* started(probe, tree, "start a", "start b", "start c")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      yield* probe.end("b", bad)
      yield* probe.sees("stop b")
      yield* Deferred.succeed(gate, undefined)
      yield* probe.sees("stop c", "start a", "start b", "start c")
      assert.isTrue(yield* Process.isAlive(ref.pid))
    }))

  it.effect("rest_for_one: an earlier child that ends then restarts the tail once more, and counts", () =>
    probed(function*(probe) {
      const gate = yield* Deferred.make<void>()
      const children = [probe.child("a"), probe.child("b"), probe.slow("c", Deferred.await(gate))]
      const tree = Supervisor.make({ strategy: "rest_for_one", intensity: intensity(2), children })
      const ref = yield* started(probe, tree, "start a", "start b", "start c")
      yield* probe.end("b", bad)
      yield* probe.sees("stop b")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      yield* Deferred.succeed(gate, undefined)
      yield* probe.sees(
        "stop c",
        "start b",
        "start c",
        "stop c",
        "stop b",
        "start a",
        "start b",
        "start c"
      )
      yield* probe.end("c", bad)
      yield* probe.sees("stop c", "stop b", "stop a")
      assert.isFalse(yield* Process.isAlive(ref.pid))
    }))

  it.effect("the ends of those that it stops are waited for, and what their links tell of them later is ignored", () =>
    probed(function*(probe) {
      const gate = yield* Deferred.make<void>()
      const children = [probe.child("a"), probe.slow("b", Deferred.await(gate)), probe.child("c"), probe.worker("d")]
      const tree = Supervisor.make({ strategy: "one_for_all", children })
      const ref = yield* started(probe, tree, "start a", "start b", "start c", "start d")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a", "stop d", "stop c")
      const linked = Effect.map(Process.info(ref.pid), (info) => {
        const { links, mailboxLength } = Option.getOrThrow(info)
        return [links.length, mailboxLength]
      })
      // To the one that has not ended, and the exits of those that have are there to be read.
      assert.deepStrictEqual(yield* linked, [1, 2])
      yield* Deferred.succeed(gate, undefined)
      yield* probe.sees("stop b", "start a", "start b", "start c", "start d")
      assert.deepStrictEqual(yield* linked, [4, 0])
    }))

  it.effect("requests wait until it is done, and see all of it", () =>
    probed(function*(probe) {
      const gate = yield* Deferred.make<void>()
      const children = [probe.child("a"), probe.slow("b", Deferred.await(gate))]
      const ref = yield* started(probe, Supervisor.make({ strategy: "one_for_all", children }), "start a", "start b")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      const asking = yield* Effect.forkChild(listed(ref))
      yield* settle
      assert.isUndefined(asking.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual(yield* Fiber.join(asking), [["b", probe.pid("b")], ["a", probe.pid("a")]])
      yield* probe.sees("stop b", "start a", "start b")
    }))

  it.effect.each(["rest_for_one", "one_for_all"] as const)(
    "%s: a child that was added later is the last of the group, and goes along",
    (strategy) =>
      probed(function*(probe) {
        const ref = yield* started(probe, Supervisor.make({ strategy, children: [probe.child("a")] }), "start a")
        yield* Supervisor.startChild(ref, probe.child("b"))
        yield* Supervisor.startChild(ref, probe.child("c"))
        yield* Supervisor.terminateChild(ref, "b")
        yield* Supervisor.deleteChild(ref, "b")
        yield* Supervisor.startChild(ref, probe.child("b"))
        yield* probe.sees("start b", "start c", "stop b", "start b")
        yield* probe.end("a", bad)
        yield* probe.sees("stop a", "stop b", "stop c", "start a", "start c", "start b")
      })
  )
})

describe("while it waits for a start", () => {
  it.effect("of a restart, a stop waits for that, and then stops all of them", () =>
    probed(function*(probe) {
      const { open, spec } = yield* gated(probe, "b")
      const starting = yield* Effect.forkChild(Supervisor.make({ children: [probe.child("a"), spec] }).start)
      yield* probe.sees("start a", "starting b")
      yield* open(0)
      const ref = yield* Fiber.join(starting)
      yield* Process.exit(probe.pid("b"), ExitReason.kill)
      yield* probe.sees("start b", "stop b", "starting b")
      const stopping = yield* Effect.forkChild(Supervisor.stop(ref))
      yield* probe.sees()
      yield* open(1)
      yield* Fiber.join(stopping)
      yield* probe.sees("start b", "stop b", "stop a")
      assert.deepStrictEqual(yield* leftovers([ref.pid, probe.pid("a"), probe.pid("b")]), [])
    }))

  it.effect("of a restart that does not end, it is killed when its own time is over, and the start is taken back", () =>
    probed(function*(probe) {
      const { open, spec } = yield* gated(probe, "b")
      const inner = Supervisor.make({ children: [probe.child("a"), spec] }).child({ id: "inner", shutdown: "1 second" })
      const starting = yield* Effect.forkChild(Supervisor.make({ children: [inner] }).start)
      yield* probe.sees("start a", "starting b")
      yield* open(0)
      const ref = yield* Fiber.join(starting)
      yield* Process.exit(probe.pid("b"), ExitReason.kill)
      yield* probe.sees("start b", "stop b", "starting b")
      const stopping = yield* Effect.forkChild(Supervisor.stop(ref))
      yield* settle
      yield* TestClock.adjust(999)
      yield* probe.sees()
      yield* TestClock.adjust(1)
      yield* Fiber.join(stopping)
      yield* probe.sees("stop a", "give up b")
      assert.deepStrictEqual(yield* leftovers([ref.pid, probe.pid("a"), probe.pid("b")]), [])
    }))

  it.effect("DS-026 of a child that was asked for, a stop waits for that, and then stops it", () =>
    probed(function*(probe) {
      const { open, spec } = yield* gated(probe, "a")
      const ref = yield* DynamicSupervisor.make().start
      const adding = yield* Effect.forkChild(DynamicSupervisor.startChild(ref, spec))
      yield* probe.sees("starting a")
      const stopping = yield* Effect.forkChild(DynamicSupervisor.stop(ref))
      yield* settle
      yield* open(0)
      assert.strictEqual(yield* Fiber.join(adding), probe.pid("a"))
      yield* Fiber.join(stopping)
      yield* probe.sees("start a", "stop a")
    }))

  it.effect("whoever asked may go: the child is started all the same, unless its turn has not come yet", () =>
    probed(function*(probe) {
      const { open, spec } = yield* gated(probe, "a")
      const ref = yield* Supervisor.make({ children: [] }).start
      const first = yield* Effect.forkChild(Supervisor.startChild(ref, spec))
      yield* probe.sees("starting a")
      const second = yield* Effect.forkChild(Supervisor.startChild(ref, probe.child("b")))
      yield* settle
      yield* Fiber.interrupt(second)
      yield* Fiber.interrupt(first)
      yield* open(0)
      yield* probe.sees("start a")
      assert.deepStrictEqual(yield* listed(ref), [["a", probe.pid("a")]])
    }))
})

describe("while it stops", () => {
  it.effect("a child that ends by itself is not started again, and told of, and the others stop in their order", () =>
    probed(function*(probe) {
      const gate = yield* Deferred.make<void>()
      const children = [probe.child("a"), probe.worker("b"), probe.child("c"), probe.slow("d", Deferred.await(gate))]
      const ref = yield* started(
        probe,
        Supervisor.make({ children }),
        ...["a", "b", "c", "d"].map((id) => `start ${id}`)
      )
      const stopping = yield* Effect.forkChild(Supervisor.stop(ref))
      yield* settle
      yield* Process.exit(probe.pid("b"), bad)
      yield* probe.sees("stop b")
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(stopping)
      yield* probe.sees("stop d", "stop c", "stop a")
      assert.deepStrictEqual(probe.log, [`Error child b ended with "bad" when it was told to shut down`])
    }))

  it.effect("a child whose end goes wrong is told of, and the others stop in their order", () =>
    probed(function*(probe) {
      const crashing = probe.slow("b", Effect.die("no"))
      const tree = Supervisor.make({ children: [probe.child("a"), crashing, probe.child("c")] })
      const ref = yield* started(probe, tree, "start a", "start b", "start c")
      yield* Supervisor.stop(ref)
      yield* probe.sees("stop c", "stop a")
      assert.lengthOf(probe.log, 1)
    }))

  it.effect("requests are not answered any more, and whoever waits is told", () =>
    probed(function*(probe) {
      const gate = yield* Deferred.make<void>()
      const tree = Supervisor.make({ children: [probe.slow("a", Deferred.await(gate))] })
      const ref = yield* started(probe, tree, "start a")
      const stopping = yield* Effect.forkChild(Supervisor.stop(ref))
      yield* settle
      const error = yield* Effect.flip(Supervisor.startChild(ref, probe.child("b")))
      assert(error._tag === "CallError")
      assert.strictEqual(error.reason._tag, "NoProcess")
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(stopping)
      yield* probe.sees("stop a")
    }))

  it.effect("a second one who stops it waits, too", () =>
    probed(function*(probe) {
      const gate = yield* Deferred.make<void>()
      const tree = Supervisor.make({ children: [probe.slow("a", Deferred.await(gate))] })
      const ref = yield* started(probe, tree, "start a")
      const both = yield* Effect.forkChild(
        Effect.all([Supervisor.stop(ref), Supervisor.stop(ref)], { concurrency: "unbounded" })
      )
      yield* settle
      assert.isUndefined(both.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(both)
      yield* probe.sees("stop a")
    }))

  it.effect("a child of its own may be the one who stops it", () =>
    probed(function*(probe) {
      const stops = ChildSpec.worker({
        id: "b",
        run: Effect.fnUntraced(function*(self: Process.Self<Order>) {
          yield* Effect.acquireRelease(
            Effect.sync(() => probe.started("b", self.pid)),
            () => probe.report("stop b")
          )
          yield* self.receive
          yield* Supervisor.stop("tree")
        })
      })
      const tree = Supervisor.make({ name: "tree", children: [probe.child("a"), stops, probe.child("c")] })
      const ref = yield* started(probe, tree, "start a", "start b", "start c")
      yield* probe.end("b", ExitReason.normal)
      assert.deepStrictEqual(yield* Process.awaitExit(ref.pid), ExitReason.normal)
      yield* probe.sees("stop c", "stop b", "stop a")
    }))
})

describe("while a child waits for its backoff", () => {
  const backoff = Schedule.spaced("1 second")

  it.effect("SV-048 it is there: it can neither be added, started by hand nor deleted", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ backoff, children: [probe.child("a")] }), "start a")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      const error = yield* Effect.flip(Supervisor.startChild(ref, probe.child("a")))
      assert(error._tag === "StartError")
      assert.deepStrictEqual(error.reason, new OtpError.DuplicateId({ id: "a" }))
      const restarting = new OtpError.ChildRestarting({ id: "a" })
      assert.deepStrictEqual(yield* Effect.flip(Supervisor.restartChild(ref, "a")), restarting)
      assert.deepStrictEqual(yield* Effect.flip(Supervisor.deleteChild(ref, "a")), restarting)
      yield* TestClock.adjust("1 second")
      yield* probe.sees("start a")
    }))

  it.effect("terminated and deleted, it does not come back, and another of its id is another child", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ backoff, children: [probe.child("a")] }), "start a")
      yield* probe.end("a", bad)
      yield* probe.sees("stop a")
      yield* Supervisor.terminateChild(ref, "a")
      yield* Supervisor.deleteChild(ref, "a")
      yield* Supervisor.startChild(ref, probe.worker("a"))
      yield* probe.sees("start a")
      yield* TestClock.adjust("1 minute")
      yield* probe.sees()
      assert.deepStrictEqual(yield* listed(ref), [["a", probe.pid("a")]])
      assert.deepStrictEqual(yield* inconsistencies([]), [])
    }))

  it.effect("its name may be taken: the start fails, counts, and is tried again", () =>
    probed(function*(probe) {
      const named = ChildSpec.make({
        id: "a",
        start: Effect.tap(
          Process.spawnLink((self: Process.Self<"end">) => self.receive),
          (pid) => Effect.andThen(Process.register("a", pid), Effect.sync(() => probe.started("a", pid as never)))
        )
      })
      const ref = yield* started(
        probe,
        Supervisor.make({ backoff, intensity: intensity(5), children: [named] }),
        "start a"
      )
      yield* Process.exit(probe.pid("a"), ExitReason.kill)
      yield* settle
      const other = yield* Process.spawn(() => Effect.never)
      yield* Effect.orDie(Process.register("a", other))
      yield* TestClock.adjust("1 second")
      yield* probe.sees()
      assert.deepStrictEqual(yield* listed(ref), [["a", "restarting"]])
      yield* Process.exit(other, ExitReason.kill)
      yield* settle
      yield* TestClock.adjust("1 second")
      yield* probe.sees("start a")
      assert.deepStrictEqual(yield* Process.whereis("a"), Option.some(probe.pid("a") as Process.Pid<unknown>))
    }))
})

describe("by hand", () => {
  it.effect("a restart counts for nothing", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ intensity: intensity(0), children: [probe.child("a")] })
      const ref = yield* started(probe, tree, "start a")
      for (let i = 0; i < 3; i++) {
        yield* Supervisor.terminateChild(ref, "a")
        yield* Supervisor.restartChild(ref, "a")
        yield* probe.sees("stop a", "start a")
      }
      assert.isTrue(yield* Process.isAlive(ref.pid))
    }))

  it.effect("a child that chooses not to start again stays down, which is no failure, and may be asked again", () =>
    probed(function*(probe) {
      let ignores = false
      const fickle = ChildSpec.make({
        id: "a",
        start: Effect.suspend(() =>
          ignores
            ? Effect.fail(new OtpError.StartError({ childPath: [], reason: new OtpError.Ignored() }))
            : Effect.tap(
              Process.spawnLink((self: Process.Self<never>) => self.receive),
              (pid) => Effect.sync(() => probe.started("a", pid as never))
            )
        )
      })
      const tree = Supervisor.make({ intensity: intensity(1), children: [fickle, probe.child("b")] })
      const ref = yield* started(probe, tree, "start a", "start b")
      ignores = true
      yield* Process.exit(probe.pid("a"), ExitReason.kill)
      yield* probe.sees()
      assert.deepStrictEqual(yield* listed(ref), [["b", probe.pid("b")], ["a", undefined]])
      assert.isUndefined(yield* Supervisor.restartChild(ref, "a"))
      ignores = false
      assert.strictEqual(yield* Supervisor.restartChild(ref, "a"), probe.pid("a"))
      yield* probe.sees("start a")
    }))
})

describe("significant children", () => {
  const transient = { restart: "transient", significant: true } as const

  it.effect("SV-086 that of a branch ends the branch, and that the tree that it is significant for", () =>
    probed(function*(probe) {
      const inner = Supervisor.make({ autoShutdown: "anySignificant", children: [probe.child("a", transient)] })
      const children = [probe.child("z"), inner.child({ id: "inner", ...transient }), probe.child("y")]
      const tree = Supervisor.make({ autoShutdown: "allSignificant", children })
      const ref = yield* started(probe, tree, "start z", "start a", "start y")
      yield* probe.end("a", ExitReason.normal)
      yield* probe.sees("stop a", "stop y", "stop z")
      assert.deepStrictEqual(yield* Process.awaitExit(ref.pid), ExitReason.shutdown())
    }))

  it.effect("SV-088 that end at the same time are all that it waits for", () =>
    probed(function*(probe) {
      const children = [probe.child("a", transient), probe.child("z"), probe.child("b", transient)]
      const tree = Supervisor.make({ autoShutdown: "allSignificant", children })
      const ref = yield* started(probe, tree, "start a", "start z", "start b")
      yield* Effect.andThen(probe.end("a", ExitReason.normal), probe.end("b", ExitReason.shutdown()))
      yield* probe.sees("stop a", "stop b", "stop z")
      assert.deepStrictEqual(yield* Process.awaitExit(ref.pid), ExitReason.shutdown())
    }))

  it.effect("SV-086 of which one ends and another crashes at the same time: it ends, and restarts nobody", () =>
    probed(function*(probe) {
      const children = [probe.child("a", transient), probe.child("b", transient), probe.child("z")]
      const ref = yield* started(
        probe,
        Supervisor.make({ autoShutdown: "anySignificant", children }),
        "start a",
        "start b",
        "start z"
      )
      yield* Effect.andThen(probe.end("a", ExitReason.normal), probe.end("b", "crash"))
      yield* probe.sees("stop a", "stop b", "stop z")
      assert.deepStrictEqual(yield* Process.awaitExit(ref.pid), ExitReason.shutdown())
    }))
})
