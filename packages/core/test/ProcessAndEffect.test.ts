/** Where a process meets Effect: interruption, finalizers, child fibers, context. */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import { CurrentLogAnnotations } from "effect/References"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type * as Tracer from "effect/Tracer"
import { arrived, asProcess, downOf, idle, inNode } from "./utils/process.ts"
import { ask, logged, told } from "./utils/server.ts"

const bad = ExitReason.custom("bad")

const texts = (messages: ReadonlyArray<string | Process.Down>) =>
  messages.map((m) => typeof m === "string" ? m : m.reason)

describe("interruption", () => {
  it.effect("a process that was spawned where nothing can be interrupted can still be ended", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        for (const reason of [ExitReason.shutdown(), ExitReason.kill]) {
          const [pid] = yield* Effect.uninterruptible(Process.spawnMonitor(() => Effect.never))
          yield* settle
          yield* Process.exit(pid, reason)
          assert.deepStrictEqual((yield* self.receive).reason, reason._tag === "Kill" ? ExitReason.killed : reason)
        }
      })
    ))

  it.effect("a process whose fiber is interrupted from outside ends Shutdown", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const running = yield* Deferred.make<Fiber.Fiber<unknown, unknown>>()
        yield* Process.spawnMonitor((own: Process.Self<string>) =>
          Effect.andThen(Effect.withFiber((fiber) => Deferred.succeed(running, fiber)), own.receive)
        )
        yield* Fiber.interrupt(yield* Deferred.await(running))
        assert.deepStrictEqual((yield* self.receive).reason, ExitReason.shutdown())
      })
    ))

  it.effect("a process that interrupts itself ends Shutdown", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        yield* Process.spawnMonitor(() => Effect.interrupt)
        assert.deepStrictEqual((yield* self.receive).reason, ExitReason.shutdown())
      })
    ))

  it.live("a body that computes without yielding keeps all others waiting; a kill is told at once, and acts when it yields", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const context = yield* Effect.context<never>()
        const rounds = { beforeTheKill: 0, after: 0, others: 0 }
        yield* Process.spawn(() => Effect.forever(Effect.andThen(Effect.sync(() => rounds.others++), Effect.yieldNow)))
        yield* Effect.yieldNow
        const before = rounds.others
        const [pid] = yield* Process.spawnMonitor((own) =>
          Effect.sync(() => {
            while (rounds.beforeTheKill < 1000) rounds.beforeTheKill++
            // As a callback of the platform would, in the middle of the computation.
            Effect.runSyncWith(context)(Process.exit(own.pid, ExitReason.kill))
            while (rounds.after < 1000) rounds.after++
            assert.strictEqual(rounds.others, before)
          }).pipe(Effect.andThen(Effect.yieldNow), Effect.andThen(Process.send(self.pid, "gone on")))
        )
        assert.deepStrictEqual(texts(yield* arrived(self)), [ExitReason.killed])
        assert.deepStrictEqual([rounds.beforeTheKill, rounds.after], [1000, 1000])
        assert.isFalse(yield* Process.isAlive(pid))
        assert.isAbove(rounds.others, before)
      })
    ))

  it.effect("a body that never waits can be ended: it yields after so many operations", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        let rounds = 0
        const [pid] = yield* Process.spawnMonitor(() => Effect.forever(Effect.sync(() => rounds++)))
        for (let i = 0; i < 3; i++) yield* Effect.yieldNow
        yield* Process.exit(pid, bad)
        assert.deepStrictEqual((yield* self.receive).reason, bad)
        const atTheEnd = rounds
        yield* settle
        assert.isAbove(rounds, 0)
        assert.strictEqual(rounds, atTheEnd)
      })
    ))

  it.effect("not one more instruction of a process runs when a signal has ended it, whatever it waits for", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        yield* Process.spawnMonitor(() => Effect.andThen(Deferred.await(gate), Process.send(self.pid, "gone on")))
        yield* settle
        yield* Process.list.pipe(Effect.flatMap((pids) => Process.exit(pids[1]!, bad)))
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual(texts(yield* arrived(self)), [bad])
      })
    ))

  it.effect("a region that cannot be interrupted runs to its end first, and the process takes nothing meanwhile", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const [pid] = yield* Process.spawnMonitor((_: Process.Self<string>) =>
          Deferred.await(gate).pipe(
            Effect.andThen(Process.send(self.pid, "region ends")),
            Effect.uninterruptible,
            Effect.andThen(Process.send(self.pid, "gone on"))
          )
        )
        yield* settle
        yield* Process.exit(pid, bad)
        assert.deepStrictEqual(yield* arrived(self), [])
        assert.isFalse(yield* Process.isAlive(pid))
        yield* Process.send(pid, "too late")
        assert.strictEqual(Option.getOrThrow(yield* Process.info(pid)).mailboxLength, 0)
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual(texts(yield* arrived(self)), ["region ends", bad])
      })
    ))

  it.effect("a kill is told at once, and the region that cannot be interrupted runs on", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const [pid] = yield* Process.spawnMonitor(() =>
          Effect.uninterruptible(Effect.andThen(Deferred.await(gate), Process.send(self.pid, "region ends")))
        )
        yield* settle
        yield* Process.exit(pid, ExitReason.kill)
        assert.deepStrictEqual(texts(yield* arrived(self)), [ExitReason.killed])
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual(yield* arrived(self), ["region ends"])
      })
    ))

  it.effect("Process.exit ends a process also where it cannot be interrupted", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        yield* Process.spawnMonitor(() =>
          Effect.uninterruptible(Effect.andThen(Process.exit(bad), Process.send(self.pid, "gone on")))
        )
        assert.deepStrictEqual(texts(yield* arrived(self)), [bad])
        yield* Process.spawnMonitor((own) =>
          Effect.uninterruptible(Effect.andThen(Process.exit(own.pid, bad), Process.send(self.pid, "gone on")))
        )
        assert.deepStrictEqual(texts(yield* arrived(self)), [bad])
      })
    ))

  it.effect("no catch sees Process.exit, whatever it catches", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const caught = Process.send(self.pid, "caught")
        const catches = [
          <A, R>(effect: Effect.Effect<A, never, R>) => Effect.catch(effect, () => caught),
          <A, R>(effect: Effect.Effect<A, never, R>) => Effect.catchCause(effect, () => caught),
          <A, R>(effect: Effect.Effect<A, never, R>) => Effect.catchDefect(effect, () => caught),
          <A, R>(effect: Effect.Effect<A, never, R>) => Effect.andThen(Effect.exit(effect), caught),
          <A, R>(effect: Effect.Effect<A, never, R>) =>
            Effect.matchCauseEffect(effect, {
              onFailure: () => caught,
              onSuccess: () => caught
            }),
          <A, R>(effect: Effect.Effect<A, never, R>) => Effect.retry(Effect.sandbox(effect), { times: 3 })
        ]
        for (const catching of catches) {
          yield* Process.spawnMonitor(() =>
            Effect.asVoid(catching(Process.exit(bad)) as Effect.Effect<unknown, unknown, Process.Current>)
          )
          assert.deepStrictEqual(texts(yield* arrived(self)), [bad])
        }
      })
    ))
})

describe("finalizers", () => {
  it.effect("what a body acquired is released, in reverse order, before anybody is told of its end", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const resource = (name: string) =>
          Effect.acquireRelease(Process.send(self.pid, `open ${name}`), () => Process.send(self.pid, `close ${name}`))
        for (const how of ["returns", "crashes", "exits", "is ended", "interrupts"] as const) {
          const [pid] = yield* Process.spawnMonitor(() =>
            Effect.scoped(Effect.gen(function*() {
              yield* resource("a")
              yield* resource("b")
              if (how === "crashes") return yield* Effect.die("boom")
              if (how === "exits") return yield* Process.exit(bad)
              if (how === "interrupts") return yield* Effect.interrupt
              if (how === "is ended") return yield* Effect.never
            }))
          )
          yield* settle
          if (how === "is ended") yield* Process.exit(pid, bad)
          const [a, b, c, d, down, ...more] = yield* arrived(self)
          assert.deepStrictEqual([a, b, c, d], ["open a", "open b", "close b", "close a"])
          assert.isTrue(Process.isDown(down))
          assert.deepStrictEqual(more, [])
        }
      })
    ))

  it.effect("a defect in a finalizer is part of the reason when the body ended by itself", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const defects = (cause: Cause.Cause<unknown>) =>
          cause.reasons.map((reason) => reason._tag === "Die" ? reason.defect : reason._tag)
        const bodies: ReadonlyArray<[Effect.Effect<void, string>, ReadonlyArray<unknown>]> = [
          [Effect.void, ["finalizer"]],
          [Effect.die("body"), ["body", "finalizer"]],
          [Effect.fail("no"), ["no", "finalizer"]]
        ]
        for (const [body, expected] of bodies) {
          yield* Process.spawnMonitor(() => Effect.ensuring(body, Effect.die("finalizer")))
          const { reason } = yield* self.receive
          assert.deepStrictEqual(ExitReason.isCrashed(reason) ? defects(reason.cause) : [], expected)
        }
      })
    ))

  it.effect("a defect in a finalizer does not change the reason that a signal gave", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        for (const reason of [bad, ExitReason.shutdown(), ExitReason.kill]) {
          const [pid] = yield* Process.spawnMonitor(() => Effect.ensuring(Effect.never, Effect.die("finalizer")))
          yield* settle
          yield* Process.exit(pid, reason)
          assert.deepStrictEqual((yield* self.receive).reason, reason._tag === "Kill" ? ExitReason.killed : reason)
        }
      })
    ))

  it.effect("a defect in a finalizer of a process that a signal ended is reported, with the reason that others see", () =>
    logged((lines) =>
      asProcess((self: Process.Self<Process.Down>) =>
        Effect.gen(function*() {
          const sent = (reason: ExitReason.ExitReason) => (pid: Process.Pid<never>) => Process.exit(pid, reason)
          const endings = [
            [Effect.never, sent(bad), bad],
            [Effect.never, sent(ExitReason.shutdown()), ExitReason.shutdown()],
            [Effect.never, sent(ExitReason.kill), ExitReason.killed],
            [Process.exit(bad), () => Effect.void, bad]
          ] as const
          for (const [i, [body, end, reason]] of endings.entries()) {
            const [pid] = yield* Process.spawnMonitor(() => Effect.ensuring(body, Effect.die("finalizer")))
            yield* settle
            yield* end(pid)
            assert.deepStrictEqual((yield* self.receive).reason, reason)
            yield* settle
            const [{ cause, level, message: [title], report }, ...more] = lines.slice(i)
            assert.deepStrictEqual([level, more], ["Error", []])
            assert.strictEqual(title, `process ${pid} crashed while it ended (${ExitReason.format(reason)})`)
            assert.deepStrictEqual(report, {
              pid: `${pid}`,
              reason: ExitReason.format(reason),
              ancestors: [`${self.pid}`]
            })
            assert.include(Cause.pretty(cause), "finalizer")
          }
        })
      )
    ))

  it.effect("what is no defect is not reported when a signal has ended the process", () =>
    logged((lines) =>
      asProcess((self: Process.Self<Process.Down>) =>
        Effect.gen(function*() {
          const gate = yield* Deferred.make<void>()
          const waits = yield* Deferred.make<void>()
          const region = Effect.uninterruptible(
            Deferred.succeed(waits, undefined).pipe(
              Effect.andThen(Deferred.await(gate)),
              Effect.andThen(Effect.fail("no"))
            )
          )
          for (const body of [Effect.never, region, Effect.ensuring(Effect.never, Effect.exit(Effect.die("caught")))]) {
            const [pid] = yield* Process.spawnMonitor((): Effect.Effect<void, string> => body)
            yield* settle
            yield* Process.exit(pid, bad)
            if (yield* Deferred.isDone(waits)) yield* Deferred.succeed(gate, undefined)
            assert.deepStrictEqual((yield* self.receive).reason, bad)
          }
          assert.deepStrictEqual(lines, [])
        })
      )
    ))

  it.effect("Process.exit in a finalizer sets the reason of a body that ended by itself, as exit in after does", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        for (const body of [Effect.void, Effect.die("boom"), Effect.fail("no")]) {
          yield* Process.spawnMonitor(() => Effect.ensuring(body as Effect.Effect<void>, Process.exit(bad)))
          assert.deepStrictEqual((yield* self.receive).reason, bad)
        }
      })
    ))

  it.effect("Process.exit in a finalizer of a process that is ending ends the finalizer, and changes nothing else", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        for (
          const again of [
            (_: Process.Pid<never>) => Process.exit(ExitReason.custom("again")),
            (own: Process.Pid<never>) => Process.exit(own, ExitReason.custom("again"))
          ]
        ) {
          const [pid] = yield* Process.spawnMonitor((own) =>
            Effect.ensuring(
              Effect.ensuring(Effect.never, Effect.andThen(again(own.pid), Process.send(self.pid, "gone on"))),
              Process.send(self.pid, "next finalizer")
            )
          )
          yield* settle
          yield* Process.exit(pid, bad)
          assert.deepStrictEqual(texts(yield* arrived(self)), ["next finalizer", bad])
        }
      })
    ))

  it.effect("a finalizer may send and look, and finds its process not alive; a receive in it ends at once", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const [pid] = yield* Process.spawnMonitor((own: Process.Self<string>) =>
          Effect.ensuring(
            Effect.never,
            Effect.gen(function*() {
              yield* Process.send(self.pid, `alive: ${yield* Process.isAlive(own.pid)}`)
              yield* Process.send(self.pid, `received: ${(yield* Effect.exit(own.receive))._tag}`)
            })
          )
        )
        yield* settle
        yield* Process.send(pid, "queued")
        yield* Process.exit(pid, bad)
        assert.deepStrictEqual(texts(yield* arrived(self)), ["alive: false", "received: Failure", bad])
      })
    ))

  it.effect("a process that monitors in a finalizer after a kill leaves nothing behind", () =>
    asProcess((self: Process.Self<"monitored">) =>
      Effect.gen(function*() {
        const watched = yield* idle
        const victim = yield* Process.spawn((_: Process.Self<Process.Down>) =>
          Effect.ensuring(Effect.never, Effect.andThen(Process.monitor(watched), Process.send(self.pid, "monitored")))
        )
        yield* settle
        yield* Process.exit(victim, ExitReason.kill)
        assert.strictEqual(yield* self.receive, "monitored")
        yield* Process.exit(watched, bad)
        yield* settle
        assert.deepStrictEqual(yield* Process.list, [self.pid])
      })
    ))
})

describe("child fibers", () => {
  for (const how of ["returns", "crashes", "is ended", "is killed"] as const) {
    it.effect(`all that belong to the body end with a process that ${how}; those that were detached go on`, () =>
      asProcess((self: Process.Self<string | Process.Down>) =>
        Effect.gen(function*() {
          const gate = yield* Deferred.make<void>()
          const waits = (name: string) =>
            Deferred.await(gate).pipe(
              Effect.andThen(Process.send(self.pid, `${name} goes on`)),
              Effect.onInterrupt(() => Process.send(self.pid, `${name} ends`))
            )
          const [pid] = yield* Process.spawnMonitor(() =>
            Effect.scoped(Effect.gen(function*() {
              yield* Effect.forkChild(Effect.andThen(Effect.forkChild(waits("grandchild")), waits("child")))
              yield* Effect.forkScoped(waits("scoped"))
              yield* Effect.forkIn(waits("in the scope"), yield* Effect.scope)
              yield* Effect.forkDetach(waits("detached"))
              // Until all of them wait.
              for (let i = 0; i < 3; i++) yield* Effect.yieldNow
              if (how === "crashes") return yield* Effect.die("boom")
              if (how !== "returns") return yield* Effect.never
            }))
          )
          yield* settle
          if (how === "is ended") yield* Process.exit(pid, bad)
          if (how === "is killed") yield* Process.exit(pid, ExitReason.kill)
          const seen = yield* arrived(self)
          const ends = ["child ends", "grandchild ends", "in the scope ends", "scoped ends"]
          assert.sameMembers(seen.filter((m) => typeof m === "string"), ends)
          // Whoever hears of an end finds them gone; a kill waits for nobody.
          assert.isTrue(Process.isDown(seen[how === "is killed" ? 0 : ends.length]))
          yield* Deferred.succeed(gate, undefined)
          assert.deepStrictEqual(yield* arrived(self), ["detached goes on"])
        })
      ))
  }

  it.effect("one that a body forks in a scope of others ends with that scope", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const pid = yield* Process.spawn(() =>
          Effect.forkIn(Effect.onInterrupt(Effect.never, () => Process.send(self.pid, "ends")), scope)
        )
        yield* Process.awaitExit(pid)
        assert.deepStrictEqual(yield* arrived(self), [])
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(yield* arrived(self), ["ends"])
      })
    ))

  it.effect("they end with their process, before anybody is told of its end", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        for (const how of ["returns", "is ended"] as const) {
          const [pid] = yield* Process.spawnMonitor(() =>
            Effect.gen(function*() {
              yield* Effect.forkChild(Effect.onInterrupt(Effect.never, () => Process.send(self.pid, "child")))
              yield* Effect.yieldNow
              if (how === "is ended") return yield* Effect.never
            })
          )
          yield* settle
          if (how === "is ended") yield* Process.exit(pid, bad)
          assert.deepStrictEqual(texts(yield* arrived(self)), ["child", how === "returns" ? ExitReason.normal : bad])
        }
      })
    ))

  it.effect("they are their process: self, links and exits are its own", () =>
    asProcess((self: Process.Self<string | Process.Pid<never> | Process.Down>) =>
      Effect.gen(function*() {
        const [pid] = yield* Process.spawnMonitor(() =>
          Effect.andThen(
            Effect.forkChild(Effect.andThen(
              Effect.flatMap(Process.self, (own) => Process.send(self.pid, own)),
              Effect.andThen(Process.exit(bad), Process.send(self.pid, "gone on"))
            )),
            Effect.ensuring(Effect.never, Process.send(self.pid, "body ends"))
          )
        )
        const [own, end, down, ...more] = yield* arrived(self)
        assert.strictEqual(own, pid)
        assert.strictEqual(end, "body ends")
        assert.deepStrictEqual((down as Process.Down).reason, bad)
        assert.deepStrictEqual(more, [])
      })
    ))

  it.effect("the crash of a child fiber that nobody joins does not end its process", () =>
    asProcess((self: Process.Self<"pong">) =>
      Effect.gen(function*() {
        const pid = yield* Process.spawn((own: Process.Self<"ping">) =>
          Effect.forkChild(Effect.die("boom")).pipe(
            Effect.andThen(own.receive),
            Effect.andThen(Process.send(self.pid, "pong"))
          )
        )
        yield* settle
        yield* Process.send(pid, "ping")
        assert.strictEqual(yield* self.receive, "pong")
      })
    ))

  it.effect("the end of a child fiber is not the end of its process", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const pid = yield* Process.spawn((own: Process.Self<string>) =>
          Effect.gen(function*() {
            yield* Effect.forkChild(Process.send(self.pid, "child"))
            yield* Process.send(self.pid, yield* own.receive)
            yield* Effect.sleep("1 second")
            yield* Process.send(self.pid, yield* own.receive)
          })
        )
        yield* settle
        yield* Process.send(pid, "one")
        yield* Process.send(pid, "two")
        assert.deepStrictEqual(yield* arrived(self), ["child", "one"])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* arrived(self), ["two"])
      })
    ))
})

describe("context", () => {
  class Greeting extends Context.Service<Greeting, string>()("test/Greeting") {}

  it.effect("a process has the services of its spawner, and is itself in it", () =>
    asProcess((self: Process.Self<string | Process.Pid<never>>) =>
      Effect.gen(function*() {
        const child = yield* Process.spawn(() =>
          Effect.gen(function*() {
            yield* Process.send(self.pid, yield* Greeting)
            yield* Process.send(self.pid, yield* Process.self)
          })
        )
        assert.deepStrictEqual(yield* arrived(self), ["hello", child])
      }).pipe(Effect.provideService(Greeting, "hello"))
    ))

  class Depth extends Context.Reference<number>("test/Depth", { defaultValue: () => 0 }) {}

  it.effect("a process has the references and the log annotations of its spawner as they were when it was spawned", () =>
    asProcess((self: Process.Self<readonly [number, unknown]>) =>
      Effect.gen(function*() {
        const tell = Effect.flatMap(Effect.all([Depth, CurrentLogAnnotations]), (seen) => Process.send(self.pid, seen))
        const child = yield* Process.spawn((own: Process.Self<"again">) =>
          Effect.gen(function*() {
            yield* tell
            yield* own.receive
            yield* tell
            yield* Process.spawn(() => tell)
          })
        ).pipe(Effect.provideService(Depth, 1), Effect.annotateLogs("request", 12))
        assert.deepStrictEqual(yield* self.receive, [1, { request: 12 }])
        // Who sends has no say.
        yield* Process.send(child, "again").pipe(Effect.provideService(Depth, 2), Effect.annotateLogs("request", 13))
        assert.deepStrictEqual(yield* self.receive, [1, { request: 12 }])
        assert.deepStrictEqual(yield* self.receive, [1, { request: 12 }])
        yield* Process.spawn(() => tell)
        assert.deepStrictEqual(yield* self.receive, [0, {}])
      })
    ))

  it.effect("a server has the context of who started it, in init and in its handlers, and not that of its callers", () =>
    Effect.gen(function*() {
      const look = Effect.all([Depth, CurrentLogAnnotations])
      const server = yield* told({ init: () => look }).start().pipe(
        Effect.provideService(Depth, 1),
        Effect.annotateLogs("request", 12)
      )
      const order = (state: unknown) => Effect.map(look, (seen) => Step.reply([state, seen], state))
      assert.deepStrictEqual(
        yield* ask(server, order).pipe(Effect.provideService(Depth, 2), Effect.annotateLogs("request", 13)),
        [[1, { request: 12 }], [1, { request: 12 }]]
      )
    }).pipe(inNode))

  it.effect("what a process logs has the annotations of its spawner, and so has the report of its crash", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const logger = Logger.make(({ fiber, message }) => {
        seen.push([fiber.getRef(CurrentLogAnnotations).request, Array.isArray(message) ? String(message[0]) : message])
      })
      const body = Process.spawn(() => Effect.andThen(Effect.log("hello"), Effect.die("boom")), { label: "worker" })
      const pid = yield* body.pipe(Effect.annotateLogs("request", 12), Effect.provide(Logger.layer([logger])))
      yield* Process.awaitExit(pid)
      assert.deepStrictEqual(seen, [[12, "hello"], [12, `process worker ${pid} crashed: "boom"`]])
    }).pipe(inNode))

  it.effect("a span of the spawner is the parent of the spans of the process", () =>
    asProcess((self: Process.Self<Option.Option<string>>) =>
      Effect.gen(function*() {
        const child = Process.spawn(() =>
          Effect.flatMap(Effect.currentSpan, (span) =>
            Process.send(self.pid, Option.map(span.parent, (parent) => (parent as Tracer.Span).name))).pipe(
              Effect.withSpan("inner"),
              Effect.orDie
            )
        )
        yield* Effect.withSpan(child, "outer")
        assert.deepStrictEqual(yield* self.receive, Option.some("outer"))
      })
    ))

  it.effect("a body that forgets to yield in one Effect does not run before its turn, nor twice", () =>
    inNode(Effect.gen(function*() {
      let runs = 0
      const pid = yield* Process.spawn(() => {
        runs++
        return Effect.void
      })
      assert.strictEqual(runs, 0)
      yield* Process.awaitExit(pid)
      yield* settle
      assert.strictEqual(runs, 1)
    })))

  it.live("all of it runs on Effect's default scheduler, too", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const [pid] = yield* Process.spawnMonitor((own: Process.Self<string>) =>
          Effect.forever(Effect.flatMap(own.receive, (m) => Process.send(self.pid, m)))
        )
        for (const text of ["a", "b", "c"]) yield* Process.send(pid, text)
        assert.deepStrictEqual(yield* arrived(self), ["a", "b", "c"])
        yield* Process.exit(pid, bad)
        assert.deepStrictEqual(texts(yield* arrived(self)), [bad])
        assert.deepStrictEqual(yield* downOf(self as Process.Self<Process.Down>, pid), ExitReason.noProcess)
      })
    ))
})
