/**
 * The packages as their users get them: packed, installed from the tarballs into an empty strict project in a temporary
 * directory, type-checked there with every declaration (no `skipLibCheck`), run, bundled, and timed while loading.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { budget, bundle } from "../scripts/size.ts"

const root = path.resolve(import.meta.dirname, "..")
const directory = mkdtempSync(path.join(tmpdir(), "effect-otp-package-"))
const project = path.join(directory, "project")

/** Runs a program and gives what it printed, which is also the error, since compilers complain on stdout. */
const run = (cwd: string, command: string, ...args: ReadonlyArray<string>): Promise<string> =>
  new Promise((resolve, reject) =>
    execFile(command, args, { cwd }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.trim())
      else reject(new Error(`${path.basename(command)} ${args.join(" ")}\n${stdout}${stderr}`))
    })
  )
const tsc = (cwd: string, ...args: ReadonlyArray<string>) => run(cwd, path.join(root, "node_modules/.bin/tsc"), ...args)
const node = (script: string, ...args: ReadonlyArray<string>) =>
  run(project, process.execPath, "--input-type=module", "--eval", script, "--", ...args)
const pnpm = (cwd: string, ...args: ReadonlyArray<string>) => {
  // Whoever started the tests with pnpm has it already.
  const own = process.env.npm_execpath
  return own !== undefined && path.basename(own).startsWith("pnpm") ?
    run(cwd, own, ...args) :
    run(cwd, "npx", "-y", "pnpm@12", ...args)
}

const counter = `
import { Effect, Schema } from "effect"
import { GenServer, Step } from "@effect-otp/core"

class Counter extends GenServer.Service<Counter>()("Counter", [
  GenServer.cast("increment"),
  GenServer.cast("decrement"),
  GenServer.call("value", { success: Schema.Finite })
]) {
  static readonly server = this.implement({
    init: (initial: number) => initial,
    handlers: {
      increment: (count) => Step.noReply(count + 1),
      decrement: (count) => Step.noReply(count - 1),
      value: (count) => Step.reply(count, count)
    }
  })
}

const program = Effect.gen(function*() {
  const counter = yield* Counter
  yield* counter.increment()
  yield* counter.increment()
  yield* counter.increment()
  return yield* counter.value()
}).pipe(Effect.provide(Counter.server.layer(0)))

console.log(await Effect.runPromise(program))
`

const limiter = `
import { RateLimiter } from "@effect-otp/ratelimiter"
import { Effect } from "effect"

const program = Effect.gen(function*() {
  yield* RateLimiter.check("client")
  return yield* Effect.flip(RateLimiter.check("client"))
}).pipe(Effect.provide(RateLimiter.layer({ limit: 1, window: "1 minute" })))

console.log((await Effect.runPromise(program))._tag)
`

const sealed = `
// @ts-expect-error internal
export * as internal from "@effect-otp/core/internal/lightError"
// @ts-expect-error the barrel under its own name
export * as index from "@effect-otp/core/index"
`

beforeAll(async () => {
  mkdirSync(path.join(project, "src"), { recursive: true })
  await tsc(root, "-b", "tsconfig.packages.json")
  for (const name of ["core", "ratelimiter"]) {
    await pnpm(path.join(root, "packages", name), "pack", "--out", path.join(directory, `${name}.tgz`))
  }
  const json = (file: string, value: unknown) => writeFileSync(path.join(project, file), JSON.stringify(value))
  json("package.json", {
    private: true,
    type: "module",
    dependencies: {
      "@effect-otp/core": "file:../core.tgz",
      "@effect-otp/ratelimiter": "file:../ratelimiter.tgz",
      effect: JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")).devDependencies.effect
    }
  })
  json("tsconfig.json", {
    compilerOptions: {
      module: "NodeNext",
      target: "ES2023",
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      types: [],
      rootDir: "src",
      outDir: "out"
    }
  })
  writeFileSync(path.join(project, "src/counter.ts"), counter)
  writeFileSync(path.join(project, "src/limiter.ts"), limiter)
  writeFileSync(path.join(project, "src/sealed.ts"), sealed)
  await pnpm(project, "install", "--prefer-offline", "--ignore-workspace")
}, 120_000)

afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe("package", { timeout: 60_000 }, () => {
  it("type-checks in an empty strict project, without skipLibCheck, and runs the Counter and the limiter", async () => {
    await tsc(project)
    assert.strictEqual(await node("await import('./out/counter.js')"), "3")
    assert.strictEqual(await node("await import('./out/limiter.js')"), "RateLimited")
  })

  it("seals what is internal, and nothing else", async () => {
    await node("await import('@effect-otp/core/testing'); await import('@effect-otp/core/testing/settle')")
    for (const entry of ["internal/lightError", "index", "testing/index"]) {
      const code = await node(`await import("@effect-otp/core/${entry}").catch((error) => console.log(error.code))`)
      assert.strictEqual(code, "ERR_PACKAGE_PATH_NOT_EXPORTED", entry)
    }
  })

  it("is at most 165 kB minified with Effect left out, and needs no Node in a browser", async () => {
    const entry = (name: string) => path.join(project, "node_modules/@effect-otp", name, "dist/index.js")
    const core = await bundle(entry("core"), { external: ["effect", "effect/*"] })
    assert.isAtMost(core.bytes, budget)
    for (const name of ["core", "ratelimiter"]) {
      assert.deepStrictEqual((await bundle(entry(name), { external: [] })).external, [])
    }
  })

  it("loads GenServer no slower than effect is loaded, median of 11 fresh processes", async () => {
    const load = async (entry: string) =>
      Number(
        await node(
          "const t = performance.now(); await import(process.argv[1]); console.log(performance.now() - t)",
          entry
        )
      )
    const times: { readonly effect: Array<number>; readonly ours: Array<number> } = { effect: [], ours: [] }
    for (let round = 0; round < 11; round++) {
      times.effect.push(await load("effect"))
      times.ours.push(await load("@effect-otp/core/GenServer"))
    }
    const median = (values: ReadonlyArray<number>) => values.toSorted((a, b) => a - b)[5]!
    assert.isAtMost(median(times.ours), median(times.effect), JSON.stringify(times))
  })
})
