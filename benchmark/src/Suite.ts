/**
 * Every workload at every size, one comparison after the other.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { compare, missing } from "./Comparison.ts"
import type { NoSample } from "./Measurement.ts"
import { isFor, type System } from "./System.ts"
import { sizesOf, type Workload } from "./Workload.ts"

export interface Options {
  readonly systems: ReadonlyArray<System>
  readonly workloads: ReadonlyArray<Workload>
  readonly quick: boolean
  readonly rounds: number
}

/** The sizes of one workload, smallest first. */
const sizes = ({ quick, rounds, systems: all }: Options, workload: Workload) => {
  const systems = all.filter((system) => isFor(system, workload))
  const unreached = new Map<string, NoSample>()
  return Stream.mapEffect(Stream.fromIterable(sizesOf(workload, quick)), (n) =>
    // A curve is read over its sizes: fewer rounds will do.
    compare(systems, workload, n, n === workload.n ? rounds : Math.min(rounds, 3), unreached).pipe(
      Effect.tap((comparison) =>
        Effect.sync(() => {
          for (const { reason, system } of missing(comparison)) unreached.set(system.name, reason)
        })
      )
    ))
}

/** The comparisons, each as soon as it is there. */
export const run = (options: Options) =>
  Stream.flatMap(Stream.fromIterable(options.workloads), (workload) => sizes(options, workload))
