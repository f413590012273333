/**
 * A process that is in one of several states, each with data and callbacks of its own: a protocol, a connection, a door.
 *
 * It is a server, and all that a GenServer's client, name, supervisor and mailbox are, its are, too. What it adds is that
 * an event means something else in every state, that it can wait for another state, and timeouts.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Rpc from "effect/rpc/Rpc"
import type * as Action from "./Action.ts"
import type * as ExitReason from "./ExitReason.ts"
import type { Server } from "./GenServer.ts"
import { limitsOf } from "./internal/bounds.ts"
import type {
  Bound,
  CheckMailbox,
  FullOf,
  InitArgs,
  NoPolicy,
  Provided,
  ResultOf,
  ServicesOf
} from "./internal/callbacks.ts"
import * as Clients from "./internal/client.ts"
import * as Machine_ from "./internal/machine.ts"
import * as MachineServer from "./internal/machineServer.ts"
import type {
  CheckHandled,
  CheckInfo,
  CheckNames,
  CheckOptions,
  Current,
  Event,
  Events,
  Given,
  InfoOf,
  InitResult,
  Otherwise,
  TableResults,
  Tables,
  TimeoutOf
} from "./internal/machineTypes.ts"
import * as protocol_ from "./internal/protocol.ts"
import type { CheckProtocol, Client, Protocol } from "./internal/protocol.ts"
import type { Signal } from "./internal/signal.ts"
import { makeStarts } from "./internal/starting.ts"
import type { AnyTarget } from "./Name.ts"
import type * as Process from "./Process.ts"

export type { Current, Event, Events, Given } from "./internal/machineTypes.ts"

/**
 * All of a machine that waits for a message: its state and data, the events that it has postponed, oldest first, and the
 * timeouts that run.
 *
 * @category models
 * @since 0.1.0
 */
export type Snapshot<States, P extends Protocol, E> = Current<States> & {
  readonly postponed: ReadonlyArray<Event<P, E>>
  readonly timeouts: ReadonlyArray<TimeoutOf<E>>
}

/**
 * What an event has brought about: the machine as it waits again, the answers it has given, and the reason if it stops.
 *
 * @category models
 * @since 0.1.0
 */
export interface Outcome<States, P extends Protocol, E> {
  readonly snapshot: Snapshot<States, P, E>
  readonly replies: ReadonlyArray<Action.Reply>
  readonly stop: ExitReason.ExitReason | undefined
}

/**
 * The status of a machine, as `formatStatus` gets it and a report shows it.
 *
 * @category models
 * @since 0.1.0
 */
export type Status<States> = Current<States> & {
  readonly postponed: ReadonlyArray<unknown>
  readonly queued: ReadonlyArray<unknown>
}

/**
 * An implementation: started as a `GenServer.Server` is, and its transitions as a function.
 *
 * **Details**
 *
 * `transition` is pure, and needs no process. It gives what the machine is when it would wait for its next message: enter
 * calls, inserted and retried events and timeouts of zero have run. What would crash the machine is thrown, and so is a
 * TypeError if a callback gives an Effect: that takes a process.
 *
 * @category models
 * @since 0.1.0
 */
export interface Machine<
  in out Self,
  in out Args extends InitArgs,
  in out Message,
  out E,
  out R,
  out Full,
  in out States,
  in out P extends Protocol,
  in out Own
> extends Server<Self, Args, Message, E, R, Full> {
  readonly transition: (
    snapshot: Current<States> & Partial<Omit<Snapshot<States, P, Own>, "state" | "data">>,
    event: Given<Event<P, Own>>
  ) => Outcome<States, P, Own>
}

/**
 * A service whose implementation is a state machine: the key of its client, its protocol, and the way to implement it.
 *
 * **Details**
 *
 * `implement` takes callbacks, which mirror those of `gen_statem` with state functions and state enter calls. Each gives a
 * `Transition`, or an Effect of one:
 *
 * - `init: (arg) => Transition.next(state, data, actions)`; also `GenServer.ignore` and `GenServer.initStop`.
 * - `states`: for each state, and in it for each request, `(data, payload, from)`. A failure that a call declares is its
 *   answer and keeps state and data; a defect ends the machine. Beside the requests:
 *   `enter: (data, previous)`, which may neither leave the state nor postpone or insert events;
 *   `stateTimeout`, `eventTimeout` and `timeout: { name }`, each `(data, content)`;
 *   `info: (data, message)`; internal events by their names, `(data, payload)`;
 *   `otherwise: (data, event)` for all that the state does not name.
 * - `otherwise: ({ state, data }, event)` for all that no state handles.
 * - `terminate: ({ state, data }, reason)`, `formatStatus: (status)`, `trapExit` and `mailbox` as for a GenServer.
 *
 * Without a catch-all each state has to handle each event, and the timeouts that are set for it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServiceClass<
  in out Self,
  in out Id extends string,
  in out P extends Protocol,
  in out States extends object,
  in out E extends Events
> extends Context.ServiceClass<Self, Id, Client<P>> {
  readonly protocol: P
  readonly at: (target: AnyTarget) => Client<P>
  readonly implement: <
    Args extends InitArgs,
    Initial extends InitResult<States, P, E> | Effect.Effect<InitResult<States, P, E>, unknown, unknown>,
    Handled extends Tables<States, P, E>,
    Other extends Otherwise<States, P, E>,
    Terminated extends void | Effect.Effect<void, never, unknown>,
    Policy extends Process.MailboxPolicy | NoPolicy,
    O extends { readonly init: unknown; readonly otherwise?: unknown }
  >(
    options:
      & O
      & {
        readonly init: (...args: Args) => Initial
        readonly states: Handled
        readonly otherwise?: Other
        readonly terminate?: (current: Current<States>, reason: ExitReason.ExitReason) => Terminated
        readonly formatStatus?: (status: Status<States>) => unknown
        readonly trapExit?: boolean
        readonly mailbox?: Bound<Policy>
      }
      & CheckOptions<O, "init" | "states" | "otherwise" | "terminate" | "formatStatus" | "trapExit" | "mailbox">
      & CheckHandled<Handled, States, P, E, O, Initial>
      & CheckMailbox<Policy, P>
      & CheckInfo<ServicesOf<Initial | TableResults<Handled> | ResultOf<Other> | Terminated>, InfoOf<E>>
  ) => Machine<
    Self,
    Args,
    Exclude<InfoOf<E>, Signal>,
    Effect.Error<Initial>,
    Exclude<
      ServicesOf<Initial | TableResults<Handled> | ResultOf<Other> | Terminated>,
      Provided<InfoOf<E>>
    >,
    FullOf<Policy>,
    States,
    P,
    E
  >
}

/**
 * Declares a state machine by its states with their data, its protocol, and its other events. Mirrors `gen_statem`.
 *
 * **When to use**
 *
 * Use it when the same event means something else in different states, when events have to wait for another state, or for
 * time limits of a state. For one state with data a {@link GenServer} is simpler.
 *
 * **Details**
 *
 * Requests are made with `GenServer.call` and `GenServer.cast`, and a client is used like a GenServer's, but for one thing:
 * calls wait without limit, unless `GenServer.CallTimeout` is provided. {@link Events} are the third type parameter.
 *
 * **Example**
 *
 * ```ts
 * import { Action, GenServer, StateMachine, Transition } from "@effect-otp/core"
 * import { Schema } from "effect"
 *
 * type States = { Locked: { readonly tries: number }; Open: { readonly guests: number } }
 *
 * class Door extends StateMachine.Service<Door, States>()("docs/Door", [
 *   GenServer.call("unlock", { payload: { code: Schema.String }, success: Schema.Boolean }),
 *   GenServer.cast("close")
 * ]) {
 *   static readonly machine = this.implement({
 *     init: () => Transition.next("Locked", { tries: 0 }),
 *     states: {
 *       Locked: {
 *         unlock: ({ tries }, { code }, from) =>
 *           code === "1234"
 *             ? Transition.next("Open", { guests: 0 }, [Action.reply(from, true), Action.stateTimeout("10 seconds")])
 *             : Transition.keep({ tries: tries + 1 }, [Action.reply(from, false)]),
 *         close: () => Transition.keepAndData()
 *       },
 *       Open: {
 *         unlock: ({ guests }, _, from) => Transition.keep({ guests: guests + 1 }, [Action.reply(from, true)]),
 *         close: () => Transition.next("Locked", { tries: 0 }),
 *         stateTimeout: () => Transition.next("Locked", { tries: 0 })
 *       }
 *     }
 *   })
 * }
 *
 * const unlock = { _tag: "Call", name: "unlock", payload: { code: "1234" } } as const
 * const { snapshot } = Door.machine.transition({ state: "Locked", data: { tries: 2 } }, unlock)
 *
 * snapshot.state // => "Open"
 * snapshot.timeouts[0].time // => 10_000
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const Service =
  <Self, States extends object, const E extends Events = {}>() =>
  <const Id extends string, const P extends Protocol>(
    key: Id,
    protocol: P & CheckProtocol<P> & CheckNames<P, E>
  ): ServiceClass<Self, Id, P, States, E> => {
    protocol_.checkProtocol(key, protocol, MachineServer.reserved)
    // A list of its own: who has a client of a server with the same list cannot call a machine with it.
    const own = [...protocol]
    const clients = Clients.make(key, own, timeout)
    const statics = {
      [protocol_.TimeoutTypeId]: timeout,
      protocol,
      at: (target: AnyTarget) => clients.at(target),
      implement: (callbacks: Callbacks) => implement(key, own, callbacks, clients)
    }
    return Object.assign(Context.Service<Self, Client<P>>()(key), statics) as unknown as ServiceClass<
      Self,
      Id,
      P,
      States,
      E
    >
  }

// A call may be postponed, for as long as it takes.
const timeout = Infinity

interface Callbacks extends MachineServer.Callbacks {
  readonly trapExit?: boolean | undefined
  readonly mailbox?: Process.Mailbox | undefined
}

const implement = (
  key: string,
  protocol: Protocol,
  callbacks: Callbacks,
  clients: Clients.Clients
) => {
  const kinds = new Map(
    (protocol as ReadonlyArray<Rpc.AnyWithProps>).map((rpc) =>
      [rpc._tag, protocol_.isCast(rpc) ? "Cast" : "Call"] as const
    )
  )
  const kindOf = (name: string) => kinds.get(name)
  const behaviour = MachineServer.makeBehaviour(key, callbacks, kindOf)
  const definition = {
    ...MachineServer.define(behaviour, protocol, kindOf),
    trapExit: callbacks.trapExit,
    mailbox: limitsOf(callbacks.mailbox)
  }
  const starts = makeStarts({
    key,
    definition,
    parameters: callbacks.init.length,
    makeClient: clients.at,
    makeRef: clients.ref
  })
  // A copy, as a spread makes one, would not know its definition.
  return Object.assign(starts, {
    transition: (snapshot: Given_, event: Machine_.Event) => transition(behaviour, snapshot, event)
  })
}

interface Given_ {
  readonly state: string
  readonly data: unknown
  readonly postponed?: ReadonlyArray<Machine_.Event>
  readonly timeouts?: ReadonlyArray<Machine_.Running["timeout"]>
}

const transition = (behaviour: MachineServer.Behaviour, given: Given_, event: Machine_.Event) => {
  let machine = Machine_.make(given.state, given.data, given.postponed, given.timeouts)
  let next: Machine_.Event | Machine_.Enter | undefined = event._tag === "Call" && event.from === undefined
    ? { ...event, from: {} }
    : event
  let stop: ExitReason.ExitReason | undefined
  const replies: Array<unknown> = []
  while (next !== undefined && stop === undefined) {
    machine = Machine_.taken(machine, next)
    const result = MachineServer.call(behaviour, machine, next)
    if (Effect.isEffect(result)) {
      throw new TypeError(`${behaviour.name}: a callback of "${machine.state}" gives an Effect, which takes a process`)
    }
    const decided = MachineServer.decide(behaviour, machine, next, result)
    if (decided.crash !== undefined) throw MachineServer.crashOf(behaviour, decided.crash)
    machine = decided.machine
    stop = decided.stop
    replies.push(...decided.replies)
    next = Machine_.next(machine)
  }
  const snapshot = {
    ...Machine_.current(machine),
    postponed: Machine_.toArray(machine.postponed).reverse(),
    timeouts: machine.timeouts.map(({ timeout }) => timeout)
  }
  return { snapshot, replies, stop }
}
