/**
 * The Counter: state that one process owns, and everybody else asks for.
 *
 * A cast is sent and forgotten; a call waits for its answer. Both are typed from the list that names them.
 *
 * Run it: npx -y pnpm@12 exec node packages/examples/src/30_counter.ts
 */
import { GenServer, Step } from "@effect-otp/core"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Schema } from "effect"

export class Counter extends GenServer.Service<Counter>()("examples/Counter", [
  GenServer.cast("increment"),
  GenServer.cast("decrement"),
  GenServer.call("value", { success: Schema.Finite })
]) {
  static readonly server = this.implement({
    init: (initial: number) => initial,
    handlers: {
      increment: (count) => Step.noReply(count + 1),
      decrement: (count) => Step.noReply(count - 1),
      value: (count) => Step.reply(count, count)
    }
  })
}

export const program = Effect.gen(function*() {
  const counter = yield* Counter
  yield* counter.increment()
  yield* counter.increment()
  yield* counter.increment()
  const value = yield* counter.value()
  yield* Console.log(value)
  return value
}).pipe(Effect.provide(Counter.server.layer(0)))

if (import.meta.main) NodeRuntime.runMain(program)
