import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import type { CallError } from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { asProcess, downOf, inNode } from "./utils/process.ts"
import { ask, type Callbacks, callFails, defectOf, messageOf, tell, told } from "./utils/server.ts"

const bad = ExitReason.custom("bad")

/** A server that notes how it ends: `terminate` with state and reason, then `released`. */
const noting = (seen: Array<unknown>, callbacks: Callbacks = {}) =>
  told({
    init: () => Effect.as(Effect.addFinalizer(() => Effect.sync(() => seen.push("released"))), "old"),
    terminate: (state, reason) => {
      seen.push(["terminate", state, reason])
    },
    ...callbacks
  })

const keep = (state: unknown) => Step.noReply(state)

describe("terminate", () => {
  const endings: ReadonlyArray<[string, string, (state: unknown) => unknown, ExitReason.ExitReason["_tag"], unknown]> =
    [
      ["GS-053 GS-057", "a step that stops", () => Step.stop(bad, "new"), "Custom", "new"],
      ["GS-053 GS-024", "something that is no step", () => 42, "Crashed", "old"],
      ["GS-053 GS-073", "a defect", () => Effect.die("boom"), "Crashed", "old"],
      [
        "GS-053 GS-073",
        "a throw",
        () => {
          throw new Error("boom")
        },
        "Crashed",
        "old"
      ],
      ["GS-053", "an exit", () => Process.exit(bad), "Custom", "old"],
      ["GS-053", "a late exit", () => Effect.andThen(Effect.yieldNow, Process.exit(bad)), "Custom", "old"],
      ["GS-053", "an exit with Normal", () => Process.exit(ExitReason.normal), "Normal", "old"],
      ["GS-041", "a timeout that is none", () => Step.noReply("new", { timeout: -5 }), "Crashed", "old"]
    ]
  for (const [row, what, order, tag, state] of endings) {
    for (const trapExit of [false, true]) {
      it.effect(`${row} runs after ${what}${trapExit ? ", trapping exits" : ""}: with the last state and the reason`, () =>
        Effect.gen(function*() {
          const seen: Array<any> = []
          const server = yield* noting(seen, { trapExit }).start()
          yield* tell(server, order)
          const reason = yield* Process.awaitExit(server.pid)
          assert.strictEqual(reason._tag, tag)
          assert.deepStrictEqual(seen, [["terminate", state, reason], "released"])
        }).pipe(inNode))
    }
  }

  it.effect("GS-041 a reply with a timeout that is none is not given", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const error = yield* callFails(
        ask(server, (state) => Step.reply("answer", state, { timeout: NaN })),
        "ServerExited"
      )
      assert.strictEqual(messageOf(error.reason.reason), "timeout: expected a duration of zero or more, got NaN")
    }).pipe(inNode))

  it.effect("a reason that is none is the defect of who gives it, and nobody ends with it", () =>
    Effect.gen(function*() {
      const refusal = "reason: expected an ExitReason, got \"bad\""
      const none = "bad" as never
      for (const step of [() => Step.stop(none, 0), () => Step.replyAndStop(1, none, 0)]) {
        const server = yield* told().start()
        const error = yield* callFails(ask(server, step), "ServerExited")
        assert.strictEqual(messageOf(error.reason.reason), refusal)
        assert.strictEqual(messageOf(yield* Process.awaitExit(server.pid)), refusal)
      }
      const { reason } = yield* Effect.flip(told({ init: () => GenServer.initStop(none) }).start())
      assert.strictEqual(reason._tag === "Crashed" && messageOf(reason as Process.Exit["reason"]), refusal)
      const server = yield* told().start()
      assert.strictEqual((yield* defectOf(GenServer.stop(server, { reason: none }))).message, refusal)
      assert.strictEqual(yield* ask(server, (state) => Step.reply(state, state)), 0)
    }).pipe(inNode))

  it.effect("EX-028 does not run after a signal, but finalizers do", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* noting(seen).start()
      yield* Process.exit(server.pid, bad)
      assert.deepStrictEqual(yield* Process.awaitExit(server.pid), bad)
      assert.deepStrictEqual(seen, ["released"])
    }).pipe(inNode))

  it.effect("EX-028 does not run after a signal that a callback sends to its own process", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* noting(seen).start()
      yield* tell(server, () => Effect.andThen(Process.exit(server.pid, bad), Effect.never))
      assert.deepStrictEqual(yield* Process.awaitExit(server.pid), bad)
      assert.deepStrictEqual(seen, ["released"])
    }).pipe(inNode))

  it.effect("a handler is interrupted when a process that it ends takes its server along", () =>
    Effect.gen(function*() {
      for (const [sent, reason] of [[bad, bad], [ExitReason.kill, ExitReason.killed]]) {
        const seen: Array<unknown> = []
        const server = yield* noting(seen).start()
        yield* tell(server, () =>
          Effect.gen(function*() {
            yield* Process.exit(yield* Process.spawnLink(() => Effect.never), sent)
            yield* Effect.onInterrupt(Effect.never, () => Effect.sync(() => seen.push("interrupted")))
          }))
        assert.deepStrictEqual(yield* Process.awaitExit(server.pid), reason)
        assert.deepStrictEqual(seen, ["interrupted", "released"])
      }
    }).pipe(inNode))

  it.effect("GS-051 never runs after a kill, also when the server traps exits", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* noting(seen, { trapExit: true }).start()
      yield* Process.exit(server.pid, ExitReason.kill)
      assert.deepStrictEqual(yield* Process.awaitExit(server.pid), ExitReason.killed)
      yield* settle
      assert.deepStrictEqual(seen, ["released"])
    }).pipe(inNode))

  it.effect("GS-028 runs before the answer of Step.replyAndStop, and that comes before the end", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const seen: Array<unknown> = []
        const server = yield* told({
          terminate: () => Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => seen.push("terminate")))
        }).start()
        const call = yield* Effect.forkChild(
          Effect.tap(ask(server, (state) => Step.replyAndStop("bye", bad, state)), () =>
            Effect.sync(() => seen.push("reply")))
        )
        yield* TestClock.adjust("999 millis")
        assert.isUndefined(call.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(yield* Fiber.join(call), "bye")
        assert.deepStrictEqual(seen, ["terminate", "reply"])
        yield* downOf(self, server.pid)
      })
    ))

  it.effect("GS-028 a terminate that fails does not keep the answer back; a kill does", () =>
    Effect.gen(function*() {
      const failing = yield* told({ terminate: () => Effect.die("boom") }).start()
      assert.strictEqual(yield* ask(failing, (state) => Step.replyAndStop("bye", ExitReason.normal, state)), "bye")
      const hanging = yield* told({ terminate: () => Effect.never }).start()
      const call = yield* Effect.forkChild(ask(hanging, (state) => Step.replyAndStop("bye", ExitReason.normal, state)))
      yield* settle
      yield* Process.exit(hanging.pid, ExitReason.kill)
      assert.deepStrictEqual((yield* callFails(Fiber.join(call), "ServerExited")).reason.reason, ExitReason.killed)
    }).pipe(inNode))

  // Where the stop waits for its turn, and the call takes that turn at once.
  it.live("runs to its end if a call comes right after the request to stop", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const gate = yield* Deferred.make<void>()
      const terminate = () => Effect.andThen(Deferred.await(gate), Effect.sync(() => seen.push("terminated")))
      const server = yield* noting(seen, { terminate }).start()
      const stop = yield* Effect.forkChild(GenServer.stop(server), { startImmediately: true })
      const call = yield* Effect.forkChild(ask(server, (state) => Step.reply(state, state)), { startImmediately: true })
      yield* settle
      assert.deepStrictEqual(seen, [])
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(stop)
      assert.deepStrictEqual(seen, ["terminated", "released"])
      const error = yield* callFails(Fiber.join(call), "ServerExited")
      assert.deepStrictEqual(error.reason.reason, ExitReason.normal)
    }).pipe(inNode))

  it.effect("GS-045 runs after a crash in continue", () =>
    Effect.gen(function*() {
      const seen: Array<any> = []
      const server = yield* noting(seen, { continue: () => Effect.die(new Error("boom")) }).start()
      yield* tell(server, (state) => Step.noReply(state, { continue: 1 }))
      assert.strictEqual(messageOf(yield* Process.awaitExit(server.pid)), "boom")
      assert.deepStrictEqual([seen[0][0], seen[0][1]], ["terminate", "old"])
    }).pipe(inNode))

  it.effect("GS-055 GS-036 that fails itself gives its own reason", () =>
    Effect.gen(function*() {
      for (
        const terminate of [() => Effect.die(new Error("terminate")), () => {
          throw new Error("terminate")
        }]
      ) {
        const server = yield* told({ terminate }).start()
        yield* tell(server, (state) => Step.stop(bad, state))
        assert.strictEqual(messageOf(yield* Process.awaitExit(server.pid)), "terminate")
      }
    }).pipe(inNode))

  it.effect("GS-056 its value is ignored", () =>
    Effect.gen(function*() {
      for (const terminate of [() => "anything", () => Effect.succeed(Step.stop(ExitReason.normal, 0))]) {
        const server = yield* told({ terminate }).start()
        yield* tell(server, (state) => Step.stop(bad, state))
        assert.deepStrictEqual(yield* Process.awaitExit(server.pid), bad)
      }
    }).pipe(inNode))
})

describe("the exit of a parent", () => {
  /** A parent that starts a linked server and does as it is told; the server's pid. */
  const family = Effect.fnUntraced(function*(seen: Array<unknown>, trapExit: boolean, linked = true) {
    const started = yield* Deferred.make<Effect.Success<ReturnType<ReturnType<typeof told>["start"]>>>()
    const server = noting(seen, {
      trapExit,
      info: (state, message) => {
        seen.push(Process.isExit(message) ? ["info", message.reason] : message)
        return Step.noReply(state)
      }
    })
    const parent = yield* Process.spawn((self: Process.Self<ExitReason.ExitReason>) =>
      Effect.gen(function*() {
        const ref = yield* linked ? server.startLink() : server.start()
        if (!linked) yield* Process.link(ref.pid)
        yield* Deferred.succeed(started, ref)
        return yield* Process.exit(yield* self.receive)
      }).pipe(Effect.orDie)
    )
    return { parent, server: yield* Deferred.await(started) }
  })

  it.effect("GS-046 GS-047 stops a server that traps exits, with terminate", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const { parent, server } = yield* family(seen, true)
      yield* Process.send(parent, ExitReason.shutdown())
      assert.deepStrictEqual(yield* Process.awaitExit(server.pid), ExitReason.shutdown())
      assert.deepStrictEqual(seen, [["terminate", "old", ExitReason.shutdown()], "released"])
    }).pipe(inNode))

  it.effect("GS-046 ends a server that does not, without terminate", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const { parent, server } = yield* family(seen, false)
      yield* Process.send(parent, ExitReason.shutdown())
      assert.deepStrictEqual(yield* Process.awaitExit(server.pid), ExitReason.shutdown())
      assert.deepStrictEqual(seen, ["released"])
    }).pipe(inNode))

  it.effect("GS-047 that of anyone else goes to info", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const { server } = yield* family(seen, true)
      yield* Process.spawn(() => Effect.andThen(Process.link(server.pid), Process.exit(bad)))
      yield* Process.exit(server.pid, ExitReason.normal)
      yield* settle
      assert.deepStrictEqual(seen, [["info", ExitReason.normal], ["info", bad]])
      assert.isTrue(yield* Process.isAlive(server.pid))
    }).pipe(inNode))

  it.effect("GS-048 with Normal stops a server that traps exits, and no other", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const trapping = yield* family(seen, true)
      yield* Process.send(trapping.parent, ExitReason.normal)
      yield* settle
      assert.deepStrictEqual(seen, [["terminate", "old", ExitReason.normal], "released"])
      assert.deepStrictEqual(yield* Process.awaitExit(trapping.server.pid), ExitReason.normal)
      const other = yield* family([], false)
      yield* Process.send(other.parent, ExitReason.normal)
      yield* Process.awaitExit(other.parent)
      assert.strictEqual(yield* ask(other.server, (state) => Step.reply(state, state)), "old")
    }).pipe(inNode))

  it.effect("GS-049 of one who started it without a link is an ordinary info", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const { parent, server } = yield* family(seen, true, false)
      yield* Process.send(parent, bad)
      yield* Process.awaitExit(parent)
      yield* settle
      assert.deepStrictEqual(seen, [["info", bad]])
      assert.isTrue(yield* Process.isAlive(server.pid))
    }).pipe(inNode))

  it.effect("GS-049 of itself stops a server that was started without a link, which is its own parent, and no other", () =>
    Effect.gen(function*() {
      const toItself = (state: unknown) =>
        Effect.as(Effect.flatMap(Process.self, (pid) => Process.exit(pid, bad)), keep(state))
      const alone: Array<unknown> = []
      const own = yield* family(alone, true, false)
      yield* tell(own.server, toItself)
      assert.deepStrictEqual(yield* Process.awaitExit(own.server.pid), bad)
      assert.deepStrictEqual(alone, [["terminate", "old", bad], "released"])
      const linked: Array<unknown> = []
      const other = yield* family(linked, true)
      yield* tell(other.server, toItself)
      yield* settle
      assert.deepStrictEqual(linked, [["info", bad]])
    }).pipe(inNode))

  it.effect("GS-049 of who started it with a monitor stops it, as that of a parent", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = noting(seen, { trapExit: true })
      const starter = yield* Process.spawn((_: Process.Self<Process.Down>) =>
        Effect.gen(function*() {
          const [ref] = yield* Effect.orDie(server.startMonitor())
          yield* Process.exit(ref.pid, bad)
          return yield* Effect.never
        })
      )
      yield* settle
      assert.deepStrictEqual(seen, [["terminate", "old", bad], "released"])
      assert.isTrue(yield* Process.isAlive(starter))
    }).pipe(inNode))

  it.effect("GS-050 takes its turn: messages before it are handled, those after it are not", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const { parent, server } = yield* family(seen, true)
      const gate = yield* Deferred.make<void>()
      yield* tell(server, (state) => Effect.as(Deferred.await(gate), Step.noReply(state)))
      yield* Process.send(server.pid, "m1")
      yield* Process.send(parent, bad)
      yield* Process.awaitExit(parent)
      yield* Process.send(server.pid, "m2")
      yield* Deferred.succeed(gate, undefined)
      yield* Process.awaitExit(server.pid)
      assert.deepStrictEqual(seen, ["m1", ["terminate", "old", bad], "released"])
    }).pipe(inNode))
})

describe("GenServer.stop", () => {
  it.effect("GS-058 GS-059 GS-060 waits until the server has ended with Normal, after terminate, and its name is free", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* noting(seen).start({ name: "server" })
      yield* tell(server, () => Step.noReply("new"))
      yield* GenServer.stop("server")
      assert.deepStrictEqual(seen, [["terminate", "new", ExitReason.normal], "released"])
      assert.isTrue(Option.isNone(yield* Process.whereis("server")))
      assert.isFalse(yield* Process.isAlive(server.pid))
    }).pipe(inNode))

  it.effect("GS-059 waits without limit", () =>
    Effect.gen(function*() {
      const server = yield* told({ terminate: () => Effect.sleep("1 day") }).start()
      const stopping = yield* Effect.forkChild(GenServer.stop(server))
      yield* TestClock.adjust("23 hours")
      assert.isUndefined(stopping.pollUnsafe())
      yield* TestClock.adjust("1 hour")
      yield* Fiber.join(stopping)
    }).pipe(inNode))

  it.effect("GS-058 with a reason ends the server with it", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      yield* GenServer.stop(server, { reason: bad })
      assert.deepStrictEqual(yield* Process.awaitExit(server.pid), bad)
    }).pipe(inNode))

  it.effect("takes its turn in the mailbox", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = yield* noting(seen).start()
      yield* tell(server, () => Step.noReply("before"))
      const stopping = yield* Effect.forkChild(GenServer.stop(server), { startImmediately: true })
      yield* tell(server, () => Step.noReply("after"))
      yield* Fiber.join(stopping)
      assert.deepStrictEqual(seen[0], ["terminate", "before", ExitReason.normal])
    }).pipe(inNode))

  it.effect("GS-061 of a dead server fails with NoProcess", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      yield* GenServer.stop(server)
      yield* callFails(GenServer.stop(server), "NoProcess")
      yield* callFails(GenServer.stop("nobody"), "NoProcess")
    }).pipe(inNode))

  it.effect("GS-062 that takes too long fails with Timeout, and the server stops later", () =>
    Effect.gen(function*() {
      const server = yield* told({ terminate: () => Effect.sleep("2 seconds") }).start()
      const stopping = yield* Effect.forkChild(GenServer.stop(server, { timeout: "1 second" }))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* callFails(Fiber.join(stopping), "Timeout")).reason.after, 1000)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Process.awaitExit(server.pid), ExitReason.normal)
    }).pipe(inNode))

  it.effect("GS-063 fails with the reason of a server that ends with another", () =>
    Effect.gen(function*() {
      const boom = Cause.die("boom")
      const server = yield* told({ terminate: () => Effect.failCause(boom) }).start()
      const error = yield* callFails(GenServer.stop(server), "ServerExited")
      assert.deepStrictEqual(error.reason.reason, ExitReason.crashed(boom))
    }).pipe(inNode))

  it.effect("GS-064 from within the server fails with CallingSelf", () =>
    Effect.gen(function*() {
      const server = yield* told().start()
      const error = yield* ask(server, (state) =>
        Effect.map(Effect.flip(GenServer.stop(server.pid)), (error) => Step.reply(error, state)))
      assert.strictEqual((error as CallError).reason._tag, "CallingSelf")
      assert.isTrue(yield* Process.isAlive(server.pid))
    }).pipe(inNode))

  it.effect("who asks while the server is stopping waits for the same end", () =>
    Effect.gen(function*() {
      const server = yield* told({ terminate: () => Effect.sleep("1 second") }).start()
      yield* tell(server, keep)
      const both = yield* Effect.forkChild(
        Effect.all([GenServer.stop(server), GenServer.stop(server)], { concurrency: 2 })
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(both)
    }).pipe(inNode))
})
