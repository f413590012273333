import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import { settle } from "@effect-otp/core/testing"
import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { inNode } from "./utils/process.ts"

class Resource extends Context.Service<Resource, object>()("test/Process.memory/Resource") {}

it.effect("a process that has ended holds nothing that its body used, however long its pid is kept", () =>
  Effect.gen(function*() {
    setFlagsFromString("--expose-gc")
    const gc = runInNewContext("gc") as () => void
    const dropped: Array<WeakRef<object>> = []
    const pids: Array<Process.Pid<never>> = []
    // Spawned by a process, so that it is also one that has spawned.
    const start = Effect.suspend(() => {
      const resource = {}
      dropped.push(new WeakRef(resource))
      const child = () => Effect.andThen(Resource, Effect.never)
      const parent = Process.spawn(() =>
        Effect.gen(function*() {
          pids.push(yield* Process.spawn(child))
          return yield* Effect.never
        })
      )
      return Effect.provideService(parent, Resource, resource)
    })
    pids.push(yield* start)
    yield* settle
    assert.strictEqual(pids.length, 2)
    for (const pid of pids) yield* Process.exit(pid, ExitReason.kill)
    yield* settle
    yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    gc()
    assert.deepStrictEqual(dropped.map((ref) => ref.deref()), [undefined])
    assert.deepStrictEqual(yield* Effect.forEach(pids, Process.isAlive), [false, false])
  }).pipe(inNode))
