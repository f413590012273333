import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Name from "@effect-otp/core/Name"
import type { StartError } from "@effect-otp/core/OtpError"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { arrived, asProcess, downOf, inNode } from "./utils/process.ts"
import { ask, defectOf, logged, Refused, Told, told } from "./utils/server.ts"

const bad = ExitReason.custom("bad")

/** Fails the test unless a start fails for this reason. */
const startFails = Effect.fnUntraced(function*<Tag extends StartError<unknown>["reason"]["_tag"], A, R>(
  start: Effect.Effect<A, StartError<unknown>, R>,
  tag: Tag
) {
  const { childPath, reason } = yield* Effect.flip(start)
  assert.deepStrictEqual([childPath, reason._tag], [[], tag], reason.message)
  return reason as Extract<StartError<unknown>["reason"], { readonly _tag: Tag }>
})

/** The ways to start a server that a caller waits for. */
const starts = [
  ["start", (server: ReturnType<typeof told>, options?: GenServer.StartOptions) => server.start(options)],
  ["startLink", (server: ReturnType<typeof told>, options?: GenServer.StartOptions) => server.startLink(options)]
] as const

describe("start", () => {
  for (const [name, start] of starts) {
    it.effect(`GS-001 ${name} returns after init`, () =>
      asProcess(() =>
        Effect.gen(function*() {
          const gate = yield* Deferred.make<void>()
          const starting = yield* Effect.forkChild(start(told({ init: () => Effect.as(Deferred.await(gate), 7) })))
          yield* settle
          assert.isUndefined(starting.pollUnsafe())
          yield* Deferred.succeed(gate, undefined)
          assert.strictEqual(yield* ask(yield* Fiber.join(starting), (n) => Step.reply(n, n)), 7)
        })
      ))

    it.effect(`GS-002 ${name} fails with the reason of GenServer.initStop, with which the process ends`, () =>
      asProcess((self: Process.Self<Process.Down | Process.Exit>) =>
        Effect.gen(function*() {
          yield* Process.trapExit(true)
          let reason: ExitReason.ExitReason
          const init = () =>
            Effect.gen(function*() {
              const watched = yield* Process.self
              yield* Process.spawn((watcher: Process.Self<Process.Down>) =>
                Effect.map(downOf(watcher, watched), (down) => reason = down)
              )
              yield* settle
              return GenServer.initStop(bad)
            })
          const failure = yield* startFails(start(told({ init })), "Stopped")
          assert.deepStrictEqual(failure.reason, bad)
          assert.deepStrictEqual(yield* arrived(self), [])
          assert.deepStrictEqual(reason!, bad)
        })
      ))

    it.effect(`GS-008 ${name} fails with the Cause of an init that dies, or the reason with which it exits`, () =>
      asProcess((_: Process.Self<Process.Exit>) =>
        Effect.gen(function*() {
          yield* Process.trapExit(true)
          const boom = new Error("boom")
          const died = yield* startFails(start(told({ init: () => Effect.die(boom) })), "Crashed")
          assert.deepStrictEqual(died.cause, Cause.die(boom))
          const thrown = yield* startFails(
            start(told({
              init: () => {
                throw boom
              }
            })),
            "Crashed"
          )
          assert.deepStrictEqual(thrown.cause, Cause.die(boom))
          const exited = yield* startFails(start(told({ init: () => Process.exit(bad) })), "Stopped")
          assert.deepStrictEqual(exited.reason, bad)
        })
      ))

    it.effect(`${name} fails with Ignored if init ignores`, () =>
      asProcess(() => startFails(start(told({ init: () => GenServer.ignore })), "Ignored")))

    it.effect(`${name} fails with Timeout, and kills a process whose init takes too long`, () =>
      asProcess(() =>
        Effect.gen(function*() {
          const server = told({ init: () => Effect.never })
          const starting = yield* Effect.forkChild(start(server, { timeout: "2 seconds", name: "server" }))
          yield* settle
          const pid = Option.getOrThrow(yield* Process.whereis("server"))
          yield* TestClock.adjust("2 seconds")
          assert.strictEqual((yield* startFails(Fiber.join(starting), "Timeout")).after, 2000)
          assert.deepStrictEqual(yield* Process.awaitExit(pid), ExitReason.killed)
        })
      ))

    it.effect(`GS-006 ${name} fails with the typed failure of init, which hurts nobody`, () =>
      asProcess((self: Process.Self<never>) =>
        Effect.gen(function*() {
          const init = () => Effect.andThen(Effect.yieldNow, new Refused())
          const failure = yield* startFails(start(told({ init }), { name: "server" }), "InitFailed")
          assert.deepStrictEqual(failure.error, new Refused())
          assert.isTrue(Option.isNone(yield* Process.whereis("server")))
          assert.deepStrictEqual(yield* arrived(self), [])
        })
      ))
  }

  it.effect("GS-014 terminate is not called when init fails", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const terminate = () => {
        seen.push("terminate")
      }
      const failing = [
        () => Effect.fail(new Refused()),
        () => Effect.die("boom"),
        () => GenServer.ignore,
        () => GenServer.initStop(bad),
        () => Process.exit(bad)
      ]
      for (const init of failing) {
        const finalized = Effect.addFinalizer(() => Effect.sync(() => seen.push("finalizer")))
        yield* Effect.exit(
          told({
            init: () =>
              Effect.andThen(
                finalized,
                Effect.suspend(() => {
                  const result = init()
                  return Effect.isEffect(result) ? result : Effect.succeed(result)
                }) as Effect.Effect<unknown>
              ),
            terminate
          }).start()
        )
      }
      assert.deepStrictEqual(seen, failing.map(() => "finalizer"))
    }).pipe(inNode))

  it.effect("a caller that is interrupted takes the server back", () =>
    Effect.gen(function*() {
      const starting = yield* Effect.forkChild(told({ init: () => Effect.never }).start({ name: "server" }))
      yield* settle
      const pid = Option.getOrThrow(yield* Process.whereis("server"))
      yield* Fiber.interrupt(starting)
      assert.deepStrictEqual(yield* Process.awaitExit(pid), ExitReason.killed)
      assert.deepStrictEqual(yield* Process.whereis("server"), Option.none())
    }).pipe(inNode))

  /** A start that is given up, while finalizers of what it has started take `millis`. */
  const givenUp = Effect.fnUntraced(function*(
    millis: number,
    giveUp: (pid: Process.Pid<never>, starting: Fiber.Fiber<unknown, unknown>) => Effect.Effect<unknown>,
    seen: Array<string>
  ) {
    // The first sleep on a test clock that was never moved forks a warning, which a finalizer would not survive.
    yield* TestClock.adjust(0)
    const release = Effect.andThen(Effect.sleep(millis), Effect.sync(() => seen.push("released")))
    const server = told({ init: () => Effect.andThen(Effect.addFinalizer(() => release), Effect.never) })
    const starting = yield* Effect.forkChild(server.start({ name: "server", timeout: "1 second" }))
    yield* settle
    const pid = Option.getOrThrow(yield* Process.whereis("server"))
    yield* Effect.forkChild(giveUp(pid, starting))
    yield* settle
    starting.addObserver((exit) => seen.push(exit._tag))
    yield* settle
    return starting
  })

  const givingUp = {
    "is interrupted": (_: unknown, starting: Fiber.Fiber<unknown, unknown>) => Fiber.interrupt(starting),
    "times out": () => TestClock.adjust("1 second"),
    "is killed": (pid: Process.Pid<never>) => Process.exit(pid, ExitReason.kill)
  }

  for (const [how, giveUp] of Object.entries(givingUp)) {
    it.effect(`a start that ${how} gives up when nothing of it runs any more, and its name is free at once`, () =>
      Effect.gen(function*() {
        const seen: Array<string> = []
        yield* givenUp(4000, giveUp, seen)
        assert.deepStrictEqual(seen, [])
        assert.deepStrictEqual(yield* Process.whereis("server"), Option.none())
        yield* TestClock.adjust(3999)
        assert.deepStrictEqual(seen, [])
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(seen, ["released", "Failure"])
      }).pipe(inNode))
  }

  it.effect("a start that is interrupted waits for 5 seconds at most, and reports what still runs", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const seen: Array<string> = []
        yield* givenUp(6000, givingUp["is interrupted"], seen)
        yield* TestClock.adjust(4999)
        assert.deepStrictEqual([seen, lines.length], [[], 0])
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(seen, ["Failure"])
        assert.match(lines[0].message[0], /did not start and was killed, and its finalizers still run: it leaks/)
      }).pipe(inNode)
    ))

  it.effect("startScoped ends the server with the Scope, with Shutdown, and waits until it has ended", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const server = told({ terminate: (_, reason) => Effect.sync(() => seen.push(reason)) })
      const scope = yield* Scope.make()
      const ref = yield* Scope.provide(server.startScoped({ name: "server" }), scope)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(seen, [ExitReason.shutdown()])
      assert.isTrue(Option.isNone(yield* Process.whereis("server")))
      assert.isFalse(yield* Process.isAlive(ref.pid))
    }).pipe(inNode))
})

describe("a linked caller", () => {
  it.effect("GS-003 that does not trap exits ends with an init that crashes, stops or is killed", () =>
    Effect.gen(function*() {
      const boom = Cause.die(new Error("boom"))
      const inits: ReadonlyArray<[() => unknown, ExitReason.ExitReason]> = [
        [() => GenServer.initStop(bad), bad],
        [() => Effect.failCause(boom), ExitReason.crashed(boom)],
        [() => Effect.andThen(Effect.yieldNow, Effect.failCause(boom)), ExitReason.crashed(boom)]
      ]
      for (const [init, reason] of inits) {
        const caller = yield* Process.spawn(() => Effect.andThen(Effect.exit(told({ init }).startLink()), Effect.never))
        assert.deepStrictEqual(yield* Process.awaitExit(caller), reason)
      }
    }).pipe(inNode))

  it.effect("GS-004 outlives an init that stops with Normal", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const init = () => GenServer.initStop(ExitReason.normal)
        const failure = yield* startFails(told({ init }).startLink(), "Stopped")
        assert.deepStrictEqual(failure.reason, ExitReason.normal)
        yield* settle
      })
    ))

  it.effect("GS-005 that traps exits finds nothing in its mailbox, however the start failed", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const inits = [
          () => GenServer.initStop(bad),
          () => Effect.die("boom"),
          () => Effect.fail(new Refused()),
          () => GenServer.ignore,
          () => Process.exit(bad),
          () => Effect.flatMap(Process.self, (pid) => Process.exit(pid, ExitReason.kill))
        ]
        for (const init of inits) {
          yield* Effect.flip(told({ init }).startLink())
          assert.deepStrictEqual(yield* arrived(self), [])
        }
        // One that has started is another matter.
        const server = yield* told().startLink()
        yield* Process.exit(server.pid, bad)
        assert.deepStrictEqual((yield* self.receive).pid, server.pid)
      })
    ))
})

describe("start", () => {
  it.effect("LK-014 links nobody, and startLink links its caller", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const linksOf = (pid: Process.Pid<never>) =>
          Effect.map(Process.info(pid), (info) => Option.getOrThrow(info).links)
        const server = yield* told().start()
        assert.deepStrictEqual([yield* linksOf(server.pid), yield* linksOf(self.pid)], [[], []])
        const linked = yield* told().startLink()
        assert.deepStrictEqual([yield* linksOf(linked.pid), yield* linksOf(self.pid)], [[self.pid], [linked.pid]])
        yield* Process.exit(server.pid, bad)
        assert.deepStrictEqual(yield* arrived(self), [])
      })
    ))
})

describe("the name of a server", () => {
  it.effect("NM-010 that is taken: AlreadyStarted with the pid of its holder, and init is not called", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const holder = yield* told().start({ name: "server" })
        let called = false
        const server = told({ init: () => called = true })
        for (const start of [server.start, server.startLink]) {
          const before = yield* Process.list
          assert.strictEqual((yield* startFails(start({ name: "server" }), "AlreadyStarted")).pid, holder.pid)
          assert.deepStrictEqual(yield* Process.list, before)
        }
        assert.isFalse(called)
        // NM-011
        assert.deepStrictEqual(yield* arrived(self), [])
      })
    ))

  it.effect("NM-011 that is taken does not link the caller to its holder, and leaves no Exit", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const holder = yield* told().start({ name: "server" })
        yield* startFails(told().startLink({ name: "server" }), "AlreadyStarted")
        yield* Process.exit(holder.pid, bad)
        assert.deepStrictEqual(yield* arrived(self), [])
        assert.deepStrictEqual(Option.getOrThrow(yield* Process.info(self.pid)).links, [])
      })
    ))

  it.effect("NM-012 is registered before init runs, and init can be found by it", () =>
    Effect.gen(function*() {
      const init = () => Effect.all([Process.whereis("server"), Process.self])
      const server = yield* told({ init }).start({ name: "server" })
      const [found, self] = (yield* ask(server, (state) => Step.reply(state, state))) as any
      assert.deepStrictEqual([found, self], [Option.some(server.pid), server.pid])
    }).pipe(inNode))

  it.effect("NM-013 is free when a start that failed or ignored returns", () =>
    asProcess((_: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const inits = [
          () => GenServer.initStop(bad),
          () => Effect.die("boom"),
          () => Effect.fail(new Refused()),
          () => GenServer.ignore
        ]
        for (const init of inits) {
          for (const start of [told({ init }).start, told({ init }).startLink]) {
            yield* Effect.flip(start({ name: "server" }))
            assert.isTrue(Option.isNone(yield* Process.whereis("server")))
          }
        }
      })
    ))

  it.effect("NM-015 is optional", () =>
    Effect.gen(function*() {
      const server = yield* told().start({ name: undefined })
      assert.isUndefined(Option.getOrThrow(yield* Process.info(server.pid)).name)
    }).pipe(inNode))

  it.effect("NM-016 may be in the keeping of a resolver", () =>
    Effect.gen(function*() {
      const keys = new Map<string, Process.Pid<never, unknown>>()
      const via = Name.via<never>({
        register: (key, pid) => !keys.has(key) && keys.set(key, pid) === keys,
        unregister: (key) => keys.delete(key),
        whereis: (key) => keys.get(key),
        format: (key) => `via ${key}`
      }, "server")
      const server = yield* told().start({ name: via })
      assert.strictEqual(keys.get("server"), server.pid)
      assert.strictEqual(yield* Told.at(via).ask((n: number) => Step.reply(n, n)), 0)
      assert.strictEqual((yield* startFails(told().start({ name: via }), "AlreadyStarted")).pid, server.pid)
      yield* GenServer.stop(via)
      assert.strictEqual(keys.size, 0)
    }).pipe(inNode))

  it.effect("NM-016 that a resolver refuses is that of another: nothing is started, and a linked caller lives", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const holder = yield* told().start()
        // The holder came between the question and the claim.
        let asked = 0
        const via = (held: boolean) =>
          Name.via<never>({
            register: () => false,
            unregister: () => {},
            whereis: () => held && asked++ > 0 ? holder.pid : undefined,
            format: (key) => `via ${key}`
          }, "server")
        const before = yield* Process.list
        assert.strictEqual((yield* startFails(told().startLink({ name: via(true) }), "AlreadyStarted")).pid, holder.pid)
        const defect = yield* defectOf(told().startLink({ name: via(false) }))
        assert.strictEqual(defect.message, "via server: the resolver refuses this key, which nobody holds")
        yield* settle
        assert.deepStrictEqual(yield* Process.list, before)
      })
    ))

  it.effect("that is none is the caller's defect", () =>
    Effect.gen(function*() {
      const defect = yield* defectOf(told().start({ name: "" }))
      assert.strictEqual(defect.message, "name: expected a string that is not empty, got \"\"")
    }).pipe(inNode))
})
