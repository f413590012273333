/**
 * From whatever addresses a process to the process.
 *
 * @internal
 */
import { format } from "effect/Formatter"
import { type AnyName, type AnyTarget, isName, isVia } from "../Name.ts"
import { isPid, type Pid } from "../Pid.ts"
import * as Input from "./input.ts"
import type { Entry, ProcessTable } from "./processTable.ts"

export const resolve = (table: ProcessTable, target: AnyTarget): Entry | undefined => {
  if (typeof target === "string") return table.names.get(target)
  if (isPid(target)) return target as Entry
  if (isName(target)) return table.names.get(target.name)
  if (isVia(target)) return target.whereis() as Entry | undefined
  throw new TypeError(`target: expected a pid, a name or a via, got ${format(target)}`)
}

/** Of what takes a pid and nothing else. */
export const entryOfPid = (pid: Pid<never, unknown>): Entry => {
  if (!isPid(pid)) throw new TypeError(`pid: expected a pid, got ${format(pid)}`)
  return pid as Entry
}

/** A target as a person would name it. */
export const show = (target: AnyTarget): string =>
  typeof target === "string" ? target : isName(target) ? target.name : String(target)

/** How a process keeps its name: typed names and strings are the same name. */
export const nameOf = (name: AnyName): Entry["name"] & {} =>
  isVia(name) ? name : Input.nonEmpty("name", isName(name) ? name.name : name)
