/**
 * xstate, with the leanest actors it has: a pure function of state and event. `send` delivers at once, in the caller's
 * turn, and nothing is supervised: this is the floor, not an equal.
 */
import { Effect } from "effect"
import { type Actor, type AnyActorRef, createActor, fromCallback, fromTransition } from "xstate"
import { clientIds } from "../clientIds.ts"
import { cannot, type Implementation, type Implementations } from "../Implementation.ts"
import * as SlidingWindow from "../SlidingWindow.ts"

const counter = fromTransition((count: number, _: { readonly type: "next" }) => count + 1, 0)

/** The answer is what the state is afterwards. */
const next = (actor: Actor<typeof counter>): number => {
  actor.send({ type: "next" })
  return actor.getSnapshot().context
}

const started = Effect.acquireRelease(
  Effect.sync(() => createActor(counter).start()),
  (actor) => Effect.sync(() => actor.stop())
)

const spawn: Implementation = ({ n }) => {
  let ended = 0
  const logic = fromCallback(() => () => {
    ended++
  })
  const run = Effect.sync(() => {
    for (let i = 0; i < n; i++) createActor(logic).start().stop()
    return ended
  })
  return Effect.succeed({ run })
}

const idle: Implementation = ({ n }) => {
  const actors: Array<Actor<typeof counter>> = []
  const run = Effect.sync(() => {
    while (actors.length < n) actors.push(createActor(counter).start())
    return n
  })
  const verify = Effect.sync(() => actors.reduce((sum, actor) => sum + next(actor), 0))
  return Effect.succeed({ run, verify })
}

const ponger = fromTransition((state: null, { from }: { readonly type: "ping"; readonly from: AnyActorRef }) => {
  from.send({ type: "pong" })
  return state
}, null)

const pingpong: Implementation = ({ n }) => {
  const other = createActor(ponger).start()
  const pinger = fromTransition((left: number, _: { readonly type: "pong" }, { self }) => {
    if (left > 0) other.send({ type: "ping", from: self })
    return left - 1
  }, n)
  const actor = createActor(pinger).start()
  const run = Effect.sync(() => {
    actor.send({ type: "pong" })
    // The first was no answer.
    return n - actor.getSnapshot().context - 1
  })
  return Effect.succeed({ run })
}

const call: Implementation = Effect.fnUntraced(function*({ n }) {
  const actor = yield* started
  const run = Effect.sync(() => {
    let last = 0
    for (let i = 0; i < n; i++) last = next(actor)
    return last
  })
  return { run }
})

const cast: Implementation = Effect.fnUntraced(function*({ n }) {
  const actor = yield* started
  const run = Effect.sync(() => {
    for (let i = 0; i < n; i++) actor.send({ type: "next" })
    return actor.getSnapshot().context
  })
  return { run }
})

const fanin: Implementation = ({ n, width }) => {
  const run = Effect.sync(() => {
    const adder = fromTransition(
      (sum: number, { value }: { readonly type: "add"; readonly value: number }) => sum + value,
      0
    )
    const consumer = createActor(adder).start()
    const producer = fromTransition((state: null, _: { readonly type: "go" }) => {
      for (let value = 1; value <= n / width; value++) consumer.send({ type: "add", value })
      return state
    }, null)
    for (let i = 0; i < width; i++) createActor(producer).start().send({ type: "go" })
    return consumer.getSnapshot().context
  })
  return Effect.succeed({ run })
}

const ring: Implementation = ({ n, width }) => {
  let arrived = 0
  const actors: Array<AnyActorRef> = []
  const node = (nextNode: number) =>
    fromTransition((state: null, { hops }: { readonly type: "token"; readonly hops: number }) => {
      if (hops === n) arrived = hops
      else actors[nextNode]!.send({ type: "token", hops: hops + 1 })
      return state
    }, null)
  for (let i = 0; i < width; i++) actors.push(createActor(node((i + 1) % width)).start())
  const run = Effect.sync(() => {
    actors[0]!.send({ type: "token", hops: 0 })
    return arrived
  })
  return Effect.succeed({ run })
}

const ratelimit: Implementation = ({ n, width }) => {
  interface State {
    readonly window: SlidingWindow.SlidingWindow
    readonly allowed: boolean
  }
  const clients = clientIds(n / width)
  const limiter = fromTransition(
    ({ window }: State, { client }: { readonly type: "check"; readonly client: string }) => ({
      window,
      allowed: SlidingWindow.check(window, client)
    }),
    { window: SlidingWindow.make(width / 2), allowed: false }
  )
  const actor = createActor(limiter).start()
  const run = Effect.sync(() => {
    let allowed = 0
    for (let i = 0; i < width; i++) {
      for (const client of clients) {
        actor.send({ type: "check", client })
        if (actor.getSnapshot().context.allowed) allowed++
      }
    }
    return allowed
  })
  return Effect.succeed({ run })
}

const unsupervised = cannot("has no supervisor: an actor that crashes stays stopped")

export const implementations: Implementations = {
  spawn,
  idle,
  "idle-server": idle,
  pingpong,
  call,
  "call-many": cannot("delivers at once: there are never two callers at a time"),
  cast,
  fanin,
  ring,
  restart: unsupervised,
  "restart-fresh": unsupervised,
  selective: cannot("has no selective receive"),
  ratelimit,
  registry: cannot("has no registry: an actor has the system id that it was made with, and no value with it"),
  tree: unsupervised
}
