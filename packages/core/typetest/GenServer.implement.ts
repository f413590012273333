/** Implementations that must not compile. */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { same } from "./utils.ts"

class NotEnough extends Schema.TaggedError<NotEnough>()("NotEnough", {}) {}
class Boom extends Schema.TaggedError<Boom>()("Boom", {}) {}
class Db extends Context.Service<Db, { readonly url: string }>()("Db") {}
interface Tick {
  readonly _tag: "Tick"
}

class Bad extends GenServer.Service<Bad>()("Bad", [
  GenServer.cast("go", { payload: { by: Schema.Finite } }),
  GenServer.call("get", { payload: { key: Schema.String }, success: Schema.Finite, error: NotEnough })
]) {}
const go = (state: number) => Step.noReply(state)
const get = (state: number) => Step.reply(1, state)

Bad.implement({
  init: () => 0,
  // @ts-expect-error missing handler
  handlers: { go }
})
Bad.implement({
  init: () => 0,
  handlers: {
    go,
    get,
    // @ts-expect-error no request is named "reset"
    reset: (state: number) => Step.noReply(state)
  }
})
Bad.implement({
  init: () => 0,
  handlers: {
    go,
    // @ts-expect-error wrong reply
    get: (state) => Step.reply("1", state)
  }
})
Bad.implement({
  init: () => 0,
  handlers: {
    go,
    get: (state) =>
      // @ts-expect-error wrong reply in an Effect
      Effect.gen(function*() {
        yield* Effect.void
        return Step.reply("1", state)
      })
  }
})
Bad.implement({
  init: () => 0,
  handlers: {
    go,
    // @ts-expect-error wrong reply on stopping
    get: (state) => Step.replyAndStop("1", ExitReason.normal, state)
  }
})
Bad.implement({
  init: () => 0,
  handlers: {
    go,
    // @ts-expect-error wrong state
    get: () => Step.reply(1, "state")
  }
})
Bad.implement({
  init: () => 0,
  handlers: {
    // @ts-expect-error wrong state in an Effect
    go: () => Effect.succeed(Step.noReply("state")),
    get
  }
})
Bad.implement({
  init: () => 0,
  handlers: {
    // @ts-expect-error wrong state on stopping
    go: () => Step.stop(ExitReason.normal, "state"),
    get
  }
})
Bad.implement({
  init: () => 0,
  handlers: {
    go,
    // @ts-expect-error undeclared failure
    get: (state) => state > 0 ? Effect.fail(new Boom()) : Step.reply(1, state)
  }
})
Bad.implement({
  init: () => 0,
  handlers: {
    go,
    // @ts-expect-error undeclared failure by Step
    get: (state) => Step.fail(new Boom(), state)
  }
})
Bad.implement({
  init: () => 0,
  handlers: {
    // @ts-expect-error a cast has no failure
    go: () => Effect.fail(new NotEnough()),
    get
  }
})
Bad.implement({
  init: () => 0,
  handlers: {
    // @ts-expect-error a cast has no reply
    go: (state) => Step.reply(1, state),
    get
  }
})
Bad.implement({
  init: () => 0,
  handlers: {
    // @ts-expect-error a cast cannot be answered with an error
    go: (state) => Step.fail(new NotEnough(), state),
    get
  }
})
Bad.implement({
  init: () => 0,
  handlers: {
    // @ts-expect-error not a step
    go: (state) => state + 1,
    get
  }
})
Bad.implement({
  init: () => 0,
  handlers: {
    // @ts-expect-error no step at all
    go: () => {},
    get
  }
})
Bad.implement({
  init: () => 0,
  handlers: {
    // @ts-expect-error no such field in the payload
    go: (state, { to }) => Step.noReply(state + to),
    get
  }
})
Bad.implement({
  init: () => 0,
  handlers: {
    // @ts-expect-error a handler that wants another state
    go: (_state: string) => Step.noReply(0),
    get
  }
})
Bad.implement({
  init: () => 0,
  handlers: {
    go,
    get: (state, _, from) => {
      // @ts-expect-error wrong late answer
      return Effect.as(GenServer.reply(from, "1"), Step.noReply(state))
    }
  }
})
Bad.implement({
  init: () => 0,
  handlers: {
    // @ts-expect-error misspelt option
    go: (state) => Step.noReply(state, { timout: 1 }),
    get
  }
})
Bad.implement({
  init: () => 0,
  handlers: { go, get },
  // @ts-expect-error no such option
  onExit: () => {}
})
Bad.implement({
  // @ts-expect-error an argument that may be left out is told from options by nothing
  init: (initial = 0) => initial,
  handlers: { go: () => Step.noReply(0), get: () => Step.reply(1, 0) }
})
Bad.implement({
  // @ts-expect-error one argument at most
  init: (a: number, b: number) => a + b,
  handlers: { go: () => Step.noReply(0), get: () => Step.reply(1, 0) }
})
Bad.implement({
  // @ts-expect-error seen too late by the compiler: its state is unknown
  init: Effect.fnUntraced(function*(n: number) {
    return n
  }),
  handlers: { go: (state) => Step.noReply(state), get: () => Step.reply(1, 0) }
})
Bad.implement({
  // @ts-expect-error an `any` is not a state
  init: () => JSON.parse("0"),
  handlers: { go: (state) => Step.noReply(state), get: (state) => Step.reply(1, state) }
})
Bad.implement({
  // @ts-expect-error nor in an Effect
  init: () => Effect.sync(() => JSON.parse("0")),
  handlers: { go: (state) => Step.noReply(state), get: (state) => Step.reply(1, state) }
})
const defined = Effect.fnUntraced(function*(n: number) {
  yield* Db
  return n
})
const viaFn = Bad.implement({ init: defined, handlers: { go, get } })
same<typeof viaFn, GenServer.Server<Bad, [n: number], never, never, Db>>()

// continue

// @ts-expect-error a step continues, `continue` is missing
Bad.implement({
  init: () => 0,
  handlers: { go: (state) => Step.noReply(state, { continue: "load" }), get }
})
// @ts-expect-error `init` continues, `continue` is missing
Bad.implement({
  init: () => GenServer.init(0, { continue: "load" }),
  handlers: { go, get }
})
Bad.implement({
  init: () => 0,
  handlers: {
    // @ts-expect-error a term that `continue` does not take
    go: (state) => Step.noReply(state, { continue: "save" }),
    get
  },
  continue: (state, _term: "load") => Step.noReply(state)
})
Bad.implement({
  init: () => GenServer.init(0, { continue: "save" }),
  handlers: { go, get },
  // @ts-expect-error `init` continues with a term that it does not take
  continue: (state, _term: "load") => Step.noReply(state)
})
Bad.implement({
  init: () => 0,
  handlers: { go, get },
  // @ts-expect-error it continues with a term that it does not take itself
  continue: (state, _term: "load") => Step.noReply(state, { continue: "save" })
})
Bad.implement({
  init: () => 0,
  handlers: { go, get },
  // @ts-expect-error it continues with a term that `continue` does not take
  info: (state) => Step.noReply(state, { continue: "save" }),
  continue: (state, _term: "load") => Step.noReply(state)
})
Bad.implement({
  init: () => 0,
  handlers: { go, get },
  // @ts-expect-error wrong state
  continue: () => Step.noReply("state")
})
Bad.implement({
  init: () => 0,
  handlers: { go, get },
  // @ts-expect-error nobody to answer
  continue: (state) => Step.reply(1, state)
})

// info

Bad.implement({
  init: () => 0,
  handlers: { go, get },
  // @ts-expect-error nobody to answer
  info: (state) => Step.reply(1, state)
})
Bad.implement({
  init: () => 0,
  handlers: { go, get },
  // @ts-expect-error wrong state
  info: () => Effect.succeed(Step.noReply("state"))
})
Bad.implement({
  init: () => 0,
  handlers: { go, get },
  // @ts-expect-error a failure
  info: () => Effect.fail(new Boom())
})
// @ts-expect-error a handler monitors, `info` is missing
Bad.implement({
  init: () => 0,
  handlers: { go: (state) => Effect.as(Process.monitor("x"), Step.noReply(state)), get }
})
// @ts-expect-error `init` traps exits, `info` is missing
Bad.implement({
  init: () => Effect.as(Process.trapExit(true), 0),
  handlers: { go, get }
})
Bad.implement({
  init: () => 0,
  handlers: { go: (state) => Effect.as(Process.monitor("x"), Step.noReply(state)), get },
  // @ts-expect-error a handler monitors, it does not take Down
  info: (state, _message: Process.Exit | Tick) => Step.noReply(state)
})
Bad.implement({
  init: () => Effect.as(Process.trapExit(true), 0),
  handlers: { go, get },
  // @ts-expect-error `init` traps exits, it does not take Exit
  info: (state, _message: Process.Down) => Step.noReply(state)
})

Bad.implement({
  init: () => 0,
  handlers: { go, get },
  // @ts-expect-error a state that is only a part of the server's
  info: (_state: 1, _message: Tick) => Step.noReply(0)
})
Bad.implement({
  init: () => 0,
  handlers: { go, get },
  // @ts-expect-error likewise
  continue: (_state: 1, _term: "load") => Step.noReply(0)
})

// terminate

Bad.implement({
  init: () => 0,
  handlers: { go, get },
  // @ts-expect-error a failure
  terminate: () => Effect.fail(new Boom())
})
