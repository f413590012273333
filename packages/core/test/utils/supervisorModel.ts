/**
 * What a supervisor does, written down as simply as it can be said: a list of children and a queue of what it is told. It
 * knows nothing of how ours is made.
 */
import type * as ChildSpec from "@effect-otp/core/ChildSpec"

export type Strategy = "one_for_one" | "rest_for_one" | "one_for_all"

export interface Child {
  readonly id: string
  readonly restart: ChildSpec.Restart
  /** `dead`: it has ended, and the supervisor has not been told yet. */
  status: "up" | "dead" | "down"
  /** The reminder to start it again that counts. */
  retry: object | undefined
  /** How many of its next starts fail. */
  refusals: number
}

type Told = { readonly exit: Child; readonly isClean: boolean } | { readonly retry: Child; readonly reminder: object }

export class Model {
  readonly strategy: Strategy
  readonly maxRestarts: number
  readonly within: number
  children: Array<Child> = []
  isAlive = true
  now = 0
  /** What the children tell, in order. */
  events: Array<string> = []
  #restarts: Array<number> = []
  readonly #queue: Array<Told> = []

  constructor(strategy: Strategy, maxRestarts: number, within: number) {
    this.strategy = strategy
    this.maxRestarts = maxRestarts
    this.within = within
  }

  find(id: string): Child | undefined {
    return this.children.find((child) => child.id === id)
  }

  add(id: string, restart: ChildSpec.Restart, refusals: number): boolean {
    const child: Child = { id, restart, status: "down", retry: undefined, refusals }
    if (!this.#start(child)) return false
    this.children.push(child)
    return true
  }

  terminate(child: Child): void {
    this.#stop(child)
    if (child.restart === "temporary") this.#remove(child)
  }

  startAgain(child: Child): boolean {
    return this.#start(child)
  }

  delete(child: Child): void {
    this.#remove(child)
  }

  /** These end, one right after the other, before the supervisor has a turn. */
  end(ends: ReadonlyArray<readonly [child: Child, isClean: boolean]>): void {
    for (const [child, isClean] of ends) {
      if (child.status !== "up") continue
      child.status = "dead"
      this.events.push(`stop ${child.id}`)
      this.#queue.push({ exit: child, isClean })
    }
    for (let told = this.#queue.shift(); told !== undefined && this.isAlive; told = this.#queue.shift()) {
      if ("exit" in told) this.#onExit(told.exit, told.isClean)
      else if (told.retry.retry === told.reminder) this.#restart(told.retry)
    }
  }

  stop(): void {
    this.isAlive = false
    for (const child of this.children.toReversed()) this.#stop(child)
  }

  #onExit(child: Child, isClean: boolean): void {
    // It was stopped with its group meanwhile.
    if (child.status !== "dead") return
    child.status = "down"
    if (child.restart === "permanent" || (child.restart === "transient" && !isClean)) this.#restart(child)
    else if (child.restart === "temporary") this.#remove(child)
  }

  #restart(child: Child): void {
    child.retry = undefined
    this.#restarts = [...this.#restarts.filter((at) => this.now - at <= this.within), this.now]
    if (this.#restarts.length > this.maxRestarts) return this.stop()
    const group = this.strategy === "one_for_one"
      ? [child]
      : this.strategy === "one_for_all"
      ? [...this.children]
      : this.children.slice(this.children.indexOf(child))
    for (const other of group.toReversed()) {
      if (other === child) continue
      this.#stop(other)
      if (other.restart === "temporary") this.#remove(other)
    }
    for (const other of group) {
      if (!this.children.includes(other) || this.#start(other)) continue
      if (this.strategy === "one_for_all") { for (const each of this.children.toReversed()) this.#stop(each) }
      other.retry = {}
      this.#queue.push({ retry: other, reminder: other.retry })
      return
    }
  }

  #start(child: Child): boolean {
    if (child.refusals > 0) {
      child.refusals--
      this.events.push(`fail ${child.id}`)
      return false
    }
    child.status = "up"
    child.retry = undefined
    this.events.push(`start ${child.id}`)
    return true
  }

  #stop(child: Child): void {
    if (child.status === "up") this.events.push(`stop ${child.id}`)
    child.status = "down"
    child.retry = undefined
  }

  #remove(child: Child): void {
    this.children = this.children.filter((other) => other !== child)
  }
}
