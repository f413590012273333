/** What each kind of child needs, may fail with and provides. */
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import type { NoProcess } from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { typeOf } from "./utils.ts"

class Db extends Context.Service<Db, { readonly query: () => string }>()("Db") {}
class Config extends Context.Service<Config, { readonly url: string }>()("Config") {}
type DbError = { readonly _tag: "DbError" }

interface Ping {
  readonly _tag: "Ping"
  readonly n: number
}

const pid = undefined as never as Process.Pid<Ping>

typeOf(
  ChildSpec.make({
    id: "a",
    restart: "temporary",
    type: "supervisor",
    start: undefined as never as Effect.Effect<Process.Pid<Ping>, DbError, Config | Process.Current>
  })
).is<ChildSpec.ChildSpec<never, DbError, Config>>()
typeOf(
  ChildSpec.make({ id: "a", start: Process.spawnLink((_: Process.Self<Ping>) => Effect.never) })
).is<ChildSpec.ChildSpec<never, never, never>>()
ChildSpec.make({ id: "a", start: Effect.succeed({ pid, more: 1 }) })
// @ts-expect-error a start gives a pid
ChildSpec.make({ id: "a", start: Effect.succeed(1) })
ChildSpec.make({
  id: "a",
  // @ts-expect-error a start runs in the supervisor, which does not hand its signals out
  start: Process.spawnMonitor(() => Effect.never).pipe(Effect.map(([pid]) => pid))
})

typeOf(
  ChildSpec.worker({
    id: "w",
    run: (self: Process.Self<Ping | Process.Down>) =>
      Effect.gen(function*() {
        yield* Db
        yield* Scope.Scope
        yield* Process.monitor(self.pid)
        const message = yield* self.receive
        typeOf(message).is<Ping | Process.Down>()
        return yield* Effect.fail("a crash, not a failed start")
      })
  })
).is<ChildSpec.ChildSpec<never, never, Db>>()
typeOf(
  ChildSpec.worker({ id: "w", run: (self) => Process.send(self.pid, undefined as never) })
).is<ChildSpec.ChildSpec<never, never, never>>()
ChildSpec.worker({
  id: "w",
  // @ts-expect-error it does not declare Down
  run: (self: Process.Self<Ping>) => Process.monitor(self.pid)
})

typeOf(
  ChildSpec.layer({ id: "l", layer: undefined as never as Layer.Layer<Db, DbError, Config | Scope.Scope> })
).is<ChildSpec.ChildSpec<never, DbError, Config>>()
typeOf(ChildSpec.layer({ id: "l", layer: Layer.empty })).is<ChildSpec.ChildSpec<never, never, never>>()
typeOf(
  ChildSpec.layer({ id: "l", layer: Layer.effectDiscard(Process.link(pid)) })
).is<ChildSpec.ChildSpec<never, NoProcess, never>>()
ChildSpec.layer({
  id: "l",
  // @ts-expect-error nobody takes the signals of a process that only keeps a layer
  layer: Layer.effectDiscard(Process.monitor("someone"))
})
