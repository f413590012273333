/**
 * Aliases: references to a process that can be taken back, so that a late answer reaches nobody.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as internal from "./internal/alias.ts"
import { type Current, withEntry } from "./internal/current.ts"
import * as Input from "./internal/input.ts"

export type { Alias, AliasMode, Destination } from "./internal/alias.ts"

/**
 * How to make an alias.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Whether the first message through it is the last one, too. */
  readonly reply?: boolean | undefined
}

/**
 * Makes an alias of the calling process: what is sent to it arrives in its mailbox, as long as the alias is active.
 *
 * **When to use**
 *
 * Put it where a request says whom to answer, and take it back when the answer has come or is not wanted any more. To watch
 * who is to answer at the same time, let `Process.monitor` make it.
 *
 * **Details**
 *
 * Mirrors Erlang's `alias/1`. `self` says what the alias takes, and must be that of the caller. With `reply` the alias
 * becomes inactive when the first message comes through it. All aliases of a process are inactive when it ends. An unknown
 * option is a defect.
 *
 * **Example**
 *
 * ```ts
 * import { Process } from "@effect-otp/core"
 * import { Effect, Option } from "effect"
 *
 * const asker = (self: Process.Self<"yes" | "no">) =>
 *   Effect.gen(function*() {
 *     const alias = yield* Process.alias(self, { reply: true })
 *     yield* Process.send(alias, "yes")
 *     yield* Process.send(alias, "no") // comes too late
 *     yield* self.receive // => "yes"
 *     return yield* Effect.option(self.receiveMatch(() => true, { after: 0 })) // => Option.none()
 *   })
 *
 * Effect.runPromise(Effect.flatMap(Process.spawn(asker), Process.awaitExit)).then((reason) => reason._tag) // => "Normal"
 * ```
 *
 * @see {@link unalias}
 * @category aliases
 * @since 0.1.0
 */
export const alias = <M>(
  self: internal.Handle<M>,
  options: Options = {}
): Effect.Effect<internal.Alias<M>, never, Current> =>
  withEntry((caller) =>
    Effect.sync(() => {
      internal.checkHandle(caller, self)
      const { reply = false } = Input.options(["reply"], options)
      return new internal.OwnAlias(caller, reply)
    })
  )

/**
 * Makes an alias of the calling process inactive, and gives whether it was active.
 *
 * **Details**
 *
 * Mirrors Erlang's `unalias/1`. What has come through it stays in the mailbox. The alias of another process is left alone,
 * and the answer is `false`. If the alias is a monitor, too, that goes on.
 *
 * @see {@link alias}
 * @category aliases
 * @since 0.1.0
 */
export const unalias = (alias: internal.Alias<never>): Effect.Effect<boolean, never, Current> =>
  withEntry((caller) =>
    Effect.sync(() =>
      internal.unalias(caller, Input.check("alias", "what Process.alias gave", internal.isAlias(alias), alias))
    )
  )
