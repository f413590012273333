/**
 * The bugs that are planted by `planted.ts`, and who has to find each.
 *
 * `bug` is the name of its patch in `test/planted`, and each engine that is promised has the test that must fail.
 */

/** What claims to find bugs of any kind, as opposed to a test of one meaning. */
export interface Engine {
  /** The project of the tests. */
  readonly project: string
  /** The directory of its tests. */
  readonly tests: string
  /** How the error begins with which it says that something is wrong. */
  readonly says: RegExp
}

export const engines = {
  /** What the BEAM did in the same scenarios, as it was recorded. */
  conformance: { project: "conformance", tests: "conformance/test", says: /^AssertionError/ },
  /** Small programs in hundreds of orders. */
  interleavings: { project: "core", tests: "packages/core/test/interleavings", says: /^InterleavingFailed/ },
  /** What is left over at the end of a program. */
  LeakGuard: { project: "core", tests: "packages/core/test/testing", says: /^Leaked/ },
  /** Random programs beside a model of them. */
  model: { project: "core", tests: "packages/core/test/model", says: /^Error: Property falsified/ },
  /** A tree of a thousand servers in a storm of kills. */
  storm: { project: "core", tests: "packages/core/test/storm", says: /^AssertionError/ },
  /** A service that is used and hurt for an hour. */
  soak: { project: "soak", tests: "soak/test", says: /^AssertionError/ }
} satisfies Record<string, Engine>

export type EngineName = keyof typeof engines

/** A test, by its file, or by nothing where any of the directory will do, and by its name, of which the end is enough. */
export type Test = readonly [file: string, name: string]

/** A bug, and for each engine that has to find it the test that does. */
export interface Planted {
  readonly bug: string
  readonly caughtBy: Readonly<Partial<Record<EngineName, Test>>>
}

/** Whatever compares with the BEAM. */
const anyRecording: Test = [
  "recordings.test.ts",
  "in random scenarios is what the library does, from number 1 on"
]
const programs: Test = ["signals.test.ts", "do what the model does under the scheduler of a test"]
const storm: Test = [
  "storm.test.ts",
  "of kills leaves every permanent child alive, none twice, no caller without an answer, and nothing behind"
]
const limit: Test = [
  "supervisor.test.ts",
  "as many crashes as the limit allows are survived, and one more is not, whenever they come"
]

export const planted: ReadonlyArray<Planted> = [
  {
    bug: "children-stopped-in-order-of-start",
    caughtBy: {
      conformance: anyRecording,
      interleavings: ["supervisor.test.ts", "children are stopped one after the other, the last one first"]
    }
  },
  { bug: "dead-link-not-told", caughtBy: { model: programs } },
  {
    bug: "given-up-call-runs",
    caughtBy: { interleavings: ["server.test.ts", "a call that is interrupted before it is handled does not run"] }
  },
  { bug: "kill-can-be-trapped", caughtBy: { conformance: anyRecording, model: programs } },
  { bug: "monitor-left-by-a-demonitor", caughtBy: { model: programs } },
  {
    bug: "name-freed-after-the-down",
    caughtBy: { interleavings: ["process.test.ts", "a name is free for the next when the Down of its holder arrives"] }
  },
  {
    bug: "name-kept-after-a-kill",
    caughtBy: {
      soak: ["soak.test.ts", "simulated, with a fault every second: nothing is lost, and every fault is survived"]
    }
  },
  {
    bug: "one-restart-too-few",
    caughtBy: {
      conformance: anyRecording,
      interleavings: limit
    }
  },
  {
    bug: "one-restart-too-many",
    caughtBy: {
      interleavings: limit
    }
  },
  { bug: "permanent-not-restarted-after-shutdown", caughtBy: { storm } },
  {
    bug: "restart-before-release",
    caughtBy: {
      interleavings: ["supervisor.test.ts", "a child that is killed is started again when it has released what it had"]
    }
  },
  {
    bug: "second-starter-gets-the-first",
    caughtBy: {
      interleavings: ["server.test.ts", "of two starters of one name one starts it, and the other is told so"]
    }
  },
  {
    bug: "timer-outlives-its-process",
    caughtBy: {
      LeakGuard: ["LeakGuard.test.ts", "of what has ended, was cancelled, or ends with the scope of the program"]
    }
  },
  {
    bug: "two-deaths-of-a-group-counted-twice",
    caughtBy: {
      interleavings: ["supervisor.test.ts", "one_for_all brings all back when two crash at once, and none twice"]
    }
  },
  { bug: "unlink-takes-a-queued-exit", caughtBy: { model: programs } },
  {
    bug: "wake-up-lost",
    caughtBy: { interleavings: ["task.test.ts", "an await misses no answer that comes as it begins"] }
  }
]
