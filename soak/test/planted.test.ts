/** A soak that finds nothing is worth as much as it would have found: each of these bugs is found, for what it breaks. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import type { Invariant } from "../src/Invariant.ts"
import * as Run from "../src/Run.ts"
import { type Bug, plant } from "./utils/planted.ts"

interface Planted extends Bug {
  readonly breaks: Invariant
}

const unregister = "yield* Registry.unregister(running, job.id)\n"

/** A worker that leaves something behind with each job. */
const leaving = (what: string): Bug["edits"] => [
  ["Pool.ts", "type Process, ", "Process, "],
  ["Pool.ts", unregister, `${unregister}yield* ${what}\n`]
]

const bugs: ReadonlyArray<Planted> = [
  {
    name: "a queue that does not watch its workers",
    edits: [["Claims.ts", "Process.monitor(worker)", "Effect.tap(Process.monitor(worker), Process.demonitor)"]],
    breaks: "finishes"
  },
  {
    name: "a queue that keeps a job which it has given away",
    edits: [
      ["Claims.ts", "    waiting.delete(id)\n", ""],
      // This would notice, too: who registers what is registered crashes.
      ["Pool.ts", "yield* Registry.register(", "yield* Effect.ignore(Registry.register("],
      ["Pool.ts", "since: yield* Clock.currentTimeMillis })", "since: 0 }))"]
    ],
    breaks: "alone"
  },
  {
    name: "a queue that takes no job back",
    edits: [["Claims.ts", "claims.waiting.set(assignment.job.id, assignment)", ""]],
    breaks: "sums"
  },
  {
    name: "a journal that acknowledges before it writes",
    edits: [[
      "Journal.ts",
      "yield* state.disk.append(entry)",
      "yield* Effect.forkDetach(Effect.delay(state.disk.append(entry), 1))"
    ]],
    breaks: "stored"
  },
  {
    name: "a journal that begins with nothing",
    edits: [["Journal.ts", "Book.read(remember, disk.entries)", "Book.make(remember)"]],
    breaks: "stored"
  },
  {
    name: "a journal that takes everything for news",
    edits: [["Book.ts", "return !open.has(event.id) && !closed.has(event.id)", "return true"]],
    breaks: "once"
  },
  {
    name: "a journal that gives out the result of another job",
    edits: [["Journal.ts", "Step.reply(last.outcome, state)", "Step.reply({ _tag: \"Done\", result: \"?\" }, state)"]],
    breaks: "kept"
  },
  {
    name: "a journal that lets its readers wait",
    edits: [["Journal.ts", "GenServer.reply(reader, outcome)", "Effect.void"]],
    breaks: "finishes"
  },
  { name: "a worker that stays registered", edits: [["Pool.ts", unregister, ""]], breaks: "running" },
  {
    name: "a worker that leaves a monitor with each job",
    edits: leaving("Process.monitor((yield* Process.list)[0])"),
    breaks: "leaks"
  },
  {
    name: "a worker that leaves a timer with each job",
    edits: leaving("Process.sendAfter(self.pid, 1, \"1 day\")"),
    breaks: "leaks"
  },
  {
    name: "a worker that leaves a process with each job",
    edits: leaving("Process.spawn(() => Effect.never)"),
    breaks: "leaks"
  },
  {
    name: "a crew that hires too few",
    edits: [["Pool.ts", "workers - specs,", "workers - specs - 1,"]],
    breaks: "whole"
  },
  {
    name: "a core that is not started again",
    edits: [["JobService.ts", "core.child({ id: \"core\" })", "core.child({ id: \"core\", restart: \"temporary\" })"]],
    breaks: "returns"
  },
  {
    name: "a submission that dies of a refusal",
    edits: [["JobService.ts", "Effect.tap(() => tell(\"acknowledged\")),", "Effect.orDie,"]],
    breaks: "answers"
  }
]

describe("a soak finds", () => {
  it.live.each(bugs)("$name", (bug) =>
    Effect.gen(function*() {
      const service = yield* Effect.promise(() => plant(bug))
      const { violation } = yield* Run.simulated({
        service,
        duration: Duration.hours(2),
        every: Duration.seconds(1),
        seed: 7
      })
      assert.strictEqual(violation?.invariant, bug.breaks, violation?.what)
    }), 120_000)
})
