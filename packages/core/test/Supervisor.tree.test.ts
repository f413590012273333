/** Trees as data: one that runs, and one that is only described. */
import * as Agent from "@effect-otp/core/Agent"
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as SupervisorTree from "@effect-otp/core/SupervisorTree"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import { probed, started } from "./utils/tree.ts"

const bad = ExitReason.custom("bad")
const backoff = Schedule.spaced("1 minute")

/** The text without the numbers of processes. */
const text = (tree: SupervisorTree.Tree) => SupervisorTree.format(tree).replaceAll(/ #PID\S+/g, "").split("\n")

const idle = (id: string, options: Partial<ChildSpec.Options> = {}) =>
  ChildSpec.worker({ id, run: () => Effect.never, ...options })

describe("tree", () => {
  it.effect("nested supervisors, also under names, with pids, status, restarts and mailboxes", () =>
    probed(function*(probe) {
      const inner = Supervisor.make({ children: [probe.worker("y"), probe.worker("z", { restart: "transient" })] })
      const pool = Supervisor.make({
        name: "pool",
        strategy: "rest_for_one",
        children: [probe.worker("x"), inner.child({ id: "inner" })]
      })
      const app = Supervisor.make({
        label: "app",
        children: [probe.child("a"), pool.child({ id: "workers" }), probe.worker("b", { backoff }), idle("c")]
      })
      const ref = yield* started(probe, app, "start a", "start x", "start y", "start z", "start b")
      yield* probe.end("x", bad)
      yield* probe.end("b", bad)
      yield* probe.sees("stop x", "stop b", "stop z", "stop y", "start x", "start y", "start z")
      yield* probe.end("z", ExitReason.normal)
      yield* probe.sees("stop z")
      const c = (yield* Supervisor.tree(ref)).children[3]!.pid as Process.Pid<unknown>
      yield* Process.send(c, 1)
      yield* Process.send(c, 2)
      yield* TestClock.adjust("10 seconds")
      const tree = yield* Supervisor.tree(ref)
      assert.deepStrictEqual(text(tree), [
        "app running, mailbox 0",
        "├─ a running, mailbox 0",
        "├─ workers (pool) running, mailbox 0",
        "│  ├─ x running, mailbox 0, 1 restart",
        "│  └─ inner running, mailbox 0, 1 restart",
        "│     ├─ y running, mailbox 0",
        "│     └─ z stopped",
        "├─ b restarting in 50s",
        "└─ c running, mailbox 2"
      ])
      const [a, workers, b] = tree.children
      assert.deepStrictEqual(a, {
        id: "a",
        type: "worker",
        status: "running",
        pid: probe.pid("a"),
        name: undefined,
        restart: "permanent",
        restarts: 0,
        restartsIn: undefined,
        mailbox: 0,
        strategy: undefined,
        children: []
      })
      assert.deepStrictEqual([tree.pid, tree.strategy, workers?.strategy], [ref.pid, "one_for_one", "rest_for_one"])
      assert.deepStrictEqual([b?.pid, b?.restartsIn], [undefined, Duration.seconds(50)])
      assert.deepStrictEqual(yield* Supervisor.tree("pool"), { ...workers, restart: undefined })
      assert.include(SupervisorTree.format(tree), `├─ a ${probe.pid("a")} running`)
    }))

  it.effect("a supervisor below that does not answer in time is busy, and the rest is shown", () =>
    probed(function*(probe) {
      const gate = yield* Deferred.make<void>()
      const inner = Supervisor.make({ name: "inner", children: [probe.slow("x", Deferred.await(gate))] })
      const app = Supervisor.make({ children: [inner.child({ id: "inner" }), probe.child("a")] })
      const ref = yield* started(probe, app, "start x", "start a")
      const stopping = yield* Effect.forkChild(Supervisor.terminateChild("inner", "x"))
      yield* settle
      const looking = yield* Effect.forkChild(Supervisor.tree(ref, { timeout: "1 second" }))
      yield* settle
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(text(yield* Fiber.join(looking)).map((line) => line.split(",")[0]), [
        "Supervisor running",
        "├─ inner busy",
        "└─ a running"
      ])
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(stopping)
    }))

  it.effect("what is no supervisor is a leaf, what has ended NoProcess, what is no server NotAServer", () =>
    probed(function*(probe) {
      const ref = yield* started(probe, Supervisor.make({ children: [probe.child("a")] }), "start a")
      assert.deepStrictEqual((yield* Supervisor.tree(probe.pid("a"))).children, [])
      yield* Supervisor.stop(ref)
      yield* probe.sees("stop a")
      const gone = yield* Effect.flip(Supervisor.tree(ref))
      assert(gone._tag === "CallError")
      assert.strictEqual(gone.reason._tag, "NoProcess")
      const pid = yield* Process.spawn(() => Effect.never)
      assert.strictEqual((yield* Effect.flip(Supervisor.tree(pid)))._tag, "NotAServer")
    }))
})

describe("audit", () => {
  const bounded = { capacity: 8 }
  const tags = (findings: ReadonlyArray<SupervisorTree.Finding>) =>
    findings.map(({ _tag, path }) => [_tag, path.join("/")])

  it("nothing to say of a tree in which everything is in order", () => {
    const inner = Supervisor.make({
      backoff,
      children: [ChildSpec.worker({ id: "x", run: () => Effect.never, mailbox: bounded })]
    })
    const tree = Supervisor.make({
      children: [
        inner.child({ id: "inner", backoff, shutdown: "5 seconds" }),
        ChildSpec.make({ id: "made", start: Effect.never, restart: "transient" }),
        ChildSpec.worker({ id: "once", run: () => Effect.never, restart: "temporary", mailbox: bounded })
      ]
    })
    assert.deepStrictEqual(Supervisor.audit(tree, { shutdown: "15 seconds" }), [])
  })

  it("two children of one id, at any depth, each once", () => {
    const inner = Supervisor.make({ label: "inner", children: [idle("x"), idle("x"), idle("x"), idle("y")] })
    const tree = Supervisor.make({
      name: "app",
      children: [idle("x"), inner.child({ id: "a" }), inner.child({ id: "a" })]
    })
    const findings = Supervisor.audit(tree, { ignore: ["NoBackoff", "UnboundedMailbox"] })
    assert.deepStrictEqual(findings, [
      { _tag: "DuplicateId", path: ["app", "a"], message: "app has more than one child with the id a" },
      { _tag: "DuplicateId", path: ["app", "a", "x"], message: "app/a has more than one child with the id x" },
      { _tag: "DuplicateId", path: ["app", "a", "x"], message: "app/a has more than one child with the id x" }
    ])
  })

  it("a permanent child without a backoff, of its own or of its supervisor", () => {
    const tree = Supervisor.make({
      children: [
        idle("a"),
        idle("b", { backoff }),
        idle("c", { restart: "transient" }),
        Supervisor.make({ backoff, children: [idle("d")] }).child({ id: "inner" })
      ]
    })
    assert.deepStrictEqual(tags(Supervisor.audit(tree, { ignore: ["UnboundedMailbox"] })), [
      ["NoBackoff", "root/a"],
      ["NoBackoff", "root/inner"]
    ])
  })

  it("a mailbox without a bound: of workers and of servers, not of what takes no messages", () => {
    class Hits extends Agent.Service<Hits, number>()("test/Hits") {
      static readonly server = this.implement(() => 0)
    }
    const tree = Supervisor.make({
      backoff,
      children: [
        idle("a"),
        ChildSpec.worker({ id: "b", run: () => Effect.never, mailbox: bounded }),
        Hits.server.child({ id: "c" }),
        Supervisor.make({ backoff, children: [] }).child({ id: "d" })
      ]
    })
    assert.deepStrictEqual(tags(Supervisor.audit(tree)), [
      ["UnboundedMailbox", "root/a"],
      ["UnboundedMailbox", "root/c"]
    ])
  })

  it("children that may take longer to stop than their supervisor has", () => {
    const inner = Supervisor.make({
      children: [
        idle("x", { shutdown: "4 seconds" }),
        idle("y", { shutdown: "brutalKill" }),
        idle("z", { shutdown: "2 seconds" })
      ]
    })
    const tree = Supervisor.make({
      children: [
        inner.child({ id: "short", shutdown: "5 seconds" }),
        inner.child({ id: "enough", shutdown: "6 seconds" })
      ]
    })
    const ignore = ["NoBackoff", "UnboundedMailbox"] as const
    assert.deepStrictEqual(Supervisor.audit(tree, { ignore }), [{
      _tag: "ShutdownTooShort",
      path: ["root", "short"],
      needed: Duration.seconds(6),
      allowed: Duration.seconds(5),
      message: "root/short has 5s to stop, and its children may take 6s"
    }])
    assert.deepStrictEqual(tags(Supervisor.audit(tree, { ignore, shutdown: "10 seconds" })), [
      ["ShutdownTooShort", "root"],
      ["ShutdownTooShort", "root/short"]
    ])
    // A branch without a limit takes as long as what is in it, which is any time if that has no limit either.
    const open = Supervisor.make({ children: [inner.child({ id: "open" }), idle("last", { shutdown: "1 seconds" })] })
    assert.deepStrictEqual(Supervisor.audit(open, { ignore, shutdown: "7 seconds" }), [])
    assert.deepStrictEqual(tags(Supervisor.audit(open, { ignore, shutdown: "6 seconds" })), [[
      "ShutdownTooShort",
      "root"
    ]])
    const endless = Supervisor.make({
      children: [
        Supervisor.make({ children: [idle("x", { shutdown: "Infinity" })] }).child({ id: "endless" })
      ]
    })
    assert.deepStrictEqual(tags(Supervisor.audit(endless, { ignore, shutdown: "1 hour" })), [[
      "ShutdownTooShort",
      "root"
    ]])
  })

  it("what is no tree is refused", () => {
    assert.throws(() => Supervisor.audit({} as never), /tree: expected a Supervisor/)
  })
})
