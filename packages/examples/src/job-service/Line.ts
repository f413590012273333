/** What a reader of the terminal sees of it: a line for each thing that happens. */
import { styleText } from "node:util"
import * as Book from "./Book.ts"
import type { Entry, Event } from "./Event.ts"
import type { News } from "./Progress.ts"

const firstLine = (text: string) => text.split("\n")[0]!

const words = (event: Event): string => {
  switch (event._tag) {
    case "Accepted":
      return styleText("dim", "accepted")
    case "Started":
      return `started by ${event.worker}${event.attempt > 1 ? `, attempt ${event.attempt}` : ""}`
    case "Failed":
      return styleText("yellow", firstLine(event.why))
    case "Returned":
      return styleText("yellow", `given back: ${firstLine(event.why)}`)
    case "Finished":
      return event.outcome._tag === "Done"
        ? styleText("green", `done: ${event.outcome.result}`)
        : styleText("red", "given up")
    case "Forgotten":
      return styleText("dim", "collected")
  }
}

const line = (at: number, id: string, words: string) =>
  `${(at / 1000).toFixed(1).padStart(5)} s  ${id.padEnd(8)}${words}`

/** At `at` milliseconds from the start. What the journal tells already is not said twice. */
export const ofNews = (news: News, at: number): string | undefined => {
  if (news._tag === "Answered") {
    return news.answer === "acknowledged" ? undefined : line(at, news.id, styleText("yellow", news.answer))
  }
  const { event } = news.entry
  return event._tag === "Totals" ? undefined : line(at, event.id, words(event))
}

/** What a journal holds when all has ended. */
export const ofJournal = (entries: ReadonlyArray<Entry>) => {
  const { open, totals: { accepted, done, gaveUp } } = Book.read(Infinity, entries)
  return { text: `${accepted} accepted: ${done} done, ${gaveUp} given up, ${open.size} kept`, kept: open.size }
}
