import * as GenServer from "@effect-otp/core/GenServer"
import * as RequestIds from "@effect-otp/core/RequestIds"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { inNode } from "./utils/process.ts"
import { ask, callFails, defectOf, Refused, Told, told } from "./utils/server.ts"

type Ids = RequestIds.RequestIds<unknown, unknown, string>

/** Requests to servers of their own, one for each label, and what has one of them answered. */
const requests = Effect.fnUntraced(function*(labels: ReadonlyArray<string>) {
  let ids: Ids = RequestIds.make()
  const gates = new Map<string, Deferred.Deferred<void, Refused>>()
  for (const label of labels) {
    const server = yield* told().start()
    const gate = yield* Deferred.make<void, Refused>()
    const id = yield* GenServer.sendRequest(
      ask(server, (state) => Effect.as(Deferred.await(gate), Step.reply(label.toUpperCase(), state)))
    )
    gates.set(label, gate)
    ids = RequestIds.add(ids, id, label)
  }
  yield* settle
  const answer = (label: string) => Effect.andThen(Deferred.succeed(gates.get(label)!, undefined), settle)
  return { ids, answer, refuse: (label: string) => Deferred.fail(gates.get(label)!, new Refused()) }
})

/** The label and the response of an outcome, and what is left; or its tag. */
const shown = (outcome: RequestIds.Outcome<unknown, unknown, string>) =>
  outcome._tag === "Response"
    ? [outcome.label, Result.merge(outcome.response), RequestIds.size(outcome.rest)]
    : outcome._tag

const restOf = (outcome: RequestIds.Outcome<unknown, unknown, string>): Ids =>
  outcome._tag === "Response" ? outcome.rest : assert.fail(outcome._tag)

describe("a collection of requests", () => {
  it.effect("RP-012 maps ids to labels, and never changes", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const [a, b] = [
        yield* GenServer.sendRequest(ask(server, () => Effect.never)),
        yield* GenServer.sendRequest(ask(server, () => Effect.never))
      ]
      const empty = RequestIds.make()
      const one = RequestIds.add(empty, a, "same")
      const two = RequestIds.add(one, b, "same")
      assert.deepStrictEqual([empty, one, two].map(RequestIds.size), [0, 1, 2])
      assert.deepStrictEqual(RequestIds.toList(one), [[a, "same"]])
      const listed = RequestIds.toList(two)
      assert.isTrue(listed.some(([id]) => id === a) && listed.some(([id]) => id === b))
      assert.deepStrictEqual(listed.map(([, label]) => label), ["same", "same"])
    }).pipe(inNode))

  it.effect("RP-012 refuses an id that it has, and what is none", () =>
    Effect.gen(function*() {
      const server = yield* told().start({ name: "server" })
      const id = yield* GenServer.sendRequest(Told.at("server").ask(() => Effect.never))
      const ids = RequestIds.add(RequestIds.make(), id, 1)
      assert.strictEqual(
        (yield* defectOf(Effect.sync(() => RequestIds.add(ids, id, 2)))).message,
        "id: the request ask to server is in the collection already"
      )
      assert.strictEqual(
        (yield* defectOf(Effect.sync(() => RequestIds.add(ids, server as never, 2)))).message.slice(0, 44),
        "id: expected what GenServer.sendRequest gave"
      )
    }).pipe(inNode))
})

for (const [name, ask] of [["receive", RequestIds.receive], ["wait", RequestIds.wait]] as const) {
  describe(name, () => {
    it.effect("RP-013 gives the response, the label and the rest, in the order of the answers", () =>
      Effect.gen(function*() {
        const { answer, ids, refuse } = yield* requests(["a", "b", "c"])
        yield* answer("c")
        yield* answer("a")
        const first = yield* ask(ids)
        assert.deepStrictEqual(shown(first), ["c", "C", 2])
        const second = yield* ask(restOf(first))
        assert.deepStrictEqual(shown(second), ["a", "A", 1])
        const third = yield* Effect.forkChild(ask(restOf(second)))
        yield* settle
        yield* refuse("b")
        assert.deepStrictEqual(shown(yield* Fiber.join(third)), ["b", new Refused(), 0])
        assert.strictEqual(RequestIds.size(ids), 3)
      }).pipe(inNode))

    it.effect("RP-013 says that there is no request", () =>
      Effect.gen(function*() {
        assert.strictEqual(shown(yield* ask(RequestIds.make())), "NoRequest")
      }).pipe(inNode))

    it.effect("gives the failure of a request as its response", () =>
      Effect.gen(function*() {
        const id = yield* GenServer.sendRequest(Told.at("missing").ask(() => Effect.never))
        const outcome = yield* ask(RequestIds.add(RequestIds.make(), id, "missing"))
        const response = outcome._tag === "Response" ? outcome.response : assert.fail(outcome._tag)
        yield* callFails(Effect.fromResult(response), "NoProcess")
      }).pipe(inNode))

    it.effect("refuses a timeout that is none", () =>
      Effect.gen(function*() {
        const { ids } = yield* requests(["a"])
        assert.strictEqual(
          (yield* defectOf(ask(ids, { timeout: -1 }))).message,
          "timeout: expected a duration of zero or more, got -1"
        )
      }).pipe(inNode))

    it.effect("has no more time than the call in whose handler it waits, and says so", () =>
      Effect.gen(function*() {
        const { ids } = yield* requests(["a", "b"])
        const server = yield* told().start({ name: "server" })
        const seen: Array<unknown> = []
        const call = Told.at("server").ask(() =>
          Effect.map(Effect.flip(ask(ids)), (error) => Step.noReply(seen.push(error.reason._tag, error.reason)))
        )
        yield* Effect.forkChild(Effect.provideService(call, GenServer.CallTimeout, "1 second"))
        yield* TestClock.adjust("1 second")
        yield* settle
        assert.deepInclude(seen[1], { after: 1000, outer: { server: "server", request: "ask" } })
        assert.isTrue((yield* GenServer.whereis(server.pid))._tag === "Some")
      }).pipe(inNode))
  })
}

describe("a timeout", () => {
  const timesOut = Effect.fnUntraced(
    function*(waiting: Effect.Effect<RequestIds.Outcome<unknown, unknown, string>, unknown>) {
      const fiber = yield* Effect.forkChild(waiting)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(shown(yield* Fiber.join(fiber)), "Timeout")
    }
  )

  it.effect("RP-013 of a receive gives up all of them: late answers are dropped", () =>
    Effect.gen(function*() {
      const { answer, ids } = yield* requests(["a", "b"])
      yield* timesOut(RequestIds.receive(ids, { timeout: "1 second" }))
      yield* answer("a")
      for (const [id] of RequestIds.toList(ids)) {
        assert.strictEqual((yield* callFails(GenServer.checkResponse(id), "Timeout")).reason.after, 1000)
      }
    }).pipe(inNode))

  it.effect("RP-013 of a wait keeps all of them: waiting again gives the answer", () =>
    Effect.gen(function*() {
      const { answer, ids } = yield* requests(["a", "b"])
      yield* timesOut(RequestIds.wait(ids, { timeout: "1 second" }))
      assert.strictEqual(shown(yield* RequestIds.wait(ids, { timeout: 0 })), "Timeout")
      yield* answer("b")
      assert.deepStrictEqual(shown(yield* RequestIds.wait(ids)), ["b", "B", 1])
    }).pipe(inNode))

  it.effect("an interrupted receive gives up all of them, an interrupted wait none", () =>
    Effect.gen(function*() {
      for (const [asked, isKept] of [[RequestIds.wait, true], [RequestIds.receive, false]] as const) {
        const { answer, ids } = yield* requests(["a"])
        const waiting = yield* Effect.forkChild(asked(ids))
        yield* settle
        yield* Fiber.interrupt(waiting)
        yield* answer("a")
        const exit = yield* Effect.exit(GenServer.receiveResponse(RequestIds.toList(ids)[0]![0]))
        assert.strictEqual(exit._tag, isKept ? "Success" : "Failure")
      }
    }).pipe(inNode))
})
