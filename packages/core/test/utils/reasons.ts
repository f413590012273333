/** Every reason for which a process ends, and whether a supervisor takes it for a clean end: written down, not computed. */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Cause from "effect/Cause"

export const reasons: ReadonlyArray<readonly [name: string, reason: ExitReason.ExitReason, isClean: boolean]> = [
  ["Normal", ExitReason.normal, true],
  ["Shutdown", ExitReason.shutdown(), true],
  ["Shutdown with a term", ExitReason.shutdown("term"), true],
  ["Kill, of itself", ExitReason.kill, false],
  ["Killed", ExitReason.killed, false],
  ["NoProcess", ExitReason.noProcess, false],
  ["NoConnection", ExitReason.noConnection, false],
  ["Crashed by a failure", ExitReason.crashed(Cause.fail("no")), false],
  ["Crashed by an interruption", ExitReason.crashed(Cause.interrupt()), false],
  ["Custom", ExitReason.custom("bad"), false],
  // A term that only looks like a clean end.
  ["Custom of Normal", ExitReason.custom(ExitReason.normal), false]
]
