/**
 * Clients that call servers all the time, and take down what they get: an answer, or a typed error. Nothing else may come,
 * and nobody may wait for ever.
 */
import type * as OtpError from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { Census } from "./Census.ts"
import { type Forest, nameOf, Refused } from "./Forest.ts"
import type { Random } from "./Random.ts"

export class Tally {
  asked = 0
  answered = 0
  readonly errors = new Map<string, number>()
  /** What no client may ever see. */
  readonly complaints: Array<string> = []

  get failed(): number {
    return [...this.errors.values()].reduce((sum, count) => sum + count, 0)
  }

  fails(tag: string): void {
    this.errors.set(tag, (this.errors.get(tag) ?? 0) + 1)
  }
}

/** What may come instead of an answer. */
const allowed = new Set(["Refused", "NoProcess", "ServerExited", "Timeout"])

/** Runs one request to its end. */
const one = <A>(
  tally: Tally,
  request: Effect.Effect<A, Refused | OtpError.CallError>,
  isRight: (answer: A) => boolean,
  what: string
): Effect.Effect<void> => {
  tally.asked++
  return Effect.match(request, {
    onSuccess: (answer) => {
      tally.answered++
      if (!isRight(answer)) tally.complaints.push(`${what} was answered with ${String(answer)}`)
    },
    onFailure: (error) => {
      const tag = error instanceof Refused ? "Refused" : error.reason._tag
      tally.fails(tag)
      if (!allowed.has(tag)) tally.complaints.push(`${what}: ${error.message}`)
    }
  })
}

/** What the clients know. */
export interface Known {
  readonly forest: Forest
  readonly ids: ReadonlyArray<string>
  readonly census: Census
  /** Provided by the layer of the forest. */
  readonly services: Context.Context<never>
}

const clientOf = ({ census, forest, services }: Known, id: string) => {
  const { by, service } = forest.servers.get(id)!
  if (by === "service") return Context.getUnsafe(services, service)
  return service.at(by === "name" ? nameOf(id) : census.latest.get(id)!)
}

const call = (tally: Tally, known: Known, random: Random): Effect.Effect<void> => {
  const id = random.pick(known.ids)
  const client = clientOf(known, id)
  const isRight = (answer: string) => answer === id
  return random.weighted<() => Effect.Effect<void>>([
    [60, () => one(tally, client.who(), isRight, id)],
    [10, () => one(tally, client.later(), isRight, id)],
    [10, () => one(tally, client.slow({ millis: random.below(200) }), isRight, id)],
    [2, () => one(tally, client.slow({ millis: 6000 }), isRight, id)],
    [5, () => one(tally, client.refuse(), () => false, id)],
    [3, () => one(tally, client.crash(), () => false, id)],
    [10, () => {
      const { name } = random.pick(known.forest.supervisors)
      return one(tally, Supervisor.countChildren(name), ({ active, specs }) => active <= specs, name)
    }]
  ])()
}

/** A client that goes on until it is told to stop. */
const client = (tally: Tally, known: Known, random: Random, stopped: () => boolean): Effect.Effect<void> =>
  Effect.whileLoop({
    while: () => !stopped(),
    body: () => Effect.andThen(call(tally, known, random), Effect.sleep(500 + random.below(3000))),
    step: () => {}
  })

/** Starts clients, every other one as a process. Their fibers end when they are told to stop, and are done. */
export const start = Effect.fnUntraced(function*(
  tally: Tally,
  known: Known,
  randoms: ReadonlyArray<Random>,
  stopped: () => boolean
) {
  const fibers: Array<Fiber.Fiber<unknown>> = []
  for (const [i, random] of randoms.entries()) {
    const body = client(tally, known, random, stopped)
    const run = i % 2 === 0 ? body : Effect.flatMap(Process.spawn(() => body), Process.awaitExit)
    fibers.push(yield* Effect.forkChild(run))
  }
  return fibers
})
