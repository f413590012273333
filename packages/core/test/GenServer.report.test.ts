import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as ProcessLocal from "@effect-otp/core/ProcessLocal"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import { MinimumLogLevel } from "effect/References"
import * as Schema from "effect/Schema"
import { asProcess, inNode } from "./utils/process.ts"
import { ask, logged, type Ref, Refused, tell, told } from "./utils/server.ts"

const bad = ExitReason.custom("bad")

describe("a crash report", () => {
  it.effect("LG-001 LG-014 LG-017 says who crashed, why, in which message of whom, with which state", () =>
    logged((lines) =>
      asProcess((self: Process.Self<never>) =>
        Effect.gen(function*() {
          const server = yield* told({ init: () => ({ count: 1 }) }).start({ name: "server", label: "the server" })
          const boom = new Error("boom")
          const order = () => Effect.die(boom)
          yield* Effect.exit(ask(server, order))
          assert.strictEqual(lines.length, 1)
          const [{ cause, level, message, report }] = lines
          assert.deepStrictEqual([level, ...message], [
            "Error",
            `test/Told server ${server.pid} crashed in call ask: Error: boom`
          ])
          assert.deepStrictEqual(Object.entries(report), [
            ["pid", `${server.pid}`],
            ["name", "server"],
            ["label", "the server"],
            ["reason", "Crashed: Error: boom"],
            ["lastMessage", { call: "ask", payload: "[Function: order]" }],
            ["client", `${self.pid}`],
            ["state", { count: 1 }],
            ["initialCall", "test/Told"],
            ["ancestors", [`${self.pid}`]],
            ["mailboxLength", 0],
            ["messages", []],
            ["links", []],
            ["monitors", []],
            ["trapExit", false],
            ["dictionary", []]
          ])
          assert.deepStrictEqual(cause, Cause.die(boom))
        })
      )
    ))

  it.effect("LG-017 shows the mailbox by its first tags, links, monitors, keys of the dictionary and whether it traps exits", () =>
    logged((lines) =>
      asProcess((self: Process.Self<Process.Exit>) =>
        Effect.gen(function*() {
          const other = yield* Process.spawn(() => Effect.never, { label: "other" })
          const gate = yield* Deferred.make<void>()
          const server = yield* told({
            trapExit: true,
            info: (state) => Step.noReply(state),
            init: () =>
              Effect.gen(function*() {
                yield* Process.link(other)
                yield* Process.monitor(other) as Effect.Effect<unknown>
                yield* ProcessLocal.put(ProcessLocal.make<number>("request"), 12)
              })
          }).startLink()
          yield* tell(server, () => Effect.andThen(Deferred.await(gate), Effect.die("boom")))
          yield* settle
          yield* Effect.forkChild(Effect.exit(ask(server, () => 0)))
          yield* settle
          yield* tell(server, () => 0)
          const messages = ["tick", { _tag: "Tick" }, { no: "tag" }, 4, 5, 6]
          for (const message of messages) yield* Process.send(server.pid as Process.Pid<unknown>, message)
          yield* settle
          yield* Process.trapExit(true)
          yield* Deferred.succeed(gate, undefined)
          yield* Process.awaitExit(server.pid)
          assert.deepInclude(lines[0].report, {
            mailboxLength: 8,
            messages: ["call ask", "cast tell", "tick", "Tick", "object", "… 3 more"],
            links: [`${self.pid}`, `other ${other}`],
            monitors: [`other ${other}`],
            trapExit: true,
            dictionary: ["request"]
          })
        })
      )
    ))

  it.effect("names the callback that crashed, and none where the server was asked to stop", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const die = () => Effect.die("boom")
        const server = told({ info: die, continue: die })
        const noReply = (state: unknown) => Step.noReply(state)
        const causes = [
          ["crashed in call ask: \"boom\"", server, (ref: Ref) => Effect.exit(ask(ref, die))],
          ["crashed in cast tell: \"boom\"", server, (ref: Ref) => tell(ref, die)],
          ["crashed in info: \"boom\"", server, (ref: Ref) => Process.send(ref.pid, "hello")],
          [
            "crashed in continue: \"boom\"",
            server,
            (ref: Ref) => tell(ref, (state) => Step.noReply(state, { continue: 1 }))
          ],
          [
            "crashed in terminate: \"boom\"",
            told({ terminate: die }),
            (ref: Ref) => Effect.andThen(tell(ref, noReply), Effect.exit(GenServer.stop(ref.pid)))
          ],
          ["ended in call ask: \"bad\"", server, (ref: Ref) => Effect.exit(ask(ref, (state) => Step.stop(bad, state)))],
          [
            "ended: \"bad\"",
            server,
            (ref: Ref) => Effect.andThen(tell(ref, noReply), GenServer.stop(ref.pid, { reason: bad }))
          ]
        ] as const
        for (const [i, [title, server, cause]] of causes.entries()) {
          const ref = yield* server.start()
          yield* cause(ref)
          yield* Process.awaitExit(ref.pid)
          assert.strictEqual(lines[i].message[0], `test/Told ${ref.pid} ${title}`)
        }
        assert.strictEqual(lines[4].report.lastMessage.cast, "tell")
        yield* Effect.exit(told({ init: die }).start())
        assert.match(lines.at(-1)!.message[0], /^test\/Told #PID<.*> crashed in init: "boom"$/)
        assert.isFalse("state" in lines.at(-1)!.report)
      })
    ).pipe(inNode))

  it.effect("is made of a defect in a finalizer of its scope or of a callback, which changes no reason", () =>
    logged((lines) =>
      asProcess((self: Process.Self<Process.Down>) =>
        Effect.gen(function*() {
          const dying = Effect.addFinalizer(() => Effect.die("finalizer"))
          const hangs = () => Effect.ensuring(Effect.never, Effect.die("finalizer"))
          const inScope = () => Effect.as(dying, 0)
          const end = (reason: ExitReason.ExitReason) => (server: Ref) => Process.exit(server.pid, reason)
          const hang = Effect.fnUntraced(function*(server: Ref) {
            yield* tell(server, hangs)
            yield* settle
          })
          const endings = [
            [inScope, (server: Ref) => GenServer.stop(server), ExitReason.normal],
            [inScope, end(bad), bad],
            [inScope, end(ExitReason.kill), ExitReason.killed],
            [() => 0, (server: Ref) => Effect.andThen(hang(server), end(bad)(server)), bad],
            [
              () => 0,
              (server: Ref) => Effect.andThen(hang(server), end(ExitReason.kill)(server)),
              ExitReason.killed
            ]
          ] as const
          for (const [i, [init, stop, reason]] of endings.entries()) {
            const server = yield* told({ init }).start({ name: `server ${i}` })
            yield* Process.monitor(server.pid)
            yield* stop(server)
            assert.deepStrictEqual((yield* self.receive).reason, reason)
            yield* settle
            // Whoever is told of a kill finds the name free, while finalizers run on.
            const name = reason._tag === "Killed" ? "" : `server ${i} `
            assert.deepStrictEqual(lines.slice(i).map(({ level, message: [title] }) => [level, title]), [
              ["Error", `process ${name}${server.pid} crashed while it ended (${ExitReason.format(reason)})`]
            ])
            assert.include(Cause.pretty(lines[i].cause), "finalizer")
          }
        })
      )
    ))

  it.effect("is not made, nor is the state formatted for it, where its level is off", () =>
    logged((lines) =>
      Effect.gen(function*() {
        let formatted = 0
        const server = yield* told({ formatStatus: () => formatted++ }).start()
        yield* tell(server, () => Effect.die("boom"))
        yield* Process.awaitExit(server.pid)
        assert.deepStrictEqual([lines.length, formatted], [0, 0])
      }).pipe(Effect.provideService(MinimumLogLevel, "Fatal"), inNode)
    ))

  it.effect("LG-007 is made of every abnormal end of its own, and shows cast, message and term", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const server = told({ info: () => Step.stop(bad, 1), continue: () => Effect.die("boom") })
        const order = (state: unknown) => Step.stop(bad, state)
        const causes = [
          (ref: Ref) => tell(ref, order),
          (ref: Ref) => Process.send(ref.pid, "hello"),
          (ref: Ref) => tell(ref, (state) => Step.noReply(state, { continue: "term" })),
          (ref: Ref) => tell(ref, () => Process.exit(bad))
        ]
        for (const cause of causes) {
          const ref = yield* server.start()
          yield* cause(ref)
          yield* Process.awaitExit(ref.pid)
        }
        assert.deepStrictEqual(lines.map(({ report }) => report.reason), [
          "\"bad\"",
          "\"bad\"",
          "Crashed: \"boom\"",
          "\"bad\""
        ])
        assert.deepStrictEqual(lines.slice(0, 3).map(({ report }) => report.lastMessage), [
          { cast: "tell", payload: "[Function: order]" },
          "hello",
          { continue: "term" }
        ])
      })
    ).pipe(inNode))

  it.effect("LG-007 is made of an init that crashes or stops abnormally", () =>
    logged((lines) =>
      Effect.gen(function*() {
        for (const init of [() => Effect.die("boom"), () => GenServer.initStop(bad), () => Process.exit(bad)]) {
          yield* Effect.exit(told({ init }).start())
        }
        assert.deepStrictEqual(lines.map(({ report }) => report.reason), ["Crashed: \"boom\"", `"bad"`, `"bad"`])
      })
    ).pipe(inNode))

  it.effect("LG-002 LG-005 is not made of an end with Normal or Shutdown, nor of an init that refuses or ignores", () =>
    logged((lines) =>
      Effect.gen(function*() {
        for (const reason of [ExitReason.normal, ExitReason.shutdown(), ExitReason.shutdown("term")]) {
          const server = yield* told().start()
          yield* tell(server, (state) => Step.stop(reason, state))
          yield* Process.awaitExit(server.pid)
          const exiting = yield* told().start()
          yield* tell(exiting, () => Process.exit(reason))
          yield* Process.awaitExit(exiting.pid)
        }
        const inits = [
          () => GenServer.initStop(ExitReason.normal),
          () => GenServer.ignore,
          () => Effect.fail(new Refused())
        ]
        for (const init of inits) yield* Effect.exit(told({ init }).start())
        assert.deepStrictEqual(lines, [])
      })
    ).pipe(inNode))

  it.effect("LG-003 is not made of a server that a signal ends", () =>
    logged((lines) =>
      Effect.gen(function*() {
        for (const reason of [bad, ExitReason.kill]) {
          const server = yield* told().start()
          const call = yield* Effect.forkChild(ask(server, () => Effect.never))
          yield* settle
          yield* Process.exit(server.pid, reason)
          yield* Effect.exit(Fiber.join(call))
          yield* Process.awaitExit(server.pid)
        }
        assert.deepStrictEqual(lines, [])
      })
    ).pipe(inNode))

  it.effect("is not made of a typed failure that is an answer", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const server = yield* told().start()
        yield* Effect.flip(ask(server, () => Effect.fail(new Refused())))
        assert.deepStrictEqual(lines, [])
      })
    ).pipe(inNode))

  it.effect("LG-008 comes after terminate", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const logger = Logger.make(() => {
        seen.push("report")
      })
      yield* Effect.gen(function*() {
        const server = yield* told({ terminate: () => Effect.sync(() => seen.push("terminate")) }).start()
        yield* tell(server, () => Effect.die("boom"))
        yield* Process.awaitExit(server.pid)
      }).pipe(Effect.provide(Logger.layer([logger])))
      assert.deepStrictEqual(seen, ["terminate", "report"])
    }).pipe(inNode))

  it.effect("LG-016 GS-079 shows what formatStatus makes of the state, and outlives one that crashes", () =>
    logged((lines) =>
      Effect.gen(function*() {
        for (
          const formatStatus of [() => "formatted", () => {
            throw new Error("no")
          }]
        ) {
          const server = yield* told({ init: () => "secret", formatStatus }).start()
          yield* tell(server, (state) => Step.stop(bad, state))
          yield* Process.awaitExit(server.pid)
        }
        assert.deepStrictEqual(lines.map(({ report }) => report.state), [
          "formatted",
          "formatStatus crashed"
        ])
      })
    ).pipe(inNode))

  class Vault extends GenServer.Service<Vault>()("test/Vault", [
    GenServer.call("open", { payload: { password: Schema.Redacted(Schema.String) }, success: Schema.Void })
  ]) {
    static readonly server = this.implement({
      init: (key: string) => ({ key: Redacted.make(key) }),
      handlers: { open: () => Effect.die("boom") }
    })
  }

  it.effect("keeps what is Redacted redacted, in the last message and in the state, as text and as JSON", () =>
    Effect.gen(function*() {
      const printed: Array<string> = []
      const keep = (format: Logger.Logger<unknown, string>) => Logger.map(format, (line) => printed.push(line))
      yield* Effect.gen(function*() {
        const vault = yield* Vault.server.start("key 1234")
        yield* Effect.exit(vault.open({ password: Redacted.make("password 5678") }))
      }).pipe(
        Effect.provide(Logger.layer([keep(Logger.formatLogFmt), keep(Logger.formatJson), keep(Logger.formatSimple)]))
      )
      assert.strictEqual(printed.length, 3)
      for (const line of printed) {
        assert.include(line, "test/Vault #PID<0.1.0> crashed")
        assert.include(line, "<redacted>")
        assert.notInclude(line, "1234")
        assert.notInclude(line, "5678")
      }
      const { annotations: report } = JSON.parse(printed[1])
      assert.deepStrictEqual(report.lastMessage, { call: "open", payload: { password: "<redacted>" } })
      assert.deepStrictEqual(report.state, { key: "<redacted>" })
    }).pipe(inNode))
})
