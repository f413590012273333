/**
 * Numbers that follow from a seed. Small and quick rather than strong: they only have to be the same everywhere.
 *
 * @internal
 */

/** A seed for the n-th of many, which are as good as independent of each other. */
export const derive = (seed: number, n: number): number => mix(mix(seed | 0) ^ mix(Math.floor(seed / 2 ** 32)) ^ mix(n))

/** A number from 0 up to, and not including, 1. */
export type Draw = () => number

/** The numbers of a seed, one after the other: a counter whose bits are mixed. */
export const make = (seed: number): Draw => {
  let state = derive(seed, 0)
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    return mix(state) / 2 ** 32
  }
}

/** Spreads 32 bits over 32 bits, reversibly. */
const mix = (value: number): number => {
  let bits = value | 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad)
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97)
  return (bits ^ (bits >>> 15)) >>> 0
}
