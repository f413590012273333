/**
 * A door with a code: the same event means something else in each state.
 *
 * Locked, it takes a code, and three wrong ones jam it. Open, it closes by itself after a second. Jammed, it postpones every
 * code until somebody has repaired it. A state that forgets an event does not compile, and what the machine decides is a
 * function that a test can call without a process: `Door.machine.transition`.
 *
 * Run it: npx -y pnpm@12 exec node packages/examples/src/90_state-machine.ts
 */
import { Action, GenServer, StateMachine, Transition } from "@effect-otp/core"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Fiber, Schema } from "effect"

type States = {
  Locked: { readonly tries: number }
  Open: { readonly guests: number }
  Jammed: void
}

export class Door extends StateMachine.Service<Door, States>()("examples/Door", [
  GenServer.call("tryCode", { payload: { code: Schema.String }, success: Schema.String }),
  GenServer.cast("repair")
]) {
  static readonly machine = this.implement({
    init: () => Transition.next("Locked", { tries: 0 }),
    states: {
      Locked: {
        tryCode: ({ tries }, { code }, from) => {
          if (code === "1234") return Transition.next("Open", { guests: 1 }, [Action.reply(from, "welcome")])
          return tries === 2
            ? Transition.next("Jammed", undefined, [Action.reply(from, "jammed")])
            : Transition.keep({ tries: tries + 1 }, [Action.reply(from, "wrong")])
        },
        repair: () => Transition.keepAndData()
      },
      Open: {
        enter: () => Transition.keepAndData([Action.stateTimeout("1 second")]),
        tryCode: ({ guests }, _, from) =>
          Transition.keep({ guests: guests + 1 }, [Action.reply(from, `guest ${guests + 1}`)]),
        repair: () => Transition.keepAndData(),
        stateTimeout: () => Transition.next("Locked", { tries: 0 })
      },
      Jammed: {
        tryCode: () => Transition.keepAndData([Action.postpone]),
        repair: () => Transition.next("Locked", { tries: 0 })
      }
    }
  })
}

export const program = Effect.gen(function*() {
  const door = yield* Door
  const tryCode = (code: string) => Effect.tap(door.tryCode({ code }), (answer) => Console.log(`${code}: ${answer}`))

  for (const code of ["0000", "1111", "2222"]) yield* tryCode(code)

  // Waits until the door is repaired.
  const guest = yield* Effect.forkChild(tryCode("1234"), { startImmediately: true })
  yield* Console.log("somebody repairs it")
  yield* door.repair()
  yield* Fiber.join(guest)

  yield* tryCode("anything")
  yield* Effect.sleep("1100 millis")
  yield* tryCode("anything")
}).pipe(Effect.provide(Door.machine.layer()))

if (import.meta.main) NodeRuntime.runMain(program)
