/**
 * What is told when a process crashes: one structured entry for Effect's logger.
 *
 * Only the crash of the process itself is reported. Who ends by a signal, normally or in order has nothing to tell.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import type * as ExitReason from "../ExitReason.ts"
import { valuesOf } from "./dictionary.ts"
import * as FewSet from "./fewSet.ts"
import { log as write } from "./log.ts"
import type { MailNode } from "./mailbox.ts"
import { cut, present } from "./present.ts"
import { presentReason } from "./presentCause.ts"
import { ancestorsOf, describe, type Entry } from "./processTable.ts"

/** What a server adds, or a task. */
export interface CrashDetails {
  /** Which of its callbacks it was in, if it is certain. */
  readonly during?: string | undefined
  readonly lastMessage?: unknown
  /** Who sent that, and waits for an answer. */
  readonly client?: Entry | undefined
  readonly state?: unknown
  /** Who started a task, if that was a process. */
  readonly starter?: string | undefined
  /** What kind of message a request is. */
  readonly requestTag?: (node: MailNode) => string | undefined
  /** The events that it kept, if it was told to keep some. */
  readonly log?: ReadonlyArray<unknown> | undefined
}

const who = (entry: Entry) => ({ pid: entry, name: entry.name?.toString(), label: entry.label })

// The fields in the order in which a person asks for them: who, why, with what, and then where it stood.
export const reportCrash = (
  entry: Entry,
  reason: ExitReason.ExitReason,
  details: () => CrashDetails = () => ({})
): void =>
  write(entry, "Error", () => {
    const { client, during, lastMessage, log, requestTag, starter, state } = details()
    const initialCall = entry.behaviour.initialCall?.(entry)
    const why = presentReason(reason)
    const crashed = reason._tag === "Crashed"
    const what = `${crashed ? "crashed" : "ended"}${during === undefined ? "" : ` in ${during}`}`
    return {
      title: `${initialCall ?? "process"} ${describe(entry)} ${what}: ${crashed ? why.replace("Crashed: ", "") : why}`,
      details: {
        ...who(entry),
        reason: why,
        lastMessage,
        client: client && describe(client),
        state,
        log,
        initialCall,
        starter,
        ancestors: ancestorsOf(entry),
        mailboxLength: entry.length,
        messages: messagesOf(entry, requestTag),
        links: FewSet.toArray(entry.links).map(describe),
        monitors: FewSet.toArray(entry.monitors).map(({ target }) => describe(target)),
        trapExit: entry.trapsExit,
        dictionary: [...valuesOf(entry.state).keys()].map(({ name }) => name)
      },
      cause: crashed ? reason.cause : undefined
    }
  })

const maxMessages = 5

/** What kind of messages wait, the next one first. */
const messagesOf = (entry: Entry, requestTag: CrashDetails["requestTag"]): ReadonlyArray<string> => {
  const tags: Array<string> = []
  for (let node = entry.head; node !== undefined && tags.length < maxMessages; node = node.next) {
    tags.push(requestTag?.(node) ?? tagOf(node.message))
  }
  return entry.length > tags.length ? [...tags, `… ${entry.length - tags.length} more`] : tags
}

const tagOf = (message: unknown): string => {
  const view = present(message)
  const tag = typeof view === "object" && view !== null && "_tag" in view ? view._tag : view
  return typeof tag === "string" ? cut(tag, 40) : typeof message
}

/**
 * A defect in a finalizer of a process that is ending, which changes nothing of its reason any more. A typed failure is no
 * finalizer's, and the rest of a cause that a signal has made is the interruption.
 */
export const reportFinalizer = (entry: Entry, exit: Exit.Exit<unknown, unknown>): void => {
  if (exit._tag === "Success" || !Cause.hasDies(exit.cause)) return
  write(entry, "Error", () => {
    const reason = presentReason(entry.reason!)
    return {
      title: `process ${describe(entry)} crashed while it ended (${reason})`,
      details: {
        ...who(entry),
        reason,
        initialCall: entry.behaviour.initialCall?.(entry),
        ancestors: ancestorsOf(entry)
      },
      cause: exit.cause
    }
  })
}

/** A message that a server does not take is dropped, with a warning. */
export const reportUnexpected = (entry: Entry, server: string, message: unknown): void =>
  write(entry, "Warn", () => ({
    title: `${server} ${describe(entry)} got a message that it has no info callback for`,
    details: { ...who(entry), message }
  }))
