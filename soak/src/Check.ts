/**
 * Looks whether the invariants hold: some of them under fire, all of them in the calm between.
 */
import { Supervisor, type SupervisorTree } from "@effect-otp/core"
import { Clock, Effect, FiberSet } from "effect"
import * as Ambush from "./Ambush.ts"
import * as Census from "./Census.ts"
import type { World } from "./Fault.ts"
import type { Invariant } from "./Invariant.ts"
import type { Service } from "./Service.ts"
import { checkCalls, violate, type Witness } from "./Witness.ts"

/** The name of the supervisor above the service. */
export const root = "soak"

export interface Options {
  readonly service: Service
  readonly world: World
  readonly witness: Witness
  readonly workers: number
  /** Faults that stand, and those who wait until the service answers again. */
  readonly standing: FiberSet.FiberSet<void>
}

/** Waits until what it is told is nothing. What is wrong after `within` milliseconds is a violation. */
const soon = Effect.fnUntraced(function*<E, R>(
  { witness }: Options,
  invariant: Invariant,
  { every, within }: { readonly every: number; readonly within: number },
  wrong: Effect.Effect<string, E, R>
) {
  const began = yield* Clock.currentTimeMillis
  while (true) {
    const what = yield* Effect.catch(wrong, (error) => Effect.succeed(String(error)))
    if (what === "") return
    if ((yield* Clock.currentTimeMillis) - began >= within) return violate(witness, invariant, what)
    yield* Effect.sleep(every)
  }
})

// ----------------------------------------------------------------------------
// what is looked at
// ----------------------------------------------------------------------------

const sumsOf = ({ service }: Options) =>
  Effect.map(service.status, ({ accepted, done, gaveUp, running, waiting }) => {
    const sum = done + gaveUp + waiting + running
    return sum === accepted
      ? ""
      : `${accepted} accepted, and ${done} done, ${gaveUp} given up, ${waiting} waiting, ${running} running`
  })

/** Asked at any moment. Where nobody answers there is nothing to say. */
export const underFire = (options: Options) =>
  Effect.gen(function*() {
    checkCalls(options.witness, yield* Clock.currentTimeMillis)
    const wrong = yield* Effect.orElseSucceed(sumsOf(options), () => "")
    if (wrong !== "") violate(options.witness, "sums", wrong)
  })

const stillStanding = ({ standing, witness: { calls } }: Options) =>
  Effect.map(
    FiberSet.size(standing),
    (size) =>
      size === 0
        ? ""
        : `${size} faults stand, with ${Array.from(calls, ({ what }) => what).join(", ") || "no call"}`
  )

const notRunning = (tree: SupervisorTree.Tree): ReadonlyArray<string> => [
  // The crew has hired the workers, and is done.
  ...(tree.status === "running" || tree.id === "crew" ? [] : [`${tree.id} is ${tree.status}`]),
  ...tree.children.flatMap(notRunning)
]

const countOf = (tree: SupervisorTree.Tree, id: string): number =>
  tree.children.reduce((sum, child) => sum + countOf(child, id), tree.id === id ? 1 : 0)

const brokenParts = ({ workers }: Options) =>
  Effect.map(Supervisor.tree(root), (tree) => {
    const there = countOf(tree, "worker")
    return [...notRunning(tree), ...(there === workers ? [] : [`${there} workers of ${workers}`])].join(", ")
  })

const runningDiffers = ({ service, witness }: Options) =>
  Effect.map(service.running, (running) => {
    const registered = new Set(running.map(({ key }) => key))
    const missing = [...witness.working].filter((id) => !registered.has(id))
    const extra = [...registered].filter((id) => !witness.working.has(id))
    return [
      ...missing.map((id) => `${id} is worked on, and not registered`),
      ...extra.map((id) => `${id} is registered, and not worked on`)
    ].join(", ")
  })

const unfinished = ({ service, witness, world: { customers } }: Options) =>
  Effect.map(service.status, ({ running, waiting }) => {
    if (running + waiting > 0) return `${waiting} wait, ${running} are running`
    if (witness.open.size > 0) return `${[...witness.open].slice(0, 3)} are lost`
    return customers.busy.size === 0 ? "" : `${[...customers.busy]} are still busy`
  })

const miscounted = ({ service, witness: { counts } }: Options) =>
  Effect.map(
    service.status,
    (status) =>
      (["accepted", "done", "gaveUp"] as const)
        .filter((what) => status[what] !== counts[what])
        .map((what) => `${what}: ${status[what]}, and ${counts[what]} are in the store`)
        .join(", ")
  )

// ----------------------------------------------------------------------------
// the calm
// ----------------------------------------------------------------------------

/** Waits until everything is at rest, looks at everything, and lets the customers go on. Gives what there is then. */
export const inCalm = Effect.fnUntraced(function*(options: Options, expected: Census.Census | undefined) {
  const { world } = options
  const { customers: { doors, impatience } } = world
  doors.closeUnsafe()
  Ambush.callOff(world.bugs)
  Ambush.callOff(impatience)
  yield* soon(options, "returns", { every: 100, within: 120_000 }, stillStanding(options))
  yield* soon(options, "whole", { every: 100, within: 60_000 }, brokenParts(options))
  yield* soon(options, "running", { every: 10, within: 5_000 }, runningDiffers(options))
  yield* soon(options, "finishes", { every: 100, within: 180_000 }, unfinished(options))
  yield* soon(options, "sums", { every: 10, within: 1_000 }, sumsOf(options))
  yield* soon(options, "stored", { every: 10, within: 1_000 }, miscounted(options))
  const leftBehind = Effect.map(
    Census.take,
    // At rest nobody has a message or a timer: the limiter has one for as long as it remembers anybody.
    (actual) => Census.difference(expected ?? { ...actual, timers: 0, messages: 0 }, actual)
  )
  yield* soon(options, "leaks", { every: 100, within: 10_000 }, leftBehind)
  const census = yield* Census.take
  doors.openUnsafe()
  return census
})
