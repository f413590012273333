/**
 * A program run by one client, one step after the other, and compared with the model after each.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import * as Result from "effect/Result"
import type * as Rpc from "effect/rpc/Rpc"
import { isCast } from "../../internal/protocol.ts"
import { show } from "./failure.ts"
import { type Command, showCommand } from "./modelProgram.ts"
import {
  type Answer,
  type Client,
  type Definition,
  kill,
  request,
  same,
  stateOf,
  step,
  withServer
} from "./modelServer.ts"
import { throughTime } from "./passing.ts"

/** Where a server does not do what its model does. */
export class Difference {
  readonly expected: unknown
  readonly actual: unknown
  readonly lines: ReadonlyArray<string>

  constructor(expected: unknown, actual: unknown, lines: ReadonlyArray<string>) {
    this.expected = expected
    this.actual = actual
    this.lines = lines
  }
}

export const showAnswer = (answer: Answer): string =>
  Result.isSuccess(answer) ? show(answer.success) : `failure ${showError(answer.failure)}`

const showError = (error: unknown): string => {
  if (!(error instanceof Error) || error.message === "") return show(error)
  return `${hasProperty(error, "_tag") ? error._tag : error.name}: ${error.message}`
}

/** As many as a supervisor allows by default. */
export const maxKills = 3

export const castsOf = ({ protocol }: Definition): ReadonlySet<string> =>
  new Set((protocol as ReadonlyArray<Rpc.AnyWithProps>).filter(isCast).map(({ _tag }) => _tag))

/** Runs a program, and fails with the first difference. */
export const runInOrder = (definition: Definition, program: ReadonlyArray<Command>) =>
  withServer(
    definition,
    Effect.fnUntraced(function*(client: Client) {
      const casts = castsOf(definition)
      const lines: Array<string> = []
      let state = definition.initial
      let kills = 0

      const differ = (what: string, expected: Answer, actual: Answer) => {
        lines.push(`    ${what} is ${showAnswer(actual)}, expected ${showAnswer(expected)}`)
        return Effect.fail(new Difference(valueOf(expected), valueOf(actual), lines))
      }

      for (const command of program) {
        const shown = `  ${showCommand(command)}`
        if (command._tag === "Kill") {
          if (++kills > maxKills) continue
          yield* kill(client)
          lines.push(shown)
          state = step(definition, state, command)[1]
          continue
        }
        const [expected, next] = step(definition, state, command)
        state = next
        const actual = yield* throughTime(request(client, command.request, command.payload))
        const isCast = casts.has(command.request)
        const isSent = isCast && Result.isSuccess(expected) && Result.isSuccess(actual)
        lines.push(isSent ? shown : `${shown} -> ${showAnswer(actual)}`)
        if (!isSent && !same(definition, expected, actual)) return yield* differ("the answer", expected, actual)
        // Of a cast nothing else is heard, not even that it was too much for the server.
        if (definition.stateOf === undefined && !isCast) continue
        const found = yield* throughTime(stateOf(client))
        if (Result.isFailure(found)) return yield* differ("the server", Result.succeed("alive"), found)
        if (definition.stateOf === undefined) continue
        const seen = Result.succeed(definition.stateOf(found.success))
        const meant = Result.succeed(state)
        if (!same(definition, meant, seen)) return yield* differ("the state", meant, seen)
      }
    })
  )

const valueOf = (answer: Answer): unknown => Result.isSuccess(answer) ? answer.success : answer.failure
