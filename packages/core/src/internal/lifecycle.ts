/**
 * Messages and signals on their way to a process, and what happens when it ends.
 *
 * Everything here is synchronous, which is what makes one order out of messages and signals. A message puts its receiver
 * into the run queue. A fatal signal stops its receiver at once: not one more instruction of it runs but its finalizers.
 * That it has ended is told in a turn of its own, as on the BEAM, where the sender of a signal goes on meanwhile; so a
 * chain of a hundred thousand links does not overflow the stack either.
 *
 * @internal
 */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as ExitReason from "../ExitReason.ts"
import { isVia, type Via } from "../Name.ts"
import { RegistrationError } from "../OtpError.ts"
import { Bounds, type Limits } from "./bounds.ts"
import * as FewSet from "./fewSet.ts"
import * as Mailbox from "./mailbox.ts"
import { alive, ended, ending, type Entry, remove, takeTurn, type Watcher, type Watching } from "./processTable.ts"
import * as Resolver from "./resolver.ts"
import type { RunQueue } from "./runQueue.ts"
import * as Signal from "./signal.ts"

// ----------------------------------------------------------------------------
// messages
// ----------------------------------------------------------------------------

export const wake = (entry: Entry): void => {
  if (entry.scheduled) return
  entry.scheduled = true
  entry.runQueue.schedule(entry)
}

/** A process that is ending or has ended takes nothing: the message is dropped, as in OTP. */
export const deliver = (entry: Entry, node: Mailbox.MailNode): boolean => {
  if (entry.table.tap !== undefined) tellDelivery(entry, node)
  if (entry.status !== alive) return false
  Mailbox.push(entry, node)
  if (entry.waiting) wake(entry)
  return true
}

// By itself: the literal would make a delivery too long to be inlined.
const tellDelivery = (entry: Entry, node: Mailbox.MailNode): void =>
  entry.table.tap?.({ _tag: "Delivered", process: entry, node, taken: entry.status === alive })

// Each nests some twenty frames: far from what a stack can hold. What is deeper takes the run queue.
const maxNested = 32

/**
 * Whether a process that nothing keeps busy may take its turn within the turn of a sender. One that was told to end may
 * still be marked as waiting: whoever pushed into its mailbox now would never be answered. Only where both run in the same
 * shared drain, since any other scheduler must decide the order itself.
 */
export const takesNow = (entry: Entry, queue: RunQueue): boolean =>
  entry.status === alive && entry.waiting && queue.isShared && entry.runQueue === queue &&
  entry.table.nested < maxNested

/**
 * Delivers to a process that {@link takesNow}, and lets it take its turn at once: what is in its mailbox first, and then
 * this. A turn that it has in the run queue stays there, for what may be left.
 */
export const deliverNow = (entry: Entry, node: Mailbox.MailNode): void => {
  const { table } = entry
  if (table.tap !== undefined) tellDelivery(entry, node)
  table.nested++
  Mailbox.push(entry, node)
  takeTurn(entry)
  table.nested--
}

/** Lets a process take a turn within that of its starter, where {@link takesNow} would; answers whether it has. */
export const turnNow = (entry: Entry): boolean => {
  const { table } = entry
  if (!entry.runQueue.isShared || table.nested >= maxNested) return false
  table.nested++
  takeTurn(entry)
  table.nested--
  return true
}

export const deliverMessage = (entry: Entry, message: unknown): boolean =>
  deliver(entry, { kind: Mailbox.user, message, next: undefined })

/** Delivers a message of which nobody can be told that there is no room for it: it is dropped then. */
export const deliverUntold = (entry: Entry, message: unknown): void => {
  const { bounds } = entry
  if (bounds === undefined) deliverMessage(entry, message)
  else bounds.offer(entry, { kind: Mailbox.user, message, next: undefined }, false)
}

/** Bounds the mailbox of a process that has not had its first turn. */
export const bound = (entry: Entry, limits: Limits | undefined): void => {
  if (limits !== undefined) entry.bounds = new Bounds(limits, entry.runQueue, (node) => deliver(entry, node))
}

/** The process takes nothing any more: whoever waits for room in its mailbox waits in vain. */
export const unbound = (entry: Entry): void => {
  const { bounds } = entry
  if (bounds === undefined) return
  entry.bounds = undefined
  bounds.release()
}

export const deliverSignal = (entry: Entry, message: Signal.Signal): boolean =>
  deliver(entry, { kind: Mailbox.signal, message, next: undefined })

// ----------------------------------------------------------------------------
// exit signals
// ----------------------------------------------------------------------------

export const sendExit = (
  entry: Entry,
  sender: Entry,
  reason: ExitReason.ExitReason,
  origin: Signal.Origin
): void => {
  if (entry.status === ended) return
  entry.table.tap?.({ _tag: "ExitSent", process: entry, sender, reason, origin })
  const outcome = Signal.onExitSignal(reason, origin, entry.trapsExit, sender === entry)
  if (outcome === "kill") return killNow(entry)
  // Only the first fatal signal counts.
  if (entry.status !== alive || outcome === "ignore") return
  if (outcome === "message") deliverSignal(entry, Signal.exit(sender, reason))
  else beginEnding(entry, outcome)
}

/**
 * Asks a process to stop: a server in the order of its mailbox, any other by an exit signal. A server does it even when it
 * traps exits, as OTP's `gen:stop` does.
 */
export const requestStop = (entry: Entry, sender: Entry, reason: ExitReason.ExitReason): void => {
  if (entry.behaviour.takesStop) deliver(entry, { kind: Mailbox.system, message: reason, next: undefined })
  else sendExit(entry, sender, reason, "exit")
}

/** From here on the process takes no message and is not alive, and only its finalizers run. */
export const beginEnding = (entry: Entry, reason: ExitReason.ExitReason): void => {
  if (entry.status !== alive) return
  entry.status = ending
  entry.reason = reason
  unbound(entry)
  stop(entry)
}

// A kill waits for nobody: the others are told now, and finalizers run on behind.
const killNow = (entry: Entry): void => {
  finish(entry, ExitReason.killed)
  stop(entry)
}

// A finalizer may end another process, whose finalizer may end yet another, each inside the one before it. One that is too
// deep ends in a turn of its own.
const stop = (entry: Entry): void => {
  const { table } = entry
  if (table.nested >= maxNested) return wake(entry)
  table.nested++
  entry.behaviour.end(entry)
  table.nested--
}

// ----------------------------------------------------------------------------
// the end
// ----------------------------------------------------------------------------

/** Frees the name, and then tells links, watchers and everybody whose request is still queued. */
export const finish = (entry: Entry, reason: ExitReason.ExitReason): void => {
  entry.status = ended
  entry.reason = reason
  unbound(entry)
  remove(entry.table, entry)
  entry.table.tap?.({ _tag: "Ended", process: entry, reason })
  unregister(entry)
  const { links, monitors, watchers } = entry
  entry.links = entry.watchers = entry.monitors = undefined
  FewSet.forEach(monitors, (watching) => {
    watching.target.watchers = FewSet.remove<Watcher>(watching.target.watchers, watching)
  })
  FewSet.forEach(links, (linked) => {
    linked.links = FewSet.remove(linked.links, entry)
    sendExit(linked, entry, reason, "link")
  })
  FewSet.forEach(watchers, (watcher) => watcher.ended(reason))
  for (let node = Mailbox.clear(entry); node !== undefined; node = node.next) node.dropped?.(reason)
}

/** Nothing of the process runs any more, and its end can be told. */
export const conclude = (entry: Entry): void => {
  if (entry.status !== ended) finish(entry, entry.reason!)
  close(entry)
}

/** Nothing of the process runs any more: whoever waits for its resources may go on. */
const close = (entry: Entry): void => {
  entry.closed = true
  entry.table.tap?.({ _tag: "Closed", process: entry })
  const watchers = entry.closeWatchers
  entry.closeWatchers = undefined
  entry.empty()
  // It must not hold the context of a process that has ended.
  if (entry.table.lastOrigin?.process === entry) entry.table.lastOrigin = undefined
  FewSet.forEach(watchers, (watcher) => watcher.ended(entry.reason!))
}

/** Gives a process its name, or says why it cannot have it. */
export const register = (entry: Entry, name: Entry["name"] & {}): RegistrationError | undefined => {
  const refuse = (reason: RegistrationError["reason"]) => new RegistrationError({ name: name.toString(), reason })
  if (entry.status !== alive) return refuse({ _tag: "NotAlive", pid: entry })
  if (entry.name !== undefined) return refuse({ _tag: "AlreadyNamed", holds: entry.name.toString() })
  if (isVia(name)) {
    if (!name.register(entry)) {
      const holder = name.whereis()
      if (holder === undefined) throw new Error(`${name}: the resolver refuses this key, which nobody holds`)
      return refuse({ _tag: "NameTaken", holder })
    }
  } else {
    const holder = entry.table.names.get(name)
    if (holder !== undefined) return refuse({ _tag: "NameTaken", holder })
    entry.table.names.set(name, entry)
  }
  entry.name = name
  entry.ownLineage = undefined
  entry.table.tap?.({ _tag: "Named", process: entry, name: name.toString() })
  return undefined
}

/** What its children are told of it from now on has the new label in it. */
export const setLabel = (entry: Entry, label: string): void => {
  entry.label = label
  entry.ownLineage = undefined
}

export const unregister = (entry: Entry): void => {
  const name = entry.name
  if (name === undefined) return
  entry.name = undefined
  entry.table.tap?.({ _tag: "Unnamed", process: entry, name: name.toString() })
  if (!isVia(name)) entry.table.names.delete(name)
  else {
    Resolver.guarded(entry.context, name, (name) => {
      // The key may be another's by now, if it was taken back behind our back.
      if (name.whereis() === entry) name.unregister()
    })
  }
}

/** Takes a key from its holder, who may have been given it by the resolver itself and be named otherwise. */
export const unregisterVia = (entry: Entry, name: Via<never, unknown>): void => {
  name.unregister()
  if (entry.name !== undefined && isVia(entry.name) && entry.name.whereis() !== entry) entry.name = undefined
}

// ----------------------------------------------------------------------------
// links and monitors
// ----------------------------------------------------------------------------

/** One process watching another. It is the reference that the watching process was given, too. */
export class Monitor implements Watching, Signal.MonitorRef {
  declare readonly [Signal.MonitorRefTypeId]: typeof Signal.MonitorRefTypeId
  readonly watcher: Entry
  readonly target: Entry
  readonly downTarget: Signal.Down["target"]
  readonly tag: string

  constructor(watcher: Entry, target: Entry, shown: Signal.Down["target"], tag: string) {
    this.watcher = watcher
    this.target = target
    this.downTarget = shown
    this.tag = tag
  }

  ended(reason: ExitReason.ExitReason): void {
    this.watcher.monitors = FewSet.remove(this.watcher.monitors, this)
    deliverSignal(this.watcher, Signal.down(this.tag, this, this.downTarget, reason))
  }

  // By default two monitors of one process would be equal.
  [Equal.symbol](that: unknown): boolean {
    return this === that
  }

  [Hash.symbol](): number {
    return Hash.random(this)
  }
}

/** Links two processes, of which the other may be ending: its real reason then comes when it has ended. */
export const link = (self: Entry, other: Entry): void => {
  if (self === other) return
  // The finalizers of a process that was killed still run: it has no links any more, and the other one has its reason.
  if (self.status === ended) return sendExit(other, self, self.reason!, "link")
  self.links = FewSet.add(self.links, other)
  other.links = FewSet.add(other.links, self)
  self.table.tap?.({ _tag: "Linked", process: self, other })
}

export const unlink = (self: Entry, other: Entry): void => {
  self.links = FewSet.remove(self.links, other)
  other.links = FewSet.remove(other.links, self)
  self.table.tap?.({ _tag: "Unlinked", process: self, other })
}

/** The exit of a process that has ended, as a process that traps exits sees it. */
export const deliverNoProcess = (self: Entry, other: Entry): boolean =>
  deliverSignal(self, Signal.exit(other, ExitReason.noProcess))

/** Watches `target` for `watcher`. */
export const monitor = (watcher: Entry, target: Entry | undefined, shown: Signal.Down["target"]): Monitor =>
  watch(new Monitor(watcher, target ?? watcher, shown, "Down"), target)

/** Sets a monitor on its target. One that has ended, or a name that nobody holds, is reported at once. */
export const watch = <Ref extends Monitor>(ref: Ref, target: Entry | undefined): Ref => {
  const { watcher } = ref
  if (target === undefined || target.status === ended) {
    ref.ended(ExitReason.noProcess)
  } else if (target !== watcher && watcher.status !== ended) {
    target.watchers = FewSet.add<Watcher>(target.watchers, ref)
    watcher.monitors = FewSet.add(watcher.monitors, ref)
    target.table.tap?.({ _tag: "Monitored", process: watcher, target, monitor: ref })
  }
  return ref
}

export const demonitor = (ref: Monitor): boolean => {
  if (!FewSet.has<Watcher>(ref.target.watchers, ref)) return false
  ref.target.watchers = FewSet.remove<Watcher>(ref.target.watchers, ref)
  ref.watcher.monitors = FewSet.remove(ref.watcher.monitors, ref)
  ref.target.table.tap?.({ _tag: "Demonitored", monitor: ref })
  return true
}

/** Removes the Down of a monitor from the mailbox of its owner. */
export const flush = (ref: Monitor): void =>
  Mailbox.removeWhere(
    ref.watcher,
    ({ kind, message }) => kind === Mailbox.signal && Signal.isDown(message) && message.ref === ref
  )

/** Removes the Exit of a process from the mailbox of another one. */
export const flushExit = (self: Entry, other: Entry): void =>
  Mailbox.removeWhere(
    self,
    ({ kind, message }) => kind === Mailbox.signal && Signal.isExit(message) && message.pid === other
  )
