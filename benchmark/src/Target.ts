/**
 * What was aimed at before it was measured, as data, and whether it is reached. Pure.
 */
import { type Comparison, type Measured, measured } from "./Comparison.ts"
import * as Format from "./Format.ts"
import type { SystemName } from "./systems/index.ts"
import type { Name } from "./Workload.ts"

/** The library as it is by default, and on Effect's public API alone. */
const ours = { byDefault: "effect-otp", publicApi: "effect-otp-public" } as const satisfies Record<string, SystemName>

/** `speed`: operations per second relative to the BEAM, at least. `heap`: bytes for each, less than. */
type Measure = "speed" | "heap"

export interface Target {
  readonly workload: Name
  readonly measure: Measure
  /** At this size; else at the one that stands for the workload. */
  readonly n?: number
  readonly byDefault: number
  readonly publicApi: number
  /** What would be better still. */
  readonly aim: number
}

const speed = (
  workload: Name,
  byDefault: number,
  publicApi: number,
  aim: number,
  size: { readonly n?: number } = {}
): Target => ({ workload, measure: "speed", byDefault, publicApi, aim, ...size })

const heap = (workload: Name, byDefault: number, publicApi: number, aim: number): Target => ({
  workload,
  measure: "heap",
  byDefault,
  publicApi,
  aim
})

export const targets: ReadonlyArray<Target> = [
  speed("spawn", 0.7, 0.7, 1.2),
  speed("idle", 0.6, 0.3, 1, { n: 100_000 }),
  speed("idle", 2, 1, 3, { n: 1_000_000 }),
  heap("idle", 900, 1_300, 600),
  heap("idle-server", 500, 900, 300),
  speed("pingpong", 1.2, 0.6, 2),
  speed("call", 4, 4, 8),
  speed("call-many", 3, 3, 6),
  speed("cast", 1.2, 0.9, 3),
  speed("fanin", 1.2, 0.7, 3),
  speed("ring", 1, 0.5, 2),
  speed("restart", 5, 4, 10),
  speed("restart-fresh", 0.5, 0.4, 1),
  speed("selective", 1, 1, 2),
  speed("ratelimit", 2.5, 2, 4),
  speed("registry", 0.5, 0.5, 1),
  speed("tree", 0.5, 0.4, 1)
]

/** What one could pick instead. */
export const peers = ["effect", "nact", "effect-persistence", "rate-limiter-flexible"] as const satisfies ReadonlyArray<
  SystemName
>

type Peer = (typeof peers)[number]

const threeTimes: ReadonlyArray<Name> = ["call", "pingpong", "ring"]
const idle: ReadonlyArray<Name> = ["idle", "idle-server"]

/** How many times as fast as a peer the library has to be by default; undefined where nothing is promised. */
export const wanted = (workload: Name, peer: Peer): number | undefined => {
  switch (peer) {
    case "effect":
      if (workload === "spawn") return 1 / 1.3
      return threeTimes.includes(workload) ? 3 : 1
    case "nact":
      return idle.includes(workload) ? undefined : 3
    case "effect-persistence":
      return workload === "ratelimit" ? 3 : undefined
    case "rate-limiter-flexible":
      return workload === "ratelimit" ? 1 : undefined
  }
}

const none = "–"

const verdict = (met: boolean): string => met ? "met" : "not met"

const find = (comparison: Comparison | undefined, name: SystemName): Measured | undefined =>
  comparison === undefined ? undefined : measured(comparison).find(({ system }) => system.name === name)

/** The comparison of that size, or else the one that stands for the workload: of its own size, or of the largest there is. */
export const pick = (
  comparisons: ReadonlyArray<Comparison>,
  { n, workload }: { readonly n?: number; readonly workload: string }
): Comparison | undefined => {
  const all = comparisons.filter((comparison) => comparison.workload.name === workload)
  if (n !== undefined) return all.find((comparison) => comparison.n === n)
  return all.find((comparison) => comparison.n === comparison.workload.n) ?? all.at(-1)
}

const format = (measure: Measure, value: number): string =>
  measure === "heap" ? Format.bytes(value) : Format.ratio(value)

const limit = (measure: Measure, value: number): string =>
  measure === "heap" ? `under ${Format.bytes(value)}` : `${value} ×`

const cells = (measure: Measure, row: Measured | undefined, target: number): ReadonlyArray<string> => {
  const value = measure === "heap" ? row?.heapBytesPerProcess : row?.relative
  if (value === undefined) return [none, limit(measure, target), none]
  const met = measure === "heap" ? value < target : value >= target
  return [format(measure, value), limit(measure, target), verdict(met)]
}

const what = ({ measure, n, workload }: Target): string => {
  if (measure === "heap") return `${workload}, heap each`
  return n === undefined ? workload : `${workload}, ${Format.count(n)}`
}

export interface Table {
  readonly header: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
}

/** Each workload that was run with its target, by default and on the public API. */
export const reached = (comparisons: ReadonlyArray<Comparison>): Table => ({
  header: ["workload", `\`${ours.byDefault}\``, "target", "", `\`${ours.publicApi}\``, "target", "", "aim"],
  rows: targets.flatMap((target) => {
    if (pick(comparisons, { workload: target.workload }) === undefined) return []
    const comparison = pick(comparisons, target)
    return [[
      what(target),
      ...cells(target.measure, find(comparison, ours.byDefault), target.byDefault),
      ...cells(target.measure, find(comparison, ours.publicApi), target.publicApi),
      limit(target.measure, target.aim)
    ]]
  })
})

const times = (comparison: Comparison, peer: Peer): string => {
  const [own, other] = [find(comparison, ours.byDefault), find(comparison, peer)]
  if (own === undefined || other === undefined) return none
  const ratio = other.nsPerOp.median / own.nsPerOp.median
  const target = wanted(comparison.workload.name as Name, peer)
  return target === undefined ? Format.ratio(ratio) : `${Format.ratio(ratio)}, ${verdict(ratio >= target)}`
}

/** How many times as fast as each peer the library is by default. */
export const compared = (comparisons: ReadonlyArray<Comparison>): Table => {
  const names = [...new Set(comparisons.map(({ workload }) => workload.name))]
  const rows = names.map((name) => {
    const comparison = pick(comparisons, { workload: name })!
    return [name, ...peers.map((peer) => times(comparison, peer))]
  })
  return {
    header: ["workload", ...peers.map((peer) => `\`${peer}\``)],
    rows: rows.filter(([, ...cells]) => cells.some((cell) => cell !== none))
  }
}
