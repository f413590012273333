/**
 * Import cycles and imports that point upward are refused, type imports included: what compiles in any order can be
 * read in one order, from `Pid` up. Cycles are looked for in every package; which file belongs to which layer is said
 * in `layers.data.ts`, and a file that is only there, or not there, is an error as well.
 */
import madge from "madge"
import { globSync } from "node:fs"
import * as path from "node:path"
import { layers } from "./layers.data.ts"

/** What is wrong with the imports below `root`, a line each. */
export const problems = async (root: string, table: typeof layers): Promise<ReadonlyArray<string>> => {
  const sources = globSync("packages/*/src", { cwd: root }).map((directory) => path.join(root, directory))
  const dependencies = await madge(sources, {
    baseDir: root,
    fileExtensions: ["ts"],
    detectiveOptions: { ts: { skipTypeImports: false } }
  })
  const found = dependencies.circular().map((cycle) => `cycle: ${[...cycle, cycle[0]].join(" -> ")}`)
  const graph = Object.entries(dependencies.obj())
  for (const [directory, rows] of Object.entries(table)) {
    const inside = (file: string) => file.startsWith(`${directory}/`)
    const layerOf = (file: string) => rows.findIndex((row) => row.some((name) => file === `${directory}/${name}.ts`))
    for (const file of rows.flat().map((name) => `${directory}/${name}.ts`)) {
      if (!graph.some(([source]) => source === file)) found.push(`missing: ${file} is in scripts/layers.data.ts only`)
    }
    for (const [file, imports] of graph.filter(([file]) => inside(file))) {
      const layer = layerOf(file)
      if (layer === -1) {
        found.push(`unknown: ${file} has no layer yet, add it to scripts/layers.data.ts`)
        continue
      }
      for (const imported of imports.filter((imported) => inside(imported) && layerOf(imported) > layer)) {
        found.push(`upward: ${file} (layer ${layer}) imports ${imported} (layer ${layerOf(imported)})`)
      }
    }
  }
  return found
}

if (import.meta.main) {
  const found = await problems(path.resolve(import.meta.dirname, ".."), layers)
  for (const problem of found) console.error(problem)
  if (found.length > 0) process.exit(1)
}
