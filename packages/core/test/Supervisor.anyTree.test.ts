/**
 * A child that does not start, anywhere in a tree of any shape: everything that has started is stopped in reverse order,
 * exactly once, as the children themselves tell it; the error names the child and the reason; nothing is left.
 */
import * as ExitReason from "@effect-otp/core/ExitReason"
import type * as OtpError from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import * as scale from "../../../test-scale.ts"
import * as AnyTree from "./utils/anyTree.ts"
import { leftovers } from "./utils/leftovers.ts"
import { arrived, inNode } from "./utils/process.ts"

const { bad } = AnyTree

type Adjust = (duration: Duration.Input) => Effect.Effect<void>

/** Lets time pass until an effect has ended. */
const passing = Effect.fnUntraced(function*<A, E, R>(effect: Effect.Effect<A, E, R>, adjust: Adjust) {
  const fiber = yield* Effect.forkChild(effect)
  while (fiber.pollUnsafe() === undefined) yield* adjust("10 millis")
  return yield* Fiber.join(fiber)
})

type Error = OtpError.StartError<AnyTree.Refused>

/** Starts a tree in one of the ways that there are, and gives the error that this must fail with. */
const fails = (tree: AnyTree.AnyTree["tree"], way: typeof AnyTree.Input.Type["way"]): Effect.Effect<Error, unknown> => {
  switch (way) {
    case "start":
      return Effect.flip(tree.start)
    case "startScoped":
      return Effect.flip(Effect.scoped(tree.startScoped))
    case "layer":
      return Effect.flip(Effect.scoped(Layer.build(tree.layer)))
    case "startLink":
      return Effect.gen(function*() {
        const found = yield* Deferred.make<Error, unknown>()
        // It lives on, and has the answer of its start and nothing else.
        const owner = Effect.fnUntraced(function*(self: Process.Self<Process.Exit>) {
          yield* Process.trapExit(true)
          const error = yield* Effect.flip(tree.startLink)
          assert.deepStrictEqual(yield* arrived(self), [])
          return error
        })
        yield* Process.spawn((self: Process.Self<Process.Exit>) => Deferred.complete(found, owner(self)))
        return yield* Deferred.await(found)
      })
  }
}

/** What is done from outside to the child that waits in its start. */
const strike = (how: AnyTree.Failure, pid: Process.Pid<never>, { under }: AnyTree.Unit): Effect.Effect<void> => {
  switch (how) {
    case "is killed":
      return Process.exit(pid, ExitReason.kill)
    case "is told to exit":
      return Process.exit(pid, bad)
    case "its supervisor is killed":
      return Process.exit(under, ExitReason.kill)
    default:
      return Effect.void
  }
}

const reasonOf = ({ reason }: Error): unknown => {
  switch (reason._tag) {
    case "InitFailed":
      return ["fails", reason.error]
    case "Crashed":
      return ["dies", Cause.squash(reason.cause)]
    case "Stopped":
      return ["stops", reason.reason]
    case "Timeout":
      return ["never ends", reason.after]
    case "AlreadyStarted":
      return ["its name is taken", reason.pid]
    default:
      return reason._tag
  }
}

const expectedReason = (how: AnyTree.Failure, holder: unknown): unknown => {
  switch (how) {
    case "fails":
      return [how, new AnyTree.Refused()]
    case "dies":
      return [how, "died"]
    case "stops":
    case "exits":
    case "is told to exit":
      return ["stops", bad]
    case "is killed":
    case "its supervisor is killed":
      return ["stops", ExitReason.killed]
    case "never ends":
      return [how, AnyTree.timeout]
    case "its name is taken":
      return [how, holder]
  }
}

/** The ids of the events of one kind. */
const told = (events: ReadonlyArray<string>, what: "start" | "stop"): ReadonlyArray<string> =>
  events.filter((event) => event.startsWith(what)).map((event) => event.slice(what.length + 1))

/**
 * Of these, all that have started have stopped, in reverse order, exactly once. Those of `torn`, whose supervisor was killed,
 * come first, in any order. A process with a body has its first turn after its start, if it is not stopped before.
 */
const assertStopped = (
  events: ReadonlyArray<string>,
  units: ReadonlyArray<AnyTree.Unit>,
  torn: (unit: AnyTree.Unit) => boolean = () => false
): void => {
  const starts = told(events, "start")
  const stops = told(events, "stop")
  const started = units.filter(({ id }) => starts.includes(id))
  const atOnce = new Set<AnyTree.Kind>(["server", "named", "slow", "layer"])
  const inOrder = units.filter(({ kind }) => atOnce.has(kind)).map(({ id }) => id)
  assert.deepStrictEqual(starts.filter((id) => inOrder.includes(id)), inOrder, "started in order")
  assert.deepStrictEqual(starts.toSorted(), started.map(({ id }) => id).toSorted(), "started once, and nobody else")
  const [first, rest] = [started.filter(torn), started.filter((unit) => !torn(unit))]
  assert.deepStrictEqual(stops.slice(0, first.length).toSorted(), first.map(({ id }) => id).toSorted(), "torn first")
  assert.deepStrictEqual(stops.slice(first.length), rest.map(({ id }) => id).toReversed(), "stopped in reverse")
}

/** Can fail in every way that there is: for trees in which nobody else can. */
const last: AnyTree.Part = { what: "named", strategy: "one_for_one", restart: "permanent", brutal: false }

/** Does it for one tree. */
const tryOne = Effect.fnUntraced(function*({ at, how, parts, way }: typeof AnyTree.Input.Type, adjust: Adjust) {
  yield* adjust(1)
  const world = new AnyTree.World()
  const { tree, units } = AnyTree.make(world, [...parts, last])
  const possible = units.filter(({ kind }) => AnyTree.canFail(kind, how))
  const failing = possible[at % possible.length]!
  world.failing = { id: failing.id, how }
  const holder = yield* Process.spawn(() => Effect.never)
  const taken = how === "its name is taken" ? `name ${failing.id}` : "of nobody"
  yield* Effect.orDie(Process.register(taken, holder))

  const starting = yield* Effect.forkChild(fails(tree, way))
  yield* Effect.forkChild(Effect.flatMap(Deferred.await(world.hangs), (pid) => strike(how, pid, failing)))
  const error = yield* passing(Fiber.join(starting), adjust)

  const isKill = how === "its supervisor is killed"
  assert.deepStrictEqual(error.childPath, isKill ? failing.path.slice(0, -1) : failing.path)
  assert.deepStrictEqual(reasonOf(error), expectedReason(how, holder))
  const above = failing.path.slice(0, -1)
  const begun = units.slice(0, units.indexOf(failing))
  const hasLived = failing.kind !== "start" && how !== "its name is taken"
  assertStopped(
    world.events,
    hasLived ? [...begun, failing] : begun,
    ({ path }) => isKill && above.every((id, i) => path[i] === id)
  )
  yield* Process.exit(holder, ExitReason.kill)
  yield* settle
  assert.deepStrictEqual(yield* leftovers([...world.pids, holder]), [])

  // All names are free, and the description of the tree is as good as new.
  world.failing = undefined
  world.events.length = 0
  const ref = yield* passing(tree.start, adjust)
  yield* passing(Supervisor.stop(ref), adjust)
  assertStopped(world.events, units)
  assert.deepStrictEqual(yield* leftovers([...world.pids, ref.pid]), [])
})

const options = { arbitrary: { runs: scale.programs / 2, size: 400, maxShrinks: 5_000 }, timeout: 300_000 }

const silent = Effect.provide(Logger.layer([]))

describe("SV-004 a child that does not start, at any position of any tree of up to 50 children, and for any reason", () => {
  it.effect.prop(
    "under the scheduler of a test",
    { input: AnyTree.Input },
    ({ input }) => silent(inNode(tryOne(input, TestClock.adjust))),
    options
  )

  // Where children are started within a turn of their supervisor.
  it.live.prop(
    "under the scheduler of an application",
    { input: AnyTree.Input },
    ({ input }) =>
      // By hand: its layer would bring a scheduler along.
      Effect.flatMap(TestClock.make(), (clock) =>
        silent(inNode(tryOne(input, clock.adjust))).pipe(Effect.provideService(Clock.Clock, clock))).pipe(
          Effect.scoped
        ),
    options
  )
})
