/**
 * What has happened in a run, as data that can be compared and drawn.
 *
 * @internal
 */

/** Whoever sends or receives: a process, the code of the test, or the clock. */
export interface Lifeline {
  /** The name of the process, its label, or as what it was started. */
  readonly title: string
  /** Its pid, or an empty text for who has none. */
  readonly pid: string
}

/** What a step of a trace is about. */
export type Kind =
  | "spawn"
  | "message"
  | "cast"
  | "call"
  | "reply"
  | "exit"
  | "down"
  | "signal"
  | "link"
  | "unlink"
  | "monitor"
  | "demonitor"
  | "name"
  | "end"
  | "time"
  | "deviation"

/**
 * One step: from one lifeline to another, by their place among the lifelines, or at one alone. Time passes for all, and so has
 * neither.
 */
export interface Step {
  readonly kind: Kind
  readonly from: number | undefined
  readonly to: number | undefined
  readonly text: string
}

export interface Trace {
  readonly lifelines: ReadonlyArray<Lifeline>
  readonly steps: ReadonlyArray<Step>
}
