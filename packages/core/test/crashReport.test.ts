import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redactable from "effect/Redactable"
import * as Redacted from "effect/Redacted"
import { MinimumLogLevel } from "effect/References"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as util from "node:util"
import * as scale from "../../../test-scale.ts"
import { present } from "../src/internal/present.ts"
import { presentCause, presentReason } from "../src/internal/presentCause.ts"
import { loggers, normalised, printed } from "./utils/printed.ts"
import { asProcess, inNode } from "./utils/process.ts"
import { logged, tell, told } from "./utils/server.ts"

const secret = "hunter2"

class Login extends Schema.Class<Login>("Login")({ user: Schema.String, password: Schema.Redacted(Schema.String) }) {}

class LoginFailed extends Schema.TaggedError<LoginFailed>()("LoginFailed", {
  password: Schema.Redacted(Schema.String)
}) {}

class Opaque {
  readonly content = secret
  get [Redactable.symbolRedactable](): () => unknown {
    return () => `<${this.content.length} letters>`
  }
}

class OpaqueError extends Error {
  constructor() {
    super(secret)
  }
  [Redactable.symbolRedactable](): unknown {
    return "an error"
  }
}

/** A secret, in one of the forms that it takes. */
const secrets = {
  redacted: () => Redacted.make(secret),
  labelled: () => Redacted.make({ key: secret }, { label: "key" }),
  schemaClass: () => new Login({ user: "joe", password: Redacted.make(secret) }),
  schemaError: () => new LoginFailed({ password: Redacted.make(secret) }),
  redactable: () => new Opaque(),
  redactableError: () => new OpaqueError(),
  effect: () => Effect.sync(() => secret),
  function: () => () => secret
}

class Box {
  readonly content: unknown
  constructor(content: unknown) {
    this.content = content
  }
}

const circular = (content: unknown): unknown => {
  const value: Record<string, unknown> = { content }
  value["itself"] = value
  return value
}

const hostile = (content: unknown): unknown =>
  Object.defineProperties({ content }, {
    getter: {
      enumerable: true,
      get: () => {
        throw new Error("a getter")
      }
    },
    toJSON: {
      value: () => {
        throw new Error("toJSON")
      }
    },
    toString: {
      value: () => {
        throw new Error("toString")
      }
    }
  })

const throwing = new Proxy({}, {
  get: () => {
    throw new Error("a proxy")
  },
  ownKeys: () => {
    throw new Error("a proxy")
  }
})

/** What may break who looks at it. */
const oddities = {
  bigint: () => 10n ** 40n,
  symbol: () => Symbol("odd"),
  nan: () => Number.NaN,
  undefined: () => undefined,
  null: () => null,
  text: () => "x".repeat(1e6),
  lines: () => "\n".repeat(1000),
  date: () => new Date(Number.NaN),
  regExp: () => /regular/g,
  bytes: () => new Uint8Array(1e6),
  weakMap: () => new WeakMap(),
  array: () => Array(1e6).fill("thing"),
  record: () => Object.fromEntries(Array.from({ length: 1e4 }, (_, i) => [`key ${i}`, { i }])),
  map: () => new Map(Array.from({ length: 1e4 }, (_, i) => [i, { i }])),
  proxy: () => throwing
}

/** What can stand around a value. */
const wrappers: Record<string, (content: unknown) => unknown> = {
  array: (content) => [1, content],
  record: (content) => ({ content, more: "text" }),
  mapValue: (content) => new Map([["key", content]]),
  mapKey: (content) => new Map([[content, "value"]]),
  set: (content) => new Set([content]),
  hashMap: (content) => HashMap.make(["key", content]),
  chunk: (content) => Chunk.make(1, content),
  option: (content) => Option.some(content),
  cause: (content) => Cause.fail(content),
  exitReason: (content) => ExitReason.custom(content),
  instance: (content) => new Box(content),
  errorCause: (content) => new Error("wrapped", { cause: content }),
  errorField: (content) => Object.assign(new Error("with a field"), { content }),
  withoutPrototype: (content) => Object.assign(Object.create(null), { content }),
  withToJSON: (content) => ({ toJSON: () => content }),
  circular,
  hostile
}

const keysOf = <K extends string>(record: Record<K, unknown>) => Schema.Literals(Object.keys(record) as Array<K>)
const shell = Schema.Array(keysOf(wrappers)).check(Schema.isMaxLength(6))
const leaves = { ...secrets, ...oddities }
const tree = Schema.Struct({
  branches: Schema.Array(Schema.Struct({ leaf: keysOf(leaves), shell })).check(Schema.isMaxLength(3)),
  shell
})

const wrap = (shell: ReadonlyArray<string>, content: unknown) =>
  shell.reduce((content, name) => wrappers[name](content), content)

/** A value as it was drawn. */
const grow = ({ branches, shell }: typeof tree.Type): unknown => {
  const grown = branches.map(({ leaf, shell }) => wrap(shell, leaves[leaf]()))
  return wrap(shell, grown.length === 1 ? grown[0] : grown)
}

const maxLength = 64_000

const assertSafe = (text: string) => {
  assert.notInclude(text, secret)
  assert.isBelow(text.length, maxLength)
}

describe("what is logged of a value", () => {
  it.prop("is plain data of a bounded size, and tells no secret", { tree }, ({ tree }) => {
    const view = present(grow(tree))
    assertSafe(JSON.stringify(view) ?? "")
    assertSafe(util.inspect(view))
    assert.deepStrictEqual(present(grow(tree)), view)
  }, { arbitrary: { runs: scale.cases } })

  it.prop("is bounded and tells no secret in a cause and in a reason", { tree }, ({ tree }) => {
    const value = grow(tree)
    for (const cause of [Cause.fail(value), Cause.die(value), Cause.die(new Error("outer", { cause: value }))]) {
      assertSafe(Cause.pretty(presentCause(cause)))
      assertSafe(presentReason(ExitReason.crashed(cause)))
    }
    for (const reason of [ExitReason.custom(value), ExitReason.shutdown(value)]) {
      assertSafe(presentReason(reason))
      assert.notInclude(presentReason(reason), "\n")
    }
  }, { arbitrary: { runs: scale.cases } })

  it("tells no secret of any form, in anything that can be around it", () => {
    for (const make of Object.values(secrets)) {
      for (const wrap of [(content: unknown) => content, ...Object.values(wrappers)]) {
        const value = wrap(make())
        assertSafe(JSON.stringify(present(value)) ?? "")
        for (const cause of [Cause.fail(value), Cause.die(value), Cause.die(new Error("outer", { cause: value }))]) {
          assertSafe(Cause.pretty(presentCause(cause)))
          assertSafe(presentReason(ExitReason.crashed(cause)))
        }
      }
    }
  })

  it("is the same error that was thrown, unless it cannot be printed", () => {
    const plain = Cause.die(new Error("boom", { cause: new TypeError("inner") }))
    assert.strictEqual(presentCause(plain).reasons[0], plain.reasons[0])
    const long = new RangeError("x".repeat(5000))
    const [reason] = presentCause(Cause.die(long)).reasons
    const copy = (reason as Cause.Die).defect as Error
    assert.strictEqual(copy.name, "RangeError")
    assert.match(copy.message, /^x{1000}… \(5000 characters\)$/)
    assert.include(copy.stack, "crashReport.test.ts")
    let deep: Error = new Error("the root")
    for (let i = 0; i < 20_000; i++) deep = new Error(`${i}`, { cause: deep })
    assertSafe(Cause.pretty(presentCause(Cause.die(deep))))
    const looped = new Error("looped")
    looped.cause = looped
    assert.include(Cause.pretty(presentCause(Cause.fail(looped))), "looped")
  })

  it("says what it leaves out", () => {
    assert.deepStrictEqual(present([1, new Map([["a", { b: 1n }]]), new Set(["x"]), new Uint8Array(3)]), [
      1,
      [["a", { b: "1n" }]],
      ["x"],
      "[Uint8Array: 3 bytes]"
    ])
    assert.strictEqual((present(Array(60).fill(0)) as Array<unknown>).at(-1), "… 10 more")
    const keys = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`key ${i}`, i]))
    assert.strictEqual((present(keys) as Record<string, unknown>)["…"], "10 more")
    assert.strictEqual(present("x".repeat(2000)), `${"x".repeat(1000)}… (2000 characters)`)
    let deep: unknown = "bottom"
    for (let i = 0; i < 10; i++) deep = { deep }
    assert.strictEqual(JSON.stringify(present(deep)).match(/deep/g)?.length, 7)
    assert.deepStrictEqual(present(circular(1)), { content: 1, itself: "[Circular]" })
    assert.deepStrictEqual(
      present({ effect: Effect.sync(() => secret), none: Option.none(), fn: circular, box: new Box(1) }),
      {
        effect: "[Effect]",
        none: { _id: "Option", _tag: "None" },
        fn: "[Function: circular]",
        box: { content: 1 }
      }
    )
    assert.deepStrictEqual(present(new LoginFailed({ password: Redacted.make(secret) })), {
      _tag: "LoginFailed",
      password: "<redacted>"
    })
    assert.deepStrictEqual(present(JSON.parse(`{"__proto__":{"a":1}}`)), JSON.parse(`{"__proto__":{"a":1}}`))
  })
})

describe("a crash", () => {
  const crash = (state: unknown, message: unknown, defect: unknown) =>
    Effect.gen(function*() {
      // A state that is an Effect would be run by init.
      const server = yield* told({ init: () => GenServer.init(state), info: () => Effect.die(defect) }).start()
      yield* Process.send(server.pid as Process.Pid<unknown>, message)
      yield* Process.awaitExit(server.pid)
    })

  it.effect.prop(
    "is told by every logger, whatever the state, the message and the error are",
    { state: tree, message: tree, defect: tree },
    ({ defect, message, state }) =>
      Effect.gen(function*() {
        for (const logger of Object.values(loggers)) {
          const text = yield* printed(logger, crash(grow(state), grow(message), grow(defect)))
          assert.include(text, "crashed in info")
          assert.notInclude(text, secret)
          assert.isBelow(text.length, 4 * maxLength)
        }
      }).pipe(inNode),
    { arbitrary: { runs: scale.cases / 10 } }
  )

  class Account extends GenServer.Service<Account>()("bank/Account", [
    GenServer.call("withdraw", {
      payload: { amount: Schema.Finite, pin: Schema.Redacted(Schema.String) },
      success: Schema.Finite
    })
  ]) {
    static readonly server = this.implement({
      init: (balance: number) => ({ balance, owner: { name: "joe", cards: [{ number: Redacted.make(secret) }] } }),
      handlers: {
        withdraw: (state, { amount }) =>
          amount > state.balance
            ? Effect.die(
              Object.assign(new RangeError("overdrawn"), { stack: "RangeError: overdrawn\n    at withdraw" })
            )
            : Step.reply(state.balance, state)
      }
    })
  }

  const overdraw = Effect.gen(function*() {
    const account = yield* Account.server.start(10, { name: "joe" })
    const customer = yield* Process.spawn(() =>
      Effect.exit(account.withdraw({ amount: 20, pin: Redacted.make(secret) }))
    )
    yield* Process.awaitExit(customer)
  })

  const read = Effect.fnUntraced(function*(logger: keyof typeof loggers) {
    return normalised(yield* printed(loggers[logger], inNode(overdraw)))
  })

  const title = "bank/Account joe #PID<0.1.0> crashed in call withdraw: RangeError: overdrawn"

  const fields = {
    pid: "#PID<0.1.0>",
    name: "joe",
    reason: "Crashed: RangeError: overdrawn",
    lastMessage: { call: "withdraw", payload: { amount: 20, pin: "<redacted>" } },
    client: "#PID<0.2.0>",
    state: { balance: 10, owner: { name: "joe", cards: [{ number: "<redacted>" }] } },
    initialCall: "bank/Account",
    ancestors: [],
    mailboxLength: 0,
    messages: [],
    links: [],
    monitors: [],
    trapExit: false,
    dictionary: []
  }

  it.effect("as text says what happened, then why, and then all that is known", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* read("pretty")).split("\n"), [
        `[<time>] ERROR (#<fiber>): ${title}`,
        "  RangeError: overdrawn",
        "      at withdraw",
        "  pid: #PID<0.1.0>",
        "  name: joe",
        "  reason: Crashed: RangeError: overdrawn",
        "  lastMessage: { call: 'withdraw', payload: { amount: 20, pin: '<redacted>' } }",
        "  client: #PID<0.2.0>",
        "  state: {",
        "    balance: 10,",
        "    owner: { name: 'joe', cards: [ { number: '<redacted>' } ] }",
        "  }",
        "  initialCall: bank/Account",
        "  ancestors: []",
        "  mailboxLength: 0",
        "  messages: []",
        "  links: []",
        "  monitors: []",
        "  trapExit: false",
        "  dictionary: []",
        ""
      ])
    }))

  it.effect("as logfmt is one line of keys and values", () =>
    Effect.gen(function*() {
      const quoted = (value: unknown) => JSON.stringify(typeof value === "string" ? value : JSON.stringify(value))
      assert.strictEqual(
        yield* read("logFmt"),
        [
          `timestamp=<time> level=ERROR fiber=#<fiber> message=${quoted(title)}`,
          `cause="RangeError: overdrawn\\n    at withdraw"`,
          `pid=#PID<0.1.0> name=joe reason=${quoted(fields.reason)} lastMessage=${quoted(fields.lastMessage)}`,
          `client=#PID<0.2.0> state=${quoted(fields.state)} initialCall=bank/Account ancestors=[] mailboxLength=0`,
          `messages=[] links=[] monitors=[] trapExit=false dictionary=[]\n`
        ].join(" ")
      )
    }))

  it.effect("as JSON has a text as its message, the cause, and every field among the annotations", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(JSON.parse(yield* read("json")), {
        message: title,
        level: "ERROR",
        timestamp: "<time>",
        cause: "RangeError: overdrawn\n    at withdraw",
        annotations: fields,
        spans: {},
        fiberId: "#<fiber>"
      })
    }))

  it.effect("as a structure shows the state as deep as it goes", () =>
    Effect.gen(function*() {
      const text = yield* read("structured")
      assert.include(text, `message: '${title}'`)
      assert.include(text, "owner: { name: 'joe', cards: [ { number: '<redacted>' } ] }")
    }))

  it.effect("LG-019 is told of by Down whenever the logger gets to print it", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const slow = yield* Logger.batched(Logger.formatSimple, {
        window: "1 minute",
        flush: (batch) => Effect.sync(() => lines.push(...batch))
      })
      yield* asProcess((self: Process.Self<Process.Down>) =>
        Effect.gen(function*() {
          const server = yield* told().start()
          yield* Process.monitor(server.pid)
          yield* tell(server, () => Effect.die("boom"))
          assert.strictEqual((yield* self.receive).reason._tag, "Crashed")
          assert.deepStrictEqual(lines, [])
          yield* TestClock.adjust("1 minute")
          assert.strictEqual(lines.length, 1)
        })
      ).pipe(Effect.provide(Logger.layer([slow])))
    }))

  it.effect("hurts neither a process nor its supervisor when the logger throws", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        let asked = 0
        const broken = Logger.make(() => {
          asked++
          throw new Error("the logger is broken")
        })
        yield* Effect.gen(function*() {
          const starts: Array<Process.Pid<unknown>> = []
          const server = told({
            init: () => Effect.map(Process.self, (pid) => starts.push(pid as Process.Pid<unknown>)),
            info: () => Effect.die("boom")
          })
          const tree = yield* Supervisor.make({ children: [server.child({ provide: false })] }).start
          for (let i = 0; i < 4; i++) {
            yield* Process.monitor(starts[i])
            yield* Process.send(starts[i], "crash")
            assert.strictEqual((yield* self.receive).reason._tag, "Crashed")
            yield* settle
          }
          assert.strictEqual(starts.length, 4)
          assert.deepStrictEqual(yield* Process.awaitExit(tree.pid), ExitReason.shutdown())
          const pid = yield* Process.spawn(() => Effect.die("boom"))
          assert.strictEqual((yield* Process.awaitExit(pid))._tag, "Crashed")
        }).pipe(
          Effect.provide(Logger.layer([broken])),
          Effect.provideService(MinimumLogLevel, "All")
        )
        // Five crashes, three restarts, four starts, and that it gives up.
        assert.strictEqual(asked, 13)
      })
    ))

  it.effect("LG-006 LG-007 of a process without a server is a defect or a failure, and no exit", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const bodies = [
          () => Process.exit(ExitReason.custom("bad")),
          () => Effect.die("boom"),
          () => Effect.fail("no"),
          () => Effect.void
        ]
        const pids = yield* Effect.forEach(bodies, (body) =>
          Effect.tap(
            Process.spawn((): Effect.Effect<unknown, string, Process.Current> => body(), { label: "raw" }),
            Process.awaitExit
          ))
        assert.deepStrictEqual(lines.map(({ message }) => message), [
          [`process raw ${pids[1]} crashed: "boom"`],
          [`process raw ${pids[2]} crashed: "no"`]
        ])
        assert.deepStrictEqual(lines[0].report, {
          pid: `${pids[1]}`,
          label: "raw",
          reason: `Crashed: "boom"`,
          ancestors: [],
          mailboxLength: 0,
          messages: [],
          links: [],
          monitors: [],
          trapExit: false,
          dictionary: []
        })
      })
    ).pipe(inNode))

  it.effect("stands before the annotations that the process was started with, and wins where they have one name", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const pid = yield* Process.spawn(() => Effect.die("boom"))
        yield* Process.awaitExit(pid)
        const keys = Object.keys(lines[0].report)
        assert.deepStrictEqual([keys[0], keys.at(-1)], ["pid", "request"])
        assert.strictEqual(lines[0].report.pid, `${pid}`)
      }).pipe(Effect.annotateLogs({ request: 12, pid: "mine" }))
    ).pipe(inNode))

  it.effect("redacts with the context of the process", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const Shows = Context.Reference("test/Shows", { defaultValue: () => "hidden" })
        const value = {
          [Redactable.symbolRedactable]: (context: Context.Context<never>) => Context.get(context, Shows)
        }
        const server = yield* told({ init: () => value }).start().pipe(Effect.provideService(Shows, "shown"))
        yield* tell(server, () => Effect.die("boom"))
        yield* Process.awaitExit(server.pid)
        assert.strictEqual(lines[0].report.state, "shown")
      })
    ).pipe(inNode))
})
