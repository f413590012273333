/**
 * Who runs under which id, kept by the servers themselves: each enters itself first and strikes itself out last, when it has
 * released all that it had. Two of one id are noticed when the second one enters.
 */
import type * as Process from "@effect-otp/core/Process"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Entry } from "../../src/internal/processTable.ts"
import { entryOfPid } from "../../src/internal/resolve.ts"

export class Census {
  /** Those that have not released what they have, which they do after their end. */
  readonly present = new Map<string, Entry>()
  /** The latest of each id. */
  readonly latest = new Map<string, Process.Pid<never>>()
  /** All that there ever were. */
  readonly all: Array<Process.Pid<never>> = []
  /** What must never be, in the order in which it was seen. */
  readonly complaints: Array<string> = []

  /** Enters an incarnation, and strikes it out when its scope has closed and `release` is done. */
  readonly enrol = (
    id: string,
    pid: Process.Pid<never>,
    release: Effect.Effect<void> = Effect.void
  ): Effect.Effect<void, never, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.sync(() => this.#enter(id, pid)),
      () => Effect.andThen(release, Effect.sync(() => this.#leave(id, pid)))
    )

  /** Who is there and takes messages. */
  alive(id: string): Entry | undefined {
    const entry = this.present.get(id)
    return entry?.status === 0 ? entry : undefined
  }

  #enter(id: string, pid: Process.Pid<never>): void {
    const before = this.present.get(id)
    if (before !== undefined) {
      const how = before.status === 0 ? "is alive" : "has not released what it has"
      this.complaints.push(`${id} starts as ${pid} while ${before} ${how}`)
    }
    this.present.set(id, entryOfPid(pid))
    this.latest.set(id, pid)
    this.all.push(pid)
  }

  #leave(id: string, pid: Process.Pid<never>): void {
    if (this.present.get(id) === entryOfPid(pid)) this.present.delete(id)
    else this.complaints.push(`${pid} ends as ${id}, which it is not (any more)`)
  }
}
