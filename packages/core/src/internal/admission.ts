/**
 * Whether a bounded mailbox takes one more message of a user, as a pure decision.
 *
 * @internal
 */

/** What happens to a message for which there is no room. */
export type Policy = "suspend" | "fail" | "dropNewest" | "dropOldest"

export const policies: ReadonlyArray<Policy> = ["suspend", "fail", "dropNewest", "dropOldest"]

/** What is done with a message: `wait` holds its sender, `refuse` tells the sender, `drop…` tells nobody. */
export type Decision = "accept" | "wait" | "refuse" | "dropNewest" | "dropOldest"

export interface Load {
  readonly capacity: number
  /** How many messages of users are in the mailbox. */
  readonly queued: number
  /** Senders wait already. */
  readonly senderWaits: boolean
}

/** `canBeTold`: there is a sender who can wait or fail. A timer that fires is none. */
export const admit = (policy: Policy, { capacity, queued, senderWaits }: Load, canBeTold: boolean): Decision => {
  // Who waits came first. Of a timer there is nobody who could wait, too.
  if (queued < capacity && !(senderWaits && canBeTold)) return "accept"
  switch (policy) {
    case "suspend":
      return canBeTold ? "wait" : "dropNewest"
    case "fail":
      return canBeTold ? "refuse" : "dropNewest"
    default:
      return policy
  }
}
