/** Behaviours of every kind, and what is there for all of them. */
import * as Action from "@effect-otp/core/Action"
import * as Agent from "@effect-otp/core/Agent"
import type * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as OtpError from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as RequestIds from "@effect-otp/core/RequestIds"
import * as StateMachine from "@effect-otp/core/StateMachine"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as Sys from "@effect-otp/core/Sys"
import * as Task from "@effect-otp/core/Task"
import { settle } from "@effect-otp/core/testing"
import * as Transition from "@effect-otp/core/Transition"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Machines from "./utils/machine.ts"
import { asProcess, inNode } from "./utils/process.ts"
import { ask, callFails, defectOf, logged, type Refused, told } from "./utils/server.ts"

class Hits extends Agent.Service<Hits, number>()("test/Hits") {
  static readonly server = this.implement(() => 0)
}

class Narrow extends StateMachine.Service<Narrow, { Shut: number; Open: number }>()("test/Narrow", [
  GenServer.call("wait", { success: Schema.Finite }),
  GenServer.cast("go", { error: OtpError.MailboxFull })
]) {
  static readonly machine = this.implement({
    init: () => Transition.next("Shut", 0),
    states: {
      Shut: { wait: () => Transition.keepAndData([Action.postpone]), go: (n) => Transition.next("Open", n + 1) },
      Open: { wait: (n, _, from) => Transition.keepAndData([Action.reply(from, n)]), go: (n) => Transition.keep(n + 1) }
    },
    mailbox: { capacity: 1, policy: "fail" }
  })
}

const { Machine, machine, stay } = Machines
const answers = (value: unknown) => (_: number, from: GenServer.From<unknown, never>) =>
  Transition.keepAndData([Action.reply(from, value)])
const postponed = { A: stay(Action.postpone), B: answers("answered") }
const patient = Effect.provideService(GenServer.CallTimeout, "1 second")
const fiveSeconds = Effect.provideService(GenServer.CallTimeout, "5 seconds")

class Unit extends Context.Service<Unit, number>()("test/Unit") {}

/** One request of each kind of server, which is answered with what `does` gives. */
const kinds = {
  GenServer: Effect.map(told().start(), (server) => ({
    pid: server.pid,
    at: "test/Told",
    request: <A, E>(does: () => Effect.Effect<A, E, Process.Current>) =>
      ask(server, (s) => Effect.map(does(), (a) => Step.reply(a, s)))
  })),
  StateMachine: Effect.map(machine([]).start(), (server) => ({
    pid: server.pid,
    at: "test/Machine",
    request: <A, E>(does: () => Effect.Effect<A, E, Process.Current>) =>
      Machines.ask(server, (_, from) => Effect.map(does(), (a) => Transition.keepAndData([Action.reply(from, a)])))
  })),
  "an Agent": Effect.map(Agent.start(() => 0), (agent) => ({
    pid: agent.pid,
    at: "Agent",
    request: <A, E>(does: () => Effect.Effect<A, E, Process.Current>) => Agent.get(agent, does)
  })),
  "an Agent that is a service": Effect.map(Hits.server.start(), (agent) => ({
    pid: agent.pid,
    at: "test/Hits",
    request: <A, E>(does: () => Effect.Effect<A, E, Process.Current>) => Agent.get(agent, does)
  }))
} as const

const each = Object.entries(kinds) as ReadonlyArray<[string, typeof kinds["an Agent"]]>

describe.each(each)("%s", (_, start) => {
  it.effect("answers a request that was sent before", () =>
    Effect.gen(function*() {
      const { request } = yield* start
      const id = yield* GenServer.sendRequest(request(() => Effect.succeed(1)))
      assert.strictEqual(yield* GenServer.receiveResponse(id), 1)
      assert.deepStrictEqual(yield* GenServer.checkResponse(id), Option.some(1))
    }).pipe(inNode))

  it.effect("answers one of many requests", () =>
    Effect.gen(function*() {
      const { request } = yield* start
      const ids = RequestIds.add(
        RequestIds.make(),
        yield* GenServer.sendRequest(request(() => Effect.as(Effect.sleep("1 second"), 1))),
        "label"
      )
      const waiting = yield* Effect.forkChild(RequestIds.receive(ids))
      yield* settle
      yield* TestClock.adjust("1 second")
      const outcome = yield* Fiber.join(waiting)
      assert.strictEqual(outcome._tag === "Response" && outcome.label, "label")
    }).pipe(inNode))

  it.effect("never runs what was sent while it was suspended and is given up by then, and counts it", () =>
    Effect.gen(function*() {
      const { pid, request } = yield* start
      let ran = 0
      yield* Sys.suspend(pid)
      const id = yield* GenServer.sendRequest(request(() => Effect.sync(() => ++ran)))
      const waiting = yield* Effect.forkChild(
        Effect.flip(GenServer.receiveResponse(id, { timeout: "1 second" })),
        { startImmediately: true }
      )
      yield* TestClock.adjust("1 second")
      yield* callFails(Effect.flip(Fiber.join(waiting)), "Timeout")
      yield* Sys.resume(pid)
      yield* settle
      assert.deepStrictEqual([ran, (yield* Sys.getStatus(pid)).skipped], [0, 1])
    }).pipe(inNode))

  it.effect("stops when it is told to, and is found until then", () =>
    Effect.gen(function*() {
      const { pid } = yield* start
      assert.deepStrictEqual(yield* GenServer.whereis(pid), Option.some(pid))
      yield* GenServer.stop(pid)
      assert.deepStrictEqual(yield* GenServer.whereis(pid), Option.none())
    }).pipe(inNode))

  it.effect("gives a call in its own request no more time than that has left", () =>
    Effect.gen(function*() {
      const { pid, request } = yield* start
      const server = yield* told().start()
      let inner: any
      const nested = request(() =>
        Effect.andThen(Effect.sleep("400 millis"), ask(server, () => Effect.never)).pipe(
          Effect.tapError((error) => Effect.sync(() => inner = error))
        )
      )
      const call = yield* Effect.forkChild(Effect.flip(patient(nested)), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      yield* callFails(Effect.flip(Fiber.join(call)), "Timeout")
      yield* settle
      const { after, outer } = inner.reason
      assert.deepStrictEqual([after, outer.server], [600, pid.toString()])
    }).pipe(inNode))

  it.effect("gives a call that its task makes the time of any call", () =>
    Effect.gen(function*() {
      const { request } = yield* start
      const server = yield* told().start()
      let inner: any
      const work = Effect.tapError(ask(server, () => Effect.never), (error) => Effect.sync(() => inner = error))
      const call = yield* Effect.forkChild(
        Effect.flip(patient(request(() => Effect.flatMap(Task.async(fiveSeconds(work)), (task) => Task.await(task))))),
        { startImmediately: true }
      )
      yield* TestClock.adjust("1 second")
      yield* callFails(Effect.flip(Fiber.join(call)), "Timeout")
      assert.isTrue(inner === undefined)
      yield* TestClock.adjust("4 seconds")
      assert.deepStrictEqual([inner._tag, inner.reason.after, inner.reason.outer], ["CallError", 5000, undefined])
    }).pipe(inNode, Effect.provide(Logger.layer([]))))

  it.effect("answers system requests", () =>
    Effect.gen(function*() {
      const { pid, request } = yield* start
      const before = yield* Sys.getState(pid)
      yield* Sys.statistics(pid, true)
      yield* Sys.log(pid, { last: 2 })
      yield* request(() => Effect.succeed(1))
      const events = yield* Sys.getLog(pid)
      const out = events.find(({ _tag }) => _tag === "Out")
      assert.deepStrictEqual(out?._tag === "Out" && [out.reply, out.state], [Exit.succeed(1), before])
      const { messagesIn, messagesOut } = Option.getOrThrow(yield* Sys.getStatistics(pid))
      assert.deepStrictEqual([messagesIn, messagesOut], [1, 1])
      assert.deepStrictEqual(yield* Sys.replaceState(pid, (state) => state), before)
    }).pipe(inNode))
})

// ----------------------------------------------------------------------------
// postponed calls
// ----------------------------------------------------------------------------

describe("a call that is postponed", () => {
  /** A machine in which a call waits for the state B, where it runs `does`. */
  const postponing = (does: Effect.Effect<unknown, unknown>) =>
    Effect.map(machine([]).start(), (server) => ({
      server,
      call: Machines.ask(server, {
        A: stay(Action.postpone),
        B: (_, from) => Effect.map(does, (value) => Transition.keepAndData([Action.reply(from, value)]))
      }),
      go: Machines.tell(server, Machines.go("B"))
    }))

  it.effect("has its time meanwhile, and what is left of it is that of the calls that it makes", () =>
    Effect.gen(function*() {
      const other = yield* told().start()
      let inner: any
      const { call, go, server } = yield* postponing(
        Effect.tapError(ask(other, () => Effect.never), (error) => Effect.sync(() => inner = error))
      )
      const outer = yield* Effect.forkChild(Effect.flip(patient(call)), { startImmediately: true })
      yield* TestClock.adjust("700 millis")
      yield* go
      yield* TestClock.adjust("300 millis")
      assert.deepStrictEqual(yield* Fiber.join(outer), OtpError.callTimeout(server.pid.toString(), "ask", 1000))
      assert.deepStrictEqual(
        inner,
        OtpError.callTimeout(other.pid.toString(), "ask", 300, { server: server.pid.toString(), request: "ask" })
      )
    }).pipe(inNode))

  it.effect("is seen in a circle when it is retried", () =>
    Effect.gen(function*() {
      const first = yield* told().start()
      const { call, go, server } = yield* postponing(ask(first, (n) => Step.reply(n, n)))
      const answer = yield* Effect.forkChild(
        ask(first, (n) => Effect.match(call, { onSuccess: String, onFailure: (e) => Step.reply(e, n) })),
        { startImmediately: true }
      )
      yield* settle
      const ended = yield* Effect.forkChild(Process.awaitExit(server.pid), { startImmediately: true })
      yield* go
      const reason: any = yield* Fiber.join(ended)
      const error: any = Cause.squash(reason.cause)
      const [a, b] = [first.pid.toString(), server.pid.toString()]
      assert.deepStrictEqual([error.reason._tag, error.reason.chain], ["CallingSelf", [a, b, a]])
      assert.strictEqual(((yield* Fiber.join(answer)) as any).reason._tag, "ServerExited")
    }).pipe(inNode, Effect.provide(Logger.layer([]))))

  it.effect("that is given up by the time of its state never runs, also one that was sent", () =>
    Effect.gen(function*() {
      let ran = 0
      const { call, go } = yield* postponing(Effect.sync(() => ++ran))
      const id = yield* GenServer.sendRequest(call)
      const waiting = yield* Effect.forkChild(Effect.flip(GenServer.receiveResponse(id, { timeout: "1 second" })), {
        startImmediately: true
      })
      yield* TestClock.adjust("1 second")
      yield* callFails(Effect.flip(Fiber.join(waiting)), "Timeout")
      yield* go
      yield* settle
      assert.strictEqual(ran, 0)
    }).pipe(inNode))

  it.effect("is answered from elsewhere, and given to those who listen only when its machine answers", () =>
    Effect.gen(function*() {
      let from!: GenServer.From<unknown, Refused>
      const server = yield* machine([]).start()
      const call = yield* Effect.forkChild(
        Machines.ask(server, (_, caller) => {
          from = caller
          return Transition.keepAndData()
        }),
        { startImmediately: true }
      )
      yield* settle
      yield* GenServer.reply(from, "later")
      assert.strictEqual(yield* Fiber.join(call), "later")
    }).pipe(inNode))

  it.effect("that crashes when it is retried is named in the report", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const { call, go, server } = yield* postponing(Effect.die(new Error("boom")))
        const answer = yield* Effect.forkChild(Effect.flip(call), { startImmediately: true })
        yield* settle
        yield* go
        yield* callFails(Effect.flip(Fiber.join(answer)), "ServerExited")
        assert.strictEqual(lines[0].message[0], `test/Machine ${server.pid} crashed in call ask: Error: boom`)
      })
    ).pipe(inNode))
})

// ----------------------------------------------------------------------------
// circles
// ----------------------------------------------------------------------------

it.effect("a circle of a GenServer, a StateMachine and an Agent is refused at once, with their names", () =>
  Effect.gen(function*() {
    const server = yield* told().start({ name: "server" })
    const door = yield* machine([]).start({ name: "machine" })
    const hits = yield* Hits.server.start({ name: "agent" })
    const back = ask(server, (n) => Step.reply(n, n))
    const error = yield* ask(server, (n) =>
      Machines.ask(door, (_, from) =>
        Effect.map(
          Agent.get(hits, () => Effect.flip(back)),
          (error) => Transition.keepAndData([Action.reply(from, error)])
        )).pipe(Effect.map((error) => Step.reply(error, n))))
    const names = [server.pid, door.pid, hits.pid, server.pid].map((pid, i) =>
      `${["server", "machine", "agent", "server"][i]} ${pid}`
    )
    assert.strictEqual((error as any).reason._tag, "CallingSelf")
    assert.deepStrictEqual((error as any).reason.chain, names)
  }).pipe(inNode))

// ----------------------------------------------------------------------------
// many servers
// ----------------------------------------------------------------------------

describe("many servers", () => {
  it.effect("machines and agents are called and told all at once", () =>
    Effect.gen(function*() {
      for (const name of ["a", "b"]) yield* machine([]).start({ name })
      for (const name of ["c", "d"]) yield* Hits.server.start({ name })
      yield* GenServer.abcast(Machine, ["a", "b", "none"], (one) => Machines.tell(one, Machines.go("B")))
      const machines = yield* GenServer.multiCall(Machine, ["a", "b"], (one) => Machines.ask(one, postponed))
      assert.deepStrictEqual(machines, { replies: [["a", "answered"], ["b", "answered"]], failed: [] })
      yield* GenServer.abcast(Hits, ["c", "none", "d"], (hits) => Agent.cast(hits, (n) => n + 1))
      const agents = yield* GenServer.multiCall(Hits, ["c", "none", "d"], (hits) => Agent.get(hits, (n) => n))
      assert.deepStrictEqual(agents.replies, [["c", 1], ["d", 1]])
      assert.deepStrictEqual(agents.failed.map(([name, error]) => [name, error.reason._tag]), [["none", "NoProcess"]])
    }).pipe(inNode))

  it.effect("a function that is sent to an agent has the services of who sends it", () =>
    Effect.gen(function*() {
      const agent = yield* Agent.start(() => 1)
      const id = yield* GenServer.sendRequest(
        Agent.getAndUpdate(agent, (n) => Effect.map(Unit, (unit) => [n + unit, n + 1] as const))
      ).pipe(Effect.provideService(Unit, 10))
      assert.deepStrictEqual([yield* GenServer.receiveResponse(id), yield* Agent.get(agent, (n) => n)], [11, 2])
      const withTime = Agent.get(agent, (n) => n, { timeout: "1 second" })
      assert.include((yield* defectOf(GenServer.sendRequest(withTime))).message, "without a timeout")
    }).pipe(inNode))
})

it.effect("a machine with a bounded mailbox refuses what is too much, and does not count what it has postponed", () =>
  Effect.gen(function*() {
    const server = yield* Narrow.machine.start()
    const patient = yield* Effect.forkChild(server.wait(), { startImmediately: true })
    yield* settle
    yield* Sys.suspend(server)
    yield* server.go()
    assert.strictEqual((yield* Effect.flip(server.go()))._tag, "MailboxFull")
    const id = yield* GenServer.sendRequest(server.wait())
    const error = yield* callFails(GenServer.receiveResponse(id), "Overloaded")
    assert.strictEqual(error.server, server.pid.toString())
    const { failed } = yield* GenServer.multiCall(Narrow, [server.pid], (narrow) => narrow.wait())
    assert.strictEqual(failed[0]?.[1].reason._tag, "Overloaded")
    yield* GenServer.abcast(Narrow, [server.pid], (narrow) => narrow.go())
    yield* Sys.resume(server)
    assert.strictEqual(yield* Fiber.join(patient), 1)
  }).pipe(inNode))

// ----------------------------------------------------------------------------
// starts
// ----------------------------------------------------------------------------

it.effect("startMonitor tells of the end of a machine and of an agent", () =>
  asProcess((self: Process.Self<Process.Down>) =>
    Effect.gen(function*() {
      const [ref, monitor] = yield* machine([]).startMonitor()
      const [hits, other] = yield* Hits.server.startMonitor()
      yield* GenServer.stop(ref, { reason: ExitReason.shutdown("x") })
      yield* Agent.stop(hits)
      const downs = [yield* self.receive, yield* self.receive]
      assert.deepStrictEqual(downs.map(({ reason, ref }) => [ref, reason]), [
        [monitor, ExitReason.shutdown("x")],
        [other, ExitReason.normal]
      ])
    })
  ))

it.effect("a child that calls a server in its init has the time of any call, whoever asks for its start", () =>
  Effect.gen(function*() {
    const other = yield* told().start()
    const supervisor = yield* Supervisor.make({ children: [] }).start
    let inner: any
    const init = () =>
      Effect.tapError(fiveSeconds(ask(other, () => Effect.never)), (error) => Effect.sync(() => inner = error))
    const spec = told({ init }).child({ provide: false }) as ChildSpec.ChildSpec<never, unknown, never>
    const server = yield* told().start()
    const call = yield* Effect.forkChild(
      Effect.flip(
        patient(ask(server, (n) => Effect.map(Supervisor.startChild(supervisor, spec), () => Step.reply(n, n))))
      ),
      { startImmediately: true }
    )
    yield* settle
    yield* TestClock.adjust("1 second")
    yield* callFails(Effect.flip(Fiber.join(call)), "Timeout")
    yield* TestClock.adjust("4 seconds")
    yield* settle
    assert.deepStrictEqual([inner._tag, inner.reason.after, inner.reason.outer], ["CallError", 5000, undefined])
  }).pipe(inNode, Effect.provide(Logger.layer([]))))

// ----------------------------------------------------------------------------
// another implementation
// ----------------------------------------------------------------------------

describe("Sys and a machine", () => {
  it.effect("changeCode gives state and data to the function, and goes on with what it gives", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* machine([]).start()
      yield* Machines.tell(server, stay(Action.timeout("one", "1 second", "content")))
      yield* Sys.suspend(server)
      yield* Sys.changeCode(
        server,
        machine(seen),
        ([state, data]: [string, number]) => [state === "A" ? "B" : state, data + 1]
      )
      yield* Sys.resume(server)
      assert.deepStrictEqual(yield* Sys.getState(server), ["B", 1])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(seen, [["B", "one", "content"]])
    }).pipe(inNode))

  it.effect("a state that it does not have is refused, and nothing has changed", () =>
    Effect.gen(function*() {
      const server = yield* machine([]).start()
      const error: any = yield* Effect.flip(Sys.replaceState(server, () => ["nowhere", 1]))
      assert.include(error.message, "test/Machine: there is no state \"nowhere\"")
      assert.deepStrictEqual(yield* Sys.getState(server), ["A", 0])
    }).pipe(inNode))
})

// ----------------------------------------------------------------------------
// reports
// ----------------------------------------------------------------------------

describe("the report of a crash", () => {
  const boom = new Error("boom")
  const titles = (body: Effect.Effect<unknown, unknown>) =>
    logged((lines) => Effect.map(Effect.andThen(body, settle), () => lines.map(({ message }) => String(message[0]))))

  it.effect("names the callback of a machine", () =>
    Effect.gen(function*() {
      const crash = () => Effect.die(boom)
      const events: ReadonlyArray<readonly [ReadonlyArray<Action.Any>, string]> = [
        [[Action.stateTimeout("1 second")], "stateTimeout"],
        [[Action.stateTimeout(0)], "stateTimeout"],
        [[Action.eventTimeout("1 second")], "eventTimeout"],
        [[Action.timeout("one", "1 second")], "timeout one"],
        [[Action.nextEvent("own", { name: "own", in: crash })], "internal own"],
        [[Action.nextEvent("tell", { name: "inserted", in: crash })], "cast tell"]
      ]
      for (const [actions, what] of events) {
        const [title] = yield* titles(Effect.gen(function*() {
          const server = yield* machine([], { answers: crash }).start()
          yield* Machines.tell(server, stay(...actions))
          yield* TestClock.adjust("1 second")
        }))
        assert.match(title, new RegExp(`^test/Machine #PID<.*> crashed in ${what}: Error: boom$`))
      }
      const [entered] = yield* titles(Effect.flatMap(machine([], { enter: crash }).start(), () => settle))
      assert.match(entered, /^test\/Machine #PID<.*> crashed in enter: Error: boom$/)
    }).pipe(inNode))

  it.effect("names the function of an agent", () =>
    Effect.gen(function*() {
      const [title] = yield* titles(Effect.gen(function*() {
        const hits = yield* Hits.server.start({ name: "hits" })
        yield* Effect.exit(Agent.update(hits, () => Effect.die(boom)))
      }))
      assert.match(title, /^test\/Hits hits #PID<.*> crashed in call update: Error: boom$/)
    }).pipe(inNode))

  it.effect("names a task, and who has started it, once", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const server = yield* told().start({ name: "owner" })
        const error = yield* callFails(
          ask(server, (n) =>
            Effect.map(Effect.flatMap(Task.async(Effect.die(boom)), (task) => Task.await(task)), (a) =>
              Step.reply(a, n))),
          "ServerExited"
        )
        assert.include(error.message, "Crashed: Error: boom")
        yield* settle
        assert.strictEqual(lines.length, 1)
        assert.match(lines[0].message[0], /^Task #PID<.*> crashed: Error: boom$/)
        assert.strictEqual(lines[0].report.starter, `owner ${server.pid}`)
      })
    ).pipe(inNode))
})
