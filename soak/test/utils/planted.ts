/**
 * The job service with a bug: a copy of its sources in which some text is another.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import type { Service } from "../../src/Service.ts"

const sources = fileURLToPath(new URL("../../../packages/examples/src/job-service", import.meta.url))
/** Inside the package, so that the copies find what they import. */
const copies = fileURLToPath(new URL("../../.planted", import.meta.url))

export interface Bug {
  readonly name: string
  /** In which file, what it reads, and what it reads with the bug. */
  readonly edits: ReadonlyArray<readonly [file: string, right: string, wrong: string]>
}

export const plant = ({ edits, name }: Bug): Promise<Service> => {
  const copy = path.join(copies, name.replaceAll(" ", "-"))
  rmSync(copy, { recursive: true, force: true })
  cpSync(sources, copy, { recursive: true })
  for (const [file, right, wrong] of edits) {
    const text = readFileSync(path.join(copy, file), "utf8")
    if (text.split(right).length !== 2) throw new Error(`${file} has not one place that reads ${right}`)
    // Not as a pattern: `$` means itself.
    writeFileSync(path.join(copy, file), text.replace(right, () => wrong))
  }
  return import(/* @vite-ignore */ path.join(copy, "JobService.ts"))
}
