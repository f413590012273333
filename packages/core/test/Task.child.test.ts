import { Supervisor, Task } from "@effect-otp/core"
import type * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as Process from "@effect-otp/core/Process"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { asProcess } from "./utils/process.ts"
import { defectOf } from "./utils/server.ts"

describe("child", () => {
  it("TK-027 it is temporary, unless it says otherwise", () => {
    const spec = Task.child({ run: Effect.void })
    assert.deepInclude(spec, { id: "Task", restart: "temporary", type: "worker", shutdown: "5 seconds" })
    const other = Task.child({ id: "sweep", run: () => Effect.void, restart: "transient", shutdown: "brutalKill" })
    assert.deepInclude(other, { id: "sweep", restart: "transient", shutdown: "brutalKill" })
    assert.throws(() => Task.child({ run: 42 as never }), "run: expected an Effect or a body, got 42")
    assert.throws(() => Task.child({ id: "", run: Effect.void }), "id: expected a string that is not empty, got \"\"")
  })

  it.effect("TK-027 it runs once: it is started, linked to its supervisor and not restarted when it crashes", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const infos = yield* Deferred.make<Process.Info>()
        const work = Effect.gen(function*() {
          yield* Effect.addFinalizer(() => Process.send(self.pid, "released"))
          yield* Process.send(self.pid, "run")
          const info = yield* Process.info(yield* Process.self)
          yield* Deferred.succeed(infos, Option.getOrThrow(info))
          yield* Deferred.await(gate)
          return yield* Effect.fail("no")
        })
        const tree = yield* Supervisor.make({ children: [Task.child({ id: "once", run: work })] }).start
        assert.strictEqual(yield* self.receive, "run")
        const { callers, label, links } = yield* Deferred.await(infos)
        assert.deepStrictEqual({ callers, label, links }, {
          callers: [`${tree.pid}`],
          label: "once",
          links: [tree.pid]
        })
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* self.receive, "released")
        yield* settle
        assert.deepStrictEqual(yield* Supervisor.whichChildren(tree), [])
        assert.isTrue(yield* Process.isAlive(tree.pid))
        yield* Supervisor.stop(tree)
      })
    ))

  it.effect("a body has a mailbox, and a label of its own", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const child = Task.child({
          run: (own: Process.Self<string>) =>
            Effect.andThen(
              Process.send(own.pid, "to itself"),
              Effect.flatMap(own.receive, (m) => Process.send(self.pid, m))
            ),
          label: "echo"
        })
        const tree = yield* Supervisor.make({ children: [child] }).start
        assert.strictEqual(yield* self.receive, "to itself")
        yield* Supervisor.stop(tree)
        const spec: ChildSpec.ChildSpec<never, never, never> = child
        assert.strictEqual(spec.id, "Task")
        assert.strictEqual(
          (yield* defectOf(Task.start(Effect.void, { id: "x" } as never))).message,
          "option: expected \"label\", got \"id\""
        )
      })
    ))
})
