/**
 * Mailboxes with a bound: what becomes of a message for which there is no room, and of its sender.
 */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Name from "@effect-otp/core/Name"
import { MailboxFull } from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as scale from "../../../test-scale.ts"
import { inNode, queued, signal } from "./utils/process.ts"
import { ask, callFails, defectOf, logged, messageOf, type Ref, tell, Told, told } from "./utils/server.ts"

const bad = ExitReason.custom("bad")

const policies: ReadonlyArray<Process.MailboxPolicy> = ["suspend", "fail", "dropNewest", "dropOldest"]

const mailboxOf = (pid: Process.Pid<never, unknown>) =>
  Effect.map(Process.info(pid), (info) => Option.getOrThrow(info).mailbox!)

const small = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** A process that receives as many messages as it is told to. */
const receiver = Effect.fnUntraced(function*<P extends Process.MailboxPolicy>(mailbox: Process.Mailbox<P>) {
  const permits = yield* Queue.unbounded<void>()
  const seen: Array<string> = []
  const pid = yield* Process.spawn(
    (self: Process.Self<string>) =>
      Queue.take(permits).pipe(
        Effect.andThen(self.receive),
        Effect.map((message) => seen.push(message)),
        Effect.forever
      ),
    { mailbox }
  )
  return {
    pid,
    seen,
    take: (n: number) => Effect.andThen(Queue.offerAll(permits, new Array(n).fill(undefined)), settle)
  }
})

/** Sends, each from a process of its own, and gives how many of them have done so. */
const senders = Effect.fnUntraced(function*<E>(to: Process.Pid<string, E>, ...messages: ReadonlyArray<string>) {
  const sent: Array<string> = []
  const pids: Array<Process.Pid<never>> = []
  for (const message of messages) {
    pids.push(
      yield* Process.spawn(() => Effect.andThen(Process.send(to, message), Effect.sync(() => sent.push(message))))
    )
    yield* settle
  }
  return { sent, pids }
})

/** A server that keeps what it was told, and handles nothing until the gate is open. */
const gated = Effect.fnUntraced(function*(mailbox: Process.Mailbox, callbacks: object = {}) {
  const gate = yield* Deferred.make<void>()
  const server = yield* told({ init: () => [], ...callbacks, mailbox }).start()
  yield* tell(server, (state) => Effect.as(Deferred.await(gate), Step.noReply(state)))
  yield* settle
  return { server, open: Effect.andThen(Deferred.succeed(gate, undefined), settle) }
})

const note = (value: unknown) => (state: ReadonlyArray<unknown>) => Step.noReply([...state, value])
const answer = (value: unknown) => (state: ReadonlyArray<unknown>) => Step.reply(value, [...state, value])
const stateOf = (server: Ref) => ask(server, (state) => Step.reply(state, state))

/** How a process ends, and what ends it so. */
const ends: ReadonlyArray<readonly [string, ExitReason.ExitReason]> = [
  ["shuts down", ExitReason.shutdown()],
  ["is killed", ExitReason.kill],
  ["is ended by a signal", bad]
]

describe.each([["the scheduler of a test", it.effect], ["the scheduler of an application", it.live]])("%s", (_, it) => {
  describe("a mailbox with a bound", () => {
    it("takes what there is room for, and tells of it", () =>
      Effect.gen(function*() {
        for (const policy of policies) {
          const { pid, seen, take } = yield* receiver({ capacity: 2, policy })
          yield* Process.send(pid, "a")
          yield* Process.send(pid, "b")
          assert.deepStrictEqual(yield* mailboxOf(pid), { capacity: 2, policy, queued: 2, suspended: 0, dropped: 0 })
          yield* take(2)
          assert.deepStrictEqual(seen, ["a", "b"])
          assert.strictEqual((yield* mailboxOf(pid)).queued, 0)
        }
      }).pipe(inNode))

    it("there is none by default", () =>
      Effect.gen(function*() {
        const pid = yield* Process.spawn(() => Effect.never)
        const server = yield* told().start()
        assert.isUndefined(yield* mailboxOf(pid))
        assert.isUndefined(yield* mailboxOf(server.pid))
      }).pipe(inNode))

    it.each([0, -1, 1.5, NaN, Infinity, "3", undefined])(
      "a capacity of %s is refused",
      (capacity) =>
        Effect.gen(function*() {
          const mailbox = { capacity } as Process.Mailbox
          const before = yield* Process.list
          const shown = typeof capacity === "string" ? `"${capacity}"` : String(capacity)
          const expected = `mailbox.capacity: expected a whole number of one or more, got ${shown}`
          const options = { mailbox }
          for (
            const spawn of [
              Effect.asVoid(Process.spawn(() => Effect.never, options)),
              Effect.asVoid(Effect.scoped(Process.spawnScoped(() => Effect.never, options))),
              Effect.asVoid(Effect.sync(() => told({ mailbox })))
            ]
          ) {
            const defect = yield* defectOf(spawn)
            assert.instanceOf(defect, TypeError)
            assert.strictEqual(defect.message, expected)
          }
          const starter = yield* Process.spawn((_: Process.Self<Process.Down>) =>
            Effect.gen(function*() {
              yield* Effect.exit(Process.spawnMonitor(() => Effect.never, options))
              yield* Process.spawnLink(() => Effect.never, options)
            })
          )
          assert.strictEqual(messageOf(yield* Process.awaitExit(starter)), expected)
          assert.deepStrictEqual(yield* Process.list, before)
        }).pipe(inNode, (test) => logged(() => test))
    )

    it("a policy that is none, and an option that is no object, are refused", () =>
      Effect.gen(function*() {
        const spawn = (mailbox: unknown) => Process.spawn(() => Effect.never, { mailbox: mailbox as Process.Mailbox })
        assert.strictEqual(
          (yield* defectOf(spawn({ capacity: 1, policy: "block" }))).message,
          `mailbox.policy: expected "suspend" or "fail" or "dropNewest" or "dropOldest", got "block"`
        )
        assert.strictEqual((yield* defectOf(spawn(7))).message, "mailbox: expected an object with a capacity, got 7")
        assert.strictEqual(
          (yield* defectOf(spawn(null))).message,
          "mailbox: expected an object with a capacity, got null"
        )
      }).pipe(inNode))

    it.each(policies)("%s: signals are always admitted, in their order", (policy) =>
      Effect.gen(function*() {
        const ready = yield* Deferred.make<void>()
        const go = yield* Deferred.make<void>()
        const got = yield* Deferred.make<ReadonlyArray<unknown>>()
        const pid = yield* Process.spawn((self: Process.Self<string | Process.Down | Process.Exit>) =>
          Effect.gen(function*() {
            yield* Process.trapExit(true)
            const child = yield* Process.spawn(() => Effect.never)
            yield* Process.monitor(child)
            yield* Process.send(self.pid, "a")
            yield* Process.exit(child, bad)
            yield* settle
            yield* Process.send(self.pid, "b")
            yield* Deferred.succeed(ready, undefined)
            yield* Deferred.await(go)
            const messages = yield* queued(self)
            yield* Deferred.succeed(got, messages.map((m) => typeof m === "string" ? m : signal(m)[0]))
          }), { mailbox: { capacity: 2, policy } })
        yield* Deferred.await(ready)
        yield* Effect.forEach([bad, bad, bad], (reason) =>
          Process.exit(pid, reason))
        assert.strictEqual((yield* mailboxOf(pid)).queued, 2)
        yield* Deferred.succeed(go, undefined)
        assert.deepStrictEqual(yield* Deferred.await(got), ["a", "Down", "b", "Exit", "Exit", "Exit"])
      }).pipe(inNode))

    it("what a selective receive takes makes room, and what it leaves keeps its place", () =>
      Effect.gen(function*() {
        const go = yield* Queue.unbounded<string>()
        const seen: Array<string> = []
        const pid = yield* Process.spawn((self: Process.Self<string>) =>
          Effect.forever(Effect.gen(function*() {
            const wanted = yield* Queue.take(go)
            seen.push(yield* self.receiveMatch((m) => m === wanted))
          })), { mailbox: { capacity: 3 } })
        const { sent } = yield* senders(pid, "a", "b", "c", "d", "e")
        assert.deepStrictEqual(sent, ["a", "b", "c"])
        for (const [wanted, letIn] of [["b", "d"], ["d", "e"]] as const) {
          yield* Queue.offer(go, wanted)
          yield* settle
          assert.strictEqual(sent.at(-1), letIn)
          assert.strictEqual((yield* mailboxOf(pid)).queued, 3)
        }
        yield* Queue.offerAll(go, ["e", "c", "a"])
        yield* settle
        assert.deepStrictEqual(seen, ["b", "d", "e", "c", "a"])
      }).pipe(inNode))
  })

  describe("suspend", () => {
    it("is what a mailbox does that is given a capacity", () =>
      Effect.gen(function*() {
        const { pid } = yield* receiver({ capacity: 1 })
        assert.strictEqual((yield* mailboxOf(pid)).policy, "suspend")
      }).pipe(inNode))

    it("senders wait until there is room, first come, first served, and nothing is lost", () =>
      Effect.gen(function*() {
        const { pid, seen, take } = yield* receiver({ capacity: 2 })
        const { sent } = yield* senders(pid, "a", "b", "c", "d", "e")
        assert.deepStrictEqual(sent, ["a", "b"])
        assert.deepStrictEqual(yield* mailboxOf(pid), {
          capacity: 2,
          policy: "suspend",
          queued: 2,
          suspended: 3,
          dropped: 0
        })
        yield* take(1)
        assert.deepStrictEqual([sent, seen], [["a", "b", "c"], ["a"]])
        yield* take(4)
        assert.deepStrictEqual([sent, seen], [["a", "b", "c", "d", "e"], ["a", "b", "c", "d", "e"]])
        assert.strictEqual((yield* mailboxOf(pid)).suspended, 0)
      }).pipe(inNode))

    it("as many are let in as there is room for, however many that is", () =>
      Effect.gen(function*() {
        const many = 150
        const go = yield* Deferred.make<void>()
        const seen: Array<number> = []
        const pid = yield* Process.spawn((self: Process.Self<number>) =>
          Effect.gen(function*() {
            yield* Deferred.await(go)
            for (let i = 0; i < many; i++) seen.push(yield* self.receive)
            yield* Effect.never
          }), { mailbox: { capacity: many } })
        const numbers = Array.from({ length: 2 * many }, (_, i) => i)
        yield* Effect.forEach(numbers, (n) => Effect.forkChild(Process.send(pid, n)))
        yield* settle
        assert.deepInclude(yield* mailboxOf(pid), { queued: many, suspended: many })
        yield* Deferred.succeed(go, undefined)
        yield* settle
        assert.deepInclude(yield* mailboxOf(pid), { queued: many, suspended: 0 })
        assert.deepStrictEqual(seen, numbers.slice(0, many))
      }).pipe(inNode))

    it("nobody overtakes who waits, also when there is room already", () =>
      Effect.gen(function*() {
        const seen: Array<string> = []
        const pid = yield* Process.spawn((self: Process.Self<string>) =>
          Effect.gen(function*() {
            yield* settle
            seen.push(yield* self.receive)
            // There is room now, and nobody has had a turn since.
            yield* Effect.forkChild(Process.send(self.pid, "late"), { startImmediately: true })
            for (let i = 0; i < 3; i++) seen.push(yield* self.receive)
          }), { mailbox: { capacity: 1 } })
        yield* Effect.forEach(["a", "b", "c"], (message) => Effect.forkChild(Process.send(pid, message)))
        yield* Process.awaitExit(pid)
        assert.deepStrictEqual(seen, ["a", "b", "c", "late"])
      }).pipe(inNode))

    it("a sender that is interrupted sends nothing, and keeps nobody waiting", () =>
      Effect.gen(function*() {
        const { pid, seen, take } = yield* receiver({ capacity: 1 })
        const { pids, sent } = yield* senders(pid, "a", "b", "c", "d", "e")
        const end = (index: number, reason: ExitReason.ExitReason) => Process.exit(pids[index], reason)
        yield* end(1, ExitReason.shutdown())
        yield* end(3, ExitReason.kill)
        yield* settle
        assert.strictEqual((yield* mailboxOf(pid)).suspended, 2)
        yield* take(5)
        assert.deepStrictEqual([sent, seen], [["a", "c", "e"], ["a", "c", "e"]])
      }).pipe(inNode))

    it("also when it is interrupted after there was room for it, and before it went on", () =>
      Effect.gen(function*() {
        const seen: Array<string> = []
        const pid = yield* Process.spawn((self: Process.Self<string>) =>
          Effect.gen(function*() {
            yield* Process.send(self.pid, "a")
            const sender = yield* Effect.forkChild(Process.send(self.pid, "b"), { startImmediately: true })
            seen.push(yield* self.receive)
            sender.interruptUnsafe()
            yield* settle
            seen.push(...yield* queued(self))
            seen.push(Exit.hasInterrupts(sender.pollUnsafe()!) ? "interrupted" : "sent")
          }), { mailbox: { capacity: 1 } })
        yield* Process.awaitExit(pid)
        assert.deepStrictEqual(seen, ["a", "interrupted"])
      }).pipe(inNode))

    it.each([...ends, ["crashes", undefined] as const, ["ends normally", ExitReason.normal] as const])(
      "a receiver that %s lets all its senders go, at once, and takes nothing of theirs",
      ([, reason]) =>
        Effect.gen(function*() {
          const released = yield* Deferred.make<void>()
          const order = yield* Deferred.make<ExitReason.ExitReason | undefined>()
          const pid = yield* Process.spawn((_: Process.Self<string>) =>
            Deferred.await(order).pipe(
              Effect.flatMap((reason) =>
                reason === undefined
                  ? Effect.die(new Error("bug"))
                  : reason._tag === "Normal"
                  ? Effect.void
                  : Effect.never
              ),
              // Senders that are on their way must not wait for this, were it for ever.
              Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : Deferred.await(released))
            ), { mailbox: { capacity: 1 } })
          const { sent } = yield* senders(pid, "a", "b", "c", "d")
          yield* Deferred.succeed(order, reason)
          if (reason !== undefined) yield* Process.exit(pid, reason)
          yield* settle
          // A body that crashes is not ending before it has ended: nobody can know.
          if (reason !== undefined) assert.deepStrictEqual(sent, ["a", "b", "c", "d"])
          yield* Deferred.succeed(released, undefined)
          yield* settle
          assert.deepStrictEqual(sent, ["a", "b", "c", "d"])
          yield* Process.send(pid, "late")
          assert.isFalse(yield* Process.isAlive(pid))
        }).pipe(inNode, (test) => logged(() => test))
    )

    it("a process that would wait for itself has a defect that says so", () =>
      Effect.gen(function*() {
        const pid = yield* Process.spawn(
          (self: Process.Self<string>) => Effect.andThen(Process.send(self.pid, "a"), Process.send(self.pid, "b")),
          {
            mailbox: { capacity: 1 },
            label: "narcissus"
          }
        )
        assert.strictEqual(
          messageOf(yield* Process.awaitExit(pid)),
          `narcissus ${pid} cannot send to itself: its mailbox is full (capacity 1), and with the policy "suspend" ` +
            "it would wait for itself for ever"
        )
      }).pipe(inNode, (test) => logged(() => test)))

    it("a fiber that it has forked may wait", () =>
      Effect.gen(function*() {
        const seen: Array<string> = []
        const pid = yield* Process.spawn((self: Process.Self<string>) =>
          Effect.gen(function*() {
            yield* Effect.forkChild(Effect.forEach(["a", "b", "c"], (message) => Process.send(self.pid, message)))
            yield* settle
            for (let i = 0; i < 3; i++) seen.push(yield* self.receive)
          }), { mailbox: { capacity: 1 } })
        yield* Process.awaitExit(pid)
        assert.deepStrictEqual(seen, ["a", "b", "c"])
      }).pipe(inNode))
  })

  describe("fail", () => {
    it("the sender fails, and the mailbox is as it was", () =>
      Effect.gen(function*() {
        const { pid, seen, take } = yield* receiver({ capacity: 1, policy: "fail" })
        yield* Process.send(pid, "a")
        const error = yield* Effect.flip(Process.send(pid, "b"))
        assert.instanceOf(error, MailboxFull)
        assert.isUndefined(error.stack)
        assert.deepStrictEqual([error._tag, error.target, error.capacity], ["MailboxFull", `${pid}`, 1])
        assert.strictEqual(
          error.message,
          `the mailbox of ${pid} is full (capacity 1); the message was not sent`
        )
        assert.strictEqual((yield* mailboxOf(pid)).dropped, 0)
        yield* take(1)
        yield* Process.send(pid, "c")
        yield* take(1)
        assert.deepStrictEqual(seen, ["a", "c"])
      }).pipe(inNode))

    it("whatever it is addressed by", () =>
      Effect.gen(function*() {
        const { pid } = yield* receiver({ capacity: 1, policy: "fail" })
        const full = Name.make<string, MailboxFull>("full")
        yield* Process.register(full, pid)
        yield* Process.send(full, "a")
        assert.strictEqual((yield* Effect.flip(Process.send(full, "b"))).target, "full")
        const error: unknown = yield* Effect.flip(Process.send("full", "b"))
        assert.instanceOf(error, MailboxFull)
      }).pipe(inNode))

    it("a process may fail to send to itself", () =>
      Effect.gen(function*() {
        const error = yield* Deferred.make<unknown>()
        yield* Process.spawn((self: Process.Self<string, MailboxFull>) =>
          Effect.andThen(Process.send(self.pid, "a"), Process.send(self.pid, "b")).pipe(
            Effect.catchTag("MailboxFull", (full) => Deferred.succeed(error, full))
          ), { mailbox: { capacity: 1, policy: "fail" } })
        assert.instanceOf(yield* Deferred.await(error), MailboxFull)
      }).pipe(inNode))
  })

  describe("dropNewest and dropOldest", () => {
    it("the newest is dropped, and counted", () =>
      Effect.gen(function*() {
        const { pid, seen, take } = yield* receiver({ capacity: 2, policy: "dropNewest" })
        yield* Effect.forEach(["a", "b", "c", "d"], (message) => Process.send(pid, message))
        assert.deepStrictEqual(yield* mailboxOf(pid), {
          capacity: 2,
          policy: "dropNewest",
          queued: 2,
          suspended: 0,
          dropped: 2
        })
        yield* take(3)
        assert.deepStrictEqual(seen, ["a", "b"])
      }).pipe(inNode))

    it("the oldest is dropped, and counted", () =>
      Effect.gen(function*() {
        const { pid, seen, take } = yield* receiver({ capacity: 2, policy: "dropOldest" })
        yield* Effect.forEach(["a", "b", "c", "d", "e"], (message) => Process.send(pid, message))
        assert.strictEqual((yield* mailboxOf(pid)).dropped, 3)
        yield* take(3)
        assert.deepStrictEqual(seen, ["d", "e"])
      }).pipe(inNode))

    it("no signal is dropped for a message", () =>
      Effect.gen(function*() {
        const go = yield* Deferred.make<void>()
        const seen: Array<unknown> = []
        const pid = yield* Process.spawn((self: Process.Self<string | Process.Exit>) =>
          Effect.gen(function*() {
            yield* Process.trapExit(true)
            yield* Deferred.await(go)
            seen.push(...(yield* queued(self)).map((m) => typeof m === "string" ? m : m.reason))
          }), { mailbox: { capacity: 1, policy: "dropOldest" } })
        yield* settle
        yield* Process.exit(pid, bad)
        yield* Process.send(pid, "a")
        yield* Process.exit(pid, ExitReason.normal)
        yield* Process.send(pid, "b")
        yield* Deferred.succeed(go, undefined)
        yield* Process.awaitExit(pid)
        assert.deepStrictEqual(seen, [bad, ExitReason.normal, "b"])
      }).pipe(inNode))

    it("a selective receive that has looked at what is dropped goes on looking", () =>
      Effect.gen(function*() {
        const seen: Array<string> = []
        const pid = yield* Process.spawn((self: Process.Self<string>) =>
          Effect.gen(function*() {
            seen.push(yield* self.receiveMatch((m) => m.startsWith("x")))
            seen.push(...yield* queued(self))
          }), { mailbox: { capacity: 2, policy: "dropOldest" } })
        for (const message of ["a", "b", "c", "d"]) {
          yield* Process.send(pid, message)
          yield* settle
        }
        yield* Process.send(pid, "x")
        yield* Process.awaitExit(pid)
        assert.deepStrictEqual(seen, ["x", "d"])
      }).pipe(inNode))
  })

  describe("a server", () => {
    it("suspend: calls and casts wait, in order, and are handled", () =>
      Effect.gen(function*() {
        const { open, server } = yield* gated({ capacity: 1 })
        yield* tell(server, note("a"))
        const cast = yield* Effect.forkChild(tell(server, note("b")), { startImmediately: true })
        const call = yield* Effect.forkChild(ask(server, answer("c")), { startImmediately: true })
        const cast2 = yield* Effect.forkChild(tell(server, note("d")), { startImmediately: true })
        yield* settle
        assert.deepInclude(yield* mailboxOf(server.pid), { queued: 1, suspended: 3 })
        assert.isUndefined(cast.pollUnsafe())
        yield* open
        yield* Fiber.join(cast)
        yield* Fiber.join(cast2)
        assert.strictEqual(yield* Fiber.join(call), "c")
        assert.deepStrictEqual(yield* stateOf(server), ["a", "b", "c", "d"])
      }).pipe(inNode))

    it("suspend: who gives up waiting to be let in is not served", () =>
      Effect.gen(function*() {
        const { open, server } = yield* gated({ capacity: 1 })
        yield* tell(server, note("a"))
        const call = yield* Effect.forkChild(ask(server, answer("b")), { startImmediately: true })
        const cast = yield* Effect.forkChild(tell(server, note("c")), { startImmediately: true })
        yield* settle
        yield* Fiber.interrupt(call)
        yield* Fiber.interrupt(cast)
        assert.strictEqual((yield* mailboxOf(server.pid)).suspended, 0)
        yield* open
        assert.deepStrictEqual(yield* stateOf(server), ["a"])
      }).pipe(inNode))

    it("fail: a call is overloaded, and a cast fails", () =>
      Effect.gen(function*() {
        const { open, server } = yield* gated({ capacity: 1, policy: "fail" })
        yield* tell(server, note("a"))
        const error = yield* callFails(ask(server, answer("b")), "Overloaded")
        assert.deepStrictEqual([error.server, error.request, error.stack], [`${server.pid}`, "ask", undefined])
        const full: unknown = yield* Effect.flip(tell(server, note("c")))
        assert.instanceOf(full, MailboxFull)
        yield* open
        assert.deepStrictEqual(yield* stateOf(server), ["a"])
        assert.strictEqual((yield* mailboxOf(server.pid)).dropped, 0)
      }).pipe(inNode))

    it("that waits with a full mailbox is full for a call, too, which would be handled at once otherwise", () =>
      Effect.gen(function*() {
        const server = yield* told({ init: () => [], mailbox: { capacity: 1, policy: "fail" } }).start()
        yield* settle
        yield* tell(server, note("a"))
        yield* callFails(ask(server, answer("b")), "Overloaded")
        yield* callFails(
          Effect.gen(function*() {
            return yield* ask(server, answer("c"))
          }),
          "Overloaded"
        )
        yield* settle
        assert.deepStrictEqual(yield* stateOf(server), ["a"])
      }).pipe(inNode))

    it("dropNewest: a call that is dropped is told at once", () =>
      Effect.gen(function*() {
        const { open, server } = yield* gated({ capacity: 1, policy: "dropNewest" })
        yield* tell(server, note("a"))
        yield* callFails(ask(server, answer("b")), "Overloaded")
        yield* tell(server, note("c"))
        yield* Process.send(server.pid, "d")
        assert.strictEqual((yield* mailboxOf(server.pid)).dropped, 3)
        yield* open
        assert.deepStrictEqual(yield* stateOf(server), ["a"])
      }).pipe(inNode))

    it("dropOldest: a call that is queued is told when it is dropped", () =>
      Effect.gen(function*() {
        const { open, server } = yield* gated({ capacity: 2, policy: "dropOldest" })
        yield* tell(server, note("a"))
        const call = yield* Effect.forkChild(ask(server, answer("b")), { startImmediately: true })
        yield* tell(server, note("c"))
        yield* settle
        assert.isUndefined(call.pollUnsafe())
        yield* tell(server, note("d"))
        yield* callFails(Fiber.join(call), "Overloaded")
        yield* open
        assert.deepStrictEqual(yield* stateOf(server), ["c", "d"])
        assert.strictEqual((yield* mailboxOf(server.pid)).dropped, 2)
      }).pipe(inNode))

    it("plain messages count, too", () =>
      Effect.gen(function*() {
        const { open, server } = yield* gated({ capacity: 2, policy: "fail" }, {
          info: (state: ReadonlyArray<unknown>, message: unknown) => Step.noReply([...state, message])
        })
        yield* Process.send(server.pid, "a")
        yield* tell(server, note("b"))
        const full: unknown = yield* Effect.flip(Process.send(server.pid, "c"))
        assert.instanceOf(full, MailboxFull)
        yield* callFails(ask(server, answer("d")), "Overloaded")
        yield* open
        assert.deepStrictEqual(yield* stateOf(server), ["a", "b"])
      }).pipe(inNode))

    it.each(policies)("%s: a stop takes its turn in a full mailbox", (policy) =>
      Effect.gen(function*() {
        const seen: Array<unknown> = []
        const { open, server } = yield* gated({ capacity: 1, policy }, {
          terminate: (state: ReadonlyArray<unknown>) => Effect.sync(() => seen.push(...state))
        })
        yield* tell(server, note("a"))
        const stop = yield* Effect.forkChild(GenServer.stop(server), { startImmediately: true })
        yield* settle
        yield* open
        yield* Fiber.join(stop)
        assert.deepStrictEqual(seen, ["a"])
      }).pipe(inNode))

    it.each([
      ...ends,
      ["is stopped", "stop"] as const,
      ["crashes", "crash"] as const,
      ["crashes and takes its time", "slow"] as const
    ])("that %s lets all go that wait for room", ([, how]) =>
      Effect.gen(function*() {
        const released = yield* Deferred.make<void>()
        const gate = yield* Deferred.make<void>()
        const terminate = how === "slow" ? { terminate: () => Deferred.await(released) } : {}
        const server = yield* told({ init: () => [], ...terminate, mailbox: { capacity: 1 } }).start()
        yield* tell(server, (state) =>
          Effect.andThen(
            Deferred.await(gate),
            how === "stop" ? Effect.succeed(Step.stop(ExitReason.normal, state)) : Effect.die(new Error("bug"))
          ))
        yield* settle
        const queuedCall = yield* Effect.forkChild(ask(server, answer("a")), { startImmediately: true })
        const cast = yield* Effect.forkChild(tell(server, note("b")), { startImmediately: true })
        const call = yield* Effect.forkChild(ask(server, answer("c")), { startImmediately: true })
        yield* settle
        assert.strictEqual((yield* mailboxOf(server.pid)).suspended, 2)
        if (typeof how === "string") yield* Deferred.succeed(gate, undefined)
        else yield* Process.exit(server.pid, how)
        yield* settle
        yield* Fiber.join(cast)
        yield* callFails(Fiber.join(call), "NoProcess")
        yield* Deferred.succeed(released, undefined)
        yield* callFails(Fiber.join(queuedCall), "ServerExited")
      }).pipe(inNode, (test) => logged(() => test)))

    it("whose init fails lets all go that wait for room", () =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const released = yield* Deferred.make<void>()
        const init = () =>
          Effect.acquireRelease(Deferred.await(gate), () => Deferred.await(released)).pipe(
            Effect.andThen(Effect.die(new Error("bug")))
          )
        const start = yield* Effect.forkChild(
          Effect.exit(told({ init, mailbox: { capacity: 1 } }).start({ name: "s" }))
        )
        yield* settle
        const server = Told.at("s")
        yield* tell(server, note("a"))
        const cast = yield* Effect.forkChild(tell(server, note("b")), { startImmediately: true })
        const call = yield* Effect.forkChild(ask(server, answer("c")), { startImmediately: true })
        yield* settle
        yield* Deferred.succeed(gate, undefined)
        yield* settle
        yield* Fiber.join(cast)
        yield* callFails(Fiber.join(call), "NoProcess")
        yield* Deferred.succeed(released, undefined)
        assert.isTrue(Exit.isFailure(yield* Fiber.join(start)))
      }).pipe(inNode, (test) => logged(() => test)))

    it.each<readonly [string, Effect.Effect<void>]>([
      ["in the first step of an Effect", Effect.void],
      ["later", Effect.yieldNow]
    ])("that would wait for itself crashes with what says so: %s", ([, before]) =>
      Effect.gen(function*() {
        const server = yield* told({ mailbox: { capacity: 1 } }).start({ label: "echo" })
        const self = Told.at(server.pid)
        yield* tell(server, (state) =>
          before.pipe(
            Effect.andThen(tell(self, (n) => Step.noReply(n))),
            Effect.andThen(tell(self, (n) => Step.noReply(n))),
            Effect.as(Step.noReply(state))
          ))
        assert.match(
          messageOf(yield* Process.awaitExit(server.pid)),
          /^echo #PID<0\.\d+\.0> cannot send to itself: its mailbox is full \(capacity 1\)/
        )
      }).pipe(inNode, (test) => logged(() => test)))

    it("whose own background fiber floods it makes that wait", () =>
      Effect.gen(function*() {
        const flood = (pid: Process.Pid<never>) =>
          Effect.forEach(["a", "b", "c", "d"], (value) => tell(Told.at(pid), note(value)))
        const server = yield* told({
          init: () =>
            Process.self.pipe(
              Effect.flatMap((pid) => Effect.forkScoped(flood(pid))),
              Effect.as([])
            ),
          mailbox: { capacity: 1 }
        }).start()
        yield* settle
        assert.deepStrictEqual(yield* stateOf(server), ["a", "b", "c", "d"])
      }).pipe(inNode))

    it("is restarted with an empty mailbox, and those who waited for the old one are let go", () =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const server = told({ init: () => [], mailbox: { capacity: 1 } })
        yield* Effect.gen(function*() {
          const service = yield* Told
          const first = Option.getOrThrow(yield* Process.whereis("told"))
          yield* tell(service, () => Effect.andThen(Deferred.await(gate), Effect.die(new Error("bug"))))
          yield* settle
          yield* tell(service, note("queued"))
          const cast = yield* Effect.forkChild(tell(service, note("cast")), { startImmediately: true })
          const call = yield* Effect.forkChild(ask(service, answer("call")), { startImmediately: true })
          yield* settle
          yield* Deferred.succeed(gate, undefined)
          yield* settle
          yield* Fiber.join(cast)
          yield* callFails(Fiber.join(call), "NoProcess")
          const second = Option.getOrThrow(yield* Process.whereis("told"))
          assert.notStrictEqual(second, first)
          assert.deepStrictEqual(yield* mailboxOf(second), {
            capacity: 1,
            policy: "suspend",
            queued: 0,
            suspended: 0,
            dropped: 0
          })
          assert.deepStrictEqual(yield* ask(service, (state) => Step.reply(state, state)), [])
        }).pipe(Effect.provide(Supervisor.make({ children: [server.child({ name: "told" })] }).layer))
      }).pipe(inNode, (test) => logged(() => test)))
  })

  // ----------------------------------------------------------------------------
  // a property
  // ----------------------------------------------------------------------------

  it.prop(
    "never holds more than its capacity, keeps the order of each sender, and accounts for all that is sent",
    {
      policy: Schema.Literals(policies),
      capacity: small(1, 4),
      senders: Schema.Array(Schema.Array(small(0, 2)).check(Schema.isMaxLength(6))).check(Schema.isMaxLength(4)),
      pauses: Schema.Array(small(0, 3)).check(Schema.isMaxLength(24)),
      interrupted: small(0, 5)
    },
    ({ capacity, interrupted, pauses, policy, senders }) =>
      Effect.gen(function*() {
        const seen: Array<readonly [number, number]> = []
        const over: Array<number> = []
        const pid = yield* Process.spawn((self: Process.Self<readonly [number, number]>) =>
          Effect.gen(function*() {
            for (let i = 0;; i++) {
              for (let n = pauses[i % Math.max(pauses.length, 1)] ?? 0; n > 0; n--) yield* Effect.yieldNow
              const { queued } = yield* mailboxOf(self.pid)
              if (queued > capacity) over.push(queued)
              seen.push(yield* self.receive)
            }
          }), { mailbox: { capacity, policy } })
        let sent = 0
        let failed = 0
        let cut = 0
        const send = (who: number, what: number) => {
          sent++
          return Process.send(pid, [who, what] as const).pipe(
            Effect.catchTag("MailboxFull", () => Effect.sync(() => failed++)),
            Effect.onInterrupt(() => Effect.sync(() => cut++))
          )
        }
        const fibers = yield* Effect.forEach(senders, (gaps, who) =>
          Effect.forkChild(Effect.gen(function*() {
            for (const [what, gap] of gaps.entries()) {
              for (let n = gap; n > 0; n--) yield* Effect.yieldNow
              yield* send(who, what)
            }
          })))
        for (let n = interrupted; n > 0; n--) yield* Effect.yieldNow
        if (interrupted > 0) fibers[0]?.interruptUnsafe()
        yield* settle
        const { dropped, queued, suspended } = yield* mailboxOf(pid)
        assert.deepStrictEqual({ over, queued, suspended }, { over: [], queued: 0, suspended: 0 })
        assert.strictEqual(seen.length + dropped + failed + cut, sent)
        if (policy !== "fail") assert.strictEqual(failed, 0)
        if (policy === "suspend" || policy === "fail") assert.strictEqual(dropped, 0)
        for (const who of senders.keys()) {
          const order = seen.filter((message) => message[0] === who).map((message) => message[1])
          assert.deepStrictEqual(order, order.toSorted((a, b) => a - b))
        }
      }).pipe(inNode),
    { arbitrary: { runs: scale.cases } }
  )
})

// ----------------------------------------------------------------------------
// time
// ----------------------------------------------------------------------------

describe("time", () => {
  it.effect("what a timer sends is dropped and counted when there is no room", () =>
    Effect.gen(function*() {
      for (const policy of policies) {
        const { pid, seen, take } = yield* receiver({ capacity: 2, policy })
        yield* Process.send(pid, "a")
        yield* Process.sendAfter(pid, "after", 5)
        const interval = yield* Process.sendInterval(pid, "tick", 10)
        yield* TestClock.adjust(20)
        yield* Process.cancelTimer(interval)
        assert.deepInclude(yield* mailboxOf(pid), { queued: 2, dropped: 2, suspended: 0 })
        yield* take(3)
        assert.deepStrictEqual(seen, policy === "dropOldest" ? ["tick", "tick"] : ["a", "after"])
      }
    }).pipe(inNode))

  it.effect("the time for which a call waits to be let in counts, and then it never runs", () =>
    Effect.gen(function*() {
      const { open, server } = yield* gated({ capacity: 1 })
      yield* tell(server, note("a"))
      const call = yield* Effect.forkChild(ask(server, answer("b")))
      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(call.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* callFails(Fiber.join(call), "Timeout")).reason.after, 5000)
      assert.strictEqual((yield* mailboxOf(server.pid)).suspended, 0)
      yield* open
      assert.deepStrictEqual(yield* stateOf(server), ["a"])
    }).pipe(inNode))

  it.effect("a call that was let in is still under its time limit", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const { open, server } = yield* gated({ capacity: 1 })
      yield* tell(server, (state) => Effect.as(Deferred.await(gate), Step.noReply(state)))
      const call = yield* Effect.forkChild(ask(server, answer("b")))
      yield* TestClock.adjust("3 seconds")
      yield* open
      assert.deepInclude(yield* mailboxOf(server.pid), { queued: 1, suspended: 0 })
      yield* TestClock.adjust("2 seconds")
      yield* callFails(Fiber.join(call), "Timeout")
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual(yield* stateOf(server), [])
    }).pipe(inNode))

  it.effect("the timeout of a step is no message of a user", () =>
    Effect.gen(function*() {
      const server = yield* told({
        init: () => GenServer.init([], { timeout: 10 }),
        info: (state, message) => Step.noReply([...state, message._tag]),
        mailbox: { capacity: 1, policy: "dropNewest" }
      }).start()
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(yield* stateOf(server), ["Timeout"])
      assert.strictEqual((yield* mailboxOf(server.pid)).dropped, 0)
    }).pipe(inNode))
})
