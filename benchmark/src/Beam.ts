/**
 * The BEAM: how it is found, how our Erlang and Elixir are compiled for it, how it is started.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as os from "node:os"
import * as path from "node:path"

/** What the BEAM is there with, and whose library is needed. */
interface Language {
  readonly name: string
  /** What says whether it is there. */
  readonly probe: readonly [executable: string, ...args: Array<string>]
  /** What apt-get has it in. */
  readonly package: string
}

const erlang: Language = { name: "Erlang", probe: ["erl", "-noinput", "-eval", "halt(0)."], package: "erlang-nox" }
const elixir: Language = { name: "Elixir", probe: ["elixirc", "--version"], package: "elixir" }

/** A language is not there, and cannot be had. */
export class NotInstalled extends Data.TaggedError("NotInstalled")<{
  readonly language: Language
  /** What there will be no figures of. */
  readonly skipped: string
}> {
  override get message(): string {
    const { name, package: from } = this.language
    return `${this.skipped}: skipped, ${name} is not installed (apt-get install ${from})`
  }
}

const sources = path.join(import.meta.dirname, "..", "beam")
const compiled = path.join(os.tmpdir(), `effect-otp-benchmark-${process.pid}`)
/** The library of Elixir, once it is known where that is. */
const library = path.join(compiled, "elixir")

export const command = (flags: ReadonlyArray<string>): readonly [string, ...Array<string>] => [
  "erl",
  ...flags,
  // Room for the largest workload; the default is 262,144 processes.
  "+P",
  "5000000",
  "-noinput",
  "-pa",
  compiled,
  // Not there without Elixir, and then not looked into.
  "-pa",
  library,
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

/** What a command prints. */
const ask = (executable: string, ...args: Array<string>) =>
  ChildProcessSpawner.ChildProcessSpawner.use((spawner) => spawner.string(ChildProcess.make(executable, args)))

const isInstalled = ({ probe: [executable, ...args] }: Language) => succeeds(executable, ...args)

/** Only where it can be done without asking: as root, on a system that has apt-get. */
const install = (language: Language) =>
  Effect.suspend(() =>
    process.getuid?.() === 0
      ? Effect.andThen(succeeds("apt-get", "update"), succeeds("apt-get", "install", "-y", language.package))
      : Effect.succeed(false)
  )

const need = Effect.fnUntraced(function*(language: Language, skipped: string) {
  if (yield* isInstalled(language)) return
  if (!((yield* install(language)) && (yield* isInstalled(language)))) {
    return yield* new NotInstalled({ language, skipped })
  }
})

const compile = Effect.fnUntraced(function*(compiler: string, extension: string) {
  const fs = yield* FileSystem.FileSystem
  const files = (yield* fs.readDirectory(sources)).filter((file) => file.endsWith(extension))
  const done = yield* succeeds(compiler, "-o", compiled, ...files.map((file) => path.join(sources, file)))
  if (!done) return yield* Effect.die(`beam: ${compiler} refuses our sources`)
})

/** Compiles the workloads into a directory of their own, which is gone with the Scope. */
export const prepare = Effect.gen(function*() {
  yield* need(erlang, "beam")
  const fs = yield* FileSystem.FileSystem
  yield* Effect.acquireRelease(
    fs.makeDirectory(compiled, { recursive: true }),
    () => Effect.ignore(fs.remove(compiled, { recursive: true }))
  )
  yield* compile("erlc", ".erl")
})

/** The same for what is written in Elixir, beside the others. */
export const prepareElixir = Effect.gen(function*() {
  yield* need(elixir, "beam, registry")
  const fs = yield* FileSystem.FileSystem
  yield* fs.symlink(path.join(yield* ask("elixir", "-e", "IO.write(:code.lib_dir(:elixir))"), "ebin"), library)
  yield* compile("elixirc", ".ex")
})

/** For example "Erlang/OTP 27, JIT"; nothing where it is not installed. */
export const version = Effect.option(ask(
  "erl",
  "-noinput",
  "-eval",
  "io:format(\"Erlang/OTP ~s, ~s\", [erlang:system_info(otp_release), erlang:system_info(emu_flavor)]), halt()."
))

/** For example "Elixir 1.18.0"; nothing where it is not installed. */
export const elixirVersion = Effect.option(ask("elixir", "-e", "IO.write([\"Elixir \", System.version()])"))
