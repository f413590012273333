/**
 * One process per session.
 *
 * A session is started when its user comes, and has a state of its own. One that crashes is started again, and nobody else
 * notices. There is room for so many of them, and no more.
 *
 * Run it: npx -y pnpm@12 exec node packages/examples/src/35_dynamic-supervisor.ts
 */
import { DynamicSupervisor, GenServer, type Process, Step } from "@effect-otp/core"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Logger, Schedule, Schema } from "effect"

/** The cart of one user. */
class Session extends GenServer.Service<Session>()("examples/Session", [
  GenServer.call("add", { payload: { item: Schema.String }, success: Schema.Array(Schema.String) })
]) {
  static readonly server = this.implement({
    init: (): ReadonlyArray<string> => [],
    handlers: {
      add: (cart, { item }) => {
        if (item === "a bug") return Effect.die(new Error("nobody has thought of that"))
        const next = [...cart, item]
        return Step.reply(next, next)
      }
    }
  })
}

class Sessions extends DynamicSupervisor.Service<Sessions>()("examples/Sessions") {
  static readonly supervisor = this.implement({ maxChildren: 2 })
}

/** A user comes: this is their session, whatever happens to the process behind it. */
const login = Effect.flatMap(
  Sessions,
  (sessions) => DynamicSupervisor.startService(sessions, Session, Session.server.child({ restart: "transient" }))
)

const active = Effect.flatMap(
  Sessions,
  (sessions) => Effect.map(DynamicSupervisor.countChildren(sessions), ({ active }) => active)
)

const logout = (pid: Process.Pid<never, unknown>) =>
  Effect.flatMap(Sessions, (sessions) => DynamicSupervisor.terminateChild(sessions, pid))

export const program = Effect.gen(function*() {
  const lines: Array<string> = []
  const say = (line: string) => Effect.andThen(Effect.sync(() => lines.push(line)), Console.log(`  ${line}`))
  yield* Console.log("a shop with room for two")

  const [ann, pid] = yield* login
  const [bob] = yield* login
  yield* say(`Ann has ${yield* ann.add({ item: "tea" })}`)
  yield* say(`Bob has ${yield* bob.add({ item: "milk" })}`)

  const refused = yield* Effect.flip(login)
  yield* say(`Cid has to wait: ${refused._tag}`)

  yield* Effect.ignore(bob.add({ item: "a bug" }))
  // For a moment nobody is there: who comes just then comes again.
  const sugar = Effect.retry(bob.add({ item: "sugar" }), { schedule: Schedule.spaced("10 millis"), times: 9 })
  yield* say(`Bob begins anew with ${yield* sugar}`)
  yield* say(`and Ann still has ${yield* ann.add({ item: "cake" })}`)

  yield* logout(pid)
  yield* say(`Ann has left: ${yield* active} is here`)
  return lines
}).pipe(Effect.provide(Sessions.supervisor.layer))

// Without a logger, so that the report of the crash does not come between.
if (import.meta.main) NodeRuntime.runMain(Effect.provide(program, Logger.layer([])))
