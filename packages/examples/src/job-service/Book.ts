/**
 * What a journal says, once it is read: pure bookkeeping, with no process in it. It decides what is news, and so that a job
 * finishes once.
 *
 * It stays bounded: of a job it keeps its first entry and the last few, and of those that have finished the last `remember`.
 */
import type { Assignment, Entry, Event, Job, Totals } from "./Event.ts"

interface Dossier {
  readonly job: Job
  failures: number
  readonly entries: Array<Entry>
}

export interface Book {
  readonly remember: number
  /** In the order in which they were accepted. */
  readonly open: Map<string, Dossier>
  /** Those that have finished, the oldest first. The last entry is the outcome, or that it is forgotten. */
  readonly closed: Map<string, ReadonlyArray<Entry>>
  totals: Totals
}

const entriesPerJob = 32

export const make = (remember: number): Book => ({
  remember,
  open: new Map(),
  closed: new Map(),
  totals: { _tag: "Totals", accepted: 0, done: 0, gaveUp: 0 }
})

/** Whether an event may happen now. One that may not has happened before, or comes too late. */
export const isNews = ({ closed, open }: Book, event: Event): boolean => {
  switch (event._tag) {
    case "Accepted":
      return !open.has(event.id) && !closed.has(event.id)
    case "Forgotten":
      return closed.get(event.id)?.at(-1)?.event._tag === "Finished"
    default:
      return open.has(event.id)
  }
}

/** Enters what has happened. */
export const enter = (book: Book, entry: Entry): void => {
  const { event } = entry
  switch (event._tag) {
    case "Totals": {
      book.totals = event
      break
    }
    case "Accepted": {
      const { customer, id, what } = event
      book.open.set(id, { job: { id, customer, what }, failures: 0, entries: [entry] })
      book.totals = { ...book.totals, accepted: book.totals.accepted + 1 }
      break
    }
    case "Forgotten": {
      close(book, event.id, [entry])
      break
    }
    case "Finished": {
      close(book, event.id, [...book.open.get(event.id)?.entries ?? [], entry])
      const kind = event.outcome._tag === "Done" ? "done" : "gaveUp"
      book.totals = { ...book.totals, [kind]: book.totals[kind] + 1 }
      break
    }
    default: {
      const dossier = book.open.get(event.id)
      if (dossier === undefined) break
      if (event._tag === "Failed") dossier.failures = event.attempt
      dossier.entries.push(entry)
      if (dossier.entries.length > entriesPerJob) dossier.entries.splice(1, 1)
    }
  }
}

const close = (book: Book, id: string, entries: ReadonlyArray<Entry>): void => {
  book.open.delete(id)
  book.closed.set(id, entries)
  if (book.closed.size > book.remember) book.closed.delete(book.closed.keys().next().value!)
}

export const read = (remember: number, entries: Iterable<Entry>): Book => {
  const book = make(remember)
  for (const entry of entries) enter(book, entry)
  return book
}

/** The shortest journal that says the same. */
export const write = (book: Book, at: number): ReadonlyArray<Entry> => [
  ...Array.from(book.closed.values()).flat(),
  ...Array.from(book.open.values(), ({ entries }) => entries).flat(),
  // Last, since it is right whatever has been counted on the way here.
  { at, event: book.totals }
]

/** What is left to do, in the order in which it was accepted. */
export const assignments = (book: Book): ReadonlyArray<Assignment> =>
  Array.from(book.open.values(), ({ failures, job }) => ({ job, attempt: failures + 1 }))

export const history = (book: Book, id: string): ReadonlyArray<Entry> =>
  book.open.get(id)?.entries.slice() ?? book.closed.get(id) ?? []
