/**
 * What was seen while a scenario ran: the events of each step, and the form in which two runs are compared.
 *
 * What is not ordered on the BEAM is sorted: who ended, messages of different senders, and what is told of one end. What is
 * ordered stays: messages of one sender, and the starts and stops of one tree.
 */
import * as Arr from "effect/Array"
import { pathOf } from "./Scenario.ts"

/**
 * One event, as both interpreters write it:
 *
 * - `answer label by text`: what a command gave
 * - `saw who of text`: a message, taken out of a mailbox or handled by a server
 * - `tree root text`: a start or a stop in a tree, in order
 * - `ended who reason`
 * - `state who text`: who is there when nothing moves any more
 * - `differs id`: one of the `Differences` was needed
 */
export type Event =
  | readonly ["answer", label: string, by: string, text: string]
  | readonly ["saw", who: string, of: string, text: string]
  | readonly ["tree", root: string, text: string]
  | readonly ["ended", who: string, reason: string]
  | readonly ["state", who: string, text: string]
  | readonly ["differs", id: string]

/** The events of each step, as they happened. */
export type Raw = ReadonlyArray<ReadonlyArray<Event>>

/** The lines of each step, in a form that is the same for all orders that are as good. */
export type Trace = ReadonlyArray<ReadonlyArray<string>>

type Of<Tag extends Event[0]> = Extract<Event, readonly [Tag, ...ReadonlyArray<string>]>

const all = <Tag extends Event[0]>(events: ReadonlyArray<Event>, tag: Tag): ReadonlyArray<Of<Tag>> =>
  events.filter((event): event is Of<Tag> => event[0] === tag)

/** Which of the intended differences a run needed. */
export const differences = (raw: Raw): ReadonlySet<string> => new Set(all(raw.flat(), "differs").map(([, id]) => id))

export const normalize = (raw: Raw): Trace => {
  const before = new Map<string, string>()
  const supervisors = new Set<string>()
  return raw.map((events) => {
    const ended = new Set(all(events, "ended").map(([, who]) => who))
    for (const [, , text] of all(events, "tree")) if (text.startsWith("up ")) supervisors.add(text.slice(3))
    const killed = all(events, "ended").some(([, who, reason]) => reason === "killed" && supervisors.has(who))
    return [
      // Who ends in a step may or may not get to its answer.
      ...all(events, "answer").filter(([, , by]) => !ended.has(by)).map(([, label, by, text]) =>
        `${label} ${by}: ${text}`
      ).sort(byLabel),
      ...Object.entries(Arr.groupBy(all(events, "saw"), ([, who]) => who)).sort(byKey)
        .map(([who, seen]) => `${who} saw ${showSeen(seen)}`),
      ...Object.values(Arr.groupBy(all(events, "tree"), ([, root]) => root)).flatMap((tree) => ordered(tree, killed))
        .sort(),
      ...all(events, "ended").map(([, who, reason]) => `${who} ended: ${reason}`).sort(),
      ...all(events, "state").filter(([, who, text]) => {
        const changed = before.get(who) !== text
        before.set(who, text)
        return changed
      }).map(([, who, text]) => `${who} ${text}`).sort()
    ]
  })
}

/**
 * Starts and stops in one tree are in order, since each waits for the one before. That is not so for a worker that ends as
 * soon as it has started, and for those whom a supervisor that was killed takes along: then there is an order of starts and
 * one of stops, below each supervisor.
 */
const ordered = (events: ReadonlyArray<Of<"tree">>, killed: boolean): ReadonlyArray<string> => {
  const texts = events.map(([, , text]) => text)
  const groups = killed || texts.some((text) => /^start \S+ (finishes|crashes|exits)/.test(text))
    ? Object.values(Arr.groupBy(texts, (text) => `${supervisorOf(text)} ${text.startsWith("terminate ")}`))
    : [texts]
  return groups.map((group) => group.join(", "))
}

/** Whose affair a start or a stop is: that of the supervisor above, or its own if it gives up. */
const supervisorOf = (text: string): string => {
  const [what, of, ...rest] = text.split(" ") as [string, string, ...ReadonlyArray<string>]
  return what === "gives" ? pathOf(rest[0]!) : pathOf(of).replace(/\/?[^/]*$/, "")
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => a < b ? -1 : 1

const byLabel = (a: string, b: string): number => {
  const [stepA, nA] = a.split(" ", 1)[0]!.split(".").map(Number) as [number, number]
  const [stepB, nB] = b.split(" ", 1)[0]!.split(".").map(Number) as [number, number]
  return stepA - stepB || nA - nB
}

const showSeen = (seen: ReadonlyArray<Of<"saw">>): string =>
  Object.entries(Arr.groupBy(seen, ([, , of]) => of)).sort(byKey)
    .map(([of, messages]) => `${of}: ${unordered(messages.map(([, , , text]) => text)).join(", ")}`).join("; ")

const isEnd = (text: string): boolean => text.startsWith("EXIT ") || text.startsWith("DOWN ")

/** What links and monitors tell of one end comes in any order. */
const unordered = (messages: ReadonlyArray<string>): ReadonlyArray<string> => {
  const shown: Array<string> = []
  let end: Array<string> = []
  for (const text of messages) {
    if (!isEnd(text)) {
      shown.push(...end.sort(), text)
      end = []
    } else end.push(text)
  }
  return [...shown, ...end.sort()]
}

export const isEqual = (a: Trace, b: Trace): boolean =>
  a.length === b.length &&
  a.every((lines, i) => lines.length === b[i]!.length && lines.every((line, j) => line === b[i]![j]))
