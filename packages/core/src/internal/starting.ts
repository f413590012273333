/**
 * The ways to start a server, whatever it is that its definition describes: alone, linked, with a Scope, as a child, and as
 * a Layer of its own.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as ChildSpec from "../ChildSpec.ts"
import * as ExitReason from "../ExitReason.ts"
import * as Supervisor from "../Supervisor.ts"
import type { Place } from "./address.ts"
import * as Gen from "./gen.ts"
import type { Entry } from "./processTable.ts"
import * as Start from "./serverStart.ts"
import { type Definition, implementation } from "./serverState.ts"

type StartOptions = Omit<Start.StartOptions, "linked">

interface ChildOptions extends StartOptions, Omit<ChildSpec.Options, "id"> {
  readonly id?: string | undefined
  readonly provide?: boolean | undefined
}

interface LayerOptions extends StartOptions, Omit<ChildSpec.Options, "id" | "significant"> {}

/** A server that can be started. */
export interface Startable<Ref extends { readonly pid: Entry }> {
  /** The key of its service. */
  readonly key: string
  readonly definition: Definition
  /** How many arguments `init` has: none, or one. */
  readonly parameters: number
  /** What its service is: a way to reach whoever is in its place now. */
  readonly makeClient: (place: Place) => object
  /** What it is as a child. Default: a worker. */
  readonly type?: "worker" | "supervisor" | undefined
  /** A way to reach one incarnation. */
  readonly makeRef: (pid: Entry) => Ref
}

export const makeStarts = <Ref extends { readonly pid: Entry }>(
  { definition, key, makeClient, makeRef, parameters, type }: Startable<Ref>
) => {
  const start = (args: ReadonlyArray<unknown>, options: StartOptions, linked: boolean) =>
    Effect.map(Start.start(definition, args, { ...options, linked }), makeRef)

  const child = ({ args, options }: Started<ChildOptions>): ChildSpec.Any =>
    ChildSpec.fromInstance({ ...options, id: options.id ?? key, type }, () => {
      const linked = { ...options, linked: true }
      if (options.provide === false) return Start.instance(definition, args, linked, Context.empty())
      const place: Place = { shown: key, pid: undefined }
      return Start.instance(
        definition,
        args,
        linked,
        Context.make(Context.Service<object>(key), makeClient(place)),
        place
      )
    }, ChildSpec.describeMailbox(definition.mailbox))

  const split = <Options>(given: ReadonlyArray<unknown>) => splitArgs<Options>(parameters, given)

  return implementation(definition, {
    start: (...given: Array<unknown>) => {
      const { args, options } = split<StartOptions>(given)
      return start(args, options, false)
    },
    startLink: (...given: Array<unknown>) => {
      const { args, options } = split<StartOptions>(given)
      return start(args, options, true)
    },
    startMonitor: (...given: Array<unknown>) => {
      const { args, options } = split<StartOptions>(given)
      return Effect.map(Start.startMonitor(definition, args, options), ([pid, ref]) => [makeRef(pid), ref] as const)
    },
    startScoped: (...given: Array<unknown>) => {
      const { args, options } = split<StartOptions>(given)
      return Effect.acquireRelease(
        start(args, options, false),
        ({ pid }) => Effect.ignore(Gen.stop(pid, { reason: ExitReason.shutdown() })),
        { interruptible: true }
      )
    },
    child: (...given: Array<unknown>) => child(split<ChildOptions>(given)),
    layer: (...given: Array<unknown>) => {
      const started = split<LayerOptions>(given)
      return Supervisor.make({ children: [child(started)], label: key, backoff: started.options.backoff }).layer
    }
  })
}

interface Started<Options> {
  readonly args: ReadonlyArray<unknown>
  readonly options: Options
}

// An `init` with a parameter is given an argument first; one without has nothing but options.
const splitArgs = <Options>(parameters: number, given: ReadonlyArray<unknown>): Started<Options> =>
  parameters > 0 || given.length > 1
    ? { args: given.slice(0, 1), options: (given[1] ?? {}) as Options }
    : { args: [], options: (given[0] ?? {}) as Options }
