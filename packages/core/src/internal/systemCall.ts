/**
 * Sending a system request and waiting for its answer.
 *
 * @internal
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as OtpError from "../OtpError.ts"
import { type Address, locate, showAddress } from "./address.ts"
import { wait } from "./calling.ts"
import { circle, waits } from "./circle.ts"
import { entryOf, tableOf } from "./current.ts"
import { CallTimeout } from "./deadline.ts"
import * as Input from "./input.ts"
import { alive, describe, runQueueOf } from "./processTable.ts"
import { ServerState } from "./serverState.ts"
import { type Perform, SystemRequest } from "./systemRequest.ts"

/**
 * What every system request can fail with: `CallError`, as a call, or `NotAServer`.
 *
 * @category models
 * @since 0.1.0
 */
export type Failure = OtpError.CallError | OtpError.NotAServer

/**
 * How long a system request waits.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Default: `GenServer.CallTimeout`, which is 5 seconds. */
  readonly timeout?: Duration.Input | undefined
}

/** Has a server do something between two of its callbacks, and waits for the answer. */
export const systemCall = <A, E = never>(
  address: () => Address,
  tag: string,
  options: Options | undefined,
  perform: Perform<A, E>
): Effect.Effect<A, E | Failure> =>
  Effect.suspend(() => {
    const asked = ask(address(), tag, perform as Perform<unknown, unknown>)
    const timeout = options?.timeout
    if (timeout === undefined) return asked
    return Effect.provideService(asked, CallTimeout, Input.millis("timeout", timeout))
  }) as Effect.Effect<A, E | Failure>

const ask = (address: Address, tag: string, perform: Perform<unknown, unknown>): Effect.Effect<unknown, unknown> =>
  Effect.withFiber((fiber) => {
    const table = tableOf(fiber)
    const shown = showAddress(address)
    const entry = locate(table, address)
    if (entry === undefined || entry.status !== alive) return Effect.fail(OtpError.callNoProcess(shown, tag))
    if (!(entry.state instanceof ServerState)) {
      return Effect.fail(new OtpError.NotAServer({ target: describe(entry), request: tag }))
    }
    const caller = entryOf(fiber)
    const calling = caller !== undefined && waits(caller, fiber) ? caller : undefined
    const chain = calling === undefined ? undefined : circle(calling, entry)
    if (chain !== undefined) return Effect.fail(OtpError.callCallingSelf(shown, tag, chain))
    const turn = calling === undefined ? -1 : (calling.state as ServerState).turn
    const queue = runQueueOf(table, fiber.cache.scheduler)
    return wait(fiber, new SystemRequest(operation(tag), perform, address, queue, fiber, caller, turn), entry)
  })

const operation = (tag: string) => ({ tag, declares: () => true })
