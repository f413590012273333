import * as Action from "@effect-otp/core/Action"
import * as GenServer from "@effect-otp/core/GenServer"
import type { CallError, StartError } from "@effect-otp/core/OtpError"
import * as StateMachine from "@effect-otp/core/StateMachine"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { model, type ModelFailed } from "@effect-otp/core/testing"
import * as Transition from "@effect-otp/core/Transition"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { defectOf } from "../utils/server.ts"

class NotEnough extends Schema.TaggedError<NotEnough>()("NotEnough", { n: Schema.Int }) {}

const Small = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 }))

class Counter extends GenServer.Service<Counter>()("test/Counter", [
  GenServer.cast("increment"),
  GenServer.call("value", { success: Schema.Int }),
  GenServer.call("take", { payload: { n: Small }, success: Schema.Int, error: NotEnough })
]) {}

type Handlers = GenServer.Handlers<typeof Counter.protocol, number>

const sound: Handlers = {
  increment: (count) => Step.noReply(count + 1),
  value: (count) => Step.reply(count, count),
  take: (count, { n }) => n > count ? Effect.fail(new NotEnough({ n })) : Step.reply(n, count - n)
}

/** A counter, with some of its handlers replaced. These need nothing, which their type does not say. */
const server = (handlers: Partial<Handlers> = {}, init: () => number = () => 0) =>
  Counter.implement({ init, handlers: { ...sound, ...handlers } }) as GenServer.Server<Counter, [], never, never, never>

const requests = {
  increment: (count: number): readonly [undefined, number] => [undefined, count + 1],
  value: (count: number): readonly [number, number] => [count, count],
  take: (
    count: number,
    { n }: { readonly n: number }
  ): readonly [number | Result.Result<number, NotEnough>, number] =>
    n > count ? [Result.fail(new NotEnough({ n })), count] : [n, count - n]
}

/** The counter and its model, with some handlers replaced. */
const counter = (handlers?: Partial<Handlers>, stateOf?: (state: number) => number) =>
  model(Counter, { start: server(handlers).start(), initial: 0, requests, stateOf })

const failure = (check: Effect.Effect<void, ModelFailed | StartError<never>>) =>
  Effect.map(Effect.flip(check), (error) => error._tag === "ModelFailed" ? error : assert.fail(String(error)))

const programOf = ({ program }: ModelFailed) =>
  program.map((
    { client, payload, request }
  ) => [request, ...(payload === undefined ? [] : [payload]), ...(client === undefined ? [] : [client])])

describe("check", () => {
  it.effect("passes a server that does what its model does", () =>
    counter(undefined, (state) => state).check({ runs: 200 }))

  it.live("and so it does on a clock that goes by itself", () => counter().check({ runs: 20 }))

  it.effect("finds the smallest program with another answer, and says where it differs", () =>
    Effect.gen(function*() {
      const error = yield* failure(counter({ take: (count, { n }) => Step.reply(n, count - n) }).check({ seed: 1 }))
      assert.deepStrictEqual(programOf(error), [["take", { n: 1 }]])
      assert.deepStrictEqual(error.expected, new NotEnough({ n: 1 }))
      assert.strictEqual(error.actual, 1)
      assert.deepStrictEqual(error.message.split("\n"), [
        `test/Counter is not what its model says (seed 1, run ${error.runs}):`,
        `  take({"n":1}) -> 1`,
        `    the answer is 1, expected failure {"_tag":"NotEnough","n":1}`
      ])
    }))

  it.effect("finds what takes several steps", () =>
    Effect.gen(function*() {
      const increment: Handlers["increment"] = (count) => Step.noReply(count === 2 ? 2 : count + 1)
      const error = yield* failure(counter({ increment }).check({ seed: 1 }))
      assert.deepStrictEqual(programOf(error), [["increment"], ["increment"], ["increment"], ["value"]])
      assert.deepStrictEqual([error.expected, error.actual], [3, 2])
      // At once, where it can look at the state.
      const looked = yield* failure(counter({ increment }, (state) => state).check({ seed: 1 }))
      assert.deepStrictEqual(programOf(looked), [["increment"], ["increment"], ["increment"]])
      assert.strictEqual(looked.lines.at(-1), "    the state is 2, expected 3")
    }))

  it.effect("gives the same failure for the same seed, and tries others for another", () =>
    Effect.gen(function*() {
      const { check } = counter({ value: (count) => Step.reply(count > 4 ? 4 : count, count) })
      const [one, again, other] = yield* Effect.all([
        failure(check({ seed: "a" })),
        failure(check({ seed: "a" })),
        failure(check({ seed: "b" }))
      ])
      assert.deepStrictEqual({ ...one }, { ...again })
      assert.notStrictEqual(one.runs, other.runs)
      const unseeded = yield* failure(check())
      assert.strictEqual((yield* failure(check({ seed: unseeded.seed }))).runs, unseeded.runs)
    }))

  it.effect("notices a call that crashes the server, and a cast that does", () =>
    Effect.gen(function*() {
      const called = yield* failure(counter({ value: () => Effect.die(new Error("boom")) }).check({ seed: 1 }))
      assert.deepStrictEqual(programOf(called), [["value"]])
      assert.strictEqual((called.actual as CallError).reason._tag, "ServerExited")
      const cast = yield* failure(counter({ increment: () => Effect.die(new Error("boom")) }).check({ seed: 1 }))
      assert.deepStrictEqual(programOf(cast), [["increment"]])
      assert.match(cast.lines.at(-1)!, /the server is failure CallError: .*, expected "alive"$/)
    }))

  it.effect("moves the TestClock while a request takes its time, also for ever", () =>
    Effect.gen(function*() {
      yield* counter({ value: (count) => Effect.as(Effect.sleep("1 second"), Step.reply(count, count)) }).check({
        runs: 20
      })
      const error = yield* failure(counter({ value: () => Effect.never }).check({ seed: 1 }))
      assert.strictEqual((error.actual as CallError).reason._tag, "Timeout")
    }))

  it.effect("takes other payloads than those of the protocol", () =>
    Effect.gen(function*() {
      const seen = new Set<number>()
      const take: Handlers["take"] = (count, { n }, from) => {
        seen.add(n)
        return sound.take(count, { n }, from)
      }
      const start = server({ take }).start()
      yield* model(Counter, { start, initial: 0, requests, payloads: { take: Arbitrary.Constant({ n: 3 }) } }).check()
      assert.deepStrictEqual([...seen], [3])
      const Other = Schema.Struct({ n: Schema.Literals([7, 8]) })
      yield* model(Counter, { start, initial: 0, requests, payloads: { take: Other } }).check()
      assert.deepStrictEqual([...seen].sort(), [3, 7, 8])
    }))

  it.effect("compares as it is told to", () =>
    Effect.gen(function*() {
      const { start } = server({ value: (count) => Step.reply(count + 1, count) })
      const near = (a: unknown, b: unknown) => Math.abs(Number(a) - Number(b)) <= 1
      yield* model(Counter, { start: start(), initial: 0, requests, same: near }).check({ runs: 20 })
    }))

  it.effect("fails as the start of the server does", () =>
    Effect.gen(function*() {
      const start = Effect.andThen(Effect.fail("no" as const), server().start())
      assert.strictEqual(yield* Effect.flip(model(Counter, { start, initial: 0, requests }).check()), "no")
    }))

  it.effect("has the services that the server needs", () =>
    Effect.gen(function*() {
      class First extends Context.Service<First, number>()("First") {}
      const start = Effect.flatMap(First, (first) => server({}, () => first).start())
      yield* model(Counter, { start, initial: 5, requests }).check({ runs: 20 }).pipe(
        Effect.provideService(First, 5)
      )
    }))

  it.effect("takes a state machine, too", () =>
    Effect.gen(function*() {
      class Door extends StateMachine.Service<Door, { open: number; closed: number }>()("test/Door", [
        GenServer.call("push", { success: Schema.Boolean })
      ]) {}
      const { start } = Door.implement({
        init: () => Transition.next("closed", 0),
        states: {
          open: { push: (n, _, from) => Transition.next("closed", n, [Action.reply(from, false)]) },
          closed: { push: (n, _, from) => Transition.next("open", n + 1, [Action.reply(from, true)]) }
        }
      })
      const push = (open: boolean): readonly [boolean, boolean] => [!open, !open]
      yield* model(Door, { start: start(), initial: false, requests: { push } }).check({ runs: 20 })
      const stays = (open: boolean): readonly [boolean, boolean] => [!open, open]
      const door = model(Door, { start: start(), initial: false, requests: { push: stays } })
      assert.deepStrictEqual(programOf(yield* failure(door.check())), [["push"], ["push"]])
    }))

  it("refuses a model without one of the requests", () => {
    const { take: _, ...some } = requests
    assert.throws(
      () => model(Counter, { start: server().start(), initial: 0, requests: some as never }),
      /requests of the model of test\/Counter: expected a function for take/
    )
  })
})

describe("a server that is killed", () => {
  const restarted = () => 0

  it.effect("begins again as its model does", () =>
    Effect.gen(function*() {
      const kept = model(Counter, { start: server().layer(), initial: 0, requests, restarted })
      yield* kept.check({ runs: 100 })
      yield* kept.checkConcurrent({ runs: 100, impatient: true })
      // What waits in the mailbox is lost with it.
      const increment: Handlers["increment"] = (count) => Effect.as(Effect.sleep(2), Step.noReply(count + 1))
      const slow = model(Counter, { start: server({ increment }).layer(), initial: 0, requests, restarted })
      yield* slow.checkConcurrent({ runs: 100 })
    }), 60_000)

  it.effect("also after a backoff", () =>
    Effect.gen(function*() {
      const tree = Supervisor.make({ children: [server().child({ backoff: Schedule.spaced("3 seconds") })] })
      yield* model(Counter, { start: tree.layer, initial: 0, requests, restarted }).check({ runs: 20 })
    }), 60_000)

  it.effect("is noticed when it remembers", () =>
    Effect.gen(function*() {
      // It keeps its count where a restart does not reach it.
      const start = Layer.suspend(() => {
        let kept = 0
        const increment: Handlers["increment"] = (count) => Step.noReply(kept = count + 1)
        return server({ increment, take: sound.take }, () => kept).layer()
      })
      // Nobody takes as much as there is: what is kept would be too much then.
      const payloads = { take: Arbitrary.Constant({ n: 20 }) }
      const subject = (restarted: (count: number) => number) =>
        model(Counter, { start, initial: 0, requests, payloads, restarted })
      yield* subject((count) => count).check({ maxLength: 10 })
      const error = yield* failure(subject(() => 0).check({ seed: 1, maxLength: 10 }))
      assert.deepStrictEqual(programOf(error), [["increment"], ["kill"], ["value"]])
      assert.deepStrictEqual(error.lines.slice(0, 2), ["  increment()", "  kill the server"])
    }))

  it.effect("has to be under a supervisor", () =>
    Effect.gen(function*() {
      const error = yield* defectOf(
        model(Counter, { start: server().start(), initial: 0, requests, restarted }).check()
      )
      assert.match(error.message, /nobody has started the server again/)
    }))
})

describe("checkConcurrent", () => {
  it.effect("passes a server that takes one request after the other, however long each takes", () => {
    const slow: Handlers["take"] = (count, { n }) =>
      Effect.andThen(
        Effect.sleep(1),
        n > count ? Effect.fail(new NotEnough({ n })) : Effect.succeed(Step.reply(n, count - n))
      )
    return counter({ take: slow }, (state) => state).checkConcurrent({ runs: 200, impatient: true })
  })

  it.live("and so it does on a clock that goes by itself", () => counter().checkConcurrent({ runs: 20 }))

  /** It looks at its stock, and takes from it a while later, while it serves others. */
  const hasty = Effect.suspend(() => {
    let stock = 0
    return server({
      increment: (count) => {
        stock++
        return Step.noReply(count)
      },
      value: (count) => Step.reply(stock, count),
      take: (count, { n }, from) => {
        const before = stock
        const take = Effect.suspend(() => {
          if (n > before) return GenServer.fail(from, new NotEnough({ n }))
          stock = before - n
          return GenServer.reply(from, n)
        })
        return Effect.as(Effect.forkDetach(Effect.delay(take, 1)), Step.noReply(count))
      }
    }).start()
  })

  it.effect("finds what no single client finds, and makes it small", () =>
    Effect.gen(function*() {
      const subject = model(Counter, { start: hasty, initial: 0, requests })
      yield* subject.check({ runs: 300, seed: 1 })
      const error = yield* failure(subject.checkConcurrent({ runs: 300, seed: 1 }))
      assert.isAtMost(error.program.length, 4, error.message)
      assert.isAtLeast(new Set(error.program.map(({ client }) => client)).size, 2)
      assert.strictEqual(error.lines[0], "  no order explains this:")
      assert.strictEqual(error.lines.length, 1 + error.program.length)
      assert.match(error.lines[1]!, /^ {4}client \d \d+ \w+\(.*\) -> /)
      const again = yield* failure(subject.checkConcurrent({ runs: 300, seed: 1 }))
      assert.deepStrictEqual({ ...again }, { ...error })
    }), 30_000)

  it.effect("notices a server that is gone", () =>
    Effect.gen(function*() {
      const value = () => Effect.die(new Error("boom"))
      const error = yield* failure(counter({ value }).checkConcurrent({ seed: 1 }))
      assert.deepStrictEqual(error.program.map(({ request }) => request), ["value"])
      assert.match(error.lines[0]!, /value\(\) -> failure CallError: .*boom/)
      const increment = () => Effect.die(new Error("boom"))
      const cast = yield* failure(counter({ increment }).checkConcurrent({ seed: 1 }))
      assert.deepStrictEqual(cast.program.map(({ request }) => request), ["increment"])
    }))

  it.effect("looks at the state in the end, if it can", () =>
    Effect.gen(function*() {
      const increment: Handlers["increment"] = (count) => Step.noReply(count + 2)
      const error = yield* failure(counter({ increment }, (state) => state).checkConcurrent({ seed: 1 }))
      assert.deepStrictEqual(error.program.map(({ request }) => request), ["increment"])
      assert.match(error.lines.at(-1)!, /afterwards \d+ the state -> \d+: 2/)
    }))

  it.effect("refuses no clients at all", () =>
    Effect.gen(function*() {
      const error = yield* defectOf(counter().checkConcurrent({ clients: 0 }))
      assert.match(error.message, /clients: expected one or more/)
    }))
})
