/**
 * A job service in a process of its own, seen from outside: it is started, killed, stopped, and asked.
 */
import * as GenServerRpc from "@effect-otp/core/GenServerRpc"
import { Deferred, Effect, Fiber, Layer, Schema, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { ChildProcess, type ChildProcessSpawner } from "effect/process"
import { RpcClient, RpcSerialization } from "effect/rpc"
import { fileURLToPath } from "node:url"
import { Desk } from "./Desk.ts"

/** It has ended before it said where it listens. */
export class NotStarted extends Schema.TaggedError<NotStarted>()("NotStarted", {}) {}

export interface Child {
  readonly pid: number
  readonly url: string
  /** Waits until it has ended. */
  readonly ended: Effect.Effect<void>
}

const heapMegabytes = 128

const program = (file: string) => fileURLToPath(new URL(file, import.meta.url))

/** Starts it; it ends with the scope, whatever state it is in. */
export const start = Effect.fnUntraced(function*(directory: string) {
  const handle = yield* ChildProcess.make(
    process.execPath,
    [`--max-old-space-size=${heapMegabytes}`, program("serve.ts"), directory],
    // What it says when it runs out of memory is known.
    { stderr: "ignore", killSignal: "SIGKILL" }
  )
  const url = yield* Deferred.make<string, NotStarted>()
  const printed = yield* handle.stdout.pipe(
    Stream.decodeText,
    Stream.splitLines,
    Stream.runForEach((line) => Deferred.succeed(url, line)),
    Effect.ensuring(Deferred.fail(url, new NotStarted())),
    Effect.forkScoped
  )
  const child: Child = {
    pid: handle.pid,
    url: yield* Deferred.await(url),
    ended: Effect.asVoid(Effect.andThen(Fiber.await(printed), Effect.exit(handle.exitCode)))
  }
  return child
})

/** Sends a signal to it, and to nobody else: it is our own child, and its pid is not used again before we have waited for it. */
export const signal = ({ pid }: Child, name: "SIGKILL" | "SIGSTOP" | "SIGCONT"): Effect.Effect<boolean> =>
  Effect.sync(() => {
    try {
      return process.kill(pid, name)
    } catch {
      return false
    }
  })

/** Floods it until the scope closes. */
export const flood = ({ url }: Child, kind: "http" | "socket") =>
  ChildProcess.make(process.execPath, [program("flood.ts"), url, kind], {
    stdout: "ignore",
    stderr: "ignore",
    killSignal: "SIGKILL"
  })

/** Asks it, over HTTP. */
export const ask = <A, E>({ url }: Child, question: Effect.Effect<A, E, Desk>): Effect.Effect<A, E> =>
  Effect.provide(
    question,
    GenServerRpc.layerClient(Desk).pipe(
      Layer.provide(RpcClient.layerProtocolHttp({ url: `${url}/http` })),
      Layer.provide([FetchHttpClient.layer, RpcSerialization.layerNdjson])
    )
  )

export type Spawner = ChildProcessSpawner.ChildProcessSpawner
