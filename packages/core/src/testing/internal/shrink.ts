/**
 * Finds out which of many things a failure needs. Pure, as far as what it tries is.
 *
 * @internal
 */
import * as Effect from "effect/Effect"

/**
 * Takes away as much of `items` as it can with `fails` still true: first halves, then quarters, and at last single ones
 * (Zeller's delta debugging). What it gives cannot do without any one of its items, unless `most` tries were not enough.
 */
export const shrink = Effect.fnUntraced(function*<A, E, R>(
  items: ReadonlyArray<A>,
  fails: (items: ReadonlyArray<A>) => Effect.Effect<boolean, E, R>,
  most: number
) {
  let left = items
  let tries = 0
  let parts = 2
  if (left.length > 0 && (yield* fails([]))) return []
  while (left.length > 1 && tries < most) {
    const size = Math.ceil(left.length / parts)
    let smaller: ReadonlyArray<A> | undefined
    for (let from = 0; from < left.length && tries < most; from += size) {
      const rest = left.filter((_, index) => index < from || index >= from + size)
      tries++
      if (yield* fails(rest)) {
        smaller = rest
        break
      }
    }
    if (smaller !== undefined) {
      left = smaller
      parts = Math.max(parts - 1, 2)
    } else if (size === 1) break
    else parts = Math.min(parts * 2, left.length)
  }
  return left
})
