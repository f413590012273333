/**
 * What stands behind an alias: its owner, and whether it is active.
 *
 * Nothing holds an alias but those who were given it, so one that is dropped costs nothing, and a process without
 * aliases pays nothing for them. That its owner is alive is read from the owner, and told to no alias.
 *
 * @internal
 */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import type * as ExitReason from "../ExitReason.ts"
import type { Target } from "../Name.ts"
import { isPid, type Pid } from "../Pid.ts"
import * as Input from "./input.ts"
import { deliverUntold, demonitor, Monitor } from "./lifecycle.ts"
import { alive, type Entry } from "./processTable.ts"
import type { Down, MonitorRef } from "./signal.ts"

const TypeId = "~@effect-otp/core/Alias"

/**
 * A reference that stands for a process as long as it is active: a destination for messages of type `M`, and nothing else.
 *
 * **When to use**
 *
 * Hand it out where an answer is wanted and a late one is not. To be reached for as long as one lives, hand out the pid.
 *
 * **Details**
 *
 * It mirrors the alias of Erlang. `Process.send`, `sendAfter` and `sendInterval` take it; it cannot be monitored, linked,
 * registered or looked up. It is equal to nothing but itself and never comes back: what is sent to one that is inactive,
 * or whose process has ended, is dropped without a word.
 *
 * @see {@link Pid}
 * @category models
 * @since 0.1.0
 */
export interface Alias<in M> {
  readonly [TypeId]: { readonly _M: (_: M) => void }
  toString(): string
  toJSON(): unknown
}

/**
 * Whatever a message can be sent to: a process by its pid or a name, or an alias.
 *
 * @category models
 * @since 0.1.0
 */
export type Destination<M, E = never> = Target<M, E> | Alias<M>

/**
 * When a monitor that is an alias, too, stops being one: when it is told to; when the monitor is gone; or then, and with
 * the first message that comes through it, which takes the monitor along. `Process.unalias` does it in each case.
 *
 * @category models
 * @since 0.1.0
 */
export type AliasMode = "explicitUnalias" | "demonitor" | "replyDemonitor"

export const modes: ReadonlyArray<AliasMode> = ["explicitUnalias", "demonitor", "replyDemonitor"]

/** Of `Process.Self`, what tells the type of the messages that a process takes. */
export interface Handle<in M> {
  readonly pid: Pid<M, unknown>
}

interface AliasRecord extends Alias<unknown> {
  readonly owner: Entry
  /** The first message through it is the last. */
  readonly once: boolean
  active: boolean
}

let last = 0

export class OwnAlias implements AliasRecord {
  declare readonly [TypeId]: Alias<unknown>[typeof TypeId]
  declare readonly toJSON: () => unknown
  readonly id = ++last
  readonly owner: Entry
  readonly once: boolean
  active = true

  constructor(owner: Entry, once: boolean) {
    this.owner = owner
    this.once = once
  }
}

/** A monitor that is an alias of its watcher, too. */
export class AliasMonitor extends Monitor implements AliasRecord {
  declare readonly [TypeId]: Alias<unknown>[typeof TypeId]
  declare readonly toJSON: () => unknown
  readonly id = ++last
  readonly mode: AliasMode
  active: boolean

  constructor(watcher: Entry, target: Entry | undefined, shown: Down["target"], tag: string, mode: AliasMode) {
    super(watcher, target ?? watcher, shown, tag)
    this.mode = mode
    // There is no monitor of oneself, and on the BEAM no alias that comes with it.
    this.active = target !== watcher
  }

  get owner(): Entry {
    return this.watcher
  }

  get once(): boolean {
    return this.mode === "replyDemonitor"
  }

  override ended(reason: ExitReason.ExitReason): void {
    super.ended(reason)
    monitorGone(this)
  }
}

const methods: ThisType<{ readonly id: number }> = {
  toString(): string {
    return `#Alias<0.${this.id}.0>`
  },
  toJSON(): unknown {
    return this.toString()
  },
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString()
  },
  [Equal.symbol](that: unknown): boolean {
    return this === that
  },
  [Hash.symbol](): number {
    return Hash.number(this.id)
  }
}
for (const { prototype } of [OwnAlias, AliasMonitor]) {
  Object.defineProperties(prototype, Object.getOwnPropertyDescriptors(methods))
  Object.defineProperty(prototype, TypeId, { value: TypeId })
}

export const isAlias = (u: unknown): u is Alias<never> => u instanceof OwnAlias || u instanceof AliasMonitor

export const ownerOf = (alias: Alias<never>): Entry => (alias as AliasRecord).owner

export const isActive = (alias: Alias<never>): boolean =>
  (alias as AliasRecord).active && ownerOf(alias).status === alive

/** Delivers through an alias. What comes through one that is inactive, or finds no room, is dropped. */
export const sendThrough = (alias: Alias<never>, message: unknown): void => {
  if (!isActive(alias)) return
  const record = alias as AliasRecord
  deliverUntold(record.owner, message)
  if (!record.once) return
  record.active = false
  if (record instanceof AliasMonitor) demonitor(record)
}

/** Makes an alias of `caller` inactive, and tells whether there was one. */
export const unalias = (caller: Entry, alias: Alias<never>): boolean => {
  if (ownerOf(alias) !== caller || !isActive(alias)) return false
  const record = alias as AliasRecord
  record.active = false
  return true
}

/** A monitor was taken back, or has told its Down. */
export const monitorGone = (ref: MonitorRef): void => {
  if (ref instanceof AliasMonitor && ref.mode !== "explicitUnalias") ref.active = false
}

/** What comes through an alias has the type of the mailbox that `self` is of, so it has to be the caller's. */
export const checkHandle = (caller: Entry, self: Handle<never> | undefined): void => {
  if (self?.pid !== caller) {
    Input.check("self", `the Process.Self of ${caller}`, false, isPid(self?.pid) ? self.pid : self)
  }
}
