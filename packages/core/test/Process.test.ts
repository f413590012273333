import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Process from "@effect-otp/core/Process"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import * as scale from "../../../test-scale.ts"
import { arrived, asProcess, downOf, idle, idleLinked, inNode, queued, signal } from "./utils/process.ts"

const bad = ExitReason.custom("bad")

describe("spawn", () => {
  it.effect("PR-001 spawn returns the pid before the body begins", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        const child = yield* Process.spawn(() => Process.send(self.pid, "child"))
        yield* Process.send(self.pid, "parent")
        assert.isTrue(yield* Process.isAlive(child))
        assert.deepStrictEqual(yield* arrived(self), ["parent", "child"])
      })
    ))

  it.effect("what is no body is refused, with its value, and nothing is started", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const spawns = [
          Effect.asVoid(Process.spawn(42 as never)),
          Effect.asVoid(Process.spawnLink(42 as never)),
          Effect.asVoid(Process.spawnMonitor(42 as never))
        ]
        for (const spawn of spawns) {
          const child = yield* Process.spawn((_: Process.Self<Process.Down>) => spawn)
          assert.strictEqual(
            ExitReason.format(yield* downOf(self, child)),
            "Crashed: TypeError: body: expected a function, got 42"
          )
          assert.deepStrictEqual(yield* Process.list, [self.pid])
        }
      })
    ))

  it.effect("PR-002 a child that crashes at once is linked already: its parent gets its exit, never NoProcess", () =>
    asProcess((self: Process.Self<Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const child = yield* Process.spawnLink(() => Process.exit(bad))
        assert.deepStrictEqual(signal(yield* self.receive), ["Exit", child, bad])
      })
    ))

  it.effect("PR-003 a child that ends at once is monitored already: the Down has its reason, never NoProcess", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const [child, ref] = yield* Process.spawnMonitor(() => Process.exit(bad))
        const down = yield* self.receive
        assert.strictEqual(down.ref, ref)
        assert.deepStrictEqual(signal(down), ["Down", child, bad])
      })
    ))

  it.effect("PR-003 nothing comes between spawn and monitor, also where the scheduler takes the turn away", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        // Far more steps than a fiber may take in one turn.
        for (let i = 0; i < 3000; i++) yield* Process.spawnMonitor(() => Process.exit(bad))
        for (let i = 0; i < 3000; i++) assert.deepStrictEqual((yield* self.receive).reason, bad)
      })
    ))

  it.effect("PR-004 a process whose body returns ends Normal, whatever it returned", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        yield* Process.spawnMonitor(() => Effect.succeed({ any: "value" }))
        assert.deepStrictEqual((yield* self.receive).reason, ExitReason.normal)
      })
    ))

  it.effect("spawnScoped ends the process with the Scope, and waits until it has ended", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        yield* Effect.scoped(Effect.gen(function*() {
          const child = yield* Process.spawnScoped(() =>
            Effect.onInterrupt(Effect.never, () => Process.send(self.pid, "released"))
          )
          yield* Process.monitor(child)
          yield* settle
        }))
        const [released, down] = yield* queued(self)
        assert.strictEqual(released, "released")
        assert.deepStrictEqual((down as Process.Down).reason, ExitReason.shutdown())
      })
    ))

  it.effect("PR-021 a process knows who started it, nearest first", () =>
    asProcess((self: Process.Self<ReadonlyArray<string>>) =>
      Effect.gen(function*() {
        const ancestors = (pid: Process.Pid<never>) =>
          Effect.map(Process.info(pid), (info) => Option.getOrThrow(info).ancestors)
        const parent = yield* Process.spawn((own: Process.Self<"go">) =>
          Effect.gen(function*() {
            yield* own.receive
            const child = yield* Process.spawn((grandchild) =>
              Effect.flatMap(ancestors(grandchild.pid), (shown) => Process.send(self.pid, shown))
            )
            return yield* Process.awaitExit(child)
          })
        )
        yield* Process.register("parent", parent)
        yield* Process.send(parent, "go")
        assert.deepStrictEqual(yield* self.receive, [`parent ${parent}`, `${self.pid}`])
      })
    ))

  it.effect("a label is read by others, and is gone with the process", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const labelOf = (pid: Process.Pid<never>) => Effect.map(Process.info(pid), Option.map((info) => info.label))
        const child = yield* Process.spawn(() => Effect.never, { label: "worker of order 12" })
        assert.deepStrictEqual(yield* labelOf(child), Option.some("worker of order 12"))
        assert.deepStrictEqual(yield* labelOf(self.pid), Option.some(undefined))
        yield* Process.exit(child, ExitReason.kill)
        assert.deepStrictEqual(yield* labelOf(child), Option.none())
      })
    ))

  it.effect("PR-031 the crash of a process does not touch one that is not linked to it", () =>
    asProcess((self: Process.Self<Process.Down | "pong">) =>
      Effect.gen(function*() {
        const other = yield* Process.spawn((own: Process.Self<"ping">) =>
          Effect.andThen(own.receive, Process.send(self.pid, "pong"))
        )
        assert.strictEqual((yield* downOf(self, yield* Process.spawn(() => Effect.die("boom"))))._tag, "Crashed")
        yield* Process.send(other, "ping")
        assert.strictEqual(yield* self.receive, "pong")
      })
    ))

  it.effect("PR-028 a process that is always busy does not keep others from their turns", () =>
    asProcess((self: Process.Self<"pong">) =>
      Effect.gen(function*() {
        const busy: Effect.Effect<never> = Effect.flatMap(Effect.void, () => busy)
        const worker = yield* Process.spawn(() => busy)
        const other = yield* Process.spawn((own: Process.Self<"ping">) =>
          Effect.andThen(own.receive, Process.send(self.pid, "pong"))
        )
        yield* Process.send(other, "ping")
        assert.strictEqual(yield* self.receive, "pong")
        assert.isTrue(yield* Process.isAlive(worker))
      })
    ))

  it.effect("PR-023 a process sleeps for 0 and for more than 2^32 milliseconds", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        yield* Process.spawn(() => Effect.andThen(Effect.sleep(0), Process.send(self.pid, "short")))
        yield* Process.spawn(() => Effect.andThen(Effect.sleep(2 ** 33), Process.send(self.pid, "long")))
        assert.strictEqual(yield* self.receive, "short")
        yield* TestClock.adjust(2 ** 33 - 1)
        assert.deepStrictEqual(yield* arrived(self), [])
        yield* TestClock.adjust(1)
        assert.strictEqual(yield* self.receive, "long")
      })
    ))
})

describe("send", () => {
  it.effect("PR-005 a message to a process that has ended is dropped, and the sender goes on", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const [dead] = yield* Process.spawnMonitor((own: Process.Self<string>) =>
          Effect.ignore(own.receiveMatch(() => true, { after: 0 }))
        )
        assert.deepStrictEqual((yield* self.receive).reason, ExitReason.normal)
        assert.isUndefined(yield* Process.send(dead, "anybody?"))
      })
    ))

  it.effect("PR-006 a message to a name that nobody holds is a defect which says the name", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const reason = yield* downOf(self, yield* Process.spawn(() => Process.send("nobody", "anybody?")))
        assert.match(ExitReason.format(reason), /^Crashed: Error: cannot send to nobody: no process is registered/)
      })
    ))

  it.effect("PR-007 messages of one process arrive in the order in which they were sent", () =>
    asProcess((self: Process.Self<number>) =>
      Effect.gen(function*() {
        const sent = Array.from({ length: scale.messages }, (_, i) => i)
        yield* Process.spawn(() => Effect.forEach(sent, (i) => Process.send(self.pid, i), { discard: true }))
        for (const expected of sent) assert.strictEqual(yield* self.receive, expected)
      })
    ))

  it.effect("PR-009 messages and exit signals of one process arrive in one order", () =>
    asProcess((self: Process.Self<"before" | "after" | Process.Exit>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const sender = yield* Process.spawn(() =>
          Effect.gen(function*() {
            yield* Process.send(self.pid, "before")
            yield* Process.exit(self.pid, bad)
            yield* Process.send(self.pid, "after")
          })
        )
        const [before, exit, after] = yield* arrived(self)
        assert.deepStrictEqual([before, after], ["before", "after"])
        assert.deepStrictEqual(signal(exit as Process.Exit), ["Exit", sender, bad])
      })
    ))

  it.effect("PR-009 a process that dies by a signal never sees what was sent after it", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const victim = yield* Process.spawn((own: Process.Self<string>) =>
          Effect.forever(Effect.flatMap(own.receive, (message) => Process.send(self.pid, message)))
        )
        yield* Process.monitor(victim)
        yield* Process.send(victim, "seen")
        assert.deepStrictEqual(yield* arrived(self), ["seen"])
        yield* Process.exit(victim, bad)
        yield* Process.send(victim, "not seen")
        const [down, ...more] = yield* arrived(self)
        assert.deepStrictEqual(signal(down as Process.Down), ["Down", victim, bad])
        assert.deepStrictEqual(more, [])
      })
    ))

  it.effect("PR-009 link, unlink, monitor and demonitor keep their place among the other signals", () =>
    asProcess((self: Process.Self<"linked" | "unlinked" | Process.Exit | Process.Down>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const target = yield* idle
        yield* Process.link(target)
        const first = yield* Process.monitor(target)
        yield* Process.unlink(target)
        yield* Process.demonitor(first)
        const second = yield* Process.monitor(target)
        yield* Process.exit(target, bad)
        yield* Process.monitor(target)
        const down = yield* self.receive as Effect.Effect<Process.Down>
        assert.deepStrictEqual([down.ref, down.reason], [second, bad])
        const later = yield* self.receive as Effect.Effect<Process.Down>
        assert.deepStrictEqual(later.reason, bad)
        assert.deepStrictEqual(yield* arrived(self), [])
      })
    ))

  it.effect("PR-010 what a process sent before it ended comes before its Exit and its Down", () =>
    asProcess((self: Process.Self<1 | 2 | Process.Exit | Process.Down>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const child = yield* Process.spawnLink(() =>
          Effect.gen(function*() {
            yield* Process.send(self.pid, 1)
            yield* Process.send(self.pid, 2)
            return yield* Process.exit(bad)
          })
        )
        yield* Process.monitor(child)
        const [first, second, ...ends] = yield* arrived(self)
        assert.deepStrictEqual([first, second], [1, 2])
        assert.sameDeepMembers(ends.map((end) => signal(end as Process.Exit | Process.Down)), [
          ["Exit", child, bad],
          ["Down", child, bad]
        ])
      })
    ))

  for (const reason of [ExitReason.kill, bad]) {
    it.effect(`PR-011 a fatal ${reason._tag} signal acts on arrival: what is queued is never handled`, () =>
      asProcess((self: Process.Self<string | Process.Down>) =>
        Effect.gen(function*() {
          const victim = yield* Process.spawn((own: Process.Self<string>) =>
            Effect.forever(Effect.flatMap(own.receive, (message) => Process.send(self.pid, message)))
          )
          yield* settle
          yield* Process.monitor(victim)
          yield* Process.send(victim, "queued 1")
          yield* Process.send(victim, "queued 2")
          yield* Process.exit(victim, reason)
          assert.deepStrictEqual((yield* arrived(self)).map((message) => (message as Process.Down)._tag), ["Down"])
        })
      ))
  }

  it.effect("PR-029 a message to oneself goes to the end of the own mailbox", () =>
    asProcess((self: Process.Self<string>) =>
      Effect.gen(function*() {
        yield* Process.spawn(() => Process.send(self.pid, "of another"))
        yield* settle
        yield* Process.send(self.pid, "own")
        assert.deepStrictEqual(yield* queued(self), ["of another", "own"])
      })
    ))

  it.effect("a message is shared, not copied", () =>
    asProcess((self: Process.Self<{ readonly value: number }>) =>
      Effect.gen(function*() {
        const message = { value: 1 }
        yield* Process.spawn(() => Process.send(self.pid, message))
        assert.strictEqual(yield* self.receive, message)
      })
    ))

  it.effect("a user message that looks like a signal is not one", () =>
    asProcess((self: Process.Self<{ readonly _tag: "Down" | "Exit"; readonly reason: ExitReason.ExitReason }>) =>
      Effect.gen(function*() {
        yield* Process.send(self.pid, { _tag: "Down", reason: bad })
        yield* Process.send(self.pid, { _tag: "Exit", reason: bad })
        const messages = yield* queued(self)
        assert.deepStrictEqual(messages.map(Process.isDown), [false, false])
        assert.deepStrictEqual(messages.map(Process.isExit), [false, false])
      })
    ))
})

describe("the end", () => {
  it.effect("PR-012 only the first fatal signal sets the reason", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const victim = yield* idle
        yield* Process.monitor(victim)
        yield* Process.exit(victim, bad)
        yield* Process.exit(victim, ExitReason.custom("later"))
        assert.deepStrictEqual((yield* self.receive).reason, bad)
      })
    ))

  it.effect("PR-012 the end of a killed process that it is linked to is a later one, too", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const linked = yield* idle
        const [victim] = yield* Process.spawnMonitor(() =>
          Effect.andThen(Process.link(linked), Effect.ensuring(Effect.never, Deferred.await(gate)))
        )
        yield* settle
        yield* Process.exit(victim, bad)
        yield* Process.exit(linked, ExitReason.kill)
        assert.deepStrictEqual(yield* arrived(self), [])
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual((yield* arrived(self)).map((m) => signal(m as Process.Down)), [["Down", victim, bad]])
      })
    ))

  it.effect("PR-013 a signal ends a receive that waits with a timeout, and the timeout has no effect any more", () =>
    asProcess((self: Process.Self<string | Process.Down>) =>
      Effect.gen(function*() {
        const victim = yield* Process.spawn((own: Process.Self<never>) =>
          Effect.catch(own.receiveMatch(() => true, { after: "1 second" }), () => Process.send(self.pid, "timeout"))
        )
        yield* settle
        yield* Process.monitor(victim)
        yield* Process.exit(victim, bad)
        assert.deepStrictEqual((yield* self.receive as Effect.Effect<Process.Down>).reason, bad)
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(yield* arrived(self), [])
      })
    ))

  it.effect("PR-014 after a signal that ends a process, its sender sees that it is not alive", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const killed = yield* idle
        yield* Process.exit(killed, ExitReason.kill)
        assert.isFalse(yield* Process.isAlive(killed))
        const ended = yield* idle
        yield* Process.exit(ended, bad)
        assert.isFalse(yield* Process.isAlive(ended))
        const other = yield* idle
        yield* Process.exit(other, ExitReason.normal)
        assert.isTrue(yield* Process.isAlive(other))
        assert.isFalse(yield* Process.isAlive("nobody"))
      })
    ))

  it.effect("PR-025 an error ends a process with its Cause, Process.exit with the bare reason", () =>
    asProcess((self: Process.Self<Process.Down>) =>
      Effect.gen(function*() {
        const died = yield* downOf(self, yield* Process.spawn(() => Effect.die("boom")))
        assert.isTrue(ExitReason.isCrashed(died) && Cause.squash(died.cause) === "boom" && Cause.hasDies(died.cause))
        const failed = yield* downOf(self, yield* Process.spawn(() => Effect.fail("no")))
        assert.isTrue(
          ExitReason.isCrashed(failed) && Cause.squash(failed.cause) === "no" && Cause.hasFails(failed.cause)
        )
        const threw = yield* downOf(
          self,
          yield* Process.spawn(() => {
            throw "up"
          })
        )
        assert.isTrue(ExitReason.isCrashed(threw) && Cause.squash(threw.cause) === "up")
        assert.strictEqual(yield* downOf(self, yield* Process.spawn(() => Process.exit(bad))), bad)
      })
    ))

  it.effect("PR-026 any term is a reason, and arrives as it was given", () =>
    asProcess((self: Process.Self<Process.Exit | Process.Down>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const term = {
          tag: "quota",
          of: [1, { deep: new Map([["a", 1]]) }],
          large: Array.from({ length: 100_000 }, String)
        }
        const child = yield* Process.spawnLink(() => Process.exit(ExitReason.custom(term)))
        yield* Process.monitor(child)
        for (const message of [yield* self.receive, yield* self.receive]) {
          assert.deepStrictEqual(message.reason, ExitReason.custom(structuredClone(term)))
        }
      })
    ))

  it.effect("a process that ends another sees its name free and its links told, whoever watched first", () =>
    asProcess((self: Process.Self<"awaited" | Process.Down>) =>
      Effect.gen(function*() {
        const child = yield* idle
        yield* Process.spawn(() => Effect.andThen(Process.awaitExit(child), Process.send(self.pid, "awaited")))
        yield* settle
        yield* Process.monitor(child)
        yield* Process.exit(child, bad)
        const [down, awaited] = yield* arrived(self)
        assert.isTrue(Process.isDown(down))
        assert.strictEqual(awaited, "awaited")
      })
    ))

  it.effect("awaitExit gives the reason, at once when the process has ended, and NoProcess for an unknown name", () =>
    inNode(Effect.gen(function*() {
      const pid = yield* Process.spawn(() => Process.exit(bad))
      assert.deepStrictEqual(yield* Process.awaitExit(pid), bad)
      assert.deepStrictEqual(yield* Process.awaitExit(pid), bad)
      assert.deepStrictEqual(yield* Process.awaitExit("nobody"), ExitReason.noProcess)
    })))

  it.effect("exactly the declared signals reach a mailbox that is selective about them", () =>
    asProcess((self: Process.Self<"go" | Process.Exit | Process.Down>) =>
      Effect.gen(function*() {
        yield* Process.trapExit(true)
        const child = yield* idleLinked
        yield* Process.monitor(child)
        yield* Process.send(self.pid, "go")
        yield* Process.exit(child, bad)
        yield* settle
        assert.strictEqual(yield* self.receiveMatch((m) => m === "go"), "go")
        assert.isTrue(Process.isDown(yield* self.receiveMatch((m): m is Process.Down => Process.isDown(m))))
        assert.isTrue(Process.isExit(yield* self.receiveMatch((m): m is Process.Exit => Process.isExit(m))))
      })
    ))
})

describe("info", () => {
  it.effect("PR-016 there is no info of a process that has ended", () =>
    asProcess(() =>
      Effect.gen(function*() {
        const dead = yield* idle
        yield* Process.exit(dead, ExitReason.kill)
        assert.deepStrictEqual(yield* Process.info(dead), Option.none())
        assert.deepStrictEqual(yield* Process.info("nobody"), Option.none())
      })
    ))

  it.effect("PR-017 a process without a name has none in its info", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        assert.isUndefined(Option.getOrThrow(yield* Process.info(self.pid)).name)
        yield* Process.register("me", self.pid)
        assert.strictEqual(Option.getOrThrow(yield* Process.info(self.pid)).name, "me")
      })
    ))

  it.effect("it tells what a process does, and how much waits for it", () =>
    asProcess((self: Process.Self<"ready">) =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const busy = yield* Process.spawn((own: Process.Self<number>) =>
          Effect.gen(function*() {
            yield* own.receive
            yield* Effect.ensuring(Process.send(self.pid, "ready"), Effect.ignore(Deferred.await(gate)))
            return yield* own.receiveMatch((n) => n < 0)
          })
        )
        const info = Effect.map(Process.info(busy), Option.getOrThrow)
        yield* settle
        assert.deepInclude(yield* info, { pid: busy, status: "waiting", mailboxLength: 0, trapExit: false })
        yield* Process.send(busy, 1)
        yield* self.receive
        yield* Process.send(busy, 2)
        yield* Process.send(busy, 3)
        assert.deepInclude(yield* info, { status: "running", mailboxLength: 2 })
        yield* Process.exit(busy, bad)
        assert.deepInclude(yield* info, { status: "ending" })
        yield* Deferred.succeed(gate, undefined)
        yield* Process.awaitExit(busy)
        assert.deepStrictEqual(yield* Process.info(busy), Option.none())
      })
    ))

  it.effect("list has every process of the Node, oldest first, until it has ended", () =>
    asProcess((self: Process.Self<never>) =>
      Effect.gen(function*() {
        const a = yield* idle
        const b = yield* idle
        const c = yield* idle
        assert.deepStrictEqual(yield* Process.list, [self.pid, a, b, c])
        yield* Process.exit(b, ExitReason.kill)
        assert.deepStrictEqual(yield* Process.list, [self.pid, a, c])
        yield* Process.exit(a, ExitReason.kill)
        yield* Process.exit(c, ExitReason.kill)
        assert.deepStrictEqual(yield* Process.list, [self.pid])
      })
    ))
})

describe("many", () => {
  const many = Math.min(scale.processes, 100_000)

  it.effect(
    `a chain of ${many} linked processes dies as one`,
    () =>
      asProcess((self: Process.Self<Process.Down>) =>
        Effect.gen(function*() {
          const first = yield* idle
          let last: Process.Pid<never> = first
          for (let i = 1; i < many; i++) {
            const before: Process.Pid<never> = last
            last = yield* Process.spawn(() => Effect.andThen(Process.link(before), Effect.never))
          }
          yield* settle
          yield* Process.monitor(last)
          yield* Process.exit(first, bad)
          assert.deepStrictEqual((yield* self.receive).reason, bad)
          assert.deepStrictEqual(yield* Process.list, [self.pid])
        })
      ),
    60_000
  )

  it.effect(
    `a chain of ${many} processes whose finalizers end one another ends to the last`,
    () =>
      asProcess((self: Process.Self<Process.Down>) =>
        Effect.gen(function*() {
          const first = yield* idle
          let last: Process.Pid<never> = first
          for (let i = 1; i < many; i++) {
            const before: Process.Pid<never> = last
            last = yield* Process.spawn(() => Effect.onInterrupt(Effect.never, () => Process.exit(before, bad)))
          }
          yield* settle
          yield* Process.monitor(first)
          yield* Process.exit(last, bad)
          assert.deepStrictEqual((yield* self.receive).reason, bad)
          yield* settle
          assert.deepStrictEqual(yield* Process.list, [self.pid])
        })
      ),
    60_000
  )

  it.effect(
    `a chain of ${many} processes that each await the end of another unwinds`,
    () =>
      asProcess((self: Process.Self<Process.Down>) =>
        Effect.gen(function*() {
          const first = yield* idle
          let last: Process.Pid<never> = first
          for (let i = 1; i < many; i++) {
            const before: Process.Pid<never> = last
            last = yield* Process.spawn(() => Process.awaitExit(before))
          }
          yield* settle
          yield* Process.monitor(last)
          yield* Process.exit(first, bad)
          assert.deepStrictEqual((yield* self.receive).reason, ExitReason.normal)
          assert.deepStrictEqual(yield* Process.list, [self.pid])
        })
      ),
    60_000
  )

  it.effect(
    `${many} processes that watch one are all told`,
    () =>
      asProcess((self: Process.Self<"told">) =>
        Effect.gen(function*() {
          const watched = yield* idle
          for (let i = 0; i < many; i++) {
            yield* Process.spawn((own: Process.Self<Process.Down>) =>
              Effect.gen(function*() {
                yield* Process.monitor(watched)
                yield* own.receive
                yield* Process.send(self.pid, "told")
              })
            )
          }
          yield* settle
          yield* Process.exit(watched, ExitReason.kill)
          assert.strictEqual((yield* arrived(self)).length, many)
        })
      ),
    60_000
  )
})
