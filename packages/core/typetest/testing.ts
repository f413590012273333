/** What a program keeps of its types when it is run in many orders, and when it is guarded. */
import * as Process from "@effect-otp/core/Process"
import { Interleaving, LeakGuard } from "@effect-otp/core/testing"
import { it } from "@effect-otp/core/testing/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { same, typeOf } from "./utils.ts"

class Config extends Context.Service<Config, number>()("Config") {}

declare const program: Effect.Effect<number, "no", Config | Scope.Scope>

// A run keeps value and error, adds why it did not end, and has a scope of its own.
typeOf(Interleaving.run(program)).is<Effect.Effect<Interleaving.Run<number, "no">, never, Config>>()
same<
  Interleaving.Run<number, "no">["exit"],
  Exit.Exit<number, "no" | Interleaving.Deadlock | Interleaving.TooManySteps>
>()
typeOf(Interleaving.explore(program)).is<Effect.Effect<void, Interleaving.InterleavingFailed<"no">, Config>>()

// A guard adds its failure, and nothing else.
typeOf(LeakGuard.guard(program)).is<Effect.Effect<number, "no" | LeakGuard.Leaked, Config>>()
typeOf(LeakGuard.check(program)).is<Effect.Effect<number, "no" | LeakGuard.Leaked, Config>>()

// A scope is provided, as in it.effect, and nothing more.
it.interleave("a scope", { runs: 1, timeout: 5 }, Effect.scope)
it.interleave.only("a scope", Effect.scope)
// @ts-expect-error a service that nobody provides
it.interleave("a service", Config)
// @ts-expect-error no process is around
it.interleave("a process", Process.self)
// @ts-expect-error no such option
it.interleave("an option", { times: 5 }, Effect.void)
