/**
 * What has happened in a scenario, so that nobody takes a thousand tame ones for a proof.
 */
import type { Trace } from "./Trace.ts"

/** Each must be in at least a tenth of all scenarios. */
export const features = {
  "a kill": /^\S+ ended: killed$/,
  "a trapped exit": /^\S+ saw .*\bEXIT /,
  "a restart": /(^|, )(init|start|up) \S+#([2-9]|\d\d)/,
  "a give-up": /(^|, )gives up /,
  "an ordered shutdown": /(^|, )terminate \S+ shutdown(, .*)?, terminate \S+ shutdown/,
  "a failed start": /(^|, )init \S+ (stop|crash|exit)/
} as const

export type Feature = keyof typeof features

export const all = Object.keys(features) as ReadonlyArray<Feature>

/** Which of them a trace shows. */
export const of = (trace: Trace): ReadonlyArray<Feature> => {
  const lines = trace.flat()
  return all.filter((feature) => lines.some((line) => features[feature].test(line)))
}
