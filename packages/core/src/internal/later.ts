/**
 * Running something in a turn of its own, so that what told us is not interrupted by it.
 *
 * @internal
 */
import type { RunQueue } from "./runQueue.ts"

export const later = (queue: RunQueue, f: () => void): void => queue.schedule({ run: f })
