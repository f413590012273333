/** An agent is a server whose requests are functions: what is shared with GenServer is proved there, and its use here. */
import * as Agent from "@effect-otp/core/Agent"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Name from "@effect-otp/core/Name"
import * as Node from "@effect-otp/core/Node"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as Sys from "@effect-otp/core/Sys"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { arrived, asProcess, downOf, inNode } from "./utils/process.ts"
import { callFails, defectOf, logged, messageOf } from "./utils/server.ts"

const silent = Effect.provide(Logger.layer([]))

const keep = <S>(state: S): S => state

/** An agent that is busy, and what lets it go on. */
const held = Effect.fnUntraced(function*<S>(agent: Agent.Agent<S>) {
  const gate = yield* Deferred.make<void>()
  yield* Agent.cast(agent, (state) => Effect.as(Deferred.await(gate), state))
  yield* settle
  return Effect.asVoid(Deferred.succeed(gate, undefined))
})

class Numbers extends Agent.Service<Numbers, ReadonlyArray<number>>()("test/Numbers") {
  static readonly server = this.implement((first: number) => [first])
}

class Empty extends Agent.Service<Empty, number>()("test/Empty") {
  static readonly server = this.implement(() => 0)
}

describe("a function", () => {
  it.effect("is given the value, in the order of the requests", () =>
    Effect.gen(function*() {
      const agent = yield* Agent.start(() => 1)
      assert.isUndefined(yield* Agent.update(agent, (n) => n + 1))
      yield* Agent.cast(agent, (n) => n * 10)
      assert.strictEqual(yield* Agent.getAndUpdate(agent, (n) => [`was ${n}`, n + 1]), "was 20")
      assert.strictEqual(yield* Agent.get(agent, (n) => n - 1), 20)
      assert.strictEqual(yield* Agent.get(agent, keep), 21)
    }).pipe(inNode))

  it.effect("may give an Effect, and whoever comes later waits for it", () =>
    Effect.gen(function*() {
      const agent = yield* Agent.start(() => Effect.succeed(1))
      const slow = yield* Effect.forkChild(Agent.update(agent, (n) => Effect.as(Effect.sleep("1 seconds"), n + 1)))
      const next = yield* Effect.forkChild(Agent.get(agent, (n) => Effect.succeed(n * 2)))
      yield* settle
      assert.isUndefined(next.pollUnsafe())
      yield* TestClock.adjust("1 seconds")
      yield* Fiber.join(slow)
      assert.strictEqual(yield* Fiber.join(next), 4)
      yield* Agent.cast(agent, () => Effect.as(Effect.yieldNow, 7))
      assert.strictEqual(yield* Agent.getAndUpdate(agent, (n) => Effect.succeed([n, 8] as const)), 7)
      assert.strictEqual(yield* Agent.get(agent, keep), 8)
    }).pipe(inNode))

  it.effect("AG-006 has the state as its first argument, and no other", () =>
    Effect.gen(function*() {
      const seen: Array<ReadonlyArray<unknown>> = []
      const note = <B>(answer: B) => (...args: ReadonlyArray<unknown>): B => {
        seen.push(args)
        return answer
      }
      const agent = yield* Agent.start(note("state"))
      yield* Agent.get(agent, note(1))
      yield* Agent.update(agent, note("state"))
      yield* Agent.getAndUpdate(agent, note([1, "state"] as const))
      yield* Agent.cast(agent, note("state"))
      yield* Agent.get(agent, keep)
      assert.deepStrictEqual(seen, [[], ["state"], ["state"], ["state"], ["state"]])
    }).pipe(inNode))

  it.effect("runs in the process of the agent", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const agent = yield* Agent.start(() => Effect.map(Process.self, (pid) => [pid] as ReadonlyArray<unknown>))
        const self = Effect.as(Effect.yieldNow, 0).pipe(Effect.andThen(Process.self))
        assert.strictEqual(yield* Agent.get(agent, () => self), agent.pid)
        assert.strictEqual(yield* Agent.getAndUpdate(agent, (n) => Effect.map(self, (pid) => [pid, n])), agent.pid)
        yield* Agent.update(agent, (all) => Effect.map(self, (pid) => [...all, pid]))
        yield* Agent.cast(agent, (all) => Effect.map(self, (pid) => [...all, pid]))
        assert.deepStrictEqual(yield* Agent.get(agent, keep), [agent.pid, agent.pid, agent.pid])
      })
    ))

  it.effect("has the services and the settings of whoever gave it, and the Node of the agent", () =>
    Effect.gen(function*() {
      class Suffix extends Context.Service<Suffix, string>()("test/Suffix") {}
      const agent = yield* Effect.provideService(Agent.start(() => "a"), Suffix, "of the start")
      yield* Process.register("elsewhere", agent.pid)
      const look = Agent.get(agent, (text) =>
        Effect.gen(function*() {
          return [
            text + (yield* Suffix),
            yield* GenServer.CallTimeout,
            Option.isSome(yield* Process.whereis("elsewhere"))
          ]
        }), { timeout: "2 seconds" })
      const provided = look.pipe(
        Effect.provideService(Suffix, "b"),
        Effect.provideService(GenServer.CallTimeout, "3 seconds"),
        Effect.provide(Node.layer())
      )
      assert.deepStrictEqual(yield* provided, ["ab", "3 seconds", true])
    }).pipe(inNode))

  it.effect("acquires for the agent: the Scope of the caller closes, and the resource is there until the agent ends", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const acquire = (what: string) =>
        Effect.acquireRelease(
          Effect.sync(() => events.push(`open ${what}`)),
          () => Effect.sync(() => events.push(`close ${what}`))
        )
      const agent = yield* Agent.start(() => Effect.as(acquire("init"), 0))
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Effect.addFinalizer(() => Effect.sync(() => events.push("caller")))
        yield* Agent.update(agent, (n) => Effect.as(acquire("update"), n))
      }))
      yield* Agent.stop(agent)
      assert.deepStrictEqual(events, ["open init", "open update", "caller", "close update", "close init"])
    }).pipe(inNode))

  it.effect("that fails answers, and the value stays", () =>
    Effect.gen(function*() {
      const agent = yield* Agent.start(() => 1)
      const fail = (n: number) => Effect.fail(`no ${n}`)
      assert.strictEqual(yield* Effect.flip(Agent.get(agent, fail)), "no 1")
      assert.strictEqual(yield* Effect.flip(Agent.update(agent, fail)), "no 1")
      assert.strictEqual(yield* Effect.flip(Agent.getAndUpdate(agent, fail)), "no 1")
      assert.strictEqual(yield* Effect.flip(Agent.update(agent, (n) => n > 1 ? n : Effect.fail(n))), 1)
      assert.strictEqual(yield* Agent.get(agent, keep), 1)
    }).pipe(inNode))

  it.effect("that fails with the CallError of another server answers with that", () =>
    Effect.gen(function*() {
      const gone = yield* Agent.start(() => 1)
      yield* Agent.stop(gone)
      const agent = yield* Agent.start(() => 2)
      const error = yield* callFails(Agent.get(agent, () => Agent.get(gone, keep)), "NoProcess")
      assert.strictEqual(error.server, `${gone.pid}`)
      assert.strictEqual(yield* Agent.get(agent, keep), 2)
    }).pipe(inNode))

  it.effect.each(
    [
      ["throws", () => {
        throw new Error("boo")
      }],
      ["dies", () => Effect.die(new Error("boo"))],
      ["dies later", () => Effect.andThen(Effect.yieldNow, Effect.die(new Error("boo")))]
    ] as const
  )(
    "AG-004 that %s ends the agent, and the caller has its reason",
    ([_, boo]) =>
      logged((lines) =>
        asProcess((self: Process.Self<Process.Down>) =>
          Effect.gen(function*() {
            for (
              const use of [
                (agent: Agent.Agent<number>) => Agent.get(agent, boo),
                (agent: Agent.Agent<number>) => Agent.update(agent, boo),
                (agent: Agent.Agent<number>) => Agent.getAndUpdate(agent, boo)
              ]
            ) {
              const agent = yield* Agent.start(() => 1)
              const { reason } = yield* callFails(use(agent), "ServerExited")
              assert.strictEqual(messageOf(reason.reason), "boo")
              assert.isFalse(yield* Process.isAlive(agent.pid))
            }
            const agent = yield* Agent.start(() => 1)
            yield* Agent.cast(agent, boo)
            assert.strictEqual(messageOf(yield* downOf(self, agent.pid)), "boo")
            assert.strictEqual(lines.length, 4)
          })
        )
      )
  )

  it.effect("AG-004 that exits ends the agent with that reason, and the caller has it", () =>
    Effect.gen(function*() {
      const agent = yield* Agent.start(() => 1)
      const exit = Agent.get(agent, () => Process.exit(ExitReason.custom("boo")))
      const { reason } = yield* callFails(exit, "ServerExited")
      assert.deepStrictEqual(reason.reason, ExitReason.custom("boo"))
    }).pipe(inNode, silent))

  it.effect("SY-017 answers system requests, by its handle and by its service", () =>
    Effect.gen(function*() {
      const agent = yield* Agent.start(() => 1)
      assert.strictEqual(yield* Sys.getState<number>(agent), 1)
      yield* Sys.suspend(agent)
      assert.strictEqual(yield* Sys.replaceState(agent, (n: number) => n + 1), 2)
      yield* Sys.resume(agent)
      assert.strictEqual(yield* Agent.get(agent, keep), 2)
      class Kept extends Agent.Service<Kept, number>()("test/Kept") {
        static readonly server = this.implement(() => 3)
      }
      const kept = Effect.flatMap(Kept, Sys.getState<number>)
      assert.strictEqual(yield* Effect.provide(kept, Kept.server.layer()), 3)
    }).pipe(inNode))

  it.effect("that crashes is reported with the value, and without what belongs to the caller", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const agent = yield* Agent.start(() => ({ kept: 1 }), { label: "vault" })
        yield* callFails(Agent.get(agent, () => Effect.die("boo")), "ServerExited")
        assert.deepStrictEqual(lines[0]!.report.state, { kept: 1 })
        const text = JSON.stringify(lines[0])
        assert.include(text, "Agent vault")
        assert.notInclude(text, "mapUnsafe")
      }).pipe(inNode)
    ))

  for (const bad of ["bad", undefined, [1], [1, 2, 3], { 0: 1, 1: 2, length: 2 }]) {
    it.effect(`AG-003 getAndUpdate that gives ${JSON.stringify(bad)} ends the agent, which says what it should be`, () =>
      logged(() =>
        Effect.gen(function*() {
          const agent = yield* Agent.start(() => 0)
          for (const give of [() => bad, () => Effect.as(Effect.yieldNow, bad)]) {
            const agent = yield* Agent.start(() => 0)
            const { reason } = yield* callFails(Agent.getAndUpdate(agent, give as () => never), "ServerExited")
            const message = messageOf(reason.reason)
            assert.match(message, /^Agent: the function of getAndUpdate must give \[answer, state\]; it gave /)
          }
          assert.strictEqual(yield* Agent.getAndUpdate(agent, (n) => [n, n]), 0)
        }).pipe(inNode)
      ))
  }

  it.effect("AG-011 that uses its own agent is refused at once, and a cast is not", () =>
    Effect.gen(function*() {
      const agent = yield* Agent.start(() => 1)
      const nested = Agent.get(agent, () => Effect.flip(Agent.get(agent, keep)))
      const error = yield* callFails(Effect.flatMap(nested, Effect.fail), "CallingSelf")
      assert.deepStrictEqual(error.reason.chain, [`${agent.pid}`, `${agent.pid}`])
      yield* callFails(Agent.update(agent, () => Agent.get(agent, keep)), "CallingSelf")
      yield* callFails(Agent.get(agent, () => Agent.stop(agent)), "CallingSelf")
      yield* Agent.update(agent, (n) => Effect.as(Agent.cast(agent, (n) => n * 10), n + 1))
      assert.strictEqual(yield* Agent.get(agent, keep), 20)
    }).pipe(inNode))

  it.effect("AG-011 that closes a circle of agents is refused, through a service, too", () =>
    Effect.gen(function*() {
      const other = yield* Agent.start(() => 1)
      const numbers = yield* Numbers
      const circle = Agent.get(numbers, () => Agent.get(other, () => Agent.get(numbers, keep)))
      assert.strictEqual((yield* callFails(circle, "CallingSelf")).reason.chain.length, 3)
    }).pipe(Effect.provide(Numbers.server.layer(1)), inNode))

  it.effect("that a caller gave who has gone does not run, and one that has begun does", () =>
    Effect.gen(function*() {
      const agent = yield* Agent.start(() => 0)
      const gate = yield* Deferred.make<void>()
      const begun = yield* Effect.forkChild(Agent.update(agent, (n) => Effect.as(Deferred.await(gate), n + 1)))
      const queued = yield* Effect.forkChild(Agent.update(agent, (n) => n + 10))
      yield* settle
      yield* Fiber.interrupt(begun)
      yield* Fiber.interrupt(queued)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* Agent.get(agent, keep), 1)
    }).pipe(inNode))
})

describe("the time limit", () => {
  it.effect("AG-002 is 5 seconds, and the agent is not hurt", () =>
    Effect.gen(function*() {
      const agent = yield* Agent.start(() => 1)
      for (
        const use of [
          Agent.get(agent, () => Effect.never),
          Agent.update(agent, () => Effect.never),
          Agent.getAndUpdate(agent, () => Effect.never)
        ]
      ) {
        const own = yield* Agent.start(() => 1)
        const release = yield* held(own)
        const call = yield* Effect.forkChild(Agent.get(own, keep))
        yield* TestClock.adjust("4999 millis")
        assert.isUndefined(call.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assert.strictEqual((yield* callFails(Fiber.join(call), "Timeout")).reason.after, 5000)
        yield* release
        assert.strictEqual(yield* Agent.get(own, keep), 1)
        const late = yield* Effect.forkChild(use)
        yield* TestClock.adjust("5 seconds")
        yield* callFails(Fiber.join(late), "Timeout")
      }
    }).pipe(inNode))

  it.effect("is an option, or GenServer.CallTimeout", () =>
    Effect.gen(function*() {
      const agent = yield* Agent.start(() => 1)
      yield* held(agent)
      const timeout = "10 millis"
      const limited = [
        Agent.get(agent, keep, { timeout }),
        Agent.update(agent, keep, { timeout }),
        Agent.getAndUpdate(agent, (n) => [n, n], { timeout }),
        Effect.provideService(Agent.get(agent, keep), GenServer.CallTimeout, timeout),
        Effect.provideService(Agent.get(agent, keep, { timeout }), GenServer.CallTimeout, "Infinity")
      ]
      for (const call of limited) {
        const fiber = yield* Effect.forkChild(call)
        yield* TestClock.adjust(timeout)
        const error = yield* callFails(Fiber.join<unknown, Effect.Error<typeof call>>(fiber), "Timeout")
        assert.strictEqual(error.reason.after, 10)
      }
    }).pipe(inNode))
})

describe("starting", () => {
  it.effect("AG-005 fails with what init fails with", () =>
    Effect.gen(function*() {
      const failed = yield* Effect.flip(Agent.start(() => Effect.fail("typed")))
      assert.deepStrictEqual([failed.reason._tag, failed.reason], ["InitFailed", failed.reason])
      assert.strictEqual(failed.reason._tag === "InitFailed" && failed.reason.error, "typed")
      const init = (): number => {
        throw new Error("raise")
      }
      const crashed = yield* Effect.flip(Agent.start(init, { name: "agent" }))
      assert.strictEqual(crashed.reason._tag, "Crashed")
      assert.include(crashed.message, "raise")
      assert.isTrue(Option.isNone(yield* Process.whereis("agent")))
      const slow = yield* Effect.forkChild(Effect.flip(Agent.start(() => Effect.never, { timeout: "1 seconds" })))
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual((yield* Fiber.join(slow)).reason._tag, "Timeout")
    }).pipe(inNode, silent))

  it.effect("AG-005 linked takes the caller along if init dies, and spares it if init fails", () =>
    logged(() =>
      asProcess((self: Process.Self<Process.Exit>) =>
        Effect.gen(function*() {
          yield* Effect.flip(Agent.startLink(() => Effect.fail("typed")))
          const caller = yield* Process.spawn(() =>
            Effect.ignore(Agent.startLink(() => Effect.die(new Error("raise"))))
          )
          assert.strictEqual(messageOf(yield* Process.awaitExit(caller)), "raise")
          yield* Process.trapExit(true)
          const agent = yield* Agent.startLink(() => 1)
          yield* Process.exit(agent.pid, ExitReason.custom("bad"))
          assert.deepStrictEqual((yield* self.receive).pid, agent.pid)
          assert.deepStrictEqual(yield* arrived(self), [])
        })
      )
    ))

  it.effect("linked ends with the process that started it", () =>
    Effect.gen(function*() {
      const started = yield* Deferred.make<Agent.Ref<number>>()
      const owner = yield* Process.spawn(() =>
        Effect.gen(function*() {
          yield* Deferred.succeed(started, yield* Agent.startLink(() => 1))
          return yield* Effect.never
        })
      )
      const agent = yield* Deferred.await(started)
      yield* Process.exit(owner, ExitReason.custom("bad"))
      assert.deepStrictEqual(yield* Process.awaitExit(agent.pid), ExitReason.custom("bad"))
    }).pipe(inNode))

  it.effect("scoped ends, Shutdown, with the Scope", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const agent = yield* Scope.provide(Agent.startScoped(() => 1), scope)
      const end = yield* Effect.forkChild(Process.awaitExit(agent.pid))
      yield* settle
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* Fiber.join(end), ExitReason.shutdown())
    }).pipe(inNode))

  it.effect("under a name that is taken gives its holder, and runs nothing", () =>
    Effect.gen(function*() {
      const first = yield* Agent.start(() => 1, { name: "agent" })
      const error = yield* Effect.flip(Agent.start(() => assert.fail("it ran"), { name: "agent" }))
      assert.strictEqual(error.reason._tag === "AlreadyStarted" && error.reason.pid, first.pid)
    }).pipe(inNode))

  it.effect("with what is no function, and asking what is no agent, is the defect of the caller", () =>
    Effect.gen(function*() {
      const agent = yield* Agent.start(() => 1)
      const message = <A, E>(effect: Effect.Effect<A, E>) => Effect.map(defectOf(effect), (error) => error.message)
      assert.strictEqual(yield* message(Agent.start(1 as never)), "init: expected a function, got 1")
      assert.strictEqual(yield* message(Agent.get(agent, 1 as never)), "f: expected a function, got 1")
      assert.strictEqual(yield* message(Agent.cast(agent, 1 as never)), "f: expected a function, got 1")
      assert.strictEqual(yield* message(Agent.get("agent" as never, keep)), `agent: expected an Agent, got "agent"`)
      assert.strictEqual(
        yield* message(Agent.get(agent, keep, { timeout: -1 })),
        "timeout: expected a duration of zero or more, got -1"
      )
      assert.throws(() => Empty.implement(1 as never), "init: expected a function, got 1")
      assert.strictEqual(yield* Agent.get(agent, keep), 1)
    }).pipe(inNode))
})

describe("stopping", () => {
  it.effect("AG-008 waits until the agent has ended, and its name is free", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const release = Effect.addFinalizer(() =>
        Effect.andThen(Effect.yieldNow, Effect.sync(() => events.push("released")))
      )
      const agent = yield* Agent.start(() => Effect.as(release, 1), { name: "agent" })
      assert.deepStrictEqual(yield* Process.whereis("agent"), Option.some(agent.pid))
      yield* Agent.cast(agent, (n) => {
        events.push("cast")
        return n
      })
      yield* Agent.stop(agent)
      assert.deepStrictEqual(events, ["cast", "released"])
      assert.isFalse(yield* Process.isAlive(agent.pid))
      assert.isTrue(Option.isNone(yield* Process.whereis("agent")))
    }).pipe(inNode))

  it.effect("AG-007 is refused when there is no agent, and a cast to it is not", () =>
    Effect.gen(function*() {
      const agent = yield* Agent.start(() => 1)
      yield* Agent.stop(agent)
      yield* callFails(Agent.stop(agent), "NoProcess")
      yield* callFails(Agent.get(agent, keep), "NoProcess")
      assert.isUndefined(yield* Agent.cast(agent, () => assert.fail("it ran")))
      assert.isUndefined(yield* Agent.cast(Numbers.at("nobody"), () => assert.fail("it ran")))
      yield* callFails(Agent.stop(Numbers.at("nobody")), "NoProcess")
    }).pipe(inNode))

  it.effect("has a reason and a time limit", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const agent = yield* Agent.start(() => 1)
        const ref = yield* Process.monitor(agent.pid)
        const release = yield* held(agent)
        const reason = ExitReason.shutdown("done")
        const stop = yield* Effect.forkChild(Agent.stop(agent, { reason, timeout: "1 seconds" }))
        yield* TestClock.adjust("1 seconds")
        assert.strictEqual((yield* callFails(Fiber.join(stop), "Timeout")).reason.after, 1000)
        yield* release
        const down = yield* self.receive
        assert.deepStrictEqual([down.ref, down.reason], [ref, reason])
      })
    ))
})

describe("a service", () => {
  it.effect("reaches the current incarnation, which begins anew", () =>
    logged(() =>
      Effect.gen(function*() {
        const numbers = yield* Numbers
        yield* Agent.update(numbers, (list) => [...list, 2])
        assert.deepStrictEqual(yield* Agent.get(numbers, keep), [1, 2])
        yield* callFails(Agent.update(numbers, () => Effect.die(new Error("boo"))), "ServerExited")
        yield* settle
        assert.deepStrictEqual(yield* Agent.get(numbers, keep), [1])
      }).pipe(Effect.provide(Numbers.server.layer(1)), inNode)
    ))

  it.effect("fails with NoProcess when its tree has gone, and names the service", () =>
    Effect.gen(function*() {
      const numbers = yield* Effect.provide(Numbers, Numbers.server.layer(1))
      const error = yield* callFails(Agent.get(numbers, keep), "NoProcess")
      assert.strictEqual(error.server, "test/Numbers")
      assert.strictEqual(error.request, "get")
    }).pipe(inNode))

  it.effect("AG-009 has its key as the id of its child, which is permanent", () =>
    Effect.gen(function*() {
      const spec = Numbers.server.child(1)
      assert.deepInclude({ ...spec }, {
        id: "test/Numbers",
        restart: "permanent",
        type: "worker",
        shutdown: "5 seconds",
        significant: false
      })
      const own = Numbers.server.child(1, { id: "own", restart: "temporary", shutdown: "brutalKill" })
      assert.deepInclude({ ...own }, { id: "own", restart: "temporary", shutdown: "brutalKill" })
      const tree = yield* Supervisor.make({ children: [spec, Empty.server.child()] }).startScoped
      const ids = (yield* Supervisor.whichChildren(tree)).map(({ id }) => id)
      assert.deepStrictEqual(ids, ["test/Empty", "test/Numbers"])
    }).pipe(Effect.scoped, inNode))

  it.effect("is found by its name, its pid or a via", () =>
    Effect.gen(function*() {
      const held = new Map<string, Process.Pid<never>>()
      const via = Name.via<never>({
        register: (key: string, pid) => !held.has(key) && held.set(key, pid as Process.Pid<never>) !== undefined,
        unregister: (key: string) => void held.delete(key),
        whereis: (key: string) => held.get(key),
        format: (key: string) => `via ${key}`
      }, "numbers")
      const byName = yield* Numbers.server.start(1, { name: "numbers" })
      yield* Numbers.server.start(2, { name: via })
      assert.deepStrictEqual(yield* Agent.get(Numbers.at("numbers"), keep), [1])
      assert.deepStrictEqual(yield* Agent.get(Numbers.at(Name.make("numbers")), keep), [1])
      assert.deepStrictEqual(yield* Agent.get(Numbers.at(byName.pid), keep), [1])
      yield* Agent.update(Numbers.at(via), (list) => [...list, 3])
      assert.deepStrictEqual(yield* Agent.get(Numbers.at(via), keep), [2, 3])
      yield* Agent.stop(Numbers.at(via))
      assert.strictEqual((yield* callFails(Agent.get(Numbers.at(via), keep), "NoProcess")).server, "via numbers")
    }).pipe(inNode))

  it.effect("is not reached as another one: that is the caller's defect, and hurts nobody", () =>
    Effect.gen(function*() {
      const numbers = yield* Numbers.server.start(1)
      const error = yield* defectOf(Agent.get(Empty.at(numbers.pid), keep))
      assert.strictEqual(
        error.message,
        `get is no request to ${numbers.pid}: ${numbers.pid} has the protocol of test/Numbers`
      )
      assert.deepStrictEqual(yield* Agent.get(numbers, keep), [1])
    }).pipe(inNode))

  it.effect("can be provided as any other service: an agent that a test has started", () =>
    Effect.gen(function*() {
      const stand = yield* Agent.start((): ReadonlyArray<number> => [42])
      const numbers = yield* Effect.provideService(Numbers, Numbers, stand)
      assert.deepStrictEqual(yield* Agent.get(numbers, keep), [42])
    }).pipe(inNode))
})

const Steps = Schema.Array(Schema.Struct({
  how: Schema.Literals(["update", "cast", "get", "getAndUpdate"]),
  by: Schema.Int.check(Schema.isBetween({ minimum: -9, maximum: 9 }))
}))

describe("an agent", () => {
  it.effect("takes no messages: one is reported and dropped", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const agent = yield* Agent.start(() => 1)
        yield* Process.send(agent.pid as Process.Pid<string>, "hello")
        assert.strictEqual(yield* Agent.get(agent, keep), 1)
        assert.strictEqual(lines.length, 1)
      }).pipe(inNode)
    ))

  it.effect.prop("does to its value what a Ref does", { steps: Steps }, ({ steps }) =>
    Effect.gen(function*() {
      const agent = yield* Agent.start(() => 0)
      const ref = yield* Ref.make(0)
      for (const { by, how } of steps) {
        if (how === "update") yield* Agent.update(agent, (n) => n + by)
        else if (how === "cast") yield* Agent.cast(agent, (n) => n + by)
        else if (how === "get") assert.strictEqual(yield* Agent.get(agent, (n) => n * by), (yield* Ref.get(ref)) * by)
        else {
          const got = yield* Agent.getAndUpdate(agent, (n) => [n, n + by])
          assert.strictEqual(got, yield* Ref.get(ref))
        }
        if (how !== "get") yield* Ref.update(ref, (n) => n + by)
      }
      assert.strictEqual(yield* Agent.get(agent, keep), yield* Ref.get(ref))
    }).pipe(inNode))
})
