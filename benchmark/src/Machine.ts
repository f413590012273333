/**
 * Where the numbers come from.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as os from "node:os"
import manifest from "../package.json" with { type: "json" }
import * as Beam from "./Beam.ts"
import * as Format from "./Format.ts"

/** What the numbers depend on, as pairs of a name and a value. */
export const describe = Effect.gen(function*() {
  const erlang = yield* Beam.version
  const elixir = yield* Beam.elixirVersion
  const { dependencies } = manifest
  return [
    ["processor", `${os.cpus()[0]!.model}, ${os.cpus().length} cores`],
    ["memory", `${Format.count(Math.round(os.totalmem() / 2 ** 30))} GiB`],
    ["system", `${os.type()} ${os.release()}, ${os.arch()}`],
    ["Node", `${process.versions.node}, V8 ${process.versions.v8}`],
    ["Erlang", Option.getOrElse(erlang, () => "not installed")],
    ["Elixir", Option.getOrElse(elixir, () => "not installed")],
    ...Object.entries(dependencies).filter(([name]) => !/^(@effect-otp|@effect\/platform|vega)/.test(name))
  ] as ReadonlyArray<readonly [name: string, value: string]>
})
