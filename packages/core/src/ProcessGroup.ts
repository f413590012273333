/**
 * Named groups of processes: whoever wants to reach all that do the same thing asks who they are.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type * as Types from "effect/Types"
import { tableOf } from "./internal/current.ts"
import * as FewSet from "./internal/fewSet.ts"
import * as Input from "./internal/input.ts"
import { deliverUntold } from "./internal/lifecycle.ts"
import * as Mailbox from "./internal/mailbox.ts"
import * as Groups from "./internal/processGroups.ts"
import { ended, type Entry, type ProcessTable, type Watcher } from "./internal/processTable.ts"
import { entryOfPid } from "./internal/resolve.ts"
import type { Pid } from "./Pid.ts"

const TypeId = "~@effect-otp/core/ProcessGroup"
const ScopeTypeId = "~@effect-otp/core/ProcessGroup/Scope"
const RefTypeId = "~@effect-otp/core/ProcessGroup/MonitorRef"

// ----------------------------------------------------------------------------
// models
// ----------------------------------------------------------------------------

/**
 * A set of groups that has nothing to do with any other. Each Node has its own of every name.
 *
 * @see {@link scope}
 * @category models
 * @since 0.1.0
 */
export interface Scope {
  readonly [ScopeTypeId]: typeof ScopeTypeId
  readonly name: string
}

/**
 * A group that knows which messages its members take. A plain string does wherever a group is taken, and is that group of
 * the default scope; this adds the type, and another scope.
 *
 * @see {@link make}
 * @category models
 * @since 0.1.0
 */
export interface Group<in M, out E = never> {
  readonly [TypeId]: { readonly _M: (_: M) => void; readonly _E: () => E }
  readonly name: string
  readonly scope: Scope
}

/**
 * Identifies one monitor of a group or a scope.
 *
 * @category models
 * @since 0.1.0
 */
export interface MonitorRef {
  readonly [RefTypeId]: typeof RefTypeId
}

/**
 * What a monitor sends: these processes have joined the group, or have left it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Event<in M, out E = never> {
  readonly _tag: "Joined" | "Left"
  readonly ref: MonitorRef
  readonly group: string
  readonly pids: ReadonlyArray<Pid<M, E>>
}

/** One process or several. */
type Pids<M, E> = Pid<M, E> | ReadonlyArray<Pid<M, E>>

// ----------------------------------------------------------------------------
// groups and scopes
// ----------------------------------------------------------------------------

/**
 * Names a scope: a set of groups that has nothing to do with any other. Mirrors `pg:start/1`.
 *
 * **Details**
 *
 * A scope needs no process and no start: it is there, and empty, in every Node.
 *
 * @see {@link stop}
 * @category constructors
 * @since 0.1.0
 */
export const scope = (name: string): Scope => ({ [ScopeTypeId]: ScopeTypeId, name: Input.nonEmpty("scope", name) })

/**
 * The scope of a group that names none: `pg`, as in OTP.
 *
 * @category constructors
 * @since 0.1.0
 */
export const defaultScope: Scope = scope("pg")

/**
 * Makes a typed group, of the default scope unless another is given.
 *
 * **When to use**
 *
 * Use it when processes are put into groups, by themselves or by others, and somebody has to reach all of one. To find one
 * process by a key, or to keep a value with it, take a `Registry`.
 *
 * **Details**
 *
 * Mirrors a group of OTP's `pg`. Nobody has to create one: it is there as long as it has members.
 *
 * **Example**
 *
 * ```ts
 * import { Process, ProcessGroup } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const lobby = ProcessGroup.make<string>("lobby", { scope: ProcessGroup.scope("rooms") })
 *
 * const seen: Array<string> = []
 * const guest = (self: Process.Self<string>) => Effect.map(self.receive, (message) => seen.push(message))
 *
 * const program = Effect.gen(function*() {
 *   const guests = [yield* Process.spawn(guest), yield* Process.spawn(guest)]
 *   yield* ProcessGroup.join(lobby, guests)
 *   for (const pid of yield* ProcessGroup.members(lobby)) yield* Process.send(pid, "closing time")
 *   yield* Effect.forEach(guests, Process.awaitExit)
 *   return [seen.length, yield* ProcessGroup.members(lobby)]
 * })
 *
 * Effect.runPromise(program) // => [2, []]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <M, E = never>(
  name: string,
  options: { readonly scope?: Scope | undefined } = {}
): Group<M, E> => ({
  [TypeId]: variance,
  name: Input.nonEmpty("name", name),
  scope: checkScope(Input.options(["scope"], options).scope ?? defaultScope)
})

const variance = { _M: (_: unknown) => {}, _E: (): never => undefined as never }

// ----------------------------------------------------------------------------
// membership
// ----------------------------------------------------------------------------

/**
 * Puts one process or several into a group. Mirrors `pg:join/3`.
 *
 * **Details**
 *
 * A process that joins several times is a member several times, until it has left as often or ends. One that has ended is
 * not put in, and that is no failure. Anybody may do it for any process of this Node.
 *
 * @see {@link leave}
 * @category membership
 * @since 0.1.0
 */
export const join = <M = never, E = unknown>(
  group: string | Group<M, E>,
  pids: Pids<Types.NoInfer<M>, Types.NoInfer<E>>
): Effect.Effect<void> =>
  withScope(scopeNameOf(group), (scope, table) => Groups.join(scope, nameOf(group), entriesOf(table, pids)))

/**
 * Takes one process or several out of a group: one membership each, the latest. Mirrors `pg:leave/3`.
 *
 * **Details**
 *
 * Gives whether any of them was a member, where OTP says `ok` or `not_joined`.
 *
 * @category membership
 * @since 0.1.0
 */
export const leave = <M, E>(
  group: string | Group<M, E>,
  pids: Pids<never, unknown>
): Effect.Effect<boolean> =>
  withScope(scopeNameOf(group), (scope, table) => Groups.leave(scope, nameOf(group), entriesOf(table, pids)))

/**
 * The members of a group, in the order in which they joined. Mirrors `pg:get_members/2`.
 *
 * **Details**
 *
 * A group that nobody has joined has none. One that has joined several times is there as often.
 *
 * @see {@link watch}
 * @category membership
 * @since 0.1.0
 */
export const members = <M = unknown, E = never>(
  group: string | Group<M, E>
): Effect.Effect<ReadonlyArray<Pid<M, E>>> =>
  withScope(scopeNameOf(group), (scope) => Groups.members(scope, nameOf(group)))

/**
 * The groups of a scope that have members. Mirrors `pg:which_groups/1`.
 *
 * @category membership
 * @since 0.1.0
 */
export const groups = (scope: Scope = defaultScope): Effect.Effect<ReadonlyArray<string>> =>
  withScope(nameOfScope(scope), Groups.groups)

/**
 * Ends all memberships of a scope, its monitors and its streams. Mirrors stopping the process of a scope.
 *
 * @category membership
 * @since 0.1.0
 */
export const stop = (scope: Scope = defaultScope): Effect.Effect<void> => withScope(nameOfScope(scope), Groups.stop)

// ----------------------------------------------------------------------------
// following
// ----------------------------------------------------------------------------

/**
 * Has a process told of all that join and leave a group from now on, and gives who is in it. Mirrors `pg:monitor/2`.
 *
 * **Details**
 *
 * The process `to` gets an {@link Event}, which its mailbox has to take, before `join` or `leave` return. Of a member that
 * ends each membership is an event of its own. The monitor ends with the process `to`.
 *
 * **Example**
 *
 * ```ts
 * import { Process, ProcessGroup } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const workers = ProcessGroup.make<never>("workers")
 * const seen: Array<string> = []
 *
 * const watcher = (self: Process.Self<ProcessGroup.Event<never>>) =>
 *   Effect.gen(function*() {
 *     const { members } = yield* ProcessGroup.monitor(workers, self.pid)
 *     seen.push(`${members.length} members`)
 *     yield* ProcessGroup.join(workers, yield* Process.spawn(() => Effect.void))
 *     for (let i = 0; i < 2; i++) seen.push((yield* self.receive)._tag)
 *   })
 *
 * await Effect.runPromise(Effect.flatMap(Process.spawn(watcher), Process.awaitExit))
 *
 * seen // => ["0 members", "Joined", "Left"]
 * ```
 *
 * @see {@link demonitor}, {@link monitorScope}, {@link watch} as a Stream
 * @category following
 * @since 0.1.0
 */
export const monitor = <M, E = never>(
  group: Group<M, E>,
  to: Pid<Event<M, E>, unknown>
): Effect.Effect<{ readonly ref: MonitorRef; readonly members: ReadonlyArray<Pid<M, E>> }> =>
  withScope(scopeNameOf(group), (scope) => {
    const name = nameOf(group)
    const ref = follow(scope, name, entryOfPid(to))
    return { ref, members: Groups.members(scope, name) }
  })

/**
 * Has a process told of all that join and leave any group of a scope, and gives who is in which. Mirrors
 * `pg:monitor_scope/1`.
 *
 * @see {@link monitor}
 * @category following
 * @since 0.1.0
 */
export const monitorScope = (
  scope: Scope,
  to: Pid<Event<never, unknown>, unknown>
): Effect.Effect<{
  readonly ref: MonitorRef
  readonly groups: ReadonlyMap<string, ReadonlyArray<Pid<never, unknown>>>
}> =>
  withScope(nameOfScope(scope), (scope) => ({
    ref: follow(scope, undefined, entryOfPid(to)),
    groups: new Map(Groups.groups(scope).map((name) => [name, Groups.members(scope, name)] as const))
  }))

/**
 * Ends a monitor, and takes what it has sent out of the mailbox of its process. Gives whether it was active. Mirrors
 * `pg:demonitor/2`.
 *
 * @category following
 * @since 0.1.0
 */
export const demonitor = (ref: MonitorRef): Effect.Effect<boolean> =>
  Effect.sync(() => {
    const monitor = Input.check("ref", "what ProcessGroup.monitor gave", ref instanceof Monitor, ref) as Monitor
    const active = monitor.end()
    const isOfIt = ({ message }: Mailbox.MailNode) => message instanceof Groups.Change && message.ref === monitor
    if (active) Mailbox.removeWhere(monitor.to, isOfIt)
    return active
  })

/**
 * Who is in a group now, and each time that this changes, in the order in which they joined.
 *
 * **Details**
 *
 * A consumer that is slow gets the latest, not all that was between. The stream ends when the scope is stopped.
 *
 * @see {@link monitor} for messages to a process
 * @category following
 * @since 0.1.0
 */
export const watch = <M = unknown, E = never>(
  group: string | Group<M, E>
): Stream.Stream<ReadonlyArray<Pid<M, E>>> =>
  Stream.callback<ReadonlyArray<Pid<M, E>>>((queue) =>
    Effect.acquireRelease(
      withScope(scopeNameOf(group), (scope) => {
        const name = nameOf(group)
        const changed = () => {
          Queue.offerUnsafe(queue, Groups.members(scope, name))
        }
        changed()
        const observer = { group: name, changed, stopped: () => void Queue.endUnsafe(queue) }
        scope.observers.add(observer)
        return () => scope.observers.delete(observer)
      }),
      (unsubscribe) => Effect.sync(unsubscribe)
    ), { bufferSize: 1, strategy: "sliding" }).pipe(Stream.changes)

// ----------------------------------------------------------------------------
// at runtime
// ----------------------------------------------------------------------------

/** A process that follows a group or a scope, until either of them ends, or it is told to. */
class Monitor implements MonitorRef, Groups.Observer, Watcher {
  declare readonly [RefTypeId]: typeof RefTypeId
  readonly scope: Groups.Scope
  readonly group: string | undefined
  readonly to: Entry

  constructor(scope: Groups.Scope, group: string | undefined, to: Entry) {
    this.scope = scope
    this.group = group
    this.to = to
  }

  changed(tag: Groups.Change["_tag"], group: string, pids: ReadonlyArray<Entry>): void {
    deliverUntold(this.to, new Groups.Change(tag, this, group, pids))
  }

  ended(): void {
    this.scope.observers.delete(this)
  }

  stopped(): void {
    this.to.watchers = FewSet.remove<Watcher>(this.to.watchers, this)
  }

  end(): boolean {
    this.stopped()
    return this.scope.observers.delete(this)
  }
}

const follow = (scope: Groups.Scope, group: string | undefined, to: Entry): Monitor => {
  const monitor = new Monitor(scope, group, to)
  if (to.status === ended) return monitor
  to.watchers = FewSet.add<Watcher>(to.watchers, monitor)
  scope.observers.add(monitor)
  return monitor
}

type AnyGroup = string | Group<never, unknown>

const withScope = <A>(name: () => string, f: (scope: Groups.Scope, table: ProcessTable) => A): Effect.Effect<A> =>
  Effect.withFiber((fiber) => {
    const table = tableOf(fiber)
    return Effect.succeed(f(Groups.scopeOf(table, name()), table))
  })

const checkGroup = (group: AnyGroup): AnyGroup => {
  const isGroup = typeof group === "object" && group !== null && TypeId in group
  return typeof group === "string" && group !== "" ? group : Input.check("group", "a string or a Group", isGroup, group)
}

const nameOf = (group: AnyGroup): string => typeof group === "string" ? group : group.name

const scopeNameOf = (group: AnyGroup) => () => {
  const checked = checkGroup(group)
  return (typeof checked === "string" ? defaultScope : checked.scope).name
}

const checkScope = (scope: Scope): Scope =>
  Input.check("scope", "a Scope", typeof scope === "object" && scope !== null && ScopeTypeId in scope, scope)

const nameOfScope = (scope: Scope) => () => checkScope(scope).name

// The groups of a Node are those of its own processes. None joins unless all can.
const entriesOf = (table: ProcessTable, pids: Pids<never, unknown>): ReadonlyArray<Entry> =>
  (Array.isArray(pids) ? pids as ReadonlyArray<Pid<never, unknown>> : [pids as Pid<never, unknown>]).map((pid) => {
    const entry = entryOfPid(pid)
    if (entry.table === table) return entry
    throw new TypeError(
      `pid: expected a process of the Node "${table.name}", got ${entry} of the Node "${entry.table.name}"`
    )
  })
