/** Options that are wrong are refused at the door, by name and value. */
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { probed, started } from "./utils/tree.ts"

const run = () => Effect.never
const bad = (value: unknown): never => value as never

class Greeter extends GenServer.Service<Greeter>()("test/Greeter", []) {
  static readonly server = this.implement({ init: (word: string) => word, handlers: {} })
}

describe("childSpec", () => {
  it("SV-021 of a server with its argument, as it describes itself", () => {
    const { id, restart } = Greeter.server.child("hello")
    assert.deepStrictEqual([id, restart], ["test/Greeter", "permanent"])
  })

  it("SV-021 with other options, checked as those of any child", () => {
    const spec = Greeter.server.child("hello")
    const once = Supervisor.childSpec(spec, { id: "once", restart: "temporary", shutdown: "brutalKill" })
    assert.deepStrictEqual([once.id, once.restart, once.shutdown], ["once", "temporary", "brutalKill"])
    assert.deepStrictEqual([spec.id, spec.restart], ["test/Greeter", "permanent"])
    assert.strictEqual(Supervisor.childSpec(spec, { id: undefined }).id, "test/Greeter")
    assert.strictEqual(
      Supervisor.childSpec(Supervisor.make({ children: [] }).child({ id: "a" }), {}).type,
      "supervisor"
    )
    assert.throws(() => Supervisor.childSpec(spec, { restart: bad("always") }), /restart: .* got "always"/)
    assert.throws(() => Supervisor.childSpec(spec, bad({ colour: "red" })), /option: .* got "colour"/)
  })

  it("SV-021 what describes no child is refused", () => {
    for (const spec of [Greeter, Greeter.server, "test/Greeter", undefined]) {
      assert.throws(() => Supervisor.childSpec(bad(spec), {}), /spec: expected a ChildSpec/)
      assert.throws(() => Supervisor.make({ children: bad([spec]) }), /children: expected a ChildSpec/)
    }
  })

  it.effect("SV-021 it starts as the one that it was made of", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({
        children: ["x", "y"].map((id) => Supervisor.childSpec(probe.child("a"), { id }))
      })
      const ref = yield* started(probe, tree, "start a", "start a")
      assert.deepStrictEqual((yield* Supervisor.whichChildren(ref)).map(({ id }) => id), ["y", "x"])
    }))
})

describe("options of a tree", () => {
  const refused: ReadonlyArray<readonly [id: string, () => unknown, message: string]> = [
    ["SV-011", () => Supervisor.make({ strategy: bad("oneForOne"), children: [] }), `strategy: expected .*"oneForOne"`],
    ...[-1, 1.5, NaN, Infinity].map((maxRestarts) =>
      [
        "SV-011",
        () => Supervisor.make({ intensity: { maxRestarts, within: 1 }, children: [] }),
        `intensity.maxRestarts: .* got ${maxRestarts}`
      ] as const
    ),
    ...[0, -5, NaN].map((within) =>
      [
        "SV-011",
        () => Supervisor.make({ intensity: { maxRestarts: 1, within }, children: [] }),
        `intensity.within: .* got ${within}`
      ] as const
    ),
    ...["x", 3, null].map((intensity) =>
      [
        "SV-011",
        () => Supervisor.make({ intensity: bad(intensity), children: [] }),
        `intensity: expected an object, got ${JSON.stringify(intensity)}`
      ] as const
    ),
    [
      "SV-011",
      () => Supervisor.make({ intensity: { maxRestarts: bad("3"), within: 1 }, children: [] }),
      `intensity.maxRestarts: .* got "3"`
    ],
    [
      "SV-011",
      () => Supervisor.make({ intensity: { maxRestarts: 1, within: bad("5 parsecs") }, children: [] }),
      `intensity.within: expected a duration, got "5 parsecs"`
    ],
    ["SV-011", () => Supervisor.make({ autoShutdown: bad("any"), children: [] }), `autoShutdown: .* got "any"`],
    [
      "SV-016",
      () => ChildSpec.worker({ id: "a", significant: true, run }),
      `significant: .* permanent child, got true`
    ],
    [
      "SV-016",
      () =>
        Supervisor.make({ children: [ChildSpec.worker({ id: "a", restart: "transient", significant: true, run })] }),
      `significant of a: expected false where autoShutdown is never, got true`
    ],
    [
      "SV-016",
      () => ChildSpec.worker({ id: "a", restart: "transient", significant: bad("yes"), run }),
      `significant: expected true or false, got "yes"`
    ],
    ["SV-016", () => ChildSpec.worker({ id: "a", backoff: bad("1 second"), run }), `backoff: expected a Schedule, got`],
    ["SV-016", () => ChildSpec.worker({ id: "", run }), `id: expected a string that is not empty, got ""`],
    ["SV-016", () => ChildSpec.worker({ id: bad(1), run }), `id: .* got 1`],
    ["SV-016", () => ChildSpec.worker({ id: "a", restart: bad("always"), run }), `restart: .* got "always"`],
    ["SV-016", () => ChildSpec.worker({ id: "a", shutdown: -1, run }), `shutdown: .* got -1`],
    ["SV-016", () => ChildSpec.worker({ id: "a", shutdown: bad("brutal_kill"), run }), `shutdown: .* "brutal_kill"`],
    [
      "SV-016",
      () => ChildSpec.make({ id: "a", type: bad("thing"), start: bad(Effect.never) }),
      `type: .* got "thing"`
    ],
    ["SV-016", () => ChildSpec.make({ id: "a", start: bad(() => Effect.never) }), `start: expected an Effect`],
    ["SV-016", () => ChildSpec.worker({ id: "a", run: bad(Effect.never) }), `run: expected a function`],
    ...[undefined, () => Effect.never, Promise.resolve()].map((start) =>
      ["SV-016", () => ChildSpec.make({ id: "a", start: bad(start) }), `start: expected an Effect, got`] as const
    ),
    ...[undefined, Effect.void].map((layer) =>
      ["SV-016", () => ChildSpec.layer({ id: "a", layer: bad(layer) }), `layer: expected a Layer, got`] as const
    ),
    ["SV-016", () => ChildSpec.make(bad(undefined)), `options: expected an object, got undefined`],
    ["SV-016", () => ChildSpec.worker(bad(undefined)), `options: expected an object, got undefined`],
    ["SV-016", () => ChildSpec.layer(bad(undefined)), `options: expected an object, got undefined`],
    ...([
      [{ id: "" }, `id: .* got ""`],
      [{ restart: "always" }, `restart: .* got "always"`],
      [{ shutdown: "brutal_kill" }, `shutdown: .* got "brutal_kill"`],
      [{ type: "thing" }, `type: .* got "thing"`],
      [{ significant: true }, "significant: expected false for a permanent child, got true"],
      [{ backoff: 1 }, "backoff: expected a Schedule, got 1"]
    ] as const).map(([fields, message]) =>
      [
        "SV-016",
        () => Supervisor.make({ children: [bad({ ...ChildSpec.worker({ id: "a", run }), ...fields })] }),
        message
      ] as const
    ),
    ["SV-011", () => Supervisor.make({ backoff: bad(() => 100), children: [] }), `backoff: expected a Schedule, got`],
    ["SV-105", () => Supervisor.make({ name: bad(1), children: [] }), `name: expected a string .* got 1`],
    ["SV-006", () => Supervisor.launch(bad(1)), `tree: expected a Supervisor, got 1`]
  ]

  for (const [id, make, message] of refused) {
    it(`${id} refused: ${message}`, () => assert.throws(make, new RegExp(message)))
  }

  it("SV-006 what describes no tree is refused, and says which field", () => {
    assert.throws(() => Supervisor.make(bad(undefined)), /options: expected an object, got undefined/)
    assert.throws(() => Supervisor.make(bad("one_for_one")), /options: expected an object, got "one_for_one"/)
    assert.throws(() => Supervisor.make(bad({})), /children: expected an array, got undefined/)
    assert.throws(() => Supervisor.make({ children: bad({ a: 1 }) }), /children: expected an array, got/)
  })

  it.effect("SV-010 a strategy may be left out and is one_for_one then, one that is no strategy is refused", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ strategy: undefined, children: [probe.child("a"), probe.child("b")] })
      yield* started(probe, tree, "start a", "start b")
      yield* probe.end("a", ExitReason.custom("bad"))
      yield* probe.sees("stop a", "start a")
      assert.throws(() => Supervisor.make({ strategy: bad("simple_one_for_one"), children: [] }), /strategy: expected/)
    }))

  it("SV-104 a tree as a child is a supervisor without a limit for its shutdown, unless it is given one", () => {
    const tree = Supervisor.make({ children: [] })
    const { shutdown, type } = tree.child({ id: "a" })
    assert.deepStrictEqual([type, shutdown], ["supervisor", "Infinity"])
    assert.strictEqual(tree.child({ id: "a", shutdown: "1 second" }).shutdown, "1 second")
  })

  it("SV-017 what is no spec is refused where the tree is made", () => {
    assert.throws(() => Supervisor.make({ children: bad([{ id: "a" }]) }), /children: expected a ChildSpec, got/)
    assert.throws(() => Supervisor.make({ children: bad([1]) }), /children: expected a ChildSpec, got 1/)
  })

  it("SV-015 unknown keys are ignored", () => {
    assert.strictEqual(ChildSpec.worker(bad({ id: "a", run, colour: "red" })).id, "a")
  })

  it("SV-013 defaults: permanent worker with 5 seconds, a supervisor with no limit, not significant", () => {
    const { backoff, id, restart, shutdown, significant, type } = ChildSpec.worker({ id: "a", run })
    assert.deepStrictEqual({ backoff, id, restart, shutdown, significant, type }, {
      backoff: undefined,
      id: "a",
      restart: "permanent",
      shutdown: "5 seconds",
      significant: false,
      type: "worker"
    })
    const tree = Supervisor.make({ children: [] }).child({ id: "b" })
    assert.deepStrictEqual([tree.type, tree.restart, tree.shutdown], ["supervisor", "permanent", "Infinity"])
  })

  it.effect("SV-009 Elixir's flags by default: one_for_one, 3 restarts within 5 seconds", () =>
    probed(function*(probe) {
      const tree = Supervisor.make({ children: [probe.child("a"), probe.child("b")] })
      const ref = yield* started(probe, tree, "start a", "start b")
      for (let i = 0; i < 3; i++) {
        yield* probe.end("a", ExitReason.custom("bad"))
        yield* probe.sees("stop a", "start a")
      }
      yield* probe.end("a", ExitReason.custom("bad"))
      yield* probe.sees("stop a", "stop b")
      assert.isFalse(yield* Process.isAlive(ref.pid))
    }))
})
