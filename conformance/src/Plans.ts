/**
 * Random plans: what servers do when they start and stop, and trees of them.
 */
import type { Random } from "./Random.ts"
import type * as Scenario from "./Scenario.ts"

/**
 * Times are chosen so that what is due at different times is due 20 ms or more apart, also from the end of a step in which
 * time passes, unless one waits for the other more than twice.
 */
export const times = {
  /** What a step lets pass. */
  advance: [120, 120, 120, 240],
  /** Timers, timeouts, and the time that a child has to shut down. */
  short: 20,
  long: 140,
  /** What takes its time: a handler, or `terminate`. */
  work: 40
} as const

export const reasons: ReadonlyArray<Scenario.Reason> = ["x", "x", "y", "normal", "shutdown", "shutdown t", "kill"]

/** Reasons that are used up by an end, and are plain words when they are sent again. */
export const signals: ReadonlyArray<Scenario.Reason> = [...reasons, "kill", "kill", "killed", "noproc"]

/** Of servers and processes: they are called by what they are registered as. */
export const serverNames = ["x", "y"]
export const processNames = ["a", "b"]

const ids = ["a", "b", "c", "d"]

const serverStarts = (random: Random): ReadonlyArray<Scenario.Start> => {
  const bad = () => random.pick(["stop x", "stop normal", "stop shutdown", "crash", "exit x", "ignore"])
  switch (random.weighted({ good: 70, badOnce: 10, badTwice: 5, badAgain: 5, bad: 10 })) {
    case "good":
      return ["ok"]
    case "badOnce":
      return ["ok", bad(), "ok"]
    case "badTwice":
      return ["ok", bad(), bad(), "ok"]
    case "badAgain":
      return ["ok", bad()]
    case "bad":
      return [bad(), "ok"]
  }
}

export const serverPlan = (random: Random): Scenario.ServerPlan => ({
  starts: random.chance(85) ? ["ok"] : serverStarts(random),
  trap: random.chance(45),
  linger: random.chance(15) ? times.work : 0
})

const fates = (random: Random): ReadonlyArray<Scenario.Fate> =>
  random.chance(85)
    ? ["lives"]
    : random.chance(50)
    ? [random.pick(["finishes", "crashes", "exits x"]), "lives"]
    : ["lives", random.pick(["finishes", "crashes", "exits shutdown"])]

const shutdown = (random: Random): Scenario.Child["shutdown"] =>
  random.pick([times.short, times.short, times.short, times.long, "brutalKill", "infinity", "infinity"])

export const child = (random: Random, id: string, depth: number, significant: boolean): Scenario.Child => {
  const restart = significant
    ? random.pick(["transient", "temporary"] as const)
    : random.pick(["permanent", "permanent", "permanent", "transient", "transient", "temporary"] as const)
  const options = { id, restart, shutdown: shutdown(random), significant }
  switch (random.weighted({ server: 60, worker: 24, supervisor: depth > 0 ? 16 : 0 })) {
    case "server":
      return {
        ...options,
        kind: "server",
        name: random.chance(12) ? random.pick(serverNames) : null,
        starts: serverStarts(random),
        trap: random.chance(75),
        linger: random.chance(15) ? times.work : 0
      }
    case "worker":
      return { ...options, kind: "worker", starts: fates(random), trap: random.chance(25) }
    case "supervisor":
      return {
        ...options,
        ...supervisorPlan(random, depth - 1),
        // One that does not stop in time is killed, and that is where we differ: see `orphans` of the differences.
        shutdown: "infinity",
        kind: "supervisor"
      }
  }
}

export const supervisorPlan = (random: Random, depth: number): Scenario.SupervisorPlan => {
  const autoShutdown = random.chance(12) ? random.pick(["anySignificant", "allSignificant"] as const) : "never"
  return {
    strategy: random.pick(["one_for_one", "one_for_all", "rest_for_one"]),
    intensity: random.pick([0, 1, 1, 2, 2, 3]),
    autoShutdown,
    name: null,
    children: ids.slice(0, random.pick([1, 2, 3, 3, 4, 4])).map((id) =>
      child(random, id, depth, autoShutdown !== "never" && random.chance(50))
    )
  }
}

/**
 * The same tree, in which nobody takes time to end. Here a process that is ended while it starts a tree is ending until all of
 * it has stopped: see `ending` of the differences.
 */
export const prompt = <Plan extends Scenario.SupervisorPlan>(plan: Plan): Plan => ({
  ...plan,
  children: plan.children.map((child) =>
    child.kind === "supervisor"
      ? prompt(child)
      : child.kind === "server"
      ? { ...child, linger: 0 }
      : { ...child, trap: false }
  )
})

/** The id of a child that may be added to a tree: sometimes it is taken. */
export const newId = (random: Random): string => random.pick([...ids, "e"])
