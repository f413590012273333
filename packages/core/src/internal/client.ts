/**
 * A client: what code that calls a server holds, with a method for each request of its protocol.
 *
 * Most servers are called by few of those who hold their client, and many by nobody but their name. So a method is made
 * when it is first asked for, and until then a client is an address and little else: 40 bytes, and each method 120 more.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Rpc from "effect/rpc/Rpc"
import * as Schema from "effect/Schema"
import { type Address, AddressTypeId } from "./address.ts"
import * as Gen from "./gen.ts"
import type { Entry } from "./processTable.ts"
import { absentOf, construct, constructs, isCast, type Protocol } from "./protocol.ts"
import type { Operation } from "./request.ts"

/** Makes the clients of one service. Those that reach whoever is at an address now, and those of one incarnation. */
export interface Clients {
  readonly at: (address: Address) => object
  readonly ref: (pid: Entry) => { readonly pid: Entry }
}

/** What the clients of a service share. Their calls wait for `timeout` by default. */
export const make = (key: string, protocol: Protocol, timeout?: number): Clients => {
  const methods = (protocol as ReadonlyArray<Rpc.AnyWithProps>).map((rpc, index) => {
    const method = compile(key, protocol, rpc, timeout)
    const get = function(this: Client) {
      return Client.method(this, index, method)
    }
    return [rpc._tag, { get, enumerable: true, configurable: true }] as const
  })
  // Of its own, for a copy must have the methods: `{ ...client, value }`. An accessor that all have in common takes no room
  // in any of them.
  const withMethods = <A extends Client>(client: A): A => {
    for (let i = 0; i < methods.length; i++) Object.defineProperty(client, methods[i]![0], methods[i]![1])
    return client
  }
  return {
    at: (address) => withMethods(new At(address)),
    ref: (pid) => withMethods(new Ref(pid))
  }
}

abstract class Client {
  #methods: Array<Method> | undefined = undefined

  abstract readonly [AddressTypeId]: Address

  static method(client: Client, index: number, make: MakeMethod): Method {
    const methods = client.#methods ??= []
    return methods[index] ??= make(client[AddressTypeId])
  }
}

class Ref extends Client {
  readonly pid: Entry

  constructor(pid: Entry) {
    super()
    this.pid = pid
  }

  get [AddressTypeId](): Address {
    return this.pid
  }
}

class At extends Client {
  readonly #address: Address

  constructor(address: Address) {
    super()
    this.#address = address
  }

  get [AddressTypeId](): Address {
    return this.#address
  }
}

type Method = (input?: unknown) => Effect.Effect<unknown, unknown>

type MakeMethod = (address: Address) => Method

// What a request needs is worked out once, however many clients are made.
const compile = (key: string, protocol: Protocol, rpc: Rpc.AnyWithProps, timeout: number | undefined): MakeMethod => {
  const tag = rpc._tag
  const operation: Operation = { tag, declares: (error) => Schema.is(rpc.errorSchema)(error), timeout }
  const send = isCast(rpc)
    ? (address: Address, payload: unknown) => Gen.cast(address, protocol, tag, payload)
    : (address: Address, payload: unknown) => Gen.call(address, protocol, operation, payload)
  const absent = absentOf(rpc)
  if (!constructs(rpc.payloadSchema.ast)) {
    return (address) => {
      // A request without a payload is the same value each time, and is made once.
      let bare: Effect.Effect<unknown, unknown> | undefined
      return (input) => input === undefined ? bare ??= send(address, absent) : send(address, input)
    }
  }
  // What the constructor refuses is the defect of the caller, and never reaches the server.
  const payloadOf = (input: unknown) => construct(`${key}.${tag}`, rpc.payloadSchema, input)
  if (isCast(rpc)) return (address) => (input = absent) => Effect.suspend(() => send(address, payloadOf(input)))
  const made: Operation = { ...operation, construct: payloadOf }
  return (address) => (input = absent) => Gen.call(address, protocol, made, input)
}
