/**
 * Effect alone, as one writes it by hand: a fiber for each process, a Queue as its mailbox, a Deferred for each answer.
 */
import { Array, Deferred, Effect, Fiber, HashMap, Option, Queue, Ref } from "effect"
import { clientIds } from "../clientIds.ts"
import type { Implementation, Implementations } from "../Implementation.ts"
import * as SlidingWindow from "../SlidingWindow.ts"

type Request = { readonly _tag: "Add" } | { readonly _tag: "Next"; readonly reply: Deferred.Deferred<number> }

const add: Request = { _tag: "Add" }

/** A server that counts. */
const counter = Effect.fnUntraced(function*(requests: Queue.Dequeue<Request>) {
  let count = 0
  while (true) {
    const request = yield* Queue.take(requests)
    count++
    if (request._tag === "Next") yield* Deferred.succeed(request.reply, count)
  }
})

const next = Effect.fnUntraced(function*(requests: Queue.Enqueue<Request>) {
  const reply = yield* Deferred.make<number>()
  yield* Queue.offer(requests, { _tag: "Next", reply })
  return yield* Deferred.await(reply)
})

/** Starts a fiber with a mailbox, which ends with the Scope. */
const start = Effect.fnUntraced(function*<M>(body: (mailbox: Queue.Queue<M>) => Effect.Effect<unknown, unknown>) {
  const mailbox = yield* Queue.unbounded<M>()
  yield* Effect.forkScoped(body(mailbox))
  return mailbox
})

/** The same, but it ends by itself. */
const startDetached = Effect.fnUntraced(function*<M>(body: (mailbox: Queue.Queue<M>) => Effect.Effect<unknown>) {
  const mailbox = yield* Queue.unbounded<M>()
  yield* Effect.forkDetach(body(mailbox))
  return mailbox
})

const spawn: Implementation = Effect.fnUntraced(function*({ n }) {
  const ended = yield* Deferred.make<number>()
  let count = 0
  const body = Effect.suspend(() => ++count === n ? Deferred.succeed(ended, count) : Effect.void)
  const run = Effect.gen(function*() {
    for (let i = 0; i < n; i++) yield* Effect.forkDetach(body)
    return yield* Deferred.await(ended)
  })
  return { run }
})

const answerer = Effect.fnUntraced(function*(mailbox: Queue.Queue<Queue.Enqueue<number>>) {
  yield* Queue.offer(yield* Queue.take(mailbox), 1)
})

const idle: Implementation = Effect.fnUntraced(function*({ n }) {
  const mailboxes: globalThis.Array<Queue.Enqueue<Queue.Enqueue<number>>> = []
  const run = Effect.gen(function*() {
    while (mailboxes.length < n) mailboxes.push(yield* startDetached(answerer))
    // Fibers start in order: when one more has ended, all of them wait.
    yield* Fiber.await(yield* Effect.forkDetach(Effect.void))
    return n
  })
  const verify = Effect.gen(function*() {
    const answers = yield* Queue.unbounded<number>()
    for (const mailbox of mailboxes) yield* Queue.offer(mailbox, answers)
    let count = 0
    while (count < n) count += yield* Queue.take(answers)
    return count
  })
  return { run, verify }
})

const idleServer: Implementation = Effect.fnUntraced(function*({ n }) {
  const servers: globalThis.Array<Queue.Queue<Request>> = []
  yield* Effect.addFinalizer(() => Effect.forEach(servers, Queue.shutdown, { discard: true }))
  const run = Effect.gen(function*() {
    while (servers.length < n) servers.push(yield* startDetached(counter))
    yield* Fiber.await(yield* Effect.forkDetach(Effect.void))
    return n
  })
  const verify = Effect.gen(function*() {
    let answers = 0
    for (const server of servers) answers += yield* next(server)
    return answers
  })
  return { run, verify }
})

const ponger = Effect.fnUntraced(function*(mailbox: Queue.Queue<Queue.Enqueue<number>>) {
  while (true) yield* Queue.offer(yield* Queue.take(mailbox), 1)
})

const pingpong: Implementation = Effect.fnUntraced(function*({ n }) {
  const other = yield* start(ponger)
  const mailbox = yield* Queue.unbounded<number>()
  const run = Effect.gen(function*() {
    let answers = 0
    for (let i = 0; i < n; i++) {
      yield* Queue.offer(other, mailbox)
      answers += yield* Queue.take(mailbox)
    }
    return answers
  })
  return { run }
})

const call: Implementation = Effect.fnUntraced(function*({ n }) {
  const server = yield* start(counter)
  const run = Effect.gen(function*() {
    let last = 0
    for (let i = 0; i < n; i++) last = yield* next(server)
    return last
  })
  return { run }
})

const callMany: Implementation = Effect.fnUntraced(function*({ n, width }) {
  const server = yield* start(counter)
  const caller = Effect.gen(function*() {
    let last = 0
    for (let i = 0; i < n / width; i++) last = yield* next(server)
    return last
  })
  const run = Effect.map(
    Effect.all(Array.replicate(caller, width), { concurrency: "unbounded" }),
    (lasts) => Math.max(...lasts)
  )
  return { run }
})

const cast: Implementation = Effect.fnUntraced(function*({ n }) {
  const server = yield* start(counter)
  const run = Effect.gen(function*() {
    for (let i = 0; i < n; i++) yield* Queue.offer(server, add)
    return (yield* next(server)) - 1
  })
  return { run }
})

const fanin: Implementation = Effect.fnUntraced(function*({ n, width }) {
  const mailbox = yield* Queue.unbounded<number>()
  const producer = Effect.gen(function*() {
    for (let i = 1; i <= n / width; i++) yield* Queue.offer(mailbox, i)
  })
  const run = Effect.gen(function*() {
    let sum = 0
    for (let i = 0; i < width; i++) yield* Effect.forkDetach(producer)
    for (let i = 0; i < n; i++) sum += yield* Queue.take(mailbox)
    return sum
  })
  return { run }
})

const ring: Implementation = Effect.fnUntraced(function*({ n, width }) {
  const arrived = yield* Deferred.make<number>()
  const mailboxes: globalThis.Array<Queue.Queue<number>> = []
  const node = (next: number) =>
    Effect.fnUntraced(function*(mailbox: Queue.Queue<number>) {
      while (true) {
        const hops = yield* Queue.take(mailbox)
        if (hops === n) yield* Deferred.succeed(arrived, hops)
        else yield* Queue.offer(mailboxes[next]!, hops + 1)
      }
    })
  for (let i = 0; i < width; i++) mailboxes.push(yield* start(node((i + 1) % width)))
  const run = Effect.andThen(Queue.offer(mailboxes[0]!, 0), Deferred.await(arrived))
  return { run }
})

/** A fiber that tells when it starts and crashes at the first message, and is run again for ever. */
const restarts = (n: number, life: number) =>
  Effect.gen(function*() {
    const starts = yield* Queue.unbounded<void>()
    const crasher = (mailbox: Queue.Dequeue<"crash">) =>
      Queue.offer(starts, undefined).pipe(
        Effect.andThen(Queue.take(mailbox)),
        Effect.flatMap(Effect.die),
        Effect.sandbox,
        Effect.retry({ while: () => true })
      )
    for (let done = 0; done < n; done += life) {
      yield* Effect.scoped(Effect.gen(function*() {
        const child = yield* start(crasher)
        yield* Queue.take(starts)
        for (let i = 0; i < life; i++) {
          yield* Queue.offer(child, "crash")
          yield* Queue.take(starts)
        }
      }))
    }
    return n
  })

/** What the mailbox cannot do: the messages that were not wanted are kept aside, in order. */
const takeWanted = Effect.fnUntraced(function*<M>(
  mailbox: Queue.Dequeue<M>,
  aside: globalThis.Array<M>,
  wanted: (message: M) => boolean
) {
  while (true) {
    const index = aside.findIndex(wanted)
    if (index >= 0) return aside.splice(index, 1)[0]!
    aside.push(...yield* Queue.takeAll(mailbox))
  }
})

const selective: Implementation = Effect.fnUntraced(function*({ n, width }) {
  const mailbox = yield* Queue.unbounded<"wanted" | "other">()
  const aside = Array.replicate<"wanted" | "other">("other", width)
  const run = Effect.gen(function*() {
    let done = 0
    for (; done < n; done++) {
      yield* Queue.offer(mailbox, "wanted")
      yield* takeWanted(mailbox, aside, (message) => message === "wanted")
    }
    return done + aside.length
  })
  return { run }
})

interface Check {
  readonly client: string
  readonly reply: Deferred.Deferred<number, "RateLimited">
}

const ratelimit: Implementation = Effect.fnUntraced(function*({ n, width }) {
  const clients = clientIds(n / width)
  const window = SlidingWindow.make(width / 2)
  const server = yield* start(Effect.fnUntraced(function*(mailbox: Queue.Queue<Check>) {
    while (true) {
      const { client, reply } = yield* Queue.take(mailbox)
      yield* SlidingWindow.check(window, client) ? Deferred.succeed(reply, 1) : Deferred.fail(reply, "RateLimited")
    }
  }))
  const check = Effect.fnUntraced(function*(client: string) {
    const reply = yield* Deferred.make<number, "RateLimited">()
    yield* Queue.offer(server, { client, reply })
    return yield* Deferred.await(reply)
  })
  const run = Effect.gen(function*() {
    let allowed = 0
    for (let i = 0; i < width; i++) {
      for (const client of clients) allowed += yield* Effect.catch(check(client), () => Effect.succeed(0))
    }
    return allowed
  })
  return { run }
})

interface Named {
  readonly mailbox: Queue.Queue<"register">
  readonly number: number
}

/** Whoever holds a name is in a map as long as its Scope is open. */
const register = (names: Ref.Ref<HashMap.HashMap<string, Named>>, name: string, named: Named) =>
  Effect.acquireRelease(
    Effect.flatMap(
      Ref.modify(names, (map) => HashMap.has(map, name) ? [false, map] : [true, HashMap.set(map, name, named)]),
      (registered) => registered ? Effect.void : Effect.fail("NameTaken")
    ),
    () => Ref.update(names, HashMap.remove(name))
  )

const registry: Implementation = Effect.fnUntraced(function*({ n }) {
  const names = yield* Ref.make(HashMap.empty<string, Named>())
  const registered = yield* Deferred.make<void>()
  let count = 0
  const owner = (name: string, number: number) =>
    Effect.fnUntraced(function*(mailbox: Queue.Queue<"register">) {
      yield* Queue.take(mailbox)
      yield* register(names, name, { mailbox, number })
      if (++count === n) yield* Deferred.succeed(registered, undefined)
      yield* Queue.take(mailbox)
    }, Effect.scoped)
  const owners: globalThis.Array<readonly [name: string, mailbox: Queue.Queue<"register">]> = []
  for (let i = 1; i <= n; i++) owners.push([`name-${i}`, yield* start(owner(`name-${i}`, i))])
  yield* Fiber.await(yield* Effect.forkDetach(Effect.void))
  const run = Effect.gen(function*() {
    for (const [, mailbox] of owners) yield* Queue.offer(mailbox, "register")
    yield* Deferred.await(registered)
    let sum = 0
    for (const [name, mailbox] of owners) {
      const found = HashMap.get(yield* Ref.get(names), name)
      if (Option.isSome(found) && found.value.mailbox === mailbox) sum += found.value.number
    }
    return sum
  })
  return { run }
})

/** As a supervisor does it, and a Scope can, too: in order, and back again, each when the one before it has ended. */
const tree: Implementation = ({ n }) => {
  const run = Effect.gen(function*() {
    let [started, ended] = [0, 0]
    const child = Effect.fnUntraced(function*(i: number) {
      const ready = yield* Deferred.make<void>()
      const end = Effect.sync(() => {
        if (i === started - ended) ended++
      })
      yield* start((mailbox: Queue.Queue<Request>) =>
        Deferred.succeed(ready, undefined).pipe(Effect.andThen(counter(mailbox)), Effect.ensuring(end))
      )
      yield* Deferred.await(ready)
      started++
    })
    yield* Effect.scoped(Effect.gen(function*() {
      for (let i = 1; i <= n; i++) yield* child(i)
    }))
    return ended
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
