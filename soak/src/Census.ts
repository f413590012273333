/**
 * Counts what there is in a Node: what is left behind shows as more of something.
 */
import { Process } from "@effect-otp/core"
import { Effect, Option } from "effect"
// How many timers there are is nobody's business in a program, and so there is no public way to ask.
import { timersOf } from "../../packages/core/src/internal/current.ts"

export interface Census {
  readonly processes: number
  readonly links: number
  readonly monitors: number
  readonly names: number
  readonly timers: number
  readonly messages: number
}

/** All processes that are alive, each with what is known of it. */
export const everybody: Effect.Effect<ReadonlyArray<Process.Info>> = Effect.gen(function*() {
  const infos: Array<Process.Info> = []
  for (const pid of yield* Process.list) {
    const info = yield* Process.info(pid)
    if (Option.isSome(info) && info.value.status !== "ending") infos.push(info.value)
  }
  return infos
})

const sum = (all: ReadonlyArray<Process.Info>, count: (info: Process.Info) => number): number =>
  all.reduce((total, info) => total + count(info), 0)

export const take: Effect.Effect<Census> = Effect.gen(function*() {
  const all = yield* everybody
  return {
    processes: all.length,
    links: sum(all, ({ links }) => links.length),
    monitors: sum(all, ({ monitors }) => monitors.length),
    names: (yield* Process.registered).length,
    timers: yield* Effect.withFiber((fiber) => Effect.succeed(timersOf(fiber).size())),
    messages: sum(all, ({ mailboxLength }) => mailboxLength)
  }
})

/** What there is more or less of than there should be; nothing if all is as expected. */
export const difference = (expected: Census, actual: Census): string =>
  (Object.keys(expected) as ReadonlyArray<keyof Census>)
    .filter((what) => expected[what] !== actual[what])
    .map((what) => `${actual[what]} ${what} rather than ${expected[what]}`)
    .join(", ")
