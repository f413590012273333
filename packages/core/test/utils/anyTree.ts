/**
 * Trees of any shape out of a list of parts, any of which may be left out, and one child of them that does not start. The
 * children tell what happens to them.
 */
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as PartitionSupervisor from "@effect-otp/core/PartitionSupervisor"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

export const kinds = ["server", "named", "slow", "stubborn", "layer", "start", "worker", "ignoring"] as const

export type Kind = typeof kinds[number]

/** How a child does not start. */
export const failures = [
  "fails",
  "dies",
  "stops",
  "exits",
  "is killed",
  "is told to exit",
  "never ends",
  "its name is taken",
  "its supervisor is killed"
] as const

export type Failure = typeof failures[number]

/** Whether a child of this kind may fail to start in this way. */
export const canFail = (kind: Kind, how: Failure): boolean => {
  switch (kind) {
    case "ignoring":
    case "worker":
    case "stubborn":
      return false
    case "start":
      return how === "fails" || how === "dies" || how === "exits" || how === "its supervisor is killed"
    case "layer":
      return how !== "stops" && how !== "never ends" && how !== "its name is taken"
    case "server":
    case "slow":
      return how !== "its name is taken"
    case "named":
      return true
  }
}

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

/** A child, or that what follows is one level lower, or one higher again. */
export const Part = Schema.Struct({
  what: Schema.Literals([...kinds, ...kinds, "partitions", "open", "open", "open", "close", "close"]),
  strategy: Schema.Literals(["one_for_one", "rest_for_one", "one_for_all"]),
  restart: Schema.Literals(["permanent", "transient", "temporary"]),
  brutal: Schema.Boolean
})

export type Part = typeof Part.Type

export const Input = Schema.Struct({
  parts: Schema.Array(Part).check(Schema.isMaxLength(50)),
  at: upTo(49),
  how: Schema.Literals(failures),
  way: Schema.Literals(["start", "startLink", "startScoped", "layer"])
})

export class Refused {
  readonly _tag = "Refused"
}

export const bad = ExitReason.custom("bad")

export const timeout = 100

/** What the children of one tree share. */
export class World {
  readonly events: Array<string> = []
  readonly pids: Array<Process.Pid<never>> = []
  /** The child that does not start, and how; nothing, if all are to start. */
  failing: { readonly id: string; readonly how: Failure } | undefined = undefined
  /** Given a process that waits in its start for what will be done to it. */
  hangs: Deferred.Deferred<Process.Pid<never>> = Deferred.makeUnsafe()

  /** Says that it starts now, and when it has stopped. */
  lives(id: string, release: Effect.Effect<void>): Effect.Effect<void, never, Scope.Scope | Process.Current> {
    return Effect.acquireRelease(
      Effect.map(Process.self, (pid) => {
        this.pids.push(pid)
        this.events.push(`start ${id}`)
      }),
      () => Effect.andThen(release, Effect.sync(() => this.events.push(`stop ${id}`)))
    )
  }

  /** Goes on, or does whatever a child does that does not start. */
  starts(id: string): Effect.Effect<void, Refused, Process.Current> {
    return Effect.suspend(() => this.failing?.id === id ? this.#fails(this.failing.how) : Effect.void)
  }

  #fails(how: Failure): Effect.Effect<void, Refused, Process.Current> {
    switch (how) {
      case "fails":
      case "stops":
      case "its name is taken":
        return Effect.fail(new Refused())
      case "dies":
        return Effect.die("died")
      case "exits":
        return Process.exit(bad)
      case "is killed":
      case "is told to exit":
      case "never ends":
      case "its supervisor is killed":
        return Effect.flatMap(Process.self, (pid) => Effect.andThen(Deferred.succeed(this.hangs, pid), Effect.never))
    }
  }
}

interface Arg {
  readonly world: World
  readonly id: string
  readonly slow: boolean
}

class Child extends GenServer.Service<Child>()("test/anyTree/Child", []) {
  static readonly server = this.implement({
    init: ({ id, slow, world }: Arg) =>
      Effect.gen(function*() {
        yield* world.lives(id, slow ? Effect.sleep(20) : Effect.void)
        if (slow) yield* Effect.sleep(20)
        if (world.failing?.id === id && world.failing.how === "stops") return GenServer.initStop(bad)
        yield* world.starts(id)
        return id
      }),
    handlers: {}
  })
}

class Ignoring extends GenServer.Service<Ignoring>()("test/anyTree/Ignoring", []) {
  static readonly server = this.implement({ init: () => GenServer.ignore, handlers: {} })
}

type Spec = ChildSpec.ChildSpec<never, Refused, never>

const body = (world: World, id: string, traps: boolean) => (self: Process.Self<Process.Exit>) =>
  Effect.gen(function*() {
    if (traps) yield* Process.trapExit(true)
    yield* world.lives(id, Effect.void)
    return yield* Effect.forever(self.receive)
  })

const spec = (world: World, id: string, { brutal, what, ...part }: Part): Spec => {
  const shutdown = brutal ? "brutalKill" : what === "stubborn" ? 50 : "5 seconds"
  const options: ChildSpec.Options = { id, restart: part.restart, shutdown }
  const server = { ...options, provide: false, timeout } as const
  switch (what as Kind) {
    case "server":
    case "slow":
      return Child.server.child({ world, id, slow: what === "slow" }, server)
    case "named":
      return Child.server.child({ world, id, slow: false }, { ...server, name: `name ${id}` })
    case "ignoring":
      return Ignoring.server.child(server)
    case "stubborn":
    case "worker":
      return ChildSpec.worker({ ...options, run: body(world, id, what === "stubborn") })
    case "layer":
      return ChildSpec.layer({
        ...options,
        layer: Layer.effectDiscard(Effect.andThen(world.lives(id, Effect.void), world.starts(id)))
      })
    case "start":
      return ChildSpec.make({
        ...options,
        start: Effect.andThen(
          world.starts(id),
          Process.spawnLink((self: Process.Self<Process.Exit>) => Effect.scoped(body(world, id, false)(self)))
        )
      })
  }
}

/** A child in its place: the path that leads to it, and the name of the supervisor that is to start it. */
export interface Unit {
  readonly id: string
  readonly kind: Kind
  readonly path: ReadonlyArray<string>
  readonly under: string
}

export interface AnyTree {
  readonly tree: Supervisor.Supervisor<never, Refused, never>
  /** The children that are no supervisors, in the order of their start. */
  readonly units: ReadonlyArray<Unit>
}

/** Makes a tree out of its parts; every supervisor has a name. */
export const make = (world: World, parts: ReadonlyArray<Part>): AnyTree => {
  const units: Array<Unit> = []
  let next = 0

  const partitions = (part: Part, path: ReadonlyArray<string>, name: string): Spec => {
    const id = path.at(-1)!
    const child = (partition: string): Spec => spec(world, `${id}/${partition}`, { ...part, what: "server" })
    for (const partition of ["0", "1"]) {
      units.push({ id: `${id}/${partition}`, kind: "server", path: [...path, partition], under: name })
    }
    const withArguments = (_: [string], partition: number) => [`${partition}`] as [string]
    return PartitionSupervisor.make({ name, partitions: 2, child, args: [""] as [string], withArguments }).child({ id })
  }

  const grow = (strategy: Part["strategy"], path: ReadonlyArray<string>, name: string): AnyTree["tree"] => {
    const children: Array<Spec> = []
    while (next < parts.length) {
      const part = parts[next++]!
      const id = `${next}`
      const at = [...path, id]
      if (part.what === "close") {
        // There is nothing above the first supervisor.
        if (path.length > 0) break
      } else if (part.what === "open") {
        children.push(grow(part.strategy, at, `supervisor ${id}`).child({ id }))
      } else if (part.what === "partitions") {
        children.push(partitions(part, at, `supervisor ${id}`))
      } else {
        units.push({ id, kind: part.what, path: at, under: name })
        children.push(spec(world, id, part))
      }
    }
    return Supervisor.make({ name, strategy, children })
  }

  return { tree: grow("one_for_one", [], "root"), units }
}
