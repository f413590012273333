import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose-gc")
const collectGarbage: () => void = runInNewContext("gc")

/** The bytes that are in use when all garbage has been collected. */
export const heapUsed = (): number => {
  collectGarbage()
  return process.memoryUsage().heapUsed
}
