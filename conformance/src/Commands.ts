/**
 * What a process of a scenario, or code outside of all, does on this library when it is told to.
 */
import { GenServer, type OtpError, Process, Supervisor } from "@effect-otp/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scenario from "./Scenario.ts"
import { childSpec, plain, Subject, tree } from "./Subjects.ts"
import {
  Do,
  type Entity,
  type Message,
  type Next,
  type Pid,
  showReason,
  Text,
  toReason,
  type Who,
  type World
} from "./World.ts"

type Answer = Effect.Effect<string, never, Process.Provided<Message>>

/** What is of no use to whoever is told to do it. */
const nothing = Effect.succeed("-")

const goOn: Next = { _tag: "GoOn" }

/** Does what a process was told, one after the other. */
export const perform = (world: World) =>
  Effect.fnUntraced(function*(who: Who, commands: Do["commands"]) {
    for (const [label, command] of commands) {
      const next = yield* performOne(world, who, label, command)
      if (next._tag !== "GoOn") return next
    }
    return goOn
  })

/** Does one thing, and notes what it gave. */
export const performOne = (
  world: World,
  who: Who,
  label: string,
  command: Scenario.Command
): Effect.Effect<Next, never, Process.Provided<Message>> => {
  const answered = (answer: Answer): Effect.Effect<Next, never, Process.Provided<Message>> =>
    Effect.map(answer, (text) => {
      world.note("answer", label, who.me, text)
      return goOn
    })
  switch (command.do) {
    case "finish":
      return Effect.succeed({ _tag: "Finish" })
    case "crash":
      return Effect.succeed({ _tag: "Crash" })
    case "stopSelf":
      if (who.kind !== "server") return answered(nothing)
      return Effect.succeed({ _tag: "Stop", reason: toReason(command.reason) })
    case "exitSelf":
      return Process.exit(toReason(command.reason))
    case "take":
      return who.self === undefined ? answered(nothing) : Effect.as(take(world, who.me, who.self), goOn)
    case "busy":
      return who.kind === "server" ? Effect.as(Effect.sleep(command.millis), goOn) : answered(nothing)
    default:
      return answered(isRequest(command) ? request(world, label, command) : act(world, who, command))
  }
}

type Instant = Exclude<
  Scenario.Command,
  Scenario.Request | { readonly do: "finish" | "crash" | "stopSelf" | "exitSelf" | "take" | "busy" }
>

const requests = new Set<string>([
  "call",
  "stop",
  "startChild",
  "terminateChild",
  "restartChild",
  "deleteChild",
  "whichChildren",
  "countChildren"
])

const isRequest = (command: Scenario.Command): command is Scenario.Request => requests.has(command.do)

/** Whether a command may have to wait, so that code outside of all processes goes on meanwhile. */
export const waits = (command: Scenario.Command): boolean =>
  isRequest(command) || command.do === "server" || command.do === "supervisor"

// ----------------------------------------------------------------------------
// at once
// ----------------------------------------------------------------------------

const withEntity = (world: World, ref: Scenario.Ref, act: (entity: Entity) => Answer): Answer => {
  const entity = world.find(ref)
  return entity === undefined ? nothing : act(entity)
}

const withTarget = (world: World, to: Scenario.Target, act: (target: Pid | string) => Answer): Answer =>
  to.startsWith("name ") ? act(to.slice("name ".length)) : withEntity(world, to, ({ pid }) => act(pid))

const act = (world: World, who: Who, command: Instant): Answer => {
  switch (command.do) {
    case "spawn": {
      const { as: name, fate, how, ref, trap } = command
      const body = plain(world, name, fate, trap)
      const born = (pid: Process.Pid<Text | Do>) => {
        world.born(name, name, "plain", pid)
        return name
      }
      if (how === "spawn") return Effect.map(Process.spawn(body), born)
      if (who.kind === "outside") return nothing
      if (how === "spawnLink") return Effect.map(Process.spawnLink(body), born)
      return Effect.map(Process.spawnMonitor(body), ([pid, monitor]) => {
        world.watches(ref, monitor)
        return born(pid)
      })
    }
    case "send":
      return withTarget(world, command.to, (target) =>
        Process.send(target, new Text(who.me, command.text)).pipe(
          Effect.as("sent"),
          // A name that nobody holds is the fault of the sender.
          Effect.catchDefect(() => Effect.succeed("nobody"))
        ))
    case "cast":
      return withTarget(
        world,
        command.to,
        (target) => Effect.as(Subject.at(target).tell(new Text(who.me, command.text)), "sent")
      )
    case "exit":
      return withEntity(
        world,
        command.to,
        ({ pid }) => Effect.as(Process.exit(pid, toReason(command.reason)), "sent")
      )
    case "register":
      return withEntity(world, command.to, ({ pid }) =>
        Process.register(command.name, pid).pipe(
          Effect.as("registered"),
          Effect.catch(() => Effect.succeed("refused"))
        ))
    case "unregister":
      return Process.unregister(command.name).pipe(
        Effect.as("unregistered"),
        Effect.catch(() => Effect.succeed("nobody"))
      )
    case "whereis":
      return Effect.map(
        Process.whereis(command.name),
        Option.match({ onNone: () => "nobody", onSome: (pid) => world.nameOf(pid) })
      )
    case "isAlive":
      return withEntity(world, command.to, ({ pid }) => Effect.map(Process.isAlive(pid), String))
    case "sendAfter":
      return withTarget(
        world,
        command.to,
        (target) =>
          Effect.map(Process.sendAfter(target, new Text(command.as, command.text), command.delay), (timer) => {
            world.timers.set(command.as, timer)
            return command.as
          })
      )
    case "cancelTimer": {
      const timer = world.timers.get(command.timer)
      if (timer === undefined) return nothing
      return Effect.map(Process.cancelTimer(timer), (left) => Option.isSome(left) ? "cancelled" : "too late")
    }
    case "server":
      return startServer(world, who, command)
    case "supervisor":
      return startSupervisor(world, who, command)
    case "answer": {
      const [from, ...rest] = world.froms.get(who.me) ?? []
      if (who.kind !== "server" || from === undefined) return nothing
      world.froms.set(who.me, rest)
      return Effect.as(GenServer.reply(from, "late"), "answered")
    }
    case "receive": {
      if (who.self === undefined) return nothing
      const isIt = (message: Message): message is Text => message instanceof Text && message.text === command.text
      return who.self.receiveMatch(isIt, { after: command.after }).pipe(
        Effect.map((message) => {
          world.saw(who.me, message)
          return "received"
        }),
        Effect.catchTag("ReceiveTimeout", () => Effect.succeed("timeout"))
      )
    }
    default:
      return who.kind === "outside" ? nothing : own(world, command)
  }
}

const own = (
  world: World,
  command: Exclude<Scenario.Own, { readonly do: "finish" | "crash" | "exitSelf" }>
): Answer => {
  switch (command.do) {
    case "link":
      return withEntity(world, command.to, ({ pid }) =>
        Process.link(pid).pipe(
          Effect.as("linked"),
          Effect.catchTag("NoProcess", () => Effect.succeed("noproc"))
        ))
    case "unlink":
      return withEntity(world, command.to, ({ pid }) => Effect.as(Process.unlink(pid), "unlinked"))
    case "monitor":
      return withTarget(
        world,
        command.to,
        (target) => Effect.map(Process.monitor(target), (ref) => world.watches(command.as, ref))
      )
    case "demonitor": {
      const ref = world.monitors.get(command.ref)
      if (ref === undefined) return nothing
      return Effect.map(Process.demonitor(ref, { flush: command.flush, info: true }), String)
    }
    case "trap":
      return Effect.map(Process.trapExit(command.on), String)
  }
}

const take = Effect.fnUntraced(function*(world: World, me: string, self: Process.Self<Message>) {
  const isOther = (message: Message): message is Exclude<Message, Do> => !(message instanceof Do)
  const next = Effect.option(self.receiveMatch(isOther, { after: 0 }))
  for (let message = yield* next; message._tag === "Some"; message = yield* next) world.saw(me, message.value)
})

// ----------------------------------------------------------------------------
// starting
// ----------------------------------------------------------------------------

const started = <A>(
  world: World,
  name: string,
  start: Effect.Effect<A, OtpError.StartError<unknown>, Process.Provided<Message>>
): Answer =>
  start.pipe(
    Effect.as(`started ${name}`),
    Effect.catch((error) => Effect.succeed(world.failure(error)))
  )

const startServer = (world: World, who: Who, command: Scenario.Starting & { readonly do: "server" }): Answer => {
  const { as: name, how, ref, server } = command
  const plan = { world, path: name, plan: server, isChild: false }
  const { start, startLink, startMonitor } = Subject.server
  const options = { name: command.name ?? undefined }
  if (how === "start") return started(world, name, start(plan, options))
  if (who.kind === "outside") return nothing
  if (how === "startLink") return started(world, name, startLink(plan, options))
  return started(
    world,
    name,
    Effect.map(startMonitor(plan, options), ([, monitor]) => world.watches(ref, monitor))
  )
}

const startSupervisor = (
  world: World,
  who: Who,
  { as: name, how, tree: plan }: Scenario.Starting & { readonly do: "supervisor" }
): Answer => {
  if (how === "startLink" && who.kind === "outside") return nothing
  const { start, startLink } = tree(world, name, plan)
  return started(
    world,
    name,
    Effect.map(how === "start" ? start : startLink, ({ pid }) => {
      world.born(name, name, "supervisor", pid)
      world.note("tree", name, `up ${name}`)
    })
  )
}

// ----------------------------------------------------------------------------
// requests
// ----------------------------------------------------------------------------

const callError = ({ reason }: OtpError.CallError): string => {
  switch (reason._tag) {
    case "NoProcess":
      return "noproc"
    case "Timeout":
      return "timeout"
    case "ServerExited":
      // The exit of a call on the BEAM does not say which of both it was.
      return reason.reason._tag === "NoProcess" ? "noproc" : `exited ${showReason(reason.reason)}`
    default:
      return reason._tag
  }
}

const request = (world: World, label: string, command: Scenario.Request): Answer => {
  switch (command.do) {
    case "call":
      return withTarget(world, command.to, (target) =>
        Subject.at(target).ask({ label, ask: command.ask }).pipe(
          Effect.provideService(GenServer.CallTimeout, command.timeout === 0 ? 5000 : command.timeout),
          Effect.map((reply) => `replied ${reply}`),
          Effect.catchTag("CallError", (error) => Effect.succeed(callError(error)))
        ))
    case "stop":
      return withTarget(world, command.to, (target) => {
        const reason = toReason(command.reason)
        const options = command.timeout === 0 ? { reason } : { reason, timeout: command.timeout }
        return GenServer.stop(target, options).pipe(
          Effect.as("stopped"),
          Effect.catch((error) => Effect.succeed(callError(error)))
        )
      })
    default:
      return withEntity(
        world,
        command.to,
        ({ kind, pid }) => kind === "supervisor" ? ask(world, pid, command) : nothing
      )
  }
}

const startedChild = (world: World, pid: Process.Pid<never, unknown> | undefined): string =>
  pid === undefined ? "ignored" : `started ${world.nameOf(pid)}`

const ask = (
  world: World,
  pid: Pid,
  command: Exclude<Scenario.Request, { readonly do: "call" | "stop" }>
): Answer => {
  switch (command.do) {
    case "startChild":
      return Supervisor.startChild(pid, childSpec(world, `${command.to}/${command.child.id}`, command.child)).pipe(
        Effect.map((child) => startedChild(world, child)),
        Effect.catch((error) => Effect.succeed(refusal(world, error)))
      )
    case "restartChild":
      return Supervisor.restartChild(pid, command.id).pipe(
        Effect.map((child) => startedChild(world, child)),
        Effect.catch((error) => Effect.succeed(refusal(world, error)))
      )
    case "terminateChild":
    case "deleteChild":
      return (command.do === "terminateChild" ? Supervisor.terminateChild : Supervisor.deleteChild)(pid, command.id)
        .pipe(
          Effect.as("ok"),
          Effect.catch((error) => Effect.succeed(refusal(world, error)))
        )
    case "whichChildren":
      return Supervisor.whichChildren(pid).pipe(
        Effect.map((children) =>
          children.map(({ child, id, type }) => {
            const shown = child === undefined || child === "restarting" ? String(child) : world.nameOf(child)
            return `${id} ${type} ${shown};`
          }).join(" ")
        ),
        Effect.catch((error) => Effect.succeed(refusal(world, error)))
      )
    case "countChildren":
      return Supervisor.countChildren(pid).pipe(
        Effect.map(({ active, specs, supervisors, workers }) => [specs, active, supervisors, workers].join(" ")),
        Effect.catch((error) => Effect.succeed(refusal(world, error)))
      )
  }
}

const refusal = (
  world: World,
  error:
    | OtpError.StartError<unknown>
    | OtpError.CallError
    | OtpError.ChildNotFound
    | OtpError.ChildRunning
    | OtpError.ChildRestarting
): string => {
  switch (error._tag) {
    case "StartError":
      return error.reason._tag === "AlreadyStarted" && error.childPath.length === 1
        ? `already ${world.nameOf(error.reason.pid)}`
        : world.failure(error)
    case "CallError":
      return callError(error)
    case "ChildNotFound":
      return "not_found"
    case "ChildRunning":
      return "running"
    case "ChildRestarting":
      return "restarting"
  }
}
