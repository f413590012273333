/**
 * A tree that is a whole program: started in order, stopped in reverse when the program is told to end.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExitReason from "./ExitReason.ts"
import * as Input from "./internal/input.ts"
import type { Entry } from "./internal/processTable.ts"
import { gaveUp, hasGivenUp } from "./internal/restarting.ts"
import { awaitEnded } from "./internal/wait.ts"
import * as Node from "./Node.ts"
import type { GaveUp, StartError } from "./OtpError.ts"
import type { Pid } from "./Pid.ts"
import * as Process from "./Process.ts"
import * as Supervisor from "./Supervisor.ts"

/**
 * How a program runs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** What its Node is called, in messages and reports. Default: `"node"`. */
  readonly name?: string | undefined
  /** How long all of it may take to stop before it is killed. Default: as long as its children may take by themselves. */
  readonly shutdown?: Duration.Input | undefined
}

/**
 * Runs a tree as the whole program, in a Node of its own, until it ends.
 *
 * **When to use**
 *
 * Use it as the last line of a program: `NodeRuntime.runMain(Application.run(tree))`. To run a tree as part of something
 * else provide its `layer`, or use `Supervisor.launch`.
 *
 * **Details**
 *
 * Mirrors OTP's permanent application. Children start in order. When it is interrupted, as `runMain` does on SIGINT and
 * SIGTERM, the tree stops in reverse order, each child within its shutdown time, and then whatever else runs in the Node;
 * the program ends with the code 130. With `shutdown` a tree that takes longer is killed.
 *
 * It succeeds when the tree has ended as it should: it was stopped, or shut itself down since its significant children
 * were done (code 0). It fails (code 1) with `StartError` if the tree does not start, and with `GaveUp` if it gave up:
 * `runMain` prints that after all other reports, with the child and its last error.
 *
 * **Example**
 *
 * ```ts
 * import { Application, ChildSpec, Supervisor } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const job = ChildSpec.worker({
 *   id: "job",
 *   restart: "transient",
 *   significant: true,
 *   run: () => Effect.log("done")
 * })
 *
 * const app = Supervisor.make({ autoShutdown: "anySignificant", children: [job] })
 *
 * Effect.runPromise(Application.run(app)) // => undefined
 * ```
 *
 * @see `Supervisor.audit` to check that the children fit into `shutdown`
 * @category running
 * @since 0.1.0
 */
export const run = <Provides, E, R>(
  tree: Supervisor.Supervisor<Provides, E, R>,
  options: Options = {}
): Effect.Effect<void, StartError<E> | GaveUp, R> => {
  const { name, shutdown } = options
  Supervisor.checkTree(tree)
  if (shutdown !== undefined) Input.millis("shutdown", shutdown)
  return Effect.acquireRelease(tree.start, ({ pid }) => stop(pid, shutdown), { interruptible: true }).pipe(
    Effect.flatMap(({ pid }) => ended(pid as Pid<never> as Entry)),
    Effect.scoped,
    Effect.provide(Node.layer({ name, shutdown }))
  )
}

const ended = Effect.fnUntraced(function*(supervisor: Entry) {
  const reason = yield* awaitEnded(supervisor)
  // A supervisor that gives up ends with `Shutdown`, as one that was stopped.
  if (hasGivenUp(supervisor) || ExitReason.isAbnormal(reason)) {
    return yield* Effect.fail(gaveUp(supervisor, reason))
  }
})

const stop = (pid: Pid<never>, timeout: Duration.Input | undefined): Effect.Effect<void> =>
  Supervisor.stop(pid, { reason: ExitReason.shutdown(), timeout }).pipe(
    Effect.catchReason("CallError", "Timeout", () =>
      Effect.andThen(
        Effect.logError("the tree did not stop in time: killed"),
        Process.exit(pid, ExitReason.kill)
      )),
    Effect.ignore
  )
