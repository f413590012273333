/**
 * The process of a task: one with a body, which knows who asked for it.
 *
 * @internal
 */
import type { CrashDetails } from "./crashReport.ts"
import { type Behaviour, type Entry, extendLineage, type Lineage, type Origin, showLineage } from "./processTable.ts"
import { type Body, Self } from "./self.ts"
import * as Spawn from "./spawn.ts"

class TaskSelf extends Self {
  readonly callers: Lineage | undefined

  constructor(pid: Entry, body: Body, callers: Lineage | undefined) {
    super(pid, body)
    this.callers = callers
  }

  override get details(): () => CrashDetails {
    return () => ({ starter: this.callers?.shown })
  }
}

/**
 * Whoever asks for a task now, and who asked for that: a process, and if it is a task itself, its callers. By name, as
 * ancestors are: tasks that start each other for ever must not keep all that came before.
 */
export const callersFrom = (asking: Entry | undefined): Lineage | undefined => {
  if (asking === undefined) return undefined
  return extendLineage(asking, asking.state instanceof TaskSelf ? asking.state.callers : undefined)
}

/** Who asked for a process, nearest first, as they print. Nobody has, unless it is a task. */
export const callersOf = ({ state }: Entry): ReadonlyArray<string> =>
  state instanceof TaskSelf ? showLineage(state.callers) : []

const taskBehaviour: Behaviour = { ...Spawn.bodyBehaviour, initialCall: () => "Task" }

/** How the process of a task is started. */
export interface Start {
  readonly label?: string | undefined
  /** To the process that starts it. */
  readonly linked: boolean
  /** Default: the process that starts it, and its callers. */
  readonly callers?: Lineage | undefined
}

/** Makes the process of a task. `body` makes what it runs, when it is there. */
export const startTask = (
  origin: Origin,
  options: Start,
  body: (entry: Entry) => Body
): Entry => {
  const entry = Spawn.create(origin, taskBehaviour, undefined, options.label, options.linked)
  entry.state = new TaskSelf(entry, body(entry), options.callers ?? callersFrom(origin.process))
  Spawn.schedule(entry)
  return entry
}
