import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as ProcessLocal from "@effect-otp/core/ProcessLocal"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { asProcess, downOf, inNode } from "./utils/process.ts"
import { ask, defectOf, tell, told } from "./utils/server.ts"

const Foo = ProcessLocal.make<string>("foo")
const Bar = ProcessLocal.make<string>("bar")
const Count = ProcessLocal.make("count", { defaultValue: () => 0 })
const Point = ProcessLocal.make<{ readonly x: number }>("point")

const some = Option.some
const none = Option.none()

describe("the process dictionary", () => {
  it.effect("PR-018 put gives what was there, none first; delete gives what it removes; keys are found by value", () =>
    asProcess(() =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* ProcessLocal.get(Foo), none)
        assert.deepStrictEqual(yield* ProcessLocal.put(Foo, "bar"), none)
        assert.deepStrictEqual(yield* ProcessLocal.put(Foo, "baz"), some("bar"))
        assert.deepStrictEqual(yield* ProcessLocal.get(Foo), some("baz"))
        assert.deepStrictEqual(yield* ProcessLocal.getKeys("baz"), [Foo])
        assert.deepStrictEqual(yield* ProcessLocal.getKeys("bar"), [])
        yield* ProcessLocal.put(Bar, "baz")
        assert.deepStrictEqual(yield* ProcessLocal.getKeys("baz"), [Foo, Bar])
        yield* ProcessLocal.put(Point, { x: 1 })
        assert.deepStrictEqual(
          yield* ProcessLocal.getKeys({ x: 1 }),
          [Point],
          "plain data is compared by what it holds"
        )
        assert.deepStrictEqual(yield* ProcessLocal.keys, [Foo, Bar, Point])
        assert.deepStrictEqual(yield* ProcessLocal.delete(Foo), some("baz"))
        assert.deepStrictEqual(yield* ProcessLocal.delete(Foo), none)
        assert.deepStrictEqual(yield* ProcessLocal.get(Foo), none)
        assert.deepStrictEqual(yield* ProcessLocal.keys, [Bar, Point])
      })
    ))

  it.effect("a key with a default has a value in every process, which is not put", () =>
    asProcess(() =>
      Effect.gen(function*() {
        assert.strictEqual(yield* ProcessLocal.get(Count), 0)
        assert.deepStrictEqual(yield* ProcessLocal.getKeys(0), [])
        assert.deepStrictEqual(yield* ProcessLocal.delete(Count), none)
        assert.deepStrictEqual(yield* ProcessLocal.put(Count, 1), none)
        assert.strictEqual(yield* ProcessLocal.get(Count), 1)
        assert.deepStrictEqual(yield* ProcessLocal.put(Count, 0), some(1))
        assert.deepStrictEqual(yield* ProcessLocal.delete(Count), some(0))
        assert.strictEqual(yield* ProcessLocal.get(Count), 0)
      })
    ))

  it.effect("a value of undefined is a value", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const maybe = ProcessLocal.make<string | undefined>("maybe", { defaultValue: () => "default" })
        yield* ProcessLocal.put(maybe, undefined)
        assert.isUndefined(yield* ProcessLocal.get(maybe))
        assert.deepStrictEqual(yield* ProcessLocal.getKeys(undefined), [maybe])
        assert.deepStrictEqual(yield* ProcessLocal.delete(maybe), some(undefined))
      })
    ))

  it.effect("two keys with one name are two keys", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const other = ProcessLocal.make<number>("foo")
        yield* ProcessLocal.put(Foo, "mine")
        assert.deepStrictEqual(yield* ProcessLocal.get(other), none)
        assert.strictEqual(`${other}`, "ProcessLocal(foo)")
      })
    ))

  it.effect("PR-018 each process has its own, and a child begins with none", () =>
    asProcess((self: Process.Self<Option.Option<string>>) =>
      Effect.gen(function*() {
        yield* ProcessLocal.put(Foo, "parent")
        yield* Process.spawn(() =>
          Effect.gen(function*() {
            yield* Process.send(self.pid, yield* ProcessLocal.get(Foo))
            yield* Process.send(self.pid, yield* ProcessLocal.put(Foo, "child"))
          })
        )
        assert.deepStrictEqual([yield* self.receive, yield* self.receive], [none, none])
        assert.deepStrictEqual(yield* ProcessLocal.get(Foo), some("parent"))
      })
    ))

  it.effect("fibers of a process are part of it", () =>
    asProcess(() =>
      Effect.gen(function*() {
        yield* ProcessLocal.put(Foo, "main")
        const before = yield* Fiber.join(yield* Effect.forkChild(ProcessLocal.put(Foo, "fiber")))
        assert.deepStrictEqual(before, some("main"))
        assert.deepStrictEqual(yield* ProcessLocal.get(Foo), some("fiber"))
      })
    ))

  it.effect("a server has one, in all its callbacks, and the next incarnation a new one", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const note = Effect.map(ProcessLocal.get(Count), (count) => seen.push(count))
      const server = told({
        init: () => Effect.andThen(ProcessLocal.put(Count, 1), Effect.succeed("state")),
        terminate: () => note
      })
      const first = yield* server.start()
      assert.strictEqual(
        yield* ask(first, (state) => Effect.map(ProcessLocal.get(Count), (count) => Step.reply(count, state))),
        1
      )
      yield* tell(first, (state) => Effect.as(ProcessLocal.put(Count, 2), Step.noReply(state)))
      yield* GenServer.stop(first)
      assert.deepStrictEqual(seen, [2])
      const second = yield* server.start()
      assert.strictEqual(
        yield* ask(second, (state) => Effect.map(ProcessLocal.get(Count), (count) => Step.reply(count, state))),
        1
      )
    }).pipe(inNode))

  it.effect("finalizers still find it; what outlives the process finds nothing, and leaves nothing", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const seen: Array<unknown> = []
        const ended = yield* Deferred.make<void>()
        const child = yield* Process.spawn(() =>
          Effect.gen(function*() {
            yield* ProcessLocal.put(Foo, "value")
            yield* Effect.forkDetach(Effect.gen(function*() {
              yield* Deferred.await(ended)
              seen.push(yield* ProcessLocal.get(Foo), yield* ProcessLocal.put(Foo, "late"))
              seen.push(yield* ProcessLocal.get(Foo), yield* ProcessLocal.keys, yield* ProcessLocal.delete(Foo))
            }))
            yield* Effect.ensuring(Effect.never, Effect.map(ProcessLocal.get(Foo), (value) => seen.push(value)))
          })
        )
        yield* settle
        yield* Process.exit(child, ExitReason.kill)
        yield* settle
        assert.deepStrictEqual(seen, [some("value")])
        yield* Deferred.succeed(ended, undefined)
        yield* settle
        assert.deepStrictEqual(seen.slice(1), [none, none, none, [], none])
        assert.deepStrictEqual(yield* downOf(self, child), ExitReason.noProcess)
      })
    ))

  it.live("PR-018 what it kept is gone with the process, however long somebody keeps its pid", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        setFlagsFromString("--expose-gc")
        const collectGarbage: () => void = runInNewContext("gc")
        const kept = new Map<string, WeakRef<object>>()
        const Kept = ProcessLocal.make<object>("kept")
        const keep = (by: string) =>
          Effect.suspend(() => {
            const value = { much: new Uint8Array(1024) }
            kept.set(by, new WeakRef(value))
            return ProcessLocal.put(Kept, value)
          })
        const living = yield* Process.spawn(() => Effect.andThen(keep("living"), Effect.never))
        const finished = yield* Process.spawn(() => keep("finished"))
        const server = yield* told({ init: () => Effect.as(keep("server"), "state") }).start()
        yield* GenServer.stop(server)
        yield* downOf(self, finished)
        // A WeakRef holds on to its value until the turn in which it was looked at is over.
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        collectGarbage()
        const stillKept = [...kept].filter(([, ref]) => ref.deref() !== undefined).map(([by]) => by)
        assert.deepStrictEqual([kept.size, stillKept], [3, ["living"]])
        assert.isTrue(yield* Process.isAlive(living))
        assert.isFalse((yield* Process.isAlive(finished)) || (yield* Process.isAlive(server.pid)))
      })
    ))

  it.effect("an empty name, and what is no key, is refused and named", () =>
    asProcess(() =>
      Effect.gen(function*() {
        assert.throws(() => ProcessLocal.make(""), TypeError, "name: expected a string that is not empty, got \"\"")
        for (const verb of [ProcessLocal.get, (key: typeof Foo) => ProcessLocal.put(key, "x"), ProcessLocal.delete]) {
          assert.strictEqual(
            (yield* defectOf(verb("foo" as never))).message,
            "key: expected what ProcessLocal.make gave, got \"foo\""
          )
        }
      })
    ))
})
