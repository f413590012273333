/**
 * Draws a trace as a sequence diagram in text: a lifeline for each process, an arrow for each step, and beside it what it
 * says. Pure.
 *
 * @internal
 */
import type { Lifeline, Step, Trace } from "./trace.ts"

const gutter = 3
const narrowest = 9
const widest = 17
/** What is left for the texts, at least. */
const forText = 48

/** How many steps are drawn: the end of a run tells more than its beginning. */
const maxSteps = 120

export const draw = (trace: Trace, width: number): string => {
  const used = lifelinesOf(trace)
  const column = Math.min(widest, Math.floor((width - gutter - forText) / Math.max(used.length, 1)))
  const steps = trace.steps.slice(-maxSteps)
  const left = trace.steps.length - steps.length
  const head = left === 0 ? [] : [`${" ".repeat(gutter)}… ${left} steps before`]
  const lines = column < narrowest
    ? [...head, ...steps.map((step) => inWords(trace.lifelines, step))]
    : [...titles(trace.lifelines, used, column), ...head, ...drawSteps(used, steps, column, trace.steps)]
  return lines.map((line) => cut(line.trimEnd(), width)).join("\n")
}

/** Those that anything happens to, in the order in which they come up. */
const lifelinesOf = ({ lifelines, steps }: Trace): ReadonlyArray<number> => {
  const used = new Set<number>()
  for (const { from, to } of steps) {
    if (from !== undefined) used.add(from)
    if (to !== undefined) used.add(to)
  }
  return lifelines.map((_, place) => place).filter((place) => used.has(place))
}

const titles = (
  lifelines: ReadonlyArray<Lifeline>,
  used: ReadonlyArray<number>,
  column: number
): ReadonlyArray<string> => {
  const row = (text: (lifeline: Lifeline) => string) =>
    " ".repeat(gutter) + used.map((place) => centred(cut(text(lifelines[place]!), column - 1), column)).join("")
  const rows = [row(({ title }) => title)]
  if (used.some((place) => lifelines[place]!.pid !== "")) {
    rows.push(row(({ pid, title }) => pid === title ? "" : pid.replace("#PID", "")))
  }
  return rows
}

const drawSteps = (
  used: ReadonlyArray<number>,
  steps: ReadonlyArray<Step>,
  column: number,
  all: ReadonlyArray<Step>
): ReadonlyArray<string> => {
  const at = (place: number) => gutter + used.indexOf(place) * column + (column >> 1)
  const end = gutter + used.length * column
  const alive = new Set(used.filter((place) => !all.some(({ kind, to }) => kind === "spawn" && to === place)))
  const skipped = all.slice(0, all.length - steps.length)
  const lines: Array<string> = []
  for (const step of skipped) follow(alive, step)
  for (const step of steps) {
    const canvas = Array.from({ length: end }, () => " ")
    const before = new Set(alive)
    follow(alive, step)
    for (const place of before) canvas[at(place)] = "│"
    lines.push(drawStep(canvas, step, at) + " " + textOf(step))
  }
  return lines
}

const follow = (alive: Set<number>, { kind, to }: Step): void => {
  if (to === undefined) return
  if (kind === "spawn") alive.add(to)
  if (kind === "end") alive.delete(to)
}

const drawStep = (canvas: Array<string>, { from, kind, to }: Step, at: (place: number) => number): string => {
  if (kind === "time") {
    for (let x = gutter; x < canvas.length; x++) if (canvas[x] === " ") canvas[x] = "·"
  }
  if (kind === "deviation") {
    canvas[0] = "!"
    if (to !== undefined) canvas[at(to)] = "!"
  }
  if (to !== undefined && kind !== "deviation") {
    const [a, b] = [at(from ?? to), at(to)]
    const line = kind === "reply" || kind === "down" ? "╌" : "─"
    for (let x = Math.min(a, b) + 1; x < Math.max(a, b); x++) canvas[x] = canvas[x] === "│" ? "┼" : line
    if (a < b) [canvas[a], canvas[b - 1]] = ["├", "▶"]
    if (b < a) [canvas[a], canvas[b + 1]] = ["┤", "◀"]
    canvas[b] = markOf(kind, a === b) ?? canvas[b]!
  }
  return canvas.join("")
}

const markOf = (kind: Step["kind"], alone: boolean): string | undefined => {
  if (kind === "end") return "╳"
  if (kind === "spawn") return "┬"
  return alone ? "●" : "│"
}

const textOf = ({ kind, text }: Step): string => kind === "deviation" ? `! ${text}` : text

const inWords = (lifelines: ReadonlyArray<Lifeline>, { from, kind, text, to }: Step): string => {
  const name = (place: number) => {
    const { pid, title } = lifelines[place]!
    return pid === "" || pid === title ? title : `${title} ${pid.replace("#PID", "")}`
  }
  const mark = (kind === "deviation" ? "!" : "").padEnd(gutter)
  if (kind === "deviation" || to === undefined) return `${mark}${text}`
  return from === undefined || from === to
    ? `${mark}${name(to)}: ${text}`
    : `${mark}${name(from)} → ${name(to)}: ${text}`
}

const cut = (text: string, width: number): string => {
  const line = text.replaceAll(/\s*\n\s*/g, " ")
  return line.length > width ? `${line.slice(0, Math.max(width - 1, 0))}…` : line
}

const centred = (text: string, width: number): string => {
  const before = Math.max((width >> 1) - (text.length >> 1), 0)
  return (" ".repeat(before) + text).padEnd(width)
}
