/**
 * The progress of the million, drawn in place. Only for a terminal: it moves the cursor.
 */
import { SingleBar } from "cli-progress"
import * as Effect from "effect/Effect"
import type { Report } from "../60_million-processes.ts"
import type { Theme } from "./Theme.ts"

const thousands = (value: number): string => value.toLocaleString("en")

/** A report that draws a bar for each kind of work, from its first call to the one that says all is done. */
export const make = (theme: Theme) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      new SingleBar({
        stream: process.stdout,
        hideCursor: true,
        barsize: 40,
        format: (_options, { progress, value, total }, { what }: { readonly what: string }) => {
          const filled = Math.round(progress * 40)
          const bar = theme.accent("━".repeat(filled)) + theme.faint("─".repeat(40 - filled))
          return `  ${bar} ${thousands(value).padStart(thousands(total).length)} ${what}`
        }
      })
    ),
    (bar) => Effect.sync(() => bar.isActive && bar.stop())
  ).pipe(
    Effect.map((bar): Report => (what, done, total) =>
      Effect.sync(() => {
        if (!bar.isActive) bar.start(total, 0, { what })
        bar.update(done, { what })
        if (done === total) bar.stop()
      })
    )
  )
