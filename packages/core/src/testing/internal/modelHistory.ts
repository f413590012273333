/**
 * A program run by several clients at once, and what each of them has seen: when it asked, and when it was answered. Some
 * are processes and some are fibers.
 *
 * @internal
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { isTagged } from "effect/Predicate"
import * as Result from "effect/Result"
import { CallTimeout } from "../../GenServer.ts"
import type { CallError } from "../../OtpError.ts"
import * as Process from "../../Process.ts"
import { type Operation, search, show } from "./linearizability.ts"
import { type Command, type Concurrent, showCommand, type Turn } from "./modelProgram.ts"
import { castsOf, Difference, maxKills, showAnswer } from "./modelRun.ts"
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

/** A command, or a look at the state. */
type Input = Command | { readonly _tag: "Look" }

type Op = Operation<Input, Answer>

const showInput = (input: Input): string => input._tag === "Look" ? "the state" : showCommand(input)

/** A few tenths of a second; what takes longer is no reason to complain. */
const maxSteps = 20_000

const isCallError = (u: unknown): u is CallError => isTagged(u, "CallError")

/** Runs a program, and fails unless some order of what has happened explains it. */
export const runConcurrently = (definition: Definition, program: Concurrent) =>
  Effect.flatMap(historyOf(definition, program), (history) => {
    const specification = {
      initial: definition.initial,
      apply: (state: unknown, input: Input) =>
        input._tag === "Look" ? [Result.succeed(state), state] as const : step(definition, state, input),
      same: (expected: Answer, actual: Answer) => same(definition, expected, actual)
    }
    if (search(specification, history, maxSteps) !== undefined) return Effect.void
    const lines = show(history, showInput, showAnswer)
    return Effect.fail(
      new Difference("an order that explains the answers", lines, [
        "  no order explains this:",
        ...lines.map((line) => `    ${line}`)
      ])
    )
  })

const historyOf = (definition: Definition, { after, turns }: Concurrent) =>
  withServer(
    definition,
    Effect.fnUntraced(function*(client: Client) {
      const casts = castsOf(definition)
      const history: Array<Op> = []
      const killed = turns.some(({ command }) => command._tag === "Kill")
      let clock = 0
      let kills = 0
      let crash: { readonly line: string; readonly error: unknown } | undefined

      /** Does it and takes note of it: when it began, and when its answer was there. */
      const noted = Effect.fnUntraced(function*(
        who: string,
        input: Input,
        body: (note: (answer: Answer) => void) => Effect.Effect<unknown>,
        optional: boolean
      ) {
        const invoked = clock++
        const at = history.push({ client: who, input, invoked, returned: Infinity, optional }) - 1
        yield* body((answer) => {
          history[at] = { client: who, input, invoked, returned: clock++, answer, optional: false }
        })
      })

      const perform = Effect.fnUntraced(function*(who: string, { command, how, wait }: Turn) {
        if (command._tag === "Kill") {
          if (++kills > maxKills) return
          return yield* noted(
            who,
            command,
            (note) => Effect.andThen(kill(client), Effect.sync(() => note(Result.succeed(undefined)))),
            false
          )
        }
        const call = request(client, command.request, command.payload)
        // One that is lost with the server has happened as well before it was killed, for all that anybody sees.
        if (casts.has(command.request)) return yield* noted(who, command, () => call, false)
        return yield* noted(who, command, (note) => {
          const answered = Effect.map(call, (answer) => {
            const error = Result.isFailure(answer) && isCallError(answer.failure) ? answer.failure : undefined
            if (error === undefined) return note(answer)
            if (error.reason._tag !== "Timeout" && error.reason._tag !== "Overloaded" && !killed) {
              crash ??= { line: `  ${who} ${showCommand(command)} -> ${showAnswer(answer)}`, error }
            }
          })
          if (how === "call") return answered
          if (how === "callWithin") return Effect.provideService(answered, CallTimeout, wait)
          return Effect.gen(function*() {
            const fiber = yield* Effect.forkChild(answered, { startImmediately: true })
            yield* Effect.sleep(wait)
            yield* Fiber.interrupt(fiber)
          })
        }, true)
      })

      const clients = Object.entries(Arr.groupBy(turns, ({ client }) => String(client))).map(([which, own]) => {
        const body = Effect.forEach(own, (turn) =>
          Effect.andThen(turn.wait === 0 ? Effect.void : Effect.sleep(turn.wait), perform(`client ${which}`, turn)), {
          discard: true
        })
        return Number(which) % 2 === 0 ? body : inProcess(body)
      })
      yield* throughTime(Effect.all(clients, { concurrency: "unbounded", discard: true }))
      // What they have left behind, as far as anybody can see.
      for (const command of after) {
        yield* throughTime(perform("afterwards", { client: 0, wait: 0, how: "call", command }))
      }
      const found = yield* throughTime(stateOf(client))
      if (Result.isFailure(found)) {
        crash ??= { line: `  afterwards -> ${showAnswer(found)}`, error: found.failure }
      } else if (definition.stateOf !== undefined) {
        const state = definition.stateOf(found.success)
        yield* noted("afterwards", { _tag: "Look" }, (note) =>
          Effect.sync(() =>
            note(Result.succeed(state))
          ), false)
      }
      if (crash === undefined) return history
      const text = `${crash.line}: the server is ${showAnswer(Result.fail(crash.error))}`
      return yield* Effect.fail(new Difference("an answer", crash.error, [text]))
    })
  )

const inProcess = (body: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.flatMap(
    Process.spawn(() => body),
    (pid) =>
      Effect.flatMap(Process.awaitExit(pid), (reason) =>
        reason._tag === "Crashed" ? Effect.orDie(Effect.failCause(reason.cause)) : Effect.void)
  )
