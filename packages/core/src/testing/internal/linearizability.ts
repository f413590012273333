/**
 * Whether concurrent operations could have happened one after the other: a search for an order that explains every answer,
 * as Wing and Gong describe it, which never looks twice at the same operations done with the same state.
 *
 * An order keeps two things: what had returned before another was invoked comes before it, and so does what the same client
 * asked for before. An operation of which no answer is known may have happened at any time since then; one that is
 * `optional` may not have happened at all.
 *
 * @internal
 */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"

/** What the operations mean, one after the other. */
export interface Specification<S, I, O> {
  readonly initial: S
  readonly apply: (state: S, input: I) => readonly [answer: O, state: S]
  /** Whether an answer is the one that is meant. Default: they are equal. */
  readonly same?: ((expected: O, actual: O) => boolean) | undefined
}

export interface Operation<I, O> {
  readonly client: string
  readonly input: I
  /** When it was invoked, and when its answer was there, by a clock that counts; Infinity if nobody has seen one. */
  readonly invoked: number
  readonly returned: number
  /** What it gave; not looked at if nobody has seen it. */
  readonly answer?: O | undefined
  /** It may never have happened. */
  readonly optional: boolean
}

export type History<I, O> = ReadonlyArray<Operation<I, O>>

const precedes = (a: Operation<unknown, unknown>, b: Operation<unknown, unknown>): boolean =>
  a.returned < b.invoked || (a.client === b.client && a.invoked < b.invoked)

/** An order of operations that explains a history, or nothing if there is none. */
export const explain = <S, I, O>(
  specification: Specification<S, I, O>,
  history: History<I, O>
): History<I, O> | undefined => search(specification, history, Infinity) as History<I, O> | undefined

/**
 * The same, unless it takes more than so many steps. Of many operations whose answers nobody knows there are more orders than
 * anybody can try.
 */
export const search = <S, I, O>(
  { apply, initial, same = Equal.equals }: Specification<S, I, O>,
  history: History<I, O>,
  limit: number
): History<I, O> | "undecided" | undefined => {
  const bit = history.map((_, i) => 1n << BigInt(i))
  const set = (keep: (i: number) => boolean) => bit.reduce((all, each, i) => keep(i) ? all | each : all, 0n)
  const required = set((i) => !history[i]!.optional)
  // What has to be done before an operation, and what must not be.
  const before = history.map((b) => set((i) => precedes(history[i]!, b)) & required)
  const after = history.map((a) => set((i) => precedes(a, history[i]!)))
  // By value, not by how it prints: two states that only print alike must not pass for one.
  const seen = new Map<string, Array<S>>()
  let steps = 0

  const isNew = (done: bigint, state: S): boolean => {
    const at = `${done} ${Hash.hash(state)}`
    const states = seen.get(at)
    if (states === undefined) seen.set(at, [state])
    else if (states.some((each) => Equal.equals(each, state))) return false
    else states.push(state)
    return true
  }

  const from = (done: bigint, state: S): ReadonlyArray<Operation<I, O>> | undefined => {
    if ((done & required) === required) return []
    if (!isNew(done, state) || ++steps > limit) return undefined
    for (const [i, operation] of history.entries()) {
      if ((done & bit[i]!) !== 0n || (before[i]! & ~done) !== 0n || (after[i]! & done) !== 0n) continue
      const [answer, next] = apply(state, operation.input)
      if (operation.returned !== Infinity && !same(answer, operation.answer as O)) continue
      const rest = from(done | bit[i]!, next)
      if (rest !== undefined) return [operation, ...rest]
    }
    return undefined
  }
  return from(0n, initial) ?? (steps > limit ? "undecided" : undefined)
}

/** A history, a line for each operation, as a complaint shows it. */
export const show = <I, O>(
  history: History<I, O>,
  showInput: (input: I) => string,
  showAnswer: (answer: O) => string = String
): ReadonlyArray<string> =>
  history.map(({ answer, client, input, invoked, optional, returned }) => {
    const end = returned === Infinity
      ? optional ? "nobody knows" : "not answered"
      : `${returned}: ${showAnswer(answer as O)}`
    return `${client} ${invoked} ${showInput(input)} -> ${end}`
  })
