/**
 * Whether concurrent operations could have happened one after the other: a search for an order that explains every answer,
 * as Wing and Gong describe it, which never looks twice at the same operations done with the same state.
 *
 * An order keeps two things: what had returned before another was invoked comes before it, and so does what the same client
 * asked for before. An operation of which no answer is known may have happened at any time since then; one that is
 * `optional` may not have happened at all.
 */

/** What the operations mean, one after the other. */
export interface Specification<S, I, O> {
  readonly initial: S
  readonly apply: (state: S, input: I) => readonly [answer: O, state: S]
  /** The same for states that are the same. */
  readonly key: (state: S) => string
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
  { apply, initial, key }: Specification<S, I, O>,
  history: History<I, O>
): History<I, O> | undefined => {
  const bit = history.map((_, i) => 1n << BigInt(i))
  const set = (keep: (i: number) => boolean) => bit.reduce((all, each, i) => keep(i) ? all | each : all, 0n)
  const required = set((i) => !history[i]!.optional)
  // What has to be done before an operation, and what must not be.
  const before = history.map((b) => set((i) => precedes(history[i]!, b)) & required)
  const after = history.map((a) => set((i) => precedes(a, history[i]!)))
  const seen = new Set<string>()

  const search = (done: bigint, state: S): ReadonlyArray<Operation<I, O>> | undefined => {
    if ((done & required) === required) return []
    const at = `${done} ${key(state)}`
    if (seen.has(at)) return undefined
    seen.add(at)
    for (const [i, operation] of history.entries()) {
      if ((done & bit[i]!) !== 0n || (before[i]! & ~done) !== 0n || (after[i]! & done) !== 0n) continue
      const [answer, next] = apply(state, operation.input)
      if (operation.returned !== Infinity && answer !== operation.answer) continue
      const rest = search(done | bit[i]!, next)
      if (rest !== undefined) return [operation, ...rest]
    }
    return undefined
  }
  return search(0n, initial)
}

/** A history, a line for each operation, as a complaint shows it. */
export const show = <I, O>(history: History<I, O>, showInput: (input: I) => string): ReadonlyArray<string> =>
  history.map(({ answer, client, input, invoked, optional, returned }) => {
    const end = returned === Infinity ? optional ? "nobody knows" : "not asked" : `${returned}: ${answer}`
    return `${client} ${invoked} ${showInput(input)} -> ${end}`
  })
