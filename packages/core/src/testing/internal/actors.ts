/**
 * Who does what a Node tells of: events say what happens to whom, and this knows in whose code that is.
 *
 * @internal
 */
import * as Fiber from "effect/Fiber"
import { entryOf } from "../../internal/current.ts"
import type { Entry } from "../../internal/processTable.ts"
import type { Event } from "../../internal/tap.ts"
import type { AnyFiber } from "./lanes.ts"

/** A process, a fiber that belongs to none, a timer, or nobody of these. */
export type Actor = Entry | AnyFiber | "clock" | "test"

/** The process of a fiber, or the fiber itself if it is of none. */
export const actorOf = (fiber: AnyFiber | undefined): Actor => fiber === undefined ? "test" : entryOf(fiber) ?? fiber

export const isProcess = (actor: Actor): actor is Entry => typeof actor === "object" && "behaviour" in actor

interface Turn {
  readonly actor: Actor
  readonly fiber: AnyFiber | undefined
}

export class Actors {
  private readonly turns: Array<Turn> = []

  /** Follows the turns that begin and end. */
  follow(event: Event<Entry>): void {
    switch (event._tag) {
      case "TurnBegins":
        this.turns.push({ actor: event.process, fiber: Fiber.getCurrent() })
        break
      case "TimerFires":
        this.turns.push({ actor: "clock", fiber: Fiber.getCurrent() })
        break
      case "TurnEnded":
      case "TimerFired":
        this.turns.pop()
    }
  }

  /**
   * In whose code we are: in that of the fiber that runs, or of the turn that has begun last, if no fiber has begun to run
   * within it. A server whose handlers give plain steps has no fiber, and may be called within the fiber of its caller.
   */
  get current(): Actor {
    const fiber = Fiber.getCurrent()
    const turn = this.turns.at(-1)
    return turn !== undefined && turn.fiber === fiber ? turn.actor : actorOf(fiber)
  }
}
