/**
 * Runs a program on the library and beside it on the model, and compares the two after every step.
 *
 * The commands of one step are given by one process, one right after the other. Then everything runs that can, and all that
 * is to be seen must be as the model has it: what each command gave, who is alive, who ended why, who is linked to whom and
 * monitors whom, who holds which name, what is in each mailbox in which order, which timers are set, and who waits.
 */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import { settle } from "@effect-otp/core/testing"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { tableOf, timersOf } from "../../src/internal/current.ts"
import * as FewSet from "../../src/internal/fewSet.ts"
import { entryOfPid } from "../../src/internal/resolve.ts"
import { inconsistencies, leftovers } from "../utils/leftovers.ts"
import { inNode, queued } from "../utils/process.ts"
import * as Model from "./Model.ts"
import * as Program from "./Program.ts"

/** How time passes. */
export type Advance = (millis: number) => Effect.Effect<void>

class Do {
  readonly commands: ReadonlyArray<Model.Command>

  constructor(commands: ReadonlyArray<Model.Command>) {
    this.commands = commands
  }
}

type Text = { readonly from: string; readonly text: string }
type Message = Do | Text | Process.Down | Process.Exit
type Pid = Process.Pid<Do | Text>
type Self = Process.Self<Message>

/** The library's side of a state. */
interface World {
  readonly advance: Advance
  readonly pids: Array<Pid>
  readonly gates: Array<Deferred.Deferred<void>>
  readonly seen: Array<Array<Message>>
  readonly refs: Array<Process.MonitorRef>
  /** Whom a monitor watches, by number: a name, if nobody held it. */
  readonly watched: Array<string>
  readonly timers: Array<Process.TimerRef>
  readonly waiters: Array<Fiber.Fiber<ExitReason.ExitReason>>
  /** What the commands of a step gave. */
  answers: Array<string>
  /** Who has ended in a step, in order. */
  ended: Array<Model.Id>
  messages: number
}

// ----------------------------------------------------------------------------
// processes that do what they are told
// ----------------------------------------------------------------------------

const isDo = (message: Message): message is Do => message instanceof Do

const obey = (world: World, id: Model.Id): (self: Self) => Effect.Effect<void, never, Process.Provided<Message>> =>
  Effect.fnUntraced(function*(self: Self) {
    while (true) {
      for (const command of (yield* self.receiveMatch(isDo)).commands) {
        if (command._tag === "finish") return
        if (command._tag === "crash") return yield* Effect.die(`P${id}`)
        world.answers.push(yield* performInside(world, id, self, command))
      }
    }
  })

const body = (world: World, id: Model.Id, fate: Model.Fate) => (self: Self) => {
  switch (fate) {
    case "lives":
      return obey(world, id)(self)
    case "gated":
      return Effect.onInterrupt(obey(world, id)(self), () => Deferred.await(world.gates[id]!))
    case "finishes":
      return Effect.void
    case "crashes":
      return Effect.die(`P${id}`)
  }
}

/** Notes the process, and from now on its end. */
const enter = (world: World, pid: Pid): string => {
  const id = world.pids.push(pid) - 1
  world.gates.push(Deferred.makeUnsafe())
  world.seen.push([])
  const entry = entryOfPid(pid)
  entry.closeWatchers = FewSet.add(entry.closeWatchers, { ended: () => world.ended.push(id) })
  return `P${id}`
}

const target = (world: World, to: Model.Target): Pid | string => typeof to === "string" ? to : world.pids[to]!

const reasonOf = (reason: Model.Reason): ExitReason.ExitReason => {
  switch (reason) {
    case "Normal":
      return ExitReason.normal
    case "Kill":
      return ExitReason.kill
    case "Shutdown":
      return ExitReason.shutdown()
    default:
      return ExitReason.custom(reason)
  }
}

/** What anybody can do. */
const perform = Effect.fnUntraced(function*(world: World, by: Model.Id, command: Model.Command) {
  switch (command._tag) {
    case "spawn": {
      return enter(world, yield* Process.spawn(body(world, world.pids.length, command.fate)))
    }
    case "send":
      yield* Process.send(target(world, command.to), { from: Model.show(by), text: `m${world.messages++}` })
      return "sent"
    case "exit":
      yield* Process.exit(world.pids[command.to]!, reasonOf(command.reason))
      return "sent"
    case "register":
      return yield* Process.register(command.name, world.pids[command.to]!).pipe(
        Effect.as("registered"),
        Effect.catch((error) => Effect.succeed(error.reason._tag))
      )
    case "unregister":
      return yield* Process.unregister(command.name).pipe(
        Effect.as("unregistered"),
        Effect.catch((error) => Effect.succeed(error.reason._tag))
      )
    case "sendAfter": {
      const message = { from: "timer", text: `t${world.timers.length}` }
      return `T${world.timers.push(yield* Process.sendAfter(target(world, command.to), message, command.delay)) - 1}`
    }
    case "cancelTimer":
      return Option.match(yield* Process.cancelTimer(world.timers[command.timer]!), {
        onNone: () => "none",
        onSome: String
      })
    case "awaitExit": {
      const waiting = Effect.forkChild(Process.awaitExit(world.pids[command.to]!), { startImmediately: true })
      return `W${world.waiters.push(yield* waiting) - 1}`
    }
    case "interrupt": {
      yield* Fiber.interrupt(world.waiters[command.waiter]!)
      return yield* toldTo(world.waiters[command.waiter]!)
    }
    case "release":
      yield* Deferred.succeed(world.gates[command.to]!, undefined)
      return "released"
    case "advance":
      yield* world.advance(command.millis)
      return "advanced"
    default:
      return yield* Effect.die(`only a process can ${command._tag}`)
  }
})

const toldTo = (waiter: Fiber.Fiber<ExitReason.ExitReason>) =>
  Effect.map(Fiber.await(waiter), (exit) => exit._tag === "Success" ? showReason(exit.value) : "interrupted")

const performInside = Effect.fnUntraced(function*(world: World, id: Model.Id, self: Self, command: Model.Command) {
  switch (command._tag) {
    case "spawn": {
      const child = world.pids.length
      if (command.how === "spawn") break
      if (command.how === "spawnLink") {
        return enter(world, yield* Process.spawnLink(body(world, child, command.fate)))
      }
      const [pid, ref] = yield* Process.spawnMonitor(body(world, child, command.fate))
      world.refs.push(ref)
      world.watched.push(`P${child}`)
      return enter(world, pid)
    }
    case "link":
      return yield* Process.link(world.pids[command.to]!).pipe(
        Effect.as("linked"),
        Effect.catch((error) => Effect.succeed(error._tag))
      )
    case "unlink":
      yield* Process.unlink(world.pids[command.to]!)
      return "unlinked"
    case "monitor": {
      const to = target(world, command.to)
      const holder = typeof to === "string" ? Option.getOrUndefined(yield* Process.whereis(to)) : to
      world.watched.push(holder === undefined ? command.to as string : showPid(world, holder))
      return `#${world.refs.push(yield* Process.monitor(to)) - 1}`
    }
    case "demonitor":
      return String(yield* Process.demonitor(world.refs[command.ref]!, { flush: command.flush, info: true }))
    case "trapExit":
      return String(yield* Process.trapExit(command.on))
    case "exitSelf":
      return yield* Process.exit(reasonOf(command.reason))
    case "take": {
      const taken = yield* queued(self)
      world.seen[id]!.push(...taken)
      return String(taken.length)
    }
  }
  return yield* perform(world, id, command)
})

// ----------------------------------------------------------------------------
// what is to be seen
// ----------------------------------------------------------------------------

const showReason = (reason: ExitReason.ExitReason): Model.Reason => {
  if (reason._tag === "Custom") return String(reason.term)
  if (reason._tag !== "Crashed") return reason._tag
  const error = Cause.squash(reason.cause)
  return `Crashed: ${error instanceof Error ? error.message : error}`
}

const showPid = (world: World, pid: Process.Pid<never, unknown>): string => {
  const id = world.pids.indexOf(pid as Pid)
  return id < 0 ? "outside" : `P${id}`
}

const itemOf = (world: World, message: Message): Model.Item => {
  if (message instanceof Do) return { _tag: "Message", from: "outside", text: "a command" }
  if (Process.isDown(message)) {
    const ref = world.refs.indexOf(message.ref)
    const of = typeof message.target === "string" ? message.target : showPid(world, message.target)
    return { _tag: "Down", from: world.watched[ref]!, ref, of, reason: showReason(message.reason) }
  }
  if (Process.isExit(message)) {
    return { _tag: "Exit", from: showPid(world, message.pid), reason: showReason(message.reason) }
  }
  return { _tag: "Message", ...message }
}

/** Sender by sender: in which order different senders come is open, and so is what of one end is told first. */
const showItems = (items: ReadonlyArray<Model.Item>): string => {
  const bySender = Object.entries(Arr.groupBy(items, (item) => item.from))
  return bySender.sort(([a], [b]) => a < b ? -1 : 1).map(([from, sent]) => `${from}: ${showSender(sent).join(", ")}`)
    .join("; ")
}

const showSender = (items: ReadonlyArray<Model.Item>): ReadonlyArray<string> => {
  const shown: Array<string> = []
  let end: Array<string> = []
  for (const [i, item] of items.entries()) {
    const previous = items[i - 1]
    const sameEnd = item._tag !== "Message" && item.reason !== "NoProcess" &&
      previous !== undefined && previous._tag !== "Message" && previous.reason === item.reason
    if (!sameEnd) {
      shown.push(...end.sort())
      end = []
    }
    end.push(
      item._tag === "Message"
        ? item.text
        : item._tag === "Down"
        ? `Down #${item.ref} of ${item.of} ${item.reason}`
        : `Exit ${item.reason}`
    )
  }
  return [...shown, ...end.sort()]
}

const showIds = (ids: Iterable<Model.Id>): string => [...ids].sort((a, b) => a - b).map((id) => `P${id}`).join(" ")

interface Seen {
  readonly status: string
  readonly reason: Model.Reason | undefined
  readonly trapsExit: boolean
  readonly name: string | undefined
  readonly links: Iterable<Model.Id>
  readonly monitors: Iterable<Model.Id>
  readonly watchers: number
  readonly mailbox: ReadonlyArray<Model.Item>
  readonly seen: ReadonlyArray<Model.Item>
}

const showProcess = (id: Model.Id, process: Seen): string => {
  const head = process.status === "alive" ? "alive" : `${process.status} ${process.reason}`
  const parts = process.status === "ended" ? [] : [
    `${process.trapsExit ? "traps exits" : "does not trap"}`,
    `name ${process.name}`,
    `links [${showIds(process.links)}]`,
    `monitors [${showIds(process.monitors)}]`,
    `watched by ${process.watchers}`,
    `mailbox [${showItems(process.mailbox)}]`
  ]
  return [`P${id} ${head}`, ...parts, `has seen [${showItems(process.seen)}]`].join(", ")
}

const lookAtModel = (state: Model.State): ReadonlyArray<string> => [
  ...state.processes.map((process, id) => {
    const watchers = state.monitors.filter((monitor) => monitor.target === id).length +
      state.timers.filter((timer) => timer?.target === id).length +
      state.waiters.filter((waiter) => waiter.target === id && waiter.told === undefined).length
    const monitors = state.monitors.flatMap(({ target, watcher }) => watcher === id ? [target] : [])
    return showProcess(id, { ...process, monitors, watchers })
  }),
  ...state.waiters.map((waiter, i) => `W${i} ${waiter.told ?? "waits"}`),
  ...state.timers.map((timer, i) => `T${i} ${timer === undefined ? "not set" : timer.due - state.now}`),
  `${state.timers.filter((timer) => timer !== undefined).length} timers`
]

const lookAtWorld = (world: World): Effect.Effect<ReadonlyArray<string>> =>
  Effect.withFiber(Effect.fnUntraced(function*(fiber: Fiber.Fiber<unknown, unknown>) {
    const ids = new Map(world.pids.map((pid, id) => [entryOfPid(pid), id]))
    const lines = world.pids.map((pid, id) => {
      const entry = entryOfPid(pid)
      const mailbox: Array<Model.Item> = []
      for (let node = entry.head; node !== undefined; node = node.next) {
        mailbox.push(itemOf(world, node.message as Message))
      }
      return showProcess(id, {
        status: ["alive", "ending", "ended"][entry.status]!,
        reason: entry.reason && showReason(entry.reason),
        trapsExit: entry.trapsExit,
        name: entry.name?.toString(),
        links: FewSet.toArray(entry.links).map((other) => ids.get(other)!),
        monitors: FewSet.toArray(entry.monitors).map(({ target }) => ids.get(target)!),
        watchers: FewSet.toArray(entry.watchers).length,
        mailbox,
        seen: world.seen[id]!.map((message) => itemOf(world, message))
      })
    })
    for (const [i, waiter] of world.waiters.entries()) {
      lines.push(`W${i} ${waiter.pollUnsafe() === undefined ? "waits" : yield* toldTo(waiter)}`)
    }
    for (const [i, timer] of world.timers.entries()) {
      lines.push(`T${i} ${Option.getOrElse(yield* Process.readTimer(timer), () => "not set")}`)
    }
    const names = [...tableOf(fiber).names.values()].filter((entry) => entry.name === undefined)
    return [...lines, `${timersOf(fiber).size()} timers`, ...names.map((entry) => `${entry} has lost its name`)]
  }))

// ----------------------------------------------------------------------------
// steps
// ----------------------------------------------------------------------------

interface Report {
  /** The program so far. */
  readonly lines: Array<string>
}

const differ = (report: Report, complaints: ReadonlyArray<string>): Effect.Effect<void> =>
  complaints.length === 0
    ? Effect.void
    : Effect.die(new Error(["", ...report.lines, "", ...complaints].join("\n  ")))

const difference = (expected: ReadonlyArray<string>, actual: ReadonlyArray<string>): ReadonlyArray<string> =>
  Array.from({ length: Math.max(expected.length, actual.length) }, (_, i) => i).flatMap((i) =>
    expected[i] === actual[i] ? [] : [`expected ${expected[i]}`, `     got ${actual[i]}`]
  )

interface Planned {
  readonly state: Model.State
  readonly commands: ReadonlyArray<Model.Command>
  readonly answers: ReadonlyArray<string>
}

/** What a step means, and what its commands give. */
const plan = (from: Model.State, by: Model.Id, raw: ReadonlyArray<Program.Raw>): Planned => {
  let state = from
  const commands: Array<Model.Command> = []
  const answers: Array<string> = []
  for (const each of raw) {
    const command = Model.goesOn(state, by) ? Program.resolve(state, by, each) : undefined
    if (command === undefined) continue
    commands.push(command)
    const [next, answer] = Model.step(state, by, command)
    state = next
    if (answer !== undefined) answers.push(answer)
  }
  return { state, commands, answers }
}

/** The model goes on in the order in which the processes have ended, if it may be so. */
const concludeAll = (planned: Model.State, order: ReadonlyArray<Model.Id>) => {
  let state = planned
  const complaints: Array<string> = []
  for (const id of order) {
    // Who was killed had ended before, and is closed now that its finalizers are done.
    if (planned.processes[id]!.status === "ended") continue
    const next = Model.conclude(state, id)
    if (next === undefined) complaints.push(`P${id} has ended and should not`)
    else state = next
  }
  return {
    state: Model.settled(state),
    complaints: [...complaints, ...Model.ending(state).map((id) => `P${id} should have ended`)]
  }
}

const runStep = Effect.fnUntraced(function*(
  world: World,
  report: Report,
  by: Model.Id,
  planned: Planned
) {
  world.answers = []
  world.ended = []
  report.lines.push(`${Model.show(by)}: ${planned.commands.map(Program.show).join(", ")}`)
  if (by === Model.outside) {
    for (const command of planned.commands) world.answers.push(yield* perform(world, by, command))
  } else {
    yield* Process.send(world.pids[by]!, new Do(planned.commands))
  }
  yield* settle
  yield* differ(report, difference(planned.answers, world.answers))
  const { complaints, state } = concludeAll(planned.state, world.ended)
  yield* differ(report, complaints)
  yield* differ(report, difference(lookAtModel(state), yield* lookAtWorld(world)))
  yield* differ(report, yield* inconsistencies(world.pids))
  return state
})

/** Everybody sees what is in their mailbox, and ends; then nothing is left. */
const finish = Effect.fnUntraced(function*(world: World, report: Report, from: Model.State) {
  let state = from
  const run = Effect.fnUntraced(function*(by: Model.Id, commands: ReadonlyArray<Model.Command>) {
    let next = state
    const answers: Array<string> = []
    for (const command of commands) {
      const [after, answer] = Model.step(next, by, command)
      next = after
      answers.push(answer!)
    }
    state = yield* runStep(world, report, by, { state: next, commands, answers })
  })
  const all = state.processes.map((_, id) => id)
  for (const id of all) if (Model.isAlive(state, id)) yield* run(id, [{ _tag: "take" }])
  yield* run(Model.outside, [
    ...all.map((to) => ({ _tag: "release", to } as const)),
    ...all.map((to) => ({ _tag: "exit", to, reason: "Kill" } as const))
  ])
  yield* run(Model.outside, [{ _tag: "advance", millis: 100 }])
  yield* differ(report, yield* leftovers(world.pids))
})

/** Runs a program, and dies with all of it if the library does not do what the model does. */
export const run = (program: Program.Program, advance: Advance): Effect.Effect<void> =>
  Effect.gen(function*() {
    const world: World = {
      advance,
      pids: [],
      gates: [],
      seen: [],
      refs: [],
      watched: [],
      timers: [],
      waiters: [],
      answers: [],
      ended: [],
      messages: 0
    }
    const report: Report = { lines: [] }
    const birth: Model.Command = { _tag: "spawn", how: "spawn", fate: "lives" }
    let state = Model.empty
    for (let i = 0; i < initial; i++) state = Model.step(state, Model.outside, birth)[0]
    state = yield* runStep(world, report, Model.outside, {
      state,
      commands: Array.from({ length: initial }, () => birth),
      answers: Array.from({ length: initial }, (_, id) => `P${id}`)
    })
    for (const commands of Program.steps(program)) {
      const actor = Program.byWhom(state, commands[0]!)
      const planned = plan(state, actor, commands)
      if (planned.commands.length > 0) state = yield* runStep(world, report, actor, planned)
    }
    yield* finish(world, report, state)
  }).pipe(inNode)

/** Processes that are there when a program begins. */
const initial = 3
