/** What chaos is aimed at, and what stands between a sender and a process. */
import * as GenServer from "@effect-otp/core/GenServer"
import type { Pid } from "@effect-otp/core/Pid"
import { Chaos } from "@effect-otp/core/testing"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { same } from "./utils.ts"

class Counter extends GenServer.Service<Counter>()("typetest/Counter", [
  GenServer.cast("increment"),
  GenServer.call("value", { success: Schema.Finite })
]) {}

const policy = Chaos.make({ seed: "x", every: Schedule.spaced("1 second"), faults: { kill: 1, suspend: 2 } })
const running = Chaos.run(policy, "tree")
same<typeof running, Effect.Effect<Chaos.Chaos, never, Scope.Scope>>()
// @ts-expect-error that is done to messages
Chaos.make({ faults: { drop: 1 } })
// @ts-expect-error a policy is made first
Chaos.run({ seed: 1 })

const proxy = Chaos.proxy(null as never as Pid<string>, { drop: 0.5 })
same<Effect.Success<typeof proxy>["pid"], Pid<string>>()

export const program = Effect.gen(function*() {
  const unreliable = yield* Chaos.client(Counter, yield* Counter, { delay: 0.1 })
  same<typeof unreliable.client, GenServer.ClientOf<Counter>>()
  const faults = yield* unreliable.faults
  same<typeof faults, ReadonlyArray<Chaos.Fault>>()
  // @ts-expect-error the client of another service
  yield* Chaos.client(Counter, {})
})
