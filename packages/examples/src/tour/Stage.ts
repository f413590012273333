/**
 * Where an example runs during the tour: each line it prints is kept, and shown with a mark; each entry it logs becomes
 * one faint line.
 */
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { format } from "node:util"
import * as Screen from "./Screen.ts"
import type { Theme } from "./Theme.ts"

/** What was logged, in one line: its first word, and the cause if there is one. */
const headline = (message: unknown, cause: Cause.Cause<unknown>): string => {
  const text = format(Array.isArray(message) ? message[0] : message)
  const because = cause.reasons.length === 0 ? "" : `: ${format(Cause.prettyErrors(cause)[0]?.message)}`
  return (text + because).split("\n")[0]!
}

/** Runs `program` on the stage; ends with how it ended and the lines it has printed. */
export const play = Effect.fnUntraced(function*<A, E, R>(theme: Theme, program: Effect.Effect<A, E, R>) {
  const outer = yield* Console.Console
  const printed: Array<string> = []
  const print = (...args: ReadonlyArray<unknown>) => {
    for (const line of format(...args).split("\n")) {
      printed.push(line)
      outer.log(Screen.output(theme, line))
    }
  }
  const console: Console.Console = Object.assign(Object.create(outer), { log: print, info: print, error: print })
  const logger = Logger.make(({ cause, message }) => outer.log(Screen.remark(theme, headline(message, cause))))
  const exit = yield* program.pipe(
    Effect.provideService(Console.Console, console),
    Effect.provide(Logger.layer([logger])),
    Effect.exit
  )
  return { exit, printed }
})
