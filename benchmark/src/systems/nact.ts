/**
 * nact: actors with a mailbox each. All of them are named by us; names it makes itself collide when there are many.
 */
import { Deferred, Effect } from "effect"
import { dispatch, query, type Ref, spawn as spawnActor, start, stop } from "nact"
import { clientIds } from "../clientIds.ts"
import { cannot, type Implementation, type Implementations } from "../Implementation.ts"
import * as SlidingWindow from "../SlidingWindow.ts"

/** What `GenServer` and `gen_server` wait for an answer by default. */
const timeout = 5_000

type Parent = Ref<never>

type Request = { readonly _tag: "Add" } | { readonly _tag: "Next"; readonly from: Ref<number> }

const add: Request = { _tag: "Add" }

const system = Effect.acquireRelease(Effect.sync(() => start()), (actors) => Effect.sync(() => stop(actors)))

const count = (count: number, request: Request): number => {
  if (request._tag === "Next") dispatch(request.from, count + 1)
  return count + 1
}

const startCounter = (parent: Parent, name: string): Ref<Request> =>
  spawnActor(parent, count, name, { initialState: 0 })

const next = (counter: Ref<Request>): Promise<number> =>
  query(counter, (from: Ref<number>): Request => ({ _tag: "Next", from }), timeout)

/** A body of promises, timed as the others are. */
const promise = (body: () => Promise<number>) => Effect.promise(body)

const spawn: Implementation = Effect.fnUntraced(function*({ n }) {
  const parent = yield* system
  const ended = yield* Deferred.make<number>()
  let count = 0
  const body = (_: unknown, __: "go", { self }: { readonly self: Ref<"go"> }) => {
    stop(self)
    if (++count === n) Deferred.doneUnsafe(ended, Effect.succeed(count))
  }
  // An actor does nothing until it gets a message.
  const run = Effect.suspend(() => {
    for (let i = 0; i < n; i++) dispatch(spawnActor(parent, body, `${i}`), "go")
    return Deferred.await(ended)
  })
  return { run }
})

/** Actors that count, or that answer, told from each other by their names only: idle, they are the same. */
const idle: Implementation = Effect.fnUntraced(function*({ n }) {
  const parent = yield* system
  const actors: Array<Ref<Request>> = []
  const run = Effect.sync(() => {
    while (actors.length < n) actors.push(startCounter(parent, `${actors.length}`))
    return n
  })
  const verify = promise(async () => {
    let answers = 0
    for (const actor of actors) answers += await next(actor)
    return answers
  })
  return { run, verify }
})

const pingpong: Implementation = Effect.fnUntraced(function*({ n }) {
  const parent = yield* system
  const ended = yield* Deferred.make<number>()
  const ponger: Ref<Ref<number>> = spawnActor(parent, (_: unknown, from: Ref<number>) => dispatch(from, 1), "ponger")
  const pinger: Ref<number> = spawnActor(
    parent,
    (answers: number, answer: number, { self }: { readonly self: Ref<number> }) => {
      const sum = answers + answer
      if (sum === n) Deferred.doneUnsafe(ended, Effect.succeed(sum))
      else dispatch(ponger, self)
      return sum
    },
    "pinger",
    { initialState: 0 }
  )
  const run = Effect.suspend(() => {
    dispatch(pinger, 0)
    return Deferred.await(ended)
  })
  return { run }
})

const call: Implementation = Effect.fnUntraced(function*({ n }) {
  const counter = startCounter(yield* system, "counter")
  const run = promise(async () => {
    let last = 0
    for (let i = 0; i < n; i++) last = await next(counter)
    return last
  })
  return { run }
})

const callMany: Implementation = Effect.fnUntraced(function*({ n, width }) {
  const counter = startCounter(yield* system, "counter")
  const caller = async () => {
    let last = 0
    for (let i = 0; i < n / width; i++) last = await next(counter)
    return last
  }
  const run = promise(async () => Math.max(...await Promise.all(Array.from({ length: width }, caller))))
  return { run }
})

const cast: Implementation = Effect.fnUntraced(function*({ n }) {
  const counter = startCounter(yield* system, "counter")
  const run = promise(async () => {
    for (let i = 0; i < n; i++) dispatch(counter, add)
    return await untilAnswered(counter) - 1
  })
  return { run }
})

/** Asks without a time limit: half a million messages may be in front. */
const untilAnswered = (counter: Ref<Request>): Promise<number> =>
  query(counter, (from: Ref<number>): Request => ({ _tag: "Next", from }), 600_000)

const fanin: Implementation = Effect.fnUntraced(function*({ n, width }) {
  const parent = yield* system
  const ended = yield* Deferred.make<number>()
  let received = 0
  const consumer: Ref<{ readonly value: number }> = spawnActor(
    parent,
    (sum: number, { value }: { readonly value: number }) => {
      if (++received === n) Deferred.doneUnsafe(ended, Effect.succeed(sum + value))
      return sum + value
    },
    "consumer",
    { initialState: 0 }
  )
  const produce = () => {
    for (let value = 1; value <= n / width; value++) dispatch(consumer, { value })
  }
  const run = Effect.suspend(() => {
    for (let i = 0; i < width; i++) dispatch(spawnActor(parent, produce, `${i}`), "go")
    return Deferred.await(ended)
  })
  return { run }
})

const ring: Implementation = Effect.fnUntraced(function*({ n, width }) {
  const parent = yield* system
  const arrived = yield* Deferred.make<number>()
  const actors: Array<Ref<number>> = []
  const node = (nextNode: number) => (_: unknown, hops: number) => {
    if (hops === n) Deferred.doneUnsafe(arrived, Effect.succeed(hops))
    else dispatch(actors[nextNode]!, hops + 1)
  }
  for (let i = 0; i < width; i++) actors.push(spawnActor(parent, node((i + 1) % width), `${i}`))
  const run = Effect.suspend(() => {
    dispatch(actors[0]!, 0)
    return Deferred.await(arrived)
  })
  return { run }
})

/**
 * One restart after the other, each supervisor good for `life` of them. The child tells an actor whenever it starts, as it
 * does elsewhere, and that has it crash again.
 */
const restarts = (parent: Parent, n: number, life: number) => async () => {
  let done = 0
  for (; done < n; done += life) {
    await new Promise<void>((resolve) => {
      const supervisor = spawnActor(parent, () => {}, "supervisor", {
        onCrash: (_message, _error, { resetChild }) => resetChild
      })
      const observer: Ref<Ref<"crash">> = spawnActor(
        parent,
        (restarted: number, child: Ref<"crash">, { self }: { readonly self: Ref<Ref<"crash">> }) => {
          if (restarted < life) dispatch(child, "crash")
          else {
            stop(supervisor)
            stop(self)
            resolve()
          }
          return restarted + 1
        },
        "observer",
        { initialState: 0 }
      )
      spawnActor(
        supervisor,
        (_: void, reason: "crash"): void => {
          throw reason
        },
        "crasher",
        {
          initialStateFunc: ({ self }) => dispatch(observer, self),
          onCrash: (_message, _error, { escalate }) => escalate
        }
      )
    })
  }
  return done
}

const ratelimit: Implementation = Effect.fnUntraced(function*({ n, width }) {
  interface Check {
    readonly client: string
    readonly from: Ref<boolean>
  }
  const clients = clientIds(n / width)
  const server: Ref<Check> = spawnActor(
    yield* system,
    (window: SlidingWindow.SlidingWindow, { client, from }: Check) => {
      dispatch(from, SlidingWindow.check(window, client))
      return window
    },
    "limiter",
    { initialState: SlidingWindow.make(width / 2) }
  )
  const run = promise(async () => {
    let allowed = 0
    for (let i = 0; i < width; i++) {
      for (const client of clients) {
        if (await query(server, (from: Ref<boolean>): Check => ({ client, from }), timeout)) allowed++
      }
    }
    return allowed
  })
  return { run }
})

/** As a supervisor does it: in order, and back again, each when the one before it has ended, of which `afterStop` tells. */
const tree: Implementation = Effect.fnUntraced(function*({ n }) {
  const parent = yield* system
  const run = promise(async () => {
    const supervisor = spawnActor(parent, () => {}, "supervisor")
    const children: Array<Ref<Request>> = []
    let [started, stopped] = [0, 0]
    let next = () => {}
    const init = () => {
      started++
      return 0
    }
    const afterStop = (i: number) => () => {
      if (i === started - stopped) stopped++
      next()
    }
    for (let i = 1; i <= n; i++) {
      children.push(spawnActor(supervisor, count, `${i}`, { initialStateFunc: init, afterStop: afterStop(i) }))
    }
    for (const child of children.reverse()) {
      await new Promise<void>((resolve) => {
        next = resolve
        stop(child)
      })
    }
    stop(supervisor)
    return stopped
  })
  return { run }
})

export const implementations: Implementations = {
  spawn,
  idle,
  "idle-server": idle,
  pingpong,
  call,
  "call-many": callMany,
  cast,
  fanin,
  ring,
  restart: ({ n }) => Effect.map(system, (parent) => ({ run: promise(restarts(parent, n, n)) })),
  "restart-fresh": ({ n, width }) => Effect.map(system, (parent) => ({ run: promise(restarts(parent, n, width)) })),
  selective: cannot("has no selective receive"),
  ratelimit,
  registry: cannot("has no registry: an actor has the name that it was spawned with, and no value with it"),
  tree
}
