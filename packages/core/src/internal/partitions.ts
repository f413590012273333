/**
 * Which partition a key belongs to, and who runs there now.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { format } from "effect/Formatter"
import * as Hash from "effect/Hash"
import * as Semaphore from "effect/Semaphore"
import type * as Name from "../Name.ts"
import { isPid } from "../Pid.ts"
import type { Place } from "./address.ts"
import type { ChildInstance, Started } from "./childInstance.ts"
import { alive, type Entry } from "./processTable.ts"

/** PURE: the partition of a key among so many. Whole numbers go round in turn, whatever else by its hash. */
export const partitionOf = (key: unknown, count: number): number => {
  if (typeof key === "bigint") return Number((key < 0n ? -key : key) % BigInt(count))
  return Math.abs(Number.isInteger(key) ? (key as number) : Hash.hash(key)) % count
}

/**
 * The partitions of one place in a tree, kept over all restarts: whoever has a way to reach them always reaches the current
 * incarnations.
 */
export class Routes implements Name.Resolver<unknown>, Place {
  readonly shown: string
  /** How many there are at most. */
  readonly max: number
  /** Their supervisor. */
  pid: Entry | undefined = undefined
  /** How many take part; after a restart of the supervisor all do. */
  count: number
  readonly pids: Array<Entry | undefined> = []
  /** One change of their number at a time. */
  readonly resizing = Semaphore.makeUnsafe(1)

  constructor(shown: string, max: number) {
    this.shown = shown
    this.max = max
    this.count = max
  }

  whereis(key: unknown): Entry | undefined {
    if (this.count === 0) throw new TypeError(`${this.shown} has zero partitions: resize it before it is used`)
    const entry = this.pids[partitionOf(key, this.count)]
    return entry?.status === alive ? entry : undefined
  }

  register(key: unknown): never {
    throw new TypeError(`name: ${this.format(key)} is a partition, which only its supervisor starts`)
  }

  unregister(): void {}

  format(key: unknown): string {
    return `${this.shown}[${format(key)}]`
  }

  /** The child of a partition, whose incarnations are found from now on. */
  routed(partition: number, { start, startNow }: ChildInstance): ChildInstance {
    const found = <A extends Started>(started: A): A => {
      this.pids[partition] = (isPid(started) ? started : started.pid) as Entry
      return started
    }
    return {
      // There is one of its services in every partition: none can be the one.
      context: Context.empty(),
      start: Effect.map(start, found),
      startNow: startNow && ((supervisor) => {
        const started = startNow(supervisor)
        return Effect.isEffect(started) ? Effect.map(started, found) : found(started)
      })
    }
  }
}
