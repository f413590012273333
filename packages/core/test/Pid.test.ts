import * as Pid from "@effect-otp/core/Pid"
import * as Process from "@effect-otp/core/Process"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import { inspect } from "node:util"
import { idle, inNode } from "./utils/process.ts"

describe("Pid", () => {
  it.effect("is equal to itself only", () =>
    inNode(Effect.gen(function*() {
      const [a, b] = yield* Effect.all([idle, idle])
      assert.isTrue(Equal.equals(a, a))
      assert.isFalse(Equal.equals(a, b))
      assert.strictEqual(new Set([a, b, a]).size, 2)
    })))

  it.effect("prints as in Erlang, wherever it is printed", () =>
    inNode(Effect.gen(function*() {
      const pid = yield* idle
      const shown = "#PID<0.1.0>"
      assert.deepStrictEqual([`${pid}`, inspect(pid), JSON.parse(JSON.stringify(pid))], [shown, shown, shown])
    })))

  it.effect("is told from other values", () =>
    inNode(Effect.gen(function*() {
      const pid = yield* Process.spawn((self) => Effect.succeed(assert.isTrue(Pid.isPid(self.pid))))
      assert.isTrue(Pid.isPid(pid))
      for (const other of ["#PID<0.1.0>", 1, null, undefined, {}, []]) assert.isFalse(Pid.isPid(other))
    })))
})
