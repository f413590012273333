import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { cases } from "../../../../test-scale.ts"
import * as Book from "../../src/job-service/Book.ts"
import type { Entry, Event } from "../../src/job-service/Event.ts"

const ids = ["a", "b", "c", "d"] as const

const event = (tag: Event["_tag"], id: string): Event => {
  switch (tag) {
    case "Accepted":
      return { _tag: tag, id, customer: `customer of ${id}`, what: "work" }
    case "Started":
      return { _tag: tag, id, attempt: 1, worker: "#PID<0.1.0>" }
    case "Failed":
      return { _tag: tag, id, attempt: 1, why: "a bug" }
    case "Returned":
      return { _tag: tag, id, why: "killed" }
    case "Finished":
      return { _tag: tag, id, outcome: { _tag: "Done", result: "well" } }
    case "Forgotten":
      return { _tag: tag, id }
  }
}

const tags = ["Accepted", "Started", "Failed", "Returned", "Finished", "Forgotten"] as const

const events = Schema.Array(Schema.Struct({ tag: Schema.Literals(tags), id: Schema.Literals(ids) })).check(
  Schema.isMaxLength(60)
)

/** All that is news of what was tried, entered. */
const entered = (remember: number, tried: typeof events.Type) => {
  const book = Book.make(remember)
  const log: Array<Entry> = []
  for (const [at, { id, tag }] of tried.entries()) {
    const entry = { at, event: event(tag, id) }
    if (!Book.isNews(book, entry.event)) continue
    Book.enter(book, entry)
    log.push(entry)
  }
  return { book, log }
}

const says = (book: Book.Book) => ({
  ...book,
  open: [...book.open],
  closed: [...book.closed],
  left: Book.assignments(book)
})

describe("Book", () => {
  it.prop("a job is accepted once, finishes once, and is forgotten once", { events }, ({ events }) => {
    const { book, log } = entered(100, events)
    const times = (tag: Event["_tag"], id: string) =>
      log.filter(({ event }) => event._tag === tag && "id" in event && event.id === id).length
    for (const id of ids) {
      assert.isAtMost(times("Accepted", id), 1)
      assert.isAtMost(times("Finished", id), times("Accepted", id))
      assert.isAtMost(times("Forgotten", id), times("Finished", id))
    }
    const { accepted, done, gaveUp } = book.totals
    assert.strictEqual(accepted, done + gaveUp + book.open.size)
    assert.strictEqual(accepted, log.filter(({ event }) => event._tag === "Accepted").length)
  }, { arbitrary: { runs: cases } })

  it.prop("written anew, it reads the same", { events }, ({ events }) => {
    for (const remember of [1, 2, 100]) {
      const { book } = entered(remember, events)
      const written = Book.write(book, 1000)
      assert.deepStrictEqual(says(Book.read(remember, written)), says(book))
      assert.deepStrictEqual(Book.write(Book.read(remember, written), 1000), written)
    }
  }, { arbitrary: { runs: cases } })

  it("of a job it keeps how it began, and the last that happened", () => {
    const book = Book.make(1)
    Book.enter(book, { at: 0, event: event("Accepted", "a") })
    for (let at = 1; at <= 1000; at++) {
      Book.enter(book, { at, event: event(at % 2 === 1 ? "Started" : "Returned", "a") })
    }
    const history = Book.history(book, "a")
    assert.strictEqual(history.length, 32)
    assert.deepStrictEqual([history[0]!.at, history[1]!.at, history.at(-1)!.at], [0, 970, 1000])
  })

  it("what is left to do is in the order in which it was accepted, with the attempt that comes next", () => {
    const book = Book.make(10)
    for (const id of ["b", "a", "c"]) Book.enter(book, { at: 0, event: event("Accepted", id) })
    Book.enter(book, { at: 1, event: event("Failed", "a") })
    Book.enter(book, { at: 2, event: event("Finished", "b") })
    assert.deepStrictEqual(Book.assignments(book).map(({ attempt, job }) => [job.id, attempt]), [["a", 2], ["c", 1]])
  })
})
