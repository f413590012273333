/**
 * Random programs for a state machine, run by the core, and by a model that is too simple to be wrong.
 *
 * A program is a list of answers: the n-th callback, whichever it is, gives the n-th answer, and from the last one on
 * callbacks keep everything. All messages are there at the beginning, and then time passes until nothing is left.
 */
import * as Action from "@effect-otp/core/Action"
import * as Transition from "@effect-otp/core/Transition"
import * as Schema from "effect/Schema"
import * as Machine from "../../src/internal/machine.ts"

export const times = ["cancel", "update", 0, 40, 70, 115] as const

const Timeout = Schema.Struct({
  set: Schema.Literals(["s", "e", "g", "h"]),
  time: Schema.Literals(times)
})
export const Answer = Schema.Struct({
  does: Schema.Literals(["keep", "repeat", "A", "B", "C"]),
  actions: Schema.Array(Schema.Union([Timeout, Schema.Literals(["postpone", "insert"])])).check(Schema.isMaxLength(4))
})
export const Program = Schema.Struct({
  messages: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 6 })),
  enters: Schema.Boolean,
  answers: Schema.Array(Answer).check(Schema.isMaxLength(14))
})

export type Program = typeof Program.Type
type Answer = typeof Answer.Type
type Set = (typeof Timeout.Type)["set"]

const keep: Answer = { does: "keep", actions: [] }

/** The n-th answer; an enter call may neither go elsewhere nor postpone or insert. */
export const answerOf = ({ answers }: Program, n: number, inEnter: boolean): Answer => {
  const answer = answers[n] ?? keep
  if (!inEnter) return answer
  return {
    does: answer.does === "repeat" ? "repeat" : "keep",
    actions: answer.actions.filter((action) => typeof action !== "string")
  }
}

// ----------------------------------------------------------------------------
// by the core
// ----------------------------------------------------------------------------

const setters = {
  s: Action.stateTimeout,
  e: Action.eventTimeout,
  g: (time: never, content: never) => Action.timeout("g", time, content),
  h: (time: never, content: never) => Action.timeout("h", time, content)
} as unknown as Record<Set, (time: unknown, content: unknown) => Action.Any>

export const transitionOf = (answer: Answer, n: number): Transition.TransitionImpl => {
  const actions = answer.actions.map((action, i): Action.Any => {
    if (action === "postpone") return Action.postpone
    if (action === "insert") return Action.nextEvent(`i${n}.${i}`)
    return setters[action.set](action.time, `${n}.${i}`)
  })
  const transition = answer.does === "keep"
    ? Transition.keepAndData(actions)
    : answer.does === "repeat"
    ? Transition.repeatAndData(actions)
    : Transition.next(answer.does, 0, actions)
  return transition as unknown as Transition.TransitionImpl
}

export const nameOf = (event: Machine.Event | Machine.Enter): string => {
  switch (event._tag) {
    case "Enter":
      return `enter ${event.previous}`
    case "StateTimeout":
      return `s ${event.content}`
    case "EventTimeout":
      return `e ${event.content}`
    case "Timeout":
      return `${event.name} ${event.content}`
    default:
      return (event as { readonly name: string }).name
  }
}

/** The callbacks that ran, each as the state and what it ran for. */
export const run = (program: Program): ReadonlyArray<string> => {
  const rules: Machine.Rules = {
    states: { A: {}, B: {}, C: {} },
    enters: () => program.enters,
    inserted: (name, payload) => ({ _tag: "Internal", name, payload })
  }
  const seen: Array<string> = []
  const deadlines = new Map<object, number>()
  let now = 0
  let { machine } = Machine.initial(rules, Transition.next("A", 0) as unknown as Transition.TransitionImpl)
  for (let message = 0;;) {
    let event = Machine.next(machine)
    if (event === undefined && message < program.messages) {
      event = { _tag: "Cast", name: `m${message++}`, payload: undefined }
    } else if (event === undefined) {
      const [first] = machine.timeouts.toSorted((a, b) => deadlines.get(a.timer)! - deadlines.get(b.timer)!)
      if (first === undefined) return seen
      now = deadlines.get(first.timer)!
      event = Machine.eventOf(first.timeout)
    }
    machine = Machine.taken(machine, event)
    const answer = answerOf(program, seen.length, event._tag === "Enter")
    const transition = transitionOf(answer, seen.length)
    seen.push(`${machine.state} ${nameOf(event)}`)
    machine = Machine.apply(rules, machine, event, transition).machine
    for (const { timeout, timer } of machine.timeouts) {
      if (!deadlines.has(timer)) deadlines.set(timer, now + (timeout.time as number))
    }
  }
}

// ----------------------------------------------------------------------------
// by the model
// ----------------------------------------------------------------------------

/** What the documentation of gen_statem says, sentence by sentence, on arrays that are changed in place. */
export const expected = (program: Program): ReadonlyArray<string> => {
  const seen: Array<string> = []
  const inserted: Array<string> = []
  const messages = Array.from({ length: program.messages }, (_, i) => `m${i}`)
  let postponed: Array<string> = []
  let running: Array<{ set: Set; content: string; at: number; zero: boolean }> = []
  let state = "A"
  let now = 0
  const stop = (set: Set) => running = running.filter((timeout) => timeout.set !== set)

  const follow = (event: string | undefined, first: Answer, n: number) => {
    const from = state
    const wanted: Array<{ set: Set; time: (typeof times)[number]; content: string }> = []
    const events: Array<string> = []
    const collect = (answer: Answer, n: number) =>
      answer.actions.forEach((action, i) => {
        if (action === "postpone") postponed = postponed.filter((other) => other !== event).concat(event ?? [])
        else if (action === "insert") events.push(`i${n}.${i}`)
        else wanted.push({ ...action, content: `${n}.${i}` })
      })
    collect(first, n)
    if (first.does !== "keep" && first.does !== "repeat") state = first.does
    let enters = program.enters && (state !== from || first.does === "repeat" || event === undefined)
    while (enters) {
      const n = seen.length
      seen.push(`${state} enter ${from}`)
      const answer = answerOf(program, n, true)
      collect(answer, n)
      enters = answer.does === "repeat"
    }
    if (state !== from) {
      inserted.unshift(...postponed)
      postponed = []
      stop("s")
    }
    inserted.unshift(...events)
    const last = wanted.filter(({ set }, i) => !wanted.slice(i + 1).some((later) => later.set === set))
    for (const { content, set, time } of last) {
      const old = running.find((timeout) => timeout.set === set)
      if (time === "update" && old !== undefined) old.content = content
      else {
        stop(set)
        if (time === "cancel") continue
        const after = time === "update" ? 0 : time
        running.push({ set, content, at: now + after, zero: after === 0 })
      }
    }
  }

  follow(undefined, keep, 0)
  for (;;) {
    let event = inserted.shift()
    if (event === undefined) {
      const timeout = running.find(({ zero }) => zero) ??
        (messages.length > 0 ? undefined : running.toSorted((a, b) => a.at - b.at)[0])
      if (timeout === undefined) event = messages.shift()
      else {
        now = timeout.at
        stop(timeout.set)
        event = `${timeout.set} ${timeout.content}`
      }
    }
    if (event === undefined) return seen
    stop("e")
    const n = seen.length
    seen.push(`${state} ${event}`)
    follow(event, answerOf(program, n, false), n)
  }
}
