/**
 * A request to the behaviour itself rather than to its callbacks: it is always admitted, also by a server that is suspended
 * or whose mailbox is full, and takes its turn in the order of the mailbox.
 *
 * @internal
 */
import * as Exit from "effect/Exit"
import { deliver } from "./lifecycle.ts"
import * as Mailbox from "./mailbox.ts"
import type { Entry } from "./processTable.ts"
import { Request } from "./request.ts"
import type { ServerState } from "./serverState.ts"

/** What a system request does, between two callbacks of the server. */
export type Perform<A, E> = (entry: Entry, server: ServerState) => Exit.Exit<A, E>

export class SystemRequest extends Request {
  declare readonly kind: typeof Mailbox.system
  declare readonly message: Perform<unknown, unknown>

  /** No bound is for it. */
  override post(entry: Entry): void {
    if (!deliver(entry, this)) this.undelivered()
  }

  /** Does what is asked, unless nobody waits for it any more. Whatever goes wrong is the answer, and harms no server. */
  perform(entry: Entry, server: ServerState): void {
    if (!this.begin()) return
    let exit: Exit.Exit<unknown, unknown>
    try {
      exit = this.message(entry, server)
    } catch (defect) {
      exit = Exit.die(defect)
    }
    this.complete(exit)
  }
}
Object.defineProperty(SystemRequest.prototype, "kind", { value: Mailbox.system })
