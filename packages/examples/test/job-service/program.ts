/** The real program as a process of its own, and its journal, read without any of its code. */
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const program = fileURLToPath(new URL("../../src/99_job-service.ts", import.meta.url))

/** Runs it to its end, with 25 jobs. When so many jobs are done, and others are not, it gets the signal. */
export const run = (directory: string, done = Infinity, signal: "SIGINT" | "SIGKILL" = "SIGINT") =>
  new Promise<{ readonly code: number | null; readonly stdout: string }>((resolve, reject) => {
    const args = [program, "--directory", directory, "--jobs", "5"]
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
    let stdout = ""
    let told = false
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
      if (!told && stdout.split(" done: ").length > done) told = child.kill(signal)
    })
    child.on("error", reject).on("close", (code) => resolve({ code, stdout }))
  })

interface Line {
  readonly event: { readonly _tag: string; readonly id: string }
}

/** The ids of all that the file tells of. The last line may be torn. */
export const journal = (directory: string) => {
  const accepted = new Set<string>()
  const finished = new Set<string>()
  const running = new Set<string>()
  const lines = readFileSync(join(directory, "jobs.jsonl"), "utf8").split("\n").slice(0, -1)
  for (const line of lines) {
    const { _tag, id } = (JSON.parse(line) as Line).event
    if (_tag === "Totals") continue
    // What is forgotten had been accepted, and finished.
    accepted.add(id)
    if (_tag === "Started") running.add(id)
    else running.delete(id)
    if (_tag === "Finished" || _tag === "Forgotten") finished.add(id)
  }
  return { accepted, finished, running }
}
