/** However many processes pass something on, one after the other, the stack does not grow with them. */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { inNode } from "./utils/process.ts"

const many = 100_000
const timeout = 60_000

class Link extends GenServer.Service<Link>()("test/Link", [GenServer.call("depth", { success: Schema.Finite })]) {
  static readonly server = this.implement({
    init: (next: GenServer.ClientOf<Link> | undefined) => next,
    handlers: {
      depth: (next) =>
        next === undefined ? Step.reply(1, next) : Effect.map(next.depth(), (n) => Step.reply(n + 1, next))
    }
  })
}

describe.each([["the scheduler of a test", it.effect], ["the scheduler of an application", it.live]])("%s", (_, it) => {
  it(`a token goes three times around ${many} processes`, () =>
    Effect.gen(function*() {
      const arrived = yield* Deferred.make<number>()
      const pids: Array<Process.Pid<number>> = []
      const node = (next: number) =>
        Effect.fnUntraced(function*(self: Process.Self<number>) {
          while (true) {
            const hops = yield* self.receive
            if (hops === 3 * many) return yield* Deferred.succeed(arrived, hops)
            yield* Process.send(pids[next]!, hops + 1)
          }
        })
      for (let i = 1; i <= many; i++) pids.push(yield* Process.spawn(node(i % many)))
      yield* Process.send(pids[0]!, 0)
      assert.strictEqual(yield* Deferred.await(arrived), 3 * many)
    }).pipe(inNode), timeout)

  it(`${many} servers each call the next, and the last one answers`, () =>
    Effect.gen(function*() {
      let first: GenServer.ClientOf<Link> | undefined
      for (let i = 0; i < many; i++) first = yield* Link.server.start(first)
      assert.strictEqual(yield* first!.depth(), many)
    }).pipe(Effect.provideService(GenServer.CallTimeout, Duration.infinity), inNode), timeout)

  it(`${many} processes, each linked to the next, end when the first one is killed`, () =>
    Effect.gen(function*() {
      const pids: Array<Process.Pid<never>> = []
      for (let i = 0; i < many; i++) {
        const before = pids[i - 1]
        pids.push(
          yield* Process.spawn(() =>
            before === undefined ? Effect.never : Effect.andThen(Process.link(before), Effect.never)
          )
        )
      }
      yield* settle
      yield* Process.exit(pids[0]!, ExitReason.kill)
      assert.deepStrictEqual(yield* Process.awaitExit(pids[many - 1]!), ExitReason.killed)
      assert.deepStrictEqual(yield* Process.list, [])
    }).pipe(inNode), timeout)
})
