/**
 * Runs a program on a GenServer and beside it on the model, and compares the two after every step: what each caller has
 * been told and who still waits, the state, what is queued, which timers are set, what `terminate` saw and why it ended.
 */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import { CallError } from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { timersOf } from "../../src/internal/current.ts"
import { entryOfPid } from "../../src/internal/resolve.ts"
import { ServerState } from "../../src/internal/serverState.ts"
import { leftovers } from "../utils/leftovers.ts"
import { inNode } from "../utils/process.ts"
import { ask, type Order, type Ref, Refused, tell, told } from "../utils/server.ts"
import * as Model from "./ServerModel.ts"
import * as Program from "./ServerProgram.ts"

interface Counter {
  readonly n: number
  readonly kept: ReadonlyArray<GenServer.From<unknown, Refused>>
}

/** The library's side of a state. */
interface World {
  readonly server: Ref
  readonly callers: Array<Fiber.Fiber<unknown, unknown>>
  readonly advance: (millis: number) => Effect.Effect<void>
  readonly terminated: Array<number>
}

// ----------------------------------------------------------------------------
// a server that does what it is told
// ----------------------------------------------------------------------------

const sleep = (units: number) => Effect.sleep(units * Model.unit)

/** The handler of a request. `isCall`: somebody waits for its answer. */
const order = (action: Model.Action, isCall: boolean): Order => (state: Counter, from) => {
  const go = (next: Counter, options?: Step.Options<number>) =>
    isCall ? Step.reply(String(next.n), next, options) : Step.noReply(next, options)
  const add = (by: number): Counter => ({ ...state, n: state.n + by })
  switch (action._tag) {
    case "add":
      return go(add(action.by))
    case "slow":
      return Effect.as(sleep(action.units), go(add(1)))
    case "keep":
      return Step.noReply(isCall ? { ...state, kept: [...state.kept, from] } : state)
    case "answer": {
      const [oldest, ...kept] = state.kept
      const next = go({ ...state, kept })
      return oldest === undefined ? next : Effect.as(GenServer.reply(oldest, `kept ${state.n}`), next)
    }
    case "refuse":
      return isCall ? Effect.fail(new Refused()) : Step.noReply(state)
    case "refuseAndAdd":
      return isCall ? Step.fail(new Refused(), add(1)) : Step.noReply(add(1))
    case "idle":
      return go(state, { timeout: action.units * Model.unit + 1 })
    case "goOn":
      return go(state, { continue: action.units })
    case "crash":
      return Effect.die("crash")
    case "crashLater":
      return Effect.andThen(sleep(action.units), Effect.die("crash"))
    case "stop":
      return Step.stop(ExitReason.custom("stop"), add(1))
    case "replyAndStop":
      return isCall
        ? Step.replyAndStop(String(state.n), ExitReason.custom("stop"), state)
        : Step.stop(ExitReason.custom("stop"), state)
    case "exit":
      return Process.exit(ExitReason.custom("exit"))
  }
}

const start = (terminated: Array<number>) =>
  Effect.orDie(
    told({
      init: (): Counter => ({ n: 0, kept: [] }),
      info: (state: Counter, message: Model.Action | GenServer.Timeout) =>
        message._tag === "Timeout"
          ? Step.noReply({ ...state, n: state.n + 100 })
          : order(message, false)(state, undefined as never),
      continue: (state: Counter, units: number) => {
        const step = Step.noReply({ ...state, n: state.n + 1_000 })
        return units === 0 ? step : Effect.as(sleep(units), step)
      },
      terminate: (state: Counter) => void terminated.push(state.n)
    }).start()
  )

const perform = Effect.fnUntraced(function*(world: World, command: Model.Command) {
  const { callers, server } = world
  const wait = (call: Effect.Effect<unknown, unknown>) =>
    Effect.map(Effect.forkChild(call, { startImmediately: true }), (fiber) => void callers.push(fiber))
  switch (command._tag) {
    case "call":
      return yield* wait(Effect.provideService(
        ask(server, order(command.action, true)),
        GenServer.CallTimeout,
        command.timeout ?? "Infinity"
      ))
    case "cast":
      return yield* tell(server, order(command.action, false))
    case "info":
      return yield* Process.send(server.pid, command.action)
    case "requestStop":
      return yield* wait(Effect.as(GenServer.stop(server), "stopped"))
    case "interrupt":
      return yield* Fiber.interrupt(callers[command.caller]!)
    case "signal":
      return yield* Process.exit(
        server.pid,
        {
          Normal: ExitReason.normal,
          Shutdown: ExitReason.shutdown(),
          Kill: ExitReason.kill,
          x: ExitReason.custom("x")
        }[command.reason]
      )
    case "advance":
      return yield* world.advance(command.millis)
  }
})

// ----------------------------------------------------------------------------
// what is to be seen
// ----------------------------------------------------------------------------

const showReason = (reason: ExitReason.ExitReason): string =>
  reason._tag === "Custom"
    ? String(reason.term)
    : reason._tag === "Crashed"
    ? `Crashed: ${Cause.squash(reason.cause)}`
    : reason._tag

const showExit = (exit: Exit.Exit<unknown, unknown>): string => {
  if (exit._tag === "Success") return String(exit.value)
  const error = Cause.squash(exit.cause)
  if (error instanceof Refused) return "Refused"
  if (!(error instanceof CallError)) {
    return Cause.hasInterruptsOnly(exit.cause)
      ? "interrupted"
      : Cause.pretty(exit.cause)
  }
  const { reason } = error
  return reason._tag === "ServerExited" ? `ServerExited ${showReason(reason.reason)}` : reason._tag
}

const lookAtModel = (state: Model.State): ReadonlyArray<string> => {
  const timers = state.callers.filter(({ due }) => due !== undefined).length + (state.idleUntil === undefined ? 0 : 1)
  return [
    state.reason === undefined ? `n is ${state.n}, ${state.queue.length} queued` : `ended ${state.reason}`,
    `terminate saw [${state.terminated ?? ""}]`,
    `${timers} timers`,
    ...state.callers.map(({ answer }, i) => `caller ${i}: ${answer ?? "waits"}`)
  ]
}

const lookAtWorld = (world: World, state: Model.State): Effect.Effect<ReadonlyArray<string>> =>
  Effect.withFiber((fiber) => {
    const entry = entryOfPid(world.server.pid)
    const server = entry.state instanceof ServerState ? entry.state.state as Counter : undefined
    return Effect.succeed([
      entry.reason === undefined ? `n is ${server?.n}, ${entry.length} queued` : `ended ${showReason(entry.reason)}`,
      `terminate saw [${world.terminated.join()}]`,
      `${timersOf(fiber).size()} timers`,
      ...world.callers.map((caller, i) => {
        const exit = caller.pollUnsafe()
        const told = exit === undefined ? "waits" : showExit(exit)
        const isGone = state.callers[i]?.answer === "gone" && /^(?:NoProcess|ServerExited|stopped)/.test(told)
        return `caller ${i}: ${isGone ? "gone" : told}`
      })
    ])
  })

const difference = (expected: ReadonlyArray<string>, actual: ReadonlyArray<string>): ReadonlyArray<string> =>
  Array.from({ length: Math.max(expected.length, actual.length) }, (_, i) => i).flatMap((i) =>
    expected[i] === actual[i] ? [] : [`expected ${expected[i]}`, `     got ${actual[i]}`]
  )

const differ = (lines: ReadonlyArray<string>, complaints: ReadonlyArray<string>): Effect.Effect<void> =>
  complaints.length === 0 ? Effect.void : Effect.die(new Error(["", ...lines, "", ...complaints].join("\n  ")))

// ----------------------------------------------------------------------------
// steps
// ----------------------------------------------------------------------------

/** Runs a program, and dies with all of it if the server does not do what the model does. */
export const run = (
  program: Program.Program,
  advanceClock: (millis: number) => Effect.Effect<void>
): Effect.Effect<void> =>
  Effect.gen(function*() {
    let state = Model.empty
    // From one thing that is due to the next, so that what it brings about is done before the next one is due.
    const advance = Effect.fnUntraced(function*(millis: number) {
      const until = state.now + millis
      for (let at = state; at.now < until;) {
        const hop = Math.min(Model.next(at), until) - at.now
        yield* Effect.andThen(advanceClock(hop), settle)
        at = Model.step(at, { _tag: "advance", millis: hop })
      }
    })
    const terminated: Array<number> = []
    const world: World = { server: yield* start(terminated), callers: [], advance, terminated }
    const lines: Array<string> = []

    const runStep = Effect.fnUntraced(function*(resolve: (state: Model.State) => Iterable<Model.Command | undefined>) {
      let planned = Model.begin(state)
      const shown: Array<string> = []
      for (const command of resolve(planned)) {
        if (command === undefined) continue
        shown.push(Program.show(command))
        yield* perform(world, command)
        planned = Model.step(planned, command)
      }
      state = planned
      yield* settle
      lines.push(shown.join(", "))
      yield* differ(lines, difference(lookAtModel(state), yield* lookAtWorld(world, state)))
    })

    for (const step of Program.steps(program)) yield* runStep((state) => step.map((raw) => Program.resolve(state, raw)))
    yield* runStep(() => [{ _tag: "advance", millis: 100 * Model.unit }])
    yield* runStep(() => [{ _tag: "signal", reason: "Kill" }])
    yield* differ(lines, yield* leftovers([world.server.pid]))
  }).pipe(inNode)
