/**
 * A system under measurement, seen from outside: a command that takes what to measure as its last arguments.
 */
import * as os from "node:os"
import * as path from "node:path"
import * as Beam from "./Beam.ts"
import type { SystemName } from "./systems/index.ts"
import type { Name, Workload } from "./Workload.ts"

export interface System {
  readonly name: string
  readonly about: string
  readonly command: readonly [executable: string, ...args: Array<string>]
  /** What is changed in the environment of the command; undefined takes a variable out. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Whether it needs Erlang. */
  readonly beam: boolean
  /** The workloads it is about; all, unless it is made for some only. */
  readonly only: ReadonlyArray<Name> | undefined
}

const megabytes = Math.floor(os.totalmem() * 0.75 / 2 ** 20)

interface NodeOptions {
  readonly only?: ReadonlyArray<Name>
  readonly env?: System["env"]
}

const node = (name: SystemName, about: string, { env = {}, only }: NodeOptions = {}): System => ({
  name,
  about,
  command: [
    process.execPath,
    "--expose-gc",
    `--max-old-space-size=${megabytes}`,
    path.join(import.meta.dirname, "child.ts"),
    name
  ],
  env,
  beam: false,
  only
})

const beam = (name: string, about: string, flags: ReadonlyArray<string>): System => ({
  name,
  about,
  command: Beam.command(flags),
  env: {},
  beam: true,
  only: undefined
})

/** The variable that keeps the library from what Effect has inside. */
const publicApi = "EFFECT_OTP_PUBLIC_API"

/** Where telemetry makes a difference. */
const requests = ["call", "call-many", "cast"] as const

/** Every system, in the order of the report. */
export const systems: ReadonlyArray<System> = [
  node("effect-otp", "This library.", { env: { [publicApi]: undefined } }),
  node("effect-otp-public", "This library on Effect's public API alone.", { env: { [publicApi]: "1" } }),
  node("effect-otp-metrics", "This library with `Telemetry.metrics`, and so with the price of being watched.", {
    only: requests
  }),
  node("effect-otp-spans", "This library with `Telemetry.spans`, and the tracer of Effect, which keeps nothing.", {
    only: requests
  }),
  beam("beam", "Erlang/OTP on one scheduler: what all are measured against.", ["+S", "1:1"]),
  beam("beam-all", "Erlang/OTP on all cores.", []),
  node("effect", "Effect alone, written by hand: a fiber, a Queue as its mailbox, a Deferred for each answer."),
  node("nact", "nact: actors, each named by us."),
  node("xstate", "xstate: delivers at once, without a scheduled mailbox or supervision. The floor, not an equal."),
  node("effect-cluster", "Entities of effect/cluster, in memory: made for many machines."),
  node("effect-persistence", "The RateLimiter of effect/persistence, in memory.", { only: ["ratelimit"] }),
  node("rate-limiter-flexible", "rate-limiter-flexible, in memory.", { only: ["ratelimit"] })
]

export const isFor = ({ only }: System, { name }: Workload): boolean =>
  only === undefined || only.some((one) => one === name)

/** What everything else is compared with. */
export const baseline = "beam"
