/**
 * Two processes that talk.
 *
 * A process is a fiber with a mailbox and an address, its `Pid`. The annotation `Process.Self<Ping>` says what the
 * mailbox may hold: sending anything else to that process does not compile.
 *
 * Run it: npx -y pnpm@12 exec node packages/examples/src/10_process-ping-pong.ts
 */
import { ExitReason, Process } from "@effect-otp/core"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"

interface Ping {
  readonly n: number
  readonly from: Process.Pid<Pong>
}

interface Pong {
  readonly n: number
}

/** Answers every ping, for as long as it lives. */
const ponger = (self: Process.Self<Ping>) =>
  Effect.gen(function*() {
    while (true) {
      const { from, n } = yield* self.receive
      yield* Console.log(`        pong ${n}`)
      yield* Process.send(from, { n })
    }
  })

/** Sends three pings, each after the pong to the one before. */
const pinger = (ponger: Process.Pid<Ping>) => (self: Process.Self<Pong>) =>
  Effect.gen(function*() {
    for (const n of [1, 2, 3]) {
      yield* Console.log(`ping ${n}`)
      yield* Process.send(ponger, { n, from: self.pid })
      yield* self.receive
    }
  })

export const program = Effect.gen(function*() {
  const pong = yield* Process.spawn(ponger)
  const ping = yield* Process.spawn(pinger(pong))

  // The pinger has said all it has to say: its body returns, and that is the end of the process.
  const pingerEnded = yield* Process.awaitExit(ping)

  // The ponger would wait for ever, so it is told to stop.
  yield* Process.exit(pong, ExitReason.shutdown())
  const pongerEnded = yield* Process.awaitExit(pong)

  yield* Console.log(`pinger ended: ${pingerEnded._tag}, ponger ended: ${pongerEnded._tag}`)
  return { pingerEnded, pongerEnded }
})

if (import.meta.main) NodeRuntime.runMain(program)
