/** What the keys of the process dictionary know of their values, and who may use them. */
import * as Process from "@effect-otp/core/Process"
import * as ProcessLocal from "@effect-otp/core/ProcessLocal"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import { typeOf } from "./utils.ts"

const seen = ProcessLocal.make<number>("seen")
const count = ProcessLocal.make("count", { defaultValue: () => 0 })

typeOf(seen).is<ProcessLocal.ProcessLocal<number>>()
typeOf(count).is<ProcessLocal.ProcessLocal<number, number>>()
typeOf(ProcessLocal.get(seen)).is<Effect.Effect<Option.Option<number>, never, Process.Current>>()
typeOf(ProcessLocal.get(count)).is<Effect.Effect<number, never, Process.Current>>()
typeOf(ProcessLocal.put(seen, 1)).is<Effect.Effect<Option.Option<number>, never, Process.Current>>()
typeOf(ProcessLocal.put(count, 1)).is<Effect.Effect<Option.Option<number>, never, Process.Current>>()
typeOf(ProcessLocal.delete(count)).is<Effect.Effect<Option.Option<number>, never, Process.Current>>()
typeOf(ProcessLocal.keys).is<Effect.Effect<ReadonlyArray<ProcessLocal.Key>, never, Process.Current>>()
typeOf(ProcessLocal.getKeys(1)).is<Effect.Effect<ReadonlyArray<ProcessLocal.Key>, never, Process.Current>>()

// @ts-expect-error not a value of this key
ProcessLocal.put(seen, "one")
// @ts-expect-error a key of numbers is none of whatever may be a number
const wider: ProcessLocal.ProcessLocal<number | string> = seen
// @ts-expect-error nor of some numbers
const narrower: ProcessLocal.ProcessLocal<1> = seen
// @ts-expect-error a key with a default gives no Option
const plain: ProcessLocal.ProcessLocal<number> = count
// @ts-expect-error a default of another type
ProcessLocal.make<number>("bad", { defaultValue: () => "zero" })
// @ts-expect-error a string is no key
ProcessLocal.get("seen")
// @ts-expect-error what keys gives does not say what is kept there
Effect.flatMap(ProcessLocal.keys, ([key]) => ProcessLocal.get(key))
// @ts-expect-error the main program is no process
Effect.runPromise(ProcessLocal.get(count))
typeOf(Process.spawn(() => ProcessLocal.put(count, 1))).is<Effect.Effect<Process.Pid<never>>>()
