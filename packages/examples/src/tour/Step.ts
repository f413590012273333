/**
 * A step of the tour as data: what it says, the code it shows, the program it runs, and what it claims of the outcome.
 */
import { Node, Process } from "@effect-otp/core"
import * as Effect from "effect/Effect"
import * as Claim from "./Claim.ts"

export interface Step {
  readonly title: string
  /** What it shows, in two or three sentences. */
  readonly about: string
  /** The example's file, in `packages/examples/src`. */
  readonly file: string
  /** The declarations of that file to show, by how they begin: `const pinger`, `class Counter`. */
  readonly show: ReadonlyArray<string>
  /** Runs the example, and gives the claims about it once it is known what it has printed. */
  readonly run: Effect.Effect<(printed: ReadonlyArray<string>) => ReadonlyArray<Claim.Claim>, unknown>
}

/**
 * A step that runs `program` on a Node of its own, and makes `claims` about its result and the lines it has printed; and
 * one more, that it has ended every process it started.
 */
export const make = <A>({ claims, program, ...step }: Omit<Step, "run"> & {
  readonly program: Effect.Effect<A, unknown>
  readonly claims: (result: A, printed: ReadonlyArray<string>) => ReadonlyArray<Claim.Claim>
}): Step => ({
  ...step,
  run: Effect.gen(function*() {
    const result = yield* program
    const left = yield* Process.list
    return (printed: ReadonlyArray<string>) => [
      ...claims(result, printed),
      Claim.equal("No process is left behind.", left.map(String), [])
    ]
  }).pipe(Effect.provide(Node.layer()))
})
