/** State machines and agents as children in trees, as GenServers are. */
import * as Action from "@effect-otp/core/Action"
import * as Agent from "@effect-otp/core/Agent"
import * as GenServer from "@effect-otp/core/GenServer"
import type { CallError } from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as StateMachine from "@effect-otp/core/StateMachine"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as Sys from "@effect-otp/core/Sys"
import { settle } from "@effect-otp/core/testing"
import * as Transition from "@effect-otp/core/Transition"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { inNode } from "./utils/process.ts"
import { callFails } from "./utils/server.ts"

class Start extends Context.Service<Start, number>()("test/Start") {}

class Counter extends GenServer.Service<Counter>()("test/Counter", [
  GenServer.call("next", { success: Schema.Finite })
]) {
  static readonly server = this.implement({
    init: () => Effect.map(Start, (start) => start),
    handlers: { next: (n) => Step.reply(n, n + 1) }
  })
}

type States = { Low: number; High: number }

/** Begins with what the counter gives, and is high from ten on. */
class Level extends StateMachine.Service<Level, States>()("test/Level", [
  GenServer.call("add", { payload: { n: Schema.Finite }, success: Schema.String }),
  GenServer.cast("crash")
]) {
  static readonly machine = this.implement({
    init: () =>
      Effect.gen(function*() {
        const counter = yield* Counter
        return Transition.next("Low", yield* counter.next())
      }),
    states: {
      Low: {
        add: (level, { n }, from) =>
          level + n < 10
            ? Transition.keep(level + n, [Action.reply(from, `low ${level + n}`)])
            : Transition.next("High", level + n, [Action.reply(from, `high ${level + n}`)]),
        crash: () => Effect.die("boom")
      },
      High: {
        add: (level, { n }, from) => Transition.keep(level + n, [Action.reply(from, `high ${level + n}`)]),
        crash: () => Effect.die("boom")
      }
    }
  })
}

/** Begins with what both give. */
class Notes extends Agent.Service<Notes, ReadonlyArray<string>>()("test/Notes") {
  static readonly server = this.implement(() =>
    Effect.gen(function*() {
      const counter = yield* Counter
      const level = yield* Level
      return [`counter ${yield* counter.next()}`, yield* level.add({ n: 1 })]
    })
  )
}

const tree = Supervisor.make({
  strategy: "rest_for_one",
  children: [Counter.server.child(), Level.machine.child(), Notes.server.child()]
})

const notes = Effect.flatMap(Notes, (notes) => Agent.get(notes, (all) => all))
const quiet = Effect.provide(Logger.layer([]))

// The `init` of each is run within the turn of the supervisor under the default scheduler, and uses those before it.
describe.each([["the default scheduler", it.live], ["that of a test", it.effect]] as const)("under %s", (_, it) => {
  it("machines and agents use the services of earlier children, and are restarted with those after them", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* notes, ["counter 2", "low 2"])
      const level = yield* Level
      assert.strictEqual(yield* level.add({ n: 10 }), "high 12")
      yield* level.crash()
      yield* settle
      assert.deepStrictEqual(yield* notes, ["counter 4", "low 4"])
      yield* Agent.cast(yield* Notes, () => Effect.die("boom"))
      yield* settle
      assert.deepStrictEqual(yield* notes, ["counter 5", "low 5"])
      assert.strictEqual(yield* level.add({ n: 1 }), "low 6")
    }).pipe(Effect.provide(Layer.provide(tree.layer, Layer.succeed(Start, 1))), inNode, quiet))

  it("two of one service: one is provided, and the other is found by its name", () =>
    Effect.gen(function*() {
      const own = yield* Notes
      const other = Notes.at("other")
      yield* Agent.update(own, () => ["own"])
      yield* Agent.update(other, () => ["other"])
      assert.deepStrictEqual([yield* notes, yield* Agent.get(other, (all) => all)], [["own"], ["other"]])
      yield* (yield* Level).add({ n: 100 })
      assert.strictEqual(yield* Level.at("level").add({ n: 0 }), "low 2")
      assert.deepStrictEqual((yield* Sys.getState<ReadonlyArray<unknown>>(yield* Level))[0], "High")
    }).pipe(
      Effect.provide(
        Supervisor.make({
          children: [
            Counter.server.child(),
            Level.machine.child(),
            Level.machine.child({ id: "second level", name: "level", provide: false }),
            Notes.server.child(),
            Notes.server.child({ id: "second notes", name: "other", provide: false })
          ]
        }).layer
      ),
      Effect.provideService(Start, 1),
      inNode
    ))

  it("what fails in the init of a later child stops the earlier ones", () =>
    Effect.gen(function*() {
      const failing = class extends Agent.Service<object, number>()("test/Failing") {}.implement(() =>
        Effect.flatMap(Level, (level) => Effect.flatMap(level.add({ n: 1 }), (said) => Effect.fail(said)))
      )
      const children = [Counter.server.child(), Level.machine.child(), failing.child({ provide: false })] as const
      const error = yield* Effect.flip(Supervisor.make({ children }).start)
      assert.deepStrictEqual(error.childPath, ["test/Failing"])
      assert.strictEqual(error.message, "test/Failing did not start: init failed with \"low 2\"")
      assert.deepStrictEqual(yield* Process.list, [])
    }).pipe(Effect.provideService(Start, 1), inNode, quiet))

  it("a child that has ended is missed by calls, casts, requests and Sys alike", () =>
    Effect.gen(function*() {
      const supervisor = yield* Supervisor.make({
        children: [
          Counter.server.child({ provide: true }),
          Level.machine.child({ name: "level", restart: "temporary" }),
          Notes.server.child({ name: "notes", restart: "temporary" })
        ]
      }).start
      const [level, notes] = [Level.at("level"), Notes.at("notes")]
      for (const id of ["test/Level", "test/Notes"]) yield* Supervisor.terminateChild(supervisor, id)
      yield* level.crash()
      yield* Agent.cast(notes, (all) => all)
      const requests: ReadonlyArray<Effect.Effect<unknown, CallError>> = [
        level.add({ n: 1 }),
        Agent.get(notes, (all) => all)
      ]
      for (const missed of requests) {
        yield* callFails(missed, "NoProcess")
        yield* callFails(GenServer.receiveResponse(yield* GenServer.sendRequest(missed)), "NoProcess")
      }
      for (const gone of [level, notes]) yield* callFails(Sys.getState(gone), "NoProcess")
      assert.deepStrictEqual(yield* GenServer.whereis("level"), Option.none())
      assert.isTrue(Exit.isFailure(yield* Effect.exit(GenServer.stop("notes"))))
    }).pipe(Effect.provideService(Start, 1), inNode))
})
