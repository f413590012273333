/** Random programs for a server, as numbers that mean something only in the state in which their turn comes. */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import * as Model from "./ServerModel.ts"
import { simpler } from "./simpler.ts"

/** How often what is tried. */
const ways = { call: 8, callWithin: 4, cast: 4, info: 3, interrupt: 1, advance: 4, requestStop: 1, signal: 1 }

const actions = {
  add: 6,
  slow: 5,
  keep: 3,
  answer: 3,
  refuse: 2,
  refuseAndAdd: 1,
  idle: 3,
  goOn: 3,
  // Rarely: nothing happens after it.
  crash: 0.2,
  crashLater: 0.3,
  stop: 0.2,
  replyAndStop: 0.2,
  exit: 0.2
}

/** Each as often as its weight says; of those that are rare, the first numbers that are drawn mean the frequent ones. */
const weighted = <K extends string>(weights: Record<K, number>): ReadonlyArray<K> =>
  (Object.keys(weights) as Array<K>).flatMap((key) => Array.from({ length: Math.round(weights[key] * 5) }, () => key))

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

const actionTable = weighted(actions)

const Raw = Schema.Struct({
  what: Schema.Literals(weighted(ways)),
  which: upTo(actionTable.length - 1),
  n: upTo(7),
  atOnce: Schema.Boolean
})

export type Raw = typeof Raw.Type

export interface Program {
  readonly commands: ReadonlyArray<Raw>
}

export const arbitrary: Arbitrary.Arbitrary<Program> = Arbitrary.map(
  Arbitrary.schema(Schema.Array(Raw).check(Schema.isBetweenLength(1, 60)), { shrink: simpler }),
  (commands) => ({ commands, toString: () => `${commands.length} commands, as printed below` })
)

const isMessage = ({ what }: Raw): boolean => what !== "advance" && what !== "interrupt" && what !== "signal"

/** What is sent right after one another, then what is sent when all of that has been dealt with. */
export const steps = (program: Program): ReadonlyArray<ReadonlyArray<Raw>> => {
  const steps: Array<Array<Raw>> = []
  for (const command of program.commands) {
    const last = steps.at(-1)
    if (last !== undefined && command.atOnce && isMessage(last.at(-1)!) && isMessage(command)) last.push(command)
    else steps.push([command])
  }
  return steps
}

const actionOf = ({ n, which }: Raw): Model.Action => {
  const _tag = actionTable[which]!
  switch (_tag) {
    case "add":
      return { _tag, by: n }
    case "slow":
    case "idle":
    case "crashLater":
      return { _tag, units: 1 + n % 4 }
    case "goOn":
      return { _tag, units: n % 3 }
    default:
      return { _tag }
  }
}

/** What a command means in this state, or nothing if it means nothing. */
export const resolve = (state: Model.State, raw: Raw): Model.Command | undefined => {
  const { n, which } = raw
  switch (raw.what) {
    case "call":
      return { _tag: "call", action: actionOf(raw), timeout: undefined }
    case "callWithin":
      return { _tag: "call", action: actionOf(raw), timeout: (n % 4) * Model.unit + 2 }
    case "cast":
    case "info":
      return { _tag: raw.what, action: actionOf(raw) }
    case "requestStop":
      return { _tag: "requestStop" }
    case "signal":
      return { _tag: "signal", reason: (["Normal", "Normal", "Normal", "x", "Shutdown", "Kill"] as const)[n % 6]! }
    case "interrupt": {
      const waiting = [...state.callers.keys()].filter((caller) => Model.waits(state, caller))
      return waiting.length === 0 ? undefined : { _tag: "interrupt", caller: waiting[which % waiting.length]! }
    }
    case "advance":
      return { _tag: "advance", millis: (1 + n) * Model.unit }
  }
}

const showAction = (action: Model.Action): string =>
  "units" in action ? `${action._tag} ${action.units}` : "by" in action ? `add ${action.by}` : action._tag

/** A command as a line of a program. */
export const show = (command: Model.Command): string => {
  switch (command._tag) {
    case "call":
      return `call ${showAction(command.action)}${command.timeout === undefined ? "" : ` within ${command.timeout}`}`
    case "cast":
    case "info":
      return `${command._tag} ${showAction(command.action)}`
    case "interrupt":
      return `interrupt caller ${command.caller}`
    case "signal":
      return `signal ${command.reason}`
    case "advance":
      return `advance ${command.millis}`
    case "requestStop":
      return "stop"
  }
}
