import * as Action from "@effect-otp/core/Action"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as StateMachine from "@effect-otp/core/StateMachine"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import * as Transition from "@effect-otp/core/Transition"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { ask, go, Machine, machine, stay, tell } from "./utils/machine.ts"
import { asProcess, inNode } from "./utils/process.ts"
import { callFails, defectOf, logged, messageOf, Refused } from "./utils/server.ts"

const answers = (value: unknown) => (_: number, from: GenServer.From<unknown, Refused>) =>
  Transition.keepAndData([Action.reply(from, value)])

describe("init", () => {
  it.effect("SM-002 gives a state with its data and actions, or an Effect of them", () =>
    Effect.gen(function*() {
      for (const wrap of [<A>(a: A) => a, <A>(a: A) => Effect.succeed(a)]) {
        const seen: Array<unknown> = []
        const inserted = Action.nextEvent("own", { name: "inserted", in: stay() })
        const ref = yield* machine(seen, {
          init: () => wrap(Transition.next("B", 7, [inserted, Action.stateTimeout("1 second", 1)]))
        }).start()
        assert.strictEqual(yield* ask(ref, (n, from) => Transition.keepAndData([Action.reply(from, n)])), 7)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(seen, ["B inserted", "B ask", ["B", "stateTimeout", 1]])
      }
    }).pipe(inNode))

  it.effect("SM-002 may ignore, stop or fail", () =>
    logged(() =>
      Effect.gen(function*() {
        const stop = ExitReason.shutdown("no")
        const endings = [
          [() => GenServer.ignore, "Ignored"],
          [() => GenServer.initStop(stop), "Stopped"],
          [() => Effect.fail("typed"), "InitFailed"],
          [() => 42, "Crashed"],
          [() => Transition.keepAndData(), "Crashed"],
          [() => Transition.next("nowhere", 0), "Crashed"]
        ] as const
        for (const [init, tag] of endings) {
          const error = yield* Effect.flip(machine([], { init }).start())
          assert.strictEqual((error as any).reason._tag, tag)
        }
        const error: any = yield* Effect.flip(machine([], { init: () => 42 }).start())
        assert.strictEqual(
          (Cause.squash(error.reason.cause) as Error).message,
          "test/Machine: init must give Transition.next, or an Effect of it; it gave 42"
        )
      })
    ).pipe(inNode))
})

describe("results", () => {
  it.effect("SM-005 next, keep, keepAndData, repeat and repeatAndData give state and data", () =>
    Effect.gen(function*() {
      const ref = yield* machine([]).start()
      const steps = [
        [() => Transition.keep(1), ["A", 1]],
        [() => Transition.keepAndData(), ["A", 1]],
        [() => Transition.repeat(2), ["A", 2]],
        [() => Transition.repeatAndData(), ["A", 2]],
        [() => Transition.next("B", 3), ["B", 3]],
        [() => Effect.succeed(Transition.next("C", 4)), ["C", 4]]
      ] as const
      const where = (state: string) => (n: number, from: GenServer.From<unknown>) =>
        Transition.keepAndData([Action.reply(from, [state, n])])
      for (const [step, expected] of steps) {
        yield* tell(ref, step)
        assert.deepStrictEqual(yield* ask(ref, { A: where("A"), B: where("B"), C: where("C") }), expected)
      }
    }).pipe(inNode))

  it.effect("SM-005 SM-038 stop ends it, Normal by default, and terminate gets reason, state and data", () =>
    Effect.gen(function*() {
      const reason = ExitReason.shutdown("x")
      for (
        const [stop, expected, data] of [
          [() => Transition.stop(), ExitReason.normal, 0],
          [() => Transition.stop(reason), reason, 0],
          [() => Transition.stop(reason, 5), reason, 5],
          [() => Transition.stopAndReply(reason, [], 6), reason, 6],
          [() => Transition.stopAndReply(reason, []), reason, 0]
        ] as const
      ) {
        const ended: Array<unknown> = []
        const ref = yield* machine([], { terminate: (...given) => void ended.push(given) }).start()
        yield* tell(ref, go("B"))
        yield* tell(ref, stop)
        assert.deepStrictEqual(yield* Process.awaitExit(ref.pid), expected)
        assert.deepStrictEqual(ended, [[{ state: "B", data }, expected]])
      }
    }).pipe(inNode))

  it.effect.each(
    [
      [(): unknown => 42, "\"A\" must give a Transition for Cast \"tell\", or an Effect of one; it gave 42"],
      [() => Effect.succeed(42), "\"A\" must give a Transition for Cast \"tell\", or an Effect of one; it gave 42"],
      [(): unknown => undefined, "\"A\" does not handle Cast \"tell\""],
      [() => Transition.next("nowhere", 0), "there is no state \"nowhere\""],
      [() => Transition.next("toString", 0), "there is no state \"toString\""],
      [() => Transition.keep(0, ["reply" as never]), "no action: \"reply\""],
      [() => Transition.keep(0, "postpone" as never), "actions: expected an array, got \"postpone\""],
      [
        () => Transition.stopAndReply(ExitReason.normal, [Action.postpone as never]),
        "stopAndReply takes replies, and nothing else"
      ]
    ] as const
  )(
    "SM-006 a bad result or action crashes it and says what: %#",
    ([result, message]) =>
      logged(() =>
        Effect.gen(function*() {
          const ref = yield* machine([]).start()
          yield* tell(ref, result)
          assert.strictEqual(messageOf(yield* Process.awaitExit(ref.pid)), `test/Machine: ${message}`)
        })
      ).pipe(inNode)
  )

  it.effect("SM-006 replies that stand before a bad action have gone out", () =>
    logged(() =>
      Effect.gen(function*() {
        const ref = yield* machine([]).start()
        assert.strictEqual(
          yield* ask(ref, (_, from) => Transition.keep(0, [Action.reply(from, "first"), "bad" as never])),
          "first"
        )
      })
    ).pipe(inNode))

  it.effect("SM-007 a throw is a crash, and no return value", () =>
    logged(() =>
      Effect.gen(function*() {
        const ref = yield* machine([]).start()
        yield* tell(ref, () => {
          // oxlint-disable-next-line no-throw-literal
          throw Transition.keepAndData()
        })
        assert.strictEqual((yield* Process.awaitExit(ref.pid))._tag, "Crashed")
      })
    ).pipe(inNode))

  it.effect("SM-044 hibernate is accepted", () =>
    Effect.gen(function*() {
      const ref = yield* machine([]).start()
      yield* tell(ref, stay(Action.hibernate))
      assert.strictEqual(yield* ask(ref, answers("works")), "works")
    }).pipe(inNode))
})

describe("replies", () => {
  it.effect("SM-008 go out in the order of their list, before the next enter call", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const froms: Array<any> = []
      const ref = yield* machine(seen, {
        enter: (state) => {
          if (state === "B") seen.push(froms.map((from) => from.isDone))
          return Transition.keepAndData()
        }
      }).start()
      const order: Array<number> = []
      for (const i of [0, 1]) {
        yield* Effect.forkChild(
          Effect.andThen(
            ask(ref, (_, from) => {
              froms.push(from)
              return Transition.keepAndData()
            }, `${i}`),
            Effect.sync(() => order.push(i))
          ),
          { startImmediately: true }
        )
      }
      yield* settle
      yield* tell(ref, () => Transition.next("B", 0, [Action.reply(froms[1], 1), Action.reply(froms[0], 0)]), "change")
      yield* settle
      assert.deepStrictEqual(order, [1, 0])
      assert.deepStrictEqual(seen.slice(3), ["A change", "enter(A, B)", [true, true]])
    }).pipe(inNode))

  it.effect("SM-036 answer calls that were received earlier, also with their error", () =>
    Effect.gen(function*() {
      let earlier: any
      const ref = yield* machine([]).start()
      const call = yield* Effect.forkChild(
        Effect.flip(ask(ref, (_, from) => {
          earlier = from
          return Transition.keepAndData()
        })),
        { startImmediately: true }
      )
      yield* settle
      yield* tell(ref, () => Transition.keepAndData([Action.fail(earlier, new Refused())]))
      assert.strictEqual((yield* Fiber.join(call))._tag, "Refused")
    }).pipe(inNode))

  it.effect("SM-037 stopAndReply answers in order, and then terminates", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const froms: Array<any> = []
      const ref = yield* machine([], { terminate: () => void seen.push("terminate") }).start()
      for (const i of [1, 2]) {
        const call = ask(ref, (_, from) => {
          const complete = (from as any).complete
          // Notes the answers as they are given.
          Object.assign(from, {
            complete(exit: unknown) {
              seen.push(`reply ${i}`)
              complete.call(this, exit)
            }
          })
          froms.push(from)
          return Transition.keepAndData()
        })
        yield* Effect.forkChild(call, { startImmediately: true })
      }
      yield* settle
      yield* tell(ref, () =>
        Transition.stopAndReply(ExitReason.shutdown(), [Action.reply(froms[0], 1), Action.reply(froms[1], 2)]))
      yield* Process.awaitExit(ref.pid)
      assert.deepStrictEqual(seen.slice(0, 3), ["reply 1", "reply 2", "terminate"])
    }).pipe(inNode))

  it.effect("SM-039 a call without one fails with the reason when the machine stops", () =>
    Effect.gen(function*() {
      const ref = yield* machine([]).start()
      const reason = ExitReason.shutdown("x")
      const error = yield* callFails(ask(ref, () => Transition.stop(reason)), "ServerExited")
      assert.deepStrictEqual(error.reason.reason, reason)
    }).pipe(inNode))

  it.effect("a typed failure is the answer, and keeps everything as it is; so it is for a postponed call", () =>
    Effect.gen(function*() {
      const ref = yield* machine([]).start()
      assert.strictEqual((yield* Effect.flip(ask(ref, () => Effect.fail(new Refused()))))._tag, "Refused")
      const call = yield* Effect.forkChild(
        Effect.flip(ask(ref, { A: stay(Action.postpone), B: () => Effect.fail(new Refused()) })),
        { startImmediately: true }
      )
      yield* settle
      yield* tell(ref, go("B"))
      assert.strictEqual((yield* Fiber.join(call))._tag, "Refused")
      assert.strictEqual(yield* ask(ref, { B: answers("B") }), "B")
    }).pipe(inNode))

  it.effect("SM-040 SM-041 a call waits without limit, unless CallTimeout is provided", () =>
    Effect.gen(function*() {
      const ref = yield* machine([]).start()
      const patient = yield* Effect.forkChild(ask(ref, stay()), { startImmediately: true })
      const hasty = yield* Effect.forkChild(
        Effect.provideService(callFails(ask(ref, stay()), "Timeout"), GenServer.CallTimeout, "1 second"),
        { startImmediately: true }
      )
      yield* settle
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(hasty)
      yield* TestClock.adjust("365 days")
      assert.isUndefined(patient.pollUnsafe())
    }).pipe(inNode))

  it.effect("SM-040 the calls of a GenServer with the very same requests still wait for 5 seconds", () =>
    Effect.gen(function*() {
      class Server extends GenServer.Service<Server>()("test/Server", Machine.protocol) {}
      const server = yield* Server.implement({
        init: () => 0,
        handlers: { ask: (n: number) => Step.noReply(n), tell: (n: number) => Step.noReply(n) }
      }).start()
      yield* machine([]).start()
      const call = yield* Effect.forkChild(callFails(server.ask(1), "Timeout"), { startImmediately: true })
      yield* settle
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(call)
    }).pipe(inNode))
})

describe("a machine is a server", () => {
  it.effect("SM-001 it is started, named, stopped and called as one", () =>
    Effect.gen(function*() {
      const implementation = machine([])
      const ref = yield* implementation.start({ name: "machine" })
      assert.strictEqual(yield* ask(Machine.at("machine"), answers(1)), 1)
      const error: any = yield* Effect.flip(implementation.start({ name: "machine" }))
      assert.strictEqual(error.reason._tag, "AlreadyStarted")
      yield* GenServer.stop(ref)
      assert.isFalse(yield* Process.isAlive(ref.pid))
      yield* callFails(ask(ref, answers(1)), "NoProcess")
      const inTree = Effect.flatMap(Machine, (client) => ask(client, answers(2)))
      assert.strictEqual(yield* Effect.provide(inTree, implementation.layer()), 2)
    }).pipe(inNode))

  it.effect("SM-001 startLink takes the caller along, startScoped ends with the scope", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const linked = yield* machine([]).startLink()
        yield* tell(linked, () => Transition.stop(ExitReason.shutdown("x")))
        assert.deepStrictEqual((yield* self.receive).reason, ExitReason.shutdown("x"))
        const scoped = yield* Effect.scoped(machine([]).startScoped())
        assert.isFalse(yield* Process.isAlive(scoped.pid))
      })
    ))

  it.effect("SM-046 one that traps exits ends with the reason of its parent", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const ended: Array<unknown> = []
        const parent = yield* Process.spawn(() =>
          Effect.gen(function*() {
            const ref = yield* machine([], {
              trapExit: true,
              terminate: ({ state }, reason) => void ended.push([state, reason])
            }).startLink()
            yield* Effect.orDie(Process.register("child", ref.pid))
            yield* Effect.never
          })
        )
        yield* settle
        yield* Process.monitor("child")
        yield* Process.exit(parent, ExitReason.shutdown())
        assert.deepStrictEqual((yield* self.receive).reason, ExitReason.shutdown())
        assert.deepStrictEqual(ended, [["A", ExitReason.shutdown()]])
      })
    ))

  it.effect("SM-050 a crash in a callback ends it with its Cause, which reaches its callers", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const boom = new Error("boom")
        const ref = yield* machine([]).start()
        const waits = yield* Effect.forkChild(callFails(ask(ref, stay()), "ServerExited"), { startImmediately: true })
        yield* settle
        const error = yield* callFails(
          ask(ref, () => {
            throw boom
          }),
          "ServerExited"
        )
        const reason = ExitReason.crashed(Cause.die(boom))
        assert.deepStrictEqual(error.reason.reason, reason)
        assert.deepStrictEqual((yield* Fiber.join(waits)).reason.reason, reason)
        assert.strictEqual(lines.length, 1)
        assert.strictEqual(lines[0].message[0], `test/Machine ${ref.pid} crashed in call ask: Error: boom`)
      })
    ).pipe(inNode))

  it.effect("a message that the state has no info for is dropped, with a warning", () =>
    logged((lines) =>
      Effect.gen(function*() {
        class Plain extends StateMachine.Service<Plain, { Only: void }>()("test/Plain", [
          GenServer.call("ask", { success: Schema.Number })
        ]) {}
        const ref = yield* Plain.implement({
          init: () => Transition.next("Only", undefined),
          states: { Only: { ask: (_data, _payload, from) => Transition.keepAndData([Action.reply(from, 1)]) } }
        }).start()
        yield* Process.send(ref.pid as Process.Pid<string>, "hello")
        assert.strictEqual(yield* ref.ask(), 1)
        assert.deepStrictEqual(lines.map(({ level, report }) => [level, report.message]), [["Warn", "hello"]])
      })
    ).pipe(inNode))

  it.effect("formatStatus gets state, data and the queues, and its answer is in the report", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const ref = yield* machine([], {
          formatStatus: ({ data, postponed, state }) => [state, data, postponed.length]
        })
          .start()
        yield* tell(ref, stay(Action.postpone))
        yield* Effect.exit(ask(ref, () => Effect.die("boom")))
        assert.deepStrictEqual(lines[0].report.state, ["A", 0, 1])
      })
    ).pipe(inNode))

  it.effect("one that inserts events without end lets others have their turn, and can be ended", () =>
    Effect.gen(function*() {
      const again: any = () => Transition.keepAndData([Action.nextEvent("own", { name: "again", in: again })])
      const ref = yield* machine([]).start()
      yield* tell(ref, again)
      yield* Effect.yieldNow
      yield* Process.exit(ref.pid, ExitReason.kill)
      assert.deepStrictEqual(yield* Process.awaitExit(ref.pid), ExitReason.killed)
    }).pipe(inNode))

  it("a request cannot have a name that a state uses otherwise", () => {
    assert.throws(
      () => StateMachine.Service<unknown, {}>()("test/Bad", [GenServer.cast("enter")] as never),
      "test/Bad: a request cannot be named \"enter\""
    )
  })
})

describe("catch-alls", () => {
  it.effect("one of a state comes before that of the machine, and both get the event as it is", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      class Both extends StateMachine.Service<Both, { A: number; B: number }, {
        readonly internal: { readonly own: string }
        readonly stateTimeout: number
        readonly info: string
      }>()("test/Both", [GenServer.call("ask", { payload: Schema.Number }), GenServer.cast("tell")]) {}
      const ref = yield* Both.implement({
        init: () => Transition.next("A", 1, [Action.nextEvent("own", "x"), Action.stateTimeout(0, 7)]),
        states: {
          A: {
            otherwise: (data, event) => {
              seen.push(["A", data, event])
              return event._tag === "Cast" ? Transition.next("B", 2) : Transition.keepAndData()
            }
          },
          B: { tell: () => Transition.keepAndData() }
        },
        otherwise: (current, event) => {
          seen.push([current, event._tag])
          return Transition.keepAndData(event._tag === "Call" ? [Action.reply(event.from, undefined)] : [])
        }
      }).start()
      yield* ref.tell()
      yield* ref.tell()
      yield* ref.ask(3)
      yield* Process.send(ref.pid, "hello")
      yield* settle
      assert.deepStrictEqual(seen, [
        ["A", 1, { _tag: "Internal", name: "own", payload: "x" }],
        ["A", 1, { _tag: "StateTimeout", content: 7 }],
        ["A", 1, { _tag: "Cast", name: "tell", payload: undefined }],
        [{ state: "B", data: 2 }, "Call"],
        [{ state: "B", data: 2 }, "Info"]
      ])
    }).pipe(inNode))
})

describe("transition", () => {
  const tellThat = (todo: any) => ({ _tag: "Cast", name: "tell", payload: { name: "tell", in: todo } }) as const
  const { transition } = machine([], { enter: () => Transition.keepAndData() })

  it("gives the machine as it waits again, without a process", () => {
    const postponed = tellThat({ A: stay(Action.postpone), B: stay(Action.timeout("one", "1 minute", 1)) })
    const first = transition({ state: "A", data: 0 }, postponed)
    assert.deepStrictEqual(first.snapshot, { state: "A", data: 0, postponed: [postponed], timeouts: [] })
    const change = tellThat(go("B", Action.stateTimeout("10 seconds", "auto"), Action.timeout("two", 0)))
    const { replies, snapshot, stop } = transition(first.snapshot, change)
    assert.deepStrictEqual(snapshot, {
      state: "B",
      data: 0,
      postponed: [],
      timeouts: [Action.stateTimeout("10 seconds", "auto"), Action.timeout("one", "1 minute", 1)]
    })
    assert.deepStrictEqual([replies, stop], [[], undefined])
    const fired = transition(snapshot, { _tag: "StateTimeout", content: "auto" })
    assert.deepStrictEqual(fired.snapshot.timeouts, [Action.timeout("one", "1 minute", 1)])
  })

  it("gives answers, and the reason of a stop", () => {
    const reason = ExitReason.shutdown("x")
    const todo = (_: number, from: any) => Transition.stopAndReply(reason, [Action.reply(from, 1)], 5)
    const call = { _tag: "Call", name: "ask", payload: { name: "ask", in: todo } } as const
    const { replies, snapshot, stop } = transition({ state: "A", data: 0 }, call)
    assert.deepStrictEqual(replies.map(({ exit }) => exit), [Exit.succeed(1)])
    assert.deepStrictEqual([snapshot.state, snapshot.data, stop], ["A", 5, reason])
  })

  it.effect("throws what would crash the machine, and refuses a callback that gives an Effect", () =>
    Effect.gen(function*() {
      const of = (todo: any) => defectOf(Effect.sync(() => transition({ state: "A", data: 0 }, tellThat(todo))))
      assert.strictEqual((yield* of(go("D" as never))).message, "test/Machine: there is no state \"D\"")
      assert.strictEqual(
        (yield* of(() => Effect.void)).message,
        "test/Machine: a callback of \"A\" gives an Effect, which takes a process"
      )
    }))
})
