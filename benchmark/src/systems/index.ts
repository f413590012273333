/**
 * The systems that run on Node. Each is loaded only in the process that measures it.
 */
import type { Implementations } from "../Implementation.ts"

const modules = {
  "effect-otp": () => import("./effect-otp.ts"),
  // The same, started with another environment.
  "effect-otp-public": () => import("./effect-otp.ts"),
  "effect-otp-metrics": () => import("./effect-otp-telemetry.ts").then(({ metrics }) => metrics),
  "effect-otp-spans": () => import("./effect-otp-telemetry.ts").then(({ spans }) => spans),
  effect: () => import("./effect.ts"),
  nact: () => import("./nact.ts"),
  xstate: () => import("./xstate.ts"),
  "effect-cluster": () => import("./effect-cluster.ts"),
  "effect-persistence": () => import("./effect-persistence.ts"),
  "rate-limiter-flexible": () => import("./rate-limiter-flexible.ts")
} satisfies Record<string, () => Promise<{ readonly implementations: Partial<Implementations> }>>

export type SystemName = keyof typeof modules

export const load = (system: SystemName): Promise<Partial<Implementations>> =>
  modules[system]().then(({ implementations }) => implementations)
