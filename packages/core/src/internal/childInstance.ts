/**
 * One child in its place in a tree: made once when the tree is, and kept over all restarts, so that a service always
 * reaches the current incarnation.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Pid } from "../Pid.ts"
import type { Origin } from "./processTable.ts"

export interface ChildInstance {
  /** The services that it provides. */
  readonly context: Context.Context<never>
  /** Starts an incarnation, linked to the supervisor that runs it. */
  readonly start: Effect.Effect<Started, unknown>
  /** The same within a turn of the supervisor, for what can be started without an Effect. */
  readonly startNow?: StartNow | undefined
}

export type StartNow = (supervisor: Origin) => Pid<never, unknown> | Effect.Effect<Started, unknown>

/** What starting a child gives: its pid, alone or with whatever else. */
export type Started = Pid<never, unknown> | { readonly pid: Pid<never, unknown> }

/** A child that has these services, beside those of its supervisor. */
export const withServices = (
  { context, start, startNow }: ChildInstance,
  services: Context.Context<never>
): ChildInstance => ({
  context,
  start: Effect.provideContext(start, services),
  startNow: startNow &&
    ((supervisor) => startNow(supervisor.withContext(Context.merge(supervisor.context, services))))
})

export const InstantiateTypeId = "~@effect-otp/core/ChildSpec/instantiate"

/** The part of a ChildSpec that a supervisor uses and nobody else. */
export interface Instantiable {
  readonly [InstantiateTypeId]: () => ChildInstance
}

export const isInstantiable = (u: unknown): u is Instantiable =>
  typeof u === "object" && u !== null && InstantiateTypeId in u

/** What is left of the spec of a child that is never started again: not its start, nor what that holds. */
export const withoutStart = <Spec extends object>(spec: Spec): Spec => {
  const { [InstantiateTypeId]: _, ...rest } = spec as Spec & Instantiable
  // It is not among the fields that the type of a spec has.
  return rest as Spec
}

export const instantiate = (spec: unknown): ChildInstance => (spec as Instantiable)[InstantiateTypeId]()
