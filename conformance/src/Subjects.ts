/**
 * What scenarios are about, on this library: processes that do what they are told, servers that do what their plan says,
 * and supervisors of both.
 */
import { ChildSpec, GenServer, Process, Step, Supervisor } from "@effect-otp/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Scenario from "./Scenario.ts"
import { Do, type Message, showReason, type Text, toReason, type World } from "./World.ts"

// ----------------------------------------------------------------------------
// processes
// ----------------------------------------------------------------------------

const isDo = (message: Message): message is Do => message instanceof Do

/** Leaves everything that is no order in its mailbox, until it is told to take it. */
export const plain =
  (world: World, name: string, fate: Scenario.Fate, trap: boolean) => (self: Process.Self<Message>) =>
    Effect.gen(function*() {
      if (trap) yield* Process.trapExit(true)
      if (fate === "finishes") return
      if (fate === "crashes") return yield* Effect.die(new Error(name))
      if (fate.startsWith("exits ")) return yield* Process.exit(toReason(fate.slice("exits ".length)))
      while (true) {
        const next = yield* world.perform({ me: name, kind: "plain", self }, (yield* self.receiveMatch(isDo)).commands)
        if (next._tag === "Finish") return
        if (next._tag === "Crash") return yield* Effect.die(new Error(name))
      }
    })

// ----------------------------------------------------------------------------
// servers
// ----------------------------------------------------------------------------

interface Init {
  readonly world: World
  readonly path: Scenario.Ref
  readonly plan: Scenario.ServerPlan
  readonly isChild: boolean
}

interface State {
  readonly world: World
  readonly name: string
  readonly path: Scenario.Ref
  readonly linger: Scenario.Millis
}

interface Asked {
  readonly label: string
  readonly ask: Scenario.Ask
}

/** The second word, of two. */
const rest = (text: string): string => text.slice(text.indexOf(" ") + 1)

export class Subject extends GenServer.Service<Subject>()("conformance/Subject", [
  GenServer.call("ask", { payload: Schema.Unknown, success: Schema.String }),
  GenServer.cast("tell", { payload: Schema.Unknown })
]) {
  static readonly server = this.implement({
    init: ({ isChild, path, plan, world }: Init) =>
      Effect.gen(function*() {
        const [name, incarnation] = isChild ? world.birth(path) : [path, 1] as const
        const start = Scenario.startOf(plan.starts, incarnation)
        world.born(name, path, "server", yield* Process.self)
        if (plan.trap) yield* Process.trapExit(true)
        world.note("tree", Scenario.rootOf(path), `init ${name} ${start}`)
        if (start === "ignore") return GenServer.ignore
        if (start === "crash") return yield* Effect.die(new Error(name))
        if (start.startsWith("stop ")) return GenServer.initStop(toReason(rest(start)))
        if (start.startsWith("exit ")) return yield* Process.exit(toReason(rest(start)))
        const state: State = { world, name, path, linger: plan.linger }
        return state
      }),
    handlers: {
      ask: (state, payload, from) => {
        const { ask, label } = payload as Asked
        state.world.note("saw", state.name, `call ${label}`, ask)
        return answer(state, ask, from)
      },
      tell: (state, payload) => {
        if (payload instanceof Do) return obey(state, payload.commands)
        // Whoever tells something else than orders tells a text.
        const { from, text } = payload as Text
        state.world.note("saw", state.name, from, `cast ${text}`)
        return Step.noReply(state)
      }
    },
    info: (state, message: Text | Process.Down | Process.Exit) => {
      state.world.saw(state.name, message)
      return Step.noReply(state)
    },
    terminate: ({ linger, name, path, world }, reason) => {
      world.note("tree", Scenario.rootOf(path), `terminate ${name} ${showReason(reason)}`)
      return linger > 0 ? Effect.sleep(linger) : undefined
    }
  })
}

const answer = (state: State, ask: Scenario.Ask, from: GenServer.From<string>) => {
  switch (ask.split(" ", 1)[0]) {
    case "later":
      state.world.froms.set(state.name, [...state.world.froms.get(state.name) ?? [], from])
      return Step.noReply(state)
    case "busy":
      return Effect.as(Effect.sleep(Number(rest(ask))), Step.reply("reply", state))
    case "crash":
      throw new Error(state.name)
    case "stop":
      return Step.stop(toReason(rest(ask)), state)
    case "replyAndStop":
      return Step.replyAndStop("reply", toReason(rest(ask)), state)
    case "exit":
      return Effect.as(Process.exit(toReason(rest(ask))), Step.noReply(state))
    default:
      return Step.reply("reply", state)
  }
}

const obey = (state: State, commands: Do["commands"]) =>
  Effect.map(state.world.perform({ me: state.name, kind: "server" }, commands), (next) => {
    switch (next._tag) {
      case "GoOn":
        return Step.noReply(state)
      case "Finish":
        return Step.stop(toReason("normal"), state)
      case "Stop":
        return Step.stop(next.reason, state)
      case "Crash":
        throw new Error(state.name)
    }
  })

// ----------------------------------------------------------------------------
// supervisors
// ----------------------------------------------------------------------------

/** Longer than any scenario: OTP counts in whole seconds, and so does nobody here. */
const period = "1 hour"

export const tree = (world: World, path: Scenario.Ref, plan: Scenario.SupervisorPlan) =>
  Supervisor.make({
    strategy: plan.strategy,
    intensity: { maxRestarts: plan.intensity, within: period },
    autoShutdown: plan.autoShutdown,
    name: plan.name ?? undefined,
    children: plan.children.map((child) => childSpec(world, `${path}/${child.id}`, child))
  })

export const childSpec = (
  world: World,
  path: Scenario.Ref,
  child: Scenario.Child
): ChildSpec.ChildSpec<never, unknown, never> => {
  const { id, restart, significant } = child
  const shutdown = child.shutdown === "infinity" ? "Infinity" : child.shutdown
  const options = { id, restart, significant, shutdown } as const
  switch (child.kind) {
    case "worker":
      // Its start is noted by who starts it, in order with those of its siblings; its body has its turn later.
      return ChildSpec.make({
        ...options,
        start: Effect.suspend(() => {
          const [name, incarnation] = world.birth(path)
          const fate = Scenario.startOf(child.starts, incarnation)
          world.note("tree", Scenario.rootOf(path), `start ${name} ${fate}`)
          return Effect.tap(
            Process.spawnLink(plain(world, name, fate, child.trap)),
            (pid) => Effect.sync(() => world.born(name, path, "plain", pid))
          )
        })
      })
    case "server":
      return Subject.server.child({ world, path, plan: child, isChild: true }, {
        ...options,
        name: child.name ?? undefined,
        provide: false
      })
    case "supervisor":
      return ChildSpec.make({
        ...options,
        type: "supervisor",
        start: Effect.tap(tree(world, path, child).startLink, ({ pid }) =>
          Effect.sync(() => {
            const [name] = world.birth(path)
            world.born(name, path, "supervisor", pid)
            world.note("tree", Scenario.rootOf(path), `up ${name}`)
          }))
      })
  }
}
