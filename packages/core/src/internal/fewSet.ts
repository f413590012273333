/**
 * A set that is most often empty or has one member: nothing, the member itself, or a Set from the second on. Nearly every
 * process has no link or one, and a Set each would double its size.
 *
 * @internal
 */
export type FewSet<T extends object> = undefined | T | Set<T>

export const add = <T extends object>(self: FewSet<T>, value: T): FewSet<T> => {
  if (self === undefined || self === value) return value
  if (self instanceof Set) return self.add(value)
  return new Set([self, value])
}

export const remove = <T extends object>(self: FewSet<T>, value: T): FewSet<T> => {
  if (self === value) return undefined
  if (self instanceof Set) {
    self.delete(value)
    if (self.size === 0) return undefined
  }
  return self
}

export const has = <T extends object>(self: FewSet<T>, value: T): boolean =>
  self === value || (self instanceof Set && self.has(value))

export const forEach = <T extends object>(self: FewSet<T>, f: (value: T) => void): void => {
  if (self === undefined) return
  if (self instanceof Set) self.forEach((value) => f(value))
  else f(self)
}

export const toArray = <T extends object>(self: FewSet<T>): Array<T> =>
  self === undefined ? [] : self instanceof Set ? Array.from(self) : [self]
