import { ChildSpec, GenServer, Supervisor } from "@effect-otp/core"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { arrived, asProcess, idle, inNode } from "./utils/process.ts"
import { defectOf, logged } from "./utils/server.ts"

const infoOf = (target: Process.Pid<never, unknown> | string) => Effect.map(Process.info(target), Option.getOrThrow)

describe("setLabel", () => {
  it.effect("PR-020 a process labels itself, others read it, and who is dead or has none reads none", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const labelOf = (pid: Process.Pid<never>) =>
          Effect.map(Process.info(pid), Option.flatMap((info) => Option.fromUndefinedOr(info.label)))
        assert.deepStrictEqual(yield* labelOf(self.pid), Option.none())
        assert.isUndefined(yield* Process.setLabel("the test"))
        assert.deepStrictEqual(yield* labelOf(self.pid), Option.some("the test"))
        const child = yield* Process.spawn(
          () => Effect.andThen(Process.setLabel("busy with order 12"), Effect.never),
          { label: "worker" }
        )
        assert.deepStrictEqual(yield* labelOf(child), Option.some("worker"))
        yield* settle
        assert.deepStrictEqual(yield* labelOf(child), Option.some("busy with order 12"))
        yield* Process.exit(child, ExitReason.kill)
        assert.deepStrictEqual(yield* labelOf(child), Option.none())
      })
    ))

  it.effect("a fiber of the process labels the process", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        yield* Fiber.join(yield* Effect.forkChild(Process.setLabel("by a fiber")))
        assert.strictEqual((yield* infoOf(self.pid)).label, "by a fiber")
      })
    ))

  it.effect("it stands in the report of a crash, and who is spawned from then on has it among its ancestors", () =>
    logged((lines) =>
      inNode(Effect.gen(function*() {
        const ancestors: Array<ReadonlyArray<string>> = []
        const note = Process.spawn((own) => Effect.map(infoOf(own.pid), (info) => ancestors.push(info.ancestors)))
        const pid = yield* Process.spawn((own) =>
          Effect.gen(function*() {
            yield* note
            yield* Process.setLabel("labelled")
            yield* note
            yield* Effect.orDie(Process.register("named", own.pid))
            yield* note
            yield* settle
            return yield* Effect.die(new Error("a bug"))
          })
        )
        yield* Process.awaitExit(pid)
        assert.deepStrictEqual(ancestors, [[`${pid}`], [`labelled ${pid}`], [`named ${pid}`]])
        assert.deepInclude(lines[0].report, { name: "named", label: "labelled" })
      }))
    ))

  it.effect("an empty label, and what is none, is refused and named", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        for (const [label, shown] of [["", "\"\""], [42, "42"], [undefined, "undefined"]] as const) {
          const message = `label: expected a string that is not empty, got ${shown}`
          assert.strictEqual((yield* defectOf(Process.setLabel(label as string))).message, message)
        }
        assert.isUndefined((yield* infoOf(self.pid)).label)
      })
    ))
})

class Idle extends GenServer.Service<Idle>()("test/Idle", []) {
  static readonly server = this.implement({ init: () => 0, handlers: {} })
}

describe("info", () => {
  it.effect("PR-021 it tells what a process was started as, and by whom, nearest first", () =>
    inNode(Effect.gen(function*() {
      const tree = yield* Supervisor.make({
        name: "top",
        children: [
          Idle.server.child({ id: "idle", name: "idle", provide: false }),
          ChildSpec.worker({
            id: "worker",
            run: (self) => Effect.andThen(Process.register("w", self.pid), Effect.never)
          })
        ]
      }).start
      yield* settle
      const server = yield* infoOf("idle")
      assert.deepStrictEqual([server.initialCall, server.ancestors], ["test/Idle", [`top ${tree.pid}`]])
      const worker = yield* infoOf("w")
      assert.deepStrictEqual([worker.initialCall, worker.ancestors], [undefined, [`top ${tree.pid}`]])
      const top = yield* infoOf("top")
      assert.deepStrictEqual([top.initialCall, top.ancestors], ["Supervisor", []])
    })))
})

describe("the context of a process", () => {
  const Leader = Context.Reference<string>("test/Leader", { defaultValue: () => "nobody" })

  it.effect("PR-019 what its parent has is what it has, through all generations, and may be replaced", () =>
    asProcess((self: Process.Self<readonly [string, string]>) =>
      Effect.gen(function*() {
        const tell = (who: string) => Effect.flatMap(Leader, (leader) => Process.send(self.pid, [who, leader] as const))
        const child = (name: string) => () =>
          Effect.andThen(tell(name), Process.spawn(() => tell(`${name} of ${name}`)))
        yield* Process.spawn(child("first"))
        yield* Effect.provideService(Process.spawn(child("second")), Leader, "another")
        yield* tell("parent")
        assert.sameDeepMembers([...yield* arrived(self)], [
          ["parent", "mine"],
          ["first", "mine"],
          ["first of first", "mine"],
          ["second", "another"],
          ["second of second", "another"]
        ])
      }).pipe(Effect.provideService(Leader, "mine"))
    ))
})

describe("a name or a pid of nobody", () => {
  it.effect("each verb says so in its own way, and harms nobody", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const other = yield* idle
        for (const [verb, effect] of [["send to", Process.send("nobody", 1)], ["exit", Process.exit("nobody", bad)]]) {
          assert.strictEqual(
            (yield* defectOf(effect as Effect.Effect<void>)).message,
            `cannot ${verb as string} nobody: no process is registered under this name`
          )
        }
        assert.isFalse(yield* Process.isAlive("nobody"))
        assert.deepStrictEqual(yield* Process.awaitExit("nobody"), ExitReason.noProcess)
        assert.deepStrictEqual(yield* Process.info("nobody"), Option.none())
        assert.deepStrictEqual(yield* Process.whereis("nobody"), Option.none())
        assert.strictEqual((yield* Effect.flip(Process.unregister("nobody"))).reason._tag, "NotRegistered")
        yield* Process.sendAfter("nobody", "lost", 0)
        yield* Process.monitor("nobody")
        const [down, ...others] = yield* arrived(self)
        assert.deepStrictEqual([Process.isDown(down) && down.reason, others], [ExitReason.noProcess, []])
        assert.deepStrictEqual(yield* Process.list, [self.pid, other])
        assert.deepStrictEqual(yield* Process.registered, [])
      })
    ))
})

const bad = ExitReason.custom("bad")
