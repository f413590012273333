/**
 * Who is restarted, as told by the children themselves: strategy x restart type x reason of the exit x position x kind of the
 * child, and whether it has ended by itself or was sent a signal.
 */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import type * as Effect from "effect/Effect"
import * as scale from "../../../test-scale.ts"
import { reasons } from "./utils/reasons.ts"
import { type Order, type Probe, probed } from "./utils/tree.ts"

const strategies = ["one_for_one", "rest_for_one", "one_for_all"] as const
const restarts = ["permanent", "transient", "temporary"] as const
const ids = ["a", "b", "c"] as const

type Id = typeof ids[number]

const isCrash = (name: string): boolean => name.startsWith("Crashed")

/** A way to end a child, and whether that is a clean end; `"ignored"`, if it does not even end it. */
interface End {
  readonly name: string
  readonly clean: boolean | "ignored"
  readonly end: (probe: Probe, id: Id) => Effect.Effect<unknown, unknown>
}

const tell = (order: Order) => (probe: Probe, id: Id) => Process.send(probe.pid(id), order)

const signal = (reason: ExitReason.ExitReason) => (probe: Probe, id: Id) => Process.exit(probe.pid(id), reason)

/** Servers and processes end by themselves, or by a signal. */
const ends: ReadonlyArray<End> = [
  ...reasons.map(([name, reason, clean]) => ({ name: `it ended ${name}`, clean, end: tell(reason) })),
  { name: "it crashed by a defect", clean: false, end: tell("crash") },
  ...reasons.filter(([, reason]) => reason._tag !== "Kill").map(([name, reason, clean]) => ({
    name: `the signal ${name}`,
    clean: reason._tag === "Normal" ? "ignored" as const : clean,
    end: signal(reason)
  })),
  { name: "a kill", clean: false, end: signal(ExitReason.kill) }
]

/** A supervisor ends as it is told to by `stop`; signals it ignores, but for a kill. */
const endsOfTrees: ReadonlyArray<End> = [
  ...reasons.map(([name, reason, clean]) => ({
    name: `it was stopped with ${name}`,
    clean,
    end: (_: Probe, id: Id) => Supervisor.stop(`tree ${id}`, { reason })
  })),
  ...reasons.filter(([name, reason]) => reason._tag !== "Kill" && !isCrash(name)).map(([name, reason]) => ({
    name: `the signal ${name}`,
    clean: "ignored" as const,
    end: (_: Probe, id: Id) => Process.exit(`tree ${id}`, reason)
  })),
  { name: "a kill", clean: false, end: (_, id) => Process.exit(`tree ${id}`, ExitReason.kill) },
  {
    name: "it gave up",
    clean: true,
    end: (probe, id) => Process.send(probe.pid(`${id}1` as Id), ExitReason.custom("bad"))
  }
]

/** What must be seen when one of a, b and c has ended and is restarted, written down rather than computed. */
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

/** A kind of child: how one is made, what is seen of it, and how it ends. */
const kinds = {
  server: {
    make: (probe: Probe, id: string, restart: typeof restarts[number]) => probe.child(id, { restart }),
    shows: (event: string) => [event],
    ends
  },
  process: {
    make: (probe: Probe, id: string, restart: typeof restarts[number]) => probe.worker(id, { restart }),
    shows: (event: string) => [event],
    ends
  },
  supervisor: {
    make: (probe: Probe, id: string, restart: typeof restarts[number]) =>
      Supervisor.make({
        name: `tree ${id}`,
        intensity: { maxRestarts: 0, within: 1 },
        children: [probe.child(`${id}1`), probe.child(`${id}2`)]
      }).child({ id, restart }),
    shows: (event: string) => event.startsWith("start") ? [`${event}1`, `${event}2`] : [`${event}2`, `${event}1`],
    ends: endsOfTrees
  }
}

// Under the scheduler of an application children are started within a turn of their supervisor.
const schedulers = [["a test", it.effect, ids], [
  "an application",
  it.live,
  scale.full ? ids : (["b"] as const)
]] as const

for (const [what, { ends, make, shows }] of Object.entries(kinds)) {
  describe.each(schedulers)(`truth table of a ${what} under the scheduler of %s`, (_, it, positions) => {
    const table = strategies.flatMap((strategy) =>
      restarts.flatMap((restart) => positions.flatMap((id) => ends.map((end) => ({ strategy, restart, id, ...end }))))
    )
    for (const { clean, end, id, name, restart, strategy } of table) {
      const ended = clean !== "ignored"
      const restarted = ended && (restart === "permanent" || (restart === "transient" && !clean))
      const outcome = ended ? restarted ? "is restarted" : "is not restarted" : "lives on"
      it(`${row[restart]} ${strategy}: ${restart} ${what} ${id} ${outcome} after ${name}`, () =>
        probed(function*(probe) {
          const children = ids.map((each) => make(probe, each, each === id ? restart : "permanent"))
          const ref = yield* Supervisor.make({ strategy, children }).start
          yield* probe.sees(...ids.flatMap((each) => shows(`start ${each}`)))
          const before = new Map((yield* Supervisor.whichChildren(ref)).map(({ child, id }) => [id, child]))
          yield* end(probe, id)
          yield* settle
          const events = yield* probe.seen
          const own = ended ? shows(`stop ${id}`) : []
          const rest: ReadonlyArray<string> = restarted ? others[strategy][id] : []
          // A kill and its links are no order in which children are stopped.
          assert.deepStrictEqual(events.slice(0, own.length).toSorted(), own.toSorted())
          assert.deepStrictEqual(events.slice(own.length), rest.flatMap(shows))
          const after = yield* Supervisor.whichChildren(ref)
          assert.deepStrictEqual(
            after.map((child) => child.id),
            ids.toReversed().filter((each) => each !== id || restart !== "temporary" || !ended)
          )
          for (const { child, id: each } of after) {
            if (each === id && ended && !restarted) assert.isUndefined(child)
            else assert.strictEqual(child !== before.get(each), rest.includes(`start ${each}`))
          }
        }))
    }
  })
}
