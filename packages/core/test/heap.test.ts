/** However many things are made and dropped, the heap returns to where it was. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import * as scale from "../../../test-scale.ts"

const fixture = `${import.meta.dirname}/fixtures/heap.ts`

/** Of the heap that is in use before. A field that one of a hundred thousand keeps is more than that. */
const maxGrowth = 0.05

/** What a record of empty fields takes, and no more. */
const maxBytesOfPid = 320

const Line = Schema.fromJsonString(Schema.Union([
  Schema.Struct({ name: Schema.String, before: Schema.Finite, after: Schema.Finite, millis: Schema.Finite }),
  Schema.Struct({ name: Schema.String, bytes: Schema.Finite })
]))

/** What the fixture has measured, in a program of its own, since the heap of a test runner is noisy. */
const measure = Effect.fnUntraced(function*(publicApi: string) {
  const env = { ...process.env, EFFECT_OTP_PUBLIC_API: publicApi }
  const { stdout } = yield* Effect.promise((signal) =>
    promisify(execFile)(process.execPath, ["--expose-gc", "--no-flush-bytecode", fixture, String(scale.dropped)], {
      env,
      signal
    })
  )
  return yield* Effect.forEach(stdout.trim().split("\n"), (line) => Schema.decodeEffect(Line)(line))
})

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(2)

describe("heap", { concurrent: true }, () => {
  it.live.each([
    ["with what Effect marks as internal", "0"],
    ["with Effect's public API only", "1"]
  ])(`${scale.dropped} of each are made and dropped, %s`, ([title, publicApi]) =>
    Effect.gen(function*() {
      const lines = yield* measure(publicApi!)
      const shown = lines.map((line) =>
        "bytes" in line
          ? `${line.name}: ${line.bytes} bytes`
          : `${line.name}: ${megabytes(line.before)} MB before, ${megabytes(line.after)} MB after, ${line.millis} ms`
      )
      console.log([`${scale.dropped} of each, ${title}`, ...shown].join("\n  "))
      const leaks = lines.filter((line) =>
        "bytes" in line ? line.bytes > maxBytesOfPid : line.after > line.before * (1 + maxGrowth)
      )
      assert.deepStrictEqual(leaks, [])
      assert.isAbove(lines.length, 20)
    }), 900_000)
})
