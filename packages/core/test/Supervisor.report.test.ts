import type * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import { MinimumLogLevel } from "effect/References"
import { printed } from "./utils/printed.ts"
import { inNode } from "./utils/process.ts"
import { type Line, logged, Refused, told } from "./utils/server.ts"

const bad = ExitReason.custom("bad")

/** Servers that note their pids and end with the reason that they are sent. */
const family = () => {
  const pids: Array<Process.Pid<ExitReason.ExitReason>> = []
  const server = told({
    init: () => Effect.map(Process.self, (pid) => pids.push(pid as Process.Pid<ExitReason.ExitReason>)),
    info: (state, reason) => Step.stop(reason, state)
  })
  return {
    pids,
    child: (id: string, restart: ChildSpec.Restart = "permanent") => server.child({ id, restart, provide: false }),
    /** Ends the youngest. */
    end: Effect.fnUntraced(function*(reason: ExitReason.ExitReason) {
      yield* Process.send(pids.at(-1)!, reason)
      yield* settle
    })
  }
}

const isOfSupervisor = ({ report }: Line): boolean => "supervisor" in report

const titles = (lines: ReadonlyArray<Line>) =>
  lines.filter(isOfSupervisor).map(({ level, message }) => `${level} ${message.join(" ")}`)

describe("a supervisor reports", () => {
  it.effect("LG-013 the start of a child at debug, and no more where debug is off", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const { child, pids } = family()
        const tree = Supervisor.make({ children: [child("a")], label: "the tree" })
        yield* tree.start
        assert.deepStrictEqual(lines, [])
        const { pid } = yield* Effect.provideService(tree.start, MinimumLogLevel, "Debug")
        assert.deepStrictEqual(titles(lines), [`Debug started child a as ${pids[1]}`])
        assert.deepStrictEqual(Object.entries(lines[0].report), [
          ["supervisor", `the tree ${pid}`],
          ["child", "a"],
          ["childPid", `${pids[1]}`],
          ["restart", "permanent"],
          ["shutdown", "5s"],
          ["type", "worker"]
        ])
      })
    ).pipe(inNode))

  it.effect.each(
    [
      ["permanent", ExitReason.normal, "Warn child a ended (Normal), restarting it"],
      ["permanent", ExitReason.shutdown(), "Warn child a ended (Shutdown), restarting it"],
      ["permanent", bad, "Warn child a ended (\"bad\"), restarting it"],
      ["transient", ExitReason.normal, undefined],
      ["transient", ExitReason.shutdown("term"), undefined],
      ["transient", bad, "Warn child a ended (\"bad\"), restarting it"],
      ["temporary", ExitReason.normal, undefined],
      ["temporary", ExitReason.shutdown(), undefined],
      ["temporary", bad, "Error child a ended (\"bad\")"]
    ] as const
  )(
    "LG-009 LG-010 the end of a %s child with %o: %s",
    ([restart, reason, line]) =>
      logged((lines) =>
        Effect.gen(function*() {
          const { child, end } = family()
          yield* Supervisor.make({ children: [child("a", restart)] }).start
          yield* end(reason)
          assert.deepStrictEqual(titles(lines), line === undefined ? [] : [line])
        })
      ).pipe(inNode)
  )

  it.effect("LG-009 a restart with the reason, the child and how many there may be, after the crash report of the child", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const { child, end, pids } = family()
        const { pid } = yield* Supervisor.make({
          children: [child("a")],
          intensity: { maxRestarts: 3, within: "1 minute" }
        }).start
        yield* end(bad)
        yield* end(bad)
        assert.deepStrictEqual(lines.map(isOfSupervisor), [false, true, false, true])
        assert.deepStrictEqual(lines[3].report, {
          supervisor: `${pid}`,
          child: "a",
          childPid: `${pids[1]}`,
          reason: `"bad"`,
          restarts: 2,
          maxRestarts: 3,
          within: "1m",
          restart: "permanent",
          shutdown: "5s",
          type: "worker"
        })
        assert.deepStrictEqual(lines[3].cause, Cause.empty)
      })
    ).pipe(inNode))

  it.effect("a child that a signal ended, which makes no report of its own", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const { child, pids } = family()
        yield* Supervisor.make({ children: [child("a")] }).start
        yield* Process.exit(pids[0], ExitReason.kill)
        yield* settle
        assert.deepStrictEqual(lines.map(({ message }) => message), [["child a ended (Killed), restarting it"]])
      })
    ).pipe(inNode))

  it.effect("LG-011 that it gives up as one error, with the counts", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const { child, end, pids } = family()
        const { pid } = yield* Supervisor.make({
          children: [child("a")],
          intensity: { maxRestarts: 1, within: "5 seconds" }
        }).start
        yield* end(bad)
        yield* end(bad)
        const errors = lines.filter((line) => line.level === "Error" && isOfSupervisor(line))
        assert.deepStrictEqual(titles(errors), [
          "Error giving up: child a ended (\"bad\"), and the limit is 1 restarts within 5000 ms"
        ])
        assert.deepInclude(errors[0].report, {
          supervisor: `${pid}`,
          child: "a",
          childPid: `${pids[1]}`,
          reason: `"bad"`,
          restarts: 1,
          maxRestarts: 1,
          within: "5s"
        })
      })
    ).pipe(inNode))

  it.effect("LG-012 a child that does not start with the offender, and what failed where it failed", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const refusing = told({ init: () => Effect.fail(new Refused()) })
        const inner = Supervisor.make({
          children: [refusing.child({ id: "leaf", restart: "transient", shutdown: "brutalKill", provide: false })]
        })
        yield* Effect.exit(Supervisor.make({ children: [inner.child({ id: "inner" })] }).start)
        assert.deepStrictEqual(lines.map(({ level }) => level), ["Error", "Error"])
        const [leaf, branch] = lines
        assert.match(leaf.message[0], /^child leaf did not start: .*Refused/)
        assert.deepInclude(leaf.report, {
          child: "leaf",
          childPath: ["leaf"],
          reason: "InitFailed",
          restart: "transient",
          shutdown: "brutalKill",
          type: "worker"
        })
        assert.deepStrictEqual(leaf.cause, Cause.fail(new Refused()))
        assert.match(branch.message[0], /^child inner did not start: .*Refused/)
        assert.deepInclude(branch.report, {
          child: "inner",
          childPath: ["inner", "leaf"],
          restart: "permanent",
          shutdown: "Infinity",
          type: "supervisor"
        })
        assert.deepStrictEqual(branch.cause, Cause.empty)
      })
    ).pipe(inNode))

  it.effect("LG-012 a restart that fails", () =>
    logged((lines) =>
      Effect.gen(function*() {
        let starts = 0
        const once = told({
          init: () => starts++ === 0 ? 0 : Effect.fail(new Refused()),
          info: (state, reason) => Step.stop(reason, state)
        })
        const { pid } = yield* Supervisor.make({
          children: [once.child({ id: "a", name: "once", provide: false })],
          intensity: { maxRestarts: 1, within: "5 seconds" }
        }).start
        yield* Process.send("once", ExitReason.shutdown())
        yield* Process.awaitExit(pid)
        assert.deepStrictEqual(titles(lines).map((line) => line.replace(/: [^:]*Refused.*/, ": …")), [
          "Warn child a ended (Shutdown), restarting it",
          "Error child a did not start again: …",
          "Error giving up: child a ended (Shutdown), and the limit is 1 restarts within 5000 ms"
        ])
      })
    ).pipe(inNode))

  it.effect("LG-020 a message that it does not understand as an error, and shows it", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const { pid } = yield* Supervisor.make({ children: [] }).start
        yield* Process.send(pid as Process.Pid<unknown>, { hello: Redacted.make("secret") })
        yield* settle
        assert.deepStrictEqual(lines.map(({ level, message, report }) => [level, ...message, report]), [[
          "Error",
          "a supervisor got a message that it does not understand",
          { supervisor: `${pid}`, message: { hello: "<redacted>" } }
        ]])
      })
    ).pipe(inNode))

  it.effect("a reason that is long, has lines or holds a secret, in one short line", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const { child, end } = family()
        yield* Supervisor.make({ children: [child("a")] }).start
        yield* end(ExitReason.custom({ key: Redacted.make("secret"), long: "x\n".repeat(1000) }))
        const [line] = titles(lines)
        assert.match(line, /^Warn child a ended \(\{"key":"<redacted>","long":"x.*restarting it$/)
        assert.isBelow(line.length, 400)
      })
    ).pipe(inNode))

  it.effect("a restart as a text of a line for each fact", () =>
    Effect.gen(function*() {
      const { child, pids } = family()
      const text = yield* printed(
        Logger.withConsoleLog(Logger.formatLogFmt),
        Effect.gen(function*() {
          yield* Supervisor.make({ children: [child("a")], label: "shop" }).start
          yield* Process.exit(pids[0], bad)
          yield* settle
        })
      )
      assert.strictEqual(
        text.slice(text.indexOf("message=")),
        "message=\"child a ended (\\\"bad\\\"), restarting it\" supervisor=\"shop #PID<0.1.0>\" child=a " +
          "childPid=#PID<0.2.0> reason=\"\\\"bad\\\"\" restarts=1 maxRestarts=3 within=5s restart=permanent " +
          "shutdown=5s type=worker\n"
      )
    }).pipe(inNode))

  it.effect("nothing of a tree that is stopped in order", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const { child } = family()
        const ref = yield* Supervisor.make({ children: [child("a"), child("b", "transient")] }).start
        yield* Supervisor.stop(ref)
        yield* GenServer.stop(yield* told().start())
        assert.deepStrictEqual(lines, [])
      })
    ).pipe(inNode))
})
