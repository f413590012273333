/**
 * A server that does what each request tells it to, with the callbacks that a test gives it, and what such tests share.
 */
import * as GenServer from "@effect-otp/core/GenServer"
import type { CallError } from "@effect-otp/core/OtpError"
import type * as Process from "@effect-otp/core/Process"
import { assert } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Schema from "effect/Schema"

export class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}

/** The payload of its requests is what their handler does. */
export class Told extends GenServer.Service<Told>()("test/Told", [
  GenServer.call("ask", { payload: Schema.Unknown, success: Schema.Unknown, error: Refused }),
  GenServer.cast("tell", { payload: Schema.Unknown })
]) {}

/** What a request of `Told` has its handler do. */
export type Order = (state: any, from: GenServer.From<unknown, Refused>) => unknown

export type Ref = GenServer.Ref<Told, unknown>

export interface Callbacks {
  readonly init?: () => unknown
  readonly info?: (state: any, message: any) => unknown
  readonly continue?: (state: any, term: any) => unknown
  readonly terminate?: (state: any, reason: any) => unknown
  readonly formatStatus?: (state: any) => unknown
  readonly trapExit?: boolean
  readonly mailbox?: Process.Mailbox
}

/** A server whose state is 0 at first. What its callbacks give is not checked by the compiler. */
export const told = (callbacks: Callbacks = {}): GenServer.Server<Told, [], unknown, unknown, never> =>
  Told.implement({
    init: () => 0,
    ...callbacks,
    handlers: {
      ask: (state: unknown, order: Order, from: GenServer.From<unknown, Refused>) => order(state, from),
      tell: (state: unknown, order: Order) => order(state, undefined as never)
    }
  } as never) as never

type Asks = Pick<GenServer.ClientOf<Told>, "ask" | "tell">

/** Calls a `Told`. */
export const ask = (server: Asks, order: Order): Effect.Effect<unknown, Refused | CallError> => server.ask(order)

/** Casts to a `Told`. */
export const tell = (server: Asks, order: Order): Effect.Effect<void> => server.tell(order)

/** Fails the test unless an effect fails with a CallError of this reason. */
export const callFails = Effect.fnUntraced(function*<Tag extends CallError["reason"]["_tag"], A, E, R>(
  call: Effect.Effect<A, E | CallError, R>,
  tag: Tag
) {
  const error = yield* Effect.flip(call) as Effect.Effect<CallError, A, R>
  assert.strictEqual(error._tag, "CallError")
  assert.strictEqual(error.reason._tag, tag, error.message)
  return error as CallError & { readonly reason: Extract<CallError["reason"], { readonly _tag: Tag }> }
})

/** The defect that an effect dies with. */
export const defectOf = Effect.fnUntraced(function*<A, E, R>(effect: Effect.Effect<A, E, R>) {
  const exit = yield* Effect.exit(effect)
  if (Exit.isSuccess(exit)) return assert.fail("it succeeded")
  const reason = exit.cause.reasons.find(Cause.isDieReason)
  return reason === undefined ? assert.fail(`no defect: ${Cause.pretty(exit.cause)}`) : reason.defect as Error
})

/** The reason with which a process crashed, as the message of its error. */
export const messageOf = (reason: Process.Exit["reason"]): string => {
  if (reason._tag !== "Crashed") return assert.fail(`it ended with ${reason._tag}`)
  return (Cause.squash(reason.cause) as Error).message
}

export interface Line {
  readonly level: string
  readonly message: ReadonlyArray<any>
  /** Its annotations: what a report tells besides its title. */
  readonly report: any
  readonly cause: Cause.Cause<unknown>
}

/** Keeps what is logged. */
export const logged = <A, E, R>(body: (lines: ReadonlyArray<Line>) => Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const lines: Array<Line> = []
    const logger = Logger.make(({ cause, fiber, logLevel, message }) => {
      const report = fiber.getRef(References.CurrentLogAnnotations)
      lines.push({ level: logLevel, message: Array.isArray(message) ? message : [message], report, cause })
    })
    return Effect.provide(body(lines), Logger.layer([logger]))
  })
