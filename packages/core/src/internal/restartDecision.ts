/**
 * PURE: what becomes of a child that has ended by itself.
 *
 * @internal
 */
import { type ExitReason, isAbnormal } from "../ExitReason.ts"

export type Restart = "permanent" | "transient" | "temporary"

/**
 * - `restart`: start it again, and what the strategy takes along
 * - `keep`: it stays down, and its spec stays
 * - `remove`: it stays down, and its spec goes
 */
export type Decision = "restart" | "keep" | "remove"

export const decide = (restart: Restart, reason: ExitReason): Decision => {
  switch (restart) {
    case "permanent":
      return "restart"
    case "transient":
      return isAbnormal(reason) ? "restart" : "keep"
    case "temporary":
      return "remove"
  }
}

export type AutoShutdown = "never" | "anySignificant" | "allSignificant"

/**
 * Whether the supervisor shuts down, now that a child is gone for good. `othersLeft` tells whether another significant
 * child runs or will run again.
 */
export const shutsDown = (autoShutdown: AutoShutdown, significant: boolean, othersLeft: () => boolean): boolean =>
  significant && (autoShutdown === "anySignificant" || (autoShutdown === "allSignificant" && !othersLeft()))
