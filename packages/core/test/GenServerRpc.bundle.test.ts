/** What a bundle for the browser has in it: the module is paid for by who uses it, and each side has what it needs. */
import { assert, it } from "@effect/vitest"
import { build } from "esbuild"
import * as path from "node:path"

const protocol = `
  import { call, Service } from "@effect-otp/core/GenServer"
  export class Counter extends Service()("Counter", [call("value")]) {}
`
const client = `
  import * as GenServerRpc from "@effect-otp/core/GenServerRpc"
  ${protocol}
  export const layer = GenServerRpc.layerClient(Counter)
`
const server = `
  import * as GenServerRpc from "@effect-otp/core/GenServerRpc"
  ${protocol}
  export const layer = GenServerRpc.layer(Counter)
`

/** The modules of which something is left in the bundle of a program. */
const bundled = async (contents: string): Promise<ReadonlyArray<string>> => {
  const { metafile } = await build({
    stdin: { contents, resolveDir: path.resolve(import.meta.dirname, ".."), loader: "ts" },
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    external: ["node:*"],
    logLevel: "silent"
  })
  const [output] = Object.values(metafile.outputs)
  return Object.entries(output!.inputs)
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([file]) => path.basename(file, path.extname(file)))
}

it("the client has no RpcServer in it, and the handlers no RpcClient", async () => {
  const [inClient, inServer] = await Promise.all([bundled(client), bundled(server)])
  assert.include(inClient, "RpcClient")
  assert.notInclude(inClient, "RpcServer")
  assert.notInclude(inServer, "RpcClient")
})

it("who does not import it does not load it", async () => {
  const all = await bundled("export * as Core from \"@effect-otp/core\"")
  assert.include(all, "Supervisor")
  for (const module of ["GenServerRpc", "RpcClient", "RpcServer", "RpcGroup"]) assert.notInclude(all, module)
})
