/**
 * The job service in a process of its own, which is killed, stopped, starved of memory and flooded from outside.
 *
 * The harness keeps what was acknowledged to its customers. After each mishap it waits until the service answers, and asks the
 * service whether it knows all of these jobs; in the end each of them has to be finished, once.
 */
import { Duration, Effect, FileSystem, Schedule, Schema } from "effect"
import * as Chance from "../Chance.ts"
import * as Child from "./Child.ts"
import { Desk, type Status } from "./Desk.ts"

export interface Options {
  readonly seed: number
  /** How often there is each mishap. */
  readonly rounds: number
  readonly onProgress?: ((done: number, total: number, what: string) => Effect.Effect<void>) | undefined
}

export interface Row {
  readonly mishap: string
  readonly times: number
  /** In milliseconds, until the service answered again, or during a flood anybody else. */
  readonly median: number
  readonly max: number
  /** The most that the process held when it was asked afterwards, in bytes. */
  readonly rss: number
}

export interface Result {
  readonly rows: ReadonlyArray<Row>
  readonly acknowledged: number
  readonly finished: number
}

/** Something that must not happen. */
export class Failed extends Schema.TaggedError<Failed>()("Failed", { what: Schema.String }) {
  override get message() {
    return this.what
  }
}

const customers = 4
const backWithin = 30_000
const answeredWithin = 15_000
const rssAtMost = 512 * 1024 * 1024

interface World {
  readonly directory: string
  readonly chance: Chance.Chance
  /** The present incarnation, and what is asked of it. */
  current: Child.Child | undefined
  readonly acknowledged: Set<string>
  readonly unchecked: Set<string>
}

// ----------------------------------------------------------------------------
// the service, and those who use it
// ----------------------------------------------------------------------------

/** Starts it again whenever it has ended, or has not even begun. */
const keepRunning = (world: World) =>
  Effect.gen(function*() {
    const child = yield* Child.start(world.directory)
    world.current = child
    yield* child.ended
  }).pipe(
    Effect.ensuring(Effect.sync(() => (world.current = undefined))),
    Effect.scoped,
    Effect.ignore,
    Effect.andThen(Effect.sleep("50 millis")),
    Effect.forever
  )

/** Nobody is there, or somebody who does not answer. */
class Away extends Schema.TaggedError<Away>()("Away", {}) {}

const again = Schedule.spaced("50 millis")

/**
 * Asks whoever is there, until there is an answer. What a client says of a server that dies while it is asked is of many kinds;
 * all of them mean: once more.
 */
const ask = <A, E>(world: World, question: Effect.Effect<A, E, Desk>): Effect.Effect<A> =>
  Effect.suspend((): Effect.Effect<A, E | Away> =>
    world.current === undefined ? Effect.fail(new Away()) : Child.ask(world.current, question)
  ).pipe(
    Effect.timeout("5 seconds"),
    Effect.catchCause(() => Effect.fail(new Away())),
    Effect.retry(again),
    // The schedule has no end.
    Effect.orDie
  )

const customer = (world: World, name: string) =>
  Effect.gen(function*() {
    for (let i = 1;; i++) {
      const id = `${name}-${i}`
      // Until it is told that the job is safe: asked again it is the same job.
      yield* ask(world, Desk.use((desk) => desk.submit({ id, customer: name })))
      world.acknowledged.add(id)
      world.unchecked.add(id)
      yield* Effect.sleep(world.chance.wait(30))
    }
  })

/** How long it takes until the service answers, and what it says. */
const returns = Effect.fnUntraced(function*(world: World, mishap: string, within: number) {
  const began = performance.now()
  const status = yield* ask(world, Desk.use((desk) => desk.status())).pipe(
    Effect.timeoutOrElse({
      duration: within,
      orElse: () =>
        Effect.fail(new Failed({ what: `${mishap}: no answer within ${Duration.format(Duration.millis(within))}` }))
    })
  )
  return { millis: performance.now() - began, status }
})

/** The journal knows every job that was acknowledged since this was asked last. */
const nothingIsLost = Effect.fnUntraced(function*(world: World, mishap: string) {
  const ids = [...world.unchecked]
  for (let i = 0; i < ids.length; i += 500) {
    const some = ids.slice(i, i + 500)
    const lost = yield* ask(world, Desk.use((desk) => desk.unknown({ ids: some })))
    if (lost.length > 0) {
      return yield* new Failed({ what: `${mishap}: ${lost.join(", ")} were acknowledged, and are lost` })
    }
    for (const id of some) world.unchecked.delete(id)
  }
})

// ----------------------------------------------------------------------------
// mishaps
// ----------------------------------------------------------------------------

interface Mishap {
  readonly name: string
  /** Brings it about, and sees how long it takes until the service answers. */
  readonly happen: (world: World, child: Child.Child) => Effect.Effect<Answer, Failed, Child.Spawner>
}

interface Answer {
  readonly millis: number
  readonly status: Status
}

const stopped = 1_000
const flooding = 3_000

const flood = (kind: "http" | "socket"): Mishap => {
  const name = `flood over ${kind === "http" ? "HTTP" : "a WebSocket"}, unread`
  return {
    name,
    happen: (world, child) =>
      Effect.gen(function*() {
        yield* Effect.orDie(Child.flood(child, kind))
        yield* Effect.sleep(flooding)
        const { millis, status } = yield* returns(world, name, answeredWithin)
        if (world.current !== child) return yield* new Failed({ what: `${name}: it has ended` })
        if (status.rss > rssAtMost) return yield* new Failed({ what: `${name}: it holds ${status.rss} bytes` })
        return { millis, status }
      }).pipe(Effect.scoped)
  }
}

const ending = (name: string, end: (child: Child.Child) => Effect.Effect<unknown>): Mishap => ({
  name,
  happen: (world, child) =>
    Effect.gen(function*() {
      yield* end(child)
      yield* Effect.timeoutOrElse(child.ended, {
        duration: backWithin,
        orElse: () => Effect.fail(new Failed({ what: `${name}: it has not ended` }))
      })
      return yield* returns(world, name, backWithin)
    })
})

export const mishaps: ReadonlyArray<Mishap> = [
  ending("SIGKILL", (child) => Child.signal(child, "SIGKILL")),
  ending("out of memory", (child) => Effect.ignore(Child.ask(child, Desk.use((desk) => desk.eat())))),
  {
    name: "SIGSTOP, SIGCONT",
    happen: (world, child) =>
      Effect.gen(function*() {
        yield* Child.signal(child, "SIGSTOP")
        yield* Effect.ensuring(Effect.sleep(stopped), Child.signal(child, "SIGCONT"))
        return yield* returns(world, "SIGCONT", backWithin)
      })
  },
  flood("http"),
  flood("socket")
]

// ----------------------------------------------------------------------------
// the run
// ----------------------------------------------------------------------------

export const run = (options: Options) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const world: World = {
      directory: yield* fs.makeTempDirectoryScoped({ prefix: "soak-" }),
      chance: yield* Chance.make(`processes ${options.seed}`),
      current: undefined,
      acknowledged: new Set(),
      unchecked: new Set()
    }
    yield* Effect.forkScoped(keepRunning(world))
    yield* returns(world, "start", backWithin)

    const happened = new Map(mishaps.map(({ name }) => [name, [] as Array<Answer>]))
    const rounds = shuffled(Array.from({ length: options.rounds }, () => mishaps).flat(), world.chance)
    yield* Effect.gen(function*() {
      for (let i = 1; i <= customers; i++) yield* Effect.forkScoped(customer(world, `customer${i}`))
      let done = 0
      for (const { happen, name } of rounds) {
        // At any moment, not when everything is at rest.
        yield* Effect.sleep(world.chance.between(100, 1_000))
        const child = world.current
        if (child === undefined) return yield* new Failed({ what: `before ${name}: nobody is there` })
        happened.get(name)!.push(yield* happen(world, child))
        yield* nothingIsLost(world, name)
        yield* options.onProgress?.(++done, rounds.length, name) ?? Effect.void
      }
    }).pipe(Effect.scoped)

    const finished = yield* allFinish(world)
    return {
      rows: Array.from(happened, ([mishap, answers]) => rowOf(mishap, answers)),
      acknowledged: world.acknowledged.size,
      finished
    }
  }).pipe(Effect.scoped)

const shuffled = <A>(all: Array<A>, { between }: Chance.Chance): ReadonlyArray<A> => {
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(between(0, i + 1))
    const [one, other] = [all[i]!, all[j]!]
    all[i] = other
    all[j] = one
  }
  return all
}

const rowOf = (mishap: string, answers: ReadonlyArray<Answer>): Row => {
  const millis = answers.map(({ millis }) => Math.round(millis)).sort((a, b) => a - b)
  return {
    mishap,
    times: answers.length,
    median: millis[millis.length >> 1] ?? 0,
    max: millis.at(-1) ?? 0,
    rss: Math.max(0, ...answers.map(({ status }) => status.rss))
  }
}

/** What was accepted is finished before long; and it is no more than was asked for, since a job is finished once. */
const allFinish = Effect.fnUntraced(function*(world: World) {
  yield* nothingIsLost(world, "at the end")
  const status = yield* ask(world, Desk.use((desk) => desk.status())).pipe(
    Effect.repeat({ until: ({ running, waiting }) => running + waiting === 0, schedule: again }),
    Effect.timeoutOrElse({
      duration: backWithin,
      orElse: () => Effect.fail(new Failed({ what: "at the end: not every job is finished" }))
    })
  )
  const { accepted, done, gaveUp } = status
  if (done + gaveUp !== accepted) {
    return yield* new Failed({ what: `${accepted} jobs were accepted, ${done + gaveUp} are finished` })
  }
  if (accepted < world.acknowledged.size) {
    return yield* new Failed({ what: `${world.acknowledged.size} jobs were acknowledged, ${accepted} are accepted` })
  }
  return done + gaveUp
})
