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
export const plan = <Child>(strategy: Strategy, children: Iterable<Child>, failed: Child): Plan<Child> => {
  if (strategy === "one_for_one") return { stop: [], start: [failed] }
  const all = Array.from(children)
  const start = strategy === "one_for_all" ? all : all.slice(all.indexOf(failed))
  return { stop: start.filter((child) => child !== failed).toReversed(), start }
}
