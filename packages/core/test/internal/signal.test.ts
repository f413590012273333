import * as ExitReason from "@effect-otp/core/ExitReason"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Schema from "effect/Schema"
import * as Signal from "../../src/internal/signal.ts"

const reasons: ReadonlyArray<ExitReason.ExitReason> = [
  ExitReason.normal,
  ExitReason.shutdown(),
  ExitReason.shutdown("deploy"),
  ExitReason.kill,
  ExitReason.killed,
  ExitReason.noProcess,
  ExitReason.noConnection,
  ExitReason.crashed(Cause.die("boom")),
  ExitReason.custom("bad")
]

const signals = {
  index: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: reasons.length - 1 })),
  origin: Schema.Literals(["exit", "link"]),
  trapsExit: Schema.Boolean,
  toItself: Schema.Boolean
}

describe("onExitSignal", () => {
  it.prop("EX-006 a kill that is sent kills whoever gets it, and nothing else does", signals, (signal) => {
    const reason = reasons[signal.index]!
    const outcome = Signal.onExitSignal(reason, signal.origin, signal.trapsExit, signal.toItself)
    const kills = reason._tag === "Kill" && signal.origin === "exit"
    assert.strictEqual(outcome === "kill", kills)
  })

  it.prop("EX-005 who traps exits gets a message of every reason but that kill", signals, (signal) => {
    const reason = reasons[signal.index]!
    const outcome = Signal.onExitSignal(reason, signal.origin, true, signal.toItself)
    if (reason._tag === "Kill" && signal.origin === "exit") assert.strictEqual(outcome, "kill")
    else assert.strictEqual(outcome, "message")
  })

  it.prop("EX-021 who does not ends with the very same reason, unless it is Normal", signals, (signal) => {
    const reason = reasons[signal.index]!
    if (reason._tag === "Normal" || (reason._tag === "Kill" && signal.origin === "exit")) return
    assert.strictEqual(Signal.onExitSignal(reason, signal.origin, false, signal.toItself), reason)
  })

  it("EX-001 EX-002 EX-019 Normal ends nobody but who sends it to itself", () => {
    const onNormal = (origin: Signal.Origin, toItself: boolean) =>
      Signal.onExitSignal(ExitReason.normal, origin, false, toItself)
    assert.strictEqual(onNormal("exit", false), "ignore")
    assert.strictEqual(onNormal("link", false), "ignore")
    assert.strictEqual(onNormal("exit", true), ExitReason.normal)
  })
})

describe("signals", () => {
  it("are told by who made them, and print as what they say", () => {
    const ref = {} as Signal.MonitorRef
    const down = Signal.down("Down", ref, "name", ExitReason.normal)
    const exit = Signal.exit("pid" as never, ExitReason.normal)
    assert.deepStrictEqual([Signal.isDown(down), Signal.isExit(down)], [true, false])
    assert.deepStrictEqual([Signal.isDown(exit), Signal.isExit(exit)], [false, true])
    assert.deepStrictEqual([Signal.isDown({ ...down }), Signal.isExit({ ...exit })], [false, false])
    assert.deepStrictEqual(Object.keys(down), ["_tag", "ref", "target", "reason"])
    assert.deepStrictEqual(Object.keys(exit), ["_tag", "pid", "reason"])
  })
})
