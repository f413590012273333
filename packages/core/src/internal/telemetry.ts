/**
 * What a server tells of its requests, when it was started where somebody wants to know.
 *
 * A server that was not has no `Telemetry`, and pays a look at one field for each message.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Tracer from "effect/Tracer"
import { CallError } from "../OtpError.ts"
import type { Entry } from "./processTable.ts"

/** Whether servers that are started make spans. */
export const Spans = Context.Reference<boolean>("@effect-otp/core/Telemetry/spans", { defaultValue: () => false })

/** Whether servers that are started count and measure. */
export const Metrics = Context.Reference<boolean>("@effect-otp/core/Telemetry/metrics", { defaultValue: () => false })

// ----------------------------------------------------------------------------
// metrics
// ----------------------------------------------------------------------------

// Milliseconds: from what a handler takes that only computes to what a caller has given up on.
const boundaries = [0.01, 0.1, 1, 5, 10, 50, 100, 500, 1000, 5000, 10000, 60000]

const requests = Metric.counter("effect_otp_requests", {
  description: "Requests and messages that a server has begun to handle",
  incremental: true
})
const handlerTime = Metric.histogram("effect_otp_handler_time", {
  description: "Milliseconds that the handler of a request took",
  boundaries
})
const mailboxTime = Metric.histogram("effect_otp_mailbox_time", {
  description: "Milliseconds that a request waited in the mailbox",
  boundaries
})
const mailboxLength = Metric.gauge("effect_otp_mailbox_length", {
  description: "Messages in the mailbox of a server when it took the last one"
})
const callErrors = Metric.counter("effect_otp_call_errors", {
  description: "Calls that failed with a CallError, by its reason: Timeout, ServerExited, ...",
  incremental: true
})
const skipped = Metric.counter("effect_otp_skipped_requests", {
  description: "Requests that were not handled because their callers had given up",
  incremental: true
})
const crashes = Metric.counter("effect_otp_crashes", {
  description: "Servers that crashed",
  incremental: true
})

// ----------------------------------------------------------------------------
// what one server tells
// ----------------------------------------------------------------------------

/** When a request was sent, and in which span. */
interface Sent {
  readonly at: bigint
  readonly span: Tracer.AnySpan | undefined
}

/** A handler that runs. */
interface Handling {
  readonly tag: string
  readonly at: bigint
  readonly span: Tracer.Span | undefined
}

export class Telemetry {
  readonly #entry: Entry
  /** Kept: a call may fail because its server has ended, which has no context any more. */
  readonly #own: Context.Context<never>
  readonly #server: string
  readonly #spans: boolean
  readonly #metrics: boolean
  readonly #clock: Clock.Clock
  /** By request: nearly none has been sent to a server that tells, so it is no field of all of them. */
  readonly #sent = new WeakMap<object, Sent>()
  /** The context in which the metrics of a request are updated, by its tag. */
  readonly #contexts = new Map<string, Context.Context<never>>()
  #handling: Handling | undefined = undefined

  constructor(entry: Entry, server: string, spans: boolean, metrics: boolean) {
    this.#entry = entry
    this.#own = entry.context
    this.#server = server
    this.#spans = spans
    this.#metrics = metrics
    this.#clock = Context.get(entry.context, Clock.Clock)
  }

  /** A call, from when it is made until it is answered or given up. `send` gets the span of the caller. */
  call(
    tag: string,
    send: (span: Tracer.AnySpan | undefined) => Effect.Effect<unknown, unknown>
  ): Effect.Effect<unknown, unknown> {
    const options = { kind: "client", attributes: this.#describe(tag) } as const
    const call = this.#spans ? Effect.useSpan(`${this.#server}.${tag}`, options, send) : send(undefined)
    return this.#metrics ? Effect.tapError(call, (error) => Effect.sync(() => this.#failed(tag, error))) : call
  }

  /** A request goes out. */
  sent(request: object, span: Tracer.AnySpan | undefined): void {
    this.#sent.set(request, { at: this.#now(), span })
  }

  /** The same for one that nobody waits for: of its sender no more is kept than the ids, or each would keep the one before. */
  cast(cast: object, { cache: { span } }: Fiber.Fiber<unknown, unknown>): void {
    this.sent(cast, span && Tracer.externalSpan(span))
  }

  /** A request is not handled: its caller has given up. */
  skip(tag: string): void {
    if (this.#metrics) skipped.updateUnsafe(1, this.#context(tag))
  }

  /** A callback begins. */
  begin(message: object, tag: string, kind: "server" | "consumer" | undefined): void {
    const sent = this.#sent.get(message)
    const at = this.#now()
    const waited = sent === undefined ? 0 : millis(at - sent.at)
    if (this.#metrics) {
      const context = this.#context(tag)
      requests.updateUnsafe(1, context)
      if (sent !== undefined) mailboxTime.updateUnsafe(waited, context)
      mailboxLength.updateUnsafe(this.#entry.length, this.#context(undefined))
    }
    const span = this.#spans && kind !== undefined ? this.#span(tag, kind, sent?.span, waited) : undefined
    this.#handling = { tag, at, span }
  }

  /** It has ended; nothing happens if none has begun. */
  end(exit: Exit.Exit<unknown, unknown>): void {
    const handling = this.#handling
    if (handling === undefined) return
    this.#handling = undefined
    const now = this.#now()
    handling.span?.end(now, exit)
    if (this.#metrics) handlerTime.updateUnsafe(millis(now - handling.at), this.#context(handling.tag))
  }

  /** What a callback does is a child of its span. */
  provide(context: Context.Context<never>): Context.Context<never> {
    const span = this.#handling?.span
    return span === undefined ? context : Context.add(context, Tracer.ParentSpan, span)
  }

  crashed(): void {
    if (this.#metrics) crashes.updateUnsafe(1, this.#context(undefined))
  }

  /**
   * That of a call is a child of its caller's. That of a cast, which nobody waits for, is a root with a link to its sender,
   * so that a server that casts to itself for an hour does not nest an hour of spans.
   */
  #span(
    tag: string,
    kind: "server" | "consumer",
    sender: Tracer.AnySpan | undefined,
    waited: number
  ): Tracer.Span {
    const span = Effect.makeSpan(`${this.#server}.${tag}`, {
      ...(kind === "server" && sender !== undefined ? { parent: sender } : { root: true }),
      links: kind === "consumer" && sender !== undefined ? [{ span: sender, attributes: {} }] : [],
      attributes: { ...this.#describe(tag), "effect_otp.mailbox_ms": waited },
      kind
    })
    return Effect.runSyncWith(this.#own)(span)
  }

  #describe(tag: string): Record<string, unknown> {
    return {
      "rpc.system": "effect-otp",
      "rpc.service": this.#server,
      "rpc.method": tag,
      "effect_otp.pid": this.#entry.toString()
    }
  }

  #failed(tag: string, error: unknown): void {
    if (!(error instanceof CallError)) return
    const attributes = { server: this.#server, request: tag, reason: error.reason._tag }
    callErrors.updateUnsafe(1, withAttributes(this.#own, attributes))
  }

  #context(tag: string | undefined): Context.Context<never> {
    const key = tag ?? ""
    let context = this.#contexts.get(key)
    if (context === undefined) {
      const attributes = tag === undefined ? { server: this.#server } : { server: this.#server, request: tag }
      this.#contexts.set(key, context = withAttributes(this.#own, attributes))
    }
    return context
  }

  #now(): bigint {
    return this.#clock.currentTimeNanosUnsafe()
  }
}

const withAttributes = (context: Context.Context<never>, attributes: Record<string, string>): Context.Context<never> =>
  Context.add(context, Metric.CurrentMetricAttributes, attributes)

const millis = (nanos: bigint): number => Number(nanos) / 1e6

/** What a server tells that is started in this context. */
export const make = (entry: Entry, server: string): Telemetry | undefined => {
  const spans = Context.get(entry.context, Spans)
  const metrics = Context.get(entry.context, Metrics)
  return spans || metrics ? new Telemetry(entry, server, spans, metrics) : undefined
}
