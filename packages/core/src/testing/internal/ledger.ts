/**
 * Listens to a Node, and keeps what has been made in it and is still there, each with where it was made.
 *
 * @internal
 */
import * as Fiber from "effect/Fiber"
import { format } from "effect/Formatter"
import { present } from "../../internal/present.ts"
import { ended, type Entry } from "../../internal/processTable.ts"
import type { Event, Wait } from "../../internal/tap.ts"
import { whereOf } from "../../internal/where.ts"
import { type Actor, Actors, isProcess } from "./actors.ts"

/** What may be left over. */
export type LeakKind = "process" | "name" | "link" | "monitor" | "timer" | "waiter"

/** Something that was made, and has not gone. */
export interface Leak {
  readonly kind: LeakKind
  /** In words: what it is, and whose. */
  readonly what: string
  /** Where in the code it was made, as `file:line:column`, if that is known. */
  readonly where: string | undefined
}

interface Made {
  readonly where: string | undefined
}

interface Waiting extends Made {
  readonly actor: Actor
  readonly wait: Wait<Entry>
}

interface Pair extends Made {
  readonly from: Entry
  readonly to: Entry
}

/** A timer that sends a message. Those that limit a wait go with it, and have neither a target nor a message. */
interface MessageTimer {
  readonly target: unknown
  readonly message: unknown
}

const isMessageTimer = (timer: object): timer is MessageTimer => "target" in timer && "message" in timer

export class Ledger {
  private readonly actors = new Actors()
  private readonly processes = new Map<Entry, Made & { readonly by: Actor; readonly title: string }>()
  private readonly names = new Map<Entry, Made & { readonly name: string }>()
  private readonly links = new Set<Pair>()
  private readonly monitors = new Map<object, Pair>()
  private readonly timers = new Map<object, Made>()
  /** Where a timer was set that has fired: one that fires again and again is set by itself. */
  private readonly fired = new WeakMap<object, Made>()
  private readonly waiting = new Set<Waiting>()

  readonly listen = (event: Event<Entry>): void => {
    this.actors.follow(event)
    switch (event._tag) {
      case "Spawned": {
        const by = event.by ?? this.actors.current
        this.processes.set(event.process, { where: this.whereBy(by), by, title: titleOf(event.process) })
        break
      }
      case "Closed":
        this.processes.delete(event.process)
        break
      case "Ended":
        return this.ended(event.process)
      case "Named":
        this.names.set(event.process, { where: this.where, name: event.name })
        break
      case "Unnamed":
        this.names.delete(event.process)
        break
      case "Linked":
        if (this.linksOf(event.process, event.other).length > 0) return
        this.links.add({ where: this.whereBy(event.process), from: event.process, to: event.other })
        break
      case "Unlinked":
        for (const link of this.linksOf(event.process, event.other)) this.links.delete(link)
        break
      case "Monitored":
        this.monitors.set(event.monitor, { where: this.whereBy(event.process), from: event.process, to: event.target })
        break
      case "Demonitored":
        this.monitors.delete(event.monitor)
        break
      case "TimerSet":
        if (isMessageTimer(event.timer)) {
          this.timers.set(event.timer, this.fired.get(event.timer) ?? { where: this.where })
        }
        break
      case "TimerFires": {
        const made = this.timers.get(event.timer)
        if (made !== undefined) this.fired.set(event.timer, made)
        this.timers.delete(event.timer)
        break
      }
      case "TimerCancelled":
        this.timers.delete(event.timer)
        break
      case "Waits":
        this.waiting.add({ where: this.where, actor: this.actors.current, wait: event.wait })
    }
  }

  /** What is left: processes, and then what is theirs or nobody's. */
  get leaks(): ReadonlyArray<Leak> {
    const leaks: Array<Leak> = []
    const add = (kind: LeakKind, what: string, { where }: Made) => leaks.push({ kind, what, where })
    for (const [entry, made] of this.processes) {
      const by = isProcess(made.by) ? `, started by ${titleOf(made.by)}` : ""
      add(
        "process",
        `the process ${made.title}${
          entry.status === ended ? ", which has ended and has a finalizer that does not" : ""
        }${by}`,
        made
      )
    }
    for (const [entry, made] of this.names) add("name", `the name ${format(made.name)} of ${entry}`, made)
    for (const link of this.links) add("link", `the link between ${link.from} and ${link.to}`, link)
    for (const monitor of this.monitors.values()) {
      add("monitor", `the monitor of ${monitor.to} that ${monitor.from} has`, monitor)
    }
    for (const [timer, made] of this.timers) add("timer", timerInWords(timer as MessageTimer), made)
    for (const waiting of this.waiting) {
      const { of, what } = waiting.wait
      if (waiting.wait.isOver()) continue
      const who = isProcess(waiting.actor) ? titleOf(waiting.actor) : "a fiber of no process"
      add("waiter", `${who} that waits for ${what}${of === undefined ? "" : ` of ${titleOf(of)}`}`, waiting)
    }
    return leaks
  }

  private get where(): string | undefined {
    return whereOf(Fiber.getCurrent())
  }

  // What a supervisor does by itself it does because somebody has started it.
  private whereBy(actor: Actor): string | undefined {
    return this.where ?? (isProcess(actor) ? this.processes.get(actor)?.where : undefined)
  }

  private ended(entry: Entry): void {
    for (const link of this.links) {
      if (link.from === entry || link.to === entry) this.links.delete(link)
    }
    for (const [monitor, { from, to }] of this.monitors) {
      if (from === entry || to === entry) this.monitors.delete(monitor)
    }
    for (const waiting of this.waiting) {
      if (waiting.wait.isOver()) this.waiting.delete(waiting)
    }
  }

  private linksOf(a: Entry, b: Entry): ReadonlyArray<Pair> {
    return [...this.links].filter(({ from, to }) => (from === a && to === b) || (from === b && to === a))
  }
}

const titleOf = (actor: Entry): string => {
  const title = actor.name ?? actor.label ?? actor.behaviour.initialCall?.(actor)
  return title === undefined ? actor.toString() : `${title} ${actor}`
}

const timerInWords = ({ message, target }: MessageTimer): string => {
  const shown = format(present(message))
  return `the timer that sends ${shown.length > 80 ? `${shown.slice(0, 80)}…` : shown} to ${String(target)}`
}
