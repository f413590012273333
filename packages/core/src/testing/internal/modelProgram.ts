/**
 * Random programs for a server, made of the requests of its protocol.
 *
 * @internal
 */
import * as Arbitrary from "effect/Arbitrary"
import type * as Rpc from "effect/rpc/Rpc"
import * as Schema from "effect/Schema"
import { absentOf, type Protocol } from "../../internal/protocol.ts"
import { show } from "./failure.ts"

/** One step: a request, or that somebody kills the server. */
export type Command = Request | Kill

export interface Request {
  readonly _tag: "Request"
  readonly request: string
  readonly payload: unknown
}

export interface Kill {
  readonly _tag: "Kill"
}

/** What one of several clients does: which one, how, and how long it waits before. */
export interface Turn {
  readonly client: number
  readonly wait: number
  /** It waits for its answer, or no longer than for some milliseconds, or is interrupted after them. */
  readonly how: "call" | "callWithin" | "interrupted"
  readonly command: Command
}

/** What clients do at the same time, and what one of them does when all are done. */
export interface Concurrent {
  readonly turns: ReadonlyArray<Turn>
  readonly after: ReadonlyArray<Command>
}

/** What is generated for the payload of a request. */
export type Source = Arbitrary.Arbitrary<unknown> | Schema.Top

export interface Requests {
  readonly protocol: Protocol
  readonly payloads: { readonly [request: string]: Source | undefined }
  /** Whether the server is killed now and then. */
  readonly kills: boolean
}

const payloadOf = (rpc: Rpc.AnyWithProps, source: Source | undefined): Arbitrary.Arbitrary<unknown> => {
  if (Arbitrary.isArbitrary(source)) return source
  const absent = absentOf(rpc)
  const isVoid = source === undefined && absent === undefined && Schema.is(rpc.payloadSchema)(undefined)
  return isVoid ? Arbitrary.Constant(undefined) : Arbitrary.schema(source ?? rpc.payloadSchema)
}

// One in so many steps.
const killRate = 8

/** Any request of a protocol with any payload; with `kills` now and then a kill. */
export const command = ({ kills, payloads, protocol }: Requests): Arbitrary.Arbitrary<Command> => {
  const requests = (protocol as ReadonlyArray<Rpc.AnyWithProps>).map((rpc) =>
    Arbitrary.map(payloadOf(rpc, payloads[rpc._tag]), (payload): Command => ({
      _tag: "Request",
      request: rpc._tag,
      payload
    }))
  )
  const kill: Command = { _tag: "Kill" }
  const last = requests.length - 1
  const which = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: last }))
  const request = Arbitrary.flatMap(Arbitrary.schema(which), (i) => requests[i]!)
  if (!kills) return request
  const rate = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: killRate }))
  return Arbitrary.flatMap(Arbitrary.schema(rate), (n) => n === killRate ? Arbitrary.Constant(kill) : request)
}

/** How concurrent programs are made. */
export interface ConcurrentOptions {
  readonly clients: number
  readonly maxLength: number
  readonly impatient: boolean
}

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

/** Any commands, by several clients. */
export const concurrent = (
  commands: Arbitrary.Arbitrary<Command>,
  { clients, impatient, maxLength }: ConcurrentOptions
): Arbitrary.Arbitrary<Concurrent> => {
  const turn = Arbitrary.all({
    client: Arbitrary.schema(upTo(clients - 1)),
    wait: Arbitrary.schema(upTo(3)),
    how: Arbitrary.schema(
      impatient
        ? Schema.Literals(["call", "call", "call", "call", "call", "call", "callWithin", "interrupted"])
        : Schema.Literal("call")
    ),
    command: commands
  })
  return Arbitrary.all({
    turns: Arbitrary.array(turn, { minLength: 1, maxLength }),
    after: Arbitrary.array(commands, { maxLength: 3 })
  })
}

export const showCommand = (command: Command): string =>
  command._tag === "Kill"
    ? "kill the server"
    : `${command.request}(${command.payload === undefined ? "" : show(command.payload)})`
