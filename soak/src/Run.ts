/**
 * A soak of some length, on a clock of either kind, and what it has shown.
 */
import { Duration, Effect } from "effect"
import * as Report from "./Report.ts"
import type { Service } from "./Service.ts"
import * as Simulation from "./Simulation.ts"
import * as Soak from "./Soak.ts"

export interface Options {
  readonly service: Service
  readonly duration: Duration.Duration
  /** How long from one fault to the next. */
  readonly every: Duration.Duration
  readonly seed: number
  readonly onProgress?: Soak.Options["onProgress"]
}

const samples = 200

const plan = ({ duration, every, onProgress, seed, service }: Options) => ({
  service,
  seed,
  onProgress,
  samples,
  faults: Math.max(1, Math.round(Duration.toMillis(duration) / Duration.toMillis(every))),
  every: Duration.toMillis(every),
  customers: 4
})

const reported = Effect.fnUntraced(function*<E>(
  mode: Report.Report["mode"],
  { duration, every, seed }: Options,
  run: Effect.Effect<Soak.Result, E>
) {
  const began = performance.now()
  const before = process.cpuUsage()
  const result = yield* run
  const { system, user } = process.cpuUsage(before)
  return Report.make(result, {
    mode,
    seed,
    duration: Duration.toMillis(duration),
    every: Duration.toMillis(every),
    took: performance.now() - began,
    cpu: (user + system) / 1000
  })
})

// The calms take time, too: some seconds in a minute, and more after a flood.
const reserve = Duration.minutes(30)

/** As many jobs as fit: one in five seconds, of all customers together. */
export const simulated = (options: Options) =>
  reported(
    "simulated",
    options,
    Simulation.run(
      Soak.run({ ...plan(options), calmEvery: 60_000, thinks: 20_000 }),
      Duration.sum(Duration.times(options.duration, 3), reserve)
    )
  )

export const real = (options: Options) =>
  reported("real", options, Soak.run({ ...plan(options), calmEvery: 15_000, thinks: 1_000 }))
