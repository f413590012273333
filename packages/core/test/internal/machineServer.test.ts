import * as Transition from "@effect-otp/core/Transition"
import { assert, it } from "@effect/vitest"
import * as MachineServer from "../../src/internal/machineServer.ts"
import type { InitImpl } from "../../src/internal/serverState.ts"

it("what is shown of a machine is its state with its data, and both can be replaced", () => {
  const behaviour = MachineServer.makeBehaviour("test/Machine", {
    init: () => Transition.next("A", 1),
    states: { A: {}, B: {} }
  }, () => undefined)
  const { init, replace, shown } = MachineServer.define(behaviour, [], () => undefined)
  const { state } = init([], null!) as InitImpl
  assert.deepStrictEqual(shown!(state), ["A", 1])
  assert.deepStrictEqual(shown!(replace!(state, ["B", 2])), ["B", 2])
  assert.deepStrictEqual(shown!(state), ["A", 1])
})
