/**
 * What becomes of what when a process ends, as other processes see it: the table of docs/semantics.md, of which each cell
 * is a test.
 */
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { MinimumLogLevel } from "effect/References"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { readFileSync } from "node:fs"
import { arrived, asProcess } from "./utils/process.ts"
import { ask, callFails, type Ref, Told, told } from "./utils/server.ts"

// ----------------------------------------------------------------------------
// the table
// ----------------------------------------------------------------------------

const endings = ["ends normally", "crashes", "is told to shut down", "is killed", "is restarted"] as const

type Ending = (typeof endings)[number]

/** What each thing becomes, in the order of the endings. */
const table = {
  "a message in its mailbox": ["dropped", "dropped", "dropped", "dropped", "dropped"],
  "a sender that waits for room": [
    "goes on; never received",
    "goes on; never received",
    "goes on; never received",
    "goes on; never received",
    "goes on; never received"
  ],
  "a call that is queued": [
    "`ServerExited`: `Normal`; never runs",
    "`ServerExited`: `Crashed`; never runs",
    "`ServerExited`: `Shutdown`; never runs",
    "`ServerExited`: `Killed`; never runs",
    "`ServerExited`: `Crashed`; never runs"
  ],
  "a call whose handler runs": [
    "`ServerExited`: `Normal`",
    "`ServerExited`: `Crashed`",
    "`ServerExited`: `Shutdown`",
    "`ServerExited`: `Killed`",
    "`ServerExited`: `Crashed`"
  ],
  "a call to be answered later": [
    "`ServerExited`: `Normal`",
    "`ServerExited`: `Crashed`",
    "`ServerExited`: `Shutdown`",
    "`ServerExited`: `Killed`",
    "`ServerExited`: `Crashed`"
  ],
  "a call of its own, queued elsewhere": ["never runs", "never runs", "never runs", "never runs", "never runs"],
  "a call of its own, begun elsewhere": ["runs on", "runs on", "runs on", "runs on", "runs on"],
  "a timer aimed at its pid": ["cancelled", "cancelled", "cancelled", "cancelled", "cancelled"],
  "a timer aimed at its name": [
    "goes to the next holder",
    "goes to the next holder",
    "goes to the next holder",
    "goes to the next holder",
    "goes to the next incarnation"
  ],
  "a timer that it has set": ["fires", "fires", "fires", "fires", "fires"],
  "a monitor on it": [
    "one `Down`: `Normal`",
    "one `Down`: `Crashed`",
    "one `Down`: `Shutdown`",
    "one `Down`: `Killed`",
    "one `Down`: `Crashed`"
  ],
  "a monitor of its own": ["gone", "gone", "gone", "gone", "gone"],
  "a link, the other does not trap exits": [
    "the other lives on",
    "the other ends: `Crashed`",
    "the other ends: `Shutdown`",
    "the other ends: `Killed`",
    "the other ends: `Crashed`"
  ],
  "a link, the other traps exits": [
    "one `Exit`: `Normal`",
    "one `Exit`: `Crashed`",
    "one `Exit`: `Shutdown`",
    "one `Exit`: `Killed`",
    "one `Exit`: `Crashed`"
  ],
  "its name": ["free", "free", "free", "free", "held by the next incarnation"],
  "its alias": ["leads nowhere", "leads nowhere", "leads nowhere", "leads nowhere", "leads nowhere"],
  "a child fiber": ["ends before", "ends before", "ends before", "ends after", "ends before"],
  "a detached fiber": ["goes on", "goes on", "goes on", "goes on", "goes on"],
  "a resource in its scope": [
    "released before",
    "released before",
    "released before",
    "released after",
    "released before"
  ]
} satisfies Record<string, readonly [string, string, string, string, string]>

type Kind = keyof typeof table

// ----------------------------------------------------------------------------
// processes that end
// ----------------------------------------------------------------------------

type Seen = string | Process.Down | Process.Exit
type Own = Process.Self<string | Process.Down>
type Needs = Process.Provided<string | Process.Down> | Scope.Scope

/** Ends a process from outside, or has its own code do it. */
const endBy = (ending: Ending, pid: Process.Pid<never>, order: Deferred.Deferred<void>) =>
  Effect.andThen(
    ending === "is told to shut down"
      ? Process.exit(pid, ExitReason.shutdown())
      : ending === "is killed"
      ? Process.exit(pid, ExitReason.kill)
      : Deferred.succeed(order, undefined),
    settle
  )

/** A process with a body that does something first, in each incarnation, and then waits for its end. */
const process = Effect.fnUntraced(function*(
  ending: Ending,
  first: (own: Own, incarnation: number) => Effect.Effect<unknown, never, Needs>,
  mailbox?: Process.Mailbox<"suspend">
) {
  const order = yield* Deferred.make<void>()
  const pids: Array<Process.Pid<string>> = []
  const run = Effect.fnUntraced(function*(own: Own) {
    const incarnation = pids.push(own.pid)
    yield* first(own, incarnation)
    if (incarnation > 1) return yield* Effect.never
    yield* Deferred.await(order)
    if (ending !== "ends normally") return yield* Effect.die(new Error("boom"))
  })
  if (ending === "is restarted") {
    yield* Supervisor.make({ children: [ChildSpec.worker({ id: "it", run, mailbox })] }).start
  } else yield* Process.spawn((own: Own) => Effect.scoped(run(own)), { mailbox })
  yield* settle
  const end = Effect.andThen(endBy(ending, pids[0], order), Effect.sync(() => hasEnded(ending, pids.length)))
  return { pid: pids[0], pids, end }
})

const hasEnded = (ending: Ending, incarnations: number): void =>
  assert.strictEqual(incarnations, ending === "is restarted" ? 2 : 1)

/** A server, and the last order that it gets: to end as it is to end. */
const server = Effect.fnUntraced(function*(ending: Ending) {
  const order = yield* Deferred.make<void>()
  const pids: Array<Process.Pid<never>> = []
  const it = told({ init: () => Effect.map(Process.self, (pid) => pids.push(pid)) })
  if (ending === "is restarted") yield* Supervisor.make({ children: [it.child({ provide: false })] }).start
  else yield* it.start()
  const ref = Told.at(pids[0]) as Ref
  const last = (incarnation: number) =>
    Effect.andThen(
      Deferred.await(order),
      ending === "ends normally"
        ? Effect.succeed(Step.stop(ExitReason.normal, incarnation))
        : Effect.die(new Error("boom"))
    )
  const end = Effect.andThen(endBy(ending, pids[0], order), Effect.sync(() => hasEnded(ending, pids.length)))
  return { ref, last, end }
})

/** What a call fails with when the server has ended. */
const failure = (call: Fiber.Fiber<unknown, unknown>) =>
  Effect.map(
    callFails(Fiber.join(call) as Effect.Effect<unknown>, "ServerExited"),
    ({ reason: { reason } }) => `\`ServerExited\`: \`${reason._tag}\``
  )

/** The one signal that has arrived. */
const one = (seen: ReadonlyArray<Seen>): string => {
  assert.strictEqual(seen.length, 1)
  const [signal] = seen
  return typeof signal === "string" ? signal : `one \`${signal._tag}\`: \`${signal.reason._tag}\``
}

/** Whether something was done before others were told of the end, or after; never when the next incarnation has started. */
const when = (done: string, seen: ReadonlyArray<Seen>): string => {
  const steps = seen.map((m) => typeof m === "string" ? m : m._tag)
  assert.sameMembers(steps.filter((step) => step !== "started"), [done, "Down"])
  if (steps.includes("started")) assert.isBelow(steps.indexOf(done), steps.indexOf("started"))
  return `${done} ${steps.indexOf(done) < steps.indexOf("Down") ? "before" : "after"}`
}

// ----------------------------------------------------------------------------
// what becomes of what
// ----------------------------------------------------------------------------

type Observe = (self: Process.Self<Seen>, ending: Ending) => Effect.Effect<string, unknown, Process.Provided<Seen>>

const link = Effect.fnUntraced(function*(ending: Ending, other: Process.Pid<never>) {
  const { end } = yield* process(
    ending,
    (_, incarnation) => incarnation === 1 ? Effect.orDie(Process.link(other)) : Effect.void
  )
  yield* end
})

/** A call that a fiber of the process makes to a server which is busy with something else, or with it. */
const callOfItsOwn = Effect.fnUntraced(function*(self: Process.Self<Seen>, ending: Ending, isQueued: boolean) {
  const gate = yield* Deferred.make<void>()
  const elsewhere = yield* told().start()
  const busy = Effect.andThen(Deferred.await(gate), Effect.succeed(Step.reply("done", 0)))
  if (isQueued) yield* Effect.forkChild(ask(elsewhere, () => busy))
  const handler = () => Effect.tap(busy, () => Process.send(self.pid, "runs on"))
  const { end } = yield* process(
    ending,
    (_, incarnation) => incarnation === 1 ? Effect.forkChild(Effect.ignore(ask(elsewhere, handler))) : Effect.void
  )
  yield* end
  yield* Deferred.succeed(gate, undefined)
  const seen = yield* arrived(self)
  assert.isTrue(yield* Process.isAlive(elsewhere.pid))
  return seen.length === 0 ? "never runs" : one(seen)
})

const observations: Record<Kind, Observe> = {
  "a message in its mailbox": Effect.fnUntraced(function*(self, ending) {
    // An incarnation that is not the first reads what it finds.
    const { end, pid } = yield* process(ending, (own, incarnation) =>
      incarnation === 1
        ? Effect.void
        : Effect.flatMap(own.receive, () => Process.send(self.pid, "received")))
    yield* Process.send(pid, "message")
    yield* end
    yield* Process.send(pid, "too late")
    return (yield* arrived(self)).length === 0 ? "dropped" : "received"
  }),

  "a sender that waits for room": Effect.fnUntraced(function*(self, ending) {
    const { end, pid } = yield* process(
      ending,
      (own, incarnation) =>
        incarnation === 1
          ? Effect.void
          : Effect.flatMap(own.receive, () => Process.send(self.pid, "received")),
      { capacity: 1 }
    )
    yield* Process.send(pid, "fills it")
    const sender = yield* Effect.forkChild(Process.send(pid, "waits"))
    yield* settle
    assert.isUndefined(sender.pollUnsafe())
    yield* end
    const goesOn = sender.pollUnsafe()?._tag === "Success" ? "goes on" : "is stuck"
    return `${goesOn}; ${(yield* arrived(self)).length === 0 ? "never received" : "received"}`
  }),

  "a call that is queued": Effect.fnUntraced(function*(self, ending) {
    const { end, last, ref } = yield* server(ending)
    yield* ref.tell(last)
    const call = yield* Effect.forkChild(
      ask(ref, () => Effect.as(Process.send(self.pid, "runs"), Step.reply(0, 0)))
    )
    yield* settle
    yield* end
    const fails = yield* failure(call)
    return (yield* arrived(self)).length === 0 ? `${fails}; never runs` : `${fails}; runs`
  }),

  "a call whose handler runs": Effect.fnUntraced(function*(_, ending) {
    const { end, last, ref } = yield* server(ending)
    const call = yield* Effect.forkChild(ask(ref, last))
    yield* settle
    yield* end
    return yield* failure(call)
  }),

  "a call to be answered later": Effect.fnUntraced(function*(_, ending) {
    const { end, last, ref } = yield* server(ending)
    const asked = yield* Deferred.make<GenServer.From<unknown, unknown>>()
    const call = yield* Effect.forkChild(
      ask(ref, (state, from) => Effect.as(Deferred.succeed(asked, from as never), Step.noReply(state)))
    )
    const from = yield* Deferred.await(asked)
    yield* ref.tell(last)
    yield* settle
    yield* end
    yield* GenServer.reply(from, "too late")
    return yield* failure(call)
  }),

  "a call of its own, queued elsewhere": (self, ending) => callOfItsOwn(self, ending, true),

  "a call of its own, begun elsewhere": (self, ending) => callOfItsOwn(self, ending, false),

  "a timer aimed at its pid": Effect.fnUntraced(function*(self, ending) {
    const { end, pid } = yield* process(ending, (own, incarnation) =>
      incarnation === 1
        ? Effect.void
        : Effect.flatMap(own.receive, () => Process.send(self.pid, "received")))
    const timer = yield* Process.sendAfter(pid, "tick", "1 second")
    yield* end
    const isCancelled = Option.isNone(yield* Process.readTimer(timer))
    yield* TestClock.adjust("1 second")
    return isCancelled && (yield* arrived(self)).length === 0 ? "cancelled" : "stays"
  }),

  "a timer aimed at its name": Effect.fnUntraced(function*(self, ending) {
    const { end } = yield* process(ending, (own, incarnation) =>
      Effect.andThen(
        Effect.orDie(Process.register("it", own.pid)),
        incarnation === 1
          ? Effect.void
          : Effect.flatMap(own.receive, () => Process.send(self.pid, "goes to the next incarnation"))
      ))
    yield* Process.sendAfter("it", "goes to the next holder", "1 second")
    yield* end
    if (ending !== "is restarted") yield* Process.register("it", self.pid)
    yield* TestClock.adjust("1 second")
    return one(yield* arrived(self))
  }),

  "a timer that it has set": Effect.fnUntraced(function*(self, ending) {
    const { end } = yield* process(
      ending,
      (_, incarnation) => incarnation === 1 ? Process.sendAfter(self.pid, "fires", "1 second") : Effect.void
    )
    yield* end
    yield* TestClock.adjust("1 second")
    return one(yield* arrived(self))
  }),

  "a monitor on it": Effect.fnUntraced(function*(self, ending) {
    const { end, pid } = yield* process(ending, () => Effect.void)
    yield* Process.monitor(pid)
    yield* end
    return one(yield* arrived(self))
  }),

  "a monitor of its own": Effect.fnUntraced(function*(self, ending) {
    const watched = yield* Process.spawn(() => Effect.never)
    const { end, pid } = yield* process(ending, (own, incarnation) =>
      incarnation === 1
        ? Process.monitor(watched)
        : Effect.flatMap(own.receive, () => Process.send(self.pid, "received")))
    yield* end
    assert.isTrue(Option.isNone(yield* Process.info(pid)))
    // Nothing is left at the other side either: who is watched by the dead would keep them.
    assert.isUndefined((watched as unknown as { readonly watchers: unknown }).watchers)
    yield* Process.exit(watched, ExitReason.shutdown())
    return (yield* arrived(self)).length === 0 ? "gone" : "received"
  }),

  "a link, the other does not trap exits": Effect.fnUntraced(function*(_, ending) {
    const other = yield* Process.spawn(() => Effect.never)
    yield* link(ending, other)
    if (yield* Process.isAlive(other)) return "the other lives on"
    return `the other ends: \`${(yield* Process.awaitExit(other))._tag}\``
  }),

  "a link, the other traps exits": Effect.fnUntraced(function*(self, ending) {
    yield* Process.trapExit(true)
    yield* link(ending, self.pid)
    return one(yield* arrived(self))
  }),

  "its name": Effect.fnUntraced(function*(self, ending) {
    const { end, pids } = yield* process(ending, (own) => Effect.orDie(Process.register("it", own.pid)))
    yield* Process.monitor(pids[0])
    const heard = yield* Process.spawn(Effect.fnUntraced(function*(own: Process.Self<Process.Down>) {
      yield* Process.monitor(pids[0])
      yield* own.receive
      const holder = yield* Process.whereis("it")
      yield* Process.send(self.pid, Option.contains(holder, pids[0]) ? "held by the dead" : "not held by the dead")
    }))
    yield* settle
    yield* end
    yield* Process.awaitExit(heard)
    const seen = yield* arrived(self)
    assert.include(seen, "not held by the dead")
    const holder = Option.getOrUndefined(yield* Process.whereis("it"))
    if (holder === undefined) {
      yield* Process.register("it", self.pid)
      return "free"
    }
    return holder === pids[1] ? "held by the next incarnation" : "held"
  }),

  "its alias": Effect.fnUntraced(function*(self, ending) {
    const aliases: Array<Process.Alias<string>> = []
    const { end } = yield* process(ending, (own, incarnation) =>
      incarnation === 1
        ? Effect.map(Process.alias(own), (alias) => aliases.push(alias))
        : Effect.flatMap(own.receive, () => Process.send(self.pid, "leads on")))
    yield* end
    yield* Process.send(aliases[0], "message")
    return (yield* arrived(self)).length === 0 ? "leads nowhere" : "leads on"
  }),

  "a child fiber": Effect.fnUntraced(function*(self, ending) {
    const { end, pid } = yield* process(ending, (_, incarnation) =>
      incarnation === 1
        ? Effect.asVoid(Effect.forkChild(
          Effect.onInterrupt(Effect.never, () => Effect.andThen(Effect.yieldNow, Process.send(self.pid, "ends")))
        ))
        : Process.send(self.pid, "started"))
    yield* Process.monitor(pid)
    yield* end
    return when("ends", yield* arrived(self))
  }),

  "a detached fiber": Effect.fnUntraced(function*(self, ending) {
    const gate = yield* Deferred.make<void>()
    const { end } = yield* process(ending, (_, incarnation) =>
      incarnation === 1
        ? Effect.forkDetach(Effect.andThen(Deferred.await(gate), Process.send(self.pid, "goes on")))
        : Effect.void)
    yield* end
    yield* Deferred.succeed(gate, undefined)
    return one(yield* arrived(self))
  }),

  "a resource in its scope": Effect.fnUntraced(function*(self, ending) {
    const { end, pid } = yield* process(ending, (_, incarnation) =>
      incarnation === 1
        ? Effect.addFinalizer(() => Effect.andThen(Effect.yieldNow, Process.send(self.pid, "released")))
        : Process.send(self.pid, "started"))
    yield* Process.monitor(pid)
    yield* end
    return when("released", yield* arrived(self))
  })
}

// ----------------------------------------------------------------------------
// the tests
// ----------------------------------------------------------------------------

for (const [kind, words] of Object.entries(table) as ReadonlyArray<[Kind, ReadonlyArray<string>]>) {
  describe(`EX-026 ${kind}`, () => {
    for (const [i, ending] of endings.entries()) {
      it.effect(`of a process that ${ending}: ${words[i]}`, () =>
        asProcess((self: Process.Self<Seen>) =>
          Effect.map(observations[kind](self, ending), (seen) => assert.strictEqual(seen, words[i]))
        ).pipe(Effect.provideService(MinimumLogLevel, "None")))
    }
  })
}

describe("the table of docs/semantics.md", () => {
  it("says in the same words what is tested here", () => {
    const page = readFileSync(new URL("../../../docs/semantics.md", import.meta.url), "utf8")
    const [, section] = page.split("### What becomes of what when a process ends\n")
    const lines = section.split("\n")
    const start = lines.findIndex((line) => line.startsWith("|"))
    const end = lines.findIndex((line, i) => i > start && !line.startsWith("|"))
    const [head, , ...rows] = lines.slice(start, end).map((line) => line.split("|").slice(1, -1).map((c) => c.trim()))
    assert.deepStrictEqual(head, ["when a process …", ...endings])
    assert.deepStrictEqual(rows, Object.entries(table).map(([kind, words]) => [kind, ...words]))
  })
})
