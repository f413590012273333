/**
 * A scheduler that runs one task at a time, and has each next one chosen.
 *
 * What is scheduled in one lane keeps its order there, lower priorities first: a fiber and those it forks share the lane
 * that Effect gives them, as they share a dispatcher everywhere. Between lanes there is no order, so that is what is
 * chosen: of all lanes that have something to run, whose turn it is. Every process and every wake-up has a lane of its own.
 *
 * @internal
 */
import type * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scheduler from "effect/Scheduler"
import { type LaneScheduler, laneScheduler, type Runnable } from "../../internal/runQueue.ts"
import type { Choices } from "./choices.ts"

export type AnyFiber = Fiber.Fiber<unknown, unknown>

/** Whose tasks a lane holds: a process or a wake-up, or the fiber that has scheduled the first of them. */
export type LaneOwner = Runnable | AnyFiber | undefined

const opsToResume = 3

interface Task {
  readonly run: () => void
  readonly priority: number
  readonly sequence: number
}

class Lane implements Scheduler.SchedulerDispatcher {
  readonly lanes: Lanes
  readonly rank: number
  owner: LaneOwner
  readonly tasks: Array<Task> = []

  constructor(lanes: Lanes, owner: LaneOwner) {
    this.lanes = lanes
    this.rank = lanes.choices.rank()
    this.owner = owner
  }

  scheduleTask(run: () => void, priority: number): void {
    this.owner ??= Fiber.getCurrent()
    const { tasks } = this
    let index = tasks.length
    while (index > 0 && tasks[index - 1]!.priority > priority) index--
    tasks.splice(index, 0, { run, priority, sequence: this.lanes.sequence++ })
    // What comes into a lane that has something to run does not make it wait any longer.
    if (tasks.length === 1) this.lanes.ready.push(this)
  }

  /** Whoever asks for it would have its tasks run out of turn. */
  flush(): void {}
}

/** Told when a run does not go on as it would by default. */
export interface Listener {
  /** `chosen` runs next although `oldest` has waited longer. */
  overtakes(chosen: LaneOwner, oldest: LaneOwner): void
  /** A fiber that could go on is stopped. */
  stops(fiber: AnyFiber): void
}

export class Lanes {
  choices: Choices
  listener: Listener | undefined
  /** Those that have something to run, the one that has waited longest first. */
  readonly ready: Array<Lane> = []
  sequence = 0
  steps = 0
  /** The fiber that a step has begun with. */
  private outermost: AnyFiber | undefined = undefined
  readonly scheduler: LaneScheduler
  private readonly owned = new WeakMap<Runnable, Lane>()

  constructor(choices: Choices, listener: Listener | undefined, quiet: Effect.Effect<void>) {
    this.choices = choices
    this.listener = listener
    this.scheduler = laneScheduler({
      executionMode: "async",
      shouldYield: (fiber) => this.shouldYield(fiber),
      makeDispatcher: () => new Lane(this, undefined),
      laneOf: (runnable) => {
        let lane = this.owned.get(runnable)
        if (lane === undefined) this.owned.set(runnable, lane = new Lane(this, runnable))
        return lane
      },
      quiet
    })
  }

  /** A task of its own, in no order with any other. */
  schedule(run: () => void): void {
    new Lane(this, undefined).scheduleTask(run, 0)
  }

  /** Runs one task, if there is one. */
  step(): boolean {
    const { ready } = this
    if (ready.length === 0) return false
    const index = ready.length === 1 ? 0 : this.choices.next(ready)
    const lane = ready[index]!
    if (index > 0) this.listener?.overtakes(lane.owner, ready[0]!.owner)
    ready.splice(index, 1)
    const { run } = lane.tasks.shift()!
    if (lane.tasks.length > 0) this.queueAgain(lane)
    this.steps++
    this.outermost = undefined
    run()
    return true
  }

  // By the age of what it runs next.
  private queueAgain(lane: Lane): void {
    const { ready } = this
    const { sequence } = lane.tasks[0]!
    let index = ready.length
    while (index > 0 && ready[index - 1]!.tasks[0]!.sequence > sequence) index--
    ready.splice(index, 0, lane)
  }

  private shouldYield(fiber: AnyFiber): boolean {
    if (fiber.currentOpCount >= fiber.cache.maxOpsBeforeYield) return true
    // Who goes on after a stop first has to come back to where it was: stopped again before that, it would never get on.
    if (fiber.currentOpCount < opsToResume) return false
    // Where nobody else can run there is nothing to choose. A fiber that another one runs within its own step, as some forks
    // do, gives way to that one.
    this.outermost ??= fiber
    if ((this.ready.length === 0 && this.outermost === fiber) || !this.choices.yields()) return false
    this.listener?.stops(fiber)
    return true
  }
}
