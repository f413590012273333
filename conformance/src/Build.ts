/**
 * What scenarios by hand are made of.
 */
import type * as Scenario from "./Scenario.ts"

export const by = (actor: Scenario.Actor, ...commands: ReadonlyArray<Scenario.Command>): Scenario.Step => [
  { by: actor, do: commands }
]

export const outside = (...commands: ReadonlyArray<Scenario.Command>): Scenario.Step => by("outside", ...commands)

export const spawn = (as: Scenario.Ref, trap = false, fate: Scenario.Fate = "lives"): Scenario.Command => ({
  do: "spawn",
  as,
  how: "spawn",
  fate,
  trap,
  ref: ""
})

export const quiet: Scenario.ServerPlan = { starts: ["ok"], trap: false, linger: 0 }
export const trapping: Scenario.ServerPlan = { ...quiet, trap: true }

export const server = (as: Scenario.Ref, plan = quiet, name: string | null = null): Scenario.Command => ({
  do: "server",
  as,
  how: "start",
  name,
  server: plan,
  ref: ""
})

export const child = (id: string, plan = trapping): Scenario.Child => ({
  id,
  kind: "server",
  restart: "permanent",
  shutdown: "infinity",
  significant: false,
  name: null,
  ...plan
})

export const tree: Scenario.SupervisorPlan = {
  strategy: "one_for_one",
  intensity: 3,
  autoShutdown: "never",
  name: null,
  children: [child("a"), child("b")]
}

export const supervisor = (as: Scenario.Ref, plan = tree): Scenario.Command => ({
  do: "supervisor",
  as,
  how: "start",
  tree: plan
})

export const exit = (to: Scenario.Ref, reason: Scenario.Reason): Scenario.Command => ({ do: "exit", to, reason })
export const take: Scenario.Command = { do: "take" }
export const call = (to: Scenario.Target, ask: Scenario.Ask, timeout = 0): Scenario.Command => ({
  do: "call",
  to,
  ask,
  timeout
})
export const link = (to: Scenario.Ref): Scenario.Command => ({ do: "link", to })
export const monitor = (as: string, to: Scenario.Target): Scenario.Command => ({ do: "monitor", as, to })
export const send = (to: Scenario.Target, text = "m"): Scenario.Command => ({ do: "send", to, text })
export const register = (name: string, to: Scenario.Ref): Scenario.Command => ({ do: "register", name, to })

export const spawnHow = (
  how: "spawnLink" | "spawnMonitor",
  as: Scenario.Ref,
  fate: Scenario.Fate
): Scenario.Command => ({
  do: "spawn",
  as,
  how,
  fate,
  trap: false,
  ref: how === "spawnMonitor" ? `of ${as}` : ""
})
