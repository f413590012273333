/**
 * One run of a program in a world of its own: its Node, its clock, its random numbers, and a scheduler that has every step
 * chosen.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as EffectRandom from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import * as ExitReason from "../../ExitReason.ts"
import { Current, CurrentTable } from "../../internal/current.ts"
import { sendExit } from "../../internal/lifecycle.ts"
import { make as makeTable, type ProcessTable } from "../../internal/processTable.ts"
import { type Choices, type Deviation, replaying } from "./choices.ts"
import { Lanes } from "./lanes.ts"
import * as Random from "./random.ts"
import { Recorder } from "./recorder.ts"
import { Deadlock, reasonsOf, TooManySteps } from "./stuck.ts"
import type { Trace } from "./trace.ts"
import { type Time, VirtualTime } from "./virtualTime.ts"

export interface Settings {
  readonly time: Time
  readonly maxSteps: number
  readonly logs: boolean
}

export interface Plan {
  readonly choices: Choices
  /** For the random numbers of the program. */
  readonly seed: number
  /** Whether what happens is written down. */
  readonly records: boolean
}

export interface Outcome<A, E> {
  readonly exit: Exit.Exit<A, E | Deadlock | TooManySteps>
  readonly trace: Trace
  readonly deviations: ReadonlyArray<Deviation>
}

const noTrace: Trace = { lifelines: [], steps: [] }

/** Turns of the event loop in which a promise that is settled already can be heard of. */
const turnsForOutside = 4
/** So that whoever waits for the run outside of it is served, too. */
const millisPerSlice = 20
/** What is left over is ended by so many steps at most. */
const stepsToEnd = 20_000

export const oneRun = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  settings: Settings,
  plan: Plan
): Effect.Effect<Outcome<A, E>, never, Exclude<R, Scope.Scope>> =>
  Effect.contextWith((context: Context.Context<Exclude<R, Scope.Scope>>) => {
    const world = new World<A, E>(settings, plan)
    return Effect.onExit(
      Effect.flatMap(
        Effect.sync(() => world.begin(Effect.scoped(effect) as Effect.Effect<A, E, Exclude<R, Scope.Scope>>, context)),
        () => drive(world)
      ),
      () => Effect.sync(() => world.end())
    )
  })

/** Runs until the program has ended or nothing can go on, and lets the event loop turn now and then. */
const drive = Effect.fnUntraced(function*<A, E>(world: World<A, E>) {
  let quiet = 0
  while (true) {
    const outcome = world.slice(quiet < turnsForOutside)
    if (outcome !== undefined) return outcome
    quiet = world.isIdle ? quiet + 1 : 0
    yield* Effect.yieldNow
  }
})

class World<A, E> {
  readonly settings: Settings
  readonly plan: Plan
  readonly lanes: Lanes
  readonly time: VirtualTime
  readonly table: ProcessTable
  readonly recorder: Recorder | undefined
  fiber: Fiber.Fiber<A, E> | undefined = undefined
  isIdle = false

  constructor(settings: Settings, plan: Plan) {
    this.settings = settings
    this.plan = plan
    this.recorder = plan.records ? new Recorder() : undefined
    this.table = makeTable("node", this.recorder?.listen)
    this.lanes = new Lanes(plan.choices, this.recorder, Effect.suspend(() => this.time.clock.adjust(0)))
    this.time = new VirtualTime(
      settings.time,
      (task) => this.lanes.schedule(task),
      (millis) => this.recorder?.passed(millis)
    )
  }

  begin<R>(effect: Effect.Effect<A, E, R>, context: Context.Context<R>): void {
    const own = Context.omit(Current)(context as Context.Context<R | Current>).pipe(
      Context.add(Scheduler.Scheduler, this.lanes.scheduler),
      Context.add(Clock.Clock, this.time.clock),
      Context.add(CurrentTable, this.table),
      Context.add(EffectRandom.Random, seededRandom(this.plan.seed)),
      this.settings.logs ? (context) => context : Context.add(Logger.CurrentLoggers, new Set<never>())
    ) as Context.Context<R>
    this.fiber = Effect.runForkWith(own)(Effect.withFiber((fiber) => {
      this.recorder?.begins(fiber)
      return effect
    }))
  }

  /** Goes on for a while, and gives the outcome if the run has come to an end. */
  slice(mayWait: boolean): Outcome<A, E> | undefined {
    const { lanes, settings, time } = this
    const stopAt = performance.now() + millisPerSlice
    this.isIdle = false
    for (let step = 1;; step++) {
      const exit = this.fiber!.pollUnsafe()
      if (exit !== undefined) return this.outcome(exit)
      if (lanes.steps > settings.maxSteps) {
        return this.outcome(Exit.fail(new TooManySteps({ steps: settings.maxSteps })))
      }
      if (!lanes.step() && !time.advance()) {
        if (!mayWait) return this.outcome(Exit.fail(this.deadlock()))
        this.isIdle = true
        return undefined
      }
      if (step % 64 === 0 && performance.now() > stopAt) return undefined
    }
  }

  /** Ends whatever has been left over, so that its finalizers run. This is no part of the run. */
  end(): void {
    const { lanes, recorder, table } = this
    if (recorder !== undefined) recorder.closed = true
    lanes.listener = undefined
    lanes.choices = replaying([])
    this.fiber?.interruptUnsafe()
    table.sealed = true
    for (let entry = table.last; entry !== undefined; entry = table.last) {
      sendExit(entry, table.outside, ExitReason.kill, "exit")
    }
    for (let left = stepsToEnd; left > 0 && lanes.step(); left--);
  }

  private deadlock(): Deadlock {
    return new Deadlock({ waiting: reasonsOf(this.table, this.recorder, this.time) })
  }

  private outcome(exit: Outcome<A, E>["exit"]): Outcome<A, E> {
    const { plan, recorder } = this
    return { exit, trace: recorder?.trace ?? noTrace, deviations: plan.choices.deviations }
  }
}

const seededRandom = (seed: number) => {
  const draw = Random.make(Random.derive(seed, 1))
  const { MAX_SAFE_INTEGER: max, MIN_SAFE_INTEGER: min } = Number
  return {
    nextDoubleUnsafe: draw,
    nextIntUnsafe: () => Math.floor(draw() * (max - min + 1)) + min
  }
}

/** The same failure, as far as can be told: what shrinks a run must not slip into another one. */
export const isLike = (a: Exit.Exit<unknown, unknown>, b: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(a) && Exit.isFailure(b) && kindOf(a.cause) === kindOf(b.cause)

const kindOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  if (typeof error !== "object" || error === null) return typeof error
  return "_tag" in error ? String(error._tag) : error.constructor.name
}
