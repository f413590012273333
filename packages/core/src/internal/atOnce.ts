/**
 * Effects that often are done at once: a send, a receive that finds its message, a call that is answered in the same turn.
 *
 * `yield*` asks an effect for its iterator, and an iterator that is done at its first step gives its value to the generator
 * without a turn of the fiber's run loop: all that it costs is the iterator, which is its own result. What is not done at
 * once (a wait, a failure, a defect) is yielded and evaluated as any other effect is. So is every effect outside of a
 * generator, and every one under a scheduler that is not Effect's default, which must see each step.
 *
 * @internal
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import { processFiber } from "./processFiber.ts"

/** What `now` gives when the effect is not done at once; it has then done nothing at all. */
export const notNow = Symbol("not now")

/** What `now` gives when there is more to do, which is then evaluated: to wait, or to fail. */
export class Then {
  readonly effect: Effect.Effect<unknown, unknown>

  constructor(effect: Effect.Effect<unknown, unknown>) {
    this.effect = effect
  }
}

/** An effect of which `now` is tried first. */
export interface AtOnce {
  now(fiber: Fiber.Fiber<unknown, unknown>): unknown
}

/** The prototype of an effect that tries `now` first. `A` is what it gives. */
export const Prototype = <Self extends Effect.Effect<unknown, unknown>>(options: {
  readonly label: string
  readonly now: (this: Self, fiber: Fiber.Fiber<unknown, unknown>) => unknown
  readonly evaluate: (
    this: Self,
    fiber: Fiber.Fiber<unknown, unknown>
  ) => Effect.Effect<Effect.Success<Self>, Effect.Error<Self>>
}): Self =>
  Object.assign(Effectable.Prototype<Self>(options as never), {
    now: options.now,
    [Symbol.iterator](this: AtOnce) {
      const fiber = Fiber.getCurrent()
      if (mayBeNow(fiber)) {
        const value = this.now(fiber)
        if (value === undefined) return nothing
        if (value !== notNow) return value instanceof Then ? new Evaluation(value.effect) : new Done(value)
      }
      return new Evaluation(this)
    }
  }) as never

const defaultScheduler = Context.get(Context.empty(), Scheduler.Scheduler)

/** Whether what is done at once counts as an operation of its fiber. */
export const isCounted = processFiber !== undefined

/** Whether a fiber may do something at once that its run loop does not see. It counts. */
export const mayBeNow = (fiber: Fiber.Fiber<unknown, unknown> | undefined): fiber is Fiber.Fiber<unknown, unknown> =>
  fiber !== undefined && fiber.cache.scheduler === defaultScheduler && count(fiber)

// A fiber yields after so many operations: without them a loop of what is done at once would never let others run. Where
// they cannot be counted, one in eight is evaluated.
const count: (fiber: Fiber.Fiber<unknown, unknown>) => boolean = processFiber?.count ?? allButEveryEighth()

function allButEveryEighth(): () => boolean {
  let steps = 0
  return () => ++steps % 8 !== 0
}

/** An iterator that is done at its first step, and is itself the result of that step. */
class Done {
  readonly done = true
  readonly value: unknown

  constructor(value: unknown) {
    this.value = value
  }

  next(): this {
    return this
  }
}

const nothing = new Done(undefined)

/** An iterator that has its effect evaluated, and is itself the result of both of its steps. */
export class Evaluation {
  done = false
  value: unknown
  begun = false

  constructor(effect: unknown) {
    this.value = effect
  }

  next(answer: unknown): this {
    if (this.begun) {
      this.done = true
      this.value = answer
    }
    this.begun = true
    return this
  }
}
