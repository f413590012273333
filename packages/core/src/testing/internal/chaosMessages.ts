/**
 * Messages that get lost, come late, or come twice.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Rpc from "effect/rpc/Rpc"
import type * as Scope from "effect/Scope"
import * as ExitReason from "../../ExitReason.ts"
import { addressOf, AddressTypeId, showAddress } from "../../internal/address.ts"
import { timeoutOf } from "../../internal/deadline.ts"
import * as Input from "../../internal/input.ts"
import { type Client, isCast, type Protocol } from "../../internal/protocol.ts"
import { entryOfPid } from "../../internal/resolve.ts"
import { callTimeout } from "../../OtpError.ts"
import type { Pid } from "../../Pid.ts"
import * as Process from "../../Process.ts"
import { chance, type Fault, pick } from "./chaosFault.ts"
import { who } from "./failure.ts"

/**
 * What becomes of messages. Each share is between 0 and 1, and what is left over arrives as it was sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface MessageOptions {
  /** The same seed does the same to the same messages. Default: by Effect's `Random`. */
  readonly seed?: string | number | undefined
  /** The share that never arrives. Default: none. */
  readonly drop?: number | undefined
  /** The share that arrives late, and may be overtaken. Default: none. */
  readonly delay?: number | undefined
  /** How late at most. Default: 100 milliseconds. */
  readonly delayUpTo?: Duration.Input | undefined
  /** The share that arrives twice. Default: none. */
  readonly duplicate?: number | undefined
}

/**
 * Who stands between senders and a process.
 *
 * @category models
 * @since 0.1.0
 */
export interface Proxy<in M> {
  readonly pid: Pid<M>
  /** What has been done up to now, in order. */
  readonly faults: Effect.Effect<ReadonlyArray<Fault>>
}

/**
 * A client whose requests may get lost, and what has been done to them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Unreliable<out C> {
  readonly client: C
  /** What has been done up to now, in order. */
  readonly faults: Effect.Effect<ReadonlyArray<Fault>>
}

type Decision =
  | { readonly _tag: "pass" | "drop" | "duplicate" }
  | { readonly _tag: "delay"; readonly millis: number }

const shares = ["drop", "delay", "duplicate"] as const

/** What becomes of one message after the other, with a note of it. */
const deciding = Effect.fnUntraced(function*(options: MessageOptions) {
  Input.options(["seed", "drop", "delay", "delayUpTo", "duplicate"], options)
  for (const share of shares) {
    const value = options[share] ?? 0
    Input.check(share, "a share between 0 and 1", value >= 0 && value <= 1, value)
  }
  const [drop, delay, duplicate] = shares.map((share) => options[share] ?? 0) as [number, number, number]
  const left = 1 - drop - delay - duplicate
  Input.check("drop, delay and duplicate", "shares of one whole", left > -1e-9, options)
  const upTo = Input.millis("delayUpTo", options.delayUpTo ?? "100 millis")
  const random = yield* chance(options.seed)
  const clock = yield* Clock.Clock
  const began = clock.currentTimeMillisUnsafe()
  const faults: Array<Fault> = []
  const weighted = [["pass", Math.max(left, 0)], ["drop", drop], ["delay", delay], ["duplicate", duplicate]] as const
  const decide = (victim: string, pid: Fault["pid"]): Decision => {
    const _tag = pick(random, weighted) ?? "pass"
    // Drawn each time, so that one message more or less of a kind does not change all that follows.
    const late = random.nextDoubleUnsafe()
    const at = Math.round(clock.currentTimeMillisUnsafe() - began)
    if (_tag !== "pass") faults.push({ kind: _tag, victim, pid, at })
    return _tag === "delay" ? { _tag, millis: Math.ceil(late * upTo) } : { _tag }
  }
  return { decide, faults: Effect.sync(() => faults.slice()) }
})

/**
 * A process that passes on to another one what it gets, but for what chance drops, delays or duplicates. It ends with the
 * Scope.
 *
 * **When to use**
 *
 * Use it for a process with a body of its own: give its pid to the senders. For a server see {@link client}.
 *
 * **Example**
 *
 * ```ts
 * import { Process } from "@effect-otp/core"
 * import { Chaos, Probe } from "@effect-otp/core/testing"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const probe = yield* Probe.make<number>()
 *   const unreliable = yield* Chaos.proxy(probe.pid, { seed: 1, drop: 0.5 })
 *   for (let n = 0; n < 10; n++) yield* Process.send(unreliable.pid, n)
 *   const arrived = yield* probe.messages
 *   const lost = yield* unreliable.faults
 *   return arrived.length + lost.length
 * })
 *
 * Effect.runPromise(Effect.scoped(program)) // => 10
 * ```
 *
 * @category messages
 * @since 0.1.0
 */
export const proxy = <M>(target: Pid<M>, options: MessageOptions = {}): Effect.Effect<Proxy<M>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { decide, faults } = yield* deciding(options)
    const victim = who(entryOfPid(target))
    const body = (self: Process.Self<M>) =>
      Effect.forever(
        Effect.flatMap(self.receive, (message) => {
          const decision = decide(victim, target)
          // A process gets what it takes: its own proxy takes nothing else.
          const send = Process.send(target as Pid<unknown>, message)
          switch (decision._tag) {
            case "pass":
              return send
            case "drop":
              return Effect.void
            case "delay":
              return Effect.asVoid(Process.sendAfter(target as Pid<unknown>, message, decision.millis))
            case "duplicate":
              return Effect.andThen(send, send)
          }
        }),
        { disableYield: true }
      )
    const pid = yield* Effect.acquireRelease(
      Process.spawn(body, { label: `proxy of ${victim}` }),
      (pid) => Process.exit(pid, ExitReason.kill)
    )
    // Signals are for the proxy itself, and it declares none.
    return { pid: pid as Pid<M>, faults }
  })

/**
 * The client of a server, but for the requests that chance drops, delays or duplicates.
 *
 * **Details**
 *
 * A call that is dropped was never sent: it fails with `CallError` and `Timeout` when its time is over. One that is delayed has
 * its whole time when it is sent. Of one that is duplicated the first answer counts. For code that finds the client as a
 * service: `Effect.provideService(Counter, client)`.
 *
 * **Example**
 *
 * ```ts
 * import { GenServer, Step } from "@effect-otp/core"
 * import { Chaos } from "@effect-otp/core/testing"
 * import { Effect, Schema } from "effect"
 *
 * class Counter extends GenServer.Service<Counter>()("docs/Counter", [
 *   GenServer.call("next", { success: Schema.Finite })
 * ]) {
 *   static readonly server = this.implement({
 *     init: () => 0,
 *     handlers: { next: (count) => Step.reply(count, count + 1) }
 *   })
 * }
 *
 * const program = Effect.gen(function*() {
 *   const { client } = yield* Chaos.client(Counter, yield* Counter.server.start(), { seed: 1, duplicate: 1 })
 *   return [yield* client.next(), yield* client.next()]
 * })
 *
 * Effect.runPromise(program) // => [0, 2]
 * ```
 *
 * @category messages
 * @since 0.1.0
 */
export const client = <P extends Protocol, C extends Client<P>>(
  service: { readonly key: string; readonly protocol: P },
  client: C,
  options: MessageOptions = {}
): Effect.Effect<Unreliable<C>> =>
  Effect.map(deciding(options), ({ decide, faults }) => {
    // Whoever it is given to finds in it what the client itself has.
    const own = Object.defineProperties({}, Object.getOwnPropertyDescriptors(client)) as C
    const requests = client as unknown as Record<string, (payload?: unknown) => Effect.Effect<unknown, unknown>>
    const { pid } = client as { readonly pid?: Pid<never, unknown> }
    const address = pid ?? addressOf(client)
    if (address !== undefined) Object.defineProperty(own, AddressTypeId, { value: address })
    const shown = address === undefined ? service.key : showAddress(address)
    for (const rpc of service.protocol as Protocol as ReadonlyArray<Rpc.AnyWithProps>) {
      const { _tag } = rpc
      const request = (...args: [payload?: unknown]) =>
        Effect.suspend(() => {
          const made = requests[_tag]!(...args)
          const decision = decide(`${service.key}.${_tag}`, pid)
          switch (decision._tag) {
            case "pass":
              return made
            case "drop":
              return isCast(rpc) ? Effect.void : lost(shown, _tag)
            case "delay":
              return isCast(rpc)
                ? Effect.asVoid(Effect.forkDetach(Effect.delay(made, decision.millis)))
                : Effect.delay(made, decision.millis)
            case "duplicate":
              return isCast(rpc) ? Effect.andThen(made, made) : Effect.tap(made, () => Effect.ignore(made))
          }
        })
      Object.defineProperty(own, _tag, { value: request, enumerable: true })
    }
    return { client: own, faults }
  })

const lost = (server: string, request: string) =>
  Effect.withFiber((fiber) => {
    const millis = timeoutOf(fiber, {})
    if (millis === Infinity) return Effect.never
    return Effect.andThen(Effect.sleep(millis), Effect.fail(callTimeout(server, request, millis)))
  })
