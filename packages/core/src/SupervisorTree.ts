/**
 * Supervision trees as data: one that runs, as text, and one that is only described, looked through for what is doubtful.
 *
 * Everything here is a pure function. `Supervisor.tree` looks at a running tree, `Supervisor.audit` at a description.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { Restart, Shutdown } from "./ChildSpec.ts"
import type { Strategy } from "./internal/restartPlan.ts"
import type { Pid } from "./Pid.ts"

// ----------------------------------------------------------------------------
// a tree that runs
// ----------------------------------------------------------------------------

/**
 * - `running`
 * - `restarting`: it has ended and is about to be started again, at once or when its backoff is over
 * - `stopped`: it is down until somebody starts it
 * - `busy`: a supervisor that runs and did not say in time which children it has
 *
 * @category models
 * @since 0.1.0
 */
export type Status = "running" | "restarting" | "stopped" | "busy"

/**
 * A process in its place in a running tree, and what is below it.
 *
 * @see {@link format}
 * @category models
 * @since 0.1.0
 */
export interface Tree {
  /** Its id among its siblings; for the first supervisor its label, or else what it is. */
  readonly id: string
  readonly type: "worker" | "supervisor"
  readonly status: Status
  /** Where it runs. */
  readonly pid: Pid<never, unknown> | undefined
  readonly name: string | undefined
  /** How it is restarted; the first supervisor has nobody to do so. */
  readonly restart: Restart | undefined
  /** How often it was started again, by itself or with its group. */
  readonly restarts: number
  /** How long until it is started again, while it is restarting. */
  readonly restartsIn: Duration.Duration | undefined
  /** How many messages wait for it. */
  readonly mailbox: number
  /** Who is restarted with a child that failed; workers have none. */
  readonly strategy: Strategy | undefined
  /** In the order of their start. */
  readonly children: ReadonlyArray<Tree>
}

/**
 * A running tree as text, a line for each process.
 *
 * **Details**
 *
 * A line has the id, the name if there is one, the pid, the status, the length of the mailbox and how often it was
 * restarted. A child that waits for its backoff says for how long.
 *
 * @see `Supervisor.tree` for where it comes from
 * @category formatting
 * @since 0.1.0
 */
export const format = (tree: Tree): string => lines(tree).join("\n")

const lines = (tree: Tree): ReadonlyArray<string> => [
  line(tree),
  ...tree.children.flatMap((child, index) => {
    const isLast = index === tree.children.length - 1
    const [first, ...rest] = lines(child)
    return [`${isLast ? "└─" : "├─"} ${first}`, ...rest.map((below) => `${isLast ? "  " : "│ "} ${below}`)]
  })
]

const line = ({ id, mailbox, name, pid, restarts, restartsIn, status }: Tree): string => {
  const who = [
    id,
    ...(name === undefined || name === id ? [] : [`(${name})`]),
    ...(pid === undefined ? [] : [`${pid}`])
  ]
  const wait = restartsIn === undefined || Duration.isZero(restartsIn) ? "" : ` in ${Duration.format(restartsIn)}`
  return [
    `${who.join(" ")} ${status}${wait}`,
    ...(pid === undefined ? [] : [`mailbox ${mailbox}`]),
    ...(restarts === 0 ? [] : [`${restarts} ${restarts === 1 ? "restart" : "restarts"}`])
  ].join(", ")
}

// ----------------------------------------------------------------------------
// a tree that is described
// ----------------------------------------------------------------------------

/**
 * A child as it is described, and what is below it.
 *
 * @see `Supervisor.plan` for where it comes from
 * @category models
 * @since 0.1.0
 */
export interface Plan {
  /** Its id among its siblings; for the first supervisor its label, its name, or `root`. */
  readonly id: string
  readonly type: "worker" | "supervisor"
  /** How it is restarted; the first supervisor has nobody to do so. */
  readonly restart: Restart | undefined
  /** How long it may take to stop. */
  readonly shutdown: Shutdown
  /** A restart of it waits, by its own backoff or by its supervisor's. */
  readonly hasBackoff: boolean
  /** Nothing, if it takes no messages or nobody can tell. */
  readonly mailbox: "bounded" | "unbounded" | undefined
  /** In the order of their start. */
  readonly children: ReadonlyArray<Plan>
}

/**
 * What is doubtful about a tree.
 *
 * **Details**
 *
 * - `DuplicateId`: two children of one supervisor have the same id. The tree will not start.
 * - `NoBackoff`: a permanent child is restarted at once, also where what it needs is down: it uses up the intensity of its
 *   supervisor in no time. Give it or its supervisor a `backoff`.
 * - `UnboundedMailbox`: a child that takes messages takes any number of them. Where senders may be faster give it a
 *   `mailbox`.
 * - `ShutdownTooShort`: the children of a supervisor, which stop one after the other, may take longer than it has itself:
 *   the last to stop are killed.
 *
 * `path` leads to the child, from the first supervisor on; `message` says all of it.
 *
 * @category models
 * @since 0.1.0
 */
export type Finding =
  & { readonly path: ReadonlyArray<string>; readonly message: string }
  & (
    | { readonly _tag: "DuplicateId" }
    | { readonly _tag: "NoBackoff" }
    | { readonly _tag: "UnboundedMailbox" }
    | { readonly _tag: "ShutdownTooShort"; readonly needed: Duration.Duration; readonly allowed: Duration.Duration }
  )

/**
 * What an audit looks for.
 *
 * @category models
 * @since 0.1.0
 */
export interface AuditOptions {
  /** How long the whole tree may take to stop. Default: what the plan says, which is without limit. */
  readonly shutdown?: Duration.Input | undefined
  /** What is on purpose, and not to be told. */
  readonly ignore?: ReadonlyArray<Finding["_tag"]> | undefined
}

/**
 * What is doubtful about a tree, by its description: in the order of the tree, each supervisor before its children.
 *
 * @see `Supervisor.audit` for a tree that is described by `Supervisor.make`
 * @category auditing
 * @since 0.1.0
 */
export const audit = (plan: Plan, options: AuditOptions = {}): ReadonlyArray<Finding> =>
  look({ ...plan, shutdown: options.shutdown ?? plan.shutdown }, [plan.id])
    .filter(({ _tag }) => options.ignore?.includes(_tag) !== true)

const look = (plan: Plan, path: ReadonlyArray<string>): ReadonlyArray<Finding> => [
  ...lookAt(plan, path),
  ...duplicates(plan, path),
  ...plan.children.flatMap((child) => look(child, [...path, child.id]))
]

const lookAt = (plan: Plan, path: ReadonlyArray<string>): ReadonlyArray<Finding> => {
  const who = path.join("/")
  const findings: Array<Finding> = []
  if (plan.restart === "permanent" && !plan.hasBackoff) {
    findings.push({ _tag: "NoBackoff", path, message: `${who} is permanent, and restarted without a backoff` })
  }
  if (plan.mailbox === "unbounded") {
    findings.push({ _tag: "UnboundedMailbox", path, message: `${who} has a mailbox without a bound` })
  }
  const allowed = timeOf(plan)
  const needed = neededBy(plan.children)
  if (Duration.isGreaterThan(needed, allowed)) {
    const times = `${Duration.format(allowed)} to stop, and its children may take ${Duration.format(needed)}`
    findings.push({ _tag: "ShutdownTooShort", path, needed, allowed, message: `${who} has ${times}` })
  }
  return findings
}

const timeOf = ({ shutdown }: Plan): Duration.Duration =>
  shutdown === "brutalKill" ? Duration.zero : Duration.fromInputUnsafe(shutdown)

/** How long they take to stop, one after the other. A branch that may take any time takes no more than what is in it. */
const neededBy = (children: ReadonlyArray<Plan>): Duration.Duration =>
  children.reduce((sum, child) => {
    const time = timeOf(child)
    return Duration.sum(sum, child.children.length === 0 ? time : Duration.min(time, neededBy(child.children)))
  }, Duration.zero)

const duplicates = ({ children }: Plan, path: ReadonlyArray<string>): ReadonlyArray<Finding> => {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const { id } of children) (seen.has(id) ? twice : seen).add(id)
  return Array.from(twice, (id) => ({
    _tag: "DuplicateId",
    path: [...path, id],
    message: `${path.join("/")} has more than one child with the id ${id}`
  }))
}
