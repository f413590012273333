/** Who is restarted, as told by the children themselves: strategy x restart type x reason of the exit x position. */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import { type Order, probed, started } from "./utils/tree.ts"

const strategies = ["one_for_one", "rest_for_one", "one_for_all"] as const
const restarts = ["permanent", "transient", "temporary"] as const
const kinds = ["child", "worker"] as const
const ids = ["a", "b", "c"] as const

const orders: ReadonlyArray<readonly [name: string, order: Order]> = [
  ["Normal", ExitReason.normal],
  ["Shutdown", ExitReason.shutdown()],
  ["Shutdown with a term", ExitReason.shutdown("term")],
  ["Killed", ExitReason.killed],
  ["Crashed by a defect", "crash"],
  ["Crashed", ExitReason.crashed(Cause.fail("no"))],
  ["Kill, of itself", ExitReason.kill],
  ["NoProcess", ExitReason.noProcess],
  ["NoConnection", ExitReason.noConnection],
  ["Custom", ExitReason.custom("bad")]
]

const clean = new Set(["Normal", "Shutdown", "Shutdown with a term"])

/** What must be seen when one of a, b and c has ended, written down rather than computed. */
const others = {
  one_for_one: { a: ["start a"], b: ["start b"], c: ["start c"] },
  rest_for_one: {
    a: ["stop c", "stop b", "start a", "start b", "start c"],
    b: ["stop c", "start b", "start c"],
    c: ["start c"]
  },
  one_for_all: {
    a: ["stop c", "stop b", "start a", "start b", "start c"],
    b: ["stop c", "stop a", "start a", "start b", "start c"],
    c: ["stop b", "stop a", "start a", "start b", "start c"]
  }
} as const

const row = { permanent: "SV-030", transient: "SV-031", temporary: "SV-032" } as const

const table = kinds.flatMap((kind) =>
  strategies.flatMap((strategy) =>
    restarts.flatMap((restart) =>
      ids.flatMap((id) => orders.map(([name, order]) => ({ kind, strategy, restart, id, name, order })))
    )
  )
)

describe("truth table", () => {
  for (const { id, kind, name, order, restart, strategy } of table) {
    const restarted = restart === "permanent" || (restart === "transient" && !clean.has(name))
    const what = `${kind === "child" ? "server" : "process"} ${id}`
    it.effect(`${row[restart]} ${strategy}: ${restart} ${what} is ${restarted ? "" : "not "}restarted after ${name}`, () =>
      probed(function*(probe) {
        const children = ids.map((each) => probe[kind](each, { restart: each === id ? restart : "permanent" }))
        const tree = Supervisor.make({ strategy, children })
        const ref = yield* started(probe, tree, "start a", "start b", "start c")
        const before = new Map(ids.map((each) => [each, probe.pid(each)]))
        yield* probe.end(id, order)
        const expected: ReadonlyArray<string> = restarted ? others[strategy][id] : []
        yield* probe.sees(`stop ${id}`, ...expected)
        const after = yield* Supervisor.whichChildren(ref)
        assert.deepStrictEqual(
          after.map((child) => [child.id, child.child]),
          ids.toReversed().filter((each) => each !== id || restart !== "temporary").map((each) => [
            each,
            each === id && !restarted ? undefined : probe.pid(each)
          ])
        )
        for (const each of ids) {
          assert.strictEqual(probe.pid(each) !== before.get(each), expected.includes(`start ${each}`))
        }
      }))
  }
})
