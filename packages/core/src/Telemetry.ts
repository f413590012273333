/**
 * Spans and metrics of servers: off, and free, unless a Layer switches them on.
 *
 * @since 0.1.0
 */
import * as Layer from "effect/Layer"
import { Metrics, Spans } from "./internal/telemetry.ts"

/**
 * Makes spans of the calls and casts to all servers that are started where this is provided.
 *
 * **When to use**
 *
 * Provide it to a tree next to a tracer, to see who called whom and where the time went. It costs a few microseconds a call.
 *
 * **Details**
 *
 * A call has two spans, named after the service and the request. That of the caller (kind `client`) lasts from sending to
 * the answer, and ends with its error if there is none. That of the handler (kind `server`) is its child, lasts as long as
 * the handler runs, and is the parent of what the handler does, across the processes. Its attribute
 * `effect_otp.mailbox_ms` says how long the request waited before.
 *
 * A cast has one, of its handler (kind `consumer`). It is a root with a link to the span of the sender, so that a server
 * which casts to itself does not nest spans without end.
 *
 * **Example**
 *
 * ```ts
 * import { GenServer, Step, Telemetry } from "@effect-otp/core"
 * import { Effect, Layer, Schema, Tracer } from "effect"
 *
 * class Clock extends GenServer.Service<Clock>()("docs/Clock", [GenServer.call("now", { success: Schema.Finite })]) {
 *   static readonly server = this.implement({ init: () => 12, handlers: { now: (hour) => Step.reply(hour, hour) } })
 * }
 *
 * const seen: Array<string> = []
 * const tracer = Tracer.make({
 *   span: (options) => {
 *     seen.push(`${options.kind} ${options.name}`)
 *     return new Tracer.NativeSpan(options)
 *   }
 * })
 *
 * const program = Effect.gen(function*() {
 *   const clock = yield* Clock
 *   yield* clock.now()
 *   return seen
 * }).pipe(
 *   Effect.provide(Clock.server.layer().pipe(Layer.provide(Telemetry.spans))),
 *   Effect.provideService(Tracer.Tracer, tracer)
 * )
 *
 * Effect.runPromise(program) // => ["client docs/Clock.now", "server docs/Clock.now"]
 * ```
 *
 * @see {@link metrics}
 * @category layers
 * @since 0.1.0
 */
export const spans: Layer.Layer<never> = Layer.succeed(Spans, true)

/**
 * Counts and measures what all servers do that are started where this is provided.
 *
 * **When to use**
 *
 * Provide it to a tree whose load you watch. `Metric.snapshot` and every exporter of Effect's metrics show it.
 *
 * **Details**
 *
 * Times are in milliseconds. Each has the attributes `server`, the key of the service, and (marked with *) `request`.
 *
 * - `effect_otp_requests`*: requests that were handled.
 * - `effect_otp_handler_time`*, `effect_otp_mailbox_time`*: how long the handler took, and how long the request waited.
 * - `effect_otp_mailbox_length`: how many messages were left when the last one was taken.
 * - `effect_otp_call_errors`*: calls that failed with a `CallError`; `reason` says why, such as `Timeout`.
 * - `effect_otp_skipped_requests`*: requests that were dropped, because their callers had given up.
 * - `effect_otp_crashes`: how often a server of this kind crashed.
 *
 * A message to `info` is the request `info`.
 *
 * **Example**
 *
 * ```ts
 * import { GenServer, Step, Telemetry } from "@effect-otp/core"
 * import { Effect, Layer, Metric, Schema } from "effect"
 *
 * class Clock extends GenServer.Service<Clock>()("docs/Clock", [GenServer.call("now", { success: Schema.Finite })]) {
 *   static readonly server = this.implement({ init: () => 12, handlers: { now: (hour) => Step.reply(hour, hour) } })
 * }
 *
 * const program = Effect.gen(function*() {
 *   const clock = yield* Clock
 *   yield* clock.now()
 *   const metrics = yield* Metric.snapshot
 *   return metrics.some((metric) => metric.id === "effect_otp_requests" && metric.attributes?.server === "docs/Clock")
 * }).pipe(Effect.provide(Clock.server.layer().pipe(Layer.provide(Telemetry.metrics))))
 *
 * Effect.runPromise(program) // => true
 * ```
 *
 * @see {@link spans}
 * @category layers
 * @since 0.1.0
 */
export const metrics: Layer.Layer<never> = Layer.succeed(Metrics, true)
