import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestConsole } from "effect/testing"
import { program } from "../src/80_over-the-wire.ts"

const visit = ["took 4, left: 3", "took 4: NotEnough", "dropped it: ServerExited", "took 1, left: 4"]

// Two processes and real sockets, so the real clock.
it.live("two processes: typed errors, a crash survived, forged input refused", () =>
  Effect.gen(function*() {
    const { code, lines } = yield* program
    const said = (who: string) => lines.filter((line) => line.startsWith(who)).map((line) => line.slice(who.length + 2))
    assert.strictEqual(code, 0)
    assert.deepStrictEqual(said("client"), [
      "HTTP",
      ...visit,
      // The stock is what the visit before has left.
      "WebSocket",
      "took 4, left: 2",
      ...visit.slice(1),
      "forged",
      "sent {\"count\":\"all\"}: Expected number at [\"count\"]",
      "sent {\"__proto__\":{\"count\":1}}: Missing key at [\"count\"]"
    ])
    assert.deepStrictEqual(said("server"), Array(3).fill("the stock starts with 5"))
  }).pipe(Effect.provide(TestConsole.layer)), 30_000)
