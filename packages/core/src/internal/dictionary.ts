/**
 * The process dictionaries: what processes keep by `ProcessLocal`.
 *
 * By what a process keeps in its state, rather than by its pid: that is dropped when the process has ended, and the values
 * with it, however long somebody keeps the pid.
 *
 * @internal
 */
export const TypeId = "~@effect-otp/core/ProcessLocal"

export interface Key {
  readonly [TypeId]: unknown
  readonly name: string
  toString(): string
}

export type Values = Map<Key, unknown>

export const dictionaries = new WeakMap<object, Values>()

export const none: Values = new Map()

/** What a process that keeps this state has put. */
export const valuesOf = (state: unknown): Values => dictionaries.get(state as object) ?? none
