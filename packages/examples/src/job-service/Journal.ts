/**
 * What the service has promised: every job that was accepted, and what became of it.
 *
 * The one server that writes to the store, and the first of those that need each other. An entry is answered when it is
 * stored, so that whoever acknowledges something afterwards can be killed at any moment. Restarted, it reads what is there.
 */
import { GenServer, Step } from "@effect-otp/core"
import { Clock, Effect, Schema } from "effect"
import * as Book from "./Book.ts"
import { Assignment, Entry, Event, Outcome, Totals } from "./Event.ts"
import { Progress } from "./Progress.ts"
import type { Disk, Store } from "./Store.ts"

/** There is no result to have: the job was never accepted, its result was collected, or is asked for by somebody else. */
export class NoResult extends Schema.TaggedError<NoResult>()("NoResult", {
  id: Schema.String,
  why: Schema.Literals(["unknown", "collected", "somebody else asks"])
}) {}

const id = { id: Schema.String }

interface State {
  readonly book: Book.Book
  readonly disk: Disk
  readonly progress: GenServer.ClientOf<Progress>
  /** Who waits for the result of a job. */
  readonly readers: Map<string, GenServer.From<Outcome, NoResult>>
  /** How many entries the store holds, and how many will make it write them anew. */
  stored: number
  tooMany: number
}

export class Journal extends GenServer.Service<Journal>()("jobs/Journal", [
  /** Stores what is news. What is none changes nothing, and is told by `false`. */
  GenServer.call("append", { payload: { event: Event }, success: Schema.Boolean }),
  GenServer.call("assignments", { success: Schema.Array(Assignment) }),
  GenServer.call("totals", { success: Totals }),
  GenServer.call("history", { payload: id, success: Schema.Array(Entry) }),
  /** Waits for the outcome of a job, and keeps it: whoever asks may be killed before it hears. */
  GenServer.call("result", { payload: id, success: Outcome, error: NoResult })
]) {
  static readonly server = this.implement({
    init: ({ remember, store }: { readonly remember: number; readonly store: Store }) =>
      Effect.gen(function*() {
        const disk = yield* store.open
        const state: State = {
          book: Book.read(remember, disk.entries),
          disk,
          progress: yield* Progress,
          readers: new Map(),
          stored: 0,
          tooMany: 0
        }
        yield* writeAnew(state)
        return state
      }),
    handlers: {
      append: (state, { event }) => {
        if (!Book.isNews(state.book, event)) return Step.reply(false, state)
        return Effect.gen(function*() {
          const entry = { at: yield* Clock.currentTimeMillis, event }
          // Stored before anybody knows of it.
          yield* state.disk.append(entry)
          Book.enter(state.book, entry)
          state.stored++
          yield* state.progress.happened({ entry })
          if (event._tag === "Finished") yield* tellReader(state, event)
          return Step.reply(true, state, state.stored > state.tooMany ? { continue: "writeAnew" } : {})
        })
      },
      assignments: (state) => Step.reply(Book.assignments(state.book), state),
      totals: (state) => Step.reply(state.book.totals, state),
      history: (state, { id }) => Step.reply(Book.history(state.book, id), state),
      result: (state, { id }, from) => {
        const last = Book.history(state.book, id).at(-1)?.event
        if (last === undefined) return Effect.fail(new NoResult({ id, why: "unknown" }))
        if (last._tag === "Forgotten") return Effect.fail(new NoResult({ id, why: "collected" }))
        if (last._tag === "Finished") return Step.reply(last.outcome, state)
        // One at a time, or those who have asked and gone would pile up.
        const other = state.readers.get(id)
        state.readers.set(id, from)
        const waits = Step.noReply(state)
        return other === undefined
          ? waits
          : Effect.as(GenServer.fail(other, new NoResult({ id, why: "somebody else asks" })), waits)
      }
    },
    continue: (state, _: "writeAnew") => Effect.as(writeAnew(state), Step.noReply(state)),
    formatStatus: ({ book, stored }) => ({
      open: book.open.size,
      closed: book.closed.size,
      totals: book.totals,
      stored
    })
  })
}

const tellReader = ({ readers }: State, { id, outcome }: { readonly id: string; readonly outcome: Outcome }) => {
  const reader = readers.get(id)
  readers.delete(id)
  return reader === undefined ? Effect.void : GenServer.reply(reader, outcome)
}

/** Leaves out what nobody will ask for, each time that the store has grown to twice its size. */
const writeAnew = Effect.fnUntraced(function*(state: State) {
  const entries = Book.write(state.book, yield* Clock.currentTimeMillis)
  yield* state.disk.replace(entries)
  state.stored = entries.length
  state.tooMany = 2 * entries.length + 1000
})
