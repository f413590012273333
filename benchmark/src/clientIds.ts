/** The clients of a rate limiter. */
export const clientIds = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, i) => `client-${i}`)
