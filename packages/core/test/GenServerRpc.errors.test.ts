import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServerRpc from "@effect-otp/core/GenServerRpc"
import * as OtpError from "@effect-otp/core/OtpError"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"

const secret = "the password is 1234"

const reasons: ReadonlyArray<ExitReason.ExitReason> = [
  ExitReason.normal,
  ExitReason.shutdown(),
  ExitReason.shutdown({ secret }),
  ExitReason.kill,
  ExitReason.killed,
  ExitReason.noProcess,
  ExitReason.noConnection,
  ExitReason.crashed(Cause.die(new Error(secret))),
  ExitReason.crashed(Cause.fail({ secret })),
  ExitReason.custom(secret)
]

const callErrors = [
  new OtpError.NoProcess(),
  new OtpError.Timeout({ after: 5000 }),
  new OtpError.Overloaded(),
  new OtpError.CallingSelf({ chain: ["a", "b", "a"] }),
  ...reasons.map((reason) => new OtpError.ServerExited({ reason }))
].map((reason) => new OtpError.CallError({ server: "S", request: "r", reason }))

const codec = Schema.toCodecJson(GenServerRpc.CallError)
const travel = (error: OtpError.CallError) =>
  Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(error))))

describe("a CallError over a wire", () => {
  it.each(callErrors)("keeps its class, its reason and whom it is about: $message", (error) => {
    const there = travel(error)
    assert.instanceOf(there, OtpError.CallError)
    assert.instanceOf(there.reason, Object.getPrototypeOf(error.reason).constructor)
    assert.deepStrictEqual([there.server, there.request], ["S", "r"])
    if (error.reason._tag === "ServerExited" && there.reason._tag === "ServerExited") {
      assert.strictEqual(there.reason.reason._tag, error.reason.reason._tag)
      assert.strictEqual(ExitReason.isAbnormal(there.reason.reason), ExitReason.isAbnormal(error.reason.reason))
    } else {
      assert.isTrue(Equal.equals(there, error))
    }
    // What has travelled once travels again unchanged: servers call servers.
    assert.isTrue(Equal.equals(travel(there), there))
  })

  it.each(callErrors)("tells nothing of what a server has in it, and no stack: $message", (error) => {
    const text = JSON.stringify(Schema.encodeSync(codec)(error))
    assert.notInclude(text, "1234")
    assert.notInclude(text, ".ts")
    assert.isBelow(text.length, 120)
  })

  it("reads like a sentence where it arrives", () => {
    const crashed = new OtpError.ServerExited({ reason: ExitReason.crashed(Cause.die(secret)) })
    assert.strictEqual(
      travel(new OtpError.CallError({ server: "S", request: "r", reason: crashed })).message,
      "call r to S: the server ended before it answered (Crashed: \"the log of the server says why\"); " +
        "the request may have run"
    )
  })

  it.each([
    {},
    { _tag: "CallError" },
    { _tag: "CallError", server: "S", request: "r", reason: { _tag: "Unheard" } },
    { _tag: "CallError", server: "S", request: "r", reason: { _tag: "ServerExited", reason: "Unheard" } },
    { _tag: "CallError", server: 1, request: "r", reason: { _tag: "NoProcess" } }
  ])("is not made of what is none: %j", (encoded) => {
    assert.throws(() => Schema.decodeUnknownSync(codec)(encoded))
  })
})

it("a MailboxFull travels whole", () => {
  const codec = Schema.toCodecJson(GenServerRpc.MailboxFull)
  const error = new OtpError.MailboxFull({ target: "S", capacity: 3 })
  const there = Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(error))))
  assert.instanceOf(there, OtpError.MailboxFull)
  assert.strictEqual(there.message, error.message)
})
