/**
 * How far it is: a bar on a terminal, and a plain line now and then where there is none.
 */
import { SingleBar } from "cli-progress"
import { Console, Effect } from "effect"

export interface Progress {
  readonly done: number
  readonly total: number
  readonly what: string
}

export type Show = (progress: Progress) => Effect.Effect<void>

const linesInAll = 20

/** Told on the error output, so that the report is all there is on the other. */
export const make = Effect.gen(function*() {
  if (!process.stderr.isTTY) return yield* lines
  const bar = yield* Effect.acquireRelease(
    Effect.sync(() =>
      new SingleBar({
        stream: process.stderr,
        hideCursor: true,
        clearOnComplete: true,
        etaBuffer: 200,
        format: "{bar} {percentage} %, {eta_formatted} left: {what}"
      })
    ),
    (bar) => Effect.sync(() => bar.stop())
  )
  const show: Show = ({ done, total, what }) =>
    Effect.sync(() => {
      if (!bar.isActive) bar.start(total, 0, { what })
      bar.update(done, { what })
    })
  return show
})

const lines: Effect.Effect<Show> = Effect.sync(() => {
  const began = performance.now()
  let shown = 0
  return ({ done, total, what }) => {
    const part = Math.floor(linesInAll * done / total)
    if (part <= shown) return Effect.void
    shown = part
    const seconds = Math.round((performance.now() - began) / 1000)
    return Console.error(`${Math.floor(100 * done / total)} % after ${seconds} s: ${what}`)
  }
})
