/**
 * One kill after the other, of whatever the seed says: servers and supervisors below the root, by signals of all kinds, by
 * messages that make them crash or stop, one here and one there, or many in one place.
 */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Entry } from "../../src/internal/processTable.ts"
import type { Census } from "./Census.ts"
import type { Forest, Order } from "./Forest.ts"
import type { Random } from "./Random.ts"

const reasons: ReadonlyArray<ExitReason.ExitReason> = [
  ExitReason.shutdown(),
  ExitReason.shutdown("term"),
  ExitReason.killed,
  ExitReason.noProcess,
  ExitReason.noConnection,
  ExitReason.crashed(Cause.die("no")),
  ExitReason.custom("bad")
]

const orders: ReadonlyArray<Order> = ["crash", "crash", "crash", ExitReason.normal, ...reasons]

type Target = { readonly worker: string } | { readonly supervisor: string }

/** Who is hit next, and how much time passes then. */
interface Next {
  readonly target: Target
  readonly after: number
}

/** The levels of the supervisors whose children are hit more often than they may fail. */
const levels = [4, 3, 4, 2, 4, 3]

export class Killer {
  readonly #forest: Forest
  readonly #census: Census
  readonly #random: Random
  /** Siblings that are hit in a short time, how often still, and how many supervisors were brought down in this way. */
  #burst: { readonly targets: ReadonlyArray<Target>; left: number } = { targets: [], left: 0 }
  #bursts = 0
  kills = 0
  /** Those that met a process that was alive. */
  hits = 0

  constructor(forest: Forest, census: Census, random: Random) {
    this.#forest = forest
    this.#census = census
    this.#random = random
  }

  /** Kills once, and gives how much time is to pass before the next. */
  readonly strike: Effect.Effect<number> = Effect.suspend(() => {
    const { after, target } = this.#next()
    this.kills++
    return Effect.as("worker" in target ? this.#worker(target.worker) : this.#supervisor(target.supervisor), after)
  })

  #next(): Next {
    const random = this.#random
    if (this.#burst.left > 0) {
      this.#burst.left--
      return { target: random.pick(this.#burst.targets), after: random.below(800) }
    }
    const after = random.below(1200)
    if (random.chance(0.008)) this.#burst = this.#begin()
    if (random.chance(0.03)) {
      const level = random.weighted([[75, 4], [20, 3], [5, 2]])
      const { name } = random.pick(this.#forest.supervisors.filter((each) => each.level === level))
      return { target: { supervisor: name }, after }
    }
    // One that may have ended for good is not worth a kill.
    const { mortal, workers } = this.#forest
    let worker = random.pick(workers)
    while (mortal.has(worker) && this.#census.alive(worker) === undefined) worker = random.pick(workers)
    return { target: { worker }, after }
  }

  #begin() {
    const level = levels[this.#bursts++ % levels.length]!
    const { below } = this.#random.pick(this.#forest.supervisors.filter((each) => each.level === level))
    const targets = below.map((child): Target => level === 4 ? { worker: child } : { supervisor: child })
    return { targets, left: 5 + this.#random.below(4) }
  }

  #worker(id: string): Effect.Effect<void> {
    const entry = this.#census.alive(id)
    if (entry === undefined) return Effect.void
    this.hits++
    const random = this.#random
    const server = this.#forest.servers.get(id)
    return random.weighted<() => Effect.Effect<void>>([
      [40, () => Process.exit(entry, ExitReason.kill)],
      [20, () => Process.exit(entry, random.pick(reasons))],
      [40, () => {
        const order = random.pick(orders)
        if (server !== undefined) return server.service.at(entry).end(order)
        // A Layer takes no messages.
        return id.endsWith("layer") ? Process.exit(entry, random.pick(reasons)) : Process.send<Order>(entry, order)
      }]
    ])()
  }

  #supervisor(name: string): Effect.Effect<void> {
    const random = this.#random
    return Effect.flatMap(Process.whereis(name), (found) => {
      if (Option.isNone(found)) return Effect.void
      const pid = found.value as unknown as Entry
      if (pid.status !== 0) return Effect.void
      this.hits++
      const stop = Supervisor.stop(pid, { reason: random.pick([ExitReason.normal, ...reasons]) })
      return random.weighted<() => Effect.Effect<void>>([
        [60, () => Process.exit(pid, ExitReason.kill)],
        // It may be killed meanwhile, and then ends with another reason.
        [40, () => Effect.asVoid(Effect.forkDetach(Effect.ignore(stop)))]
      ])()
    })
  }
}
