import * as ExitReason from "@effect-otp/core/ExitReason"
import * as OtpError from "@effect-otp/core/OtpError"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import { idle, inNode } from "./utils/process.ts"

describe("light errors", () => {
  const errors = [
    OtpError.callNoProcess("cache", "get"),
    OtpError.callTimeout("cache", "get", 5000),
    OtpError.callServerExited("cache", "get", ExitReason.killed),
    OtpError.callCallingSelf("cache", "get", ["cache", "cache"])
  ]

  it("are instances of their class, with tag and message, and without a stack", () => {
    for (const error of errors) {
      assert.instanceOf(error, OtpError.CallError)
      assert.instanceOf(error, Error)
      assert.strictEqual(error._tag, "CallError")
      assert.isUndefined(error.stack)
      assert.match(error.message, /^call get to cache: /)
    }
    assert.deepStrictEqual(errors.map((error) => error.reason._tag), [
      "NoProcess",
      "Timeout",
      "ServerExited",
      "CallingSelf"
    ])
  })

  it.effect("can be yielded, and caught by their tag and by their reason", () =>
    Effect.gen(function*() {
      for (const error of errors) {
        const failing = Effect.gen(function*() {
          return yield* error
        })
        assert.strictEqual(yield* Effect.catchTag(failing, "CallError", Effect.succeed), error)
        const timeout = yield* Effect.option(
          Effect.catchReason(failing, "CallError", "Timeout", (reason) => Effect.succeed(reason.after))
        )
        assert.strictEqual(timeout._tag, error.reason._tag === "Timeout" ? "Some" : "None")
      }
    }))

  it("are equal if they say the same", () => {
    assert.isTrue(Equal.equals(errors[1], OtpError.callTimeout("cache", "get", 5000)))
    assert.isFalse(Equal.equals(errors[1], OtpError.callTimeout("cache", "get", 5001)))
    const reason = ExitReason.custom({ code: 1 })
    const constructed = [
      new OtpError.NoProcess(),
      new OtpError.Timeout({ after: 5000 }),
      new OtpError.ServerExited({ reason: ExitReason.custom({ code: 1 }) }),
      new OtpError.CallingSelf({ chain: ["cache", "cache"] })
    ].map((reason) => new OtpError.CallError({ server: "cache", request: "get", reason }))
    const light = [...errors]
    light[2] = OtpError.callServerExited("cache", "get", reason)
    for (const [i, error] of light.entries()) {
      for (const [j, other] of constructed.entries()) {
        assert.strictEqual(Equal.equals(error, other), i === j)
        assert.strictEqual(Equal.equals(other, error), i === j)
      }
      assert.strictEqual(Hash.hash(error), Hash.hash(constructed[i]))
    }
    assert.isTrue(Equal.equals(OtpError.receiveTimeout(10), new OtpError.ReceiveTimeout({ after: 10 })))
    assert.isFalse(Equal.equals(OtpError.receiveTimeout(10), new OtpError.Timeout({ after: 10 })))
    assert.deepStrictEqual({ ...OtpError.receiveTimeout(10) }, { ...new OtpError.ReceiveTimeout({ after: 10 }) })
  })
})

describe("messages", () => {
  it("show what a reason holds, and say what to do", () => {
    const reason = ExitReason.custom({ code: 1, of: { it: ["x"] } })
    const shown = "{\"code\":1,\"of\":{\"it\":[\"x\"]}}"
    for (
      const error of [
        OtpError.callServerExited("cache", "get", reason),
        OtpError.callServerExited("cache", "get", ExitReason.shutdown(reason.term)),
        OtpError.callServerExited("cache", "get", ExitReason.crashed(Cause.die(reason.term))),
        new OtpError.InitFailed({ error: reason.term }),
        new OtpError.InitCrashed({ cause: Cause.die(reason.term) }),
        new OtpError.Stopped({ reason }),
        new OtpError.GaveUp({ supervisor: "top", reason }),
        new OtpError.CallbackFailed({ server: "cache", request: "getState", cause: Cause.die(reason.term) }),
        OtpError.taskExited("task", reason)
      ]
    ) assert.include(error.message, shown)
    assert.include(OtpError.callOverloaded("cache", "get").message, "call get to cache: the mailbox is full")
    assert.include(OtpError.callOverloaded("cache", "get").message, "ask again later")
    assert.include(new OtpError.StartTimeout({ after: 10 }).message, "within 10 ms, and was killed: allow it more time")
    assert.include(new OtpError.ChildNotFound({ id: "a" }).message, "there is no child \"a\": Supervisor.whichChildren")
  })

  it("say what was asked of whom, and whether it may have run", () => {
    assert.strictEqual(
      OtpError.callTimeout("cache", "get", 5000).message,
      "call get to cache: no answer within 5000 ms; a request that had begun may still run"
    )
    assert.strictEqual(
      OtpError.callServerExited("cache", "get", ExitReason.custom("bad")).message,
      "call get to cache: the server ended before it answered (\"bad\"); the request may have run"
    )
    assert.strictEqual(
      OtpError.callNoProcess("cache", "get").message,
      "call get to cache: no process is there: it has ended, was never started, or has another name; " +
        "the request was not delivered"
    )
    assert.include(OtpError.callCallingSelf("cache", "get", ["a", "b", "a"]).message, "a -> b -> a")
  })

  it.effect("a start that failed says where, and why", () =>
    inNode(Effect.gen(function*() {
      const pid = yield* idle
      const message = (reason: OtpError.StartFailure<unknown>, ...childPath: ReadonlyArray<string>) =>
        new OtpError.StartError({ childPath, reason }).message
      assert.strictEqual(
        message(new OtpError.InitFailed({ error: "no" }), "top", "cache"),
        "top/cache did not start: init failed with \"no\""
      )
      assert.strictEqual(
        message(new OtpError.AlreadyStarted({ pid })),
        `the process did not start: already started as ${pid}`
      )
      assert.strictEqual(
        message(new OtpError.DuplicateId({ id: "cache" }), "top"),
        "top did not start: two children have the id \"cache\": give one of them another"
      )
    })))
})
