import * as GenServer from "@effect-otp/core/GenServer"
import * as Node from "@effect-otp/core/Node"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { tableOf } from "../../src/internal/current.ts"
import type { Entry } from "../../src/internal/processTable.ts"
import type { Event } from "../../src/internal/tap.ts"
import { inNode } from "../utils/process.ts"

class Counter extends GenServer.Service<Counter>()("tap/Counter", [
  GenServer.call("next", { success: Schema.Finite })
]) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: { next: (count) => Step.reply(count, count + 1) }
  })
}

const listen = Effect.withFiber((fiber) => {
  const events: Array<Event<Entry>> = []
  tableOf(fiber).tap = (event) => events.push(event)
  return Effect.succeed(events)
})

const tags = (events: ReadonlyArray<Event<Entry>>) => events.map(({ _tag }) => _tag)

it.effect("a call tells of its way there and back, and of the wait", () =>
  Effect.gen(function*() {
    const counter = yield* Counter.server.start()
    const events = yield* listen
    yield* counter.next()
    assert.deepStrictEqual(
      tags(events),
      ["Delivered", "TimerSet", "Waits", "TurnBegins", "TimerCancelled", "Settled", "TurnEnded"]
    )
    const wait = events.find((event) => event._tag === "Waits")!.wait
    assert.strictEqual(wait.what, "the answer to next to #PID<0.1.0>")
    assert.isTrue(wait.isOver())
  }).pipe(inNode))

it.effect("a process tells of its life", () =>
  Effect.gen(function*() {
    const events = yield* listen
    const pid = yield* Process.spawn((self: Process.Self<"go" | Process.Down>) =>
      Effect.gen(function*() {
        yield* Process.register("here", self.pid)
        const other = yield* Process.spawnLink(() => Effect.never)
        yield* Process.demonitor(yield* Process.monitor(other))
        yield* Process.unlink(other)
        yield* Process.exit(other, { _tag: "Kill" })
        yield* self.receive
      })
    )
    yield* Process.cancelTimer(yield* Process.sendAfter(pid, "go", 5))
    yield* settle
    yield* Process.send(pid, "go")
    yield* Process.awaitExit(pid)
    yield* Process.send(pid, "go")
    assert.deepStrictEqual(tags(events), [
      "Spawned",
      "TimerSet",
      "TimerCancelled",
      "TurnBegins",
      "Named",
      "Spawned",
      "Linked",
      "Monitored",
      "Demonitored",
      "Unlinked",
      "ExitSent",
      "Ended",
      "TurnEnded",
      "TurnBegins",
      "Closed",
      "TurnEnded",
      "Delivered",
      "Waits",
      "TurnBegins",
      "Ended",
      "Unnamed",
      "Closed",
      "TurnEnded",
      "Delivered"
    ])
    assert.deepStrictEqual(events.flatMap((event) => event._tag === "Delivered" ? [event.taken] : []), [true, false])
  }).pipe(inNode))

it.effect("who listens to a Node listens to a Node that is made in it, and to no other", () =>
  Effect.gen(function*() {
    const spawned = Effect.provide(Process.spawn(() => Effect.void), Node.layer())
    const events = yield* Effect.provide(listen, Node.layer())
    yield* spawned
    assert.deepStrictEqual(events, [])
    const inner = yield* listen
    yield* spawned
    assert.include(tags(inner), "Spawned")
  }).pipe(inNode))
