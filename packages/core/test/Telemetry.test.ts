/** Spans and metrics: what they say when they are on, and that nothing of them is there when they are off. */
import * as Agent from "@effect-otp/core/Agent"
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import * as Node from "@effect-otp/core/Node"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Telemetry from "@effect-otp/core/Telemetry"
import { settle } from "@effect-otp/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"

const inNode = Effect.provide(Node.layer())

class Worker extends GenServer.Service<Worker>()("test/Worker", [
  GenServer.call("work", { payload: { millis: Schema.Finite }, success: Schema.Finite, error: Schema.String }),
  GenServer.call("ask", { success: Schema.Finite }),
  GenServer.cast("tick"),
  GenServer.cast("loop", { payload: { left: Schema.Finite } }),
  GenServer.call("crash"),
  GenServer.call("fail", { error: Schema.String })
]) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: {
      work: (n, { millis }) => Effect.as(Effect.sleep(millis), Step.reply(n, n)),
      ask: (n) => Step.reply(n, n),
      tick: (n) => Step.noReply(n + 1),
      loop: (n, { left }) =>
        Effect.gen(function*() {
          const self = yield* Process.self
          if (left > 0) yield* Worker.at(self).loop({ left: left - 1 })
          return Step.noReply(n)
        }),
      crash: () => Effect.die("boom"),
      fail: () => Effect.fail("no")
    },
    info: (n, _message: "info") => Step.noReply(n)
  })
}

class Front extends GenServer.Service<Front>()("test/Front", [
  GenServer.call("relay", { success: Schema.Finite }),
  GenServer.call("tickAndAsk", { success: Schema.Finite })
]) {
  static readonly server = this.implement({
    init: () => Effect.map(Worker, (worker) => worker),
    handlers: {
      relay: (worker) => Effect.map(Effect.orDie(worker.ask()), (n) => Step.reply(n, worker)),
      tickAndAsk: (worker) =>
        Effect.map(Effect.andThen(worker.tick(), Effect.orDie(worker.ask())), (n) => Step.reply(n, worker))
    }
  })
}

/** Collects all spans that are made. */
const collected = <A, E, R>(body: (spans: ReadonlyArray<Tracer.Span>) => Effect.Effect<A, E, R>) => {
  const spans: Array<Tracer.Span> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  return Effect.provideService(body(spans), Tracer.Tracer, tracer)
}

/** How a span reads: its kind, its name, that of its parent, and that of what it is linked to. */
const shown = (spans: ReadonlyArray<Tracer.Span>) =>
  spans.map((span) => {
    const nameOf = ({ spanId }: Tracer.AnySpan) => {
      const found = spans.find((span) => span.spanId === spanId)
      return found === undefined ? "?" : `${found.kind} ${found.name}`
    }
    const parent = Option.match(span.parent, { onNone: () => "", onSome: (parent) => ` < ${nameOf(parent)}` })
    const links = span.links.map((link) => ` ~ ${nameOf(link.span)}`)
    return `${span.kind} ${span.name}${parent}${links.join("")}`
  })

const withSpans = <A, E, R>(body: Effect.Effect<A, E, R>) => Effect.provide(body, Telemetry.spans)
const withMetrics = <A, E, R>(body: Effect.Effect<A, E, R>) =>
  body.pipe(Effect.provide(Telemetry.metrics), Effect.provideService(Metric.MetricRegistry, new Map()))

const millisOf = ({ status }: Tracer.Span) =>
  status._tag === "Ended" ? Number(status.endTime - status.startTime) / 1e6 : assert.fail("the span has not ended")

describe("spans", () => {
  it.effect("of a call are that of the caller and, as its child, that of the handler", () =>
    collected((spans) =>
      Effect.gen(function*() {
        const worker = yield* withSpans(Worker.server.start())
        yield* Effect.withSpan(worker.ask(), "program")
        assert.deepStrictEqual(shown(spans), [
          "internal program",
          "client test/Worker.ask < internal program",
          "server test/Worker.ask < client test/Worker.ask"
        ])
        assert.isTrue(spans.every(({ status }) => status._tag === "Ended" && Exit.isSuccess(status.exit)))
        assert.deepStrictEqual([...spans[2]!.attributes], [
          ["rpc.system", "effect-otp"],
          ["rpc.service", "test/Worker"],
          ["rpc.method", "ask"],
          ["effect_otp.pid", worker.pid.toString()],
          ["effect_otp.mailbox_ms", 0]
        ])
      }).pipe(inNode)
    ))

  it.effect("go on through the servers that a handler calls", () =>
    collected((spans) =>
      Effect.gen(function*() {
        const front = yield* Front
        yield* front.relay()
        assert.deepStrictEqual(shown(spans), [
          "client test/Front.relay",
          "server test/Front.relay < client test/Front.relay",
          "client test/Worker.ask < server test/Front.relay",
          "server test/Worker.ask < client test/Worker.ask"
        ])
      }).pipe(
        Effect.provide(Front.server.layer().pipe(Layer.provide(Worker.server.layer()), Layer.provide(Telemetry.spans))),
        inNode
      )
    ))

  it.effect("tell the time in the mailbox from that in the handler, and the caller's is both", () =>
    collected((spans) =>
      Effect.gen(function*() {
        const worker = yield* withSpans(Worker.server.start())
        const calls = yield* Effect.forEach([300, 200], (millis) => Effect.forkChild(worker.work({ millis })))
        yield* TestClock.adjust(500)
        yield* Fiber.joinAll(calls)
        const [, second] = spans.filter(({ kind }) => kind === "client")
        const [, handler] = spans.filter(({ kind }) => kind === "server")
        assert.deepStrictEqual([
          millisOf(second!),
          handler!.attributes.get("effect_otp.mailbox_ms"),
          millisOf(handler!)
        ], [
          500,
          300,
          200
        ])
      }).pipe(inNode)
    ))

  it.effect("of a cast are roots that are linked to the sender", () =>
    collected((spans) =>
      Effect.gen(function*() {
        const front = yield* Front
        yield* front.tickAndAsk()
        assert.include(shown(spans), "consumer test/Worker.tick ~ server test/Front.tickAndAsk")
      }).pipe(
        Effect.provide(Front.server.layer().pipe(Layer.provide(Worker.server.layer()), Layer.provide(Telemetry.spans))),
        inNode
      )
    ))

  it.effect("of a server that casts to itself stay flat, and none keeps those before it", () =>
    collected((spans) =>
      Effect.gen(function*() {
        const worker = yield* withSpans(Worker.server.start())
        yield* worker.loop({ left: 1000 })
        yield* settle
        assert.lengthOf(spans, 1001)
        for (const span of spans) {
          assert.isTrue(Option.isNone(span.parent))
          assert.isTrue(span.links.every((link) => link.span._tag === "ExternalSpan"))
        }
        assert.deepStrictEqual(spans.map(({ links }) => links[0]?.span.spanId), [
          undefined,
          ...spans.slice(0, -1).map(({ spanId }) => spanId)
        ])
      }).pipe(inNode)
    ))

  it.effect("end with the error of the call, the crash, or the interruption of the handler", () =>
    collected((spans) =>
      Effect.gen(function*() {
        const worker = yield* withSpans(Worker.server.start())
        yield* Effect.exit(worker.fail())
        yield* Effect.exit(worker.crash())
        const other = yield* withSpans(Worker.server.start())
        const call = yield* Effect.forkChild(Effect.exit(other.work({ millis: 1000 })))
        yield* settle
        yield* Process.exit(other.pid, ExitReason.kill)
        yield* Fiber.join(call)
        const ends = spans.map(({ kind, name, status }) => {
          if (status._tag !== "Ended" || Exit.isSuccess(status.exit)) return assert.fail(`${name} has not failed`)
          const [reason] = status.exit.cause.reasons
          return `${kind} ${name.split(".")[1]}: ${reason!._tag === "Fail" ? String(reason!.error) : reason!._tag}`
        })
        assert.deepStrictEqual(ends.map((end) => end.replace(/CallError.*$/, "CallError")), [
          "client fail: no",
          "server fail: no",
          "client crash: CallError",
          "server crash: Die",
          "client work: CallError",
          "server work: Interrupt"
        ])
      }).pipe(inNode)
    ))

  it.effect("are made of a request that is sent for later, and of the functions of an agent", () =>
    collected((spans) =>
      Effect.gen(function*() {
        const worker = yield* withSpans(Worker.server.start())
        const agent = yield* withSpans(Agent.start(() => 1))
        const ask = Effect.gen(function*() {
          const id = yield* GenServer.sendRequest(worker.ask())
          yield* GenServer.receiveResponse(id)
          yield* Agent.get(agent, (n) => Effect.succeed(n))
        })
        yield* Effect.withSpan(ask, "program")
        assert.deepStrictEqual(shown(spans), [
          "internal program",
          "server test/Worker.ask < internal program",
          "client Agent.get < internal program",
          "server Agent.get < client Agent.get"
        ])
      }).pipe(inNode)
    ))

  it.effect("are not made of a server that was started without the layer", () =>
    collected((spans) =>
      Effect.gen(function*() {
        const worker = yield* Worker.server.start()
        yield* worker.ask()
        yield* worker.tick()
        yield* withSpans(worker.ask())
        assert.lengthOf(spans, 0)
      }).pipe(inNode)
    ))
})

describe("metrics", () => {
  const named = (id: string, attributes: Record<string, string>) =>
    Effect.map(Metric.snapshot, (all): any => {
      const wanted = JSON.stringify(Object.entries(attributes).sort())
      const found = all.find((metric) =>
        metric.id === id && JSON.stringify(Object.entries(metric.attributes ?? {}).sort()) === wanted
      )
      return found?.state
    })
  const server = "test/Worker"

  it.effect("count requests and measure handlers and mailboxes, by request", () =>
    withMetrics(Effect.gen(function*() {
      const worker = yield* Worker.server.start()
      yield* Effect.repeat(worker.ask(), { times: 2 })
      const calls = yield* Effect.forEach([300, 200], (millis) => Effect.forkChild(worker.work({ millis })))
      yield* TestClock.adjust(500)
      yield* Fiber.joinAll(calls)
      yield* Process.send(worker.pid, "info")
      yield* settle
      for (const [request, count] of [["ask", 3], ["work", 2], ["info", 1]] as const) {
        assert.strictEqual((yield* named("effect_otp_requests", { server, request })).count, count)
      }
      const handler = yield* named("effect_otp_handler_time", { server, request: "work" })
      assert.deepStrictEqual([handler.count, handler.min, handler.max, handler.sum], [2, 200, 300, 500])
      const mailbox = yield* named("effect_otp_mailbox_time", { server, request: "work" })
      assert.deepStrictEqual([mailbox.count, mailbox.min, mailbox.max], [2, 0, 300])
    })).pipe(inNode))

  it.effect("show how many messages wait", () =>
    withMetrics(Effect.gen(function*() {
      const worker = yield* Worker.server.start()
      const busy = yield* Effect.forkChild(worker.work({ millis: 100 }))
      yield* settle
      yield* Effect.repeat(worker.tick(), { times: 4 })
      const length = named("effect_otp_mailbox_length", { server })
      assert.strictEqual((yield* length).value, 0)
      const seen = yield* Effect.forkChild(worker.work({ millis: 100 }))
      yield* TestClock.adjust(100)
      yield* Fiber.join(busy)
      // The last one that was taken is the second call, with nothing behind it.
      assert.strictEqual((yield* length).value, 0)
      yield* Effect.repeat(worker.tick(), { times: 1 })
      yield* TestClock.adjust(100)
      yield* Fiber.join(seen)
      yield* settle
      assert.strictEqual((yield* named("effect_otp_requests", { server, request: "tick" })).count, 7)
    })).pipe(inNode))

  it.effect("count timeouts, requests that were skipped, and crashes", () =>
    withMetrics(Effect.gen(function*() {
      const worker = yield* Worker.server.start()
      const busy = yield* Effect.forkChild(
        worker.work({ millis: 9000 }).pipe(Effect.provideService(GenServer.CallTimeout, "Infinity"))
      )
      yield* settle
      const late = yield* Effect.forkChild(Effect.exit(worker.ask()))
      yield* TestClock.adjust(5000)
      assert.isTrue(Exit.isFailure(yield* Fiber.join(late)))
      yield* TestClock.adjust(4000)
      yield* Fiber.join(busy)
      yield* Effect.exit(worker.crash())
      const errors = (request: string, reason: string) => named("effect_otp_call_errors", { server, request, reason })
      assert.strictEqual((yield* errors("ask", "Timeout")).count, 1)
      assert.strictEqual((yield* errors("crash", "ServerExited")).count, 1)
      assert.strictEqual((yield* named("effect_otp_skipped_requests", { server, request: "ask" })).count, 1)
      assert.strictEqual((yield* named("effect_otp_crashes", { server })).count, 1)
      assert.isUndefined(yield* named("effect_otp_requests", { server, request: "ask" }))
    })).pipe(inNode))

  it.effect("are all there at once with the spans, and neither switches the other off", () =>
    collected((spans) =>
      withMetrics(Effect.gen(function*() {
        const both = Layer.merge(Telemetry.spans, Telemetry.metrics)
        const worker = yield* Effect.provide(Worker.server.start(), both)
        yield* worker.ask()
        assert.lengthOf(spans, 2)
        assert.strictEqual((yield* named("effect_otp_requests", { server, request: "ask" })).count, 1)
      })).pipe(inNode)
    ))

  it.effect("are not there without the layer", () =>
    Effect.gen(function*() {
      const worker = yield* Worker.server.start()
      yield* worker.ask()
      assert.deepStrictEqual(yield* Metric.snapshot, [])
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()), inNode))
})
