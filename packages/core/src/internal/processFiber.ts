/**
 * The fiber of a process, leaner than Effect's public API can make it: a process that waits holds no callback, no observer
 * and no spare stack, and to wake it makes no `AsyncResource`.
 *
 * This is the only file that uses what Effect marks as internal: the class of a fiber, its stack, and its `yieldWith`,
 * `runLoop` and `succeedWith`. All of it is tried when the file is loaded. Where something does not work as expected, and
 * where the environment variable `EFFECT_OTP_PUBLIC_API` is `1`, `processFiber` is undefined, and who would use it does the
 * same with Effect's public API.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { type AsyncContext, capture, isInitial } from "./asyncContext.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>
type AnyEffect = Effect.Effect<unknown, unknown>

/** Whose fiber it is. */
export interface Owner {
  /** What its fiber finds in the context of its code, asked for once, and only when the code looks. */
  provide(): Context.Context<never>
  /** Its fiber has ended. */
  exited(exit: Exit.Exit<unknown, unknown>): void
}

export interface ProcessFiber {
  /** Runs an effect in a fiber of its owner. What the runtime asks for is in `context`, and the same in what it provides. */
  start(owner: Owner, context: Context.Context<never>, effect: AnyEffect): void
  /** What a custom effect gives to wait until `resume`. */
  wait(fiber: AnyFiber): Effect.Effect<never>
  /** Goes on with `effect`. Nothing happens if the fiber has been interrupted and waits here no more. */
  resume(fiber: AnyFiber, effect: AnyEffect): void
  /** What a custom effect gives to succeed: the value goes to the continuation without an Exit in between. */
  succeed(fiber: AnyFiber, value: unknown): Effect.Effect<never>
  /** Counts what a fiber does outside of its run loop, and tells whether it may do more before it yields. */
  count(fiber: AnyFiber): boolean
}

interface Internals extends Omit<AnyFiber, "currentOpCount"> {
  currentOpCount: number
  /** What is called when a suspended fiber goes on. */
  _yielded: unknown
  _stack: Array<unknown>
  /** Made at a suspension, and kept over the waits that follow. */
  _asyncContext: AsyncContext | undefined
  yieldWith(value: () => void): Effect.Effect<never>
  succeedWith(value: unknown): Effect.Effect<never>
  runLoop(effect: AnyEffect): AnyEffect
  evaluate(effect: AnyEffect): void
}

type FiberClass = new(context: Context.Context<never>) => Internals

// A fiber that waits here has yielded with it.
const waiting = () => {}

const make = (): ProcessFiber => {
  // What `runLoop` gives when the fiber is suspended.
  let suspended: unknown
  const FiberImpl = classOfFiber()

  class OwnedFiber extends FiberImpl {
    declare owner: Owner | undefined
    /** Undefined until it is asked for. */
    declare given: Context.Context<never> | undefined

    constructor(owner: Owner, context: Context.Context<never>) {
      super(context)
      this.owner = owner
      this.given = undefined
    }

    override get context(): Context.Context<never> {
      // Effect's constructor looks when there is no owner yet, and expects nothing.
      return this.given ??= this.owner?.provide() as Context.Context<never>
    }

    override set context(context: Context.Context<never>) {
      this.given = context
    }

    override evaluate(effect: AnyEffect): void {
      super.evaluate(effect)
      if (this._yielded === waiting) return this.settle()
      const exit = this.pollUnsafe()
      const { owner } = this
      // One evaluation may contain another: the owner is told once.
      if (exit === undefined || owner === undefined) return
      this.owner = undefined
      owner.exited(exit)
    }

    /** Lets go of what a process need not hold while it waits. */
    settle(): void {
      // The first push has made room for seventeen, of which mostly one is used.
      this._stack = this._stack.slice()
      // The run queue that resumes it runs in the initial context anyway.
      if (isInitial(this._asyncContext)) this._asyncContext = undefined
    }
  }

  const goOn = function(this: Internals, effect: AnyEffect): void {
    const exit = this.runLoop(effect)
    if (exit !== suspended) this.evaluate(exit)
    // It waits for something else, and must find there what it has now, as any other fiber does.
    else if (this._yielded !== waiting) this._asyncContext = capture()
  }

  return {
    start: (owner, context, effect) => new OwnedFiber(owner, context).evaluate(effect),
    wait: (fiber) => {
      const yielded = internals(fiber).yieldWith(waiting)
      suspended = yielded
      return yielded
    },
    resume: (fiber, effect) => {
      const self = internals(fiber)
      if (self._yielded !== waiting) return
      self._yielded = undefined
      if (self._asyncContext === undefined) goOn.call(self, effect)
      else self._asyncContext.runInAsyncScope(goOn, self, effect)
    },
    succeed: (fiber, value) => internals(fiber).succeedWith(value),
    // As many operations as an effect takes that is evaluated, and its success.
    count: (fiber) => (internals(fiber).currentOpCount += 2) < fiber.cache.maxOpsBeforeYield
  }
}

const internals = (fiber: AnyFiber): Internals => fiber as never

const classOfFiber = (): FiberClass => Effect.runFork(Effect.void).constructor as FiberClass

const Probe = Context.Reference("@effect-otp/core/Probe", { defaultValue: () => 0 })

/** Whether fibers wait, go on, wait again, are interrupted and tell of their end. */
const works = (self: ProcessFiber): boolean => {
  const told: Array<unknown> = []
  const owner: Owner = {
    provide: () => Context.make(Probe, 1),
    exited: (exit) => told.push(Exit.isSuccess(exit) ? exit.value : Exit.hasInterrupts(exit))
  }
  const fibers: Array<AnyFiber> = []
  const step = (evaluate: (fiber: AnyFiber) => AnyEffect): AnyEffect =>
    Object.create(Effectable.Prototype<AnyEffect>({ label: "Step", evaluate }))
  const wait = step((fiber) => {
    fibers.push(fiber)
    return self.wait(fiber)
  })
  const twice = Effect.flatMap(wait, (value) => Effect.map(Effect.all([wait, Probe]), (values) => [value, ...values]))
  for (let i = 0; i < 2; i++) self.start(owner, Context.empty(), twice)
  const [first, second] = fibers
  self.resume(first, step((fiber) => self.succeed(fiber, 1)))
  self.resume(first, Effect.succeed(2))
  second.interruptUnsafe()
  self.resume(second, Effect.void)
  const { currentOpCount } = second
  return self.count(second) && second.currentOpCount === currentOpCount + 2 && fibers.length === 3 &&
    JSON.stringify(told) === "[[1,2,1],true]"
}

/** Tries all of it. */
export const load = (): ProcessFiber | undefined => {
  try {
    const { process } = globalThis as { readonly process?: { readonly env?: Record<string, string | undefined> } }
    if (process?.env?.["EFFECT_OTP_PUBLIC_API"] === "1") return undefined
    const self = make()
    return works(self) ? self : undefined
  } catch {
    return undefined
  }
}

/** Undefined where only Effect's public API is used. */
export const processFiber: ProcessFiber | undefined = load()
