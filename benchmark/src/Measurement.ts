/**
 * One sample: a process of its own is started, told what to do, and believed only if it has done it.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Line, type Sample } from "./Sample.ts"
import type { System } from "./System.ts"
import type { Workload } from "./Workload.ts"

/** There is no sample: shown as a dash with its reason, and not tried again. */
export class NoSample extends Data.TaggedError("NoSample")<{
  readonly why: string
  /** `limit`: it cannot, or not within memory and time. `fault`: it should have. */
  readonly kind: "limit" | "fault"
}> {}

const warmUpMillis = 300
const limit = "2 minutes"

const outOfMemory = /heap out of memory|Cannot allocate|invalid (array|table) size/i

/** Who is killed for the memory it takes has no time to complain. */
const crashed = (stderr: string): NoSample => {
  const complaint = stderr.split("\n").find((line) => /\w/.test(line))
  return complaint === undefined || outOfMemory.test(stderr)
    ? new NoSample({ kind: "limit", why: "runs out of memory" })
    : new NoSample({ kind: "fault", why: `crashes: ${complaint.trim()}` })
}

/** Starts the process, and gives what it prints. Whatever keeps it from ending well is told by what it complains of. */
const output = Effect.fnUntraced(function*(system: System, args: ReadonlyArray<number | string>) {
  const [executable, ...flags] = system.command
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const handle = yield* spawner.spawn(ChildProcess.make(executable, [...flags, ...args.map(String)], {
    stdin: "ignore",
    env: system.env,
    extendEnv: true,
    killSignal: "SIGKILL"
  }))
  const [stdout, stderr] = yield* Effect.all([
    Stream.mkString(Stream.decodeText(handle.stdout)),
    Stream.mkString(Stream.decodeText(handle.stderr))
  ], { concurrency: 2 })
  return stdout === "" ? yield* crashed(stderr) : stdout
}, Effect.scoped)

export const sample = Effect.fnUntraced(function*(
  system: System,
  workload: Workload,
  n: number
): Effect.fn.Return<Sample, NoSample, ChildProcessSpawner.ChildProcessSpawner> {
  const { quick, width } = workload
  const line = yield* output(system, [workload.name, n, width, Math.min(n, quick), warmUpMillis]).pipe(
    Effect.flatMap(Schema.decodeEffect(Line)),
    Effect.timeoutOrElse({
      duration: limit,
      orElse: () => Effect.fail(new NoSample({ kind: "limit", why: `takes more than ${limit}` }))
    }),
    Effect.mapError((error) => error._tag === "NoSample" ? error : new NoSample({ kind: "fault", why: error.message }))
  )
  if ("cannot" in line) return yield* new NoSample({ kind: "limit", why: line.cannot })
  const expected = workload.done({ n, width })
  if (line.done !== expected) {
    return yield* new NoSample({ kind: "fault", why: `has done ${line.done}, not ${expected}` })
  }
  return line
})
