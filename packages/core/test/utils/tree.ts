/**
 * Children that tell a probe when they start and when they have stopped: what a supervisor does is received, in order.
 */
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import type * as Supervisor from "@effect-otp/core/Supervisor"
import { settle } from "@effect-otp/core/testing"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { inNode } from "./process.ts"

/** Told to a child: how to end. `"crash"` is a defect. */
export type Order = ExitReason.ExitReason | "crash"

export type Options = Omit<ChildSpec.Options, "id">

export class Refused {
  readonly _tag = "Refused"
}

export class Probe {
  readonly #events: Queue.Queue<string> = Effect.runSync(Queue.unbounded<string>())
  readonly #pids = new Map<string, Process.Pid<Order>>()
  readonly #refusals = new Map<string, number>()
  /** The lines that were logged, with their level. */
  readonly log: Array<string> = []

  /** Says that something has happened. */
  readonly report = (event: string): Effect.Effect<void> => Effect.sync(() => this.reportUnsafe(event))

  reportUnsafe(event: string): void {
    Queue.offerUnsafe(this.#events, event)
  }

  /** Waits for as many events, and these are the ones, and no other is on its way. */
  readonly sees = Effect.fnUntraced({ self: this }, function*(this: Probe, ...events: ReadonlyArray<string>) {
    const seen = events.length === 0 ? [] : yield* Queue.takeN(this.#events, events.length)
    yield* settle
    assert.deepStrictEqual([...seen, ...yield* Queue.clear(this.#events)], events)
  })

  /** Whatever has happened up to now. */
  readonly seen: Effect.Effect<ReadonlyArray<string>> = Effect.suspend(() =>
    Effect.andThen(settle, Queue.clear(this.#events))
  )

  /** The latest incarnation of a child. */
  pid(id: string): Process.Pid<Order> {
    return this.#pids.get(id)!
  }

  started(id: string, pid: Process.Pid<Order>): void {
    this.#pids.set(id, pid)
    this.reportUnsafe(`start ${id}`)
  }

  /** Tells a child to end, or kills it. */
  end(id: string, order: Order): Effect.Effect<void> {
    const pid = this.pid(id)
    return order !== "crash" && order._tag === "Killed"
      ? Process.exit(pid, ExitReason.kill)
      : Process.send(pid, order)
  }

  /** Makes the next starts of a child fail. */
  refuse(id: string, times: number): void {
    this.#refusals.set(id, times)
  }

  refused(id: string): boolean {
    const left = this.#refusals.get(id) ?? 0
    if (left === 0) return false
    this.#refusals.set(id, left - 1)
    this.reportUnsafe(`fail ${id}`)
    return true
  }

  /** A server. */
  child(id: string, options: Options = {}): ChildSpec.ChildSpec<never, Refused, never> {
    return Told.server.child({ probe: this, id }, { ...options, id, provide: false })
  }

  /** A server that does not start. */
  ignoring(id: string, options: Options = {}): ChildSpec.ChildSpec<never, never, never> {
    return Ignoring.server.child({ probe: this, id }, { ...options, id, provide: false })
  }

  /** A process with a body; it is ended by the signal that it is told. */
  worker(id: string, options: Options = {}): ChildSpec.ChildSpec<never, never, never> {
    return ChildSpec.worker({ ...options, id, run: (self: Process.Self<Order>) => this.#body(self, id) })
  }

  /** A process that traps exits and takes no notice of them. */
  stubborn(id: string, options: Options = {}): ChildSpec.ChildSpec<never, never, never> {
    return ChildSpec.worker({
      ...options,
      id,
      run: (self: Process.Self<Process.Exit>) =>
        Effect.gen({ self: this }, function*() {
          yield* Process.trapExit(true)
          yield* Effect.acquireRelease(
            Effect.sync(() => this.started(id, self.pid as Process.Pid<Order>)),
            () => this.report(`stop ${id}`)
          )
          return yield* Effect.forever(self.receive)
        })
    })
  }

  /** A server that takes its time to release what it has. */
  slow(id: string, release: Effect.Effect<unknown>, options: Options = {}): ChildSpec.ChildSpec<never, Refused, never> {
    return Told.server.child({ probe: this, id, release }, { ...options, id, provide: false })
  }

  *#live(id: string, pid: Process.Pid<Order>) {
    yield* Effect.acquireRelease(Effect.sync(() => this.started(id, pid)), () => this.report(`stop ${id}`))
  }

  #body(self: Process.Self<Order>, id: string): Effect.Effect<never, never, Process.Current | Scope.Scope> {
    return Effect.gen({ self: this }, function*() {
      yield* this.#live(id, self.pid)
      const order = yield* self.receive
      return order === "crash" ? yield* Effect.die(new Error("crash")) : yield* Process.exit(order)
    })
  }
}

interface Arg {
  readonly probe: Probe
  readonly id: string
  readonly release?: Effect.Effect<unknown>
}

class Told extends GenServer.Service<Told>()("test/Told", []) {
  static readonly server = this.implement({
    init: ({ id, probe, release = Effect.void }: Arg) =>
      Effect.gen(function*() {
        const pid = yield* Process.self
        if (probe.refused(id)) return yield* Effect.fail(new Refused())
        yield* Effect.acquireRelease(
          Effect.sync(() => probe.started(id, pid as Process.Pid<Order>)),
          () => Effect.andThen(release, probe.report(`stop ${id}`))
        )
        return id
      }),
    handlers: {},
    info: (id: string, order: Order) => order === "crash" ? Effect.die(new Error("crash")) : Step.stop(order, id)
  })
}

class Ignoring extends GenServer.Service<Ignoring>()("test/Ignoring", []) {
  static readonly server = this.implement({
    init: ({ id, probe }: Arg) => Effect.as(probe.report(`ignore ${id}`), GenServer.ignore),
    handlers: {}
  })
}

/** A test with a probe, in a Node of its own. What is logged is kept. */
export const probed = <Eff extends Effect.Effect<unknown, unknown, unknown>, A>(
  body: (probe: Probe) => Generator<Eff, A, never>
) =>
  inNode(Effect.suspend(() => {
    const probe = new Probe()
    const logger = Logger.make(({ logLevel, message }) => {
      probe.log.push(`${logLevel} ${Array.isArray(message) ? String(message[0]) : String(message)}`)
    })
    return Effect.provide(Effect.gen(() => body(probe)), Logger.layer([logger]))
  }))

/** Starts a tree, and takes note of its start. */
export const started = Effect.fnUntraced(function*<P, E, R>(
  probe: Probe,
  tree: Supervisor.Supervisor<P, E, R>,
  ...events: ReadonlyArray<string>
) {
  const ref = yield* tree.start
  yield* probe.sees(...events)
  return ref
})
