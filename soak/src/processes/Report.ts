/**
 * What the mishaps of a process have shown, as text for a terminal and as Markdown. Pure.
 */
import * as Format from "@effect-otp/benchmark/Format"
import * as Markdown from "@effect-otp/benchmark/Markdown"
import { megabytes } from "../Report.ts"
import type { Result } from "./Processes.ts"

const header = ["mishap", "times", "median", "max", "held afterwards"]

const millis = (value: number): string => `${Format.count(value)} ms`

const rows = ({ rows }: Result) =>
  rows.map(({ max, median, mishap, rss, times }) => [
    mishap,
    Format.count(times),
    millis(median),
    millis(max),
    megabytes(rss)
  ])

const facts = ({ acknowledged, finished }: Result): ReadonlyArray<string> => [
  `jobs: ${Format.count(acknowledged)} acknowledged to customers, and all of them known after each mishap; ${
    Format.count(finished)
  } finished, those of the floods among them`,
  "nothing was lost, and the service came back each time"
]

export const text = (result: Result): string =>
  [...Format.columns([header, ...rows(result)]).map((row) => row.join("   ")), "", ...facts(result)].join("\n")

export const markdown = (result: Result): string =>
  Markdown.document(["# Soak of processes", Markdown.list(facts(result)), Markdown.table(header, rows(result))])
