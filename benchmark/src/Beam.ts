/**
 * The BEAM: how it is found, how our Erlang is compiled for it, how it is started.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as os from "node:os"
import * as path from "node:path"

/** Erlang is not there, and cannot be had. */
export class NoErlang extends Data.TaggedError("NoErlang")<{}> {
  override readonly message = "beam: skipped, Erlang is not installed (apt-get install erlang-nox)"
}

const sources = path.join(import.meta.dirname, "..", "beam")
const compiled = path.join(os.tmpdir(), `effect-otp-benchmark-${process.pid}`)

export const command = (flags: ReadonlyArray<string>): readonly [string, ...Array<string>] => [
  "erl",
  ...flags,
  // Room for the largest workload; the default is 262,144 processes.
  "+P",
  "5000000",
  "-noinput",
  "-pa",
  compiled,
  "-run",
  "bench",
  "main",
  "-extra"
]

/** Whether a command ends well. Whatever keeps it from starting is a no. */
const succeeds = (executable: string, ...args: Array<string>) =>
  ChildProcessSpawner.ChildProcessSpawner.use((spawner) => spawner.exitCode(ChildProcess.make(executable, args))).pipe(
    Effect.map((code) => code === 0),
    Effect.orElseSucceed(() => false)
  )

const isInstalled = succeeds("erl", "-noinput", "-eval", "halt(0).")

/** Only where it can be done without asking: as root, on a system that has apt-get. */
const install = Effect.suspend(() =>
  process.getuid?.() === 0
    ? Effect.andThen(succeeds("apt-get", "update"), succeeds("apt-get", "install", "-y", "erlang-nox"))
    : Effect.succeed(false)
)

/** Compiles the workloads into a directory of their own, which is gone with the Scope. */
export const prepare = Effect.gen(function*() {
  if (!(yield* isInstalled) && !((yield* install) && (yield* isInstalled))) return yield* new NoErlang()
  const fs = yield* FileSystem.FileSystem
  yield* Effect.acquireRelease(
    fs.makeDirectory(compiled, { recursive: true }),
    () => Effect.ignore(fs.remove(compiled, { recursive: true }))
  )
  const files = (yield* fs.readDirectory(sources)).map((file) => path.join(sources, file))
  if (!(yield* succeeds("erlc", "-o", compiled, ...files))) return yield* Effect.die("beam: erlc refuses our Erlang")
})

/** For example "Erlang/OTP 27, JIT"; nothing where it is not installed. */
export const version = ChildProcessSpawner.ChildProcessSpawner.use((spawner) =>
  spawner.string(ChildProcess.make("erl", [
    "-noinput",
    "-eval",
    "io:format(\"Erlang/OTP ~s, ~s\", [erlang:system_info(otp_release), erlang:system_info(emu_flavor)]), halt()."
  ]))
).pipe(Effect.option)
