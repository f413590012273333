/**
 * Random scenarios, the same ones for the same seed.
 *
 * What is there is guessed, not known: a command may be given to somebody who has ended, and that is a case like any other.
 */
import * as Plans from "./Plans.ts"
import * as Random from "./Random.ts"
import type * as Scenario from "./Scenario.ts"

/** What a scenario is mostly about. */
const topics = { signals: 24, servers: 18, trees: 48, races: 10 }

type Topic = keyof typeof topics

/** What has been started so far, by name. */
interface World {
  readonly random: Random.Random
  readonly topic: Topic
  readonly plain: Array<Scenario.Ref>
  readonly servers: Array<Scenario.Ref>
  readonly supervisors: Array<Scenario.Ref>
  readonly monitors: Array<readonly [of: Scenario.Actor, name: string]>
  readonly timers: Array<string>
  /** Who takes no orders for a while: they would be done at once after one another. */
  readonly busy: Set<Scenario.Actor>
  /** Supervisors below which somebody may take its time to end. */
  readonly slow: Set<Scenario.Ref>
  counts: Record<"p" | "s" | "r" | "m" | "t", number>
}

const fresh = (world: World, kind: keyof World["counts"]): string => `${kind}${++world.counts[kind]}`

/** The later ones rather than the earlier ones: they are more likely to be there. */
const late = <A>({ random }: World, from: ReadonlyArray<A>): A =>
  from[Math.max(random.below(from.length), random.below(from.length))]!

const inTree = (ref: Scenario.Ref): boolean => ref.includes("/")

const anybody = (world: World): Scenario.Ref => {
  const { random } = world
  if (world.supervisors.length > 0 && random.chance(8)) return random.pick(world.supervisors)
  const all = world.servers.length > 0 && random.chance(world.topic === "signals" ? 15 : 50)
    ? world.servers
    : world.plain.length > 0
    ? world.plain
    : world.servers
  return random.pick(all.length > 0 ? all : world.supervisors)
}

const target = (world: World): Scenario.Target =>
  world.random.chance(20)
    ? `name ${world.random.pick([...Plans.processNames, ...Plans.processNames, ...Plans.serverNames])}`
    : anybody(world)

const serverTarget = (world: World): Scenario.Target =>
  world.random.chance(12) ? `name ${world.random.pick(Plans.serverNames)}` : world.random.pick(world.servers)

const parentOf = (ref: Scenario.Ref): Scenario.Ref => ref.slice(0, Math.max(0, ref.lastIndexOf("/")))

const isServer = (world: World, ref: Scenario.Ref): boolean => world.servers.includes(ref)

// ----------------------------------------------------------------------------
// starting
// ----------------------------------------------------------------------------

const kinds = (world: World) => ({ worker: world.plain, server: world.servers, supervisor: world.supervisors })

/** A path stays with one kind of child, so that nobody asks something of a process that is no server. */
const isKnownAs = (world: World, path: Scenario.Ref, kind: Scenario.Child["kind"]): boolean => {
  const known = Object.entries(kinds(world)).find(([, refs]) => refs.includes(path))
  return known === undefined || known[0] === kind
}

const enter = (world: World, path: Scenario.Ref, child: Scenario.Child): void => {
  const at = `${path}/${child.id}`
  const into = kinds(world)[child.kind]
  if (!into.includes(at)) into.push(at)
  if (child.kind === "supervisor") { for (const each of child.children) enter(world, at, each) }
  else if (child.trap || (child.kind === "server" && child.linger > 0)) takesTime(world, at)
}

/** Who supervises it, from near or far, is not killed: here it is started again when all that was below it has ended. */
const takesTime = ({ slow }: World, ref: Scenario.Ref): void => {
  for (let at = parentOf(ref); at !== ""; at = parentOf(at)) slow.add(at)
}

const mayBeKilled = ({ slow, topic }: World, ref: Scenario.Ref): boolean => !slow.has(ref) && topic !== "races"

const spawn = (world: World, by: Scenario.Actor): Scenario.Command => {
  const { random } = world
  const how = by === "outside" ? "spawn" : random.pick(["spawn", "spawnLink", "spawnLink", "spawnMonitor"] as const)
  const as = fresh(world, "p")
  world.plain.push(as)
  const ref = how === "spawnMonitor" ? fresh(world, "m") : ""
  if (ref !== "") world.monitors.push([by, ref])
  const fate = random.chance(85) ? "lives" : random.pick(["finishes", "crashes", "exits x", "exits kill"])
  return { do: "spawn", as, how, fate, trap: random.chance(30), ref }
}

const server = (world: World, by: Scenario.Actor): Scenario.Command => {
  const { random } = world
  const how = by === "outside" ? "start" : random.pick(["start", "startLink", "startLink", "startMonitor"] as const)
  const as = fresh(world, "s")
  world.servers.push(as)
  const ref = how === "startMonitor" ? fresh(world, "m") : ""
  if (ref !== "") world.monitors.push([by, ref])
  const name = random.chance(25) ? random.pick(Plans.serverNames) : null
  return { do: "server", as, how, name, server: Plans.serverPlan(random), ref }
}

const supervisor = (world: World, by: Scenario.Actor): Scenario.Command => {
  const as = fresh(world, "r")
  world.supervisors.push(as)
  const plan = Plans.supervisorPlan(world.random, 2)
  const tree = by === "outside" ? plan : Plans.prompt(plan)
  for (const child of tree.children) enter(world, as, child)
  return { do: "supervisor", as, how: by === "outside" ? "start" : "startLink", tree }
}

// ----------------------------------------------------------------------------
// commands
// ----------------------------------------------------------------------------

const common = (world: World, by: Scenario.Actor): Scenario.Command => {
  const { random } = world
  const what = random.weighted({
    send: 8,
    exit: world.topic === "trees" ? 16 : 9,
    register: 4,
    unregister: 1,
    whereis: 2,
    isAlive: 2,
    sendAfter: 3,
    cancelTimer: world.timers.length > 0 ? 2 : 0,
    spawn: world.topic === "signals" ? 5 : 2,
    server: world.topic === "servers" ? 4 : 1,
    supervisor: world.topic === "trees" ? 1 : 0
  })
  switch (what) {
    case "send":
      return { do: "send", to: target(world), text: random.pick(["m", "n"]) }
    case "exit": {
      const to = anybody(world)
      // An exit of its own child, which lives, makes a supervisor of OTP start another one beside it.
      if (to === parentOf(by)) return { do: "crash" }
      const reason = random.pick(Plans.signals)
      const isSpared = reason === "kill" && world.supervisors.includes(to) && !mayBeKilled(world, to)
      return { do: "exit", to, reason: isSpared ? "x" : reason }
    }
    case "register": {
      const to = anybody(world)
      return {
        do: "register",
        name: random.pick(isServer(world, to) ? Plans.serverNames : Plans.processNames),
        to: world.supervisors.includes(to) ? random.pick(world.plain.length > 0 ? world.plain : world.servers) : to
      }
    }
    case "unregister":
    case "whereis":
      return { do: what, name: random.pick([...Plans.processNames, ...Plans.serverNames]) }
    case "isAlive":
      return { do: what, to: anybody(world) }
    case "sendAfter": {
      const as = fresh(world, "t")
      world.timers.push(as)
      const delay = random.pick([Plans.times.short, Plans.times.short, Plans.times.long])
      return { do: what, as, to: target(world), text: random.pick(["m", "n"]), delay }
    }
    case "cancelTimer":
      return { do: what, timer: late(world, world.timers) }
    case "spawn":
      return spawn(world, by)
    case "server":
      return server(world, by)
    case "supervisor":
      return supervisor(world, by)
  }
}

const own = (world: World, by: Scenario.Actor): Scenario.Command => {
  const { random } = world
  const monitors = world.monitors.filter(([of]) => of === by)
  const what = random.weighted({
    link: 8,
    unlink: 2,
    monitor: 6,
    demonitor: monitors.length > 0 ? 4 : 0,
    trap: 4,
    exitSelf: 2,
    crash: 2,
    finish: 1
  })
  switch (what) {
    case "link":
    case "unlink":
      return { do: what, to: anybody(world) }
    case "monitor": {
      const as = fresh(world, "m")
      world.monitors.push([by, as])
      return { do: what, as, to: target(world) }
    }
    case "demonitor":
      return { do: what, ref: late(world, monitors)[1], flush: random.chance(50) }
    case "trap":
      takesTime(world, by)
      return { do: what, on: random.chance(75) }
    case "exitSelf":
      return { do: what, reason: random.pick(Plans.reasons) }
    case "crash":
    case "finish":
      return { do: what }
  }
}

const byPlain = (world: World): Scenario.Command => {
  const { random } = world
  return random.weighted({ take: 5, receive: 2 }) === "take"
    ? { do: "take" }
    : { do: "receive", text: random.pick(["m", "n"]), after: random.pick([0, Plans.times.short]) }
}

const byServer = (world: World): Scenario.Command => {
  const { random } = world
  const what = random.weighted({ answer: 4, busy: 3, stopSelf: 3, crash: 2 })
  switch (what) {
    case "busy":
      return { do: what, millis: Plans.times.work }
    case "stopSelf":
      return { do: what, reason: random.pick(Plans.reasons) }
    case "answer":
    case "crash":
      return { do: what }
  }
}

const ask = (random: Random.Random): Scenario.Ask => {
  const what = random.weighted({ reply: 5, later: 5, busy: 3, crash: 2, stop: 1, replyAndStop: 1, exit: 1 })
  if (what === "busy") return `busy ${Plans.times.work}`
  return what === "stop" || what === "replyAndStop" || what === "exit" ? `${what} ${random.pick(Plans.reasons)}` : what
}

const timeout = (random: Random.Random): Scenario.Millis =>
  random.chance(70) ? 0 : random.pick([Plans.times.short, Plans.times.long])

const requestServer = (world: World): Scenario.Command => {
  const { random } = world
  const what = random.weighted({ call: 9, cast: 3, stop: 2 })
  const to = serverTarget(world)
  switch (what) {
    case "call":
      return { do: what, to, ask: ask(random), timeout: timeout(random) }
    case "cast":
      return { do: what, to, text: random.pick(["m", "n"]) }
    case "stop":
      return {
        do: what,
        to,
        reason: random.pick(Plans.reasons.filter((reason) => reason !== "kill")),
        timeout: timeout(random)
      }
  }
}

const requestSupervisor = (world: World): Scenario.Command => {
  const { random } = world
  const to = random.pick(world.supervisors)
  const what = random.weighted({
    terminateChild: 5,
    restartChild: 4,
    deleteChild: 2,
    startChild: 3,
    whichChildren: 1,
    countChildren: 1,
    stop: 2
  })
  switch (what) {
    case "startChild": {
      const child = Plans.child(random, Plans.newId(random), 1, false)
      const as = isKnownAs(world, `${to}/${child.id}`, child.kind)
        ? child
        : { ...child, id: `${child.id}${child.kind}` }
      enter(world, to, as)
      return { do: what, to, child: as }
    }
    case "terminateChild":
    case "restartChild":
    case "deleteChild":
      return { do: what, to, id: random.pick(["a", "a", "b", "b", "c", "d", "e"]) }
    case "whichChildren":
    case "countChildren":
      return { do: what, to }
    case "stop":
      return { do: what, to, reason: random.pick(["normal", "shutdown", "x"]), timeout: timeout(random) }
  }
}

const command = (world: World, by: Scenario.Actor): Scenario.Command => {
  const { random } = world
  if (by === "outside") {
    if (world.supervisors.length > 0 && random.chance(world.topic === "trees" ? 45 : 20)) {
      return requestSupervisor(world)
    }
    if (world.servers.length > 0 && random.chance(50)) return requestServer(world)
    return common(world, by)
  }
  if (random.chance(40)) return common(world, by)
  if (random.chance(45)) return own(world, by)
  return isServer(world, by) ? byServer(world) : byPlain(world)
}

// ----------------------------------------------------------------------------
// steps
// ----------------------------------------------------------------------------

const actor = (world: World): Scenario.Actor => {
  const { random, topic } = world
  if (random.chance(topic === "signals" ? 15 : topic === "servers" ? 45 : 40)) return "outside"
  const all = random.chance(topic === "servers" ? 60 : topic === "trees" ? 45 : 10) ? world.servers : world.plain
  const by = all.length > 0 ? random.pick(all) : "outside"
  return world.busy.has(by) ? "outside" : by
}

const part = (world: World, most: number): Scenario.Part => {
  const by = actor(world)
  const commands: Array<Scenario.Command> = []
  for (let n = 1 + world.random.below(most); n > 0; n--) {
    const next = command(world, by)
    if (commands.some((before) => meetsEnding(before, next))) continue
    commands.push(next)
    if (next.do === "busy" || (next.do === "receive" && next.after > 0)) world.busy.add(by)
  }
  return { by, do: commands }
}

const isRequest = ({ do: what }: Scenario.Command): boolean =>
  ["call", "stop", "startChild", "terminateChild", "restartChild", "deleteChild", "whichChildren", "countChildren"]
    .includes(what)

const ends = (command: Scenario.Command): boolean =>
  ["exit", "stop", "terminateChild"].includes(command.do) ||
  (command.do === "call" && !["reply", "later"].includes(command.ask))

/**
 * Whether a command may have to do with a process that one right before it ends, by itself or by a link: here that is ending
 * for a while, and on the BEAM it is gone.
 */
const meetsEnding = (before: Scenario.Command, next: Scenario.Command): boolean =>
  ends(before) &&
  (isRequest(next) || next.do === "link" || next.do === "monitor" ||
    (before.do === "exit" && next.do === "exit" && next.reason === "kill" && next.to === before.to))

const step = (world: World): Scenario.Step => {
  const { random } = world
  if (random.chance(14)) {
    world.busy.clear()
    return { advance: random.pick(Plans.times.advance) }
  }
  return [part(world, random.chance(20) ? 3 : 1)]
}

/** One child of a tree ends again and again, until it is not started any more. */
const insisting = (world: World): ReadonlyArray<Scenario.Step> => {
  const { random } = world
  const to = random.pick([...world.plain, ...world.servers].filter(inTree))
  return Array.from({ length: 2 + random.below(3) }, (): Scenario.Step => {
    const how = random.pick(["crash", "exitSelf", "exit", "kill"] as const)
    if (how === "crash") return [{ by: to, do: [{ do: "crash" }] }]
    if (how === "exitSelf") return [{ by: to, do: [{ do: "exitSelf", reason: random.pick(Plans.reasons) }] }]
    const reason = how === "kill" ? how : random.pick(Plans.signals)
    return [{ by: "outside", do: [{ do: "exit", to, reason }] }]
  })
}

/** A whole tree is stopped, by whoever may. */
const stopping = (world: World): Scenario.Step => {
  const { random } = world
  const to = random.pick(world.supervisors)
  const how = random.weighted({ stop: 6, kill: 1, parent: 2 })
  if (how === "stop") {
    return [{ by: "outside", do: [{ do: "stop", to, reason: random.pick(["normal", "shutdown", "x"]), timeout: 0 }] }]
  }
  return how === "kill" && mayBeKilled(world, to)
    ? [{ by: "outside", do: [{ do: "exit", to, reason: "kill" }] }]
    : [{ by: "p1", do: [{ do: "exitSelf", reason: random.pick(Plans.reasons) }] }]
}

const races = (world: World): Scenario.Step =>
  Array.from({ length: 2 + world.random.below(2) }, () => part(world, world.random.chance(30) ? 2 : 1))

/** Everybody looks into the mailbox, and supervisors tell of their children. */
const finale = (world: World): Scenario.Step => [
  ...world.plain.map((by): Scenario.Part => ({ by, do: [{ do: "take" }] })),
  ...world.supervisors.filter((ref) => !inTree(ref)).map((to): Scenario.Part => ({
    by: "outside",
    do: [{ do: "whichChildren", to }]
  }))
]

/** The scenario of this number, of all those of a seed. */
export const scenario = (seed: number, number: number): Scenario.Scenario => {
  const random = Random.make(Math.imul(seed, 1_000_003) + number)
  const world: World = {
    random,
    topic: random.weighted(topics),
    plain: [],
    servers: [],
    supervisors: [],
    monitors: [],
    timers: [],
    slow: new Set(),
    busy: new Set(),
    counts: { p: 0, s: 0, r: 0, m: 0, t: 0 }
  }
  const { topic } = world
  const steps: Array<Scenario.Step> = []
  for (let n = topic === "trees" ? 1 : 2 + random.below(2); n > 0; n--) {
    steps.push([{ by: "outside", do: [{ ...spawn(world, "outside"), fate: "lives" } as Scenario.Command] }])
  }
  if (topic === "servers" || (topic === "races" && random.chance(60))) {
    steps.push([{ by: "outside", do: [server(world, "outside")] }])
  }
  if (topic === "trees" || (topic === "races" && random.chance(35))) {
    const by = random.chance(40) ? "p1" : "outside"
    if (by === "p1" && random.chance(60)) steps.push([{ by, do: [{ do: "trap", on: true }] }])
    steps.push([{ by, do: [supervisor(world, by)] }])
    if (topic === "trees" && random.chance(35)) {
      if (random.chance(50)) steps.push(step(world))
      steps.push(stopping(world), [{ by: "outside", do: [supervisor(world, "outside")] }])
    }
  }
  for (let n = 3 + random.below(topic === "races" ? 4 : 8); n > 0; n--) {
    if (topic === "trees" && random.chance(15)) steps.push(...insisting(world))
    else steps.push(step(world))
  }
  if (topic === "trees" && random.chance(60)) steps.push(stopping(world))
  if (topic === "races") steps.push(races(world))
  if (random.chance(40)) steps.push({ advance: random.pick(Plans.times.advance) })
  steps.push(finale(world))
  return steps
}
