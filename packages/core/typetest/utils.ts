/**
 * What the type tests are written with. They are compiled and never run: a test fails as a compile error, also when a
 * line marked `@ts-expect-error` compiles.
 */

/** True only for the very same type: `any`, a wider union and a looser optional property are all different. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false

/** `same<Actual, Expected>()` compiles if the two are the same type. */
export declare const same: <Actual, Expected>(
  ...difference: Equal<Actual, Expected> extends true ? [] : [{ readonly actual: Actual; readonly expected: Expected }]
) => void

/** `typeOf(value).is<Expected>()` compiles if that is exactly the type of the value. */
export declare const typeOf: <Actual>(value: Actual) => {
  readonly is: <Expected>(
    ...difference: Equal<Actual, Expected> extends true ? [] :
      [{ readonly actual: Actual; readonly expected: Expected }]
  ) => void
}
