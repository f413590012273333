/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** From 0 up to 1. */
  readonly next: () => number
  /** A whole number below this one. */
  readonly below: (limit: number) => number
  /** True so often, on average. */
  readonly chance: (probability: number) => boolean
  readonly pick: <A>(choices: ReadonlyArray<A>) => A
  /** One of these, each as often as its weight says. */
  readonly weighted: <A>(choices: ReadonlyArray<readonly [weight: number, choice: A]>) => A
}

/** Each seed has streams of its own: what one of them is asked for changes nothing for the others. */
export const make = (seed: number, stream: number): Random => {
  let state = (seed ^ Math.imul(stream + 1, 0x9e3779b1)) >>> 0
  // Mulberry32: small, quick, and far better than is needed here.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick: (choices) => choices[below(choices.length)]!,
    weighted: (choices) => {
      let rest = next() * choices.reduce((sum, [weight]) => sum + weight, 0)
      for (const [weight, choice] of choices) {
        rest -= weight
        if (rest < 0) return choice
      }
      return choices.at(-1)![1]
    }
  }
}
