/**
 * A program that is a tree, and tells what it does. Run by `application.test.ts`, which says how it is to end.
 */
import { Application, ChildSpec, Process, Supervisor } from "@effect-otp/core"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Logger } from "effect"

const [mode] = process.argv.slice(2)

const child = (id: string, then: Effect.Effect<unknown> = Effect.never) =>
  ChildSpec.worker({
    id,
    run: () =>
      Effect.acquireRelease(Console.log(`start ${id}`), () => Console.log(`stop ${id}`)).pipe(Effect.andThen(then))
  })

const ready = ChildSpec.worker({ id: "ready", run: () => Effect.andThen(Console.log("ready"), Effect.never) })

/** Takes no notice of what it is told. */
const stubborn = ChildSpec.worker({
  id: "stubborn",
  shutdown: mode === "killed" ? "1 hour" : "100 millis",
  run: (self: Process.Self<Process.Exit>) =>
    Effect.acquireRelease(Process.trapExit(true), () => Console.log("stop stubborn")).pipe(
      Effect.andThen(Effect.forever(self.receive))
    )
})

const job = (then: Effect.Effect<unknown>) =>
  ChildSpec.worker({ id: "job", restart: "transient", significant: true, run: () => then })

const intensity = { maxRestarts: 1, within: "1 minute" } as const

const inner = Supervisor.make({ children: [child("b"), child("c")] }).child({ id: "inner" })

const trees = {
  signal: Supervisor.make({ children: [child("a"), inner, child("d"), ready] }),
  stubborn: Supervisor.make({ children: [child("a"), stubborn, ready] }),
  killed: Supervisor.make({ children: [child("a"), stubborn, ready] }),
  gaveUp: Supervisor.make({
    label: "app",
    intensity,
    children: [child("a"), child("b", Effect.die(new Error("the disk is full")))]
  }),
  done: Supervisor.make({ autoShutdown: "anySignificant", children: [child("a"), job(Console.log("job done"))] }),
  notStarted: Supervisor.make({
    children: [child("a"), ChildSpec.make({ id: "db", start: Effect.fail(new Error("refused")) })]
  })
}

NodeRuntime.runMain(
  Application.run(trees[mode as keyof typeof trees], mode === "killed" ? { shutdown: "200 millis" } : {}).pipe(
    Effect.provide(Logger.layer([Logger.consoleLogFmt]))
  )
)
