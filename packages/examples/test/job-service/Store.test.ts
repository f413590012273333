import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import type { Entry } from "../../src/job-service/Event.ts"
import * as Store from "../../src/job-service/Store.ts"

const entries: ReadonlyArray<Entry> = [
  { at: 1, event: { _tag: "Accepted", id: "a", customer: "ann \"the\" first", what: "line\nbreak" } },
  { at: 2, event: { _tag: "Failed", id: "a", attempt: 1, why: "Crashed: Error: ü\n  at somewhere" } },
  { at: 3, event: { _tag: "Finished", id: "a", outcome: { _tag: "Done", result: "fine" } } },
  { at: 4, event: { _tag: "Totals", accepted: 1, done: 1, gaveUp: 0 } }
]

const inDirectory = <A, E>(
  test: (directory: string, fs: FileSystem.FileSystem) => Effect.Effect<A, E, FileSystem.FileSystem>
) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    return yield* test(yield* fs.makeTempDirectoryScoped(), fs)
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

const memory = () => Store.memory
const file = (directory: string) => Store.file(`${directory}/not/there/yet`)

describe.each([["memory", memory], ["a file", file]] as const)("a store in %s", (_, make) => {
  it.live("holds what was appended, opened again, and what it was replaced with", () =>
    inDirectory((directory) =>
      Effect.gen(function*() {
        const store = yield* make(directory)
        const disk = yield* store.open
        assert.deepStrictEqual(disk.entries, [])
        yield* Effect.forEach(entries, disk.append)
        const again = yield* store.open
        assert.deepStrictEqual(again.entries, entries)
        yield* again.replace(entries.slice(2))
        yield* again.append(entries[0]!)
        assert.deepStrictEqual((yield* store.open).entries, [entries[2], entries[3], entries[0]])
      })
    ))
})

describe("a store in a file", () => {
  it.live("leaves out a line that was not written to its end", () =>
    inDirectory((directory, fs) =>
      Effect.gen(function*() {
        const store = yield* Store.file(directory)
        const disk = yield* store.open
        yield* Effect.forEach(entries, disk.append)
        const path = `${directory}/jobs.jsonl`
        const text = yield* fs.readFileString(path)
        const last = text.lastIndexOf("\n", text.length - 2) + 1
        for (let length = last; length < text.length - 1; length++) {
          yield* fs.writeFileString(path, text.slice(0, length))
          assert.deepStrictEqual((yield* store.open).entries, entries.slice(0, 3), `torn after ${length}`)
        }
      })
    ))

  it.live("is not opened when it is damaged elsewhere: rather no service than one that has lost something", () =>
    inDirectory((directory, fs) =>
      Effect.gen(function*() {
        const store = yield* Store.file(directory)
        yield* fs.writeFileString(`${directory}/jobs.jsonl`, "{\"at\":1}\n{\"at\":2")
        const defect = yield* Effect.catchDefect(Effect.as(store.open, "opened"), (defect) =>
          Effect.succeed(String(defect)))
        assert.strictEqual(defect, "Error: line 1 of the journal: {\"at\":1}")
      })
    ))
})
