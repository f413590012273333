/**
 * The BEAM: one process that runs scenarios, many at a time, and tells what was seen.
 */
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as path from "node:path"
import type { Scenario } from "./Scenario.ts"
import * as Term from "./Term.ts"
import type { Raw } from "./Trace.ts"

/** Elixir is not there. */
export class NoElixir extends Data.TaggedError("NoElixir")<{}> {
  override readonly message = "Elixir is not installed, and nothing can be compared with the BEAM without it: " +
    "install it (apt-get install elixir), 1.14 or newer. The tests compare with recordings, and need none"
}

/** It could not run a scenario. */
export class BeamFailed extends Data.TaggedError("BeamFailed")<{ readonly why: string }> {
  override get message(): string {
    return `the BEAM could not run a scenario: ${this.why}`
  }
}

export interface Beam {
  /** Runs a scenario as it comes. */
  readonly run: (scenario: Scenario) => Effect.Effect<Raw, BeamFailed>
  /** Runs it in another order, as far as there is none: each seed tries another one. Gives nothing if that takes too long. */
  readonly shuffle: (scenario: Scenario, seed: number) => Effect.Effect<Raw | undefined, BeamFailed>
}

/** On how many schedulers its processes run. */
export type Schedulers = "one" | "all"

const main = path.join(import.meta.dirname, "..", "beam", "main.exs")

// What waits costs nothing, but with several schedulers each scenario disturbs the others.
const lanes: Record<Schedulers, number> = { one: 8, all: 2 }

const command = (schedulers: Schedulers) =>
  ChildProcess.make(
    "elixir",
    ["--erl", schedulers === "one" ? "+S 1:1 +sbwt none" : "+sbwt none", main, String(lanes[schedulers])],
    { stderr: "inherit" }
  )

/** Whether there is Elixir. */
export const isInstalled: Effect.Effect<boolean, never, ChildProcessSpawner.ChildProcessSpawner> = ChildProcessSpawner
  .ChildProcessSpawner.use((spawner) => spawner.exitCode(ChildProcess.make("elixir", ["--version"]))).pipe(
    Effect.map((code) => code === 0),
    Effect.orElseSucceed(() => false)
  )

/** How often a machine that does not keep up gets another chance. */
const attempts = { run: 500, shuffle: 5 }

/** Starts it. It ends with the Scope. */
export const start = Effect.fnUntraced(function*(schedulers: Schedulers) {
  if (!(yield* isInstalled)) return yield* new NoElixir()
  const handle = yield* Effect.orDie(command(schedulers))
  const lines = yield* Queue.unbounded<string>()
  const waiting = new Map<number, Deferred.Deferred<Raw | "slow", BeamFailed>>()
  let last = 0

  yield* Stream.fromQueue(lines).pipe(Stream.encodeText, Stream.run(handle.stdin), Effect.forkScoped)
  yield* handle.stdout.pipe(
    Stream.decodeText,
    Stream.splitLines,
    Stream.runForEach((line) =>
      Effect.suspend(() => {
        // The other side writes a line for each scenario, and nothing else.
        const [id, answer] = JSON.parse(line) as readonly [number, Raw | string]
        const deferred = waiting.get(id)!
        waiting.delete(id)
        return typeof answer !== "string" || answer === "slow"
          ? Deferred.succeed(deferred, answer as Raw | "slow")
          : Deferred.fail(deferred, new BeamFailed({ why: answer }))
      })
    ),
    Effect.ensuring(
      Effect.suspend(() =>
        Effect.forEach(waiting.values(), (deferred) => Deferred.fail(deferred, new BeamFailed({ why: "it has ended" })))
      )
    ),
    Effect.forkScoped
  )

  const once = (scenario: Scenario, seed: number) =>
    Effect.suspend(() => {
      const id = ++last
      const deferred = Deferred.makeUnsafe<Raw | "slow", BeamFailed>()
      waiting.set(id, deferred)
      // A scenario is plain data, though its interfaces have no index signature.
      Queue.offerUnsafe(lines, `{${id},${seed},${Term.print(scenario as never)}}.\n`)
      return Deferred.await(deferred)
    })

  const inTime = Effect.fnUntraced(function*(scenario: Scenario, seed: number, attempts: number) {
    for (let left = attempts; left > 0; left--) {
      const answer = yield* once(scenario, seed)
      if (answer !== "slow") return answer
    }
    return undefined
  })

  const beam: Beam = {
    run: (scenario) =>
      Effect.flatMap(inTime(scenario, 0, attempts.run), (raw) =>
        raw === undefined
          ? Effect.fail(new BeamFailed({ why: "the machine is too busy to keep its times" }))
          : Effect.succeed(raw)),
    shuffle: (scenario, seed) => inTime(scenario, seed, attempts.shuffle)
  }
  return beam
})
