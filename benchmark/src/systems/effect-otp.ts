/**
 * The library under test, as its documentation says to use it.
 */
import { ChildSpec, ExitReason, GenServer, Process, Registry, Step, Supervisor } from "@effect-otp/core"
import { RateLimiter } from "@effect-otp/ratelimiter"
import { Array, Deferred, Effect, Fiber, Layer, Option, Schema } from "effect"
import { clientIds } from "../clientIds.ts"
import type { Implementation, Implementations } from "../Implementation.ts"
import type { Size } from "../Workload.ts"

class Counter extends GenServer.Service<Counter>()("benchmark/Counter", [
  GenServer.cast("add"),
  GenServer.call("next", { success: Schema.Finite })
]) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: {
      add: (count) => Step.noReply(count + 1),
      next: (count) => Step.reply(count + 1, count + 1)
    }
  })
}

/** Runs a body in a process of its own and gives its result. */
const inProcess = <M>(body: (self: Process.Self<M>) => Effect.Effect<number, unknown>) =>
  Effect.gen(function*() {
    const result = yield* Deferred.make<number, unknown>()
    yield* Process.spawn((self: Process.Self<M>) => Deferred.complete(result, body(self)))
    return yield* Deferred.await(result)
  })

/** Ends what is left of a sample, all at once. */
const killAll = (pids: ReadonlyArray<Process.Pid<never>>) =>
  Effect.forEach(pids, (pid) => Process.exit(pid, ExitReason.kill), { discard: true })

const spawn: Implementation = Effect.fnUntraced(function*({ n }) {
  const ended = yield* Deferred.make<number>()
  let count = 0
  const body = () => Effect.suspend(() => ++count === n ? Deferred.succeed(ended, count) : Effect.void)
  const run = Effect.gen(function*() {
    for (let i = 0; i < n; i++) yield* Process.spawn(body)
    return yield* Deferred.await(ended)
  })
  return { run }
})

const answerer = Effect.fnUntraced(function*(self: Process.Self<Process.Pid<number>>) {
  const from = yield* self.receive
  yield* Process.send(from, 1)
})

const idle: Implementation = Effect.fnUntraced(function*({ n }) {
  const pids: globalThis.Array<Process.Pid<Process.Pid<number>>> = []
  const run = Effect.gen(function*() {
    while (pids.length < n) pids.push(yield* Process.spawn(answerer))
    // Processes start in order: when one more has started, all of them wait.
    return yield* inProcess(() => Effect.succeed(n))
  })
  const verify = inProcess(Effect.fnUntraced(function*(self: Process.Self<number>) {
    let answers = 0
    for (const pid of pids) yield* Process.send(pid, self.pid)
    while (answers < n) answers += yield* self.receive
    return answers
  }))
  return { run, verify }
})

const idleServer: Implementation = Effect.fnUntraced(function*({ n }) {
  const servers: globalThis.Array<Effect.Success<ReturnType<typeof Counter.server.start>>> = []
  yield* Effect.addFinalizer(() => killAll(servers.map(({ pid }) => pid)))
  const run = Effect.gen(function*() {
    while (servers.length < n) servers.push(yield* Counter.server.start())
    return n
  })
  const verify = Effect.gen(function*() {
    let answers = 0
    for (const server of servers) answers += yield* server.next()
    return answers
  })
  return { run, verify }
})

const ponger = Effect.fnUntraced(function*(self: Process.Self<Process.Pid<number>>) {
  while (true) yield* Process.send(yield* self.receive, 1)
})

const pingpong: Implementation = Effect.fnUntraced(function*({ n }) {
  const other = yield* Process.spawnScoped(ponger)
  const run = inProcess(Effect.fnUntraced(function*(self: Process.Self<number>) {
    let answers = 0
    for (let i = 0; i < n; i++) {
      yield* Process.send(other, self.pid)
      answers += yield* self.receive
    }
    return answers
  }))
  return { run }
})

export const call: Implementation = Effect.fnUntraced(function*({ n }) {
  const counter = yield* Counter.server.startScoped()
  const run = Effect.gen(function*() {
    let last = 0
    for (let i = 0; i < n; i++) last = yield* counter.next()
    return last
  })
  return { run }
})

export const callMany: Implementation = Effect.fnUntraced(function*({ n, width }) {
  const counter = yield* Counter.server.startScoped()
  const caller = Effect.gen(function*() {
    let last = 0
    for (let i = 0; i < n / width; i++) last = yield* counter.next()
    return last
  })
  const run = Effect.map(
    Effect.all(Array.replicate(caller, width), { concurrency: "unbounded" }),
    (lasts) => Math.max(...lasts)
  )
  return { run }
})

export const cast: Implementation = Effect.fnUntraced(function*({ n }) {
  const counter = yield* Counter.server.startScoped()
  const run = Effect.gen(function*() {
    for (let i = 0; i < n; i++) yield* counter.add()
    return (yield* counter.next()) - 1
  })
  return { run }
})

const fanin: Implementation = ({ n, width }) => {
  const producer = (to: Process.Pid<number>) =>
    Effect.gen(function*() {
      for (let i = 1; i <= n / width; i++) yield* Process.send(to, i)
    })
  const run = inProcess(Effect.fnUntraced(function*(self: Process.Self<number>) {
    let sum = 0
    for (let i = 0; i < width; i++) yield* Process.spawn(() => producer(self.pid))
    for (let i = 0; i < n; i++) sum += yield* self.receive
    return sum
  }))
  return Effect.succeed({ run })
}

const ring: Implementation = Effect.fnUntraced(function*({ n, width }) {
  const arrived = yield* Deferred.make<number>()
  const pids: globalThis.Array<Process.Pid<number>> = []
  const node = (next: number) =>
    Effect.fnUntraced(function*(self: Process.Self<number>) {
      while (true) {
        const hops = yield* self.receive
        if (hops === n) yield* Deferred.succeed(arrived, hops)
        else yield* Process.send(pids[next]!, hops + 1)
      }
    })
  for (let i = 0; i < width; i++) pids.push(yield* Process.spawn(node((i + 1) % width)))
  yield* Effect.addFinalizer(() => killAll(pids))
  const run = Effect.andThen(Process.send(pids[0]!, 0), Deferred.await(arrived))
  return { run }
})

/** A child that tells its pid when it starts, and crashes at the first message. */
const crasher = (observer: Process.Pid<Process.Pid<"crash">>, maxRestarts: number) =>
  Supervisor.make({
    intensity: { maxRestarts, within: "1 hour" },
    children: [ChildSpec.worker({
      id: "crasher",
      run: Effect.fnUntraced(function*(self: Process.Self<"crash">) {
        yield* Process.send(observer, self.pid)
        return yield* Effect.die(yield* self.receive)
      })
    })]
  })

/** `n` restarts, each supervisor good for `life` of them: each has been seen before the next crash. */
const restarts = (n: number, life: number) =>
  inProcess(Effect.fnUntraced(function*(self: Process.Self<Process.Pid<"crash">>) {
    for (let done = 0; done < n; done += life) {
      yield* Effect.scoped(Effect.gen(function*() {
        yield* crasher(self.pid, life).startScoped
        let child = yield* self.receive
        for (let i = 0; i < life; i++) {
          yield* Process.send(child, "crash")
          child = yield* self.receive
        }
      }))
    }
    return n
  }))

const selective: Implementation = Effect.fnUntraced(function*({ n, width }) {
  const ready = yield* Deferred.make<void>()
  const go = yield* Deferred.make<void>()
  const body = Effect.fnUntraced(function*(self: Process.Self<"wanted" | "other">) {
    for (let i = 0; i < width; i++) yield* Process.send(self.pid, "other")
    yield* Deferred.succeed(ready, undefined)
    yield* Deferred.await(go)
    let done = 0
    for (; done < n; done++) {
      yield* Process.send(self.pid, "wanted")
      yield* self.receiveMatch((message) => message === "wanted")
    }
    for (let i = 0; i < width; i++) done += (yield* self.receive) === "other" ? 1 : 0
    return done
  })
  const result = yield* Effect.forkScoped(inProcess(body))
  yield* Deferred.await(ready)
  const run = Effect.andThen(Deferred.succeed(go, undefined), Fiber.join(result))
  return { run }
})

const countAllowed = { onSuccess: () => 1, onFailure: () => 0 }

const ratelimit: Implementation = Effect.fnUntraced(function*({ n, width }: Size) {
  const clients = clientIds(n / width)
  const limiter = yield* Layer.build(RateLimiter.layer({ limit: width / 2, window: "1 hour" }))
  const run = Effect.gen(function*() {
    let allowed = 0
    for (let i = 0; i < width; i++) {
      for (const client of clients) {
        allowed += yield* Effect.match(RateLimiter.check(client), countAllowed)
      }
    }
    return allowed
  })
  return { run: Effect.provideContext(run, limiter) }
})

class Names extends Registry.Service<Names, { key: string; value: number }>()("benchmark/Names", { keys: "unique" }) {}

const registry: Implementation = Effect.fnUntraced(function*({ n }) {
  const names = yield* Names.startScoped()
  const registered = yield* Deferred.make<void>()
  let count = 0
  const owner = (name: string, number: number) =>
    Effect.fnUntraced(function*(self: Process.Self<"register">) {
      yield* self.receive
      yield* Registry.register(names, name, number)
      if (++count === n) yield* Deferred.succeed(registered, undefined)
      yield* self.receive
    })
  const owners: globalThis.Array<readonly [name: string, pid: Process.Pid<"register">]> = []
  for (let i = 1; i <= n; i++) owners.push([`name-${i}`, yield* Process.spawn(owner(`name-${i}`, i))])
  // Processes start in order: when one more has started, all of them wait.
  yield* inProcess(() => Effect.succeed(n))
  const run = Effect.gen(function*() {
    for (const [, pid] of owners) yield* Process.send(pid, "register")
    yield* Deferred.await(registered)
    let sum = 0
    for (const [name, pid] of owners) {
      const found = yield* Registry.lookup(names, name)
      if (Option.isSome(found) && found.value.pid === pid) sum += found.value.value
    }
    return sum
  })
  return { run }
})

const tree: Implementation = ({ n }) => {
  const children = Array.makeBy(n, (i) => Counter.server.child({ id: `counter-${i}`, provide: false }))
  const alive = Effect.map(Process.list, (pids) => pids.length)
  const run = Effect.gen(function*() {
    const before = yield* alive
    const supervisor = yield* Supervisor.make({ children }).start
    // One of them is the supervisor.
    const started = (yield* alive) - before - 1
    yield* GenServer.stop(supervisor)
    return started - ((yield* alive) - before)
  })
  return Effect.succeed({ run })
}

export const implementations: Implementations = {
  spawn,
  idle,
  "idle-server": idleServer,
  pingpong,
  call,
  "call-many": callMany,
  cast,
  fanin,
  ring,
  restart: ({ n }) => Effect.succeed({ run: restarts(n, n) }),
  "restart-fresh": ({ n, width }) => Effect.succeed({ run: restarts(n, width) }),
  selective,
  ratelimit,
  registry,
  tree
}
