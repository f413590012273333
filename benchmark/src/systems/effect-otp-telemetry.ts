/**
 * What it costs to watch the library at work: the requests of effect-otp, to a server that makes spans or counts.
 */
import { Telemetry } from "@effect-otp/core"
import { Effect, type Layer } from "effect"
import type { Implementation, Implementations } from "../Implementation.ts"
import { call, callMany, cast } from "./effect-otp.ts"

// What counts is where the server is started, which is not timed.
const watched = (layer: Layer.Layer<never>): Implementations<"call" | "call-many" | "cast"> => {
  const by = (implementation: Implementation): Implementation => (size) => Effect.provide(implementation(size), layer)
  return { call: by(call), "call-many": by(callMany), cast: by(cast) }
}

export const spans = { implementations: watched(Telemetry.spans) }

export const metrics = { implementations: watched(Telemetry.metrics) }
