/** Smaller programs to try when one has failed: any part of it left out, and the same one in simpler words. */
export interface Raw {
  readonly which: number
  readonly n: number
  /** It is given right after the one before it. */
  readonly atOnce: boolean
  readonly by?: number
}

export const simpler = <A extends Raw>(commands: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> => {
  const found: Array<ReadonlyArray<A>> = []
  for (let length = commands.length >> 1; length >= 1; length >>= 1) {
    for (let from = 0; from < commands.length; from += length) found.push(commands.toSpliced(from, length))
  }
  for (const [i, command] of commands.entries()) {
    if (command.atOnce) found.push(commands.with(i, { ...command, atOnce: false }))
    for (const key of ["by", "which", "n"] as const) {
      const value = command[key] ?? 0
      if (value > 0) {
        found.push(commands.with(i, { ...command, [key]: 0 }), commands.with(i, { ...command, [key]: value - 1 }))
      }
    }
  }
  return found.filter((each) => each.length > 0)
}
