/**
 * What one run of a scenario on this library knows: who is called what, and what has happened.
 */
import { ExitReason, type GenServer, OtpError, Process } from "@effect-otp/core"
import * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import type * as Scenario from "./Scenario.ts"
import type { Event } from "./Trace.ts"

/** A message of one process, or of a timer, to another. */
export class Text {
  readonly from: string
  readonly text: string

  constructor(from: string, text: string) {
    this.from = from
    this.text = text
  }
}

/** What a process is told to do. */
export class Do {
  readonly commands: ReadonlyArray<readonly [label: string, command: Scenario.Command]>

  constructor(commands: Do["commands"]) {
    this.commands = commands
  }
}

export type Message = Do | Text | Process.Down | Process.Exit

/** Everybody takes texts; only those without a server take orders by message. */
export type Pid = Process.Pid<Text | Do>

export type Kind = "plain" | "server" | "supervisor"

/** Who does something, and how its process goes on. */
export interface Who {
  readonly me: string
  readonly kind: Kind | "outside"
  /** Of a process without a server. */
  readonly self?: Process.Self<Message>
}

/** How it goes on with a process that has done what it was told. */
export type Next =
  | { readonly _tag: "GoOn" | "Finish" | "Crash" }
  | { readonly _tag: "Stop"; readonly reason: ExitReason.ExitReason }

export interface Entity {
  readonly name: string
  readonly kind: Kind
  readonly pid: Pid
  ended: boolean
}

export class World {
  events: Array<Event> = []
  readonly entities: Array<Entity> = []
  readonly #latest = new Map<Scenario.Ref, Entity>()
  #known: ReadonlyMap<Scenario.Ref, Entity> = this.#latest
  readonly births = new Map<Scenario.Ref, number>()
  readonly monitors = new Map<string, Process.MonitorRef>()
  readonly refs = new Map<Process.MonitorRef, string>()
  readonly timers = new Map<string, Process.TimerRef>()
  /** Who waits for an answer of which server, the oldest first. */
  readonly froms = new Map<string, Array<GenServer.From<string>>>()
  readonly #names = new Map<Process.Pid<never, unknown>, string>()

  /** Does what a process was told. It is given from outside, since what is started obeys, and who obeys starts. */
  declare perform: (who: Who, commands: Do["commands"]) => Effect.Effect<Next, never, Process.Provided<Message>>

  note(...event: Event): void {
    this.events.push(event)
  }

  /** The name of the next incarnation of a child, and its number. */
  birth(path: Scenario.Ref): readonly [name: string, incarnation: number] {
    const n = (this.births.get(path) ?? 0) + 1
    this.births.set(path, n)
    return [`${path}#${n}`, n]
  }

  born(name: string, path: Scenario.Ref, kind: Kind, pid: Process.Pid<never, unknown>): void {
    // Nothing is sent to it that its kind does not take.
    const entity: Entity = { name, kind, pid: pid as Pid, ended: false }
    this.entities.push(entity)
    this.#latest.set(path, entity)
    this.#names.set(pid, name)
  }

  beginStep(): void {
    this.#known = new Map(this.#latest)
  }

  /** A child is the one that there was when the step began: those of others come and go in the middle of it. */
  find(ref: Scenario.Ref): Entity | undefined {
    return (ref.includes("/") ? this.#known : this.#latest).get(ref)
  }

  nameOf(pid: Process.Pid<never, unknown>): string {
    return this.#names.get(pid) ?? (String(pid) === "#PID<0.0.0>" ? "outside" : "?")
  }

  isKnown(pid: Process.Pid<never, unknown>): boolean {
    return this.#names.has(pid)
  }

  watches(name: string, ref: Process.MonitorRef): string {
    this.monitors.set(name, ref)
    this.refs.set(ref, name)
    return name
  }

  /** A message as an observer saw it. */
  saw(who: string, message: Exclude<Message, Do>): void {
    if (Process.isDown(message)) {
      const of = typeof message.target === "string" ? `name ${message.target}` : this.nameOf(message.target)
      this.note("saw", who, of, `DOWN ${this.refs.get(message.ref)} ${showReason(message.reason)}`)
    } else if (Process.isExit(message)) {
      this.note("saw", who, this.nameOf(message.pid), `EXIT ${showReason(message.reason)}`)
    } else this.note("saw", who, message.from, message.text)
  }

  failure({ childPath, reason }: OtpError.StartError<unknown>): string {
    const where = childPath.length === 0 ? "" : `${childPath.join("/")} `
    switch (reason._tag) {
      case "AlreadyStarted":
        return `${where}already ${this.nameOf(reason.pid)}`
      case "Stopped":
        return `${where}failed ${showReason(reason.reason)}`
      case "Crashed":
        return `${where}failed ${showReason(ExitReason.crashed(reason.cause))}`
      case "Ignored":
        return `${where}ignored`
      case "DuplicateId":
        return "already present"
      default:
        return `${where}${reason._tag}`
    }
  }
}

// ----------------------------------------------------------------------------
// reasons
// ----------------------------------------------------------------------------

const plain: Readonly<Record<string, ExitReason.ExitReason>> = {
  normal: ExitReason.normal,
  shutdown: ExitReason.shutdown(),
  kill: ExitReason.kill,
  killed: ExitReason.killed,
  noproc: ExitReason.noProcess
}

export const toReason = (text: Scenario.Reason): ExitReason.ExitReason =>
  plain[text] ??
    (text.startsWith("shutdown ") ? ExitReason.shutdown(text.slice("shutdown ".length)) : ExitReason.custom(text))

const words = { Normal: "normal", Kill: "kill", Killed: "killed", NoProcess: "noproc", NoConnection: "noconnection" }

export const showReason = (reason: ExitReason.ExitReason): string => {
  switch (reason._tag) {
    case "Shutdown":
      if (reason.term instanceof OtpError.StartError) return "shutdown failed"
      return reason.term === undefined ? "shutdown" : `shutdown ${reason.term}`
    case "Custom":
      return String(reason.term)
    case "Crashed": {
      const error = Cause.squash(reason.cause)
      return `crash ${error instanceof Error ? error.message : error}`
    }
    default:
      return words[reason._tag]
  }
}
