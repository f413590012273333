/**
 * Who dies with whom.
 *
 * A link joins two processes for life: when one ends abnormally, so does the other, and so on along every link. A process
 * that traps exits gets a message instead. A monitor only watches: it tells how a process ended and harms nobody.
 *
 * Run it: npx -y pnpm@12 exec node packages/examples/src/20_link.ts
 */
import { Process } from "@effect-otp/core"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Deferred, Effect, Logger } from "effect"

/** Waits for ever, and tells when it is ended. */
const idler = (gone: Deferred.Deferred<void>) => () =>
  Effect.never.pipe(
    Effect.ensuring(Console.log("  the idle child goes too")),
    Effect.ensuring(Deferred.succeed(gone, undefined))
  )

/** Dies of a bug as soon as it starts. */
const faulty = () => Console.log("  the faulty child crashes").pipe(Effect.andThen(Effect.die(new Error("a bug"))))

/** Linked to both children: the crash of one ends the parent, and through the parent the other. */
const family = (idlerGone: Deferred.Deferred<void>) => () =>
  Effect.gen(function*() {
    yield* Process.spawnLink(idler(idlerGone))
    yield* Process.spawnLink(faulty)
    yield* Effect.never
  })

/** Linked, but a child that ends normally takes nobody along. */
const patient = () =>
  Effect.gen(function*() {
    const child = yield* Process.spawnLink(() => Console.log("  the child has nothing left to do"))
    yield* Process.awaitExit(child)
    yield* Console.log("  the parent goes on")
  })

/** Linked, and traps exits: the signal arrives as a message. */
const trapper = (self: Process.Self<Process.Exit>) =>
  Effect.gen(function*() {
    yield* Process.trapExit(true)
    yield* Process.spawnLink(faulty)
    const { reason } = yield* self.receive
    yield* Console.log(`  the parent got a message: Exit, ${reason._tag}`)
  })

/** Not linked, only watching. */
const watcher = (self: Process.Self<Process.Down>) =>
  Effect.gen(function*() {
    yield* Process.spawnMonitor(faulty)
    const { reason } = yield* self.receive
    yield* Console.log(`  the watcher got a message: Down, ${reason._tag}`)
  })

export const program = Effect.gen(function*() {
  yield* Console.log("a linked child crashes")
  const idlerGone = yield* Deferred.make<void>()
  const linked = yield* Process.awaitExit(yield* Process.spawn(family(idlerGone)))
  yield* Deferred.await(idlerGone)
  yield* Console.log(`  the parent ended: ${linked._tag}`)

  yield* Console.log("a linked child ends normally")
  const normal = yield* Process.awaitExit(yield* Process.spawn(patient))

  yield* Console.log("a linked child crashes, and the parent traps exits")
  const trapping = yield* Process.awaitExit(yield* Process.spawn(trapper))

  yield* Console.log("a watched process crashes")
  const watching = yield* Process.awaitExit(yield* Process.spawn(watcher))

  return { linked, normal, trapping, watching }
})

// Without a logger, so that the reports of the crashes do not come between.
if (import.meta.main) NodeRuntime.runMain(Effect.provide(program, Logger.layer([])))
