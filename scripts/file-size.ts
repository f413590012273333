/**
 * A file that a newcomer cannot read in one sitting usually holds a second concept. This names the source files over
 * 400 lines; it warns and never fails, since some files are long for a reason.
 */
import { globSync, readFileSync } from "node:fs"

const limit = 400

for (const file of globSync("packages/*/src/**/*.ts")) {
  const lines = readFileSync(file, "utf8").split("\n").length - 1
  if (lines > limit) console.warn(`warning: ${file} has ${lines} lines, over ${limit}`)
}
