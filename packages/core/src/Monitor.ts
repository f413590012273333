/**
 * Monitors: being told when another process ends.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import {
  type Alias,
  type AliasMode,
  AliasMonitor,
  checkHandle,
  type Handle,
  modes,
  monitorGone
} from "./internal/alias.ts"
import { type Current, type Receives, tableOf, withEntry } from "./internal/current.ts"
import * as Input from "./internal/input.ts"
import * as lifecycle from "./internal/lifecycle.ts"
import { resolve, show } from "./internal/resolve.ts"
import type { Down, MonitorRef } from "./internal/signal.ts"
import { made } from "./internal/where.ts"
import type { AnyTarget } from "./Name.ts"
import { isPid } from "./Pid.ts"

/**
 * How to monitor.
 *
 * @category models
 * @since 0.1.0
 */
export interface MonitorOptions<out Tag extends string = "Down"> {
  /** The `_tag` of the message, `"Down"` by default. The mailbox of the caller declares `Process.Down<Tag>`. */
  readonly tag?: Tag | undefined
}

/**
 * How to monitor with a reference that is an alias, too.
 *
 * @category models
 * @since 0.1.0
 */
export interface AliasOptions<in M, out Tag extends string = "Down"> extends MonitorOptions<Tag> {
  /** When it stops being an alias: when it is told to, with the monitor, or with the first message through it, too. */
  readonly alias: AliasMode
  /** The `Process.Self` of the caller: it says what the alias takes. */
  readonly self: Handle<M>
}

/**
 * How to end a monitor.
 *
 * @category models
 * @since 0.1.0
 */
export interface DemonitorOptions {
  /** Takes a `Down` out of the mailbox that is in it already. */
  readonly flush?: boolean | undefined
  /** Gives whether the monitor was active, instead of `true`. */
  readonly info?: boolean | undefined
}

/**
 * Watches another process: a `Process.Down` message arrives when it has ended, for whatever reason.
 *
 * **When to use**
 *
 * Use it to learn of an end without sharing it. It goes one way only, and several monitors of one process are several
 * messages. Outside a process, wait with `Process.awaitExit`.
 *
 * **Details**
 *
 * Mirrors Erlang's `monitor/3`. It never fails: a process that has ended, or a name that nobody holds, gives a `Down` with
 * `NoProcess` at once. The `Down` comes after every message that the process sent before it ended, and after its name is
 * free. The mailbox of the caller must declare `Process.Down`.
 *
 * With `tag` that is the `_tag` of the message, and what the mailbox declares is `Process.Down<"Tag">`. With `alias` the
 * reference is an alias, too, which takes what `self` receives: until `unalias` (`explicitUnalias`), until the monitor is gone
 * (`demonitor`), or until then or its first message, which takes the monitor along (`replyDemonitor`). A monitor of oneself is
 * no alias. An unknown option is a defect.
 *
 * **Example**
 *
 * ```ts
 * import { Process } from "@effect-otp/core"
 * import { Effect } from "effect"
 *
 * const watcher = (self: Process.Self<Process.Down>) =>
 *   Effect.gen(function*() {
 *     const child = yield* Process.spawn(() => Effect.void)
 *     yield* Process.monitor(child)
 *     const down = yield* self.receive
 *     return yield* Effect.log(`${down.target} ended: ${down.reason._tag}`)
 *   })
 *
 * Effect.runPromise(Effect.flatMap(Process.spawn(watcher), Process.awaitExit)).then((reason) => reason._tag) // => "Normal"
 * ```
 *
 * @see {@link demonitor} and `Process.alias`
 * @category monitors
 * @since 0.1.0
 */
export const monitor: {
  <M, const Tag extends string = "Down">(
    target: AnyTarget,
    options: AliasOptions<M, Tag>
  ): Effect.Effect<MonitorRef & Alias<M>, never, Current | Receives<Down<Tag>>>
  <const Tag extends string = "Down">(
    target: AnyTarget,
    options?: MonitorOptions<Tag>
  ): Effect.Effect<MonitorRef, never, Current | Receives<Down<Tag>>>
} =
  ((target: AnyTarget, options?: MonitorOptions<string> & Partial<AliasOptions<never, string>>) =>
    made(withEntry((self, fiber) =>
      Effect.sync(() => {
        const entry = resolve(tableOf(fiber), target)
        const shown = isPid(target) ? target : show(target)
        if (options === undefined) return lifecycle.monitor(self, entry, shown)
        const { alias, tag = "Down", self: handle } = Input.options(["tag", "alias", "self"], options)
        Input.nonEmpty("tag", tag)
        if (alias === undefined) return lifecycle.watch(new lifecycle.Monitor(self, entry ?? self, shown, tag), entry)
        Input.oneOf("alias", modes, alias)
        checkHandle(self, handle)
        return lifecycle.watch(new AliasMonitor(self, entry, shown, tag, alias), entry)
      })
    ))) as never

/**
 * Ends a monitor: no `Down` comes from it any more.
 *
 * **Details**
 *
 * Mirrors Erlang's `demonitor/2`. It gives `true`; with the option `info`, whether the monitor was active. A `Down` that is
 * in the mailbox already stays there, unless `flush` is true. The monitor of another process is left alone. An unknown
 * option is a defect.
 *
 * @see {@link monitor}
 * @category monitors
 * @since 0.1.0
 */
export const demonitor = (ref: MonitorRef, options: DemonitorOptions = {}): Effect.Effect<boolean, never, Current> =>
  withEntry((self) =>
    Effect.sync(() => {
      Input.check("ref", "what Process.monitor gave", ref instanceof lifecycle.Monitor, ref)
      const { flush = false, info = false } = Input.options(["flush", "info"], options)
      const monitor = ref as lifecycle.Monitor
      if (monitor.watcher !== self) return !info
      const active = lifecycle.demonitor(monitor)
      monitorGone(monitor)
      if (flush) lifecycle.flush(monitor)
      return !info || active
    })
  )
