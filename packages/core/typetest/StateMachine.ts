/** State machines as people write them, and those that must not compile. */
import * as Action from "@effect-otp/core/Action"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import type { CallError, StartError } from "@effect-otp/core/OtpError"
import type { Pid } from "@effect-otp/core/Pid"
import * as Process from "@effect-otp/core/Process"
import * as StateMachine from "@effect-otp/core/StateMachine"
import * as Transition from "@effect-otp/core/Transition"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { same, typeOf } from "./utils.ts"

class Jammed extends Schema.TaggedError<Jammed>()("Jammed", {}) {}
class Db extends Context.Service<Db, { readonly now: Effect.Effect<number> }>()("Db") {}

type States = {
  Locked: { readonly tries: number }
  Open: { readonly since: number }
}

const requests = [
  GenServer.call("unlock", { payload: { code: Schema.String }, success: Schema.Boolean, error: Jammed }),
  GenServer.cast("close")
] as const

// ----------------------------------------------------------------------------
// nothing is annotated but the states
// ----------------------------------------------------------------------------

class Door extends StateMachine.Service<Door, States>()("Door", requests) {
  static readonly machine = this.implement({
    init: (tries: number) => Transition.next("Locked", { tries }),
    states: {
      Locked: {
        enter: (_, previous) => {
          typeOf(previous).is<"Locked" | "Open">()
          return Transition.keepAndData()
        },
        unlock: (data, { code }, from) => {
          typeOf(data).is<{ readonly tries: number }>()
          typeOf(code).is<string>()
          typeOf(from).is<GenServer.From<boolean, Jammed>>()
          return code === "1234"
            ? Transition.next("Open", { since: 0 }, [Action.reply(from, true), Action.stateTimeout("10 seconds")])
            : Effect.fail(new Jammed())
        },
        close: () => Transition.keepAndData([Action.postpone])
      },
      Open: {
        unlock: Effect.fn("Open.unlock")(function*({ since }, _, from) {
          const db = yield* Db
          const now = yield* db.now
          return Transition.keep({ since: now - since }, [Action.reply(from, true)])
        }),
        close: () => Transition.next("Locked", { tries: 0 }),
        stateTimeout: (_, content) => {
          typeOf(content).is<Duration.Input>()
          return Transition.next("Locked", { tries: 0 })
        }
      }
    }
  })
}

typeOf(Door.machine.layer(0)).is<Layer.Layer<Door, StartError<never>, Db>>()
declare const door: GenServer.ClientOf<Door>
typeOf(door.unlock({ code: "1" })).is<Effect.Effect<boolean, Jammed | CallError>>()
typeOf(door.close()).is<Effect.Effect<void>>()
const outcome = Door.machine.transition({ state: "Locked", data: { tries: 0 } }, {
  _tag: "Cast",
  name: "close",
  payload: undefined
})
if (outcome.snapshot.state === "Open") typeOf(outcome.snapshot.data).is<{ readonly since: number }>()
// @ts-expect-error the data of another state
Door.machine.transition({ state: "Open", data: { tries: 0 } }, { _tag: "Cast", name: "close", payload: undefined })
// @ts-expect-error no such event
Door.machine.transition({ state: "Open", data: { since: 0 } }, { _tag: "Cast", name: "open", payload: undefined })
// @ts-expect-error `init` takes an argument
Door.machine.start()

// ----------------------------------------------------------------------------
// events of its own
// ----------------------------------------------------------------------------

interface Tick {
  readonly _tag: "Tick"
}
interface Own {
  readonly internal: { readonly alarm: { readonly level: 1 | 2 }; readonly reset: void }
  readonly timeout: { readonly idle: void; readonly poll: string }
  readonly stateTimeout: "auto"
  readonly info: Tick | Process.Down
}

class Full extends StateMachine.Service<Full, States, Own>()("Full", requests) {
  static readonly machine = this.implement({
    init: () =>
      Effect.succeed(Transition.next("Locked", { tries: 0 }, [
        Action.timeout("idle", "1 minute"),
        Action.timeout("poll", "1 second", "first"),
        Action.nextEvent("alarm", { level: 1 })
      ])),
    states: {
      Locked: {
        unlock: (_data, _payload, from) =>
          Transition.next("Open", { since: 0 }, [
            Action.reply(from, true),
            Action.stateTimeout("10 seconds", "auto"),
            Action.stateTimeout("update", "auto"),
            Action.stateTimeout("cancel"),
            Action.nextEvent("reset"),
            Action.nextEvent("close"),
            Action.timeout("idle", "cancel"),
            Action.hibernate
          ]),
        otherwise: (data, event) => {
          typeOf(data).is<{ readonly tries: number }>()
          if (event._tag === "Info") typeOf(event.message).is<Tick | Process.Down>()
          if (event._tag === "Internal" && event.name === "alarm") typeOf(event.payload.level).is<1 | 2>()
          if (event._tag === "Call") typeOf(event.from).is<GenServer.From<boolean, Jammed>>()
          return Transition.keepAndData([Action.postpone])
        }
      },
      Open: {
        unlock: () => Transition.stop(),
        close: () => Transition.stop(ExitReason.shutdown(), { since: 1 }),
        alarm: (_, { level }) => {
          typeOf(level).is<1 | 2>()
          return Effect.as(Process.monitor("somebody"), Transition.keepAndData())
        },
        reset: () => Transition.repeatAndData(),
        stateTimeout: (data, content) => {
          typeOf(content).is<"auto">()
          return Transition.repeat(data)
        },
        timeout: {
          idle: () => Transition.keepAndData(),
          poll: (_, content) => {
            typeOf(content).is<string>()
            return Transition.keepAndData([Action.timeout("poll", "1 second", content)])
          }
        },
        info: (_, message) => {
          typeOf(message).is<Tick | Process.Down>()
          return Transition.keepAndData()
        }
      }
    },
    terminate: (current, reason) => {
      if (current.state === "Open") typeOf(current.data).is<{ readonly since: number }>()
      typeOf(reason).is<ExitReason.ExitReason>()
    }
  })
}
typeOf(Full.machine.layer()).is<Layer.Layer<Full, StartError<never>>>()
same<Effect.Success<ReturnType<typeof Full.machine.start>>["pid"], Pid<Tick>>()

// one function for all states
class Events extends StateMachine.Service<Events, States, Own>()("Events", requests) {
  static readonly machine = this.implement({
    init: () => Transition.next("Locked", { tries: 0 }),
    states: { Locked: {}, Open: { close: () => Transition.next("Locked", { tries: 1 }) } },
    otherwise: (current, event) => {
      if (event._tag !== "Call") return Transition.keepAndData()
      const { from } = event
      return current.state === "Locked"
        ? Transition.next("Locked", { tries: current.data.tries + 1 }, [Action.reply(from, false)])
        : Transition.keepAndData([Action.reply(from, true)])
    }
  })
}
typeOf(Events.machine.layer()).is<Layer.Layer<Events, StartError<never>>>()

// ----------------------------------------------------------------------------
// what must not compile
// ----------------------------------------------------------------------------

class Bad
  extends StateMachine.Service<Bad, States, { readonly internal: { readonly alarm: number } }>()("Bad", requests)
{}

const init = () => Transition.next("Locked", { tries: 0 })
const keep = () => Transition.keepAndData()
const all = { unlock: keep, close: keep, alarm: keep }

Bad.implement({ init, states: { Locked: all, Open: all } })
Bad.implement({
  init,
  states: {
    Locked: all,
    // @ts-expect-error the state "Open" does not handle "close"
    Open: { unlock: keep, alarm: keep }
  }
})
Bad.implement({
  init,
  states: {
    Locked: all,
    // @ts-expect-error the state "Open" does not handle "alarm"
    Open: { unlock: (_, __, from) => Transition.keepAndData([Action.reply(from, true)]), close: keep }
  }
})
Bad.implement({
  init,
  // @ts-expect-error the state Open is missing
  states: { Locked: all }
})
Bad.implement({
  init,
  states: {
    Locked: all,
    Open: all,
    // @ts-expect-error there is no state "Ajar"
    Ajar: all
  }
})
Bad.implement({
  init,
  states: {
    Locked: all,
    Open: {
      ...all,
      // @ts-expect-error no event is named "clos"
      clos: keep
    }
  }
})
Bad.implement({
  init,
  states: { Locked: all, Open: all },
  // @ts-expect-error there is no option "otherwhise"
  otherwhise: keep
})
Bad.implement({
  init,
  states: {
    Locked: all,
    Open: {
      ...all,
      // @ts-expect-error unknown state
      close: () => Transition.next("Ajar", { tries: 0 })
    }
  }
})
Bad.implement({
  init,
  states: {
    Locked: all,
    Open: {
      ...all,
      // @ts-expect-error the data of another state
      close: () => Transition.next("Locked", { since: 0 })
    }
  }
})
Bad.implement({
  init,
  states: {
    Locked: all,
    Open: {
      ...all,
      // @ts-expect-error the data of another state is kept
      close: () => Transition.keep({ tries: 0 })
    }
  }
})
Bad.implement({
  init,
  states: {
    Locked: all,
    Open: {
      ...all,
      // @ts-expect-error wrong reply
      unlock: (_data, _payload, from) => Transition.keepAndData([Action.reply(from, "yes")])
    }
  }
})
Bad.implement({
  init,
  states: {
    Locked: all,
    Open: {
      ...all,
      // @ts-expect-error the call does not declare this error
      unlock: () => Effect.fail("jammed")
    }
  }
})
Bad.implement({
  init,
  states: {
    Locked: all,
    Open: {
      ...all,
      // @ts-expect-error an enter call may not change the state
      enter: () => Transition.next("Locked", { tries: 0 })
    }
  }
})
Bad.implement({
  init,
  states: {
    Locked: all,
    Open: {
      ...all,
      // @ts-expect-error an enter call may not be postponed
      enter: () => Transition.keepAndData([Action.postpone])
    }
  }
})
Bad.implement({
  init,
  states: {
    Locked: all,
    Open: {
      ...all,
      // @ts-expect-error an enter call may not insert events
      enter: () => Transition.keepAndData([Action.nextEvent("alarm", 1)])
    }
  }
})
Bad.implement({
  init,
  states: {
    Locked: all,
    Open: {
      ...all,
      // @ts-expect-error no event is named "alert"
      close: () => Transition.keepAndData([Action.nextEvent("alert", 1)])
    }
  }
})
Bad.implement({
  init,
  states: {
    Locked: all,
    Open: {
      ...all,
      // @ts-expect-error wrong payload
      close: () => Transition.keepAndData([Action.nextEvent("alarm", "high")])
    }
  }
})
Bad.implement({
  init,
  states: {
    Locked: all,
    Open: {
      ...all,
      // @ts-expect-error a call has a caller, and cannot be inserted
      close: () => Transition.keepAndData([Action.nextEvent("unlock", { code: "" })])
    }
  }
})
Bad.implement({
  init,
  states: {
    Locked: all,
    Open: {
      ...all,
      // @ts-expect-error no timeout has this name
      close: () => Transition.keepAndData([Action.timeout("idle", "1 second")])
    }
  }
})
Bad.implement({
  init,
  states: {
    // @ts-expect-error the state "Locked" does not handle "stateTimeout", which "Open" sets for it
    Locked: all,
    Open: { ...all, close: () => Transition.next("Locked", { tries: 0 }, [Action.stateTimeout("1 second")]) }
  }
})
Bad.implement({
  init,
  states: {
    Locked: all,
    // @ts-expect-error the state "Open" does not handle "eventTimeout"
    Open: { ...all, enter: () => Transition.keepAndData([Action.eventTimeout("1 second")]) }
  }
})
Bad.implement({
  // @ts-expect-error `init` goes to no state
  init: () => ({ tries: 0 }),
  states: { Locked: all, Open: all },
  otherwise: keep
})
Bad.implement({
  // @ts-expect-error `init` has nothing to postpone
  init: () => Transition.next("Locked", { tries: 0 }, [Action.postpone]),
  states: { Locked: all, Open: all },
  otherwise: keep
})
Bad.implement({
  init,
  // @ts-expect-error a callback wants Process.Down, which is none of the messages
  states: {
    Locked: { ...all, enter: () => Effect.as(Process.monitor("somebody"), Transition.keepAndData()) },
    Open: all
  }
})

class Named extends StateMachine.Service<Named, States, Own>()("Named", requests) {}
const own = { unlock: keep, close: keep, alarm: keep, reset: keep, info: keep }
Named.implement({
  init,
  states: {
    Locked: { otherwise: keep },
    // @ts-expect-error the state "Open" does not handle "poll"
    Open: { ...own, timeout: { idle: keep } }
  }
})
Named.implement({
  init,
  states: {
    Locked: { otherwise: keep },
    // @ts-expect-error the state "Open" does not handle any timeout with a name
    Open: own
  }
})
Named.implement({
  init,
  states: {
    Locked: { otherwise: keep },
    // @ts-expect-error no timeout is named "pol"
    Open: { ...own, timeout: { idle: keep, poll: keep, pol: keep } }
  }
})
Named.implement({
  init,
  states: {
    Locked: { otherwise: keep },
    // @ts-expect-error "info" is missing
    Open: { unlock: keep, close: keep, alarm: keep, reset: keep, timeout: { idle: keep, poll: keep } }
  }
})
Named.implement({
  init,
  states: {
    Open: { otherwise: keep },
    Locked: {
      // @ts-expect-error the content of a state timeout is "auto"
      unlock: () => Transition.keepAndData([Action.stateTimeout("1 second", "manual")]),
      otherwise: keep
    }
  }
})
Named.implement({
  init,
  states: {
    Open: { otherwise: keep },
    Locked: {
      // @ts-expect-error the content of a state timeout is missing
      unlock: () => Transition.keepAndData([Action.stateTimeout("1 second")]),
      otherwise: keep
    }
  }
})
// @ts-expect-error a request cannot be named "enter"
StateMachine.Service<unknown, States>()("bad", [GenServer.cast("enter")])
// @ts-expect-error a request cannot be named "alarm"
StateMachine.Service<unknown, States, Own>()("bad", [GenServer.cast("alarm")])
// @ts-expect-error only replies
Transition.stopAndReply(ExitReason.normal, [Action.postpone])
