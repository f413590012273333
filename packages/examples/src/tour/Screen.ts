/**
 * What the tour looks like: pure functions from what there is to say to the lines that say it.
 */
import type { Claim } from "./Claim.ts"
import type { Step } from "./Step.ts"
import type { Theme } from "./Theme.ts"

export interface Screen {
  readonly theme: Theme
  /** Columns that text may fill, without the margin. */
  readonly width: number
}

/** How one step went. */
export interface Outcome {
  readonly step: Step
  readonly claims: ReadonlyArray<Claim>
  readonly millis: number
}

type Lines = ReadonlyArray<string>

const margin = "  "

const indent = (lines: Lines): Lines => lines.map((line) => line === "" ? "" : margin + line)

const rule = ({ theme, width }: Screen): string => theme.faint("─".repeat(width))

/** `text` broken between words into lines of at most `width` columns. */
export const wrap = (text: string, width: number): Lines => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(/\s+/).filter((word) => word !== "")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === "" ? word : `${line} ${word}`
    }
  }
  return line === "" ? lines : [...lines, line]
}

export const duration = (millis: number): string =>
  millis < 1000 ? `${Math.max(1, Math.round(millis))} ms` : `${(millis / 1000).toFixed(1)} s`

/** `left` and `right` at the two ends of a line; `Theme` marks take no columns, so the lengths are given apart. */
const spread = (
  width: number,
  left: string,
  right: string,
  paintLeft: (s: string) => string,
  paintRight: (s: string) => string
) => paintLeft(left) + " ".repeat(Math.max(1, width - left.length - right.length)) + paintRight(right)

export const opening = (screen: Screen, runtime: string): Lines => {
  const { theme, width } = screen
  return [
    "",
    ...indent([
      spread(width, "effect-otp", "the guided tour", theme.title, theme.faint),
      theme.faint(`Erlang/OTP as a typed library for Effect · ${runtime}`),
      "",
      ...wrap(
        "Each step is one small program. You see what it is about, the lines of its own source that do it, what it prints "
          + "while it runs, and a ✓ for everything that happened as it should.",
        width
      )
    ])
  ]
}

/** Everything about a step that is known before it runs. */
export const heading = (
  screen: Screen,
  step: Step,
  at: { readonly number: number; readonly of: number; readonly code: Lines }
): Lines => {
  const { theme, width } = screen
  const count = `${at.number} of ${at.of}`
  return [
    "",
    "",
    ...indent([
      spread(width, step.title, count, theme.title, theme.faint),
      rule(screen),
      ...wrap(step.about, width),
      "",
      theme.accent(`packages/examples/src/${step.file}`),
      ...at.code.map((line) => theme.faint(line === "" ? "│" : `│ ${line}`))
    ]),
    ""
  ]
}

/** A line that the running program printed. */
export const output = (theme: Theme, line: string): string => `${margin}${theme.accent("›")} ${line}`

/** A line about the running program that it did not print itself. */
export const remark = (theme: Theme, line: string): string => `${margin}${theme.faint(`· ${line}`)}`

export const verdict = ({ theme, width }: Screen, { claims, millis }: Outcome): Lines => [
  "",
  ...indent([
    ...claims.flatMap(({ detail, holds, label }) =>
      holds
        ? [`${theme.good("✓")} ${label}`]
        : [
          `${theme.bad("✗")} ${theme.strong(label)}`,
          ...detail.split("\n").flatMap((line) => wrap(line, width - 4)).map((line) => `    ${theme.bad(line)}`)
        ]
    ),
    theme.faint(`  ${duration(millis)}`)
  ])
]

const held = (claims: ReadonlyArray<Claim>): number => claims.filter(({ holds }) => holds).length

/** The closing table, one row for each step and one for all of them. */
export const summary = (screen: Screen, outcomes: ReadonlyArray<Outcome>): Lines => {
  const { theme, width } = screen
  const row = (number: string, title: string, claims: ReadonlyArray<Claim>, millis: number) => {
    const all = held(claims) === claims.length
    const passed = `${held(claims)} of ${claims.length}`.padStart(8)
    const right = `${passed} ${all ? "✓" : "✗"} ${duration(millis).padStart(9)}`
    const left = `${number.padStart(2)}  ${title}`
    const gap = " ".repeat(Math.max(1, width - left.length - right.length))
    return left + gap +
      `${passed} ${all ? theme.good("✓") : theme.bad("✗")} ${theme.faint(duration(millis).padStart(9))}`
  }
  const claims = outcomes.flatMap((outcome) => outcome.claims)
  const millis = outcomes.reduce((sum, outcome) => sum + outcome.millis, 0)
  return [
    "",
    "",
    ...indent([
      spread(width, "What was claimed, and what held", "claims        time", theme.title, theme.faint),
      rule(screen),
      ...outcomes.map(({ claims, millis, step }, i) => row(`${i + 1}`, step.title, claims, millis)),
      rule(screen),
      row("", "in all", claims, millis)
    ])
  ]
}

/** Where to go from here. */
export const closing = ({ theme }: Screen): Lines => [
  "",
  ...indent([
    theme.strong("Read on"),
    ...[
      ["README.md", "what it is, and the Counter in full"],
      ["docs/from-elixir.md", "this lesson, Elixir on the left and TypeScript on the right"],
      ["packages/examples/src", "the programs you have just seen, one file each"]
    ].map(([where, what]) => `${theme.accent(where!.padEnd(23))}${theme.faint(what!)}`)
  ]),
  ""
]
