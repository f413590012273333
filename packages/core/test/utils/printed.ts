/**
 * What a person reads: the text that each of Effect's loggers prints.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as NodeConsole from "node:console"
import { Writable } from "node:stream"

/** Every logger that prints, by name. */
export const loggers = {
  default: Logger.defaultLogger,
  pretty: Logger.consolePretty({ mode: "tty", colors: false }),
  browser: Logger.consolePretty({ mode: "browser", colors: false }),
  logFmt: Logger.consoleLogFmt,
  json: Logger.consoleJson,
  structured: Logger.consoleStructured,
  simple: Logger.withConsoleLog(Logger.formatSimple)
}

/** Runs an effect with one logger, and gives what it has printed. */
export const printed = Effect.fnUntraced(
  function*<A, E, R>(logger: Logger.Logger<unknown, unknown>, body: Effect.Effect<A, E, R>) {
    let text = ""
    const stream = new Writable({
      write: (chunk, _, done) => {
        text += String(chunk)
        done()
      }
    })
    const console = new NodeConsole.Console({ stdout: stream, stderr: stream, colorMode: false })
    yield* body.pipe(Effect.provideService(Console.Console, console), Effect.provide(Logger.layer([logger])))
    return text
  }
)

/** Without what differs from run to run: times and fiber ids. */
export const normalised = (text: string): string =>
  text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
    .replaceAll(/\[[\d:.]{12}\]/g, "[<time>]")
    .replaceAll(/(\(|fiber=|fiberId":")#\d+/g, "$1#<fiber>")
