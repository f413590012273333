/**
 * What is measured, described once for all systems: how much of it, in which unit, and what proves that it was done.
 */

/** How much work a sample does: `n` operations between `width` participants, where a workload has any. */
export interface Size {
  readonly n: number
  readonly width: number
}

export interface Workload {
  readonly name: string
  readonly title: string
  /** What one operation is. */
  readonly unit: string
  readonly n: number
  /** For a quick look, and for warming up. */
  readonly quick: number
  /** How many take part: callers, producers, … 1 where that has no meaning. */
  readonly width: number
  /** The sizes of a curve that shows anything worse than linear. */
  readonly growth: ReadonlyArray<number>
  /** Whether the heap that each of the n holds is of interest. */
  readonly heap: boolean
  /** Whether it needs the library of Elixir on the BEAM. */
  readonly elixir: boolean
  /** What a sample must report as done before its time counts. */
  readonly done: (size: Size) => number
}

const all = ({ n }: Size): number => n

const define = <const Name extends string>(
  name: Name,
  options: Pick<Workload, "title" | "unit" | "n" | "quick"> & Partial<Workload>
): Workload & { readonly name: Name } => ({
  width: 1,
  growth: [],
  heap: false,
  elixir: false,
  done: all,
  ...options,
  name
})

const idle = { n: 100_000, quick: 10_000, growth: [10_000, 100_000, 1_000_000], heap: true }

const restart = { unit: "restart", n: 10_000, quick: 1_000 }

/** Every workload, in the order of the report. */
export const workloads = [
  define("spawn", {
    title: "Start a process that ends at once",
    unit: "process",
    n: 200_000,
    quick: 20_000
  }),
  define("idle", {
    title: "Start a process that stays, waiting for a message",
    unit: "process",
    ...idle
  }),
  define("idle-server", {
    title: "Start a GenServer that stays, waiting for a request",
    unit: "server",
    ...idle
  }),
  define("pingpong", {
    title: "Send a message to another process and receive its answer",
    unit: "round trip",
    n: 200_000,
    quick: 20_000
  }),
  define("call", {
    title: "Call a GenServer and wait for the reply, with the default timeout",
    unit: "call",
    n: 200_000,
    quick: 20_000,
    growth: [1_000, 10_000, 100_000, 1_000_000]
  }),
  define("call-many", {
    title: "The same from 100 callers at once",
    unit: "call",
    n: 200_000,
    quick: 20_000,
    width: 100
  }),
  define("cast", {
    title: "Cast to a GenServer",
    unit: "cast",
    n: 500_000,
    quick: 50_000
  }),
  define("fanin", {
    title: "1,000 producers send to one process",
    unit: "message",
    n: 1_000_000,
    quick: 100_000,
    width: 1_000,
    // Each producer sends 1, 2, … and all of it is added up.
    done: ({ n, width }) => n * (n / width + 1) / 2
  }),
  define("ring", {
    title: "Pass a token around 1,000 processes",
    unit: "hop",
    n: 1_000_000,
    quick: 100_000,
    width: 1_000
  }),
  define("restart", {
    title: "A child crashes and is restarted, always by the same supervisor",
    ...restart,
    growth: [1_000, 3_000, 10_000, 30_000]
  }),
  define("restart-fresh", {
    title: "The same with a fresh supervisor every 200 restarts",
    ...restart,
    width: 200
  }),
  define("selective", {
    title: "Receive the one message wanted from behind 10,000 others",
    unit: "receive",
    n: 1_000,
    quick: 100,
    width: 10_000,
    // What was picked, and the others, which must still be there.
    done: ({ n, width }) => n + width
  }),
  define("ratelimit", {
    title: "Check a limit per client through a server, 20 requests for each client, of which half are refused",
    unit: "check",
    n: 200_000,
    quick: 20_000,
    width: 20,
    growth: [2_000, 20_000, 200_000, 2_000_000],
    // Those that were allowed.
    done: ({ n }) => n / 2
  }),
  define("registry", {
    title: "Register each of many processes under a name, with a number, and look them all up",
    unit: "name",
    n: 100_000,
    quick: 10_000,
    growth: [1_000, 10_000, 100_000, 1_000_000],
    elixir: true,
    // Process i comes with i: all that is found with the right process is added up.
    done: ({ n }) => n * (n + 1) / 2
  }),
  define("tree", {
    title: "Start a supervisor with its children, one after the other, and stop them in reverse order",
    unit: "child",
    n: 10_000,
    quick: 1_000
  })
] as const

export type Name = (typeof workloads)[number]["name"]

/** The sizes at which a workload is run, smallest first. */
export const sizesOf = (workload: Workload, quick: boolean): ReadonlyArray<number> =>
  quick ? [workload.quick] : [...new Set([workload.n, ...workload.growth])].sort((a, b) => a - b)
