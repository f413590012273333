/**
 * A large tree of servers of all kinds under supervisors of all kinds, made from a seed, and the description of what must
 * run of it when it has come to rest.
 */
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import type * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type { Census } from "./Census.ts"
import type { Random } from "./Random.ts"

/** How many supervisors there are under each of the level above, and how many servers under each of the last ones. */
export interface Shape {
  readonly supervisors: ReadonlyArray<number>
  readonly servers: number
}

/** What must run. */
export interface Expected {
  readonly id: string
  readonly restart: ChildSpec.Restart
  readonly name: string | undefined
  /** Of a supervisor, in order. */
  readonly children?: ReadonlyArray<Expected>
}

/** What a server answers whom it refuses, and what a start that fails gives. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}

/** Told to a server or a process: how to end. `"crash"` is a defect. */
export type Order = ExitReason.ExitReason | "crash"

/** What the servers share. */
export interface World {
  readonly census: Census
  readonly random: Random
  /** Their starts may fail from now on. */
  storming: boolean
}

interface Traits {
  readonly id: string
  readonly takesLong: "nothing" | "init" | "release" | "terminate"
}

const protocol = [
  GenServer.call("who", { success: Schema.String }),
  GenServer.call("slow", { payload: { millis: Schema.Finite }, success: Schema.String }),
  // Answered when its handler has ended, by another fiber.
  GenServer.call("later", { success: Schema.String }),
  GenServer.call("refuse", { success: Schema.String, error: Refused }),
  GenServer.call("crash", { success: Schema.String }),
  GenServer.cast("end", { payload: Schema.Unknown })
] as const

export interface Leaf {}

/** A server as a service of its own. */
const service = (key: string) => GenServer.Service<Leaf>()(`storm/${key}`, protocol)

export type Service = ReturnType<typeof service>

/** How clients reach a server: by the service that the tree provides, by its name, or by the pid that it has now. */
export interface Reach {
  readonly service: Service
  readonly by: "service" | "name" | "pid"
}

const end = (id: string, order: Order) => order === "crash" ? Effect.die("crash") : Effect.succeed(Step.stop(order, id))

const implement = (Leaf: Service, world: World, { id, takesLong }: Traits) => {
  const { census, random } = world
  return Leaf.implement({
    init: () =>
      Effect.gen(function*() {
        const release = takesLong === "release" ? Effect.sleep(random.below(200)) : Effect.void
        yield* census.enrol(id, yield* Process.self, release)
        if (takesLong === "init") yield* Effect.sleep(random.below(20))
        if (world.storming && random.chance(0.005)) return yield* Effect.fail(new Refused())
        return id
      }),
    handlers: {
      who: (id: string) => Step.reply(id, id),
      slow: (id: string, { millis }) => Effect.as(Effect.sleep(millis), Step.reply(id, id)),
      later: (id: string, _, from) =>
        Effect.as(Effect.forkDetach(Effect.andThen(Effect.yieldNow, GenServer.reply(from, id))), Step.noReply(id)),
      refuse: () => Effect.fail(new Refused()),
      crash: () => Effect.die("crash"),
      end: (id: string, order) => end(id, order as Order)
    },
    trapExit: takesLong === "terminate",
    info: (id: string, { reason }: Process.Exit) => Step.stop(reason, id),
    terminate: () => takesLong === "terminate" ? Effect.sleep(random.below(200)) : Effect.void
  })
}

const restart = (random: Random): ChildSpec.Restart =>
  random.weighted([[80, "permanent"], [12, "transient"], [8, "temporary"]])

const spaced = Schedule.spaced("100 millis")

export const nameOf = (path: string): string => `server ${path}`

const leaf = (world: World, path: string, random: Random) => {
  // Each service is part of the context of all that start after it.
  const by = random.weighted<Reach["by"]>([[10, "service"], [30, "name"], [60, "pid"]])
  const reach: Reach = { service: service(path), by }
  const expected: Expected = { id: path, restart: restart(random), name: by === "name" ? nameOf(path) : undefined }
  const traits: Traits = {
    id: path,
    takesLong: random.weighted([[60, "nothing"], [15, "init"], [15, "release"], [10, "terminate"]])
  }
  const spec = implement(reach.service, world, traits).child({
    id: path,
    provide: by === "service",
    name: expected.name,
    restart: expected.restart,
    shutdown: random.chance(0.1) ? "brutalKill" : undefined,
    backoff: random.chance(0.1) ? spaced : undefined
  })
  return { reach, expected, spec }
}

/** A process with a body, which is no service. */
const worker = ({ census }: World, id: string) => ({
  expected: { id, restart: "permanent", name: undefined } satisfies Expected,
  spec: ChildSpec.worker({
    id,
    run: Effect.fnUntraced(function*(self: Process.Self<Order>) {
      yield* census.enrol(id, self.pid)
      const order = yield* self.receive
      return order === "crash" ? yield* Effect.die("crash") : yield* Process.exit(order)
    })
  })
})

/** A Layer that is kept running. */
const layer = ({ census }: World, id: string) => ({
  expected: { id, restart: "permanent", name: undefined } satisfies Expected,
  spec: ChildSpec.layer({
    id,
    layer: Layer.effectDiscard(Effect.flatMap(Process.self, (pid) => census.enrol(id, pid)))
  })
})

/** How often the children of a level may fail: the root must never give up, and each level below it at times. */
const intensities = [
  { maxRestarts: 100, within: "1 minute" },
  { maxRestarts: 2, within: "10 seconds" },
  { maxRestarts: 2, within: "10 seconds" },
  { maxRestarts: 3, within: "5 seconds" }
] as const

export interface Branch {
  readonly level: number
  readonly name: string
  readonly below: ReadonlyArray<string>
}

export interface Forest {
  /** Its layer provides the services, of which there are too many to say so in its type. */
  readonly tree: Supervisor.Supervisor<never, Refused, never>
  readonly expected: Expected
  /** The servers by their ids, which are what they answer with. */
  readonly servers: ReadonlyMap<string, Reach>
  /** The ids of all that do work. */
  readonly workers: ReadonlyArray<string>
  /** Those of them that may end for good. */
  readonly mortal: ReadonlySet<string>
  /** The supervisors below the root, each with its level and those directly below it: supervisors by name, others by id. */
  readonly supervisors: ReadonlyArray<Branch>
}

/** The name of a supervisor tells its level, in reports, too. */
export const levelOf = (text: string): number | undefined => {
  const found = /level (\d)/.exec(text)
  return found === null ? undefined : Number(found[1])
}

export const make = (world: World, { servers, supervisors }: Shape, random: Random): Forest => {
  const reached = new Map<string, Reach>()
  const workers: Array<string> = []
  const mortal = new Set<string>()
  const branches: Array<Branch> = []

  const grow = (level: number, path: string): { readonly tree: Forest["tree"]; readonly expected: Expected } => {
    const children: Array<{ spec: ChildSpec.ChildSpec<never, Refused, never>; expected: Expected }> = []
    const count = supervisors[level]
    if (count === undefined) {
      for (let i = 1; i <= servers; i++) {
        const { expected, reach, spec } = leaf(world, `${path}.${i}`, random)
        reached.set(expected.id, reach)
        if (expected.restart !== "permanent") mortal.add(expected.id)
        workers.push(expected.id)
        children.push({ spec, expected })
      }
    } else {
      for (let i = 1; i <= count; i++) {
        const id = path === "" ? `${i}` : `${path}.${i}`
        const { expected, tree } = grow(level + 1, id)
        const backoff = random.chance(0.2) ? spaced : undefined
        children.push({ spec: tree.child({ id, backoff }), expected })
        const below = expected.children!.map((child) => child.children === undefined ? child.id : child.name!)
        branches.push({ level: level + 2, name: expected.name!, below })
      }
      if (level === supervisors.length - 1) {
        for (const make of [worker, layer]) {
          const child = make(world, `${path} ${make.name}`)
          workers.push(child.expected.id)
          children.push(child)
        }
      }
    }
    const name = `level ${level + 1}${path === "" ? "" : `: ${path}`}`
    const tree = Supervisor.make({
      name,
      strategy: random.weighted([
        [level === 0 ? 1 : level === 3 ? 3 : 8, "one_for_one"],
        [level === 0 ? 0 : 1, "rest_for_one"],
        [level === 0 ? 0 : 1, "one_for_all"]
      ]),
      intensity: intensities[level]!,
      children: children.map(({ spec }) => spec)
    })
    return {
      tree,
      expected: { id: path, restart: "permanent", name, children: children.map(({ expected }) => expected) }
    }
  }

  return { ...grow(0, ""), servers: reached, workers, mortal, supervisors: branches }
}
