/** A tree as a whole program: real processes of Node, signals and exit codes. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

const program = fileURLToPath(new URL("application/program.ts", import.meta.url))

interface Ended {
  readonly code: number | null
  readonly lines: ReadonlyArray<string>
  /** What the last report on the terminal says, to the end. */
  readonly report: string
}

/** Runs it to its end, and sends the signal when it says that it is ready. */
const run = (mode: string, signal?: "SIGINT" | "SIGTERM") =>
  new Promise<Ended>((resolve, reject) => {
    const child = spawn(process.execPath, [program, mode], { stdio: ["ignore", "pipe", "inherit"] })
    let output = ""
    let told = false
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text
      if (signal !== undefined && !told && output.includes("ready\n")) told = child.kill(signal)
    })
    child.on("error", reject).on("close", (code) => {
      const lines = output.split("\n").filter((line) => /^(start|stop|ready|job)/.test(line))
      resolve({ code, lines, report: output.slice(output.lastIndexOf("ERROR")) })
    })
  })

describe.concurrent("a program that is a tree", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("%s stops it in reverse order, and it ends with 130", async (signal) => {
    const { code, lines } = await run("signal", signal)
    assert.deepStrictEqual(lines, [
      "start a",
      "start b",
      "start c",
      "start d",
      "ready",
      "stop d",
      "stop c",
      "stop b",
      "stop a"
    ])
    assert.strictEqual(code, 130)
  }, 60_000)

  it("a child that does not stop in its shutdown time is killed, and the rest stops in its turn", async () => {
    const { code, lines } = await run("stubborn", "SIGTERM")
    assert.deepStrictEqual(lines, ["start a", "ready", "stop stubborn", "stop a"])
    assert.strictEqual(code, 130)
  }, 60_000)

  it("one that takes longer than the program may is killed with its children", async () => {
    const { code, lines } = await run("killed", "SIGTERM")
    assert.deepStrictEqual(lines.toSorted(), ["ready", "start a", "stop a", "stop stubborn"])
    assert.strictEqual(code, 130)
  }, 60_000)

  it("one that gives up ends with 1, and its report is the last on the terminal", async () => {
    const { code, lines, report } = await run("gaveUp")
    assert.deepStrictEqual(lines, ["start a", "start b", "stop b", "start b", "stop b", "stop a"])
    assert.strictEqual(code, 1)
    const why = "the limit is 1 restarts within 60000 ms"
    assert.match(
      report,
      new RegExp(`GaveUp: the supervisor app #PID\\S+ gave up: child b ended \\(.*\\), and ${why}\\n`)
    )
    assert.match(report, /\[cause\]: Error: the disk is full\n\s+at .*program\.ts/)
    assert.notMatch(report, /^stop/m)
  }, 60_000)

  it("one whose significant child is done ends with 0", async () => {
    const { code, lines } = await run("done")
    assert.deepStrictEqual(lines, ["start a", "job done", "stop a"])
    assert.strictEqual(code, 0)
  }, 60_000)

  it("one that does not start ends with 1, and says which child it was", async () => {
    const { code, report } = await run("notStarted")
    assert.strictEqual(code, 1)
    assert.match(report, /StartError: db did not start: init failed with Error: refused/)
  }, 60_000)
})
