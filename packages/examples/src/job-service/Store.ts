/**
 * Where the journal is kept: the disk of the service, which no process of it can take along.
 *
 * It is opened by the one server that uses it, anew by each incarnation of that.
 */
import { Effect, FileSystem, Option, Schema } from "effect"
import { Entry } from "./Event.ts"

export interface Store {
  readonly open: Effect.Effect<Disk>
}

export interface Disk {
  /** What is there. */
  readonly entries: ReadonlyArray<Entry>
  /** When it is done the entry is there whatever happens. */
  readonly append: (entry: Entry) => Effect.Effect<void>
  /** All of it, or nothing. */
  readonly replace: (entries: ReadonlyArray<Entry>) => Effect.Effect<void>
}

/** For tests. It lasts as long as this value. */
export const memory: Effect.Effect<Store> = Effect.sync(() => {
  let disk: Array<Entry> = []
  return {
    open: Effect.sync(() => ({
      entries: disk.slice(),
      append: (entry) => Effect.sync(() => void disk.push(entry)),
      replace: (entries) => Effect.sync(() => void (disk = entries.slice()))
    }))
  }
})

const Line = Schema.fromJsonString(Entry)
const encode = Schema.encodeSync(Line)
const decode = Schema.decodeUnknownOption(Line)

/** A file of JSON lines in a directory. One service at a time. */
export const file = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = `${directory}/jobs.jsonl`

  const writeTo = (path: string, flag: "a" | "w", entries: ReadonlyArray<Entry>) =>
    Effect.gen(function*() {
      const file = yield* fs.open(path, { flag })
      yield* file.writeAll(new TextEncoder().encode(entries.map((entry) => `${encode(entry)}\n`).join("")))
      // Written is what the machine cannot forget, either.
      yield* file.sync
    }).pipe(Effect.scoped, Effect.orDie)

  const readAll = Effect.gen(function*() {
    yield* fs.makeDirectory(directory, { recursive: true })
    return (yield* fs.exists(path)) ? parse(yield* fs.readFileString(path)) : []
  }).pipe(Effect.orDie)

  const store: Store = {
    open: Effect.map(readAll, (entries) => ({
      entries,
      append: (entry) => writeTo(path, "a", [entry]),
      // Under its own name when it is complete. Whoever writes late, an incarnation that was killed, writes to the old file.
      replace: (entries) =>
        Effect.andThen(writeTo(`${path}.new`, "w", entries), Effect.orDie(fs.rename(`${path}.new`, path)))
    }))
  }
  return store
})

/** A line that was not written to its end was acknowledged to nobody. It can only be the last. */
const parse = (text: string): ReadonlyArray<Entry> => {
  const lines = text.split("\n")
  const last = lines.pop()!
  return [
    ...lines.map((line, i) =>
      Option.getOrThrowWith(decode(line), () => new Error(`line ${i + 1} of the journal: ${line}`))
    ),
    ...Option.toArray(decode(last))
  ]
}
