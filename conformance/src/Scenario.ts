/**
 * Scenarios: what processes do to one another, as data that both interpreters read.
 *
 * A scenario gives names itself: `p1` is a process, `s1` a server, `r1` a supervisor, and `r1/a/b` the child `b` of the child
 * `a` of that. A name means the incarnation that was born last; one that nobody has is skipped over, so any part of a
 * scenario may be left out and the rest is a scenario still.
 */

/** A process: one that was started by itself, or a child by its path. */
export type Ref = string

/** A process, or `name n` for whoever holds the name `n`. */
export type Target = string

/** Who does something; `outside` is code that is no process. */
export type Actor = Ref | "outside"

/** `normal`, `kill`, `killed`, `noproc`, `shutdown`, `shutdown x`, or any other word. */
export type Reason = string

/** Milliseconds. */
export type Millis = number

// ----------------------------------------------------------------------------
// what is started
// ----------------------------------------------------------------------------

/** What a process does when it begins: `lives` and does what it is told, `finishes`, `crashes`, or `exits r`. */
export type Fate = string

/** What the `init` of a server does: `ok`, `ignore`, `crash`, `stop r` or `exit r`. */
export type Start = string

export interface ServerPlan {
  /** One for each incarnation; the last one is that of all that follow. */
  readonly starts: ReadonlyArray<Start>
  readonly trap: boolean
  /** How long its `terminate` takes. */
  readonly linger: Millis
}

export interface SupervisorPlan {
  readonly strategy: "one_for_one" | "one_for_all" | "rest_for_one"
  /** How many restarts are allowed, in a period that is longer than any scenario. */
  readonly intensity: number
  readonly autoShutdown: "never" | "anySignificant" | "allSignificant"
  readonly name: string | null
  readonly children: ReadonlyArray<Child>
}

interface ChildOptions {
  readonly id: string
  readonly restart: "permanent" | "transient" | "temporary"
  readonly shutdown: Millis | "brutalKill" | "infinity"
  readonly significant: boolean
}

export type Child =
  & ChildOptions
  & (
    | { readonly kind: "worker"; readonly starts: ReadonlyArray<Fate>; readonly trap: boolean }
    | { readonly kind: "server"; readonly name: string | null } & ServerPlan
    | { readonly kind: "supervisor" } & SupervisorPlan
  )

// ----------------------------------------------------------------------------
// what is done
// ----------------------------------------------------------------------------

/** What a server does with a call: `reply`, `later`, `busy 20`, `crash`, `stop r`, `replyAndStop r` or `exit r`. */
export type Ask = string

/** What anybody can do. */
export type Common =
  | { readonly do: "send"; readonly to: Target; readonly text: string }
  | { readonly do: "cast"; readonly to: Target; readonly text: string }
  | { readonly do: "exit"; readonly to: Ref; readonly reason: Reason }
  | { readonly do: "register"; readonly name: string; readonly to: Ref }
  | { readonly do: "unregister" | "whereis"; readonly name: string }
  | { readonly do: "isAlive"; readonly to: Ref }
  | {
    readonly do: "sendAfter"
    readonly as: string
    readonly to: Target
    readonly text: string
    readonly delay: Millis
  }
  | { readonly do: "cancelTimer"; readonly timer: string }

/** Starting something; with a link or a monitor only a process can. `ref` is the monitor's name. */
export type Starting =
  | {
    readonly do: "spawn"
    readonly as: Ref
    readonly how: "spawn" | "spawnLink" | "spawnMonitor"
    readonly fate: Fate
    readonly trap: boolean
    readonly ref: string
  }
  | {
    readonly do: "server"
    readonly as: Ref
    readonly how: "start" | "startLink" | "startMonitor"
    readonly name: string | null
    readonly server: ServerPlan
    readonly ref: string
  }
  | { readonly do: "supervisor"; readonly as: Ref; readonly how: "start" | "startLink"; readonly tree: SupervisorPlan }

/** What waits for an answer, and is asked from outside. A `timeout` of 0 is none. */
export type Request =
  | { readonly do: "call"; readonly to: Target; readonly ask: Ask; readonly timeout: Millis }
  | { readonly do: "stop"; readonly to: Target; readonly reason: Reason; readonly timeout: Millis }
  | { readonly do: "startChild"; readonly to: Ref; readonly child: Child }
  | {
    readonly do: "terminateChild" | "restartChild" | "deleteChild"
    readonly to: Ref
    readonly id: string
  }
  | { readonly do: "whichChildren" | "countChildren"; readonly to: Ref }

/** What only a process can do. */
export type Own =
  | { readonly do: "link" | "unlink"; readonly to: Ref }
  | { readonly do: "monitor"; readonly as: string; readonly to: Target }
  | { readonly do: "demonitor"; readonly ref: string; readonly flush: boolean }
  | { readonly do: "trap"; readonly on: boolean }
  | { readonly do: "exitSelf"; readonly reason: Reason }
  | { readonly do: "crash" | "finish" }

/** What only a process can do that is no server: to look into its mailbox. */
export type Receiving =
  | { readonly do: "take" }
  | { readonly do: "receive"; readonly text: string; readonly after: Millis }

/** What only a server can do. */
export type Serving =
  | { readonly do: "answer" }
  | { readonly do: "busy"; readonly millis: Millis }
  | { readonly do: "stopSelf"; readonly reason: Reason }

export type Command = Common | Starting | Request | Own | Receiving | Serving

/** What one actor does, one after the other. */
export interface Part {
  readonly by: Actor
  readonly do: ReadonlyArray<Command>
}

/**
 * One step, after which everything runs until nothing moves: time passes, or actors do something. Where there are several
 * they do it at the same time.
 */
export type Step = { readonly advance: Millis } | ReadonlyArray<Part>

export type Scenario = ReadonlyArray<Step>

export const isAdvance = (step: Step): step is { readonly advance: Millis } => "advance" in step

/** A step whose commands have the labels by which answers name them. */
export const labelled = (
  parts: ReadonlyArray<Part>,
  step: number
): ReadonlyArray<{ readonly by: Actor; readonly do: ReadonlyArray<readonly [label: string, command: Command]> }> => {
  let i = 0
  return parts.map(({ by, do: commands }) => ({
    by,
    do: commands.map((command) => [`${step}.${++i}`, command] as const)
  }))
}

/** The path of an incarnation: `r1/a` of `r1/a#2`. */
export const pathOf = (name: string): Ref => name.split("#", 1)[0]!

/** The supervisor at the top, or the process itself. */
export const rootOf = (path: Ref): Ref => path.split("/", 1)[0]!

/** What an incarnation does when it begins. */
export const startOf = (starts: ReadonlyArray<string>, incarnation: number): string =>
  starts[incarnation - 1] ?? starts.at(-1)!

// ----------------------------------------------------------------------------
// in words
// ----------------------------------------------------------------------------

const showChild = (child: Child): string => {
  const { id, kind, restart, shutdown } = child
  const what = child.kind === "supervisor"
    ? showTree(child)
    : `${child.starts.join(", ")}${child.trap ? ", traps" : ""}`
  const linger = child.kind === "server" && child.linger > 0 ? `, lingers ${child.linger}` : ""
  const name = child.kind === "server" && child.name !== null ? ` "${child.name}"` : ""
  return `${id}: ${restart} ${kind}${name}${child.significant ? " significant" : ""} ${shutdown} (${what}${linger})`
}

const showTree = ({ autoShutdown, children, intensity, name, strategy }: SupervisorPlan): string => {
  const auto = autoShutdown === "never" ? "" : ` ${autoShutdown}`
  const named = name === null ? "" : ` "${name}"`
  return `${strategy}${named} ${intensity}${auto} [${children.map(showChild).join("; ")}]`
}

const showValue = (key: string, value: unknown): string => {
  if (key === "tree") return showTree(value as SupervisorPlan)
  if (key === "child") return showChild(value as Child)
  if (key === "server") {
    const { linger, starts, trap } = value as ServerPlan
    return `(${starts.join(", ")}${trap ? ", traps" : ""}${linger > 0 ? `, lingers ${linger}` : ""})`
  }
  return typeof value === "boolean" ? (value ? key : `no ${key}`) : String(value)
}

/** A command as a line. */
export const show = ({ do: what, ...rest }: Command): string =>
  [
    what,
    ...Object.entries(rest).flatMap(([key, value]) =>
      value === null || value === "" || value === false || (key === "timeout" && value === 0)
        ? []
        : [showValue(key, value)]
    )
  ].join(" ")

/** A step as lines. */
export const showStep = (step: Step, n: number): ReadonlyArray<string> =>
  isAdvance(step)
    ? [`${n} ${step.advance} ms pass`]
    : labelled(step, n).flatMap(({ by, do: commands }) =>
      commands.map(([label, command]) => `${label} ${by}: ${show(command)}`)
    )
