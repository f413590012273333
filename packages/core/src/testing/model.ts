/**
 * Comparing a server with a model of it: random programs made of its own protocol, by one client or by several at once.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import type * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Input from "../internal/input.ts"
import type { Client, Protocol } from "../internal/protocol.ts"
import { runConcurrently } from "./internal/modelHistory.ts"
import { type Command, command, type Concurrent, concurrent, type Source } from "./internal/modelProgram.ts"
import { type Difference, runInOrder } from "./internal/modelRun.ts"
import { type Definition, NotStarted } from "./internal/modelServer.ts"
import type { Payloads, Requests } from "./internal/modelTypes.ts"

/**
 * What a server should do, and how it is started.
 *
 * @category models
 * @since 0.1.0
 */
export interface ModelOptions<in out Self, in out P extends Protocol, in out S, out E, out R> {
  /**
   * Starts the server, once for each program, in a Node of its own: what `start` gives, any other client, or a Layer that
   * provides the service.
   */
  readonly start: Effect.Effect<Client<P>, E, R> | Layer.Layer<Self, E, R>
  /** The state of the model at first. */
  readonly initial: S
  /** What each request does: `(state, payload) => [answer, state]`. */
  readonly requests: Requests<P, NoInfer<S>>
  /** Payloads that are generated otherwise than from the Schema of the protocol: an Arbitrary, or another Schema. */
  readonly payloads?: Payloads<P> | undefined
  /**
   * What the state is after the server was killed and started again. With it the server is killed between steps, at most
   * three times in a program: start it under a supervisor.
   */
  readonly restarted?: ((state: NoInfer<S>) => NoInfer<S>) | undefined
  /** The state of the model that the state of the server stands for. With it both are compared after each step, too. */
  readonly stateOf?: ((state: never) => NoInfer<S>) | undefined
  /** Whether two answers or states are the same. Default: `Equal.equals`, by value, as errors are compared anyway. */
  readonly same?: ((expected: unknown, actual: unknown) => boolean) | undefined
}

/**
 * How many programs are tried, and which.
 *
 * @category models
 * @since 0.1.0
 */
export interface CheckOptions {
  /** How many programs. Default: 100. */
  readonly runs?: number | undefined
  /** The same seed makes the same programs. Default: another one each time; a failure tells it. */
  readonly seed?: string | number | undefined
  /** How many steps a program has at most. Default: 20, or 12 for several clients. */
  readonly maxLength?: number | undefined
  /** How many simpler programs are tried when one has failed. Default: 1000. */
  readonly maxShrinks?: number | undefined
}

/**
 * The same for several clients.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConcurrentOptions extends CheckOptions {
  /** How many clients, every other one a process. Default: 3. */
  readonly clients?: number | undefined
  /** Clients give up some of their calls, or are interrupted in them. Default: false. */
  readonly impatient?: boolean | undefined
}

/**
 * A server that does not do what its model does.
 *
 * **Details**
 *
 * `program` is the smallest that was found, step by step; `expected` and `actual` are where it differs. The message shows both,
 * and the `seed` that leads there again.
 *
 * @category errors
 * @since 0.1.0
 */
export class ModelFailed extends Data.TaggedError("ModelFailed")<{
  /** The key of the service. */
  readonly service: string
  readonly seed: string | number
  /** How many programs were tried. */
  readonly runs: number
  readonly program: ReadonlyArray<ModelStep>
  readonly expected: unknown
  readonly actual: unknown
  /** The program and where it differs, for people. */
  readonly lines: ReadonlyArray<string>
}> {
  override get message(): string {
    const found = `${this.service} is not what its model says (seed ${JSON.stringify(this.seed)}, run ${this.runs}):`
    return [found, ...this.lines].join("\n")
  }
}

/**
 * One step of a program: a request, or nothing but a kill.
 *
 * @category models
 * @since 0.1.0
 */
export interface ModelStep {
  /** `"kill"`, or the name of the request. */
  readonly request: string
  readonly payload?: unknown
  /** By which of several clients; none, if it is done when they have ended. */
  readonly client?: number
}

/**
 * A server and its model, to be compared.
 *
 * @category models
 * @since 0.1.0
 */
export interface Model<out E, out R> {
  /** One client makes one request after the other, and each answer has to be that of the model. */
  readonly check: (options?: CheckOptions) => Effect.Effect<void, ModelFailed | E, R>
  /** Several clients make requests at once: some order of them, one after the other, has to explain all answers. */
  readonly checkConcurrent: (options?: ConcurrentOptions) => Effect.Effect<void, ModelFailed | E, R>
}

/**
 * Compares a server with a model, by random programs made of the requests of its protocol.
 *
 * **When to use**
 *
 * Use it for a server whose meaning is a few lines, and whose code is not: one that caches, waits, or answers later. The
 * model is what it should do, without any of that.
 *
 * **Details**
 *
 * A model is a pure function for each request: from the state and the payload to the answer and the next state. The
 * answer is the value, or `Result.fail` of a declared error; a cast has none. Payloads are generated from the Schemas of
 * the protocol.
 *
 * `check` runs each program by one client, and compares after each step. `checkConcurrent` runs it by several, and looks
 * for an order of their requests in which the model gives all answers (linearizability); where there are too many to try
 * it says nothing, so keep programs short. A program that fails is made
 * smaller as long as it fails, and becomes a `ModelFailed`. Nothing is logged meanwhile.
 *
 * A `TestClock` is moved wherever a request waits. The same seed then gives the same programs in the same order.
 *
 * **Example** (A counter that forgets a declared error)
 *
 * ```ts
 * import { GenServer, Step } from "@effect-otp/core"
 * import { model } from "@effect-otp/core/testing"
 * import { Effect, Result, Schema } from "effect"
 *
 * class NotEnough extends Schema.TaggedError<NotEnough>()("NotEnough", {}) {}
 * const Small = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))
 *
 * class Counter extends GenServer.Service<Counter>()("docs/Counter", [
 *   GenServer.cast("increment"),
 *   GenServer.call("take", { payload: { n: Small }, success: Schema.Int, error: NotEnough })
 * ]) {
 *   static readonly server = this.implement({
 *     init: (initial: number) => initial,
 *     handlers: {
 *       increment: (count) => Step.noReply(count + 1),
 *       take: (count, { n }) => Step.reply(n, count - n)
 *     }
 *   })
 * }
 *
 * const counter = model(Counter, {
 *   start: Counter.server.start(0),
 *   initial: 0,
 *   requests: {
 *     increment: (count) => [undefined, count + 1],
 *     take: (count, { n }) => n > count ? [Result.fail(new NotEnough()), count] : [n, count - n]
 *   }
 * })
 *
 * const program = Effect.map(Effect.flip(counter.check({ seed: 1 })), (error) => error.message.split("\n").slice(1))
 *
 * Effect.runPromise(program).then((lines) => lines[0]) // => '  take({"n":1}) -> 1'
 * ```
 *
 * @category testing
 * @since 0.1.0
 */
export const model = <Self, P extends Protocol, S, E, R>(
  service: Context.Key<Self, unknown> & { readonly protocol: P },
  options: ModelOptions<Self, NoInfer<P>, S, E, R>
): Model<E, Exclude<R, Scope.Scope>> => {
  const { key, protocol } = service
  for (const { _tag } of protocol) {
    const has = typeof (options.requests as Definition["requests"])[_tag] === "function"
    Input.check(`requests of the model of ${key}`, `a function for ${_tag}`, has, options.requests)
  }
  // From here on nobody looks at the types of states, payloads and answers: they fit, as the signature has made sure.
  const definition = {
    service,
    protocol,
    same: Equal.equals,
    restarted: undefined,
    stateOf: undefined,
    ...options
  } as unknown as Definition
  const commands = command({
    protocol,
    payloads: (options.payloads ?? {}) as { readonly [request: string]: Source },
    kills: definition.restarted !== undefined
  })
  const inOrder = (maxLength: number) => Arbitrary.array(commands, { minLength: 1, maxLength })
  return {
    check: (options = {}) =>
      run(key, options, inOrder(options.maxLength ?? 20), stepsInOrder, (program) => runInOrder(definition, program)),
    checkConcurrent: ({ clients = 3, impatient = false, ...options } = {}) =>
      Effect.suspend(() => {
        Input.check("clients", "one or more", Input.count("clients", clients) > 0, clients)
        const programs = concurrent(commands, { clients, impatient, maxLength: options.maxLength ?? 12 })
        return run(key, options, programs, stepsOfClients, (program) => runConcurrently(definition, program))
      })
  } as Model<E, Exclude<R, Scope.Scope>>
}

const run = Effect.fnUntraced(function*<Program>(
  service: string,
  options: CheckOptions,
  programs: Arbitrary.Arbitrary<Program>,
  steps: (program: Program) => ReadonlyArray<ModelStep>,
  property: (program: Program) => Effect.Effect<void, Difference | NotStarted>
) {
  const { maxShrinks = 1000, runs = 100, seed = yield* Random.nextInt } = options
  const result = yield* Arbitrary.checkEffect(
    programs,
    (program) => Effect.as(property(program), true),
    { runs, maxShrinks, seed, size: 40 }
  )
  if (result._tag === "Passed") return
  if (result._tag !== "Falsified" || result.failure._tag !== "PropertyError") {
    return yield* Effect.die(new Error(Arbitrary.formatCheckFailure(result)))
  }
  const { error } = result.failure
  if (error instanceof NotStarted) return yield* Effect.fail(error.error)
  return yield* new ModelFailed({
    service,
    seed,
    runs: result.runs,
    program: steps(result.shrunkInput),
    expected: error.expected,
    actual: error.actual,
    lines: error.lines
  })
}, Effect.provide(Logger.layer([])))

const stepOf = (command: Command): ModelStep =>
  command._tag === "Kill"
    ? { request: "kill" }
    : { request: command.request, ...(command.payload !== undefined && { payload: command.payload }) }

const stepsInOrder = (program: ReadonlyArray<Command>): ReadonlyArray<ModelStep> => program.map(stepOf)

const stepsOfClients = ({ after, turns }: Concurrent): ReadonlyArray<ModelStep> => [
  ...turns.map(({ client, command }) => ({ ...stepOf(command), client })),
  ...after.map(stepOf)
]
