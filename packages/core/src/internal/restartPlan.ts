/**
 * PURE: who is stopped and who is started when one child has to be restarted.
 *
 * @internal
 */
export type Strategy = "one_for_one" | "one_for_all" | "rest_for_one"

export interface Plan<Child> {
  /** Stopped one after the other, all of them before anything starts. */
  readonly stop: ReadonlyArray<Child>
  /** Started one after the other. */
  readonly start: ReadonlyArray<Child>
}

/** `children` in start order, of which `failed` has ended; what is stopped goes in reverse order of start. */
export const plan = <Child>(strategy: Strategy, children: ReadonlyArray<Child>, failed: Child): Plan<Child> => {
  switch (strategy) {
    case "one_for_one":
      return { stop: [], start: [failed] }
    case "one_for_all":
      return { stop: children.filter((child) => child !== failed).toReversed(), start: children }
    case "rest_for_one": {
      const from = children.indexOf(failed)
      return { stop: children.slice(from + 1).toReversed(), start: children.slice(from) }
    }
  }
}
