/**
 * The job service of the examples, as it is looked at from here.
 */
import type { Outcome } from "@effect-otp/examples/job-service/Event"
import type * as JobService from "@effect-otp/examples/job-service/JobService"
import type { Layer } from "effect"

export type { Entry, Job, Outcome } from "@effect-otp/examples/job-service/Event"
export type { Disk, Store } from "@effect-otp/examples/job-service/Store"

/** The module, so that a test can hand over another one, which has a bug. */
export type Service = typeof JobService

/** What its tree provides. */
export type Services = Layer.Success<ReturnType<Service["make"]>["layer"]>

export const sameOutcome = (one: Outcome, other: Outcome): boolean =>
  one._tag === "Done" ? other._tag === "Done" && one.result === other.result : one._tag === other._tag
