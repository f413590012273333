import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestConsole } from "effect/testing"
import { program } from "../src/10_process-ping-pong.ts"

it.effect("every ping is answered before the next one, then both processes end", () =>
  Effect.gen(function*() {
    const { pingerEnded, pongerEnded } = yield* program
    assert.strictEqual(pingerEnded._tag, "Normal")
    assert.strictEqual(pongerEnded._tag, "Shutdown")
    assert.deepStrictEqual(yield* TestConsole.logLines, [
      "ping 1",
      "        pong 1",
      "ping 2",
      "        pong 2",
      "ping 3",
      "        pong 3",
      "pinger ended: Normal, ponger ended: Shutdown"
    ])
  }))
