/**
 * Runs a scenario on this library, by what it offers to everybody, and under a clock that the scenario moves.
 */
import { Node, Process } from "@effect-otp/core"
import { settle } from "@effect-otp/core/testing"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { CurrentLogAnnotations } from "effect/References"
import * as TestClock from "effect/testing/TestClock"
import { perform, performOne, waits } from "./Commands.ts"
import * as Scenario from "./Scenario.ts"
import { Subject } from "./Subjects.ts"
import type { Event, Raw } from "./Trace.ts"
import { Do, type Entity, showReason, World } from "./World.ts"

/**
 * Whose scheduler orders the turns: that of the test clock, for which each wake-up is a task, or that of an application,
 * where whoever is idle may take its turn within that of a sender.
 */
export type Scheduling = "test" | "application"

/** Gives what was seen in each step. */
export const run = (scenario: Scenario.Scenario, scheduling: Scheduling = "test"): Effect.Effect<Raw> => {
  const world = new World()
  world.perform = perform(world)
  const steps = Effect.gen(function*() {
    const raw: Array<ReadonlyArray<Event>> = []
    for (const [i, step] of scenario.entries()) {
      yield* Scenario.isAdvance(step) ? advance(step.advance) : give(world, step, i + 1)
      yield* look(world)
      raw.push(world.events)
      world.events = []
    }
    return raw
  })
  return steps.pipe(
    Effect.provide(Node.layer({ shutdown: 0 })),
    Effect.provide(Logger.layer([givesUp(world)])),
    scheduling === "test" ? Effect.provide(TestClock.layer()) : inApplication,
    Effect.scoped
  )
}

// The layer of the clock would bring its scheduler along.
const inApplication = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.scoped(
    Effect.flatMap(TestClock.make(), (clock) => Effect.provideService(effect, Clock.Clock, clock))
  ) as Effect.Effect<A, E, R>

/** A supervisor says to nobody but the log that it gives up. */
const givesUp = (world: World) =>
  Logger.make<unknown, void>(({ fiber, message }) => {
    const title = Array.isArray(message) ? message[0] : message
    if (typeof title !== "string" || !title.startsWith("giving up: ")) return
    const supervisor = String(fiber.getRef(CurrentLogAnnotations)["supervisor"])
    const entity = world.entities.find(({ ended, pid }) => !ended && supervisor.endsWith(String(pid)))
    if (entity !== undefined) world.note("tree", Scenario.rootOf(entity.name), `gives up ${entity.name}`)
  })

// ----------------------------------------------------------------------------
// steps
// ----------------------------------------------------------------------------

const give = Effect.fnUntraced(function*(world: World, parts: ReadonlyArray<Scenario.Part>, n: number) {
  world.beginStep()
  for (const { by, do: commands } of Scenario.labelled(parts, n)) {
    if (by === "outside") yield* outside(world, commands)
    else {
      const entity = world.find(by)
      if (entity === undefined) continue
      const order = new Do(commands)
      yield* entity.kind === "server" ? Subject.at(entity.pid).tell(order) : Process.send(entity.pid, order)
    }
  }
  yield* settle
})

const outside = Effect.fnUntraced(function*(world: World, commands: Do["commands"]) {
  for (const [label, command] of commands) {
    const done = performOne(world, { me: "outside", kind: "outside" }, label, command) as Effect.Effect<unknown>
    yield* waits(command) ? Effect.forkChild(done, { startImmediately: true }) : done
  }
})

/** In small steps: what is due in the middle may start what is due later. */
const tick = 20

const advance = Effect.fnUntraced(function*(millis: number) {
  for (let left = millis; left > 0; left -= tick) {
    yield* TestClock.adjust(Math.min(left, tick))
    yield* settle
  }
})

// ----------------------------------------------------------------------------
// what there is to see
// ----------------------------------------------------------------------------

const look = Effect.fnUntraced(function*(world: World) {
  for (const entity of world.entities) {
    if (entity.ended) continue
    const info = yield* Process.info(entity.pid)
    if (info._tag === "Some") world.note("state", entity.name, describe(world, entity, info.value))
    else {
      entity.ended = true
      world.note("ended", entity.name, showReason(yield* Process.awaitExit(entity.pid)))
    }
  }
})

const describe = (world: World, { kind }: Entity, info: Process.Info): string => {
  const known = (pids: Process.Info["links"]) => pids.filter((pid) => world.isKnown(pid))
  const links = known(info.links).map((pid) => world.nameOf(pid)).sort()
  const head = `${info.name ?? "-"} links [${links.join(" ")}]`
  if (kind === "supervisor") return `supervises ${head}`
  if (info.status === "ending") return `ending ${head}`
  const monitors = `${info.trapExit ? "traps" : "exits"} ${head} monitors ${known(info.monitors).length}`
  return kind === "server" ? monitors : `${monitors} mailbox ${info.mailboxLength}`
}
