import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Name from "@effect-otp/core/Name"
import type { CallError } from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as Sys from "@effect-otp/core/Sys"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { asProcess, idle, inNode } from "./utils/process.ts"
import { ask, type Callbacks, callFails, defectOf, logged, type Ref, tell, Told, told } from "./utils/server.ts"

const increment = (n: number) => Step.noReply(n + 1)

/** Keeps a server busy until the gate opens. */
const busy = Effect.fnUntraced(function*(server: Ref) {
  const gate = yield* Deferred.make<void>()
  yield* tell(server, (state) => Effect.as(Deferred.await(gate), Step.noReply(state)))
  yield* settle
  return Deferred.succeed(gate, undefined)
})

const bounded: Callbacks = { mailbox: { capacity: 1, policy: "fail" } }

describe("getState", () => {
  it.effect("SY-001 gives the state, when all that was sent before has been handled, and also while suspended", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      yield* tell(server, increment)
      yield* tell(server, (n) => Effect.as(Effect.yieldNow, Step.noReply(n + 1)))
      assert.strictEqual(yield* Sys.getState(server), 2)
      yield* Sys.suspend(server)
      yield* tell(server, increment)
      assert.strictEqual(yield* Sys.getState(server), 2)
      yield* Sys.resume(server)
      assert.strictEqual(yield* Sys.getState(server), 3)
    }).pipe(inNode))

  it.effect("takes a pid, a name, a via, what start gave, and any client", () =>
    Effect.gen(function*() {
      const server = yield* told().start({ name: "server" })
      const via = Name.via({
        register: () => true,
        unregister: () => {},
        whereis: () => server.pid,
        format: String
      }, "key")
      const targets: ReadonlyArray<Sys.Target> = [
        server.pid,
        "server",
        Name.make("server"),
        via,
        server,
        Told.at(server.pid),
        Told.at("server")
      ]
      for (const target of targets) assert.strictEqual(yield* Sys.getState(target), 0)
    }).pipe(inNode))

  it.effect("reaches the current incarnation by the client of a tree", () =>
    Effect.gen(function*() {
      const client = yield* Told
      yield* tell(client, increment)
      assert.strictEqual(yield* Sys.getState(client), 1)
      yield* Effect.exit(ask(client, () => Effect.die("boom")))
      yield* settle
      assert.strictEqual(yield* Sys.getState(client), 0)
    }).pipe(Effect.provide(told().layer()), inNode))

  it.effect("of what is no target is a defect that says so", () =>
    Effect.gen(function*() {
      for (const target of [{}, { ask: () => Effect.void }, null, 1]) {
        const defect = yield* defectOf(Sys.getState(target as never))
        assert.match(defect.message, /^target: expected a pid, a name, a via or a client, got /)
      }
    }).pipe(inNode))

  it.effect("waits until init has ended", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const starting = yield* Effect.forkChild(
        told({ init: () => Effect.as(Deferred.await(gate), 7) }).start({ name: "server" }),
        { startImmediately: true }
      )
      const state = yield* Effect.forkChild(Sys.getState("server"), { startImmediately: true })
      yield* settle
      assert.isUndefined(state.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(starting)
      assert.strictEqual(yield* Fiber.join(state), 7)
    }).pipe(inNode))
})

describe("replaceState", () => {
  it.effect("SY-002 gives the new state, and goes on with it", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      assert.strictEqual(yield* Sys.replaceState(server, (n: number) => n + 5), 5)
      assert.strictEqual(yield* ask(server, (n) => Step.reply(n, n)), 5)
      yield* Sys.suspend(server)
      assert.strictEqual(yield* Sys.replaceState(server, (n: number) => n + 1), 6)
      yield* Sys.resume(server)
      assert.strictEqual(yield* ask(server, (n) => Step.reply(n, n)), 6)
    }).pipe(inNode))

  it.effect("SY-002 with what throws keeps the state, and who asked is told", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const boom = new Error("boom")
      const error = yield* Effect.flip(Sys.replaceState(server, () => {
        throw boom
      }))
      assert.deepInclude(error, { _tag: "CallbackFailed", server: "test/Told", request: "replaceState" })
      assert.deepStrictEqual(error._tag === "CallbackFailed" && error.cause, Cause.die(boom))
      assert.match(error.message, /^replaceState failed in test\/Told, which keeps its state: Error: boom/)
      assert.strictEqual(yield* ask(server, (n) => Step.reply(n, n)), 0)
    }).pipe(inNode))

  it.effect("of a state that is kept in another form takes and gives what is shown of it", () =>
    Effect.gen(function*() {
      const hidden = {
        init: () => ({ secret: "kept", count: 1 }),
        shown: ({ count }: { count: number }) => {
          if (count < 0) throw new Error("not shown")
          return count
        },
        replace: (state: object, count: number) => ({ ...state, count })
      } as Callbacks
      const server = yield* told(hidden).start()
      assert.strictEqual(yield* Sys.getState(server), 1)
      assert.strictEqual((yield* Sys.getStatus(server)).state, 1)
      assert.strictEqual(yield* Sys.replaceState(server, (n: number) => n + 1), 2)
      assert.deepStrictEqual(yield* ask(server, (state) => Step.reply(state, state)), { secret: "kept", count: 2 })
      yield* tell(server, (state) => Step.noReply({ ...state, count: -1 }))
      assert.strictEqual((yield* Effect.flip(Sys.getState(server)))._tag, "CallbackFailed")
      assert.strictEqual((yield* Effect.flip(Sys.replaceState(server, (n) => n)))._tag, "CallbackFailed")
      assert.isTrue(yield* Process.isAlive(server.pid))
    }).pipe(inNode))

  it.effect("is dropped if a signal ends the server meanwhile, which is a signal like any other", () =>
    Effect.gen(function*() {
      const context = yield* Effect.context()
      const server = yield* told({ terminate: () => assert.fail("terminate") }).start()
      const bad = ExitReason.custom("bad")
      const replaced = yield* Sys.replaceState(server, (n: number) => {
        Effect.runSync(Effect.provideContext(Process.exit(server.pid, bad), context))
        return n + 1
      })
      assert.strictEqual(replaced, 1)
      assert.deepStrictEqual(yield* Process.awaitExit(server.pid), bad)
    }).pipe(inNode))
})

describe("a system request", () => {
  it.effect("SY-006 to nobody, or to who has ended, fails with NoProcess", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      yield* GenServer.stop(server)
      for (const target of [server, "nobody"]) {
        const error = yield* callFails(Sys.getState(target), "NoProcess")
        assert.deepInclude(error, { request: "getState" })
      }
      yield* callFails(Sys.terminate(server, ExitReason.normal), "NoProcess")
    }).pipe(inNode))

  it.effect("SY-007 waits for 5 seconds, or as long as is said, and is not done later", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const release = yield* busy(server)
      const replace = (options?: Sys.Options) =>
        callFails(Sys.replaceState(server, (n: number) => n + 1, options), "Timeout")
      const asked = yield* Effect.forkChild(
        Effect.all([
          replace(),
          replace({ timeout: "1 minute" }),
          Effect.provideService(replace(), GenServer.CallTimeout, "1 second"),
          Effect.provideService(replace({ timeout: "2 seconds" }), GenServer.CallTimeout, "1 second")
        ], { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual((yield* Fiber.join(asked)).map(({ reason }) => reason.after), [5000, 60_000, 1000, 2000])
      yield* release
      assert.strictEqual(yield* Sys.getState(server), 0)
      assert.match((yield* defectOf(Sys.getState(server, { timeout: -1 }))).message, /^timeout: expected a duration/)
    }).pipe(inNode))

  it.effect("SY-016 to a process that is no server fails, and says so", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const pid = yield* idle
        for (const target of [pid, self.pid]) {
          const error = yield* Effect.flip(Sys.getState(target))
          assert.deepInclude(error, { _tag: "NotAServer", target: `${target}`, request: "getState" })
          assert.strictEqual(
            error.message,
            `getState is a request to a behaviour, and ${target} is a process with a body of its own`
          )
        }
        assert.isTrue(yield* Process.isAlive(pid))
      })
    ))

  it.effect("fails with ServerExited when the server ends first", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      yield* busy(server)
      const state = yield* Effect.forkChild(callFails(Sys.getState(server), "ServerExited"), { startImmediately: true })
      yield* Process.exit(server.pid, ExitReason.custom("bad"))
      assert.deepStrictEqual((yield* Fiber.join(state)).reason.reason, ExitReason.custom("bad"))
    }).pipe(inNode))

  it.effect("to the server itself, or in a circle, fails with CallingSelf", () =>
    Effect.gen(function*() {
      const server = yield* told().start({ name: "server" })
      const other = yield* told().start({ name: "other" })
      const chain = (error: CallError) => error.reason._tag === "CallingSelf" ? error.reason.chain : []
      const looks = (n: number) =>
        Effect.map(callFails(Sys.getState(server), "CallingSelf"), (error) => Step.reply(chain(error), n))
      assert.deepStrictEqual(yield* ask(server, looks), [`server ${server.pid}`, `server ${server.pid}`])
      const through = (n: number) => Effect.map(Effect.orDie(ask(other, looks)), (answer) => Step.reply(answer, n))
      assert.deepStrictEqual(yield* ask(server, through), [
        `server ${server.pid}`,
        `other ${other.pid}`,
        `server ${server.pid}`
      ])
    }).pipe(inNode))

  it.effect("from a handler to another server is answered", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const other = yield* told({ init: () => "other" }).start()
      const looks = (n: number) => Effect.map(Effect.orDie(Sys.getState(other)), (state) => Step.reply(state, n))
      assert.strictEqual(yield* ask(server, looks), "other")
    }).pipe(inNode))

  it.effect("is admitted by a full mailbox, in order, and takes no room in it", () =>
    Effect.gen(function*() {
      const server = yield* told(bounded).start()
      const release = yield* busy(server)
      yield* tell(server, increment)
      const first = yield* Effect.forkChild(Sys.getState(server), { startImmediately: true })
      assert.deepInclude(Option.getOrThrow(yield* Process.info(server.pid)), { mailboxLength: 2 })
      yield* callFails(ask(server, (n) => Step.reply(n, n)), "Overloaded")
      yield* release
      assert.strictEqual(yield* Fiber.join(first), 1)
    }).pipe(inNode))
})

describe("getStatus", () => {
  it.effect("SY-008 tells what the server is, how it is, and its state by formatStatus", () =>
    Effect.gen(function*() {
      const server = yield* told({ formatStatus: (n) => `formatted ${n}` }).start({ name: "server", label: "label" })
      const status = {
        pid: server.pid,
        name: "server",
        label: "label",
        server: "test/Told",
        status: "running",
        mailboxLength: 0,
        skipped: 0,
        log: [],
        state: "formatted 0"
      }
      assert.deepStrictEqual(yield* Sys.getStatus(server), status as Sys.Status)
      yield* Sys.suspend(server)
      yield* tell(server, increment)
      const suspended = { ...status, status: "suspended", mailboxLength: 1 }
      assert.deepStrictEqual(yield* Sys.getStatus(server), suspended as Sys.Status)
    }).pipe(inNode))

  it.effect("survives a formatStatus that crashes", () =>
    Effect.gen(function*() {
      const server = yield* told({ formatStatus: () => assert.fail("boom") }).start()
      assert.strictEqual((yield* Sys.getStatus(server)).state, "formatStatus crashed")
      assert.strictEqual(yield* Sys.getState(server), 0)
    }).pipe(inNode))

  it.effect("counts the requests that were skipped, because their callers had given up", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const release = yield* busy(server)
      for (let i = 0; i < 3; i++) {
        const caller = yield* Effect.forkChild(ask(server, () => assert.fail("it ran")), { startImmediately: true })
        yield* Fiber.interrupt(caller)
      }
      yield* release
      assert.strictEqual((yield* Sys.getStatus(server)).skipped, 3)
      yield* Sys.statistics(server, true)
      assert.deepInclude(Option.getOrThrow(yield* Sys.getStatistics(server)), { messagesIn: 0, skipped: 3 })
    }).pipe(inNode))
})

describe("terminate", () => {
  it.effect("SY-014 calls terminate and ends the server with the reason, also a suspended one, and does not wait", () =>
    Effect.gen(function*() {
      for (const suspended of [false, true]) {
        const seen: Array<unknown> = []
        const gate = yield* Deferred.make<void>()
        const server = yield* told({
          terminate: (state, reason) => {
            seen.push([state, reason])
            return Deferred.await(gate)
          }
        }).start()
        if (suspended) yield* Sys.suspend(server)
        const bad = ExitReason.shutdown("upgrade")
        assert.isUndefined(yield* Sys.terminate(server, bad))
        assert.deepStrictEqual(seen, [[0, bad]])
        assert.isFalse(yield* Process.isAlive(server.pid))
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual(yield* Process.awaitExit(server.pid), bad)
      }
    }).pipe(inNode))

  it.effect("of a server that traps no exits is reported if the reason is abnormal", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const server = yield* told().start()
        yield* Sys.terminate(server, ExitReason.custom("bad"))
        yield* Process.awaitExit(server.pid)
        assert.deepStrictEqual(lines.map(({ level, message: [title] }) => [level, title]), [
          ["Error", `test/Told ${server.pid} ended: "bad"`]
        ])
      })
    ).pipe(inNode))

  it.effect("with what is no reason is a defect", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const defect = yield* defectOf(Sys.terminate(server, "bad" as never))
      assert.match(defect.message, /^reason: expected an ExitReason/)
      assert.isTrue(yield* Process.isAlive(server.pid))
    }).pipe(inNode))
})

describe("a supervisor", () => {
  const crash = (pid: Process.Pid<never, unknown> | "restarting" | undefined) =>
    Process.exit(pid as Process.Pid<never>, ExitReason.custom("crash"))

  const two = () => ({
    strategy: "one_for_all" as const,
    children: [
      ChildSpec.worker({ id: "a", run: () => Effect.never }),
      ChildSpec.worker({ id: "b", run: () => Effect.never, restart: "temporary" })
    ]
  })

  it.effect("SY-017 shows its strategy, its intensity and its children", () =>
    Effect.gen(function*() {
      const tree = yield* Supervisor.make(two()).start
      const before = yield* Sys.getState<Supervisor.Snapshot>(tree)
      const [a, b] = before.children
      assert.deepStrictEqual(before, {
        strategy: "one_for_all",
        intensity: { maxRestarts: 3, within: Duration.seconds(5) },
        autoShutdown: "never",
        children: [
          { id: "a", type: "worker", restart: "permanent", child: a!.child, restarts: 0 },
          { id: "b", type: "worker", restart: "temporary", child: b!.child, restarts: 0 }
        ]
      })
      assert.isTrue(yield* Process.isAlive(a!.child as Process.Pid<never>))
      yield* crash(a!.child)
      yield* settle
      const after = yield* Sys.getState<Supervisor.Snapshot>(tree)
      assert.deepStrictEqual(after.children.map(({ id, restarts }) => [id, restarts]), [["a", 1]])
      assert.notStrictEqual(after.children[0]!.child, a!.child)
      assert.deepStrictEqual((yield* Sys.getStatus(tree)).state, after)
    }).pipe(inNode))

  it.effect("SY-017 that is suspended leaves the exits of its children for later", () =>
    logged(() =>
      Effect.gen(function*() {
        const tree = yield* Supervisor.make(two()).start
        const a = (yield* Sys.getState<Supervisor.Snapshot>(tree)).children[0]!.child
        yield* Sys.suspend(tree)
        yield* crash(a)
        yield* settle
        const suspended = yield* Sys.getState<Supervisor.Snapshot>(tree)
        assert.deepInclude(suspended.children[0], { child: a, restarts: 0 })
        assert.strictEqual((yield* Sys.getStatus(tree)).mailboxLength, 1)
        yield* Sys.resume(tree)
        yield* settle
        const { children } = yield* Sys.getState<Supervisor.Snapshot>(tree)
        assert.deepInclude(children[0], { id: "a", restarts: 1 })
        assert.isTrue(yield* Process.isAlive(children[0]!.child as Process.Pid<never>))
      })
    ).pipe(inNode))

  it.effect("SY-017 has its events told, and is terminated with its children", () =>
    Effect.gen(function*() {
      const tree = yield* Supervisor.make(two()).start
      yield* Sys.log(tree, true)
      yield* Supervisor.countChildren(tree)
      assert.deepStrictEqual((yield* Sys.getLog(tree)).map(({ _tag }) => _tag), ["In", "Out"])
      const { children } = yield* Sys.getState<Supervisor.Snapshot>(tree)
      yield* Sys.terminate(tree, ExitReason.shutdown())
      assert.deepStrictEqual(yield* Process.awaitExit(tree.pid), ExitReason.shutdown())
      for (const { child } of children) assert.isFalse(yield* Process.isAlive(child as Process.Pid<never>))
    }).pipe(inNode))

  it.effect("that is suspended is shut down by its own supervisor, in order", () =>
    Effect.gen(function*() {
      const inner = Supervisor.make(two()).child({ id: "inner" })
      const tree = yield* Supervisor.make({ children: [inner] }).start
      const [{ child }] = yield* Supervisor.whichChildren(tree) as Effect.Effect<[Supervisor.ChildInfo]>
      const { children } = yield* Sys.getState<Supervisor.Snapshot>(child as Process.Pid<never>)
      yield* Sys.suspend(child as Process.Pid<never>)
      yield* Supervisor.stop(tree)
      for (const { child } of children) assert.isFalse(yield* Process.isAlive(child as Process.Pid<never>))
    }).pipe(inNode))

  it.effect("does not let its state be replaced, and says why", () =>
    Effect.gen(function*() {
      const tree = yield* Supervisor.make(two()).start
      const error = yield* Effect.flip(Sys.replaceState(tree, (state) => state))
      assert.match(error.message, /Supervisor: what it shows of its state is a copy, which cannot replace it/)
      assert.deepInclude(yield* Supervisor.countChildren(tree), { active: 2 })
    }).pipe(inNode))
})
