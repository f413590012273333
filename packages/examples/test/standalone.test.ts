import { assert, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const run = promisify(execFile)

const directory = fileURLToPath(new URL("../src/", import.meta.url))

const examples = readdirSync(directory).filter((file) => /^\d/.test(file))

/** The last line of each, as a reader sees it who runs the file by itself. */
const lastLine: Record<string, string> = {
  "10_process-ping-pong.ts": "pinger ended: Normal, ponger ended: Shutdown",
  "20_link.ts": "  the watcher got a message: Down, Crashed",
  "25_tasks.ts": "the owner ended: Normal",
  "30_counter.ts": "3",
  "35_dynamic-supervisor.ts": "  Ann has left: 1 is here",
  "40_supervisor-strategies.ts": "  b stops, c stops, a stops, a starts, b starts, c starts",
  "50_rate-limiter.ts": "five clients: 100 allowed, 0 RateLimited",
  "60_million-processes.ts": "every one has answered, 0 left alive",
  "70_promise-server.ts": "POST /tickets → 201 {\"ticket\":1}",
  "80_over-the-wire.ts": "the client ended with 0, and then the server was ended",
  "90_state-machine.ts": "anything: wrong",
  "95_registry.ts": "left: bob",
  "99_job-service.ts": "40 accepted: 40 done, 0 given up, 0 kept"
}

/** How many processes the example of the million spawns; the others take no arguments. */
const args: Record<string, ReadonlyArray<string>> = { "60_million-processes.ts": ["1000"] }

it.concurrent.each(examples)("%s runs by itself and comes to its end", async (file) => {
  const { stderr, stdout } = await run(process.execPath, [directory + file, ...args[file] ?? []])
  assert.strictEqual(stderr, "")
  assert.strictEqual(stdout.trimEnd().split("\n").at(-1), lastLine[file])
}, 60_000)
