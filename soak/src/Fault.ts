/**
 * What can go wrong, how often, and how it is brought about.
 *
 * A fault stands for as long as its effect runs: a process that is killed is gone at once, one that is suspended stays so for
 * a while. Its answer is whether it has hit anything.
 */
import { ExitReason, Process, Sys } from "@effect-otp/core"
import { Cause, Effect } from "effect"
import * as Ambush from "./Ambush.ts"
import { everybody } from "./Census.ts"
import type { Chance } from "./Chance.ts"
import type { Customers } from "./Customers.ts"
import * as Disk from "./Disk.ts"
import type { Services } from "./Service.ts"

/** What there is to be hit. */
export interface World {
  readonly chance: Chance
  readonly customers: Customers
  readonly disk: Disk.Disk
  /** The next job to be worked on crashes. */
  readonly bugs: Ambush.Ambush
}

export interface Fault {
  readonly name: string
  /** How often it is chosen, next to the others. */
  readonly weight: number
  readonly inject: (world: World) => Effect.Effect<boolean, never, Services>
}

// ----------------------------------------------------------------------------
// processes
// ----------------------------------------------------------------------------

interface Part {
  readonly name: string
  readonly weight: number
  readonly is: (info: Process.Info) => boolean
  /** It takes no requests. */
  readonly isBare?: boolean
}

const labelled = (wanted: string) => ({ label }: Process.Info) => label === wanted
const serving = (wanted: string) => ({ initialCall }: Process.Info) => initialCall === wanted

/** From the leaves to the root. */
const parts: ReadonlyArray<Part> = [
  { name: "worker", weight: 8, is: labelled("worker"), isBare: true },
  { name: "queue", weight: 3, is: serving("jobs/Queue") },
  { name: "journal", weight: 3, is: serving("jobs/Journal") },
  { name: "registry", weight: 2, is: serving("jobs/Running") },
  { name: "limiter", weight: 3, is: serving("@effect-otp/ratelimiter/RateLimiter") },
  { name: "progress", weight: 3, is: serving("jobs/Progress") },
  { name: "gate", weight: 1, is: labelled("gate"), isBare: true },
  { name: "pool", weight: 2, is: serving("jobs/Workers") },
  { name: "core", weight: 1, is: labelled("core") },
  { name: "service", weight: 0.5, is: labelled("job service") }
]

const find = ({ chance }: World, { is }: Part) => Effect.map(everybody, (all) => chance.pick(all.filter(is)))

const shock = ExitReason.crashed(Cause.die(new Error("struck by chance")))

type Way = (info: Process.Info) => Effect.Effect<unknown, unknown>

const kill: Way = ({ pid }) => Process.exit(pid, ExitReason.kill)

// Who traps exits obeys those of its supervisor alone; it is told to end as a server is.
const endWith = (reason: ExitReason.ExitReason): Way => ({ pid, trapExit }) =>
  trapExit ? Sys.terminate(pid, reason, { timeout: "1 second" }) : Process.exit(pid, reason)

const strike = (world: World, part: Part, way: Way): Effect.Effect<boolean> =>
  Effect.flatMap(find(world, part), (info) =>
    info === undefined
      ? Effect.succeed(false)
      : Effect.match(way(info), { onSuccess: () => true, onFailure: () => false }))

/** Until it is gone: a supervisor first ends what is below it. */
const end = (way: Way) => (world: World, part: Part): Effect.Effect<boolean> =>
  strike(world, part, (info) => Effect.andThen(way(info), Process.awaitExit(info.pid)))

const suspend = (world: World, part: Part): Effect.Effect<boolean> =>
  strike(world, part, ({ pid }) =>
    Effect.gen(function*() {
      yield* Sys.suspend(pid, { timeout: "1 second" })
      // Some for longer than a caller waits.
      yield* Effect.sleep(world.chance.between(10, world.chance.next() < 0.1 ? 7_000 : 1_000))
      // It may have been killed meanwhile, as suspended servers can be.
      yield* Effect.ignore(Sys.resume(pid))
    }))

const ofParts = (
  verb: string,
  weight: number,
  inject: (world: World, part: Part) => Effect.Effect<boolean>,
  among: ReadonlyArray<Part> = parts
): ReadonlyArray<Fault> =>
  among.map((part) => ({
    name: `${verb} ${part.name}`,
    weight: weight * part.weight,
    inject: (world) => inject(world, part)
  }))

// ----------------------------------------------------------------------------
// the rest of the world
// ----------------------------------------------------------------------------

/** The disk falls ill for a while, if it is not ill already. */
const illness = (name: string, weight: number, health: (chance: Chance) => Disk.Health): Fault => ({
  name,
  weight,
  inject: ({ chance, disk }) =>
    Effect.suspend(() => {
      if (disk.health !== Disk.well) return Effect.succeed(false)
      disk.health = health(chance)
      return Effect.ensuring(
        Effect.as(Effect.sleep(chance.between(50, 4_000)), true),
        Effect.sync(() => {
          disk.health = Disk.well
        })
      )
    })
})

const others: ReadonlyArray<Fault> = [
  illness("store fails", 2, () => ({ _tag: "Fails" })),
  illness("store lies", 1, () => ({ _tag: "Lies" })),
  illness("store is slow", 2, (chance) => ({ _tag: "Slow", millis: chance.between(10, 400) })),
  { name: "job crashes", weight: 8, inject: ({ bugs }) => Ambush.lay(bugs) },
  { name: "customer gives up", weight: 10, inject: ({ customers }) => Ambush.lay(customers.impatience) },
  { name: "customers flood", weight: 0.1, inject: ({ customers }) => Effect.as(customers.flood, true) }
]

export const faults: ReadonlyArray<Fault> = [
  ...ofParts("kill", 1, end(kill)),
  ...ofParts("crash", 1, end(endWith(shock))),
  ...ofParts("shut down", 0.5, end(endWith(ExitReason.shutdown()))),
  ...ofParts("suspend", 0.3, suspend, parts.filter(({ isBare = false }) => !isBare)),
  ...others
]

const total = faults.reduce((sum, { weight }) => sum + weight, 0)

/** One of them, the heavier the more often. */
export const pick = (chance: Chance): Fault => {
  let rest = chance.next() * total
  for (const fault of faults) {
    rest -= fault.weight
    if (rest < 0) return fault
  }
  return faults[0]!
}
