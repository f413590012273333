/**
 * Listens to a Node, and writes down what the processes do to each other and who waits for whom.
 *
 * @internal
 */
import { format } from "effect/Formatter"
import * as ExitReason from "../../ExitReason.ts"
import { Monitor } from "../../internal/lifecycle.ts"
import * as Mailbox from "../../internal/mailbox.ts"
import { present } from "../../internal/present.ts"
import type { Entry } from "../../internal/processTable.ts"
import { Cast, Request } from "../../internal/request.ts"
import * as Signal from "../../internal/signal.ts"
import type { Event, Wait } from "../../internal/tap.ts"
import { type Actor, actorOf, Actors, isProcess } from "./actors.ts"
import type { AnyFiber, LaneOwner, Listener } from "./lanes.ts"
import type { Kind, Lifeline, Step, Trace } from "./trace.ts"

const maxText = 160

/** Somebody who began to wait. */
export interface Waiting {
  readonly actor: Actor
  readonly wait: Wait<Entry>
}

export class Recorder implements Listener {
  private readonly actors = new Actors()
  private readonly lifelines: Array<{ title: string; readonly pid: string }> = [{ title: "test", pid: "" }]
  private readonly places = new Map<Actor, number>([["test", 0]])
  private fibers = 0
  private readonly steps: Array<Step> = []
  /** To whom a request went: a request itself knows an address only. */
  private readonly receivers = new WeakMap<object, Entry>()
  /** And from whom, where that is no process. */
  private readonly callers = new WeakMap<object, Actor>()
  private readonly links = new Set<string>()
  readonly waiting: Array<Waiting> = []
  /** Nothing is written down any more. */
  closed = false

  get trace(): Trace {
    return { lifelines: this.lifelines.map((lifeline): Lifeline => ({ ...lifeline })), steps: this.steps.slice() }
  }

  /** The fiber of the program itself, which is called what the test is. */
  begins(fiber: AnyFiber): void {
    this.places.set(fiber, 0)
  }

  /** A process, as it is called in the trace. */
  titleOf(actor: Actor): string {
    const { pid, title } = this.lifelines[this.place(actor)]!
    return pid === "" || pid === title ? title : `${title} ${pid}`
  }

  readonly listen = (event: Event<Entry>): void => {
    if (this.closed) return
    this.actors.follow(event)
    switch (event._tag) {
      case "Spawned":
        return this.add("spawn", event.by ?? this.actors.current, event.process, "spawn")
      case "Delivered":
        return this.delivered(event.process, event.node, event.taken)
      case "Settled":
        return event.request instanceof Request ? this.settled(event.request) : undefined
      case "ExitSent": {
        const { origin, process, reason, sender } = event
        const from = sender === process.table.outside ? this.actors.current : sender
        return this.add("exit", from, process, `${origin === "link" ? "link" : "exit"} ${shownReason(reason)}`)
      }
      case "Ended":
        return this.add("end", undefined, event.process, `ends ${shownReason(event.reason)}`)
      case "Named":
        this.lifelines[this.place(event.process)]!.title = event.name
        return this.add("name", undefined, event.process, `is named ${event.name}`)
      case "Linked":
        return this.linked(event.process, event.other)
      case "Unlinked":
        this.links.delete(this.pair(event.process, event.other))
        return this.add("unlink", event.process, event.other, "unlink")
      case "Monitored":
        return this.add("monitor", event.process, event.target, "monitor")
      case "Waits":
        this.waiting.push({ actor: this.actors.current, wait: event.wait })
    }
  }

  overtakes(chosen: LaneOwner, oldest: LaneOwner): void {
    const [next, first] = [this.ownerOf(chosen), this.ownerOf(oldest)]
    const of = next === first ? "a later step of it" : this.titleOf(next)
    this.add("deviation", undefined, next, `${of} runs before ${this.titleOf(first)}`)
  }

  stops(fiber: AnyFiber): void {
    const actor = actorOf(fiber)
    this.add("deviation", undefined, actor, `${this.titleOf(actor)} is stopped here, and others run`)
  }

  passed(millis: number): void {
    this.add("time", undefined, undefined, `${millis} ms pass`)
  }

  private linked(from: Entry, to: Entry): void {
    const pair = this.pair(from, to)
    // Who starts a child may link to it again, which changes nothing.
    if (this.links.has(pair)) return
    this.links.add(pair)
    const last = this.steps.at(-1)
    if (last?.kind === "spawn" && last.from === this.place(from) && last.to === this.place(to)) {
      this.steps[this.steps.length - 1] = { ...last, text: "spawn, linked" }
    } else this.add("link", from, to, "link")
  }

  private pair(a: Entry, b: Entry): string {
    return [this.place(a), this.place(b)].sort().join()
  }

  private delivered(to: Entry, node: Mailbox.MailNode, taken: boolean): void {
    const lost = taken ? "" : " (lost: it has ended)"
    const { message } = node
    if (node instanceof Request) {
      this.receivers.set(node, to)
      const what = node.kind === Mailbox.system ? "system request" : `call ${tagged(node.operation.tag, message)}`
      const caller = node.caller ?? this.actors.current
      this.callers.set(node, caller)
      this.add("call", caller, to, what + lost)
    } else if (node instanceof Cast) {
      this.add("cast", this.actors.current, to, `cast ${tagged(node.tag, message)}${lost}`)
    } else if (node.kind === Mailbox.system) {
      this.add("exit", this.actors.current, to, `stop ${shownReason(message as ExitReason.ExitReason)}${lost}`)
    } else if (node.kind === Mailbox.signal) {
      this.signalled(to, message, lost)
    } else {
      const what = node.kind === Mailbox.timeout ? "timeout" : shown(message)
      this.add("message", this.actors.current, to, what + lost)
    }
  }

  private signalled(to: Entry, message: unknown, lost: string): void {
    if (Signal.isDown(message)) {
      const { reason, ref } = message as Signal.Down
      const from = ref instanceof Monitor && ref.target !== to ? ref.target : undefined
      this.add("down", from, to, `Down ${shownReason(reason)}${lost}`)
    } else if (Signal.isExit(message)) {
      // That it was sent has been told just before, unless nobody is there who could send.
      const last = this.steps.at(-1)
      const from = this.place(message.pid as Entry)
      if (last?.kind === "exit" && last.from === from && last.to === this.place(to)) {
        this.steps[this.steps.length - 1] = { ...last, text: `${last.text} (trapped)` }
      } else this.add("exit", message.pid as Entry, to, `exit ${shownReason(message.reason)} (trapped)`)
    } else this.add("signal", this.actors.current, to, shown(message) + lost)
  }

  private settled(request: Request): void {
    const { exit } = request
    const from = this.receivers.get(request)
    const caller = request.caller ?? this.callers.get(request) ?? "test"
    if (request.isAnswered) return this.add("reply", from ?? this.actors.current, caller, `reply ${shownExit(exit!)}`)
    this.add("reply", undefined, caller, `${request.operation.tag} fails: ${shownExit(exit!)}`)
  }

  private ownerOf(owner: LaneOwner): Actor {
    if (owner === undefined) return "clock"
    if (owner instanceof Request) return owner.caller ?? this.callers.get(owner) ?? "test"
    if ("run" in owner) return isEntry(owner) ? owner : "test"
    return actorOf(owner)
  }

  private place(actor: Actor): number {
    let place = this.places.get(actor)
    if (place === undefined) {
      place = this.lifelines.length
      this.places.set(actor, place)
      this.lifelines.push(
        isProcess(actor)
          ? lifelineOf(actor)
          : { title: typeof actor === "string" ? actor : `test/${++this.fibers}`, pid: "" }
      )
    }
    return place
  }

  private add(kind: Kind, from: Actor | undefined, to: Actor | undefined, text: string): void {
    this.steps.push({
      kind,
      from: from === undefined ? undefined : this.place(from),
      to: to === undefined ? undefined : this.place(to),
      text
    })
  }
}

const isEntry = (runnable: object): runnable is Entry => "behaviour" in runnable

const lifelineOf = (entry: Entry) => ({
  title: entry.name?.toString() ?? entry.label ?? entry.behaviour.initialCall?.(entry) ?? entry.toString(),
  pid: entry.toString()
})

const shown = (value: unknown): string => {
  const text = format(present(value))
  return text.length > maxText ? `${text.slice(0, maxText)}…` : text
}

const shownReason = (reason: ExitReason.ExitReason): string => {
  const text = ExitReason.format(reason)
  const line = text.split("\n", 1)[0]!
  return line.length > maxText ? `${line.slice(0, maxText)}…` : line
}

const tagged = (tag: string, payload: unknown): string => payload === undefined ? tag : `${tag} ${shown(payload)}`

const shownExit = (exit: NonNullable<Request["exit"]>): string => {
  if (exit._tag === "Success") return exit.value === undefined ? "" : shown(exit.value)
  const reason = ExitReason.fromExit(exit)
  return shownReason(reason).replace("Crashed: ", "")
}
