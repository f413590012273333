/**
 * Says aloud what happens, and counts what the customers were told.
 *
 * It is told by casts: nobody waits for it, nothing depends on it, and what it misses is lost. What must not be lost is in the
 * journal.
 */
import { GenServer, Step } from "@effect-otp/core"
import { Effect, Schema } from "effect"
import { Entry } from "./Event.ts"

/** What a customer was told: that the job is safe, that it is one too many, or nothing, since nobody was there. */
export const Answer = Schema.Literals(["acknowledged", "refused", "unanswered"])
export type Answer = typeof Answer.Type

export const Tally = Schema.Record(Answer, Schema.Finite)
export interface Tally extends Schema.Schema.Type<typeof Tally> {}

/** What there is to say: an entry of the journal, or the answer to a customer. */
export type News =
  | { readonly _tag: "Entry"; readonly entry: Entry }
  | { readonly _tag: "Answered"; readonly id: string; readonly answer: Answer }

export type Print = (news: News) => Effect.Effect<void>

export class Progress extends GenServer.Service<Progress>()("jobs/Progress", [
  GenServer.cast("happened", { payload: { entry: Entry } }),
  GenServer.cast("answered", { payload: { id: Schema.String, answer: Answer } }),
  GenServer.call("tally", { success: Tally })
]) {
  static readonly server = this.implement({
    init: (print: Print) => ({ print, tally: { acknowledged: 0, refused: 0, unanswered: 0 } as Tally }),
    handlers: {
      happened: (state, { entry }) => say(state, { _tag: "Entry", entry }),
      answered: ({ print, tally }, { answer, id }) =>
        say({ print, tally: { ...tally, [answer]: tally[answer] + 1 } }, { _tag: "Answered", id, answer }),
      tally: (state) => Step.reply(state.tally, state)
    },
    // A terminal that is slow must not fill the memory.
    mailbox: { capacity: 10_000, policy: "dropOldest" }
  })
}

interface State {
  readonly print: Print
  readonly tally: Tally
}

const say = (state: State, news: News) => Effect.as(state.print(news), Step.noReply(state))
