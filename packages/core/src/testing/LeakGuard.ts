/**
 * Fails a program that leaves something over: a process, a name, a link, a monitor, a timer, or somebody who waits for ever.
 *
 * What is left over in a test is left over in production, too, once for each request. The guard says what it is, and the line
 * of the program that has made it.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { CurrentTable, tableOf } from "../internal/current.ts"
import type { Entry, ProcessTable } from "../internal/processTable.ts"
import type { Event } from "../internal/tap.ts"
import { want } from "../internal/where.ts"
import * as Node from "../Node.ts"
import { type Leak, Ledger } from "./internal/ledger.ts"
import { settle } from "./settle.ts"

export type { Leak, LeakKind } from "./internal/ledger.ts"

/**
 * A program has left something over.
 *
 * @category errors
 * @since 0.1.0
 */
export class Leaked extends Data.TaggedError("Leaked")<{
  readonly leaks: ReadonlyArray<Leak>
}> {
  override get message(): string {
    const [are, things] = this.leaks.length === 1 ? ["is", "thing"] : ["are", "things"]
    return [
      `${this.leaks.length} ${things} ${are} left over at the end of the program:`,
      ...this.leaks.flatMap((
        { what, where }
      ) => [`  - ${what}`, ...(where === undefined ? [] : [`      made at ${where}`])])
    ].join("\n")
  }
}

/** Listens to a Node until the scope closes, besides whoever does so already. */
const listening = (table: ProcessTable): Effect.Effect<Ledger, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const ledger = new Ledger()
      const stopWanting = want()
      const before = table.tap
      const listen = (event: Event<Entry>) => {
        before?.(event)
        ledger.listen(event)
      }
      table.tap = listen
      return {
        ledger,
        stop: () => {
          stopWanting()
          if (table.tap === listen) table.tap = before
        }
      }
    }),
    ({ stop }) => Effect.sync(stop)
  ).pipe(Effect.map(({ ledger }) => ledger))

const failIfAny = (ledger: Ledger): Effect.Effect<void, Leaked> =>
  Effect.andThen(
    settle,
    Effect.suspend(() => {
      const { leaks } = ledger
      return leaks.length === 0 ? Effect.void : Effect.fail(new Leaked({ leaks }))
    })
  )

/**
 * Runs a program in the Node where it is, and fails with `Leaked` if something is there at its end that it has made.
 *
 * **When to use**
 *
 * Use it for a part of a test, whose other processes go on. For a whole test {@link guard} is the one: it has a Node of its own.
 *
 * **Details**
 *
 * The program has a scope of its own, which closes before it is looked. Then everything that can run does, as `settle` has it,
 * so that what is about to end does end. A program that fails fails as it did, and is not looked at.
 *
 * **Gotchas**
 *
 * What others make in the same Node meanwhile counts, too.
 *
 * @category guarding
 * @since 0.1.0
 */
export const check = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E | Leaked, Exclude<R, Scope.Scope>> =>
  Effect.withFiber<A, E | Leaked, Exclude<R, Scope.Scope>>((fiber) =>
    Effect.scoped(
      Effect.flatMap(
        listening(tableOf(fiber)),
        (ledger) => Effect.tap(Effect.scoped(effect), () => failIfAny(ledger))
      )
    ) as Effect.Effect<A, E | Leaked, Exclude<R, Scope.Scope>>
  )

/**
 * Runs a program in a Node of its own, and fails with `Leaked` if something is left in it at the end.
 *
 * **When to use**
 *
 * Use it in a test: `it.effect("…", () => program.pipe(LeakGuard.guard))`.
 *
 * **Details**
 *
 * Left over may be a process, and so may the name, the links and the monitors that it has; a timer that has not sent its
 * message; and a fiber that waits for the end of a process, an answer, a task, or room in a mailbox. Each is told with the line
 * that has made it. The program has a scope of its own, which closes first. What is left over is killed.
 *
 * **Example**
 *
 * ```ts
 * import { Process } from "@effect-otp/core"
 * import { LeakGuard } from "@effect-otp/core/testing"
 * import { Effect } from "effect"
 *
 * const forgetful = Effect.gen(function*() {
 *   const pid = yield* Process.spawn((self: Process.Self<string>) => Effect.forever(self.receive))
 *   yield* Process.sendAfter(pid, "wake up", "1 hour")
 * })
 *
 * const leaked = Effect.flip(LeakGuard.guard(forgetful))
 *
 * Effect.runPromise(leaked).then(({ leaks }) => leaks.map(({ kind }) => kind)) // => ["process", "timer"]
 * ```
 *
 * @see {@link check} for the Node where it is
 * @category guarding
 * @since 0.1.0
 */
export const guard = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E | Leaked, Exclude<R, Scope.Scope>> => Effect.provide(check(effect), Node.layer({ shutdown: 0 }))

/**
 * A Node that dies with `Leaked` when it closes, if something is left in it.
 *
 * **When to use**
 *
 * Use it where several tests share a Node: `it.layer(LeakGuard.layer)`. For one test {@link guard} is simpler.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<never> = Layer.effect(
  CurrentTable,
  Effect.gen(function*() {
    const table = yield* CurrentTable
    const ledger = yield* listening(table)
    // Before the Node closes, which ends everything.
    yield* Effect.addFinalizer(() => Effect.provideService(Effect.orDie(failIfAny(ledger)), CurrentTable, table))
    return table
  })
).pipe(Layer.provide(Node.layer({ shutdown: 0 })))
