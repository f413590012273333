/**
 * A server in one process, and those who use it in another.
 *
 * The protocol of a GenServer is served over HTTP and WebSocket with one line. A client has the same service, with the same
 * types: it sees the typed error, survives a crash of the server, and what is forged is refused before it reaches a handler.
 * The two sides are `over-the-wire/server.ts` and `over-the-wire/client.ts`.
 *
 * Run it: npx -y pnpm@12 exec node packages/examples/src/80_over-the-wire.ts
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Deferred, Effect, Fiber, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { fileURLToPath } from "node:url"

/** Starts a program in a process of its own, which ends with the scope, and hands over every line that it prints. */
const start = Effect.fnUntraced(function*(
  file: string,
  args: ReadonlyArray<string>,
  onLine: (line: string) => Effect.Effect<unknown>
) {
  const path = fileURLToPath(new URL(`over-the-wire/${file}`, import.meta.url))
  const handle = yield* ChildProcess.make(process.execPath, [path, ...args], { stderr: "inherit" })
  const printed = handle.stdout.pipe(Stream.decodeText, Stream.splitLines, Stream.runForEach(onLine))
  return { handle, printed: yield* Effect.forkScoped(printed) }
})

export const program = Effect.gen(function*() {
  const lines: Array<string> = []
  const show = (line: string) => Effect.andThen(Effect.sync(() => lines.push(line)), Console.log(line))

  const address = yield* Deferred.make<string>()
  const server = yield* start(
    "server.ts",
    [],
    (line) => line.startsWith("http") ? Deferred.succeed(address, line) : show(`server: ${line}`)
  )

  const gone = Effect.andThen(Fiber.join(server.printed), Effect.die(new Error("the server ended before it listened")))
  const url = yield* Effect.raceFirst(Deferred.await(address), gone)

  const client = yield* start("client.ts", [url], (line) => show(`client: ${line}`))
  yield* Fiber.join(client.printed)
  const code = yield* client.handle.exitCode

  yield* server.handle.kill()
  yield* Fiber.join(server.printed)
  yield* Console.log(`the client ended with ${code}, and then the server was ended`)
  return { code, lines }
}).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

if (import.meta.main) NodeRuntime.runMain(program)
