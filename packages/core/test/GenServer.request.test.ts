/** Requests that are sent now and asked for later, and calls and casts to many servers. */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Name from "@effect-otp/core/Name"
import { type CallError, MailboxFull } from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { arrived, asProcess, inNode, queued } from "./utils/process.ts"
import { ask, callFails, defectOf, type Ref, Refused, tell, Told, told } from "./utils/server.ts"

const reply = (value: unknown) => (state: unknown) => Step.reply(value, state)

/** A server whose handler waits, and what lets it go on. */
const held = Effect.fnUntraced(function*(server: Ref) {
  const gate = yield* Deferred.make<void>()
  yield* tell(server, (state) => Effect.as(Deferred.await(gate), Step.noReply(state)))
  yield* settle
  return Deferred.succeed(gate, undefined)
})

/** Answers what its state tells, when the gate opens. */
const after = (gate: Deferred.Deferred<void>, value: unknown) => (state: unknown) =>
  Effect.as(Deferred.await(gate), Step.reply(value, state))

describe("a request that was sent", () => {
  it.effect("RP-006 gives an id at once, and its answer later, as often as it is asked for", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const gate = yield* Deferred.make<void>()
      const id = yield* GenServer.sendRequest(ask(server, after(gate, "answer")))
      yield* settle
      assert.deepStrictEqual(yield* GenServer.checkResponse(id), Option.none())
      yield* Deferred.succeed(gate, undefined)
      yield* settle
      assert.deepStrictEqual(yield* GenServer.checkResponse(id), Option.some("answer"))
      assert.strictEqual(yield* GenServer.receiveResponse(id), "answer")
      assert.strictEqual(yield* GenServer.receiveResponse(id), "answer")
      assert.deepStrictEqual(yield* GenServer.waitResponse(id), Option.some("answer"))
    }).pipe(inNode))

  it.effect("RP-006 runs while its sender does something else, and several run at the same time", () =>
    Effect.gen(function*() {
      const servers = [yield* told().start(), yield* told().start()]
      const slow = (value: string) => (state: unknown) => Effect.as(Effect.sleep("1 second"), Step.reply(value, state))
      const ids = [
        yield* GenServer.sendRequest(ask(servers[0]!, slow("a"))),
        yield* GenServer.sendRequest(ask(servers[1]!, slow("b")))
      ]
      const answers = yield* Effect.forkChild(Effect.forEach(ids, (id) => GenServer.receiveResponse(id)))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(answers.pollUnsafe(), yield* Effect.exit(Effect.succeed(["a", "b"])))
    }).pipe(inNode))

  it.effect("RP-007 gives the reply, the declared error, why the server ended, or a timeout", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const send = (order: (state: unknown) => unknown) => GenServer.sendRequest(ask(server, order as never))
      assert.strictEqual(yield* GenServer.receiveResponse(yield* send(reply(1))), 1)
      const refused = yield* send(() => Effect.fail(new Refused()))
      assert.deepStrictEqual(yield* Effect.flip(GenServer.receiveResponse(refused)), new Refused())
      const never = yield* Effect.forkChild(
        GenServer.receiveResponse(yield* send(() => Effect.sleep("1 hour")), { timeout: "20 millis" })
      )
      yield* TestClock.adjust("20 millis")
      assert.strictEqual((yield* callFails(Fiber.join(never), "Timeout")).reason.after, 20)
      const other = yield* told().start()
      const stopped = yield* GenServer.sendRequest(ask(other, (state) => Step.stop(ExitReason.custom("R"), state)))
      for (const asked of [GenServer.receiveResponse, GenServer.waitResponse, GenServer.checkResponse]) {
        yield* settle
        const error = yield* callFails(asked(stopped), "ServerExited")
        assert.deepStrictEqual(error.reason.reason, ExitReason.custom("R"))
      }
    }).pipe(inNode))

  it.effect("RP-008 is given up when a receive times out: a late answer is dropped, and the mailbox stays clean", () =>
    asProcess((self: Process.Self<unknown>) =>
      Effect.gen(function*() {
        const server = yield* told().start()
        const gate = yield* Deferred.make<void>()
        const id = yield* GenServer.sendRequest(ask(server, after(gate, "late")))
        const received = yield* Effect.forkChild(GenServer.receiveResponse(id, { timeout: "1 second" }))
        yield* TestClock.adjust("1 second")
        yield* callFails(Fiber.join(received), "Timeout")
        yield* Deferred.succeed(gate, undefined)
        yield* settle
        yield* callFails(GenServer.receiveResponse(id), "Timeout")
        yield* callFails(GenServer.checkResponse(id), "Timeout")
        assert.deepStrictEqual(yield* queued(self), [])
      })
    ))

  it.effect("RP-008 that is still queued when a receive times out or is interrupted never runs", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const release = yield* held(server)
      const ran: Array<string> = []
      const send = (name: string) =>
        GenServer.sendRequest(ask(server, (state) => {
          ran.push(name)
          return Step.reply(name, state)
        }))
      const [timedOut, interrupted, kept] = [yield* send("timed out"), yield* send("interrupted"), yield* send("kept")]
      const first = yield* Effect.forkChild(GenServer.receiveResponse(timedOut, { timeout: "1 second" }))
      const second = yield* Effect.forkChild(GenServer.receiveResponse(interrupted))
      const third = yield* Effect.forkChild(GenServer.waitResponse(kept))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(second)
      yield* Fiber.interrupt(third)
      yield* callFails(Fiber.join(first), "Timeout")
      yield* release
      assert.strictEqual(yield* GenServer.receiveResponse(kept), "kept")
      assert.deepStrictEqual(ran, ["kept"])
      const defect = yield* defectOf(GenServer.receiveResponse(interrupted))
      assert.strictEqual(
        defect.message,
        `the request ask to ${server.pid} was given up: a receive that was to wait for its answer was interrupted; ` +
          "GenServer.waitResponse keeps it"
      )
    }).pipe(inNode))

  it.effect("RP-009 is kept when a wait times out: waiting again gives the answer", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const release = yield* held(server)
      const id = yield* GenServer.sendRequest(ask(server, reply("z")))
      for (let i = 0; i < 2; i++) {
        const waited = yield* Effect.forkChild(GenServer.waitResponse(id, { timeout: "1 second" }))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* Fiber.await(waited), Exit.succeed(Option.none()))
      }
      const waiting = yield* Effect.forkChild(GenServer.waitResponse(id))
      yield* settle
      yield* release
      assert.deepStrictEqual(yield* Fiber.join(waiting), Option.some("z"))
    }).pipe(inNode))

  it.effect("RP-008 RP-009 with a timeout of 0 looks only: a receive gives it up, a wait keeps it", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const release = yield* held(server)
      const [one, two] = [
        yield* GenServer.sendRequest(ask(server, reply(1))),
        yield* GenServer.sendRequest(ask(server, reply(2)))
      ]
      yield* callFails(GenServer.receiveResponse(one, { timeout: 0 }), "Timeout")
      assert.deepStrictEqual(yield* GenServer.waitResponse(two, { timeout: 0 }), Option.none())
      yield* release
      assert.strictEqual(yield* GenServer.receiveResponse(two), 2)
      assert.strictEqual(yield* GenServer.receiveResponse(two, { timeout: 0 }), 2)
    }).pipe(inNode))

  it.effect("RP-011 to a dead server or a missing name fails when it is asked for, and not when it is sent", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      yield* GenServer.stop(server)
      for (const client of [server, Told.at("missing")]) {
        const id = yield* GenServer.sendRequest(client.ask(reply(1)))
        yield* callFails(GenServer.receiveResponse(id), "NoProcess")
        yield* callFails(GenServer.waitResponse(id, { timeout: 0 }), "NoProcess")
        yield* callFails(GenServer.checkResponse(id), "NoProcess")
      }
    }).pipe(inNode))

  it.effect("RP-007 fails if its server ends before its turn", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      yield* held(server)
      const id = yield* GenServer.sendRequest(ask(server, reply(1)))
      yield* Process.exit(server.pid, ExitReason.kill)
      assert.deepStrictEqual(
        (yield* callFails(GenServer.receiveResponse(id), "ServerExited")).reason.reason,
        ExitReason.killed
      )
    }).pipe(inNode))

  it.effect("is answered by GenServer.reply, too, and comes in order with what its sender sends otherwise", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      let from: GenServer.From<unknown, Refused>
      const id = yield* GenServer.sendRequest(ask(server, (state, asked) => {
        from = asked
        return Step.noReply([state, "first"])
      }))
      yield* tell(server, (state) => Step.noReply([...state, "second"]))
      assert.deepStrictEqual(yield* ask(server, (state) => Step.reply(state, state)), [0, "first", "second"])
      yield* GenServer.reply(from!, "later")
      assert.strictEqual(yield* GenServer.receiveResponse(id), "later")
    }).pipe(inNode))

  it.effect("is answered to all fibers that wait, and given up by the first of them", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const gate = yield* Deferred.make<void>()
      const id = yield* GenServer.sendRequest(ask(server, after(gate, 1)))
      const both = yield* Effect.forkChild(
        Effect.all([GenServer.receiveResponse(id), GenServer.waitResponse(id)], { concurrency: 2 })
      )
      yield* settle
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual(yield* Fiber.join(both), [1, Option.some(1)])
      const never = yield* GenServer.sendRequest(ask(server, () => Effect.never))
      const patient = yield* Effect.forkChild(GenServer.receiveResponse(never, { timeout: "1 minute" }))
      yield* settle
      const hasty = yield* Effect.forkChild(GenServer.receiveResponse(never, { timeout: "1 second" }))
      yield* TestClock.adjust("1 second")
      yield* callFails(Fiber.join(hasty), "Timeout")
      yield* callFails(Fiber.join(patient), "Timeout")
    }).pipe(inNode))

  it.effect("is equal to itself alone, and prints as what it is", () =>
    Effect.gen(function*() {
      const server = yield* told().start({ name: "server" })
      const request = Told.at("server").ask(reply(1))
      const [one, two] = [yield* GenServer.sendRequest(request), yield* GenServer.sendRequest(request)]
      assert.isTrue(Equal.equals(one, one))
      assert.isFalse(Equal.equals(one, two))
      assert.strictEqual(`${one}`, "ask to server")
      assert.isTrue(yield* Process.isAlive(server.pid))
    }).pipe(inNode))

  class Limited extends GenServer.Service<Limited>()("test/Limited", [
    GenServer.call("take", { payload: { n: Schema.Finite.check(Schema.isGreaterThan(0)) }, success: Schema.Finite })
  ]) {
    static readonly server = this.implement({
      init: () => 0,
      handlers: { take: (taken, { n }) => Step.reply(taken + n, taken + n) }
    })
  }

  it.effect("has its payload constructed when it is sent", () =>
    Effect.gen(function*() {
      const limited = yield* Limited.server.start()
      const take = limited.take({ n: 2 })
      assert.strictEqual(yield* GenServer.receiveResponse(yield* GenServer.sendRequest(take)), 2)
      const refused = yield* defectOf(GenServer.sendRequest(limited.take({ n: 0 })))
      assert.include(refused.message, "test/Limited.take: the payload was refused: ")
      assert.strictEqual(yield* limited.take({ n: 3 }), 5)
    }).pipe(inNode))

  it.effect("must be the request of a client of that protocol, and nothing else", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const request = ask(server, reply(1))
      const refusal =
        "GenServer.sendRequest: expected a request of a client, such as counter.value() or Agent.get(agent, f) without " +
        "a timeout, and not what is done with its answer, which comes after GenServer.receiveResponse"
      for (const other of [Effect.map(request, () => 2), Effect.succeed(1), tell(server, reply(1)), undefined]) {
        assert.strictEqual((yield* defectOf(GenServer.sendRequest(other as typeof request))).message, refusal)
      }
      const limited = Limited.at(server.pid).take({ n: 1 })
      assert.strictEqual(
        (yield* defectOf(GenServer.sendRequest(limited))).message,
        `take is no request to ${server.pid}: ${server.pid} has the protocol of test/Told`
      )
      assert.strictEqual(
        (yield* defectOf(GenServer.receiveResponse("id" as never))).message,
        "id: expected what GenServer.sendRequest gave, got \"id\""
      )
      const id = yield* GenServer.sendRequest(request)
      assert.strictEqual(
        (yield* defectOf(GenServer.receiveResponse(id, { timeout: -1 }))).message,
        "timeout: expected a duration of zero or more, got -1"
      )
    }).pipe(inNode))
})

describe("a request to a bounded mailbox", () => {
  const full = Effect.fnUntraced(function*(policy: Process.MailboxPolicy) {
    const server = yield* told({ mailbox: { capacity: 1, policy } }).start()
    const release = yield* held(server)
    const first = yield* GenServer.sendRequest(ask(server, reply("first")))
    const second = yield* GenServer.sendRequest(ask(server, reply("second")))
    return { server, release, first, second }
  })

  it.effect("never has its sender wait: it waits for room itself, in its turn", () =>
    Effect.gen(function*() {
      const { first, release, second, server } = yield* full("suspend")
      const third = yield* GenServer.sendRequest(ask(server, reply("third")))
      assert.deepStrictEqual(yield* GenServer.waitResponse(second, { timeout: 0 }), Option.none())
      yield* release
      const answers = [first, second, third].map((id) => GenServer.receiveResponse(id))
      assert.deepStrictEqual(yield* Effect.all(answers), ["first", "second", "third"])
    }).pipe(inNode))

  it.effect("that waits for room and is given up never runs, and lets the next one in", () =>
    Effect.gen(function*() {
      const { release, second, server } = yield* full("suspend")
      const third = yield* GenServer.sendRequest(ask(server, reply("third")))
      const received = yield* Effect.forkChild(GenServer.receiveResponse(second, { timeout: "1 second" }))
      yield* TestClock.adjust("1 second")
      yield* callFails(Fiber.join(received), "Timeout")
      yield* release
      assert.strictEqual(yield* GenServer.receiveResponse(third), "third")
    }).pipe(inNode))

  it.effect("fails with Overloaded when it is asked for, if the policy refuses or drops it", () =>
    Effect.gen(function*() {
      for (
        const [policy, dropped] of [["fail", "second"], ["dropNewest", "second"], ["dropOldest", "first"]] as const
      ) {
        const ids = yield* full(policy)
        yield* callFails(GenServer.receiveResponse(ids[dropped]), "Overloaded")
        yield* ids.release
        const other = dropped === "first" ? "second" : "first"
        assert.strictEqual(yield* GenServer.receiveResponse(ids[other]), other)
      }
    }).pipe(inNode))
})

describe("a server that sends requests", () => {
  it.effect("may ask for the answer in a later callback", () =>
    Effect.gen(function*() {
      const [front, back] = [yield* told().start(), yield* told().start()]
      yield* ask(front, () => Effect.map(GenServer.sendRequest(ask(back, reply("answer"))), (id) => Step.reply(1, id)))
      const later = ask(front, (id: GenServer.RequestId<unknown>) =>
        Effect.map(GenServer.receiveResponse(id), (value) => Step.reply(value, 0)))
      assert.strictEqual(yield* later, "answer")
    }).pipe(inNode))

  const errorOf = (wait: Effect.Effect<unknown, unknown>) => (state: unknown) =>
    Effect.map(Effect.flip(wait), (error) => Step.reply(error, state))

  it.effect("GS-020 fails with CallingSelf if it waits for itself, and the request stays", () =>
    Effect.gen(function*() {
      const server: Ref = yield* told().start({ name: "server" })
      for (const wait of [GenServer.receiveResponse, GenServer.waitResponse]) {
        const error = (yield* ask(server, () =>
          Effect.gen(function*() {
            const id = yield* GenServer.sendRequest(Told.at("server").ask(reply("from itself")))
            return Step.reply(yield* Effect.flip(wait(id)), id)
          }))) as CallError
        assert.strictEqual(error.reason._tag, "CallingSelf")
        const id = (yield* ask(server, (id) => Step.reply(id, id))) as GenServer.RequestId<string>
        assert.strictEqual(yield* GenServer.receiveResponse(id), "from itself")
      }
    }).pipe(inNode))

  it.effect("GS-072 fails at once in a circle of three, whether it waits first or last", () =>
    Effect.gen(function*() {
      const [a, b, c] = [
        yield* told().start({ name: "A" }),
        yield* told().start({ name: "B" }),
        yield* told().start({ name: "C" })
      ]
      const next = (server: Ref, order: any) => (state: unknown) =>
        Effect.matchEager(ask(server, order), {
          onFailure: (error) => Step.reply(error, state),
          onSuccess: (value) => Step.reply(value, state)
        })
      const sendAndWait = (before: Effect.Effect<void>) => (state: unknown) =>
        Effect.gen(function*() {
          const id = yield* GenServer.sendRequest(ask(b, next(c, next(a, reply("closed")))))
          yield* before
          return Step.reply(yield* Effect.exit(GenServer.receiveResponse(id)), state)
        })
      const chainOf = (error: unknown) => ((error as CallError).reason as { readonly chain: unknown }).chain
      const circle = (first: Ref, second: Ref, third: Ref) =>
        [first, second, third, first].map((ref) => `${ref === a ? "A" : ref === b ? "B" : "C"} ${ref.pid}`)

      // Who waits last closes it: here that is C.
      const early = (yield* ask(a, sendAndWait(Effect.void))) as any
      assert.deepStrictEqual(chainOf(early.value), circle(a, b, c))
      // Here the others wait already, and it is A.
      const late = (yield* ask(a, sendAndWait(settle))) as any
      assert.deepStrictEqual(chainOf(late.cause.reasons[0].error), circle(a, b, c))
      assert.strictEqual(yield* ask(a, reply("free")), "free")
    }).pipe(inNode))

  it.effect("is in no circle if it does not wait for what it has sent", () =>
    Effect.gen(function*() {
      const [a, b] = [yield* told().start(), yield* told().start()]
      const back = (state: unknown) => Effect.map(ask(a, reply("answered")), (value) => Step.reply(value, state))
      yield* ask(a, () =>
        Effect.tap(
          Effect.map(GenServer.sendRequest(ask(b, back)), (id) => Step.reply(1, id)),
          () => settle
        ))
      const id = (yield* ask(a, (id) => Step.reply(id, id))) as GenServer.RequestId<string>
      assert.strictEqual(yield* GenServer.receiveResponse(id), "answered")
    }).pipe(inNode))

  it.effect("is in no circle any more when it has stopped to wait", () =>
    Effect.gen(function*() {
      const [a, b] = [yield* told().start(), yield* told().start()]
      const back = (state: unknown) =>
        Effect.andThen(
          Effect.sleep("2 seconds"),
          Effect.map(ask(a, reply("answered")), (value) => Step.reply(value, state))
        )
      const waiting = yield* Effect.forkChild(ask(a, () =>
        Effect.gen(function*() {
          const id = yield* GenServer.sendRequest(ask(b, back))
          yield* GenServer.waitResponse(id, { timeout: "1 second" })
          yield* Effect.sleep("2 seconds")
          return Step.reply(id, 0)
        })))
      yield* TestClock.adjust("3 seconds")
      const id = (yield* Fiber.join(waiting)) as GenServer.RequestId<string>
      assert.strictEqual(yield* GenServer.receiveResponse(id), "answered")
    }).pipe(inNode))

  it.effect("a call of a child fiber that the handler waits for closes a circle, too", () =>
    Effect.gen(function*() {
      const [a, b] = [yield* told().start(), yield* told().start()]
      const inFiber = (call: Effect.Effect<unknown, unknown>) => Effect.flatMap(Effect.forkChild(call), Fiber.join)
      const error = (yield* ask(
        a,
        errorOf(inFiber(Effect.flatMap(
          ask(b, errorOf(inFiber(ask(a, reply(1))))),
          (error) => Effect.fail(error)
        )))
      )) as CallError
      assert.strictEqual(error.reason._tag, "CallingSelf")
    }).pipe(inNode))
})

describe("many servers", () => {
  class Counter extends GenServer.Service<Counter>()("test/Counter", [
    GenServer.cast("add", { payload: { n: Schema.Finite }, error: MailboxFull }),
    GenServer.call("value", { success: Schema.Finite }),
    GenServer.call("slow", { payload: { millis: Schema.Finite }, success: Schema.Finite })
  ]) {
    static readonly server = this.implement({
      init: (first: number) => first,
      handlers: {
        add: (count, { n }) => Step.noReply(count + n),
        value: (count) => Step.reply(count, count),
        slow: (count, { millis }) => Effect.as(Effect.sleep(millis + count), Step.reply(count, count))
      }
    })
    static readonly full = this.implement({
      init: () => 0,
      mailbox: { capacity: 1, policy: "fail" },
      handlers: {
        add: (count, { n }) => Effect.as(Effect.never, Step.noReply(count + n)),
        value: (count) => Step.reply(count, count),
        slow: (count) => Step.reply(count, count)
      }
    })
  }

  const tags = (failed: ReadonlyArray<readonly [unknown, CallError]>) =>
    failed.map(([target, { reason }]) => [target, reason._tag])

  it.effect("GS-070 multiCall gives the replies and who has failed, in the order of the targets", () =>
    Effect.gen(function*() {
      const [a] = [yield* Counter.server.start(1, { name: "a" }), yield* Counter.server.start(2, { name: "b" })]
      const { failed, replies } = yield* GenServer.multiCall(Counter, ["b", "missing", a.pid], (_) => _.value())
      assert.deepStrictEqual(replies, [["b", 2], [a.pid, 1]])
      assert.deepStrictEqual(tags(failed), [["missing", "NoProcess"]])
      assert.deepStrictEqual(yield* GenServer.multiCall(Counter, [], (_) => _.value()), { replies: [], failed: [] })
    }).pipe(inNode))

  it.effect("GS-070 multiCall asks all at the same time, and all have one deadline", () =>
    Effect.gen(function*() {
      for (const [name, millis] of [["a", 0], ["b", 500], ["c", 2000]] as const) {
        yield* Counter.server.start(millis, { name })
      }
      for (
        const [millis, timeout, answered] of [[4000, undefined, 2], [400, "1 second", 2], [
          0,
          "2001 millis",
          3
        ]] as const
      ) {
        const called = yield* Effect.forkChild(
          GenServer.multiCall(Counter, ["a", "b", "c"], (_) => _.slow({ millis }), { timeout })
        )
        yield* TestClock.adjust(timeout ?? "5 seconds")
        const { failed, replies } = yield* Fiber.join(called)
        assert.deepStrictEqual(replies, ([["a", 0], ["b", 500], ["c", 2000]] as const).slice(0, answered))
        assert.deepStrictEqual(tags(failed), answered === 2 ? [["c", "Timeout"]] : [])
        yield* TestClock.adjust("1 minute")
      }
    }).pipe(inNode))

  it.effect("GS-070 multiCall that is interrupted takes back what is queued, and one that includes its own server goes on", () =>
    Effect.gen(function*() {
      const [a, b] = [yield* told().start(), yield* told().start()]
      const release = yield* held(b)
      const ran: Array<string> = []
      const note = (name: string) => (state: unknown) => Step.reply(ran.push(name), state)
      const called = yield* Effect.forkChild(GenServer.multiCall(Told, [b.pid], (_) => _.ask(note("queued"))))
      yield* settle
      yield* Fiber.interrupt(called)
      yield* release
      const { failed, replies } = (yield* ask(a, (state) =>
        Effect.map(
          GenServer.multiCall(Told, [a.pid, b.pid], (_) => _.ask(note("asked"))),
          (outcome) => Step.reply(outcome, state)
        ))) as GenServer.Replies<unknown, unknown, CallError>
      assert.deepStrictEqual(tags(failed), [[a.pid, "CallingSelf"]])
      assert.deepStrictEqual(replies, [[b.pid, 1]])
      yield* ask(a, reply("its next turn"))
      assert.deepStrictEqual(ran, ["asked"])
    }).pipe(inNode))

  it.effect("GS-070 multiCall sends nothing if one of its requests is a defect", () =>
    Effect.gen(function*() {
      const [a, other] = [yield* Counter.server.start(1), yield* told().start()]
      let asked = 0
      const called = GenServer.multiCall(Counter, [a.pid, other.pid], (_) => {
        asked++
        return _.value()
      })
      assert.include((yield* defectOf(called)).message, "has the protocol of test/Told")
      const composed = GenServer.multiCall(Counter, [a.pid], (_) => Effect.map(_.value(), (n) => n + 1))
      assert.include((yield* defectOf(composed)).message, "GenServer.multiCall: expected a request of a client")
      assert.strictEqual(asked, 2)
    }).pipe(inNode))

  it.effect("GS-069 abcast reaches all who are there, and always succeeds", () =>
    Effect.gen(function*() {
      const [a, b] = [yield* Counter.server.start(1, { name: "a" }), yield* Counter.server.start(2)]
      const full = yield* Counter.full.start()
      for (let i = 0; i < 2; i++) yield* Effect.ignore(full.add({ n: 1 }))
      yield* settle
      for (let i = 0; i < 2; i++) {
        yield* GenServer.abcast(Counter, ["a", "missing", full.pid, b.pid], (_) => _.add({ n: 10 }))
      }
      assert.deepStrictEqual([yield* a.value(), yield* b.value()], [21, 22])
      assert.isTrue(yield* Process.isAlive(full.pid))
    }).pipe(inNode))
})

describe("startMonitor", () => {
  it.effect("GS-013 gives the server and the monitor, whose Down has the real reason", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const [server, ref] = yield* told({
          init: () => GenServer.init(0, { continue: "end" }),
          continue: (state) => Step.stop(ExitReason.custom("at once"), state)
        }).startMonitor()
        const down = yield* self.receive
        assert.strictEqual(down.ref, ref)
        assert.strictEqual(down.target, server.pid)
        assert.deepStrictEqual(down.reason, ExitReason.custom("at once"))
      })
    ))

  it.effect("GS-013 that fails gives the error, and no Down is left", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const failing = told({ init: () => GenServer.initStop(ExitReason.custom("boo")) })
        assert.strictEqual((yield* Effect.flip(failing.startMonitor())).reason._tag, "Stopped")
        const taken = yield* told().start({ name: "taken" })
        assert.strictEqual((yield* Effect.flip(told().startMonitor({ name: "taken" }))).reason._tag, "AlreadyStarted")
        // Somebody takes the key between the first look and the registration.
        let looks = 0
        const raced = Name.via({
          register: () => false,
          unregister: () => {},
          whereis: () => looks++ === 0 ? undefined : taken.pid,
          format: () => "raced"
        }, "key")
        assert.strictEqual((yield* Effect.flip(told().startMonitor({ name: raced }))).reason._tag, "AlreadyStarted")
        const slow = told({ init: () => Effect.never })
        const late = yield* Effect.forkChild(Effect.flip(slow.startMonitor({ timeout: "1 second" })))
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(late)).reason._tag, "Timeout")
        const interrupted = yield* Effect.forkChild(slow.startMonitor())
        yield* settle
        yield* Fiber.interrupt(interrupted)
        assert.deepStrictEqual(yield* arrived(self), [])
        assert.isTrue(yield* Process.isAlive(taken.pid))
      })
    ))
})

describe("whereis", () => {
  it.effect("gives the pid behind a name or a pid, as long as it is alive", () =>
    Effect.gen(function*() {
      const server = yield* told().start({ name: "server" })
      assert.deepStrictEqual(yield* GenServer.whereis("server"), Option.some(server.pid as Process.Pid<never>))
      assert.deepStrictEqual(yield* GenServer.whereis(server.pid), Option.some(server.pid as Process.Pid<never>))
      yield* GenServer.stop(server)
      assert.deepStrictEqual(yield* GenServer.whereis("server"), Option.none())
      assert.deepStrictEqual(yield* GenServer.whereis(server.pid), Option.none())
    }).pipe(inNode))
})
