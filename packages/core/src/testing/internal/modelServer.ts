/**
 * The server that is compared with a model: started anew for each program, in a Node of its own.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as ExitReason from "../../ExitReason.ts"
import { addressOf, locate } from "../../internal/address.ts"
import { tableOf } from "../../internal/current.ts"
import { alive, type Entry } from "../../internal/processTable.ts"
import type { Protocol } from "../../internal/protocol.ts"
import * as Node from "../../Node.ts"
import * as Process from "../../Process.ts"
import * as Sys from "../../Sys.ts"
import { settle } from "../settle.ts"
import type { Command } from "./modelProgram.ts"
import { passing, throughTime } from "./passing.ts"

/** A server and what it should do. */
export interface Definition {
  readonly service: Context.Key<unknown, unknown>
  readonly protocol: Protocol
  readonly start: Effect.Effect<object, unknown> | Layer.Layer<unknown, unknown>
  readonly initial: unknown
  readonly requests: { readonly [request: string]: (state: unknown, payload: unknown) => readonly [unknown, unknown] }
  readonly restarted: ((state: unknown) => unknown) | undefined
  readonly stateOf: ((state: unknown) => unknown) | undefined
  readonly same: (expected: unknown, actual: unknown) => boolean
}

/** What a request came to: its answer, or the error that was the answer, or what went wrong. */
export type Answer = Result.Result<unknown, unknown>

/** The client of a running server. */
export interface Client {
  readonly [request: string]: (payload?: unknown) => Effect.Effect<unknown, unknown>
}

/** It did not start: no fault of the program. */
export class NotStarted {
  readonly error: unknown
  constructor(error: unknown) {
    this.error = error
  }
}

/** Runs `use` with a server of its own, of which nothing is left behind. */
export const withServer = <A, E>(
  { service, start }: Definition,
  use: (client: Client) => Effect.Effect<A, E>
): Effect.Effect<A, E | NotStarted> =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const starting = Layer.isLayer(start)
      // Each time afresh: a Layer that has been built would be shared.
      ? Effect.map(Layer.buildWithMemoMap(start, Layer.makeMemoMapUnsafe(), scope), Context.get(service))
      : Scope.provide(start, scope)
    const started = Effect.mapError(throughTime(starting), (error) => new NotStarted(error))
    return yield* Effect.onExit(
      // What `start` gives is a client of the service: the types have seen to that.
      Effect.flatMap(started, (client) => use(client as Client)),
      (exit) => throughTime(Scope.close(scope, exit))
    )
  }).pipe(Effect.provide(Node.layer({ shutdown: 0 }))) as Effect.Effect<A, E | NotStarted>

/** What the model says. */
export const step = (
  { requests, restarted }: Definition,
  state: unknown,
  command: Command
): readonly [answer: Answer, state: unknown] => {
  if (command._tag === "Kill") return [nothing, restarted!(state)]
  const [answer, next] = requests[command.request]!(state, command.payload)
  return [Result.isResult(answer) ? answer : Result.succeed(answer), next]
}

const nothing: Answer = Result.succeed(undefined)

export const same = ({ same }: Definition, expected: Answer, actual: Answer): boolean =>
  Result.isSuccess(expected)
    ? Result.isSuccess(actual) && same(expected.success, actual.success)
    : Result.isFailure(actual) && Equal.equals(expected.failure, actual.failure)

/** Makes a request, whatever comes of it. A defect is its failure, too. */
export const request = (client: Client, name: string, payload: unknown): Effect.Effect<Answer> =>
  Effect.suspend(() => payload === undefined ? client[name]!() : client[name]!(payload)).pipe(
    Effect.matchCause({
      onSuccess: (value): Answer => Result.succeed(value),
      onFailure: (cause): Answer => Result.fail(Cause.squash(cause))
    })
  )

/** The state of the server when all that was asked of it before is done, or why there is none. */
export const stateOf = (client: Client): Effect.Effect<Answer> =>
  Effect.result(Effect.catchTag(Sys.getState(client), "CallbackFailed", () => Effect.void))

const incarnation = (client: Client): Effect.Effect<Entry | undefined> =>
  Effect.withFiber((fiber) => {
    const { pid } = client as { readonly pid?: unknown }
    const address = pid === undefined ? addressOf(client) : pid as Entry
    return Effect.succeed(address === undefined ? undefined : locate(tableOf(fiber), address))
  })

// A supervisor starts it again at once, or when a backoff is over.
const patience = 60_000

/** Kills the server, and waits until somebody has started it again. */
export const kill = Effect.fnUntraced(function*(client: Client) {
  const before = yield* incarnation(client)
  if (before === undefined) return
  yield* Process.exit(before, ExitReason.kill)
  for (let waited = 0; waited < patience; waited += Math.max(1, waited)) {
    yield* settle
    const now = yield* incarnation(client)
    if (now !== undefined && now !== before && now.status === alive) return
    yield* passing(Math.max(1, waited))
  }
  return yield* Effect.die(
    new Error("the model has `restarted`, and nobody has started the server again: `start` it under a supervisor")
  )
})
