/**
 * A rate limiter under fire.
 *
 * At most 20 requests a minute for each client. Five processes make 20 requests each, all at once: first for one client
 * between them, then for a client each. The limiter is one supervised server, so no two of them can race.
 *
 * Run it: npx -y pnpm@12 exec node packages/examples/src/50_rate-limiter.ts
 */
import { Process } from "@effect-otp/core"
import { RateLimiter } from "@effect-otp/ratelimiter"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Queue } from "effect"

const limiter = RateLimiter.layer({ limit: 20, window: "1 minute" })

type Answer = "allowed" | "limited"

/** Makes 20 requests for one client, and tells the answer to each. */
const requester = (clientId: string, answers: Queue.Queue<Answer>) => () =>
  RateLimiter.check(clientId).pipe(
    Effect.as("allowed" as const),
    Effect.catchTag("RateLimited", () => Effect.succeed("limited" as const)),
    Effect.flatMap((answer) => Queue.offer(answers, answer)),
    Effect.repeat({ times: 19 })
  )

/** Starts one process for each entry of `clients`, waits until all have ended, and counts what they were told. */
const fire = Effect.fnUntraced(function*(clients: ReadonlyArray<string>) {
  const answers = yield* Queue.unbounded<Answer>()
  const pids = yield* Effect.forEach(clients, (clientId) => Process.spawn(requester(clientId, answers)))
  yield* Effect.forEach(pids, Process.awaitExit)
  const all = yield* Queue.takeAll(answers)
  const allowed = all.filter((answer) => answer === "allowed").length
  return { allowed, limited: all.length - allowed }
})

export const program = Effect.gen(function*() {
  const oneClient = yield* fire(["ada", "ada", "ada", "ada", "ada"])
  yield* Console.log(`one client:   ${oneClient.allowed} allowed, ${oneClient.limited} RateLimited`)

  const fiveClients = yield* fire(["bob", "cleo", "dan", "eve", "finn"])
  yield* Console.log(`five clients: ${fiveClients.allowed} allowed, ${fiveClients.limited} RateLimited`)

  return { oneClient, fiveClients }
}).pipe(Effect.provide(limiter))

if (import.meta.main) NodeRuntime.runMain(program)
