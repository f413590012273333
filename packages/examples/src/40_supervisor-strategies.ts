/**
 * A supervision tree, crashed and recovered.
 *
 * Three children, `a`, `b` and `c`, tell when they start and when they stop. `b` is made to crash under each strategy, to
 * see who is restarted with it. Then it crashes more often than its supervisor allows: that supervisor gives up, and its
 * own supervisor restarts the whole branch.
 *
 * Run it: npx -y pnpm@12 exec node packages/examples/src/40_supervisor-strategies.ts
 */
import { ChildSpec, Process, Supervisor } from "@effect-otp/core"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Logger, Queue } from "effect"

/** What a child tells about itself. */
interface Seen {
  readonly what: string
  readonly pid: Process.Pid<"crash">
}

type Observer = Queue.Queue<Seen>

/** Tells when it starts and when it stops, and crashes when it is told to. */
const child = (id: string, observer: Observer) =>
  ChildSpec.worker({
    id,
    run: (self: Process.Self<"crash">) =>
      Effect.acquireRelease(
        Queue.offer(observer, { what: `${id} starts`, pid: self.pid }),
        () => Queue.offer(observer, { what: `${id} stops`, pid: self.pid })
      ).pipe(
        Effect.andThen(self.receive),
        Effect.andThen(Effect.die(new Error(`${id} has a bug`))),
        Effect.scoped
      )
  })

const children = (observer: Observer) => [child("a", observer), child("b", observer), child("c", observer)] as const

/** Waits for the next `count` things that the children tell. */
const next = (observer: Observer, count: number) => Queue.takeN(observer, count)

const words = (seen: ReadonlyArray<Seen>) => seen.map(({ what }) => what).join(", ")

/** Starts the three under a strategy, crashes `b`, and waits for as many words as the strategy should cause. */
const crash = Effect.fnUntraced(function*(strategy: Supervisor.Strategy, expected: number) {
  const observer = yield* Queue.unbounded<Seen>()
  const tree = Supervisor.make({ strategy, children: children(observer) })
  const restart = yield* Effect.scoped(Effect.gen(function*() {
    yield* tree.startScoped
    const [, b] = yield* next(observer, 3)
    yield* Process.send(b!.pid, "crash")
    return words(yield* next(observer, expected))
  }))
  // The tree has ended with its scope: had anybody else been restarted, it would show here.
  const stop = words(yield* next(observer, 3))
  yield* Console.log(`${strategy}: b crashes\n  ${restart}\n  and at the end: ${stop}`)
  return { restart, stop }
})

/** The branch allows two restarts in five seconds. The third crash is one too many. */
const escalate = Effect.gen(function*() {
  const observer = yield* Queue.unbounded<Seen>()
  const branch = Supervisor.make({
    intensity: { maxRestarts: 2, within: "5 seconds" },
    children: children(observer)
  })
  const root = Supervisor.make({ children: [branch.child({ id: "branch" })] })
  yield* root.startScoped

  let b: Seen | undefined = (yield* next(observer, 3))[1]
  const restarts: Array<string> = []
  for (const expected of [2, 2, 6]) {
    yield* Process.send(b!.pid, "crash")
    const seen = yield* next(observer, expected)
    restarts.push(words(seen))
    b = seen.find(({ what }) => what === "b starts")
    yield* Console.log(`crash ${restarts.length} of b\n  ${words(seen)}`)
  }
  return restarts
}).pipe(Effect.scoped)

export const program = Effect.gen(function*() {
  return {
    oneForOne: yield* crash("one_for_one", 2),
    restForOne: yield* crash("rest_for_one", 4),
    oneForAll: yield* crash("one_for_all", 6),
    escalation: yield* escalate
  }
})

// Without a logger, so that the reports of the crashes do not come between.
if (import.meta.main) NodeRuntime.runMain(Effect.provide(program, Logger.layer([])))
