/**
 * What the process of one system tells about one measurement: a line of JSON, the same from Node and from the BEAM.
 */
import * as Schema from "effect/Schema"

export const Sample = Schema.Struct({
  nanos: Schema.Finite,
  /** What was really done: checked against the workload before the time counts. */
  done: Schema.Finite,
  /** By how much the heap grew, garbage collected, while everything was alive. */
  heapBytes: Schema.Finite
})

export type Sample = typeof Sample.Type

/** The system has no way to express the workload. */
export const Cannot = Schema.Struct({ cannot: Schema.String })

export const Line = Schema.fromJsonString(Schema.Union([Sample, Cannot]))
