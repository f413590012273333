/**
 * A state machine that does what each of its events tells it to, and notes the callbacks that ran.
 */
import type * as Action from "@effect-otp/core/Action"
import * as GenServer from "@effect-otp/core/GenServer"
import type { CallError } from "@effect-otp/core/OtpError"
import * as StateMachine from "@effect-otp/core/StateMachine"
import * as Transition from "@effect-otp/core/Transition"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { timersOf } from "../../src/internal/current.ts"
import { Refused } from "./server.ts"

type States = { A: number; B: number; C: number }

interface Own {
  readonly internal: { readonly own: Payload }
  readonly timeout: { readonly one: unknown; readonly two: unknown }
  readonly stateTimeout: unknown
  readonly eventTimeout: unknown
  readonly info: unknown
}

/** What an event has the machine do, in the state that it is in: the name of the event, and a result by state. */
export interface Payload {
  readonly name: string
  readonly in: { readonly [State in keyof States]?: Do } | Do
}

type Do = (data: number, from: GenServer.From<unknown, Refused>) => unknown

export class Machine extends StateMachine.Service<Machine, States, Own>()("test/Machine", [
  GenServer.call("ask", { payload: Schema.Unknown, success: Schema.Unknown, error: Refused }),
  GenServer.cast("tell", { payload: Schema.Unknown })
]) {}

export type Ref = GenServer.Ref<Machine, unknown>

export interface Callbacks {
  readonly init?: () => unknown
  /** What the enter calls of the states do; without it there are none. */
  readonly enter?: (state: keyof States, previous: keyof States, data: number) => unknown
  /** What timeouts and messages do, beside being noted. */
  readonly answers?: (what: string, content: any, data: number) => unknown
  readonly terminate?: (current: any, reason: any) => unknown
  readonly formatStatus?: (status: any) => unknown
  readonly trapExit?: boolean
}

const keep = Transition.keepAndData()

/** A machine that begins in A with 0. It notes each callback as `"<state> <event>"`. */
export const machine = (seen: Array<unknown>, callbacks: Callbacks = {}) => {
  const told = (state: keyof States) => (data: number, payload: unknown, from: GenServer.From<unknown, Refused>) => {
    const { in: todo, name } = payload as Payload
    seen.push(`${state} ${name}`)
    const act = typeof todo === "function" ? todo : todo[state]
    return act === undefined ? keep : act(data, from)
  }
  const noted = (state: keyof States, what: string) => (data: number, content: unknown) => {
    seen.push([state, what, content])
    return callbacks.answers?.(what, content, data) ?? keep
  }
  const { enter, init, answers: _, ...rest } = callbacks
  const table = (state: keyof States) => ({
    ask: told(state),
    tell: told(state),
    own: told(state),
    ...(enter && {
      enter: (data: number, previous: keyof States) => {
        seen.push(`enter(${previous}, ${state})`)
        return enter(state, previous, data)
      }
    }),
    stateTimeout: noted(state, "stateTimeout"),
    eventTimeout: noted(state, "eventTimeout"),
    timeout: { one: noted(state, "one"), two: noted(state, "two") },
    info: noted(state, "info")
  })
  return Machine.implement({
    init: init ?? (() => Transition.next("A", 0)),
    states: { A: table("A"), B: table("B"), C: table("C") },
    ...rest
  } as never) as StateMachine.Machine<Machine, [], unknown, unknown, never, never, States, typeof Machine.protocol, Own>
}

type Asks = Pick<GenServer.ClientOf<Machine>, "ask" | "tell">

/** Calls a machine. */
export const ask = (
  machine: Asks,
  todo: Payload["in"],
  name: string = "ask"
): Effect.Effect<unknown, Refused | CallError> => machine.ask({ name, in: todo })

/** Casts to a machine. */
export const tell = (machine: Asks, todo: Payload["in"], name: string = "tell"): Effect.Effect<void> =>
  machine.tell({ name, in: todo })

/** Holds a machine, so that what is sent meanwhile waits in its mailbox, until the Effect is run that this gives. */
export const hold = Effect.fnUntraced(function*(machine: Asks, then: Do = () => keep) {
  let release: () => void = () => {}
  const released = Effect.callback<void>((resume) => {
    release = () => resume(Effect.void)
  })
  yield* tell(
    machine,
    (data, from) => Effect.andThen(released, Effect.suspend(() => asEffect(then(data, from)))),
    "hold"
  )
  yield* Effect.yieldNow
  return Effect.sync(() => release())
})

const asEffect = (result: unknown): Effect.Effect<unknown> =>
  Effect.isEffect(result) ? result as Effect.Effect<unknown> : Effect.succeed(result)

/** Does the same in every state. */
export const does = (transition: unknown): Do => () => transition

/** Goes to a state. */
export const go = (state: keyof States, ...actions: ReadonlyArray<Action.Any>): Do => (data) =>
  Transition.next(state, data, actions)

/** Stays. */
export const stay = (...actions: ReadonlyArray<Action.Any>): Do => () => Transition.keepAndData(actions)

/** How many timers are set, of whomever. */
export const timersSet = Effect.withFiber((fiber) => Effect.sync(() => timersOf(fiber).size()))
