/**
 * Random programs, as numbers that mean something only in the state in which their turn comes: so every part of a program
 * can be left out, and what is left is a program still.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import * as Model from "./Model.ts"
import { simpler } from "./simpler.ts"

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

/** No program has more processes than that. */
export const maxProcesses = 30

/** How often what is tried. */
const weights = {
  spawn: 2,
  spawnLink: 3,
  spawnMonitor: 2,
  send: 4,
  sendName: 1,
  link: 3,
  unlink: 1,
  monitor: 3,
  monitorName: 1,
  demonitor: 2,
  trapExit: 4,
  exit: 2,
  kill: 1,
  exitSelf: 1,
  finish: 1,
  crash: 1,
  register: 2,
  unregister: 1,
  sendAfter: 2,
  sendAfterName: 1,
  cancelTimer: 1,
  take: 1,
  awaitExit: 1,
  interrupt: 1,
  release: 1,
  advance: 1
}

type What = keyof typeof weights

const what = (Object.keys(weights) as ReadonlyArray<What>).flatMap((each) =>
  Array.from({ length: weights[each] }, () => each)
)

const Raw = Schema.Struct({
  what: Schema.Literals(what),
  which: upTo(maxProcesses - 1),
  n: upTo(7),
  by: upTo(maxProcesses),
  /** It is given right after the one before it, by the same process. */
  atOnce: Schema.Boolean
})

export type Raw = typeof Raw.Type

export interface Program {
  readonly commands: ReadonlyArray<Raw>
}

export const arbitrary: Arbitrary.Arbitrary<Program> = Arbitrary.map(
  Arbitrary.schema(Schema.Array(Raw).check(Schema.isBetweenLength(1, 120)), { shrink: simpler }),
  // What it says is printed where it fails, with the meaning that it had there.
  (commands) => ({ commands, toString: () => `${commands.length} commands, as printed below` })
)

// While time passes others have their turns, and who waits from outside is told in a turn of its own.
const isInstant = ({ what }: Raw): boolean => what !== "advance" && what !== "interrupt"

/** The commands that one process gives right after one another, then those of the next. */
export const steps = (program: Program): ReadonlyArray<ReadonlyArray<Raw>> => {
  const steps: Array<Array<Raw>> = []
  for (const command of program.commands) {
    const last = steps.at(-1)
    if (last !== undefined && command.atOnce && isInstant(last.at(-1)!) && isInstant(command)) last.push(command)
    else steps.push([command])
  }
  return steps
}

const names = ["a", "b", "c"]
const reasons = ["Normal", "x", "y", "Shutdown", "Normal", "z", "x", "y"]
const fates: ReadonlyArray<Model.Fate> = [
  "lives",
  "lives",
  "lives",
  "lives",
  "gated",
  "gated",
  "finishes",
  "crashes"
]

const alive = (state: Model.State): ReadonlyArray<Model.Id> =>
  state.processes.flatMap((_, id) => Model.isAlive(state, id) ? [id] : [])

const onlyOutside: ReadonlySet<What> = new Set(["awaitExit", "interrupt", "release", "advance"])

/** Who gives the commands of a step: a process that is alive, or code outside of all processes. */
export const byWhom = (state: Model.State, { by, what }: Raw): Model.Id => {
  const all = onlyOutside.has(what) || by % 8 === 7 ? [] : alive(state)
  return all[by % all.length] ?? Model.outside
}

/** What a command means in this state, or nothing if it means nothing. */
export const resolve = (state: Model.State, by: Model.Id, raw: Raw): Model.Command | undefined => {
  const { n, which } = raw
  const name = names[n % names.length]!
  if (raw.what === "spawn" || (by !== Model.outside && (raw.what === "spawnLink" || raw.what === "spawnMonitor"))) {
    return state.processes.length >= maxProcesses ? undefined : { _tag: "spawn", how: raw.what, fate: fates[n]! }
  }
  if (state.processes.length === 0) return undefined
  // Rather somebody who is alive.
  const all = which % 4 === 3 ? [] : alive(state)
  const to = all[which % all.length] ?? which % state.processes.length
  switch (raw.what) {
    case "send":
      return { _tag: "send", to }
    case "exit":
      return { _tag: "exit", to, reason: reasons[n]! }
    case "kill":
      return { _tag: "exit", to, reason: "Kill" }
    case "register":
      return { _tag: "register", name, to }
    case "unregister":
      return { _tag: "unregister", name }
    case "sendAfter":
      return { _tag: "sendAfter", to, delay: n + 1 }
    case "sendAfterName":
      return { _tag: "sendAfter", to: names[which % names.length]!, delay: n + 1 }
    case "cancelTimer":
      return state.timers.length === 0 ? undefined : { _tag: "cancelTimer", timer: which % state.timers.length }
    case "sendName":
      // From outside it would fail the test.
      return by === Model.outside && Model.holderOf(state, name) === undefined ? undefined : { _tag: "send", to: name }
  }
  if (by === Model.outside) {
    switch (raw.what) {
      case "awaitExit":
        return { _tag: "awaitExit", to }
      case "interrupt":
        return state.waiters.length === 0 ? undefined : { _tag: "interrupt", waiter: which % state.waiters.length }
      case "release":
        return state.processes[to]!.gated ? { _tag: "release", to } : undefined
      case "advance":
        return { _tag: "advance", millis: n + 1 }
      default:
        return undefined
    }
  }
  switch (raw.what) {
    case "link":
      return { _tag: "link", to }
    case "unlink":
      return { _tag: "unlink", to }
    case "monitor":
      return { _tag: "monitor", to }
    case "monitorName":
      return { _tag: "monitor", to: name }
    case "demonitor": {
      const own = state.refs.flatMap((watcher, ref) => watcher === by ? [ref] : [])
      return own.length === 0 ? undefined : { _tag: "demonitor", ref: own[which % own.length]!, flush: n % 2 === 1 }
    }
    case "trapExit":
      return { _tag: "trapExit", on: n < 6 }
    case "exitSelf":
      return { _tag: "exitSelf", reason: n === 7 ? "Kill" : reasons[n]! }
    case "finish":
      return { _tag: "finish" }
    case "crash":
      return { _tag: "crash" }
    case "take":
      return { _tag: "take" }
    default:
      return undefined
  }
}

/** A command as a line of a program. */
export const show = (command: Model.Command): string => {
  switch (command._tag) {
    case "spawn":
      return `${command.how} one that ${command.fate === "gated" ? "ends when released" : command.fate}`
    case "demonitor":
      return `demonitor #${command.ref}${command.flush ? " with flush" : ""}`
    case "trapExit":
      return `trapExit ${command.on}`
    case "exit":
      return `exit ${Model.show(command.to)} ${command.reason}`
    case "exitSelf":
      return `exit ${command.reason}`
    case "register":
      return `register ${command.name} P${command.to}`
    case "unregister":
      return `unregister ${command.name}`
    case "sendAfter":
      return `sendAfter ${Model.show(command.to)} ${command.delay}`
    case "cancelTimer":
      return `cancelTimer T${command.timer}`
    case "interrupt":
      return `interrupt W${command.waiter}`
    case "advance":
      return `advance ${command.millis}`
    case "finish":
    case "crash":
    case "take":
      return command._tag
    default:
      return `${command._tag} ${Model.show(command.to)}`
  }
}
