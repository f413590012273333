/** Whatever is asked of a supervisor and happens to its children, in whatever order: it does what a naive model does. */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as scale from "../../../test-scale.ts"
import { leftovers } from "./utils/leftovers.ts"
import { type Child, Model } from "./utils/supervisorModel.ts"
import { type Order, type Probe, probed } from "./utils/tree.ts"

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

const Command = Schema.Struct({
  what: Schema.Literals([
    ...["start", "start", "start", "end", "end", "end", "end", "end both", "end both"] as const,
    ...["terminate", "restart", "delete", "refuse", "refuse", "wait"] as const
  ]),
  which: upTo(9),
  other: upTo(9),
  restart: Schema.Literals(["permanent", "permanent", "transient", "temporary"]),
  reason: Schema.Literals(["normal", "shutdown", "bad", "crash", "kill"])
})

const Input = Schema.Struct({
  strategy: Schema.Literals(["one_for_one", "rest_for_one", "one_for_all"]),
  maxRestarts: upTo(4),
  children: upTo(5),
  commands: Schema.Array(Command).check(Schema.isMaxLength(40))
})

type Command = typeof Command.Type

const reasons: Record<Exclude<Command["reason"], "crash">, ExitReason.ExitReason> = {
  normal: ExitReason.normal,
  shutdown: ExitReason.shutdown("term"),
  bad: ExitReason.custom("bad"),
  kill: ExitReason.kill
}

const within = 5000

/** Ends children right after one another: by signals, which act before the supervisor has its turn, or by a message. */
const end = Effect.fnUntraced(function*(probe: Probe, ids: ReadonlyArray<string>, reason: Command["reason"]) {
  if (ids.length > 1) {
    for (const id of ids) yield* Process.exit(probe.pid(id), ExitReason.kill)
  } else if (reason === "kill") {
    yield* Process.exit(probe.pid(ids[0]!), ExitReason.kill)
  } else {
    yield* probe.end(ids[0]!, reason === "crash" ? "crash" : reasons[reason] as Order)
  }
})

/** What a request came to: nothing, or the tag of its error, and what a start has failed with. */
const outcome = <A, E>(request: Effect.Effect<A, E>): Effect.Effect<string | undefined> =>
  Effect.match(request, {
    onSuccess: () => undefined,
    onFailure: (error) => {
      const { _tag, reason } = error as { readonly _tag: string; readonly reason?: { readonly _tag: string } }
      return reason === undefined ? _tag : `${_tag} ${reason._tag}`
    }
  })

const follow = Effect.fnUntraced(function*(
  probe: Probe,
  { children, commands, maxRestarts, strategy }: typeof Input.Type,
  adjust: (duration: Duration.Input) => Effect.Effect<void>
) {
  const model = new Model(strategy, maxRestarts, within)
  const ref = yield* Supervisor.make({ strategy, intensity: { maxRestarts, within }, children: [] }).start
  const pids: Array<Process.Pid<never>> = [ref.pid]
  let next = 0

  const add = Effect.fnUntraced(function*(restart: Command["restart"], refused: boolean) {
    const id = `${next++}`
    if (refused) probe.refuse(id, 1)
    const expected = model.add(id, restart, refused ? 1 : 0) ? undefined : "StartError InitFailed"
    assert.strictEqual(yield* outcome(Supervisor.startChild(ref, probe.child(id, { restart }))), expected)
  })

  const refusal = (child: Child | undefined): string | undefined =>
    child === undefined ? "ChildNotFound" : child.status === "up" ? "ChildRunning" : undefined

  const perform = Effect.fnUntraced(function*({ other, reason, restart, what, which }: Command) {
    const child = model.children[which % Math.max(1, model.children.length)]
    const id = child?.id ?? "nobody"
    switch (what) {
      case "start":
        return yield* add(restart, which === 0)
      case "wait":
        model.now += 2000
        return yield* adjust(2000)
      case "refuse":
        if (child === undefined) return
        child.refusals = 1 + other % 2
        return probe.refuse(id, child.refusals)
      case "terminate":
        if (child !== undefined) model.terminate(child)
        return assert.strictEqual(
          yield* outcome(Supervisor.terminateChild(ref, id)),
          child === undefined ? "ChildNotFound" : undefined
        )
      case "restart": {
        const refused = refusal(child)
        const expected = refused ?? (model.startAgain(child!) ? undefined : "StartError InitFailed")
        return assert.strictEqual(yield* outcome(Supervisor.restartChild(ref, id)), expected)
      }
      case "delete": {
        const refused = refusal(child)
        if (refused === undefined) model.delete(child!)
        return assert.strictEqual(yield* outcome(Supervisor.deleteChild(ref, id)), refused)
      }
      case "end": {
        if (child?.status !== "up") return
        model.end([[child, reason === "normal" || reason === "shutdown"]])
        return yield* end(probe, [id], reason)
      }
      case "end both": {
        const second = model.children[other % Math.max(1, model.children.length)]
        if (child?.status !== "up" || second?.status !== "up" || child === second) return
        model.end([[child, false], [second, false]])
        return yield* end(probe, [id, second.id], "kill")
      }
    }
  })

  for (let i = 0; i < children; i++) yield* add("permanent", false)
  for (const command of commands) {
    if (!model.isAlive) break
    yield* perform(command)
    assert.deepStrictEqual(yield* probe.seen, model.events, `after ${command.what}`)
    model.events = []
    assert.strictEqual(yield* Process.isAlive(ref.pid), model.isAlive)
    if (!model.isAlive) break
    assert.deepStrictEqual(
      (yield* Supervisor.whichChildren(ref)).map(({ child, id }) => [id, child]).toReversed(),
      model.children.map(({ id, status }) => [id, status === "up" ? probe.pid(id) : undefined])
    )
    for (const { id, status } of model.children) if (status === "up") pids.push(probe.pid(id))
  }
  if (model.isAlive) {
    model.stop()
    yield* Supervisor.stop(ref)
    assert.deepStrictEqual(yield* probe.seen, model.events)
  }
  assert.deepStrictEqual(yield* leftovers(pids), [])
})

const options = { arbitrary: { runs: scale.programs, size: 400, maxShrinks: 5_000 }, timeout: 300_000 }

describe("a supervisor does what the model does", () => {
  it.effect.prop(
    "under the scheduler of a test",
    { input: Input },
    ({ input }) =>
      probed(function*(probe) {
        yield* follow(probe, input, TestClock.adjust)
      }),
    options
  )

  it.live.prop(
    "under the scheduler of an application",
    { input: Input },
    ({ input }) =>
      // By hand: its layer would bring a scheduler along.
      Effect.flatMap(TestClock.make(), (clock) =>
        probed(function*(probe) {
          yield* follow(probe, input, clock.adjust)
        }).pipe(Effect.provideService(Clock.Clock, clock))).pipe(Effect.scoped),
    options
  )
})
