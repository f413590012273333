/**
 * The clients that a limiter has to remember, and how it forgets them: in order of their last allowed request, so that
 * whoever has nothing left to remember is at the front, and nobody has to be searched for.
 *
 * @internal
 */
import type { Algorithm } from "../Algorithm.ts"
import type { Verdict } from "../Decision.ts"
import type { Policy } from "../Policy.ts"

interface Client<State> {
  readonly id: string
  readonly state: State
  older: Client<State> | undefined
  newer: Client<State> | undefined
}

export interface Clients<State> {
  readonly algorithm: Algorithm<State>
  readonly policy: Policy
  // A Map, not an object: a client may call itself `__proto__`.
  readonly byId: Map<string, Client<State>>
  oldest: Client<State> | undefined
  newest: Client<State> | undefined
  latest: number
}

export const make = <State>(algorithm: Algorithm<State>, policy: Policy): Clients<State> => ({
  algorithm,
  policy,
  byId: new Map(),
  oldest: undefined,
  newest: undefined,
  latest: -Infinity
})

export const size = <State>(clients: Clients<State>): number => clients.byId.size

/**
 * Decides about one request. Forgets up to two clients on the way: one may be added, so under any traffic more are
 * forgotten than remembered.
 */
export const check = <State>(clients: Clients<State>, id: string, now: number): Verdict => {
  const at = advance(clients, now)
  forgetIdle(clients, at, 2)
  const known = clients.byId.get(id)
  if (known === undefined) return clients.algorithm.step(clients.policy, add(clients, id).state, at)
  const verdict = clients.algorithm.step(clients.policy, known.state, at)
  if (verdict.allowed && known !== clients.newest) {
    unlink(clients, known)
    append(clients, known)
  }
  return verdict
}

/** Tells where a client stands; one that is not remembered is not added. */
export const look = <State>(clients: Clients<State>, id: string, now: number): Verdict => {
  const { algorithm, policy } = clients
  return algorithm.look(policy, clients.byId.get(id)?.state ?? algorithm.initial(), advance(clients, now))
}

export const forget = <State>(clients: Clients<State>, id: string): void => {
  const client = clients.byId.get(id)
  if (client !== undefined) remove(clients, client)
}

/** Forgets clients whose state equals that of one never seen, at most `limit` of them. */
export const forgetIdle = <State>(clients: Clients<State>, now: number, limit: number): void => {
  const at = advance(clients, now)
  for (let i = 0; i < limit; i++) {
    const client = clients.oldest
    if (client === undefined || idleAfter(clients, client, at) > 0) return
    remove(clients, client)
  }
}

/** How long until the first client can be forgotten; `undefined` if there is none. */
export const nextIdleAfter = <State>(clients: Clients<State>, now: number): number | undefined =>
  clients.oldest && Math.max(0, idleAfter(clients, clients.oldest, advance(clients, now)))

const idleAfter = <State>(clients: Clients<State>, client: Client<State>, now: number): number =>
  clients.algorithm.idleAfter(clients.policy, client.state, now)

// One time for all clients, which never goes back: a forgotten client cannot tell that it had been seen later.
const advance = <State>(clients: Clients<State>, now: number): number => clients.latest = Math.max(clients.latest, now)

const add = <State>(clients: Clients<State>, id: string): Client<State> => {
  const client: Client<State> = { id, state: clients.algorithm.initial(), older: undefined, newer: undefined }
  clients.byId.set(id, client)
  append(clients, client)
  return client
}

const remove = <State>(clients: Clients<State>, client: Client<State>): void => {
  clients.byId.delete(client.id)
  unlink(clients, client)
}

const append = <State>(clients: Clients<State>, client: Client<State>): void => {
  client.older = clients.newest
  client.newer = undefined
  if (clients.newest === undefined) clients.oldest = client
  else clients.newest.newer = client
  clients.newest = client
}

const unlink = <State>(clients: Clients<State>, client: Client<State>): void => {
  if (client.older === undefined) clients.oldest = client.newer
  else client.older.newer = client.newer
  if (client.newer === undefined) clients.newest = client.older
  else client.newer.older = client.older
}
