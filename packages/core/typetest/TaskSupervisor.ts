/** What supervised tasks give, fail with and need: as tasks, and what their supervisor adds. */
import type { CallError, MaxChildren, StartError, TaskError } from "@effect-otp/core/OtpError"
import type * as Process from "@effect-otp/core/Process"
import type * as Task from "@effect-otp/core/Task"
import * as TaskSupervisor from "@effect-otp/core/TaskSupervisor"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Result from "effect/Result"
import type * as Stream from "effect/Stream"
import { typeOf } from "./utils.ts"

class Config extends Context.Service<Config, number>()("Config") {}

class Tasks extends TaskSupervisor.Service<Tasks>()("Tasks") {
  static readonly supervisor = this.implement({ maxChildren: 100 })
}
declare const tasks: typeof Tasks.Service

typeOf(Tasks.supervisor.layer).is<Layer.Layer<Tasks, StartError>>()
typeOf(TaskSupervisor.make().layer).is<Layer.Layer<never, StartError>>()
// @ts-expect-error tasks get no extra arguments
TaskSupervisor.make({ extraArguments: [1] })

const work = Effect.flatMap(Config, (n) => n > 0 ? Effect.succeed(n) : Effect.fail("negative" as const))

typeOf(TaskSupervisor.async(tasks, work)).is<
  Effect.Effect<Task.Task<number, "negative">, MaxChildren | CallError, Config | Process.Current>
>()
typeOf(TaskSupervisor.asyncNoLink(tasks, Effect.void, { shutdown: "brutalKill" })).is<
  Effect.Effect<Task.Task<void>, MaxChildren | CallError, Process.Current>
>()
typeOf(TaskSupervisor.asyncNoLink(tasks, Effect.succeed(1), { reply: "message" })).is<
  Effect.Effect<
    Task.Task<number>,
    MaxChildren | CallError,
    Process.Current | Process.Receives<Task.Reply<number, never>> | Process.Receives<Process.Down>
  >
>()
typeOf(TaskSupervisor.startChild(tasks, work, { restart: "transient" })).is<
  Effect.Effect<Process.Pid<never>, MaxChildren | CallError, Config>
>()
typeOf(TaskSupervisor.startChild(tasks, (self: Process.Self<string | Process.Exit>) => self.receive)).is<
  Effect.Effect<Process.Pid<string>, MaxChildren | CallError>
>()
// @ts-expect-error nobody waits for it, so that it has no answer to send
TaskSupervisor.startChild(tasks, work, { reply: "message" })
// @ts-expect-error whoever waits for an answer does not want a second one
TaskSupervisor.async(tasks, work, { restart: "permanent" })

typeOf(TaskSupervisor.asyncStream(tasks, [1, 2], () => work)).is<
  Stream.Stream<
    Result.Result<number, "negative" | TaskError>,
    MaxChildren | CallError | TaskError,
    Config | Process.Current
  >
>()
typeOf(TaskSupervisor.asyncStreamNoLink(tasks, ["a"], () => Effect.void, { onTimeout: "killTask" })).is<
  Stream.Stream<Result.Result<void, TaskError>, MaxChildren | CallError, Process.Current>
>()
