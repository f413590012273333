/** What a task knows of its answer, and what its owner has to declare. */
import type * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as GenServer from "@effect-otp/core/GenServer"
import type { StartError, TaskError } from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Task from "@effect-otp/core/Task"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import { same, typeOf } from "./utils.ts"

class Config extends Context.Service<Config, number>()("Config") {}

declare const numbers: Task.Task<number, "no">
declare const strings: Task.Task<string>

// Starting: what the effect gives, fails with and needs.
const work: Effect.Effect<number, "no", Config> = Effect.as(Config, 1)
typeOf(Task.async(work)).is<Effect.Effect<Task.Task<number, "no">, never, Config | Process.Current>>()
typeOf(Task.async(Process.self)).is<Effect.Effect<Task.Task<Process.Pid<never>>, never, Process.Current>>()
typeOf(Task.start(work)).is<Effect.Effect<Process.Pid<never>, never, Config>>()
typeOf(Task.startLink(work)).is<Effect.Effect<Process.Pid<never>, never, Config | Process.Current>>()
typeOf(Task.completed(1)).is<Effect.Effect<Task.Task<number>, never, Process.Current>>()

// A body has a mailbox, whose signals it has to declare.
typeOf(Task.async((self: Process.Self<string>) => self.receive)).is<
  Effect.Effect<Task.Task<string>, never, Process.Current>
>()
typeOf(Task.start((self: Process.Self<string | Process.Exit>) => Effect.andThen(Process.trapExit(true), self.receive)))
  .is<
    Effect.Effect<Process.Pid<string>>
  >()
// @ts-expect-error a task without a mailbox of its own cannot trap exits
Task.async(Process.trapExit(true))
// @ts-expect-error nor can one whose mailbox does not declare them
Task.start((self: Process.Self<string>) => Effect.andThen(Process.trapExit(true), self.receive))
// @ts-expect-error what is no work
Task.async(1)
// @ts-expect-error an option that nobody knows
Task.async(work, { name: "x" })

// Waiting.
typeOf(Task.await(numbers)).is<Effect.Effect<number, "no" | TaskError, Process.Current>>()
typeOf(Task.yield(numbers)).is<
  Effect.Effect<Option.Option<Result.Result<number, "no" | TaskError>>, never, Process.Current>
>()
typeOf(Task.shutdown(numbers, "brutalKill")).is<
  Effect.Effect<Option.Option<Result.Result<number, "no" | TaskError>>, never, Process.Current>
>()
typeOf(Task.awaitMany([numbers, strings])).is<Effect.Effect<[number, string], "no" | TaskError, Process.Current>>()
declare const many: ReadonlyArray<Task.Task<string>>
typeOf(Task.awaitMany(many)).is<Effect.Effect<Array<string>, TaskError, Process.Current>>()
Effect.map(Task.yieldMany([numbers, strings], { onTimeout: "killTask" }), ([[task, outcome], [, other]]) => {
  typeOf(task).is<Task.Task<number, "no">>()
  typeOf(outcome).is<Option.Option<Result.Result<number, "no" | TaskError>>>()
  typeOf(other).is<Option.Option<Result.Result<string, TaskError>>>()
})
// @ts-expect-error the main program is no process
Effect.runPromise(Task.completed(1))
// @ts-expect-error nor may it wait
Effect.runPromise(Effect.orDie(Task.await(strings)))
// @ts-expect-error a task of a number or a string is none of a number
const narrower: Task.Task<number, "no"> = strings
// What may fail stands where more may fail.
const wider: Task.Task<number | string, "no" | "yes"> = numbers
Task.isTask(wider)

// By message: the owner declares the Reply and the Down.
const asking = Task.async(work, { reply: "message" })
typeOf(asking).is<
  Effect.Effect<
    Task.Task<number, "no">,
    never,
    | Config
    | Process.Current
    | Process.Receives<Task.Reply<number, "no">>
    | Process.Receives<Process.Down>
  >
>()
typeOf(Process.spawn((_: Process.Self<Task.Reply<number, "no"> | Process.Down>) => asking)).is<
  Effect.Effect<Process.Pid<never>, never, Config>
>()
// One that takes more takes these, too, and senders see neither.
typeOf(Process.spawn((_: Process.Self<string | Task.Reply<number | string, "no" | "yes"> | Process.Down>) => asking))
  .is<
    Effect.Effect<Process.Pid<string>, never, Config>
  >()
// @ts-expect-error it does not declare the Down
Process.spawn((_: Process.Self<Task.Reply<number, "no">>) => asking)
// @ts-expect-error it does not declare the Reply
Process.spawn((_: Process.Self<Process.Down>) => asking)
// @ts-expect-error its Reply is one of something else
Process.spawn((_: Process.Self<Task.Reply<string, "no"> | Process.Down>) => asking)
declare const unsure: "message" | undefined
type Unsure = ReturnType<typeof Task.async<number, never, never, typeof unsure>>
same<Effect.Services<Unsure>, Process.Current | Process.Receives<Task.Reply<number>> | Process.Receives<Process.Down>>()

class Loader extends GenServer.Service<Loader>()("Loader", [GenServer.cast("load")]) {
  static readonly declared = this.implement({
    init: () => 0,
    handlers: {
      load: (n) => Effect.as(Task.async(Effect.succeed(n), { reply: "message" }), Step.noReply(n))
    },
    info: (n, message: Task.Reply<number> | Process.Down) => {
      if (Task.isReply(message)) typeOf(message).is<Task.Reply<number>>()
      return Step.noReply(n)
    }
  })

  static readonly undeclared = this.implement({
    init: () => 0,
    handlers: {
      load: (n) => Effect.as(Task.async(Effect.succeed(n), { reply: "message" }), Step.noReply(n))
    },
    // @ts-expect-error it takes the Down alone
    info: (n: number, _message: Process.Down) => Step.noReply(n)
  })
}
typeOf(Loader.declared.start()).is<Effect.Effect<GenServer.Ref<Loader>, StartError<never>>>()

// A child.
typeOf(Task.child({ run: work })).is<ChildSpec.ChildSpec<never, never, Config>>()
declare const scoped: Effect.Effect<void, never, Scope.Scope | Config>
typeOf(Task.child({ id: "a", run: () => scoped })).is<ChildSpec.ChildSpec<never, never, Config>>()
// @ts-expect-error a task without a mailbox of its own
Task.child({ run: Process.trapExit(true) })

// Streams.
typeOf(Task.asyncStream([1], (n) => Effect.as(work, `${n}`))).is<
  Stream.Stream<Result.Result<string, "no" | TaskError>, TaskError, Config | Process.Current>
>()
typeOf(Task.asyncStream([1], () => work, { onTimeout: "killTask" })).is<
  Stream.Stream<Result.Result<number, "no" | TaskError>, never, Config | Process.Current>
>()
typeOf(Task.asyncStream(new Set(["a"]), () => work, { onTimeout: "killTask", zipInputOnExit: true })).is<
  Stream.Stream<
    Result.Result<number, "no" | readonly [item: string, error: TaskError]>,
    never,
    Config | Process.Current
  >
>()
declare const input: Stream.Stream<number, "closed", Scope.Scope>
typeOf(Task.asyncStream(input, (n) => Effect.succeed(n), { onTimeout: "killTask" })).is<
  Stream.Stream<Result.Result<number, TaskError>, "closed", Scope.Scope | Process.Current>
>()
// @ts-expect-error the items are numbers
Task.asyncStream([1], (s: string) => Effect.succeed(s))
// @ts-expect-error not an Effect
Task.asyncStream([1], (n) => n)
// @ts-expect-error a task without a mailbox of its own
Task.asyncStream([1], () => Process.trapExit(true))
