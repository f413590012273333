/**
 * Work in processes of its own.
 *
 * A task answers its owner: with a value, or with its typed failure. One that takes too long is asked for what it has, and
 * ended. A stream of tasks works on many items, so many at once, and an item that crashes or hangs costs only itself.
 *
 * Run it: npx -y pnpm@12 exec node packages/examples/src/25_tasks.ts
 */
import { ExitReason, type OtpError, Process, Task } from "@effect-otp/core"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Deferred, Effect, Logger, Option, Result, Stream } from "effect"

type City = "Aachen" | "Bremen" | "Cottbus" | "Dresden" | "Essen"

/** A weather service on a bad day. */
const forecast = (city: City) => {
  switch (city) {
    case "Bremen":
      return Effect.fail("no such station" as const)
    case "Cottbus":
      return Effect.die(new Error("a bug"))
    case "Dresden":
      return Effect.never
    default:
      return Effect.succeed(`sunny in ${city}`)
  }
}

const show = Result.match({
  onSuccess: (weather: string) => weather,
  onFailure: (error: string | OtpError.TaskError) => {
    if (typeof error === "string") return `failed: ${error}`
    return error.reason._tag === "Exited" ? `ended: ${ExitReason.format(error.reason.reason)}` : error.reason._tag
  }
})

/** One after the other would take as long as both together. */
const both = Effect.gen(function*() {
  const tasks = yield* Effect.all([Task.async(forecast("Aachen")), Task.async(forecast("Essen"))])
  return yield* Task.awaitMany(tasks)
})

/** A while for an answer, and then an end: what comes in time is used. */
const atMost = (city: City) =>
  Effect.gen(function*() {
    const task = yield* Task.async(forecast(city))
    const answer = yield* Task.yield(task, { timeout: "50 millis" })
    return Option.isSome(answer) ? answer : yield* Task.shutdown(task)
  })

/** Two at once, in the order of the cities. */
const all = Task.asyncStream(["Aachen", "Bremen", "Cottbus", "Dresden", "Essen"] as const, forecast, {
  maxConcurrency: 2,
  timeout: "50 millis",
  onTimeout: "killTask"
})

/** It traps exits: linked tasks that crash are results, and do not end it. */
const owner = (done: Deferred.Deferred<ReadonlyArray<string>>) => (_: Process.Self<Process.Exit>) =>
  Effect.gen(function*() {
    yield* Process.trapExit(true)
    const lines = [
      ...yield* Effect.orDie(both),
      Option.match(yield* atMost("Dresden"), { onNone: () => "Dresden took too long", onSome: show }),
      ...yield* Stream.runCollect(Stream.map(all, show))
    ]
    yield* Effect.forEach(lines, (line) => Console.log(`  ${line}`))
    yield* Deferred.succeed(done, lines)
  })

export const program = Effect.gen(function*() {
  const done = yield* Deferred.make<ReadonlyArray<string>>()
  yield* Console.log("the weather")
  const reason = yield* Process.awaitExit(yield* Process.spawn(owner(done)))
  yield* Console.log(`the owner ended: ${reason._tag}`)
  return yield* Deferred.await(done)
})

// Without a logger, so that the report of the crash does not come between.
if (import.meta.main) NodeRuntime.runMain(Effect.provide(program, Logger.layer([])))
