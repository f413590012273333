/**
 * `init` runs within the turn of whoever starts the server under Effect's default scheduler, and in a turn of its own under
 * any other. Whatever it does there, nobody may see a difference.
 */
import type * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import type { CallError, StartError } from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as Sys from "@effect-otp/core/Sys"
import * as Task from "@effect-otp/core/Task"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import { inNode } from "./utils/process.ts"
import { ask, tell, Told, told } from "./utils/server.ts"

// ----------------------------------------------------------------------------
// ways to start a server
// ----------------------------------------------------------------------------

/** What `init` has to do something with. */
interface World {
  /** The process that starts the server: another server, or a supervisor. */
  readonly starter: Process.Pid<never>
  /** What has happened, in order. */
  readonly seen: Array<string>
}

/** Gives a state, or an Effect of one. */
type Init = (world: World) => unknown

const serverOf = (init: Init, world: World) =>
  told({
    init: () => init(world),
    info: (state, message) => Step.noReply((world.seen.push(message), state))
  })

const childOf = (init: Init, world: World) =>
  serverOf(init, world).child(
    { id: "child", provide: false, restart: "temporary" } as const
  ) as ChildSpec.ChildSpec<never, unknown, never>

const why = ({ reason }: StartError<unknown> | CallError): string => {
  switch (reason._tag) {
    case "InitFailed": {
      const error = reason.error as CallError | string
      return `failed: ${typeof error === "string" ? error : error.reason._tag}`
    }
    case "Stopped":
    case "ServerExited":
      return `${reason._tag}: ${reason.reason._tag}`
    default:
      return reason._tag
  }
}

const answerOf = <A>(start: Effect.Effect<A, unknown>): Effect.Effect<string> =>
  Effect.match(start, { onSuccess: () => "started", onFailure: (error) => why(error as StartError<unknown>) })

const fateOf = Effect.fnUntraced(function*(pid: Process.Pid<never>) {
  yield* settle
  return (yield* Process.isAlive(pid)) ? "" : `, and its starter ended: ${(yield* Process.awaitExit(pid))._tag}`
})

/** By a handler of a server, which tells what it was told. */
const byHandler = (how: "start" | "startLink") =>
  Effect.fnUntraced(function*(init: Init, seen: World["seen"]) {
    const { pid } = yield* told().start()
    const started = answerOf(serverOf(init, { starter: pid, seen })[how]() as Effect.Effect<unknown, unknown>)
    const answer = yield* ask(Told.at(pid), (state) => Effect.map(started, (answer) => Step.reply(answer, state))).pipe(
      Effect.catch((error) => Effect.succeed(why(error as CallError)))
    )
    return `${answer}${yield* fateOf(pid)}`
  })

/** Each gives what the starter was told, and what has become of it. */
const ways = {
  start: byHandler("start"),
  startLink: byHandler("startLink"),
  tree: Effect.fnUntraced(function*(init: Init, seen: World["seen"]) {
    let starter!: Process.Pid<never>
    const child = childOf((world) =>
      Effect.flatMap(Process.list, ([supervisor]) => {
        starter = supervisor as Process.Pid<never>
        const result = init({ ...world, starter })
        return Effect.isEffect(result) ? result as Effect.Effect<unknown, unknown> : Effect.succeed(result)
      }), { starter, seen })
    const answer = yield* answerOf(Supervisor.make({ children: [child] }).start)
    return `${answer}${yield* fateOf(starter)}`
  }),
  startChild: Effect.fnUntraced(function*(init: Init, seen: World["seen"]) {
    const supervisor = yield* Supervisor.make({ children: [] }).start
    const child = childOf(init, { starter: supervisor.pid, seen })
    const answer = yield* answerOf(Supervisor.startChild(supervisor, child))
    return `${answer}${yield* fateOf(supervisor.pid)}`
  })
}

type Way = keyof typeof ways

/** The same in every way, or what differs. */
type Expected = string | { readonly [W in Way]: string }

/** What happens, as a person would say it. */
const happens = (way: Way, init: Init) =>
  Effect.suspend(() => {
    const seen: Array<string> = []
    const start: Effect.Effect<string, unknown> = ways[way](init, seen)
    return Effect.map(start, (outcome) => [outcome, ...seen].join(", "))
  })

// ----------------------------------------------------------------------------
// what init does
// ----------------------------------------------------------------------------

const impatient = Effect.provideService(GenServer.CallTimeout, "20 millis")
const bad = ExitReason.custom("bad")
const self = Process.self
const keep = (n: unknown) => Step.reply(n, n)

const furtherServers = (left: number): Effect.Effect<number, unknown, Process.Current> =>
  left === 0
    ? Effect.succeed(0)
    : Effect.as(told({ init: () => furtherServers(left - 1) }).startLink() as Effect.Effect<unknown>, left)

const inits: ReadonlyArray<readonly [what: string, init: Init, expected: Expected]> = [
  ["calls who starts it", ({ starter }) => impatient(ask(Told.at(starter), keep)), {
    start: "failed: Timeout",
    startLink: "failed: Timeout",
    tree: "Crashed, and its starter ended: Shutdown",
    startChild: "Crashed"
  }],
  ["asks who starts it for its state", ({ starter }) => impatient(Sys.getState(starter)), {
    start: "failed: Timeout",
    startLink: "failed: Timeout",
    tree: "failed: Timeout, and its starter ended: Shutdown",
    startChild: "failed: Timeout"
  }],
  [
    "asks who starts it for its state, through another server",
    ({ starter }) =>
      Effect.flatMap(
        told().start(),
        (other) => impatient(ask(other, (s) => Effect.as(Sys.getStatus(starter), Step.reply(s, s))))
      ),
    {
      start: "failed: Timeout",
      startLink: "failed: Timeout",
      tree: "failed: Timeout, and its starter ended: Shutdown",
      startChild: "failed: Timeout"
    }
  ],
  ["stops who starts it", ({ starter }) => GenServer.stop(starter, { timeout: "20 millis" }), {
    start: "failed: Timeout, and its starter ended: Normal",
    startLink: "failed: Timeout, and its starter ended: Normal",
    tree: "failed: Timeout, and its starter ended: Shutdown",
    startChild: "failed: Timeout, and its starter ended: Normal"
  }],
  ["starts further servers, 100 deep", () => furtherServers(100), "started"],
  ["throws", () => {
    throw new Error("boom")
  }, {
    start: "Crashed",
    startLink: "ServerExited: Crashed, and its starter ended: Crashed",
    tree: "Crashed, and its starter ended: Shutdown",
    startChild: "Crashed"
  }],
  ["dies", () => Effect.die("boom"), {
    start: "Crashed",
    startLink: "ServerExited: Crashed, and its starter ended: Crashed",
    tree: "Crashed, and its starter ended: Shutdown",
    startChild: "Crashed"
  }],
  ["fails", () => Effect.fail("no"), {
    start: "failed: no",
    startLink: "failed: no",
    tree: "failed: no, and its starter ended: Shutdown",
    startChild: "failed: no"
  }],
  ["fails later", () => Effect.andThen(Effect.yieldNow, Effect.fail("no")), {
    start: "failed: no",
    startLink: "failed: no",
    tree: "failed: no, and its starter ended: Shutdown",
    startChild: "failed: no"
  }],
  ["ignores", () => GenServer.ignore, {
    start: "Ignored",
    startLink: "Ignored",
    tree: "started",
    startChild: "started"
  }],
  ["stops", () => GenServer.initStop(bad), {
    start: "Stopped: Custom",
    startLink: "ServerExited: Custom, and its starter ended: Custom",
    tree: "Stopped: Custom, and its starter ended: Shutdown",
    startChild: "Stopped: Custom"
  }],
  ["exits", () => Process.exit(bad), {
    start: "Stopped: Custom",
    startLink: "ServerExited: Custom, and its starter ended: Custom",
    tree: "Stopped: Custom, and its starter ended: Shutdown",
    startChild: "Stopped: Custom"
  }],
  ["exits in order", () => Process.exit(ExitReason.shutdown()), {
    start: "Stopped: Shutdown",
    startLink: "ServerExited: Shutdown, and its starter ended: Shutdown",
    tree: "Stopped: Shutdown, and its starter ended: Shutdown",
    startChild: "Stopped: Shutdown"
  }],
  ["exits normally", () => Process.exit(ExitReason.normal), {
    start: "Stopped: Normal",
    startLink: "Stopped: Normal",
    tree: "Stopped: Normal, and its starter ended: Shutdown",
    startChild: "Stopped: Normal"
  }],
  [
    "sends itself an exit",
    ({ seen }) =>
      Effect.flatMap(self, (pid) => Effect.andThen(Process.exit(pid, bad), Effect.sync(() => seen.push("went on")))),
    {
      start: "Stopped: Custom",
      startLink: "ServerExited: Custom, and its starter ended: Custom",
      tree: "Stopped: Custom, and its starter ended: Shutdown",
      startChild: "Stopped: Custom"
    }
  ],
  ["kills itself", () => Effect.flatMap(self, (pid) => Process.exit(pid, ExitReason.kill)), {
    start: "Stopped: Killed",
    startLink: "ServerExited: Killed, and its starter ended: Killed",
    tree: "Stopped: Killed, and its starter ended: Shutdown",
    startChild: "Stopped: Killed"
  }],
  [
    "kills who starts it",
    ({ seen, starter }) =>
      Effect.andThen(Process.exit(starter, ExitReason.kill), Effect.sync(() => seen.push("went on"))),
    {
      start: "ServerExited: Killed, and its starter ended: Killed, went on",
      startLink: "ServerExited: Killed, and its starter ended: Killed, went on",
      tree: "Stopped: Killed, and its starter ended: Killed, went on",
      startChild: "ServerExited: Killed, and its starter ended: Killed, went on"
    }
  ],
  [
    "kills who starts it, and waits",
    ({ seen, starter }) =>
      Effect.andThen(Effect.andThen(Process.exit(starter, ExitReason.kill), Effect.yieldNow), () => {
        seen.push("went on")
        return Effect.void
      }),
    {
      start: "ServerExited: Killed, and its starter ended: Killed",
      startLink: "ServerExited: Killed, and its starter ended: Killed",
      tree: "Stopped: Killed, and its starter ended: Killed",
      startChild: "ServerExited: Killed, and its starter ended: Killed"
    }
  ],
  ["ends who starts it", ({ starter }) => Process.exit(starter, bad), {
    start: "ServerExited: Custom, and its starter ended: Custom",
    startLink: "ServerExited: Custom, and its starter ended: Custom",
    tree: "started",
    startChild: "started"
  }],
  ["links who starts it, and crashes", ({ starter }) => Effect.andThen(Process.link(starter), Effect.die("boom")), {
    start: "ServerExited: Crashed, and its starter ended: Crashed",
    startLink: "ServerExited: Crashed, and its starter ended: Crashed",
    tree: "Crashed, and its starter ended: Shutdown",
    startChild: "Crashed"
  }],
  [
    "sends itself messages",
    ({ seen }) =>
      Effect.gen(function*() {
        const pid = (yield* self) as Process.Pid<unknown>
        yield* Process.send(pid, "sent")
        yield* tell(Told.at(pid), (state) => Step.noReply((seen.push("cast"), state)))
        yield* Process.send(pid, "sent again")
        seen.push("init ends")
      }),
    "started, init ends, sent, cast, sent again"
  ],
  ["calls itself", () => Effect.flatMap(self, (pid) => ask(Told.at(pid), keep)), {
    start: "failed: CallingSelf",
    startLink: "failed: CallingSelf",
    tree: "failed: CallingSelf, and its starter ended: Shutdown",
    startChild: "failed: CallingSelf"
  }],
  ["stops itself by a request", () => Effect.flatMap(self, (pid) => GenServer.stop(pid)), {
    start: "failed: CallingSelf",
    startLink: "failed: CallingSelf",
    tree: "failed: CallingSelf, and its starter ended: Shutdown",
    startChild: "failed: CallingSelf"
  }],
  ["suspends itself", () => Effect.flatMap(self, (pid) => Sys.suspend(pid)), {
    start: "failed: CallingSelf",
    startLink: "failed: CallingSelf",
    tree: "failed: CallingSelf, and its starter ended: Shutdown",
    startChild: "failed: CallingSelf"
  }],
  [
    "is suspended before it ends",
    ({ seen }) =>
      Effect.gen(function*() {
        const pid = (yield* self) as Process.Pid<unknown>
        yield* Process.spawn(() => Sys.suspend(pid))
        yield* Effect.yieldNow
        yield* Effect.yieldNow
        yield* Process.send(pid, "sent")
        seen.push("init ends")
      }),
    "started, init ends"
  ],
  ["registers a name", () => Effect.flatMap(self, (pid) => Process.register("name", pid)), "started"],
  [
    "registers a name, and fails",
    () => Effect.flatMap(self, (pid) => Effect.andThen(Process.register("name", pid), Effect.fail("no"))),
    {
      start: "failed: no",
      startLink: "failed: no",
      tree: "failed: no, and its starter ended: Shutdown",
      startChild: "failed: no"
    }
  ],
  [
    "yields",
    ({ seen }) => Effect.andThen(Effect.yieldNow, Effect.sync(() => seen.push("went on"))),
    "started, went on"
  ],
  ["sleeps", () => Effect.sleep("5 millis"), "started"],
  [
    "awaits a task",
    ({ seen }) => Effect.flatMap(Task.async(Effect.sync(() => seen.push("task"))), (task) => Task.await(task)),
    "started, task"
  ],
  [
    "acquires something, and crashes",
    ({ seen }) =>
      Effect.andThen(
        Effect.acquireRelease(Effect.sync(() => seen.push("acquired")), () => Effect.sync(() => seen.push("released"))),
        Effect.die("boom")
      ),
    {
      start: "Crashed, acquired, released",
      startLink: "ServerExited: Crashed, and its starter ended: Crashed, acquired, released",
      tree: "Crashed, and its starter ended: Shutdown, acquired, released",
      startChild: "Crashed, acquired, released"
    }
  ]
]

describe.each(inits)("a server whose init %s", (_, init, expected) => {
  const quiet = <A, E, R>(effect: Effect.Effect<A, E, R>) => effect.pipe(inNode, Effect.provide(Logger.layer([])))
  for (const way of Object.keys(ways) as ReadonlyArray<Way>) {
    const outcome = typeof expected === "string" ? expected : expected[way]

    it.live(`${way}, under the default scheduler: ${outcome}`, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* happens(way, init), outcome)
      }).pipe(quiet))

    it.effect(`${way}, under the scheduler of a test: ${outcome}`, () =>
      Effect.gen(function*() {
        const running = yield* Effect.forkChild(happens(way, init))
        yield* settle
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* Fiber.join(running), outcome)
      }).pipe(quiet))
  }
})
