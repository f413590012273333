/**
 * From supervisors to trees as data: those that run, each asked for its children, and those that are described.
 *
 * @internal
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as ChildSpec from "../ChildSpec.ts"
import type { Plan, Tree } from "../SupervisorTree.ts"
import type { Address } from "./address.ts"
import { alive, type Entry } from "./processTable.ts"
import { show } from "./resolve.ts"
import { shownState } from "./serverState.ts"
import type { Snapshot } from "./supervisorLoop.ts"
import { type Failure, systemCall } from "./systemCall.ts"

// ----------------------------------------------------------------------------
// a tree that runs
// ----------------------------------------------------------------------------

/**
 * How a running tree is looked at.
 *
 * @category models
 * @since 0.1.0
 */
export interface WalkOptions {
  /** How long to wait for each supervisor. Default: `GenServer.CallTimeout`, which is 5 seconds. */
  readonly timeout?: Duration.Input | undefined
}

// A supervisor whose children have no ids tells none.
type SnapshotChild = Omit<Snapshot["children"][number], "id"> & { readonly id?: string }

/** A tree, from the supervisor that this reaches. */
export const walk = (address: Address, options: WalkOptions | undefined): Effect.Effect<Tree, Failure> =>
  Effect.flatMap(ask(address, options), ({ entry, shown }) => {
    const tree = leaf(entry.label ?? nameOf(entry) ?? "Supervisor", "supervisor", entry)
    return Effect.map(below(shown, options), (more) => ({ ...tree, ...more }))
  })

const ask = (address: Address, options: WalkOptions | undefined) =>
  systemCall(() => address, "tree", options, (entry, server) => Exit.succeed({ entry, shown: shownState(server) }))

// Any supervisor tells its children in its own way: what has none is a process like any other.
const below = (shown: unknown, options: WalkOptions | undefined) => {
  const { children, strategy } = shown as Partial<Snapshot>
  return Array.isArray(children)
    ? Effect.map(
      Effect.forEach(children, (child: SnapshotChild) => branch(child, options), { concurrency: "unbounded" }),
      (children) => ({ strategy, children })
    )
    : Effect.succeed({})
}

const branch = (child: SnapshotChild, options: WalkOptions | undefined): Effect.Effect<Tree> => {
  const { restart, restarts, restartsIn } = child
  const entry = typeof child.child === "object" ? child.child as Entry : undefined
  const tree: Tree = {
    ...leaf(child.id ?? entry?.label ?? child.type, child.type, entry),
    ...(child.child === "restarting" && { status: "restarting" }),
    restart,
    restarts,
    restartsIn
  }
  if (entry === undefined || entry.status !== alive || !entry.isSupervisor) return Effect.succeed(tree)
  return Effect.flatMap(ask(entry, options), ({ shown }) => below(shown, options)).pipe(
    Effect.match({
      onSuccess: (more): Tree => ({ ...tree, ...more }),
      onFailure: (): Tree => ({ ...tree, status: entry.status === alive ? "busy" : "stopped" })
    })
  )
}

const leaf = (id: string, type: Tree["type"], entry: Entry | undefined): Tree => ({
  id,
  type,
  status: entry === undefined ? "stopped" : "running",
  pid: entry,
  name: entry && nameOf(entry),
  restart: undefined,
  restarts: 0,
  restartsIn: undefined,
  mailbox: entry?.length ?? 0,
  strategy: undefined,
  children: []
})

const nameOf = ({ name }: Entry): string | undefined => name && show(name)

// ----------------------------------------------------------------------------
// a tree that is described
// ----------------------------------------------------------------------------

export const describePlan = (id: string, { backoff, children }: ChildSpec.Described["tree"] & {}): Plan => ({
  id,
  type: "supervisor",
  restart: undefined,
  shutdown: "Infinity",
  hasBackoff: backoff !== undefined,
  mailbox: undefined,
  children: children.map((spec) => describeChild(spec, backoff))
})

const describeChild = (spec: ChildSpec.Any, backoff: ChildSpec.Backoff | undefined): Plan => {
  const { mailbox, tree } = ChildSpec.describedOf(spec)
  return {
    id: spec.id,
    type: spec.type,
    restart: spec.restart,
    shutdown: spec.shutdown,
    hasBackoff: (spec.backoff ?? backoff) !== undefined,
    mailbox,
    children: tree === undefined ? [] : describePlan(spec.id, tree).children
  }
}
