import { assert, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { TestConsole } from "effect/testing"
import { program } from "../src/20_link.ts"

it.effect("a crash goes along links, unless it is trapped or only watched", () =>
  Effect.gen(function*() {
    const { linked, normal, trapping, watching } = yield* program
    assert.deepStrictEqual([linked, normal, trapping, watching].map(({ _tag }) => _tag), [
      "Crashed",
      "Normal",
      "Normal",
      "Normal"
    ])
    assert.deepStrictEqual(yield* TestConsole.logLines, [
      "a linked child crashes",
      "  the faulty child crashes",
      "  the idle child goes too",
      "  the parent ended: Crashed",
      "a linked child ends normally",
      "  the child has nothing left to do",
      "  the parent goes on",
      "a linked child crashes, and the parent traps exits",
      "  the faulty child crashes",
      "  the parent got a message: Exit, Crashed",
      "a watched process crashes",
      "  the faulty child crashes",
      "  the watcher got a message: Down, Crashed"
    ])
  }).pipe(Effect.provide(Logger.layer([]))))
