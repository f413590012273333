/**
 * What core costs an application: all of its public modules, minified, without Effect, at most 165 kB; and no import of
 * a Node module in a bundle for the browser, Effect included. The packaging test asks the same of the packed package.
 */
import { build } from "esbuild"
import * as path from "node:path"

export const budget = 165_000

/** Bundles everything that `entry` exports, and says how large that is and which modules it left outside. */
export const bundle = async (entry: string, options: { readonly external: ReadonlyArray<string> }) => {
  const { metafile, outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    external: ["node:*", ...options.external],
    logLevel: "silent"
  })
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map((imported) => imported.path))
  return { bytes: outputFiles[0]!.contents.length, external: [...new Set(imports)].sort() }
}

if (import.meta.main) {
  const entry = path.resolve(import.meta.dirname, "../packages/core/src/index.ts")
  const alone = await bundle(entry, { external: ["effect", "effect/*"] })
  const whole = await bundle(entry, { external: [] })
  const ok = alone.bytes <= budget && whole.external.length === 0
  console.log(`core without Effect: ${alone.bytes} of ${budget} bytes; with it: ${whole.bytes} bytes`)
  if (whole.external.length > 0) console.error(`not for the browser, it imports ${whole.external.join(", ")}`)
  if (!ok) process.exit(1)
}
