import type * as Cause from "effect/Cause"

/**
 * Errors that are expected answers are made from their prototype: capturing a stack that nobody reads costs 7 µs, this
 * 20 ns. They are proper instances of their class, with an undefined `stack`.
 *
 * @internal
 */
export const lightError = <E extends Cause.YieldableError & { readonly _tag: string }>(
  errorClass: { readonly prototype: E },
  tag: E["_tag"],
  fields: Omit<E, keyof Cause.YieldableError | "_tag">
): E => Object.assign(Object.create(errorClass.prototype), fields, { _tag: tag })
