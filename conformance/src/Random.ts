/** Numbers that look random and are the same for the same seed, on any machine. */
export interface Random {
  /** A whole number from 0 to `n - 1`. */
  readonly below: (n: number) => number
  /** Whether something happens that does so in `percent` of all cases. */
  readonly chance: (percent: number) => boolean
  readonly pick: <A>(from: ReadonlyArray<A>) => A
  /** One of the keys, as often as its weight says. */
  readonly weighted: <K extends string>(weights: Readonly<Record<K, number>>) => K
}

const mix = (n: number): number => {
  let z = Math.imul(n ^ (n >>> 16), 0x21f0aaad)
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
  return (z ^ (z >>> 15)) >>> 0
}

/** By splitmix32. The seed is mixed, too: otherwise the sequence of its neighbour is the same one, a step ahead. */
export const make = (seed: number): Random => {
  let state = mix(seed)
  const next = (): number => mix(state = (state + 0x9e3779b9) | 0)
  const below = (n: number) => next() % n
  return {
    below,
    chance: (percent) => below(100) < percent,
    pick: (from) => from[below(from.length)]!,
    weighted: <K extends string>(weights: Readonly<Record<K, number>>): K => {
      // The keys of a record of K are of K; `Object.keys` forgets it.
      const keys = Object.keys(weights) as Array<K>
      let left = below(keys.reduce((sum, key) => sum + weights[key], 0))
      return keys.find((key) => (left -= weights[key]) < 0)!
    }
  }
}
