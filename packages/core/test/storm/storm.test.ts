/** A tree of a thousand servers in a storm of kills: whatever is hit, it comes to rest as it was described. */
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as scale from "../../../../test-scale.ts"
import { inconsistencies, leftovers } from "../utils/leftovers.ts"
import { inNode } from "../utils/process.ts"
import { wrong } from "./Accounts.ts"
import { Census } from "./Census.ts"
import * as Clients from "./Clients.ts"
import * as Forest from "./Forest.ts"
import { Killer } from "./Kills.ts"
import * as Random from "./Random.ts"

/** The whole storm again: `EFFECT_OTP_SEED=<seed> pnpm test storm`. */
const seed = Number(process.env.EFFECT_OTP_SEED ?? Math.floor(Math.random() * 2 ** 32))

type Adjust = (duration: Duration.Input) => Effect.Effect<void>

/** Lets time pass until an effect has ended. */
const passing = Effect.fnUntraced(function*<A, E, R>(effect: Effect.Effect<A, E, R>, adjust: Adjust) {
  const fiber = yield* Effect.forkChild(effect)
  while (fiber.pollUnsafe() === undefined) yield* adjust("100 millis")
  return yield* Fiber.join(fiber)
})

/** Counts how often supervisors gave up, by level. */
const counting = (gaveUp: Array<number>) =>
  Logger.make(({ fiber, message }) => {
    if (!String(Array.isArray(message) ? message[0] : message).startsWith("giving up")) return
    const level = Forest.levelOf(String(fiber.getRef(References.CurrentLogAnnotations).supervisor))
    if (level !== undefined) gaveUp[level] = (gaveUp[level] ?? 0) + 1
  })

/** The tree is as it was described, and there is nothing beside it. */
const assertAtRest = Effect.fnUntraced(function*({ expected }: Forest.Forest, census: Census) {
  yield* settle
  const tree = yield* Supervisor.tree(expected.name!)
  // Whoever has answered may have been put into the queue before it did.
  yield* settle
  assert.deepStrictEqual(yield* wrong(tree, expected, census), [])
})

const storm = Effect.fnUntraced(function*(shape: Forest.Shape, kills: number, clients: number, adjust: Adjust) {
  const census = new Census()
  const tally = new Clients.Tally()
  const gaveUp: Array<number> = [0, 0, 0, 0, 0]
  const world = { census, random: Random.make(seed, 1), storming: false }
  const forest = Forest.make(world, shape, Random.make(seed, 0))
  const killer = new Killer(forest, census, Random.make(seed, 2))
  const began = yield* Clock.currentTimeMillis

  yield* Effect.gen(function*() {
    const scope = yield* Scope.make()
    yield* adjust(1)
    const services = yield* passing(Layer.buildWithScope(forest.tree.layer, scope), adjust)
    const root = yield* Process.whereis(forest.expected.name!)
    yield* assertAtRest(forest, census)

    const known: Clients.Known = { forest, ids: [...forest.servers.keys()], census, services }
    const randoms = Array.from({ length: clients }, (_, i) => Random.make(seed, 10 + i))
    // With a calm in the middle, in which it must be as it is at the end.
    for (const until of [kills / 2, kills]) {
      world.storming = true
      const fibers = yield* Clients.start(tally, known, randoms, () => !world.storming)
      while (killer.kills < until) {
        yield* adjust(yield* killer.strike)
        assert.deepStrictEqual(census.complaints, [])
        if (killer.kills % 100 === 0) assert.deepStrictEqual(yield* inconsistencies(census.all.slice(-500)), [])
      }
      assert.strictEqual(gaveUp[1], 0, "the root gave up")
      world.storming = false
      yield* passing(Effect.forEach(fibers, Fiber.join), adjust)
      yield* adjust("10 minutes")
      yield* assertAtRest(forest, census)
      assert.deepStrictEqual(yield* Process.whereis(forest.expected.name!), root)
    }
    yield* passing(Scope.close(scope, Exit.void), adjust)
    yield* settle
    assert.deepStrictEqual(yield* leftovers(census.all), [])
    assert.deepStrictEqual([...census.present.keys(), ...census.complaints], [])
  }).pipe(Effect.provide(Logger.layer([counting(gaveUp)])), Effect.provideService(References.MinimumLogLevel, "Error"))

  const hours = ((yield* Clock.currentTimeMillis) - began) / 3_600_000
  const percent = (100 * killer.hits) / killer.kills
  // What it was, and how to have the same again.
  console.log(
    [
      `seed ${seed}: ${killer.kills} kills in ${hours.toFixed(1)} hours, ${percent.toFixed(1)} % hit a live process;`,
      `${census.all.length} processes in all;`,
      `gave up: ${gaveUp[2]} of level 2, ${gaveUp[3]} of level 3, ${gaveUp[4]} of level 4;`,
      `${tally.asked} calls, ${tally.answered} answers,`,
      [...tally.errors].map(([tag, count]) => `${count} ${tag}`).join(", ")
    ].join(" ")
  )
  assert.isAtLeast(percent, 90)
  for (const level of [2, 3, 4]) assert.isAtLeast(gaveUp[level]!, 1, `level ${level} never gave up`)
  assert.deepStrictEqual(tally.complaints, [])
  assert.strictEqual(tally.asked, tally.answered + tally.failed)
})

const shape = scale.full ? { supervisors: [5, 5, 4], servers: 10 } : { supervisors: [2, 3, 4], servers: 10 }
const clients = scale.full ? 24 : 12
// It runs the same code on other ways, for which a part of the time is enough.
const fewer = scale.full ? scale.kills / 4 : scale.kills

describe("a storm", () => {
  it.effect(
    "of kills leaves every permanent child alive, none twice, no caller without an answer, and nothing behind",
    () => inNode(storm(shape, scale.kills, clients, TestClock.adjust)),
    600_000
  )

  it.live(
    "does so under the scheduler of an application",
    () =>
      // By hand: its layer would bring a scheduler along.
      Effect.flatMap(TestClock.make(), (clock) =>
        inNode(storm(shape, fewer, clients, clock.adjust)).pipe(Effect.provideService(Clock.Clock, clock))).pipe(
          Effect.scoped
        ),
    600_000
  )
})
